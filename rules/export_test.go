package rules

import "regvet/hive"

// Possible returns the answers that the input leaves open, of a finding that is undecided.
func (f Finding) Possible() []Finding { return f.possible }

// Scene returns what a test of the rule is about.
func (r *Rule) Scene(t Test) (*hive.Registry, hive.Windows, error) {
	reg, err := r.testRegistry(t)
	if err != nil {
		return nil, hive.Windows{}, err
	}
	return reg, r.testWindows(t, reg), nil
}
