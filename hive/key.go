package hive

import (
	"iter"
	"slices"
	"sync"
	"time"
)

// MaxDepth is the number of levels of keys below the root of a hive that Windows allows.
const MaxDepth = 512

// Key is one key of a registry. A key of a hive file loads its subkeys and its values from the bytes of the file when they are
// first asked for, and keeps them; any number of goroutines may read it. A key that came from a .reg file or from [Apply] simply
// has them. Keys are never changed after they were handed out.
type Key struct {
	name     string
	modified Filetime
	at       Location
	implied  bool

	// Where the key's record is, for a key of a hive file and copies of it; file is nil for all others.
	file   *File
	cell   uint32
	parent *Key // nil for the root
	depth  int  // levels below the root
	copied bool // its lists are here already, and may differ from those in the file

	keysOnce, valuesOnce sync.Once
	keys                 []*Key // as stored
	sorted               []*Key // by folded name
	values               []Value
	own                  []Problem // met with the key's own record
	keyProblems          []Problem
	valueProblems        []Problem
}

// NewKey makes a key in memory. Of values or subkeys with the same name the last one counts, in the place of the first.
func NewKey(name string, values []Value, keys ...*Key) *Key {
	return &Key{
		name:   name,
		values: lastOf(values, func(v Value) string { return v.Name }),
		keys:   lastOf(keys, (*Key).Name),
	}
}

// lastOf gives the last of the elements of each name, in the order in which the names first stand.
func lastOf[T any](all []T, name func(T) string) []T {
	var list []T
	at := make(map[string]int, len(all))
	for _, e := range all {
		fold := Fold(name(e))
		if i, ok := at[fold]; ok {
			list[i] = e
			continue
		}
		at[fold] = len(list)
		list = append(list, e)
	}
	return list
}

// NewImpliedKey makes an empty key in memory of which nothing is known but that it is on the way to others. See [Key.Implied].
func NewImpliedKey(name string) *Key { return &Key{name: name, implied: true} }

// Name is the key's name as spelled in the file. See [Printable] for showing it.
func (k *Key) Name() string { return k.name }

// Modified is the time of the last change of the key, its values or its list of subkeys, in UTC with a resolution of 100 ns; it
// is zero when the source has none, as in .reg files.
func (k *Key) Modified() time.Time { return k.modified.Time() }

// Filetime is [Key.Modified] as Windows stores it.
func (k *Key) Filetime() Filetime { return k.modified }

// At is the place of the key in its input: the offset of its cell, or the line that names it.
func (k *Key) At() Location { return k.at }

// Implied tells that the input does not list this key but only keys below it: nothing is known of its values, and nothing of
// the subkeys that are not there. It is never true of a key in a hive.
func (k *Key) Implied() bool { return k.implied }

// Stored lists the subkeys in the order of the file.
func (k *Key) Stored() []*Key {
	k.loadKeys()
	return k.keys
}

// Keys lists the subkeys sorted by folded name, the order in which Windows enumerates and exports them.
func (k *Key) Keys() []*Key {
	k.loadKeys()
	return k.sorted
}

func (k *Key) loadKeys() {
	k.keysOnce.Do(func() {
		if k.file != nil && !k.copied {
			k.keys, k.keyProblems = k.file.loadKeys(k)
		}
		byName := func(a, b *Key) int { return CompareFold(a.name, b.name) }
		k.sorted = k.keys
		if !slices.IsSortedFunc(k.keys, byName) {
			k.sorted = slices.SortedStableFunc(slices.Values(k.keys), byName)
		}
	})
}

// Key finds a subkey by name, as Windows compares names. It is nil when there is none; whether that proves that there was none, say
// [Key.KeysKnown].
func (k *Key) Key(name string) *Key {
	keys := k.Keys()
	i, ok := slices.BinarySearchFunc(keys, name, func(c *Key, name string) int { return CompareFold(c.name, name) })
	if !ok {
		return nil
	}
	return keys[i]
}

// Values lists the values in the order of the file, which is the order of their creation.
func (k *Key) Values() []Value {
	k.valuesOnce.Do(func() {
		if k.file != nil && !k.copied {
			k.values, k.valueProblems = k.file.loadValues(k)
		}
	})
	return k.values
}

// Value finds a value by name, as Windows compares names; "" is the default value. Whether its absence proves anything, says
// [Key.ValuesKnown].
func (k *Key) Value(name string) (Value, bool) {
	for _, v := range k.Values() {
		if EqualFold(v.Name, name) {
			return v, true
		}
	}
	return Value{}, false
}

// Problems lists the damage met while reading this key, its list of subkeys and its values. It reads them.
func (k *Key) Problems() []Problem {
	k.loadKeys()
	k.Values()
	return slices.Concat(k.own, k.keyProblems, k.valueProblems)
}

// FirstLoss gives the first problem of the key for which absence in it proves nothing; nil when there is none.
func (k *Key) FirstLoss() *Problem {
	for _, p := range k.Problems() {
		if p.Loss {
			return &p
		}
	}
	return nil
}

// Known tells what the absence of a subkey or value proves.
type Known int

const (
	Whole      Known = iota // the input holds all of it: what is not there does not exist
	NotCovered              // the input does not speak of it
	Damaged                 // the input spoke of it, but not all could be read
)

// KeysKnown tells what the absence of a subkey in this key proves.
func (k *Key) KeysKnown() Known {
	k.loadKeys()
	return k.known(k.keyProblems)
}

// ValuesKnown tells what the absence of a value in this key proves. A value whose data are damaged is there all the same.
func (k *Key) ValuesKnown() Known {
	k.Values()
	return k.known(slices.DeleteFunc(slices.Clone(k.valueProblems), func(p Problem) bool { return p.Kind == BadData }))
}

func (k *Key) known(problems []Problem) Known {
	loses := func(p Problem) bool { return p.Loss }
	switch {
	case slices.ContainsFunc(k.own, loses) || slices.ContainsFunc(problems, loses):
		return Damaged
	case k.implied:
		return NotCovered
	}
	return Whole
}

// Walk visits the key and all below it, parents first, subkeys sorted by folded name: the order of a Windows export. The path
// is relative to k, empty for k itself, and valid until the next step only; copy it with [Path.Join] to keep it.
func (k *Key) Walk() iter.Seq2[Path, *Key] { return k.walk((*Key).Keys) }

// Prefetch loads the key and all below it, for one who will walk them and has something else to do with each: run beside the
// walk, it halves the time.
func (k *Key) Prefetch() {
	for _, below := range k.Walk() {
		below.Values()
	}
}

// WalkStored is [Key.Walk] with the subkeys in the order of the file.
func (k *Key) WalkStored() iter.Seq2[Path, *Key] { return k.walk((*Key).Stored) }

func (k *Key) walk(children func(*Key) []*Key) iter.Seq2[Path, *Key] {
	return func(yield func(Path, *Key) bool) {
		if !yield(nil, k) {
			return
		}
		path := make(Path, 0, 16)
		todo := [][]*Key{children(k)} // todo[i] are the keys still to visit at depth i
		for len(todo) > 0 {
			last := len(todo) - 1
			if len(todo[last]) == 0 {
				todo = todo[:last]
				path = path[:max(last-1, 0)]
				continue
			}
			child := todo[last][0]
			todo[last] = todo[last][1:]
			path = append(path[:last], child.name)
			if !yield(path, child) {
				return
			}
			todo = append(todo, children(child))
		}
	}
}

// path is the way to the key from the root of its hive.
func (k *Key) path() Path {
	var p Path
	for ; k.parent != nil; k = k.parent {
		p = append(p, k.name)
	}
	slices.Reverse(p)
	return p
}

// clone makes a key in memory with the same content, which shares the subkeys.
func (k *Key) clone() *Key {
	return &Key{
		name: k.name, modified: k.modified, at: k.at, implied: k.implied, depth: k.depth,
		file: k.file, cell: k.cell, parent: k.parent, copied: true,
		keys: slices.Clone(k.Stored()), values: slices.Clone(k.Values()),
		own: k.own, keyProblems: k.keyProblems, valueProblems: k.valueProblems,
	}
}

// Rename gives a copy of the key under another name, as when a hive's root is mounted.
func (k *Key) Rename(name string) *Key {
	c := k.clone()
	c.name = name
	return c
}
