package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// grouped is a report of three inputs with findings of every part.
func grouped() Report {
	b, a := &rules.Rule{ID: "B"}, &rules.Rule{ID: "A"}
	fail := func(rule *rules.Rule, severity rules.Severity, message string) rules.Finding {
		return rules.Finding{Rule: rule, Status: rules.Fail, Reason: rules.Mismatch, Severity: severity, Message: message}
	}
	waived := fail(a, rules.Critical, "accepted")
	waived.Waived = &rules.Waiver{Reason: "old printer", Until: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)}
	maybe := rules.Finding{Rule: a, Status: rules.Unknown, Reason: rules.Undecided, Severity: rules.Critical, Message: "may be"}
	other := fail(b, rules.High, "x")
	other.Fix = &rules.Fix{Note: "by hand"}
	return Report{Rules: []*rules.Rule{b, a}, Inputs: []Input{
		{Input: collection.Input{Path: "old", Former: true}, Findings: []rules.Finding{fail(a, rules.Critical, "x")}},
		{Input: collection.Input{Path: "one"}, Findings: []rules.Finding{
			waived, {Rule: b, Status: rules.Pass}, {Rule: b, Status: rules.Unknown, Reason: rules.NotCovered}, {Rule: b, Status: rules.Unknown, Reason: rules.NotApplicable},
			maybe, fail(b, rules.Low, "x"), fail(b, rules.High, "rare"), fail(b, rules.High, "x"), fail(a, rules.Low, "x")}},
		{Input: collection.Input{Path: "two"}, Findings: []rules.Finding{fail(b, rules.High, "x"), other, fail(a, rules.High, "x")}},
	}}
}

// TestEntries requires that findings are listed by part, severity and rule, and the same finding once.
func TestEntries(t *testing.T) {
	r := grouped()
	want := []string{
		"1 high A x in two", "1 high B x in one two", "1 high B rare in one", "1 high B x in two", "1 low A x in one", "1 low B x in one",
		"2 critical A may be in one", "3 critical A x in old", "7 critical A accepted in one",
	}
	var got, fromSheet []string
	sheet := checkSheet(r)
	for _, e := range r.entries() {
		got = append(got, textOf(r, e))
	}
	for _, e := range sheet.entries() {
		fromSheet = append(fromSheet, textOf(r, e))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, fromSheet); diff != "" {
		t.Errorf("the sheet: %s", diff)
	}
	if got := r.entries()[8].accepted; got != "waived until 2027-06-30: old printer" {
		t.Errorf("the waiver is %q", got)
	}

	r.All = true
	seen := map[spot]int{}
	var parts []part
	for _, e := range r.entries() {
		parts = append(parts, e.part)
		for _, at := range e.spots {
			seen[at]++
		}
	}
	if !slices.IsSorted(parts) {
		t.Errorf("the parts are %v", parts)
	}
	for i, in := range r.Inputs {
		for j := range in.Findings {
			if n := seen[spot{i, int64(j)}]; n != 1 {
				t.Errorf("finding %d of input %d is in %d entries", j, i, n)
			}
		}
	}
}

func textOf(r Report, e entry) string {
	f := r.Inputs[e.spots[0].input].Findings[e.spots[0].finding]
	s := fmt.Sprintf("%d %s %s %s in", e.part, f.Severity, f.Rule.ID, hive.Visible(f.Message))
	for _, at := range e.spots {
		s += " " + r.Inputs[at.input].Path
	}
	return s
}
