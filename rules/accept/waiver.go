package accept

import (
	"fmt"
	"strings"
	"time"

	"regvet/hive"
	"regvet/internal/glob"
	"regvet/rules"
)

// Waiver says of some findings that they are accepted. It waives nothing without a reason, and nothing after its last day.
type Waiver struct {
	rules.Waiver
	Rule   Word
	RuleAt hive.Location // of the word in the config
	Key    glob.Key      // a finding at a key that it covers, or below; the zero Key for every key
	Host   *glob.Name    // nil for every host, and for one that is not known
	At     hive.Location // in the config
	text   string        // rule, key and host as written
}

// Covers reports whether the waiver is about a failure on a host, by its own name; "" if that is not known.
func (w *Waiver) Covers(f rules.Finding, host string) bool {
	return f.Status == rules.Fail && w.Rule.Picks(f.Rule) && (w.Host == nil || w.Host.Match(host)) &&
		(w.Key.Covers(w.Key.Follow(f.Key)) || w.Key.Covers(w.Key.Follow(f.RealKey)))
}

// Holds reports whether the waiver waives anything at a time.
func (w *Waiver) Holds(at time.Time) bool { return len(w.Flaws(at)) == 0 }

// Flaws returns why the waiver waives nothing at a time: findings about the waiver itself, at its place in the config.
func (w *Waiver) Flaws(at time.Time) (all []rules.Finding) {
	if w.Reason == "" {
		all = append(all, rules.WithoutReason.About(w.text, w.At, rules.NoValue, "a reason", fmt.Sprintf("the waiver for %s has no reason, so it waives nothing; write one", w.Rule)))
	}
	if !w.Until.IsZero() && !at.Before(w.Until.AddDate(0, 0, 1)) {
		day := w.Until.Format(time.DateOnly)
		all = append(all, rules.Overdue.About(w.text, w.At, rules.OutOfRange, "a last day that is not over",
			fmt.Sprintf("the waiver for %s held until %s, so it waives nothing now; mend what it is about, or decide anew and change the date", w.Rule, day)))
	}
	return all
}

// String returns for people what the waiver is about.
func (w *Waiver) String() string { return w.text }

// describe fills in what the waiver is about, as written.
func (w *Waiver) describe(key, host string) {
	parts := []string{string(w.Rule)}
	for _, part := range []struct{ name, text string }{{"key", key}, {"host", host}} {
		if part.text != "" {
			parts = append(parts, part.name+" "+part.text)
		}
	}
	w.text = strings.Join(parts, ", ")
}
