package regfile

import "bytes"

// place is a place in the text and in the file that holds it.
type place struct{ text, offset int64 }

// The text does not always show how many bytes of the file it takes, because meaningless bytes become U+FFFD. But line ends are the same in
// both, and never part of another character, so they are counted.

// locate returns the offset in the file of the statement at mark.
func (l *lines) locate() int64 {
	if l.known.offset < l.from.offset && l.base+int64(l.mark) >= l.from.text {
		l.known = l.from
	}
	if text := l.base + int64(l.mark); text > l.known.text {
		n := lineEnds(l.text[l.known.text-l.base : l.mark])
		unit := l.unit()
		for i := int(l.known.offset - l.from.offset); n > 0; i += unit {
			if l.breaks(i) {
				n--
			}
			l.known.offset += int64(unit)
		}
		l.known.text = text
	}
	return l.known.offset
}

// behind returns the place of mark. It counts back from the end of the text; all text after mark belongs to the last piece that was read.
func (l *lines) behind() place {
	unit := l.unit()
	i := l.taken - l.taken%unit
	for n := lineEnds(l.text[l.mark:]); i > 0; i -= unit {
		if !l.breaks(i - unit) {
			continue
		}
		if n == 0 {
			break
		}
		n--
	}
	return place{l.base + int64(l.mark), l.from.offset + int64(i)}
}

// lineEnds returns the number of characters that end lines. A CR LF is two.
func lineEnds(text []byte) int {
	return bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'})
}

// unit is the least number of bytes of a character.
func (d *decoder) unit() int {
	if d.encoding == utf16LE {
		return 2
	}
	return 1
}

// breaks reports whether the character at byte i of the piece ends a line.
func (d *decoder) breaks(i int) bool {
	c := d.piece[i]
	return (c == '\n' || c == '\r') && (d.unit() == 1 || d.piece[i+1] == 0)
}
