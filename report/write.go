package report

import (
	"fmt"
	"io"
	"slices"
)

// format is one form of a report: check writes the report of a check, lint that of the linter.
type format struct {
	name  string
	check func(io.Writer, Report, Style) error
	lint  func(io.Writer, LintReport, Style) error
}

// formats are in the order of the help. JSON lines are also written while a report is made: see [Lines].
var formats = []format{
	{"text", checkText, lintText},
	{"json", func(w io.Writer, r Report, _ Style) error { return checkJSON(w, r) }, func(w io.Writer, r LintReport, _ Style) error { return lintJSON(w, r) }},
	{"jsonl", linesOf, lintLinesOf},
	{"compact", checkCompact, lintCompact},
	{"sarif", of(sarifLog), lintOf(sarifLog)},
	{"junit", of(junit), lintOf(junit)},
	{"csv", func(w io.Writer, r Report, style Style) error { return csvTable(w, checkSheet(r), style) },
		func(w io.Writer, r LintReport, style Style) error { return csvTable(w, lintSheet(r), style) }},
	{"html", checkPage, lintPage},
	{"markdown", of(markdown), lintOf(markdown)},
	{"github", of(github), lintOf(github)},
	{"gitlab", of(gitlab), lintOf(gitlab)},
}

// of and lintOf return a format that writes both kinds of reports from a sheet.
func of(write func(io.Writer, sheet) error) func(io.Writer, Report, Style) error {
	return func(w io.Writer, r Report, _ Style) error { return write(w, checkSheet(r)) }
}

func lintOf(write func(io.Writer, sheet) error) func(io.Writer, LintReport, Style) error {
	return func(w io.Writer, r LintReport, _ Style) error { return write(w, lintSheet(r)) }
}

// FormatNames returns the names of the formats.
func FormatNames() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Write writes the report of a check in the format of that name. Text uses the style, and CSV what it says of the byte order mark.
func Write(w io.Writer, name string, r Report, style Style) error {
	f, err := find(name)
	if err != nil {
		return err
	}
	return f.check(w, r.digested(), style)
}

// WriteLint is [Write] for the linter.
func WriteLint(w io.Writer, name string, r LintReport, style Style) error {
	f, err := find(name)
	if err != nil {
		return err
	}
	return f.lint(w, r, style)
}

func find(name string) (format, error) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, fmt.Errorf("there is no format %q", name)
	}
	return formats[i], nil
}

func linesOf(w io.Writer, r Report, _ Style) error {
	l := NewLines(w, r)
	for _, in := range r.Inputs {
		l.Input(in)
	}
	return l.Close(r.Refused)
}

func lintLinesOf(w io.Writer, r LintReport, _ Style) error {
	l := NewLintLines(w, r)
	for _, f := range r.Files {
		l.File(f)
	}
	return l.Close(r.Refused)
}
