package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// Explanation is the documentation of checks of the linter and of rules of packs.
type Explanation struct {
	Version string // of regvet
	Checks  []*lint.Check
	Rules   []*rules.Rule
}

// Checks writes a list of checks, one line each.
func Checks(w io.Writer, all []*lint.Check) error {
	var b bytes.Buffer
	width := 0
	for _, c := range all {
		width = max(width, len(c.Name))
	}
	for _, c := range all {
		fmt.Fprintf(&b, "%s  %-*s  %-7s  %-10s  %s%s\n", c.ID, width, c.Name, c.Severity, fixWords(c), c.Title, onlySelected(c))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func fixWords(c *lint.Check) string {
	if c.Fix == lint.NoFix {
		return "no fix"
	}
	return c.Fix.String() + " fix"
}

func onlySelected(c *lint.Check) string {
	if c.Off {
		return " (runs only when selected)"
	}
	return ""
}

// ExplainText writes an explanation for people.
func ExplainText(w io.Writer, e Explanation, style Style) error {
	p := &page{Style: style}
	for _, c := range e.Checks {
		if p.Len() > 0 {
			p.WriteByte('\n')
		}
		p.check(c)
	}
	for _, r := range e.Rules {
		if p.Len() > 0 {
			p.WriteByte('\n')
		}
		if err := Rule(p, r, style); err != nil {
			return err
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (p *page) check(c *lint.Check) {
	fmt.Fprintf(p, "%s %s\n", p.paint(c.ID, color.Bold), p.paint(c.Name, color.Bold))
	p.row("", c.Title)
	p.row("severity", c.Severity.String(), lintColor[c.Severity])
	p.row("runs", runs(c))
	p.row("fix", fixSentence(c))
	name := "why"
	for _, paragraph := range paragraphs(c.Explanation) {
		p.WriteByte('\n')
		p.row(name, strings.Join(paragraph, "\n"))
		name = ""
	}
	for _, example := range []struct {
		name string
		lint.Example
	}{{"found in", c.Bad}, {"put right", c.Good}} {
		text, how := shown(example.Example)
		if text == "" {
			continue
		}
		p.WriteByte('\n')
		if how != "" {
			p.row(example.name, how)
			example.name = ""
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				fmt.Fprintf(p, "  %s%s", p.paint(fmt.Sprintf("%-*s", label, example.name), color.Faint), line)
			}
			p.WriteByte('\n')
			example.name = ""
		}
	}
	p.WriteByte('\n')
	p.row("suppress", strings.Join(suppressions(c), "\n"))
	p.row("see", strings.Join(c.References, "\n"))
}

// runs returns when a check runs.
func runs(c *lint.Check) string {
	if c.Off {
		return "only with --select " + c.ID
	}
	return "always"
}

// fixSentence returns what --fix does with a finding of a check.
func fixSentence(c *lint.Check) string {
	switch c.Fix {
	case lint.Safe:
		return "safe: --fix makes it; afterwards the file does what it did before, or what it clearly says"
	case lint.Unsafe:
		return "unsafe: only --fix --unsafe-fixes makes it; afterwards the file does something else, probably what was meant"
	}
	return "none: only you can tell what is right"
}

// suppressions returns the ways to suppress the findings of a check.
func suppressions(c *lint.Check) []string {
	run := "--ignore " + c.ID + " for a run"
	if !c.Suppressible() {
		return []string{run}
	}
	return []string{
		"; regvet:ignore " + c.ID + " -- the reason",
		"after the line, or on a line of its own above it; regvet:ignore-file for a whole file;",
		run,
	}
}

// shown returns an example with invisible characters made visible, and how its bytes differ from those that Windows writes, or "".
func shown(e lint.Example) (text, how string) {
	for i, line := range strings.Split(e.Text, "\n") {
		if i > 0 {
			text += "\n"
		}
		for j, part := range strings.Split(line, "\t") {
			if j > 0 {
				text += "\t"
			}
			text += hive.Visible(part)
		}
	}
	var manners []string
	switch e.Encoding {
	case lint.UTF16BE:
		manners = append(manners, "in big-endian UTF-16")
	case lint.UTF16NoBOM:
		manners = append(manners, "in UTF-16 without byte order mark")
	case lint.UTF8:
		manners = append(manners, "without byte order mark")
	case lint.UTF8BOM:
		manners = append(manners, "in UTF-8 with byte order mark")
	case lint.Raw:
		text = strconv.QuoteToASCII(e.Text) + "\n"
		manners = append(manners, "the bytes of the file")
	}
	switch e.LineEnd {
	case "":
	case "\n":
		manners = append(manners, "with LF at the ends of the lines")
	default:
		manners = append(manners, "with "+strconv.QuoteToASCII(e.LineEnd)+" at the ends of the lines")
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
		manners = append(manners, "without a line end on its last line")
	}
	if len(manners) > 0 {
		how = "(" + strings.Join(manners, ", ") + ")"
	}
	return text, how
}

// paragraphs returns the paragraphs of a text as lines: one for the text itself, and one for each line that is indented or a point of a list.
func paragraphs(text string) (all [][]string) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(strings.TrimSpace(part), "\n") {
			if last := len(lines) - 1; last >= 0 && line != "" && !strings.ContainsAny(line[:1], " \t-") {
				lines[last] += " " + line
			} else {
				lines = append(lines, line)
			}
		}
		all = append(all, lines)
	}
	return all
}

// unfolded returns a text with the lines of its [paragraphs], and an empty line between paragraphs.
func unfolded(text string) string {
	var parts []string
	for _, lines := range paragraphs(text) {
		parts = append(parts, strings.Join(lines, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

type jsonExplanation struct {
	SchemaVersion string         `json:"schema_version"`
	Tool          jsonTool       `json:"tool"`
	Checks        []jsonCheck    `json:"checks"`
	Rules         []jsonPackRule `json:"rules"`
}

type jsonCheck struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Severity    string      `json:"severity"`
	Fix         string      `json:"fix"`     // none, unsafe or safe
	Default     bool        `json:"default"` // whether it runs without being selected
	Explanation string      `json:"explanation"`
	Bad         jsonExample `json:"bad"`
	Good        jsonExample `json:"good"`
	References  []string    `json:"references"`
}

type jsonExample struct {
	Text string `json:"text"`
	How  string `json:"how,omitempty"` // how its bytes differ from those that Windows writes
}

type jsonPackRule struct {
	ID         string   `json:"id"`
	Pack       string   `json:"pack"`
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Why        string   `json:"why"`
	Tags       []string `json:"tags"`
	Levels     []string `json:"levels"`
	References []string `json:"references"`

	Fix         *jsonRemedy `json:"fix"` // null where there is none without an override
	Alternative string      `json:"alternative,omitempty"`
}

// ExplainJSON writes an explanation as one JSON object.
func ExplainJSON(w io.Writer, e Explanation) error {
	out := jsonExplanation{schemaVersion, jsonTool{"regvet", e.Version}, []jsonCheck{}, []jsonPackRule{}}
	for _, c := range e.Checks {
		example := func(e lint.Example) jsonExample {
			_, how := shown(e)
			return jsonExample{hive.Printable(e.Text), how}
		}
		out.Checks = append(out.Checks, jsonCheck{c.ID, c.Name, c.Title, c.Severity.String(), c.Fix.String(), !c.Off, unfolded(c.Explanation),
			example(c.Bad), example(c.Good), append([]string{}, c.References...)})
	}
	for _, r := range e.Rules {
		t := r.Terms(hive.Windows{})
		out.Rules = append(out.Rules, jsonPackRule{r.ID, r.Pack, r.Title, t.Severity.String(), r.Rationale, orEmpty(r.Tags), orEmpty(r.Levels), orEmpty(r.References),
			remedyJSON(t.Fix), t.Alternative})
	}
	return writeJSON(w, out)
}
