package rules

import (
	"fmt"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// TestResult is the outcome of one of a rule's own tests.
type TestResult struct {
	Rule *Rule
	Test Test
	Err  error // nil when it passed
}

// RunTests runs the tests that the rule carries. A test also proves the fix: after it the rule passes, and after the undo the
// registry is what it was.
func (r *Rule) RunTests() []TestResult {
	var all []TestResult
	for _, t := range r.Tests {
		all = append(all, TestResult{r, t, r.run(t)})
	}
	return all
}

func (r *Rule) run(t Test) error {
	text := t.Reg
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		text = "[" + r.Key.String() + "]\n" + text
	}
	file, err := regfile.Parse("reg", []byte("\ufeffWindows Registry Editor Version 5.00\n\n"+text))
	if err != nil {
		return err
	}
	for _, p := range file.Problems {
		if p.Loss {
			return fmt.Errorf("the .reg text of the test: line %d: %s", p.At.Line-2, p.Msg)
		}
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, file.Tree())
	var w hive.Windows
	if t.Windows != (hive.Version{}) {
		w = hive.Exactly(t.Windows)
	}
	only := []*Rule{r}
	findings := Evaluate(reg, w, only)
	for _, f := range findings {
		got := f.Reason
		if f.Status == Pass {
			got = Reason(Pass)
		}
		if got != t.Want {
			return fmt.Errorf("want %s, got %s: %s", t.Want, got, f.Message)
		}
		if t.Severity != 0 && f.Severity != t.Severity {
			return fmt.Errorf("want severity %s, got %s", t.Severity, f.Severity)
		}
	}
	plan := NewPlan(reg, findings)
	proof := Prove(reg, w, only, plan, plan.Edits, plan.Undo)
	switch {
	case len(proof.Left) > 0:
		return fmt.Errorf("the fix does not remedy the finding: %s", Evaluate(reg.Apply(plan.Edits...), w, only)[0].Message)
	case len(proof.New) > 0:
		return fmt.Errorf("the fix makes a new finding: %s", proof.New[0].Message)
	case !proof.Restored:
		return fmt.Errorf("the undo does not restore the registry: %d edits remain", len(proof.Remains))
	}
	return nil
}
