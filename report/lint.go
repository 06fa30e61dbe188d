package report

import (
	"cmp"
	"slices"

	"regvet/hive"
	"regvet/rules/lint"
)

// LintReport is the result of the linter over some files.
type LintReport struct {
	Version string // of regvet
	Run     Run
	Checks  []*lint.Check // the checks that ran
	Files   []LintFile
	Refused []hive.Problem // what could not be read at all, one problem for each

	Listing Listing // of the findings, in text and compact

	// Baseline is whether the findings were compared with those of a baseline, so that those left are new.
	Baseline bool
}

// LintFile is one file and its findings.
type LintFile struct {
	Path     string // as the user named it
	SHA256   string // of the file, in hex
	Size     int64  // bytes
	Version  string // the first line, as written or as meant: "Windows Registry Editor Version 5.00"
	Encoding string // "UTF-16LE"
	Findings []lint.Finding
	FailOn   lint.Severity  // findings below it do not count as failures of the run
	Fixed    int            // how many fixes were made; the findings are those left after them
	Problems []hive.Problem // why the linter did not see all of the file, such as a limit
	// Unchecked is the config that turns all checks off for the file, so that nothing was looked for; "" for a file that was checked.
	Unchecked string

	// Text is the text of the file in UTF-8 without byte order mark, the text that the changes of a fix refer to. Only SARIF uses it, for
	// files with a finding that has a fix; if it is nil, SARIF leaves out the fix.
	Text []byte
}

// Counts reports whether a finding is a failure of the run: for the exit status, and for every format that knows failures.
func (f LintFile) Counts(one lint.Finding) bool {
	return one.Suppressed == nil && one.Severity >= f.FailOn
}

// lintTally counts findings. Suppressed ones are in no number but their own.
type lintTally struct {
	Files      int // all of them
	Touched    int // those that have a finding
	Unchecked  int // those for which a config turns all checks off
	Severity   map[lint.Severity]int
	Suppressed int
	Baseline   int // the suppressed ones that are in a baseline
	Fixed      int // how many fixes were made
	Fixable    int // those with a fix
	Safe       int // those with a fix that is safe
}

// tally counts the findings of all files.
func (r LintReport) tally() lintTally {
	c := lintTally{Severity: map[lint.Severity]int{}}
	for _, f := range r.Files {
		c.add(f)
	}
	return c
}

func (c *lintTally) add(file LintFile) {
	c.Files++
	c.Fixed += file.Fixed
	if file.Unchecked != "" {
		c.Unchecked++
	}
	touched := false
	for _, f := range file.Findings {
		if f.Suppressed != nil {
			c.Suppressed++
			if f.Suppressed.By == "baseline" {
				c.Baseline++
			}
			continue
		}
		touched = true
		c.Severity[f.Severity]++
		if f.Fix != nil {
			c.Fixable++
			if f.Fix.Safety == lint.Safe {
				c.Safe++
			}
		}
	}
	if touched {
		c.Touched++
	}
}

// sorted returns the findings of a file in the order of their places.
func (f LintFile) sorted() []lint.Finding {
	return slices.SortedStableFunc(slices.Values(f.Findings), func(a, b lint.Finding) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column), cmp.Compare(a.Check.ID, b.Check.ID))
	})
}

// lintPack stands in for the pack, which a finding of a rule has and one of the linter has not.
const lintPack = "lint"
