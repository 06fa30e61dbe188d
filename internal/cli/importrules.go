package cli

import (
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/foreign"
)

// loadRules returns the packs at a path: rule files of regvet or of other programs. It writes what of the latter could not become a rule.
func loadRules(s *session, fsys fs.FS, path string) ([]*rules.Pack, error) {
	packs, read, err := foreign.Load(fsys, path)
	for _, source := range read {
		if left := len(source.Rows) - source.Count(foreign.Whole); left > 0 {
			s.say("%s: %s; \"regvet rules import\" tells why", source.Path, report.ImportCounts(source))
		}
	}
	return packs, err
}

// importRules writes the pack that the rules in some files become, and what of them could not be said.
func (o *rulesOptions) importRules(s *session, args []string) {
	var sources []*foreign.Source
	var names []string
	for _, path := range args {
		files, err := foreign.Files(s.files, path)
		if err != nil {
			s.fail(statusUsage, "%v", err)
		}
		names = append(names, files...)
	}
	for _, name := range names {
		source, err := foreign.Read(s.files, name, o.from.value)
		if err != nil {
			s.fail(statusUsage, "%v", err)
			continue
		}
		sources = append(sources, source)
	}
	if s.failed() {
		return
	}
	name := ""
	if o.output != "" && o.output != "-" {
		name = strings.TrimSuffix(filepath.Base(o.output), filepath.Ext(o.output))
	}
	text, _, err := foreign.Pack(name, sources...)
	left := 0
	for _, source := range sources {
		left += len(source.Rows) - source.Count(foreign.Whole)
	}
	if o.strict && left > 0 {
		s.raise(statusFindings)
	}
	told := s.stdout
	if name == "" {
		told = s.stderr // the pack itself goes to standard output
	}
	tell := func() {
		write := report.Imports
		if o.format.value == "json" {
			write = report.ImportsJSON
		}
		if err := write(told, sources); err != nil {
			s.fail(statusUsage, "the result cannot be written: %v", hive.Cause(err))
		}
	}
	if err != nil {
		s.fail(statusUsage, "%v", err)
		tell()
		return
	}
	s.write(o.output, func(w io.Writer, _ report.Style) error { _, err := w.Write(text); return err })
	if !s.failed() {
		tell()
	}
}
