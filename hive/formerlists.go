package hive

import "encoding/binary"

// When a list of values outgrows its cell, Windows copies it into a larger one and frees the old cell, in which it stands as it was. It can
// name values that were deleted since and that nothing else leads to.

// element is where a value stands in the list of a key that is there.
type element struct {
	key   int // -1 where several keys name it
	index int
}

// fromFormerLists tells to which of the keys that are there a deleted value belonged, by the cells of the values.
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

// listedValues finds the values of the keys of a hive in their lists.
func (f *File) listedValues(keys []*Key) map[uint32]element {
	listed := map[uint32]element{}
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

// formerList gives the elements of the list of values that was once in the cell at an offset, as far as they are values still, there or
// deleted.
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

// ownerOf tells which of the keys that are there a former list of values was that of, -1 when that cannot be told. Windows adds values
// at the end of a list and moves up those behind one that is deleted. So what is left of a former list begins the list of its key, in the same
// order. One value that is left proves nothing, for its cell can have been that of another value before; of two, the order does.
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
