// Package report writes what was found: text for people, JSON for programs, and the keys of a registry as lines of JSON.
//
// A [Report] is complete before any of it is written, and writing changes nothing in it, so each format says the same.
package report

import (
	"time"

	"regvet/hive"
	"regvet/rules"
)

// Report is the result of a run over some inputs.
type Report struct {
	Version string        // of regvet
	Rules   []*rules.Rule // those that were asked
	All     bool          // what is no failure is to be listed too, not only counted
	Inputs  []Input
	Refused []hive.Problem // inputs of which nothing could be read, one problem for each
}

// Input is one input: what it is, what is wrong with it, and what the rules say of it.
type Input struct {
	Path    string   // as the user named it
	Machine *Machine // of which it is one of several hives; nil for an input by itself
	Format  string   // "regf" for a hive, "reg" for .reg text
	SHA256  string   // of the file, in hex
	MD5     string   // likewise, for those whose case files still ask for it; "" when it was not computed
	Size    int64    // bytes

	Mount       hive.Path // where Windows mounts the hive; nil when that is not known, and for .reg text
	MountBy     string    // how that is known
	ControlSets []hive.ControlSet
	OtherSets   []string         // the control sets that are there besides, where they were asked for
	Selections  []hive.Selection // the numbers in the key Select
	Host        string
	Windows     hive.Windows
	TimeZone    string
	Shutdown    time.Time // the last orderly one, UTC; zero when it is not known

	Header   *hive.Header  // of a hive
	Dirty    bool          // of a hive: it was being written when it was copied
	Logs     []string      // its logs: those that lie beside it, or were named
	LogUse   []hive.LogUse // what became of them, if it is dirty
	Text     string        // of .reg text: its version and encoding
	Edits    int           // of .reg text: how many edits it holds
	Problems []hive.Problem
	Keys     int // how many it holds, where they were counted
	Values   int // likewise

	Ports    []rules.Ports // the ephemeral ports, where they were asked for and the input tells of them
	Findings []rules.Finding
}

// Machine is one computer of which several hives are read as one registry. Its inputs stand one after the other.
type Machine struct {
	Name  string // the folder in which they were found
	Hives int    // how many they are
}

// holds names what holds the place of a finding: the input, or the machine when none of its hives holds the place.
func (in Input) holds(f rules.Finding) string {
	if in.Machine != nil && !f.RealKey.HasPrefix(in.Mount) {
		return in.Machine.Name
	}
	return in.Path
}

// tally counts findings by status and, for failures, by severity. Those of rules that do not apply are counted by themselves: unknown is what
// was asked and could not be told.
type tally struct {
	fails                        [rules.Critical + 1]int // by severity
	pass, unknown, notApplicable int
}

// tally counts the findings of all inputs.
func (r Report) tally() (t tally) {
	for _, in := range r.Inputs {
		t.addAll(in)
	}
	return t
}

func (t *tally) addAll(in Input) {
	for _, f := range in.Findings {
		t.add(f)
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

// answerWords name for people what is no failure.
func answerWords(status rules.Status, reason rules.Reason) string {
	if reason == rules.NotApplicable {
		return "not applicable"
	}
	return string(status)
}

// applied names the logs that were applied to a dirty hive.
func (in Input) applied() []string {
	names := []string{}
	for _, u := range in.LogUse {
		if u.Entries > 0 {
			names = append(names, u.Name)
		}
	}
	return names
}

// logUse tells what became of each log of an input.
func (in Input) logUse() []hive.LogUse {
	if len(in.LogUse) > 0 {
		return in.LogUse
	}
	var uses []hive.LogUse
	for _, name := range in.Logs {
		u := hive.LogUse{Name: name, Why: "is not needed: the hive is clean"}
		if in.Dirty {
			u.Why = "was left out by --no-logs"
		}
		uses = append(uses, u)
	}
	return uses
}

// listed gives the findings of an input that are to be shown.
func (r Report) listed(in Input) []rules.Finding {
	if r.All {
		return in.Findings
	}
	var fails []rules.Finding
	for _, f := range in.Findings {
		if f.Status == rules.Fail {
			fails = append(fails, f)
		}
	}
	return fails
}

// machines is how many computers the inputs are of: the hives of one machine are one, and an input by itself is another.
func (r Report) machines() (n int) {
	for i, in := range r.Inputs {
		if in.Machine == nil || i == 0 || r.Inputs[i-1].Machine != in.Machine {
			n++
		}
	}
	return n
}

func timestamp(t time.Time) string { return t.UTC().Format(hive.TimeLayout) }
