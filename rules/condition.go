package rules

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// question is where a rule or a condition looks: for a value, for each value that a pattern stands for, or for a key itself.
type question struct {
	Key      keyPattern
	Value    pattern
	AboutKey bool // the question is about the key itself; Value means nothing

	hasKey bool // else it is about the key of the rule that it belongs to
}

// names lists what the question binds.
func (q question) names() []string { return append(q.Key.names(), q.Value.names()...) }

// String returns what the question is about, for people.
func (q question) String() string {
	var parts []string
	if !q.AboutKey {
		parts = append(parts, ValueName(q.Value.text))
	}
	if q.hasKey {
		parts = append(parts, "the key "+hive.Visible(q.Key.String()))
	} else if q.AboutKey {
		parts = append(parts, "the key")
	}
	return strings.Join(parts, " of ")
}

// Condition is a question about the registry whose answer may be left open. All that it holds must hold.
type Condition struct {
	At hive.Location

	windows        *versionRange
	products       []string
	editions       []string
	hives          []string
	elsewhere      string        // what must hold that no registry tells, or ""
	bound          []boundDemand // what it asks of names that the key of the rule binds
	all, any, none []*Condition
	asks           bool // whether it has a question of its own
	question       question
	terms          Terms // what is expected there
}

// String returns the condition in words.
func (c *Condition) String() string {
	var parts []string
	if c.windows != nil {
		parts = append(parts, c.windows.named())
	}
	if c.products != nil {
		parts = append(parts, "product "+strict.List(c.products, "or"))
	}
	if c.editions != nil {
		parts = append(parts, "edition "+strict.List(c.editions, "or"))
	}
	if c.hives != nil {
		parts = append(parts, "hive "+strict.List(c.hives, "or"))
	}
	if c.elsewhere != "" {
		parts = append(parts, hive.Visible(c.elsewhere))
	}
	parts = append(parts, each(c.bound, boundDemand.String)...)
	if c.asks {
		text := c.question.String()
		if len(c.terms.Policies) > 0 {
			text += " (or of its policy)"
		}
		if want := c.terms.Expected(); want != "" {
			text += " is " + want
		}
		parts = append(parts, text)
	}
	for _, g := range []struct {
		word string
		of   []*Condition
	}{{"all of", c.all}, {"any of", c.any}, {"none of", c.none}} {
		if g.of != nil {
			parts = append(parts, g.word+" ("+strings.Join(each(g.of, (*Condition).String), "; ")+")")
		}
	}
	return strings.Join(parts, ", ")
}

// each calls f for the condition and all below it.
func (c *Condition) each(f func(*Condition)) {
	f(c)
	for _, below := range slices.Concat(c.all, c.any, c.none) {
		below.each(f)
	}
}

// asksRegistry reports whether more than the version, product and edition of Windows decides the condition.
func (c *Condition) asksRegistry() (asks bool) {
	c.each(func(c *Condition) { asks = asks || c.asks || c.hives != nil || c.elsewhere != "" || c.bound != nil })
	return asks
}

// onWindows returns whether the condition holds on a Windows, as far as its version, product and edition decide that.
func (c *Condition) onWindows(w hive.Windows) truth {
	answer := yes
	if c.windows != nil {
		answer = min(answer, c.windows.holds(w))
	}
	if c.products != nil {
		answer = min(answer, isProduct(w, c.products))
	}
	if c.editions != nil {
		answer = min(answer, isEdition(w, c.editions))
	}
	if c.asks || c.hives != nil || c.elsewhere != "" || c.bound != nil {
		answer = min(answer, perhaps)
	}
	for _, below := range c.all {
		answer = min(answer, below.onWindows(w))
	}
	if c.any != nil {
		one := no
		for _, below := range c.any {
			one = max(one, below.onWindows(w))
		}
		answer = min(answer, one)
	}
	for _, below := range c.none {
		answer = min(answer, yes-below.onWindows(w))
	}
	return answer
}

// verdict is the answer of a condition, and what decided it.
type verdict struct {
	truth  truth
	reason Reason   // of perhaps
	why    string   // in words
	asked  *Finding // where the deciding question was asked; nil where none was
}

// holds answers a condition in a scene.
func (e *evaluation) holds(c *Condition, s scene) verdict {
	var room, below [4]verdict // for most conditions
	parts := room[:0]
	if c.windows != nil {
		parts = append(parts, verdict{c.windows.holds(e.windows), Undecided, versionOf(e.windows), nil})
	}
	if c.products != nil {
		parts = append(parts, verdict{isProduct(e.windows, c.products), Undecided, productOf(e.windows), nil})
	}
	if c.editions != nil {
		parts = append(parts, verdict{isEdition(e.windows, c.editions), Undecided, editionOf(e.windows), nil})
	}
	if c.hives != nil {
		has := slices.ContainsFunc(c.hives, e.hasHive)
		parts = append(parts, verdict{toTruth(has), "", "the input holds " + map[bool]string{true: "", false: "no "}[has] + "hive " + strict.List(c.hives, "or"), nil})
	}
	if c.elsewhere != "" {
		parts = append(parts, verdict{perhaps, Undecided, hive.Visible(c.elsewhere) + " cannot be told from a registry", nil})
	}
	for _, b := range c.bound {
		parts = append(parts, e.boundTo(b, s))
	}
	if c.asks {
		parts = append(parts, e.answer(c, s))
	}
	parts = e.holdEach(parts, c.all, s)
	if c.any != nil {
		parts = append(parts, decide(e.holdEach(below[:0], c.any, s), yes))
	}
	if c.none != nil {
		one := decide(e.holdEach(below[:0], c.none, s), yes)
		one.truth = yes - one.truth
		parts = append(parts, one)
	}
	return decide(parts, no)
}

// holdEach appends the answers of some conditions.
func (e *evaluation) holdEach(out []verdict, all []*Condition, s scene) []verdict {
	for _, c := range all {
		out = append(out, e.holds(c, s))
	}
	return out
}

// decide combines verdicts: the first of the given truth settles it; else the first open one leaves it open.
func decide(all []verdict, settles truth) verdict {
	for _, t := range []truth{settles, perhaps} {
		for _, v := range all {
			if v.truth == t {
				return v
			}
		}
	}
	sum := verdict{truth: yes - settles}
	for i, v := range all {
		switch {
		case i == 0:
			sum.why = v.why
		case v.why != "" || sum.why != "": // there are no words where only the answer is asked for
			sum.why += "; " + v.why
		}
		if sum.asked == nil {
			sum.asked = v.asked
		}
	}
	return sum
}

// versionOf returns which Windows it is, for people.
func versionOf(w hive.Windows) string {
	if !versionKnown(w) {
		return "the version of Windows is not known (--windows tells it)"
	}
	return "this is " + w.Full()
}

// versionKnown reports whether anything is known of the version of Windows.
func versionKnown(w hive.Windows) bool {
	return w.AtLeast != (hive.Version{}) || w.Below != (hive.Version{})
}

// productOf returns which product of Windows it is, for people.
func productOf(w hive.Windows) string {
	if w.Product == "" {
		return "the product is not known"
	}
	return "the product is " + productWord(w.Product)
}

// editionOf returns which edition of Windows it is, for people.
func editionOf(w hive.Windows) string {
	if w.Edition == "" {
		return "the edition is not known"
	}
	return "the edition is " + editionWord(w.Edition)
}

// hiveRoots is where the hives that a condition can name are mounted. A user's hive is mounted at several places.
var hiveRoots = []struct {
	name string
	key  keyPattern
}{
	{"SYSTEM", parseKey(`HKLM\SYSTEM`)}, {"SOFTWARE", parseKey(`HKLM\SOFTWARE`)}, {"SAM", parseKey(`HKLM\SAM`)},
	{"SECURITY", parseKey(`HKLM\SECURITY`)}, {"COMPONENTS", parseKey(`HKLM\COMPONENTS`)}, {"DRIVERS", parseKey(`HKLM\DRIVERS`)},
	{"BCD", parseKey(`HKLM\BCD00000000`)}, {"ELAM", parseKey(`HKLM\ELAM`)}, {"DEFAULT", parseKey(`HKU\.DEFAULT`)},
	{"NTUSER.DAT", parseKey(`HKCU`)}, {"UsrClass.dat", parseKey(`HKCU\Software\Classes`)},
}

func hiveNames() (names []string) {
	for _, h := range hiveRoots {
		names = append(names, h.name)
	}
	return names
}

// hasHive reports whether any part of a hive is in the registry.
func (e *evaluation) hasHive(name string) bool {
	for _, h := range hiveRoots {
		if h.name == name && slices.ContainsFunc(e.registry.Find(h.key.base), func(m hive.Match) bool { return m.Key != nil }) {
			return true
		}
	}
	return false
}
