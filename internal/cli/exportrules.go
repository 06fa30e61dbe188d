package cli

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/foreign"
	"regvet/rules/strict"
)

// exportRules writes rules in a format of another program, and what of them could not be said there.
func (o *rulesOptions) exportRules(s *session, all []*rules.Rule) {
	format := o.exportFormat(s)
	if s.failed() {
		return
	}
	windows := hive.Windows{}
	if o.windows.value != nil {
		windows = *o.windows.value
	}
	x, err := foreign.Export(format, all, windows)
	if err != nil {
		s.fail(statusUsage, "the rules cannot be written: %v", hive.Cause(err))
		return
	}
	if o.strict && x.Count(foreign.Whole) < len(x.Rows) {
		s.raise(statusFindings)
	}
	told, files := s.stdout, o.exportFiles(format, x)
	if o.output == "" || o.output == "-" {
		told = s.stderr // the rules themselves go to standard output
	}
	for i, f := range x.Files {
		s.write(files[i], func(w io.Writer, _ report.Style) error { _, err := w.Write(f.Data); return err })
	}
	if s.failed() {
		return
	}
	write := report.Exports
	if o.report.value == "json" {
		write = report.ExportsJSON
	}
	if told == s.stderr {
		files = nil
	}
	if err := write(told, x, files); err != nil {
		s.fail(statusUsage, "the result cannot be written: %v", hive.Cause(err))
	}
}

// exportFormat returns the format that the flags choose, or that of the ending of the file. If there is none, it writes what to do.
func (o *rulesOptions) exportFormat(s *session) (format string) {
	names, endings := foreign.ExportNames()
	format = o.format.value
	if i := slices.Index(endings, strings.ToLower(filepath.Ext(o.output))); !slices.Contains(names, format) && i >= 0 {
		format = names[i]
	}
	switch {
	case !slices.Contains(names, format):
		s.fail(statusUsage, "rules export needs --format %s, or -o with a name that ends with %s; --report chooses the form of what it tells", strict.List(names, "or"), strict.List(endings, "or"))
	case format == "pol" && (o.output == "" || o.output == "-"):
		s.fail(statusUsage, "rules export --format pol needs -o FILE: settings of the user go to a second file beside it")
	}
	return format
}

// exportFiles returns the names of the files. A file for the user of an earlier export, which would be taken for a part of this one, is replaced by
// an empty one.
func (o *rulesOptions) exportFiles(format string, x *foreign.Exported) (names []string) {
	beside := besideName(format, o.output)
	if _, err := os.Lstat(beside); err == nil && len(x.Files) == 1 && beside != "" {
		x.Files = append(x.Files, foreign.EmptyPolicy())
	}
	for _, f := range x.Files {
		if f.User {
			names = append(names, beside)
		} else {
			names = append(names, o.output)
		}
	}
	return names
}
