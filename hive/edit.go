package hive

import (
	"bytes"
	"maps"
	"slices"
)

// Op is what an [Edit] does.
type Op uint8

const (
	CreateKey   Op = iota // make the key, and those above it, if need be
	DeleteKey             // remove the key with everything below it, if it exists
	SetValue              // make the value or replace its type and data; makes the key if need be
	DeleteValue           // remove the value, if it exists; never makes the key
)

// Edit is one change of a registry. A .reg file is a list of edits, and so are a fix, an undo and the difference of two trees.
type Edit struct {
	Op    Op
	Path  Path  // the key, from the root of the tree
	Value Value // the value to set; of DeleteValue the name only
	At    Location
}

// Equal reports whether two edits do the same to the same place.
func (e Edit) Equal(other Edit) bool {
	return e.Op == other.Op && e.Path.Equal(other.Path) && EqualFold(e.Value.Name, other.Value.Name) && e.Value.Type == other.Value.Type && bytes.Equal(e.Value.Data, other.Value.Data)
}

// Apply returns the tree that results from making the edits in order. It copies the keys on the edited paths and shares the rest; root
// itself is never changed.
//
// A key that an edit makes is fully known, and so is an implied key that an edit names. A key made on the way to another is known if the
// key above it is (it was absent, and now holds only what the edits made), and implied if that one is. The root cannot be deleted.
func Apply(root *Key, edits ...Edit) *Key { return apply(root, false, edits) }

// ApplyPartly is [Apply] for edits that tell nothing about a key except for what they change in it: an implied key stays implied.
func ApplyPartly(root *Key, edits ...Edit) *Key { return apply(root, true, edits) }

func apply(root *Key, partly bool, edits []Edit) *Key {
	a := applier{}
	out := a.own(root)
	reach := func(path Path, at Location) *Key {
		k := a.reach(out, path, at)
		k.implied = k.implied && partly
		return k
	}
	// Most edits are of the same key as the edit before them.
	var last *Key
	var lastPath Path
	for _, e := range edits {
		if last != nil && (e.Op == DeleteKey || !slices.Equal(e.Path, lastPath)) {
			last = nil
		}
		switch e.Op {
		case CreateKey:
			last = reach(e.Path, e.At)
		case SetValue:
			if last == nil || last.implied && !partly {
				last = reach(e.Path, Location{})
			}
			a[last].values.put(e.Value)
		case DeleteKey:
			if len(e.Path) == 0 {
				continue
			}
			above, name := e.Path[:len(e.Path)-1], e.Path[len(e.Path)-1]
			if parent := a.find(out, above); parent != nil {
				a[parent].keys.remove(name)
			}
		case DeleteValue:
			if last == nil {
				last = a.find(out, e.Path)
			}
			if last != nil {
				a[last].values.remove(e.Value.Name)
			}
		}
		lastPath = e.Path
	}
	a.finish()
	return out
}

// applier holds the keys that one call of Apply has made and may still change.
type applier map[*Key]*draft

// finish moves the lists of each draft into its key.
func (a applier) finish() {
	for k, d := range a {
		k.keys, k.values = d.keys.all(), d.values.all()
	}
}

// draft is the content of a key that is being made.
type draft struct {
	keys   roster[*Key]
	values roster[Value]
}

// own returns a copy of k that may be changed.
func (a applier) own(k *Key) *Key {
	c := k.clone()
	a[c] = &draft{newRoster(c.keys, (*Key).Name), newRoster(c.values, func(v Value) string { return v.Name })}
	return c
}

// roster is a list whose elements are found by name: by a linear search while they are few, and by an index when they are many. So a key
// with two values costs no index, and a hundred thousand edits in one key do not take quadratic time.
type roster[T any] struct {
	list  []T
	name  func(T) string
	index map[string]int // folded name → place in list; nil while they are few. An element that it does not name is deleted
}

// mostUnindexed is how many elements a roster has without an index.
const mostUnindexed = 8

// newRoster takes a list over. A damaged hive can hold two elements with the same name: lookups find the first, and the other is dropped.
func newRoster[T any](list []T, name func(T) string) roster[T] {
	r := roster[T]{list: list[:0], name: name}
	if len(list) > mostUnindexed {
		r.list = list
		r.makeIndex()
		return r
	}
	for _, e := range list {
		if r.find(name(e)) < 0 {
			r.list = append(r.list, e)
		}
	}
	return r
}

func (r *roster[T]) makeIndex() {
	r.index = make(map[string]int, len(r.list))
	for i, e := range slices.Backward(r.list) {
		r.index[Fold(r.name(e))] = i
	}
}

// find returns the index of a name, or -1.
func (r *roster[T]) find(name string) int {
	if r.index == nil {
		return slices.IndexFunc(r.list, func(e T) bool { return EqualFold(r.name(e), name) })
	}
	if i, ok := r.index[Fold(name)]; ok {
		return i
	}
	return -1
}

// put replaces the element with the same name in its place, or appends e.
func (r *roster[T]) put(e T) {
	if i := r.find(r.name(e)); i >= 0 {
		r.list[i] = e
		return
	}
	r.list = append(r.list, e)
	switch {
	case r.index != nil:
		r.index[Fold(r.name(e))] = len(r.list) - 1
	case len(r.list) > mostUnindexed:
		r.makeIndex()
	}
}

func (r *roster[T]) remove(name string) {
	if r.index != nil {
		delete(r.index, Fold(name))
	} else if i := r.find(name); i >= 0 {
		r.list = slices.Delete(r.list, i, i+1)
	}
}

// all returns what is left, in order.
func (r *roster[T]) all() []T {
	if r.index == nil || len(r.index) == len(r.list) {
		return r.list
	}
	var kept []T
	for _, i := range slices.Sorted(maps.Values(r.index)) {
		kept = append(kept, r.list[i])
	}
	return kept
}

// Stamp returns a copy of the tree in which the key at path was last written at time t, for a tree from a source without times. It reports
// whether there is such a key.
func Stamp(root *Key, path Path, t Filetime) (stamped *Key, ok bool) {
	a := applier{}
	out := a.own(root)
	k := a.find(out, path)
	if k == nil {
		return root, false
	}
	k.modified = t
	a.finish()
	return out, true
}

// step returns the subkey of that name as one that the applier may change, or nil. k must be such a key already.
func (a applier) step(k *Key, name string) *Key {
	keys := &a[k].keys
	i := keys.find(name)
	if i < 0 {
		return nil
	}
	child := keys.list[i]
	if a[child] == nil {
		child = a.own(child)
		keys.list[i] = child
	}
	return child
}

// find returns the key at path, or nil.
func (a applier) find(k *Key, path Path) *Key {
	for _, name := range path {
		if k = a.step(k, name); k == nil {
			return nil
		}
	}
	return k
}

// reach follows path and makes what is missing.
func (a applier) reach(k *Key, path Path, at Location) *Key {
	for _, name := range path {
		child := a.step(k, name)
		if child == nil {
			child = a.own(newKey(name))
			child.implied, child.depth = k.implied, k.depth+1
			a[k].keys.put(child)
		}
		k = child
	}
	if k.At() == (Location{}) {
		k.rare.at = at
	}
	return k
}

// Equal reports whether two trees hold the same keys and values: the same names as Windows compares them, types and data. The order of
// values, the case of names, times and places do not count.
func Equal(a, b *Key) bool { return len(Diff(a, b)) == 0 }

// Undo returns the edits that take the given edits back: Apply(Apply(root, edits...), Undo(root, edits...)...) equals root. No edit can
// restore the times of keys, class names or security descriptors.
func Undo(root *Key, edits ...Edit) []Edit { return Diff(Apply(root, edits...), root) }

// WithProblems returns a copy of the tree in which each problem that names a key is one of that key or, if there is no such key, of the
// nearest key above, so that its absence is not taken as a fact.
func WithProblems(root *Key, problems ...Problem) *Key {
	a := applier{}
	out := a.own(root)
	for _, p := range problems {
		if len(p.Key) == 0 {
			continue
		}
		k := out
		for _, name := range p.Key {
			below := a.step(k, name)
			if below == nil {
				break
			}
			k = below
		}
		own := &k.more().faults.own
		*own = append(slices.Clip(*own), p)
	}
	a.finish()
	return out
}
