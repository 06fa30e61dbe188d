package regfile

import (
	"encoding/binary"
	"slices"
	"strings"

	"regvet/hive"
)

// encoder writes .reg text as UTF-16LE.
type encoder struct {
	buf      []byte
	exchange func(full []byte) (empty []byte)
}

const (
	wrapAt    = 77 // columns: a line of hex data ends after the comma that reaches it
	hexColumn = 3  // columns of one byte of hex data
)

// What stands in nearly every line, in UTF-16LE.
const (
	wideQuote  = "\"\x00"
	wideEquals = "\"\x00=\x00" // after the name of a value
	wideDWord  = "d\x00w\x00o\x00r\x00d\x00:\x00"
)

// begin writes the start of a file.
func (e *encoder) begin() {
	e.buf = append(e.buf, 0xFF, 0xFE)
	e.ascii(header5)
	e.crlf()
}

func (e *encoder) crlf() {
	e.buf = append(e.buf, '\r', 0, '\n', 0)
	if len(e.buf) >= hive.FullBuffer {
		e.buf = e.exchange(e.buf)
	}
}

// ascii writes text known to be ASCII.
func (e *encoder) ascii(s string) {
	for i := 0; i < len(s); i++ {
		e.buf = append(e.buf, s[i], 0)
	}
}

// plain writes any text as it is.
func (e *encoder) plain(s string) { e.buf = appendWide(e.buf, s) }

// comment writes a blank line and the lines of a comment, if there is one. No line ends with a backslash, because hivexregedit would
// continue it with the next.
func (e *encoder) comment(s string) {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", " ").Replace(s)
	if s = strings.TrimRight(s, "\n"); s == "" {
		return
	}
	e.crlf()
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.TrimRight("; "+line, " ")
		if strings.HasSuffix(line, `\`) {
			line += " ;"
		}
		e.plain(line)
		e.crlf()
	}
}

// section writes a key line.
func (e *encoder) section(path hive.Path, deletes bool) {
	if deletes {
		e.ascii("[-")
	} else {
		e.ascii("[")
	}
	e.buf = appendPath(e.buf, path)
	e.ascii("]")
	e.crlf()
}

// appendPath appends a path to b as a key line has it, in UTF-16LE.
func appendPath(b []byte, path hive.Path) []byte {
	for i, name := range path {
		if i == 0 {
			name, _ = hive.LongRoot(name)
		} else {
			b = append(b, '\\', 0)
		}
		b = appendWide(b, name)
	}
	return b
}

// name writes the name of a value and the = after it.
func (e *encoder) name(name string) {
	if name == "" {
		e.ascii("@=")
		return
	}
	if hive.IsPlain(name) {
		e.plainName(name)
		return
	}
	e.buf = append(e.buf, wideQuote...)
	for {
		i := 0
		for i < len(name) && name[i] != '\\' && name[i] != '"' {
			i++
		}
		if i == len(name) {
			break
		}
		e.plain(name[:i])
		e.buf = append(e.buf, '\\', 0, name[i], 0)
		name = name[i+1:]
	}
	e.plain(name)
	e.buf = append(e.buf, wideEquals...)
}

// plainName is name for a name that is not empty and [hive.IsPlain].
func (e *encoder) plainName(name string) {
	e.buf = append(e.buf, wideQuote...)
	e.plain(name)
	e.buf = append(e.buf, wideEquals...)
}

// value writes a value line; see [encoder.data].
func (e *encoder) value(v hive.Value, quotable func(data []byte) (wideText, bool)) {
	start := len(e.buf)
	e.name(v.Name)
	e.data(v, start, quotable)
}

// data writes the type and the data of a value, and the end of the line, which starts at byte start of the buffer. quotable returns what
// of the data of a REG_SZ to write as text in quotes, and false to write them as hex data.
func (e *encoder) data(v hive.Value, start int, quotable func(data []byte) (wideText, bool)) {
	switch {
	case v.Type == hive.SZ:
		if text, ok := quotable(v.Data); ok {
			e.quoted(text)
			e.crlf()
			return
		}
		e.ascii("hex(1):")
	case v.Type == hive.DWord && len(v.Data) == 4:
		e.buf = append(e.buf, wideDWord...)
		for i := 3; i >= 0; i-- {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(elements[v.Data[i]]))
		}
		e.crlf()
		return
	case v.Type == hive.Binary:
		e.ascii("hex:")
	default:
		e.ascii("hex(")
		for shift := 28; shift >= 0; shift -= 4 {
			if v.Type>>shift != 0 || shift == 0 {
				e.buf = append(e.buf, digits[v.Type>>shift&15], 0)
			}
		}
		e.ascii("):")
	}
	e.hex(v.Data, (len(e.buf)-start)/2)
	e.crlf()
}

const digits = "0123456789abcdef"

// elements holds each byte as hex data have it: two digits and a comma in UTF-16LE, in the low six bytes.
var elements = func() (table [256]uint64) {
	for i := range table {
		table[i] = uint64(digits[i>>4]) | uint64(digits[i&15])<<16 | ','<<32
	}
	return table
}()

// hexBreak stands between two lines of hex data.
const hexBreak = "\\\x00\r\x00\n\x00 \x00 \x00"

// hex writes the elements of hex data, the first of them at a column. A line ends after the comma that takes it to column 77 or beyond.
func (e *encoder) hex(data []byte, column int) {
	for len(data) > 0 {
		n := max(1, (wrapAt-column+hexColumn-1)/hexColumn)
		n = min(n, len(data))
		size := 2 * hexColumn * n
		e.buf = slices.Grow(e.buf, size+len(hexBreak)) // each element is written as eight bytes
		out := e.buf[len(e.buf) : len(e.buf)+size+2]
		for _, c := range data[:n] {
			binary.LittleEndian.PutUint64(out, elements[c])
			out = out[2*hexColumn:]
		}
		e.buf = e.buf[:len(e.buf)+size]
		if data = data[n:]; len(data) == 0 {
			e.buf = e.buf[:len(e.buf)-2] // no comma after the last
			return
		}
		e.buf = append(e.buf, hexBreak...)
		if len(e.buf) >= hive.FullBuffer {
			e.buf = e.exchange(e.buf)
		}
		column = 2
	}
}

// quoted writes text in quotes.
func (e *encoder) quoted(t wideText) {
	e.buf = append(e.buf, wideQuote...)
	for text := t.units; len(text) > 0; {
		piece := text[:min(len(text), hive.FullBuffer/2)]
		from := 0
		if t.escapes {
			for i := plainUnits(piece, 0); i+1 < len(piece); i = plainUnits(piece, i+2) {
				if piece[i+1] == 0 && (piece[i] == '\\' || piece[i] == '"') {
					e.buf = append(append(e.buf, piece[from:i]...), '\\', 0)
					from = i
				}
			}
		}
		e.buf = append(e.buf, piece[from:]...)
		if text = text[len(piece):]; len(e.buf) >= hive.FullBuffer {
			e.buf = e.exchange(e.buf)
		}
	}
	e.buf = append(e.buf, wideQuote...)
}

// wideText is text in UTF-16LE, whole units.
type wideText struct {
	units   []byte
	breaks  bool // there are line breaks in it
	escapes bool // there are quotes or backslashes in it
}

// textOf returns the text before the first NUL of UTF-16LE data. Without a NUL, that is all but an odd last byte.
func textOf(data []byte) (t wideText) {
	for i := plainUnits(data, 0); i+1 < len(data); i = plainUnits(data, i+2) {
		if data[i+1] != 0 {
			continue
		}
		switch data[i] {
		case 0:
			t.units = data[:i]
			return t
		case '\r', '\n':
			t.breaks = true
		case '\\', '"':
			t.escapes = true
		}
	}
	t.units = data[:len(data)&^1]
	return t
}

// exactText returns data as text in quotes, and whether that is without loss.
func exactText(data []byte) (wideText, bool) {
	t := textOf(data)
	return t, !t.breaks && len(t.units)+2 == len(data)
}

// windowsText returns the text that Windows exports, all before the first NUL. It is false for text with line breaks, which Windows exports
// and cannot read.
func windowsText(data []byte) (wideText, bool) {
	t := textOf(data)
	return t, !t.breaks
}
