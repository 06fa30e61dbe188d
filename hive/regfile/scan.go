package regfile

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"regvet/hive"
)

// Options says how to read a file. The zero value is for files of which nothing more is known.
type Options struct {
	// CodePage is that of files without a byte order mark, and of text in the hex data of version 4. If it is nil, it is not known: such a
	// file is read in windows-1252, which is a guess, and nothing writes a line that depends on it.
	CodePage *CodePage
}

func (o Options) page() *CodePage {
	if o.CodePage == nil {
		return western()
	}
	return o.CodePage
}

// Scan reads a .reg file statement by statement, as Windows imports it, and holds no more than one of them. A file that Windows rejects as
// a whole yields one statement, with a fault that says so ([Code.Rejects]). An error is that of r, and ends the sequence.
func (o Options) Scan(r io.Reader) iter.Seq2[*Statement, error] { return o.scan(r, false) }

// ScanPastHeader is [Options.Scan], but goes on below a first line for which Windows imports nothing, if that was meant as a header or there
// is none: as if the header were right. The statement of the first line has the fault; if it is a key line, a second statement has it again.
func (o Options) ScanPastHeader(r io.Reader) iter.Seq2[*Statement, error] { return o.scan(r, true) }

func (o Options) scan(r io.Reader, past bool) iter.Seq2[*Statement, error] {
	return func(yield func(*Statement, error) bool) {
		p := newParser(o, r, func(s *Statement) bool { return yield(s, nil) })
		p.past = past
		if p.scan() && p.err != nil {
			yield(nil, p.err)
		}
	}
}

// parser reads one file.
type parser struct {
	lines
	st    Statement
	width int // of the first line of st
	yield func(*Statement) bool
	tells func(key hive.Path, loss bool) bool // reports whether to describe a fault; nil for always

	path hive.Path // of the open key, or nil
	last hive.Path // of the last key line

	past      bool // see [Options.ScanPastHeader]
	doubled   bool // the path that was split last has several backslashes in a row
	orphaned  bool // values without a key were reported, or need not be
	redundant bool // deletions of values below the line that deletes their key were reported
	misplaced bool // a key line was dropped: the values below go to the key above it
	surely    bool // that is known of Windows
	broken    bool // hex data were dropped: lines of bytes that follow belong to them
	ansiDoubt bool // text in hex data that depends on the code page was reported

	doubtful Fault // what versions of Windows may read differently in the current value; its code is 0 for nothing

	*memory
}

func newParser(o Options, r io.Reader, yield func(*Statement) bool) *parser {
	return &parser{lines: newLines(o, r), yield: yield, memory: newMemory()}
}

// scan passes all statements to yield, and reports whether yield took all of them.
func (p *parser) scan() bool {
	if code, why := p.open(); why != "" {
		return p.reject(code, why)
	}
	if p.err != nil {
		return true
	}
	if !p.begin() {
		p.line, p.number = nil, 1
	}
	version, code, why := readHeader(p.line)
	if why != "" {
		if p.hasNUL && p.encoding == p.page.String() {
			code, why = Binary, "this is a binary file, not .reg text; Windows rejects it"
		}
		meant := p.past && code != Binary
		if meant {
			version, meant = meantVersion(p.line)
		}
		again := bytes.HasPrefix(p.line[blanks(p.line, 0):], []byte("["))
		return p.reject(code, why) && (!meant || p.goOn(version, again))
	}
	p.st.Kind, p.st.Version = HeaderLine, version
	if version == Unsupported {
		p.fault(HeaderUnsupported, hive.BadText, 0, nil, true, "Windows accepts the first line %s but imports nothing from the file; write %q",
			inQuotes(p.line), header5)
		if meant, ok := meantVersion(p.line); ok && p.past {
			return p.finish() && p.goOn(meant, false)
		}
	}
	return p.finish() && p.rest()
}

// rest passes the statements below the first line, or below the current one, to yield, and reports whether yield took all of them.
func (p *parser) rest() bool {
	for p.begin() {
		p.read()
		if !p.finish() {
			return false
		}
	}
	return len(p.pending) == 0 || p.end()
}

// goOn reads the file as one of a version, although its first line says otherwise. If that is a key line, it is read again.
func (p *parser) goOn(version Version, again bool) bool {
	if again {
		p.pos, p.number = p.mark, 0
		p.lf, p.cr = -1, -1
	}
	p.st.Version = version
	return p.rest()
}

// meantVersion returns the version of a header that is not written as Windows reads it, or of a file that starts without one. It reports
// whether the line is such a one.
func meantVersion(line []byte) (version Version, meant bool) {
	text := strings.ToLower(strings.TrimSpace(string(line[:min(len(line), 100)])))
	text = strings.TrimLeft(text, "\ufeff\u200b")
	switch {
	case strings.HasPrefix(text, "regedit"):
		if strings.Contains(text, "5") {
			return Version5, true
		}
		return Version4, true
	case text == "", strings.HasPrefix(text, ";"), strings.Contains(text, "registry editor"), strings.HasPrefix(text, "[hkey_"), strings.HasPrefix(text, "[-hkey_"):
		return Version5, true
	}
	return 0, false
}

// read reads the statement at whose first line begin stopped.
func (p *parser) read() {
	switch p.st.Version {
	case Unsupported:
		p.st.Kind = StrayLine
	case Windows31:
		p.line31()
	default:
		p.statement()
	}
}

// begin goes to the first line of the next statement and reports whether there is one.
func (p *parser) begin() bool {
	p.mark = p.pos
	s := &p.st
	clear(s.Edits) // their data may be large
	version, edits, faults := s.Version, s.Edits[:0], s.Faults[:0]
	*s = Statement{}
	s.Kind, s.Version, s.Encoding, s.Path, s.Edits, s.Faults = BlankLine, version, p.encoding, p.path, edits, faults
	if !p.next() {
		return false
	}
	p.width = len(p.line)
	p.st.Line, p.st.Offset = p.number, p.base+int64(p.start)
	p.odd()
	p.st.Comment = Span{len(p.line), len(p.line)}
	return true
}

// nextLine goes to the next line of a statement.
func (p *parser) nextLine() bool {
	if !p.next() {
		return false
	}
	p.odd()
	return true
}

// odd reports what is odd about the text of the current line. What Windows does with a NUL in it is unknown; it probably ends the line.
func (p *parser) odd() {
	behind := p.base + int64(p.pos)
	if p.ending == NoEnding {
		behind++ // what is odd at the end of the file belongs to this line
	}
	for len(p.pending) > 0 && p.pending[0].offset < behind {
		p.tellDoubt()
	}
	if !p.hasNUL {
		return
	}
	if i := bytes.IndexByte(p.line, 0); i >= 0 {
		lost := len(bytes.Trim(p.line[i:], "\x00 \t")) > 0
		p.fault(NULInText, hive.Doubtful, i, p.path, lost, "there is a NUL character here; what Windows makes of it is not known, regvet ignores the rest of the line")
		p.line = p.line[:i]
	}
}

// tellDoubt reports the first doubt about the encoding.
func (p *parser) tellDoubt() {
	d := p.pending[0]
	p.pending = p.pending[1:]
	p.fault(d.code, hive.Doubtful, int(d.offset-p.base)-p.start, nil, false, "%s", d.msg)
}

// finish passes the current statement to yield, and reports whether to go on.
func (p *parser) finish() bool {
	p.st.Raw = p.text[p.mark:p.pos:p.pos]
	p.st.Text = p.st.Raw[:p.width:p.width]
	p.st.Ending = p.ending
	p.st.Frozen = p.ask != "" && asciiPrefix(p.st.Raw) < len(p.st.Raw)
	for behind := p.base + int64(p.pos); len(p.altered) > 0 && p.altered[0] < behind; p.altered = p.altered[1:] {
		p.st.Frozen = true
	}
	return p.yield(&p.st)
}

// end yields an empty statement for what is odd after the last line.
func (p *parser) end() bool {
	p.number++
	p.line, p.start, p.width, p.ending = nil, p.pos, 0, NoEnding
	p.st.Line, p.st.Offset = p.number, p.base+int64(p.pos)
	for len(p.pending) > 0 {
		p.tellDoubt()
	}
	return p.finish()
}

// reject yields the one statement of a file that Windows does not read.
func (p *parser) reject(code Code, why string) bool {
	p.st = Statement{Kind: HeaderLine, Encoding: p.encoding, Line: 1, Faults: p.st.Faults[:0]}
	p.number, p.start = 1, p.mark
	p.fault(code, hive.BadText, 0, nil, true, "%s", why)
	return p.finish()
}

// statement reads a line of a file of version 4 or 5, and those that continue it.
func (p *parser) statement() {
	i := blanks(p.line, 0)
	if i == len(p.line) {
		return
	}
	switch c := p.line[i]; {
	case c == ';':
		p.st.Kind, p.st.Comment = CommentLine, Span{i, len(p.line)}
	case c == '[':
		p.st.Kind, p.broken = KeyLine, false
		p.keyLine(i)
	case c == '"' || c == '@':
		p.st.Kind, p.broken = ValueLine, false
		p.valueLine(i)
	case p.broken && onlyBytes(p.line[i:]):
		p.st.Kind = StrayLine
	default:
		p.broken = false
		p.stray(i)
	}
}

// onlyBytes reports whether a line looks like hex data, or the rest of them.
func onlyBytes(line []byte) bool {
	for i, c := range line {
		switch {
		case c == ';':
			return true
		case nibble[c] > 15 && c != ',' && c != '\\' && !isBlank(c), i > 1 && nibble[c]|nibble[line[i-1]]|nibble[line[i-2]] < 16:
			return false
		}
	}
	return true
}

func (p *parser) stray(i int) {
	p.st.Kind = StrayLine
	if p.st.Version != Windows31 && p.unopened(i) {
		return
	}
	if p.line[i] == '#' {
		p.fault(HashLine, hive.StrayLine, i, nil, false, "a comment starts with ;, not #; Windows skips this line as it skips any that it does not know")
		return
	}
	p.fault(StrayText, hive.StrayLine, i, nil, false, "this is neither a key nor a value nor a comment; Windows skips this line")
}

func (p *parser) edit(e hive.Edit) { p.st.Edits = append(p.st.Edits, e) }

// fault reports what is wrong at byte i of the current line; key is nil if no key is in doubt.
func (p *parser) fault(code Code, kind hive.Kind, i int, key hive.Path, loss bool, format string, args ...any) {
	if p.tells != nil && !p.tells(key, loss) {
		return
	}
	p.st.Faults = append(p.st.Faults, Fault{
		Problem: hive.Problem{At: p.at(i), Kind: kind, Msg: fmt.Sprintf(format, args...), Key: key, Loss: loss},
		Code:    code,
		Offset:  p.base + int64(p.start+i),
	})
}

// readHeader reads the version from the first line, or returns why Windows rejects the file.
func readHeader(line []byte) (version Version, code Code, reject string) {
	line = line[blanks(line, 0):]
	want := fmt.Sprintf("must be %q or %q", header5, header4)
	switch trimmed := bytes.TrimSpace(line); {
	case string(line) == header5:
		return Version5, 0, ""
	case string(line) == header4:
		return Version4, 0, ""
	case string(line) == header31:
		return Windows31, 0, ""
	case bytes.HasPrefix(line, []byte(header31)):
		return Unsupported, 0, ""
	case len(line) == 0:
		return 0, HeaderEmpty, "the first line is empty; Windows rejects the file, its first line " + want
	case string(trimmed) == header5:
		return 0, HeaderBlanks, "there are blanks at the end of the first line; Windows rejects the file, remove them"
	case bytes.EqualFold(trimmed, []byte(header5)), bytes.EqualFold(trimmed, []byte(header4)), bytes.EqualFold(trimmed, []byte(header31)):
		return 0, HeaderCase, fmt.Sprintf("the first line %s is not in the right case; Windows rejects the file, the line %s", inQuotes(line), want)
	}
	return 0, HeaderUnknown, fmt.Sprintf("the first line is %s; Windows rejects the file, the line %s", inQuotes(line), want)
}

// shown returns text of a file for a message: at most 60 characters, all of them visible.
func shown[T string | []byte](text T) string {
	const most = 60
	s := []rune(hive.Printable(string(text[:min(len(text), 4*most)])))
	if len(s) > most {
		s = append(s[:most], '…')
	}
	for i, c := range s {
		if !unicode.IsPrint(c) {
			s[i] = utf8.RuneError
		}
	}
	return string(s)
}

func inQuotes(text []byte) string { return `"` + shown(text) + `"` }
