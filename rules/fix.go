package rules

import (
	"slices"
	"strings"

	"regvet/hive"
)

// Fix is the remedy for a finding of a rule.
type Fix struct {
	Steps   []Step // in their order
	Restart string // what must be restarted before the change takes effect: "computer", "service NAME", "none"
	Note    string
	Because string // why a person must decide on it; "" for a safe fix

	unsound bool   // whether there were mistakes in it; no such fix leaves this package
	does    string // of a fix without steps, see [RecordedFix]
}

// Step is one change that a fix makes.
type Step struct {
	// Edit is the change. In a rule it lacks what depends on the place: its path if that is the key of the finding, and data and names that
	// hold bound names.
	Edit hive.Edit

	real  hive.Path // of a finding: where the input has the key
	key   *keyPattern
	value *pattern
	data  datum
	at    hive.Location
}

// Safe reports whether the fix can be made without a decision: it breaks nothing that somebody may rely on, it can be taken back on the machine
// itself, and a vendor recommends it for this Windows.
func (f Fix) Safe() bool { return f.Because == "" }

// Edits returns the changes that remedy a finding on the running system. Those of a rule itself are not complete, see [Step].
func (f Fix) Edits() (edits []hive.Edit) {
	for _, s := range f.Steps {
		edits = append(edits, s.Edit)
	}
	return edits
}

// String returns what the fix does, for people.
func (f Fix) String() string {
	if f.does != "" {
		return f.does
	}
	text := strings.Join(each(f.Steps, Step.String), ", then ")
	switch {
	case f.Restart == "computer":
		text += ", then restart the computer"
	case strings.HasPrefix(f.Restart, "service "):
		text += ", then restart the " + f.Restart
	}
	return text
}

// String returns what the step does, for people. It names the key if that is not the key of the rule.
func (s Step) String() string {
	key := ""
	if s.key != nil {
		key = "the key " + hive.Visible(s.key.String())
		if s.Edit.Path != nil {
			key = "the key " + hive.Visible(s.Edit.Path.String())
		}
	}
	name := ValueName(s.Edit.Value.Name)
	if s.value != nil && s.value.open && s.Edit.Path == nil {
		name = ValueName(s.value.text)
	}
	of := ""
	if key != "" {
		of = " of " + key
	}
	switch s.Edit.Op {
	case hive.DeleteKey:
		if key == "" {
			key = "the key"
		}
		return "delete " + key
	case hive.DeleteValue:
		return "delete " + name + of
	}
	return "set " + name + of + " to " + s.Edit.Value.Type.String() + " " + hive.Visible(s.Edit.Value.Display())
}

// own reports whether the step changes the value that the rule is about.
func (s Step) own() bool { return s.key == nil && s.value == nil }

// withoutValue returns the fix for a place without a known value, or nil if the fix changes the value of the rule.
func (f *Fix) withoutValue() *Fix {
	if f == nil || slices.ContainsFunc(f.Steps, func(s Step) bool { return s.value == nil && s.Edit.Op != hive.DeleteKey }) {
		return nil
	}
	return f
}

// resolve returns the fix for the place of a finding, or nil if the place is not known: a pattern matched nothing, so that its names are not
// bound, or the bound text is no valid data.
func (e *evaluation) resolve(fix *Fix, f *Finding, s scene) *Fix {
	if fix == nil {
		return nil
	}
	at := *fix
	at.Steps = slices.Clone(fix.Steps)
	for i := range at.Steps {
		step := &at.Steps[i]
		step.Edit.Path, step.real = f.Key, f.RealKey
		if step.key != nil {
			key := step.key.fill(s.bound)
			if key.isPattern() {
				return nil
			}
			places := e.find(key.base, s)
			step.Edit.Path, step.real = places[0].Live, places[0].Real
			f.guessed = f.guessed || places[0].Guessed || len(places) > 1
		}
		name := f.Value
		if step.value != nil {
			value := step.value.fill(s.bound)
			if value.open {
				return nil
			}
			name = value.name()
		}
		if step.Edit.Op == hive.SetValue {
			if filled, ok := step.data.fill(s.bound); ok {
				v, why := filled.as(step.Edit.Value.Type)
				if why != "" {
					return nil
				}
				step.Edit.Value = v
			}
		}
		if step.Edit.Op != hive.DeleteKey {
			step.Edit.Value.Name = name
		}
	}
	return &at
}

// fill returns text with its bound names filled in, and whether all of them are bound.
func (d datum) fill(bound bindings) (filled datum, ok bool) {
	filled = d
	filled.text, filled.list = bound.put(d.text), each(d.list, bound.put)
	return filled, !filled.equal(d)
}

// put replaces bound names in text by what they are bound to.
func (b bindings) put(text string) string {
	var pairs []string
	for name, what := range b {
		pairs = append(pairs, "{"+name+"}", what)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
