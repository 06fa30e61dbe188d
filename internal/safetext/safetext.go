// Package safetext keeps text from an input from steering the program that shows it, such as a terminal, a build log or a JSON viewer.
//
// Whoever makes a registry file chooses the names and data in it. A line break in one can begin a command of a build server, an escape
// sequence can rewrite a terminal, and a direction mark can show a name backwards (CVE-2021-42574).
package safetext

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Steers reports whether a character steers the program that shows it: a control character (C0, DEL, C1), a direction mark, a line or paragraph
// separator, or a noncharacter, which some readers take for the end of the text. Source: Unicode, chapter 23.
func Steers(r rune) bool {
	switch {
	case r < ' ':
		return true
	case r <= '~':
		return false
	case r <= 0x9F:
		return true
	}
	return r == 0x061C || r == 0x200E || r == 0x200F || 0x2028 <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069 ||
		0xFDD0 <= r && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// Line returns s as valid UTF-8 in which characters that steer are escaped as in Go (\x1b, \u202e). Tabs stay, because they belong in a line of
// text.
func Line(s string) string {
	hidden := func(r rune) bool { return Steers(r) && r != '\t' }
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// NewEncoder returns an encoder for JSON that is not embedded in HTML. It escapes characters that steer, so that any viewer can show the
// result; a decoder returns the text as it was.
func NewEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(&escaper{w: w})
	e.SetEscapeHTML(false)
	return e
}

// escaper filters JSON. Each write must hold whole characters, as those of [json.Encoder] do.
type escaper struct {
	w   io.Writer
	buf []byte
}

func (e *escaper) Write(p []byte) (int, error) {
	e.buf = appendEscaped(e.buf[:0], p, func(c byte) bool { return c >= 0x7F }) // package json escaped the characters below
	if _, err := e.w.Write(e.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// AppendJSON appends s, which must be valid UTF-8, as it stands between the quotes of a JSON string.
func AppendJSON(dst []byte, s string) []byte {
	return appendEscaped(dst, s, func(c byte) bool { return c < ' ' || c == '"' || c == '\\' || c > '~' })
}

// appendEscaped appends text with escapes. It looks only at characters whose first byte is special.
func appendEscaped[T []byte | string](dst []byte, text T, special func(byte) bool) []byte {
	from := 0
	for i := 0; i < len(text); {
		if !special(text[i]) {
			i++
			continue
		}
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
		}
		if Steers(r) || r == '"' || r == '\\' {
			dst = appendEscape(append(dst, text[from:i]...), r)
			from = i + n
		}
		i += n
	}
	return append(dst, text[from:]...)
}

func appendEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendEscape(appendEscape(dst, high), low)
	}
	return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
