package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"regvet/hive"
)

// Doubts returns what is doubtful about rules that load, in their order: conditions that never hold, messages that are never used, what the
// tests do not show.
func Doubts(all []*Rule) []Mistake {
	var doubts []Mistake
	for _, r := range all {
		if r.Inventory != nil {
			continue // it has no verdict to doubt
		}
		l := doubter{rule: r}
		l.conditions()
		l.messages()
		l.demands()
		l.times()
		l.fixes()
		l.proof()
		doubts = append(doubts, l.doubts...)
	}
	return doubts
}

type doubter struct {
	rule   *Rule
	doubts []Mistake
}

func (l *doubter) doubt(at hive.Location, format string, args ...any) {
	if at == (hive.Location{}) {
		at = l.rule.At
	}
	text := fmt.Sprintf("rule %s: ", l.rule.ID) + fmt.Sprintf(format, args...)
	l.doubts = append(l.doubts, Mistake{Problem: hive.Problem{Source: l.rule.source, At: at, Kind: badRule, Msg: text}})
}

// conditions finds overrides that never count and conditions that never hold, judging by their versions of Windows.
func (l *doubter) conditions() {
	r := l.rule
	for i, o := range r.overrides {
		if r.When != nil && never(r.When, o.when) && !never(r.When) && !never(o.when) {
			l.doubt(o.at, "the override never counts: it is for %s, and the rule only for %s", o.when, r.When)
		}
		for _, later := range r.overrides[i+1:] {
			if o.when.windows != nil && later.when.onlyWindows() && later.when.windows.covers(*o.when.windows) && later.change.covers(o.change) {
				l.doubt(o.at, "the override never counts: the one in line %d is for %s too, and changes all that this one does", later.at.Line, o.when)
				break
			}
		}
	}
	r.eachCondition(func(c *Condition) {
		before := len(l.doubts)
		all := slices.Clone(c.all)
		if c.windows != nil {
			all = append(all, c)
		}
		for i, one := range all {
			for _, other := range all[:i] {
				if one.windows != nil && other.windows != nil && !one.windows.meets(*other.windows) {
					l.doubt(c.At, "the condition never holds: no Windows is %s and %s", other.windows, one.windows)
				}
			}
		}
		if len(l.doubts) == before && never(c) && !slices.ContainsFunc(slices.Concat(c.all, c.any), func(c *Condition) bool { return never(c) }) {
			l.doubt(c.At, "the condition never holds on any Windows: %s", c)
		}
		for _, group := range [][]*Condition{c.all, c.any, c.none} {
			lines := map[string]int{}
			for _, one := range group {
				text := one.String()
				if line, ok := lines[text]; ok {
					l.doubt(one.At, "the condition is in line %d already", line)
					continue
				}
				lines[text] = one.At.Line
			}
		}
	})
}

// never reports whether the conditions hold together on no version, product and edition of Windows. It tries one version at each place where an
// answer can change.
func never(all ...*Condition) bool {
	versions := []hive.Version{{}}
	for _, c := range all {
		c.each(func(c *Condition) {
			if c.windows != nil {
				versions = append(versions, c.windows.from, c.windows.below)
			}
		})
	}
	slices.SortFunc(versions, hive.Version.Compare)
	for _, v := range slices.Compact(versions) {
		for _, c := range computersOf(hive.Windows{}, productNames(), editionWords()) {
			w := hive.Windows{AtLeast: v, Below: hive.Version{Major: v.Major, Minor: v.Minor, Build: v.Build + 1}, Product: c.product, Edition: c.edition}
			if !slices.ContainsFunc(all, func(c *Condition) bool { return c.onWindows(w) == no }) {
				return false
			}
		}
	}
	return true
}

// reasons returns the reasons for which the rule can fail with the given terms.
func (l *doubter) reasons(t Terms) map[Reason]bool {
	if l.rule.Conditions != nil {
		return map[Reason]bool{Mismatch: true}
	}
	if l.rule.Nowhere != nil {
		return map[Reason]bool{Present: true}
	}
	exists := t.Exists != nil
	return map[Reason]bool{
		NoValue:    !t.passesAbsent(),
		Present:    exists && !*t.Exists,
		WrongType:  len(t.Types) > 0 || len(t.Valid) > 0 || len(t.Data) > 0,
		OutOfRange: len(t.Valid) > 0,
		Mismatch:   len(t.Data) > 0 || t.Written != nil,
	}
}

// messages finds messages that are never used, and those with a placeholder that is always empty.
func (l *doubter) messages() {
	variants := l.rule.Variants()
	changes := []change{l.rule.base}
	for _, o := range l.rule.overrides {
		changes = append(changes, o.change)
	}
	for i, c := range changes {
		for _, reason := range failReasons {
			text, ok := c.messages[reason]
			if !ok {
				continue
			}
			// A message of the rule itself may be meant for places where an override counts.
			given := slices.ContainsFunc(variants, func(v Variant) bool { return l.reasons(v.Terms)[reason] })
			if i > 0 {
				given = l.reasons(variants[i].Terms)[reason]
			}
			if !given {
				l.doubt(text.At, "the message for %s is never used: the rule cannot fail for that reason", reason)
				continue
			}
			t := variants[i].Terms
			empty := map[string]bool{
				"{actual}":  reason == NoValue || l.rule.AboutKey,
				"{type}":    reason == NoValue || l.rule.AboutKey,
				"{default}": t.Missing.Default == nil,
				"{valid}":   len(t.Valid) == 0,
				"{want}":    len(t.Valid) == 0 && len(t.Data) == 0 && t.Written == nil,
				"{written}": reason == NoValue && l.rule.AboutKey,
				"{limit}":   t.Written == nil || len(t.Written.bounds) == 0 || reason != Mismatch,
			}
			for _, name := range placeholder().FindAllString(text.V, -1) {
				if empty[name] && l.rule.Conditions == nil && l.rule.Nowhere == nil {
					l.doubt(text.At, "%s is always empty in the message for %s", name, reason)
				}
			}
		}
	}
}

// demands finds fields data that ask for nothing beyond the field valid.
func (l *doubter) demands() {
	for i, v := range l.rule.Variants() {
		if i > 0 && l.rule.overrides[i-1].valid == nil && l.rule.overrides[i-1].data == nil {
			continue
		}
		where := ""
		if i > 0 {
			where = " for " + v.When
		}
		for _, q := range v.Terms.demands() {
			for _, o := range q.demand {
				if at := slices.IndexFunc(v.Terms.Types, func(t hive.Type) bool { return !o.fits(t) }); at >= 0 {
					l.doubt(hive.Location{}, "a %s is always of the wrong type%s: %s ask for %s", v.Terms.Types[at], where, q.name, plainKinds[o.kinds[0]])
				}
			}
		}
		valid, ok := v.Terms.Valid.numbers()
		data, ok2 := v.Terms.Data.numbers()
		if ok && ok2 && slices.Equal(valid.and(data), valid) {
			l.doubt(hive.Location{}, "data are never a mismatch%s: all that is valid, %s, does", where, v.Terms.Valid)
		}
	}
}

// hiveTimeUntil is the versions of Windows on which the time of a hive no longer bounds the times of its keys, see [hive.Registry.Written].
var hiveTimeUntil = versionRange{from: hive.Version{Major: 6, Minor: 3}}

// times finds comparisons of times that show nothing.
func (l *doubter) times() {
	r := l.rule
	ask := func(w *lastWritten, key keyPattern, whens ...*Condition) {
		if w == nil {
			return
		}
		for _, b := range w.bounds {
			old := slices.ContainsFunc(whens, func(c *Condition) bool {
				return c != nil && c.windows != nil && !c.windows.meets(hiveTimeUntil)
			})
			switch {
			case b.moment.kind == theHive && !old:
				l.doubt(b.moment.at, "Windows 8.1 and later do not update the time of a hive: the rule is for when: {windows: \"<6.3\"} or older")
			case b.moment.kind == aKey && hive.EqualFold(b.moment.text, key.text):
				l.doubt(b.moment.at, "the time of the key is compared with itself")
			}
		}
	}
	ask(r.base.written, r.Key, r.When)
	for _, o := range r.overrides {
		ask(o.written, r.Key, r.When, o.when)
	}
	r.eachCondition(func(c *Condition) {
		key := c.question.Key
		if !c.question.hasKey {
			key = r.Key
		}
		ask(c.terms.Written, key, r.When, c)
	})
}

// boundName matches a name in braces in text, in the form in which a key binds it.
var boundName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`) })

// fixes finds names in the data of fixes that nothing binds, so that they would be written into the registry as they are.
func (l *doubter) fixes() {
	bound := l.rule.boundNames()
	fixes := []*Fix{l.rule.base.fix}
	for _, o := range l.rule.overrides {
		fixes = append(fixes, o.fix)
	}
	for _, f := range fixes {
		if f == nil {
			continue
		}
		for _, s := range f.Steps {
			for _, m := range boundName().FindAllStringSubmatch(strings.Join(slices.Concat(s.data.list, []string{s.data.text}), " "), -1) {
				if !slices.Contains(bound, m[1]) {
					l.doubt(s.at, "the fix sets %s as it stands, for nothing binds that name%s", m[0], meant(m[1], bound))
				}
			}
		}
	}
}

// proof finds what the tests do not show, and what the rule does not justify.
func (l *doubter) proof() {
	r := l.rule
	if why := r.unproven(); why != "" {
		l.doubt(hive.Location{}, "%s", why)
	}
	for _, p := range r.policies() {
		place := hive.Fold(p.key.base.String())
		if !slices.ContainsFunc(r.Tests, func(t Test) bool { return t.Hive != "" || strings.Contains(hive.Fold(t.Reg), place) }) {
			l.doubt(p.at, "no test shows what its policy does")
		}
	}
	if len(r.Sources) > 0 {
		return // which tell both, or do not
	}
	if r.Rationale == "" {
		l.doubt(hive.Location{}, "it does not say why it matters (rationale)")
	}
	if len(r.References) == 0 {
		l.doubt(hive.Location{}, "it does not name its sources (references)")
	}
}

// covers reports whether a change sets everything that another one sets.
func (c change) covers(other change) bool {
	for reason := range other.messages {
		if _, ok := c.messages[reason]; !ok {
			return false
		}
	}
	sets := func(set, otherSet bool) bool { return set || !otherSet }
	return sets(c.severity != 0, other.severity != 0) && sets(c.exists != nil, other.exists != nil) && sets(c.types != nil, other.types != nil) &&
		sets(c.valid != nil, other.valid != nil) && sets(c.data != nil, other.data != nil) && sets(c.missing != nil, other.missing != nil) && sets(c.written != nil, other.written != nil) &&
		sets(c.missingSev != 0, other.missingSev != 0) && sets(c.fix != nil, other.fix != nil) && sets(c.policies != nil, other.policies != nil) &&
		sets(c.alternative != "", other.alternative != "")
}

// onlyWindows reports whether the version of Windows alone decides the condition.
func (c *Condition) onlyWindows() bool {
	return c.windows != nil && c.products == nil && c.editions == nil && !c.asksRegistry() && c.all == nil && c.any == nil && c.none == nil
}

// meets reports whether some version is in both ranges.
func (r versionRange) meets(s versionRange) bool {
	none := hive.Version{}
	return (r.below == none || s.from.Compare(r.below) < 0) && (s.below == none || r.from.Compare(s.below) < 0)
}

// covers reports whether all versions of a range are in this one.
func (r versionRange) covers(s versionRange) bool {
	none := hive.Version{}
	return r.from.Compare(s.from) <= 0 && (r.below == none || s.below != none && s.below.Compare(r.below) <= 0)
}
