package lint

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
)

// lineEnd is the text of a line end. Where there is none, Windows' own is written.
func lineEnd(e regfile.Ending) string {
	switch e {
	case regfile.LF:
		return "\n"
	case regfile.CR:
		return "\r"
	}
	return "\r\n"
}

// quote makes text of a file fit for a message.
func quote(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strconv.Quote(hive.Printable(text))
}

// anyOf writes words as people do: a, b or c.
func anyOf(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// trimLineEnd leaves out the line end.
func trimLineEnd(line []byte) []byte {
	n := len(line)
	for n > 0 && (line[n-1] == '\n' || line[n-1] == '\r') {
		n--
	}
	return line[:n]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isHexDigit(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func firstRune(text []byte) rune {
	r, _ := utf8.DecodeRune(text)
	return r
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// hasFault tells whether a statement has a fault of one of the codes.
func hasFault(s *regfile.Statement, codes ...regfile.Code) bool {
	for i := range s.Faults {
		for _, c := range codes {
			if s.Faults[i].Code == c {
				return true
			}
		}
	}
	return false
}

// blanksAt counts the blanks that stand from byte i of a line on.
func blanksAt(line []byte, i int) int {
	n := 0
	for i+n < len(line) && isBlank(line[i+n]) {
		n++
	}
	return n
}

// linesOf gives the lines of a statement with their ends.
func linesOf(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			end := bytes.IndexByte(raw, '\n') + 1
			if end == 0 {
				end = len(raw)
			}
			// A CR ends a line too, unless it stands before the LF.
			if i := bytes.IndexByte(raw[:end], '\r'); i >= 0 && i+1 < end && raw[i+1] != '\n' {
				end = i + 1
			}
			if !yield(raw[:end:end]) {
				return
			}
			raw = raw[end:]
		}
	}
}
