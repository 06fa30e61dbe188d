package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"regvet/hive"
	"regvet/rules"
)

// compact writes each finding, and each input that no rule is about, as one line, path:line:column: severity: message [ID], as compilers do, so that editors and the problem
// matchers of build servers find the place. They know the severities error, warning and info, so those of a check become one of these.
//
// A hive has no lines. Its findings have the place 0:0, which every reader of this form accepts and none can mistake for a line; the
// message has the key and the offset.
func compact(w io.Writer, s sheet) error {
	b := bufio.NewWriter(w)
	line := func(format string, args ...any) { b.Write(harmless(fmt.Appendf(nil, format, args...))) }
	for _, f := range s.files {
		if f.unasked != "" {
			line("%s:0:0: info: %s [%s]\n", hive.Visible(f.path), f.unasked, rules.NotCovered)
		}
		for r := range f.found() {
			if r.hidden {
				continue
			}
			level := r.level
			if r.waived != nil || level == "note" {
				level = "info"
			}
			line("%s:%d:%d: %s: %s [%s]\n", hive.Visible(r.path), r.at.Line, r.at.Column, level, r.sentence(), r.id)
		}
	}
	return b.Flush()
}

// checkCompact is compact for a check, with what is asked for at its end in lines that no reader of this form takes for a finding.
func checkCompact(w io.Writer, r Report, _ Style) error {
	if !r.Quiet {
		if err := compact(w, checkSheet(r)); err != nil {
			return err
		}
	}
	rest := r.statistics()
	if r.Quiet {
		rest = append(rest, r.summary()...)
	}
	if len(rest) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, strings.Join(rest, "\n"))
	return err
}

// lintCompact is compact for a lint, with what is not listed behind the findings of a file, and at the end, in lines that no reader of this form takes
// for a finding.
func lintCompact(w io.Writer, r LintReport, _ Style) error {
	for _, file := range r.Files {
		listed := r.listed(file)
		file.Findings = listed.findings
		if err := compact(w, lintSheet(LintReport{Files: []LintFile{file}})); err != nil {
			return err
		}
		for _, line := range listed.more {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	rest := r.statistics()
	if line := r.unlisted(); line != "" {
		rest = append(rest, line)
	}
	if r.Listing.Quiet {
		rest = append(rest, r.tally().String())
	}
	if len(rest) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, strings.Join(rest, "\n"))
	return err
}
