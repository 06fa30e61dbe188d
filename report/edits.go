package report

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
)

// Difference is the edits that turn one input into another.
type Difference struct {
	Version  string // of regvet
	Run      Run
	From, To Input
	At       hive.Path // where the two roots are, or nil if unknown
	Root     *hive.Key // of the first input
	Edits    []hive.Edit
	Unproven []hive.Unproven // where the inputs may differ, but it cannot be known
}

// key returns the key of an edit as the first input has it, or nil.
func (d Difference) key(e hive.Edit) *hive.Key {
	k := d.Root
	for _, name := range e.Path {
		if k = k.Key(name); k == nil {
			return nil
		}
	}
	return k
}

// old returns the value that an edit changes as the first input has it, or nil.
func (d Difference) old(e hive.Edit) *hive.Value {
	if e.Op != hive.SetValue && e.Op != hive.DeleteValue {
		return nil
	}
	if k := d.key(e); k != nil {
		if v, ok := k.Value(e.Value.Name); ok {
			return &v
		}
	}
	return nil
}

// DifferenceText writes a difference for people, in the order of the keys: under each key, the old values with a minus and the new ones
// with a plus. The last line has the totals.
func DifferenceText(w io.Writer, d Difference, style Style) error {
	p := &page{Style: style}
	var open hive.Path // the key whose line was written last
	var made, deleted, set, added, removed int
	inOrder := slices.SortedStableFunc(slices.Values(d.Edits), func(a, b hive.Edit) int { return slices.CompareFunc(a.Path, b.Path, hive.CompareFold) })
	for _, e := range inOrder {
		path := d.At.Join(e.Path...)
		switch e.Op {
		case hive.CreateKey:
			made++
			p.changed('+', hive.Visible(path.String()))
		case hive.DeleteKey:
			deleted++
			p.gone(d.key(e), path)
		default:
			if open == nil || !path.Equal(open) {
				p.changed(' ', hive.Visible(path.String()))
			}
			old := d.old(e)
			was, is := "", ""
			if old != nil {
				was = datum(*old)
			}
			if e.Op == hive.SetValue {
				is = datum(e.Value)
			}
			if old != nil && was == is { // as text, which does not show how it ends
				was += " (bytes " + hex.EncodeToString(old.Data) + ")"
				is += " (bytes " + hex.EncodeToString(e.Value.Data) + ")"
			}
			if old != nil {
				p.changed('-', valueLine(old.Name, was))
			}
			switch {
			case e.Op == hive.DeleteValue:
				removed++
			case old == nil:
				added++
				p.changed('+', valueLine(e.Value.Name, is))
			default:
				set++
				p.changed('+', valueLine(e.Value.Name, is))
			}
		}
		if open = path; e.Op == hive.DeleteKey {
			open = nil
		}
	}
	if len(d.Edits) > 0 {
		p.WriteByte('\n')
		fmt.Fprintln(p, p.paint(totalOf(
			[]string{"key made", "key deleted", "value added", "value changed", "value deleted"},
			[]int{made, deleted, added, set, removed}), color.Bold))
	}
	return p.send(w)
}

// totalOf counts things. The first word of each is a noun, which takes the plural.
func totalOf(things []string, counts []int) string {
	var parts []string
	for i, what := range things {
		if counts[i] > 0 {
			noun, done, _ := strings.Cut(what, " ")
			parts = append(parts, plural(counts[i], noun)+" "+done)
		}
	}
	return strings.Join(parts, ", ")
}

// changed writes a line of a difference: sign is - for what was there, + for what is new, or a blank.
func (p *page) changed(sign byte, text string) {
	line := string(sign) + " " + text
	switch sign {
	case '-':
		line = p.paint(line, color.FgRed)
	case '+':
		line = p.paint(line, color.FgGreen)
	default:
		line = p.paint(line, color.Bold)
	}
	p.WriteString(line + "\n")
}

// gone writes all that a deleted key held.
func (p *page) gone(k *hive.Key, path hive.Path) {
	for below, k := range k.Walk() {
		p.changed('-', hive.Visible(path.Join(below...).String()))
		for _, v := range k.Values() {
			p.changed('-', valueLine(v.Name, datum(v)))
		}
	}
}

func valueLine(name, datum string) string { return "  " + rules.ValueName(name) + "  " + datum }

// datum returns the type and the data of a value for people.
func datum(v hive.Value) string {
	text := strings.TrimRight(v.Type.String()+" "+hive.Visible(v.Display()), " ")
	if v.Short {
		text += " (not all of it could be read)"
	}
	return text
}

type jsonDifference struct {
	SchemaVersion string         `json:"schema_version"`
	Tool          jsonTool       `json:"tool"`
	Run           jsonRun        `json:"run"`
	From          jsonInput      `json:"from"`
	To            jsonInput      `json:"to"`
	Edits         []jsonEdit     `json:"edits"`
	Unproven      []jsonUnproven `json:"unproven"`
}

type jsonEdit struct {
	Op    string     `json:"op"`
	Key   string     `json:"key"`
	Value *string    `json:"value,omitempty"` // none for a key, "" for the default value
	New   *jsonDatum `json:"new,omitempty"`   // what a value is set to
	Old   *jsonDatum `json:"old,omitempty"`   // what it was, if it existed
}

// jsonDatum is the type and data of a value, byte for byte.
type jsonDatum struct {
	Type   string `json:"type"`
	TypeID uint32 `json:"type_id"`
	Data   string `json:"data"`
	Text   string `json:"text"`
}

type jsonUnproven struct {
	Op    string  `json:"op"`
	Key   string  `json:"key"`
	Value *string `json:"value,omitempty"`
	Side  string  `json:"side"`  // the input that leaves it open: from or to
	Known string  `json:"known"` // why not: damaged, partial, or not-covered
}

var opNames = [...]string{
	hive.CreateKey: "create-key", hive.DeleteKey: "delete-key", hive.SetValue: "set-value", hive.DeleteValue: "delete-value",
}

func datumJSON(v hive.Value) *jsonDatum {
	return &jsonDatum{v.Type.String(), uint32(v.Type), hex.EncodeToString(v.Data), v.Display()}
}

// editJSON returns an edit and what the value was before it.
func editJSON(e hive.Edit, at hive.Path, old *hive.Value) jsonEdit {
	out := jsonEdit{Op: opNames[e.Op], Key: hive.Printable(at.Join(e.Path...).String())}
	if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
		name := hive.Printable(e.Value.Name)
		out.Value = &name
	}
	if e.Op == hive.SetValue {
		out.New = datumJSON(e.Value)
	}
	if old != nil {
		out.Old = datumJSON(*old)
	}
	return out
}

// DifferenceJSON writes a difference as one JSON object.
func DifferenceJSON(w io.Writer, d Difference) error {
	out := jsonDifference{schemaVersion, jsonTool{"regvet", d.Version}, runJSON(d.Run), inputJSON(d.From), inputJSON(d.To), []jsonEdit{}, []jsonUnproven{}}
	for _, e := range d.Edits {
		out.Edits = append(out.Edits, editJSON(e, d.At, d.old(e)))
	}
	for _, u := range d.Unproven {
		e := editJSON(u.Edit, d.At, nil)
		one := jsonUnproven{Op: e.Op, Key: e.Key, Value: e.Value, Side: "from", Known: string(rules.NotCovered)}
		if u.InTo {
			one.Side = "to"
		}
		switch u.Known {
		case hive.Damaged:
			one.Known = string(rules.Damaged)
		case hive.Partial:
			one.Known = string(rules.Partial)
		}
		out.Unproven = append(out.Unproven, one)
	}
	return writeJSON(w, out)
}

// Patch is the edits of a fix or of its undo, and their origin.
type Patch struct {
	Version string // of regvet
	Run     Run
	Inputs  []Input         // those that it changes, at least one
	Fixed   []rules.Finding // what it fixes, or whose fix it undoes
	Edits   []hive.Edit
}

// holder returns the input that holds the key of a finding.
func (p Patch) holder(f rules.Finding) Input {
	i := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Mount != nil && f.RealKey.HasPrefix(in.Mount) })
	return p.Inputs[max(i, 0)]
}

type jsonPatch struct {
	SchemaVersion string        `json:"schema_version"`
	Tool          jsonTool      `json:"tool"`
	Run           jsonRun       `json:"run"`
	Date          string        `json:"date"` // that of run
	Input         jsonInput     `json:"input"`
	Inputs        []jsonInput   `json:"inputs,omitempty"` // if there are several, all of them
	Findings      []jsonFinding `json:"findings"`
	Edits         []jsonEdit    `json:"edits"`
}

// Unwritable returns why JSON cannot express what an edit is about, or "". In JSON, the path of a key is one text with a backslash between
// names, and all text is Unicode.
func Unwritable(e hive.Edit) string {
	switch {
	case slices.ContainsFunc(e.Path, func(name string) bool { return strings.Contains(name, `\`) }):
		return "the name of a key holds a backslash"
	case !utf8.ValidString(e.Path.String()) || !utf8.ValidString(e.Value.Name):
		return "a name is not text"
	}
	return ""
}

// PatchJSON writes a patch as one JSON object. It fails for an edit that JSON cannot express, see [Unwritable].
func PatchJSON(w io.Writer, p Patch) error {
	for _, e := range p.Edits {
		if reason := Unwritable(e); reason != "" {
			return fmt.Errorf("%s cannot be written as JSON: %s", Place(e), reason)
		}
	}
	out := jsonPatch{schemaVersion, jsonTool{"regvet", p.Version}, runJSON(p.Run), p.Run.date(), inputJSON(p.Inputs[0]), nil, []jsonFinding{}, []jsonEdit{}}
	for _, in := range p.Inputs {
		if len(p.Inputs) > 1 {
			out.Inputs = append(out.Inputs, inputJSON(in))
		}
	}
	for _, f := range p.Fixed {
		out.Findings = append(out.Findings, findingJSON(p.holder(f), f))
	}
	for _, e := range p.Edits {
		out.Edits = append(out.Edits, editJSON(e, nil, nil))
	}
	return writeJSON(w, out)
}
