package rules

import (
	"maps"
	"slices"

	"regvet/hive"
)

// evaluation is one run of rules over a registry.
type evaluation struct {
	registry *hive.Registry
	windows  hive.Windows
	walked   map[*Condition][]*sum  // results of the shared walk, for conditions with patterns in their keys
	machines map[string]*machine    // by the control set in which a program was looked up
	passed   func(*Rule, hive.Path) // is told of passes, of which no findings are made; or nil

	split map[*Rule][]*evaluation // the results of worldsOf
	terms map[chosen]Terms        // the results of termsOf
	hunts []*hunt                 // for what must be nowhere
}

// scene is where a rule is evaluated: at a key that it matched, for one of several users or control sets.
type scene struct {
	at    *hive.Match // the key that the rule is about; nil for one of conditions only
	user  string      // whose settings HKEY_CURRENT_USER are; "" for those of any user
	set   string      // the key that CurrentControlSet stands for; "" for the registry's own choice
	bound bindings

	silent   bool // only the status and the reason are asked for: texts are left out
	asked    bool // it is a condition, so that a no can make a rule pass
	counted  bool // keys that pass are counted, not listed
	namesSet bool // the rule itself names the control set
}

var (
	machineRoot = hive.Path{"HKEY_LOCAL_MACHINE"}
	usersRoot   = hive.Path{"HKEY_USERS"}
	userRoot    = hive.Path{"HKEY_CURRENT_USER"}
	currentSet  = hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM", "CurrentControlSet"}
)

// classesSuffix is the end of the names of keys below HKEY_USERS that hold the file associations of a user.
const classesSuffix = "_Classes"

// sceneAt returns the scene of a rule that matched a key.
func sceneAt(m hive.Match, bound bindings) scene {
	s := scene{at: &m, bound: bound, set: hive.ControlSetOf(m.Real)}
	if m.Real.HasPrefix(usersRoot) && len(m.Real) > 1 {
		s.user = m.Real[1]
		if n := len(s.user) - len(classesSuffix); n > 0 && hive.EqualFold(s.user[n:], classesSuffix) {
			s.user = s.user[:n]
		}
	}
	return s
}

// find follows a path in the scene: with its user and control set.
func (e *evaluation) find(path hive.Path, s scene) []hive.Match {
	matches := e.registry.Find(path)
	if len(matches) < 2 {
		return matches
	}
	var ours []hive.Match
	for _, m := range matches {
		other := s.user != "" && path.HasPrefix(userRoot) && m.Real.HasPrefix(usersRoot) && !hive.EqualFold(m.Real[1], s.user) ||
			s.set != "" && path.HasPrefix(currentSet) && !hive.EqualFold(hive.ControlSetOf(m.Real), s.set)
		if !other {
			ours = append(ours, m)
		}
	}
	return ours
}

// scenes returns the scenes of a rule of conditions without a key: one, or one for each user and control set that its conditions look at.
func (e *evaluation) scenes(c *Condition) []scene {
	users, sets := []string{""}, []string{""}
	c.each(func(c *Condition) {
		if c.question.Key.base.HasPrefix(userRoot) && len(users) == 1 {
			if found := e.registry.Find(userRoot); len(found) > 1 {
				users = each(found, func(m hive.Match) string { return m.Real[1] })
			}
		}
		if c.question.Key.base.HasPrefix(currentSet) && len(sets) == 1 {
			if found := e.registry.Find(currentSet); len(found) > 1 {
				sets = each(found, func(m hive.Match) string { return hive.ControlSetOf(m.Real) })
			}
		}
	})
	var all []scene
	for _, user := range users {
		for _, set := range sets {
			all = append(all, scene{user: user, set: set})
		}
	}
	return all
}

// shareName reports whether one of the names is among the bound ones.
func shareName(names, bound []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(bound, name) })
}

// places calls found for each key that a question matches in a scene, with the names that it binds there, and lost for each place below which there may be more. If the question
// has a pattern, it returns the searches for a walk instead.
func (e *evaluation) places(q question, s scene, found func(m hive.Match, bound bindings), lost func(m hive.Match)) (searches []*search) {
	if !q.hasKey {
		found(*s.at, nil)
		return nil
	}
	for _, base := range e.find(q.Key.base, s) {
		switch {
		case !q.Key.isPattern():
			found(base, nil)
		case base.Key != nil:
			searches = append(searches, &search{base: base, key: q.Key, found: found, lost: lost})
		case base.Known != hive.Whole:
			lost(base)
		}
	}
	return searches
}

// sum gathers the answers of a question at all the keys that it matched.
type sum struct {
	silent             bool      // only the status of each answer counts
	base               hive.Path // below which the keys are, as it lies in the registry
	passed, failed, un *Finding  // the first of each
}

// statusOnly are answers without anything but their status.
var statusOnly = map[Status]*Finding{Pass: {Status: Pass}, Fail: {Status: Fail}, Unknown: {Status: Unknown}}

func (s *sum) add(f Finding) {
	first := &s.un
	switch f.Status {
	case Pass:
		first = &s.passed
	case Fail:
		first = &s.failed
	}
	switch {
	case *first != nil:
	case s.silent:
		*first = statusOnly[f.Status]
	default:
		kept := f
		*first = &kept
	}
}

// verdict returns the verdict of a condition: what must exist has to be found at one of the keys, what must not exist at none.
func (s *sum) verdict(c *Condition) verdict {
	of := func(t truth, f *Finding) verdict { return verdict{t, f.Reason, f.Message, f} }
	absent := c.terms.Exists != nil && !*c.terms.Exists
	switch {
	case absent && s.failed != nil:
		return of(no, s.failed)
	case !absent && s.passed != nil:
		return of(yes, s.passed)
	case s.un != nil:
		return of(perhaps, s.un)
	case s.failed != nil:
		return of(no, s.failed)
	case s.passed != nil:
		return of(yes, s.passed)
	}
	return verdict{toTruth(absent), "", "there is no key " + hive.Visible(c.question.Key.String()), nil}
}

// prepare answers conditions whose keys hold patterns, all in one walk, except those that depend on a name that the key of their rule binds.
func (e *evaluation) prepare(rules []*Rule) {
	var searches []*search
	for _, r := range rules {
		bound := r.boundNames()
		r.eachCondition(func(c *Condition) {
			if !c.asks || !c.question.Key.isPattern() || shareName(append(c.question.names(), c.terms.Written.names()...), bound) || e.walked[c] != nil {
				return
			}
			for _, base := range e.registry.Find(c.question.Key.base) {
				s := &sum{base: base.Real}
				e.walked[c] = append(e.walked[c], s)
				if base.Key != nil {
					found, lost := e.asking(c, scene{}, s)
					searches = append(searches, &search{base: base, key: c.question.Key, found: found, lost: lost})
				} else if base.Known != hive.Whole {
					_, lost := e.asking(c, scene{}, s)
					lost(base)
				}
			}
		})
	}
	walk(e.registry, searches)
}

// asking returns what to do at each key that a condition matches, and at each place where there may be more.
func (e *evaluation) asking(c *Condition, s scene, to *sum) (found func(hive.Match, bindings), lost func(hive.Match)) {
	found = func(m hive.Match, bound bindings) {
		in := s.with(bound)
		in.asked = true
		e.effective(c.question, c.terms, m, in, to.add)
	}
	lost = func(m hive.Match) { to.add(unread(c.question, m)) }
	return found, lost
}

// answer evaluates the question of a condition.
func (e *evaluation) answer(c *Condition, s scene) verdict {
	if walked := e.walked[c]; walked != nil {
		var all []verdict
		for _, base := range e.find(c.question.Key.base, s) {
			for _, w := range walked {
				if w.base.Equal(base.Real) {
					all = append(all, w.verdict(c))
				}
			}
		}
		if absent := c.terms.Exists != nil && !*c.terms.Exists; absent {
			return decide(all, no)
		}
		return decide(all, yes)
	}
	if len(s.bound) > 0 && (c.question.Key.isPattern() || c.question.Value.open) {
		filled := *c
		filled.question.Key, filled.question.Value = c.question.Key.fill(s.bound), c.question.Value.fill(s.bound)
		c = &filled
	}
	to := sum{silent: s.silent}
	if !c.question.hasKey {
		s.asked = true
		e.effective(c.question, c.terms, *s.at, s, to.add)
		return to.verdict(c)
	}
	found, lost := e.asking(c, s, &to)
	walk(e.registry, e.places(c.question, s, found, lost))
	return to.verdict(c)
}

// with adds the bindings of the scene to those of a question in it.
func (s scene) with(bound bindings) scene {
	if len(bound) > 0 && len(s.bound) > 0 {
		all := maps.Clone(s.bound)
		maps.Copy(all, bound)
		bound = all
	}
	if len(bound) > 0 {
		s.bound = bound
	}
	return s
}
