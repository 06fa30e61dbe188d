package rules

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// TestResult is the outcome of one of a rule's own tests.
type TestResult struct {
	Rule *Rule
	Test Test
	Err  error // nil if it passed
}

// RunTests runs the tests that the rule carries. A test also proves the fix: the rule must pass after it, and the undo must restore the registry.
func (r *Rule) RunTests() []TestResult {
	var all []TestResult
	for _, t := range r.Tests {
		all = append(all, TestResult{r, t, r.run(t)})
	}
	return all
}

func (r *Rule) run(t Test) error {
	reg, err := r.testRegistry(t)
	if err != nil {
		return err
	}
	w := r.testWindows(t, reg)
	only := []*Rule{r}
	findings := Evaluate(reg, w, only)
	if r.Key.isPattern() && t.Hive == "" && t.Want != NotCovered {
		// The text of a test never lists all keys that a pattern may match: that is no answer.
		if answers := covered(findings); len(answers) > 0 {
			findings = answers
		}
	}
	if err := t.expects(findings); err != nil {
		return err
	}
	plan := NewPlan(reg, findings)
	proof := Prove(reg, w, only, plan, plan.Edits, plan.Undo)
	switch {
	case len(proof.Left) > 0:
		return fmt.Errorf("the fix does not remedy the finding: %s", failures(Evaluate(reg.Apply(plan.Edits...), w, only)))
	case len(proof.New) > 0:
		return fmt.Errorf("the fix makes a new finding: %s", failures(proof.New))
	case !proof.Restored:
		return fmt.Errorf("the undo does not restore the registry: %d edits remain", len(proof.Remains))
	}
	return nil
}

// testWindows returns the Windows that a test is about, whose registry is given.
func (r *Rule) testWindows(t Test, reg *hive.Registry) (w hive.Windows) {
	if t.Hive != "" {
		w = reg.Windows()
	}
	if when := r.When; when != nil && t.Hive == "" { // a test that does not say which Windows it is about means one that the rule is for
		if when.windows != nil {
			w.AtLeast, w.Below = when.windows.from, when.windows.below
		}
		if when.products != nil {
			w.Product = productOfWord(when.products[0])
		}
		if when.editions != nil {
			w.Edition = editionOfWord(when.editions[0])
		}
	}
	if t.Windows.AtLeast != (hive.Version{}) {
		product, edition := w.Product, w.Edition
		w = t.Windows
		w.Product, w.Edition = product, edition
	}
	if t.Product != "" {
		w.Product = productOfWord(t.Product)
	}
	if t.Edition != "" {
		w.Edition = editionOfWord(t.Edition)
	}
	return w
}

// covered returns the findings about places that the input covers.
func covered(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Reason == NotCovered })
}

// failures returns the messages of the failures among the findings.
func failures(findings []Finding) string {
	var all []string
	for _, f := range findings {
		if f.Status == Fail {
			all = append(all, f.Message)
		}
	}
	return strings.Join(all, "; ")
}

// testRegistry returns the registry of a test.
func (r *Rule) testRegistry(t Test) (*hive.Registry, error) {
	reg := hive.NewRegistry()
	if t.Hive != "" {
		return reg, r.mountHive(reg, t.Hive)
	}
	text := t.Reg
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		if !r.hasKey || r.Key.isPattern() {
			return nil, fmt.Errorf("the .reg text of the test must name its keys: that of the rule is not one key")
		}
		text = "[" + r.Key.base.String() + "]\n" + text
	}
	file, err := regfile.Parse("reg", []byte("\ufeffWindows Registry Editor Version 5.00\n\n"+text))
	if err != nil {
		return nil, err
	}
	for _, p := range file.Problems {
		if p.Loss && t.Want != Damaged {
			return nil, fmt.Errorf("the .reg text of the test: line %d: %s", p.At.Line-2, p.Msg)
		}
	}
	tree := file.Tree()
	for _, s := range t.written {
		if s.hive {
			reg.SetWritten(nil, s.time)
			continue
		}
		key := s.key
		if key == nil {
			if key = r.Key.base; !r.hasKey || r.Key.isPattern() {
				return nil, fmt.Errorf("the time of the test must name its key: that of the rule is not one key")
			}
		}
		stamped, ok := hive.Stamp(tree, key, s.time)
		if !ok {
			return nil, fmt.Errorf("the test says when %s was last written, but its .reg text has no such key", key)
		}
		tree = stamped
	}
	reg.Mount(nil, tree)
	return reg, nil
}

// mountHive reads a hive from the folder of the rule's pack and mounts it where Windows does.
func (r *Rule) mountHive(reg *hive.Registry, name string) error {
	if r.files == nil {
		return fmt.Errorf("the hive %s cannot be read: the rule was not read from a folder", name)
	}
	name = filepath.ToSlash(name)
	if info, err := fs.Stat(r.files, name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("the hive %s in the folder of the pack is no regular file", name)
	}
	data, err := fs.ReadFile(r.files, name)
	if err != nil {
		return fmt.Errorf("the hive %s in the folder of the pack cannot be read: %w", name, hive.Cause(err))
	}
	file, err := hive.Read(name, data)
	if err != nil {
		return err
	}
	at, _ := file.Mount()
	if at == nil {
		return fmt.Errorf("the hive %s does not show where Windows mounts it", name)
	}
	reg.Mount(at, file.Root())
	return nil
}

// expects compares the findings of a rule with what a test wants. If the rule matches several places, a wanted failure must occur at one of them
// at least, and a failure for another reason at none; anything else is wanted at each.
func (t Test) expects(findings []Finding) error {
	met := false
	for _, f := range findings {
		got := f.Reason
		if f.Status == Pass {
			got = Reason(Pass)
		}
		failing := slices.Contains(failReasons, t.Want)
		switch {
		case got == t.Want:
			met = true
			if t.Severity != 0 && f.Severity != t.Severity {
				return fmt.Errorf("want severity %s, got %s", t.Severity, f.Severity)
			}
		case !failing || f.Status == Fail:
			return fmt.Errorf("want %s, got %s: %s", t.Want, got, f.Message)
		}
	}
	if !met && len(findings) > 0 {
		return fmt.Errorf("want %s, got %s: %s", t.Want, cmp.Or(findings[0].Reason, Reason(Pass)), findings[0].Message)
	}
	return nil
}

// unproven returns what the tests of a rule lack: one that passes, one that fails, or both; "" if they lack neither.
func (r *Rule) unproven() string {
	passes := slices.ContainsFunc(r.Tests, func(t Test) bool { return t.Want == Reason(Pass) })
	fails := slices.ContainsFunc(r.Tests, func(t Test) bool { return slices.Contains(failReasons, t.Want) })
	switch {
	case !passes && !fails:
		return "it has no test that passes and none that fails"
	case !passes:
		return "it has no test that passes"
	case !fails:
		return "it has no test that fails"
	}
	return ""
}
