package lint

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"regvet/hive/regfile"
)

// The checks on the encoding of a file and on its line ends.
var (
	codePage = &Check{
		ID: "REG101", Name: "code-page", Severity: Error,
		Title: "Text depends on the code page of the computer that imports it",
		Explanation: `A file without a byte order mark is text in the ANSI code page of the Windows that imports it, whatever its header
says. So a byte beyond ASCII is one letter on a western computer and another on a Polish or Japanese one, and text in UTF-8 is garbled on
nearly all of them. The same goes for the bytes of text in the hex data of a REGEDIT4 file. Comments do not matter and are not reported.

Which code page was meant, no file tells; what the bytes look like is only a hint. So a line with such bytes is never changed by a fix, and
"regvet fmt" refuses the file, until --codepage or the config names the code page. Until then nothing is reported that would follow from a
wrong code page.

Name it, and save the file as UTF-16 little-endian with a byte order mark, as Windows does. "regvet fmt --codepage" does that for version
5.00.`,
		Bad: Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n\"Owner\"=\"Müller\"\n", Encoding: UTF8},
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Owner"="Müller"
`),
		codes: []regfile.Code{regfile.NotASCII, regfile.NotInCodePage, regfile.HexCodePage}, say: sayCodePage,
		visit: visitCodePage, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine}, needs: beyondASCII | oldVersion,
	}

	utf8Mark = &Check{
		ID: "REG102", Name: "utf8-mark", Severity: Warning, Fix: Safe,
		Title: "The file is UTF-8 with a byte order mark",
		Explanation: `Reports differ on what Windows does with a UTF-8 byte order mark: some say that it imports the file, others that it
rejects it. regvet reads the file.

Save it as UTF-16 little-endian with a byte order mark, as Windows does; if all of it is ASCII, a file without a mark works too.`,
		Bad:   Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", Encoding: UTF8BOM},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		codes: []regfile.Code{regfile.UTF8ByteOrderMark}, say: sayUTF8Mark,
		visit: visitBelowUTF8Mark, kinds: []regfile.Kind{regfile.ValueLine}, data: "h", finish: finishUTF8Mark,
	}

	oldHeaderInUTF16 = &Check{
		ID: "REG103", Name: "old-header-in-utf16", Severity: Warning, Fix: Safe,
		Title: "A UTF-16 file has the header REGEDIT4",
		Explanation: `REGEDIT4 is the header of the files of Windows 95 and NT 4, which are in the ANSI code page. Windows also accepts it
in a UTF-16 file, but it is not known how it then reads text in hex data, hex(2) and hex(7): the header means one byte per character, the
file two. regvet goes by the header. Windows 95 and NT 4 do not read the file at all.

Write "Windows Registry Editor Version 5.00", and text in hex data with two bytes per character.`,
		Bad:   Example{Text: "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		visit: visitOldHeader, kinds: []regfile.Kind{regfile.HeaderLine, regfile.ValueLine}, needs: oldVersion, finish: finishOldHeader,
	}

	utf16Form = &Check{
		ID: "REG104", Name: "utf16-form", Severity: Error,
		Title: "The file is UTF-16 in a form that Windows rejects",
		Explanation: `Windows recognizes a UTF-16 file by its first two bytes, FF FE, the byte order mark of the little-endian form. It
takes a file without them for text in the ANSI code page, and does not know the big-endian form. It rejects both.

Save the file as UTF-16 little-endian with a byte order mark. Editors call that "UTF-16 LE with BOM" or "Unicode".`,
		Bad:   Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", Encoding: UTF16NoBOM},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		codes: []regfile.Code{regfile.BigEndian, regfile.NoByteOrderMark},
	}

	damagedText = &Check{
		ID: "REG105", Name: "damaged-text", Severity: Error,
		Title: "The text of the file is damaged",
		Explanation: `Something went wrong when the file was last saved: it ends in the middle of a character, holds NUL or replacement
characters (U+FFFD), is not valid UTF-8, or was UTF-8 that a program read in a code page, which leaves "Ã¼" instead of "ü". Windows imports
names and text as they are, with the damage. What it does at a NUL is not known; regvet ignores the rest of the line.

Go back to the last good version of the file, and save it as UTF-16 little-endian with a byte order mark.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Owner"="MÃ¼ller"
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Owner"="Müller"
`),
		codes: []regfile.Code{regfile.InvalidUTF8, regfile.OddLength, regfile.NULInText}, say: sayDamagedText,
		visit: visitDamagedText, kinds: []regfile.Kind{regfile.KeyLine, regfile.ValueLine}, needs: beyondASCII,
	}

	lineEnds = &Check{
		ID: "REG106", Name: "line-ends", Severity: Info,
		Title: "The lines end with LF alone, or with CR alone",
		Explanation: `Windows writes CR LF, but reads LF and CR alone just as well. Other programs that people use on .reg files do not,
old editors among them. This is only a hint, because nothing is wrong on Windows, and files in Git repositories mostly have LF; that is why
"regvet fmt --encoding utf-8" keeps it.

Save the file with CR LF. "regvet fmt" does that.`,
		Bad:   Example{Text: "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", LineEnd: "\n"},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		visit: visitLineEnd, finish: finishLineEnds,
	}

	mixedLineEnds = &Check{
		ID: "REG110", Name: "mixed-line-ends", Severity: Warning,
		Title: "The lines of the file end in different ways",
		Explanation: `If a file has different line ends, or a line ends with CR CR LF, it was changed by a program that did not know what
it was. Git does that unless it is told to leave .reg files alone. Windows reads CR, LF and CR LF in any order. It reads CR CR LF as the end
of the line and an empty line, and loses nothing; other programs do if a value continues on the next line (REG017).

Save the file with CR LF. "regvet fmt" does that.`,
		Bad:   Example{Text: "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n", LineEnd: "\n"},
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		visit: visitLineEnd, finish: finishMixedLineEnds,
	}

	lastLineEnd = &Check{
		ID: "REG107", Name: "last-line-end", Severity: Info, Fix: Safe,
		Title: "The last line has no end",
		Explanation: `Windows reads a last line without a line end; reg.exe of Windows XP dropped it. If another file is appended to this
one, its first line becomes part of the last line here.

End the last line too.`,
		Bad:   version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]"),
		Good:  version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		visit: visitLastLine, needs: atEdge,
	}

	gitAttributes = &Check{
		ID: "REG109", Name: "git-attributes", Severity: Info, Off: true,
		Title: "Git is not told what .reg files are", finish: finishGitAttributes,
		Explanation: `Git treats a UTF-16 file as binary, so that it shows no changes, and converts the line ends of other files as each
computer is set up. A line in the file .gitattributes of the repository solves both: "*.reg text working-tree-encoding=UTF-16LE-BOM
eol=CRLF" for files in UTF-16, "*.reg -text" for files that are to stay as they are.`,
		Bad:        version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		Good:       version5("[HKEY_LOCAL_MACHINE\\SOFTWARE\\Example]\n"),
		References: []string{"https://git-scm.com/docs/gitattributes"},
	}
)

// utf8MarkNote is the first line of a UTF-8 file with a byte order mark.
type utf8MarkNote struct {
	first
	msg     string
	hexText bool // the header is REGEDIT4, and the file has text in hex data
}

func sayUTF8Mark(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	_, span := faultSpan(s, f)
	p.utf8Mark = &utf8MarkNote{msg: f.Msg}
	p.utf8Mark.note(s, span)
}

func visitBelowUTF8Mark(p *pass, _ *Check, s *regfile.Statement) {
	if p.utf8Mark != nil && s.Version == regfile.Version4 && isHexText(s) {
		p.utf8Mark.hexText = true
	}
}

// finishUTF8Mark offers no fix if REG103 would then report the file: if its version is 4 and it has text in hex data.
func finishUTF8Mark(p *pass, c *Check) {
	if p.utf8Mark == nil {
		return
	}
	found := p.reportFirst(c, &p.utf8Mark.first, "%s", p.utf8Mark.msg)
	if found != nil && !p.utf8Mark.hexText {
		found.fix("save it as UTF-16")
		found.Fix.Encoding = regfile.UTF16LE
	}
}

// isANSI reports whether the file is in a code page, and not in a Unicode encoding.
func isANSI(s *regfile.Statement) bool { return s.Encoding != regfile.UTF16LE && s.Encoding != "UTF-8" }

// sayCodePage remembers that the file has bytes beyond ASCII. The first one may be in a comment, where it does not matter.
func sayCodePage(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.NotASCII {
		p.notASCII = f.Msg
	}
}

// visitCodePage reports the first statement that depends on the code page.
func visitCodePage(p *pass, c *Check, s *regfile.Statement) {
	if s.Version == regfile.Version4 && !p.saidHexCodePage && isHexText(s) {
		if data, _ := p.hexBytes(s); firstBeyondASCII(data) >= 0 {
			p.saidHexCodePage = true
			p.report(c, s, s.Data,
				"the text holds bytes beyond ASCII; Windows reads them in its own ANSI code page; write it with two bytes for each character, below a version 5.00 header")
		}
	}
	if p.notASCII == "" || p.saidCodePage {
		return
	}
	i := firstBeyondASCII(s.Text[:s.Comment.From])
	if s.Kind == regfile.KeyLine {
		i = firstBeyondASCII(s.Text[:s.Name.To])
	}
	if i < 0 {
		return
	}
	p.saidCodePage = true
	_, n := utf8.DecodeRune(s.Text[i:])
	p.report(c, s, regfile.Span{From: i, To: i + n}, "%s; save the file as UTF-16 little-endian", p.notASCII)
}

// firstBeyondASCII returns the index of the first byte that is not ASCII, or -1.
func firstBeyondASCII(text []byte) int {
	i := 0
	for len(text)-i >= 8 && binary.LittleEndian.Uint64(text[i:])&0x8080_8080_8080_8080 == 0 {
		i += 8
	}
	for ; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// visitOldHeader remembers the header, and whether there is text in hex data.
func visitOldHeader(p *pass, _ *Check, s *regfile.Statement) {
	if s.Version != regfile.Version4 || s.Encoding != regfile.UTF16LE {
		return
	}
	if s.Kind == regfile.HeaderLine {
		p.oldHeader = &oldHeaderNote{text: string(s.Text), offset: s.Offset}
	} else if p.oldHeader != nil && len(s.Edits) > 0 && isHexText(s) {
		p.oldHeader.hexText = true
	}
}

// oldHeaderNote is the header REGEDIT4 of a UTF-16 file.
type oldHeaderNote struct {
	text    string
	offset  int64
	hexText bool // the file has text in hex data
}

func finishOldHeader(p *pass, c *Check) {
	h := p.oldHeader
	if h == nil {
		return
	}
	from := len(h.text) - len(regfile.Version4.String())
	found := p.reportAt(c, nil, position(1, from+1), position(1, len(h.text)+1), []byte(h.text),
		"the file is UTF-16 and has the header REGEDIT4; what Windows makes of text in hex data is not known then; write %q", regfile.Version5.String())
	if !h.hexText {
		found.fix("write the header of version 5.00", Change{From: h.offset, To: h.offset + int64(len(h.text)), New: regfile.Version5.String()})
	}
}

func sayDamagedText(p *pass, c *Check, s *regfile.Statement, f *regfile.Fault) {
	if f.Code == regfile.NULInText {
		p.faultAs(c, s, f, "%s; remove it", f.Msg)
		return
	}
	p.faultAs(c, s, f, "%s; complete the text, and save it as UTF-16 little-endian", f.Msg)
}

// visitDamagedText looks for text that was read in the wrong encoding before it was saved in the right one.
func visitDamagedText(p *pass, c *Check, s *regfile.Statement) {
	if isANSI(s) || p.saidDamaged || firstBeyondASCII(s.Text) < 0 {
		return
	}
	text, size := s.Text[:s.Comment.From], 0
	for i := 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRune(text[i:])
		next, n := utf8.DecodeRune(text[i+size:])
		switch {
		case r == utf8.RuneError && size > 1 && !hasFault(s, regfile.InvalidUTF8):
			p.saidDamaged = true
			p.report(c, s, regfile.Span{From: i, To: i + size},
				"there is a U+FFFD here, in place of a character that was lost; Windows imports it as it is; write the character")
			return
		case r == 'Ã' && next >= 0x80 && next <= 0xBF, r == 'â' && next == '€':
			p.saidDamaged = true
			p.report(c, s, regfile.Span{From: i, To: i + size + n},
				"%s looks like UTF-8 that a program read in a code page; Windows imports it as it is; write what was meant", quote(string(r)+string(next)))
			return
		}
	}
}

// endings are the line ends of a file.
type endings struct {
	last  regfile.Ending // of the statement before
	count [4]int         // statements, by regfile.Ending
	line  [4]int         // the first of each
	text  [4]string      // of the first of each
	crcr  int            // the first line that ends with CR CR LF
	by    *Check         // the first of the checks on line ends that runs; it counts for both
}

func visitLineEnd(p *pass, c *Check, s *regfile.Statement) {
	e := &p.endings
	if e.by == nil {
		e.by = c
	}
	if e.by != c {
		return
	}
	// A lone CR is the first of CR CR LF when an empty line with CR LF follows.
	if s.Ending == regfile.CRLF && e.last == regfile.CR && e.crcr == 0 && len(s.Text) == 0 {
		e.crcr = s.Line - 1
	}
	e.last = s.Ending
	if len(s.Raw) > len(s.Text)+2 {
		// The lines of a value mostly end as its last one does.
		lf, cr := bytes.Count(s.Raw, []byte{'\n'}), bytes.Count(s.Raw, []byte{'\r'})
		alike := lf == cr
		switch s.Ending {
		case regfile.LF:
			alike = cr == 0
		case regfile.CR:
			alike = lf == 0
		case regfile.NoEnding:
			alike = lf == cr || lf == 0 || cr == 0
		}
		if !alike {
			number := s.Line
			for line := range linesOf(s.Raw) {
				e.add(endingOf(line), number, trimLineEnd(line))
				number++
			}
			return
		}
	}
	if e.count[s.Ending] == 0 {
		text := trimLineEnd(s.Raw)
		e.add(s.Ending, s.Line+s.Lines()-1, text[bytes.LastIndexAny(text, "\r\n")+1:])
		return
	}
	e.count[s.Ending]++
}

func (e *endings) add(ending regfile.Ending, line int, text []byte) {
	if e.count[ending]++; e.count[ending] == 1 {
		e.line[ending], e.text[ending] = line, excerpt(text)
	}
}

func endingOf(line []byte) regfile.Ending {
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")):
		return regfile.CRLF
	case bytes.HasSuffix(line, []byte("\n")):
		return regfile.LF
	case bytes.HasSuffix(line, []byte("\r")):
		return regfile.CR
	}
	return regfile.NoEnding
}

var endingNames = [...]string{regfile.CRLF: "CR LF", regfile.LF: "LF", regfile.CR: "CR"}

func finishLineEnds(p *pass, c *Check) {
	e := &p.endings
	for _, ending := range []regfile.Ending{regfile.LF, regfile.CR} {
		if e.kinds() == 1 && e.count[ending] > 0 {
			e.report(p, c, ending, e.line[ending], "the lines end with %s alone; Windows reads that, other programs may not; save the file with CR LF", endingNames[ending])
		}
	}
}

// kinds returns how many kinds of line ends the file has.
func (e *endings) kinds() (n int) {
	for _, ending := range []regfile.Ending{regfile.CRLF, regfile.LF, regfile.CR} {
		if e.count[ending] > 0 {
			n++
		}
	}
	return n
}

func (e *endings) report(p *pass, c *Check, ending regfile.Ending, line int, format string, args ...any) {
	text := []byte(e.text[ending])
	p.reportAt(c, nil, position(line, 1), position(line, regfile.Column(text, len(text))), text, format, args...)
}

func finishMixedLineEnds(p *pass, c *Check) {
	e := &p.endings
	switch {
	case e.crcr > 0:
		e.report(p, c, regfile.CR, e.crcr, "this line ends with CR CR LF; Windows reads an empty line behind it; save the file with CR LF")
	case e.kinds() > 1:
		// Report the kind that fewer lines have.
		odd := regfile.CRLF
		for _, ending := range []regfile.Ending{regfile.LF, regfile.CR} {
			if n := e.count[ending]; n > 0 && (e.count[odd] == 0 || n <= e.count[odd]) {
				odd = ending
			}
		}
		e.report(p, c, odd, e.line[odd], "this line ends with %s and others do not; Windows reads that, other programs may not; save the file with CR LF", endingNames[odd])
	}
}

func visitLastLine(p *pass, c *Check, s *regfile.Statement) {
	if s.Ending != regfile.NoEnding || len(s.Raw) == 0 {
		return
	}
	line := s.Raw[bytes.LastIndexAny(s.Raw, "\r\n")+1:]
	at := position(s.Line+s.Lines()-1, regfile.Column(line, len(line)))
	end := s.Offset + int64(len(s.Raw))
	p.reportAt(c, s, at, at, line, "the last line has no line end; Windows reads it, but text that is appended to the file becomes part of it; end the line").
		fix("end the line", Change{From: end, To: end, New: lineEnd(p.ending)})
}

// typographicQuotes are what word processors turn quotes into.
const typographicQuotes = "“”„‟″«»‘’‚‛′"
