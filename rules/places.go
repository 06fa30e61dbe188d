package rules

import "regvet/hive"

// Places lists the keys at or below which the rule looks: the paths that it names, up to their first pattern.
func (r *Rule) Places() []hive.Path {
	var all []hive.Path
	if len(r.Key.base) > 0 {
		all = append(all, r.Key.base)
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
	for _, list := range [][]*Condition{c.all, c.any, c.none} {
		for _, inner := range list {
			all = inner.places(all)
		}
	}
	return all
}

// Levels returns how many levels of keys below its places the rule looks at; math.MaxInt stands for any number.
func (r *Rule) Levels() int {
	levels := r.Key.levels()
	r.eachCondition(func(c *Condition) { levels = max(levels, c.question.Key.levels()) })
	return levels
}

// AsksValue reports whether a finding of the rule can be about a value that is there, and not only about a key.
func (r *Rule) AsksValue() bool { return r.Conditions != nil || !r.AboutKey }
