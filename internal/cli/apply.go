package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/polfile"
	"regvet/report"
	"regvet/rules"
)

var applyCommand = command{
	name: "apply", args: "PATCH INPUT", short: "show how a .reg file or Registry.pol would change the findings, without writing anything",
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
		f.BoolVarP(&o.quiet, "quiet", "q", false, "in text, list nothing, only the summary")
		o.accept.define(f, "list findings", "leave out, if the patch leaves them,")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type applyOptions struct {
	rules          ruleFlags
	selected       selection
	accept         acceptFlags
	input          inputFlags
	format, failOn choice
	output         string
	all, quiet     bool
}

func (o *applyOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	onlyOnce(s, args)
	accepted := o.accept.load(s, &o.rules, &o.selected, args)
	if s.failed() || accepted == nil {
		return
	}
	accepted.windows(&o.input)
	accepted.sayFlaws()
	active, least := accepted.asked, accepted.failOn(&o.failOn)
	w := report.WhatIf{Version: version(), Run: s.runOf(accepted.packs, active), Patch: args[0], All: o.all, Quiet: o.quiet, Choices: accepted.choices()}
	patch := o.loadPatch(s, &w)
	if patch == nil {
		return
	}
	in := o.input.open(s, args[1], true)
	if in == nil {
		return
	}
	edits := patch(in.Registry)
	before := evaluate(s, in, o.input.windows.value, active)
	edits = covered(s, args[0], in, edits)
	after := in.Registry.Apply(edits...)
	windows := in.Windows
	if o.input.windows.value == nil {
		windows = after.Windows()
	}
	answers := rules.Evaluate(after, windows, active)
	accepted.waive(before, in.Host)
	accepted.waive(answers, in.Host)
	w.Compare(before, answers)
	w.Leave(func(f rules.Finding) bool { return accepted.isKnown(in.Input, f) })
	for _, change := range w.Changes {
		if f := change.After; f != nil && f.Status == rules.Fail && f.Waived == nil && f.Severity >= least {
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

// loadPatch returns the edits of a .reg file or a Registry.pol, as a function of the registry, on which those of a policy can depend. It fills in the
// facts about the file. If it cannot be read, loadPatch writes why and returns nil.
func (o *applyOptions) loadPatch(s *session, w *report.WhatIf) func(*hive.Registry) []hive.Edit {
	data, err := collection.ReadFile(s.files, w.Patch)
	if err != nil {
		s.refuse(w.Patch, err)
		return nil
	}
	sum := sha256.Sum256(data)
	w.SHA256 = hex.EncodeToString(sum[:])
	name := collection.DisplayName(w.Patch)
	if hive.IsHive(data) {
		s.fail(statusUsage, "%s is a hive; the first argument is the .reg file to apply, the second is the hive", name)
		return nil
	}
	if polfile.Is(data) {
		return loadPolicy(s, w, name, data)
	}
	f, err := o.input.options(false).Text.Parse(name, data)
	if err != nil {
		s.refuse(w.Patch, err)
		return nil
	}
	s.problems(f.Problems)
	w.Edits = len(f.Edits)
	return func(*hive.Registry) []hive.Edit { return f.Edits }
}

// loadPolicy is loadPatch for a Registry.pol. The edits of a policy can be more or fewer than its entries.
func loadPolicy(s *session, w *report.WhatIf, name string, data []byte) func(*hive.Registry) []hive.Edit {
	f, err := polfile.Parse(name, data)
	if err != nil {
		s.refuse(w.Patch, err)
		return nil
	}
	root, _ := collection.PolicyRoot(w.Patch)
	return func(reg *hive.Registry) []hive.Edit {
		edits, problems := f.Edits(root, func(key hive.Path) (names []string) {
			for _, m := range reg.Find(key) {
				if m.Key != nil {
					for _, v := range m.Key.Values() {
						names = append(names, v.Name)
					}
				}
			}
			return names
		})
		s.problems(problems)
		w.Edits = len(edits)
		return edits
	}
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
