package rules

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

const (
	maxNames      = 32  // that a rule can bind: more than anybody can tell apart
	maxConditions = 500 // of a rule, each of which is compared with others by [Doubts]
)

// completeRule completes a rule, and notes where its fields contradict each other. If some fields had mistakes, it checks only what the others
// say by themselves.
func completeRule(d *strict.Decoder, n *yaml.Node, r *draft, sound bool) {
	before := d.Mistakes()
	if sound {
		checkForm(d, n, r)
	}
	bound := r.boundNames()
	if len(bound) > maxNames {
		d.WrongAt(*r.key, "the rule binds %d names; it can bind %d", len(bound), maxNames)
		return
	}
	for i, name := range bound {
		switch {
		case slices.Contains(placeholders, "{"+name+"}"):
			d.WrongAt(*r.key, "messages use the name {%s} for something else; choose another", name)
		case slices.Contains(bound[:i], name):
			d.WrongAt(*r.key, "the name {%s} is bound twice", name)
		}
	}
	changes := []change{r.base}
	for _, o := range r.overrides {
		changes = append(changes, o.change)
		if o.written != nil && (r.value != nil || r.conditional) {
			d.WrongAt(o.written.at, "%s", noTime)
		}
	}
	for _, c := range changes {
		if sound || r.hasKey {
			checkFix(d, &r.Rule, c.fix, bound)
		}
		checkWritten(d, c.written, bound)
		switch {
		case r.conditional && len(c.policies) > 0:
			d.WrongAt(c.policies[0].at, "a rule of all, any or none has no policy of its own: give it to the condition whose value it overrides")
		case sound:
			checkPolicies(d, c.policies, r.question, bound)
		}
	}
	if sound {
		count := 0
		r.eachCondition(func(c *Condition) { count++ })
		if count > maxConditions {
			d.Wrong(n, "a rule has at most %d conditions, and this one has %d; write several rules", maxConditions, count)
			return
		}
		r.eachCondition(func(c *Condition) {
			if c.asks && !c.question.hasKey && !r.hasKey {
				d.WrongAt(c.At, "the condition needs the field key: its rule has none")
			}
			checkWritten(d, c.terms.Written, append(c.question.names(), bound...))
			if q := c.question; len(c.terms.Policies) > 0 {
				if q.Key.nameless() || slices.ContainsFunc(q.Key.names(), func(name string) bool { return !slices.Contains(bound, name) }) {
					d.WrongAt(c.At, "policy in a condition is for one key: only names that the key of the rule binds can stand in it")
				}
				if !q.hasKey {
					q.Key = r.Key
				}
				checkPolicies(d, c.terms.Policies, q, bound)
				c.terms.checkMeanings(d)
			}
			for _, b := range c.bound {
				checkBound(d, b, r.Key.names())
			}
		})
		if r.assumed != nil && !r.asksVersion() {
			d.WrongAt(*r.assumed, "assume decides nothing: no override and no condition of the rule names a version of Windows")
		}
	}
	checkTerms(d, n, &r.Rule, sound && d.Mistakes() == before)
	for _, c := range changes {
		checkMessages(d, &c, bound)
	}
}

// checkForm checks that the fields of a rule go together.
func checkForm(d *strict.Decoder, n *yaml.Node, r *draft) {
	if r.Inventory != nil {
		checkInventory(d, n, r)
		return
	}
	needs := func(name string) {
		if !strict.Has(n, name) {
			d.Wrong(n, "a rule needs the field %s", name)
		}
	}
	var names []string
	for _, name := range []string{"value", "misspelt", "other_than"} {
		if strict.Has(n, name) {
			names = append(names, name)
		}
	}
	if len(names) > 1 {
		d.Wrong(n, "a rule has either the field %s or the field %s", names[0], names[1])
	}
	if r.Nowhere != nil {
		r.checkNowhere(d, n)
		return
	}
	if r.conditional {
		for _, name := range []string{"value", "misspelt", "other_than", "expect", "missing"} {
			if strict.Has(n, name) {
				d.Wrong(n, "a rule of all, any or none has no field %s: its conditions say what it expects", name)
			}
		}
		asks := false
		r.conditions.each(func(c *Condition) { asks = asks || c.asks })
		if !asks && !r.hasKey {
			d.Wrong(n, "the conditions ask for nothing in the registry")
		}
		r.conditions.At = strict.Locate(n)
		r.Conditions, r.AboutKey = &r.conditions, true
		return
	}
	needs("key")
	needs("expect")
	b := &r.base
	if r.value == nil {
		r.AboutKey = true
		if strict.Has(n, "expect") && (b.exists == nil && b.written == nil || b.types != nil || b.valid != nil || b.data != nil) {
			d.Wrong(n, "a rule without value is about the key itself: its expect must say exists or written, and nothing else")
		}
		switch {
		case b.written == nil && strict.Has(n, "missing"):
			d.Wrong(n, "a rule without value has no field missing: exists says what it means that the key does not exist")
		case b.written == nil:
		case b.exists != nil && !*b.exists:
			d.WrongAt(b.written.at, "expect wants the key not to exist, and asks when it was last written")
		case b.exists != nil && strict.Has(n, "missing"):
			d.Wrong(n, "exists already says what it means that the key does not exist; leave out missing")
		case b.exists == nil && !strict.Has(n, "missing"):
			needs("missing")
		case b.exists == nil && (b.missing == nil || b.missing.Default != nil):
			d.Wrong(n, "missing must say what it means that the key does not exist: fail or pass")
		}
		return
	}
	switch {
	case !strict.Has(n, "expect"):
	case b.written != nil:
		d.WrongAt(b.written.at, "%s", noTime)
	case b.exists == nil && b.types == nil && b.data == nil && b.valid == nil:
		d.Wrong(n, "expect asks for nothing; want exists, type, valid or data")
	case b.exists != nil && !*b.exists && (b.types != nil || b.data != nil || b.valid != nil):
		d.Wrong(n, "expect wants the value not to exist, and asks for its type or data")
	case b.exists != nil && b.missing != nil:
		d.Wrong(n, "exists already says what it means that the value does not exist; leave out missing")
	case b.exists == nil && !strict.Has(n, "missing"):
		needs("missing")
	case b.exists == nil && b.missing == nil:
		d.Wrong(n, "missing must say what it means that the value does not exist: fail, pass, or {default: DATA}")
	case r.Value.open && b.missing != nil && b.missing.Default != nil:
		d.Wrong(n, "missing cannot have a default for a value that is a pattern: nothing says which one does not exist")
	}
}

// checkNowhere checks a rule that says what must be nowhere.
func (r *draft) checkNowhere(d *strict.Decoder, n *yaml.Node) {
	for _, name := range []string{"key", "value", "misspelt", "expect", "missing", "all", "any", "none", "policy", "fix", "overrides", "assume"} {
		if strict.Has(n, name) {
			d.Wrong(n, "a rule with the field nowhere has no field %s: it is about what is found", name)
		}
	}
	if many := r.Nowhere.count(); many > maxConditions {
		d.Wrong(n, "a rule has at most %d traits, and this one has %d; write several rules", maxConditions, many)
	}
	r.AboutKey = true
}

// noTime is the mistake of asking for the time of a value.
const noTime = "written is of a key, and values have no time: leave out value, or ask for it in a condition without one"

// checkWritten checks that a time is compared with the time of one key, whose names are bound.
func checkWritten(d *strict.Decoder, w *lastWritten, bound []string) {
	if w == nil {
		return
	}
	for _, b := range w.bounds {
		if b.moment.key.nameless() {
			d.WrongAt(b.moment.at, "the key to compare with cannot hold *, ? or **: a time is compared with that of one key")
			continue
		}
		for _, name := range b.moment.key.names() {
			if !slices.Contains(bound, name) {
				d.WrongAt(b.moment.at, "the key to compare with uses the name {%s}, which nothing binds%s", name, meant(name, bound))
			}
		}
	}
}

// checkBound checks that a condition on a name is about one that the key of the rule binds, and asks what a text can answer.
func checkBound(d *strict.Decoder, b boundDemand, bound []string) {
	if !slices.Contains(bound, b.name) {
		d.WrongAt(b.at, "the condition asks for the name {%s}, which the key of the rule does not bind%s", b.name, meant(b.name, bound))
	}
	if _, why := (Terms{Types: []hive.Type{hive.SZ}, Data: b.demand}).mistyped("the condition on {" + b.name + "}"); why != "" {
		d.WrongAt(b.at, "%s", why)
	}
	if slices.ContainsFunc(b.demand, func(o operator) bool { return o.other != "" }) {
		d.WrongAt(b.at, "the name {%s} is compared with a value; it can be compared with texts and lists", b.name)
	}
}

var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{[^{}]*\}`) })

func checkMessages(d *strict.Decoder, c *change, bound []string) {
	known := slices.Concat(placeholders, each(bound, func(name string) string { return "{" + name + "}" }))
	for _, reason := range failReasons {
		text, ok := c.messages[reason]
		for _, m := range placeholder().FindAllString(text.V, -1) {
			if ok && !slices.Contains(known, m) && !aboutList().MatchString(m) {
				d.WrongAt(text.At, "there is no placeholder %s%s", m, strict.OneOf(m, known))
			}
		}
	}
}

// checkFix checks that each step of a fix knows its place, and completes it. A step at a place that matched a pattern must use names that the
// pattern binds, so that a reader of the rule sees that it changes many places.
func checkFix(d *strict.Decoder, r *Rule, f *Fix, bound []string) {
	if f == nil || f.unsound {
		return
	}
	for i := range f.Steps {
		s := &f.Steps[i]
		unknown := func(names []string) {
			for _, name := range names {
				if !slices.Contains(bound, name) {
					d.WrongAt(s.at, "the fix uses the name {%s}, which nothing binds%s", name, meant(name, bound))
				}
			}
		}
		switch {
		case s.key != nil && s.key.nameless():
			d.WrongAt(s.at, "the key of a fix cannot hold *, ? or **: a fix changes one place")
		case s.key != nil:
			unknown(s.key.names())
		case !r.hasKey:
			d.WrongAt(s.at, "the fix needs the field key: its rule has none")
		case r.Key.deep():
			d.WrongAt(s.at, "a fix cannot be for a key behind **; give it a key of its own")
		case r.Key.nameless():
			d.WrongAt(s.at, "a fix for a key with * or ? needs a name for what it changes: write {name} in their place")
		}
		switch {
		case s.Edit.Op == hive.DeleteKey:
		case s.value != nil && s.value.nameless():
			d.WrongAt(s.at, "the value of a fix cannot hold * or ?: a fix changes one place")
		case s.value != nil:
			unknown(s.value.names())
			if !s.value.open {
				s.Edit.Value.Name = s.value.name()
			}
		case r.AboutKey:
			d.WrongAt(s.at, "the fix needs the field value: its rule has none")
		case r.Value.nameless():
			d.WrongAt(s.at, "a fix for a value with * or ? needs a name for what it changes: write {name} in their place")
		default:
			s.Edit.Value.Name = r.Value.name()
			if r.Value.open {
				s.Edit.Value.Name = r.Value.text
			}
		}
	}
}

// meant returns the end of a message about a name that is not bound.
func meant(name string, bound []string) string {
	if len(bound) == 0 {
		return ""
	}
	return strict.OneOf(name, bound).String()
}

// checkTerms checks that the terms of a rule agree with each other: it may not ask for the impossible, or fix something to what it then finds
// again. Of a rule that is not sound, it checks that operators are for the types that they stand beside.
func checkTerms(d *strict.Decoder, n *yaml.Node, r *Rule, sound bool) {
	if slices.ContainsFunc(r.overrides, func(o override) bool { return o.when == nil }) {
		return // it has a mistake of its own, and where the override counts is not known
	}
	for i, v := range r.Variants() {
		t, where := v.Terms, ""
		if i > 0 {
			if o := r.overrides[i-1]; o.exists == nil && o.types == nil && o.valid == nil && o.data == nil && o.fix == nil && o.missing == nil && o.policies == nil {
				continue
			}
			where = " for " + v.When
		}
		if o, why := t.mistyped("rule " + r.ID + where); why != "" {
			d.WrongAt(o.at, "%s", why)
			continue
		}
		if !sound {
			continue
		}
		if both := slices.Concat(t.Valid, t.Data); both.nothing() {
			noun := "data"
			if _, ok := both.numbers(); ok {
				noun = "number"
			}
			d.Wrong(n, "data and valid of rule %s%s have no %s in common", r.ID, where, noun)
			continue
		}
		if i == 0 || r.overrides[i-1].types != nil || r.overrides[i-1].policies != nil {
			t.checkMeanings(d)
		}
		if why := t.misfit(); why != "" {
			d.Wrong(n, "the default of rule %s%s does not fit: %s", r.ID, where, why)
		}
		if why := t.refuses(r.boundNames()); why != "" {
			d.Wrong(n, "the fix of rule %s%s %s; the rule wants %s", r.ID, where, why, t.Expected())
		}
	}
}

// mistyped returns an operator that asks for a kind of data that none of the types has, and the mistake; or "".
func (t Terms) mistyped(of string) (o operator, why string) {
	for _, q := range t.demands() {
		for _, o := range q.demand {
			if len(t.Types) > 0 && len(o.kinds) > 0 && !slices.ContainsFunc(t.Types, o.fits) {
				return o, q.name + " of " + of + " ask for " + plainKinds[o.kinds[0]] + " (" + o.text + "), which a " + strict.List(each(t.Types, hive.Type.String), "or") + " is not" +
					o.instead(kindOf(t.Types[0]))
			}
		}
	}
	return operator{}, ""
}

// instead returns how to write an operator for data of a kind that it is not for, as the end of a message.
func (o operator) instead(have kind) string {
	switch {
	case o.part != nil && have == aNumber:
		return "; leave out at and width, which are for bytes"
	case have == someBytes && slices.Equal(o.kinds, []kind{aNumber}):
		return "; write at, and width if it is more than one byte, beside " + o.name
	}
	for list, text := range listWords {
		if have == aText && o.name == list {
			return "; of a text write " + text
		}
	}
	return "; of " + plainKinds[have] + " write " + kindWords[have]
}

// listWords are the operators on texts for those on lists.
var listWords = map[string]string{"only": "in", "contains_only": "in", "any_matches": "matches", "all_match": "matches", "none_matches": "matches in a condition below none"}

// kindWords are operators for each kind of data.
var kindWords = [...]string{
	aNumber:   "equals, in, at_least, at_most, between or bits_set, with numbers",
	aText:     "equals, in, contains or matches, with texts",
	aList:     "contains, only, any_matches or none_matches, with texts",
	someBytes: "bytes, length, or at with an operator on numbers",
}

// namedDemand is a demand and the field that holds it.
type namedDemand struct {
	name   string
	demand demand
}

func (t Terms) demands() []namedDemand { return []namedDemand{{"valid", t.Valid}, {"data", t.Data}} }

// fits reports whether the operator can be applied to data of a type.
func (o operator) fits(t hive.Type) bool { return o.raw != nil || slices.Contains(o.kinds, kindOf(t)) }

// misfit returns why the rule cannot be applied to its default data, or "" if it can or if there are none.
func (t Terms) misfit() (why string) {
	d := t.Missing.Default
	if d == nil {
		return ""
	}
	for _, typ := range t.Types {
		if _, why = d.written(typ).as(typ); why == "" {
			break
		}
	}
	if why != "" {
		return why
	}
	if _, err := slices.Concat(t.Valid, t.Data).ask(d.value(t.Types), nil); err != nil {
		return err.Error()
	}
	return ""
}

// refuses returns what the fix does that the rule itself would find again, or "" if there is nothing or if only a test can show it.
func (t Terms) refuses(bound []string) string {
	if t.Fix == nil {
		return ""
	}
	for _, s := range t.Fix.Steps {
		if !s.own() {
			continue
		}
		if s.Edit.Op != hive.SetValue {
			if !t.passesAbsent() {
				return "deletes what it is about"
			}
			continue
		}
		v := s.Edit.Value
		switch {
		case t.Exists != nil && !*t.Exists:
			return "sets the value"
		case len(t.Types) > 0 && !slices.Contains(t.Types, v.Type):
			return "sets a " + v.Type.String()
		case slices.ContainsFunc(bound, func(name string) bool { return strings.Contains(s.data.String(), "{"+name+"}") }):
		case !slices.Concat(t.Valid, t.Data).mayHold(s.data, []hive.Type{v.Type}):
			return "sets " + hive.Visible(v.Display())
		}
	}
	return ""
}
