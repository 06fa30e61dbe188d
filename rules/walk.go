package rules

import (
	"slices"

	"regvet/hive"
)

// search is a key pattern to look for below a base key.
type search struct {
	base hive.Match
	key  keyPattern

	found func(m hive.Match, bound bindings) // is called for each key that the pattern matches, except those that passes takes
	// passes reports whether the search is done with a key, at its path in the input, before anything is made for it; nil for never. The
	// path is valid during the call only.
	passes func(k *hive.Key, real hive.Path) bool
	// lost is called for each key below which there may be matching keys that the input does not show.
	lost func(m hive.Match)

	// A search can ask only for the number of keys without a value: absent is called with it at the end of the walk, and found only for keys
	// that have the value of that folded name, or may have it.
	value  string
	absent func(keys int)
	told   int // keys that found was called for
}

// walk looks for all patterns at once. However many there are, it visits each key once, and only keys that lie on the path of one. It does not
// follow symbolic links on a path, which can lead in circles, but it does at the end of one.
func walk(registry *hive.Registry, searches []*search) {
	if len(searches) == 0 {
		return
	}
	w := walker{registry: registry}
	root, counted := plant(searches)
	w.visit(registry.Root(), root.enter(nil))
	for at := range counted {
		for _, searches := range at.byValue {
			for _, s := range searches {
				s.absent(at.visits - s.told)
			}
		}
	}
}

// plant returns the levels that the patterns of searches lead through, from the root on, and those at which keys are only counted.
func plant(searches []*search) (root *level, counted map[*level]bool) {
	root, counted = &level{}, map[*level]bool{}
	for _, s := range searches {
		at := root
		at.searches = append(at.searches, s)
		for _, name := range s.base.Real {
			at = at.exactly(name)
			at.searches = append(at.searches, s)
		}
		for _, segment := range s.key.segments {
			at = at.next(segment)
			at.searches = append(at.searches, s)
		}
		if s.absent == nil {
			at.ends = append(at.ends, s)
			continue
		}
		if at.byValue == nil {
			at.byValue = map[string][]*search{}
		}
		at.byValue[s.value] = append(at.byValue[s.value], s)
		counted[at] = true
	}
	return root, counted
}

// level is a place in the patterns: what may come next for those that have matched so far. Patterns that start alike share their levels, so
// that a thousand of them below one key cost no more than their differences.
type level struct {
	exact    map[string]*level // by folded name
	names    []string          // of exact, as written, in their order
	patterns []patternLevel
	deep     *level // behind a **
	loops    bool   // it is the level behind a **: any key leads back to it
	ends     []*search
	byValue  map[string][]*search // the ends of searches that ask for keys with a value, by its folded name
	visits   int                  // keys that these matched
	searches []*search            // all that matched so far
	step     int                  // the last step of the walk that came here
}

type patternLevel struct {
	pattern
	level *level
}

func (l *level) exactly(name string) *level {
	fold := hive.Fold(name)
	if l.exact[fold] == nil {
		if l.exact == nil {
			l.exact = map[string]*level{}
		}
		l.exact[fold] = &level{}
		l.names = append(l.names, name)
	}
	return l.exact[fold]
}

func (l *level) next(s segment) *level {
	switch {
	case s.deep:
		if l.deep == nil {
			l.deep = &level{loops: true}
		}
		return l.deep
	case !s.open:
		return l.exactly(s.name())
	}
	for _, p := range l.patterns {
		if p.text == s.text {
			return p.level
		}
	}
	below := &level{}
	l.patterns = append(l.patterns, patternLevel{s.pattern, below})
	return below
}

// enter adds the level to those that the walk is at, and the level behind a **, which may match no key at all.
func (l *level) enter(at []*level) []*level {
	if at = append(at, l); l.deep != nil {
		at = append(at, l.deep)
	}
	return at
}

// enumerates reports whether any key may be next.
func (l *level) enumerates() bool { return l.loops || len(l.patterns) > 0 }

type walker struct {
	registry *hive.Registry
	path     hive.Path
	step     int
	last     reached
}

// reached is what the last search was told of a key. Most searches that end there share it.
type reached struct {
	by    *search // nil for none yet
	level *level
	match hive.Match
	bound bindings
}

// visit visits a key with the levels that the patterns have reached there.
func (w *walker) visit(k *hive.Key, at []*level) {
	w.last = reached{}
	for _, l := range at {
		for _, s := range l.ends {
			w.end(k, l, s)
		}
		if l.byValue != nil {
			w.endByValue(k, l)
		}
	}
	if _, link := k.Link(); link && len(w.path) > 0 {
		return
	}
	if slices.ContainsFunc(at, (*level).enumerates) {
		for _, child := range k.Keys() {
			w.descend(child, at)
		}
	} else {
		names := map[string]bool{}
		for _, l := range at {
			for _, name := range l.names {
				if fold := hive.Fold(name); len(at) == 1 || !names[fold] {
					names[fold] = true
					if child := k.Key(name); child != nil {
						w.descend(child, at)
					}
				}
			}
		}
	}
	if k.KeysKnown() != hive.Whole {
		w.lose(k, at)
	}
}

func (w *walker) descend(child *hive.Key, at []*level) {
	next := at
	if slices.ContainsFunc(at, func(l *level) bool { return !l.loops || l.exact != nil || l.patterns != nil }) {
		next = w.next(child.Name(), at)
	}
	if len(next) > 0 {
		w.path = append(w.path, child.Name())
		w.visit(child, next)
		w.path = w.path[:len(w.path)-1]
	}
}

// next returns the levels that follow the given ones for a key of that name, each once.
func (w *walker) next(name string, at []*level) (next []*level) {
	w.step++
	enter := func(l *level) {
		for ; l != nil; l = l.deep {
			if l.step != w.step {
				l.step = w.step
				next = append(next, l)
			}
		}
	}
	fold := hive.Fold(name)
	for _, l := range at {
		if e := l.exact[fold]; e != nil {
			enter(e)
		}
		for _, p := range l.patterns {
			if p.match(name, nil) {
				enter(p.level)
			}
		}
		if l.loops {
			enter(l)
		}
	}
	return next
}

// endByValue reports a key to the searches that ask for one of its values.
func (w *walker) endByValue(k *hive.Key, l *level) {
	l.visits++
	_, link := k.Link()
	if k.ValuesKnown() != hive.Whole || link {
		for _, searches := range l.byValue {
			for _, s := range searches {
				s.told++
				w.end(k, l, s)
			}
		}
		return
	}
	for _, v := range k.Values() {
		for _, s := range l.byValue[hive.Fold(v.Name)] {
			s.told++
			w.end(k, l, s)
		}
	}
}

// end reports a key to a search whose pattern it matches at a level.
func (w *walker) end(k *hive.Key, l *level, s *search) {
	_, link := k.Link()
	if s.passes != nil && !link && s.passes(k, w.path) {
		return
	}
	if by := w.last.by; by == nil || w.last.level != l || !by.startsWith(s) {
		m := w.match(s)
		m.Key = k
		if link {
			if behind := w.registry.Find(m.Real); len(behind) == 1 {
				m.Key, m.Real, m.Known, m.Problem, m.Link = behind[0].Key, behind[0].Real, behind[0].Known, behind[0].Problem, behind[0].Link
			}
		}
		w.last = reached{s, l, m, s.key.bind(w.path[len(s.base.Real):])}
	}
	s.found(w.last.match, w.last.bound)
}

// startsWith reports whether two searches start from one key by one path.
func (s *search) startsWith(t *search) bool {
	return slices.Equal(s.base.Live, t.base.Live) && slices.Equal(s.base.Real, t.base.Real) && s.base.Guessed == t.base.Guessed
}

// match returns the current key with its path as the search names it.
func (w *walker) match(s *search) hive.Match {
	m := s.base
	m.Real = slices.Clone(w.path)
	m.Live = s.base.Live.Join(w.path[len(s.base.Real):]...)
	return m
}

// lose reports a key whose subkeys are not all known to the searches that may match more of them.
func (w *walker) lose(k *hive.Key, at []*level) {
	told := map[*search]bool{}
	tell := func(searches []*search) {
		for _, s := range searches {
			// A search starts from its base, which is known to exist.
			if told[s] || len(w.path) < len(s.base.Real) {
				continue
			}
			told[s] = true
			m := w.match(s)
			m.Key, m.Known = nil, k.KeysKnown()
			if m.Known == hive.Damaged {
				m.Problem = k.FirstLoss()
			}
			s.lost(m)
		}
	}
	for _, l := range at {
		if l.enumerates() {
			tell(l.searches)
			continue
		}
		for _, name := range l.names {
			if k.Key(name) == nil && k.KeyKnown(name) != hive.Whole {
				tell(l.exact[hive.Fold(name)].searches)
			}
		}
	}
}
