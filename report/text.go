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

// checkText writes the report of a check for people: what each input is; for each finding what it is, where, observed, expected, why, and
// how to fix it; a summary of several machines; and a line of totals.
func checkText(w io.Writer, r Report, style Style) error {
	p := &page{Style: style}
	alone := r.machines() == 1
	for i, in := range r.Inputs {
		switch {
		case in.Machine == nil:
			p.heading(in)
			if alone {
				p.ports(in.Ports, false)
			}
			p.WriteByte('\n')
		case i == 0 || r.Inputs[i-1].Machine != in.Machine:
			hives := r.Inputs[i : i+in.Machine.Hives]
			p.machine(hives)
			for _, in := range hives {
				if alone {
					p.ports(in.Ports, false)
				}
			}
			p.WriteByte('\n')
		}
		for _, f := range r.listed(in) {
			p.finding(in, f)
			p.WriteByte('\n')
		}
	}
	if err := p.send(w); err != nil {
		return err
	}
	p.Reset()
	if err := r.Inventory.text(w, style); err != nil {
		return err
	}
	for _, t := range newFleet(r).tables(p.fits) {
		p.table(t)
	}
	if len(r.Inputs) > 0 {
		line := r.totals()
		if t := r.tally(); t.unknown+t.notApplicable > 0 && !r.All {
			line += " (--all shows why)"
		}
		fmt.Fprintln(p, p.paint(line, color.Bold))
		if line := r.listedText(); line != "" {
			fmt.Fprintln(p, line)
		}
		if line := r.uncounted(); line != "" {
			fmt.Fprintln(p, line)
		}
		if more := r.more(); more != "" {
			fmt.Fprintln(p, more)
		}
	}
	return p.send(w)
}

func (p *page) finding(in Input, f rules.Finding) {
	tag := strings.ToUpper(f.Severity.String())
	switch f.Status {
	case rules.Pass:
		tag = p.paint("PASS", color.Bold, color.FgGreen)
	case rules.Unknown:
		tag = p.paint(strings.ToUpper(answerWords(f.Status, f.Reason)), color.Bold, color.FgWhite)
	default:
		tag = p.paint(tag, color.Bold, severityColor[f.Severity])
	}
	reason := ""
	if f.Reason != "" && f.Applies() {
		reason = " (" + string(f.Reason) + ")"
	}
	fmt.Fprintf(p, "%s  %s%s\n", tag, p.paint(f.Rule.ID, color.Bold), reason)
	p.row("", f.Rule.Title)
	p.row("from", strings.Join(sourceTexts(f.Rule), "\n"))
	if in.Machine != nil && in.holds(f) == in.Path {
		p.row("hive", hive.Visible(in.Path))
	}
	p.row("key", hive.Visible(f.RealKey.String()))
	if !f.Key.Equal(f.RealKey) {
		p.row("", "asked for as "+hive.Visible(f.Key.String()))
	}
	if !f.AboutKey {
		p.row("value", rules.ValueName(f.Value))
	}
	p.row("place", place(f))
	switch v := f.Observed; {
	case v != nil:
		p.row("observed", fmt.Sprintf("%s, %s", v.Type, hive.Visible(v.Display())))
	case f.Status != rules.Unknown && !f.AboutKey:
		p.row("observed", "not set")
	}
	p.row("expected", f.Expected)
	if f.Status == rules.Fail {
		p.row("message", f.Message)
		p.row("why", f.Rule.Rationale)
	} else {
		p.row("message", f.Message)
	}
	for _, note := range f.Notes {
		p.row("note", note)
	}
	p.history(f)
	if f.Fixable() {
		p.row("fix", f.Fix.String())
		p.row("", f.Fix.Note)
		p.row("unsafe", f.Fix.Because)
	}
	p.row("instead", f.Alternative)
	if f.Status == rules.Fail {
		p.row("see", strings.Join(f.Rule.References, "\n"))
	}
}

// place returns where in the input the value or its key is, and when the key was last written.
func place(f rules.Finding) string {
	var parts []string
	if at := f.At.String(); at != "" {
		what := "key"
		if f.Observed != nil {
			what = "value"
		}
		if f.At.Line > 0 {
			at = "line " + at
		}
		parts = append(parts, what+" at "+at)
	}
	if !f.Modified.IsZero() {
		parts = append(parts, "key last written "+timestamp(f.Modified))
	}
	return strings.Join(parts, "; ")
}

// totals returns the last line.
func (r Report) totals() string {
	t := r.tally()
	var parts []string
	for s := rules.Critical; s >= rules.Info; s-- {
		if n := t.fails[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	failed := fmt.Sprintf("%d failed", t.failed())
	if len(parts) > 0 {
		failed += " (" + strings.Join(parts, ", ") + ")"
	}
	inputs := plural(len(r.Inputs), "input")
	switch {
	case t.unasked == 0:
	case t.unasked == len(r.Inputs):
		inputs += " that no rule is about"
	default:
		inputs += fmt.Sprintf(", %d of which no rule is about", t.unasked)
	}
	text := fmt.Sprintf("%s, %s: %s, %d passed, %d unknown", plural(len(r.Rules), "rule"), inputs, failed, t.pass, t.unknown)
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
		return fmt.Sprintf("%d listed (--all shows them)", n)
	default:
		return fmt.Sprintf("%d listed", n)
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
	return fmt.Sprintf("%d %s", n, more)
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
