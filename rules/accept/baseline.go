package accept

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Baseline is a list of known findings, so that new ones stand out. A finding is identified by its place, which is the path of a file or the
// name of a machine, and by its fingerprint, never by a line number or an offset.
//
// One file can hold the findings of both commands. Each knows its own and keeps those of the other as they are.
type Baseline struct {
	of     Kind
	places map[string]map[string]*Known // by place and fingerprint
	others []*Known                     // of the other kind
}

// Kind is whose findings a baseline knows: what names in it are called.
type Kind string

// The kinds of baselines.
const (
	Checks Kind = "check" // of the linter
	Rules  Kind = "rule"
)

// Known is one finding of a baseline. One of Check and Rule is set. These and the message are for people who read the file.
type Known struct {
	Path        string `json:"path"` // relative to the folder of the baseline, with / between the names
	Check       string `json:"check,omitempty"`
	Rule        string `json:"rule,omitempty"`
	Fingerprint string `json:"fingerprint"`
	Message     string `json:"message"`
	met         bool
}

// id returns what made the finding.
func (k *Known) id() string { return cmp.Or(k.Check, k.Rule) }

// baselineVersion is the version of the file format. Fields may be added to it, but never renamed.
const baselineVersion = "1"

// NewBaseline returns an empty baseline.
func NewBaseline(of Kind) *Baseline { return &Baseline{of: of, places: map[string]map[string]*Known{}} }

// LoadBaseline reads a baseline. The error is a [*hive.Problem] that says where the file is wrong.
func LoadBaseline(of Kind, source string, data []byte) (*Baseline, error) {
	var file struct {
		Version  *string   `json:"schema_version"`
		Findings *[]*Known `json:"findings"`
	}
	wrong := func(offset int64, format string, args ...any) (*Baseline, error) {
		before := data[:min(max(offset, 0), int64(len(data)))]
		at := hive.Location{Line: bytes.Count(before, []byte("\n")) + 1, Column: len(before) - bytes.LastIndexByte(before, '\n')}
		return nil, &hive.Problem{Source: source, At: at, Kind: badBaseline, Msg: fmt.Sprintf("this is no baseline: "+format, args...)}
	}
	err := json.Unmarshal(data, &file)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return wrong(syntax.Offset-1, "not JSON: %v", syntax)
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return wrong(kind.Offset-1, "%s cannot be a JSON %s", cmp.Or(kind.Field, "the file"), kind.Value)
	}
	switch {
	case err != nil:
		return wrong(0, "%v", err)
	case file.Version == nil || file.Findings == nil:
		return wrong(0, "it lacks schema_version or findings; write it with --write-baseline")
	case *file.Version != baselineVersion:
		return wrong(offsetOf(data, "schema_version"), "it has the schema_version %q, and this regvet knows %q; write it anew with --write-baseline", *file.Version, baselineVersion)
	}
	b := NewBaseline(of)
	for i, k := range *file.Findings {
		if k == nil || k.Path == "" || k.id() == "" || k.Fingerprint == "" {
			return wrong(0, "finding %d of it lacks path, check or fingerprint; write it anew with --write-baseline", i+1)
		}
		if of == Checks && k.Check == "" || of == Rules && k.Rule == "" {
			b.others = append(b.others, k)
			continue
		}
		b.put(k)
	}
	return b, nil
}

// offsetOf returns where in an object the value of a name begins, in bytes.
func offsetOf(data []byte, name string) int64 {
	d := json.NewDecoder(bytes.NewReader(data))
	_, _ = d.Token() // the data were read before: there are no errors
	for d.More() {
		key, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if key == name {
			return d.InputOffset() - int64(len(value))
		}
	}
	return 0
}

// badBaseline is the kind of a problem with a baseline.
const badBaseline hive.Kind = "bad-baseline"

func (b *Baseline) put(k *Known) {
	if b.places[k.Path] == nil {
		b.places[k.Path] = map[string]*Known{}
	}
	b.places[k.Path][k.Fingerprint] = k
}

// Knows reports whether the baseline has a finding of a place. Any number of goroutines may call it as long as nothing else is called.
func (b *Baseline) Knows(place, fingerprint string) bool { return b.places[place][fingerprint] != nil }

// Size returns the number of findings that the baseline has of a place.
func (b *Baseline) Size(place string) int { return len(b.places[place]) }

// Meet is [Baseline.Knows] for a finding that was met, so that it is not gone.
func (b *Baseline) Meet(place, fingerprint string) bool {
	k := b.places[place][fingerprint]
	if k != nil {
		k.met = true
	}
	return k != nil
}

// Record puts a finding of a place into the baseline. The message may be any text.
func (b *Baseline) Record(place, id, fingerprint, message string) {
	k := &Known{Path: place, Fingerprint: fingerprint, Message: hive.Printable(message), met: true}
	if b.of == Checks {
		k.Check = id
	} else {
		k.Rule = id
	}
	b.put(k)
}

// Gone returns how many findings that the baseline has of a place were not met although what made them ran.
func (b *Baseline) Gone(place string, ran func(id string) bool) (n int) {
	for _, k := range b.places[place] {
		if !k.met && ran(k.id()) {
			n++
		}
	}
	return n
}

// Forget removes the findings that [Baseline.Gone] counts.
func (b *Baseline) Forget(place string, ran func(id string) bool) {
	for print, k := range b.places[place] {
		if !k.met && ran(k.id()) {
			delete(b.places[place], print)
		}
	}
}

// Places returns the sorted places that the baseline has findings of.
func (b *Baseline) Places() (all []string) {
	for place, known := range b.places {
		if len(known) > 0 {
			all = append(all, place)
		}
	}
	slices.Sort(all)
	return all
}

// Remove removes a place from the baseline.
func (b *Baseline) Remove(place string) { delete(b.places, place) }

// Write writes the baseline, one finding per line, in an order that does not depend on where the findings are in a file.
func (b *Baseline) Write(w io.Writer) error {
	all := slices.Clone(b.others)
	for _, known := range b.places {
		all = slices.AppendSeq(all, maps.Values(known))
	}
	slices.SortFunc(all, func(a, b *Known) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.id(), b.id()), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n  \"schema_version\": %q,\n  \"findings\": [", baselineVersion)
	line := safetext.NewEncoder(&out)
	end := "\n"
	for _, k := range all {
		out.WriteString(end + "    ")
		if err := line.Encode(k); err != nil {
			return err
		}
		out.Truncate(out.Len() - 1) // the encoder ends each value with a line break
		end = ",\n"
	}
	if end != "\n" {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	_, err := w.Write(out.Bytes())
	return err
}
