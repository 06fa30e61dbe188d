package regfile

import (
	"bytes"
	"iter"
	"strings"

	"regvet/hive"
)

// Statement is one line of a file or, for hex data that continue, several. It is valid until the next one is read.
type Statement struct {
	Kind     Kind
	Version  Version // of the file; unknown before its first line
	Encoding string  // of the file, as in [File]; "" if it has none
	Line     int     // number of its first line, from 1
	Offset   int64   // of its first byte in the text of the file in UTF-8, without byte order mark
	Text     []byte  // its first line, without line end
	Raw      []byte  // all of its lines, with their line ends
	Ending   Ending  // of its last line

	Deletes bool        // [-KEY] of a key line, or of a line that was meant as one; =- of a value
	Edits   []hive.Edit // what Windows does for it; none if it drops the line. A line of a Windows 3.1 file makes two
	Path    hive.Path   // of the key that the line names or the value belongs to, or nil. Must not be changed
	Faults  []Fault     // what is wrong with it, in the order of the text

	// The parts of a key line or a value in Text, as far as they were read. A missing part is empty.
	Name    Span // of a key: what stands, or should stand, between the brackets, without the -. Of a value: its name with the quotes, or the @
	Equals  Span // of a value
	Data    Span // of a value: what follows the =, without a comment. It may continue in other lines
	Comment Span // from the ; on

	Capitals bool // its hex data have uppercase digits

	// Frozen reports whether the bytes of its lines must stay as they are: the code page of some is a guess ([Options.CodePage]), or they
	// would not be the same if their text were written again.
	Frozen bool
}

// Lines returns the number of lines of the statement.
func (s *Statement) Lines() int {
	n := 0
	for range s.lines() {
		n++
	}
	return n
}

// lines returns the lines of the statement, each with its ending.
func (s *Statement) lines() iter.Seq2[[]byte, Ending] {
	return func(yield func([]byte, Ending) bool) {
		l := lines{decoder: decoder{ended: true}, text: s.Raw, lf: -1, cr: -1}
		for l.next() && yield(l.line, l.ending) {
		}
	}
}

// ValueName returns the name of the value that the statement is about, or "" for the default value. For a line that Windows drops, it is
// the apparent name.
func (s *Statement) ValueName() string {
	if n := len(s.Edits); n > 0 {
		return s.Edits[n-1].Value.Name
	}
	name := bytes.Trim(s.Name.In(s.Text), `"`)
	if string(name) == "@" {
		return ""
	}
	return unescape.Replace(string(name))
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

// Kind is what a line is.
type Kind int

// The kinds of lines.
const (
	HeaderLine  Kind = iota
	BlankLine        // nothing but spaces and tabs
	CommentLine      // starts with a semicolon
	KeyLine          // starts with a bracket
	ValueLine        // starts with a quote or @; of a Windows 3.1 file, with the root
	StrayLine        // anything else: Windows skips it
)

// Span is a part of a line, in bytes: from From up to, but without, To.
type Span struct{ From, To int }

// In returns that part of a line.
func (s Span) In(line []byte) []byte { return line[s.From:s.To] }

// Empty reports whether the span is empty.
func (s Span) Empty() bool { return s.From >= s.To }

// Ending is how a line ends.
type Ending int

// The line ends, all of which Windows accepts.
const (
	NoEnding Ending = iota // the end of the file
	CRLF
	LF
	CR
)

// Fault is something wrong with a statement.
type Fault struct {
	hive.Problem // where and what it is, and whether it loses data
	Code         Code
	Offset       int64 // of its place, in bytes of the text of the file
}

// Code identifies the kind of a fault for programs.
type Code int

// The faults of a whole file. For those up to Binary, Windows rejects the file and reads nothing of it.
const (
	EmptyFile         Code = iota + 1
	HiveFile               // it is a registry hive
	BigEndian              // UTF-16 in the wrong byte order
	NoByteOrderMark        // UTF-16 without one
	HeaderEmpty            // the first line is empty
	HeaderBlanks           // blanks after the header
	HeaderCase             // the header in another case
	HeaderUnknown          // another first line
	Binary                 // no text at all
	HeaderUnsupported      // Windows accepts the header and imports nothing
	UTF8ByteOrderMark      // which not every Windows accepts
	InvalidUTF8            // in a file with that mark
	OddLength              // UTF-16 that ends in the middle of a unit
	NotASCII               // a byte whose meaning depends on the code page
	NotInCodePage          // a byte that the code page does not define
)

// The faults of lines.
const (
	NULInText      Code = iota + 101 // the rest of the line is not read
	HashLine                         // # instead of ;
	StrayText                        // neither key nor value nor comment
	RootIn31                         // a line of a Windows 3.1 file whose root is not in capitals
	KeyBracket                       // the closing bracket of a key line is missing
	KeyBlank                         // a blank after the [ or the [-
	KeyUnopened                      // a key without the opening bracket, or with something before it
	KeyNoRoot                        // no root is named
	KeyRoot                          // there is no such root
	KeyTooLong                       // a name of more than 255 characters
	KeyTooDeep                       // more than 512 levels
	KeyShortRoot                     // HKLM for HKEY_LOCAL_MACHINE
	KeyBackslashes                   // several backslashes in a row
	KeyDeletesRoot
)

// The faults of values.
const (
	NoKeyOpen       Code = iota + 201
	DeletedWithKey       // a value is deleted below the line that deletes its key
	Misplaced            // the key line above the value is dropped, so that it goes to another key
	NameUnclosed         // the closing quote of the name is missing
	NameEscape           // a backslash in the name that is not written \\
	NameTooLong          // more than 16,383 characters
	NoEquals             // no = after the name
	NoData               // nothing after the =
	UnknownData          // data in a form that Windows does not know
	BehindDelete         // something after =-
	TextUnclosed         // the closing quote of the text is missing
	TextEscape           // a backslash in the text that is not written \\
	BehindText           // something after the closing quote
	DWordNoDigits        // dword data that do not start with a hex digit
	DWordTooLong         // more than eight digits
	BehindDWord          // something after the digits
	HexType              // the type in hex(N): is not one
	HexEmpty             // an empty element
	HexDigit             // a character that is no hex digit
	HexTooLong           // an element of more than two digits
	HexOneDigit          // an element of one digit
	HexBlank             // a blank between elements
	HexNoComma           // no comma before the backslash
	HexNoSeparator       // something other than a comma after an element
	BehindHex            // something after the backslash
	HexNotContinued      // the line that should continue the value does not
	HexEndsInFile        // there is no line that continues the value
	HexCodePage          // text in hex data that depends on the code page
	SwallowedKey         // a key line that Windows takes for the continuation of a value
	SwallowedValue       // a value, likewise
)

// Rejects reports whether Windows rejects a whole file for this fault.
func (c Code) Rejects() bool { return c <= Binary }
