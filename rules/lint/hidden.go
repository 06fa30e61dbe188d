package lint

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"regvet/hive/regfile"
)

// The checks on characters that the eye does not see.
var (
	invisibleCharacter = &Check{
		ID: "REG108", Name: "invisible-character", Severity: Warning,
		Title: "A name or text holds a character that cannot be seen, or that looks like another",
		Explanation: `Windows takes every character of a name as it is. With a zero-width character, a mark that changes the direction of
text, a no-break space, a tab or a typographic quote, the name looks like the intended one but is another. So does a path or a number in the
data. Such characters come from web pages and word processors, and they hide from a reviewer what a file does. In text that people read they
are at home: reported are marks that change the order of what one sees, also in comments, and others in text that looks like one for
programs, or at its edge.

Type the text again.`,
		Bad:        version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Exa\u200bmple]\n"),
		Good:       version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		References: []string{"https://trojansource.codes/"},
		visit:      visitInvisible, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine, regfile.CommentLine}, needs: beyondASCII | withTab,
	}

	invisibleInLine = &Check{
		ID: "REG111", Name: "invisible-in-line", Severity: Error, Fix: Unsafe,
		Title: "Windows does not take a line for what it looks like, for a character that cannot be seen",
		Explanation: `Between the parts of a line, and in front of it, Windows skips spaces and tabs, and nothing else. With a zero-width
character, a no-break space or the like there, the line is not what it looks like: a key line or value in front of which it stands is
skipped, one with it elsewhere is dropped. U+FEFF is the byte order mark, which is left in the middle of a file when files are joined; the
others come from web pages and word processors.

Remove the character.`,
		Bad: version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\u200b\"Enabled\"=dword:00000001\n"),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		say: sayInvisibleInLine,
	}
)

var invisibleInText = &Check{
	ID: "REG112", Name: "invisible-in-text", Severity: Info,
	Title: "Text that people read holds a character that cannot be seen",
	Explanation: `Windows stores such a character as part of the text. In text that people read it does little harm and is often meant, as a
no-break space is; where two texts are compared, they differ and look alike. In a text that looks like one for programs, such as a path, it is
more likely a mistake: that is invisible-character (REG108).

Type the text again, if the character is not meant.`,
	Bad:   version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"Title\"=\"An\u200b example\"\n"),
	Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"Title\"=\"An example\"\n"),
	visit: visitInvisibleText, kinds: []regfile.Kind{regfile.ValueLine}, needs: beyondASCII | withTab,
}

// characterNames are the names of the characters that are found most.
var characterNames = map[rune]string{
	'\t': "tab", 0x00A0: "no-break space", 0x00AD: "soft hyphen", 0x200B: "zero-width space", 0x200C: "zero-width non-joiner", 0x200D: "zero-width joiner",
	0x200E: "left-to-right mark", 0x200F: "right-to-left mark", 0x2028: "line separator", 0x202A: "left-to-right embedding",
	0x202B: "right-to-left embedding", 0x202C: "pop directional formatting", 0x202D: "left-to-right override", 0x202E: "right-to-left override",
	0x202F: "narrow no-break space", 0x2060: "word joiner", 0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2069: "pop directional isolate",
	0x3000: "full-width space", 0xFEFF: "byte order mark",
}

// misleading returns what is wrong with a character in a name, after another one, or "".
func misleading(r, before rune) string {
	switch {
	case r == '“' || r == '”' || r == '„' || r == '‟':
		return "a typographic quote"
	case (r == 0x200C || r == 0x200D || unicode.Is(unicode.Variation_Selector, r)) && before >= 0x0590:
		return "" // emoji and scripts with joined letters need them; after a Latin letter they do nothing
	}
	return hidden(r)
}

// hidden returns what a character is that cannot be seen, or that looks like a space, or "". NUL has a fault of its own.
func hidden(r rune) string {
	switch {
	case r == utf8.RuneError || r == 0 || r == ' ':
	case characterNames[r] != "":
		return "a " + characterNames[r]
	case unicode.Is(unicode.Bidi_Control, r):
		return "a mark that changes the direction of text"
	case unicode.IsControl(r):
		return "a control character"
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return "a character that cannot be seen"
	case unicode.IsSpace(r), r == 0x2800, r == 0x3164:
		return "an unusual kind of blank"
	}
	return ""
}

// reorders reports whether a character changes the order of all that one sees after it.
func reorders(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }

// knowsText reports whether the characters of a statement are surely those that Windows reads: in a file without a byte order mark they
// depend on the code page.
func (p *pass) knowsText(s *regfile.Statement) bool { return !isANSI(s) || p.Read.CodePage != nil }

func visitInvisible(p *pass, c *Check, s *regfile.Statement) {
	name := s.Name.In(s.Text)
	before := rune(0)
	for i, r := range string(name) {
		if what := misleading(r, before); what != "" {
			if r == '\t' && s.Kind == regfile.KeyLine && len(bytes.Trim(name[i:], " \t")) == 0 {
				break // REG025 reports it
			}
			span := regfile.Span{From: s.Name.From + i, To: s.Name.From + i + utf8.RuneLen(r)}
			p.report(c, s, span, "there is %s in the name, U+%04X; to Windows it is part of the name; type the name again", what, r)
			return
		}
		before = r
	}
	if firstBeyondASCII(s.Text) < 0 || !p.knowsText(s) {
		return
	}
	if s.Kind == regfile.ValueLine && !s.Data.Empty() && s.Text[s.Data.From] == '"' && len(s.Edits) > 0 {
		data := s.Data.In(s.Text)
		for i, r := range string(data) {
			what := hidden(r)
			if what == "" || r == '\t' || !reorders(r) && !isForPrograms(data, i, r) {
				continue
			}
			span := regfile.Span{From: s.Data.From + i, To: s.Data.From + i + utf8.RuneLen(r)}
			p.report(c, s, span, "there is %s in the text, U+%04X; Windows stores it as part of the text; type the text again", what, r)
			return
		}
	}
	for i, r := range string(s.Comment.In(s.Text)) {
		if reorders(r) {
			span := regfile.Span{From: s.Comment.From + i, To: s.Comment.From + i + utf8.RuneLen(r)}
			p.report(c, s, span, "there is %s in the comment, U+%04X; the line may not be what it looks like; remove it", hidden(r), r)
			return
		}
	}
}

// visitInvisibleText reports the first character of the data that cannot be seen, where visitInvisible reports none.
func visitInvisibleText(p *pass, c *Check, s *regfile.Statement) {
	if s.Data.Empty() || s.Text[s.Data.From] != '"' || len(s.Edits) == 0 || firstBeyondASCII(s.Text) >= 0 && !p.knowsText(s) {
		return
	}
	data := s.Data.In(s.Text)
	found, what := regfile.Span{}, ""
	var first, before rune
	for i, r := range string(data) {
		if hidden(r) != "" && r != '\t' && (reorders(r) || isForPrograms(data, i, r)) {
			return
		}
		if joins := r == 0x200C || r == 0x200D || unicode.Is(unicode.Variation_Selector, r); what == "" && !(joins && before >= 0x0590) {
			if what = hidden(r); what != "" {
				found, first = regfile.Span{From: s.Data.From + i, To: s.Data.From + i + utf8.RuneLen(r)}, r
			}
		}
		before = r
	}
	if what != "" {
		p.report(c, s, found, "there is %s in the text, U+%04X; Windows stores it as part of the text; type the text again if it is not meant", what, first)
	}
}

// isForPrograms reports whether text in quotes looks like one for programs, to which a character in it that cannot be seen is a mistake: all
// other characters are ASCII, and it is a path or a number, or the character is at its edge.
func isForPrograms(data []byte, at int, r rune) bool {
	text := strings.Trim(string(data), `"`)
	if strings.ContainsFunc(text, func(other rune) bool { return other >= utf8.RuneSelf && hidden(other) == "" }) {
		return false
	}
	visible := strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return -1
		}
		return r
	}, text)
	if visible == "" {
		return false
	}
	edge := at == 1 || at+utf8.RuneLen(r) == len(data)-1
	return edge || strings.ContainsAny(visible, `\{`) || strings.Trim(visible, "0123456789.,:-") == ""
}

// hiddenAt returns the span of the characters that cannot be seen at byte i of a line, and the first of them. The span is empty if there are
// none.
func hiddenAt(line []byte, i int) (span regfile.Span, first rune) {
	span = regfile.Span{From: i, To: i}
	for span.To < len(line) {
		r, n := utf8.DecodeRune(line[span.To:])
		if r == '\t' || hidden(r) == "" {
			break
		}
		if span.Empty() {
			first = r
		}
		span.To += n
	}
	return span, first
}

// markAsText is what the byte order mark of UTF-8 becomes in windows-1252.
const markAsText = "\u00EF\u00BB\u00BF"

// hiddenFault returns the place in a line of a statement of the characters that cannot be seen and that cause a fault. The span is empty if
// there are none.
func (p *pass) hiddenFault(s *regfile.Statement, f *regfile.Fault) (line []byte, span regfile.Span, first rune) {
	if f.Code < regfile.StrayText || f.Code >= regfile.NoKeyOpen && f.Code <= regfile.Misplaced {
		return nil, span, 0
	}
	line, span = faultSpan(s, f)
	if isANSI(s) && bytes.HasPrefix(line[span.From:], []byte(markAsText)) {
		return line, regfile.Span{From: span.From, To: span.From + len(markAsText)}, 0xFEFF
	}
	if !p.knowsText(s) {
		return nil, regfile.Span{}, 0
	}
	span, first = hiddenAt(line, span.From)
	return line, span, first
}

func sayInvisibleInLine(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	line, span, r := p.hiddenFault(s, f)
	where := "inside of the data"
	switch rest := bytes.TrimLeft(line[span.To:], " \t"); {
	case f.Code < regfile.NoKeyOpen:
		where = "in front of what stands in the line"
		if len(rest) == 0 {
			where = "alone in the line"
		}
	case f.Code == regfile.NoEquals:
		where = "between the name and the ="
	case f.Code == regfile.UnknownData || f.Code == regfile.DWordNoDigits:
		where = "in front of the data"
	case len(rest) == 0 || rest[0] == ';':
		where = "behind the data"
	}
	outcome := f.Msg[strings.LastIndex(f.Msg, "; ")+len("; "):]
	if f.Code == regfile.KeyUnopened {
		outcome += ", and " + p.valuesBelow(true)
	}
	at, end := f.At, f.At
	end.Column += regfile.Column(line[span.From:], span.To-span.From) - 1
	p.reportAt(c, s, at, end, line, "there is %s %s, %s; %s; remove it", hidden(r), where, fmt.Sprintf("U+%04X", r), outcome).
		fix("remove the character", Change{From: f.Offset, To: f.Offset + int64(span.To-span.From)})
}
