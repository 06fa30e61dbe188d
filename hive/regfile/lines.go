package regfile

import (
	"bytes"
	"io"
	"runtime/debug"

	"regvet/hive"
)

// lines cuts text into lines, which end with CR LF, LF or CR. The text arrives in pieces; text before mark is dropped when more is needed.
type lines struct {
	decoder
	text   []byte // what was read and not dropped
	base   int64  // where text starts in the text of the file
	mark   int    // text is kept from here on
	line   []byte // the current line without its end
	start  int    // of the current line in text
	pos    int    // of the next line in text
	ending Ending // of the current line
	number int    // of the current line, from 1

	// The next LF and CR from pos on, or the length of the text. They are kept so that a file that lacks one of them is not searched to its
	// end for every line.
	lf, cr int

	known place // of mark, or a place before it to count from
}

func newLines(o Options, r io.Reader) lines {
	return lines{decoder: decoder{r: r, page: o.page(), unknown: o.CodePage == nil}, lf: -1, cr: -1}
}

// next goes to the next line and reports whether there is one.
func (l *lines) next() bool {
	for {
		if l.lf < l.pos {
			l.lf = l.find('\n', l.pos)
		}
		if l.cr < l.pos {
			l.cr = l.find('\r', l.pos)
		}
		// A CR at the end may be half of a line end.
		if end := min(l.lf, l.cr); end < len(l.text)-1 || end == l.lf && end < len(l.text) || !l.fill() {
			break
		}
	}
	if l.pos >= len(l.text) {
		return false
	}
	end := min(l.lf, l.cr)
	l.line, l.start = l.text[l.pos:end:end], l.pos
	l.pos = end + 1
	switch {
	case end == len(l.text):
		l.pos, l.ending = end, NoEnding
	case end == l.lf:
		l.ending = LF
	case l.cr+1 == l.lf && l.lf < len(l.text):
		l.pos, l.ending = l.lf+1, CRLF
	default:
		l.ending = CR
	}
	l.number++
	return true
}

func (l *lines) find(c byte, from int) int {
	if i := bytes.IndexByte(l.text[from:], c); i >= 0 {
		return from + i
	}
	return len(l.text)
}

// fill reads more text and reports whether there was any. The current line is kept, but may move.
func (l *lines) fill() bool {
	if l.ended && len(l.in) == 0 {
		return false
	}
	if l.mark > 0 {
		l.known = l.behind()
		l.forget()
	}
	known, width := len(l.text), len(l.line)
	large := l.grow()
	l.text = l.more(l.text)
	if l.start+width <= len(l.text) && l.start >= 0 {
		l.line = l.text[l.start : l.start+width : l.start+width]
	}
	if large {
		debug.FreeOSMemory() // the text that it was copied from is as large
	}
	if l.lf == known {
		l.lf = l.find('\n', known)
	}
	if l.cr == known {
		l.cr = l.find('\r', known)
	}
	return true
}

// forget drops the text before mark.
func (l *lines) forget() {
	l.text = l.text[:copy(l.text, l.text[l.mark:])]
	l.base += int64(l.mark)
	l.start -= l.mark
	l.pos -= l.mark
	l.lf -= l.mark
	l.cr -= l.mark
	l.mark = 0
}

// largeText is the number of bytes from which memory matters more than time.
const largeText = 32 << 20

// grow makes room for another piece if the text is large, less than append would, and reports whether it did.
func (l *lines) grow() bool {
	if len(l.text) < largeText || cap(l.text)-len(l.text) >= 2*pieceSize {
		return false
	}
	grown := make([]byte, len(l.text), len(l.text)/4*5)
	copy(grown, l.text)
	l.text = grown
	return true
}

// at returns the place of byte i of the current line.
func (l *lines) at(i int) hive.Location {
	return hive.Location{Line: l.number, Column: Column(l.line, i)}
}

// Column returns the place of byte i of a line in characters, from 1.
func Column(line []byte, i int) int {
	column := 1
	for _, c := range line[:min(i, len(line))] {
		if c&0xC0 != 0x80 { // each character has one byte that does not continue another
			column++
		}
	}
	return column
}

// blanks returns the place of the first byte of line from i on that is neither a space nor a tab, or the length of line.
func blanks(line []byte, i int) int {
	for i < len(line) && isBlank(line[i]) {
		i++
	}
	return i
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// ends reports whether nothing follows from byte i on but blanks and a comment.
func ends(line []byte, i int) bool {
	i = blanks(line, i)
	return i == len(line) || line[i] == ';'
}
