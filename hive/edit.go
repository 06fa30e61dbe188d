package hive

import (
	"maps"
	"slices"
)

// Op is what an [Edit] does.
type Op uint8

const (
	CreateKey   Op = iota // make the key, and those above it, unless it is there
	DeleteKey             // remove the key with all below it; no error when there is none
	SetValue              // make the value or replace its type and data, and make the key if it is not there
	DeleteValue           // remove the value; no error when there is none, and the key is not made
)

// Edit is one change of a registry. A .reg file is a list of edits, and so are a fix, an undo and the difference of two trees.
type Edit struct {
	Op    Op
	Path  Path  // the key, from the root of the tree
	Value Value // the value to set; of DeleteValue the name only
	At    Location
}

// Apply gives the tree that results from the edits, made in their order. The keys on the edited paths are copied and the rest is
// shared: root itself is never touched.
//
// A key that an edit makes is fully known, as is a key that an edit names and that was only implied. A key made in passing, on the
// way to another, is known when the key above it is (then it was absent, and is now empty but for what was made), and implied
// when that one is. The root itself cannot be deleted.
func Apply(root *Key, edits ...Edit) *Key {
	a := applier{}
	out := a.own(root)
	// Most edits are of the same key as the one before them.
	var last *Key
	var lastPath Path
	for _, e := range edits {
		if last != nil && (e.Op == DeleteKey || !slices.Equal(e.Path, lastPath)) {
			last = nil
		}
		switch e.Op {
		case CreateKey:
			last = a.reach(out, e.Path, e.At)
		case SetValue:
			if last == nil || last.implied {
				last = a.reach(out, e.Path, Location{})
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

// finish gives each key the lists of its draft.
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

// own gives a copy of k that may be changed.
func (a applier) own(k *Key) *Key {
	c := k.clone()
	a[c] = &draft{newRoster(c.keys, (*Key).Name), newRoster(c.values, func(v Value) string { return v.Name })}
	return c
}

// roster is a list whose elements are found by name: one by one while they are few, by an index when they are many. So a key with
// two values costs no index, and a hundred thousand edits in one key do not cost their square.
type roster[T any] struct {
	list  []T
	name  func(T) string
	index map[string]int // folded name → place in list; nil while they are few. What it does not name is deleted
}

// mostUnindexed is how many elements a roster has without an index.
const mostUnindexed = 8

// newRoster takes a list over. Of two with the same name, which a damaged hive may hold, the first is the one that lookups find,
// and the other is left out.
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

// find gives the place of a name, -1 for none.
func (r *roster[T]) find(name string) int {
	if r.index == nil {
		return slices.IndexFunc(r.list, func(e T) bool { return EqualFold(r.name(e), name) })
	}
	if i, ok := r.index[Fold(name)]; ok {
		return i
	}
	return -1
}

// put sets the element of that name, which keeps its place, or adds it.
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

// all gives what is left, in its order.
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

// Stamp gives a copy of the tree in which the key at a path was last written at some time, for a tree from a source without times. It is
// not ok where there is no such key.
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

// step gives the subkey of k, which must be the applier's own, as one that is the applier's own too; nil when there is none.
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

// find follows path as far as it exists.
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
	k.implied = false
	if k.At() == (Location{}) {
		k.rare.at = at
	}
	return k
}

// Equal tells whether two trees hold the same keys and values: the same names as Windows compares them, types and data. The
// order of values, the spelling of names, times and places do not count.
func Equal(a, b *Key) bool { return len(Diff(a, b)) == 0 }

// Undo gives the edits that take the given ones back: Apply(Apply(root, edits...), Undo(root, edits...)...) equals root. What no
// edit can restore is not in them: times of keys, class names, security descriptors.
func Undo(root *Key, edits ...Edit) []Edit { return Diff(Apply(root, edits...), root) }

// WithProblems gives a copy of the tree in which each problem that names a key belongs to that key or, where it does not exist, to
// the nearest key above, so that its absence is not taken for a fact.
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
