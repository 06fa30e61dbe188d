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
	Rules   []*rules.Rule // the rules that ran
	All     bool          // list what did not fail, too, instead of only counting it
	Inputs  []Input
	Refused []hive.Problem // inputs that could not be read at all, one problem for each
}

// Input is one input: what it is, what is wrong with it, and the findings about it.
type Input struct {
	Path    string   // as the user named it
	Machine *Machine // the machine that this hive is a part of, or nil
	Format  string   // "regf" for a hive, "reg" for .reg text
	SHA256  string   // of the file, in hex
	MD5     string   // likewise, for case files that still require it; "" if not computed
	Size    int64    // bytes

	Mount       hive.Path // where Windows mounts the hive; nil if unknown, and for .reg text
	MountBy     string    // how that is known
	ControlSets []hive.ControlSet
	OtherSets   []string         // the other control sets, if asked for
	Selections  []hive.Selection // the numbers in the key Select
	Host        string
	Windows     hive.Windows
	TimeZone    string
	Shutdown    time.Time // the last orderly one, UTC; zero if unknown

	Header   *hive.Header  // of a hive
	Dirty    bool          // of a hive: it was being written when it was copied
	Logs     []string      // its logs: those beside it, or those named
	LogUse   []hive.LogUse // what was done with them, if it is dirty
	Text     string        // of .reg text: its version and encoding
	Edits    int           // of .reg text: how many edits it holds
	Problems []hive.Problem
	Keys     int // how many it holds, if counted
	Values   int // likewise

	Ports    []rules.Ports // the ephemeral ports, if asked for and known
	Findings []rules.Finding
}

// Machine is one computer, whose hives were read as one registry. Its inputs stand next to each other.
type Machine struct {
	Name  string // the folder of the hives
	Hives int    // how many
}

// holds returns the path of the input that holds the place of a finding, or the name of the machine if none of its hives does.
func (in Input) holds(f rules.Finding) string {
	if in.Machine != nil && !f.RealKey.HasPrefix(in.Mount) {
		return in.Machine.Name
	}
	return in.Path
}

// tally counts findings by status and, for failures, by severity. Findings of rules that do not apply have a count of their own: unknown is
// what was asked and has no answer.
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

// answerWords returns for people the answer of a rule that did not fail.
func answerWords(status rules.Status, reason rules.Reason) string {
	if reason == rules.NotApplicable {
		return "not applicable"
	}
	return string(status)
}

// applied returns the names of the logs that were applied to a dirty hive.
func (in Input) applied() []string {
	names := []string{}
	for _, u := range in.LogUse {
		if u.Entries > 0 {
			names = append(names, u.Name)
		}
	}
	return names
}

// logUse returns what was done with each log of an input.
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

// listed returns the findings of an input that are to be shown.
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

// machines returns the number of computers: the hives of one machine count as one, and so does an input that belongs to none.
func (r Report) machines() (n int) {
	for i, in := range r.Inputs {
		if in.Machine == nil || i == 0 || r.Inputs[i-1].Machine != in.Machine {
			n++
		}
	}
	return n
}

func timestamp(t time.Time) string { return t.UTC().Format(hive.TimeLayout) }
