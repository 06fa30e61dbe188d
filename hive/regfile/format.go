package regfile

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"regvet/hive"
)

// FormatOptions says how to read and format a file. The zero value stands for regedit's own form.
type FormatOptions struct {
	Options

	// UTF8 writes files of version 5 in an encoding that version control can compare: UTF-8. If all of the text is ASCII, which Windows
	// reads the same in every code page, there is no byte order mark; otherwise there is one. Without it, Windows would misread every
	// character beyond ASCII; with it, some versions reject the file, which is noticed at once. Line ends stay CR LF or LF as in the first
	// line, because version control may change them in a working copy.
	UTF8 bool
}

// Formatted is what was done to a file.
type Formatted struct {
	Version  Version
	From, To string // the encodings, as in [File], or "ASCII" for an 8-bit file that is all ASCII

	// Left is the number of statements left as they are, and First why the first of them was.
	Left  int
	First hive.Problem
}

// NoForm is the error for a file whose version has no form of its own: one for Windows 3.1, or one of which Windows imports nothing.
// Nothing was written.
type NoForm struct{ Version Version }

// Error returns what the file is.
func (e *NoForm) Error() string {
	if e.Version == Windows31 {
		return "this is a file for Windows 3.1, which regedit does not write; it is left as it is"
	}
	return "Windows imports nothing from this file because of its first line; it is left as it is"
}

// Format writes the file r in the form of an export by regedit and keeps its comments. Windows does the same for it as before.
//
// A file of version 5 becomes UTF-16LE with byte order mark, unless UTF8 is set; one of version 4 keeps its encoding, because its text and
// its hex data are in the same code page. Lines end with CR LF. A blank line follows the header, precedes each key, and ends the file.
// Blank lines between the lines of a section become one, except before its first value, where there is none. Nothing is indented.
//
// A root is spelled as Windows spells it; everything else in a key line stays. Values have no blanks around the =, eight digits after
// dword:, two lowercase digits for each element of hex data, and the shortest form of their type. Lines of hex data end where regedit ends
// them. No byte of hex data is added or removed, not even the NUL that Windows adds to text.
//
// A comment stays where it is: directly above a key, if it was, with the blank line before it; after a key or value, with one blank. The
// comments in the lines of a value that takes several, except those in its last line, become lines above it.
//
// What Windows drops, and what versions of Windows read differently, stays as it is in all of its lines: Format takes no side. Only Windows
// XP and 2000 can see two differences: the last line gets its line end, without which their reg.exe drops it; and text in hex data that
// lacks its NUL, to which they do not always add one, may be wrapped in another place.
//
// The file is read and written one statement at a time, from its start, and twice with UTF8 or without a code page. The error is a
// [*hive.Problem] for a file that Windows rejects, with a character that cannot be read or written, or of which an unknown code page says
// what it holds, and [*NoForm] for one that is not formatted. Nothing is written of a file whose code page is unknown.
func (o FormatOptions) Format(w io.Writer, r io.ReadSeeker) (Formatted, error) {
	f := formatter{options: o, w: w, end: "\r\n"}
	if o.UTF8 || o.CodePage == nil {
		if f.ascii, f.guess, f.err = o.ascii(r); f.err != nil {
			return f.Formatted, f.err
		}
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return f.Formatted, err
	}
	f.parser = newParser(o.Options, r, f.statement)
	if f.parser.scan(); f.err == nil {
		f.err = f.parser.err
	}
	if f.err == nil {
		f.finish()
	}
	return f.Formatted, f.err
}

// ascii reports whether all characters of a file are ASCII. If others are in an unknown code page, it returns what is wrong.
func (o FormatOptions) ascii(r io.ReadSeeker) (ascii bool, guess *hive.Problem, err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return false, nil, err
	}
	l := newLines(o.Options, r)
	if _, reject := l.open(); reject != "" || !o.UTF8 && !InPage(l.encoding) {
		return true, nil, nil // Format reports what is wrong when it reads the file, and needs to know no more of Unicode
	}
	for l.next() {
		if i := asciiPrefix(l.line); i < len(l.line) {
			if l.ask != "" {
				guess = &hive.Problem{At: l.at(i), Kind: hive.BadText, Msg: l.ask + "; give --codepage"}
			}
			return false, guess, nil
		}
		l.mark = l.pos
	}
	return true, nil, l.err
}

// formatter formats one file.
type formatter struct {
	Formatted
	options FormatOptions
	parser  *parser
	w       io.Writer
	err     error

	out     []byte // text not written yet
	encoded []byte
	end     string        // of lines
	ascii   bool          // known only with UTF8, or if the code page is not known
	guess   *hive.Problem // a character whose code page is not known
	beyond  bool          // an 8-bit file has characters beyond ASCII

	last  Kind // of the statement before
	blank bool // a blank line was read after it
	open  bool // it is hex data, left as they are, that may wait for another line

	// Comments that may belong to the next key, as they will be written, and whether there is a blank line before them.
	held      []byte
	heldBlank bool
}

// statement formats the next statement and reports whether to go on.
func (f *formatter) statement(s *Statement) bool {
	for _, fault := range s.Faults {
		switch code := fault.Code; {
		case code.Rejects(), code == InvalidUTF8, code == OddLength, code == NotInCodePage:
			f.err = &fault.Problem
			return false
		case code == NotASCII:
			f.beyond = true
		}
	}
	if s.Kind == HeaderLine {
		return f.header(s)
	}
	if s.Frozen && f.To == s.Encoding && f.To != utf8BOM {
		f.err = &hive.Problem{At: hive.Location{Line: s.Line, Column: 1}, Kind: hive.BadText, Msg: fmt.Sprintf(
			"there is a character here that %s has twice, and the bytes of the file are not those with which it is written; save the file as UTF-16 first", f.To)}
		return false
	}
	f.open = false
	left := isLeft(s)
	if left {
		f.left(s)
	}
	switch {
	case s.Kind == BlankLine && !left:
		f.release()
		f.blank = true
		return true
	case s.Kind == CommentLine, s.Kind == StrayLine && bytes.HasPrefix(trimmed(s.Text), []byte("#")):
		if len(f.held) == 0 {
			f.heldBlank = f.blank
		}
		text := s.Text
		if !left {
			text = trimmed(s.Comment.In(s.Text))
		}
		f.held = append(append(f.held, text...), f.end...)
		f.blank = false
		return true
	case s.Kind == KeyLine && len(f.held) > 0:
		f.heldBlank = true
		f.release()
	default:
		f.release()
		f.gap(s.Kind, f.blank)
	}
	switch {
	case left:
		f.raw(s)
	case s.Kind == KeyLine:
		f.key(s)
	default:
		f.value(s)
	}
	f.last, f.blank = s.Kind, false
	if len(f.out) >= pieceSize {
		f.write()
	}
	return f.err == nil
}

// header chooses the encoding and writes the first line.
func (f *formatter) header(s *Statement) bool {
	f.Version = s.Version
	f.From, f.To = s.Encoding, utf16LE
	switch {
	case f.guess != nil:
		f.err = f.guess
		return false
	case s.Version == Windows31 || s.Version == Unsupported:
		f.err = &NoForm{s.Version}
		return false
	case s.Version == Version4:
		f.To = s.Encoding
	case f.options.UTF8 && f.ascii:
		f.To = f.parser.page.String()
	case f.options.UTF8:
		f.To = utf8BOM
	}
	if f.options.UTF8 && f.To != utf16LE && s.Ending == LF {
		f.end = "\n"
	}
	switch f.To {
	case utf16LE:
		f.encoded = append(f.encoded, 0xFF, 0xFE)
	case utf8BOM:
		f.encoded = append(f.encoded, 0xEF, 0xBB, 0xBF)
	}
	if isLeft(s) {
		f.left(s)
		f.out = append(append(f.out, s.Text...), f.end...)
	} else {
		f.out = append(append(f.out, s.Version.String()...), f.end...)
	}
	f.last = HeaderLine
	return true
}

// isLeft reports whether a statement stays as it is: Windows drops it, or versions of Windows read it differently. Faults of the lines
// above it, or about the code page of bytes that do not change, do not count.
func isLeft(s *Statement) bool {
	for _, fault := range s.Faults {
		if fault.Code >= NULInText && fault.Code != NoKeyOpen && fault.Code != DeletedWithKey && fault.Code != Misplaced && fault.Code != HexCodePage {
			return true
		}
	}
	return s.Kind == ValueLine && len(s.Edits) == 0 || s.Kind == StrayLine
}

// left counts a statement that stays as it is.
func (f *formatter) left(s *Statement) {
	if f.Left++; f.First.Msg != "" {
		return
	}
	for _, fault := range s.Faults {
		if fault.Code >= NULInText {
			f.First = fault.Problem
			return
		}
	}
}

// gap writes the blank line before a statement, or before the comments above a key, if there is to be one.
func (f *formatter) gap(kind Kind, blank bool) {
	if f.last == HeaderLine || kind == KeyLine || blank && !(f.last == KeyLine && kind == ValueLine) {
		f.out = append(f.out, f.end...)
	}
}

// release writes the comments that were held back.
func (f *formatter) release() {
	if len(f.held) == 0 {
		return
	}
	f.gap(CommentLine, f.heldBlank)
	f.put(f.held)
	f.held, f.last = f.held[:0], CommentLine
}

// finish writes the end of the file. After hex data that may wait for another line, it adds nothing.
func (f *formatter) finish() {
	f.release()
	if !f.open {
		f.out = append(f.out, f.end...)
	}
	f.write()
	for _, name := range []*string{&f.From, &f.To} {
		if *name == f.parser.page.String() && !f.beyond {
			*name = "ASCII"
		}
	}
}

// put appends text that may be very long.
func (f *formatter) put(text []byte) {
	for len(text) > pieceSize {
		n := pieceSize
		for n > 1 && !utf8.RuneStart(text[n]) {
			n--
		}
		f.out = append(f.out, text[:n]...)
		text = text[n:]
		f.write()
	}
	f.out = append(f.out, text...)
}

// write writes the buffer.
func (f *formatter) write() {
	ok := true
	switch f.To {
	case utf16LE:
		f.encoded = appendWide(f.encoded, f.out)
	case utf8BOM:
		f.encoded = append(f.encoded, f.out...)
		ok = utf8.Valid(f.out)
	default:
		f.encoded, ok = f.parser.page.encode(f.encoded, f.out)
	}
	if !ok && f.err == nil {
		f.err = &hive.Problem{Kind: hive.BadText, Msg: fmt.Sprintf("there is text in the file that cannot be written as %s", f.To)}
	}
	if f.err == nil {
		_, f.err = f.w.Write(f.encoded)
	}
	f.out, f.encoded = f.out[:0], f.encoded[:0]
}
