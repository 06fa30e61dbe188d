package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
)

var applyCommand = command{
	name: "apply", args: "PATCH INPUT", short: "what a .reg file would do to the findings of an input; nothing is written",
	min: 2, max: 2,
	example: `  regvet apply fix.reg SYSTEM
  regvet apply --format json --fail-on high hardening.reg SYSTEM
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, defaultPacks)
		f.StringVarP(&o.format, "format", "f", "text", "the `FORMAT` of the result: text or json")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
		f.StringVar(&o.failOn, "fail-on", "low", "exit with 1 for findings afterwards of at least this `SEVERITY`: info, low, medium, high, critical, or never")
		f.BoolVarP(&o.all, "all", "a", false, "list what neither was nor becomes a finding too")
		inputFlags(f, o)
		versionFlag(f, o)
	},
	run: (*cli).apply,
}

func (c *cli) apply() {
	c.oneOf("--format", c.format, "text", "json")
	failOn, ok := rules.ParseSeverity(c.failOn)
	if !ok && c.failOn != "never" {
		c.fail(statusUsage, "--fail-on cannot be %q; it is %s, or never", c.failOn, strings.Join(rules.SeverityNames(), ", "))
	}
	if c.args[0] == "-" && c.args[1] == "-" {
		c.fail(statusUsage, "standard input can be read only once")
	}
	if !c.understand() {
		return
	}
	active := c.loadRules()
	if active == nil {
		return
	}
	w := report.WhatIf{Version: version(), Patch: c.args[0], All: c.all}
	edits, ok := c.loadPatch(&w)
	if !ok {
		return
	}
	in := c.load(c.args[1])
	if in == nil {
		return
	}
	before := c.evaluate(in, active)
	edits = c.covered(in, edits)
	after := in.reg.Apply(edits...)
	windows := in.Windows
	if c.parsedWindows == nil {
		windows = after.Windows()
	}
	w.Compare(before, rules.Evaluate(after, windows, active))
	for _, change := range w.Changes {
		if f := change.After; f != nil && f.Status == rules.Fail && c.failOn != "never" && f.Severity >= failOn {
			c.raise(statusFindings)
		}
	}
	w.Input = c.finish(in)
	c.write(func(out io.Writer) error {
		if c.format == "json" {
			return report.WhatIfJSON(out, w)
		}
		return report.WhatIfText(out, w, c.style())
	})
}

// loadPatch reads the edits of a .reg file. It says why they cannot be read, and is not ok then.
func (c *cli) loadPatch(w *report.WhatIf) (edits []hive.Edit, ok bool) {
	data, err := c.bytes(w.Patch)
	if err != nil {
		c.refuse(w.Patch, err)
		return nil, false
	}
	if hive.IsHive(data) {
		c.fail(statusUsage, "%s is a hive; the patch is a .reg file, and the hive to try it on comes behind it", displayName(w.Patch))
		return nil, false
	}
	f, err := c.read.Parse(displayName(w.Patch), data)
	if err != nil {
		c.refuse(w.Patch, err)
		return nil, false
	}
	for _, p := range f.Problems {
		c.say("%v", &p)
		if p.Loss {
			c.raise(statusInput)
		}
	}
	sum := sha256.Sum256(data)
	w.SHA256, w.Edits = hex.EncodeToString(sum[:]), len(f.Edits)
	return f.Edits, true
}

// covered gives the edits of keys that an input holds, at the paths where it has them, and says of how many others it tells nothing.
func (c *cli) covered(in *input, edits []hive.Edit) []hive.Edit {
	var all []hive.Edit
	others := 0
	for _, e := range edits {
		real := in.reg.Real(e)
		if len(real) == 0 || in.Format == "regf" && (in.Mount == nil || !real[0].Path.HasPrefix(in.Mount)) {
			others++
			continue
		}
		all = append(all, real...)
	}
	if others > 0 {
		c.say("%s: %s of keys that %s does not hold, so that nothing can be told of what they do", displayName(c.args[0]), amount(others, "edit is", "edits are"), displayName(in.Path))
	}
	return all
}
