package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
)

// Rules writes a list of rules, one line each.
func Rules(w io.Writer, all []*rules.Rule) error {
	var b bytes.Buffer
	width := 0
	for _, r := range all {
		width = max(width, len(r.ID))
	}
	for _, r := range all {
		terms := r.Terms(hive.Windows{})
		fmt.Fprintf(&b, "%-*s  %-8s  %s\n", width, r.ID, terms.Severity, r.Title)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Rule writes the documentation of a rule.
func Rule(w io.Writer, r *rules.Rule, style Style) error {
	p := &page{Style: style}
	fmt.Fprintln(p, p.paint(r.ID, color.Bold))
	p.row("", r.Title)
	p.row("pack", r.Pack)
	p.row("key", hive.Visible(r.Key.String()))
	if !r.AboutKey {
		p.row("value", rules.ValueName(r.Value.String()))
	}
	if i := r.Inventory; i != nil {
		p.row("lists", strings.TrimSuffix("under "+hive.Visible(i.Category)+", with data shown as "+i.As, ", with data shown as "))
	}
	if r.When != nil {
		p.row("applies", hive.Visible(r.When.String()))
	}
	if r.Conditions != nil {
		p.row("expected", hive.Visible(r.Conditions.String()))
	}
	if r.Nowhere != nil {
		p.row("nowhere", hive.Visible(r.Nowhere.String()))
	}
	p.row("assumes", r.Assumes())
	for _, v := range r.Variants() {
		if v.When != "" {
			p.WriteByte('\n')
			p.row("where", hive.Visible(v.When))
		}
		p.terms(r, v.Terms)
	}
	p.WriteByte('\n')
	p.row("why", r.Rationale)
	if r.CoveredBy != "" {
		p.row("unless", r.CoveredBy+" runs too, which asks the same and more")
	}
	p.row("from", strings.Join(sourceTexts(r), "\n"))
	p.row("tags", strings.Join(r.Tags, ", "))
	p.row("levels", strings.Join(r.Levels, ", "))
	p.row("see", strings.Join(r.References, "\n"))
	p.row("tests", fmt.Sprint(len(r.Tests)))
	return p.send(w)
}

// terms writes what a rule requires on one version of Windows.
func (p *page) terms(r *rules.Rule, t rules.Terms) {
	p.row("severity", t.Severity.String())
	p.row("expected", hive.Visible(t.Expected()))
	if len(t.Valid) > 0 {
		p.row("valid", hive.Visible(t.Valid.String()))
	}
	p.row("policy", policies(t))
	p.row("missing", absence(r, t))
	if t.Fix != nil {
		p.row("fix", t.Fix.String())
		p.row("", t.Fix.Note)
		p.row("unsafe", t.Fix.Because)
	}
	p.row("instead", t.Alternative)
}

// policies returns the places that go before the value of a rule, one a line.
func policies(t rules.Terms) string {
	var all []string
	for _, p := range t.Policies {
		all = append(all, p.String())
	}
	return strings.Join(all, "\n")
}

// absence returns what it means that the value of a rule is missing, or "" for a rule that is not about a value.
func absence(r *rules.Rule, t rules.Terms) string {
	if r.AboutKey && t.Written == nil || t.Exists != nil || r.Inventory != nil {
		return ""
	}
	text := "a finding"
	switch d := t.Missing.Default; {
	case t.Missing.Pass:
		text = "passes"
	case d != nil:
		text = "Windows uses " + hive.Visible(d.String())
		if w := t.Missing.Windows(); w != "" {
			text = w + " uses " + hive.Visible(d.String())
		}
		if s := t.Missing.Source; s != nil {
			text += " (" + strings.Join(s, "; ") + ")"
		}
	}
	if s := t.Missing.Severity; s != 0 {
		text += ", severity " + s.String()
	}
	return text
}

// Tests writes the results of the rules' own tests: a line for each rule and for each failed test.
func Tests(w io.Writer, all []*rules.Rule, results []rules.TestResult) error {
	p := &page{}
	failed := 0
	for _, r := range all {
		passed, total := 0, 0
		for _, t := range results {
			if t.Rule != r {
				continue
			}
			total++
			if t.Err == nil {
				passed++
				continue
			}
			failed++
			fmt.Fprintf(p, "FAIL  %s, test %q, line %d: %v\n", r.ID, t.Test.Name, t.Test.At.Line, t.Err)
		}
		if total == 0 && r.Inventory == nil {
			fmt.Fprintf(p, "none  %s has no tests\n", r.ID)
		} else if passed == total && total > 0 {
			fmt.Fprintf(p, "ok    %s, %s\n", r.ID, plural(total, "test"))
		}
	}
	fmt.Fprintf(p, "%s, %s: %d failed\n", plural(len(all), "rule"), plural(len(results), "test"), failed)
	return p.send(w)
}

// Doubts writes what is doubtful about rules, one line each.
func Doubts(w io.Writer, all []*rules.Rule, doubts []rules.Mistake) error {
	p := &page{}
	for _, d := range doubts {
		fmt.Fprintln(p, hive.Visible(d.Error()))
	}
	fmt.Fprintf(p, "%s: %s\n", plural(len(all), "rule"), plural(len(doubts), "doubt"))
	return p.send(w)
}
