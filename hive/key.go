package hive

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxDepth is the number of levels of keys that Windows allows below the root of a hive.
const MaxDepth = 512

// Key is one key of a registry. A key of a hive file loads its subkeys and its values from the bytes of the file on first use and
// keeps them; any number of goroutines may read it. A key from a .reg file or from [Apply] has them from the start. A key never
// changes once a function has returned it.
type Key struct {
	// The first 64 bytes, one cache line, hold all that reading the values takes: the goroutine that does so is often not the one that
	// made the key.
	name     string
	modified Filetime
	file     *File  // that holds the key's record; nil for a key that is neither in a hive file nor a copy of one
	cell     uint32 // of the record
	depth    int32  // number of levels below the root
	count    uint32 // number of values, as the record says
	list     uint32 // the cell of the list of values

	mu      sync.Mutex    // held while a list is read
	read    atomic.Uint32 // what was read: keysRead, valuesRead, valuesSeen
	implied bool
	copied  bool // keys and values are set, and may differ from those in the file
	hidden  bool // see [Key.Hidden]

	parent *Key   // nil for the root
	keys   []*Key // as stored
	values []Value
	rare   *rare // nil for nearly all keys of a hive file
}

// rare is what only few keys of a hive file have, kept apart to save memory.
type rare struct {
	at     Location // of a key that is not in a hive file
	sorted []*Key   // the subkeys by folded name, if they are stored in another order
	faults faults
	gone   tombstones
	class  *class // nil until it is read
}

// Bits of Key.read.
const (
	keysRead     = 1 << iota // keys is set
	keysUnsorted             // rare.sorted is set
	valuesRead               // values is set
	valuesSeen               // the values were read once and not kept
)

// faults are the problems met in a key, by the part of it.
type faults struct{ own, keys, values []Problem }

// newKey returns a key that is in no file.
func newKey(name string) *Key {
	k := new(struct {
		Key
		rare
	})
	k.Key.name, k.Key.rare = name, &k.rare
	return &k.Key
}

// NewKey returns a key that is in no file. Of several values or subkeys with the same name it keeps the last, in the place of the first.
func NewKey(name string, values []Value, keys ...*Key) *Key {
	k := newKey(name)
	k.values = lastOf(values, func(v Value) string { return v.Name })
	k.keys = lastOf(keys, (*Key).Name)
	return k
}

// lastOf returns the last element of each name, in the order in which the names first occur.
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

// NewImpliedKey returns an empty key that is only known to lie on the way to other keys. See [Key.Implied].
func NewImpliedKey(name string) *Key {
	k := newKey(name)
	k.implied = true
	return k
}

// Name returns the key's name as spelled in the file. Use [Printable] to show it.
func (k *Key) Name() string { return k.name }

// Modified returns the time of the last change of the key, its values or its list of subkeys, in UTC with a resolution of 100 ns. It is
// zero if the source has no times, such as a .reg file.
func (k *Key) Modified() time.Time { return k.modified.Time() }

// Filetime returns [Key.Modified] as Windows stores it.
func (k *Key) Filetime() Filetime { return k.modified }

// Dated reports whether the source of the key holds the time of its last change, as hives do. If so, a zero Filetime is what the source
// holds.
func (k *Key) Dated() bool { return k.file != nil || k.modified != 0 }

// At returns the place of the key in its input: the offset of its cell, or the line that names it.
func (k *Key) At() Location {
	if k.file != nil {
		return offsetOf(k.cell)
	}
	return k.rare.at // rare is never nil here, see newKey
}

// Implied reports whether the input lists only keys below this key and not the key itself: nothing is known of its values, or of other
// subkeys. It is never true of a key in a hive.
func (k *Key) Implied() bool { return k.implied }

// Stored returns the subkeys in the order of the file.
func (k *Key) Stored() []*Key {
	k.loadKeys()
	return k.keys
}

// Keys returns the subkeys sorted by folded name, the order in which Windows enumerates and exports them.
func (k *Key) Keys() []*Key {
	k.loadKeys()
	if k.read.Load()&keysUnsorted != 0 {
		return k.rare.sorted
	}
	return k.keys
}

func (k *Key) loadKeys() {
	if k.read.Load()&keysRead != 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read.Load()&keysRead != 0 {
		return
	}
	byName := func(a, b *Key) int { return CompareFold(a.name, b.name) }
	sorted := false
	if k.file != nil && !k.copied {
		var problems []Problem
		if k.keys, sorted, problems = k.file.loadKeys(k); len(problems) > 0 {
			k.more().faults.keys = problems
		}
	} else {
		sorted = slices.IsSortedFunc(k.keys, byName)
	}
	if !sorted {
		k.more().sorted = slices.SortedStableFunc(slices.Values(k.keys), byName)
		k.read.Or(keysUnsorted)
	}
	k.read.Or(keysRead)
}

// more returns k.rare, which it makes if need be. The caller holds mu, unless nobody else knows the key yet.
func (k *Key) more() *rare {
	if k.rare == nil {
		k.rare = new(rare)
	}
	return k.rare
}

// found returns the problems met so far.
func (k *Key) found() faults {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rare == nil {
		return faults{}
	}
	return k.rare.faults
}

// Key returns the subkey of that name, as Windows compares names, or nil. [Key.KeyKnown] says what nil proves.
func (k *Key) Key(name string) *Key {
	keys := k.Keys()
	i, ok := slices.BinarySearchFunc(keys, name, func(c *Key, name string) int { return CompareFold(c.name, name) })
	if !ok {
		return nil
	}
	return keys[i]
}

// Values returns the values in the order of the file, which is the order of their creation.
func (k *Key) Values() []Value {
	if k.read.Load()&valuesRead == 0 {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.read.Load()&valuesRead == 0 {
			if k.file != nil && !k.copied {
				k.keepValues(k.file.loadValues(k, nil, new(namer)))
			}
			k.read.Or(valuesRead)
		}
	}
	return k.values
}

func (k *Key) keepValues(values []Value, problems []Problem) {
	k.values = values
	if len(problems) > 0 {
		k.more().faults.values = problems
	}
}

// ValueReader reads the values of many keys, one key at a time, without caching them. It is not safe for concurrent use.
type ValueReader struct {
	values []Value
	names  namer
}

// Values returns [Key.Values] of a key, valid until the next call. A key caches its values nevertheless if it is read a second time, or has
// problems, so that these are reported once.
func (r *ValueReader) Values(k *Key) []Value {
	switch {
	case k.file == nil || k.read.Load()&(valuesRead|valuesSeen) != 0:
		return k.Values()
	case k.count == 0 && !k.copied:
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read.Load()&valuesRead != 0 || k.copied {
		return k.values
	}
	r.names.left = manyNames
	values, problems := k.file.loadValues(k, r.values[:0], &r.names)
	r.values = values
	if len(problems) > 0 {
		k.keepValues(slices.Clone(values), problems)
		k.read.Or(valuesRead)
	}
	k.read.Or(valuesSeen)
	return values
}

// Value returns the value of that name, as Windows compares names, and whether there is one; "" is the default value. [Key.ValueKnown]
// says what its absence proves.
func (k *Key) Value(name string) (Value, bool) {
	for _, v := range k.Values() {
		if EqualFold(v.Name, name) {
			return v, true
		}
	}
	return Value{}, false
}

// Problems reads the key with its subkeys and values, and returns the damage met. [File.Problems] says how many of one kind are listed.
func (k *Key) Problems() []Problem {
	k.loadKeys()
	k.Values()
	f := k.found()
	return slices.Concat(f.own, f.keys, f.values)
}

// FirstLoss returns the first problem of the key that makes absence in it prove nothing, or nil.
func (k *Key) FirstLoss() *Problem {
	for _, p := range k.Problems() {
		if p.Loss {
			return &p
		}
	}
	return nil
}

// Known says what the absence of a subkey or value proves.
type Known int

const (
	Whole      Known = iota // the input holds everything: what is absent does not exist
	NotCovered              // nothing: the input does not cover this place
	Damaged                 // nothing: the input covers this place, but not all of it could be read
	Partial                 // nothing: the input is a layer, and the layers below may hold it
)

// KeysKnown returns what the absence of a subkey proves.
func (k *Key) KeysKnown() Known {
	k.loadKeys()
	partial, _ := k.partial()
	return k.known(k.found().keys, partial)
}

// ValuesKnown returns what the absence of a value proves. A value with damaged data is not absent.
func (k *Key) ValuesKnown() Known {
	k.Values()
	_, partial := k.partial()
	return k.known(slices.DeleteFunc(slices.Clone(k.found().values), func(p Problem) bool { return p.Kind == badData }), partial)
}

func (k *Key) known(problems []Problem, partial bool) Known {
	loses := func(p Problem) bool { return p.Loss }
	switch {
	case slices.ContainsFunc(k.found().own, loses) || slices.ContainsFunc(problems, loses):
		return Damaged
	case k.implied:
		return NotCovered
	case partial:
		return Partial
	}
	return Whole
}

// Hidden returns the key, or the one above it, that Windows does not find by its name, because the list of subkeys says of it that it has
// another; or nil. Such a key is seen only where all subkeys are listed.
func (k *Key) Hidden() *Key {
	for ; k != nil; k = k.parent {
		if k.hidden {
			return k
		}
	}
	return nil
}

// path returns the path of the key from the root of its hive.
func (k *Key) path() Path {
	var p Path
	for ; k.parent != nil; k = k.parent {
		p = append(p, k.name)
	}
	slices.Reverse(p)
	return p
}

// pathStep is what each name of a [Path] takes beside its text, in bytes.
const pathStep = 16

// pathSize returns what the path of the key takes, in bytes.
func (k *Key) pathSize() (n int) {
	for ; k.parent != nil; k = k.parent {
		n += pathStep + len(k.name)
	}
	return n
}

// clone returns a copy of the key that shares its subkeys.
func (k *Key) clone() *Key {
	c := newKey(k.name)
	c.modified, c.implied, c.hidden, c.depth = k.modified, k.implied, k.hidden, k.depth
	c.file, c.cell, c.parent, c.copied = k.file, k.cell, k.parent, true
	c.keys, c.values = slices.Clone(k.Stored()), slices.Clone(k.Values())
	c.rare.at, c.rare.faults = k.At(), k.found()
	c.rare.gone.keys, c.rare.gone.values = k.Tombstones()
	return c
}

// rename returns a copy of the key with another name, such as that under which a hive's root is mounted.
func (k *Key) rename(name string) *Key {
	c := k.clone()
	c.name = name
	return c
}
