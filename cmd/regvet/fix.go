package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
	"regvet/rules"
)

var fixCommand = command{
	name: "fix", args: "INPUT", short: "write the remediation .reg and its undo",
	min: 1, max: 1,
	example: `  regvet fix SYSTEM
  regvet fix --dry-run --severity high SYSTEM
  regvet fix -o ports.reg --undo ports-undo.reg --select KB196271-MaxUserPort SYSTEM
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, defaultPacks)
		f.StringSliceVar(&o.selected, "select", nil, "fix only what the rules of these `IDS` find, of any pack (repeatable)")
		f.StringVar(&o.severity, "severity", "", "fix only findings of at least this `SEVERITY`: info, low, medium, high or critical")
		f.StringVarP(&o.format, "format", "f", "reg", "the `FORMAT` of both files: "+list(patchFormats()))
		f.StringVarP(&o.output, "output", "o", "", "the `FILE` to import (default fix.reg, for other formats with "+list(otherExtensions())+" at its end)")
		f.StringVar(&o.undo, "undo", "", "the `FILE` that undoes it (default undo.reg beside it)")
		f.StringVar(&o.root, "root", "", "write the edits below this `KEY`, at which the hive was loaded with reg load, such as HKLM\\OFFLINE")
		f.BoolVar(&o.force, "force", false, "overwrite files that exist")
		f.BoolVarP(&o.dryRun, "dry-run", "n", false, "tell and prove what would be done, and write nothing")
		inputFlags(f, o)
		versionFlag(f, o)
	},
	run: (*cli).fix,
}

func (c *cli) fix() {
	c.oneOf("--format", c.format, patchFormats()...)
	least, ok := rules.ParseSeverity(c.severity)
	if !ok && c.severity != "" {
		c.fail(statusUsage, "--severity cannot be %q%s; it is %s", c.severity, suggest(c.severity, rules.SeverityNames()), list(rules.SeverityNames()))
	}
	root := c.fixNames()
	if !c.understand() {
		return
	}
	anyPack := len(c.selected) > 0 && len(c.packs) == 0 // an ID tells the rule without its pack
	if anyPack {
		c.packs = []string{allPacks}
	}
	active := c.loadRules()
	if active == nil || !c.knowSelected(active) {
		return
	}
	if anyPack {
		var packs []string
		for _, r := range active {
			if c.selects(r) {
				packs = append(packs, r.Pack)
			}
		}
		active = slices.DeleteFunc(active, func(r *rules.Rule) bool { return !slices.Contains(packs, r.Pack) })
	}
	in := c.load(c.args[0])
	if in == nil {
		return
	}
	if root != nil && in.Mount == nil {
		c.fail(statusUsage, "--root is for a hive whose mount is known; %s is none (--mount tells it)", displayName(in.Path))
		return
	}
	outcome := report.Outcome{DryRun: c.dryRun}
	var findings []rules.Finding
	for _, f := range c.evaluate(in, active) {
		switch {
		case len(c.selected) > 0 && !c.selects(f.Rule) || f.Severity < least:
			if f.Status == rules.Fail {
				outcome.Others++
			}
		case f.Status == rules.Unknown:
			if f.Applies() || len(c.selected) > 0 { // whoever names a rule wants to know why there is no fix of it
				outcome.Open = append(outcome.Open, f)
			}
		default:
			findings = append(findings, f)
		}
	}
	outcome.Plan = rules.NewPlanAmong(in.reg, in.Windows, active, findings, unwritable(c.format, below(in, root)))
	if len(outcome.Plan.Edits) > 0 {
		c.writeFix(in, active, root, &outcome)
	}
	c.finish(in)
	if len(outcome.Plan.Unfixed) > 0 {
		c.raise(statusFindings)
	}
	if c.status != statusUsage {
		c.output = "" // the result of the command itself goes to standard output
		c.write(func(w io.Writer) error { return report.Fixes(w, outcome, c.style()) })
	}
}

// fixNames completes the names of both files, says what is wrong with them, and gives the key of --root.
func (c *cli) fixNames() (root hive.Path) {
	ext := extension(c.format)
	if c.output == "" {
		c.output = "fix" + ext
	}
	if c.undo == "" {
		c.undo = filepath.Join(filepath.Dir(c.output), "undo"+ext)
	}
	if c.root != "" {
		if root = hive.ParsePath(c.root); !root.HasRoot() {
			c.fail(statusUsage, "--root must start with a root of the registry, such as HKLM\\OFFLINE; %q does not", c.root)
		}
	}
	if c.output == "-" || c.undo == "-" {
		c.fail(statusUsage, "fix writes two files, and needs names for both")
	}
	if filepath.Clean(c.output) == filepath.Clean(c.undo) {
		c.fail(statusUsage, "the fix and its undo cannot both be %s", c.output)
	}
	if !c.force && !c.dryRun {
		for _, name := range []string{c.output, c.undo} {
			if _, err := os.Lstat(name); err == nil {
				c.fail(statusUsage, "%s exists; --force overwrites it", name)
			}
		}
	}
	return root
}

// selects tells whether --select names a rule.
func (c *cli) selects(r *rules.Rule) bool {
	return slices.ContainsFunc(c.selected, func(id string) bool { return strings.EqualFold(id, r.ID) })
}

// knowSelected tells whether the rules that --select names are among those in use, and says which are not.
func (c *cli) knowSelected(active []*rules.Rule) bool {
	var ids []string
	for _, r := range active {
		ids = append(ids, r.ID)
	}
	for _, id := range c.selected {
		if !slices.ContainsFunc(ids, func(known string) bool { return strings.EqualFold(known, id) }) {
			c.fail(statusUsage, "--select: there is no rule %q%s; \"regvet rules list\" lists them", id, suggest(id, ids))
		}
	}
	return c.status < statusUsage
}

// writeFix makes the texts of both files, proves in memory what they will do, and only then writes them. A fix that is not proven is not
// written: neither where a finding would be left or a new one appear, nor where the undo would not restore all to the byte.
func (c *cli) writeFix(in *input, active []*rules.Rule, root hive.Path, outcome *report.Outcome) {
	plan := outcome.Plan
	move := below(in, root)
	p := newPatch(in, c.format, root, plan)
	fix, err := p.text(p.fixHead(), p.sections(plan, move))
	if err != nil {
		c.fail(statusFindings, "the fix: %v", err)
		return
	}
	undo, err := p.text(p.undoHead(), []regfile.Block{{Edits: move(plan.Undo)}})
	if err != nil {
		c.fail(statusFindings, "the undo: %v", err)
		return
	}
	back := func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(edits, root, in.Mount)
	}
	proof := rules.Prove(in.reg, in.Windows, active, plan, back(fix.edits), back(undo.edits))
	outcome.Proof = &proof
	if !proof.Holds() {
		c.raise(statusFindings)
		return
	}
	outcome.Fix, outcome.Undo = c.output, c.undo
	if c.dryRun {
		return
	}
	if !c.savePair(undo.text, fix.text) {
		outcome.Fix, outcome.Undo = "", ""
	}
}

// savePair writes the undo and the fix, or neither of them. Neither comes to its place before the disk has both, and the undo comes
// first: there is never a fix without the way back.
func (c *cli) savePair(undo, fix []byte) bool {
	files := c.beginAll([]output{{file: c.undo}, {file: c.output}})
	for i, f := range files {
		_, err := f.Write([][]byte{undo, fix}[i])
		if err == nil {
			err = f.Flush()
		}
		if err != nil {
			files[1-i].discard()
			return f.end(err)
		}
	}
	return files != nil && files[0].end(nil) && files[1].end(nil)
}

// below returns what brings edits of the running system below the key at which a hive is loaded, if there is one.
func below(in *input, root hive.Path) func([]hive.Edit) []hive.Edit {
	return func(edits []hive.Edit) []hive.Edit {
		if root == nil {
			return edits
		}
		return moved(in.reg.Real(edits...), in.Mount, root)
	}
}

// moved gives the edits with one path in place of another at the start of each.
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

// otherExtensions are those of the formats but .reg.
func otherExtensions() (all []string) {
	for _, name := range patchFormats()[1:] {
		all = append(all, extension(name))
	}
	return all
}
