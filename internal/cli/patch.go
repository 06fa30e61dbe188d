package cli

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
	"regvet/rules/lint"
)

// patch holds what the texts of a fix and its undo say besides the edits.
type patch struct {
	together  collection.Joined // the machine, or an input by itself
	format    string
	root      hive.Path         // of --root; nil for the live registry
	user      *report.FixedUser // nil for the computer
	about     report.Patch
	restarts  []string // what must be restarted
	fix, undo string   // the names of the files, without a folder
	folder    string   // where that of one machine goes; "" where it is not known yet
	lintRules []*rules.Rule
}

func newPatch(together collection.Joined, o *fixOptions, run report.Run, outcome *report.Outcome) patch {
	p := patch{together: together, format: o.format.value, root: o.root.value, user: outcome.User, lintRules: o.lintRules}
	p.about = report.Patch{Version: version(), Run: run, Fixed: outcome.Plan.Fixed}
	for _, in := range p.changed(outcome.Plan) {
		p.about.Inputs = append(p.about.Inputs, report.Input{Input: in.Facts()})
	}
	for _, f := range outcome.Plan.Fixed {
		if r := f.Fix.Restart; r != "none" && !slices.Contains(p.restarts, r) {
			p.restarts = append(p.restarts, r)
		}
	}
	if slices.Contains(p.restarts, "computer") {
		p.restarts = []string{"computer"} // which restarts everything else
	}
	return p
}

// changed returns the inputs that a plan changes.
func (p patch) changed(plan rules.Plan) (all []*collection.Opened) {
	for _, e := range p.together[0].Registry.Real(plan.Edits...) {
		if in := p.together.Holder(e.Path); !slices.Contains(all, in) {
			all = append(all, in)
		}
	}
	return all
}

// patchFile is one file of a fix.
type patchFile struct {
	name string // without a folder, until it is written
	undo bool   // it takes the fix back
	text []byte
}

// place returns where a file stands among those that are put in their places one after the other.
func (f patchFile) place() int {
	if f.undo {
		return 0
	}
	return 1
}

// rendered is what a format makes of a plan: the files, those of the undo last, and the edits that they make.
type rendered struct {
	files     []patchFile
	fix, undo []hive.Edit
}

// render makes the files of a plan in the format of the patch.
func (p patch) render(plan rules.Plan, move func([]hive.Edit) []hive.Edit) (rendered, error) {
	files, edits, err := p.fixFiles(p.sections(plan, move))
	if err != nil {
		return rendered{}, fmt.Errorf("the fix: %w", err)
	}
	p.format = undoFormat(p.format)
	undo, err := p.text(p.undoHead(), []regfile.Block{{Edits: move(plan.Undo)}})
	if err != nil {
		return rendered{}, fmt.Errorf("the undo: %w", err)
	}
	return rendered{append(files, patchFile{p.undo, true, undo.text}), edits, undo.edits}, nil
}

// now returns the date to write into a patch. SOURCE_DATE_EPOCH sets it, so that a build can make the same files again
// (https://reproducible-builds.org/specs/source-date-epoch/).
func now() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	return time.Now().UTC()
}

// mostColumns is how wide the comments of a patch are, with the mark that begins each line.
const mostColumns = 100

// origin returns the lines that say where a patch comes from: tool and date, inputs and their hashes, host.
func (p patch) origin(what string) []string {
	lines := []string{what, "tool    regvet " + p.about.Version, "date    " + p.about.Run.Date.Format(time.RFC3339)}
	for _, in := range p.about.Inputs {
		lines = append(lines, "input   "+hive.Visible(filepath.Base(in.Name())), "sha256  "+in.SHA256)
	}
	host, by := p.together[0].Host, p.together[0].HostBy
	if host == "" {
		host = "unknown"
	}
	if host = hive.Visible(host); by != "" {
		host += ", by " + by
	}
	if lines = append(lines, "host    "+host); p.user != nil {
		lines = append(lines, "user    "+hive.Visible(p.user.Name))
	}
	if p.root != nil {
		lines = append(lines, "below   "+hive.Visible(p.root.String())+", where the hive must be loaded")
	}
	return lines
}

func (p patch) fixHead() string {
	lines := append(p.origin("Fixes what rules found. The undo that was written with it reverts it."), p.next(p.fix)...)
	return strings.Join(lines, "\n")
}

func (p patch) undoHead() string {
	lines := append(p.origin("Reverts the fix that was written with it, to the byte. It is for this machine only."),
		"It restores keys, values, types and data. What it cannot restore: the times of the keys, their",
		"class names and security descriptors, and the order of the values.")
	return strings.Join(append(lines, p.next(p.undo)...), "\n")
}

// next returns the lines that say what to do with a file.
func (p patch) next(name string) []string {
	name = hive.Visible(name)
	if strings.Contains(name, " ") {
		name = `"` + name + `"`
	}
	run, restarts := "reg import "+name, false
	if f := scriptForm(p.format); f != nil {
		run, restarts = fmt.Sprintf(f.Run, name), f.Restarts
	}
	var steps []string
	switch {
	case p.user != nil && p.ofClasses():
		steps = append(steps, "have the user logged on, for Windows has this part of the registry only then")
	case p.user != nil:
		key := `HKEY_USERS\` + hive.Visible(p.user.Key)
		steps = append(steps, fmt.Sprintf(`have the user logged on, or load the NTUSER.DAT of the user with: reg load "%s" NTUSER.DAT`, key))
		if !strings.HasPrefix(p.user.Key, "S-1-") {
			steps = []string{fmt.Sprintf(`load the NTUSER.DAT of the user, whose SID is not known, with: reg load "%s" NTUSER.DAT`, key)}
		}
	case p.root == nil && p.about.Inputs[0].Mount.Equal(hive.ParsePath("HKCU")):
		steps = append(steps, "log on as the user whose registry this is, for HKEY_CURRENT_USER is that of whoever imports it")
	}
	steps = append(steps, run)
	for _, r := range p.restarts {
		if restarts && r == "computer" {
			steps[len(steps)-1] += ", which restarts the computer"
			continue
		}
		steps = append(steps, "restart the "+hive.Visible(r))
	}
	return wrapped("Next: "+strings.Join(steps, ", then ")+".", mostColumns-len("rem "), "  ")
}

// ofClasses reports whether the patch changes the UsrClass.dat of a user, which Windows links into the registry of the user at the logon.
func (p patch) ofClasses() bool {
	return slices.ContainsFunc(p.about.Inputs, func(in report.Input) bool { return len(in.Mount) > 2 })
}

// wrapped breaks a line at blanks, so that each has at most width characters, and those after the first begin with indent. What has no blanks is
// broken where it must be.
func wrapped(line string, width int, indent string) (lines []string) {
	rest := []rune(line)
	for len(rest) > width {
		at := width
		for at > len(indent) && rest[at] != ' ' {
			at--
		}
		if strings.TrimSpace(string(rest[:at])) == "" {
			at = width
		}
		lines = append(lines, strings.TrimRight(string(rest[:at]), " "))
		rest = append([]rune(indent), []rune(strings.TrimLeft(string(rest[at:]), " "))...)
	}
	return append(lines, string(rest))
}

// sections returns the edits of a plan in one block for each, with the rules, the reasons and what was there as its comment. In .reg text that is a
// section for each value: hivexregedit takes no comment inside of a section.
func (p patch) sections(plan rules.Plan, move func([]hive.Edit) []hive.Edit) []regfile.Block {
	var all []regfile.Block
	made := map[string]bool{}
	told := map[string]bool{} // findings, by their fingerprints
	for _, e := range plan.Edits {
		if parents := p.parents(e, made); p.format == "reg" && len(parents) > 0 {
			all = append(all, regfile.Block{Edits: move(parents)})
		}
		var lines []string
		add := func(line, indent string) {
			lines = append(lines, wrapped(hive.Visible(line), mostColumns-len("rem "), indent)...)
		}
		for _, f := range plan.Fixed {
			if !slices.ContainsFunc(f.Edits(), e.Equal) {
				continue
			}
			if told[f.Fingerprint()] {
				add(f.Rule.ID+", as above", "  ")
				continue
			}
			told[f.Fingerprint()] = true
			add(fmt.Sprintf("%s (%s, %s): %s", f.Rule.ID, f.Severity, f.Reason, f.Message), "  ")
			for _, text := range append([]string{f.Fix.Note}, f.Notes...) {
				if text != "" {
					add("  "+text, "    ")
				}
			}
			if !f.Fix.Safe() {
				add("  unsafe: "+f.Fix.Because, "    ")
			}
			if f.Alternative != "" {
				add("  instead: "+f.Alternative, "    ")
			}
		}
		add("  "+p.before(e), "    ")
		all = append(all, regfile.Block{Comment: strings.Join(lines, "\n"), Edits: move([]hive.Edit{e})})
	}
	return all
}

// parents returns edits that create the missing keys above the key of an edit. Windows creates them itself, but hivexregedit creates no key
// without its parent. made holds the keys that earlier edits create.
func (p patch) parents(e hive.Edit, made map[string]bool) (all []hive.Edit) {
	for n := 2; n < len(e.Path); n++ {
		key := e.Path[:n]
		name := hive.Fold(key.String())
		if e.Op == hive.DeleteKey || e.Op == hive.DeleteValue || made[name] || p.together[0].Registry.Find(key)[0].Key != nil {
			continue
		}
		made[name] = true
		all = append(all, hive.Edit{Op: hive.CreateKey, Path: key})
	}
	return all
}

// before returns what the input has in the place of an edit.
func (p patch) before(e hive.Edit) string {
	k := p.together[0].Registry.Find(e.Path)[0].Key
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
		text, err := f.Text(head, slices.Contains(p.restarts, "computer"), blocks)
		return patchText{text, edits}, err
	}
	if err := regfile.WriteBlocks(&b, head, blocks...); err != nil {
		return patchText{}, err
	}
	if known := p.suppression(b.Bytes()); known != "" {
		b.Reset()
		if err := regfile.WriteBlocks(&b, head+"\n"+known, blocks...); err != nil {
			return patchText{}, err
		}
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

// suppression returns a comment with which the linter accepts what it would say of .reg text that is right for what it is for, or "".
func (p patch) suppression(text []byte) string {
	r, err := lint.Linter{Rules: p.lintRules}.Lint("", bytes.NewReader(text))
	if err != nil {
		return ""
	}
	var checks []string
	for _, f := range r.Findings {
		if f.Suppressed == nil && !slices.Contains(checks, f.Check.ID) {
			checks = append(checks, f.Check.ID)
		}
	}
	if checks == nil {
		return ""
	}
	slices.Sort(checks)
	return "regvet:ignore-file " + strings.Join(checks, ", ") + " -- regvet fix wrote this for one machine, and proved it"
}
