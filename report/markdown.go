package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// markdown writes the report as GitHub Flavored Markdown, for the summary of a job or a comment: the totals, a summary of several machines,
// a table of the findings, each once and the worst first, the inputs that have some, and what was not examined or not asked. Nothing from an input is
// read as Markdown, as HTML, or as a mention of a user.
func markdown(w io.Writer, s sheet) error {
	b := &pageMarkdown{sheet: s}
	fmt.Fprintf(b, "# regvet %s\n\n%s\n", s.command, s.totals)
	for _, t := range s.tables {
		b.table(t)
	}
	b.findings()
	b.inputs()
	b.remarks("Not examined", s.notExamined)
	b.remarks("Not asked", s.notAsked)
	_, err := w.Write(b.Bytes())
	return err
}

// pageMarkdown builds a report.
type pageMarkdown struct {
	bytes.Buffer
	sheet
}

// row writes a row of a table.
func (b *pageMarkdown) row(cells ...string) {
	b.WriteByte('|')
	for _, c := range cells {
		fmt.Fprintf(b, " %s |", c)
	}
	b.WriteByte('\n')
}

// head writes the head of a table, and which of its columns are numbers.
func (b *pageMarkdown) head(names []string, number []bool) {
	b.WriteByte('\n')
	b.row(names...)
	b.WriteByte('|')
	for i := range names {
		b.WriteString(map[bool]string{false: "---|", true: "---:|"}[number != nil && number[i]])
	}
	b.WriteByte('\n')
}

// table writes a table of the summary.
func (b *pageMarkdown) table(t table) {
	var names []string
	for _, name := range t.head {
		names = append(names, escaped(name))
	}
	b.head(names, t.number)
	for _, row := range t.rows {
		var cells []string
		for _, c := range row {
			cells = append(cells, escaped(c.text))
		}
		b.row(cells...)
	}
	if t.rest != "" {
		fmt.Fprintf(b, "\n%s\n", escaped(t.rest))
	}
}

// findings writes the table of the findings.
func (b *pageMarkdown) findings() {
	entries := b.entries()
	if len(entries) == 0 && (!b.asked() || b.command == "lint") {
		return
	}
	b.WriteString("\n## Findings\n")
	switch {
	case len(entries) == 0:
		b.WriteString("\nNo findings.\n")
		return
	case b.command == "lint":
		b.head([]string{"severity", "check", "message", "places", "fix"}, nil)
	default:
		b.head([]string{"severity", "rule", "message", "places", "observed", "expected", "fix"}, nil)
	}
	for _, e := range entries {
		r := b.result(e.spots[0])
		places := b.placesOf(e)
		message := escaped(r.message)
		for _, note := range places.notes {
			message += "<br>note: " + escaped(note)
		}
		if e.accepted != "" {
			message += "<br>accepted: " + escaped(e.accepted)
		}
		if b.command == "lint" {
			b.row(severityWords(e, r), r.id, message, b.lines(e), escaped(r.fix))
			continue
		}
		b.row(severityWords(e, r), escaped(r.id), message, places.where, places.observed, escaped(r.expected), escaped(r.remedy()))
	}
}

// severityWords returns how bad an entry is, or why it does not count.
func severityWords(e entry, r result) string {
	switch {
	case r.suppressed != nil && r.waived == nil:
		return "suppressed"
	case e.part == accepted:
		return r.severity + ", waived"
	case r.status == rules.Fail && e.part == formerOnes:
		return r.severity + ", of a former Windows"
	case r.status == rules.Fail:
		return r.severity
	case r.status == rules.Unknown && r.reason != string(rules.NotApplicable):
		return "unknown, " + r.reason
	}
	return answerWords(r.status, rules.Reason(r.reason))
}

// markdownPlaces is what the places of an entry say.
type markdownPlaces struct {
	notes           []string // each once, of many the first
	where, observed string   // of a check: the places, and what was observed there if it is the same in all
}

// placesOf goes through the places of an entry once, because each may have to be read from a file.
func (b *pageMarkdown) placesOf(e entry) (of markdownPlaces) {
	key := func(r result) string {
		if r.about == lint.AKey {
			return code(r.realKey)
		}
		return code(r.realKey) + " " + code(rules.ValueName(r.value))
	}
	seen := func(r result) string {
		switch {
		case r.kind != "":
			return escaped(r.kind) + ", " + code(r.observed)
		case r.status == rules.Unknown || r.about == lint.AKey:
			return ""
		}
		return "not set"
	}
	var first result
	var shown []result
	oneKey, oneSeen := true, true
	most := len(b.few(e.spots))
	for i, at := range e.spots {
		r := b.result(at)
		if i == 0 {
			first = r
		}
		if i < most {
			shown = append(shown, r)
		}
		oneKey, oneSeen = oneKey && key(r) == key(first), oneSeen && seen(r) == seen(first)
		for _, note := range r.notes {
			if !slices.Contains(of.notes, note) && len(of.notes) < fewAlike {
				of.notes = append(of.notes, note)
			}
		}
	}
	var all []string
	if oneKey {
		all = append(all, key(first))
	}
	for _, r := range shown {
		var parts []string
		if len(b.files) > 1 {
			parts = append(parts, code(r.path))
		}
		if !oneKey {
			parts = append(parts, key(r))
		}
		if !oneSeen {
			parts = append(parts, seen(r))
		}
		if line := strings.Join(parts, " "); line != "" && !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	if more := len(e.spots) - len(shown); more > 0 {
		all = append(all, thousands(more)+" more: --all lists them")
	}
	if oneSeen {
		of.observed = seen(first)
	}
	of.where = strings.Join(all, "<br>")
	return of
}

// lines returns the places of an entry of a lint: for each file the lines and columns.
func (b *pageMarkdown) lines(e entry) string {
	var all []string
	before := -1
	shown := b.few(e.spots)
	for _, at := range shown {
		f := b.files[at.input]
		place := b.result(at).at.String()
		if at.input == before {
			all[len(all)-1] += ", " + place
		} else {
			all = append(all, code(f.path)+" "+place)
		}
		before = at.input
	}
	if more := len(e.spots) - len(shown); more > 0 {
		all = append(all, thousands(more)+" more: --all lists them")
	}
	return strings.Join(all, "<br>")
}

// few returns the places of an entry to list: all, or the first of many.
func (b *pageMarkdown) few(spots []spot) []spot {
	if !b.all && len(spots) > manyAlike {
		return spots[:fewAlike]
	}
	return spots
}

// inputs writes what the inputs are: all, or those with findings or problems if they are few.
func (b *pageMarkdown) inputs() {
	var shown []file
	for _, f := range b.files {
		if b.all || len(b.files) == 1 && b.command == "check" || len(f.problems) > 0 || b.has(f) {
			shown = append(shown, f)
		}
	}
	if len(shown) > 0 && (b.all || len(shown) <= mostListed) {
		b.WriteString("\n## Inputs\n\n")
		for _, f := range shown {
			b.input(f)
		}
	}
	if b.unlisted != "" {
		fmt.Fprintf(b, "\n%s\n", escaped(b.unlisted))
	}
}

// has reports whether a result of a file is listed.
func (s sheet) has(f file) bool {
	for range s.listed(f) {
		return true
	}
	return false
}

// input writes what an input is, and what is wrong with it.
func (b *pageMarkdown) input(f file) {
	about := f.about
	if f.unasked != "" {
		about += "; " + f.unasked
	}
	fmt.Fprintf(b, "- %s: %s; SHA-256 `%s`\n", code(f.path), escaped(about), f.sha256)
	for _, line := range f.logs {
		fmt.Fprintf(b, "  - %s\n", escaped(line))
	}
	for i, p := range f.problems {
		if more := len(f.problems) - i; !b.all && i == fewAlike && more > 1 {
			fmt.Fprintf(b, "  - %s more problems; json lists them\n", thousands(more))
			break
		}
		p.Source = ""
		fmt.Fprintf(b, "  - %s\n", escaped(p.Error()))
	}
}

// remarks writes remarks below a title.
func (b *pageMarkdown) remarks(title string, all []remark) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, r := range all {
		fmt.Fprintf(b, "- %s: %s\n", escaped(r.label), escaped(r.text))
	}
}

// escaped returns Markdown that shows text as it is.
func escaped(s string) string { return markdownEscapes.Replace(hive.Visible(s)) }

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "#", `\#`, "!", `\!`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "://", ":&#47;/", "$", `\$`,
)

// code returns Markdown for a code span. A bar ends a cell of a table even in code, where a backslash before it does not always escape it.
func code(s string) string {
	s = hive.Visible(s)
	if strings.Contains(s, "|") {
		return "<code>" + escaped(s) + "</code>"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 || strings.TrimSpace(s) != s || s == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}
