package rules

import (
	"slices"
	"strings"

	"regvet/hive"
)

// Fix is what a finding of the rule is remedied with.
type Fix struct {
	Steps   []Step // in their order
	Restart string // what must be started anew before the change counts: "computer", "service NAME", "none"
	Note    string

	unsound bool // as it was read; no such fix leaves this package
}

// Step is one change that a fix makes.
type Step struct {
	// Edit is the change. Of a rule it lacks what a place alone can tell: the path where that is the key of the finding, and
	// data and names into which bound names are to be filled.
	Edit hive.Edit

	real  hive.Path // of a finding: where the input has the key
	key   *keyPattern
	value *pattern
	data  datum
	at    hive.Location
}

// Edits are the changes that remedy a finding on the running system. Of a rule they are not complete, see [Step].
func (f Fix) Edits() (edits []hive.Edit) {
	for _, s := range f.Steps {
		edits = append(edits, s.Edit)
	}
	return edits
}

// String says what the fix does.
func (f Fix) String() string {
	text := strings.Join(each(f.Steps, Step.String), ", then ")
	switch {
	case f.Restart == "computer":
		text += ", then restart the computer"
	case strings.HasPrefix(f.Restart, "service "):
		text += ", then restart the " + f.Restart
	}
	return text
}

// String says what the step does. A key is named where it is not the one that the rule is about.
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

// own tells that the step changes the value that the rule is about.
func (s Step) own() bool { return s.key == nil && s.value == nil }

// withoutValue gives the fix for where no value is known that it could change; nil when it changes the value of the rule.
func (f *Fix) withoutValue() *Fix {
	if f == nil || slices.ContainsFunc(f.Steps, func(s Step) bool { return s.value == nil && s.Edit.Op != hive.DeleteKey }) {
		return nil
	}
	return f
}

// resolve gives the fix as it is at the place of a finding. It is nil where nothing tells the place: where a pattern met nothing, so
// that its names are not bound; and where what is bound does not make data.
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

// fill puts what is bound into text. It is not ok where there is nothing to put.
func (d datum) fill(bound bindings) (filled datum, ok bool) {
	filled = d
	filled.text, filled.list = bound.put(d.text), each(d.list, bound.put)
	return filled, !filled.equal(d)
}

// put writes what is bound in the place of its names in text.
func (b bindings) put(text string) string {
	var pairs []string
	for name, what := range b {
		pairs = append(pairs, "{"+name+"}", what)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
