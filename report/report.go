// Package report writes what was found: text for people, JSON for programs, and the keys of a registry as lines of JSON.
//
// A [Report] is complete before any of it is written, and writing changes nothing in it, so each format says the same.
//
// # What is stable
//
// [Report] with [Input], [LintReport] with [LintFile], [Write] and [WriteLint], and what is written: fields of JSON, whose types [Schema] returns,
// and columns of CSV are only added. The rest serves the command, and may change with it.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/ports"
)

// Report is the result of a run over some inputs.
type Report struct {
	Version string // of regvet
	Run     Run
	Rules   []*rules.Rule  // the rules that ran
	More    int            // how many more would run with all packs
	All     bool           // list what did not fail, too, instead of only counting it
	FailOn  rules.Severity // findings below it do not count as failures of the run

	AllInstalls bool // findings of a former Windows count, too
	Choices     Choices
	Quiet       bool // list no findings, in text and compact
	Statistics  bool // list how much each rule finds, likewise
	Inputs      []Input
	Refused     []hive.Problem // inputs that could not be read at all, one problem for each

	Unselected int              // how many rules a selection of rules leaves out
	PassedOver []string         // for people, what in a folder may hold or be a hive, and was not looked into
	LeftOut    []LeftOut        // what is of an earlier time, and was not asked for
	Share      collection.Share // of the machines, that the run was over; the zero Share for all
	Shadows    int              // the number of shadow copies in images that were not looked into
	Deleted    bool             // what was deleted was asked for

	Inventory *Inventory // what the inventories among the rules list; nil if it is only counted, or if there is none

	Containers []*collection.Container // images and archives that were opened

	recorded []jsonLineContainer // those of the lines that were read
	made     **digest            // see [Report.digested]
}

// Input is one input: what is known about it, and the findings about it.
type Input struct {
	collection.Input
	Ports    []ports.Answer // the ephemeral ports, if asked for and known
	Findings []rules.Finding
	Counted  map[Answer]int // how many answers are not among the findings
	Lacking  map[string]int // of those that are not covered, for each hive how many need it; see hiveOf
	Listed   int            // how much the inventories list of it
	Unasked  bool           // no rule is about it: each asks for what it does not cover
	Known    int            // how many findings about it are in the baseline, and not among the findings

	stored *stored // where the findings are if they are not in memory; see [Read]
}

// ConfigFormat is the format of an input that is the config, with findings about itself.
const ConfigFormat = "config"

// Choices are what a config and a baseline leave out of a report.
type Choices struct {
	Config   string         // the file; "" for none
	Only     []string       // the words for the rules that the config asks for; none for all
	Off      []string       // the IDs of the rules that it does not
	Baseline string         // the file; "" for none
	Least    rules.Severity // findings below it are only counted, except in the formats by which servers judge
}

// hides reports whether a finding is only counted.
func (c Choices) hides(f rules.Finding) bool { return f.Severity < c.Least }

// lines returns for people what was left out, of which the tally tells how much.
func (c Choices) lines(t tally) (lines []string) {
	if len(c.Only) > 0 {
		lines = append(lines, "config "+hive.Visible(c.Config)+": asks only "+hive.Visible(few(c.Only)))
	}
	if n := len(c.Off); n > 0 {
		lines = append(lines, "config "+hive.Visible(c.Config)+": "+plural(n, "rule")+" not asked: "+few(c.Off))
	}
	if t.known > 0 {
		lines = append(lines, fmt.Sprintf("baseline %s: %s in it, not listed", hive.Visible(c.Baseline), plural(t.known, "finding")))
	}
	if below := t.under(c.Least); below.failed() > 0 {
		lines = append(lines, "not listed: "+below.severities()+"; --severity info lists all")
	}
	return lines
}

// few returns words as a list, of which there may be many.
func few(words []string) string {
	if more := len(words) - mostListed; more > 0 {
		return strings.Join(words[:mostListed], ", ") + " and " + fmt.Sprint(more) + " more"
	}
	return strings.Join(words, ", ")
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
	case in.Format != "regf":
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

// summary returns for people the totals and what they do not count, one line each.
func (r Report) summary() []string {
	lines := []string{r.totals()}
	for _, line := range []string{r.listedText(), r.uncounted()} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return append(lines, r.Choices.lines(r.tally())...)
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
	waived                       int // of what failed, and in none of the other numbers
	known                        int // likewise, in the baseline
	listed                       int // by inventories, which have no findings
}

// tally counts the findings of all inputs.
func (r Report) tally() tally { return r.digest().tally }

// addAll counts an input with its findings.
func (t *tally) addAll(in Input) {
	counted, _ := in.counted()
	t.addInput(in, counted)
	for _, f := range in.all() {
		t.addOf(in, f)
	}
}

// addInput counts what is known of an input beside its findings: counted is [Input.Counted].
func (t *tally) addInput(in Input, counted map[Answer]int) {
	if in.Unasked {
		t.unasked++
	}
	t.known += in.Known
	t.listed += in.Listed
	for a, n := range counted {
		t.count(a.Reason, n)
	}
}

// addOf counts a finding of an input.
func (t *tally) addOf(in Input, f rules.Finding) {
	t.add(f)
	if in.Former && f.Status == rules.Fail && f.Waived == nil {
		t.former++
	}
}

// count counts answers that are no failures.
func (t *tally) count(reason rules.Reason, n int) {
	switch reason {
	case "":
		t.pass += n
	case rules.NotApplicable:
		t.notApplicable += n
	default:
		t.unknown += n
	}
}

func (t *tally) add(f rules.Finding) {
	switch {
	case f.Waived != nil:
		t.waived++
	case f.Status == rules.Fail:
		t.fails[f.Severity]++
	case f.Status == rules.Pass:
		t.pass++
	default:
		t.count(f.Reason, 1)
		if f.Reason == rules.Undecided {
			t.undecided++
		}
	}
}

func (t tally) failed() (n int) {
	for _, fails := range t.fails {
		n += fails
	}
	return n
}

// under returns the failures below a severity, and nothing else.
func (t tally) under(least rules.Severity) (below tally) {
	copy(below.fails[:least], t.fails[:least])
	return below
}

// severities returns how many failures there are of each severity, in words, or "" for none.
func (t tally) severities() string {
	var parts []string
	for s := rules.Critical; s >= rules.Info; s-- {
		if n := t.fails[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
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

// lists reports whether a finding is to be shown.
func (r Report) lists(f rules.Finding) bool { return !r.Choices.hides(f) && r.tells(f) }

// tells reports whether a finding is to be shown by those that hide nothing: the formats by which servers judge.
func (r Report) tells(f rules.Finding) bool { return r.All || f.Status == rules.Fail || open(f.Reason) }

// open reports whether an answer is open because of what the reader can do something about: give what decides it, or look at what is hidden. It is
// shown with the failures, since it may be one. What is not covered, or damaged, is told of the input as a whole.
func open(reason rules.Reason) bool { return reason == rules.Undecided || reason == rules.Hidden }

// isMachine reports whether the input is of a machine, or may be a machine of its own: a backup of a hive is neither, nor is another copy of a file.
func (in Input) isMachine() bool {
	return in.NotJoined == "" && in.SameAs == "" && in.Format != ConfigFormat
}

// machines returns the number of computers: the hives of one machine count as one, and so does an input that belongs to none.
func (r Report) machines() int { return r.digest().machines }

// unit is the inputs of one machine, or one input that is of none: Report.Inputs[from:to].
type unit struct{ from, to int }

// units returns what the inputs of the report belong to.
func (r Report) units() []unit { return r.digest().units }

// found returns the units that have a finding in an entry.
func (r Report) found(units []unit, entries []entry) (all []unit) {
	has := make([]bool, len(r.Inputs))
	for _, e := range entries {
		for _, at := range e.spots {
			has[at.input] = true
		}
	}
	for _, u := range units {
		if slices.Contains(has[u.from:u.to], true) {
			all = append(all, u)
		}
	}
	return all
}

// unlisted returns for people how many inputs have no findings and are not listed, or "" for none. An input of which not all could be read is not
// among them.
func (r Report) unlisted() string {
	if r.All || len(r.units()) == 1 {
		return ""
	}
	n, lists := 0, r.digest().lists
	for i, in := range r.Inputs {
		lost := slices.ContainsFunc(in.Problems, func(p hive.Problem) bool { return p.Loss })
		if in.SameAs == "" && !in.Unasked && !lost && !lists[i] {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return Count(n, "input has", "inputs have") + " no findings; --all lists " + map[bool]string{true: "it", false: "them"}[n == 1]
}

func timestamp(t time.Time) string { return t.UTC().Format(hive.TimeLayout) }
