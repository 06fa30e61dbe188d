package lint

import (
	"hash/maphash"
	"math/bits"
	"strings"

	"regvet/hive"
)

// seen keeps in mind which keys and values a file has named, by the hash of their names, so that it takes the same memory whatever
// their length. There is room for a fixed number of each; those beyond are not known.
type seen struct {
	seed      maphash.Seed
	keys      map[uint64]seenKey
	values    seenValues
	deletions []deletion
	entered   string // the folded path whose parents were noted last
	full      bool   // there was something that had no room
}

const (
	mostKeys      = 1 << 17
	mostValues    = 1 << 18
	mostDeletions = 1 << 8
)

// seenKey are the lines that named a key, 0 for none.
type seenKey struct {
	named int32 // the first that opened it
	first int32 // the first that opened it or one below it
}

// seenValue is the last line that set or deleted a value.
type seenValue struct {
	id   uint64 // the hash of the value's key and name; 0 for none
	data uint32 // a hash of its type and data, or deletedData
	line int32
}

// deletedData is what a value has that was deleted.
const deletedData = 0

// seenValues is a table of values by their id, at most half full. A map of Go takes twice the time.
type seenValues struct {
	places []seenValue
	count  int
}

// put notes a value and gives what was known of it. It tells whether there was room.
func (t *seenValues) put(v seenValue) (was seenValue, ok bool) {
	if 2*t.count >= len(t.places) && t.count < mostValues {
		old := t.places
		t.places, t.count = make([]seenValue, max(1<<8, 4*len(old))), 0
		for _, v := range old {
			if v.id != 0 {
				t.put(v)
			}
		}
	}
	mask := uint64(len(t.places) - 1)
	for i := v.id & mask; ; i = (i + 1) & mask {
		p := &t.places[i]
		switch {
		case p.id == v.id:
			was, *p = *p, v
			return was, true
		case p.id == 0 && t.count >= mostValues:
			return was, false
		case p.id == 0:
			*p = v
			t.count++
			return was, true
		}
	}
}

// deletion is a line that deletes a key.
type deletion struct {
	folded string
	line   int
}

// enterKey notes a key line that Windows takes.
func (s *seen) enterKey(p *pass) {
	if s.keys == nil {
		s.seed = maphash.MakeSeed()
		s.keys = map[uint64]seenKey{}
	}
	folded, line := p.section.folded, p.section.line
	if p.section.deletes {
		s.entered = ""
		if len(s.deletions) < mostDeletions {
			s.deletions = append(s.deletions, deletion{folded, line})
		} else {
			s.lacksRoom(p)
		}
		return
	}
	shared := commonPrefix(folded, s.entered)
	for i := 0; i <= len(folded); i++ {
		if i < len(folded) && folded[i] != '\\' {
			continue
		}
		if i < len(folded) && i < shared && (i < len(s.entered) && s.entered[i] == '\\') {
			continue // noted for the key before
		}
		id := maphash.String(s.seed, folded[:i])
		k, known := s.keys[id]
		if !known && len(s.keys) >= mostKeys {
			s.lacksRoom(p)
			break
		}
		if k.first == 0 || len(s.deletions) > 0 && s.deletedSince(folded[:i], int(k.first), line) {
			k = seenKey{first: int32(line)}
		}
		if i == len(folded) && k.named == 0 {
			k.named = int32(line)
		}
		s.keys[id] = k
	}
	s.entered = folded
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// key gives what is known of a key.
func (s *seen) key(folded string) seenKey { return s.keys[maphash.String(s.seed, folded)] }

// value notes the line of a value, and gives what was known of the value before and the hash of its data.
func (s *seen) value(p *pass, e *hive.Edit, line int) (was seenValue, sum uint32) {
	if sum = deletedData; e.Op == hive.SetValue {
		sum = uint32(maphash.Bytes(s.seed, e.Value.Data)>>32)*31 + uint32(e.Value.Type) | 1
	}
	id := (p.nameHash(e.Value.Name) ^ bits.RotateLeft64(p.sectionHash(), 17)) | 1
	was, ok := s.values.put(seenValue{id, sum, int32(line)})
	if !ok {
		s.lacksRoom(p)
	}
	return was, sum
}

// sectionHash is the hash of the path of the current key.
func (p *pass) sectionHash() uint64 {
	if p.hashedLine != p.section.line {
		p.hashedLine, p.hashed = p.section.line, maphash.String(p.seen.seed, p.section.folded)
	}
	return p.hashed
}

// fold is [hive.Fold] of a path, with one allocation where there are letters of ASCII alone.
func (p *pass) fold(path hive.Path) string {
	buf := p.names[:0]
	for i, name := range path {
		if i > 0 {
			buf = append(buf, '\\')
		}
		buf = append(buf, name...)
	}
	p.names = buf
	if firstBeyondASCII(buf) >= 0 {
		return hive.Fold(string(buf))
	}
	for i, c := range buf {
		if c >= 'a' && c <= 'z' {
			buf[i] = c - ('a' - 'A')
		}
	}
	return string(buf)
}

// nameHash is the hash of a name, the same for all names that Windows takes for one.
func (p *pass) nameHash(name string) uint64 {
	buf := p.names[:0]
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return maphash.String(p.seen.seed, hive.Fold(name))
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		buf = append(buf, c)
	}
	p.names = buf
	return maphash.Bytes(p.seen.seed, buf)
}

// deletedSince tells whether a line between two others deletes the key or one above it.
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
