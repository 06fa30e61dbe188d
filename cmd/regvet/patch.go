package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
	"regvet/rules"
)

// patch holds what the texts of a fix and its undo say besides the edits.
type patch struct {
	in       *collection.Opened
	format   string
	root     hive.Path // of --root; nil for the live registry
	about    report.Patch
	restarts []string // what must be restarted
}

func newPatch(in *collection.Opened, format string, root hive.Path, plan rules.Plan) patch {
	p := patch{in: in, format: format, root: root}
	p.about = report.Patch{Version: version(), Date: now(), Input: report.Input{Input: in.Facts()}, Fixed: plan.Fixed}
	for _, f := range plan.Fixed {
		if r := f.Fix.Restart; r != "none" && !slices.Contains(p.restarts, r) {
			p.restarts = append(p.restarts, r)
		}
	}
	if slices.Contains(p.restarts, "computer") {
		p.restarts = []string{"computer"} // which restarts everything else
	}
	return p
}

// now returns the date to write into a patch. SOURCE_DATE_EPOCH sets it, so that a build can make the same files again
// (https://reproducible-builds.org/specs/source-date-epoch/).
func now() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Now().UTC()
}

// origin returns the lines that say where a patch comes from: tool and date, input and its hash, host.
func (p patch) origin(what string) []string {
	host := p.in.Host
	if host == "" {
		host = "unknown"
	}
	lines := []string{
		what,
		"tool    regvet " + p.about.Version,
		"date    " + p.about.Date.Format(time.RFC3339),
		"input   " + hive.Visible(filepath.Base(p.in.Name())),
		"sha256  " + p.in.SHA256,
		"host    " + hive.Visible(host),
	}
	if p.root != nil {
		lines = append(lines, "below   "+hive.Visible(p.root.String())+", where the hive must be loaded")
	}
	return lines
}

func (p patch) fixHead() string {
	return strings.Join(append(p.origin("Fixes what rules found. The undo that was written with it reverts it."), p.afterImport()...), "\n")
}

// afterImport returns the lines that say what must be restarted before a fix takes effect, or its undo.
func (p patch) afterImport() (lines []string) {
	for _, r := range p.restarts {
		lines = append(lines, "Restart the "+hive.Visible(r)+" after the import.")
	}
	return lines
}

func (p patch) undoHead() string {
	lines := append(p.origin("Reverts the fix that was written with it, to the byte."),
		"It restores keys, values, types and data. What it cannot restore: the times of the keys, their class names and",
		"security descriptors, and the order of the values.")
	return strings.Join(append(lines, p.afterImport()...), "\n")
}

// sections returns the edits of a plan in one block for each key, with the rules, reasons and old values as its comment.
func (p patch) sections(plan rules.Plan, move func([]hive.Edit) []hive.Edit) []regfile.Block {
	var all []regfile.Block
	made := map[string]bool{}
	for _, edits := range byKey(plan.Edits) {
		if parents := p.parents(edits[0], made); p.format == "reg" && len(parents) > 0 {
			all = append(all, regfile.Block{Edits: move(parents)})
		}
		var lines []string
		for _, f := range plan.Fixed {
			if !slices.ContainsFunc(f.Edits(), func(e hive.Edit) bool { return e.Path.Equal(edits[0].Path) }) {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s (%s, %s): %s", f.Rule.ID, f.Severity, f.Reason, f.Message))
			for _, text := range append([]string{f.Fix.Note}, f.Notes...) {
				if text != "" {
					lines = append(lines, "  "+text)
				}
			}
			if !f.Fix.Safe() {
				lines = append(lines, "  unsafe: "+f.Fix.Because)
			}
			if f.Alternative != "" {
				lines = append(lines, "  instead: "+f.Alternative)
			}
		}
		for _, e := range edits {
			lines = append(lines, "  "+p.before(e))
		}
		all = append(all, regfile.Block{Comment: strings.Join(lines, "\n"), Edits: move(edits)})
	}
	return all
}

// parents returns edits that create the missing keys above the key of an edit. Windows creates them itself, but hivexregedit creates no key
// without its parent. made holds the keys that earlier edits create.
func (p patch) parents(e hive.Edit, made map[string]bool) (all []hive.Edit) {
	for n := 2; n < len(e.Path); n++ {
		key := e.Path[:n]
		name := hive.Fold(key.String())
		if e.Op == hive.DeleteKey || e.Op == hive.DeleteValue || made[name] || p.in.Registry.Find(key)[0].Key != nil {
			continue
		}
		made[name] = true
		all = append(all, hive.Edit{Op: hive.CreateKey, Path: key})
	}
	return all
}

// byKey groups edits by key, in the order of the first edit of each. If a key is deleted, the order stays as it is, because an edit has another
// effect before the deletion than after it.
func byKey(edits []hive.Edit) (all [][]hive.Edit) {
	deletes := slices.ContainsFunc(edits, func(e hive.Edit) bool { return e.Op == hive.DeleteKey })
	for _, e := range edits {
		i := slices.IndexFunc(all, func(other []hive.Edit) bool { return other[0].Path.Equal(e.Path) })
		if deletes && i != len(all)-1 {
			i = -1
		}
		if i < 0 {
			all = append(all, nil)
			i = len(all) - 1
		}
		all[i] = append(all[i], e)
	}
	return all
}

// before returns what the input has in the place of an edit.
func (p patch) before(e hive.Edit) string {
	k := p.in.Registry.Find(e.Path)[0].Key
	if e.Op == hive.DeleteKey || e.Op == hive.CreateKey {
		if k == nil {
			return "the key was not there"
		}
		keys, values := 0, 0
		for _, below := range k.Walk() {
			keys++
			values += len(below.Values())
		}
		return fmt.Sprintf("the key was there, with %s below it and %s in all", report.Count(keys-1, "key", "keys"), report.Count(values, "value", "values"))
	}
	name := rules.ValueName(e.Value.Name)
	if k != nil {
		if v, ok := k.Value(e.Value.Name); ok {
			return strings.TrimRight(name+" was "+v.Type.String()+" "+hive.Visible(v.Display()), " ")
		}
	}
	return name + " was not set"
}

// patchText is the text of a patch, and the edits that it makes.
type patchText struct {
	text  []byte
	edits []hive.Edit
}

// text returns a patch in its format. The edits of .reg text are read back from the text. regvet cannot read the other formats, so for those they
// are the edits that were written.
func (p patch) text(head string, blocks []regfile.Block) (patchText, error) {
	var b bytes.Buffer
	var edits []hive.Edit
	for _, part := range blocks {
		edits = append(edits, part.Edits...)
	}
	if p.format == "json" {
		about := p.about
		about.Edits = edits
		err := report.PatchJSON(&b, about)
		return patchText{b.Bytes(), edits}, err
	}
	if f := scriptForm(p.format); f != nil {
		text, err := f.Text(head, blocks)
		return patchText{text, edits}, err
	}
	if err := regfile.WriteBlocks(&b, head, blocks...); err != nil {
		return patchText{}, err
	}
	f, err := regfile.Parse("", b.Bytes())
	if err == nil && len(f.Problems) > 0 {
		err = &f.Problems[0] // text that cannot be read back proves nothing
	}
	if err != nil {
		return patchText{}, err
	}
	return patchText{b.Bytes(), f.Edits}, nil
}
