package report

import (
	"bytes"
	"strings"
	"testing"

	"regvet/rules/lint"
)

// TestExamples shows the examples of checks on bytes, in which text by itself says nothing.
func TestExamples(t *testing.T) {
	const text = "REGEDIT4\n\n[HKEY_CURRENT_USER\\A]\n"
	for _, c := range []struct {
		example   lint.Example
		text, how string
	}{
		{lint.Example{Text: text}, text, ""},
		{lint.Example{Text: text, Encoding: lint.UTF16BE}, text, "(in big-endian UTF-16)"},
		{lint.Example{Text: text, Encoding: lint.UTF16NoBOM, LineEnd: "\r\r\n"}, text, `(in UTF-16 without byte order mark, with "\r\r\n" at the ends of the lines)`},
		{lint.Example{Text: text, Encoding: lint.UTF8, LineEnd: "\n"}, text, "(without byte order mark, with LF at the ends of the lines)"},
		{lint.Example{Text: "REGEDIT4", Encoding: lint.UTF8BOM}, "REGEDIT4\n", "(in UTF-8 with byte order mark, without a line end on its last line)"},
		{lint.Example{Text: "\xFF\xFER\x00", Encoding: lint.Raw}, `"\xff\xfeR\x00"` + "\n", "(the bytes of the file)"},
		{lint.Example{Text: "\t\"\u202Ea\"=-\n"}, "\t\"\\u202ea\"=-\n", ""},
	} {
		if text, how := shown(c.example); text != c.text || how != c.how {
			t.Errorf("%#v is shown as %q %s, want %q %s", c.example, text, how, c.text, c.how)
		}
	}
}

// TestExplainSpecials has what no check of its own says yet: one that runs only when selected, and an explanation with a list.
func TestExplainSpecials(t *testing.T) {
	e := Explanation{Checks: []*lint.Check{{ID: "REG999", Name: "no-such", Title: "No such", Severity: lint.Info, Off: true, Fix: lint.Unsafe,
		Explanation: "One\nline:\n\n- a\n  b\n- c", References: []string{"https://example.org/a", "A book [1]"}}}}
	for name, c := range map[string]struct {
		write func(*bytes.Buffer) error
		want  []string
	}{
		"text": {func(b *bytes.Buffer) error { return ExplainText(b, e, Style{Width: 100}) },
			[]string{"  runs      only with --select REG999\n", "  fix       unsafe: only --fix --unsafe-fixes", "  why       One line:\n", "            - a\n", "            - c\n"}},
		"markdown": {func(b *bytes.Buffer) error { return ExplainMarkdown(b, e) },
			[]string{"\n- runs: only with --select REG999\n", "\nOne line:\n\n- a\n", "\n- c\n", "\n- <https://example.org/a>\n- A book \\[1\\]\n"}},
		"JSON": {func(b *bytes.Buffer) error { return ExplainJSON(b, e) }, []string{`"default": false`, `"fix": "unsafe"`, `"explanation": "One line:\n\n- a\n  b\n- c"`}},
	} {
		var b bytes.Buffer
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in:\n%s", name, want, &b)
			}
		}
	}
}
