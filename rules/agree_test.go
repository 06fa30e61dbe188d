package rules

import (
	"slices"
	"testing"
)

// TestRulesAgree tests the built-in rules that are asked together: of one value no two want what no data can be, and no two ask the same.
func TestRulesAgree(t *testing.T) {
	var all []*Rule
	known := map[string]*Rule{}
	for _, p := range BuiltIn() {
		for _, r := range p.Rules {
			known[r.ID] = r
		}
		all = append(all, p.Rules...)
	}
	for _, r := range all {
		if by := known[r.CoveredBy]; r.CoveredBy != "" && (by == nil || by.place() != r.place()) {
			t.Errorf("%s is covered by %s, which is no rule on the same value", r.ID, r.CoveredBy)
		}
	}
	all = Distinct(all, nil)
	for i, r := range all {
		for _, other := range all[:i] {
			if r.place() != other.place() || r.AboutKey || r.Conditions != nil || other.Conditions != nil {
				continue
			}
			for _, a := range r.Variants() {
				for _, b := range other.Variants() {
					if never := slices.Concat(a.Terms.Valid, a.Terms.Data, b.Terms.Valid, b.Terms.Data); a.Terms.disagrees(b.Terms) || never.nothing() {
						t.Errorf("%s (%s) and %s (%s) cannot both pass where a value is set", r.ID, a.When, other.ID, b.When)
					}
				}
			}
			if r.base.data.alone() && other.base.data.alone() {
				t.Errorf("%s and %s ask for data of the same value: name one as covered by the other", r.ID, other.ID)
			}
		}
	}
}

// alone reports whether a demand asks for data, and not how they compare with another value or with an inventory, which is a question of its own.
func (q demand) alone() bool {
	return slices.ContainsFunc(q, func(o operator) bool { return o.other == "" && o.listing == nil })
}

// place returns where a rule looks, to compare it with others.
func (r *Rule) place() string { return r.Key.String() + "\n" + r.Value.String() }

// disagrees reports whether one of the terms wants a value to exist and the other not.
func (t Terms) disagrees(u Terms) bool {
	return t.Exists != nil && u.Exists != nil && *t.Exists != *u.Exists
}

// TestDefaultsHaveSources tests that each built-in rule that states what Windows uses without a value has beside it where that is written, which
// its references have too, and of which versions of Windows.
func TestDefaultsHaveSources(t *testing.T) {
	for _, p := range BuiltIn() {
		for _, r := range p.Rules {
			check := func(m Missing) {
				if m.Default == nil {
					return
				}
				if len(m.Source) == 0 || m.Windows() == "" {
					t.Errorf("%s says that Windows uses %s, and not by which source and of which versions", r.ID, m.Default)
				}
				for _, s := range m.Source {
					if !slices.Contains(r.References, s) {
						t.Errorf("%s has the source %q, which is none of its references", r.ID, s)
					}
				}
			}
			for _, v := range r.Variants() {
				check(v.Terms.Missing)
			}
			r.eachCondition(func(c *Condition) { check(c.terms.Missing) })
		}
	}
}
