package rules

import (
	"math"
	"slices"
	"strings"

	"regvet/hive"
)

// keyPattern is the path of the key that a rule is about: the full name of a root, and below it names that may hold patterns, see [pattern].
// The name ** matches any number of levels, including none.
type keyPattern struct {
	text     string
	base     hive.Path // the names before the first pattern
	segments []segment // the rest
}

// segment is one level of a path, or any number of levels if it is deep.
type segment struct {
	pattern
	deep bool
}

const anyDepth = "**"

// parseKey reads a path written with backslashes. It does not check the root.
func parseKey(text string) keyPattern {
	path := hive.ParsePath(text)
	var all []segment
	for _, name := range path {
		s := segment{parsePattern(name), name == anyDepth}
		if last := len(all) - 1; s.deep && last >= 0 && all[last].deep {
			continue // two of them are one
		}
		all = append(all, s)
	}
	return newKeyPattern(all)
}

func newKeyPattern(all []segment) keyPattern {
	k := keyPattern{}
	var names []string
	for i, s := range all {
		names = append(names, s.text)
		if s.open && k.segments == nil {
			k.segments = all[i:]
		}
		if k.segments == nil {
			k.base = append(k.base, s.name())
		}
	}
	k.text = strings.Join(names, `\`)
	return k
}

// String returns the path as written, with the full name of its root.
func (k keyPattern) String() string { return k.text }

// isPattern reports whether the path may match several keys.
func (k keyPattern) isPattern() bool { return len(k.segments) > 0 }

// path returns the names of the path, with patterns as written, to show where a rule looks.
func (k keyPattern) path() hive.Path {
	path := slices.Clone(k.base)
	for _, s := range k.segments {
		path = append(path, s.text)
	}
	return path
}

// names lists the names that the path binds.
func (k keyPattern) names() (all []string) {
	for _, s := range k.segments {
		all = append(all, s.names()...)
	}
	return all
}

// deep reports whether the path leads through any number of levels.
func (k keyPattern) deep() bool {
	return slices.ContainsFunc(k.segments, func(s segment) bool { return s.deep })
}

// levels returns how many levels of keys below its base the path leads to, or math.MaxInt for any number.
func (k keyPattern) levels() int {
	if k.deep() {
		return math.MaxInt
	}
	return len(k.segments)
}

// nameless reports whether a part of the path matches without binding a name.
func (k keyPattern) nameless() bool {
	return slices.ContainsFunc(k.segments, func(s segment) bool { return s.deep || s.nameless() })
}

// fill replaces bound names by what they are bound to.
func (k keyPattern) fill(bound bindings) keyPattern {
	if len(k.segments) == 0 || len(bound) == 0 {
		return k
	}
	var all []segment
	for _, name := range k.base {
		all = append(all, segment{literal(name), false})
	}
	for _, s := range k.segments {
		if !s.deep {
			s.pattern = s.fill(bound)
		}
		all = append(all, s)
	}
	return newKeyPattern(all)
}

// lead returns the names of the path before the first pattern, with bound names replaced by what they are bound to.
func (k keyPattern) lead(bound bindings) hive.Path {
	path := append(make(hive.Path, 0, len(k.base)+len(k.segments)), k.base...)
	for _, s := range k.segments {
		filled := s.fill(bound)
		if s.deep || filled.open {
			break
		}
		path = append(path, filled.name())
	}
	return path
}

// bind returns what the path binds if it matches these names below its base.
func (k keyPattern) bind(names []string) bindings {
	bound := bindings{}
	starts := align(len(k.segments), len(names),
		func(t int) bool { return k.segments[t].deep },
		func(t, e int) bool { return k.segments[t].match(names[e], nil) })
	for t, s := range k.segments {
		if starts != nil && !s.deep {
			s.match(names[starts[t]], bound)
		}
	}
	return bound
}
