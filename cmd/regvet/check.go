package main

import (
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/ports"
)

var checkCommand = command{
	name: "check", args: "INPUT|FOLDER...", short: "audit hives and .reg exports against rules",
	min: 1, max: -1,
	example: `  regvet check SYSTEM
  regvet check --pack all SYSTEM
  regvet check --format json --fail-on high SYSTEM export.reg
  regvet check --format jsonl /mnt/image/Windows/System32/config
  regvet check -o sarif=out.sarif -o junit=out.xml SYSTEM
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(checkOptions)
		o.rules.define(f, defaultPacks)
		o.result.define(f)
		failFlag(f, &o.failOn, "findings")
		f.BoolVarP(&o.all, "all", "a", false, "list passes, unknowns and rules that do not apply too")
		f.BoolVar(&o.deleted, "deleted", false, "show what a value was before it was deleted, where that is still in a hive")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type checkOptions struct {
	rules        ruleFlags
	input        inputFlags
	result       resultFlags
	failOn       choice
	all, deleted bool
}

// run checks the inputs: the rules are loaded and the outputs begun before anything is read, then group after group is opened, judged and
// forgotten, and the report is written, at once where a format allows that.
func (o *checkOptions) run(s *session, args []string) {
	outputs := o.result.choose(s)
	active, ok := o.rules.load(s)
	if outputs == nil || !ok {
		return
	}
	s.files.Protect(o.input.logs...)
	inputs := groups(s, args, o.input.mount.value == nil)
	if s.failed() {
		return
	}
	sinks := s.beginAll(outputs)
	if sinks == nil {
		return
	}
	r := report.Report{Version: version(), Rules: active, All: o.all}
	lines := map[*sink]*report.Lines{} // these are written as the inputs are read, which the others keep in memory
	for _, k := range sinks {
		if k.format == "jsonl" {
			lines[k] = report.NewLines(k, r)
		}
	}
	judge := func(s *session, together collection.Joined) []report.Input { return o.judge(s, together, active) }
	each(s, inputs, &o.input, o.input.options(true), o.result.live(), judge, func(in report.Input) {
		for _, l := range lines {
			l.Input(in)
		}
		if len(lines) < len(sinks) {
			r.Inputs = append(r.Inputs, in)
		}
	})
	r.Refused = s.refused
	for _, k := range sinks {
		if l := lines[k]; l != nil {
			k.end(l.Close())
		} else {
			k.end(report.Write(k, k.format, r, k.style))
		}
	}
}

// judge holds inputs that are one registry against the rules. Each finding goes to the input that holds its place.
func (o *checkOptions) judge(s *session, together collection.Joined, active []*rules.Rule) []report.Input {
	asksPorts := slices.ContainsFunc(active, func(r *rules.Rule) bool { return r.Pack == ports.Pack })
	findings := map[*collection.Opened][]rules.Finding{}
	for _, f := range evaluate(s, together[0], o.input.windows.value, active) {
		in := together.Holder(f.RealKey)
		findings[in] = append(findings[in], f)
		if o.failOn.fails(f) {
			s.raise(statusFindings)
		}
	}
	var all []report.Input
	for _, in := range together {
		if in != together[0] {
			in.Describe(o.input.windows.value)
		}
		out := report.Input{Findings: findings[in]}
		if asksPorts && together.HoldsSystem(in) {
			out.Ports = ports.Ephemeral(in.Registry, in.Windows)
		}
		if o.deleted && in.Hive != nil {
			out.Findings = rules.AddHistory(out.Findings, in.Mount, in.Hive.Deleted())
		}
		out.Input = s.facts(in)
		out.AddCaveats()
		all = append(all, out)
	}
	return all
}

// evaluate describes and judges an input, and says so when no rule can speak about it.
func evaluate(s *session, in *collection.Opened, windows *hive.Windows, active []*rules.Rule) []rules.Finding {
	in.Describe(windows)
	if in.Format == "regf" && in.Mount == nil {
		s.say("%s: neither keys nor name tell which hive this is, so that no rule can be answered; say it with --mount, such as --mount HKLM\\SYSTEM", in.Name())
		// It may be damage that hides what it is: all of it is read, so that this is said.
		for _, k := range in.Root.Walk() {
			k.Values()
		}
	}
	return rules.Evaluate(in.Registry, in.Windows, active)
}
