package lint

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
)

// The checks on style. What they find works.
var (
	pathCase = &Check{
		ID: "REG501", Name: "path-case", Severity: Info, Fix: Safe,
		Title: "A root or a well-known key is not in its usual case",
		Explanation: `Names of keys are the same in any case, so this works. Windows writes the roots in capitals, and SOFTWARE, SYSTEM
and CurrentControlSet as they are written here; people who search or compare files expect that.`,
		Bad: version5(`[hkey_local_machine\Software\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
`),
		visit: visitPathCase, kinds: []regfile.Kind{regfile.KeyLine},
	}

	dataStyle = &Check{
		ID: "REG502", Name: "data-style", Severity: Info,
		Title: "Data are not written as Windows writes them",
		Explanation: `Windows writes hex digits in lower case and no comma after the last byte, breaks hex data after a comma when the
line has 77 characters or more, and starts the next line with two blanks. Other forms work, but only files in the same form can be compared
line by line. Only the first such value of a file is reported.

"regvet fmt" writes all of a file as Windows does.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:0A,0B
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Data"=hex:0a,0b
`),
		visit: visitDataStyle, kinds: []regfile.Kind{regfile.ValueLine}, data: "dh",
	}

	extraBlanks = &Check{
		ID: "REG503", Name: "extra-blanks", Severity: Info, Fix: Safe,
		Title: "There are blanks at the end of a line, or around the equals sign",
		Explanation: `Windows skips blanks at the end of a line and around the =, and writes none. In a file with the header REGEDIT they
count, and are not reported.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled" = dword:00000001
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Example]
"Enabled"=dword:00000001
`),
		visit: visitExtraBlanks, kinds: []regfile.Kind{regfile.BlankLine, regfile.CommentLine, regfile.KeyLine, regfile.ValueLine},
	}

	slashInKey = &Check{
		ID: "REG506", Name: "slash-in-key", Severity: Info, Fix: Unsafe,
		Title: "A key has a slash where a backslash seems to be meant",
		Explanation: `A slash is an ordinary letter in the name of a key, as in "text/html" or "AES 128/128". Here the names on one side
of it are those of well-known keys, so a backslash was probably meant; Windows makes one key with the slash in its name.

Write a backslash.`,
		Bad: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft/Windows\Example]
`),
		Good: version5(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\Example]
`),
		visit: visitSlashInKey, kinds: []regfile.Kind{regfile.KeyLine},
	}
)

// knownNames are the names of well-known keys as Windows writes them, by level below HKEY_LOCAL_MACHINE. Below HKEY_CURRENT_USER it writes
// both Software and SOFTWARE.
var knownNames = [][]string{
	{"SOFTWARE", "SYSTEM", "SAM", "SECURITY", "HARDWARE"},
	{"Microsoft", "Policies", "Classes", "CurrentControlSet"},
	{"Windows", "Windows NT", "Services", "Control"},
	{"CurrentVersion"},
}

func visitPathCase(p *pass, c *Check, s *regfile.Statement) {
	if len(s.Edits) == 0 || hasFault(s, regfile.KeyShortRoot, regfile.KeyBackslashes) {
		return
	}
	name := s.Name.In(s.Text)
	var changes []Change
	from, level := 0, 0
	if n := len(p.usual); n > 0 && len(name) > n && string(name[:n]) == p.usual {
		from, level = n, p.usualNames // as in the key line before
	}
	usual, usualNames := from, level
	for ; level <= len(knownNames) && from <= len(name); level++ {
		part, _, _ := bytes.Cut(name[from:], []byte{'\\'})
		want := ""
		switch {
		case level == 0:
			want = s.Path[0]
		case s.Path[0] != "HKEY_LOCAL_MACHINE" && s.Path[0] != "HKEY_CURRENT_USER":
		case level == 1 && s.Path[0] == "HKEY_CURRENT_USER":
			if want = "Software"; string(part) == "SOFTWARE" || !hive.EqualFold(want, string(part)) {
				want = ""
			}
		default:
			for _, known := range knownNames[level-1] {
				if len(known) == len(part) && hive.EqualFold(known, string(part)) {
					want = known
				}
			}
		}
		if want == "" && level > 0 {
			break // nothing below is known
		}
		if string(part) != want {
			changes = append(changes, change(s, regfile.Span{From: s.Name.From + from, To: s.Name.From + from + len(part)}, want))
		}
		if from += len(part) + 1; from <= len(name) {
			usual, usualNames = from, level+1
		}
	}
	switch {
	case len(changes) > 0:
		p.usual = ""
		span := regfile.Span{From: int(changes[0].From - s.Offset), To: int(changes[0].To - s.Offset)}
		p.report(c, s, span,
			"%s is usually written %s; Windows takes both for the same; write it so", span.In(s.Text), changes[0].New).fix("write it as Windows does", changes...)
	case usual != len(p.usual) || string(name[:usual]) != p.usual:
		p.usual, p.usualNames = string(name[:usual]), usualNames
	}
}

func visitDataStyle(p *pass, c *Check, s *regfile.Statement) {
	if p.saidStyle || len(s.Edits) != 1 || s.Data.Empty() || s.Version == regfile.Windows31 {
		return
	}
	what := ""
	switch data := s.Data.In(s.Text); data[0] {
	case 'd':
		if hasCapital(data[len("dword:"):]) {
			what = "the hex digits are capitals"
		}
	case 'h':
		what = hexStyle(s)
	}
	if what != "" {
		p.saidStyle = true
		p.report(c, s, s.Data, "%s; Windows reads it, but writes it differently; \"regvet fmt\" writes the file as Windows does", what)
	}
}

func hasCapital(digits []byte) bool {
	// Digits, small letters, commas and blanks have a bit that capitals do not have.
	for len(digits) >= 8 && binary.LittleEndian.Uint64(digits)&0x2020_2020_2020_2020 == 0x2020_2020_2020_2020 {
		digits = digits[8:]
	}
	for _, c := range digits {
		if c >= 'A' && c <= 'F' {
			return true
		}
	}
	return false
}

// hexStyle returns how hex data differ from what Windows writes, or "".
func hexStyle(s *regfile.Statement) string {
	if s.Capitals {
		return capitals
	}
	text := s.Text[:s.Data.To]
	beyond := 0
	if firstBeyondASCII(text) >= 0 {
		beyond = len(text) - utf8.RuneCount(text)
	}
	if what := hexLineStyle(text, beyond); what != "" {
		return what
	}
	rest := s.Raw[len(s.Text):]
	if rest = bytes.TrimPrefix(rest, []byte{'\r'}); len(rest) == len(s.Raw)-len(s.Text) || bytes.HasPrefix(rest, []byte{'\n'}) {
		rest = bytes.TrimPrefix(rest, []byte{'\n'})
	}
	for len(rest) >= fullLine && isFullLine(rest[:fullLine]) {
		rest = rest[fullLine:]
	}
	for line := range linesOf(rest) {
		text := trimLineEnd(line)
		text = text[:commentAt(text)]
		if !bytes.HasPrefix(text, []byte("  ")) || len(text) < 3 || isBlank(text[2]) {
			return "the lines of hex data do not start with two blanks"
		}
		if what := hexLineStyle(text, 0); what != "" {
			return what
		}
	}
	return ""
}

const capitals = "the hex digits are capitals"

// hexLineStyle is hexStyle for one line without its comment. beyond is how many more bytes than characters it has.
func hexLineStyle(text []byte, beyond int) string {
	const full = 77 // characters; a line that has as many is broken after the comma
	if n := len(text); isBlank(text[n-1]) {
		text = bytes.TrimRight(text, " \t")
	}
	text, more := bytes.CutSuffix(text, []byte{'\\'})
	if !more && bytes.HasSuffix(text, []byte{','}) {
		return "there is a comma behind the last byte"
	}
	comma := bytes.LastIndexByte(text, ',') + 1
	width := comma - beyond
	switch {
	case more && (comma < len(text) || width < full && comma > 0):
		return "the lines of hex data are broken at unusual places"
	case more && bytes.Count(text[max(0, comma-4):comma], []byte{','}) > 1 && width-3 >= full, !more && width >= full:
		return "the lines of hex data are broken at unusual places"
	}
	return ""
}

// fullLine is the length in bytes of a line in the middle of hex data, as Windows writes it: two blanks, 25 bytes with their commas, a
// backslash and CR LF.
const fullLine = 2 + 25*3 + 3

// isFullLine recognizes such a line. Nearly all lines of an export are.
func isFullLine(line []byte) bool {
	const ends = ",\\\r\n"
	return line[0] == ' ' && line[1] == ' ' && line[2] > ' ' && string(line[fullLine-len(ends):]) == ends &&
		bytes.IndexByte(line, ';') < 0
}

// commentAt returns the index of the semicolon in a line of hex data, or the length of the line.
func commentAt(line []byte) int {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		return i
	}
	return len(line)
}

func visitExtraBlanks(p *pass, c *Check, s *regfile.Statement) {
	if s.Version == regfile.Windows31 || s.Version == regfile.Unsupported {
		return
	}
	if !s.Equals.Empty() {
		span := regfile.Span{From: s.Name.To, To: s.Data.From}
		if span.To-span.From > 1 && !s.Data.Empty() {
			p.report(c, s, span,
				"there are blanks around the =; Windows skips them, and writes none; remove them").fix("remove the blanks", change(s, span, "="))
		}
	}
	if n := len(s.Text); n == 0 || !isBlank(s.Text[n-1]) || hasFault(s, regfile.KeyBracket) {
		return
	}
	span := regfile.Span{From: len(bytes.TrimRight(s.Text, " \t")), To: len(s.Text)}
	p.report(c, s, span, "there are blanks at the end of the line; Windows skips them; remove them").fix("remove the blanks", change(s, span, ""))
}

// knownParts are names of well-known keys, in capitals.
var knownParts = []string{"SOFTWARE", "SYSTEM", "MICROSOFT", "WINDOWS", "WINDOWS NT", "CURRENTVERSION", "POLICIES", "CLASSES", "CURRENTCONTROLSET", "SERVICES",
	"CONTROL", "PARAMETERS", "EXPLORER", "SHELL", "COMMAND"}

func visitSlashInKey(p *pass, c *Check, s *regfile.Statement) {
	name := s.Name.In(s.Text)
	if bytes.IndexByte(name, '/') < 0 || len(s.Edits) == 0 {
		return
	}
	for start := 0; start < len(name); {
		part, _, _ := bytes.Cut(name[start:], []byte{'\\'})
		for _, piece := range strings.Split(string(part), "/") {
			if len(piece) == len(part) || !slices.Contains(knownParts, hive.Fold(piece)) {
				continue
			}
			span := regfile.Span{From: s.Name.From + start, To: s.Name.From + start + len(part)}
			p.report(c, s, span, `%s has a slash, which to Windows is part of the name; write \ if it should separate two names`, quote(string(part))).
				fix(`write \ in place of /`, change(s, span, strings.ReplaceAll(string(part), "/", `\`)))
			return
		}
		start += len(part) + 1
	}
}
