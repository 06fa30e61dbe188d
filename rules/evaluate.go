package rules

import (
	"fmt"
	"slices"
	"sync"

	"regvet/hive"
)

// Evaluate returns the answer of each rule at each key that it matches, ordered by rule and then by key. The Windows version and product
// decide whether a rule applies, and which overrides count. An inventory has no answer, see [Survey]. Evaluate changes neither the registry nor the rules. It reads the keys below the
// starts of patterns once for all rules.
func Evaluate(reg *hive.Registry, w hive.Windows, rules []*Rule) []Finding {
	return Answers(reg, w, rules, nil)
}

// Answers is [Evaluate] that leaves passes out if passed is not nil: it calls passed for each of them, in no order, with the rule and the path in
// the registry of the key that it is about. Nothing is kept for a pass then, and nearly all answers of a run can be passes.
func Answers(reg *hive.Registry, w hive.Windows, rules []*Rule, passed func(r *Rule, real hive.Path)) []Finding {
	return answersOf(reg, w, rules, passed, reg.EachControlSet())
}

// Unpassed is [Evaluate] without passes, and without the notes that compare control sets.
func Unpassed(reg *hive.Registry, w hive.Windows, rules []*Rule) []Finding {
	return answersOf(reg, w, rules, func(*Rule, hive.Path) {}, false)
}

// answersOf is [Answers] that compares the findings about several control sets only if compare is set. Rules for keys at any depth take about as
// long as all others together, since they visit each key, so that they are asked beside these.
func answersOf(reg *hive.Registry, w hive.Windows, rules []*Rule, passed func(r *Rule, real hive.Path), compare bool) []Finding {
	tell := passed
	if passed != nil {
		var one sync.Mutex
		tell = func(r *Rule, real hive.Path) {
			one.Lock()
			defer one.Unlock()
			passed(r, real)
		}
	}
	if compare { // then passes are needed
		tell = nil
	}
	rules = slices.DeleteFunc(slices.Clone(rules), func(r *Rule) bool { return r.Inventory != nil })
	answers := make([]*answers, len(rules))
	ask := func(deep bool) {
		var some []*Rule
		var at []int // in rules
		for i, r := range rules {
			if far := r.Key.deep() || r.Nowhere != nil; far == deep {
				some, at = append(some, r), append(at, i)
			}
		}
		for i, a := range answersAlone(reg, w, some, tell) {
			answers[at[i]] = a
		}
	}
	var beside sync.WaitGroup
	beside.Go(func() { ask(true) })
	ask(false)
	beside.Wait()
	n := 0
	for _, a := range answers {
		n += len(a.found)
	}
	all := make([]Finding, 0, n)
	for _, a := range answers {
		found := a.found
		if compare {
			compareSets(found)
		}
		for _, f := range found {
			if f.Status == Pass && passed != nil {
				passed(f.Rule, f.RealKey)
			} else {
				all = append(all, f)
			}
		}
	}
	return all
}

// answersAlone returns the answers of some rules, for which the keys below the starts of patterns are read once.
func answersAlone(reg *hive.Registry, w hive.Windows, rules []*Rule, passed func(r *Rule, real hive.Path)) []*answers {
	e := &evaluation{registry: reg, windows: w, walked: map[*Condition][]*sum{}, machines: map[string]*machine{}, split: map[*Rule][]*evaluation{}, terms: map[chosen]Terms{}, passed: passed}
	e.prepare(rules)
	var searches []*search
	all := make([]*answers, len(rules))
	for i, r := range rules {
		all[i] = e.start(r, &searches)
	}
	walk(reg, searches)
	e.hunt()
	for _, a := range all {
		a.found = a.finish()
	}
	return all
}

// answers gathers the findings of one rule.
type answers struct {
	*evaluation
	rule  *Rule
	fixed *possibilities // what the rule may ask for, if that does not depend on the place
	found []Finding

	unread   [4]*Finding    // places where not all keys are known: the first not covered, the first damaged, the first without its time, and the first in a layer
	more     [4]int         // how many such places there are beyond the first
	unlisted int            // keys below a ** that pass by lacking the value, or by their time
	skipped  *Finding       // the first key at which the rule does not apply
	byPolicy map[string]int // where in found the answer about each value of a policy is, by its folded place
	passes   int            // answers that were told to evaluation.passed, and are not in found
}

// start evaluates the rule wherever no walk is needed, and adds the searches for everything else.
func (e *evaluation) start(r *Rule, searches *[]*search) *answers {
	a := &answers{evaluation: e, rule: r}
	if (r.When == nil || !r.When.asksRegistry()) && !slices.ContainsFunc(r.overrides, func(o override) bool { return o.when.asksRegistry() }) {
		p := e.possibilities(r, scene{})
		a.fixed = &p
	}
	switch {
	case r.When != nil && r.When.onWindows(e.windows) == no:
		m := e.registry.Find(r.Key.base)[0]
		a.skip(m, e.holds(r.When, scene{at: &m}).why)
	case r.Nowhere != nil:
		a.startHunt()
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
		}, func(m hive.Match) { a.lose(r.question, m) })
		for _, s := range more {
			switch {
			case a.onlyCounts():
				s.value, s.absent = hive.Fold(r.Value.name()), func(keys int) { a.unlisted += keys }
			case a.onlyTimes():
				s.passes = a.timePasses
			}
		}
		*searches = append(append(*searches, more...), a.searchPolicies()...)
	}
	return a
}

// onlyCounts reports whether keys without the value are only counted: they pass, and below a ** there are too many of them to list.
func (a *answers) onlyCounts() bool {
	r := a.rule
	if !r.Key.deep() || r.AboutKey || r.Value.open || r.Conditions != nil || a.fixed == nil || a.fixed.many {
		return false
	}
	return !slices.ContainsFunc(a.fixed.cases, func(p possibility) bool { return !p.skipped && !p.terms.passesAbsent() })
}

// onlyTimes reports whether the rule asks of each key below a ** only when it was last written, and compares that with nothing that depends on
// the key.
func (a *answers) onlyTimes() bool {
	r := a.rule
	if !r.Key.deep() || !r.AboutKey || r.Conditions != nil || a.fixed == nil || a.fixed.many {
		return false
	}
	asks := false
	for _, p := range a.fixed.cases {
		t := p.terms
		if p.skipped {
			continue
		}
		if asks = true; t.Written == nil || t.Exists != nil && !*t.Exists ||
			slices.ContainsFunc(t.Written.bounds, func(b bound) bool { return b.moment.kind == aKey }) {
			return false
		}
	}
	return asks
}

// timePasses reports whether a key of a rule that [answers.onlyTimes] is about passes, and counts it if so. There are as many as the hive has
// keys.
func (a *answers) timePasses(k *hive.Key, real hive.Path) bool {
	if k.Hidden() != nil {
		return false
	}
	for i := range a.fixed.cases {
		p := &a.fixed.cases[i]
		if !p.skipped && !p.in.keepsTime(p.terms.Written, k, real) {
			return false
		}
	}
	a.unlisted++
	return true
}

// possibilities returns the cases that the input allows in a scene.
func (a *answers) possibilities(s scene) possibilities {
	if a.fixed != nil {
		return *a.fixed
	}
	return a.evaluation.possibilities(a.rule, s)
}

// ask evaluates the rule in one scene.
func (a *answers) ask(s scene) {
	if a.passed != nil && s.at != nil && a.passesAt(s) {
		return
	}
	p := a.possibilities(s)
	found := p.answer(func(in *evaluation, t Terms) (all []Finding) {
		in.judgeRule(a.rule, t, s, func(f Finding) { all = append(all, f) })
		return all
	})
	if found == nil {
		m := hive.Match{}
		if s.at != nil {
			m = *s.at
		}
		a.skip(m, p.when.why)
	}
	for _, f := range found {
		switch counted := a.counts(f); {
		case counted && f.Status == Pass:
			a.unlisted++
		case (counted || f.written != nil && a.rule.Key.isPattern()) && f.Status == Unknown:
			a.addUnread(f)
		case f.byPolicy:
			a.addByPolicy(f)
		default:
			a.found = append(a.found, f)
		}
	}
}

// counts reports whether a finding is only counted if it passes: there are too many like it to list them.
func (a *answers) counts(f Finding) bool {
	return a.rule.Key.deep() && f.Observed == nil && (!f.AboutKey || f.written != nil)
}

// passesAt reports whether the rule passes at all places of a scene in all cases that the input allows, and if so tells of these passes.
func (a *answers) passesAt(s scene) bool {
	if a.rule.Conditions != nil && a.rule.Key.deep() {
		return false // whether such a pass is counted depends on what decided it
	}
	s.silent = true
	p := a.possibilities(s)
	told, unlisted, passes := 0, 0, !p.many
	for i := 0; i < len(p.cases) && passes; i++ {
		c := &p.cases[i]
		if c.skipped {
			continue
		}
		told, unlisted = 0, 0
		c.in.judgeRule(a.rule, c.terms, s, func(f Finding) {
			passes = passes && f.Status == Pass && !f.byPolicy // a policy is told of once for all places that it goes before
			if a.counts(f) {
				unlisted++
			} else {
				told++
			}
		})
	}
	if !passes || told+unlisted == 0 {
		return false
	}
	a.unlisted += unlisted
	a.passes += told
	for range told {
		a.passed(a.rule, s.at.Real)
	}
	return true
}

// judgeRule evaluates a rule with the given terms.
func (e *evaluation) judgeRule(r *Rule, t Terms, s scene, found func(Finding)) {
	if r.Conditions != nil {
		f := e.conclude(r, t, s)
		f.Rule = r
		found(f)
		return
	}
	e.effective(r.question, t, *s.at, s, func(f Finding) {
		f.Rule = r
		if !s.silent {
			f.sayDecimal()
		}
		found(f)
	})
}

// conclude evaluates a rule of conditions. The finding is about the place that decided it, or about the key of the rule if it has one.
func (e *evaluation) conclude(r *Rule, t Terms, s scene) Finding {
	v := e.holds(r.Conditions, s)
	if s.silent && v.truth == yes {
		return Finding{Status: Pass}
	}
	f := Finding{Severity: t.Severity, AboutKey: true, Expected: s.bound.put(r.Conditions.String())}
	if s.at != nil {
		f.Key, f.RealKey, f.guessed = s.at.Live, s.at.Real, s.at.Guessed
		if k := s.at.Key; k != nil {
			f.At, f.Modified = k.At(), k.Modified()
		}
	}
	if p := v.asked; p != nil && (s.at == nil || p.RealKey.Equal(f.RealKey)) {
		f.Key, f.RealKey, f.Value, f.AboutKey, f.Observed, f.At, f.Modified = p.Key, p.RealKey, p.Value, p.AboutKey, p.Observed, p.At, p.Modified
		f.Notes, f.guessed = slices.Clone(p.Notes), f.guessed || p.guessed
		f.written, f.meant, f.decimal = p.written, p.meant, p.decimal
	}
	f.byPolicy = v.asked != nil && v.asked.byPolicy
	switch v.truth {
	case yes:
		return f.pass(v.why)
	case perhaps:
		return f.unknown(v.reason, v.why)
	}
	f = e.fail(f, Mismatch, t, s)
	if _, own := t.Messages[Mismatch]; !own {
		f.Message = v.why
	}
	f.sayDecimal()
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
func (a *answers) lose(q question, m hive.Match) {
	f := unread(q, m)
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
	case f.Reason == Partial:
		i = 3
	}
	if a.unread[i] != nil {
		a.more[i]++
		return
	}
	a.unread[i] = &f
}

// base returns the terms of the rule that surely hold by the version of Windows alone.
func (a *answers) base() Terms { return a.rule.Terms(a.windows) }

// about returns a finding about a place that was not reached by a walk.
func (a *answers) about(m hive.Match) Finding {
	t := a.base()
	f := Finding{Rule: a.rule, Severity: t.Severity, Key: m.Live, RealKey: m.Real, Value: a.rule.Value.text, AboutKey: a.rule.AboutKey, Expected: t.Expected(), guessed: m.Guessed}
	if !a.rule.Value.open {
		f.Value = a.rule.Value.name()
	}
	return f
}

// finish completes the findings of the rule; there is always at least one answer. That the rule does not apply is a finding only if it applies
// nowhere.
func (a *answers) finish() []Finding {
	if len(a.found)+a.passes == 0 && a.skipped != nil {
		a.found = append(a.found, *a.skipped)
	}
	if len(a.found)+a.passes == 0 && a.unlisted > 0 {
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
	if len(a.found)+a.passes == 0 {
		a.found = a.none()
	}
	return a.found
}

// none returns the answer of a rule whose pattern matched nothing, or keys that are only counted.
func (a *answers) none() (found []Finding) {
	key := a.rule.Key
	for _, m := range a.registry.Find(key.base) {
		if m.Key == nil && m.Known != hive.Whole {
			continue // it has a finding already
		}
		counted := a.unlisted > 0 && m.Key != nil
		absent := hive.Match{Guessed: m.Guessed}
		below := key.path()[len(key.base):]
		absent.Live, absent.Real = append(slices.Clone(m.Live), below...), append(slices.Clone(m.Real), below...)
		s := sceneAt(absent, nil)
		p := a.possibilities(s)
		answers := p.answer(func(in *evaluation, t Terms) []Finding {
			f := a.about(absent)
			f.Severity, f.Expected = t.Severity, t.Expected()
			switch {
			case counted && a.rule.AboutKey && t.Written != nil:
				f = f.pass(fmt.Sprintf("each of %d keys was last written %s", a.unlisted, t.Written))
			case counted && a.rule.AboutKey:
				f = f.pass(fmt.Sprintf("%d keys pass", a.unlisted))
			case counted:
				f = f.pass(fmt.Sprintf("%s is set in none of %d keys", ValueName(f.Value), a.unlisted))
			case a.rule.AboutKey && t.Exists != nil && *t.Exists:
				t.Fix = nil // no key is known that it could create
				f = in.fail(f, NoValue, t, scene{at: &m})
			default:
				f = f.pass("there is no such key").afterPolicies(in.uncovered(t, s))
			}
			return []Finding{f}
		})
		if answers == nil {
			f := a.about(absent).unknown(NotApplicable, fmt.Sprintf("the rule is for %s, and %s", a.rule.When, p.when.why))
			answers = []Finding{f}
		}
		found = append(found, answers...)
	}
	return found
}
