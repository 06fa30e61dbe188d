package lint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Baseline is a list of known findings, which are suppressed so that new ones stand out. A finding is identified by the path of its file
// and its fingerprint, never by a line number.
type Baseline struct {
	files map[string]map[string]*known // by path and fingerprint
}

// known is one finding of a baseline. Check and message are for people who read the file.
type known struct {
	Path        string `json:"path"` // relative to the folder of the baseline, with / between the names
	Check       string `json:"check"`
	Fingerprint string `json:"fingerprint"`
	Message     string `json:"message"`
	met         bool
}

// baselineVersion is the version of the file format. Fields may be added to it, but never renamed.
const baselineVersion = "1"

// NewBaseline returns an empty baseline.
func NewBaseline() *Baseline { return &Baseline{map[string]map[string]*known{}} }

// LoadBaseline reads a baseline. The error is a [*hive.Problem] that says where the file is wrong.
func LoadBaseline(source string, data []byte) (*Baseline, error) {
	var file struct {
		Version  *string  `json:"schema_version"`
		Findings *[]known `json:"findings"`
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
		return wrong(0, "it has the schema_version %q, and this regvet knows %q; write it anew with --write-baseline", *file.Version, baselineVersion)
	}
	b := NewBaseline()
	for i, k := range *file.Findings {
		if k.Path == "" || k.Check == "" || k.Fingerprint == "" {
			return wrong(0, "finding %d of it lacks path, check or fingerprint; write it anew with --write-baseline", i+1)
		}
		b.add(k)
	}
	return b, nil
}

// badBaseline is the kind of a problem with a baseline.
const badBaseline hive.Kind = "bad-baseline"

func (b *Baseline) add(k known) {
	if b.files[k.Path] == nil {
		b.files[k.Path] = map[string]*known{}
	}
	b.files[k.Path][k.Fingerprint] = &k
}

// Known reports whether the baseline has a finding of a file.
func (b *Baseline) Known(path, fingerprint string) bool { return b.files[path][fingerprint] != nil }

// Size returns the number of findings that the baseline has of a file.
func (b *Baseline) Size(path string) int { return len(b.files[path]) }

// Compare returns how many findings that the baseline has of a file are gone. Findings of checks that did not run do not count as gone.
func (b *Baseline) Compare(path string, findings []Finding, ran func(*Check) bool) (gone int) {
	for i := range findings {
		if k := b.files[path][findings[i].Fingerprint()]; k != nil {
			k.met = true
		}
	}
	for _, k := range b.files[path] {
		if !k.met && didRun(k.Check, ran) {
			gone++
		}
	}
	return gone
}

// didRun reports whether a check ran. A check that no longer exists counts as one that ran and found nothing.
func didRun(id string, ran func(*Check) bool) bool {
	c := Lookup(id)
	return c == nil || ran(c)
}

// Replace replaces the findings that the baseline has of a file, and returns how many it added. Those of checks that did not run stay,
// and suppressed findings are left out.
func (b *Baseline) Replace(path string, findings []Finding, ran func(*Check) bool) (taken int) {
	for print, k := range b.files[path] {
		if didRun(k.Check, ran) {
			delete(b.files[path], print)
		}
	}
	for _, f := range findings {
		if f.Suppressed == nil {
			b.add(known{Path: path, Check: f.Check.ID, Fingerprint: f.Fingerprint(), Message: hive.Printable(f.Message)})
			taken++
		}
	}
	return taken
}

// Paths returns the sorted paths of the files that the baseline has findings of.
func (b *Baseline) Paths() (paths []string) {
	for path, all := range b.files {
		if len(all) > 0 {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Remove removes a file from the baseline, and returns how many findings it had.
func (b *Baseline) Remove(path string) int {
	n := len(b.files[path])
	delete(b.files, path)
	return n
}

// Write writes the baseline, one finding per line, in an order that does not depend on where the findings are in a file.
func (b *Baseline) Write(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n  \"schema_version\": %q,\n  \"findings\": [", baselineVersion)
	line := safetext.NewEncoder(&out)
	end := "\n"
	for _, path := range b.Paths() {
		all := b.files[path]
		sorted := make([]*known, 0, len(all))
		for _, k := range all {
			sorted = append(sorted, k)
		}
		slices.SortFunc(sorted, func(a, b *known) int {
			return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Fingerprint, b.Fingerprint))
		})
		for _, k := range sorted {
			out.WriteString(end + "    ")
			if err := line.Encode(k); err != nil {
				return err
			}
			out.Truncate(out.Len() - 1) // the encoder ends each value with a line break
			end = ",\n"
		}
	}
	if end != "\n" {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	_, err := w.Write(out.Bytes())
	return err
}
