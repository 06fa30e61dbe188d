package cli

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
	min: 1, max: -1, files: true, colours: true,
	example: `  regvet check SYSTEM
  regvet check --pack all SYSTEM
  regvet check --format json --fail-on high SYSTEM export.reg
  regvet check --format jsonl /mnt/image/Windows/System32/config
  regvet check -o sarif=out.sarif -o junit=out.xml SYSTEM
  regvet check --all --format parquet -o tables /mnt/cases
  regvet check --baseline known.json --write-baseline hives
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(checkOptions)
		o.define(f)
		return o.run
	},
}

type checkOptions struct {
	rules        ruleFlags
	selected     selection
	accept       acceptFlags
	input        inputFlags
	result       resultFlags
	list         listFlags
	failOn       choice
	deleted      bool
	regback, vss bool // also check backups of hives, and shadow copies
	allInstalls  bool // findings of a former Windows count for the exit status
	shard        parsed[collection.Share]
	resume       bool
}

func (o *checkOptions) define(f *pflag.FlagSet) {
	o.rules.define(f, defaultPacks)
	o.selected.define(f, "ask only these rules:")
	o.accept.define(f, "list findings", "count, and do not list,")
	o.accept.defineWrite(f)
	o.result.define(f, append(report.FormatNames(), report.Parquet)...)
	failFlag(f, &o.failOn, "findings")
	o.list.define(f)
	f.BoolVar(&o.deleted, "deleted", false, "also show what a value was before it was deleted, if the hive still holds that")
	f.BoolVar(&o.regback, "regback", false, "also check the backups of hives that Windows made in RegBack or repair, of an earlier time")
	f.BoolVar(&o.vss, "vss", false, "also check the shadow copies in images, of an earlier time")
	f.BoolVar(&o.allInstalls, "all-installs", false, "let findings of a former Windows, in Windows.old, count for the exit status")
	shardFlag(f, &o.shard, "check", "machines")
	f.BoolVar(&o.resume, "resume", false, "go on with a run that was interrupted: with -f jsonl and -o FILE, FILE.partial holds which machines it has done")
	o.input.define(f)
	o.input.defineVersion(f)
}

// run checks the inputs. It loads the rules and creates the outputs before it reads any input, so that their errors come first. Each group of
// inputs is released once it was evaluated. A format that allows it is written while the inputs are read.
func (o *checkOptions) run(s *session, args []string) {
	outputs := o.result.choose(s)
	c := o.load(s, args)
	if outputs == nil || c == nil {
		return
	}
	s.files.Shadows, s.files.Share = o.vss, o.shard.value
	inputs := asked(s, earlier(o.regback, o.vss), "check", groups(s, args, o.joins()))
	if s.failed() {
		return
	}
	if !c.accepted.apart(outputs) {
		return
	}
	r := c.report // to which inputs are added, while others are judged
	r.Share, r.Containers, r.PassedOver, r.LeftOut = o.shard.value, s.containers, s.passedOver, s.leftOut
	if !o.vss {
		r.Shadows = s.shadows()
	}
	if c.lists() {
		r.Inventory = report.NewInventory(r.Rules, memoryForLines)
		defer r.Inventory.Close()
	}
	sinks, streams, part := o.begin(s, outputs, r)
	if sinks == nil {
		return
	}
	inputs = slices.DeleteFunc(inputs, func(g collection.Group) bool { return part.Holds(g.Files[0].Path) })
	c.report.Inventory, c.listed = r.Inventory, o.list.all || slices.ContainsFunc(sinks, func(k *sink) bool { return report.ListsPasses(k.format) })
	take := func(in report.Input) {
		for _, to := range streams {
			to.Input(in)
		}
		if len(streams) < len(sinks) {
			r.Inputs = append(r.Inputs, in)
		}
	}
	c.check(s, inputs, batch{live: o.result.live()}, take, func(name string, status, turn int, refused []hive.Problem) {
		for _, to := range streams {
			to.Done(name, status, turn, refused)
		}
	})
	if config := c.accepted.flaws(); config != nil && o.shard.value.Takes(0) {
		s.raise(c.status(*config))
		take(*config)
	}
	c.accepted.finish()
	if r.Inventory != nil && r.Inventory.Err() != nil {
		s.fail(statusUsage, "what is listed cannot be sorted in a temporary file: %v; TMPDIR can name another folder for it", r.Inventory.Err())
	}
	r.Refused = s.unread()
	for _, k := range sinks {
		if to := streams[k]; to != nil {
			k.end(to.Close(s.lost))
		} else {
			k.end(report.Write(k, k.format, r, k.style))
		}
	}
}

// checking is a run of check: what its options and the config decide.
type checking struct {
	*checkOptions
	accepted *accepted
	report   report.Report // without inputs
	listed   bool          // passes are findings, and not only counted
}

// load loads what decides about the answers. If something is wrong, it writes what and returns nil.
func (o *checkOptions) load(s *session, args []string) *checking {
	accepted := o.accept.load(s, &o.rules, &o.selected, args)
	if accepted == nil {
		return nil
	}
	accepted.windows(&o.input)
	s.files.Protect(o.input.logs...)
	r := report.Report{Version: version(), Run: s.runOf(accepted.packs, accepted.asked), Rules: accepted.asked, All: o.list.all, FailOn: accepted.failOn(&o.failOn), AllInstalls: o.allInstalls,
		Choices: accepted.choices(), Quiet: o.list.quiet, Statistics: o.list.statistics, Deleted: o.deleted}
	if accepted.pick.restricts() {
		r.Unselected = o.rules.known - len(accepted.asked)
	} else {
		r.More = o.rules.known - len(rules.Distinct(accepted.loaded, nil))
	}
	return &checking{checkOptions: o, accepted: accepted, report: r, listed: o.list.all}
}

// joins reports whether the hives of a machine are read as one registry.
func (o *checkOptions) joins() bool { return o.input.mount.value == nil }

// lists reports whether there is something to list at the end that inventories find.
func (c *checking) lists() bool { return c.list.all && len(rules.Inventories(c.report.Rules)) > 0 }

// status returns what the findings about an input make of the exit status.
func (c *checking) status(in report.Input) int {
	if slices.ContainsFunc(in.Findings, func(f rules.Finding) bool { return c.report.Counts(in, f) }) {
		return statusFindings
	}
	return statusDone
}

// check judges groups of inputs. It calls take for each input, and done at the end of each group with the name of its first file, what it makes of the
// exit status, its turn, and what of it could not be read at all.
func (c *checking) check(s *session, groups []collection.Group, how batch, take func(report.Input), done func(name string, status, turn int, refused []hive.Problem)) {
	judge := func(s *session, together collection.Joined) []report.Input {
		return c.judge(s, together, c.report, c.listed)
	}
	each(s, groups, &c.input, c.input.options(true), how, judge, func(a groupResult[report.Input]) {
		for _, in := range a.results {
			c.accepted.judge(&in)
			a.status = max(a.status, c.status(in))
			take(in)
		}
		s.raise(a.status)
		done(a.group.Files[0].Path, a.status, a.group.Turn, a.refused)
	})
}

// stream is a report that is written as the inputs are read.
type stream interface {
	Input(report.Input)
	Done(name string, status, turn int, refused []hive.Problem) // ends a group of inputs
	Close(refused []hive.Problem) error
}

// begin opens the outputs, and begins those that are written as the inputs are read; the others wait for the end. Of a share, FILE.partial holds what is
// done. With --resume, begin returns what of it that is already. If an output cannot be begun, begin writes why and returns nil.
func (o *checkOptions) begin(s *session, outputs []output, r report.Report) (sinks []*sink, streams map[*sink]stream, part report.Part) {
	isFile := func(k output) bool { return k.format == "jsonl" && k.file != "" }
	switch {
	case !o.resume:
	case len(outputs) != 1 || !isFile(outputs[0]):
		s.fail(statusUsage, "--resume goes on with a file of JSON lines, and nothing else; give -f jsonl -o FILE, and no other output")
	case o.accept.write:
		s.fail(statusUsage, "--write-baseline records the findings of a whole run, and --resume makes only the rest of one; leave out one of them")
	case r.Inventory != nil:
		s.fail(statusUsage, "what inventories list is sorted at the end of a run, and --resume makes only the rest of one; leave out --all, or the rules that only list")
	}
	if s.failed() {
		return nil, nil, part
	}
	streams = map[*sink]stream{}
	for _, out := range outputs {
		var k *sink
		if isFile(out) && (o.resume || o.shard.text != "") {
			k, part = s.grow(out, o.resume, r)
		} else {
			k = s.begin(out)
		}
		switch {
		case k == nil:
			for _, begun := range sinks {
				begun.discard()
			}
			return nil, nil, part
		case part.Size > 0:
			streams[k] = report.ResumeLines(k, r, part)
		case k.format == "jsonl":
			streams[k] = report.NewLines(k, r)
		case k.format == report.Parquet:
			streams[k] = report.NewTables(k.drafts[0], k.drafts[1], r)
		}
		sinks = append(sinks, k)
	}
	return sinks, streams, part
}

// judge evaluates the rules of a report on the inputs of one registry. Each finding is reported with the input that holds its key. Passes are only counted
// unless they are to be listed.
func (o *checkOptions) judge(s *session, together collection.Joined, r report.Report, listed bool) []report.Input {
	asksPorts := slices.ContainsFunc(r.Rules, func(rule *rules.Rule) bool { return rule.Pack == ports.Pack })
	findings := map[*collection.Opened][]rules.Finding{}
	counted := map[*collection.Opened]map[report.Answer]int{}
	asked := map[*collection.Opened]bool{}
	pass := func(rule *rules.Rule, real hive.Path) {
		in := together.Holder(real)
		if counted[in] == nil {
			counted[in] = map[report.Answer]int{}
		}
		counted[in][report.Answer{Rule: rule}]++
		asked[in] = asked[in] || together.Covers(real)
	}
	if listed {
		pass = nil
	}
	describe(s, together[0], o.input.windows.value)
	for _, in := range together[1:] {
		if in.SameAs == "" {
			in.Describe(o.input.windows.value)
		}
	}
	for _, f := range rules.Answers(together[0].Registry, together[0].Windows, r.Rules, pass) {
		in := together.Holder(f.RealKey)
		findings[in] = append(findings[in], f)
		asked[in] = asked[in] || together.Covers(f.RealKey)
	}
	listing := o.survey(s, together, r)
	var all []report.Input
	for _, in := range together {
		if in.SameAs != "" {
			all = append(all, report.Input{Input: s.facts(in)})
			continue
		}
		out := report.Input{Findings: findings[in], Counted: counted[in], Listed: listing.count[in], Unasked: !asked[in] && !listing.asked[in]}
		if asksPorts && together.HoldsSystem(in) {
			out.Ports = ports.Ephemeral(in.Registry, in.Windows)
		}
		if o.deleted && in.Hive != nil {
			out.Findings = rules.AddHistory(out.Findings, in.Mount, listing.deleted(in))
		}
		out.Input = s.facts(in)
		out.AddCaveats()
		all = append(all, out)
	}
	return all
}

// evaluate describes an input and evaluates the rules on its registry.
func evaluate(s *session, in *collection.Opened, windows *hive.Windows, active []*rules.Rule) []rules.Finding {
	describe(s, in, windows)
	return rules.Evaluate(in.Registry, in.Windows, active)
}

// describe describes an input. It writes a message if it is unknown which hive the input is.
func describe(s *session, in *collection.Opened, windows *hive.Windows) {
	in.Describe(windows)
	if in.Format == "regf" && in.Mount == nil && in.NotJoined == "" {
		s.say("%s: neither keys nor name show which hive this is, so no rule can be answered; if Windows mounts it at a fixed path, give that with --mount", in.Name())
		// The reason may be damage. Reading all of it reports that.
		for _, k := range in.Root.Walk() {
			k.Values()
		}
	}
}
