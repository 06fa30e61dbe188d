package cli

import (
	"io"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

var historyCommand = command{
	name: "history", args: "INPUT [KEY [VALUE]]", short: "tell what a setting was in each state that the evidence holds: backups, logs, control sets, remnants",
	min: 1, max: 3, colours: true,
	example: `  regvet history SYSTEM 'HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' MaxUserPort
  regvet history --rule KB196271-MaxUserPort disk.E01
  regvet history --findings --format json /mnt/image
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(historyOptions)
		o.selected.defineAs(f, "rule", "tell the past of what these rules ask for, by their `IDS` (repeatable)")
		f.BoolVar(&o.findings, "findings", false, "tell the past of everything that fails a rule now")
		o.rules.define(f, defaultPacks)
		formatFlag(f, &o.format, "text", "json", "csv", "html")
		outputFlag(f, &o.output)
		noMarkFlag(f, &o.noMark)
		o.input.define(f)
		o.input.defineVersion(f)
		return o.run
	},
}

type historyOptions struct {
	selected selection
	findings bool
	rules    ruleFlags
	format   choice
	output   string
	noMark   bool
	input    inputFlags

	active []*rules.Rule // nil if a key was named
	key    hive.Path     // as the user named it
	value  *string       // nil for all values of the key
}

func (o *historyOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	if !o.asks(s, args) {
		return
	}
	s.files.Protect(o.input.logs...)
	s.files.Shadows = true
	all := groups(s, args[:1], o.input.mount.value == nil)
	if s.failed() {
		return
	}
	s.problemsOfContainers()
	open := o.input.options(false)
	open.Steps, open.Memory = true, memoryForInputs
	result := report.Past{Version: version(), Run: s.runOf(o.rules.loaded, o.active)}
	opened := false
	placed := map[string]bool{} // the files of an earlier time of which it is known what they are a state of
	for _, g := range all {
		if g.State() != "" {
			continue
		}
		earlier := g.Earlier(s.files, all)
		for _, state := range earlier {
			for _, f := range state.Files {
				placed[f.Path] = true
			}
		}
		joined, refused := g.Open(s.files, open)
		s.refuseAll(refused)
		for _, j := range joined {
			if j[0].SameAs != "" || !o.input.chooseControlSet(s, j) {
				continue
			}
			opened = true
			result.Settings = append(result.Settings, o.past(s, j, earlier)...)
		}
	}
	leftOut(s, all, placed)
	switch {
	case len(result.Settings) > 0:
	case opened && o.key != nil:
		s.fail(statusUsage, "%s: the input does not cover the key %s: it holds no key above it, or a symbolic link on the way leads out of it", collection.DisplayName(args[0]), o.key)
		return
	case opened && o.findings:
		s.say("%s: nothing fails a rule now, so that there is nothing to tell the past of", collection.DisplayName(args[0]))
	case opened:
		s.say("%s: the rules ask for nothing that the input holds", collection.DisplayName(args[0]))
	}
	if !opened {
		return
	}
	s.write(o.output, func(w io.Writer, style report.Style) error {
		switch o.format.value {
		case "json":
			return report.PastJSON(w, result)
		case "csv":
			style.NoMark = o.noMark
			return report.PastCSV(w, result, style)
		case "html":
			return report.PastHTML(w, result)
		}
		return report.PastText(w, result, style)
	})
}

// leftOut says which files of an earlier time are no part of the past that is told.
func leftOut(s *session, all []collection.Group, placed map[string]bool) {
	var left []collection.File
	for _, g := range all {
		for _, f := range g.Files {
			if f.State != "" && !placed[f.Path] {
				left = append(left, f)
			}
		}
	}
	switch n := len(left); n {
	case 0:
	case 1:
		s.say("%s is %s, and is left out, since it is not known which of the hives it was; name it to see what it holds", left[0].Path, left[0].NotJoined)
	default:
		s.say("%d files like %s, %s, are left out, since it is not known which of the hives they were; name one to see what it holds", n, left[0].Path, left[0].NotJoined)
	}
}

// asks finds out what is asked for. If that cannot be told, it writes why and returns false.
func (o *historyOptions) asks(s *session, args []string) bool {
	ways := 0
	for _, given := range []bool{len(args) > 1, o.selected.restricts(), o.findings} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		s.fail(statusUsage, "history needs to know of which setting; give a KEY, --rule ID or --findings")
		return false
	case ways > 1:
		s.fail(statusUsage, "a KEY, --rule and --findings exclude each other; give one of them")
		return false
	case len(args) == 1:
		var ok bool
		o.active, ok = o.selected.load(s, &o.rules)
		o.active = rules.Distinct(slices.DeleteFunc(o.active, func(r *rules.Rule) bool { return !o.selected.picks(r) }), o.selected.names)
		if lists := rules.Inventories(o.active); slices.ContainsFunc(lists, o.selected.names) {
			s.fail(statusUsage, "%s is an inventory, which gives no answers that could have a past; give a KEY in its place", lists[0].ID)
			return false
		}
		return ok
	}
	if err := slashed(args[1]); err != nil {
		s.fail(statusUsage, "%q names no key; %v", args[1], err)
		return false
	}
	if o.key = hive.ParsePath(args[1]); len(o.key) == 0 {
		s.fail(statusUsage, "%q names no key; want a path such as HKLM\\SYSTEM\\Select", args[1])
		return false
	}
	if len(args) > 2 {
		o.value = &args[2]
	}
	return true
}

// past tells the past of what is asked for, in inputs that are read together.
func (o *historyOptions) past(s *session, j collection.Joined, earlier []collection.Group) []report.Setting {
	p := &pastOf{historyOptions: o, session: s, now: j, tracks: map[string]*track{}, told: map[remnant]bool{}}
	if o.key == nil {
		p.seedRules()
	} else if !p.seedKey() {
		return nil
	}
	open := o.input.options(false)
	open.Logs, open.Mount = nil, nil // they are for the inputs as they are
	for m := range j.Moments(s.files, earlier, open, p.holds) {
		p.add(m)
	}
	for _, in := range j {
		s.facts(in)
	}
	return p.settings()
}
