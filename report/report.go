// Package report writes what was found: text for people, JSON for programs, and the keys of a registry as lines of JSON.
//
// A [Report] is complete before any of it is written, and writing changes nothing in it, so each format says the same.
package report

import (
	"slices"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/ports"
)

// Report is the result of a run over some inputs.
type Report struct {
	Version string         // of regvet
	Rules   []*rules.Rule  // the rules that ran
	More    int            // how many more would run with all packs
	All     bool           // list what did not fail, too, instead of only counting it
	FailOn  rules.Severity // findings below it do not count as failures of the run

	AllInstalls bool // findings of a former Windows count, too
	Inputs      []Input
	Refused     []hive.Problem // inputs that could not be read at all, one problem for each

	Inventory *Inventory // what the inventories among the rules list; nil if it is only counted, or if there is none

	Containers []*collection.Container // images and archives that were opened, for [InfoText] and [InfoJSON]
}

// Input is one input: what is known about it, and the findings about it.
type Input struct {
	collection.Input
	Ports    []ports.Answer // the ephemeral ports, if asked for and known
	Findings []rules.Finding
	Passed   map[*rules.Rule]int // how many passes of each rule are not among the findings
	Listed   int                 // how much the inventories list of it
	Unasked  bool                // no rule is about it: each asks for what it does not cover
}

// Counts reports whether a finding about an input is a failure of the run: for the exit status, and for every format that knows failures.
func (r Report) Counts(in Input, f rules.Finding) bool {
	return f.Status == rules.Fail && f.Waived == nil && f.Severity >= r.FailOn && (r.AllInstalls || !in.Former)
}

// unasked returns for people that no rule is about the input, or "" if one is.
func (in Input) unasked() string {
	switch {
	case !in.Unasked:
		return ""
	case in.Format == "reg":
		return "no rule is about the keys of this file"
	case in.Mount == nil && in.NotJoined == "":
		return "no rule is about this hive, as far as its keys and name tell which it is"
	}
	return "no rule is about this hive"
}

// holds returns the path of the input that holds the place of a finding, or the name of the machine if none of its hives does.
func (in Input) holds(f rules.Finding) string {
	if in.Machine != nil && !f.RealKey.HasPrefix(in.Mount) {
		return in.Machine.Name
	}
	return in.Path
}

// more returns for people how many rules of packs that were not chosen there are, or "" for none.
func (r Report) more() string {
	if r.More == 0 {
		return ""
	}
	return plural(r.More, "more rule") + ": --pack all"
}

// tally counts findings by status and, for failures, by severity. Findings of rules that do not apply have a count of their own: unknown is
// what was asked and has no answer.
type tally struct {
	fails                        [rules.Critical + 1]int // by severity
	pass, unknown, notApplicable int
	unasked                      int // inputs that no rule is about
	undecided                    int // of the unknown
	former                       int // of the failures, those of a former Windows
	listed                       int // by inventories, which have no findings
}

// tally counts the findings of all inputs.
func (r Report) tally() (t tally) {
	for _, in := range r.Inputs {
		t.addAll(in)
	}
	return t
}

func (t *tally) addAll(in Input) {
	if in.Unasked {
		t.unasked++
	}
	t.listed += in.Listed
	for _, f := range in.Findings {
		t.add(f)
		if in.Former && f.Status == rules.Fail {
			t.former++
		}
	}
	for _, n := range in.Passed {
		t.pass += n
	}
}

func (t *tally) add(f rules.Finding) {
	switch {
	case f.Status == rules.Fail:
		t.fails[f.Severity]++
	case f.Status == rules.Pass:
		t.pass++
	case f.Applies():
		t.unknown++
		if f.Reason == rules.Undecided {
			t.undecided++
		}
	default:
		t.notApplicable++
	}
}

func (t tally) failed() (n int) {
	for _, fails := range t.fails {
		n += fails
	}
	return n
}

// answerWords returns for people the answer of a rule that did not fail.
func answerWords(status rules.Status, reason rules.Reason) string {
	if reason == rules.NotApplicable {
		return "not applicable"
	}
	return string(status)
}

// applied returns the names of the logs that were applied to a dirty hive.
func applied(in collection.Input) []string {
	names := []string{}
	for _, l := range in.Logs {
		if l.Entries > 0 {
			names = append(names, l.Name)
		}
	}
	return names
}

// AddCaveats notes with each finding what is in doubt about a dirty hive whose logs were not all applied: there may be a later answer.
func (in *Input) AddCaveats() {
	caveats := in.Caveats()
	if len(caveats) == 0 {
		return
	}
	for i, f := range in.Findings {
		if f.Reason != rules.NotCovered {
			in.Findings[i].Notes = append(slices.Clip(f.Notes), caveats...)
		}
	}
}

// listed returns the findings of an input that are to be shown.
func (r Report) listed(in Input) []rules.Finding {
	if r.All {
		return in.Findings
	}
	var shown []rules.Finding
	for _, f := range in.Findings {
		if f.Status == rules.Fail || open(f.Reason) {
			shown = append(shown, f)
		}
	}
	return shown
}

// open reports whether an answer is open because of what the reader can do something about: give what decides it, or look at what is hidden. It is
// shown with the failures, since it may be one. What is not covered, or damaged, is told of the input as a whole.
func open(reason rules.Reason) bool { return reason == rules.Undecided || reason == rules.Hidden }

// isMachine reports whether the input is of a machine, or may be a machine of its own: a backup of a hive is neither, nor is another copy of a file.
func (in Input) isMachine() bool { return in.NotJoined == "" && in.SameAs == "" }

// machines returns the number of computers: the hives of one machine count as one, and so does an input that belongs to none.
func (r Report) machines() (n int) {
	for i, in := range r.Inputs {
		if !in.isMachine() {
			continue
		}
		if in.Machine == nil || i == 0 || r.Inputs[i-1].Machine != in.Machine {
			n++
		}
	}
	return n
}

func timestamp(t time.Time) string { return t.UTC().Format(hive.TimeLayout) }
