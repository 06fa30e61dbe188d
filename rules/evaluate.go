package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Evaluate returns the answer of each rule at each key that it matches, ordered by rule and then by key. The Windows version and product
// decide whether a rule applies, and which overrides count. Evaluate changes neither the registry nor the rules. It reads the keys below the
// starts of patterns once for all rules.
func Evaluate(reg *hive.Registry, w hive.Windows, rules []*Rule) []Finding {
	e := &evaluation{registry: reg, windows: w, walked: map[*Condition][]*sum{}}
	e.prepare(rules)
	var searches []*search
	answers := make([]*answers, len(rules))
	for i, r := range rules {
		answers[i] = e.start(r, &searches)
	}
	walk(reg, searches)
	n := 0
	for _, a := range answers {
		n += len(a.finish())
	}
	all := make([]Finding, 0, n)
	for _, a := range answers {
		found := a.found
		if reg.EachControlSet() {
			compareSets(found)
		}
		all = append(all, found...)
	}
	return all
}

// answers gathers the findings of one rule.
type answers struct {
	*evaluation
	rule  *Rule
	fixed *variants // what the rule asks for, if that does not depend on the place
	found []Finding

	unread   [3]*Finding // places where not all keys are known: the first not covered, the first damaged, and the first without its time
	more     [3]int      // how many such places there are beyond the first
	unlisted int         // keys below a ** that pass by lacking the value, or by their time
	skipped  *Finding    // the first key at which the rule does not apply
}

// variants are the terms of a rule with the overrides that certainly count, and with those that may count as well.
type variants struct {
	least, most Terms
	open        []*Condition // of the latter
}

// note returns why the answer may be a different one.
func (v variants) note() string {
	text := strings.Join(each(v.open, (*Condition).String), ", ")
	if slices.ContainsFunc(v.open, func(c *Condition) bool { return !c.onlyWindows() }) {
		return fmt.Sprintf("it cannot be told whether this holds, and the answer may depend on it: %s", text)
	}
	return fmt.Sprintf("the Windows version is not known well enough, and the answer may depend on it (%s); --windows tells it", text)
}

// start evaluates the rule wherever no walk is needed, and adds the searches for everything else.
func (e *evaluation) start(r *Rule, searches *[]*search) *answers {
	a := &answers{evaluation: e, rule: r}
	if !slices.ContainsFunc(r.overrides, func(o override) bool { return o.when.asksRegistry() }) {
		v := e.variants(r, scene{})
		a.fixed = &v
	}
	switch {
	case r.When != nil && r.When.onWindows(e.windows) == no:
		m := e.registry.Find(r.Key.base)[0]
		a.skip(m, e.holds(r.When, scene{at: &m}).why)
	case !r.hasKey:
		for _, s := range e.scenes(r.Conditions) {
			a.ask(s)
		}
	default:
		more := e.places(r.question, scene{}, func(m hive.Match, bound bindings) {
			s := sceneAt(m, bound)
			s.counted = r.Key.deep() && r.Conditions == nil
			s.namesSet = !r.Key.base.HasPrefix(currentSet)
			a.ask(s)
		}, a.lose)
		for _, s := range more {
			if a.onlyCounts() {
				s.value, s.absent = hive.Fold(r.Value.name()), func(keys int) { a.unlisted += keys }
			}
		}
		*searches = append(*searches, more...)
	}
	return a
}

// onlyCounts reports whether keys without the value are only counted: they pass, and below a ** there are too many of them to list.
func (a *answers) onlyCounts() bool {
	r := a.rule
	if !r.Key.deep() || r.AboutKey || r.Value.open || r.Conditions != nil || a.fixed == nil || r.When != nil && r.When.asksRegistry() {
		return false
	}
	return a.fixed.least.passesAbsent() && a.fixed.most.passesAbsent()
}

// variants returns what the rule asks for in a scene.
func (e *evaluation) variants(r *Rule, s scene) (v variants) {
	counts := map[*Condition]truth{}
	for _, o := range r.overrides {
		if counts[o.when] = e.holds(o.when, s).truth; counts[o.when] == perhaps {
			v.open = append(v.open, o.when)
		}
	}
	v.least = r.terms(func(o override) bool { return counts[o.when] == yes })
	v.most = v.least
	if v.open != nil {
		v.most = r.terms(func(o override) bool { return counts[o.when] != no })
	}
	return v
}

// ask evaluates the rule in one scene.
func (a *answers) ask(s scene) {
	var notes []string
	if when := a.rule.When; when != nil {
		switch v := a.holds(when, s); v.truth {
		case no:
			m := hive.Match{}
			if s.at != nil {
				m = *s.at
			}
			a.skip(m, v.why)
			return
		case perhaps:
			notes = append(notes, fmt.Sprintf("it cannot be told whether the rule applies here: it is for %s, and %s", when, v.why))
		}
	}
	v := a.fixed
	if v == nil {
		here := a.variants(a.rule, s)
		v = &here
	}
	least := a.judgeRule(v.least, s)
	most := least
	if v.open != nil {
		most = a.judgeRule(v.most, s)
	}
	for i, f := range least {
		// Overrides that may or may not count are mentioned only if they make a difference.
		if g := most[i]; g.Status != f.Status || g.Reason != f.Reason || g.Severity != f.Severity && f.Status == Fail || g.Message != f.Message {
			f.Notes = append(f.Notes, v.note())
		}
		f.Notes = append(f.Notes, notes...)
		switch counted := a.rule.Key.deep() && f.Observed == nil && (!f.AboutKey || f.written != nil); {
		case counted && f.Status == Pass:
			a.unlisted++
		case (counted || f.written != nil && a.rule.Key.isPattern()) && f.Status == Unknown:
			a.addUnread(f)
		default:
			a.found = append(a.found, f)
		}
	}
}

// judgeRule evaluates the rule with the given terms.
func (a *answers) judgeRule(t Terms, s scene) (all []Finding) {
	if a.rule.Conditions != nil {
		f := a.conclude(t, s)
		f.Rule = a.rule
		return []Finding{f}
	}
	a.judge(a.rule.question, t, *s.at, s, func(f Finding) {
		f.Rule = a.rule
		all = append(all, f)
	})
	return all
}

// conclude evaluates a rule of conditions. The finding is about the place that decided it, or about the key of the rule if it has one.
func (a *answers) conclude(t Terms, s scene) Finding {
	v := a.holds(a.rule.Conditions, s)
	f := Finding{Severity: t.Severity, AboutKey: true, Expected: s.bound.put(a.rule.Conditions.String())}
	if s.at != nil {
		f.Key, f.RealKey, f.guessed = s.at.Live, s.at.Real, s.at.Guessed
		if k := s.at.Key; k != nil {
			f.At, f.Modified = k.At(), k.Modified()
		}
	}
	if p := v.asked; p != nil && (s.at == nil || p.RealKey.Equal(f.RealKey)) {
		f.Key, f.RealKey, f.Value, f.AboutKey, f.Observed, f.At, f.Modified = p.Key, p.RealKey, p.Value, p.AboutKey, p.Observed, p.At, p.Modified
		f.Notes, f.guessed = slices.Clone(p.Notes), f.guessed || p.guessed
		f.written = p.written
	}
	switch v.truth {
	case yes:
		return f.pass(v.why)
	case perhaps:
		return f.unknown(v.reason, v.why)
	}
	f = a.fail(f, Mismatch, t, s)
	if _, own := t.Messages[Mismatch]; !own {
		f.Message = v.why
	}
	return f
}

// skip records that the rule does not apply at a place.
func (a *answers) skip(m hive.Match, why string) {
	if a.skipped == nil {
		f := a.about(m).unknown(NotApplicable, fmt.Sprintf("the rule is for %s, and %s", a.rule.When, why))
		a.skipped = &f
	}
}

// lose records that there may be keys below a place that match the rule but that the input does not show.
func (a *answers) lose(m hive.Match) {
	f := unread(a.rule.question, m)
	f.Rule, f.Severity, f.Expected = a.rule, a.base().Severity, a.base().Expected()
	a.addUnread(f)
}

// addUnread keeps the first place that is not known, for each reason, and counts the others.
func (a *answers) addUnread(f Finding) {
	i := 0
	switch {
	case f.written != nil:
		i = 2
	case f.Reason == Damaged:
		i = 1
	}
	if a.unread[i] != nil {
		a.more[i]++
		return
	}
	a.unread[i] = &f
}

// base returns the terms of the rule that hold by the version of Windows alone.
func (a *answers) base() Terms {
	if a.fixed != nil {
		return a.fixed.least
	}
	return a.rule.Terms(a.windows)
}

// about returns a finding about a place that was not reached by a walk.
func (a *answers) about(m hive.Match) Finding {
	t := a.base()
	f := Finding{Rule: a.rule, Severity: t.Severity, Key: m.Live, RealKey: m.Real, Value: a.rule.Value.text, AboutKey: a.rule.AboutKey, Expected: t.Expected(), guessed: m.Guessed}
	if !a.rule.Value.open {
		f.Value = a.rule.Value.name()
	}
	return f
}

// finish completes the findings of the rule; there is always at least one. That the rule does not apply is a finding only if it applies
// nowhere.
func (a *answers) finish() []Finding {
	if len(a.found) == 0 && a.skipped != nil {
		a.found = append(a.found, *a.skipped)
	}
	if len(a.found) == 0 && a.unlisted > 0 {
		a.found = a.none()
	}
	for i, f := range a.unread {
		if f != nil {
			if a.more[i] > 0 {
				f.Message += fmt.Sprintf("; so it is at %d more places", a.more[i])
			}
			a.found = append(a.found, *f)
		}
	}
	if len(a.found) == 0 {
		a.found = a.none()
	}
	return a.found
}

// none returns the answer of a rule whose pattern matched nothing.
func (a *answers) none() (found []Finding) {
	key := a.rule.Key
	for _, m := range a.registry.Find(key.base) {
		f := a.about(m)
		below := key.path()[len(key.base):]
		f.Key, f.RealKey = append(slices.Clone(m.Live), below...), append(slices.Clone(m.Real), below...)
		t := a.base()
		switch {
		case m.Key == nil && m.Known != hive.Whole:
			continue // it has a finding already
		case a.unlisted > 0 && m.Key != nil && a.rule.AboutKey && t.Written != nil:
			f = f.pass(fmt.Sprintf("each of %d keys was last written %s", a.unlisted, t.Written))
		case a.unlisted > 0 && m.Key != nil && a.rule.AboutKey:
			f = f.pass(fmt.Sprintf("%d keys pass", a.unlisted))
		case a.unlisted > 0 && m.Key != nil:
			f = f.pass(fmt.Sprintf("%s is set in none of %d keys", ValueName(f.Value), a.unlisted))
		case a.rule.AboutKey && t.Exists != nil && *t.Exists:
			t.Fix = nil // no key is known that it could create
			f = a.fail(f, NoValue, t, scene{at: &m})
		default:
			f = f.pass("there is no such key")
		}
		found = append(found, f)
	}
	return found
}
