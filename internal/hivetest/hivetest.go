// Package hivetest builds registry hives for tests: a tree of keys in, the bytes of a hive file out.
//
// Hives of real machines are large, hold other people's data and rarely have the damage that a test needs. A hive that is built here holds
// only what its test needs, and the test can be read without a hex editor. [Build] returns a sound hive that any reader of the format
// accepts, with records like those of Windows: all keys share one security descriptor, the maxima in each key are right, and lists of
// subkeys are sorted and have their hints or hashes.
//
// For a damaged hive, build a sound one with [BuildLayout], which also returns where each record is, and change one field with
// [Set16], [Set32], [Refer], [Sign], [Free], [CellSize] or [Truncate]:
//
//	b, at := hivetest.BuildLayout(root, hivetest.Options{})
//	b = hivetest.Set32(b, at.Key(`A\B`).Node+hivetest.NodeValues, 0xFFFFFFFF)
//
// [Damages] returns one hive for each kind of damage. [DeleteValue], [Free], [Join] and [Move] change a hive as deletion does.
//
// Two such hives can be two states of one hive, and the change from one to the other can be written as transaction logs of either kind:
//
//	dirty := hivetest.HalfWritten(before, after, 6, 5)
//	log1 := hivetest.Log(dirty, 5, hivetest.Entries(5, 3, before, after)...)
//
// The format is described by Maxim Suhanov: https://github.com/msuhanov/regf. Versions 1.2 to 1.6 can be written. The same tree and options
// result in the same bytes. A tree that cannot be written is a mistake in the test, and panics.
package hivetest

import "regvet/hive"

// Key is a key to write, with everything below it.
type Key struct {
	Name     string // as [hive.DecodeUTF16] returns it; stored as Latin-1 if possible, else as UTF-16
	UTF16    bool   // store the name as UTF-16 even if Latin-1 can hold it
	Modified hive.Filetime
	// List is the form of the list of subkeys. "li", "lf" and "lh" are one list of that form for any number of subkeys; "ri" is an index
	// over two or more lists. "" is what Windows does: lh since minor version 5 and lf since 3, with an ri over them if one list cannot
	// hold all subkeys.
	List   string
	Class  string
	Flags  uint16 // flags to set in addition to those that follow from the name and place of the key
	Values []hive.Value
	Keys   []*Key
}

// Options say how a tree is written. The zero Options make a clean hive of version 1.5.
type Options struct {
	Minor     uint32 // the minor version, 2 to 6; 0 means 5. Since 4, data of more than 16,344 bytes is split into segments
	Name      string // the path of the file; the base block holds its last 31 units
	Modified  hive.Filetime
	Sequence1 uint32 // 0 means 1
	Sequence2 uint32 // 0 means the same as Sequence1
	Dirty     bool   // make Sequence2 one less than Sequence1, as in a hive that is being written
	ListMax   int    // subkeys in one list; 0 means what fits in 4096 bytes: 507 in lf and lh, 1012 in li
	Unsorted  bool   // leave the subkeys in the order of Key.Keys, so that Windows would not find them all
}

func (o Options) withDefaults() Options {
	if o.Minor == 0 {
		o.Minor = 5
	}
	if o.Sequence1 == 0 {
		o.Sequence1 = 1
	}
	if o.Dirty {
		o.Sequence2 = o.Sequence1 - 1
	} else if o.Sequence2 == 0 {
		o.Sequence2 = o.Sequence1
	}
	return o
}

// leaf returns the form of list that Windows uses for subkeys that fit in one list.
func (o Options) leaf() string {
	switch {
	case o.Minor >= 5:
		return "lh"
	case o.Minor >= 3:
		return "lf"
	}
	return "li"
}

// max returns the number of subkeys in a list of the given form before it is split.
func (o Options) max(form string) int {
	switch {
	case o.ListMax > 0:
		return o.ListMax
	case form == "li":
		return 1012
	}
	return 507
}

// FromTree returns a copy of a tree, with the times of its keys.
func FromTree(k *hive.Key) *Key {
	c := &Key{Name: k.Name(), Modified: k.Filetime(), Values: k.Values()}
	for _, child := range k.Stored() {
		c.Keys = append(c.Keys, FromTree(child))
	}
	return c
}
