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

// ExplainMarkdown writes an explanation as GitHub flavored Markdown: a section for each check and rule and, if there are several checks, a
// table of them first.
func ExplainMarkdown(w io.Writer, e Explanation) error {
	var b bytes.Buffer
	if len(e.Checks) > 1 {
		b.WriteString("# The checks of regvet lint\n\n")
		b.WriteString("A fix is *safe* if the file afterwards does what it did before, or what it clearly says; `--fix` makes it. It is *unsafe* if the file\n" +
			"afterwards does something else, probably what was meant; `--fix --unsafe-fixes` makes both.\n\n")
		b.WriteString("| check | name | severity | fix | what is wrong |\n|---|---|---|---|---|\n")
		for _, c := range e.Checks {
			fix := c.Fix.String()
			if c.Fix == lint.NoFix {
				fix = ""
			}
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s | %s |\n", c.ID, anchor(c), c.Name, c.Severity, fix, escaped(c.Title+onlySelected(c)))
		}
		b.WriteByte('\n')
	}
	for i, c := range e.Checks {
		if i > 0 {
			b.WriteByte('\n')
		}
		checkMarkdown(&b, c)
	}
	for _, r := range e.Rules {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		p := &page{}
		p.ruleDocs(r)
		b.Write(bytes.TrimLeft(p.Bytes(), "\n"))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// said returns what "regvet lint --format compact" says about the example of a check, or "" if that depends on the folder of the file.
func said(c *lint.Check) string {
	packs, _ := rules.Rules(rules.BuiltIn(rules.DefaultPack)...) // those that are built in are sound
	l := lint.Linter{Target: hive.Exactly(hive.Version{Major: 10}), Rules: packs, Severity: func(other *lint.Check) lint.Severity {
		if other.Off && other != c {
			return 0
		}
		return other.Severity
	}}
	const name = "example.reg"
	r, err := l.Lint(name, bytes.NewReader(c.Bad.Bytes()))
	if err != nil {
		return ""
	}
	findings := slices.DeleteFunc(r.Findings, func(f lint.Finding) bool { return f.Check != c })
	var b bytes.Buffer
	_ = compact(&b, lintSheet(LintReport{Files: []LintFile{{Path: name, FailOn: lint.Warning, Findings: findings}}})) // into memory it never fails
	return b.String()
}

// anchor returns the anchor that GitHub gives to the section of a check.
func anchor(c *lint.Check) string { return strings.ToLower(c.ID + "-" + c.Name) }

func checkMarkdown(b *bytes.Buffer, c *lint.Check) {
	fmt.Fprintf(b, "## %s %s\n\n%s.\n\n", c.ID, c.Name, escaped(c.Title))
	fmt.Fprintf(b, "- severity: %s\n- runs: %s\n- fix: %s\n", c.Severity, runs(c), fixSentence(c))
	for _, paragraph := range paragraphs(c.Explanation) {
		b.WriteByte('\n')
		for i, line := range paragraph {
			if i > 0 && !strings.HasPrefix(line, "-") {
				b.WriteString("  ") // a line of its own
			}
			fmt.Fprintf(b, "%s\n", escaped(line))
		}
	}
	for _, example := range []struct {
		name, said string
		lint.Example
	}{{"Found in", said(c), c.Bad}, {"Put right", "", c.Good}} {
		text, how := shown(example.Example)
		if text == "" {
			continue
		}
		if how != "" {
			how = " " + how
		}
		fmt.Fprintf(b, "\n%s%s:\n\n%s\n", example.name, how, fenced(text))
		if example.said != "" {
			fmt.Fprintf(b, "\n`regvet lint` says:\n\n```text\n%s```\n", example.said)
		}
	}
	b.WriteString("\nTo suppress it:")
	if c.Suppressible() {
		fmt.Fprintf(b, " `; regvet:ignore %s -- the reason` after the line, or on a line of its own above it, `regvet:ignore-file` for a whole file,", c.ID)
	}
	fmt.Fprintf(b, " `--ignore %s` for a run.\n", c.ID)
	for i, reference := range c.References {
		if i == 0 {
			b.WriteString("\nSee:\n\n")
		}
		if isAddress(reference) {
			fmt.Fprintf(b, "- <%s>\n", reference)
		} else {
			fmt.Fprintf(b, "- %s\n", escaped(reference))
		}
	}
}
