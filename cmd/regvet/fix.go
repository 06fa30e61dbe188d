package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
  regvet fix -o ports.reg --undo ports-undo.reg SYSTEM
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, defaultPacks)
		f.StringVarP(&o.output, "output", "o", "fix.reg", "the `FILE` to import")
		f.StringVar(&o.undo, "undo", "", "the `FILE` that undoes it (default undo.reg beside it)")
		f.StringVar(&o.root, "root", "", "write the edits below this `KEY`, at which the hive was loaded with reg load, such as HKLM\\OFFLINE")
		f.BoolVar(&o.force, "force", false, "overwrite files that exist")
		inputFlags(f, o)
		versionFlag(f, o)
	},
	run: (*cli).fix,
}

func (c *cli) fix() {
	if c.undo == "" {
		c.undo = filepath.Join(filepath.Dir(c.output), "undo.reg")
	}
	var root hive.Path
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
	if !c.force {
		for _, name := range []string{c.output, c.undo} {
			if _, err := os.Lstat(name); err == nil {
				c.fail(statusUsage, "%s exists; --force overwrites it", name)
			}
		}
	}
	if !c.understand() {
		return
	}
	active := c.loadRules()
	if active == nil {
		return
	}
	in := c.load(c.args[0])
	if in == nil {
		return
	}
	if root != nil && in.Mount == nil {
		c.fail(statusUsage, "--root is for a hive whose mount is known; %s is none (--mount tells it)", displayName(in.Path))
		return
	}
	findings := c.evaluate(in, active)
	plan := rules.NewPlan(in.reg, findings)
	outcome := report.Outcome{Plan: plan, Unknown: unknowns(findings)}
	if len(plan.Edits) > 0 {
		c.writeFix(in, active, root, plan, &outcome)
	}
	c.finish(in)
	if len(plan.Unfixed) > 0 {
		c.raise(statusFindings)
	}
	if c.status != statusUsage {
		c.output = "" // the result of the command itself goes to standard output
		c.write(func(w io.Writer) error { return report.Fixes(w, outcome, c.style()) })
	}
}

func unknowns(findings []rules.Finding) (all []rules.Finding) {
	for _, f := range findings {
		if f.Status == rules.Unknown {
			all = append(all, f)
		}
	}
	return all
}

// writeFix makes the texts of both files, proves in memory what they will do, and only then writes them. A fix that does not do what it
// should is not written; where only the undo cannot restore everything, it says so in its own comment.
func (c *cli) writeFix(in *input, active []*rules.Rule, root hive.Path, plan rules.Plan, outcome *report.Outcome) {
	forward, back := plan.Edits, plan.Undo
	if root != nil {
		forward = moved(in.reg.Real(forward...), in.Mount, root)
		back = moved(in.reg.Real(back...), in.Mount, root)
	}
	about := fmt.Sprintf("%s, sha256 %s", filepath.Base(displayName(in.Path)), in.sha256())
	fix, err := regText(fixComment(about, plan), forward)
	if err != nil {
		c.fail(statusFindings, "the fix cannot be written as .reg text: %v", err)
		return
	}
	undo, err := regText(undoComment(about, nil), back)
	if err != nil {
		c.fail(statusFindings, "the undo cannot be written as .reg text, so that no fix is written: %v", err)
		return
	}
	// The proof is of what was read back from the texts, at the paths of the input.
	readBack := func(text []byte) []hive.Edit {
		f, err := regfile.Parse("", text)
		if err != nil || len(f.Problems) > 0 {
			return nil // what does not read back proves nothing, and fails the proof
		}
		if root != nil {
			return moved(f.Edits, root, in.Mount)
		}
		return f.Edits
	}
	proof := rules.Prove(in.reg, in.Windows, active, plan, readBack(fix), readBack(undo))
	outcome.Proof = &proof
	if !proof.Holds() {
		c.raise(statusFindings)
	}
	if len(proof.Left) > 0 || len(proof.New) > 0 {
		return
	}
	if !proof.Restored {
		undo, err = regText(undoComment(about, proof.Remains), back)
	}
	write := func(text []byte) func(io.Writer) error {
		return func(w io.Writer) error { _, err := w.Write(text); return err }
	}
	// The undo first: there is never a fix without the way back.
	if err == nil && c.save(c.undo, write(undo)) && c.save(c.output, write(fix)) {
		outcome.Fix, outcome.Undo = c.output, c.undo
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

func regText(comment string, edits []hive.Edit) ([]byte, error) {
	var b bytes.Buffer
	err := regfile.Write(&b, comment, edits)
	return b.Bytes(), err
}

// fixComment is what stands at the head of the fix.
func fixComment(about string, plan rules.Plan) string {
	lines := []string{"Written by regvet " + version() + " for " + about + "."}
	restarts := map[string]bool{}
	for _, f := range plan.Fixed {
		lines = append(lines, fmt.Sprintf("%s: %s", f.Rule.ID, f.Message))
		if f.Fix.Note != "" {
			lines = append(lines, f.Fix.Note)
		}
		restarts[f.Fix.Restart] = true
	}
	delete(restarts, "none")
	if restarts["computer"] {
		lines = append(lines, "Restart the computer after the import.")
		delete(restarts, "computer")
	} else {
		for r := range restarts {
			lines = append(lines, "Restart the "+r+" after the import.")
		}
	}
	return strings.Join(lines, "\n")
}

// undoComment is what stands at the head of the undo. The edits are those that it lacks.
func undoComment(about string, lacks []hive.Edit) string {
	lines := []string{
		"Written by regvet " + version() + ": takes back the fix for " + about + ".",
		"It restores keys, values, types and data. What .reg text cannot restore: the times of the keys, their class names and",
		"security descriptors, and the order of the values.",
	}
	for _, e := range lacks {
		lines = append(lines, "Nor can it restore to the byte: "+report.Place(e))
	}
	return strings.Join(lines, "\n")
}
