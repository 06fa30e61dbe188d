package cli

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/accept"
	"regvet/rules/lint"
	"regvet/rules/strict"
)

// acceptFlags say which answers of rules a command leaves out, for check, fix and apply.
type acceptFlags struct {
	configFlags
	baselineFlags
	ignored  selection
	severity choice
}

// define defines the flags. The usage of --severity and of --baseline begins with what the command does with findings.
func (o *acceptFlags) define(f *pflag.FlagSet, from, leaves string) {
	o.ignored.defineAs(f, "ignore", "do not ask these `RULES`, each an ID, START*, "+accept.ByLevel+"NAME or "+accept.ByTag+"NAME (repeatable)")
	choose(f, &o.severity, "severity", "", "", from+" of at least this `SEVERITY`: %s", severityWords()...)
	o.baselineFlags.define(f, leaves)
	o.configFlags.define(f, "waivers and settings", "the working directory")
}

// accepted is what flags and config decide about the answers of rules. Any number of goroutines may ask it.
type accepted struct {
	*baselines
	mu      sync.Mutex // of what is counted: uses of waivers, and of the baseline
	scope   *scope
	packs   []*rules.Pack // the chosen ones
	loaded  []*rules.Rule // those of the chosen packs, or of all where rules are selected
	asked   []*rules.Rule // those of them that are selected and not ignored, without those that others cover
	only    []string      // the words of the config for the rules to ask; none for all
	off     []string      // the IDs of the rules that the config ignores
	least   rules.Severity
	known   *knownFile
	waivers []*usedWaiver
	today   time.Time

	pick, ignore selection       // of flags and config
	anyPack      bool            // no pack is chosen, but rules are
	partial      map[string]bool // the places of which something could not be read
}

// usedWaiver is a waiver, and how many findings it waived.
type usedWaiver struct {
	*accept.Waiver
	holds bool
	uses  int
}

// load returns what the flags and the config decide. The config is that of the working directory, and never one among the inputs: what is evidence
// does not say what is wrong with it. If something is wrong, load writes what and returns nil.
func (o *acceptFlags) load(s *session, of *ruleFlags, selected *selection, inputs []string) *accepted {
	o.baselineFlags.understand(s)
	c := newConfigs(s, &o.configFlags)
	if c == nil || s.failed() {
		return nil
	}
	c.skips = func(file string) bool { return c.isInside(file, inputs) }
	a := &accepted{baselines: &baselines{c, &o.baselineFlags, accept.Rules, map[string]*knownFile{}}, today: now(), partial: map[string]bool{}}
	a.scope = c.scopeOf(c.home)
	if c.broken {
		return nil
	}
	config := a.scope.config.Check
	a.pick, a.ignore = *selected, o.ignored
	if !selected.restricts() {
		a.pick.words = namesOf(config.Select)
		a.ignore.words = slices.Concat(o.ignored.words, namesOf(config.Ignore))
	}
	if a.anyPack = a.pick.restricts() && len(config.Packs)+len(of.packs) == 0; a.anyPack {
		of.defaultToAll() // an ID names a rule without its pack
	}
	packs, ok := c.packs(a.scope, of, config.Packs, config.Rules)
	if !ok || c.broken {
		return nil
	}
	all, err := rules.Rules(packs...)
	if err != nil {
		s.mistakes(err)
		return nil
	}
	a.packs, a.loaded = packs, all
	a.check(of, selected, &o.ignored)
	a.choose(selected)
	a.known = a.of(a.scope, config.Baseline)
	least := o.severity.value
	if least == "" {
		least = config.Severity
	}
	a.least, _ = rules.ParseSeverity(least)
	for _, w := range config.Waivers {
		a.waivers = append(a.waivers, &usedWaiver{Waiver: w, holds: w.Holds(a.today)})
	}
	if c.broken || s.failed() {
		return nil
	}
	return a
}

// isFolder reports whether a path leads to a folder.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// isInside reports whether a file is in a folder that is an input, and says so.
func (c *configs) isInside(file string, inputs []string) bool {
	real, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return false
	}
	for _, input := range inputs {
		folder, err := filepath.Abs(input)
		if err == nil {
			folder, err = filepath.EvalSymlinks(folder)
		}
		if err != nil || !isFolder(folder) {
			continue
		}
		if rel, err := filepath.Rel(folder, real); err == nil && filepath.IsLocal(rel) {
			c.say("%s is in the input %s, and what is evidence does not say how it is judged, so it is not read; if it is yours, name it with --config", c.shown(file), collection.DisplayName(input))
			return true
		}
	}
	return false
}

// namesOf returns the names of references.
func namesOf(all []strict.Reference) (names []string) {
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names
}

// check writes which words of flags and config stand for no rule. Those of --select are for the rules that are loaded, all others for any rule.
func (a *accepted) check(of *ruleFlags, selected, ignored *selection) {
	selected.check(a.session, a.loaded)
	var every []*rules.Rule
	exists := func(word accept.Word) bool {
		if slices.ContainsFunc(a.loaded, word.Picks) {
			return true
		}
		if every == nil {
			every = a.every(*of)
		}
		return slices.ContainsFunc(every, word.Picks)
	}
	for _, word := range ignored.words {
		if word := accept.Word(word); !exists(word) && !slices.ContainsFunc(rules.OwnRules(), word.Picks) {
			a.fail(statusUsage, "--%s: %s; \"regvet rules list\" lists them", ignored.flag, noSuch(word, every))
		}
	}
	config := a.scope.config.Check
	for _, r := range slices.Concat(config.Select, config.Ignore) {
		if word := accept.Word(r.Name); !exists(word) && !slices.ContainsFunc(rules.OwnRules(), word.Picks) {
			a.wrong(a.scope, r, "%s", noSuch(word, every))
		}
	}
	for _, w := range config.Waivers {
		if !exists(w.Rule) {
			a.wrong(a.scope, strict.Reference{Name: string(w.Rule), At: w.RuleAt}, "%s", noSuch(w.Rule, every))
		}
	}
}

// choose chooses the rules to ask. A rule that is ignored is so for all that it covers: to ignore one never makes another one ask the same.
func (a *accepted) choose(selected *selection) {
	all := slices.DeleteFunc(slices.Clone(a.loaded), func(r *rules.Rule) bool { return !a.pick.picks(r) })
	for _, r := range rules.Distinct(all, selected.names) {
		if !a.ignore.has(r) {
			a.asked = append(a.asked, r)
		}
	}
	if selected.restricts() {
		return
	}
	config := a.scope.config.Check
	a.only = namesOf(config.Select)
	left := selection{words: namesOf(config.Ignore)}
	for _, r := range rules.Distinct(all, nil) {
		if left.has(r) {
			a.off = append(a.off, r.ID)
		}
	}
}

// picks reports whether the answers of a rule are wanted.
func (a *accepted) picks(r *rules.Rule) bool { return a.pick.picks(r) && !a.ignore.has(r) }

// windows makes the Windows of the config that of the inputs, unless a flag names one.
func (a *accepted) windows(of *inputFlags) {
	if of.windows.value == nil {
		of.windows.value = a.scope.config.Check.Windows
	}
}

// failOn returns the lowest severity that counts for the exit status: that of the flag if it is given, else that of the config.
func (a *accepted) failOn(flag *choice) rules.Severity {
	if config := a.scope.config.Check.FailOn; config != "" && !a.baselineFlags.flags.Changed(flag.flag) {
		flag.value = config
	}
	return flag.least()
}

// waive sets why findings on a host are accepted.
func (a *accepted) waive(findings []rules.Finding, host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range findings {
		f := &findings[i]
		for _, w := range a.waivers {
			if w.Covers(*f, host) {
				w.uses++
				if w.holds && f.Waived == nil {
					f.Waived = &w.Waiver.Waiver
				}
			}
		}
	}
}

// sayFlaws says which waivers waive nothing, for a command that has no findings about them.
func (a *accepted) sayFlaws() {
	for _, w := range a.waivers {
		for _, f := range w.Flaws(a.today) {
			a.say("%v", &hive.Problem{Source: a.scope.file, At: w.At, Kind: lint.BadConfig, Msg: f.Message})
		}
	}
}

// isKnown reports whether a finding of an input is in the baseline.
func (a *accepted) isKnown(in collection.Input, f rules.Finding) bool {
	return a.known != nil && !a.write && f.Status == rules.Fail && f.Waived == nil && a.meet(in, f)
}

// meet reports whether the baseline has a finding of an input. One of a machine may have been recorded when this was its only hive.
func (a *accepted) meet(in collection.Input, f rules.Finding) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	print := f.Fingerprint()
	return a.known.Meet(a.known.place(placeOf(in)), print) || in.Machine != nil && a.known.Meet(a.known.place(in.Path), print)
}

// placeOf returns what a baseline calls an input: the machine whose registry it is a part of, or itself.
func placeOf(in collection.Input) string {
	if in.Machine != nil {
		return in.Machine.Name
	}
	return in.Path
}

// judge waives findings of an input, and takes those out of it that are in the baseline; with --write-baseline, it records them there first.
func (a *accepted) judge(in *report.Input) {
	a.waive(in.Findings, in.Host)
	k := a.known
	if k == nil {
		return
	}
	place := k.place(placeOf(in.Input))
	k.seen[place] = true
	if slices.ContainsFunc(in.Problems, func(p hive.Problem) bool { return p.Loss }) {
		a.partial[place] = true
	}
	in.Findings = slices.DeleteFunc(in.Findings, func(f rules.Finding) bool {
		if f.Status != rules.Fail {
			if f.Status == rules.Unknown {
				k.Meet(place, f.Fingerprint()) // it may still be there
			}
			return false
		}
		if f.Waived != nil {
			return false
		}
		if a.write && !a.meet(in.Input, f) {
			k.Record(place, f.Rule.ID, f.Fingerprint(), f.Message)
		}
		known := a.meet(in.Input, f)
		if known {
			in.Known++
		}
		return known
	})
	if a.write {
		k.taken += in.Known
	}
}

// finish says which waivers waived nothing, and ends the baseline. What a place is known to have lacked only because it could not be read stays in it.
func (a *accepted) finish() {
	for _, w := range a.waivers {
		if w.uses == 0 && slices.ContainsFunc(a.asked, w.Rule.Picks) {
			a.say("%v", &hive.Problem{Source: a.scope.file, At: w.At, Kind: lint.BadConfig, Msg: "the waiver for " + w.String() + " matches no finding here; remove it if that is so everywhere"})
		}
	}
	k := a.known
	if k == nil {
		return
	}
	for place := range k.seen {
		if a.partial[place] {
			continue
		}
		ran := func(id string) bool {
			return slices.ContainsFunc(a.asked, func(r *rules.Rule) bool { return r.ID == id })
		}
		if a.write {
			k.Forget(place, ran)
		} else {
			k.gone += k.Gone(place, ran)
		}
	}
	a.endAll()
}

// flaws returns the config as an input with the findings about its waivers, or nil if there are none.
func (a *accepted) flaws() *report.Input {
	in := report.Input{Input: collection.Input{Path: a.scope.file, Format: report.ConfigFormat, Size: a.scope.size, SHA256: a.scope.sha256}}
	for _, w := range a.waivers {
		for _, f := range w.Flaws(a.today) {
			if !a.ignore.has(f.Rule) {
				in.Findings = append(in.Findings, f)
			}
		}
	}
	if in.Findings == nil {
		return nil
	}
	return &in
}

// choices returns for the report what config and baseline leave out.
func (a *accepted) choices() report.Choices {
	c := report.Choices{Config: a.scope.file, Only: a.only, Off: a.off, Least: a.least}
	if a.known != nil {
		c.Baseline = a.known.name
	}
	return c
}
