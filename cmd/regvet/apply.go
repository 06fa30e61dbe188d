package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

var applyCommand = command{
	name: "apply", args: "PATCH INPUT", short: "show how a .reg file would change the findings, without writing anything",
	min: 2, max: 2, colours: true,
	example: `  regvet apply fix.reg SYSTEM
  regvet apply --format json --fail-on high hardening.reg SYSTEM
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(applyOptions)
		o.rules.define(f, defaultPacks)
		o.selected.define(f, "ask only these rules:")
		formatFlag(f, &o.format, "text", "json")
		outputFlag(f, &o.output)
		failFlag(f, &o.failOn, "findings that the patch leaves or adds,")
		f.BoolVarP(&o.all, "all", "a", false, "also list what is no finding before or after the patch")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type applyOptions struct {
	rules          ruleFlags
	selected       selection
	input          inputFlags
	format, failOn choice
	output         string
	all            bool
}

func (o *applyOptions) run(s *session, args []string) {
	onlyOnce(s, args)
	active, ok := o.selected.loadPicked(s, &o.rules)
	if s.failed() || !ok {
		return
	}
	w := report.WhatIf{Version: version(), Patch: args[0], All: o.all}
	edits, ok := o.loadPatch(s, &w)
	if !ok {
		return
	}
	in := o.input.open(s, args[1], true)
	if in == nil {
		return
	}
	before := evaluate(s, in, o.input.windows.value, active)
	edits = covered(s, args[0], in, edits)
	after := in.Registry.Apply(edits...)
	windows := in.Windows
	if o.input.windows.value == nil {
		windows = after.Windows()
	}
	w.Compare(before, rules.Evaluate(after, windows, active))
	for _, change := range w.Changes {
		if f := change.After; f != nil && o.failOn.fails(*f) {
			s.raise(statusFindings)
		}
	}
	w.Input.Input = s.facts(in)
	s.write(o.output, func(out io.Writer, style report.Style) error {
		if o.format.value == "json" {
			return report.WhatIfJSON(out, w)
		}
		return report.WhatIfText(out, w, style)
	})
}

// loadPatch returns the edits of a .reg file and fills in the facts about it. If they cannot be read, it writes why and returns false.
func (o *applyOptions) loadPatch(s *session, w *report.WhatIf) (edits []hive.Edit, ok bool) {
	data, err := collection.ReadFile(s.files, w.Patch)
	if err != nil {
		s.refuse(w.Patch, err)
		return nil, false
	}
	name := collection.DisplayName(w.Patch)
	if hive.IsHive(data) {
		s.fail(statusUsage, "%s is a hive; the first argument is the .reg file to apply, the second is the hive", name)
		return nil, false
	}
	f, err := o.input.options(false).Text.Parse(name, data)
	if err != nil {
		s.refuse(w.Patch, err)
		return nil, false
	}
	s.problems(f.Problems)
	sum := sha256.Sum256(data)
	w.SHA256, w.Edits = hex.EncodeToString(sum[:]), len(f.Edits)
	return f.Edits, true
}

// covered returns the edits that concern keys of an input, at the paths where the input has them. It writes how many other edits there are.
func covered(s *session, patch string, in *collection.Opened, edits []hive.Edit) []hive.Edit {
	var all []hive.Edit
	others := 0
	for _, e := range edits {
		real := in.Registry.Real(e)
		if len(real) == 0 || in.Format == "regf" && (in.Mount == nil || !real[0].Path.HasPrefix(in.Mount)) {
			others++
			continue
		}
		all = append(all, real...)
	}
	if others > 0 {
		s.say("%s: %s of keys that %s does not hold, so their effect is unknown", collection.DisplayName(patch), report.Count(others, "edit is", "edits are"), in.Name())
	}
	return all
}
