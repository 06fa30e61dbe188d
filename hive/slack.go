package hive

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A cell is often larger than the record in it: Windows takes a free cell as it is, or makes one with room to grow, and clears nothing. The
// space behind the record is the slack of the cell. If several free cells were merged before a record took them, the slack can hold whole
// records of deleted keys and values.

// use is how much of a cell a record uses: the cell in the high half, and in the low half the complement of the bytes of content, which are more
// than the cell has if the record is damaged. In order, the largest use of a cell is the first. Sorting numbers takes half the time.
type use uint64

func (u use) cell() uint32 { return uint32(u >> 32) }
func (u use) n() uint32    { return ^uint32(u) }

// usage collects the cells that the keys of a hive use.
type usage struct {
	*File
	all []use
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
	u := &usage{File: f}
	for _, k := range keys { // values first, so that they are found even if the lists cannot all be claimed
		u.valuesOf(k)
	}
	for _, k := range keys {
		u.key(k)
	}
	slices.Sort(u.all)
	u.all = slices.CompactFunc(u.all, func(a, b use) bool { return a.cell() == b.cell() })

	spans := slices.Clone(f.free)
	var inDamage []span
	for _, use := range u.all {
		content, fault := f.cell(use.cell())
		if fault != "" {
			continue
		}
		at := int(use.cell())
		used := span{at, at + (f.cellHeader+min(len(content), int(use.n()))+unit-1)/unit*unit}
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
	if cell != nilCell {
		u.all = append(u.all, use(cell)<<32|use(^uint32(n)))
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
