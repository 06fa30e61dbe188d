package regfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"

	"regvet/hive"
)

// valueLine reads a value whose name starts at byte i, with a quote or @. Hex data may take more lines.
func (p *parser) valueLine(i int) {
	at := hive.Location{Line: p.number, Column: i + 1}
	switch {
	case p.path == nil && !p.orphaned && len(p.last) > 1 && p.deletion(i):
		if !p.redundant {
			p.redundant = true
			p.fault(DeletedWithKey, hive.BadLine, i, nil, false, "the line above deletes the whole key, so that this deletion of a value has no effect")
		}
	case p.path == nil && !p.orphaned:
		p.orphaned = true
		// After [-KEY] the author may have meant that key, so what is said of it may be wrong.
		p.fault(NoKeyOpen, hive.BadLine, i, p.last, true, "no key is open here; Windows drops this value and those that follow")
	case p.path != nil && p.misplaced:
		p.misplaced = false
		known := ""
		if !p.surely {
			known = ", as far as is known"
		}
		p.fault(Misplaced, hive.Doubtful, i, p.path, false,
			"this value and those that follow go to %s%s, because Windows does not take the line above them for a key line", shown(p.path.String()), known)
	}
	p.doubtful.Code = 0
	first := p.number
	e := hive.Edit{Path: p.path, At: at}
	bad := p.value(i, &e)
	p.st.Deletes = e.Op == hive.DeleteValue
	switch v := &e.Value; {
	case bad != nil:
		p.broken = bad.code >= HexType
		switch {
		case bad.unsure && e.Op != hive.DeleteValue:
			p.lost(bad.code, bad.at, "%s; it is not known that every Windows drops this value, as regvet does", bad.msg)
		case e.Op != hive.DeleteValue && p.number == first:
			p.lost(bad.code, bad.at, "%s; Windows drops this value", bad.msg)
		case e.Op != hive.DeleteValue:
			p.lost(bad.code, bad.at, "%s; Windows drops the value of line %d", bad.msg, first)
		case p.path != nil:
			p.fault(bad.code, hive.BadLine, bad.at, p.path, false, "%s; Windows does not delete the value", bad.msg)
		}
	case len(v.Name) > maxValueName && units(v.Name) > maxValueName:
		p.lost(NameTooLong, i, "the name has %d characters, at most %d are allowed; Windows drops this value", units(v.Name), maxValueName)
	case p.path != nil:
		if p.doubtful.Code != 0 && (p.tells == nil || p.tells(p.path, false)) {
			p.doubtful.Key = p.path
			p.st.Faults = append(p.st.Faults, p.doubtful)
		}
		v.At = at
		p.edit(e)
	}
	if bad != nil && bad.swallowed {
		p.swallowed(bad.at)
	}
}

// deletion reports whether the line with a value at byte i deletes it.
func (p *parser) deletion(i int) bool {
	line, next := p.line, i+1
	if line[i] == '"' {
		var bad *fault
		if _, next, bad = p.quotedText(i, &aName); bad != nil {
			return false
		}
	}
	equals := blanks(line, next)
	if equals == len(line) || line[equals] != '=' {
		return false
	}
	mark := blanks(line, equals+1)
	return mark < len(line) && line[mark] == '-' && ends(line, mark+1)
}

// lost reports a value of the current key that is dropped. Without a key, that was reported already.
func (p *parser) lost(code Code, i int, format string, args ...any) {
	if p.path != nil {
		p.fault(code, hive.BadLine, i, p.path, true, format, args...)
	}
}

// doubt notes what versions of Windows may read differently in a value, once for each value. It is reported when the value is accepted.
func (p *parser) doubt(code Code, i int, msg string) {
	if p.doubtful.Code == 0 {
		p.doubtful = Fault{hive.Problem{At: p.at(i), Kind: hive.Doubtful, Msg: msg}, code, p.base + int64(p.start+i)}
	}
}

// dataEnd notes that the data in the first line of a value end at byte i, if nothing follows but a comment.
func (p *parser) dataEnd(i int) {
	if p.number == p.st.Line && ends(p.line, i) {
		p.st.Data.To = i
		p.st.Comment.From = blanks(p.line, i)
	}
}

// swallowed reports that Windows takes the current line for the continuation of a value, and drops both.
func (p *parser) swallowed(i int) {
	switch p.line[i] {
	case '[':
		span, deletes, _, _ := bracketed(p.line, i)
		path, _, _ := p.split(span.In(p.line))
		p.misplaced, p.surely = p.path != nil, true
		p.fault(SwallowedKey, hive.BadLine, i, path, !deletes, "Windows takes this key line for the continuation of the value above and drops both")
	case '"', '@':
		p.lost(SwallowedValue, i, "Windows takes this value for the continuation of the one above and drops both")
	}
}

// fault is why a value is dropped, and the byte of the current line where that shows.
type fault struct {
	code      Code
	msg       string
	at        int
	swallowed bool // the current line is not part of the value, but dropped with it
	unsure    bool // it is not known that every Windows drops the value
}

func faultAt(code Code, at int, format string, args ...any) *fault {
	return &fault{code: code, msg: fmt.Sprintf(format, args...), at: at}
}

var (
	dwordPrefix = []byte("dword:")
	hexPrefix   = []byte("hex:")
	typedPrefix = []byte("hex(")
)

// value reads NAME = DATA into an edit.
func (p *parser) value(i int, e *hive.Edit) (bad *fault) {
	v := &e.Value
	p.st.Name = Span{i, i + 1}
	if p.line[i] == '@' {
		i++
	} else {
		text, next, bad := p.quotedText(i, &aName)
		if bad != nil {
			return bad
		}
		v.Name, i = p.name(text), next
		p.st.Name.To = next
	}
	line := p.line
	i = blanks(line, i)
	if i == len(line) || line[i] != '=' {
		return faultAt(NoEquals, i, "there is no = behind the name")
	}
	p.st.Equals = Span{i, i + 1}
	i = blanks(line, i+1)
	p.st.Data = Span{i, len(line)}
	rest := line[i:]
	e.Op = hive.SetValue
	switch {
	case len(rest) == 0 || rest[0] == ';':
		return faultAt(NoData, i, "there are no data behind the =")
	case rest[0] == '"':
		v.Type = hive.SZ
		v.Data, bad = p.stringData(i)
		return bad
	case rest[0] == '-':
		e.Op = hive.DeleteValue
		if p.dataEnd(i + 1); !ends(line, i+1) {
			bad = faultAt(BehindDelete, blanks(line, i+1), "there is something behind the -")
		}
		return bad
	case bytes.HasPrefix(rest, dwordPrefix):
		v.Type = hive.DWord
		v.Data, bad = p.dword(i + len(dwordPrefix))
		return bad
	case bytes.HasPrefix(rest, hexPrefix):
		v.Type = hive.Binary
		v.Data, bad = p.hex(i+len(hexPrefix), v.Type)
		return bad
	case bytes.HasPrefix(rest, typedPrefix):
		i += len(typedPrefix)
		n, digits := number(line[i:])
		if digits < 1 || digits > 8 || !bytes.HasPrefix(line[i+digits:], []byte("):")) {
			bad = faultAt(HexType, i, "the type must be 1 to 8 hex digits, followed by ):")
			bad.unsure = bytes.HasPrefix(line[i:], []byte("):"))
			return bad
		}
		v.Type = hive.Type(n)
		v.Data, bad = p.hex(i+digits+2, v.Type)
		return bad
	}
	bad = faultAt(UnknownData, i, `%s is no form of data; they are "text", dword:, hex:, hex(N): or -`, inQuotes(rest))
	for _, form := range [][]byte{dwordPrefix, hexPrefix, typedPrefix} {
		bad.unsure = bad.unsure || len(rest) >= len(form) && bytes.EqualFold(rest[:len(form)], form) // in capitals
	}
	return bad
}

// quoted is a kind of text in quotes, and the codes of its faults.
type quoted struct {
	noun             string
	unclosed, escape Code
}

var (
	aName    = quoted{"name", NameUnclosed, NameEscape}
	someText = quoted{"text", TextUnclosed, TextEscape}
)

// quotedText returns the text from the quote at i to the closing one. It is valid until the next call.
func (p *parser) quotedText(i int, what *quoted) (text []byte, next int, bad *fault) {
	line, start := p.line, i
	i++
	if n := bytes.IndexByte(line[i:], '"'); n < 0 {
		return nil, 0, faultAt(what.unclosed, start, "the closing quote of the %s is missing", what.noun)
	} else if bytes.IndexByte(line[i:i+n], '\\') < 0 {
		return line[i : i+n], i + n + 1, nil
	}
	buf := p.unescaped[:0]
	for i < len(line) {
		plain := i
		for i < len(line) && line[i] != '"' && line[i] != '\\' {
			i++
		}
		buf = append(buf, line[plain:i]...)
		switch {
		case i+1 < len(line) && line[i] == '\\' && line[i+1] != '\\' && line[i+1] != '"':
			bad = faultAt(what.escape, i, `the %s has a backslash that is not written \\`, what.noun)
			bad.unsure = line[i+1] != '0'
			return nil, 0, bad
		case i+1 < len(line) && line[i] == '\\':
			buf = append(buf, line[i+1])
		case i < len(line) && line[i] == '"':
			p.unescaped = buf
			return buf, i + 1, nil
		}
		i += 2
	}
	p.unescaped = buf
	return nil, 0, faultAt(what.unclosed, start, "the closing quote of the %s is missing", what.noun)
}

// stringData reads the text of a REG_SZ.
func (p *parser) stringData(i int) ([]byte, *fault) {
	text, next, bad := p.quotedText(i, &someText)
	if bad != nil {
		return nil, bad
	}
	if p.dataEnd(next); !ends(p.line, next) {
		return nil, faultAt(BehindText, blanks(p.line, next), "there is something behind the closing quote")
	}
	return p.textData(text), nil
}

// nibble holds the values of the hex digits, and 0xFF for all other bytes.
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

// upper holds the values of the hex digits as the first of two, lower as the second. All other bytes have noDigit.
var upper, lower = func() (upper, lower [256]uint16) {
	for i, n := range nibble {
		upper[i], lower[i] = uint16(n)<<4, uint16(n)
		if n > 15 {
			upper[i], lower[i] = noDigit, noDigit
		}
	}
	return upper, lower
}()

const noDigit = 0x100

// number returns the number at the start of b in hex digits, and how many there are. The number is correct for up to eight.
func number(b []byte) (n uint32, digits int) {
	for digits < len(b) && nibble[b[digits]] < 16 {
		n = n<<4 | uint32(nibble[b[digits]])
		digits++
	}
	return n, digits
}

// dword reads the digits of a REG_DWORD.
func (p *parser) dword(i int) ([]byte, *fault) {
	i = blanks(p.line, i)
	n, digits := number(p.line[i:])
	p.dataEnd(i + digits)
	switch {
	case digits == 0:
		return nil, faultAt(DWordNoDigits, i, "dword data must be hex digits")
	case digits > 8:
		return nil, faultAt(DWordTooLong, i, "dword data have %d digits, at most 8 are allowed", digits)
	case !ends(p.line, i+digits):
		return nil, faultAt(BehindDWord, blanks(p.line, i+digits), "there is something behind the dword data")
	}
	d := p.room(4)[:4]
	binary.LittleEndian.PutUint32(d, n)
	return p.keep(d), nil
}

// hex reads hex data from byte i of the current line, and the lines that continue them. A line ends with an element or a comma, or with a
// comma and a backslash if another line follows.
func (p *parser) hex(i int, t hive.Type) ([]byte, *fault) {
	p.bytes = p.bytes[:0]
	for {
		next, more, bad := p.hexLine(i)
		if bad != nil {
			return nil, bad
		}
		if !more {
			break
		}
		// Blank lines and comments may stand in between.
		line, number := p.base+int64(p.start), p.number
		i = -1
		for i < 0 && p.nextLine() {
			if i = blanks(p.line, 0); i == len(p.line) || p.line[i] == ';' {
				i = -1
			}
		}
		if i < 0 {
			last := p.lines
			p.line, p.start, p.number = p.text[line-p.base:], int(line-p.base), number
			p.doubt(HexEndsInFile, next, "the file ends where hex data should go on; Windows sets the value to what is there")
			p.lines = last
			break
		}
		if nibble[p.line[i]] > 15 {
			bad = faultAt(HexNotContinued, i, "hex data must go on here with a hex digit")
			bad.swallowed = true
			return nil, bad
		}
	}
	return p.keepHex(t), nil
}

// hexLine appends the elements of one line, from byte i on, to p.bytes. It returns where it stopped, and whether another line must follow.
func (p *parser) hexLine(i int) (next int, more bool, bad *fault) {
	line := p.line
	b := slices.Grow(p.bytes, (len(line)-i)/2+1)
	n := len(b)
	b = b[:cap(b)]
	letters := byte(0xFF) // the bits that all digits have
	defer func() {
		p.bytes = b[:n]
		p.st.Capitals = p.st.Capitals || letters&0x20 == 0 // only capitals lack it
	}()
	for {
		// The usual form: two digits and a comma, with something after it.
		for i+4 <= len(line) {
			element := binary.LittleEndian.Uint32(line[i:])
			first, second := byte(element), byte(element>>8)
			value := upper[first] | lower[second]
			if value >= noDigit || byte(element>>16) != ',' {
				break
			}
			letters &= first & second
			b[n] = byte(value)
			n++
			i += 3
		}
		j := blanks(line, i)
		if ends(line, j) {
			p.dataEnd(i)
			return j, false, bad
		}
		value, digits := number(line[j:])
		switch {
		case line[j] == '\\' && ends(line, j+1):
			p.dataEnd(j + 1)
			return j, true, bad
		case line[j] == '\\':
			return 0, false, faultAt(BehindHex, blanks(line, j+1), `only a comment may stand behind the backslash of hex data`)
		case digits == 0 && line[j] == ',':
			return 0, false, faultAt(HexEmpty, j, "hex data have an empty element")
		case digits == 0:
			return 0, false, faultAt(HexDigit, j, "%s is no hex digit", inQuotes(character(line[j:])))
		case digits > 2:
			return 0, false, faultAt(HexTooLong, j, "an element of hex data has %d digits, at most 2 are allowed", digits)
		case digits == 1:
			p.doubt(HexOneDigit, j, "an element of hex data has one digit; it is not known that every Windows reads it")
		case j > i:
			p.doubt(HexBlank, i, "there is a blank inside hex data; it is not known that every Windows reads them")
		}
		for _, c := range line[j : j+digits] {
			letters &= c
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
			p.dataEnd(i)
			return j, false, bad
		case line[j] == '\\':
			return 0, false, faultAt(HexNoComma, j, "there is no comma before the backslash of hex data")
		}
		return 0, false, faultAt(HexNoSeparator, j, "%s behind an element of hex data, where a comma must be", inQuotes(character(line[j:])))
	}
}

// character returns the first character of a text.
func character(text []byte) []byte {
	_, n := utf8.DecodeRune(text)
	return text[:n]
}

// keepHex returns hex data as Windows stores them. In a file of version 4, text is in the ANSI code page: the version decides, not the
// encoding of the file.
func (p *parser) keepHex(t hive.Type) []byte {
	if !isText(t) {
		return p.keep(append(p.room(len(p.bytes)), p.bytes...))
	}
	if p.st.Version == Version4 {
		beyond := asciiPrefix(p.bytes) < len(p.bytes)
		if !p.ansiDoubt && p.path != nil && (beyond || p.encoding == utf16LE) {
			p.ansiDoubt = true
			p.doubt(HexCodePage, 0, fmt.Sprintf("the hex data of text in a REGEDIT4 file are read as %s, Windows reads them in its own ANSI code page", p.page))
		}
		text, _ := p.page.decode(nil, p.bytes, true, nil)
		return p.keep(terminated(appendWide(p.room(2*len(text)+2), text)))
	}
	return p.keep(terminated(append(p.room(len(p.bytes)+2), p.bytes...)))
}

// textData returns the data of a REG_SZ.
func (p *parser) textData(text []byte) []byte {
	return p.keep(append(appendWide(p.room(2*len(text)+2), text), 0, 0))
}
