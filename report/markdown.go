package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// markdown writes the report as GitHub Flavored Markdown, for the summary of a job or a comment: the totals, a summary of several machines,
// and a table for each input. Nothing from an input is read as Markdown, as HTML, or as a mention of a user.
func markdown(w io.Writer, s sheet) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# regvet %s\n\n%s\n", s.command, s.totals)
	if len(s.refused) > 0 {
		b.WriteString("\nNot read:\n\n")
		for _, p := range s.refused {
			fmt.Fprintf(&b, "- %s: %s\n", code(p.Source), escaped(p.Msg))
		}
	}
	for _, t := range s.tables {
		b.WriteString("\n|")
		for _, name := range t.head {
			fmt.Fprintf(&b, " %s |", escaped(name))
		}
		b.WriteString("\n|")
		for _, number := range t.number {
			b.WriteString(map[bool]string{false: "---|", true: "---:|"}[number])
		}
		for _, row := range t.rows {
			b.WriteString("\n|")
			for _, c := range row {
				fmt.Fprintf(&b, " %s |", escaped(c.text))
			}
		}
		b.WriteByte('\n')
		if t.rest != "" {
			fmt.Fprintf(&b, "\n%s\n", escaped(t.rest))
		}
	}
	for _, f := range s.files {
		results := s.listed(f)
		if len(results) == 0 && len(f.problems) == 0 && s.command == "lint" {
			continue // a run of the linter has many clean files
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", code(f.path), escaped(f.about))
		fmt.Fprintf(&b, "\nSHA-256 `%s`\n", f.sha256)
		for _, line := range f.logs {
			fmt.Fprintf(&b, "\n%s\n", escaped(line))
		}
		if len(f.problems) > 0 {
			b.WriteByte('\n')
		}
		for _, p := range f.problems {
			p.Source = ""
			fmt.Fprintf(&b, "- %s\n", escaped(p.Error()))
		}
		switch {
		case f.unasked != "":
			fmt.Fprintf(&b, "\nNot asked: %s.\n", f.unasked)
		case len(results) == 0 && !f.copy:
			b.WriteString("\nNo findings.\n")
		}
		if len(results) == 0 {
			continue
		}
		if s.command == "lint" {
			b.WriteString("\n| line | severity | check | message | fix |\n|---|---|---|---|---|\n")
		} else {
			b.WriteString("\n| severity | rule | key and value | observed | expected | message | fix |\n|---|---|---|---|---|---|---|\n")
		}
		for _, r := range results {
			severity := r.severity
			if r.status != rules.Fail {
				severity = answerWords(r.status, rules.Reason(r.reason))
				if r.status == rules.Unknown && severity == string(r.status) {
					severity += ", " + r.reason
				}
			}
			if r.suppressed != nil {
				severity = escaped(r.accepted())
			}
			if s.command == "lint" {
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.at, severity, r.id, escaped(r.message), escaped(r.fix))
				continue
			}
			observed := "not set"
			place := code(r.realKey) + " " + code(rules.ValueName(r.value))
			if r.about == lint.AFile {
				place, observed = escaped(r.at.String()), ""
			}
			if r.kind != "" {
				observed = escaped(r.kind) + ", " + code(r.observed)
			} else if r.status == rules.Unknown {
				observed = ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", severity, escaped(r.id), place, observed, escaped(r.expected), escaped(r.message), escaped(r.remedy()))
		}
	}
	if s.more != "" {
		fmt.Fprintf(&b, "\n%s\n", escaped(s.more))
	}
	_, err := w.Write(b.Bytes())
	return err
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
