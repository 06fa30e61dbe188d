package hive

import "iter"

// Walk visits the key and all keys below it, parents first, subkeys sorted by folded name: the order of a Windows export. The path is
// relative to k, and empty for k itself. It is valid only until the next step; copy it with [Path.Join] to keep it.
func (k *Key) Walk() iter.Seq2[Path, *Key] { return k.walk((*Key).Keys) }

// WalkStored is [Key.Walk] with the subkeys in the order of the file.
func (k *Key) WalkStored() iter.Seq2[Path, *Key] { return k.walk((*Key).Stored) }

func (k *Key) walk(subkeys func(*Key) []*Key) iter.Seq2[Path, *Key] {
	return func(yield func(Path, *Key) bool) {
		if !yield(nil, k) {
			return
		}
		path := make(Path, 0, 16)
		todo := [][]*Key{subkeys(k)} // todo[i] holds the keys still to visit at depth i
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

// Part is a run of consecutive keys of a walk.
type Part struct {
	Number int  // number of the part in its walk, from 0
	Above  Path // path from the start of the walk to the parent of the first key
	keys   []*Key
	depths []int // depth of each key below the start of the walk
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

// partSize is the number of keys in a part: enough that handing a part over costs little compared to the work on it, and few enough that the
// output stays in the caches of a core.
const partSize = 64

// parts cuts a walk into parts.
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

// Stretch is a key with its values, or with some of them if it has very many, on a walk through an input that is not in memory. It is valid
// until the next stretch.
type Stretch struct {
	Path    Path     // path of the key from the root
	At      Location // as [Key.At]
	Implied bool     // as [Key.Implied]
	Values  []Value

	Begins, Ends bool // whether this is the first, and the last, stretch of its key
}
