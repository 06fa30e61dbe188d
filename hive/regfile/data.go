package regfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"

	"regvet/hive"
)

// valueLine reads a line that has the opening quote of a name, or the @, at i. Hex data may take more lines.
func (p *parser) valueLine(i int) {
	at := hive.Location{Line: p.number, Column: i + 1}
	switch {
	case p.path == nil && !p.orphaned:
		p.orphaned = true
		// After [-KEY] the author may have meant that key, so what is said of it may be wrong.
		p.problem(hive.BadLine, i, p.last, true, "no key is open here; Windows drops this value and those that follow")
	case p.path != nil && p.misplaced:
		p.misplaced = false
		p.problem(hive.Doubtful, i, p.path, false,
			"this value and those that follow go to %s, because the key line above them is dropped", shown(p.path.String()))
	}
	p.doubtful = ""
	first := p.number
	v, op, bad := p.value(i)
	switch {
	case bad.msg != "":
		p.broken = true
		switch {
		case op != hive.DeleteValue && p.number == first:
			p.lost(bad.at, "%s; Windows drops this value", bad.msg)
		case op != hive.DeleteValue:
			p.lost(bad.at, "%s; Windows drops the value of line %d", bad.msg, first)
		case p.path != nil:
			p.problem(hive.BadLine, bad.at, p.path, false, "%s; Windows does not delete the value", bad.msg)
		}
	case len(v.Name) > maxValueName && units(v.Name) > maxValueName:
		p.lost(i, "the name has %d characters, at most %d are allowed; Windows drops this value", units(v.Name), maxValueName)
	case p.path != nil:
		if p.doubtful != "" && p.lists(p.path, false) {
			p.add(p.doubtfulAt, hive.Doubtful, p.path, false, p.doubtful)
		}
		v.At = at
		p.edit(hive.Edit{Op: op, Path: p.path, Value: v, At: at})
	}
	if bad.swallowed {
		p.swallowed(bad.at)
	}
}

// lost reports a value of the current key that is dropped. Without a key there was a problem already.
func (p *parser) lost(i int, format string, args ...any) {
	if p.path != nil {
		p.problem(hive.BadLine, i, p.path, true, format, args...)
	}
}

// doubt notes what Windows versions may not agree on in a value, the first thing in each. It is reported when the value is taken.
func (p *parser) doubt(i int, msg string) {
	if p.doubtful == "" {
		p.doubtful, p.doubtfulAt = msg, p.at(i)
	}
}

// swallowed reports the current line, which Windows reads as the continuation of a value and drops together with that.
func (p *parser) swallowed(i int) {
	switch p.line[i] {
	case '[':
		name, deletes, _ := bracketed(p.line, i)
		path, _ := p.split(name)
		p.misplaced = p.path != nil
		p.problem(hive.BadLine, i, path, !deletes, "Windows takes this key line for the continuation of the value above and drops both")
	case '"', '@':
		p.lost(i, "Windows takes this value for the continuation of the one above and drops both")
	}
}

// fault is why a value is dropped, and the byte of the current line where it is seen.
type fault struct {
	msg       string
	at        int
	swallowed bool // the current line is no part of the value, but goes with it
}

func faultAt(at int, format string, args ...any) fault {
	return fault{msg: fmt.Sprintf(format, args...), at: at}
}

var (
	dwordPrefix = []byte("dword:")
	hexPrefix   = []byte("hex:")
	typedPrefix = []byte("hex(")
)

// value reads NAME = DATA.
func (p *parser) value(i int) (v hive.Value, op hive.Op, bad fault) {
	if p.line[i] == '@' {
		i++
	} else {
		text, next, bad := p.quotedText(i, "name")
		if bad.msg != "" {
			return v, 0, bad
		}
		v.Name, i = p.name(text), next
	}
	line := p.line
	i = blanks(line, i)
	if i == len(line) || line[i] != '=' {
		return v, 0, faultAt(i, "there is no = behind the name")
	}
	i = blanks(line, i+1)
	rest := line[i:]
	switch {
	case len(rest) == 0 || rest[0] == ';':
		return v, 0, faultAt(i, "there are no data behind the =")
	case rest[0] == '"':
		v.Type = hive.SZ
		v.Data, bad = p.stringData(i)
		return v, hive.SetValue, bad
	case rest[0] == '-':
		if !ends(line, i+1) {
			bad = faultAt(blanks(line, i+1), "there is something behind the -")
		}
		return v, hive.DeleteValue, bad
	case bytes.HasPrefix(rest, dwordPrefix):
		v.Type = hive.DWord
		v.Data, bad = p.dword(i + len(dwordPrefix))
		return v, hive.SetValue, bad
	case bytes.HasPrefix(rest, hexPrefix):
		v.Type = hive.Binary
		v.Data, bad = p.hex(i+len(hexPrefix), v.Type)
		return v, hive.SetValue, bad
	case bytes.HasPrefix(rest, typedPrefix):
		i += len(typedPrefix)
		n, digits := number(line[i:])
		if digits < 1 || digits > 8 || !bytes.HasPrefix(line[i+digits:], []byte("):")) {
			return v, 0, faultAt(i, "the type must be 1 to 8 hex digits, followed by ):")
		}
		v.Type = hive.Type(n)
		v.Data, bad = p.hex(i+digits+2, v.Type)
		return v, hive.SetValue, bad
	}
	return v, 0, faultAt(i, `%s is no form of data; they are "text", dword:, hex:, hex(N): or -`, inQuotes(rest))
}

// quotedText reads text from the quote at i to the one that closes it. The result is valid until the next call.
func (p *parser) quotedText(i int, what string) (text []byte, next int, bad fault) {
	line, start := p.line, i
	i++
	if n := bytes.IndexByte(line[i:], '"'); n < 0 {
		return nil, 0, faultAt(start, "the closing quote of the %s is missing", what)
	} else if bytes.IndexByte(line[i:i+n], '\\') < 0 {
		return line[i : i+n], i + n + 1, bad
	}
	buf := p.unescaped[:0]
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '"':
			p.unescaped = buf
			return buf, i + 1, bad
		case c == '\\' && i+1 < len(line):
			if i++; line[i] != '\\' && line[i] != '"' {
				return nil, 0, faultAt(i-1, `the %s has a backslash that is not written \\`, what)
			}
			c = line[i]
		}
		buf = append(buf, c)
	}
	p.unescaped = buf
	return nil, 0, faultAt(start, "the closing quote of the %s is missing", what)
}

// stringData reads the text of a REG_SZ.
func (p *parser) stringData(i int) ([]byte, fault) {
	text, next, bad := p.quotedText(i, "text")
	if bad.msg != "" {
		return nil, bad
	}
	if !ends(p.line, next) {
		return nil, faultAt(blanks(p.line, next), "there is something behind the closing quote")
	}
	return p.text(text), bad
}

// nibble are the values of the hex digits, and 0xFF for all other bytes.
var nibble = func() (table [256]byte) {
	for i := range table {
		table[i] = 0xFF
	}
	for i, c := range []byte("0123456789abcdef") {
		table[c] = byte(i)
	}
	for i, c := range []byte("ABCDEF") {
		table[c] = byte(10 + i)
	}
	return table
}()

// number reads the hex digits at the start of b and counts them. The number is good up to eight.
func number(b []byte) (n uint32, digits int) {
	for digits < len(b) && nibble[b[digits]] < 16 {
		n = n<<4 | uint32(nibble[b[digits]])
		digits++
	}
	return n, digits
}

// dword reads the digits of a REG_DWORD.
func (p *parser) dword(i int) ([]byte, fault) {
	i = blanks(p.line, i)
	n, digits := number(p.line[i:])
	switch {
	case digits == 0:
		return nil, faultAt(i, "dword data must be hex digits")
	case digits > 8:
		return nil, faultAt(i, "dword data have %d digits, at most 8 are allowed", digits)
	case !ends(p.line, i+digits):
		return nil, faultAt(blanks(p.line, i+digits), "there is something behind the dword data")
	}
	d := p.room(4)[:4]
	binary.LittleEndian.PutUint32(d, n)
	return p.keep(d), fault{}
}

// hex reads hex data from byte i of the current line on, and the lines that continue them. Each line ends with an element, or with
// a comma, or with a comma and a backslash if another follows.
func (p *parser) hex(i int, t hive.Type) ([]byte, fault) {
	p.bytes = p.bytes[:0]
	for {
		next, more, bad := p.hexLine(i)
		if bad.msg != "" {
			return nil, bad
		}
		if !more {
			break
		}
		// Blank lines and comments may stand in between.
		i = -1
		for i < 0 && p.nextLine() {
			if i = blanks(p.line, 0); i == len(p.line) || p.line[i] == ';' {
				i = -1
			}
		}
		if i < 0 {
			p.doubt(next, "the file ends where hex data should go on; Windows sets the value to what is there")
			break
		}
		if nibble[p.line[i]] > 15 {
			bad = faultAt(i, "hex data must go on here with a hex digit")
			bad.swallowed = true
			return nil, bad
		}
	}
	return p.keepHex(t), fault{}
}

// hexLine appends the elements of one line, which start at i, to p.bytes. It tells where it stopped, and whether another line
// must follow.
func (p *parser) hexLine(i int) (next int, more bool, bad fault) {
	line := p.line
	b := slices.Grow(p.bytes, (len(line)-i)/2+1)
	n := len(b)
	b = b[:cap(b)]
	defer func() { p.bytes = b[:n] }()
	for {
		// What everyone writes: two digits and a comma.
		for i+2 < len(line) {
			hi, lo := nibble[line[i]], nibble[line[i+1]]
			if hi|lo > 15 || line[i+2] != ',' {
				break
			}
			b[n] = hi<<4 | lo
			n++
			i += 3
		}
		j := blanks(line, i)
		if ends(line, j) {
			return j, false, bad
		}
		value, digits := number(line[j:])
		switch {
		case line[j] == '\\' && ends(line, j+1):
			return j, true, bad
		case line[j] == '\\':
			return 0, false, faultAt(blanks(line, j+1), `only a comment may stand behind the backslash of hex data`)
		case digits == 0 && line[j] == ',':
			return 0, false, faultAt(j, "hex data have an empty element")
		case digits == 0:
			return 0, false, faultAt(j, "%s is no hex digit", inQuotes(character(line[j:])))
		case digits > 2:
			return 0, false, faultAt(j, "an element of hex data has %d digits, at most 2 are allowed", digits)
		case digits == 1:
			p.doubt(j, "an element of hex data has one digit; it is not known that every Windows reads it")
		case j > i:
			p.doubt(i, "there is a blank inside hex data; it is not known that every Windows reads them")
		}
		b[n] = byte(value)
		n++
		i = j + digits
		if i < len(line) && line[i] == ',' {
			i++
			continue
		}
		j = blanks(line, i)
		switch {
		case j == len(line) || line[j] == ';':
			return j, false, bad
		case line[j] == '\\':
			return 0, false, faultAt(j, "there is no comma before the backslash of hex data")
		}
		return 0, false, faultAt(j, "%s behind an element of hex data, where a comma must be", inQuotes(character(line[j:])))
	}
}

// character gives the first character of text.
func character(text []byte) []byte {
	_, n := utf8.DecodeRune(text)
	return text[:n]
}

// keepHex gives hex data the form in which Windows stores them. In a file of version 4, text is in the ANSI code page: the
// version decides, not the encoding of the file.
func (p *parser) keepHex(t hive.Type) []byte {
	if !isText(t) {
		return p.keep(append(p.room(len(p.bytes)), p.bytes...))
	}
	if p.file.Version == Version4 {
		beyond := asciiPrefix(p.bytes) < len(p.bytes)
		if !p.ansiDoubt && p.path != nil && (beyond || p.file.Encoding == utf16LE) {
			p.ansiDoubt = true
			p.doubt(0, "the hex data of text in a REGEDIT4 file are read as windows-1252, Windows reads them in its own ANSI code page")
		}
		text := decodeANSI(p.bytes)
		return p.keep(terminated(appendWide(p.room(2*len(text)+2), text)))
	}
	return p.keep(terminated(append(p.room(len(p.bytes)+2), p.bytes...)))
}

// text makes the data of a REG_SZ.
func (p *parser) text(text []byte) []byte {
	return p.keep(append(appendWide(p.room(2*len(text)+2), text), 0, 0))
}
