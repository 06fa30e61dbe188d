package hive

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// When Windows deletes a key or a value, it frees the cells and leaves what is in them. Until the space is used again the records are
// there to be found: at the start of a free cell or, where free cells grew together, somewhere inside.

// Deleted is a key or a value that was found in the free space of a hive. It proves that there was such a thing once, never that
// there is; nor does its absence prove that there was none.
type Deleted struct {
	Path   Path // of the key, from the root of the hive as far as its parents are known
	Orphan bool // the way to the root is not known: a parent is lost, or the value belongs to no key that was found
	Key    *Key // the key with those of its values that are left; of an orphan value, a key without a name that holds only it
	At     Location
}

// The years between which a time of a key is taken for one. Windows NT was not born before.
var (
	earliest = Filetime(122_600_000_000_000_000) // 1989
	latest   = Filetime(157_800_000_000_000_000) // 2101
)

// Deleted searches the free space of the hive for keys and values that were deleted, in the order of the file. Only records that
// are whole, and whose parts lie where parts can lie, are given. It is computed anew each time, in time that grows with the hive;
// of a hostile hive, that names the same bytes over and over, not all is given.
func (f *File) Deleted() []Deleted {
	s := salvage{File: f, free: f.freeSpace(), keys: map[uint32]keyNode{}, values: map[uint32]keyValue{}, taken: map[uint32]bool{}}
	for _, free := range s.free {
		for at := free.from; at+f.cellHeader+keyValueSize <= free.to; at += 8 {
			content := f.bins[at+f.cellHeader : free.to]
			switch string(content[:2]) {
			case "nk":
				if plausibleKey(content, len(f.bins)) {
					s.keys[uint32(at)] = keyNode(content)
				}
			case "vk":
				if plausibleValue(content, len(f.bins)) {
					s.values[uint32(at)] = keyValue(content)
				}
			}
		}
	}
	var all []Deleted
	for offset, node := range s.keys {
		name, _ := node.name()
		path, whole := s.path(offset)
		k := &Key{name: name, modified: node.modified(), at: offsetOf(offset), values: s.valuesOf(node)}
		all = append(all, Deleted{path, !whole, k, k.at})
	}
	for offset, record := range s.values {
		if !s.taken[offset] {
			k := &Key{implied: true, at: offsetOf(offset), values: []Value{s.value(offset, record)}}
			all = append(all, Deleted{nil, true, k, k.at})
		}
	}
	slices.SortFunc(all, func(a, b Deleted) int { return cmp.Compare(a.At.Offset, b.At.Offset) })
	return all
}

// salvage is one search of the free space. The offsets are those of cells.
type salvage struct {
	*File
	free   []span // sorted
	keys   map[uint32]keyNode
	values map[uint32]keyValue
	taken  map[uint32]bool // values that a key has
}

// freeSpace lists where no cell is in use, in sound bins.
func (f *File) freeSpace() (free []span) {
	for at := 0; at < len(f.bins); {
		size, fault := f.bin(at)
		if fault != "" {
			at += baseBlockSize
			continue
		}
		end := min(at+size, len(f.bins))
		for at += binHeaderSize; at+4 <= end; {
			n := int(int32(binary.LittleEndian.Uint32(f.bins[at:])))
			used := n < 0
			if used {
				n = -n
			}
			if unit := 2 * f.cellHeader; n < unit || n%unit != 0 || n > end-at {
				break // damaged: what follows may be in use
			}
			if last := len(free) - 1; !used && last >= 0 && free[last].to == at {
				free[last].to = at + n
			} else if !used {
				free = append(free, span{at, at + n})
			}
			at += n
		}
		at = end
	}
	return free
}

func plausibleKey(b []byte, bins int) bool {
	if len(b) < keyNodeSize {
		return false
	}
	n := keyNode(b)
	return n.nameLength() > 0 && n.nameLength() <= len(b)-keyNodeSize && n.nameLength() <= 2*maxKeyName && n.flags()&^0x3FF == 0 &&
		n.modified() > earliest && n.modified() < latest && int64(n.parent()) < int64(bins) && n.parent()%8 == 0 &&
		(n.values() == 0 || int64(n.valueList()) < int64(bins) && int64(n.values())*4 <= int64(bins))
}

func plausibleValue(b []byte, bins int) bool {
	if len(b) < keyValueSize {
		return false
	}
	v := keyValue(b)
	if v.nameLength() > len(b)-keyValueSize || v.flags()&^0x3 != 0 {
		return false
	}
	if n := v.length(); n&inlineData != 0 {
		return n&^inlineData <= 4
	}
	return int64(v.length()) <= int64(bins) && int64(v.data()) < int64(bins)
}

// path follows the parents of a deleted key, deleted or not, up to the root. It reports whether it came there.
func (s *salvage) path(offset uint32) (path Path, whole bool) {
	node := s.keys[offset]
	for range MaxDepth {
		name, _ := node.name()
		path = append(path, name)
		if !s.claim(16 + len(name)) { // a path takes memory, and a hundred thousand keys may claim the longest way
			break
		}
		parent := node.parent()
		if parent == s.base.Root {
			slices.Reverse(path)
			return path, true
		}
		var ok bool
		if node, ok = s.keys[parent]; !ok {
			var fault string
			if node, _, fault = s.keyNode(parent); fault != "" {
				break
			}
		}
	}
	slices.Reverse(path)
	return path, false
}

// freed gives the content of a cell that is free, as far as the free space around it goes.
func (s *salvage) freed(offset uint32) []byte {
	at := int(offset)
	i, found := slices.BinarySearchFunc(s.free, at, func(f span, at int) int {
		switch {
		case at < f.from:
			return 1
		case at+s.cellHeader >= f.to:
			return -1
		}
		return 0
	})
	if !found || at%8 != 0 {
		return nil
	}
	n := int64(int32(binary.LittleEndian.Uint32(s.bins[at:])))
	end := int64(at) + max(n, -n)
	return s.bins[at+s.cellHeader : max(min(end, int64(s.free[i].to)), int64(at+s.cellHeader))]
}

// valuesOf gives the values of a deleted key that are left.
func (s *salvage) valuesOf(node keyNode) (values []Value) {
	if node.values() == 0 || node.flags()&keyPredefHandle != 0 {
		return nil
	}
	list := s.freed(node.valueList())
	if !s.claim(min(int(node.values())*4, len(list))) {
		return nil
	}
	for range min(int(node.values()), len(list)/4) {
		offset := binary.LittleEndian.Uint32(list)
		list = list[4:]
		if record, ok := s.values[offset]; ok && !s.taken[offset] {
			s.taken[offset] = true
			values = append(values, s.value(offset, record))
		}
	}
	return values
}

// value reads a deleted value. Its data are what is left of them: a cell that is in use again holds those of another.
func (s *salvage) value(offset uint32, record keyValue) Value {
	name, _ := decodeName(record[keyValueSize:], record.nameLength(), record.flags()&valueCompName != 0)
	v := Value{Name: name, Type: record.typ(), At: offsetOf(offset)}
	n := record.length()
	switch {
	case n&inlineData != 0:
		v.Data = record[8 : 8+n&^inlineData]
		return v
	case n == 0:
		v.Data = []byte{}
		return v
	case s.base.Minor >= 4 && n > segmentSize:
		v.Short = true // segments are put together for values in use only
		return v
	}
	data := s.freed(record.data())
	v.Data = data[:min(int64(n), int64(len(data)))]
	if !s.claim(len(v.Data)) {
		v.Data = nil
	}
	if v.Short = len(v.Data) < int(n); v.Short && len(v.Data) == 0 {
		v.Data = nil
	}
	return v
}
