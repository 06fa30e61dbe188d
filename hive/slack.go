package hive

import (
	"cmp"
	"encoding/binary"
	"iter"
	"maps"
	"math/bits"
	"slices"
)

// A cell is often larger than the record in it: Windows takes a free cell as it is, or makes one with room to grow, and clears nothing. The
// space behind the record is the slack of the cell. If several free cells were merged before a record took them, the slack can hold whole
// records of deleted keys and values.

// usage collects the cells that the keys of a hive use, with how many bytes of the content of each, which are more than the cell has if a record is
// damaged.
type usage struct {
	*File
	before []int          // for each word of the map of cells in use, how many there are before it
	most   []uint32       // by the number of a cell in that map, one more than its bytes that are used; 0 if none are
	hidden map[uint32]int // the same for cells that damage keeps out of the map, by their offsets, without the one more
}

func (f *File) usage() *usage {
	u := &usage{File: f, before: make([]int, len(f.inUse)), hidden: map[uint32]int{}}
	n := 0
	for i, word := range f.inUse {
		u.before[i] = n
		n += bits.OnesCount64(word)
	}
	u.most = make([]uint32, n)
	return u
}

// all returns the cells that are used, with how many bytes of each: those of the map in the order of the file, and then the others likewise.
func (u *usage) all() iter.Seq2[uint32, int] {
	return func(yield func(cell uint32, n int) bool) {
		i := 0
		for at, word := range u.inUse {
			for ; word != 0; word &= word - 1 {
				if n := u.most[i]; n > 0 && !yield(uint32(512*at+8*bits.TrailingZeros64(word)), int(n-1)) {
					return
				}
				i++
			}
		}
		for _, cell := range slices.Sorted(maps.Keys(u.hidden)) {
			if !yield(cell, u.hidden[cell]) {
				return
			}
		}
	}
}

// Unused is a stretch of a hive that nothing in it uses, with what was left there.
type Unused struct {
	At   Location
	Data []byte // must not be changed: it is part of the file in memory
}

// Unused returns the space that no key uses, in the order of the file: the free cells with their headers, the slack of cells in use, and what is
// left where damage hides which cells there are. It does not include cells in use that no key leads to, because the reason can be damage. The
// search changes neither the keys of the hive nor its problems.
func (f *File) Unused() (all []Unused) {
	live := f.again()
	for _, s := range live.unused(live.liveKeys(), 1, 1) {
		all = append(all, Unused{offsetOf(uint32(s.from)), f.bins[s.from:s.to]})
	}
	return all
}

// unused returns what [File.Unused] does, of the hive with these keys. Of slack it returns what begins at a multiple of unit and has at least so many
// bytes.
func (f *File) unused(keys []*Key, unit, least int) []span {
	u := f.usage()
	for _, k := range keys { // values first, so that they are found even if the lists cannot all be claimed
		u.valuesOf(k)
	}
	for _, k := range keys {
		u.key(k)
	}
	spans := slices.Clone(f.free)
	var inDamage []span
	for cell, n := range u.all() {
		content, fault := f.cell(cell)
		if fault != "" {
			continue
		}
		at := int(cell)
		used := span{at, at + (f.cellHeader+min(len(content), n)+unit-1)/unit*unit}
		if _, ok := spanAt(f.unmapped, at); ok {
			if last := len(inDamage) - 1; last >= 0 && inDamage[last].to >= used.from {
				inDamage[last].to = max(inDamage[last].to, used.to)
			} else {
				inDamage = append(inDamage, used)
			}
		} else if end := at + f.cellHeader + len(content); end <= len(f.bins) && end-used.to >= least {
			spans = append(spans, span{used.to, end})
		}
	}
	spans = append(spans, without(f.unmapped, inDamage)...)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return spans
}

func (u *usage) add(cell uint32, n int) {
	word, bit := int(cell/512), cell/8%64
	switch {
	case cell == nilCell:
	case cell%8 == 0 && word < len(u.inUse) && u.inUse[word]>>bit&1 == 1:
		i := u.before[word] + bits.OnesCount64(u.inUse[word]&(1<<bit-1))
		u.most[i] = max(u.most[i], uint32(n)+1)
	default:
		u.hidden[cell] = max(u.hidden[cell], n)
	}
}

// key adds the record of a key, its class name, its security descriptor and its lists of subkeys.
func (u *usage) key(k *Key) {
	node := u.nodeOf(k)
	u.add(k.cell, keyNodeSize+node.nameLength())
	if n := node.classLength(); n > 0 {
		u.add(node.class(), n)
	}
	if descriptor, fault := u.security(node.security()); fault == "" {
		u.add(node.security(), securityHead+len(descriptor))
	}
	if node.subkeys() > 0 {
		index, leaves := u.subkeyList(node.subkeyList())
		if index {
			for _, leaf := range leaves {
				u.subkeyList(leaf.cell)
			}
		}
	}
}

// subkeyList adds a list of subkeys, and returns whether its elements are lists, and its elements.
func (u *usage) subkeyList(offset uint32) (index bool, elements []subkey) {
	signature, elements := u.list("", offset, nil, nil)
	switch signature {
	case "":
		return false, nil
	case "lf", "lh":
		u.add(offset, 4+8*len(elements))
	default:
		u.add(offset, 4+4*len(elements))
	}
	return signature == "ri", elements
}

// valuesOf adds the list of a key's values, their records and their data.
func (u *usage) valuesOf(k *Key) {
	list, n := u.valueList(u.nodeOf(k))
	if n == 0 || !u.claim(4*n) {
		return
	}
	u.add(u.nodeOf(k).valueList(), 4*n)
	for i := range n {
		offset := binary.LittleEndian.Uint32(list[4*i:])
		cell, fault := u.cell(offset)
		if fault != "" || len(cell) < keyValueSize || string(cell[:2]) != "vk" {
			continue
		}
		record := keyValue(cell)
		if !u.claim(keyValueSize + min(record.nameLength(), len(cell)-keyValueSize)) {
			return
		}
		u.add(offset, keyValueSize+record.nameLength())
		switch length := record.length(); {
		case length == 0 || length&inlineData != 0:
		case u.base.Minor >= 4 && length > segmentSize:
			u.bigData(record.data(), int(length))
		default:
			u.add(record.data(), int(length))
		}
	}
}

// bigData adds data that is split into segments.
func (u *usage) bigData(offset uint32, length int) {
	index, fault := u.cell(offset)
	if fault != "" || len(index) < 8 || string(index[:2]) != "db" {
		return
	}
	u.add(offset, 8)
	at := binary.LittleEndian.Uint32(index[4:])
	list, fault := u.cell(at)
	n := min(int(binary.LittleEndian.Uint16(index[2:])), len(list)/4)
	if fault != "" || !u.claim(4*n) {
		return
	}
	u.add(at, 4*n)
	for i := range n {
		u.add(binary.LittleEndian.Uint32(list[4*i:]), min(segmentSize, length))
		if length -= segmentSize; length <= 0 {
			return
		}
	}
}

// valueList returns the whole cell of the list of a key's values, and the number of elements that are both counted and there.
func (f *File) valueList(node keyNode) (list []byte, n int) {
	if node.values() == 0 || node.flags()&keyPredefHandle != 0 {
		return nil, 0
	}
	list, _ = f.cell(node.valueList())
	return list, int(min(int64(node.values()), int64(len(list)/4)))
}
