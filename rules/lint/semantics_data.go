package lint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on what the data of a value mean.
var (
	unexpanded = &Check{
		ID: "REG205", Name: "unexpanded-variable", Severity: Warning, Fix: Unsafe,
		Title: "A plain text holds an environment variable",
		Explanation: `Text in quotes becomes a REG_SZ. Windows expands %SystemRoot% and the like only in a REG_EXPAND_SZ; a program that
reads a REG_SZ gets the percent signs and the name, unless it expands them itself. Command lines of cmd.exe, and texts that start with @ and
name a resource, are expanded by the programs that read them, and are not reported.

Write the text as hex(2): in UTF-16, or write the path without the variable.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"="%TMP%\\a"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"=hex(2):25,00,54,00,4d,00,50,00,25,00,5c,00,61,00,00,00
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types"},
		visit:      visitUnexpanded, kinds: []regfile.Kind{regfile.ValueLine}, data: `"`,
	}

	unterminated = &Check{
		ID: "REG206", Name: "unterminated-text", Severity: Warning, Fix: Safe,
		Title: "Text in hex data does not end as text ends",
		Explanation: `Text ends with a NUL character, a list of texts (hex(7)) with two. If there is none, Windows adds one when it
imports the file, which is one too few for a list. Programs that write a file into a hive without Windows add none, and a program that reads
the value may then read beyond its end. What Windows does with an odd number of bytes is not known; regvet keeps them.

Write 00,00 at the end, and twice for hex(7).`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Names"=hex(7):61,00,00,00
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Names"=hex(7):61,00,00,00,00,00
`),
		visit: visitUnterminated, kinds: []regfile.Kind{regfile.ValueLine}, data: "h",
	}

	numberSize = &Check{
		ID: "REG207", Name: "number-size", Severity: Error,
		Title: "A number does not have the bytes of its type",
		Explanation: `A REG_DWORD, hex(4), has 4 bytes, and a REG_QWORD, hex(b), has 8. Windows stores any number of bytes with the type
that the file gives, and checks neither. A program that reads the value fails, or takes bytes from somewhere else.

Write all bytes, the lowest first, or dword: with 8 digits.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Limit"=hex(b):10,00,00,00
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Limit"=hex(b):10,00,00,00,00,00,00,00
`),
		visit: visitNumberSize, kinds: []regfile.Kind{regfile.ValueLine}, data: "h",
	}

	binaryNumber = &Check{
		ID: "REG208", Name: "binary-number", Severity: Warning, Fix: Unsafe,
		Title: "A number is written as binary data",
		Explanation: `hex: without a type makes a REG_BINARY. The program that reads this value wants a REG_DWORD, and most programs
accept no other type, even if the bytes are the same: the value is as good as missing. Such lines come from files for Windows 95, which had
no dword.

Write dword: and 8 hex digits, the highest first.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=hex:fe,ff,00,00
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`),
		visit: visitBinaryNumber, kinds: []regfile.Kind{regfile.ValueLine}, data: "h", known: true,
	}

	textWidth = &Check{
		ID: "REG209", Name: "text-width", Severity: Error,
		Title: "The bytes of text do not fit the header",
		Explanation: `Below "Windows Registry Editor Version 5.00", text in hex(1), hex(2) and hex(7) has two bytes per character, UTF-16;
below REGEDIT4 it has one, in the ANSI code page. Windows goes by the header. Bytes of the other kind become wrong characters, or text that
ends after the first one.

Write the bytes to match the header, or the header to match the bytes.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"=hex(2):25,54,45,4d,50,25,5c,65,78,61,6d,70,6c,65,00
`),
		Good: version4(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"=hex(2):25,54,45,4d,50,25,5c,65,78,61,6d,70,6c,65,00
`),
		visit: visitTextWidth, kinds: []regfile.Kind{regfile.ValueLine}, data: "h",
	}

	emptyElement = &Check{
		ID: "REG213", Name: "empty-element", Severity: Warning,
		Title: "An empty text inside a list ends it",
		Explanation: `Each text of a REG_MULTI_SZ, hex(7), ends with a NUL character, and an empty text ends the list. What follows it is
stored, but most programs never see it. Windows itself uses empty texts in the list of files to rename at the next start, which is not
reported.

Remove the empty text.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Names"=hex(7):61,00,00,00,00,00,62,00,00,00,00,00
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Names"=hex(7):61,00,00,00,62,00,00,00,00,00
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types"},
		visit:      visitEmptyElement, kinds: []regfile.Kind{regfile.ValueLine}, data: "h",
	}

	quotedType = &Check{
		ID: "REG217", Name: "quoted-type", Severity: Warning, Fix: Unsafe,
		Title: "The type of the data stands inside of the quotes",
		Explanation: `What stands in quotes is text, all of it: "dword:00000001" becomes a REG_SZ of these 14 characters, not the number 1.
The program that reads the value wants a number and finds text, which most programs treat like no value at all. dword:, hex: and hex(N): are
types only where they follow the = without quotes; the names REG_DWORD and the like are none in a .reg file.

Write the data without the quotes.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"="dword:00000001"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		References: []string{"https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types"},
		visit:      visitQuotedType, kinds: []regfile.Kind{regfile.ValueLine}, data: `"`,
	}

	noUndo = &Check{
		ID: "REG215", Name: "no-undo", Severity: Info, Off: true,
		Title: "There is no undo file beside the file", finish: finishNoUndo,
		Explanation: `An import cannot be undone: Windows keeps no copy of what it replaces. Turn this check on if every patch must come
with a file that undoes it. The check looks for a file of the same name with ".undo", "-undo" or "_undo" before the extension, or for
undo.reg.

"regvet fix" writes both files, and "regvet diff" makes an undo from the registry as it was.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
	}
)

// setsHex reports whether a statement sets a value with hex data.
func setsHex(s *regfile.Statement) bool {
	return len(s.Edits) == 1 && s.Data.From < len(s.Text) && s.Text[s.Data.From] == 'h'
}

// isHexText reports whether a statement sets text with hex data.
func isHexText(s *regfile.Statement) bool { return setsHex(s) && isText(s.Edits[0].Value.Type) }

func isText(t hive.Type) bool { return t == hive.SZ || t == hive.ExpandSZ || t == hive.MultiSZ }

// hexBytes returns the bytes of hex data as the file has them, and the index after the last one in the text of the statement. The bytes
// are valid until the next call.
func (p *pass) hexBytes(s *regfile.Statement) (data []byte, end int) {
	data = p.scratch[:0]
	raw := s.Raw
	i := s.Data.From + bytes.IndexByte(raw[s.Data.From:], ':') + 1
	end = i
	for i < len(raw) {
		switch c := raw[i]; {
		case c == ';':
			n := bytes.IndexAny(raw[i:], "\r\n")
			if n < 0 {
				n = len(raw) - i
			}
			i += n
		case isHexDigit(c):
			n := hexDigit(c)
			if i++; i < len(raw) && isHexDigit(raw[i]) {
				n = n<<4 | hexDigit(raw[i])
				i++
			}
			data, end = append(data, n), i
		default:
			i++
		}
	}
	p.scratch = data
	return data, end
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0xF + 9
}

// variables are the environment variables that every Windows has.
var variables = []string{
	"SystemRoot", "windir", "SystemDrive", "ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "CommonProgramFiles", "CommonProgramFiles(x86)",
	"ProgramData", "ALLUSERSPROFILE", "PUBLIC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP", "HOMEDRIVE", "HOMEPATH", "ComSpec",
	"USERNAME", "USERDOMAIN", "COMPUTERNAME",
}

func visitUnexpanded(p *pass, c *Check, s *regfile.Statement) {
	if s.Data.To-s.Data.From < 5 || s.Text[s.Data.From] != '"' || len(s.Edits) != 1 {
		return
	}
	data := s.Data.In(s.Text)
	from := bytes.IndexByte(data, '%')
	if from < 0 || data[1] == '@' {
		return
	}
	for from < len(data) {
		n := bytes.IndexByte(data[from+1:], '%')
		if n < 0 {
			return
		}
		name := string(data[from+1 : from+1+n])
		if slices.ContainsFunc(variables, func(v string) bool { return strings.EqualFold(v, name) }) {
			break
		}
		from += 1 + n
	}
	value := s.Edits[0].Value
	text, _ := value.Text()
	lower := strings.ToLower(text)
	for _, shell := range []string{"cmd ", "cmd.exe", "%comspec%", "command.com"} {
		if strings.Contains(lower, shell) {
			return
		}
	}
	rest := data[from+1:]
	span := regfile.Span{From: s.Data.From + from, To: s.Data.From + from + 2 + bytes.IndexByte(rest, '%')}
	found := p.report(c, s, span, "the text is a REG_SZ, in which Windows does not expand %s; write it as hex(2)", span.In(s.Text))
	if found == nil || s.Version == regfile.Version4 && firstBeyondASCII([]byte(text)) >= 0 {
		return
	}
	bytesOf := value.Data
	if s.Version == regfile.Version4 {
		bytesOf = append([]byte(text), 0)
	}
	head := append(bytes.Clone(s.Text[:s.Data.From]), "hex(2):"...)
	found.fix("write it as hex(2)", change(s, s.Data, "hex(2):"+hexLines(bytesOf, utf8.RuneCount(head), lineEnd(s.Ending))))
}

// hexLines returns bytes as hex data, broken into lines as Windows does it: after a comma that is character 77 or later. column is the number
// of characters before the first byte.
func hexLines(data []byte, column int, end string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i, c := range data {
		b.Write([]byte{digits[c>>4], digits[c&0xF]})
		if column += 3; i < len(data)-1 {
			b.WriteByte(',')
			if column >= 77 {
				b.WriteString(`\` + end + "  ")
				column = 2
			}
		}
	}
	return b.String()
}

// wrongWidth reports whether text has one byte for a character where the header means two, or two where it means one.
func wrongWidth(data []byte, version regfile.Version) bool {
	if version == regfile.Version4 {
		// Every second byte is zero, and the text starts with a letter: UTF-16.
		if len(data) < 6 || data[0] == 0 || data[2] == 0 {
			return false
		}
		for i := 1; i < len(data); i += 2 {
			if data[i] != 0 {
				return false
			}
		}
		return true
	}
	text := bytes.TrimRight(data, "\x00")
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' && c != 0 {
			return false
		}
	}
	// Two bytes of a UTF-16 character may both happen to be letters, but not in all of a longer text.
	odd := len(data)%2 != 0 && len(data) > len(text)
	return (len(text) >= 10 || odd && len(text) >= 4) && !bytes.Contains(text, []byte{0, 0}) && bytes.Count(text, []byte{0})*4 <= len(text)
}

// isWide quickly recognizes UTF-16 text below the header of version 5.00, by how nearly all text starts.
func isWide(s *regfile.Statement) bool {
	data := s.Edits[0].Value.Data
	return s.Version == regfile.Version5 && len(data) > 3 && data[0] != 0 && data[1] == 0 && data[3] == 0
}

// endsWithNUL quickly recognizes UTF-16 text that ends as it should.
func endsWithNUL(s *regfile.Statement) bool {
	value := &s.Edits[0].Value
	end := "00,00"
	if value.Type == hive.MultiSZ {
		end = "00,00,00,00"
	}
	return len(value.Data)%2 == 0 && bytes.HasSuffix(trimLineEnd(s.Raw), []byte(end))
}

func visitTextWidth(p *pass, c *Check, s *regfile.Statement) {
	if !isHexText(s) || isWide(s) {
		return
	}
	data, _ := p.hexBytes(s)
	if !wrongWidth(data, s.Version) {
		return
	}
	if s.Version == regfile.Version4 {
		p.report(c, s, s.Data,
			"the text has two bytes per character, UTF-16; below REGEDIT4 Windows reads each byte as one, so the text ends after the first; write one byte per character")
		return
	}
	p.report(c, s, s.Data,
		"the text has one byte per character; below this header Windows reads two bytes as one, which makes %s; write 00 after each", quote(hive.DecodeUTF16(data[:min(len(data)&^1, 8)])+"…"))
}

func visitUnterminated(p *pass, c *Check, s *regfile.Statement) {
	if !isHexText(s) || isWide(s) && endsWithNUL(s) {
		return
	}
	data, end := p.hexBytes(s)
	unit := 2
	if s.Version == regfile.Version4 {
		unit = 1
	}
	if len(data) == 0 || wrongWidth(data, s.Version) {
		return
	}
	if len(data)%unit != 0 {
		p.report(c, s, s.Data,
			"the text has an odd number of bytes, %d, where each character has two; it is not known what every Windows makes of it; write all bytes", len(data))
		return
	}
	// Count the NUL characters at the end, up to the number that is needed.
	have, want := 0, 1
	if s.Edits[0].Value.Type == hive.MultiSZ && len(data) > unit {
		want = 2
	}
	for n := len(data) - unit; n >= 0 && have < want && data[n] == 0 && data[n+unit-1] == 0; n -= unit {
		have++
	}
	if have >= want {
		return
	}
	var found *Finding
	switch {
	case want == 1:
		found = p.report(c, s, s.Data, "the text has no NUL character at its end; Windows adds one, other programs do not; write it")
	case have == 0:
		found = p.report(c, s, s.Data, "the list has no NUL characters at its end; Windows adds one, and a list needs two; write both")
	default:
		found = p.report(c, s, s.Data, "the list ends with one NUL character, and needs two; Windows adds one only if there is none; write both")
	}
	if !hasFault(s, regfile.HexEndsInFile) {
		missing := strings.Repeat(",00", (want-have)*unit)
		found.fix("end the text", Change{From: s.Offset + int64(end), To: s.Offset + int64(end), New: missing})
	}
}

// formOf is how a .reg file starts the data of a type, by what people and programs for the registry call it.
var formOf = map[string]string{
	"dword": "dword:", "reg_dword": "dword:", "hex": "hex:", "reg_binary": "hex:", "qword": "hex(b):", "reg_qword": "hex(b):", "reg_none": "hex(0):",
	"reg_sz": "", "reg_expand_sz": "hex(2):", "reg_multi_sz": "hex(7):",
}

// typed cuts text into the type that it starts with and what follows the colon. It reports whether that can be data of the type.
func typed(text string) (name, form, rest string, ok bool) {
	name, rest, ok = strings.Cut(text, ":")
	name, rest = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(rest)
	form, known := formOf[name]
	if digits, cut := strings.CutPrefix(name, "hex("); !known && cut && strings.HasSuffix(digits, ")") {
		form, known = name+":", looksLikeHex([]byte(digits[:len(digits)-1]))
	}
	allowed := "0123456789abcdefABCDEF"
	switch {
	case strings.HasPrefix(form, "dword"), strings.HasSuffix(name, "qword"):
		allowed += "xX-"
	case strings.HasSuffix(name, "_sz"):
		return name, form, rest, ok && rest != ""
	default:
		allowed += ", \t"
	}
	return name, form, rest, ok && known && strings.Trim(rest, "xX-, \t") != "" && strings.Trim(rest, allowed) == ""
}

func visitQuotedType(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) != 1 || s.Data.To-s.Data.From < 5 || s.Text[s.Data.From] != '"' || strings.IndexByte("dhqrDHQR \t", s.Text[s.Data.From+1]) < 0 {
		return
	}
	text := string(s.Text[s.Data.From+1 : s.Data.To-1])
	name, form, rest, ok := typed(text)
	if !ok {
		return
	}
	stored, _ := s.Edits[0].Value.Text()
	if form == "" {
		p.report(c, s, s.Data, "the type stands inside of the quotes, where it is part of the text; Windows stores %s; write the text alone", quote(stored)).
			fix("write the text alone", change(s, s.Data, `"`+rest+`"`))
		return
	}
	found := p.report(c, s, s.Data,
		"the type stands inside of the quotes, where it is text; Windows stores %s as a REG_SZ; write %s and the data in hexadecimal, without quotes", quote(stored), form)
	switch digits := strings.TrimLeft(rest, "0"); {
	case name == "dword" && len(digits) <= 8 && !strings.ContainsAny(digits, "xX-"):
		found.fix("write the data without quotes", change(s, s.Data, form+eightDigits([]byte(digits))))
	case strings.HasPrefix(name, "hex") && looksLikeHex([]byte(rest)):
		found.fix("write the data without quotes", change(s, s.Data, form+rest))
	}
}

func visitNumberSize(p *pass, c *Check, s *regfile.Statement) {
	if !setsHex(s) {
		return
	}
	value := &s.Edits[0].Value
	want := 0
	switch value.Type {
	case hive.DWord, hive.DWordBigEndian:
		want = 4
	case hive.QWord:
		want = 8
	}
	if want > 0 && len(value.Data) != want {
		p.report(c, s, s.Data,
			"a %s has %d bytes, here there are %d; Windows stores them as they are, and programs fail to read them; write %d bytes", value.Type, want, len(value.Data), want)
	}
}

func visitEmptyElement(p *pass, c *Check, s *regfile.Statement) {
	if !setsHex(s) || s.Edits[0].Value.Type != hive.MultiSZ || hasPrefixFold(s.Edits[0].Value.Name, "PendingFileRenameOperations") {
		return
	}
	if !isWide(s) {
		if raw, _ := p.hexBytes(s); wrongWidth(raw, s.Version) {
			return
		}
	}
	data, start := s.Edits[0].Value.Data, 0
	for i := 0; i+1 < len(data); i += 2 {
		if data[i]|data[i+1] != 0 {
			continue
		}
		if i == start {
			if len(bytes.Trim(data[i:], "\x00")) > 0 {
				p.report(c, s, s.Data, "the list has an empty text before its end; most programs read nothing after it; remove it")
			}
			return
		}
		start = i + 2
	}
}

func visitBinaryNumber(p *pass, c *Check, s *regfile.Statement) {
	if !setsHex(s) || s.Edits[0].Value.Type != hive.Binary {
		return
	}
	value := &s.Edits[0].Value
	if n := len(value.Data); n != 4 && n != 8 || p.match(c, value) == nil {
		return
	}
	found := p.report(c, s, s.Data,
		"this makes a REG_BINARY, but %s is read as a REG_DWORD; programs treat the value as missing; write dword:", quote(value.Name))
	if len(value.Data) == 4 && s.Lines() == 1 {
		found.fix("write it as dword", change(s, s.Data, fmt.Sprintf("dword:%08x", binary.LittleEndian.Uint32(value.Data))))
	}
}
