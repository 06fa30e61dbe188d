package regfile

import (
	"bytes"
	"fmt"
	"slices"

	"regvet/hive"
)

// raw writes the lines of a statement unchanged.
func (f *formatter) raw(s *Statement) {
	f.open = s.Kind == ValueLine && bytes.HasPrefix(s.Data.In(s.Text), []byte("hex"))
	for line, ending := range s.lines() {
		f.put(line)
		if ending != NoEnding || !f.open {
			f.out = append(f.out, f.end...)
		}
	}
}

// key writes a key line. Whatever follows its bracket is a comment.
func (f *formatter) key(s *Statement) {
	f.out = append(f.out, '[')
	if s.Deletes {
		f.out = append(f.out, '-')
	}
	for i, name := range s.Path {
		if i > 0 {
			f.out = append(f.out, '\\')
		}
		f.out = append(f.out, name...)
	}
	f.out = append(f.out, ']')
	f.behind(s.Text[s.Name.To+1:])
}

// value writes a value line and those that continue it.
func (f *formatter) value(s *Statement) {
	v := s.Edits[len(s.Edits)-1].Value
	data, comment := s.Data.In(s.Text), s.Comment.In(s.Text)
	if data[0] == 'h' {
		comment = f.inner(s)
	}
	start := len(f.out)
	if v.Name == "" {
		f.out = append(f.out, '@', '=')
	} else {
		f.out = append(append(f.out, s.Name.In(s.Text)...), '=') // there is only one way to write a name
	}
	switch {
	case s.Deletes:
		f.out = append(f.out, '-')
	case data[0] == '"':
		f.put(data)
	case data[0] == 'd':
		f.dword(v.Data)
	default:
		f.hex(v.Type, start)
	}
	f.behind(comment)
}

// inner writes the comments in all lines of a value but the last, and returns the one in the last.
func (f *formatter) inner(s *Statement) (comment []byte) {
	first := true
	for line := range s.lines() {
		if len(comment) > 0 {
			f.out = append(append(f.out, comment...), f.end...)
		}
		comment = nil
		if first {
			comment, first = trimmed(s.Comment.In(s.Text)), false
		} else if i := bytes.IndexByte(line, ';'); i >= 0 {
			comment = trimmed(line[i:])
		}
	}
	return comment
}

// behind ends a line with the comment that follows.
func (f *formatter) behind(comment []byte) {
	if comment = trimmed(comment); len(comment) > 0 {
		f.out = append(append(f.out, ' '), comment...)
	}
	f.out = append(f.out, f.end...)
}

// trimmed returns text without blanks around it.
func trimmed(text []byte) []byte { return bytes.Trim(text, " \t") }

func (f *formatter) dword(data []byte) {
	f.out = append(f.out, dwordPrefix...)
	for _, c := range slices.Backward(data) {
		f.out = append(f.out, digits[c>>4], digits[c&15])
	}
}

// hex writes the hex data that the parser has just read, in regedit's form for their type: the bytes in the file, not the data that Windows
// makes of them. The line starts at byte start of the text.
func (f *formatter) hex(t hive.Type, start int) {
	data := f.parser.bytes
	switch {
	case t == hive.SZ && f.text(data):
		return
	case t == hive.DWord && len(data) == 4:
		f.dword(data)
		return
	case t == hive.Binary:
		f.out = append(f.out, hexPrefix...)
	default:
		f.out = fmt.Appendf(f.out, "hex(%x):", uint32(t))
	}
	column := units(f.out[start:])
	for i, c := range data {
		f.out = append(f.out, digits[c>>4], digits[c&15])
		if i == len(data)-1 {
			break
		}
		f.out = append(f.out, ',')
		if column += hexColumn; column >= wrapAt {
			f.out = append(append(append(f.out, '\\'), f.end...), "  "...)
			column = 2
			if len(f.out) >= pieceSize {
				f.write()
			}
		}
	}
}

// text writes hex data of a REG_SZ as text in quotes, and reports whether that says the same. In version 4, it is not known that every
// Windows reads them as text in the code page.
func (f *formatter) text(data []byte) bool {
	text, ok := exactText(data)
	if !ok || f.Version != Version5 {
		return false
	}
	narrow := appendNarrow(nil, text.units)
	if f.To != utf16LE && asciiPrefix(narrow) < len(narrow) {
		return false
	}
	f.out = append(f.out, '"')
	for _, c := range narrow {
		if c == '\\' || c == '"' {
			f.out = append(f.out, '\\')
		}
		f.out = append(f.out, c)
	}
	f.out = append(f.out, '"')
	return true
}
