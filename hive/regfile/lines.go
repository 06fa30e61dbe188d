package regfile

import (
	"bytes"

	"regvet/hive"
)

// lines cuts text into lines, which end with CR LF, LF or CR.
type lines struct {
	text   []byte
	line   []byte // the current line without its end
	number int    // of the current line, from 1
	start  int    // of the current line in text
	pos    int    // of the next line in text

	// The next LF and CR at or behind pos, or the length of the text. They are kept so that a file without the one or the
	// other is not searched to its end for every line.
	lf, cr int
}

func newLines(text []byte) lines { return lines{text: text, lf: -1, cr: -1} }

// next goes to the next line and reports whether there is one.
func (l *lines) next() bool {
	if l.pos >= len(l.text) {
		return false
	}
	if l.lf < l.pos {
		l.lf = l.find('\n')
	}
	if l.cr < l.pos {
		l.cr = l.find('\r')
	}
	end := min(l.lf, l.cr)
	l.line, l.start = l.text[l.pos:end:end], l.pos
	l.pos = end + 1
	if l.cr+1 == l.lf {
		l.pos = l.lf + 1
	}
	l.number++
	return true
}

func (l *lines) find(c byte) int {
	if i := bytes.IndexByte(l.text[l.pos:], c); i >= 0 {
		return l.pos + i
	}
	return len(l.text)
}

// at gives the place of the byte i of the current line.
func (l *lines) at(i int) hive.Location {
	column := 1
	for _, c := range l.line[:min(i, len(l.line))] {
		if c&0xC0 != 0x80 { // each character has one byte that does not continue another
			column++
		}
	}
	return hive.Location{Line: l.number, Column: column}
}

// place gives the place of the byte i of a text.
func place(text []byte, i int) hive.Location {
	l := newLines(text)
	for l.next() && l.pos <= i {
	}
	return l.at(i - l.start)
}

// blanks gives the place of the first byte of line at or behind i that is neither a space nor a tab, or its length.
func blanks(line []byte, i int) int {
	for i < len(line) && isBlank(line[i]) {
		i++
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// ends tells whether nothing but blanks and a comment stand at or behind i.
func ends(line []byte, i int) bool {
	i = blanks(line, i)
	return i == len(line) || line[i] == ';'
}
