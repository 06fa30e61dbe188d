package glob

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"regvet/hive"
)

// Key is a glob over the paths of keys, with a backslash between the names. * matches any part of a name, ? one character, and ** as a name any
// number of names. All else stands for itself, braces too, because the names of classes have them. Case does not count. A glob that matches a key
// covers everything below it. The zero Key covers every key.
type Key struct {
	path   hive.Path
	levels []level
}

// level is what a name must match.
type level struct {
	any  bool   // ** matches any number of names
	open bool   // it has a * or ?
	text string // folded if it is open
}

// mostLevels is the number of names that a glob of a key may have: each is a bit of a [Reach].
const mostLevels = 63

// ParseKey returns the glob of a key. One that starts with no root of the registry may begin at any level.
func ParseKey(text string) (Key, error) {
	path := hive.ParsePath(text)
	if len(path) == 0 {
		return Key{}, errors.New(`it names no key; want one such as HKLM\SYSTEM\CurrentControlSet\Services\*`)
	}
	if !path.HasRoot() {
		path = hive.Path{"**"}.Join(path...)
	}
	if len(path) > mostLevels {
		return Key{}, fmt.Errorf("it has more than %d names; ** stands for any number of them", mostLevels)
	}
	return keyOf(path), nil
}

func keyOf(path hive.Path) Key {
	k := Key{path: path}
	for _, name := range path {
		l := levelOf(name)
		l.any = name == "**"
		k.levels = append(k.levels, l)
	}
	return k
}

func levelOf(name string) level {
	l := level{open: strings.ContainsAny(name, "*?"), text: name}
	if l.open {
		l.text = literal.Replace(hive.Fold(name))
	}
	return l
}

// In returns the globs for the places to which the glob leads in a registry: HKLM\SYSTEM\CurrentControlSet is a control set there.
func (k Key) In(registry *hive.Registry) []Key {
	n := slices.IndexFunc(k.path, func(name string) bool { return strings.ContainsAny(name, "*?") })
	if n < 0 {
		n = len(k.path)
	}
	all := []Key{k}
	for _, m := range registry.Find(k.path[:n]) {
		if path := m.Real.Join(k.path[n:]...); len(path) <= mostLevels {
			all = append(all, keyOf(path))
		}
	}
	return all
}

// A slash is a character of a name here, and for doublestar ends one. NUL is in no name that anybody types.
const slash = "\x00"

// literal makes what is special to doublestar, other than * and ?, stand for itself.
var literal = strings.NewReplacer("/", slash, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`)

func (l level) match(name string) bool {
	if !l.open {
		return hive.EqualFold(l.text, name)
	}
	return doublestar.MatchUnvalidated(l.text, strings.ReplaceAll(hive.Fold(name), "/", slash))
}

// Reach is how far into a glob a path leads: bit i is set if it matches the first i names of the glob. A path that has several names, such as one
// through CurrentControlSet, leads as far as the union of their bits.
type Reach uint64

// Start returns how far the empty path leads.
func (k Key) Start() Reach { return k.skip(1) }

// Enter returns how far the key below a path leads that leads as far as r.
func (k Key) Enter(r Reach, name string) Reach {
	if k.Covers(r) || r == 0 {
		return r
	}
	next := Reach(0)
	for i, l := range k.levels {
		if at := r >> i & 1; l.any {
			next |= at << i
		} else if at != 0 && l.match(name) {
			next |= 1 << (i + 1)
		}
	}
	return k.skip(next)
}

// skip adds what follows when each ** matches no name.
func (k Key) skip(r Reach) Reach {
	for i, l := range k.levels {
		if l.any {
			r |= r >> i & 1 << (i + 1)
		}
	}
	return r
}

// Follow returns how far a path leads.
func (k Key) Follow(path hive.Path) Reach {
	r := k.Start()
	for _, name := range path {
		r = k.Enter(r, name)
	}
	return r
}

// Covers reports whether the glob matches a path, or one above it, by how far it leads.
func (k Key) Covers(r Reach) bool { return r>>len(k.levels)&1 != 0 }

// Name is a glob over one name, such as that of a host. * matches any part of it and ? one character; all else stands for itself. Case does not
// count.
type Name struct{ level }

// ParseName returns the glob of a name.
func ParseName(text string) Name { return Name{levelOf(text)} }

// Match reports whether the glob matches a name.
func (n Name) Match(name string) bool { return n.match(name) }
