package rules

import "time"

// Waiver says why a finding is accepted. A finding that is waived is shown, and counts for nothing.
type Waiver struct {
	Reason string
	Until  time.Time // the last day, UTC; zero for no end
}
