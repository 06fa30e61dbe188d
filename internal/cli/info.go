package cli

import (
	"io"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules/ports"
)

var infoCommand = command{
	name: "info", args: "INPUT|FOLDER...", short: "show what a file is: header, state, host, Windows, control sets, problems",
	min: 1, max: -1, files: true, colours: true,
	example: "  regvet info SYSTEM\n  regvet info --verify --format json SYSTEM NTUSER.DAT\n",
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(infoOptions)
		formatFlag(f, &o.format, "text", "json")
		outputFlag(f, &o.output)
		f.BoolVar(&o.verify, "verify", false, "also read the classes and security descriptors of keys and the whole of images that store a hash, and exit with 3 for any problem, even one that loses nothing")
		shardFlag(f, &o.shard, "read", "machines")
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type infoOptions struct {
	format choice
	output string
	verify bool
	shard  parsed[collection.Share]
	input  inputFlags
}

func (o *infoOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	s.files.Protect(o.input.logs...)
	s.files.Share = o.shard.value
	inputs := groups(s, args, o.input.mount.value == nil)
	if s.failed() {
		return
	}
	open := o.input.options(true)
	open.MD5 = true
	for _, c := range s.containers {
		for _, v := range c.Volumes {
			s.problems(v.ShadowProblems())
		}
	}
	if o.verify {
		for _, c := range s.containers {
			if p := c.Verify(); p != nil {
				s.problems([]hive.Problem{*p})
			}
		}
	}
	r := report.Report{Version: version(), Run: s.runOf(nil, nil)}
	each(s, inputs, &o.input, open, batch{}, o.describe, func(a groupResult[report.Input]) { r.Inputs = append(r.Inputs, a.results...) })
	r.Containers, r.Refused = s.containers, s.unread()
	s.write(o.output, func(w io.Writer, style report.Style) error {
		if o.format.value == "json" {
			return report.InfoJSON(w, r)
		}
		return report.InfoText(w, r, style)
	})
}

// describe returns the facts about the inputs of one registry. It walks through all of them, so that all problems are found.
func (o *infoOptions) describe(s *session, together collection.Joined) (all []report.Input) {
	for _, in := range together {
		out := report.Input{}
		if in.SameAs == "" {
			in.Describe(o.input.windows.value)
			in.Inspect(o.verify)
			if together.HoldsSystem(in) {
				out.Ports = ports.Ephemeral(in.Registry, in.Windows)
			}
		}
		out.Input = s.facts(in)
		if o.verify && len(out.Problems) > 0 {
			s.raise(statusInput)
		}
		all = append(all, out)
	}
	return all
}
