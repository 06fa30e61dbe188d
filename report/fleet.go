package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// fleet counts what the rules say of several machines, in a few numbers for each, because a run can have thousands. An input that belongs
// to no machine counts as one.
type fleet struct {
	rules    []*rules.Rule
	row      map[*rules.Rule]int
	byRule   []tally
	hit      []int // for each rule, the number of machines with findings
	machines []fleetMachine
	all      bool // list each machine with findings
	last     *collection.Machine
	now      []tally // for each rule, of the last machine
}

type fleetMachine struct {
	name, host string
	tally
	former bool
	asked  bool    // a rule is about one of its hives
	cells  []tally // for each rule, for as many machines as a table has columns
}

// The summary starts with more than fewMachines. A table shows at most mostColumns of them side by side.
const (
	fewMachines = 3
	mostColumns = 12
	mostListed  = 10
)

// newFleet begins to count what rules say.
func newFleet(r Report) *fleet {
	f := &fleet{row: map[*rules.Rule]int{}, all: r.All}
	for _, rule := range r.Rules {
		f.rowOf(rule)
	}
	return f
}

func (f *fleet) rowOf(rule *rules.Rule) int {
	i, ok := f.row[rule]
	if !ok {
		i = len(f.rules)
		f.row[rule] = i
		f.rules = append(f.rules, rule)
		f.byRule = append(f.byRule, tally{})
		f.hit = append(f.hit, 0)
	}
	return i
}

// addInput counts what is known of an input beside its findings, see [tally.addInput], unless it is of no machine. The hives of one machine must follow each other.
func (f *fleet) addInput(in Input, counted map[Answer]int) {
	if !in.isMachine() {
		return
	}
	if in.Machine == nil || in.Machine != f.last {
		m := fleetMachine{name: in.Path, host: in.Host, former: in.Former}
		if in.Machine != nil {
			m.name = in.Machine.Name
		}
		f.machines = append(f.machines, m)
		f.last, f.now = in.Machine, nil
	}
	m := &f.machines[len(f.machines)-1]
	m.asked = m.asked || !in.Unasked
	for a, n := range counted {
		for _, t := range f.of(a.Rule) {
			t.count(a.Reason, n)
		}
	}
}

// add counts a finding of the input that was counted last.
func (f *fleet) add(in Input, finding rules.Finding) {
	if !in.isMachine() {
		return
	}
	tallies := f.of(finding.Rule)
	if i := f.row[finding.Rule]; finding.Status == rules.Fail && finding.Waived == nil && f.now[i].failed() == 0 {
		f.hit[i]++
	}
	for _, t := range tallies {
		t.add(finding)
	}
}

// of returns where the answers of a rule about the last machine count.
func (f *fleet) of(rule *rules.Rule) [3]*tally {
	i := f.rowOf(rule)
	m := &f.machines[len(f.machines)-1]
	if short := len(f.rules) - len(f.now); short > 0 {
		f.now = append(f.now, make([]tally, short)...)
	}
	if len(f.machines) <= mostColumns {
		m.cells = f.now
	}
	return [...]*tally{&m.tally, &f.now[i], &f.byRule[i]}
}

// cell returns the worst severity with which a rule fails on a machine, and the number of findings if there are several.
func (t tally) cell() cell {
	for s := rules.Critical; s >= rules.Info; s-- {
		switch n := t.fails[s]; {
		case n == 0:
		case t.failed() == 1:
			return cell{s.String(), s}
		default:
			return cell{fmt.Sprintf("%s x%d", s, t.failed()), s}
		}
	}
	switch {
	case t.unknown > 0:
		return cell{text: "unknown"}
	case t.waived > 0:
		return cell{text: "waived"}
	case t.pass > 0:
		return cell{text: "pass"}
	case t.notApplicable > 0:
		return cell{text: "not applicable"}
	}
	return cell{}
}

// table is cells in columns below a heading.
type table struct {
	head   []string
	rows   [][]cell
	number []bool // the columns to align to the right
	rest   string // what it leaves out; "" for nothing
}

type cell struct {
	text  string
	worst rules.Severity // of the findings that it counts; 0 for none
}

// widths returns the width of each column in characters, as shown.
func (t table) widths() []int {
	all := make([]int, len(t.head))
	for i, name := range t.head {
		all[i] = utf8.RuneCountInString(hive.Visible(name))
		for _, row := range t.rows {
			all[i] = max(all[i], utf8.RuneCountInString(hive.Visible(row[i].text)))
		}
	}
	return all
}

// columnGap separates two columns.
const columnGap = "  "

// fits reports whether a table is no wider than the page.
func (p *page) fits(t table) bool {
	width := len(columnGap) * (len(t.head) - 1)
	for _, w := range t.widths() {
		width += w
	}
	return p.Width == 0 || width <= p.Width
}

// table writes a table in columns, or where they do not fit, each row as lines. Only the last column may be wider than the page, if it has texts:
// paths, which are never broken.
func (p *page) table(t table) {
	widths := t.widths()
	needed := t
	if last := len(t.head) - 1; !t.number[last] {
		needed.rows = nil
		for _, row := range t.rows {
			needed.rows = append(needed.rows, append(slices.Clone(row[:last]), cell{}))
		}
	}
	if !p.fits(needed) {
		p.records(t)
		return
	}
	line := func(text func(i int) string, paint func(i int, s string) string) {
		var parts []string
		for i, width := range widths {
			s := hive.Visible(text(i))
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(s))
			switch s = paint(i, s); {
			case t.number[i]:
				s = pad + s
			case i < len(widths)-1:
				s += pad
			}
			parts = append(parts, s)
		}
		fmt.Fprintln(p, strings.TrimRight(strings.Join(parts, columnGap), " "))
	}
	line(func(i int) string { return t.head[i] }, func(_ int, s string) string { return p.paint(s, color.Faint) })
	for _, row := range t.rows {
		line(func(i int) string { return row[i].text }, func(i int, s string) string {
			if row[i].worst == 0 {
				return s
			}
			return p.paint(s, severityColor[row[i].worst])
		})
	}
	if t.rest != "" {
		fmt.Fprintln(p, t.rest)
	}
	p.WriteByte('\n')
}

// records writes each row of a table as its name, which is in the first column or else in the last, with what is not 0 below.
func (p *page) records(t table) {
	name := 0
	if t.number[0] {
		name = len(t.head) - 1
	}
	for _, row := range t.rows {
		fmt.Fprintln(p, hive.Visible(row[name].text))
		var parts []string
		for i, c := range row {
			if i != name && c.text != "" && c.text != "0" {
				parts = append(parts, hive.Visible(t.head[i])+" "+hive.Visible(c.text))
			}
		}
		for _, line := range p.wrapTo(p.Width-len(columnGap), strings.Join(parts, ", ")) {
			fmt.Fprintln(p, columnGap+line)
		}
	}
	if t.rest != "" {
		fmt.Fprintln(p, t.rest)
	}
	p.WriteByte('\n')
}

// tables returns the summary of a report with more than a few machines and at least one finding. It is one table of rules by machines if
// fits reports that this is no wider than the page; otherwise the counts of each rule, and the machines with the most findings.
func (f *fleet) tables(fits func(table) bool) []table {
	if len(f.machines) <= fewMachines || !slices.ContainsFunc(f.hit, func(n int) bool { return n > 0 }) {
		return nil
	}
	if len(f.machines) <= mostColumns {
		if t := f.byMachine(); fits(t) {
			return []table{t}
		}
	}
	return []table{f.counts(), f.most()}
}

// byMachine returns a table with a row for each rule that has findings and a column for each machine.
func (f *fleet) byMachine() table {
	t := table{head: append([]string{"rule"}, f.names()...), number: make([]bool, 1+len(f.machines))}
	machines := f.worst()
	for _, i := range f.hits() {
		row := []cell{{text: f.rules[i].ID}}
		for _, m := range machines {
			var one tally
			if i < len(m.cells) {
				one = m.cells[i]
			}
			row = append(row, one.cell())
		}
		t.rows = append(t.rows, row)
	}
	sum := []cell{{text: "findings"}}
	for _, m := range machines {
		if m.asked {
			sum = append(sum, cell{text: thousands(m.failed())})
		} else {
			sum = append(sum, cell{text: "not asked"})
		}
	}
	t.rows = append(t.rows, sum)
	return t
}

// names returns a name for each machine, in the order of worst: its host name if no other machine has the same, otherwise the name under which it was found.
func (f *fleet) names() (all []string) {
	count := map[string]int{}
	machines := f.worst()
	for _, m := range machines {
		count[m.host]++
	}
	for _, m := range machines {
		if m.host != "" && count[m.host] == 1 {
			all = append(all, m.host+m.mark())
		} else {
			all = append(all, m.name+m.mark())
		}
	}
	return all
}

// mark returns what follows the name of a former Windows, or "".
func (m fleetMachine) mark() string {
	if m.former {
		return " (former)"
	}
	return ""
}

// severities returns the severities that occur, the worst first.
func (f *fleet) severities() (all []rules.Severity) {
	for s := rules.Critical; s >= rules.Info; s-- {
		if slices.ContainsFunc(f.byRule, func(t tally) bool { return t.fails[s] > 0 }) {
			all = append(all, s)
		}
	}
	return all
}

// counts returns a table with a row for each rule that has findings: on how many machines, how many of each severity, and how many answers
// are no failure. Columns that are all zero are left out, except passes and unknowns.
func (f *fleet) counts() table {
	t := table{head: []string{"rule", "machines"}, number: []bool{false, true}}
	column := func(name string) { t.head, t.number = append(t.head, name), append(t.number, true) }
	for _, s := range f.severities() {
		column(s.String())
	}
	column("pass")
	column("unknown")
	skips := slices.ContainsFunc(f.byRule, func(t tally) bool { return t.failed() > 0 && t.notApplicable > 0 })
	if skips {
		column("not applicable")
	}
	for _, i := range f.hits() {
		one := f.byRule[i]
		row := append([]cell{{text: f.rules[i].ID}, {text: thousands(f.hit[i])}}, f.severityCells(one)...)
		row = append(row, cell{text: thousands(one.pass)}, cell{text: thousands(one.unknown)})
		if skips {
			row = append(row, cell{text: thousands(one.notApplicable)})
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// severityCells returns the number of findings of each severity that occurs in the fleet.
func (f *fleet) severityCells(t tally) (all []cell) {
	for _, s := range f.severities() {
		c := cell{text: "0"}
		if n := t.fails[s]; n > 0 {
			c = cell{thousands(n), s}
		}
		all = append(all, c)
	}
	return all
}

// worst returns the machines, those with the worst findings first, and a former Windows after all others.
func (f *fleet) worst() []fleetMachine {
	return slices.SortedStableFunc(slices.Values(f.machines), func(a, b fleetMachine) int {
		if a.former != b.former {
			return map[bool]int{true: 1, false: -1}[a.former]
		}
		return a.worse(b.tally)
	})
}

// worse returns a negative number if the failures are worse than others: one of a severity outweighs any number of those below.
func (t tally) worse(than tally) int {
	for s := rules.Critical; s >= rules.Info; s-- {
		if c := cmp.Compare(than.fails[s], t.fails[s]); c != 0 {
			return c
		}
	}
	return 0
}

// hits returns the rules that have findings, by their indexes, the worst first.
func (f *fleet) hits() (all []int) {
	for i := range f.rules {
		if f.hit[i] > 0 {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b int) int { return f.byRule[a].worse(f.byRule[b]) })
	return all
}

// most returns a table of the machines with the worst findings.
func (f *fleet) most() table {
	t := table{head: []string{"findings"}, number: []bool{true}}
	for _, s := range f.severities() {
		t.head, t.number = append(t.head, s.String()), append(t.number, true)
	}
	t.head, t.number = append(t.head, "host", "machine"), append(t.number, false, false)
	order := slices.DeleteFunc(f.worst(), func(m fleetMachine) bool { return m.failed() == 0 })
	if more := len(order) - mostListed; more > 0 && !f.all {
		t.rest = Count(more, "more with findings: --all lists it", "more with findings: --all lists them")
		order = order[:mostListed]
	}
	for _, m := range order {
		row := append([]cell{{text: thousands(m.failed())}}, f.severityCells(m.tally)...)
		t.rows = append(t.rows, append(row, cell{text: m.host}, cell{text: m.name + m.mark()}))
	}
	return t
}
