package search

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"regvet/hive"
)

// span is a stretch of data, in bytes.
type span struct{ from, to int }

// dataSearch looks for a pattern in the data of one value, or in unused space.
type dataSearch struct {
	*Pattern
	data []byte
	hit  func(Hit)
	done []span // what was found, in order and apart from each other
}

// reading is a way to read data as text.
type reading struct {
	encoding Encoding
	text     string
	base     int // offset of the text in the data
}

// searchData calls hit with Text, From, To and what belongs to data, for what a pattern finds in data of a type. Text is looked for in each string by itself: a string ends at a NUL, or with the
// data, and each gives one hit at most. Data of the types of text is read as UTF-16LE, to its end, and as UTF-8 if it can be nothing else; a number
// is only a number; and anything else is read as both, UTF-16LE also from odd offsets. Bytes are found anywhere.
func searchData(p *Pattern, v hive.Value, hit func(Hit)) {
	s := dataSearch{Pattern: p, data: v.Data, hit: hit}
	if p.bytes != nil {
		s.searchBytes()
		return
	}
	if n, err := v.Uint64(); err == nil {
		if text := strconv.FormatUint(n, 10); p.isNumber && n == p.number {
			hit(Hit{Text: text, To: len(text), Encoding: Number, Length: len(v.Data)})
		}
		return
	}
	if !p.run.mayBeIn(v.Data) {
		return
	}
	switch v.Type {
	case hive.SZ, hive.ExpandSZ, hive.Link, hive.MultiSZ:
		s.read(reading{UTF16, hive.DecodeUTF16(v.Data), 0})
		if s.isUTF8() {
			s.read(reading{UTF8, string(v.Data), 0})
		}
	default:
		s.searchBinary()
	}
}

// isUTF8 reports whether the data of text must be UTF-8, because UTF-16LE has zeros between its letters.
func (s *dataSearch) isUTF8() bool {
	text := bytes.TrimRight(s.data, "\x00")
	return bytes.IndexByte(text, 0) < 0 && utf8.Valid(text)
}

// searchBinary looks for text of either encoding at any offset.
func (s *dataSearch) searchBinary() {
	s.read(reading{UTF16, hive.DecodeUTF16(s.data), 0})
	s.read(reading{UTF8, string(s.data), 0})
	if len(s.data) > 1 {
		s.read(reading{UTF16, hive.DecodeUTF16(s.data[1:]), 1})
	}
}

// searchBytes looks for bytes.
func (s *dataSearch) searchBytes() {
	for at := 0; ; at += len(s.bytes) {
		i := bytes.Index(s.data[at:], s.bytes)
		if i < 0 {
			return
		}
		at += i
		s.hit(Hit{Encoding: Raw, Data: s.data, Offset: at, Length: len(s.bytes)})
	}
}

// read looks for text in the strings of a reading. What overlaps something that an earlier reading found is left out: it is the same, misread.
func (s *dataSearch) read(r reading) {
	var found []span
	place := cursor{reading: r}
	for start := 0; start < len(r.text); {
		if s.expr == nil { // no match of a literal goes across a NUL, so that most strings need not be looked at one by one
			from, _ := s.find(r.text[start:])
			if from < 0 {
				break
			}
			start += strings.LastIndexByte(r.text[start:start+from], 0) + 1
		}
		end := len(r.text)
		if n := strings.IndexByte(r.text[start:], 0); n >= 0 {
			end = start + n
		}
		if end > start {
			found = s.readString(r, start, end, &place, found)
		}
		start = end + 1
	}
	if len(found) > 0 {
		s.done = append(s.done, found...)
		slices.SortFunc(s.done, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	}
}

// readString looks for text in one string, adds the places of all matches to found, and reports the first that is new.
func (s *dataSearch) readString(r reading, start, end int, place *cursor, found []span) []span {
	told := false
	for _, m := range s.matches(r.text[start:end]) {
		at := span{place.offset(start + m.from), place.offset(start + m.to)}
		if s.isDone(at) {
			continue
		}
		if last := len(found) - 1; last >= 0 && found[last].to >= at.from {
			found[last].to = at.to
		} else {
			found = append(found, at)
		}
		if !told {
			told = true
			s.hit(Hit{Text: r.text[start:end], From: m.from, To: m.to, Encoding: r.encoding, Offset: at.from, Length: at.to - at.from})
		}
	}
	return found
}

// isDone reports whether something was found in a place already.
func (s *dataSearch) isDone(at span) bool {
	i, _ := slices.BinarySearchFunc(s.done, at.from, func(d span, from int) int { return cmp.Compare(d.to-1, from) })
	return i < len(s.done) && s.done[i].from < max(at.to, at.from+1)
}

// mostMatches is how many matches of a regular expression in one string are told apart; the last one stands for the rest.
const mostMatches = 1 << 12

// matches returns the places of the matches in one string.
func (s *dataSearch) matches(text string) (all []span) {
	if !s.run.mayBeInText(text) {
		return nil
	}
	if s.expr == nil {
		for at := 0; at < len(text); {
			from, to := s.find(text[at:])
			if from < 0 {
				break
			}
			all = append(all, span{at + from, at + to})
			at += to
		}
		return all
	}
	for _, m := range s.expr.FindAllStringIndex(text, mostMatches) {
		all = append(all, span{m[0], m[1]})
	}
	if len(all) == mostMatches {
		all[mostMatches-1].to = len(text)
	}
	return all
}

// cursor turns places in the text of a reading into offsets in the data, each at or behind the one before.
type cursor struct {
	reading
	at, units int // a place in the text, and the number of UTF-16 units before it
}

func (c *cursor) offset(at int) int {
	if c.encoding == UTF8 {
		return c.base + at
	}
	for ; c.at < at; c.at++ {
		switch b := c.text[c.at]; {
		case b&0xC0 == 0x80: // within a character
		case b >= 0xF0:
			c.units += 2
		default:
			c.units++
		}
	}
	return c.base + 2*c.units
}
