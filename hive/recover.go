package hive

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// When Windows deletes a key or a value, it frees the cells and leaves their content. Until the space is used again the records can be
// found: at the start of a free cell or, where free cells were merged, somewhere inside one; and if a smaller record took such a cell,
// behind that record, in the slack of the cell.

// Deleted is a key or a value that was found in unused space of a hive. It proves that there once was such a key or value, never that there is;
// and its absence does not prove that there was none. The time of the deletion is not recorded anywhere.
type Deleted struct {
	Path   Path // path of the key, from the root of the hive as far as its parents are known
	Orphan bool // the path to the root is unknown: a parent is lost, or the value belongs to no known key
	Live   bool // the key still exists; only the values were deleted
	// Key is the key with those of its values that are left; a value whose space was used again has nil data. For an orphan value, Key is a
	// key without a name that holds only the value; for a key that still exists, it holds only what was deleted.
	Key *Key
	At  Location // of the key's cell, or of that of an orphan value
}

// Deleted searches the free cells of the hive, and the slack of those in use, for deleted keys and values, and returns them in the order of
// the file. It returns only records that are whole and refer to places where their parts can be, and each value once. Each call searches
// again, in time proportional to the size of the hive; of a hostile hive that names the same bytes over and over, it does not return
// everything. The search changes neither the keys of the hive nor its problems.
func (f *File) Deleted() []Deleted {
	live := f.again()
	keys := live.liveKeys()
	r := &remains{bins: f.bins, header: f.cellHeader, spans: live.unused(keys, 2*f.cellHeader, f.cellHeader+keyValueSize)}
	r.search()

	freed := f.again()
	freed.remains = r
	s := &salvage{File: freed, index: make(map[uint32]int, len(r.values))}
	for i, v := range r.values {
		s.index[v.cell] = i
	}
	all := append(s.keys(keys), s.fromLive(live, keys)...)
	for i := range r.values {
		if v := &r.values[i]; !v.taken {
			k := NewImpliedKey("")
			k.values, k.rare.at = []Value{s.value(v)}, offsetOf(v.cell)
			all = append(all, Deleted{Orphan: true, Key: k, At: k.rare.at})
		}
	}
	slices.SortFunc(all, func(a, b Deleted) int { return cmp.Compare(a.At.Offset, b.At.Offset) })
	return all
}

// Below returns what was deleted from k or below it, with paths from k. An orphan is only below the root of the hive.
func Below(k *Key, deleted []Deleted) (below []Deleted) {
	way := k.path()
	for _, d := range deleted {
		if d.Orphan && len(way) > 0 || !d.Path.HasPrefix(way) {
			continue
		}
		d.Path = d.Path[len(way):]
		below = append(below, d)
	}
	return below
}

// again returns the same hive as a second File, with its own problems and its own budget of claims.
func (f *File) again() *File {
	c := &File{Source: f.Source, Header: f.Header, base: f.base, data: f.data, bins: f.bins, ends: f.ends, cellMap: f.cellMap}
	c.isKey = make([]uint64, len(f.isKey))
	c.root = new(Key)
	c.root.init(c, f.root.cell, f.nodeOf(f.root), f.root.name)
	return c
}

// liveKeys returns all keys of the hive.
func (f *File) liveKeys() (keys []*Key) {
	for _, k := range f.root.WalkStored() {
		keys = append(keys, k)
	}
	return keys
}

// salvage joins deleted keys and values that belonged together.
type salvage struct {
	*File                // a hive whose cells are the free ones
	index map[uint32]int // cell of a deleted value → index in remains.values
}

// keys returns the deleted keys, each with its path and values.
func (s *salvage) keys(live []*Key) []Deleted {
	r := s.remains
	parents := s.parents(live)
	all := make([]Deleted, len(r.keys))
	order := make([]int, len(all))
	for i, k := range r.keys {
		order[i] = i
		all[i] = Deleted{Key: formerly(k.name, k.node.modified(), offsetOf(k.cell)), At: offsetOf(k.cell)}
		all[i].Path, all[i].Orphan = s.path(i, parents)
	}
	// If two lists name a value, the one written last is right: the space of the other was used again.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[b].Key.modified, all[a].Key.modified) })
	for _, i := range order {
		all[i].Key.values = s.valuesOf(r.keys[i].node)
	}
	return all
}

// formerly returns a key for what was deleted.
func formerly(name string, modified Filetime, at Location) *Key {
	k := newKey(name)
	k.modified, k.rare.at = modified, at
	return k
}

// parent is the key that a deleted key was in: an existing key, another deleted key, or neither if unknown.
type parent struct {
	live    *Key
	deleted int // index in remains.keys, or -1
}

// parents returns the parent of each deleted key, as far as that is plausible.
func (s *salvage) parents(live []*Key) []parent {
	keys := s.remains.keys
	deleted := make(map[uint32]int, len(keys))
	wanted := make(map[uint32]*Key, len(keys))
	for i, k := range keys {
		deleted[k.cell] = i
		wanted[k.node.parent()] = nil
	}
	for _, k := range live {
		if _, ok := wanted[k.cell]; ok {
			wanted[k.cell] = k
		}
	}
	all := make([]parent, len(keys))
	for i, k := range keys {
		all[i].deleted = -1
		if above := wanted[k.node.parent()]; above != nil {
			if mayHold(above.file.nodeOf(above), k) {
				all[i].live = above
			}
		} else if above, ok := deleted[k.node.parent()]; ok && mayHold(keys[above].node, k) {
			all[i].deleted = above
		}
	}
	cutCircles(all)
	return all
}

// cutCircles removes a parent wherever a key would be above itself.
func cutCircles(all []parent) {
	seen := make([]int, len(all)) // the walk that came here, counted from 1
	for i := range all {
		for at := i; seen[at] == 0; {
			seen[at] = i + 1
			next := all[at].deleted
			if next < 0 {
				break
			}
			if seen[next] == i+1 {
				all[at].deleted = -1
				break
			}
			at = next
		}
	}
}

// path returns the path of a deleted key, and whether it is an orphan. Paths take memory, and a hundred thousand keys may claim the
// longest one; if a path cannot be claimed, path returns only its end.
func (s *salvage) path(i int, parents []parent) (path Path, orphan bool) {
	for len(path) < MaxDepth {
		name := s.remains.keys[i].name
		if !s.claim(16+len(name)) && len(path) > 0 {
			break
		}
		path = append(path, name)
		if above := parents[i].live; above != nil {
			if way, ok := s.livePath(above); ok && len(way)+len(path) <= MaxDepth {
				slices.Reverse(path)
				return way.Join(path...), false
			}
			break
		}
		if i = parents[i].deleted; i < 0 {
			break
		}
	}
	slices.Reverse(path)
	return path, true
}

// livePath returns the path of an existing key, and whether it could be claimed.
func (s *salvage) livePath(k *Key) (Path, bool) {
	path := k.path()
	size := 0
	for _, name := range path {
		size += 16 + len(name)
	}
	return path, s.claim(size)
}

// mayHold reports whether a key can have been the parent of a deleted key that names its cell. That cell may have been used again, for a
// key that never had a subkey with such a long name, or that was not written when the subkey was deleted. Windows resets the length of
// the longest name when the last subkey is deleted.
func mayHold(parent keyNode, child formerKey) bool {
	length := child.node.nameLength()
	if child.node.flags()&keyCompName != 0 {
		length *= 2
	}
	return (parent.subkeys() == 0 || parent.maxName() >= length) && parent.modified() >= child.node.modified()
}

// valuesOf returns the values that the list of a deleted key names.
func (s *salvage) valuesOf(node keyNode) (values []Value) {
	if node.values() == 0 || node.flags()&keyPredefHandle != 0 {
		return nil
	}
	list, fault := s.cell(node.valueList())
	n := min(int64(node.values()), int64(len(list)/4))
	if fault != "" || !s.claim(int(4*n)) {
		return nil
	}
	for i := range n {
		if v := s.take(binary.LittleEndian.Uint32(list[4*i:]), node); v != nil {
			values = append(values, s.value(v))
		}
	}
	return values
}

// take returns the value in a cell for the key that names it, or nil if it cannot have been that key's: it was taken already, or it is larger
// than the key says its values ever were.
func (s *salvage) take(cell uint32, node keyNode) *formerValue {
	i, ok := s.index[cell]
	if !ok {
		return nil
	}
	v := &s.remains.values[i]
	length := v.record.nameLength()
	if v.record.flags()&valueCompName != 0 {
		length *= 2
	}
	if v.taken || int64(length) > int64(node.maxValueName()) || v.record.length()&^inlineData > node.maxData() {
		return nil
	}
	v.taken = true
	return v
}

// fromLive returns the values that were deleted from existing keys.
func (s *salvage) fromLive(live *File, keys []*Key) (all []Deleted) {
	if len(s.index) == 0 {
		return nil
	}
	values := make([][]Value, len(keys))
	for i, k := range keys {
		values[i] = s.behindList(live, live.nodeOf(k))
	}
	var owners map[uint32]int
	if slices.ContainsFunc(s.remains.values, func(v formerValue) bool { return !v.taken }) {
		owners = s.fromFormerLists(live, keys)
	}
	for _, v := range s.remains.values {
		if i, ok := owners[v.cell]; ok && i >= 0 {
			if v := s.take(v.cell, live.nodeOf(keys[i])); v != nil {
				values[i] = append(values[i], s.value(v))
			}
		}
	}
	for i, k := range keys {
		if len(values[i]) > 0 {
			only := formerly(k.name, k.modified, k.At())
			only.values = values[i]
			if path, ok := s.livePath(k); ok {
				all = append(all, Deleted{Path: path, Live: true, Key: only, At: k.At()})
			}
		}
	}
	return all
}

// behindList returns the deleted values that the list of a key names behind its end. When Windows deletes a value, it moves the later elements
// up and decrements the count, so that the former last element stays behind the end.
func (s *salvage) behindList(live *File, node keyNode) (values []Value) {
	list, n := live.valueList(node)
	if n == 0 || 4*n >= len(list) {
		return nil
	}
	last := binary.LittleEndian.Uint32(list[4*(n-1):])
	claims := s.claims()
	defer claims.end()
	for rest := list[4*n:]; len(rest) >= 4 && claims.take(4); rest = rest[4:] {
		cell := binary.LittleEndian.Uint32(rest)
		v := s.take(cell, node)
		if v != nil {
			values = append(values, s.value(v))
		} else if cell != last {
			break
		}
	}
	return values
}

// value returns a value, with its data if that is whole.
func (s *salvage) value(v *formerValue) Value {
	value := Value{Name: v.name, Type: v.record.typ(), At: offsetOf(v.cell)}
	var fault string
	claims := s.claims()
	defer claims.end()
	if value.Data, fault = s.valueData(v.record, &claims); fault != "" && fault != inOneCell {
		value.Data, value.Short = nil, true
	}
	return value
}
