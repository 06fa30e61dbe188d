package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// hunt is the search of one rule for what must be nowhere.
type hunt struct {
	*answers
	traits *traits
	cases  possibilities
	more   int  // places beyond those that are told
	always bool // every subject may have the traits
}

// maxPlaces is how many places a rule tells at which there is what must be nowhere. The others are counted.
const maxPlaces = 1000

// called is one of the paths by which programs know a key: a text, and behind it names of the path in the input.
type called struct {
	head  string
	from  int   // the first of the names
	state int32 // of the finder behind all of it
}

// path returns the path with more behind it.
func (c called) path(real hive.Path, more string) string {
	var b strings.Builder
	b.WriteString(c.head)
	for _, name := range real[c.from:] {
		b.WriteByte('\\')
		b.WriteString(name)
	}
	b.WriteString(more)
	return b.String()
}

// part is a part of the registry of which there is an answer: what Windows mounts from one hive.
type part struct {
	path    hive.Path     // of the first key that the input has itself
	seen    int           // keys and values
	unread  int           // keys that are not all known, or whose values are not
	lost    hive.Path     // the first of them
	problem *hive.Problem // and why
}

// hunter looks for everything that must be nowhere, in one pass over all keys.
type hunter struct {
	registry *hive.Registry
	finder   *finder
	hunts    []*hunt // by the numbers that the finder knows
	always   []*hunt
	sets     map[string]hive.Match // what CurrentControlSet leads to, by the folded name

	path  hive.Path
	parts []*part // of the registry, in their order
}

// startHunt adds the rule to those that say what must be nowhere, if it applies.
func (a *answers) startHunt() {
	p := a.possibilities(scene{})
	if !slices.ContainsFunc(p.cases, func(c possibility) bool { return !c.skipped }) {
		a.skip(hive.Match{}, p.when.why)
		return
	}
	a.hunts = append(a.hunts, &hunt{answers: a, traits: a.rule.Nowhere, cases: p})
}

// hunt answers the rules that say what must be nowhere.
func (e *evaluation) hunt() {
	all := e.hunts
	if len(all) == 0 {
		return
	}
	h := &hunter{registry: e.registry, finder: newFinder(), hunts: all, sets: map[string]hive.Match{}}
	for i, t := range all {
		texts, ok := t.traits.gates()
		if t.always = !ok; t.always {
			h.always = append(h.always, t)
		}
		for _, text := range texts {
			h.finder.add(text, i)
		}
	}
	h.finder.complete()
	for _, m := range e.registry.Find(currentSet) {
		h.sets[hive.Fold(m.Real[len(m.Real)-1])] = m
	}
	for _, root := range e.registry.Root().Keys() {
		h.enter(root, nil, h.always)
	}
	for _, t := range all {
		t.concludeHunt(h)
	}
}

// shortRoots are the names of the roots in events.
var shortRoots = map[string][]string{
	"HKEY_LOCAL_MACHINE": {"HKLM"}, "HKEY_USERS": {"HKU"}, "HKEY_CURRENT_USER": {"HKCU", `HKU\CURRENT_USER`},
	"HKEY_CLASSES_ROOT": {"HKCR", `HKLM\SOFTWARE\Classes`}, "HKEY_CURRENT_CONFIG": {"HKCC"},
}

// otherNames returns the names by which the current key is known beside those that its path gives: Sysmon calls each control set the current one,
// and writes to HKEY_CLASSES_ROOT and to the settings of a user go to keys with other names.
func (h *hunter) otherNames() (names []string) {
	p := h.path
	is := func(at int, name string) bool { return hive.EqualFold(p[at], name) }
	switch {
	case len(p) == 2 && p.HasPrefix(usersRoot):
		if user, ok := userOfClasses(p[1]); ok {
			return []string{`HKU\` + user + `\Software\Classes`, `HKCU\Software\Classes`, "HKCR"}
		}
		return []string{"HKCU"}
	case len(p) == 3 && hive.ControlSetOf(p) != "":
		return []string{`HKLM\SYSTEM\CurrentControlSet`}
	case len(p) == 3 && p.HasPrefix(userRoot) && is(1, "Software") && is(2, "Classes"):
		return []string{`HKU\CURRENT_USER_Classes`, "HKCR"}
	case len(p) == 3 && hive.EqualFold(p[0], "HKEY_LOCAL_MACHINE") && is(1, "SOFTWARE") && is(2, "Classes"):
		return []string{"HKCR"}
	case len(p) == 4 && p.HasPrefix(usersRoot) && is(2, "Software") && is(3, "Classes"):
		return []string{`HKU\` + p[1] + classesSuffix, "HKCR"}
	}
	return nil
}

// userOfClasses returns the user whose file associations a key below HKEY_USERS holds.
func userOfClasses(name string) (user string, ok bool) {
	n := len(name) - len(classesSuffix)
	if n <= 0 || !hive.EqualFold(name[n:], classesSuffix) {
		return name, false
	}
	return name[:n], true
}

// enter visits a key below one with those names, and everything below it. All that is below a key whose path holds a text of a rule is due: the
// rule is asked about it.
func (h *hunter) enter(k *hive.Key, parent []called, due []*hunt) {
	h.path = append(h.path, k.Name())
	defer func() { h.path = h.path[:len(h.path)-1] }()
	if len(h.path) == 3 && hive.ControlSetOf(h.path) != "" {
		if _, led := h.sets[hive.Fold(k.Name())]; !led {
			return // as in all rules: CurrentControlSet does not lead there
		}
	}
	if len(h.path) <= 2 && (len(h.path) == 2) == (h.path.HasPrefix(usersRoot) || h.path.HasPrefix(machineRoot)) {
		h.parts = append(h.parts, new(part))
	}
	h.see()
	if n := len(h.parts); n > 0 && h.parts[n-1].path == nil && !k.Implied() {
		h.parts[n-1].path = slices.Clone(h.path)
	}
	due = slices.Clip(due)
	add := func(number int) {
		if t := h.hunts[number]; !t.always && !slices.Contains(due, t) {
			due = append(due, t)
		}
	}
	var names []called
	whole := h.otherNames()
	if len(h.path) == 1 {
		if whole = shortRoots[k.Name()]; whole == nil {
			whole = []string{k.Name()}
		}
	}
	fold := hive.Fold(`\` + k.Name())
	for _, c := range parent {
		c.state = h.finder.read(c.state, fold, add)
		names = append(names, c)
	}
	for _, text := range whole {
		names = append(names, called{text, len(h.path), h.finder.read(0, hive.Fold(text), add)})
	}
	h.ask(k, nil, names, "", due)
	for _, v := range k.Values() {
		h.value(k, &v, names, due)
	}
	if known := max(k.KeysKnown(), k.ValuesKnown()); len(h.parts) > 0 && (known == hive.Damaged || known == hive.Partial) {
		p := h.parts[len(h.parts)-1]
		if p.unread++; p.unread == 1 {
			p.lost, p.problem = slices.Clone(h.path), k.FirstLoss()
		}
	}
	if _, link := k.Link(); link {
		return
	}
	for _, child := range k.Keys() {
		h.enter(child, names, due)
	}
}

// see counts a key or value.
func (h *hunter) see() {
	if n := len(h.parts); n > 0 {
		h.parts[n-1].seen++
	}
}

// value visits a value of the current key.
func (h *hunter) value(k *hive.Key, v *hive.Value, names []called, due []*hunt) {
	h.see()
	text := `\` + cmp.Or(v.Name, "(Default)")
	fold := hive.Fold(text)
	due = slices.Clip(due)
	for _, c := range names {
		h.finder.read(c.state, fold, func(number int) {
			if t := h.hunts[number]; !t.always && !slices.Contains(due, t) {
				due = append(due, t)
			}
		})
	}
	h.ask(k, v, names, text, due)
}

// ask asks the rules that are due about the current key, or about one of its values, whose name is behind it in its path.
func (h *hunter) ask(k *hive.Key, v *hive.Value, names []called, behind string, due []*hunt) {
	if len(due) == 0 {
		return
	}
	s := subject{value: v}
	for _, c := range names {
		path := c.path(h.path, behind)
		s.paths, s.folds = append(s.paths, path), append(s.folds, hive.Fold(path))
	}
	for _, t := range due {
		if truth := t.traits.holds(&s); truth != no {
			t.told(h, k, v, truth)
		}
	}
}

// told records that a rule found what must be nowhere, or may have.
func (t *hunt) told(h *hunter, k *hive.Key, v *hive.Value, truth truth) {
	if len(t.found) >= maxPlaces {
		t.more++
		return
	}
	f := Finding{Rule: t.rule, RealKey: slices.Clone(h.path), Modified: k.Modified(), At: k.At(), AboutKey: v == nil}
	f.Key = f.RealKey
	if set, led := h.sets[hive.Fold(hive.ControlSetOf(h.path))]; led {
		f.Key, f.guessed = set.Live.Join(h.path[len(set.Real):]...), set.Guessed
	}
	template := "the key is there"
	if v != nil {
		template = "{value} is {actual}"
		observed := *v
		f.Value, f.Observed, f.At = v.Name, &observed, v.At
	}
	if f.guessed {
		f.Notes = append(f.Notes, guessedSet)
	}
	t.found = append(t.found, t.cases.answer(func(in *evaluation, terms Terms) []Finding {
		g := f
		g.Severity, g.Expected = terms.Severity, "nowhere "+t.traits.String()
		if truth == perhaps {
			return []Finding{g.unknown(Damaged, "whether the data are what must be nowhere cannot be told: they are damaged, or do not fit their type")}
		}
		if t.rule.Caveat != "" {
			g.Notes = append(slices.Clip(g.Notes), t.rule.Caveat)
		}
		own, given := terms.Messages[Present]
		if given {
			template = own
		}
		terms.Messages = map[Reason]string{Present: template}
		return []Finding{in.fail(g, Present, terms, scene{at: &hive.Match{Live: f.Key, Real: f.RealKey, Key: k}})}
	})...)
}

// concludeHunt adds what is to be said once everything was seen.
func (t *hunt) concludeHunt(h *hunter) {
	if t.more > 0 {
		t.found[len(t.found)-1].Message += fmt.Sprintf("; so it is at %d more places", t.more)
	}
	found := len(t.found) > 0
	for _, p := range h.parts {
		f := t.about(hive.Match{Live: p.path, Real: p.path})
		f.Expected = "nowhere " + t.traits.String()
		switch {
		case p.unread > 0:
			f.Key, f.RealKey = p.lost, p.lost
			more := ""
			if p.unread > 1 {
				more = fmt.Sprintf("; so it is at %d more places", p.unread-1)
			}
			t.found = append(t.found, f.unknown(Damaged, "there may be more in what could not be read here"+because(p.problem)+more))
		case !found:
			t.found = append(t.found, f.pass(fmt.Sprintf("there is none in %d keys and values", p.seen)))
		}
	}
}
