package regfile

import (
	"hash/maphash"
	"slices"
	"unicode/utf8"

	"regvet/hive"
)

// nameFilter finds values of the same name in a large key, in memory that does not grow with their number. In its first pass over a file,
// it notes each name that may have occurred before: a Bloom filter misses none, and suspects a few that are new. In its second pass, it
// looks only at these, and knows.
type nameFilter struct {
	folder
	size     uint64   // of the Bloom filter in bytes, a power of two
	bits     []uint64 // the Bloom filter; nil before the first large key
	second   bool     // in the second pass
	key      int      // the number of the large key
	suspects map[suspect]bool
}

// suspect is a name that may occur twice in a key. Its value is whether it was met in the second pass.
type suspect struct {
	key  int
	name string // folded
}

const (
	filterProbes = 4
	mostSuspects = 100_000
)

func newNameFilter(size uint64) *nameFilter {
	return &nameFilter{size: size, suspects: map[suspect]bool{}}
}

// verify begins the second pass.
func (f *nameFilter) verify() { f.second, f.key, f.bits = true, 0, nil }

// enter begins a large key.
func (f *nameFilter) enter() {
	f.key++
	switch {
	case f.second:
	case f.bits == nil:
		f.bits = make([]uint64, f.size/8)
	default:
		clear(f.bits)
	}
}

// repeats reports whether the current key is known to have had a name before, or there are too many suspects. The name is that of a value
// that is set or deleted.
func (f *nameFilter) repeats(name string, set bool) bool {
	if f.second {
		if len(f.suspects) == 0 {
			return false
		}
		s := suspect{f.key, hive.Fold(name)}
		met, suspected := f.suspects[s]
		if suspected && set {
			f.suspects[s] = true
		}
		return met
	}
	known := true
	h := f.hash(name)
	step := h>>32 | 1
	for range filterProbes {
		word, bit := &f.bits[h%(8*f.size)/64], uint64(1)<<(h%64)
		known = known && *word&bit != 0
		if set {
			*word |= bit
		}
		h += step
	}
	if known {
		f.suspects[suspect{f.key, hive.Fold(name)}] = false
	}
	return len(f.suspects) > mostSuspects
}

// folder computes hashes of names. Names that are the same to Windows have the same hash.
type folder struct {
	buf    []byte
	hashes []uint64
}

var nameSeed = maphash.MakeSeed()

func (f *folder) hash(name string) uint64 {
	f.buf = f.buf[:0]
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= utf8.RuneSelf:
			return maphash.String(nameSeed, hive.Fold(name))
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		f.buf = append(f.buf, c)
	}
	return maphash.Bytes(nameSeed, f.buf)
}

// unique reports whether no two values have the same name. For many values it compares hashes, so that false may be wrong.
func (f *folder) unique(values []hive.Value) bool {
	const few = 8
	if len(values) <= few {
		for i, v := range values {
			if slices.ContainsFunc(values[:i], func(other hive.Value) bool { return hive.EqualFold(v.Name, other.Name) }) {
				return false
			}
		}
		return true
	}
	f.hashes = f.hashes[:0]
	for _, v := range values {
		f.hashes = append(f.hashes, f.hash(v.Name))
	}
	slices.Sort(f.hashes)
	return len(slices.Compact(f.hashes)) == len(values)
}
