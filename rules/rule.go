package rules

import (
	"io/fs"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// Pack is a file of rules on one topic.
type Pack struct {
	Name       string
	Title      string
	References []string
	Lists      []*List
	Rules      []*Rule
	Source     string // the file that it was read from
	SHA256     string // of the file, in hex

	files fs.FS // the folder of the file; nil if it was not read from one
}

// Rule is one rule of a pack. What it asks for may differ by Windows version: see [Rule.Terms].
type Rule struct {
	ID         string // stable, never used again for another rule
	Pack       string // the name of its pack
	Title      string
	Rationale  string
	References []string // its own and those of its pack
	Tags       []string
	CoveredBy  string     // the rule that asks the same and more, see [Distinct]; "" for none
	Levels     []string   // the published baselines that ask for it
	Sources    []Source   // where it stands in files for other programs; none for a rule that was written for regvet
	question              // where it looks; a rule of conditions may have no key
	Inventory  *Inventory // how what is there is listed, in place of a verdict; nil for nearly all rules
	Conditions *Condition // what must hold, instead of what is expected of a value; nil for most rules
	Nowhere    *traits    // what no key and no value may be like, instead of both; nil for most rules
	When       *Condition // where the rule applies; nil for everywhere
	Caveat     string     // what a failure of the rule does not tell; "" for nothing
	Tests      []Test
	At         hive.Location // where it stands in the file

	base      change
	overrides []override
	assume    *versionRange    // the versions whose answer stands if the input tells nothing of the version; nil for none
	source    string           // the file that it was read from
	files     fs.FS            // the folder of that file, for its tests
	lists     map[string]*List // those that its messages tell about
	asks      string           // of a rule with sources: what it asks, see [asked]
}

// File returns the path of the file that the rule was read from, or "" for a built-in rule.
func (r *Rule) File() string {
	if strings.HasPrefix(r.source, builtIn) {
		return ""
	}
	return r.source
}

// Terms are what a rule asks for on one version of Windows.
type Terms struct {
	Severity Severity
	Exists   *bool        // whether it must exist at all; nil if Missing says what absence means
	Types    []hive.Type  // the types that the reader of the value takes; none for any
	Valid    demand       // the data that the reader of the value takes; others are out of range
	Data     demand       // the data that the rule wants
	Written  *lastWritten // what it wants of the last write of a key; nil for nothing
	Missing  Missing
	Messages map[Reason]string // templates: {value}, {actual} and the like stand for what was found
	Fix      *Fix              // nil if there is none
	Policies []Policy          // the places that go before the value, in their order

	Alternative string // a remedy that is no change of the registry, such as a command; "" for none

	policy   *Policy          // whose value is judged, in place of the local one; nil for the local one
	expected string           // the result of Expected, once it is known
	lists    map[string]*List // those that its messages tell about
}

// Missing is what it means that the value does not exist.
type Missing struct {
	Severity Severity // of a finding for that reason; 0 for that of the rule
	Pass     bool     // the rule passes
	Default  *datum   // the data that Windows uses instead, compared with Terms.Data; nil if not known
	Source   []string // where that is written

	windows *versionRange // the versions of Windows of which that is written; nil for all
}

// Windows returns for people of which versions of Windows it is written what Windows uses instead, or "" for all.
func (m Missing) Windows() string {
	if m.windows == nil {
		return ""
	}
	return m.windows.named()
}

// knownOn reports whether the default may be that of a Windows. Where it cannot, nobody knows what Windows does without the value.
func (m Missing) knownOn(w hive.Windows) bool { return m.windows == nil || m.windows.holds(w) != no }

// Test is an example that a rule carries to show what it does.
type Test struct {
	Name     string
	Reg      string       // .reg text below the rule's key, or whole sections
	Hive     string       // instead of Reg, a hive: a file in the folder of the pack
	written  []keyTime    // when keys of the text were last written
	Windows  hive.Windows // the zero Windows if it does not matter
	Product  string       // workstation, server or domain-controller; "" if it does not matter
	Edition  string       // a word for an edition such as home; "" if it does not matter
	Want     Reason
	Severity Severity // 0 if it is not tested
	At       hive.Location
}

// change is the part of a rule that an override may change; what is not set stays as it was.
type change struct {
	severity    Severity
	exists      *bool
	types       []hive.Type
	valid, data demand
	written     *lastWritten
	missing     *Missing
	missingSev  Severity
	messages    map[Reason]strict.Located[string]
	fix         *Fix
	policies    []Policy
	alternative string
}

func (c change) apply(t *Terms) {
	if c.severity != 0 {
		t.Severity = c.severity
	}
	if c.exists != nil {
		if t.Exists = c.exists; !*c.exists {
			t.Types, t.Valid, t.Data, t.Written = nil, nil, nil, nil // what must not be there has no type, no data and no time
		}
	}
	if c.types != nil {
		t.Types = c.types
	}
	if c.valid != nil {
		t.Valid = c.valid
	}
	if c.data != nil {
		t.Data = c.data
	}
	if c.written != nil {
		t.Written = c.written
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
		t.Messages[reason] = text.V
	}
	if c.fix != nil {
		t.Fix = c.fix
	}
	if c.policies != nil {
		t.Policies = c.policies
	}
	if c.alternative != "" {
		t.Alternative = c.alternative
	}
}

// override is what a rule changes where a condition holds.
type override struct {
	when *Condition
	change
	at hive.Location
}

// Terms returns what the rule asks for on the given Windows. Later overrides win over earlier ones. An override whose condition is left open does
// not count.
func (r *Rule) Terms(w hive.Windows) Terms {
	return r.terms(func(o override) bool { return o.when.onWindows(w) == yes })
}

func (r *Rule) terms(counts func(override) bool) Terms {
	t := Terms{Messages: map[Reason]string{}, lists: r.lists}
	r.base.apply(&t)
	for _, o := range r.overrides {
		if counts(o) {
			o.apply(&t)
		}
	}
	t.expected = t.Expected()
	return t
}

// Variant is what a rule asks for where some condition holds.
type Variant struct {
	When  string // the condition, "" for where no override counts
	Terms Terms
}

// Variants returns what the rule asks for without overrides, and with each of its overrides: together with the others that count on the lowest
// version of Windows that it is for.
func (r *Rule) Variants() []Variant {
	all := []Variant{{"", r.Terms(hive.Windows{})}}
	for i, o := range r.overrides {
		w := hive.Windows{}
		if v := o.when.windows; v != nil {
			w = hive.Exactly(v.from)
		}
		at := -1
		terms := r.terms(func(other override) bool { at++; return at == i || other.when.onWindows(w) == yes })
		all = append(all, Variant{o.when.String(), terms})
	}
	return all
}

// eachCondition calls f for all conditions of the rule, nested ones included.
func (r *Rule) eachCondition(f func(*Condition)) {
	for _, c := range []*Condition{r.Conditions, r.When} {
		if c != nil {
			c.each(f)
		}
	}
	for _, o := range r.overrides {
		if o.when != nil {
			o.when.each(f)
		}
	}
}

// Assumes returns for people which versions of Windows the rule answers for if the input tells nothing of the version, or "" if it answers for
// all of them.
func (r *Rule) Assumes() string {
	if r.assume == nil {
		return ""
	}
	return r.assume.named() + " where the version is not known"
}

// asksVersion reports whether a condition of the rule names a version of Windows.
func (r *Rule) asksVersion() (asks bool) {
	r.eachCondition(func(c *Condition) { asks = asks || c.windows != nil })
	return asks
}

// boundNames lists the names that the rule binds.
func (r *Rule) boundNames() []string { return r.question.names() }

// Expected returns what the rule wants, for people: whether it must exist, type and data.
func (t Terms) Expected() string {
	var parts []string
	switch {
	case t.expected != "":
		return t.expected
	case t.Exists == nil:
	case *t.Exists && !t.asksMore():
		return "present"
	case !*t.Exists:
		return "absent"
	}
	if len(t.Types) > 0 {
		parts = append(parts, strings.Join(each(t.Types, hive.Type.String), " or "))
	}
	if len(t.Valid) > 0 || len(t.Data) > 0 {
		parts = append(parts, t.want())
	}
	if t.Written != nil {
		parts = append(parts, "last written "+t.Written.String())
	}
	return strings.Join(parts, ", ")
}

// asksMore reports whether the terms ask for more than existence.
func (t Terms) asksMore() bool {
	return len(t.Types) > 0 || len(t.Valid) > 0 || len(t.Data) > 0 || t.Written != nil
}

// want returns the wanted data for people. If Valid and Data are numbers, that is what they have in common.
func (t Terms) want() string {
	if t.Written != nil {
		return t.Written.String()
	}
	both := slices.Concat(t.Valid, t.Data)
	if set, ok := both.numbers(); ok && len(set) == 1 || len(t.Data) == 0 {
		return both.String()
	}
	return t.Data.String()
}

// passesAbsent reports whether the rule passes without the value.
func (t Terms) passesAbsent() bool {
	if t.Exists != nil {
		return !*t.Exists
	}
	return t.Missing.Pass || t.Missing.Default != nil && t.Data.mayHold(*t.Missing.Default, t.Types)
}

// ValueName returns the name of a value for people: (default) for the default value, which has no name.
func ValueName(name string) string {
	if name == "" {
		return defaultValue
	}
	return hive.Visible(name)
}

// defaultValue is how the default value of a key, which has no name, is written.
const defaultValue = "(default)"
