package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"
	"github.com/rivo/uniseg"

	"regvet/hive"
	"regvet/rules/lint"
)

var lintColor = map[lint.Severity]color.Attribute{lint.Info: color.FgCyan, lint.Warning: color.FgYellow, lint.Error: color.FgRed}

// lintText writes the report for people, the worst findings first. A finding is a line as compilers write it, the line of the file with the place marked
// below it, the other places where the same was found, and what would fix it. The last line has the totals. Suppressed findings are only counted.
func lintText(w io.Writer, r LintReport, style Style) error {
	p := &page{Style: style}
	entries := r.entries()
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && entries[to].rule == entries[from].rule && entries[to].severity == entries[from].severity {
			to++
		}
		p.lintEntries(r, entries[from:to])
		from = to
	}
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	if lines := r.statistics(); lines != nil {
		fmt.Fprintln(p, strings.Join(lines, "\n")+"\n")
	}
	if line := r.unlisted(); line != "" {
		p.line(line)
	}
	if len(r.Files) > 0 {
		p.line(r.tally().String(), color.Bold)
	}
	return p.send(w)
}

// lintEntries writes the findings of a check: each once, and of many the first.
func (p *page) lintEntries(r LintReport, all []lintEntry) {
	shown := all
	if !r.Listing.All && len(all) > manyAlike {
		shown = all[:fewAlike]
	}
	for _, e := range shown {
		places := e.places
		if !r.Listing.All {
			places = places[:1]
		}
		for _, at := range places {
			p.lintFinding(at.file, at.Finding)
		}
		p.otherPlaces(e.places[len(places):])
	}
	more := 0
	for _, e := range all[len(shown):] {
		more += len(e.places)
	}
	if more > 0 {
		p.line(fmt.Sprintf("%s of %s; --all lists them", plural(more, "more finding"), all[0].rule))
	}
}

// otherPlaces writes where else a finding was made: for each file the lines and columns.
func (p *page) otherPlaces(all []lintPlace) {
	shown := all
	if len(all) > manyAlike {
		shown = all[:fewAlike]
	}
	var lines []string
	for i, at := range shown {
		place := at.At.String()
		if i > 0 && shown[i-1].file.Path == at.file.Path {
			lines[len(lines)-1] += ", " + place
		} else {
			lines = append(lines, hive.Visible(at.file.Path)+":"+place)
		}
	}
	if more := len(all) - len(shown); more > 0 {
		lines = append(lines, Count(more, "more place; --all lists it", "more places; --all lists them"))
	}
	for i, line := range lines {
		if i == 0 {
			line = "also: " + line
		}
		p.indented(line)
	}
}

func (p *page) lintFinding(file LintFile, f lint.Finding) {
	place := fmt.Sprintf("%s:%d:%d:", hive.Visible(file.Path), f.At.Line, f.At.Column)
	severity := p.paint(f.Severity.String()+":", color.Bold, lintColor[f.Severity])
	id, message := "["+f.Check.ID+"]", hive.Visible(f.Message)
	head := p.paint(place, color.Bold) + " " + severity + " "
	if width := uniseg.StringWidth(place + f.Severity.String() + message + id); !p.Terminal || width+len(": ")+len("  ") <= p.Width {
		fmt.Fprintf(p, "%s%s %s\n", head, message, p.paint(id, color.Faint))
	} else {
		fmt.Fprintf(p, "%s%s\n", head, p.paint(id, color.Faint))
		p.indented(message)
	}
	source, mark := excerpt(f, p.Width-2)
	if mark != "" {
		fmt.Fprintf(p, "  %s\n  %s\n", source, paintBehindBlanks(p, mark))
	}
	if fix := f.Fix; fix != nil {
		how := ""
		if fix.Safety == lint.Unsafe {
			how = " (--unsafe-fixes)"
		}
		lines := p.wrapTo(p.Width-2-len("fix: "), hive.Visible(fix.Message)+how)
		if !p.Terminal {
			lines = []string{hive.Visible(fix.Message) + how}
		}
		fmt.Fprintf(p, "  %s %s\n", p.paint("fix:", color.Bold, color.FgGreen), lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(p, "       %s\n", line)
		}
	}
}

// indented writes text below the line of a finding.
func (p *page) indented(text string) {
	for _, line := range p.wrapTo(p.Width-2, text) {
		fmt.Fprintf(p, "  %s\n", line)
	}
}

// paintBehindBlanks colors a mark, but not the blanks that indent it.
func paintBehindBlanks(p *page, mark string) string {
	bare := strings.TrimLeft(mark, " \t")
	return mark[:len(mark)-len(bare)] + p.paint(bare, color.Bold, color.FgGreen)
}

// character is one character of a line, as a terminal shows it.
type character struct {
	text  string
	width int // in cells; the most that it can take, for a tab
}

const tab = 8

// characters splits a line. Tabs stay, so that the line can be copied; what would move the cursor becomes an escape.
func characters(line string) []character {
	var all []character
	for _, r := range hive.Printable(line) {
		switch s := string(r); {
		case r == '\t':
			all = append(all, character{s, tab})
		default:
			s = hive.Visible(s)
			all = append(all, character{s, uniseg.StringWidth(s)})
		}
	}
	return all
}

func width(all []character) (n int) {
	for _, c := range all {
		n += c.width
	}
	return n
}

// excerpt returns the line of a finding, and a line to write below it that marks the place. A line wider than limit is cut around the
// place. Both are empty if the place is outside of what is known of the line.
func excerpt(f lint.Finding, limit int) (source, mark string) {
	all := characters(f.Line)
	from, to := f.At.Column-1, len(all)
	if f.End.Line == f.At.Line {
		to = f.End.Column - 1
	}
	if f.Line == "" || from < 0 || from > len(all) {
		return "", ""
	}
	to = min(max(to, from), len(all))
	first, last := 0, len(all)
	if limit > 0 && width(all) > limit {
		first, last = window(all, from, max(limit, 20)-2) // less what shows the cuts
	}
	var s, m strings.Builder
	if first > 0 {
		s.WriteString("…")
		m.WriteByte(' ')
	}
	for i, c := range all[first:last] {
		s.WriteString(c.text)
		if first+i < from {
			if c.text == "\t" {
				m.WriteByte('\t')
			} else {
				m.WriteString(strings.Repeat(" ", c.width))
			}
		}
	}
	if last < len(all) {
		s.WriteString("…")
	}
	m.WriteByte('^')
	if n := width(all[from:min(to, last)]); n > 1 {
		m.WriteString(strings.Repeat("~", n-1))
	}
	return s.String(), m.String()
}

// window returns the part of a line to show, at most cells wide: a third of it before the place, the rest from there on.
func window(all []character, place, cells int) (first, last int) {
	first, last = place, place
	used := 0
	before := func(most int) {
		for first > 0 && used+all[first-1].width <= most {
			first--
			used += all[first].width
		}
	}
	before(cells / 3)
	for last < len(all) && used+all[last].width <= cells {
		used += all[last].width
		last++
	}
	before(cells)
	return first, last
}

// severities returns how many findings of each severity there are, in words, or "" for none.
func (c lintTally) severities() string {
	var parts []string
	for s := lint.Error; s >= lint.Info; s-- {
		switch n := c.Severity[s]; {
		case n == 0:
		case s == lint.Info:
			parts = append(parts, fmt.Sprintf("%d info", n))
		default:
			parts = append(parts, plural(n, s.String()))
		}
	}
	return strings.Join(parts, ", ")
}

// String returns the line of totals.
func (c lintTally) String() string {
	line := cmp.Or(c.severities(), "no findings") + " in "
	if c.Touched > 0 && c.Touched < c.Files {
		line += fmt.Sprintf("%d of ", c.Touched)
	}
	line += plural(c.Files, "file")
	if c.Unchecked > 0 {
		line += fmt.Sprintf("; %d not checked, because a config turns all checks off", c.Unchecked)
	}
	if c.Fixed > 0 {
		line += fmt.Sprintf("; %d fixed", c.Fixed)
	}
	comments := c.Suppressed - c.Baseline
	switch {
	case comments > 0 && c.Baseline > 0:
		line += fmt.Sprintf("; %d suppressed by comments, %d by the baseline", comments, c.Baseline)
	case comments > 0:
		line += fmt.Sprintf("; %d suppressed by comments", comments)
	case c.Baseline > 0:
		line += fmt.Sprintf("; %d suppressed by the baseline", c.Baseline)
	}
	unsafe := c.Fixable - c.Safe
	switch {
	case c.Safe > 0 && unsafe > 0:
		line += fmt.Sprintf("; %d can be fixed with --fix, %d more with --unsafe-fixes", c.Safe, unsafe)
	case c.Safe > 0:
		line += fmt.Sprintf("; %d can be fixed with --fix", c.Safe)
	case unsafe > 0:
		line += fmt.Sprintf("; %d can be fixed with --unsafe-fixes", unsafe)
	}
	return line
}
