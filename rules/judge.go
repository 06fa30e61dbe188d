package rules

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"regvet/hive"
)

// guessedSet is the note of a finding about a control set that may not be the current one.
const guessedSet = "the input does not tell which control set is the current one; this is a guess (--control-set decides)"

// judge compares what is at a key with what a question expects there. It returns one finding, or one for each value that matches a pattern.
func (e *evaluation) judge(q question, t Terms, m hive.Match, s scene, found func(Finding)) {
	t.Valid, t.Data = t.Valid.on(e.windows), t.Data.on(e.windows)
	f := Finding{Severity: t.Severity, Key: m.Live, RealKey: m.Real, Value: q.Value.name(), AboutKey: q.AboutKey, guessed: m.Guessed, byPolicy: t.policy != nil}
	if !s.silent {
		f.Expected = t.Expected()
	}
	if q.AboutKey {
		f.Value = ""
	}
	if m.Guessed {
		f.Notes = append(f.Notes, guessedSet)
	}
	if m.Key == nil {
		if q.Value.open {
			f.Value, t.Fix = q.Value.text, t.Fix.withoutValue()
		}
		found(e.absent(f, t, m.Known, m.Problem, s))
		return
	}
	f.Modified, f.At = m.Key.Modified(), m.Key.At()
	if hidden := m.Key.Hidden(); hidden != nil {
		found(f.unknown(Damaged, fmt.Sprintf("Windows may not find the key: what the list of subkeys holds of the name %q is wrong", hive.Visible(hidden.Name()))))
		return
	}
	switch {
	case q.AboutKey:
		found(e.present(f, t, m.Key, s))
		return
	case !q.Value.open:
		if v, ok := m.Key.Value(f.Value); ok {
			found(e.present(f.observing(v, s), t, m.Key, s))
			return
		}
	default:
		any := false
		for _, v := range m.Key.Values() {
			bound := bindings{}
			if q.Value.match(v.Name, bound) {
				any = true
				g := f.observing(v, s)
				g.Value = v.Name
				found(e.present(g, t, m.Key, s.with(bound)))
			}
		}
		f.Value, t.Fix = q.Value.text, t.Fix.withoutValue()
		if any && m.Key.ValuesKnown() == hive.Whole {
			return
		}
	}
	known := m.Key.ValueKnown(f.Value)
	if q.Value.open {
		known = m.Key.ValuesKnown()
	}
	var damage *hive.Problem
	if known == hive.Damaged {
		damage = m.Key.FirstLoss()
	}
	found(e.absent(f, t, known, damage, s))
}

// observing returns the finding about a value that exists.
func (f Finding) observing(v hive.Value, s scene) Finding {
	f.At = v.At
	if v.Data != nil && !s.silent {
		v.Data = bytes.Clone(v.Data) // so that a finding does not hold the whole hive in memory
	}
	f.Observed = &v
	return f
}

// present returns the answer for a key or value that exists.
func (e *evaluation) present(f Finding, t Terms, key *hive.Key, s scene) Finding {
	v := f.Observed
	if t.Exists != nil && !*t.Exists {
		return e.fail(f, Present, t, s)
	}
	if v == nil {
		if t.Written != nil {
			return e.written(f, t, key, s)
		}
		return f.pass("the key is there")
	}
	if v.Short && (len(t.Types) > 0 || len(t.Valid) > 0 || len(t.Data) > 0) {
		return f.short()
	}
	typ := v.Type
	if t.policy != nil {
		f.meant, typ = t.policy.meant(*v, t.Types)
		switch {
		case f.meant != nil && v.Hidden() != nil:
			return f.hidden()
		case f.meant != nil:
			v = f.meant
		}
	}
	if len(t.Types) > 0 && !slices.Contains(t.Types, typ) {
		return e.fail(f, WrongType, t, s)
	}
	for _, ask := range []struct {
		demand demand
		reason Reason
	}{{t.Valid, OutOfRange}, {t.Data, Mismatch}} {
		beside := &neighbours{key: key, in: e, scene: s}
		answer, err := ask.demand.ask(*v, beside)
		f.Notes = append(f.Notes, beside.notes...)
		switch {
		case err != nil:
			f.Notes = append(f.Notes, err.Error())
			return e.fail(f, WrongType, t, s)
		case answer == perhaps:
			return f.unknown(beside.reason, beside.open)
		}
		further := answer // for those who read on behind an end
		if v.Hidden() != nil {
			if further, err = ask.demand.askAs(readOn, *v, beside); err != nil {
				further = no
			}
		}
		switch {
		case further != answer && (answer == yes || s.asked):
			return f.hidden()
		case answer == no:
			if !s.silent {
				f.decimal = t.decimalOf(f, ask.reason, beside)
			}
			return e.fail(f, ask.reason, t, s)
		}
	}
	if s.silent {
		return f.pass("")
	}
	return f.pass(fmt.Sprintf("%s is %s", ValueName(f.Value), f.actual()))
}

// hidden returns the answer about data that some readers read on in behind their end.
func (f Finding) hidden() Finding {
	return f.unknown(Hidden, fmt.Sprintf("%s is %s; the answer hangs on whether its reader goes on behind that end", ValueName(f.Value), hive.Visible(f.Observed.Display())))
}

// short returns the answer about data that could not be read whole.
func (f Finding) short() Finding {
	f.Observed = nil
	return f.unknown(Damaged, fmt.Sprintf("the data of %s could not be read whole", ValueName(f.Value)))
}

// decimalOf returns the number that the hex digits of a REG_DWORD are if they are read as decimal, if that is in the range, or is what the
// rule wants, where the REG_DWORD is not; else 0. In a hive, where nobody wrote digits, a number in the range is taken for what it is.
func (t Terms) decimalOf(f Finding, reason Reason, beside *neighbours) uint32 {
	n, err := f.Observed.Uint64()
	if err != nil || f.Observed.Type != hive.DWord || t.policy != nil || reason == Mismatch && f.At.Line == 0 {
		return 0
	}
	decimal, err := strconv.ParseUint(strconv.FormatUint(n, 16), 10, 32)
	if err != nil || decimal == n {
		return 0
	}
	meant := *f.Observed
	meant.Data = binary.LittleEndian.AppendUint32(nil, uint32(decimal))
	for _, d := range []demand{t.Valid, t.Data} {
		if answer, err := d.ask(meant, beside); err != nil || answer != yes {
			return 0
		}
		if reason == OutOfRange {
			break // it is enough that the range holds it
		}
	}
	return uint32(decimal)
}

// neighbours are what a demand may ask for beside the data of its own value: the values of the same key, and the folders of the computer.
type neighbours struct {
	key    *hive.Key
	in     *evaluation
	scene  scene
	notes  []string
	open   string // why the answer is left open, or ""
	reason Reason // the same in a word
}

func (n *neighbours) value(name string) (hive.Value, truth) {
	if n == nil {
		return hive.Value{}, perhaps
	}
	if name == defaultValue {
		name = ""
	}
	v, ok := n.key.Value(name)
	known := n.key.ValueKnown(name)
	switch {
	case ok && !v.Short:
		return v, yes
	case ok || known == hive.Damaged:
		n.leave(Damaged, notRead, ValueName(name))
		return v, perhaps
	case known == hive.NotCovered:
		n.leave(NotCovered, notRead, ValueName(name))
		return v, perhaps
	case known == hive.Partial:
		n.leave(Partial, notRead, ValueName(name))
		return v, perhaps
	}
	n.notes = append(n.notes, ValueName(name)+", with which it is compared, is not set")
	return v, no
}

// notRead is why a comparison is left open.
const notRead = "it is compared with %s, which could not be read"

// leave records why the answer is left open.
func (n *neighbours) leave(reason Reason, format string, args ...any) {
	if n != nil && n.open == "" {
		n.reason, n.open = reason, fmt.Sprintf(format, args...)
	}
}

// unread returns the finding about a place below which the input does not show all keys.
func unread(q question, m hive.Match) Finding {
	f := Finding{Key: m.Live, RealKey: m.Real, Value: q.Value.text, AboutKey: q.AboutKey, guessed: m.Guessed}
	switch m.Known {
	case hive.NotCovered:
		return f.unknown(NotCovered, "the input does not cover all keys below this one")
	case hive.Partial:
		return f.unknown(Partial, "the input is a layer of a hive; the layers below may hold more keys below this one")
	}
	return f.unknown(Damaged, "the input is damaged here, so that there may be more keys below this one"+because(m.Problem))
}

func because(damage *hive.Problem) string {
	if damage == nil {
		return ""
	}
	return ": " + damage.At.String() + ": " + damage.Msg
}

// absent returns the answer for a key or value that was not found: what that proves depends on what the input covers.
func (e *evaluation) absent(f Finding, t Terms, known hive.Known, damage *hive.Problem, s scene) Finding {
	switch known {
	case hive.NotCovered:
		return f.unknown(NotCovered, "the input does not cover this key")
	case hive.Partial:
		return f.unknown(Partial, "the input is a layer of a hive; the layers below may hold what it lacks")
	case hive.Damaged:
		return f.unknown(Damaged, "the input is damaged here, so that absence proves nothing"+because(damage))
	}
	what := "the key is not there"
	if !f.AboutKey && !s.silent {
		what = ValueName(f.Value) + " is not set"
	}
	switch d := t.Missing.Default; {
	case t.Exists != nil && !*t.Exists, t.Exists == nil && t.Missing.Pass:
		return f.pass(what)
	case t.Exists == nil && d != nil && !t.Missing.knownOn(e.windows):
		return f.unknown(Undecided, what+"; what this Windows uses then is not known: it is written of "+t.Missing.Windows()+" only")
	case t.Exists == nil && d != nil && t.Data.mayHold(*d, t.Types):
		if s.silent {
			return f.pass("")
		}
		return f.pass(what + "; Windows uses " + hive.Visible(d.plain()))
	}
	if t.Missing.Severity != 0 {
		f.Severity = t.Missing.Severity
	}
	return e.fail(f, NoValue, t, s)
}

func (f Finding) pass(message string) Finding {
	f.Status, f.Message = Pass, message
	return f
}

func (f Finding) unknown(reason Reason, message string) Finding {
	f.Status, f.Reason, f.Message = Unknown, reason, message
	return f
}

func (e *evaluation) fail(f Finding, reason Reason, t Terms, s scene) Finding {
	if s.silent {
		f.Status, f.Reason = Fail, reason
		return f
	}
	template, ok := t.Messages[reason]
	if !ok {
		template = defaultMessages[reason]
		if f.AboutKey {
			template = keyMessages[reason]
		}
	}
	f.Status, f.Reason = Fail, reason
	f.Message = f.fill(template, t, s.bound)
	if !f.byPolicy {
		f.Fix = e.resolve(t.Fix, &f, s)
	}
	f.Alternative = t.Alternative
	return f
}
