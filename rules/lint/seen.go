package lint

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"regvet/hive"
)

// seen records which keys and values a file has named, by the hashes of their names, so that long names take no more memory. It has room
// for a fixed number of each and ignores the rest.
//
// Nearly every key is named once, with all its values below it. So the values of a section are just appended to a list and looked up in
// their own section. They go to a table only when their key is named again.
type seen struct {
	seed      maphash.Seed
	start64   uint64         // the initial hash of a name
	keys      map[uint64]int // indexes of list
	list      []seenKey
	deletions []deletion
	entered   string // the folded path of the last key whose parents were recorded
	full      bool   // something had no room

	values  []seenValue          // by section
	current int                  // the index of the current key in list; 0 for none
	hash    uint64               // of the path of the current key
	start   int                  // index of the current section in values
	index   map[uint64]int       // of the values of the current section, if there are many
	again   map[uint64]seenValue // the values of keys that were named again
	repeats bool                 // the current key was named before
}

const (
	mostKeys      = 1 << 17
	mostValues    = 1 << 19
	mostDeletions = 1 << 8
	mostUntabled  = 32 // values of a section that are found without a table
)

// seenKey is a key that was named. Lines are 0 for none.
type seenKey struct {
	named    int32 // the first line that named it
	first    int32 // the first line that named it or a key below it
	from, to int32 // its values, as indexes of values
	again    bool  // its values are in the table
}

// seenValue is the last line that set or deleted a value.
type seenValue struct {
	id   uint64 // a hash of key and name
	data uint32 // a hash of type and data, or deletedData
	line int32
}

// deletedData is the data of a deleted value.
const deletedData = 0

// put records a value, returns what was recorded of it before, and reports whether there was room.
func (s *seen) put(v seenValue) (was seenValue, ok bool) {
	if s.repeats {
		was, known := s.again[v.id]
		if !known && len(s.again)+len(s.values) >= mostValues {
			return was, false
		}
		s.again[v.id] = v
		return was, true
	}
	section := s.values[s.start:]
	at := -1
	if len(section) <= mostUntabled {
		for i := range section {
			if section[i].id == v.id {
				at = i
			}
		}
	} else {
		if len(s.index) == 0 {
			for i, v := range section {
				s.index[v.id] = i
			}
		}
		if i, known := s.index[v.id]; known {
			at = i
		}
	}
	switch {
	case at >= 0:
		was, section[at] = section[at], v
		return was, true
	case len(s.again)+len(s.values) >= mostValues:
		return was, false
	}
	if len(s.index) > 0 {
		s.index[v.id] = len(section)
	}
	if len(s.values) == cap(s.values) {
		s.values = slices.Grow(s.values, max(len(s.values), 2*mostUntabled)) // append would copy more often
	}
	s.values = append(s.values, v)
	return was, true
}

// leave ends the section of the current key.
func (s *seen) leave() {
	if k := &s.list[s.current]; !k.again {
		k.to = int32(len(s.values))
	}
	s.current, s.start, s.repeats = 0, len(s.values), false
	if len(s.index) > 0 {
		clear(s.index)
	}
}

// open begins the section of a key.
func (s *seen) open(at int, hash uint64) {
	s.current, s.hash = at, hash
	k := &s.list[at]
	if s.repeats = k.named != 0; !s.repeats {
		k.from, k.to, k.again = int32(s.start), int32(s.start), false
	} else if !k.again {
		for _, v := range s.values[k.from:k.to] {
			s.again[v.id] = v
		}
		k.again = true
	}
}

// deletion is a line that deletes a key.
type deletion struct {
	folded string
	line   int
}

// enterKey records a key line that has an effect.
func (s *seen) enterKey(p *pass) {
	if s.keys == nil {
		s.seed = maphash.MakeSeed()
		s.start64 = maphash.String(s.seed, "")
		s.keys, s.index, s.again = map[uint64]int{}, map[uint64]int{}, map[uint64]seenValue{}
		s.list = make([]seenKey, 1) // the first stands for no key
	}
	folded, line := p.section.folded, p.section.line
	s.leave()
	if p.section.deletes {
		s.entered = ""
		if len(s.deletions) < mostDeletions {
			s.deletions = append(s.deletions, deletion{folded, line})
		} else {
			s.lacksRoom(p)
		}
		return
	}
	// What both have in common was recorded with the key before.
	shared := commonPrefix(folded, s.entered)
	from := strings.LastIndexByte(folded[:shared], '\\') + 1
	if shared == len(s.entered) && shared < len(folded) && folded[shared] == '\\' {
		from = shared + 1
	}
	for i := from; i <= len(folded); i++ {
		if i < len(folded) && folded[i] != '\\' {
			continue
		}
		hash := maphash.String(s.seed, folded[:i])
		at, known := s.keys[hash]
		if !known {
			if len(s.list) > mostKeys {
				s.lacksRoom(p)
				break
			}
			at = len(s.list)
			s.keys[hash] = at
			s.list = append(s.list, seenKey{})
		}
		k := &s.list[at]
		if k.first == 0 || len(s.deletions) > 0 && s.deletedSince(folded[:i], int(k.first), line) {
			*k = seenKey{first: int32(line)}
		}
		if i == len(folded) {
			s.open(at, hash)
			if k.named == 0 {
				k.named = int32(line)
			}
		}
	}
	s.entered = folded
}

func commonPrefix(a, b string) int {
	n, i := min(len(a), len(b)), 0
	for i+16 <= n && a[i:i+16] == b[i:i+16] {
		i += 16
	}
	for ; i < n; i++ {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// key returns what is recorded of a key.
func (s *seen) key(folded string) seenKey {
	if at, known := s.keys[maphash.String(s.seed, folded)]; known {
		return s.list[at]
	}
	return seenKey{}
}

// value records the line of a value, and returns what was recorded of it before and the hash of its data.
func (s *seen) value(p *pass, e *hive.Edit, line int) (was seenValue, sum uint32) {
	if sum = deletedData; e.Op == hive.SetValue {
		sum = uint32(maphash.Bytes(s.seed, e.Value.Data)>>32)*31 + uint32(e.Value.Type) | 1
	}
	id := s.nameHash(p, e.Value.Name) ^ bits.RotateLeft64(s.hash, 17)
	was, ok := s.put(seenValue{id, sum, int32(line)})
	if !ok {
		s.lacksRoom(p)
	}
	return was, sum
}

// fold returns [hive.Fold] of a path, and how many bytes it shares with the path before. Only the rest is folded.
func (p *pass) fold(path hive.Path) (folded string, same int) {
	i := 0
	for i < min(len(path), len(p.above)) && path[i] == p.above[i] {
		same += len(path[i]) + 1
		i++
	}
	same = max(0, same-1)
	buf := p.folding[:same]
	for ; i < len(path); i++ {
		if i > 0 {
			buf = append(buf, '\\')
		}
		buf = append(buf, path[i]...)
	}
	p.folding, p.above = buf, path
	if firstBeyondASCII(buf[same:]) >= 0 {
		p.above = nil
		return p.foldName(string(buf)), same
	}
	for i, c := range buf[same:] {
		if c >= 'a' && c <= 'z' {
			buf[same+i] = c - ('a' - 'A')
		}
	}
	return string(buf), same
}

// nameHash returns a hash of a name that does not depend on case.
func (s *seen) nameHash(p *pass, name string) uint64 {
	const prime = 1099511628211 // of FNV-1a, 64 bits
	h := s.start64
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return maphash.String(s.seed, p.foldName(name))
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		h = (h ^ uint64(c)) * prime
	}
	return h ^ h>>29
}

// deletedSince reports whether a line between two others deletes the key or one above it.
func (s *seen) deletedSince(folded string, line, now int) bool {
	for _, d := range s.deletions {
		if d.line > line && d.line < now && strings.HasPrefix(folded, d.folded) && (len(folded) == len(d.folded) || folded[len(d.folded)] == '\\') {
			return true
		}
	}
	return len(s.deletions) == mostDeletions
}

func (s *seen) lacksRoom(p *pass) {
	if !s.full {
		s.full = true
		p.problem(hive.Location{}, "the file has more keys and values than are kept in mind; that one of them is named twice is not noticed from here on")
	}
}
