package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Glob chooses keys by their paths, in any case. In a name * stands for any text and ? for one character; ** stands for any names. A glob that
// does not start with a root of the registry may begin at any key. A glob that chooses a key chooses all below it.
type Glob hive.Path

const anyNames = "**"

// ParseGlob parses a glob written with backslashes.
func ParseGlob(text string) (Glob, error) {
	path := hive.ParsePath(text)
	if len(path) == 0 {
		return nil, fmt.Errorf("%q names no key; want a path such as HKLM\\SYSTEM\\*\\Services, or a part of one", text)
	}
	if slices.ContainsFunc(path, func(name string) bool { return name != anyNames && strings.Contains(name, anyNames) }) {
		return nil, errors.New(`** stands for whole names, such as **\Run`)
	}
	if !path.HasRoot() {
		path = hive.Path{anyNames}.Join(path...)
	}
	return Glob(path), nil
}

// In returns the globs for the places to which the glob leads in a registry: HKLM\SYSTEM\CurrentControlSet is a control set there.
func (g Glob) In(registry *hive.Registry) []Glob {
	n := slices.IndexFunc(g, func(name string) bool { return strings.ContainsAny(name, "*?") })
	if n < 0 {
		n = len(g)
	}
	all := []Glob{g}
	for _, m := range registry.Find(hive.Path(g[:n])) {
		all = append(all, Glob(m.Real.Join(g[n:]...)))
	}
	return all
}

// covers reports whether the glob chooses a key, or one above it.
func (g Glob) covers(path hive.Path) bool {
	at := make([]bool, len(g)+1) // at[i]: the first i parts of the glob match the names so far
	at[0] = true
	g.skip(at)
	for _, name := range path {
		if at[len(g)] {
			return true
		}
		next := make([]bool, len(at))
		for i, part := range g {
			switch {
			case !at[i]:
			case part == anyNames:
				next[i] = true
			case matchName(part, name):
				next[i+1] = true
			}
		}
		g.skip(next)
		at = next
	}
	return at[len(g)]
}

// skip adds what ** for no names adds.
func (g Glob) skip(at []bool) {
	for i, part := range g {
		at[i+1] = at[i+1] || at[i] && part == anyNames
	}
}

// matchName reports whether a part of a glob matches a name.
func matchName(part, name string) bool {
	if !strings.ContainsAny(part, "*?") {
		return hive.EqualFold(part, name)
	}
	p, n := []rune(hive.Fold(part)), []rune(hive.Fold(name))
	star, from := -1, 0 // the last star, and where what follows it was tried last
	i := 0
	for j := 0; j < len(n); {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
