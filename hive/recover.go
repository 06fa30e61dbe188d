package hive

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// When Windows deletes a key or a value, it frees the cells and leaves what is in them. Until the space is used again the records are
// there to be found: at the start of a free cell or, where free cells grew together, somewhere inside; and when a smaller record takes
// such a cell, behind that, in its slack.

// Deleted is a key or a value that was found in the space of a hive that is not in use. It proves that there was such a thing once, never that
// there is; nor does its absence prove that there was none. When it was deleted is not recorded anywhere.
type Deleted struct {
	Path   Path // of the key, from the root of the hive as far as its parents are known
	Orphan bool // the way to the root is not known: a parent is lost, or the value belongs to no key that was found
	Live   bool // the key is there, only the values were deleted from it
	// Key is the key with those of its values that are left; the data of a value whose space was used again are nil. Of an orphan value,
	// it is a key without a name that holds only it; of a key that is there, one that holds only what was deleted.
	Key *Key
	At  Location // of the key's cell, or of that of an orphan value
}

// Deleted searches the free cells of the hive, and the slack of those in use, for keys and values that were deleted, in the order of the file. Only records that
// are whole, and whose parts lie where parts can lie, are given, and each value once. It is computed anew each time, in time that grows
// with the hive; of a hostile hive, that names the same bytes over and over, not all is given. What is met on the way, damage too, changes
// nothing in what the keys of the hive say.
func (f *File) Deleted() []Deleted {
	live := f.again()
	keys := live.liveKeys()
	r := &remains{bins: f.bins, header: f.cellHeader, spans: live.unused(keys)}
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

// Below gives what was deleted from a key or below it, with the paths from there. Of what has no known path that can be said only for
// the root of the hive.
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

// again gives the same hive to be read once more, with problems and a budget of its own.
func (f *File) again() *File {
	c := &File{Source: f.Source, Header: f.Header, base: f.base, data: f.data, bins: f.bins, ends: f.ends, cellMap: f.cellMap}
	c.isKey = make([]uint64, len(f.isKey))
	c.root = new(Key)
	c.root.init(c, f.root.cell, f.nodeOf(f.root), f.root.name)
	return c
}

// liveKeys lists the keys of the hive.
func (f *File) liveKeys() (keys []*Key) {
	for _, k := range f.root.WalkStored() {
		keys = append(keys, k)
	}
	return keys
}

// salvage puts together again what belonged together.
type salvage struct {
	*File                // whose cells are the free ones
	index map[uint32]int // of values by their cells
}

// keys gives the keys found, each with its values and under what it was in.
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
	// Where two lists name a value, the one that was written last is right: the space of the other was used again.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(all[b].Key.modified, all[a].Key.modified) })
	for _, i := range order {
		all[i].Key.values = s.valuesOf(r.keys[i].node)
	}
	return all
}

// formerly makes a key for what was deleted.
func formerly(name string, modified Filetime, at Location) *Key {
	k := newKey(name)
	k.modified, k.rare.at = modified, at
	return k
}

// parent is what a deleted key was in: a key that is there, or another that was deleted, or none that is known.
type parent struct {
	live    *Key
	deleted int // -1 for none
}

// parents finds what each deleted key was in, as far as that is sound.
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

// cutCircles cuts the way up where a key would be above itself.
func cutCircles(all []parent) {
	seen := make([]int, len(all)) // by which walk, counted from 1
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

// path gives the way to a deleted key. A way takes memory, and a hundred thousand keys may claim the longest one; when there is no
// more room for it, only its end is given.
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

// livePath gives the way to a key that is there, if there is room for it.
func (s *salvage) livePath(k *Key) (Path, bool) {
	path := k.path()
	size := 0
	for _, name := range path {
		size += 16 + len(name)
	}
	return path, s.claim(size)
}

// mayHold tells whether a key can have been the parent of one that named it so. The parent's cell may have been used again: for a key
// that never had a name as long below it, or that was not written when its subkey was deleted. Windows forgets the longest name when
// the last subkey goes.
func mayHold(parent keyNode, child formerKey) bool {
	length := child.node.nameLength()
	if child.node.flags()&keyCompName != 0 {
		length *= 2
	}
	return (parent.subkeys() == 0 || parent.maxName() >= length) && parent.modified() >= child.node.modified()
}

// valuesOf gives the values that the list of a deleted key names.
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

// take gives the value of a cell to the key that names it, nil when it cannot have been that key's: it was given already, or is larger than
// the key says that any value of it ever was.
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

// fromLive gives the values that were deleted from keys that are there.
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

// behindList gives the values that the list of a key names behind its end. Windows moves the later elements of the list up and counts
// one less, so that the value that was its last is named there still.
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

// value reads a value with its data, if these are whole.
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
