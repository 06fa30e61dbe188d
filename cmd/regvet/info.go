package main

import (
	"io"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/report"
	"regvet/rules/ports"
)

var infoCommand = command{
	name: "info", args: "INPUT|FOLDER...", short: "what a file is: header, state, host, Windows, control set, problems",
	min: 1, max: -1,
	example: "  regvet info SYSTEM\n  regvet info --verify --format json SYSTEM NTUSER.DAT\n",
	flags: func(f *pflag.FlagSet, o *options) {
		f.StringVarP(&o.format, "format", "f", "text", "the `FORMAT` of the result: text or json")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
		f.BoolVar(&o.verify, "verify", false, "read the classes and descriptors of the keys too, and exit with 3 for any problem, also for one that loses nothing")
		inputFlags(f, o)
		versionFlag(f, o)
	},
	run: (*cli).info,
}

func (c *cli) info() {
	c.oneOf("--format", c.format, "text", "json")
	if !c.understand() {
		return
	}
	c.withMD5 = true
	r := report.Report{Version: version()}
	describe := func(c *cli, alone []*input) []report.Input {
		in := alone[0]
		c.describe(in)
		c.inspect(in)
		return []report.Input{c.finish(in)}
	}
	c.each(c.expand(false), describe, func(in report.Input) { r.Inputs = append(r.Inputs, in) })
	c.write(func(w io.Writer) error {
		if c.format == "json" {
			return report.InfoJSON(w, r)
		}
		return report.InfoText(w, r, c.style())
	})
}

// inspect fills in what only info tells of an input. All of it is walked, so that all of its problems are met; those of what only the
// record of a key has, when it is to be verified.
func (c *cli) inspect(in *input) {
	in.MD5 = in.md5()
	for _, k := range in.root.Walk() {
		if !k.Implied() {
			in.Keys++
			in.Values += len(k.Values())
			if c.verify {
				k.Record() // for what is wrong with it
			}
		}
	}
	if z, ok := in.reg.TimeZone(); ok {
		in.TimeZone = z.String()
	}
	in.Shutdown = in.reg.Shutdown()
	in.Selections = in.reg.Selections()
	for _, s := range in.reg.WithControlSet(hive.AllControlSets).ControlSets() {
		isNamed := func(named hive.ControlSet) bool { return hive.EqualFold(named.Name, s.Name) }
		isThere := in.reg.Find(systemPath.Join(s.Name))[0].Key != nil
		if isThere && !slices.ContainsFunc(in.ControlSets, isNamed) {
			in.OtherSets = append(in.OtherSets, s.Name)
		}
	}
	in.Ports = ports.Ephemeral(in.reg, in.Windows)
	if c.verify && len(in.problems()) > 0 {
		c.raise(statusInput)
	}
}
