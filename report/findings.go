package report

import (
	"iter"

	"regvet/hive/collection"
	"regvet/rules"
)

// Answer is an answer of a rule about an input that is no finding of a report, but counted.
type Answer struct {
	Rule   *rules.Rule
	Reason rules.Reason // "" for a pass, and why it is unknown for any other
}

// all returns the findings of an input, each with what [Input.finding] takes for it. They are in memory, or in the lines that were read.
func (in Input) all() iter.Seq2[int64, rules.Finding] {
	if in.stored != nil {
		return in.stored.all()
	}
	return func(yield func(int64, rules.Finding) bool) {
		for i, f := range in.Findings {
			if !yield(int64(i), f) {
				return
			}
		}
	}
}

// finding returns one of the findings of an input.
func (in Input) finding(at int64) rules.Finding {
	if in.stored != nil {
		return in.stored.finding(at)
	}
	return in.Findings[at]
}

// counted returns [Input.Counted] and [Input.Lacking], in memory or from the line that was read.
func (in Input) counted() (map[Answer]int, map[string]int) {
	if in.stored != nil {
		return in.stored.counted()
	}
	return in.Counted, in.Lacking
}

// digest is what a report says of its inputs and findings together, for which it goes through all of them once.
type digest struct {
	tally      tally
	rules      []*rules.Rule // those that ran, and then those that only findings are of
	fleet      *fleet
	statistics statistics
	unknown    map[rules.Reason]int // the answers about inputs that a rule is about
	lacking    map[string]int       // of those that are not covered, by the hive that would hold the key
	lists      []bool               // of each input, whether a finding of it is listed
	units      []unit
	machines   int
}

// digested returns a report that makes its digest only once. Nothing in it may change from then on.
func (r Report) digested() Report {
	if r.made == nil {
		r.made = new(*digest)
	}
	return r
}

// digest returns the digest of a report.
func (r Report) digest() *digest {
	if r.made == nil {
		return r.newDigest()
	}
	if *r.made == nil {
		*r.made = r.newDigest()
	}
	return *r.made
}

func (r Report) newDigest() *digest {
	d := &digest{statistics: statistics{}, fleet: newFleet(r), unknown: map[rules.Reason]int{}, lacking: map[string]int{}, lists: make([]bool, len(r.Inputs))}
	known := map[*rules.Rule]bool{}
	rule := func(one *rules.Rule) {
		if !known[one] {
			known[one] = true
			d.rules = append(d.rules, one)
		}
	}
	for _, one := range r.Rules {
		rule(one)
	}
	var last *collection.Machine
	for i, in := range r.Inputs {
		if n := len(d.units) - 1; n >= 0 && in.Machine != nil && r.Inputs[i-1].Machine == in.Machine {
			d.units[n].to++
		} else {
			d.units = append(d.units, unit{i, i + 1})
		}
		if in.isMachine() && (in.Machine == nil || last != in.Machine) {
			d.machines++
		}
		last = in.Machine
		counted, lacking := in.counted()
		d.tally.addInput(in, counted)
		d.fleet.addInput(in, counted)
		for _, f := range in.all() {
			rule(f.Rule)
			d.tally.addOf(in, f)
			d.fleet.add(in, f)
			d.lists[i] = d.lists[i] || r.lists(f)
			if f.Status == rules.Fail && f.Waived == nil {
				d.statistics.add(in.Path, f.Rule.ID, f.Rule.Title, int(f.Severity), f.Severity.String())
			}
			if f.Status == rules.Unknown && !in.Unasked {
				d.unknown[f.Reason]++
				if f.Reason == rules.NotCovered {
					d.lacking[hiveOf(f.Key)]++
				}
			}
		}
		if in.Unasked {
			continue
		}
		for a, n := range counted {
			if a.Reason != "" {
				d.unknown[a.Reason] += n
			}
		}
		for name, n := range lacking {
			d.lacking[name] += n
		}
	}
	return d
}
