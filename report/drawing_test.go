package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
	"regvet/rules/ports"
)

var (
	spanOptions = cmp.Options{cmp.AllowUnexported(span{}), cmpopts.EquateApprox(0, 1e-6), cmpopts.IgnoreFields(span{}, "title")}
	noon        = time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)
)

// TestPortSpans requires that the ruler of ports is to scale, from the start of port 0 to the end of port 65535.
func TestPortSpans(t *testing.T) {
	exclusion := func(from, to int) ports.Exclusion {
		return ports.Exclusion{Range: ports.Range{From: from, To: to}, Source: "ReservedPorts"}
	}
	for _, c := range []struct {
		name   string
		answer ports.Answer
		want   []span
	}{
		{"unknown", ports.Answer{}, nil},
		{"all", ports.Answer{Range: &ports.Range{From: 0, To: ports.Max}}, []span{{"range", 0, 1, ""}}},
		{"the upper quarter", ports.Answer{Range: &ports.Range{From: 49152, To: ports.Max}}, []span{{"range", .75, 1, ""}}},
		{"exclusions in and out of the range", ports.Answer{Range: &ports.Range{From: 16384, To: 32767}, Excluded: []ports.Exclusion{exclusion(0, 8191), exclusion(24576, 24576)}},
			[]span{{"range", .25, .5, ""}, {"excluded", 0, .125, ""}, {"excluded", .375, .375 + 1./65536, ""}}},
		{"in use", ports.Answer{Used: []ports.Use{{Port: ports.Max, Value: "PortNumber", Service: "Remote Desktop"}}}, []span{{"used", 65535. / 65536, 1, ""}}},
	} {
		if diff := cmp.Diff(c.want, portSpans(c.answer), spanOptions); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", c.name, diff)
		}
	}
}

// TestShares requires that the amounts of a bar fill it, one behind the other.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		amounts []amount
		want    []span
	}{
		{nil, nil},
		{[]amount{{"high", 3}}, []span{{"high", 0, 1, ""}}},
		{[]amount{{"high", 1}, {"medium", 2}, {"low", 1}}, []span{{"high", 0, .25, ""}, {"medium", .25, .75, ""}, {"low", .75, 1, ""}}},
	} {
		if diff := cmp.Diff(c.want, shares(c.amounts), spanOptions); diff != "" {
			t.Errorf("%v (- want, + got):\n%s", c.amounts, diff)
		}
	}
}

// TestPercent requires numbers that a browser reads.
func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0%", 1: "100%", .5: "50%", 1. / 3: "33.333%", 1e-9: "0%", .1: "10%"} {
		if got := percent(share); got != want {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
}

// TestLifespans requires that a state lasts from the last write of its key to when it was seen, and that what is not known is as what is.
func TestLifespans(t *testing.T) {
	row := func(written, base, created int) PastRow {
		r := PastRow{Status: WasSet}
		at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		if written >= 0 {
			r.Modified = hive.FiletimeOf(at(written))
		}
		if base >= 0 {
			r.Header = &hive.Header{Modified: hive.FiletimeOf(at(base))}
		}
		if created >= 0 {
			r.Created = at(created)
		}
		return r
	}
	untrusted := row(-1, 5, -1)
	untrusted.Header.Checksum = 1
	for _, c := range []struct {
		name string
		rows []PastRow
		want string
	}{
		{"none", nil, ""},
		{"no time at all", []PastRow{row(-1, -1, -1), untrusted}, "- -"},
		{"one time", []PastRow{row(1, -1, -1)}, "1-1"},
		{"from the last write to the base block", []PastRow{row(0, 5, -1), row(5, 10, -1)}, "0-0.5 0.5-1"},
		{"a shadow copy goes before a base block", []PastRow{row(0, 2, 4), row(8, -1, -1)}, "0-0.5 1-1"},
		{"a base block before the last write", []PastRow{row(0, -1, -1), row(10, 3, -1)}, "0-0 1-1"},
		{"only the base block", []PastRow{row(0, -1, -1), row(-1, 4, -1), row(8, -1, -1)}, "0-0 0.5-0.5 1-1"},
		{"one of three has no time", []PastRow{row(0, -1, -1), row(-1, -1, -1), row(8, -1, -1)}, "0-0 - 1-1"},
	} {
		all, ok, _, _ := lifespans(c.rows)
		var got []string
		for i, one := range all {
			text := "-"
			if ok[i] {
				text = fmt.Sprintf("%v-%v", one.from, one.to)
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// TestHeat requires that a heat map has the worst rules and machines and counts the others, and that each cell is what its rule says of its machine.
func TestHeat(t *testing.T) {
	for _, n := range []int{2, heatMachines + 1, heatMachines + 6} {
		r := machinesOf(n)
		f := r.digest().fleet
		h := r.heat(f, map[int]string{n - 1: "subject-1"})
		if shown := min(n-1, heatMachines); len(h.machines) != shown || h.moreMachines != n-1-shown || len(h.rules) != 2 || h.moreRules != 0 {
			t.Errorf("%d machines: %d shown and %d more, %d rules and %d more", n, len(h.machines), h.moreMachines, len(h.rules), h.moreRules)
			continue
		}
		worst := h.machines[0]
		if h.rules[0].ID != "R-1" || h.cells[0][0].fails[rules.High] != 1 || h.cells[1][0].fails[rules.Low] != n-1 || worst.anchor != "subject-1" || worst.fails != n {
			t.Errorf("%d machines: %s of the first is %v and %v, %+v", n, h.rules[0].ID, h.cells[0][0], h.cells[1][0], worst)
		}
	}
	var r Report
	in := Input{Input: collection.Input{Path: "a"}}
	for i := range heatRules + 3 {
		rule := &rules.Rule{ID: fmt.Sprint("R-", i)}
		r.Rules = append(r.Rules, rule)
		in.Findings = append(in.Findings, rules.Finding{Rule: rule, Status: rules.Fail, Severity: rules.Low})
	}
	r.Inputs = []Input{in}
	if h := r.heat(r.digest().fleet, nil); len(h.rules) != heatRules || h.moreRules != 3 {
		t.Errorf("%d rules and %d more", len(h.rules), h.moreRules)
	}
}
