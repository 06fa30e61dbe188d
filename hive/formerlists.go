package hive

import "encoding/binary"

// When a list of values outgrows its cell, Windows copies it to a larger cell and frees the old one, which keeps the former list. That list
// can name values that were deleted since and that nothing else leads to.

// element is the place of a value in the list of an existing key.
type element struct {
	key   int // -1 if several keys name the value
	index int
}

// fromFormerLists maps the cell of each deleted value that a former list names to the index of the existing key it belonged to, or to -1 if
// several lists disagree.
func (s *salvage) fromFormerLists(live *File, keys []*Key) map[uint32]int {
	listed := live.listedValues(keys)
	owners := map[uint32]int{}
	r := s.remains
	for _, span := range r.spans {
		for at := span.from; at+r.header+4 <= span.to; {
			list := s.formerList(at, span.to, listed)
			at += max(1, (r.header+4*len(list))/(2*r.header)) * 2 * r.header
			owner := ownerOf(list, listed)
			if owner < 0 {
				continue
			}
			for _, cell := range list {
				if before, named := owners[cell]; named && before != owner {
					owners[cell] = -1
				} else if _, there := listed[cell]; !there {
					owners[cell] = owner
				}
			}
		}
	}
	return owners
}

// listedValues maps the cell of each value of the keys to its place in their lists.
func (f *File) listedValues(keys []*Key) map[uint32]element {
	total := 0
	for _, k := range keys {
		_, n := f.valueList(f.nodeOf(k))
		total += n
	}
	listed := make(map[uint32]element, min(total, len(f.bins)/keyValueSize)) // growing it takes longer than filling it
	for i, k := range keys {
		list, n := f.valueList(f.nodeOf(k))
		if !f.claim(4 * n) {
			continue
		}
		for j := range n {
			cell := binary.LittleEndian.Uint32(list[4*j:])
			if before, ok := listed[cell]; ok && before.key != i {
				listed[cell] = element{key: -1}
			} else if !ok {
				listed[cell] = element{i, j}
			}
		}
	}
	return listed
}

// formerList returns the elements of the list of values that was once in the cell at an offset, up to the first that is neither an existing
// nor a deleted value.
func (s *salvage) formerList(at, end int, listed map[uint32]element) (list []uint32) {
	r := s.remains
	size := r.size(at)
	if size < r.header {
		return nil
	}
	var seen map[uint32]bool
	for content := r.bins[at+r.header : min(at+size, end)]; len(content) >= 4; content = content[4:] {
		cell := binary.LittleEndian.Uint32(content)
		_, there := listed[cell]
		if _, deleted := s.index[cell]; !there && !deleted || seen[cell] {
			break
		}
		if seen == nil {
			seen = map[uint32]bool{}
		}
		seen[cell] = true
		list = append(list, cell)
	}
	return list
}

// ownerOf returns the index of the existing key that a former list belonged to, or -1 if that is unknown. Windows appends values to a list,
// and closes the gap that a deleted value leaves. So the values of a former list that still exist are the first ones in the list of its key,
// in the same order. One such value proves nothing, because its cell may have held another value before; the order of two does.
func ownerOf(list []uint32, listed map[uint32]element) int {
	owner, n := -1, 0
	for _, cell := range list {
		p, there := listed[cell]
		if !there {
			continue
		}
		if p.key < 0 || n > 0 && p.key != owner || p.index != n {
			return -1
		}
		owner = p.key
		n++
	}
	if n < 2 {
		return -1
	}
	return owner
}
