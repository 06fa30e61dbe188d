package rules

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// Policy is a place whose value, where there is one, goes before the value that a rule asks about: group policy writes there, and the program
// that reads the setting looks there first.
type Policy struct {
	key   keyPattern
	value pattern
	where []named // names that must be bound so for the place to count
	means []means // what some of its data are in those of the local setting
	unset []datum // its data that leave the setting to the next place
	times uint64  // what its number counts in, where the local setting counts in ones; else 0
	at    hive.Location
}

// named is a bound name and the text that it must stand for.
type named struct {
	name, text string
	at         hive.Location
}

// means is data of a policy and what they mean in those of the local setting.
type means struct {
	from, to datum
	at       hive.Location
}

// String returns the place for people, and how its data are understood.
func (p Policy) String() string {
	text := fmt.Sprintf("%s of the key %s", ValueName(p.value.text), hive.Visible(p.key.String()))
	for _, w := range p.where {
		text += fmt.Sprintf(", where %s is %s", w.name, hive.Visible(w.text))
	}
	for _, m := range p.means {
		text += fmt.Sprintf(", %s means %s", m.from, m.to)
	}
	if len(p.unset) > 0 {
		text += fmt.Sprintf(", %s sets nothing", strict.List(each(p.unset, datum.String), "or"))
	}
	if p.times > 0 {
		text += fmt.Sprintf(", in units of %d", p.times)
	}
	return text
}

// Key returns the path of the key, in which names that the rule binds stand in braces.
func (p Policy) Key() string { return p.key.String() }

// Value returns the name of the value, with bound names as in [Policy.Key].
func (p Policy) Value() string { return p.value.text }

// counts reports whether the place counts for what the names are bound to.
func (p Policy) counts(bound bindings) bool {
	return !slices.ContainsFunc(p.where, func(w named) bool { return !hive.EqualFold(bound[w.name], w.text) })
}

// silent returns whether a value leaves the setting to the next place; its data may not tell that.
func (p *Policy) silent(v hive.Value) truth {
	silent := func(read reader) bool {
		d, err := read(v, kindOf(v.Type))
		return err == nil && slices.ContainsFunc(p.unset, d.equal)
	}
	switch first := silent(read); {
	case len(p.unset) > 0 && v.Short, first != silent(readOn):
		return perhaps
	default:
		return toTruth(first)
	}
}

// meant returns what the data of a value are in those of the local setting, or nil if they are the same, and the type that is to be compared
// with those that the reader takes: a number in larger units may need more bits than its own type has.
func (p *Policy) meant(v hive.Value, types []hive.Type) (*hive.Value, hive.Type) {
	d, err := read(v, kindOf(v.Type))
	if err != nil {
		return nil, v.Type
	}
	for _, m := range p.means {
		if m.from.equal(d) {
			to := m.to.value(types)
			return &to, to.Type
		}
	}
	if p.times == 0 || d.kind != aNumber {
		return nil, v.Type
	}
	n := d.number * p.times
	if d.number > math.MaxUint64/p.times {
		n = math.MaxUint64
	}
	to := hive.NumberValue("", hive.QWord, n)
	return &to, v.Type
}

// effective judges the value that counts: that of the first policy that has one, else that of the question itself. A policy whose place the
// input does not cover leaves the answer to the next place, which then says so.
func (e *evaluation) effective(q question, t Terms, m hive.Match, s scene, found func(Finding)) {
	if len(t.Policies) == 0 {
		e.judge(q, t, m, s, found)
		return
	}
	own := sceneAt(m, nil)
	s.user, s.set = cmp.Or(own.user, s.user), cmp.Or(own.set, s.set)
	var open []string
	for _, p := range t.Policies {
		if !p.counts(s.bound) {
			continue
		}
		at := question{Key: p.key.fill(s.bound), Value: p.value.fill(s.bound)}
		asked := t
		asked.policy, asked.Fix, asked.Missing = &p, nil, Missing{Pass: true}
		if t.Exists != nil && *t.Exists {
			asked.Exists = nil
		}
		for _, m := range e.find(at.Key.base, s) {
			var f Finding
			e.judge(at, asked, m, s, func(g Finding) { f = g })
			says := yes
			if f.Observed != nil {
				says = yes - p.silent(*f.Observed)
			}
			switch {
			case says == no, f.Observed == nil && f.Status == Pass:
				continue
			case f.Observed == nil && f.Reason == NotCovered:
				open = append(open, f.place())
				continue
			case says == perhaps && f.Observed.Short:
				f = f.short()
			case says == perhaps:
				f = f.hidden()
			}
			found(f.afterPolicies(open))
			return
		}
	}
	e.judge(q, t, m, s, func(f Finding) { found(f.afterPolicies(open)) })
}

// uncovered lists the places of policies that the input does not cover, or not all keys below which it shows.
func (e *evaluation) uncovered(t Terms, s scene) (open []string) {
	for _, p := range t.Policies {
		for _, m := range e.find(p.key.base, s) {
			if m.Key == nil && m.Known == hive.NotCovered || m.Key != nil && p.key.isPattern() && m.Key.KeysKnown() == hive.NotCovered {
				open = append(open, Finding{Key: p.key.path(), Value: p.value.name()}.place())
			}
		}
	}
	return open
}

// place returns the key and value of a finding, for people.
func (f Finding) place() string {
	return fmt.Sprintf("%s of the key %s", ValueName(f.Value), hive.Visible(f.Key.String()))
}

// afterPolicies returns an answer with whose it is: that of a policy, or that of the local setting where the input does not cover some places of
// policies that would go before it.
func (f Finding) afterPolicies(open []string) Finding {
	if f.Status == Unknown {
		return f
	}
	f.Notes = slices.Clone(f.Notes)
	switch {
	case f.byPolicy:
		f.Message += " (by policy)"
		if f.Status == Fail {
			f.Notes = append(f.Notes, "this is the value of a policy, which goes before the local setting; it is changed where the policy is made, for it is written again whenever policies are applied")
		}
	case len(open) > 0:
		f.Message += "; a policy may override this local setting"
	}
	if len(open) > 0 {
		f.Notes = append(f.Notes, "a policy may override it: the input does not cover "+strict.List(open, "or"))
	}
	return f
}

// searchPolicies adds the searches for policies that are set where the local setting has no key at all: a pattern in the key of the rule cannot
// match there, and the policy counts all the same.
func (a *answers) searchPolicies() (searches []*search) {
	asked := map[string]bool{}
	for _, p := range a.rule.policies() {
		names := p.key.names()
		if !p.key.isPattern() || slices.ContainsFunc(a.rule.Key.names(), func(name string) bool { return !slices.Contains(names, name) }) || a.rule.Key.nameless() {
			continue
		}
		q := question{Key: p.key, Value: p.value, hasKey: true}
		searches = append(searches, a.places(q, scene{}, func(m hive.Match, bound bindings) {
			if name := p.value.fill(bound).name(); m.Key == nil { // a link that leads nowhere
				if m.Known == hive.Whole {
					return
				}
			} else if _, ok := m.Key.Value(name); !ok && m.Key.ValueKnown(name) == hive.Whole {
				return
			}
			for _, local := range a.find(a.rule.Key.fill(bound).base, sceneAt(m, bound)) {
				if at := hive.Fold(local.Real.String()); local.Key == nil && p.counts(bound) && !asked[at] {
					asked[at] = true
					a.ask(sceneAt(local, bound))
				}
			}
		}, func(m hive.Match) {
			if m.Known != hive.NotCovered {
				a.lose(q, m)
			}
		})...)
	}
	return searches
}

// policies lists the policies of the rule and of its overrides.
func (r *Rule) policies() []Policy {
	all := slices.Clone(r.base.policies)
	for _, o := range r.overrides {
		all = append(all, o.policies...)
	}
	return all
}

// worse reports whether an answer counts more than another one about the same policy, which several local places share.
func (f Finding) worse(g Finding) bool {
	rank := func(f Finding) int { return slices.Index([]Status{Pass, Unknown, Fail}, f.Status) }
	return rank(f) > rank(g) || f.Status == Fail && g.Status == Fail && f.Severity > g.Severity
}

// addByPolicy adds an answer that a policy gives, once for all local places that it goes before.
func (a *answers) addByPolicy(f Finding) {
	if a.byPolicy == nil {
		a.byPolicy = map[string]int{}
	}
	place := foldedPath(f.RealKey) + "\x00" + hive.Fold(f.Value)
	switch i, told := a.byPolicy[place]; {
	case !told:
		a.byPolicy[place] = len(a.found)
		a.found = append(a.found, f)
	case f.worse(a.found[i]):
		a.found[i] = f
	}
}

// checkPolicies checks that each policy names one place, for each place that the question has, and that its data can be understood.
func checkPolicies(d *strict.Decoder, all []Policy, q question, bound []string) {
	for _, p := range all {
		unknown := func(what string, names []string, at hive.Location) {
			for _, name := range names {
				if !slices.Contains(bound, name) {
					d.WrongAt(at, "the %s of a policy uses the name {%s}, which nothing binds%s", what, name, meant(name, bound))
				}
			}
		}
		switch {
		case q.AboutKey:
			d.WrongAt(p.at, "policy is for one value: a policy overrides what a value holds; add value, or ask for the key of the policy in a condition")
			continue
		case q.Value.open:
			d.WrongAt(p.at, "policy is for one value, and %s is a pattern: write its name", q.Value)
		case q.Key.deep():
			d.WrongAt(p.at, "policy cannot be for a key behind **: nothing tells which of them a policy overrides")
		}
		for _, part := range []struct {
			what     string
			nameless bool
			names    []string
		}{{"key", p.key.nameless(), p.key.names()}, {"value", p.value.nameless(), p.value.names()}} {
			if part.nameless {
				d.WrongAt(p.at, "the %s of a policy cannot hold *, ? or **: a policy is at one place; names that the key of the rule binds can stand in it", part.what)
				continue
			}
			unknown(part.what, part.names, p.at)
		}
		for _, w := range p.where {
			unknown("field where", []string{w.name}, w.at)
		}
		ofUser := func(path hive.Path) bool { return path.HasPrefix(userRoot) || path.HasPrefix(usersRoot) }
		switch base := p.key.base; {
		case ofUser(base) && !ofUser(q.Key.base):
			d.WrongAt(p.at, "a policy of a user overrides no setting of the machine: want a key below HKEY_LOCAL_MACHINE")
		case base.HasPrefix(currentSet) && !q.Key.base.HasPrefix(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}):
			d.WrongAt(p.at, "a policy in a control set overrides settings of that set only")
		case hive.EqualFold(p.key.text, q.Key.text) && hive.EqualFold(p.value.text, q.Value.text):
			d.WrongAt(p.at, "the policy is at the place of the local setting itself")
		}
	}
}

// checkMeanings checks that what the data of policies mean are data that the local setting can hold.
func (t Terms) checkMeanings(d *strict.Decoder) {
	for _, p := range t.Policies {
		for _, m := range p.means {
			fits := func(typ hive.Type) bool { _, why := m.to.written(typ).as(typ); return why == "" }
			if len(t.Types) > 0 && !slices.ContainsFunc(t.Types, fits) {
				d.WrongAt(m.at, "map turns %s into %s, which a %s cannot hold", m.from, m.to, strict.List(each(t.Types, hive.Type.String), "or"))
			}
		}
		if numbers := slices.ContainsFunc(t.Types, func(typ hive.Type) bool { return kindOf(typ) == aNumber }); p.times > 0 && len(t.Types) > 0 && !numbers {
			d.WrongAt(p.at, "times is for numbers, which a %s does not hold", strings.Join(each(t.Types, hive.Type.String), " or "))
		}
	}
}
