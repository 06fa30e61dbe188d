package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Pack is a file of rules on one topic.
type Pack struct {
	Name       string
	Title      string
	References []string
	Rules      []*Rule
	Source     string // the file that it was read from
}

// Rule is one rule of a pack. What it asks for may differ by Windows version: see [Rule.Terms].
type Rule struct {
	ID         string // stable, never used again for another rule
	Pack       string // the name of its pack
	Title      string
	Rationale  string
	References []string // its own and those of its pack
	Tags       []string
	Key        hive.Path // with the full name of its root; may start with CurrentControlSet or HKEY_CURRENT_USER
	Value      string    // name of the value, "" for the default value
	Tests      []Test
	At         hive.Location // where it stands in the file

	base      change
	overrides []override
}

// Terms are what a rule asks for on one version of Windows.
type Terms struct {
	Severity Severity
	Types    []hive.Type // the types that the reader of the value takes; none for any
	Valid    Range       // what the reader of the value takes; what is outside is out of range
	Data     Range       // what the rule wants
	Missing  Missing
	Messages map[Reason]string // templates, see [Finding.Message]
	Fix      *Fix              // nil when there is none
}

// Missing tells what it means when the value is not there.
type Missing struct {
	Severity Severity // of a finding for that reason; 0 for that of the rule
	Pass     bool     // the rule passes
	Default  *uint64  // the data that Windows uses instead, held against Terms.Data; nil where none is known
}

// Fix is what a finding of the rule is remedied with.
type Fix struct {
	Set     hive.Value // under the name of the rule's value
	Restart string     // what must be started anew before the change counts: "computer", "service NAME", "none"
	Note    string
}

// Test is an example that a rule carries to show what it does.
type Test struct {
	Name     string
	Reg      string       // .reg text below the rule's key, or whole sections
	Windows  hive.Version // zero when it does not matter
	Want     Reason
	Severity Severity // 0 when it is not tested
	At       hive.Location
}

// Severity orders findings by what they cost who ignores them. The zero Severity is none.
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

// Reason is why a rule answers as it does; every status but pass has one. In a test, "pass" stands for the status without one.
type Reason string

// The reasons of a fail, and those of an unknown.
const (
	NoValue    Reason = "missing"      // the value is not there, and what Windows does then is not what the rule wants
	WrongType  Reason = "wrong-type"   // the value is of a type that its reader ignores, or its bytes do not fit the type
	OutOfRange Reason = "out-of-range" // the data are outside the documented range
	Mismatch   Reason = "mismatch"     // the data are valid, but not what the rule wants
	NotCovered Reason = "not-covered"  // the input does not speak of the place
	Damaged    Reason = "damaged"      // the input spoke of it, but not all could be read
)

var failReasons = []Reason{NoValue, WrongType, OutOfRange, Mismatch}

// change is a part of a rule that an override may change; what is not set stays as it was.
type change struct {
	severity    Severity
	types       []hive.Type
	valid, data *Range
	missing     *Missing
	missingSev  Severity
	messages    map[Reason]string
	fix         *Fix
}

func (c change) apply(t *Terms) {
	if c.severity != 0 {
		t.Severity = c.severity
	}
	if c.types != nil {
		t.Types = c.types
	}
	if c.valid != nil {
		t.Valid = *c.valid
	}
	if c.data != nil {
		t.Data = *c.data
	}
	if c.missing != nil {
		severity := t.Missing.Severity
		t.Missing = *c.missing
		t.Missing.Severity = severity
	}
	if c.missingSev != 0 {
		t.Missing.Severity = c.missingSev
	}
	for reason, text := range c.messages {
		t.Messages[reason] = text
	}
	if c.fix != nil {
		t.Fix = c.fix
	}
}

// override is what differs on some versions of Windows.
type override struct {
	when versionRange
	change
}

// Terms gives what the rule asks for on the given Windows. Overrides count in their order, the later over the earlier. Where the
// version is not known well enough to tell whether one counts, it does not.
func (r *Rule) Terms(w hive.Windows) Terms {
	return r.terms(func(o override) bool { return o.when.holds(w) == yes })
}

// mostTerms is [Rule.Terms] with every override that may count.
func (r *Rule) mostTerms(w hive.Windows) Terms {
	return r.terms(func(o override) bool { return o.when.holds(w) != no })
}

func (r *Rule) terms(counts func(override) bool) Terms {
	t := Terms{Valid: everything, Data: everything, Messages: map[Reason]string{}}
	r.base.apply(&t)
	for _, o := range r.overrides {
		if counts(o) {
			o.apply(&t)
		}
	}
	return t
}

// Variant is what a rule asks for on some versions of Windows.
type Variant struct {
	When  string // the versions, "" for where no override counts
	Terms Terms
}

// Variants gives what the rule asks for where no override counts, and at the lowest version that each override is for.
func (r *Rule) Variants() []Variant {
	all := []Variant{{"", r.Terms(hive.Windows{})}}
	for _, o := range r.overrides {
		all = append(all, Variant{o.when.String(), r.Terms(hive.Exactly(o.when.from))})
	}
	return all
}

// Expected says what the rule wants, type and data.
func (t Terms) Expected() string {
	var parts []string
	if len(t.Types) > 0 {
		var names []string
		for _, typ := range t.Types {
			names = append(names, typ.String())
		}
		parts = append(parts, strings.Join(names, " or "))
	}
	if want := t.want(); want != everything {
		parts = append(parts, want.String())
	}
	return strings.Join(parts, ", ")
}

// want is what is valid and wanted.
func (t Terms) want() Range { return t.Valid.and(t.Data) }

// String says what the fix does.
func (f Fix) String() string {
	text := fmt.Sprintf("set %s to %s %s", ValueName(f.Set.Name), f.Set.Type, f.Set.Display())
	switch {
	case f.Restart == "computer":
		text += ", then restart the computer"
	case strings.HasPrefix(f.Restart, "service "):
		text += ", then restart the " + f.Restart
	}
	return text
}

// ValueName names a value for people: the default value has no name of its own.
func ValueName(name string) string {
	if name == "" {
		return "(default)"
	}
	return hive.Visible(name)
}
