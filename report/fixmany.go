package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
)

// FixedMachine is what a fix did about one of several machines, or hives by themselves.
type FixedMachine struct {
	Place     string // its path in what the user named
	Folder    string // for its files, without the folder of all
	Inputs    []Input
	Outcomes  []Outcome // of the computer, then of each user with findings
	Unwritten string    // why its files could not be written; "" if they could
}

// FixedMachines is the result of a fix of several machines.
type FixedMachines struct {
	DryRun   bool
	Folder   string // in which each machine has one
	Machines []FixedMachine
	Refused  []hive.Problem // the inputs that could not be read at all
}

// Tells reports whether there is more to tell of a machine than that there is nothing to fix.
func (m FixedMachine) Tells() bool {
	return slices.ContainsFunc(m.Outcomes, func(o Outcome) bool {
		return len(o.Plan.Edits)+len(o.Plan.Unfixed)+len(o.Plan.Without)+len(o.LeftOut)+len(o.Open) > 0
	})
}

// proven reports whether there is a fix, and it is proven.
func (o Outcome) proven() bool { return o.Proof != nil && o.Proof.Holds() }

// fixCounts is a machine in a few numbers, of findings.
type fixCounts struct{ fixed, unfixed, leftOut, without, unknown, others int }

func (m FixedMachine) counts() (n fixCounts) {
	for _, o := range m.Outcomes {
		if o.proven() {
			n.fixed += len(o.Plan.Fixed)
		} else {
			n.unfixed += len(o.Plan.Fixed)
		}
		n.unfixed += len(o.Plan.Unfixed)
		n.leftOut += len(o.LeftOut)
		n.without += len(o.Plan.Without)
		n.unknown += len(o.Open)
		n.others += o.Others
	}
	if m.Unwritten != "" {
		n.fixed, n.unfixed = 0, n.unfixed+n.fixed
	}
	return n
}

// state returns in a word or two what became of a machine.
func (m FixedMachine) state(dryRun bool) string {
	n := m.counts()
	notProven := slices.ContainsFunc(m.Outcomes, func(o Outcome) bool { return len(o.Plan.Edits) > 0 && !o.proven() })
	switch {
	case m.Unwritten != "":
		return "not written"
	case notProven:
		return "not proven"
	case n.fixed > 0 && n.unfixed > 0:
		return "partly fixed"
	case n.fixed > 0 && dryRun:
		return "planned"
	case n.fixed > 0:
		return "fixed"
	case n.unfixed+n.leftOut+n.without > 0:
		return "not fixed"
	case n.unknown > 0:
		return "unknown"
	}
	return "nothing to fix"
}

// facts returns what the registry says about the computer.
func (m FixedMachine) facts() (host, windows string) {
	for _, in := range m.Inputs {
		if in.SameAs == "" && host == "" {
			host = in.Host
		}
	}
	in := m.Inputs[0]
	if in.Windows.AtLeast != (hive.Version{}) || in.Windows.Below != (hive.Version{}) {
		windows = in.Windows.Full()
	}
	return host, windows
}

// restarts returns what must be restarted after the fixes of a machine.
func (m FixedMachine) restarts() (all []string) {
	for _, o := range m.Outcomes {
		for _, f := range o.Plan.Fixed {
			if r := f.Fix.Restart; o.proven() && r != "none" && !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	if slices.Contains(all, "computer") {
		return []string{"computer"}
	}
	return all
}

// files returns the files of a machine, below the folder of all.
func (m FixedMachine) files() (all []string) {
	for _, o := range m.Outcomes {
		for _, name := range o.Files {
			all = append(all, m.Folder+"/"+name)
		}
	}
	return all
}

// fixColumns are the columns of the summary of fixes. More may be added at the end.
var fixColumns = []string{
	"machine", "folder", "host", "windows", "state", "fixed", "not_fixed", "unsafe_left_out", "without_fix", "unknown", "not_selected", "restart", "files", "message",
}

// FixSummary writes a table with a line for each machine, and one for each input that could not be read.
func FixSummary(w io.Writer, f FixedMachines) error {
	t, err := newCSV(w, fixColumns, Style{})
	if err != nil {
		return err
	}
	for _, m := range f.Machines {
		n := m.counts()
		host, windows := m.facts()
		row := []string{m.Place, m.Folder, host, windows, m.state(f.DryRun)}
		for _, count := range []int{n.fixed, n.unfixed, n.leftOut, n.without, n.unknown, n.others} {
			row = append(row, strconv.Itoa(count))
		}
		t.row(append(row, strings.Join(m.restarts(), "; "), strings.Join(m.files(), "; "), m.Unwritten))
	}
	for _, p := range f.Refused {
		row := make([]string, len(fixColumns))
		row[0], row[4], row[len(row)-1] = p.Source, "not read", p.Msg
		t.row(row)
	}
	t.Flush()
	return t.Error()
}

// RefusedFixes writes a table with a line for each finding of which there is no fix in the files, and why not.
func RefusedFixes(w io.Writer, f FixedMachines) error {
	t, err := newCSV(w, []string{"machine", "folder", "user", "rule", "severity", "state", "key", "value", "why", "instead"}, Style{})
	if err != nil {
		return err
	}
	for _, m := range f.Machines {
		for _, o := range m.Outcomes {
			user := ""
			if o.User != nil {
				user = o.User.Name
			}
			row := func(f rules.Finding, state, why string) {
				t.row([]string{m.Place, m.Folder, user, f.Rule.ID, f.Severity.String(), state, f.Key.String(), f.Value, why, f.Alternative})
			}
			for _, f := range o.Plan.Fixed {
				if m.Unwritten != "" {
					row(f, "not written", m.Unwritten)
				} else if !o.proven() {
					row(f, "not proven", "the fix could not be proven, so that none was written")
				}
			}
			for _, u := range o.Plan.Unfixed {
				row(u.Finding, "not fixed", u.Why)
			}
			for _, u := range o.LeftOut {
				why := "the fix needs a decision: " + u.Fix.Because + "; --select " + u.Rule.ID + " makes it"
				if u.Why != "" {
					why += ", but " + u.Why
				}
				row(u.Finding, "unsafe", why)
			}
			for _, f := range o.Plan.Without {
				row(f, "without fix", "the rule has no fix")
			}
			for _, f := range o.Open {
				row(f, "unknown", f.Message)
			}
		}
	}
	t.Flush()
	return t.Error()
}

// FixMany writes for people a line for each machine, the edits that are the same for all, and the totals.
func FixMany(w io.Writer, f FixedMachines, style Style) error {
	p := &page{Style: style}
	t := table{head: []string{"folder", "host", "state", "fixed", "not fixed", "unsafe", "unknown"}, number: []bool{false, false, false, true, true, true, true}}
	var states []string
	count := map[string]int{}
	total := 0
	for _, m := range f.Machines {
		n := m.counts()
		total += n.fixed
		host, _ := m.facts()
		state := m.state(f.DryRun)
		if count[state]++; count[state] == 1 {
			states = append(states, state)
		}
		row := []cell{{text: m.Folder}, {text: host}, {text: state}}
		for _, number := range []int{n.fixed, n.unfixed + n.without, n.leftOut, n.unknown} {
			row = append(row, cell{text: thousands(number)})
		}
		t.rows = append(t.rows, row)
	}
	if len(t.rows) > 0 {
		p.table(t)
	}
	p.common(f.Machines)
	for _, problem := range f.Refused {
		fmt.Fprintf(p, "%s  %s\n", p.paint("not read", color.Bold, color.FgRed), hive.Visible(problem.Source))
	}
	var parts []string
	for _, state := range states {
		parts = append(parts, thousands(count[state])+" "+state)
	}
	if n := len(f.Refused); n > 0 {
		parts = append(parts, thousands(n)+" not read")
	}
	fmt.Fprintln(p, p.paint(fmt.Sprintf("%s: %s", plural(len(f.Machines), "machine"), strings.Join(parts, ", ")), color.Bold))
	if total > 0 {
		fmt.Fprintf(p, "verified: each fix by itself, %s in all, 0 new; each undo restores the original\n", plural(total, "finding"))
	}
	folder := hive.Visible(filepath.Clean(f.Folder))
	if f.DryRun {
		fmt.Fprintf(p, "nothing was written; without --dry-run it goes into %s\n", folder)
	} else {
		fmt.Fprintf(p, "wrote %s; in it, summary.csv has a line for each machine, refused.csv one for each\nfinding that is not fixed\n", folder)
	}
	return p.send(w)
}

// common writes the edits that every fix has. They are told and not written as a fix for all: its undo would be another one for each machine.
func (p *page) common(all []FixedMachine) {
	var same []hive.Edit
	n := 0
	for _, m := range all {
		if len(m.Outcomes) == 0 || !m.Outcomes[0].proven() {
			continue
		}
		edits := m.Outcomes[0].Plan.Edits
		if n++; n == 1 {
			same = slices.Clone(edits)
		}
		same = slices.DeleteFunc(same, func(e hive.Edit) bool {
			return !slices.ContainsFunc(edits, func(other hive.Edit) bool { return e.Equal(other) })
		})
	}
	if n < 2 {
		return
	}
	which := fmt.Sprintf("all %s machines", thousands(n))
	if n < len(all) {
		which = fmt.Sprintf("the %s machines that have a fix", thousands(n))
	}
	if len(same) == 0 {
		fmt.Fprintf(p, "no edit is the same on %s\n\n", which)
		return
	}
	for _, line := range p.wrapTo(p.Width, fmt.Sprintf("the same on %s, while what it replaces may differ, so that each has an undo of its own:", which)) {
		fmt.Fprintln(p, line)
	}
	for _, e := range same {
		does := map[hive.Op]string{hive.CreateKey: "make ", hive.DeleteKey: "delete ", hive.DeleteValue: "delete ", hive.SetValue: "set "}[e.Op] + Place(e)
		if e.Op == hive.SetValue {
			does += " to " + datum(e.Value)
		}
		for i, line := range p.wrapTo(p.Width-4, does) {
			fmt.Fprintln(p, strings.Repeat(" ", 2+2*min(i, 1))+line)
		}
	}
	p.WriteByte('\n')
}
