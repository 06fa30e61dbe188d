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
	Version string        // of regvet
	Rules   []*rules.Rule // those that were asked
	All     bool          // what is no failure is to be listed too, not only counted
	Inputs  []Input
	Refused []hive.Problem // inputs of which nothing could be read, one problem for each
}

// Input is one input: what is known about it, and what the rules say about it.
type Input struct {
	collection.Input
	Ports    []ports.Answer // the ephemeral ports, where they were asked for and the input tells of them
	Findings []rules.Finding
}

// holds names what holds the place of a finding: the input, or the machine when none of its hives holds the place.
func (in Input) holds(f rules.Finding) string {
	if in.Machine != nil && !f.RealKey.HasPrefix(in.Mount) {
		return in.Machine.Name
	}
	return in.Path
}

// Count is how many findings there are of each status and, for failures, of each severity. Those of rules that do not apply are counted
// by themselves: unknown is what was asked and could not be told.
type Count struct {
	Pass, Fail, Unknown, NotApplicable int
	Severity                           map[rules.Severity]int
}

// Count counts the findings of all inputs.
func (r Report) Count() Count {
	c := Count{Severity: map[rules.Severity]int{}}
	for _, in := range r.Inputs {
		c.add(in)
	}
	return c
}

func (c *Count) add(in Input) {
	for _, f := range in.Findings {
		switch {
		case f.Status == rules.Pass:
			c.Pass++
		case f.Status == rules.Fail:
			c.Fail++
			c.Severity[f.Severity]++
		case f.Applies():
			c.Unknown++
		default:
			c.NotApplicable++
		}
	}
}

// answerWords name for people what is no failure.
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

// timestamp writes a time as evidence is written: UTC, to the 100 ns that Windows keeps.
func timestamp(t time.Time) string { return t.UTC().Format(timeLayout) }

const timeLayout = "2006-01-02T15:04:05.0000000Z" // with the resolution of a FILETIME

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
