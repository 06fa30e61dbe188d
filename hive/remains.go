package hive

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// remains is the unused space of a hive, see [File.unused], and the records found in it.
type remains struct {
	bins   []byte
	header int    // bytes before a cell's content
	spans  []span // in order
	starts []int  // offsets of the cells of the records found, in order
	keys   []formerKey
	values []formerValue
}

// formerKey is the record of a deleted key.
type formerKey struct {
	cell uint32
	node keyNode
	name string
}

// formerValue is the record of a deleted value.
type formerValue struct {
	cell   uint32
	record keyValue
	name   string
	taken  bool // it belongs to a key
}

// search finds the records of deleted keys and values.
func (r *remains) search() {
	type found struct {
		at  int
		key bool
	}
	var all []found
	end := 0 // of the last record found
	for _, s := range r.spans {
		for at := s.from; at+r.header+keyValueSize <= s.to; at += 2 * r.header {
			record := r.bins[at+r.header : s.to]
			key, need := false, 0
			switch {
			case record[1] != 'k':
			case record[0] == 'n':
				key, need = true, r.soundKey(record)
			case record[0] == 'v':
				need = r.soundValue(record)
			}
			if need == 0 || r.size(at) < r.header+need {
				continue
			}
			// Two records cannot share bytes: one that begins inside another was written later.
			if len(all) > 0 && at < end {
				all = all[:len(all)-1]
			}
			all = append(all, found{at, key})
			end = at + r.header + need
		}
	}
	for _, c := range all {
		r.starts = append(r.starts, c.at)
		record := r.bins[c.at+r.header:]
		if c.key {
			node := keyNode(record)
			name, _ := node.name()
			r.keys = append(r.keys, formerKey{uint32(c.at), node[:keyNodeSize], name})
			continue
		}
		v := keyValue(record)
		name, _ := decodeName(v[keyValueSize:], v.nameLength(), v.flags()&valueCompName != 0)
		r.values = append(r.values, formerValue{cell: uint32(c.at), record: v[:keyValueSize], name: name})
	}
}

// size returns the size that the former cell at an offset says it had, or 0 if no cell can have it.
func (r *remains) size(at int) int {
	size := int(int32(binary.LittleEndian.Uint32(r.bins[at:])))
	if size = max(size, -size); size%(2*r.header) != 0 || size > math.MaxInt32 {
		return 0
	}
	return size
}

// within reports whether a cell can be at an offset.
func (r *remains) within(cell uint32) bool {
	return cell%8 == 0 && int64(cell) >= binHeaderSize && int64(cell) < int64(len(r.bins))
}

// The largest sizes of what a key holds, in bytes of UTF-16 or of data. They do not shrink while the key holds anything of that kind.
func (n keyNode) maxName() int         { return int(binary.LittleEndian.Uint16(n[52:])) }
func (n keyNode) maxValueName() uint32 { return binary.LittleEndian.Uint32(n[60:]) }
func (n keyNode) maxData() uint32      { return binary.LittleEndian.Uint32(n[64:]) }

// When a key can have been written last: there were no hives before 1990.
const (
	earliest = unixEpoch + 631_152_000*10_000_000
	latest   = unixEpoch + 4_102_444_800*10_000_000 // 2100
)

// knownKeyFlags are the flags with names, and two that old versions of Windows leave set.
const knownKeyFlags = 0x03FF | 0x1000 | 0x4000

// soundKey returns the size of the record of a key, or 0 if it cannot be one.
func (r *remains) soundKey(record []byte) int {
	if len(record) < keyNodeSize {
		return 0
	}
	n := keyNode(record)
	length, units := n.nameLength(), n.nameLength()
	wide := n.flags()&keyCompName == 0
	if wide {
		units /= 2
	}
	switch modified := n.modified(); {
	case n.flags()&^knownKeyFlags != 0,
		modified < earliest || modified >= latest,
		!r.within(n.parent()),
		length == 0 || units > maxKeyName || wide && length%2 != 0 || keyNodeSize+length > len(record),
		n.subkeys() > 0 && !r.within(n.subkeyList()),
		n.values() > 0 && n.flags()&keyPredefHandle == 0 && !r.within(n.valueList()):
		return 0
	}
	name := record[keyNodeSize : keyNodeSize+length]
	if i := bytes.IndexByte(name, '\\'); i >= 0 && (!wide || i%2 == 0 && name[i+1] == 0) {
		return 0
	}
	return keyNodeSize + length
}

// soundValue returns the size of the record of a value, or 0 if it cannot be one. Its type can be any number: the hive SAM keeps other things
// there.
func (r *remains) soundValue(record []byte) int {
	const maxName, tombstone = 16383, 0x0002
	v := keyValue(record)
	wide := v.flags()&valueCompName == 0
	length, data := v.nameLength(), int64(v.length())
	inline := v.length()&inlineData != 0
	switch {
	case v.flags()&^(valueCompName|tombstone) != 0,
		wide && (length%2 != 0 || length > 2*maxName) || !wide && length > maxName || keyValueSize+length > len(record),
		inline && data&^inlineData > 4,
		!inline && data > int64(len(r.bins)),
		!inline && data > 0 && !r.within(v.data()):
		return 0
	}
	return keyValueSize + length
}

// cell returns what is left of the former cell at an offset, or why nothing is. It ends at the next record found, which overwrote it.
func (r *remains) cell(offset uint32) (content []byte, fault string) {
	at := int(offset)
	i, ok := spanAt(r.spans, at)
	if !ok || at%8 != 0 || at+r.header > r.spans[i].to {
		return nil, "is in use again"
	}
	size := r.size(at)
	end := min(at+size, r.spans[i].to)
	next, found := slices.BinarySearch(r.starts, at)
	if found || size < r.header {
		return nil, "was used again"
	}
	if next < len(r.starts) {
		end = min(end, r.starts[next])
	}
	return r.bins[at+r.header : max(end, at+r.header)], ""
}

// spanAt returns the index of the span that holds an offset, and whether there is one.
func spanAt(spans []span, at int) (int, bool) {
	return slices.BinarySearchFunc(spans, at, func(s span, at int) int {
		switch {
		case at < s.from:
			return 1
		case at >= s.to:
			return -1
		}
		return 0
	})
}

// without returns the parts of spans that none of the others covers.
func without(spans, others []span) []span {
	byFrom := func(a, b span) int { return cmp.Compare(a.from, b.from) }
	slices.SortFunc(others, byFrom)
	var left []span
	for _, s := range spans {
		for len(others) > 0 && others[0].to <= s.from {
			others = others[1:]
		}
		for _, o := range others {
			if o.from >= s.to {
				break
			}
			if o.from > s.from {
				left = append(left, span{s.from, o.from})
			}
			s.from = max(s.from, o.to)
		}
		if s.from < s.to {
			left = append(left, s)
		}
	}
	return left
}
