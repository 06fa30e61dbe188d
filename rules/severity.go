package rules

import "slices"

// Severity orders findings by the cost of ignoring them. The zero Severity is none.
type Severity int

// The severities, from the lowest.
const (
	Info Severity = iota + 1
	Low
	Medium
	High
	Critical
)

var severityNames = []string{"info", "low", "medium", "high", "critical"}

// SeverityNames lists the severities by name, from the lowest.
func SeverityNames() []string { return severityNames }

func (s Severity) String() string {
	if s < Info || s > Critical {
		return "none"
	}
	return severityNames[s-1]
}

// ParseSeverity finds a severity by its name.
func ParseSeverity(name string) (Severity, bool) {
	i := slices.Index(severityNames, name)
	return Severity(i + 1), i >= 0
}

// Status is the answer of a rule.
type Status string

// The three answers.
const (
	Pass    Status = "pass"
	Fail    Status = "fail"
	Unknown Status = "unknown"
)

// Reason is why a rule answers as it does; every status but pass has one. In a test, "pass" stands for no reason.
type Reason string

// The reasons of a fail, and those of an unknown.
const (
	NoValue    Reason = "missing"      // the value or key does not exist, and what Windows does then is not what the rule wants
	WrongType  Reason = "wrong-type"   // the value is of a type that its reader ignores, or its bytes do not fit the type
	OutOfRange Reason = "out-of-range" // the data are outside the documented range
	Mismatch   Reason = "mismatch"     // the data are valid, but not what the rule wants
	Present    Reason = "present"      // it exists, and must not

	NotCovered    Reason = "not-covered"    // the input does not cover the place
	Damaged       Reason = "damaged"        // the input covers it, but not all of it could be read
	Partial       Reason = "partial"        // the input is a layer of a hive, and the layers below may hold it
	Hidden        Reason = "hidden"         // data behind an end at which some readers stop; what they read passes, and what others read does not
	Undecided     Reason = "undecided"      // what the input does not tell, such as the Windows version, leaves answers open that differ
	NotApplicable Reason = "not-applicable" // the rule is not for this Windows, or not for this place
)

var (
	failReasons    = []Reason{NoValue, WrongType, OutOfRange, Mismatch, Present}
	unknownReasons = []Reason{NotCovered, Damaged, Partial, Hidden, Undecided, NotApplicable}
)
