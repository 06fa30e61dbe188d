package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"regvet/hive"
)

// lastWritten is what a rule asks of the last write of a key: bounds that its time must keep, and whether it has a fraction of a second.
type lastWritten struct {
	bounds    []bound
	tolerance tolerance     // by how much it may exceed a bound
	whole     *bool         // whether it must be a whole second or must not; nil for either
	at        hive.Location // its place in the rule file
}

// bound is a moment that a time must be before or after.
type bound struct {
	text   string // for people: "not after"
	upper  bool   // the time must be before the moment, else after it
	strict bool   // it must not be the moment itself
	moment moment
}

// moment is what a time is compared with: a date, the last write of a key or of the hive, or the last shutdown.
type moment struct {
	text string // as the rule writes it, with the full name of a root
	kind momentKind
	date time.Time
	key  keyPattern
	at   hive.Location
}

type momentKind uint8

const (
	aDate momentKind = iota
	aKey
	theHive
	theShutdown
)

// momentWords are the moments that have a name.
var momentWords = map[string]momentKind{"hive": theHive, "shutdown": theShutdown}

// tolerance is a length of time and how it was written.
type tolerance struct {
	text   string
	length time.Duration
}

// String returns the end of a text about a time, which names the tolerance if there is one.
func (t tolerance) String() string {
	if t.length == 0 {
		return ""
	}
	return ", give or take " + t.text
}

// String returns what is asked, for people: "not before 1993-07-27 and before 2100-01-01".
func (w *lastWritten) String() string {
	parts := each(w.bounds, func(b bound) string { return b.text + " " + b.moment.String() })
	if w.whole != nil {
		parts = append(parts, wholeText(*w.whole))
	}
	return strings.Join(parts, " and ") + w.tolerance.String()
}

func (m moment) String() string {
	switch m.kind {
	case aKey:
		return "the last write of " + hive.Visible(m.text)
	case theHive:
		return "the last write of its hive"
	case theShutdown:
		return "the last shutdown"
	}
	return m.text
}

// names lists the names that must be bound where the time is evaluated.
func (w *lastWritten) names() (all []string) {
	if w != nil {
		for _, b := range w.bounds {
			all = append(all, b.moment.key.names()...)
		}
	}
	return all
}

// keeps reports whether a time keeps the bound, whose moment is known.
func (b bound) keeps(t, moment time.Time, tolerance time.Duration) bool {
	order := t.Compare(moment.Add(tolerance))
	if !b.upper {
		order = moment.Add(-tolerance).Compare(t)
	}
	return order < 0 || order == 0 && !b.strict
}

// nothing reports whether no time can keep all bounds, as far as their dates show that.
func (w *lastWritten) nothing() bool {
	for _, high := range w.bounds {
		for _, low := range w.bounds {
			if high.upper && !low.upper && high.moment.kind == aDate && low.moment.kind == aDate {
				// This is the latest time that keeps the upper bound.
				last := high.moment.date.Add(w.tolerance.length)
				if high.strict {
					last = last.Add(-filetimeStep)
				}
				if !low.keeps(last, low.moment.date, w.tolerance.length) {
					return true
				}
			}
		}
	}
	return false
}

// filetimeStep is the resolution of the times in hives.
const filetimeStep = 100 * time.Nanosecond

// instant is a moment as the input has it.
type instant struct {
	time   time.Time
	known  truth  // no if it is certain that there is no such moment
	text   string // for people; if it is not known, why
	reason Reason // of perhaps
}

// String returns the moment with its time, for people.
func (i instant) String() string {
	if i.text == "" {
		return timestamp(i.time)
	}
	return i.text + " " + timestamp(i.time)
}

// written compares the last write of a key with what is asked of it. A bound that is not kept decides, even if another one is open.
func (e *evaluation) written(f Finding, t Terms, key *hive.Key, s scene) Finding {
	f.written = new(string)
	if !key.Dated() {
		return f.unknown(NotCovered, "the input does not tell when the key was last written")
	}
	w := t.Written
	stored := key.Filetime()
	switch {
	case stored == 0:
		return f.unknown(NotCovered, "the time at which the key was last written is not set")
	case !stored.IsSet():
		return f.unknown(NotCovered, fmt.Sprintf("the key was last written at 0x%016x, which is no time", uint64(stored)))
	}
	at := stored.UTC()
	var kept []string
	var open *instant
	for _, b := range w.bounds {
		m := e.moment(b.moment, f.RealKey, s)
		switch {
		case m.known == perhaps:
			if open == nil {
				open = &m
			}
		case m.known == no:
			f.Notes = append(f.Notes, m.text+", with whose last write it is compared, is not there")
		case !b.keeps(at, m.time, w.tolerance.length):
			return e.failWritten(f, t, s, m.String(), b.text+" "+m.String()+w.tolerance.String())
		case !s.counted && !s.silent:
			kept = append(kept, b.text+" "+m.String()+w.tolerance.String())
			limit := m.String()
			f.written = &limit
		}
	}
	if whole := at.Nanosecond() == 0; w.whole != nil && whole != *w.whole {
		return e.failWritten(f, t, s, "", wholeText(*w.whole))
	}
	switch {
	case open != nil:
		return f.unknown(open.reason, open.text)
	case s.counted || s.silent:
		return f.pass("")
	}
	return f.pass(strings.TrimRight("the key was last written "+timestamp(at)+", "+strings.Join(kept, " and "), ", "))
}

// keepsTime reports whether the last write of a key at a real place surely is what is asked of it, where no bound is the time of another key.
func (e *evaluation) keepsTime(w *lastWritten, key *hive.Key, real hive.Path) bool {
	if !key.Dated() || !key.Filetime().IsSet() {
		return false
	}
	at := key.Filetime().UTC()
	for _, b := range w.bounds {
		if m := e.moment(b.moment, real, scene{}); m.known != yes || !b.keeps(at, m.time, w.tolerance.length) {
			return false
		}
	}
	return w.whole == nil || *w.whole == (at.Nanosecond() == 0)
}

// wholeText returns whether a time must be a whole second, for people.
func wholeText(whole bool) string {
	if whole {
		return "at a whole second"
	}
	return "not at a whole second"
}

// failWritten returns the failure about a time, with what it was compared with for its message.
func (e *evaluation) failWritten(f Finding, t Terms, s scene, limit, want string) Finding {
	f.written = &limit
	f = e.fail(f, Mismatch, t, s)
	if _, own := t.Messages[Mismatch]; !own {
		f.Message = "the key was last written " + f.lastWrite() + "; want it " + want
	}
	return f
}

// moment looks up the moment that a key at a real place is compared with.
func (e *evaluation) moment(m moment, real hive.Path, s scene) instant {
	open := func(reason Reason, format string, args ...any) instant {
		return instant{known: perhaps, reason: reason, text: fmt.Sprintf(format, args...)}
	}
	switch m.kind {
	case theHive:
		t, ok := e.registry.Written(real)
		if !ok {
			return open(NotCovered, "the input does not tell when its hive was last written")
		}
		return instant{time: t.UTC(), known: yes, text: "its hive, which was last written"}
	case theShutdown:
		set := hive.ControlSetOf(real)
		t := e.registry.Shutdown()
		if set != "" {
			t = e.registry.ShutdownOf(set)
		}
		if t.IsZero() {
			return open(NotCovered, "the input does not tell of the last shutdown")
		}
		return instant{time: t, known: yes, text: "the last shutdown,"}
	case aKey:
		path := m.key.lead(s.bound)
		matches := e.findWritten(path, s)
		if len(matches) != 1 || matches[0].Guessed {
			return open(NotCovered, "it is compared with %s, and the input does not tell which one that is", hive.Visible(path.String()))
		}
		other := matches[0]
		name := hive.Visible(other.Real.String())
		switch {
		case other.Key != nil && other.Key.Dated() && other.Key.Filetime().IsSet():
			t := other.Key.Filetime().UTC()
			return instant{time: t, known: yes, text: name + ", which was last written"}
		case other.Key == nil && other.Known == hive.Whole:
			return instant{known: no, text: name}
		case other.Key == nil && other.Known == hive.Damaged:
			return open(Damaged, "it is compared with %s, and there the input is damaged%s", name, because(other.Problem))
		}
		return open(NotCovered, "it is compared with %s, and the input does not tell when that was last written", name)
	}
	return instant{time: m.date, known: yes}
}

// findWritten follows the path of the key to compare with. In a rule that names control sets itself, to compare them, CurrentControlSet is the set
// that the computer ran with; in a rule about CurrentControlSet it is the set that the rule is evaluated for.
func (e *evaluation) findWritten(path hive.Path, s scene) []hive.Match {
	if s.namesSet && path.HasPrefix(currentSet) {
		matches := e.registry.WithControlSet("").Find(path)
		if !slices.ContainsFunc(matches, func(m hive.Match) bool { return m.Guessed }) {
			return matches
		}
	}
	return e.find(path, s)
}

// lastWrite returns when the key of the finding was last written, for people.
func (f Finding) lastWrite() string {
	switch {
	case !f.Modified.IsZero():
		return timestamp(f.Modified)
	}
	return "at an unknown time"
}

func timestamp(t time.Time) string { return t.UTC().Format(hive.TimeLayout) }
