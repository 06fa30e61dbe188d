package regfile

import "bytes"

// place is one place in the text and in the file that holds it.
type place struct{ text, offset int64 }

// How many bytes of a file some text takes, the text does not always tell: what means nothing in the encoding is read as U+FFFD. But the
// ends of lines are the same in both, and no part of another character. So they are counted.

// locate gives the offset in the file of the statement at mark.
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

// behind gives the place of mark. It counts from the end of the text, all of which behind mark is of the piece that was read last.
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

// lineEnds counts the characters that end lines. A CR LF is two.
func lineEnds(text []byte) int {
	return bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'})
}

// unit is the number of bytes that a character has at least.
func (d *decoder) unit() int {
	if d.encoding == utf16LE {
		return 2
	}
	return 1
}

// breaks tells whether the character at byte i of the piece ends a line.
func (d *decoder) breaks(i int) bool {
	c := d.piece[i]
	return (c == '\n' || c == '\r') && (d.unit() == 1 || d.piece[i+1] == 0)
}
