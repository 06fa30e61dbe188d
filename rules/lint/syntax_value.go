package lint

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on the names of values, on quoted text and on other data, except hex data.
var (
	nameQuotes = &Check{
		ID: "REG008", Name: "name-quotes", Severity: Error, Fix: Unsafe,
		Title: "The name of a value is not in quotes, or a quote is missing",
		Explanation: `The name of a value is written in double quotes; only the default value has none and is written @. To Windows, a
line that starts with a name without quotes is no statement, and a name without a closing quote does not end. It silently drops the line.

Write the name in double quotes, with \\ for a backslash and \" for a quote.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
Enabled=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.NameUnclosed, regfile.StrayText}, say: sayNameQuotes,
	}

	valueNameBlanks = &Check{
		ID: "REG031", Name: "value-name-blanks", Severity: Warning, Fix: Unsafe,
		Title: "There is a blank at the edge of the name of a value",
		Explanation: `Blanks inside of the quotes are part of the name. Windows sets, or deletes, a value whose name looks like the intended
one but is another, so that a program never finds it.

Remove the blank.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled "=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		visit: visitValueNameBlanks, kinds: []regfile.Kind{regfile.ValueLine},
	}

	textQuotes = &Check{
		ID: "REG009", Name: "text-quotes", Severity: Error, Fix: Unsafe,
		Title: "Text does not end, or goes on after its closing quote",
		Explanation: `The first quote without a backslash before it ends the text, and only a comment may follow. Text with a bare quote
inside ends too early, and text whose last quote follows a backslash (a path such as "C:\Temp\") does not end. Windows silently drops the
value. Text cannot continue on the next line either.

Write \" for a quote and \\ for a backslash inside text.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Command"=""C:\\Example\\run.exe" /all"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Command"="\"C:\\Example\\run.exe\" /all"
`),
		codes: []regfile.Code{regfile.TextUnclosed, regfile.BehindText}, say: sayTextQuotes,
	}

	loneBackslash = &Check{
		ID: "REG010", Name: "lone-backslash", Severity: Error, Fix: Unsafe,
		Title: "A backslash in quoted text is not doubled",
		Explanation: `In quoted text \\ stands for a backslash and \" for a quote. Windows is known to drop a value with \0; what every
version does with other letters after a backslash is not known, and regvet treats the value as dropped. There is no \n for a new line: such
text must be written as hex data.

Write \\ for each backslash.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"="C:\Example"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Folder"="C:\\Example"
`),
		codes: []regfile.Code{regfile.NameEscape, regfile.TextEscape}, say: sayLoneBackslash,
	}

	dwordForm = &Check{
		ID: "REG011", Name: "dword-form", Severity: Error, Fix: Unsafe,
		Title: "The data after dword: are not 1 to 8 hex digits",
		Explanation: `dword: is followed by 1 to 8 hex digits, and then only a comment may follow. Windows silently drops the value if
there are nine digits, even if the first ones are zero, and for 0x, a sign, or a blank between digits. The setting then stays what it was,
while the import reports success.

Write 8 hex digits. Remember that they are hexadecimal: dword:00000010 is 16.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:000000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.DWordNoDigits, regfile.DWordTooLong, regfile.BehindDWord}, say: sayDWordForm,
	}

	shortDWord = &Check{
		ID: "REG012", Name: "short-dword", Severity: Info, Fix: Safe,
		Title: "A dword has fewer than 8 digits",
		Explanation: `Windows reads 1 to 8 hex digits, and always writes 8. Fewer are easily mistaken for a decimal number: dword:10 is
16. Some other programs that read .reg files need 8.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:1
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		visit: visitShortDWord, kinds: []regfile.Kind{regfile.ValueLine}, data: "d",
	}

	dataForm = &Check{
		ID: "REG018", Name: "data-form", Severity: Error, Fix: Unsafe,
		Title: "The data are in no form that Windows knows",
		Explanation: `After the name of a value comes =, then "text", dword:, hex: or hex(N):, or a - to delete the value. Windows
silently drops a line with anything else: a number or text without quotes, qword:, or no data at all. The words dword and hex are written in
lower case; it is not known whether every version of Windows accepts capitals, and regvet treats the value as dropped.

Write numbers as dword: with 8 hex digits, or as hex(b): with 8 bytes, the lowest first, and text in quotes.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=DWORD:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.UnknownData, regfile.NoData, regfile.NoEquals}, say: sayDataForm,
	}

	behindDelete = &Check{
		ID: "REG019", Name: "behind-delete", Severity: Error,
		Title: "There is text after the mark that deletes a value",
		Explanation: `"Name"=- deletes a value. If anything but a comment follows the -, the line is neither a deletion nor data to
Windows: the value silently stays as it is. There are no negative numbers either: -1 is dword:ffffffff.

Write =- alone to delete the value, or the data without the -.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=-dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=-
`),
		codes: []regfile.Code{regfile.BehindDelete}, say: sayBehindDelete,
	}
)

// looksLikeValue reports whether a line would be a value if its name were in quotes: NAME = DATA.
func looksLikeValue(line []byte) bool {
	name, data, ok := bytes.Cut(line, []byte{'='})
	if !ok || len(bytes.TrimSpace(name)) == 0 || name[0] == '#' {
		return false
	}
	data = bytes.TrimLeft(data, " \t")
	for _, form := range []string{`"`, "dword:", "hex:", "hex("} {
		if bytes.HasPrefix(data, []byte(form)) {
			return true
		}
	}
	// If the data could also be other text, the name must look like one.
	return len(data) > 0 && !bytes.ContainsAny(bytes.TrimSpace(name), " \t<>")
}

func sayNameQuotes(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.NameUnclosed {
		p.faultAs(c, s, f, "%s; write it behind the name", f.Msg)
		return
	}
	if p.strayOf(s) != strayValue {
		return
	}
	from := len(s.Text) - len(bytes.TrimLeft(s.Text, " \t"))
	name := string(bytes.TrimRight(s.Text[from:bytes.IndexByte(s.Text, '=')], " \t"))
	span := regfile.Span{From: from, To: from + len(name)}
	bare := strings.Trim(name, typographicQuotes)
	switch {
	case bare == "" || strings.ContainsAny(bare, `\"'`):
		p.report(c, s, span, "the name of the value does not start with a quote; Windows skips this line; put the name, and nothing else, in quotes")
	case bare != name:
		p.report(c, s, span, `the name of the value is in typographic quotes; Windows skips this line; write "%s"`, hive.Printable(bare)).
			fix("write plain quotes", change(s, span, `"`+bare+`"`))
	default:
		p.report(c, s, span, `the name of the value is not in quotes; Windows skips this line; write "%s"`, hive.Printable(bare)).
			fix("write the name in quotes", change(s, span, `"`+bare+`"`))
	}
}

func visitValueNameBlanks(p *pass, c *Check, s *regfile.Statement) {
	from, to := s.Name.From+1, s.Name.To-1
	if to <= from || s.Text[s.Name.From] != '"' || !isBlank(s.Text[from]) && !isBlank(s.Text[to-1]) {
		return
	}
	name := s.Text[from:to]
	lead := len(name) - len(bytes.TrimLeft(name, " \t"))
	tail := len(bytes.TrimRight(name, " \t"))
	span := regfile.Span{From: from, To: from + lead}
	if lead == 0 {
		span = regfile.Span{From: from + tail, To: to}
	}
	found := p.report(c, s, span, "there is a blank at the edge of the name of the value; to Windows it is part of the name; remove it")
	if lead < len(name) {
		found.fix("remove the blank", change(s, regfile.Span{From: from, To: to}, string(name[lead:tail])))
	}
}

func sayTextQuotes(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	data := s.Data.In(s.Text)
	last := bytes.LastIndexByte(data, '"')
	switch {
	case f.Code == regfile.TextUnclosed && last > 1 && data[last-1] == '\\' && len(bytes.TrimSpace(data[last+1:])) == 0:
		at := s.Data.From + last
		p.report(c, s, regfile.Span{From: at - 1, To: at + 1},
			`the backslash before the last quote makes the quote part of the text, which then does not end; Windows drops this value; write \\"`).
			fix("double the backslash", insert(s, at, `\`))
	case f.Code == regfile.BehindText && formOf[strings.ToLower(string(bytes.Trim(data[:bytes.IndexByte(data[1:], '"')+1], `"`)))] != "" && s.Raw[f.Offset-s.Offset] == '=':
		p.faultAs(c, s, f, "the type stands in quotes, and a = behind it; Windows drops this value; write the type without quotes, a : and the data")
	case f.Code == regfile.BehindText && len(bytes.TrimSpace(s.Raw[f.Offset-s.Offset:])) == 1 && last == int(f.Offset-s.Offset)-s.Data.From && data[last-1] == '"':
		p.report(c, s, regfile.Span{From: s.Data.From + last, To: s.Data.From + last + 1}, "there is a quote too many at the end of the text; Windows drops this value; remove it").
			fix("remove the quote", change(s, regfile.Span{From: s.Data.From + last, To: s.Data.From + last + 1}, ""))
	case f.Code == regfile.TextUnclosed:
		p.faultAs(c, s, f, "%s; write it, in the same line", f.Msg)
	default:
		found := p.faultAs(c, s, f, `%s; write \" for a quote inside of text`, f.Msg)
		if rest := data[last+1:]; len(bytes.TrimLeft(rest, " \t")) > 0 {
			return // it does not end with a quote either
		}
		r := rewrite{text: data}
		for i := 1; i < last; i++ {
			switch data[i] {
			case '\\':
				i++
			case '"':
				r.replace(i, i, `\`)
			}
		}
		found.fix(`write \" inside of the text`, r.changes(s.Offset+int64(s.Data.From))...)
	}
}

func sayLoneBackslash(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	found := p.faultAs(c, s, f, `%s; write \\`, f.Msg)
	// Look up to the closing quote of the text. A quote after a lone backslash belongs to the text.
	r := rewrite{text: s.Text}
	for i := int(f.Offset - s.Offset); i < len(s.Text) && s.Text[i] != '"'; i++ {
		if s.Text[i] != '\\' {
			continue
		}
		if i+1 < len(s.Text) && (s.Text[i+1] == '\\' || s.Text[i+1] == '"') {
			i++
			continue
		}
		r.replace(i, i, `\`)
	}
	found.fix("double the backslash", r.changes(s.Offset)...)
}

func sayDWordForm(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	data, _, _ := bytes.Cut(s.Data.In(s.Text), []byte{';'})
	data = bytes.TrimRight(data, " \t")
	why, number := dwordCause(string(bytes.TrimLeft(data[len("dword:"):], " \t")))
	if why == "" {
		p.faultAs(c, s, f, "%s; write 8 hex digits", f.Msg)
		return
	}
	outcome := f.Msg[strings.LastIndex(f.Msg, "; ")+len("; "):]
	if number == "" {
		p.faultAs(c, s, f, "%s; %s; write 8 hex digits", why, outcome)
		return
	}
	p.faultAs(c, s, f, "%s; %s; write %s", why, outcome, number).
		fix("write 8 digits", change(s, regfile.Span{From: s.Data.From, To: s.Data.From + len(data)}, "dword:"+number))
}

// dwordCause returns why the text after dword: is no number, and the 8 digits that it seems to stand for; both may be "".
func dwordCause(text string) (why, number string) {
	hex := func(digits string) string {
		digits = strings.TrimLeft(digits, "0")
		if len(digits) > 8 || strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
			return ""
		}
		return eightDigits([]byte(digits))
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789abcdefABCDEF"))
	rest := strings.TrimSpace(text[digits:])
	switch {
	case hasPrefixFold(text, "0x"):
		return "there is 0x in front of the digits, which are hexadecimal in a .reg file without it", hex(text[2:])
	case text != "" && (text[0] == '-' || text[0] == '+'):
		n, err := strconv.ParseInt(text, 10, 33)
		switch {
		case err != nil || n < math.MinInt32:
			return "there is a sign in front of the digits, and a REG_DWORD has none", ""
		case len(text) > 2: // it may be decimal or hexadecimal
			return fmt.Sprintf("there is a sign in front of the digits, and a REG_DWORD has none (if it is decimal, it is %08x)", uint32(n)), ""
		}
		return "there is a sign in front of the digits, and a REG_DWORD has none", fmt.Sprintf("%08x", uint32(n))
	case digits > 8 && rest == "":
		if n, err := strconv.ParseUint(text, 10, 32); err == nil && text[0] != '0' {
			return fmt.Sprintf("dword data have %d digits, at most 8 are allowed, and they are hexadecimal (if it is decimal, it is %08x)", digits, n), ""
		}
		return fmt.Sprintf("dword data have %d digits, at most 8 are allowed", digits), hex(text)
	case digits == 0 || rest == "":
		return "", ""
	case rest == `"`:
		return "there is a quote behind the digits", hex(text[:digits])
	case isBlank(text[digits]) && strings.Trim(rest, "0123456789abcdefABCDEF \t") == "":
		return "there is a blank inside of the digits", hex(strings.Join(strings.Fields(text), ""))
	case strings.ContainsFunc(rest, unicode.IsLetter) && strings.Trim(rest, "0123456789") == rest || rest == "%":
		return fmt.Sprintf("there is %s behind the digits, and a number has no unit", quote(rest)), ""
	}
	return fmt.Sprintf("there is %s behind the digits", quote(rest)), ""
}

func eightDigits(digits []byte) string { return "00000000"[:8-len(digits)] + string(digits) }

func visitShortDWord(p *pass, c *Check, s *regfile.Statement) {
	const prefix = "dword:"
	if n := s.Data.To - s.Data.From; n <= len(prefix) || n >= len(prefix)+8 || s.Text[s.Data.From] != 'd' || len(s.Edits) == 0 || s.Version == regfile.Windows31 {
		return
	}
	digits := bytes.TrimLeft(s.Data.In(s.Text)[len(prefix):], " \t")
	if len(digits) == 0 || len(digits) > 8 {
		return
	}
	span := regfile.Span{From: s.Data.To - len(digits), To: s.Data.To}
	value := s.Edits[0].Value
	if n, err := value.Uint64(); err == nil && n > 9 {
		p.report(c, s, span, "the dword has fewer than 8 digits; Windows reads them as hexadecimal, which makes %d; write %s", n, eightDigits(digits)).
			fix("write 8 digits", change(s, span, eightDigits(digits)))
		return
	}
	p.report(c, s, span, "the dword has fewer than 8 digits; Windows reads that, and itself writes 8; write %s", eightDigits(digits)).
		fix("write 8 digits", change(s, span, eightDigits(digits)))
}

func sayDataForm(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	data := s.Data.In(s.Text)
	word, rest, colon := bytes.Cut(data, []byte{':'})
	switch lower := bytes.ToLower(word); {
	case f.Code == regfile.NoData:
		p.faultAs(c, s, f, `%s; write "" for an empty text, or - to delete the value`, f.Msg)
	case f.Code == regfile.NoEquals && looksLikeValue(bytes.Trim(s.Name.In(s.Text), `"`)) && len(bytes.TrimSpace(s.Text[s.Name.To:])) == 0:
		equals := s.Name.From + bytes.IndexByte(s.Name.In(s.Text), '=')
		found := p.report(c, s, regfile.Span{From: equals, To: s.Name.To}, "the = and the data stand inside of the quotes of the name; Windows drops this value; close the quotes before the =")
		if _, _, rest, ok := typed(string(s.Text[equals+1 : s.Name.To-1])); ok && rest != "" {
			found.fix("close the quotes before the =", insert(s, equals, `"`), change(s, regfile.Span{From: s.Name.To - 1, To: s.Name.To}, ""))
		}
	case f.Code == regfile.NoEquals:
		p.faultAs(c, s, f, "%s; write = and the data, or - to delete the value", f.Msg)
	case isNumber(data):
		digits, _, _ := strings.Cut(string(data), ";")
		digits = strings.TrimRight(digits, " \t")
		n, _ := strconv.ParseUint(digits, 0, 32)
		found := p.faultAs(c, s, f, "a number stands here without its type; Windows drops this value; write dword:%08x", n)
		if n < 10 || hasPrefixFold(digits, "0x") {
			found.fix("write it as dword", change(s, regfile.Span{From: s.Data.From, To: s.Data.From + len(digits)}, fmt.Sprintf("dword:%08x", n)))
		}
	case !colon:
		p.faultAs(c, s, f, "%s", f.Msg)
	case string(lower) != string(word) && (string(lower) == "dword" || bytes.HasPrefix(lower, []byte("hex"))):
		span := regfile.Span{From: s.Data.From, To: s.Data.From + len(word)}
		p.report(c, s, span,
			"%s is not written in lower case; it is not known that every Windows reads it, and one that does not drops this value; write %s", word, lower).
			fix("write "+string(lower), change(s, span, string(lower)))
	case string(lower) == "qword":
		found := p.faultAs(c, s, f, "there is no qword: in a .reg file; Windows drops this value; write hex(b): and the 8 bytes, the lowest first")
		rest, _, _ = bytes.Cut(rest, []byte{';'})
		digits := bytes.TrimSpace(rest)
		if len(digits) == 0 || len(digits) > 16 || bytes.ContainsFunc(digits, func(r rune) bool { return r >= 0x80 || !isHexDigit(byte(r)) }) {
			return
		}
		number := "0000000000000000"[:16-len(digits)] + string(digits)
		text := "hex(b):"
		for i := 14; i >= 0; i -= 2 {
			text += number[i : i+2]
			if i > 0 {
				text += ","
			}
		}
		span := regfile.Span{From: s.Data.From, To: s.Data.From + len(word) + 1 + len(bytes.TrimRight(rest, " \t"))}
		found.fix("write it as hex(b)", change(s, span, text))
	default:
		p.faultAs(c, s, f, "%s", f.Msg)
	}
}

// isNumber reports whether data are a plain number of a REG_DWORD, decimal or with 0x, and perhaps a comment.
func isNumber(data []byte) bool {
	text, _, _ := strings.Cut(string(data[:min(len(data), 200)]), ";")
	text = strings.TrimRight(text, " \t")
	if len(text) > 1 && text[0] == '0' && !hasPrefixFold(text, "0x") || strings.ContainsAny(text, "_bBoO") && !hasPrefixFold(text, "0x") {
		return false // it could be anything
	}
	_, err := strconv.ParseUint(text, 0, 32)
	return err == nil
}

func sayBehindDelete(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	p.faultAs(c, s, f, "%s; write =- alone, or the data without the -", f.Msg)
}
