package hive

import "iter"

// Walk visits the key and all below it, parents first, subkeys sorted by folded name: the order of a Windows export. The path
// is relative to k, empty for k itself, and valid until the next step only; copy it with [Path.Join] to keep it.
func (k *Key) Walk() iter.Seq2[Path, *Key] { return k.walk((*Key).Keys) }

// WalkStored is [Key.Walk] with the subkeys in the order of the file.
func (k *Key) WalkStored() iter.Seq2[Path, *Key] { return k.walk((*Key).Stored) }

func (k *Key) walk(subkeys func(*Key) []*Key) iter.Seq2[Path, *Key] {
	return func(yield func(Path, *Key) bool) {
		if !yield(nil, k) {
			return
		}
		path := make(Path, 0, 16)
		todo := [][]*Key{subkeys(k)} // todo[i] are the keys still to visit at depth i
		for len(todo) > 0 {
			last := len(todo) - 1
			if len(todo[last]) == 0 {
				todo = todo[:last]
				path = path[:max(last-1, 0)]
				continue
			}
			child := todo[last][0]
			todo[last] = todo[last][1:]
			path = append(path[:last], child.name)
			if !yield(path, child) {
				return
			}
			todo = append(todo, subkeys(child))
		}
	}
}

// Part is a stretch of a walk: keys that follow one another.
type Part struct {
	Number int  // of the part in its walk, from 0
	Above  Path // the way from where the walk began to the first key, without its own name
	keys   []*Key
	depths []int // below where the walk began, of each key
}

// Walk visits the keys of the part as [Key.Walk] does.
func (p Part) Walk() iter.Seq2[Path, *Key] {
	return func(yield func(Path, *Key) bool) {
		path := p.Above.Join()
		for i, k := range p.keys {
			if depth := p.depths[i]; depth > 0 {
				path = append(path[:depth-1], k.name)
			}
			if !yield(path, k) {
				return
			}
		}
	}
}

// partSize is the number of keys in a part: enough that handing it over costs nothing beside the work on it, and few enough that
// what becomes of it stays in the caches of a core.
const partSize = 64

// parts cuts a walk.
func (k *Key) parts(subkeys func(*Key) []*Key) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		part := Part{}
		for path, below := range k.walk(subkeys) {
			if len(part.keys) == partSize {
				if !yield(part) {
					return
				}
				part = Part{Number: part.Number + 1}
			}
			if part.keys == nil {
				part.keys, part.depths = make([]*Key, 0, partSize), make([]int, 0, partSize)
				part.Above = path[:max(len(path)-1, 0)].Join()
			}
			part.keys, part.depths = append(part.keys, below), append(part.depths, len(path))
		}
		yield(part)
	}
}

// Stretch is a key with its values, or a part of a key that has very many, as one meets it on a walk through an input that is not held in
// memory. It is valid until the next one.
type Stretch struct {
	Path    Path     // from the root
	At      Location // as [Key.At]
	Implied bool     // as [Key.Implied]
	Values  []Value

	Begins, Ends bool // the first stretch of its key, and the last
}
