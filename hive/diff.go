package hive

import (
	"bytes"
	"slices"
)

// Diff returns edits that lead from one tree to another: Apply(from, Diff(from, to)...) equals to. For each key it lists the values to
// delete, then the values to set, then the subkeys to delete; what is below the key follows. The names of the two roots do not count.
func Diff(from, to *Key) []Edit {
	c := comparison{}
	c.compare(from, to)
	return c.edits
}

// Unproven is an edit of [Diff] that rests on something unknown: on the absence of a key or value in a place that could not be read whole
// or that a .reg file does not cover, or on data that could not be read whole.
type Unproven struct {
	Edit
	In    *Key // the key of which too little is known
	Known Known
	InTo  bool // the key is in the tree that the edits lead to
}

// DiffKnown returns the edits of [Diff] that both trees prove, and the edits that they do not prove. What is below a key of the second list
// is in neither list. If both trees are known whole, the second list is empty and the first is that of Diff.
func DiffKnown(from, to *Key) ([]Edit, []Unproven) {
	c := comparison{known: true}
	c.compare(from, to)
	return c.edits, c.unproven
}

// comparison is one comparison of two trees.
type comparison struct {
	known    bool // keep edits that are not proven apart
	edits    []Edit
	unproven []Unproven
}

// differs adds an edit that rests on the absence of something in a key; known is what that absence proves. A nil key was made by an earlier
// edit, so everything is known of it.
func (c *comparison) differs(e Edit, in *Key, known Known, inTo bool) {
	if c.known && in != nil && known != Whole {
		c.unproven = append(c.unproven, Unproven{e, in, known, inTo})
		return
	}
	c.edits = append(c.edits, e)
}

// way leads to a key that is compared; nil leads to the root. Its path is built for the first edit of the key: most keys have none, and in a
// tree of 512 levels a path takes 8 KB.
type way struct {
	above *way
	name  string
	whole Path // nil until it is built
}

func (w *way) path() Path {
	if w == nil {
		return nil
	}
	if w.whole == nil {
		w.whole = w.above.path().Join(w.name)
	}
	return w.whole
}

func (c *comparison) compare(from, to *Key) {
	type pair struct {
		*way
		from, to *Key // from is nil for a new key
	}
	todo := []pair{{nil, from, to}}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if p.from == p.to {
			continue
		}
		var a []*Key
		if p.from == nil {
			c.edits = append(c.edits, Edit{Op: CreateKey, Path: p.path()})
		} else {
			a = p.from.Keys()
		}
		c.values(p.way, p.from, p.to)
		b := p.to.Keys()
		var next []pair
		for len(a) > 0 || len(b) > 0 {
			switch o := order(a, b); {
			case o < 0:
				c.differs(Edit{Op: DeleteKey, Path: p.path().Join(a[0].name)}, p.to, c.keyKnown(p.to, a[0].name), true)
				a = skip(a)
			case o > 0:
				if known := c.keyKnown(p.from, b[0].name); known != Whole {
					c.differs(Edit{Op: CreateKey, Path: p.path().Join(b[0].name)}, p.from, known, false)
				} else {
					next = append(next, pair{&way{above: p.way, name: b[0].name}, nil, b[0]})
				}
				b = skip(b)
			default:
				next = append(next, pair{&way{above: p.way, name: b[0].name}, a[0], b[0]})
				a, b = skip(a), skip(b)
			}
		}
		c.deletions(p.way, p.from, p.to)
		slices.Reverse(next)
		todo = append(todo, next...)
	}
}

// keyKnown is [Key.KeyKnown] if the comparison needs it, else Whole.
func (c *comparison) keyKnown(k *Key, name string) Known {
	if !c.known || k == nil {
		return Whole
	}
	return k.KeyKnown(name)
}

func (c *comparison) valueKnown(k *Key, name string) Known {
	if !c.known || k == nil {
		return Whole
	}
	return k.ValueKnown(name)
}

// deletions adds what a layer deletes where the other tree does not tell whether that exists. What exists there is deleted like all that is
// not in the layer.
func (c *comparison) deletions(way *way, from, to *Key) {
	if !c.known || from == nil {
		return
	}
	keys, values := to.Tombstones()
	for _, k := range keys {
		if known := from.KeyKnown(k.name); known != Whole && from.Key(k.name) == nil {
			c.unproven = append(c.unproven, Unproven{Edit{Op: DeleteKey, Path: way.path().Join(k.name)}, from, known, false})
		}
	}
	for _, v := range values {
		if _, ok := from.Value(v.Name); !ok && from.ValueKnown(v.Name) != Whole {
			e := Edit{Op: DeleteValue, Path: way.path(), Value: Value{Name: v.Name}}
			c.unproven = append(c.unproven, Unproven{e, from, from.ValueKnown(v.Name), false})
		}
	}
}

// order compares the first keys of two sorted lists; a list that has ended sorts last.
func order(a, b []*Key) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return CompareFold(a[0].name, b[0].name)
}

// skip drops the first key and those of the same name, which no lookup finds.
func skip(keys []*Key) []*Key {
	name := keys[0].name
	for len(keys) > 0 && EqualFold(keys[0].name, name) {
		keys = keys[1:]
	}
	return keys
}

// values compares the values of a key; from is nil for a new key.
func (c *comparison) values(way *way, from, to *Key) {
	var before []Value
	if from != nil {
		before = from.Values()
	}
	old := make(map[string]Value, len(before))
	for _, v := range before {
		if fold := Fold(v.Name); !has(old, fold) {
			old[fold] = v
		}
	}
	after := to.Values()
	seen := make(map[string]bool, len(after))
	for _, v := range after {
		seen[Fold(v.Name)] = true
	}
	gone := map[string]bool{}
	for _, v := range before {
		if fold := Fold(v.Name); !seen[fold] && !gone[fold] {
			gone[fold] = true
			c.differs(Edit{Op: DeleteValue, Path: way.path(), Value: Value{Name: v.Name}}, to, c.valueKnown(to, v.Name), true)
		}
	}
	clear(seen)
	for _, v := range after {
		fold := Fold(v.Name)
		if seen[fold] {
			continue
		}
		seen[fold] = true
		was, ok := old[fold]
		if ok && was.Type == v.Type && bytes.Equal(was.Data, v.Data) && !(c.known && (was.Short || v.Short)) {
			continue
		}
		e := Edit{Op: SetValue, Path: way.path(), Value: Value{Name: v.Name, Type: v.Type, Data: v.Data}}
		switch {
		case c.known && v.Short:
			c.unproven = append(c.unproven, Unproven{e, to, Damaged, true})
		case c.known && was.Short:
			c.unproven = append(c.unproven, Unproven{e, from, Damaged, false})
		case ok:
			c.edits = append(c.edits, e)
		default:
			c.differs(e, from, c.valueKnown(from, v.Name), false)
		}
	}
}

func has[K comparable, V any](m map[K]V, k K) bool { _, ok := m[k]; return ok }
