package foreign

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// logic is a statement of facts about the registry: one fact, or others joined by all, any or none. Of no others, all and none are true, and any
// is false.
type logic struct {
	word string // "fact", "all", "any" or "none"
	fact fact
	of   []logic
}

// fact is that a key or value exists or, with a demand, that the data of a value meet it.
type fact struct {
	key   string // a pattern; "" for the key of the rule
	value string // likewise; "" for the key itself
	data  Fields // operators; nil for the value itself
	pass  bool   // that the value is missing is as good; only in conditions, and never asked with holds

	hive      string // in place of all these: that the input holds a hive
	elsewhere string // likewise: what is asked of something else than a registry

	name string // what id returns, once it is known
}

// id tells facts apart.
func (f fact) id() string {
	if f.name != "" {
		return f.name
	}
	return strings.ToLower(f.key+"\x00"+f.value) + "\x00" + fmt.Sprint(f.data, f.pass) + "\x00" + f.hive + "\x00" + f.elsewhere
}

func allOf(of ...logic) logic  { return joined("all", of) }
func anyOf(of ...logic) logic  { return joined("any", of) }
func noneOf(of ...logic) logic { return joined("none", of) }
func (l logic) always() bool   { return l.word == "all" && len(l.of) == 0 }
func (l logic) never() bool    { return l.word == "any" && len(l.of) == 0 }

func is(f fact) logic {
	f.name = f.id()
	return logic{word: "fact", fact: f}
}

// id tells statements apart.
func (l logic) id() string {
	if l.word == "fact" {
		return l.fact.id()
	}
	var b strings.Builder
	for _, below := range l.of {
		b.WriteString(below.id() + "\n")
	}
	return l.word + "(" + b.String() + ")"
}

// joined returns some statements joined by a word, without what decides nothing.
func joined(word string, of []logic) logic {
	var rest []logic
	seen := map[string]bool{}
	for _, l := range of {
		switch {
		case l.word == "any" && word == "none", l.word == word && word != "none":
			for _, below := range l.of {
				if text := below.id(); !seen[text] {
					seen[text] = true
					rest = append(rest, below)
				}
			}
			continue
		case word == "all" && l.always(), word != "all" && l.never():
			continue
		case word == "all" && l.never():
			return logic{word: "any"}
		case word == "any" && l.always():
			return logic{word: "all"}
		case word == "none" && l.always():
			return logic{word: "any"}
		}
		if text := l.id(); !seen[text] {
			seen[text] = true
			rest = append(rest, l)
		}
	}
	rest = decisive(word, rest)
	switch {
	case len(rest) == 1 && word != "none":
		return rest[0]
	case len(rest) == 1 && rest[0].word == "none":
		return anyOf(rest[0].of...)
	case len(rest) == 0 && word == "none":
		word = "all"
	}
	return logic{word, fact{}, rest}
}

// decisive returns what of some statements, all different, decides them joined by a word: not what follows from another of all, and not what
// another of any or none follows from.
func decisive(word string, of []logic) []logic {
	for i := len(of) - 1; i >= 0; i-- {
		for j := range of {
			if i != j && (word == "all" && of[j].implies(of[i]) || word != "all" && of[i].implies(of[j])) {
				of = slices.Delete(of, i, i+1)
				break
			}
		}
	}
	return of
}

// implies reports whether another statement is seen to follow from this one: data are those of a value, a value is in a
// key, and a key in others.
func (l logic) implies(m logic) bool {
	switch {
	case l.word == "fact" && m.word == "fact":
		f, g := l.fact, m.fact
		switch above, key := strings.ToLower(g.key), strings.ToLower(f.key); {
		case f.id() == g.id():
			return true
		case !f.canLack() || !g.canLack() || f.pass || g.data != nil:
			return false
		case g.value == "":
			return key == above || strings.HasPrefix(key, above+`\`)
		default:
			return key == above && strings.EqualFold(f.value, g.value)
		}
	case l.word == "none" && m.word == "none":
		return logic{word: "any", of: m.of}.implies(logic{word: "any", of: l.of})
	case l.word == "any":
		return !slices.ContainsFunc(l.of, func(l logic) bool { return !l.implies(m) })
	case m.word == "all":
		return !slices.ContainsFunc(m.of, func(m logic) bool { return !l.implies(m) })
	case l.word == "all":
		return slices.ContainsFunc(l.of, func(l logic) bool { return l.implies(m) })
	case m.word == "any":
		return slices.ContainsFunc(m.of, l.implies)
	}
	return false
}

// simpler returns the statement, or in its place that keys or values exist, if that is true in the same states.
func (l logic) simpler() logic {
	all, ok := states(l)
	if !ok {
		return l
	}
	same := func(m logic) bool {
		return !slices.ContainsFunc(all, func(state map[string]bool) bool { return l.holds(state) != m.holds(state) })
	}
	try := []logic{allOf(), anyOf()}
	var keys, values []logic
	l.facts(func(f fact) {
		keys, values = append(keys, is(fact{key: f.key})), append(values, is(fact{key: f.key, value: f.value}))
		for _, one := range []logic{keys[len(keys)-1], values[len(values)-1]} {
			try = append(try, one, noneOf(one))
		}
	})
	try = append(try, anyOf(keys...), anyOf(values...))
	if i := slices.IndexFunc(try, same); i >= 0 {
		return try[i]
	}
	return l
}

// facts calls f for each fact of the statement.
func (l logic) facts(f func(fact)) {
	if l.word == "fact" {
		f(l.fact)
	}
	for _, below := range l.of {
		below.facts(f)
	}
}

// holds reports whether the statement is true where these facts are, and no others.
func (l logic) holds(there map[string]bool) bool {
	one := func(l logic) bool { return l.holds(there) }
	switch l.word {
	case "fact":
		return there[l.fact.id()]
	case "any":
		return slices.ContainsFunc(l.of, one)
	case "none":
		return !slices.ContainsFunc(l.of, one)
	}
	return !slices.ContainsFunc(l.of, func(l logic) bool { return !one(l) })
}

// given returns the statement where a key and a value of it exist.
func (l logic) given() logic {
	if l.word == "fact" {
		if l.fact.data == nil {
			return allOf()
		}
		return l
	}
	var of []logic
	for _, below := range l.of {
		of = append(of, below.given())
	}
	return joined(l.word, of)
}

// fields returns the statement as a condition of the language.
func (l logic) fields() Fields {
	if l.word == "fact" {
		return l.fact.fields(true)
	}
	if l.word == "none" && len(l.of) == 1 && l.of[0].word == "fact" && l.of[0].fact.data == nil && l.of[0].fact.canLack() {
		return l.of[0].fact.fields(false)
	}
	return Fields{{l.word, l.list()}}
}

// list returns what the statement joins as conditions.
func (l logic) list() []any {
	conditions := []any{}
	for _, below := range l.of {
		conditions = append(conditions, below.fields())
	}
	return conditions
}

// canLack reports whether the fact is about a key or value, which may be missing.
func (f fact) canLack() bool { return f.hive == "" && f.elsewhere == "" }

// fields returns the condition that the fact is true, or false.
func (f fact) fields(is bool) Fields {
	if f.elsewhere != "" {
		return Fields{{"elsewhere", f.elsewhere}}
	}
	if f.hive != "" {
		return Fields{{"hive", f.hive}}
	}
	var c Fields
	if f.key != "" {
		c = c.With("key", f.key)
	}
	if f.value != "" {
		c = c.With("value", f.value)
	}
	if f.data != nil {
		if c = c.With("expect", Fields{{"data", f.data}}); f.pass {
			c = c.With("missing", "pass")
		}
		return c
	}
	return c.With("expect", Fields{{"exists", is}})
}

// maxStates bounds the states of facts that are looked at.
const maxStates = 1 << 12

// states returns which facts of a statement can be true together: the data of a value meet nothing where there is no value, and there is none
// without its key. It is not ok if there are too many, or if a fact is about something else.
func states(l logic) (states []map[string]bool, ok bool) {
	type place struct{ key, value string }
	var keys []string
	values := map[string][]string{} // of each key
	data := map[place][]string{}    // the facts about each value
	open := false
	l.facts(func(f fact) {
		if !f.canLack() {
			open = true
			return
		}
		at := place{strings.ToLower(f.key), strings.ToLower(f.value)}
		keys = add(keys, at.key)
		if f.value != "" {
			values[at.key] = add(values[at.key], at.value)
		}
		if f.data != nil {
			data[at] = add(data[at], f.id())
		}
	})
	states = []map[string]bool{{}}
	if len(l.id()) > 1<<16 {
		return nil, false
	}
	for _, key := range keys {
		inKey := []map[string]bool{{fact{key: key}.id(): true}}
		for _, value := range values[key] {
			there := []map[string]bool{{fact{key: key, value: value}.id(): true}}
			for _, id := range data[place{key, value}] {
				there = pairs(there, []map[string]bool{{}, {id: true}})
			}
			inKey = pairs(inKey, append(there, map[string]bool{}))
		}
		states = pairs(states, append(inKey, map[string]bool{}))
	}
	return states, len(states) > 0 && !open
}

func add(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// pairs returns each state of one list with each of another, and none if there are too many.
func pairs(a, b []map[string]bool) (both []map[string]bool) {
	if len(a)*len(b) > maxStates {
		return nil
	}
	for _, x := range a {
		for _, y := range b {
			z := maps.Clone(x)
			maps.Copy(z, y)
			both = append(both, z)
		}
	}
	return both
}
