package report

import (
	"cmp"
	"slices"

	"regvet/hive"
	"regvet/rules/lint"
)

// LintReport is the result of the linter over some files.
type LintReport struct {
	Version string        // of regvet
	Checks  []*lint.Check // those that looked at the files
	Files   []LintFile
	Refused []hive.Problem // what could not be read at all, one problem for each

	// Baseline tells that the findings were compared with those of a baseline, so that the others are new.
	Baseline bool
}

// LintFile is one file, and what the linter says of it.
type LintFile struct {
	Path     string // as the user named it
	SHA256   string // of the file, in hex
	Size     int64  // bytes
	Version  string // the first line that it has or means: "Windows Registry Editor Version 5.00"
	Encoding string // "UTF-16LE"
	Findings []lint.Finding
	Fixed    int            // how many fixes were made in it; the findings are those that are left
	Problems []hive.Problem // what keeps the linter from seeing all of the file, such as a limit that was reached

	// Text is the text of the file in UTF-8 without byte order mark: what the changes of a fix count in. SARIF needs it, for files that
	// have a finding with a fix, and leaves fixes out where it is nil. The other formats do not look at it.
	Text []byte
}

// lintTally is how many findings there are. Those that are suppressed are in no number but their own.
type lintTally struct {
	Files      int // all of them
	Touched    int // those that have a finding
	Severity   map[lint.Severity]int
	Suppressed int
	Baseline   int // those of the suppressed that a baseline has
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

// sorted gives the findings of a file in the order of their places.
func (f LintFile) sorted() []lint.Finding {
	return slices.SortedStableFunc(slices.Values(f.Findings), func(a, b lint.Finding) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column), cmp.Compare(a.Check.ID, b.Check.ID))
	})
}

// lintPack stands where a finding of a rule has the name of its pack.
const lintPack = "lint"
