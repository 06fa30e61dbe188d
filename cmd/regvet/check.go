package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
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
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, defaultPacks)
		outputFlags(f, o)
		f.StringVar(&o.failOn, "fail-on", "low", "exit with 1 for findings of at least this `SEVERITY`: info, low, medium, high, critical, or never")
		f.BoolVarP(&o.all, "all", "a", false, "list passes, unknowns and rules that do not apply too")
		f.BoolVar(&o.deleted, "deleted", false, "show what a value was before it was deleted, where that is still in a hive")
		inputFlags(f, o)
		versionFlag(f, o)
	},
	run: (*cli).check,
}

func (c *cli) check() {
	failOn, ok := rules.ParseSeverity(c.failOn)
	if !ok && c.failOn != "never" {
		c.fail(statusUsage, "--fail-on cannot be %q; it is %s, or never", c.failOn, strings.Join(rules.SeverityNames(), ", "))
	}
	outputs := c.chooseOutputs()
	if !c.understand() {
		return
	}
	active := c.loadRules()
	if active == nil {
		return
	}
	asksPorts := slices.ContainsFunc(active, func(r *rules.Rule) bool { return r.Pack == ports.Pack })
	judge := func(c *cli, together []*input) (all []report.Input) {
		for _, f := range c.evaluate(together[0], active) {
			in := holder(together, f.RealKey)
			in.Findings = append(in.Findings, f)
			if f.Status == rules.Fail && c.failOn != "never" && f.Severity >= failOn {
				c.raise(statusFindings)
			}
		}
		for _, in := range together {
			if in != together[0] {
				c.describe(in)
			}
			if asksPorts && in == holder(together, systemPath) {
				in.Ports = ports.Ephemeral(in.reg, in.Windows)
			}
			if c.deleted && in.file != nil {
				in.Findings = rules.AddHistory(in.Findings, in.Mount, in.file.Deleted())
			}
			in.addCaveat()
			all = append(all, c.finish(in))
		}
		return all
	}
	units := c.expand(true)
	r := report.Report{Version: version(), Rules: active, All: c.all}
	sinks := c.beginAll(outputs)
	if sinks == nil {
		return
	}
	lines := map[*sink]*report.Lines{} // these are written as the inputs are read, which the others keep in memory
	for _, s := range sinks {
		if s.format == "jsonl" {
			lines[s] = report.NewLines(s, r)
		}
	}
	c.each(units, judge, func(in report.Input) {
		for _, l := range lines {
			l.Input(in)
		}
		if len(lines) < len(sinks) {
			r.Inputs = append(r.Inputs, in)
		}
	})
	r.Refused = c.refused
	for _, s := range sinks {
		if l := lines[s]; l != nil {
			s.end(l.Close())
		} else {
			s.end(report.Write(s, s.format, r, s.style))
		}
	}
}

// evaluate judges an input, and says so when no rule can speak of it.
func (c *cli) evaluate(in *input, active []*rules.Rule) []rules.Finding {
	c.describe(in)
	if in.Format == "regf" && in.Mount == nil {
		c.say("%s: neither keys nor name tell which hive this is, so that no rule can be answered; say it with --mount, such as --mount HKLM\\SYSTEM", displayName(in.Path))
		// It may be damage that hides what it is: all of it is read, so that this is said.
		for _, k := range in.root.Walk() {
			k.Values()
		}
	}
	return rules.Evaluate(in.reg, in.Windows, active)
}

// addCaveat notes with each finding that rests on a dirty hive whose logs were not all applied that there may be a later answer.
func (in *input) addCaveat() {
	caveats := in.caveats()
	if len(caveats) == 0 {
		return
	}
	for i, f := range in.Findings {
		if f.Reason != rules.NotCovered {
			in.Findings[i].Notes = append(slices.Clip(f.Notes), caveats...)
		}
	}
}

// caveats tell what is in doubt of a dirty hive and its logs.
func (in *input) caveats() (notes []string) {
	if !in.Dirty {
		return nil
	}
	var applied bool
	var later, foreign []string
	for _, u := range in.LogUse {
		applied = applied || u.Entries > 0
		if u.Later {
			later = append(later, hive.Printable(u.Name))
		}
		if u.Foreign {
			foreign = append(foreign, hive.Printable(u.Name))
		}
	}
	switch {
	case !applied:
		notes = append(notes, "the hive is dirty and no log of it was applied, so that this may not be its latest state")
	case len(later) > 0:
		notes = append(notes, fmt.Sprintf("the hive is dirty and not all of its logs could be applied (%s), so that this may not be its latest state", strings.Join(later, ", ")))
	}
	if len(foreign) > 0 {
		notes = append(notes, fmt.Sprintf("the logs that were applied may be of another hive (%s): the identifiers in their base blocks differ; --no-logs reads the hive without them",
			strings.Join(foreign, ", ")))
	}
	return notes
}

// oneOf checks the value of a flag that is one of some words.
func (c *cli) oneOf(flag, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.fail(statusUsage, "%s cannot be %q%s; it is %s", flag, value, suggest(value, words), list(words))
	}
}

// list writes words as people do: a, b or c.
func list(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// allPacks stands for every pack in --pack.
const allPacks = "all"

// ruleFlags are those that choose the rules. Which packs are used without --pack is told by the command.
func ruleFlags(f *pflag.FlagSet, o *options, unsaid string) {
	f.StringArrayVarP(&o.rules, "rules", "r", nil, "a rule `FILE`, or a folder of them, beside the built-in packs (repeatable)")
	f.StringArrayVarP(&o.packs, "pack", "p", nil, fmt.Sprintf("use the pack of this `NAME`: %s, one of --rules, or %s; without it %s (repeatable)", strings.Join(rules.BuiltInNames(), ", "), allPacks, unsaid))
}

// defaultPacks is what commands that hold something against rules use without --pack.
const defaultPacks = rules.DefaultPack + " and those of --rules"

// loadPacks reads the packs that the flags choose. It says what is wrong, and gives nil then.
func (c *cli) loadPacks() []*rules.Pack {
	names := rules.BuiltInNames()
	var own []*rules.Pack
	for _, path := range c.rules {
		more, err := rules.LoadFiles(path)
		if err != nil {
			c.mistakes(err)
			continue
		}
		own = append(own, more...)
	}
	for _, p := range own {
		names = append(names, p.Name)
	}
	known := append(slices.Clone(names), allPacks)
	for _, name := range c.packs {
		if !slices.Contains(known, name) {
			c.fail(statusUsage, "there is no pack %q%s; there is %s, and %s for all of them", name, suggest(name, known), strings.Join(names, ", "), allPacks)
		}
	}
	switch {
	case c.status >= statusUsage:
		return nil
	case slices.Contains(c.packs, allPacks):
		return append(rules.BuiltIn(), own...)
	case len(c.packs) == 0:
		return append(rules.BuiltIn(rules.DefaultPack), own...)
	}
	own = slices.DeleteFunc(own, func(p *rules.Pack) bool { return !slices.Contains(c.packs, p.Name) })
	return append(rules.BuiltIn(c.packs...), own...)
}

// loadRules gives the rules of the packs that the flags choose, nil when something is wrong with them.
func (c *cli) loadRules() []*rules.Rule {
	packs := c.loadPacks()
	if packs == nil {
		return nil
	}
	all, err := rules.Rules(packs...)
	if err != nil {
		c.mistakes(err)
		return nil
	}
	return all
}

// mistakes says what is wrong with rule files, or with a config: a line for each mistake, and below it the line of the file with a caret at the place.
func (c *cli) mistakes(err error) {
	all, ok := errors.AsType[rules.Mistakes](err)
	if !ok {
		c.fail(statusUsage, "%v", err)
	}
	for _, m := range all {
		c.fail(statusUsage, "%v", m.Error())
		if excerpt := m.Excerpt(); excerpt != "" {
			fmt.Fprintln(c.stderr, excerpt)
		}
	}
}

var versionCommand = command{
	name: "version", short: "print the version", max: 0,
	example: "  regvet version\n",
	run:     func(c *cli) { fmt.Fprintf(c.stdout, "regvet %s\n", version()) },
}

// version is that of the module as Go built it: a tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
