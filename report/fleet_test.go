package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"regvet/hive/collection"
	"regvet/rules"
)

// machinesOf returns a report of n machines with hostile names. Each has one finding more than the one before, except for a rule that all
// of them pass.
func machinesOf(n int) Report {
	high, low := &rules.Rule{ID: "R-1"}, &rules.Rule{ID: "R-2"}
	r := Report{Rules: []*rules.Rule{high, low, {ID: "R-3"}}}
	for i := range n {
		in := Input{Input: collection.Input{Path: fmt.Sprintf("a|b\x1b[31m<b>_%d_", i)}, Findings: []rules.Finding{{Rule: r.Rules[2], Status: rules.Pass}}}
		for range i {
			in.Findings = append(in.Findings, rules.Finding{Rule: low, Status: rules.Fail, Severity: rules.Low})
		}
		if i == n-1 {
			in.Findings = append(in.Findings, rules.Finding{Rule: high, Status: rules.Fail, Severity: rules.High}, rules.Finding{Rule: low, Status: rules.Unknown})
		}
		r.Inputs = append(r.Inputs, in)
	}
	return r
}

// TestFleet requires of the summary that its numbers add up, that only more than a few machines have one, that it is no wider than the page
// if possible, and that no format is misled by the name of a machine.
func TestFleet(t *testing.T) {
	for _, n := range []int{0, 1, fewMachines, fewMachines + 1, mostColumns, mostColumns + 1, 40} {
		r := machinesOf(n)
		f := r.digest().fleet
		count := r.tally()
		fails, machines := 0, 0
		for i := range f.rules {
			fails += f.byRule[i].failed()
		}
		for _, m := range f.machines {
			machines += m.failed()
		}
		if fails != count.failed() || machines != count.failed() || len(f.machines) != n {
			t.Errorf("%d machines: %d findings by rule, %d by machine, %d in all, of %d machines", n, fails, machines, count.failed(), len(f.machines))
		}
		for _, width := range []int{0, 40, 100} {
			p := &page{Style: Style{Width: width}}
			tables := f.tables(p.fits)
			if got, want := len(tables) > 0, n > fewMachines; got != want {
				t.Errorf("%d machines: a summary: %v", n, got)
			}
			for _, table := range tables {
				p.table(table)
			}
			for line := range strings.Lines(p.String()) {
				if len(tables) == 1 && width > 0 && utf8.RuneCountInString(line) > width+1 {
					t.Errorf("wider than %d: %q", width, line)
				}
			}
			if bytes.ContainsRune(p.Bytes(), '\x1b') {
				t.Errorf("a control character in %q", p.String())
			}
			if n > mostColumns+1 && !strings.Contains(p.String(), "29 more with findings: --all lists them\n") {
				t.Errorf("nothing is said of the rest: %s", p.String())
			}
		}
		shown := markdownRows(written(t, r, Write, "markdown"))
		if want := len(r.entries()); n <= fewMachines && shown != want || n > fewMachines && shown <= want {
			t.Errorf("%d machines: markdown has %d rows for %d entries", n, shown, want)
		}
		if got, want := articles(t, written(t, r, Write, "html")), len(r.entries()); got != want {
			t.Errorf("%d machines: html has %d entries, want %d", n, got, want)
		}
	}
}
