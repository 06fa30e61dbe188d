package foreign

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
	"regvet/rules"
)

// Exported is what became of the rules in a format of another program.
type Exported struct {
	Format string
	Files  []ExportedFile
	Rows   []ExportedRow

	windows hive.Windows
}

// ExportedFile is a file with some of the rules.
type ExportedFile struct {
	User bool // the file is that of the user, beside one of the computer
	Data []byte
}

// ExportedRow is what became of a rule.
type ExportedRow struct {
	Rule    *rules.Rule
	Outcome Outcome
	Lacks   []string // what the rule asks that the format does not; of [None] why it has nothing of it
}

// Count returns how many rules have an outcome.
func (e *Exported) Count(o Outcome) (n int) {
	for _, r := range e.Rows {
		if r.Outcome == o {
			n++
		}
	}
	return n
}

// exporters make a format of rules. Each notes what becomes of every rule.
var exporters = []struct {
	name, ending string
	write        func(x *Exported, all []*rules.Rule) error
}{
	{"hardeningkitty", ".csv", exportHardeningKitty}, {"pol", ".pol", exportPolicies}, {"reg", ".reg", exportText},
}

// ExportNames returns the formats that [Export] knows, and the endings of their files.
func ExportNames() (names, endings []string) {
	for _, e := range exporters {
		names, endings = append(names, e.name), append(endings, e.ending)
	}
	return names, endings
}

// Export says rules in a format of [ExportNames], as they are for a Windows; the zero Windows is any.
func Export(format string, all []*rules.Rule, w hive.Windows) (*Exported, error) {
	x := &Exported{Format: format, windows: w}
	for _, e := range exporters {
		if e.name == format {
			return x, e.write(x, all)
		}
	}
	return nil, errors.New("no such format")
}

// note notes what became of a rule: whole, or in part where it lacks something.
func (x *Exported) note(r *rules.Rule, lacks ...string) {
	row := ExportedRow{r, Whole, lacks}
	if len(lacks) > 0 {
		row.Outcome = Part
	}
	x.Rows = append(x.Rows, row)
}

// refuse notes why nothing became of a rule.
func (x *Exported) refuse(r *rules.Rule, why string) {
	x.Rows = append(x.Rows, ExportedRow{r, None, []string{why}})
}

// setting is what a rule wants, as edits.
type setting struct {
	rule  *rules.Rule
	edits []hive.Edit
	soft  bool // the value must be there, with whatever data
}

// settings returns the edits of the rules that can be said as such, and notes what became of the others. A format says why it cannot hold an edit, and
// whether it knows values that are set only where there are none.
func (x *Exported) settings(all []*rules.Rule, unwritable func(hive.Edit) string, knowsSoft bool) (out []setting) {
	t := taken{}
	for _, r := range all {
		p, why := r.Plain(x.windows)
		if why == "" && len(p.Edits) == 0 {
			why = "it does not say what to set"
		}
		for _, e := range p.Edits {
			if why == "" {
				why = cmp.Or(unwritable(e), t.against(e))
			}
		}
		if why != "" {
			x.refuse(r, why)
			continue
		}
		for _, e := range p.Edits {
			t.take(e, r)
		}
		s := setting{r, p.Edits, p.Exists != nil && *p.Exists && !p.AboutKey && p.Asked == "" && len(p.Types) == 0}
		var lacks []string
		if s.soft && !knowsSoft {
			lacks = append(lacks, "that other data are as good")
		}
		if fix := r.Terms(x.windows).Fix; fix != nil && !fix.Safe() {
			lacks = append(lacks, "that the change needs a decision: "+fix.Because)
		}
		x.note(r, lacks...)
		out = append(out, s)
	}
	return out
}

// taken holds what was set already, by the key and the name of a value, folded: a file that sets something twice says nothing.
type taken map[string]takenBy

type takenBy struct {
	edit hive.Edit
	rule *rules.Rule
}

func takenAt(path hive.Path, name string) string { return hive.Fold(path.String() + "\x00" + name) }

func (t taken) take(e hive.Edit, r *rules.Rule) {
	t[takenAt(e.Path, e.Value.Name)] = takenBy{e, r}
	if e.Op == hive.SetValue || e.Op == hive.CreateKey {
		for n := range e.Path {
			t[takenAt(e.Path[:n+1], "\x00needed")] = takenBy{e, r}
		}
	}
}

// against returns why an edit cannot stand beside those before it, or "".
func (t taken) against(e hive.Edit) string {
	if by, ok := t[takenAt(e.Path, e.Value.Name)]; ok && !by.edit.Equal(e) && e.Op != hive.CreateKey && by.edit.Op != hive.CreateKey {
		return by.rule.ID + " wants the same otherwise"
	}
	if by, ok := t[takenAt(e.Path, "\x00needed")]; ok && e.Op == hive.DeleteKey {
		return by.rule.ID + " sets something in the key that it deletes"
	}
	for n := range e.Path {
		if by, ok := t[takenAt(e.Path[:n+1], "")]; ok && by.edit.Op == hive.DeleteKey && e.Op != hive.DeleteKey {
			return by.rule.ID + " deletes the key"
		}
	}
	return ""
}

// exportText writes one .reg file, a block for each rule.
func exportText(x *Exported, all []*rules.Rule) error {
	var blocks []regfile.Block
	for _, s := range x.settings(all, regfile.Inexact, false) {
		blocks = append(blocks, regfile.Block{Comment: s.rule.ID + ": " + hive.Visible(s.rule.Title), Edits: s.edits})
	}
	var b bytes.Buffer
	if err := regfile.WriteBlocks(&b, "Made by regvet rules export: what rules want. It was not held against any machine, and has no undo.", blocks...); err != nil {
		return err
	}
	x.Files = []ExportedFile{{false, b.Bytes()}}
	return nil
}

// exportPolicies writes the Registry.pol of the computer and that of the user.
func exportPolicies(x *Exported, all []*rules.Rule) error {
	roots := []string{polfile.Machine, polfile.User}
	entries := make([][]polfile.Entry, len(roots))
	for _, s := range x.settings(all, polfile.Unwritable, true) {
		for i, root := range roots {
			for _, e := range polfile.Entries(root, s.edits) {
				if s.soft {
					e = e.Soft()
				}
				entries[i] = append(entries[i], e)
			}
		}
	}
	for i := range roots {
		if i == 0 || len(entries[i]) > 0 {
			x.Files = append(x.Files, ExportedFile{i == 1, polfile.Bytes(entries[i])})
		}
	}
	return nil
}

// EmptyPolicy returns the file of a user of whom no rule wants anything.
func EmptyPolicy() ExportedFile { return ExportedFile{true, polfile.Bytes(nil)} }

// sourceID returns what a rule was called where it comes from, or its ID.
func sourceID(r *rules.Rule) string {
	if i := slices.IndexFunc(r.Sources, func(s rules.Source) bool { return s.ID != "" }); i >= 0 {
		return r.Sources[i].ID
	}
	return r.ID
}
