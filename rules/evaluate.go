package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Evaluate gives the answer of each rule at each key that its path leads to, in the order of the rules. The Windows version
// decides which overrides count. Neither the registry nor the rules are changed.
func Evaluate(reg *hive.Registry, w hive.Windows, rules []*Rule) []Finding {
	var all []Finding
	for _, r := range rules {
		terms, most := r.Terms(w), r.mostTerms(w)
		var found []Finding
		for _, m := range reg.Find(r.Key) {
			f := r.judge(m, terms)
			// Overrides that may or may not count are worth a word only where they make a difference.
			if g := r.judge(m, most); g.Status != f.Status || g.Reason != f.Reason || g.Severity != f.Severity || g.Message != f.Message {
				f.Notes = append(f.Notes, fmt.Sprintf("the Windows version is not known well enough, and the answer may depend on it (%s); --windows tells it", strings.Join(r.versions(), ", ")))
			}
			found = append(found, f)
		}
		if reg.EachControlSet() {
			compareSets(found)
		}
		all = append(all, found...)
	}
	return all
}

// compareSets notes where the control sets hold different data, as when a fix was made in one of them only.
func compareSets(found []Finding) {
	var states []string
	for _, f := range found {
		state := "cannot be told"
		switch {
		case f.Observed != nil:
			state = fmt.Sprintf("is %s %s", f.Observed.Type, hive.Visible(f.Observed.Display()))
		case f.Status != Unknown:
			state = "is not set"
		}
		states = append(states, state)
	}
	if len(states) < 2 || !slices.ContainsFunc(states, func(s string) bool { return s != states[0] }) {
		return
	}
	for i, f := range found {
		set := hive.ControlSetOf(f.RealKey)
		if set == "" {
			return // several users, say
		}
		states[i] = fmt.Sprintf("in %s it %s", set, states[i])
	}
	for i := range found {
		found[i].Notes = append(found[i].Notes, "the control sets differ: "+strings.Join(states, ", "))
	}
}

// versions lists the ranges of Windows versions on which the rule asks for something else.
func (r *Rule) versions() []string {
	var all []string
	for _, o := range r.overrides {
		all = append(all, o.when.String())
	}
	return all
}

// judge answers the rule at one place.
func (r *Rule) judge(m hive.Match, t Terms) Finding {
	f := Finding{Rule: r, Severity: t.Severity, Key: m.Live, RealKey: m.Real, Value: r.Value, Expected: t.Expected(), Fix: t.Fix, guessed: m.Guessed}
	if m.Guessed {
		f.Notes = append(f.Notes, "the input does not tell which control set is the current one; this is a guess (--control-set decides)")
	}
	if m.Key == nil {
		return f.absent(t, m.Known, m.Problem)
	}
	f.Modified, f.At = m.Key.Modified(), m.Key.At()
	v, ok := m.Key.Value(r.Value)
	if !ok {
		known := m.Key.ValuesKnown()
		var damage *hive.Problem
		if known == hive.Damaged {
			damage = m.Key.FirstLoss()
		}
		return f.absent(t, known, damage)
	}
	f.At = v.At
	if v.Short {
		return f.unknown(Damaged, fmt.Sprintf("the data of %s could not be read whole", ValueName(r.Value)))
	}
	v.Data = bytes.Clone(v.Data) // so that a finding does not hold the whole hive in memory
	f.Observed = &v
	if len(t.Types) > 0 && !slices.Contains(t.Types, v.Type) {
		return f.fail(WrongType, t)
	}
	if t.want() != everything {
		n, err := v.Uint64()
		switch {
		case err != nil:
			f = f.fail(WrongType, t)
			f.Notes = append(f.Notes, err.Error())
			return f
		case !t.Valid.has(n):
			return f.fail(OutOfRange, t)
		case !t.Data.has(n):
			return f.fail(Mismatch, t)
		}
	}
	return f.pass(fmt.Sprintf("%s is %s", ValueName(r.Value), hive.Visible(v.Display())))
}

// absent answers for a value that was not found, by what that proves.
func (f Finding) absent(t Terms, known hive.Known, damage *hive.Problem) Finding {
	switch known {
	case hive.NotCovered:
		return f.unknown(NotCovered, "the input does not cover this key")
	case hive.Damaged:
		text := "the input is damaged here, so that absence proves nothing"
		if damage != nil {
			text += ": " + damage.At.String() + ": " + damage.Msg
		}
		return f.unknown(Damaged, text)
	}
	if d := t.Missing.Default; t.Missing.Pass || d != nil && t.Data.has(*d) {
		text := ValueName(f.Value) + " is not set"
		if d != nil {
			text += fmt.Sprintf("; Windows uses %d", *d)
		}
		return f.pass(text)
	}
	if t.Missing.Severity != 0 {
		f.Severity = t.Missing.Severity
	}
	return f.fail(NoValue, t)
}

func (f Finding) pass(message string) Finding {
	f.Status, f.Message = Pass, message
	return f
}

func (f Finding) unknown(reason Reason, message string) Finding {
	f.Status, f.Reason, f.Message = Unknown, reason, message
	return f
}

func (f Finding) fail(reason Reason, t Terms) Finding {
	template, ok := t.Messages[reason]
	if !ok {
		template = defaultMessages[reason]
	}
	f.Status, f.Reason, f.Message = Fail, reason, f.fill(template, t)
	return f
}
