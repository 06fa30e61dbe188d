package lint

import (
	"bytes"

	"regvet/hive/regfile"
)

// The checks on the form of hex data.
var (
	hexDigits = &Check{
		ID: "REG013", Name: "hex-digits", Severity: Error,
		Title: "Hex data hold something that is no byte",
		Explanation: `Hex data are bytes of two hex digits, separated by commas. Windows silently drops the whole value if an element is
empty, has more than two digits or is not a hex number, or if anything but a comma is between two elements. Only one comma at the very end
is harmless.

Write two hex digits for each byte and one comma between two bytes.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:01,0g,03
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:01,0f,03
`),
		codes: []regfile.Code{regfile.HexDigit, regfile.HexTooLong, regfile.HexEmpty, regfile.HexNoSeparator}, say: sayHexDigits,
	}

	hexType = &Check{
		ID: "REG014", Name: "hex-type", Severity: Error, Fix: Unsafe,
		Title: "The type of hex data is not written as Windows reads it",
		Explanation: `hex(N): gives the type of the data as 1 to 8 hex digits: hex(2): is REG_EXPAND_SZ, hex(7): REG_MULTI_SZ, hex(b):
REG_QWORD. With 0x before the digits, with more digits or none, or without the colon, Windows silently drops the value.

Write the number of the type in hexadecimal, without 0x.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Limit"=hex(0xb):01,00,00,00,00,00,00,00
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Limit"=hex(b):01,00,00,00,00,00,00,00
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types"},
		codes:      []regfile.Code{regfile.HexType}, say: sayHexType,
	}

	hexBreak = &Check{
		ID: "REG015", Name: "hex-break", Severity: Error, Fix: Unsafe,
		Title: "Hex data are not broken into lines as Windows expects",
		Explanation: `Hex data continue on the next line if a line ends with a comma and a backslash. Without the comma, with anything but
a comment after the backslash, or with the comma at the start of the next line, Windows silently drops the value. In the last case it drops
the next line too.

End every line except the last with a comma and a backslash.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15\
  16,17
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\
  16,17
`),
		codes: []regfile.Code{regfile.HexNoComma, regfile.BehindHex, regfile.HexNotContinued}, say: sayHexBreak,
	}

	hexCutShort = &Check{
		ID: "REG016", Name: "hex-cut-short", Severity: Error, Fix: Unsafe,
		Title: "Hex data continue on the next line, but there is no backslash",
		Explanation: `Without a backslash at its end, the line ends the value. Windows stores the bytes up to there, so the value is cut
short, and skips the lines of bytes that follow, as it skips every line that it does not recognize.

End every line except the last with a comma and a backslash.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,
  16,17
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\
  16,17
`),
		codes: []regfile.Code{regfile.StrayText}, say: sayHexCutShort,
		visit: visitHexEnd, kinds: []regfile.Kind{regfile.ValueLine, regfile.StrayLine}, data: "h",
	}

	hexBackslash = &Check{
		ID: "REG017", Name: "hex-backslash", Severity: Warning, Fix: Safe,
		Title: "The line after a backslash is empty, or there is none",
		Explanation: `A comma and a backslash say that hex data continue. Windows skips empty lines to find where, so a backslash too many
at the end of a value swallows what comes next. At the end of the file it stores the bytes up to there, which Windows XP did not always do.
Other programs that read .reg files take an empty line as the end of the value.

Remove the backslash at the end of the value, or the empty line in the middle of it.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\

  16,17
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\
  16,17
`),
		codes: []regfile.Code{regfile.HexEndsInFile}, say: sayHexEndsInFile,
		visit: visitEmptyLineInHex, kinds: []regfile.Kind{regfile.ValueLine}, data: "h",
	}

	hexElements = &Check{
		ID: "REG027", Name: "hex-elements", Severity: Warning, Fix: Safe,
		Title: "Hex data have a byte of one digit, or a blank between bytes",
		Explanation: `Windows writes two digits for each byte, and no blanks. It is not known whether every version of Windows reads a
byte of one digit, or a blank between two bytes; one that does not silently drops the value. regvet reads such data.

Write two digits for each byte, and no blanks.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:1, 02
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:01,02
`),
		codes: []regfile.Code{regfile.HexOneDigit, regfile.HexBlank}, say: sayHexElements,
	}

	swallowedLine = &Check{
		ID: "REG028", Name: "swallowed-line", Severity: Error,
		Title: "A backslash makes Windows swallow the next line",
		Explanation: `A comma and a backslash at the end of hex data say that they continue. If the next line that is not empty holds no
hex data, Windows drops both the value and that line, even if it is another value or a key line. The values below a swallowed key line then
go to the key above it.

Remove the comma and the backslash at the end of the value.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:01,02,\
"Enabled"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:01,02
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.HexNotContinued, regfile.SwallowedKey, regfile.SwallowedValue}, say: saySwallowedLine,
	}
)

func sayHexDigits(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	p.faultAs(c, s, f, "%s; write two hex digits for each byte, and one comma between two bytes", f.Msg)
}

func sayHexType(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	found := p.fault(c, s, f)
	// hex(0x2): and hex(2) without the colon can be fixed.
	data := s.Data.In(s.Text)
	from := len("hex(")
	digits := data[from:]
	if bytes.HasPrefix(digits, []byte("0x")) || bytes.HasPrefix(digits, []byte("0X")) {
		digits = digits[2:]
	}
	n := 0
	for n < len(digits) && isHexDigit(digits[n]) {
		n++
	}
	rest := digits[n:]
	if n < 1 || n > 8 || len(rest) == 0 || rest[0] != ')' {
		return
	}
	rest = bytes.TrimPrefix(rest[1:], []byte{':'})
	span := regfile.Span{From: s.Data.From + from, To: s.Data.From + len(data) - len(rest)}
	found.fix("write the type as Windows reads it", change(s, span, string(digits[:n])+"):"))
}

func sayHexBreak(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	at := f.Offset - s.Offset
	switch {
	case f.Code == regfile.HexNoComma:
		p.faultAs(c, s, f, "%s; write it", f.Msg).fix("write the comma", Change{From: f.Offset, To: f.Offset, New: ","})
	case f.Code == regfile.BehindHex:
		p.faultAs(c, s, f, "%s; remove what stands there", f.Msg)
	case f.Code == regfile.HexNotContinued && s.Raw[at] == ',':
		p.faultAs(c, s, f,
			"the comma must stand at the end of the line above, before the backslash; Windows drops the value of line %d, and this line", s.Line)
	}
}

func saySwallowedLine(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.HexNotContinued && (s.Raw[f.Offset-s.Offset] == ',' || hasFault(s, regfile.SwallowedKey, regfile.SwallowedValue)) {
		return
	}
	p.faultAs(c, s, f, "%s; remove the comma and the backslash at the end of it", f.Msg)
}

// hexEnd is where the hex data of the last statement end.
type hexEnd struct {
	next  int64 // offset of the next line in the text of the file; 0 without hex data
	at    int64 // offset after the last byte and its comma in the text of the file; -1 if a comment follows
	comma bool
	bytes int
	told  bool // it was reported that they are cut short
}

// visitHexEnd remembers where hex data end, for the next line.
func visitHexEnd(p *pass, _ *Check, s *regfile.Statement) {
	switch {
	case s.Kind == regfile.StrayLine:
		if p.strayOf(s) == strayContinuation {
			p.hex.next += int64(len(s.Raw))
		}
	case len(s.Edits) == 0 || s.Data.Empty() || s.Text[s.Data.From] != 'h':
	default:
		data := trimLineEnd(s.Raw)
		p.hex = hexEnd{next: s.Offset + int64(len(s.Raw)), at: -1, bytes: len(s.Edits[0].Value.Data)}
		last := data
		if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
			last = data[i+1:]
		}
		if i := bytes.LastIndexByte(last, ';'); (i < 0 || bytes.IndexByte(last[i:], '\r') >= 0) && !hasFault(s, regfile.NULInText) {
			data = bytes.TrimRight(data, " \t")
			p.hex.at, p.hex.comma = s.Offset+int64(len(data)), bytes.HasSuffix(data, []byte{','})
		}
	}
}

// looksLikeHex reports whether a line holds only bytes of hex data, and perhaps a comment.
func looksLikeHex(line []byte) bool {
	line = bytes.TrimRight(line[:commentAt(line)], " \t\\")
	if len(line) == 0 {
		return false
	}
	digits := 0 // of the current byte
	for i, c := range line {
		switch {
		case isHexDigit(c) && (digits == 0 || digits == 1 && isHexDigit(line[i-1])):
			digits++
		case c == ',' && digits > 0:
			digits = 0
		case !isBlank(c):
			return false
		}
	}
	return true
}

func sayHexCutShort(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if p.strayOf(s) != strayContinuation || p.hex.told {
		return
	}
	p.hex.told = true
	found := p.faultAs(c, s, f,
		`the hex data of the value above seem to go on here without a backslash; Windows stores %d bytes and skips this line; end the line above with ,\`, p.hex.bytes)
	if p.hex.at >= 0 {
		text := `,\`
		if p.hex.comma {
			text = `\`
		}
		found.fix("write "+text+" at the end of the line above", Change{From: p.hex.at, To: p.hex.at, New: text})
	}
}

func sayHexEndsInFile(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	found := p.faultAs(c, s, f, "%s; remove the comma and the backslash", f.Msg)
	i := int(f.Offset - s.Offset)
	from := bytes.LastIndexByte(s.Raw[:min(i+1, len(s.Raw))], '\\')
	if from < 0 {
		return
	}
	to := from + 1
	from = len(bytes.TrimRight(s.Raw[:from], " \t"))
	if from > 0 && s.Raw[from-1] == ',' {
		from--
	}
	found.fix("remove the comma and the backslash", Change{From: s.Offset + int64(from), To: s.Offset + int64(to)})
}

// visitEmptyLineInHex looks for empty lines between the lines of a value.
func visitEmptyLineInHex(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Raw) <= len(s.Text)+2 || len(s.Edits) == 0 || hasFault(s, regfile.HexEndsInFile) {
		return
	}
	// Each line except the last has a backslash, unless it is empty or a comment.
	data := s.Raw[s.Data.From:]
	lines := bytes.Count(data, []byte{'\\'}) + 1
	if s.Ending == regfile.CRLF && bytes.Count(data, []byte{'\n'}) == lines && bytes.Count(data, []byte{'\r'}) == lines && bytes.IndexByte(data, ';') < 0 {
		return
	}
	var changes []Change
	first, number, offset := 0, s.Line, s.Offset
	for line := range linesOf(s.Raw) {
		if len(bytes.Trim(line, " \t\r\n")) == 0 {
			if first == 0 {
				first = number
			}
			changes = append(changes, Change{From: offset, To: offset + int64(len(line))})
		}
		number++
		offset += int64(len(line))
	}
	if first > 0 {
		at := position(first, 1)
		p.reportAt(c, s, at, at, nil, "there is an empty line inside of hex data; Windows skips it, but to other programs the value ends there; remove it").
			fix("remove the empty line", changes...)
	}
}

func sayHexElements(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	found := p.faultAs(c, s, f, "%s; write two digits for each byte and no blanks", f.Msg)
	if found == nil {
		return
	}
	var changes []Change
	from := s.Data.From + bytes.IndexByte(s.Data.In(s.Text), ':') + 1
	offset := s.Offset
	for line := range linesOf(s.Raw) {
		start := from
		if from == 0 {
			start = blanksAt(line, 0) // the indent of a line that continues the value
		}
		text := trimLineEnd(line)
		text = text[:start+commentAt(text[start:])]
		r := rewrite{text: text}
		for i := start; i < len(text); i++ {
			switch c := text[i]; {
			case isHexDigit(c) && (i == start || !isHexDigit(text[i-1])) && (i+1 == len(text) || !isHexDigit(text[i+1])):
				r.replace(i, i, "0")
			case isBlank(c):
				if n := blanksAt(text, i); i+n < len(text) && isHexDigit(text[i+n]) {
					r.replace(i, i+n, "")
					i += n - 1
				}
			}
		}
		changes = append(changes, r.changes(offset)...)
		from = 0
		offset += int64(len(line))
	}
	found.fix("write two digits for each byte", changes...)
}
