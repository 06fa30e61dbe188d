package hive

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxDepth is the number of levels of keys below the root of a hive that Windows allows.
const MaxDepth = 512

// Key is one key of a registry. A key of a hive file loads its subkeys and its values from the bytes of the file when they are
// first asked for, and keeps them; any number of goroutines may read it. A key that came from a .reg file or from [Apply] simply
// has them. Keys are never changed after they were handed out.
type Key struct {
	// First what one needs who goes through the values of many keys, in the 64 bytes that processors hand to each other: the keys are often
	// read by another goroutine than the one that writes.
	name     string
	modified Filetime
	file     *File  // that the key's record is in, for a key of a hive file and copies of it; nil for all others
	cell     uint32 // of the record
	depth    int32  // levels below the root
	count    uint32 // of the values, as the record says
	list     uint32 // the cell of their list

	mu      sync.Mutex    // held while one of the lists is read
	read    atomic.Uint32 // which lists were: keysRead, valuesRead, valuesSeen
	implied bool
	copied  bool // its lists are here already, and may differ from those in the file

	parent *Key   // nil for the root
	keys   []*Key // as stored
	values []Value
	rare   *rare // nil for a key of a hive file that has nothing of it, as nearly all
}

// rare is what few keys of a hive file have, so that there is no room for it in all of them.
type rare struct {
	at     Location // of a key that is not of a hive file
	sorted []*Key   // the subkeys by folded name, where that is not how they are stored
	faults faults
	class  *class // nil until it was read
}

// Bits of what was read of a key.
const (
	keysRead     = 1 << iota // keys holds its subkeys, and rare.sorted where they are unsorted
	keysUnsorted             // rare.sorted is set
	valuesRead               // values holds its values
	valuesSeen               // its values were read once, and not kept
)

// faults are the problems met with the parts of a key.
type faults struct{ own, keys, values []Problem }

// newKey makes a key in memory that is nowhere in a file.
func newKey(name string) *Key {
	k := new(struct {
		Key
		rare
	})
	k.Key.name, k.Key.rare = name, &k.rare
	return &k.Key
}

// NewKey makes a key in memory. Of values or subkeys with the same name the last one counts, in the place of the first.
func NewKey(name string, values []Value, keys ...*Key) *Key {
	k := newKey(name)
	k.values = lastOf(values, func(v Value) string { return v.Name })
	k.keys = lastOf(keys, (*Key).Name)
	return k
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
func NewImpliedKey(name string) *Key {
	k := newKey(name)
	k.implied = true
	return k
}

// Name is the key's name as spelled in the file. See [Printable] for showing it.
func (k *Key) Name() string { return k.name }

// Modified is the time of the last change of the key, its values or its list of subkeys, in UTC with a resolution of 100 ns; it
// is zero when the source has none, as in .reg files.
func (k *Key) Modified() time.Time { return k.modified.Time() }

// Filetime is [Key.Modified] as Windows stores it.
func (k *Key) Filetime() Filetime { return k.modified }

// Dated tells that the source of the key keeps the time of its last change, as hives do: there zero is a time like any other, and not
// that of a source without times.
func (k *Key) Dated() bool { return k.file != nil || k.modified != 0 }

// At is the place of the key in its input: the offset of its cell, or the line that names it.
func (k *Key) At() Location {
	if k.file != nil {
		return offsetOf(k.cell)
	}
	return k.rare.at // which a key in memory has from the start
}

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

// more gives what few keys have, to be filled in. It is called while mu is held, or while nobody else knows the key.
func (k *Key) more() *rare {
	if k.rare == nil {
		k.rare = new(rare)
	}
	return k.rare
}

// found gives the problems met so far.
func (k *Key) found() faults {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rare == nil {
		return faults{}
	}
	return k.rare.faults
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

// ValueReader reads the values of one key after the other and does not keep them, for one who goes through a large hive and needs
// each value once. It is for one goroutine.
type ValueReader struct {
	values []Value
	names  namer
}

// Values gives [Key.Values] of a key; the list is valid until the next call. A key that is asked for its values again keeps them all
// the same, and so does one with problems: they are reported once.
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
	f := k.found()
	return slices.Concat(f.own, f.keys, f.values)
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
	return k.known(k.found().keys)
}

// ValuesKnown tells what the absence of a value in this key proves. A value whose data are damaged is there all the same.
func (k *Key) ValuesKnown() Known {
	k.Values()
	return k.known(slices.DeleteFunc(slices.Clone(k.found().values), func(p Problem) bool { return p.Kind == badData }))
}

func (k *Key) known(problems []Problem) Known {
	loses := func(p Problem) bool { return p.Loss }
	switch {
	case slices.ContainsFunc(k.found().own, loses) || slices.ContainsFunc(problems, loses):
		return Damaged
	case k.implied:
		return NotCovered
	}
	return Whole
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
	c := newKey(k.name)
	c.modified, c.implied, c.depth = k.modified, k.implied, k.depth
	c.file, c.cell, c.parent, c.copied = k.file, k.cell, k.parent, true
	c.keys, c.values = slices.Clone(k.Stored()), slices.Clone(k.Values())
	c.rare.at, c.rare.faults = k.At(), k.found()
	return c
}

// rename gives a copy of the key under another name, as when a hive's root is mounted.
func (k *Key) rename(name string) *Key {
	c := k.clone()
	c.name = name
	return c
}
