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

// lineEnd returns the text of a line end, and CR LF for none.
func lineEnd(e regfile.Ending) string {
	switch e {
	case regfile.LF:
		return "\n"
	case regfile.CR:
		return "\r"
	}
	return "\r\n"
}

// quote returns text of a file in quotes, for a message.
func quote(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strconv.Quote(hive.Printable(text))
}

// anyOf joins words as people do: a, b or c.
func anyOf(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// trimLineEnd returns a line without its line end.
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

// hasFault reports whether a statement has a fault with one of the codes.
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

// blanksAt returns the number of blanks at byte i of a line.
func blanksAt(line []byte, i int) int {
	n := 0
	for i+n < len(line) && isBlank(line[i+n]) {
		n++
	}
	return n
}

// linesOf returns the lines of a statement with their line ends.
func linesOf(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(raw) > 0 {
			end := bytes.IndexByte(raw, '\n') + 1
			if end == 0 {
				end = len(raw)
			}
			// A CR ends a line too, unless it is followed by LF.
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
