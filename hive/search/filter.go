package search

import (
	"bytes"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// Most data holds no match, which is seen from its bytes much faster than by decoding and matching it: a run of ASCII characters, which stands in all
// that a pattern matches, is written as these bytes or, in UTF-16LE, as these bytes with zeros between them.

// run is such a run, in any case. The zero run is in everything.
type run struct {
	text string  // in lower case
	rare int     // index in text of the character that is looked for
	both [2]byte // that character in its two cases
}

// byRarity has the letters of ASCII from rare to frequent, as in English. What is not in it is rarer than a vowel and not as rare as a q.
const byRarity = `qzjxvwybkgpfmuhdclnsriotae`

// runOf returns the longest run in texts that all stand in what matches.
func runOf(texts ...string) (r run) {
	for _, text := range texts {
		// What is not ASCII can have other cases, and to a regular expression the Kelvin sign and the long s are cases of a k and an s.
		cut := func(r rune) bool { return r >= utf8.RuneSelf || r == 0 || strings.ContainsRune("kKsS", r) }
		for piece := range strings.FieldsFuncSeq(text, cut) {
			if len(piece) > len(r.text) {
				r.text = strings.ToLower(piece)
			}
		}
	}
	least := len(byRarity)
	for i := range len(r.text) {
		rank := strings.IndexByte(byRarity, r.text[i])
		if rank < 0 {
			rank = len(byRarity) / 3
		}
		if rank < least {
			least, r.rare = rank, i
		}
	}
	if r.text != "" {
		c := r.text[r.rare]
		r.both = [2]byte{c, c}
		if 'a' <= c && c <= 'z' {
			r.both[1] = c - 'a' + 'A'
		}
	}
	return r
}

// required returns texts that stand in all that an expression matches, in either case.
func required(e *syntax.Regexp) (texts []string) {
	switch e.Op {
	case syntax.OpLiteral:
		return []string{string(e.Rune)}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
	case syntax.OpRepeat:
		if e.Min == 0 {
			return nil
		}
	default:
		return nil
	}
	for _, sub := range e.Sub {
		texts = append(texts, required(sub)...)
	}
	return texts
}

// mayBeIn reports whether the run is in data, in one of the two encodings.
func (r *run) mayBeIn(data []byte) bool {
	return r.text == "" || r.search(data, r.both[0]) || r.both[1] != r.both[0] && r.search(data, r.both[1])
}

// search looks for the run where its rare character is c.
func (r *run) search(data []byte, c byte) bool {
	for at := 0; ; at++ {
		i := bytes.IndexByte(data[at:], c)
		if i < 0 {
			return false
		}
		at += i
		if r.isAt(data, at-r.rare, 1) || r.isAt(data, at-2*r.rare, 2) {
			return true
		}
	}
}

// isAt reports whether the run begins at an offset, with a character every so many bytes.
func (r *run) isAt(data []byte, from, step int) bool {
	if from < 0 || from+step*(len(r.text)-1) >= len(data) {
		return false
	}
	for i := range len(r.text) {
		c := data[from+step*i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != r.text[i] {
			return false
		}
	}
	return true
}

// mayBeInText is mayBeIn for text. Most text is a name, in which a plain loop is fastest.
func (r *run) mayBeInText(text string) bool {
	if r.text == "" {
		return true
	}
	for at := r.rare; at < len(text)-(len(r.text)-1-r.rare); at++ {
		if c := text[at]; (c == r.both[0] || c == r.both[1]) && r.isInText(text[at-r.rare:]) {
			return true
		}
	}
	return false
}

// isInText reports whether text begins with the run.
func (r *run) isInText(text string) bool {
	for i := range len(r.text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != r.text[i] {
			return false
		}
	}
	return true
}
