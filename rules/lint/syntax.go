package lint

import (
	"bytes"
	"strings"

	"regvet/hive/regfile"
)

// The checks on the first lines of a file, and on lines that are no statements.
var (
	header = &Check{
		ID: "REG001", Name: "header", Severity: Error, Fix: Unsafe,
		Title: "The first line is not a header that Windows reads",
		Explanation: `Windows decides by the first line alone whether a file is a .reg file. The line must be "Windows Registry Editor
Version 5.00" or "REGEDIT4", exactly and in this case. With any other first line, even an empty one, Windows rejects the whole file. A line
that only starts with REGEDIT, such as REGEDIT5, is worse: Windows accepts the file, imports nothing and reports success. REGEDIT alone is
the header of Windows 3.1: only lines that start with HKEY_CLASSES_ROOT count below it, and Windows skips key lines in brackets and values.

What else is wrong with the file is reported as if the header were right.

Write "Windows Registry Editor Version 5.00" as the first line.`,
		Bad:  Example{Text: "Windows Registry Editor Version 5\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"},
		Good: version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		codes: []regfile.Code{regfile.EmptyFile, regfile.HiveFile, regfile.Binary, regfile.HeaderEmpty, regfile.HeaderCase,
			regfile.HeaderUnknown, regfile.HeaderUnsupported},
		say: sayHeader, visit: visitHeader, kinds: []regfile.Kind{regfile.HeaderLine}, finish: finishHeader,
	}

	secondHeader = &Check{
		ID: "REG032", Name: "second-header", Severity: Warning, Fix: Safe,
		Title: "There is a header in the middle of the file",
		Explanation: `Only the first line of a file is a header. Windows skips a second one, as it skips every line that it does not
recognize, and reads what follows as the first one says. It is there because files were joined; if its version is another, text in the hex
data below it is misread.

Remove the line, or take the files apart.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SOFTWARE\Other]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]

[HKEY_LOCAL_MACHINE\SOFTWARE\Other]
`),
		codes: []regfile.Code{regfile.StrayText}, say: saySecondHeader,
	}

	headerBlanks = &Check{
		ID: "REG002", Name: "header-blanks", Severity: Warning, Fix: Unsafe,
		Title: "There are blanks around the header",
		Explanation: `Windows skips spaces and tabs before the header, but not after it: then the line is not the one that Windows looks
for. With the header of version 5.00, Windows rejects the whole file. After REGEDIT4 the outcome is not known for certain; most likely
Windows imports nothing and reports success, and regvet reads the file that way.

Remove the blanks around the header.`,
		Bad:   Example{Text: "  Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		codes: []regfile.Code{regfile.HeaderBlanks}, say: sayHeaderBlanks,
		visit: visitHeaderBlanks, kinds: []regfile.Kind{regfile.HeaderLine},
	}

	headerEmptyLine = &Check{
		ID: "REG003", Name: "header-empty-line", Severity: Info, Fix: Safe,
		Title: "There is no empty line after the header",
		Explanation: `Windows writes an empty line after the header, but reads the file without it. Some other programs that read .reg
files need it, and everyone who looks at the file expects it.`,
		Bad:   Example{Text: "Windows Registry Editor Version 5.00\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		visit: visitSecondLine, needs: atEdge,
	}

	valueWithoutKey = &Check{
		ID: "REG006", Name: "value-without-key", Severity: Error,
		Title: "A value stands above any key",
		Explanation: `A value belongs to the key of the nearest key line above it. If there is none, Windows silently drops the value and
all values after it, up to the next key line.

Write the key line above the values.`,
		Bad: version5(`"Enabled"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.NoKeyOpen}, say: sayValueWithoutKey,
	}

	strayLine = &Check{
		ID: "REG007", Name: "stray-line", Severity: Error,
		Title: "The line is neither a key nor a value nor a comment",
		Explanation: `Windows knows lines that start with [ (a key), with a quote or @ (a value) and with ; (a comment). It silently skips
every other line and still reports success. Only hex data can continue on the next line, if they end with a comma and a backslash: text that
goes on in a second line, or a key line that was wrapped, ends up here.

Complete the line, or start it with ; if it is a comment.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
Settings of the example
"Enabled"=dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
; Settings of the example
"Enabled"=dword:00000001
`),
		codes: []regfile.Code{regfile.StrayText}, say: sayStrayLine,
	}

	commentBehindData = &Check{
		ID: "REG020", Name: "comment-behind-data", Severity: Error, Fix: Unsafe,
		Title: "A comment after the data does not start with a semicolon",
		Explanation: `A comment may follow data, but only ; starts one. With #, // or another mark the line is not a valid value: Windows
silently drops it, so the value is not set, or not deleted.

Write ; instead.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001 # on
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001 ; on
`),
		say: sayCommentBehindData,
	}

	slashComment = &Check{
		ID: "REG021", Name: "slash-comment", Severity: Warning, Fix: Safe,
		Title: "A comment starts with //, or as in another language",
		Explanation: `Only ; starts a comment. Windows skips a line that starts with //, /*, --, :: or rem, as it skips every line that it
does not recognize; in a batch file, @echo and @rem are such lines too. That works only at the start of a line; after data, such a comment
makes Windows drop the value (REG020). Lines inside of /* and */ are no comment: Windows reads them. Other programs that read .reg files stop
at such a line.

Write ; instead.`,
		Bad: version5(`// Settings of the example
[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		Good: version5(`; Settings of the example
[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		codes: []regfile.Code{regfile.StrayText}, say: saySlashComment,
	}

	hashComment = &Check{
		ID: "REG029", Name: "hash-comment", Severity: Info, Fix: Safe,
		Title: "A comment starts with #",
		Explanation: `Only ; starts a comment. Windows skips a line that starts with #, as it skips every line that it does not recognize.
That works only at the start of a line; after data, # makes Windows drop the value (REG020).

Write ; instead of #.`,
		Bad: version5(`# Settings of the example
[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		Good: version5(`; Settings of the example
[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		codes: []regfile.Code{regfile.HashLine},
		say:   sayHashComment,
	}
)

// sayHeader leaves REGEDIT4 with blanks to REG002.
func sayHeader(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	line := string(bytes.TrimSpace(s.Text))
	if f.Code == regfile.HeaderUnsupported && line == regfile.Version4.String() {
		return
	}
	hiddenSpan, r := hiddenAt(s.Text, len(s.Text)-len(bytes.TrimLeft(s.Text, " \t")))
	if !hiddenSpan.Empty() && headerIn(s.Text) == string(s.Text[hiddenSpan.To:]) {
		p.report(c, s, hiddenSpan, "there is %s in front of the header, U+%04X; Windows rejects the file; remove it", hidden(r), r).
			fix("remove the character", change(s, hiddenSpan, ""))
		return
	}
	found := p.fault(c, s, f)
	span := regfile.Span{To: len(s.Text)}
	switch {
	case strings.EqualFold(line, regfile.Version4.String()):
		found.fix("write the header", change(s, span, regfile.Version4.String()))
	case hasPrefixFold(line, "Windows Registry Editor"), f.Code == regfile.HeaderUnsupported && len(line) <= len("REGEDIT 5.00"):
		found.fix("write the header", change(s, span, regfile.Version5.String()))
	}
}

// headerIn returns the header that a line holds, whatever the characters in front of it that cannot be seen, or "".
func headerIn(line []byte) string {
	text := strings.TrimFunc(string(line[:min(len(line), 100)]), func(r rune) bool { return r == ' ' || hidden(r) != "" })
	text = strings.TrimPrefix(text, markAsText)
	for _, v := range []regfile.Version{regfile.Version5, regfile.Version4} {
		if strings.EqualFold(text, v.String()) {
			return text
		}
	}
	return ""
}

func saySecondHeader(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	text := headerIn(s.Text)
	if text == "" {
		return
	}
	if !strings.EqualFold(text, s.Version.String()) {
		p.faultAs(c, s, f, "this is a second header, of another version; Windows skips it and reads what follows as %s; take the files apart", s.Version)
		return
	}
	p.faultAs(c, s, f, "this is a second header; Windows skips it; remove it").
		fix("remove the header", change(s, regfile.Span{To: len(s.Raw)}, ""))
}

// visitHeader keeps the header of Windows 3.1.
func visitHeader(p *pass, _ *Check, s *regfile.Statement) {
	if s.Version == regfile.Windows31 {
		p.oldest.note(s, regfile.Span{From: len(s.Text) - len(bytes.TrimLeft(s.Text, " \t")), To: len(s.Text)})
		p.oldestOffset = s.Offset
	}
}

func finishHeader(p *pass, c *Check) {
	if p.brackets == 0 {
		return
	}
	p.changes = true // so that it is not told again that nothing is imported
	found := p.reportFirst(c, &p.oldest,
		"the header REGEDIT is that of Windows 3.1; below it Windows skips key lines in brackets and values, here %d lines; write %q", p.brackets, regfile.Version5)
	if !p.typedText {
		found.fix("write the header of version 5.00", Change{From: p.oldestOffset, To: p.oldestOffset + int64(len(p.oldest.line)), New: regfile.Version5.String()})
	}
}

// sayHeaderBlanks reports blanks after the header, for which Windows rejects the file.
func sayHeaderBlanks(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	span := regfile.Span{From: len(bytes.TrimRight(s.Text, " \t")), To: len(s.Text)}
	found := p.report(c, s, span, "%s", f.Msg)
	if !span.Empty() {
		found.fix("remove the blanks", change(s, span, ""))
	}
}

func visitHeaderBlanks(p *pass, c *Check, s *regfile.Statement) {
	blanks := len(s.Text) - len(bytes.TrimLeft(s.Text, " \t"))
	if blanks > 0 {
		span := regfile.Span{To: blanks}
		p.report(c, s, span, "there are blanks in front of the header; Windows skips them, other programs may not; remove them").
			fix("remove the blanks", change(s, span, ""))
	}
	// To Windows, REGEDIT4 with blanks after it is a version of which it imports nothing.
	trimmed := bytes.TrimRight(s.Text, " \t")
	if s.Version == regfile.Unsupported && len(trimmed) < len(s.Text) && string(trimmed[blanks:]) == regfile.Version4.String() {
		span := regfile.Span{From: len(trimmed), To: len(s.Text)}
		p.report(c, s, span, "there are blanks behind REGEDIT4; Windows probably imports nothing from the file then; remove them").
			fix("remove the blanks", change(s, span, ""))
	}
}

func visitSecondLine(p *pass, c *Check, s *regfile.Statement) {
	if s.Line != 2 || s.Kind == regfile.BlankLine || p.past {
		return
	}
	p.report(c, s, regfile.Span{To: len(s.Text)},
		"there is no empty line between the header and this one; Windows does not mind, some other programs do; insert one").
		fix("insert an empty line", insert(s, 0, lineEnd(s.Ending)))
}

func sayValueWithoutKey(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if !p.section.deletes {
		p.faultAs(c, s, f, "%s; write the line of the key above it", f.Msg)
	}
}

// stray is what a line that is no statement seems to be.
type stray int

const (
	strayText         stray = iota
	strayComment            // it starts as comments do in other languages
	strayContinuation       // hex data that continue the value above
	strayValue              // a value whose name is not in quotes
	strayKey                // the rest of the key line above
)

// strayOf returns what a line that is no statement seems to be.
func (p *pass) strayOf(s *regfile.Statement) stray {
	text := bytes.TrimLeft(s.Text, " \t")
	switch {
	case text[0] != '\'' && regfile.ForeignComment(text) != "":
		return strayComment
	case p.hex.next == s.Offset && looksLikeHex(text):
		return strayContinuation
	case p.split.isRestOf(s):
		return strayKey
	case looksLikeValue(text):
		return strayValue
	case text[0] == '\'':
		return strayComment
	}
	return strayText
}

func sayStrayLine(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if p.strayOf(s) != strayText {
		return
	}
	if strings.ContainsRune(typographicQuotes, firstRune(bytes.TrimLeft(s.Text, " \t"))) {
		p.faultAs(c, s, f, `the line starts with a typographic quote; Windows skips it; write "`)
		return
	}
	p.faultAs(c, s, f, "%s; complete it, or start it with ; if it is a comment", f.Msg)
}

func saySlashComment(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.StrayText && p.strayOf(s) != strayComment {
		return
	}
	from := len(s.Text) - len(bytes.TrimLeft(s.Text, " \t"))
	mark := regfile.ForeignComment(s.Text[from:])
	span := regfile.Span{From: from, To: from + len(mark)}
	if mark != "//" {
		p.report(c, s, span, "a comment starts with ;, not %s; Windows skips this line as it skips any that it does not know; write ; in front", mark).
			fix("write ; in front", insert(s, from, "; "))
		return
	}
	p.report(c, s, span, "a comment starts with ;, not //; Windows skips this line as it skips any that it does not know; write ;").
		fix("write ; in place of //", change(s, span, ";"))
}

func sayHashComment(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	from := bytes.IndexByte(s.Text, '#')
	span := regfile.Span{From: from, To: from + 1}
	p.report(c, s, span, "a comment starts with ;, not #; Windows skips this line as it skips any that it does not know; write ;").
		fix("write ; in place of #", change(s, span, ";"))
}

// behindData are the faults that a comment after data can cause.
var behindData = []regfile.Code{
	regfile.BehindText, regfile.BehindDWord, regfile.BehindDelete, regfile.BehindHex, regfile.HexNoSeparator, regfile.HexDigit,
}

// foreignComment returns the mark of a comment of another language that caused a fault, or "".
func foreignComment(s *regfile.Statement, f *regfile.Fault) string {
	at := f.Offset - s.Offset
	mark := regfile.ForeignComment(trimLineEnd(s.Raw[at:]))
	if mark == "#" || mark == "//" || at > 0 && isBlank(s.Raw[at-1]) && mark != "'" {
		return mark
	}
	return ""
}

func sayCommentBehindData(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	mark, outcome := foreignComment(s, f), "Windows drops this value"
	if s.Deletes {
		outcome = "Windows does not delete the value"
	}
	p.faultAs(c, s, f, "a comment starts with ;, not %s; %s; write ;", mark, outcome).
		fix("write ; in place of "+mark, Change{From: f.Offset, To: f.Offset + int64(len(mark)), New: ";"})
}
