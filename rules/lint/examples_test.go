package lint

import (
	"bytes"
	"slices"
	"testing"

	"regvet/hive"
)

// found returns the findings in a file that are not suppressed.
func found(t *testing.T, l Linter, data []byte) []Finding {
	t.Helper()
	r, err := l.Lint("example.reg", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Suppressed != nil })
}

func by(c *Check, findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Check != c })
}

// examplesLinter runs all checks, for Windows 10.
var examplesLinter = Linter{
	Severity: func(c *Check) Severity { return c.Severity },
	Target:   hive.Exactly(hive.Version{Major: 10}),
}

// outside are the checks that need more than the text of the file.
var outside = map[*Check]bool{gitAttributes: true, packInvalid: true, packMismatch: true, decimalAsHex: true, noUndo: true}

// TestExamples tests that the bad example of a check trips it and no other, except at severity info, that the good one trips none, and that
// the fix leaves no finding.
func TestExamples(t *testing.T) {
	for _, c := range Checks() {
		if c.Title == "" || c.Explanation == "" || c.Severity.String() == "none" {
			t.Errorf("%s lacks a title, an explanation or a severity", c.ID)
		}
		l := examplesLinter
		l.Severity = func(other *Check) Severity {
			if other.Off && other != c {
				return 0
			}
			return other.Severity
		}
		for _, f := range found(t, l, c.Good.Bytes()) {
			t.Errorf("the good example of %s trips %s: %s", c.ID, f.Check.ID, f.Message)
		}
		if outside[c] {
			continue
		}
		all := found(t, l, c.Bad.Bytes())
		own := by(c, all)
		if len(own) == 0 {
			t.Errorf("the bad example of %s does not trip it", c.ID)
		}
		for _, f := range all {
			if f.Check != c && f.Severity > Info {
				t.Errorf("the bad example of %s trips %s: %s", c.ID, f.Check.ID, f.Message)
			}
		}
		if c.Fix == NoFix {
			continue
		}
		fixed, err := l.Fix("example.reg", c.Bad.Bytes(), c.Fix)
		if err != nil || fixed.Fixes == 0 {
			t.Errorf("%s says that there is a fix, and gives none for its example (%v)", c.ID, err)
			continue
		}
		for _, f := range found(t, examplesLinter, fixed.Data) {
			if f.Check == c || f.Severity > Info && !f.Check.Off {
				t.Errorf("%s, fixed, trips %s: %s\n%s", c.ID, f.Check.ID, f.Message, fixed.After)
			}
		}
	}
}
