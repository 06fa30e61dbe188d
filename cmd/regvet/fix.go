package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/internal/draft"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/strict"
)

var fixCommand = command{
	name: "fix", args: "INPUT", short: "write a patch that fixes what rules find, and its undo",
	min: 1, max: 1, colours: true,
	example: `  regvet fix SYSTEM
  regvet fix --dry-run --severity high SYSTEM
  regvet fix -o ports.reg --undo ports-undo.reg --select KB196271-MaxUserPort SYSTEM
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(fixOptions)
		o.rules.define(f, defaultPacks)
		o.selected.define(f, "fix only what these rules find:")
		f.BoolVar(&o.unsafe, "unsafe-fixes", false, "also make fixes that need a decision, because they may break something, cannot be undone on the machine, or are no recommendation of a vendor; --select with the ID of a rule makes that of this rule. Without it they are told, which is no failure")
		choose(f, &o.severity, "severity", "", "", "fix only findings of at least this `SEVERITY`: %s", severityWords()...)
		choose(f, &o.format, "format", "f", "reg", "output `FORMAT` of both files: %s", patchFormats()...)
		f.StringVarP(&o.output, "output", "o", "", "write the fix to this `FILE` (default fix.reg, or with "+strict.List(otherExtensions(), "or")+" for other formats)")
		f.StringVar(&o.undo, "undo", "", "write the undo to this `FILE` (default undo.reg beside the fix)")
		pathFlag(f, &o.root, "root", "write the edits for a hive that is loaded at this `KEY` with reg load, such as HKLM\\OFFLINE", `HKLM\OFFLINE`)
		f.BoolVar(&o.force, "force", false, "overwrite existing files")
		f.BoolVarP(&o.dryRun, "dry-run", "n", false, "show and prove the fix, but write nothing")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type fixOptions struct {
	rules            ruleFlags
	input            inputFlags
	selected         selection
	severity, format choice
	output, undo     string
	root             parsed[hive.Path]
	unsafe           bool
	force, dryRun    bool
}

func (o *fixOptions) run(s *session, args []string) {
	o.completeNames(s)
	active, ok := o.activeRules(s)
	if !ok || s.failed() {
		return
	}
	in := o.input.open(s, args[0], true)
	if in == nil {
		return
	}
	if o.root.value != nil && in.Mount == nil {
		s.fail(statusUsage, "--root needs to know where Windows mounts the hive, and %s does not show it; give --mount too", in.Name())
		return
	}
	outcome := report.Outcome{DryRun: o.dryRun}
	least, _ := rules.ParseSeverity(o.severity.value)
	var findings []rules.Finding
	refused := unwritable(o.format.value, below(in, o.root.value))
	for _, f := range evaluate(s, in, o.input.windows.value, active) {
		switch {
		case !o.selected.picks(f.Rule) || f.Severity < least:
			if f.Status == rules.Fail {
				outcome.Others++
			}
		case f.Status == rules.Unknown:
			if f.Applies() || o.selected.restricts() { // the user who selects a rule wants to know why there is no fix
				outcome.Open = append(outcome.Open, f)
			}
		case f.NeedsDecision() && !o.unsafe && !o.selected.names(f.Rule):
			undo := rules.NewPlan(in.Registry, []rules.Finding{f}).Undo
			outcome.LeftOut = append(outcome.LeftOut, rules.Unfixed{Finding: f, Why: refused(f.Edits(), undo)})
		default:
			findings = append(findings, f)
		}
	}
	outcome.Plan = rules.NewPlanAmong(in.Registry, in.Windows, active, findings, refused)
	if len(outcome.Plan.Edits) > 0 {
		o.writeFix(s, in, active, &outcome)
	}
	s.facts(in)
	if len(outcome.Plan.Unfixed) > 0 {
		s.raise(statusFindings)
	}
	if s.status != statusUsage {
		s.write("", func(w io.Writer, style report.Style) error { return report.Fixes(w, outcome, style) })
	}
}

// completeNames fills in the default names of both files, and writes what is wrong with the names.
func (o *fixOptions) completeNames(s *session) {
	ext := extension(o.format.value)
	if o.output == "" {
		o.output = "fix" + ext
	}
	if o.undo == "" {
		o.undo = filepath.Join(filepath.Dir(o.output), "undo"+ext)
	}
	if o.output == "-" || o.undo == "-" {
		s.fail(statusUsage, "fix writes two files; give -o and --undo the names of files, not -")
	}
	if filepath.Clean(o.output) == filepath.Clean(o.undo) {
		s.fail(statusUsage, "the fix and its undo cannot both be %s", o.output)
	}
	if !o.force && !o.dryRun {
		for _, name := range []string{o.output, o.undo} {
			if _, err := os.Lstat(name); err == nil {
				s.fail(statusUsage, "%s exists; --force overwrites it", name)
			}
		}
	}
}

// activeRules returns the rules to evaluate: those of the chosen packs or, if none is chosen, of each pack with a rule that --select names. If
// something is wrong with them, it writes what and returns false.
func (o *fixOptions) activeRules(s *session) ([]*rules.Rule, bool) {
	anyPack := o.selected.restricts() && len(o.rules.packs) == 0 // an ID names a rule without its pack
	active, ok := o.selected.load(s, &o.rules)
	if !ok {
		return nil, false
	}
	if anyPack {
		var packs []string
		for _, r := range active {
			if o.selected.picks(r) {
				packs = append(packs, r.Pack)
			}
		}
		active = slices.DeleteFunc(active, func(r *rules.Rule) bool { return !slices.Contains(packs, r.Pack) })
	}
	return rules.Distinct(active, o.selected.chosen), true
}

// writeFix makes the texts of both files, proves in memory what they will do, and only then writes them. It does not write a fix that would
// leave a finding or cause a new one, or whose undo would not restore every byte.
func (o *fixOptions) writeFix(s *session, in *collection.Opened, active []*rules.Rule, outcome *report.Outcome) {
	plan, root := outcome.Plan, o.root.value
	move := below(in, root)
	p := newPatch(in, o.format.value, root, plan)
	fix, err := p.text(p.fixHead(), p.sections(plan, move))
	if err != nil {
		s.fail(statusFindings, "the fix: %v", err)
		return
	}
	undo, err := p.text(p.undoHead(), []regfile.Block{{Edits: move(plan.Undo)}})
	if err != nil {
		s.fail(statusFindings, "the undo: %v", err)
		return
	}
	back := func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(edits, root, in.Mount)
	}
	proof := rules.Prove(in.Registry, in.Windows, active, plan, back(fix.edits), back(undo.edits))
	outcome.Proof = &proof
	if !proof.Holds() {
		s.raise(statusFindings)
		return
	}
	outcome.Fix, outcome.Undo = o.output, o.undo
	if o.dryRun {
		return
	}
	if !o.savePair(s, undo.text, fix.text) {
		outcome.Fix, outcome.Undo = "", ""
	}
}

// savePair writes the undo and the fix, or neither of them. The undo is put in place first, so that there is never a fix without its undo.
func (o *fixOptions) savePair(s *session, undo, fix []byte) bool {
	files := s.beginAll([]output{{file: o.undo}, {file: o.output}})
	if files == nil {
		return false
	}
	files[0].Write(undo) // an error is returned again at the end
	files[1].Write(fix)
	if err := draft.CommitAll(files[0].draft, files[1].draft); err != nil {
		e, _ := errors.AsType[*fs.PathError](err) // it always is one
		s.fail(statusUsage, "%s cannot be written: %v", e.Path, e.Err)
		return false
	}
	return true
}

// below returns a function that moves edits of the running system below root, the key at which the hive is loaded. With a nil root it changes
// nothing.
func below(in *collection.Opened, root hive.Path) func([]hive.Edit) []hive.Edit {
	return func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(in.Registry.Real(edits...), in.Mount, root)
	}
}

// moved returns the edits with the path to in place of from at the beginning of their paths.
func moved(edits []hive.Edit, from, to hive.Path) []hive.Edit {
	var all []hive.Edit
	for _, e := range edits {
		if e.Path.HasPrefix(from) {
			e.Path = to.Join(e.Path[len(from):]...)
		}
		all = append(all, e)
	}
	return all
}
