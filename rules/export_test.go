package rules

// Possible returns the answers that the input leaves open, of a finding that is undecided.
func (f Finding) Possible() []Finding { return f.possible }
