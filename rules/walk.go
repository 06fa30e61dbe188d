package rules

import (
	"slices"

	"regvet/hive"
)

// search is a key pattern that is looked for below the key that its base leads to.
type search struct {
	base hive.Match
	key  keyPattern

	found func(m hive.Match, bound bindings) // is called for each key that the pattern leads to
	// lost is called for each key below which there may be keys that the pattern leads to, of which the input does not tell.
	lost func(m hive.Match)

	// Of keys that lack a value, a search can ask for the number alone: absent is called with it at the end of the walk, and found
	// only for those that have the value of that folded name, or of which it is not known.
	value  string
	absent func(keys int)
	told   int // keys that found was called for
}

// walk looks for all patterns at once: each key is visited once, whatever their number, and only keys that lie on the way of one.
// Symbolic links are not followed on the way, for they can lead in circles; one at the end of the way is.
func walk(registry *hive.Registry, searches []*search) {
	if len(searches) == 0 {
		return
	}
	root := &level{}
	counted := map[*level]bool{}
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
	w := walker{registry: registry}
	w.visit(registry.Root(), root.enter(nil))
	for at := range counted {
		for _, searches := range at.byValue {
			for _, s := range searches {
				s.absent(at.visits - s.told)
			}
		}
	}
}

// level is a place in the patterns: what may come next on the way of those that came as far. Patterns that start alike share their
// levels, so that a thousand of them below one key cost no more than their differences.
type level struct {
	exact    map[string]*level // by folded name
	names    []string          // of exact, as written, in their order
	patterns []patternLevel
	deep     *level // behind a **
	loops    bool   // it is the level behind a **: any key leads back to it
	ends     []*search
	byValue  map[string][]*search // the ends of searches that ask for keys with a value, by its folded name
	visits   int                  // keys that these led to
	searches []*search            // all that came as far
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

// enter adds the level to those that the walk is at. A ** may stand for no key at all, so what is behind it is there too.
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
}

// visit is at a key, on the way of the patterns that are at some levels.
func (w *walker) visit(k *hive.Key, at []*level) {
	for _, l := range at {
		for _, s := range l.ends {
			w.end(k, s)
		}
		if l.byValue != nil {
			w.endByValue(k, l)
		}
	}
	if _, link := k.Link(); link && len(w.path) > 0 {
		return
	}
	names := map[string]bool{}
	if slices.ContainsFunc(at, (*level).enumerates) {
		for _, child := range k.Keys() {
			w.descend(child, at)
		}
	} else {
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

// next returns the levels to which a key of that name leads from others, each once.
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

// endByValue tells searches of a key that has the value that they ask for.
func (w *walker) endByValue(k *hive.Key, l *level) {
	l.visits++
	_, link := k.Link()
	if k.ValuesKnown() != hive.Whole || link {
		for _, searches := range l.byValue {
			for _, s := range searches {
				s.told++
				w.end(k, s)
			}
		}
		return
	}
	for _, v := range k.Values() {
		for _, s := range l.byValue[hive.Fold(v.Name)] {
			s.told++
			w.end(k, s)
		}
	}
}

// end tells a search of a key that its pattern leads to.
func (w *walker) end(k *hive.Key, s *search) {
	m := w.match(s)
	m.Key = k
	bound := s.key.bind(w.path[len(s.base.Real):])
	if _, link := k.Link(); link {
		if behind := w.registry.Find(m.Real); len(behind) == 1 {
			m.Key, m.Real, m.Known, m.Problem, m.Link = behind[0].Key, behind[0].Real, behind[0].Known, behind[0].Problem, behind[0].Link
		}
	}
	s.found(m, bound)
}

// match returns the place where the walk is, as a search names it.
func (w *walker) match(s *search) hive.Match {
	m := s.base
	m.Real = slices.Clone(w.path)
	m.Live = s.base.Live.Join(w.path[len(s.base.Real):]...)
	return m
}

// lose tells of a key whose subkeys are not all known, all searches for which there may be more.
func (w *walker) lose(k *hive.Key, at []*level) {
	told := map[*search]bool{}
	tell := func(searches []*search) {
		for _, s := range searches {
			// Above its base, the key that a search starts from is known to be there.
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
			if k.Key(name) == nil {
				tell(l.exact[hive.Fold(name)].searches)
			}
		}
	}
}
