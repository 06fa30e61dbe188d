package rules

import (
	"time"

	"regvet/hive"
)

// Waiver says why a finding is accepted. A finding that is waived is shown, and counts for nothing.
type Waiver struct {
	Reason string
	Until  time.Time // the last day, UTC; zero for no end
}

// String returns for people until when the finding is accepted, and why.
func (w Waiver) String() string {
	if w.Until.IsZero() {
		return "waived: " + w.Reason
	}
	return "waived until " + w.Until.Format(time.DateOnly) + ": " + w.Reason
}

// OwnPack is the pack of the rules that are about the config of regvet and not about a registry. They cannot be waived.
const OwnPack = "regvet"

// OwnRule is a rule about the config.
type OwnRule struct{ Rule }

// The rules about waivers.
var (
	WithoutReason = &OwnRule{Rule{
		ID: "REGVET-WaiverWithoutReason", Pack: OwnPack, Title: "A waiver in the config has no reason", base: change{severity: Medium}, question: question{AboutKey: true},
		Rationale: "Whoever reads the config later must be able to see whether a waiver is still right. One without a reason waives nothing.",
	}}
	Overdue = &OwnRule{Rule{
		ID: "REGVET-WaiverOverdue", Pack: OwnPack, Title: "A waiver in the config is past its date", base: change{severity: Medium}, question: question{AboutKey: true},
		Rationale: "The finding was accepted until a day that is over. From then on the waiver waives nothing, so that the decision is made anew.",
	}}
)

// OwnRules returns all of them.
func OwnRules() []*Rule { return []*Rule{&WithoutReason.Rule, &Overdue.Rule} }

// About returns the finding of the rule about a place in a config. What stands there tells such findings apart.
func (r *OwnRule) About(what string, at hive.Location, reason Reason, expected, message string) Finding {
	return Finding{Rule: &r.Rule, Status: Fail, Reason: reason, Severity: r.base.severity, AboutKey: true, Value: what, At: at, Expected: expected, Message: message}
}
