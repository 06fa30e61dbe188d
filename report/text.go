package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/internal/safetext"
	"regvet/rules"
)

// Style is how text is laid out.
type Style struct {
	Terminal bool // a person looks at it: nothing in it may move the cursor
	Color    bool // with the colours of a terminal
	Unicode  bool // it shows more than ASCII
	Width    int  // columns; 0 for no limit
	NoMark   bool // CSV does not begin with a byte order mark
}

// label is the width of the column of labels.
const label = 10

// page buffers text, so that a report is written whole or not at all.
type page struct {
	Style
	bytes.Buffer
}

func (p *page) paint(text string, attributes ...color.Attribute) string {
	if len(attributes) == 0 {
		return text
	}
	c := color.New(attributes...)
	if p.Color {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}

// send writes the page.
func (p *page) send(w io.Writer) error {
	_, err := w.Write(harmless(p.Bytes()))
	return err
}

// harmless returns text for a log of GitHub Actions, which treats each line that begins with :: as a command, even after blanks. We write
// no such line: it begins with a name or words from an input, and gets an escape.
func harmless(text []byte) []byte {
	if !bytes.Contains(text, []byte("::")) {
		return text
	}
	return commandLine.ReplaceAll(text, []byte(`${1}\x3a:`))
}

var commandLine = regexp.MustCompile(`(?m)^([ \t]*)::`)

// row writes a label with text beside it, which may have several lines. Long lines are wrapped between words; a path is never broken, so
// that it can be copied.
func (p *page) row(name, text string, attributes ...color.Attribute) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		for _, part := range p.wrap(safetext.Line(line)) {
			fmt.Fprintf(p, "  %s%s\n", p.paint(fmt.Sprintf("%-*s", label, name), color.Faint), p.paint(part, attributes...))
			name = ""
		}
	}
}

// wrap breaks a line between words, so that it fits beside its label. Libraries for this take 35 ms to start, longer than a check. They
// know wide characters; here, those make a line too long at worst.
func (p *page) wrap(line string) []string { return p.wrapTo(p.Width-label-2, line) }

// wrapTo is [page.wrap] to a width.
func (p *page) wrapTo(width int, line string) []string {
	width = max(width, 20)
	if p.Width == 0 {
		return []string{line}
	}
	var lines []string
	used := 0
	for word := range strings.SplitSeq(line, " ") {
		n := utf8.RuneCountInString(word)
		if last := len(lines) - 1; last >= 0 && used+1+n <= width {
			lines[last] += " " + word
			used += 1 + n
			continue
		}
		lines = append(lines, word)
		used = n
	}
	return lines
}

var severityColor = map[rules.Severity]color.Attribute{
	rules.Info: color.FgCyan, rules.Low: color.FgBlue, rules.Medium: color.FgYellow, rules.High: color.FgRed, rules.Critical: color.FgMagenta,
}

// checkText writes the report of a check for people: the inputs that have findings; each finding once, the worst first, with what it is, where,
// observed, expected, why, and how to fix it; a summary of several machines; what was not examined or not asked; and a line of totals.
func checkText(w io.Writer, r Report, style Style) error {
	p := &page{Style: style}
	if !r.Quiet {
		entries := r.entries()
		p.headings(r, entries)
		p.entries(r, entries)
	}
	if err := p.send(w); err != nil {
		return err
	}
	p.Reset()
	if !r.Quiet {
		if err := r.Inventory.text(w, style); err != nil {
			return err
		}
	}
	for _, t := range r.digest().fleet.tables(p.fits) {
		p.table(t)
	}
	if lines := r.statistics(); lines != nil {
		fmt.Fprintln(p, strings.Join(lines, "\n")+"\n")
	}
	if len(r.Inputs) > 0 {
		if !r.Quiet {
			p.remarks("Not examined", r.notExamined())
			p.remarks("Not asked", r.notAsked())
		}
		p.sum(r)
	}
	return p.send(w)
}

// headings writes what the inputs are: all, or one alone, or those that have findings if they are few.
func (p *page) headings(r Report, entries []entry) {
	units := r.units()
	shown := r.found(units, entries)
	if r.All || len(units) == 1 {
		shown = units
	}
	if len(shown) > mostListed && !r.All {
		return // a table names the worst
	}
	alone := r.machines() == 1
	for _, u := range shown {
		inputs := r.Inputs[u.from:u.to]
		if inputs[0].Machine == nil {
			p.heading(inputs[0])
		} else {
			p.machine(inputs)
		}
		for _, in := range inputs {
			if alone {
				p.ports(in.Ports, false)
			}
		}
		p.WriteByte('\n')
	}
}

// sum writes how many inputs are not listed, and last the line of totals.
func (p *page) sum(r Report) {
	for _, line := range append(r.Choices.lines(r.tally()), r.unlisted(), r.listedText(), r.uncounted()) {
		if line != "" {
			p.line(line)
		}
	}
	line := r.totals()
	if t := r.tally(); t.unknown+t.notApplicable > 0 && !r.All {
		line += " (--all shows why)"
	}
	p.line(line, color.Bold)
}

// line writes a line, which is wrapped on a terminal only: programs look for some.
func (p *page) line(text string, attributes ...color.Attribute) {
	parts := []string{text}
	if p.Terminal {
		parts = p.wrapTo(p.Width, text)
	}
	for _, part := range parts {
		fmt.Fprintln(p, p.paint(part, attributes...))
	}
}

// remarks writes remarks below a title.
func (p *page) remarks(title string, all []remark) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(p, p.paint(title, color.Bold))
	before := ""
	for _, r := range all {
		label := r.label
		if label == before {
			label = ""
		}
		p.row(label, r.text)
		before = r.label
	}
	p.WriteByte('\n')
}

// place returns where in the input the value or its key is, and when the key was last written.
func place(f rules.Finding) string {
	var parts []string
	if at := f.At.String(); at != "" {
		what := "key at "
		switch {
		case f.Observed != nil:
			what = "value at "
		case len(f.RealKey) == 0:
			what = ""
		}
		if f.At.Line > 0 {
			at = "line " + at
		}
		parts = append(parts, what+at)
	}
	if !f.Modified.IsZero() {
		parts = append(parts, "key last written "+timestamp(f.Modified))
	}
	return strings.Join(parts, "; ")
}

// totals returns the last line.
func (r Report) totals() string {
	t := r.tally()
	failed := thousands(t.failed()) + " failed"
	if parts := t.severities(); parts != "" {
		failed += " (" + parts + ")"
	}
	if t.waived > 0 {
		failed += fmt.Sprintf(", %s waived by %s", thousands(t.waived), hive.Visible(r.Choices.Config))
	}
	judged := len(r.Inputs)
	for _, in := range r.Inputs {
		if in.Format == ConfigFormat {
			judged--
		}
	}
	inputs := plural(judged, "input")
	switch {
	case t.unasked == 0:
	case t.unasked == judged:
		inputs += " that no rule is about"
	default:
		inputs += fmt.Sprintf(", %d of which no rule is about", t.unasked)
	}
	text := fmt.Sprintf("%s, %s: %s, %s passed, %s unknown", plural(len(r.Rules), "rule"), inputs, failed, thousands(t.pass), thousands(t.unknown))
	if t.undecided > 0 {
		text += fmt.Sprintf(", %d of them undecided", t.undecided)
	}
	if t.notApplicable > 0 {
		text += fmt.Sprintf(", %d not applicable", t.notApplicable)
	}
	return text
}

// listedText returns for people how much inventories list, or "" for nothing.
func (r Report) listedText() string {
	switch n := r.tally().listed; {
	case n == 0:
		return ""
	case r.Inventory == nil:
		return thousands(n) + " listed (--all shows them)"
	default:
		return thousands(n) + " listed"
	}
}

// uncounted returns for people how many findings do not count for the exit status, because they are of a former Windows, or "" for none.
func (r Report) uncounted() string {
	n := r.tally().former
	if n == 0 || r.AllInstalls {
		return ""
	}
	return fmt.Sprintf("%d failed of a former Windows, which the exit status does not count: --all-installs", n)
}

// Count returns a number followed by one, or by more if it is not 1.
func Count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + more
}

// plural is [Count] for a noun that takes an s.
func plural(n int, noun string) string { return Count(n, noun, noun+"s") }

// controlSet returns the control sets that CurrentControlSet leads to, and whether they are a guess.
func controlSet(in Input) (names string, guessed bool) {
	var all []string
	for _, s := range in.ControlSets {
		all = append(all, s.Name)
		guessed = guessed || s.Guessed
	}
	return strings.Join(all, ", "), guessed
}

func headerVersion(h hive.Header) string { return fmt.Sprintf("%d.%d", h.Major, h.Minor) }

// logs returns what was done with each log of a hive, one line each, and the hash of each that was applied.
func logs(in Input) (lines []string) {
	for _, u := range in.Logs {
		line := hive.Visible(u.Name)
		switch {
		case u.Entries == 1:
			line += fmt.Sprintf(": entry %d applied", u.Last)
		case u.Entries > 1:
			line += fmt.Sprintf(": entries %d to %d applied", u.First, u.Last)
		}
		switch {
		case u.Entries > 0 && u.Why != "":
			line += "; it " + u.Why
		case u.Why != "":
			line += ": " + u.Why
		}
		if u.Foreign {
			line += "; its base block has the identifier of another hive"
		}
		lines = append(lines, line)
		if u.Entries > 0 && u.SHA256 != "" {
			lines = append(lines, "sha256 "+u.SHA256)
		}
	}
	return lines
}
