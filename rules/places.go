package rules

import "regvet/hive"

// Places lists the keys at or below which the rule looks: the paths that it names, up to their first pattern.
func (r *Rule) Places() []hive.Path {
	var all []hive.Path
	if len(r.Key.base) > 0 {
		all = append(all, r.Key.base)
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
