package rules

import (
	"math"

	"regvet/hive"
)

// Places lists the keys at or below which the rule looks: the paths that it names, up to their first pattern.
func (r *Rule) Places() []hive.Path {
	var all []hive.Path
	if len(r.Key.base) > 0 {
		all = append(all, r.Key.base)
	}
	if r.Nowhere != nil {
		all = append(all, machineRoot, usersRoot, userRoot, hive.Path{"HKEY_CLASSES_ROOT"})
	}
	for _, p := range r.policies() {
		all = append(all, p.key.base)
	}
	return r.When.places(r.Conditions.places(all))
}

// places appends the keys at or below which the condition looks, except the key of its rule.
func (c *Condition) places(all []hive.Path) []hive.Path {
	if c == nil {
		return all
	}
	if c.asks && c.question.hasKey {
		all = append(all, c.question.Key.base)
	}
	for _, p := range c.terms.Policies {
		all = append(all, p.key.base)
	}
	for _, list := range [][]*Condition{c.all, c.any, c.none} {
		for _, inner := range list {
			all = inner.places(all)
		}
	}
	return all
}

// Depth returns how many levels of keys below its places the rule looks at; math.MaxInt stands for any number.
func (r *Rule) Depth() int {
	if r.Nowhere != nil {
		return math.MaxInt
	}
	depth := r.Key.levels()
	for _, p := range r.policies() {
		depth = max(depth, p.key.levels())
	}
	r.eachCondition(func(c *Condition) {
		depth = max(depth, c.question.Key.levels())
		for _, p := range c.terms.Policies {
			depth = max(depth, p.key.levels())
		}
	})
	return depth
}

// AsksValue reports whether a finding of the rule can be about a value that is there, and not only about a key.
func (r *Rule) AsksValue() bool { return r.Conditions != nil || r.Nowhere != nil || !r.AboutKey }
