package report

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// entry is one thing that was found, and everywhere that it was found: people read it once.
type entry struct {
	group
	spots []spot // in the order of the inputs
}

// spot names a finding of a report: the input by its index, and the finding by what [Input.finding] takes. It names the same result of a [sheet].
type spot struct {
	input   int
	finding int64
}

// group is what findings have in common that are one entry.
type group struct {
	part     part
	severity int    // worse is higher
	rule     string // ID
	reason   string
	message  string
	remedy   string
	accepted string // why it is waived or suppressed
}

// part is a part of a report that lists entries, in their order.
type part int

const (
	failures     part = iota + 1
	undecided         // what may be a failure: see open
	formerOnes        // both, of a former Windows, which Setup replaced
	withoutReply      // unknown for any other reason
	notForIt          // the rule does not apply
	passes
	accepted // failures that are waived or suppressed
)

// entries returns the findings that are to be listed, each kind of them once: by part, severity and rule, those in more places first.
func (r Report) entries() []entry {
	return gather(func(yield func(spot, group) bool) {
		for i, in := range r.Inputs {
			for j, f := range in.all() {
				if r.lists(f) && !yield(spot{i, j}, groupOf(in, f)) {
					return
				}
			}
		}
	})
}

// entries is [Report.entries] for the formats that are made from a sheet.
func (s sheet) entries() []entry {
	return gather(func(yield func(spot, group) bool) {
		for i, f := range s.files {
			for j, r := range f.all() {
				if s.lists(r) && !yield(spot{i, j}, r.group) {
					return
				}
			}
		}
	})
}

// gather makes entries of findings.
func gather(found iter.Seq2[spot, group]) (all []entry) {
	index := map[group]int{}
	for at, g := range found {
		i, ok := index[g]
		if !ok {
			i = len(all)
			index[g] = i
			all = append(all, entry{group: g})
		}
		all[i].spots = append(all[i].spots, at)
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(b.severity, a.severity), cmp.Compare(a.rule, b.rule), cmp.Compare(len(b.spots), len(a.spots)))
	})
	return all
}

// lintEntry is an entry of a lint that is to be listed, with its findings.
type lintEntry struct {
	group
	places []lintPlace
}

type lintPlace struct {
	file LintFile
	lint.Finding
}

// entries returns the findings that are to be listed one by one, in the order of [Report.entries].
func (r LintReport) entries() (all []lintEntry) {
	if r.Listing.Quiet {
		return nil
	}
	sorted := make([][]lint.Finding, len(r.Files))
	for _, e := range gather(func(yield func(spot, group) bool) {
		for i, file := range r.Files {
			sorted[i] = file.sorted()
			for j, f := range sorted[i] {
				if r.isListed(file, f) && !yield(spot{i, int64(j)}, lintGroupOf(f)) {
					return
				}
			}
		}
	}) {
		one := lintEntry{group: e.group}
		for _, at := range e.spots {
			one.places = append(one.places, lintPlace{r.Files[at.input], sorted[at.input][at.finding]})
		}
		all = append(all, one)
	}
	return all
}

// groupOf returns the group of a finding of a check.
func groupOf(in Input, f rules.Finding) group {
	g := group{part: partOf(in, f), severity: int(f.Severity), rule: f.Rule.ID, reason: string(f.Reason), message: hive.Printable(f.Message), remedy: f.Alternative}
	if f.Fixable() {
		g.remedy = f.Fix.String() + "\n" + g.remedy
	}
	if f.Waived != nil {
		g.accepted = hive.Printable(f.Waived.String())
	}
	return g
}

func partOf(in Input, f rules.Finding) part {
	switch {
	case f.Waived != nil:
		return accepted
	case f.Status == rules.Pass:
		return passes
	case !f.Applies():
		return notForIt
	case f.Status == rules.Unknown && !open(f.Reason):
		return withoutReply
	case in.Former:
		return formerOnes
	case f.Status == rules.Unknown:
		return undecided
	}
	return failures
}

// lintGroupOf returns the group of a finding of a lint.
func lintGroupOf(f lint.Finding) group {
	g := group{part: failures, severity: int(f.Severity), rule: f.Check.ID, message: hive.Printable(f.Message)}
	if f.Fix != nil {
		g.remedy = hive.Printable(f.Fix.Message)
	}
	if f.Suppressed != nil {
		g.part, g.accepted = accepted, hive.Printable(strings.TrimSuffix(f.Suppressed.By+": "+f.Suppressed.Reason, ": "))
	}
	return g
}
