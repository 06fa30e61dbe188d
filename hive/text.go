package hive

import (
	"cmp"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Names and text in the registry are sequences of 16-bit units that need not be valid UTF-16: two keys may differ only in a lone
// surrogate. So that Go strings can hold all names and different names stay different, a lone surrogate is kept as the three bytes that
// UTF-8 would use for its code point if that were allowed (WTF-8: https://wtf-8.codeberg.page). [Printable] makes such a string fit to
// be shown.

const (
	surrogateMin = 0xD800
	surrogateLow = 0xDC00
	surrogateMax = 0xDFFF
)

// DecodeUTF16 returns UTF-16LE bytes as a string. An odd last byte is left out; lone surrogates are kept.
func DecodeUTF16(b []byte) string {
	b = b[:len(b)&^1]
	ascii := true
	for i := 0; i < len(b); i += 2 {
		if b[i+1] != 0 || b[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	var s strings.Builder
	s.Grow(len(b) / 2)
	if ascii {
		for i := 0; i < len(b); i += 2 {
			s.WriteByte(b[i])
		}
		return s.String()
	}
	for i := 0; i < len(b); i += 2 {
		u := rune(binary.LittleEndian.Uint16(b[i:]))
		if utf16.IsSurrogate(u) {
			if i+3 < len(b) {
				if r := utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[i+2:]))); r != utf8.RuneError {
					s.WriteRune(r)
					i += 2
					continue
				}
			}
			s.Write([]byte{0xE0 | byte(u>>12), 0x80 | byte(u>>6)&0x3F, 0x80 | byte(u)&0x3F})
			continue
		}
		s.WriteRune(u)
	}
	return s.String()
}

// decodeLatin1 returns bytes that are code points, the compressed form of names in a hive, as a string.
func decodeLatin1(b []byte) string {
	for i := range b {
		if b[i] >= utf8.RuneSelf {
			var s strings.Builder
			s.Grow(len(b) + 8)
			for _, c := range b {
				s.WriteRune(rune(c))
			}
			return s.String()
		}
	}
	return string(b)
}

// EncodeUTF16 is the inverse of [DecodeUTF16]. A byte that is neither UTF-8 nor part of a lone surrogate becomes U+FFFD.
func EncodeUTF16(s string) []byte { return AppendUTF16(make([]byte, 0, 2*len(s)), s) }

// AppendUTF16 appends s to b as UTF-16LE, see [EncodeUTF16].
func AppendUTF16(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			b = append(b, c, 0)
			i++
			continue
		}
		r, n := decodeRune(s[i:])
		i += n
		if r >= 0x10000 {
			hi, lo := utf16.EncodeRune(r)
			b = append(b, byte(hi), byte(hi>>8), byte(lo), byte(lo>>8))
			continue
		}
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}

// decodeRune is utf8.DecodeRuneInString that also decodes lone surrogates.
func decodeRune(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 && len(s) >= 3 && s[0] == 0xED && s[1]&0xE0 == 0xA0 && s[2]&0xC0 == 0x80 {
		return surrogateMin | rune(s[1]&0x1F)<<6 | rune(s[2]&0x3F), 3
	}
	return r, n
}

// IsPlain reports whether text is visible ASCII and spaces without quotes and backslashes, so that it needs no escapes between quotes in a
// .reg file and in JSON.
func IsPlain(text string) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	odd := uint64(0)
	for len(text) >= 8 {
		x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// For eight bytes at a time: set the high bit of those above 0x7E, and of those from which a subtraction must borrow.
		odd |= x | (x + ones) | (x - ' '*ones) | (quote - ones) | (backslash - ones)
		text = text[8:]
	}
	if odd&high != 0 {
		return false
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			return false
		}
	}
	return true
}

// Printable returns s as valid UTF-8: each lone surrogate, and each byte that is no text, becomes one U+FFFD.
func Printable(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := decodeRune(s[i:])
		if r >= surrogateMin && r <= surrogateMax {
			r = utf8.RuneError
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// Visible returns s fit for a terminal or a report: like [Printable], and with each character that could move the cursor, color the text
// or change its direction as a Go escape (\n, \x1b, \u202e). Names in a hive are under the control of whoever wrote it.
func Visible(s string) string {
	s = Printable(s)
	hidden := func(r rune) bool { return !unicode.IsPrint(r) && r != ' ' }
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if hidden(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Upper returns the upper case of r as Windows compares names. Windows upcases names unit by unit with a table that is older than today's
// Unicode: it agrees with unicode.ToUpper on the BMP except for the code points in unchanged, and changes nothing above the BMP.
// Source: the upcase table of an NTFS volume as Windows 10 writes it, which changes 973 of 65,536 units.
func Upper(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}
	if r >= 0x10000 || unicode.Is(unchanged, r) {
		return r
	}
	if u := unicode.ToUpper(r); u < 0x10000 {
		return u
	}
	return r
}

// Fold returns the form of a name by which Windows compares names: two names are the same if their folded forms are equal.
func Fold(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'a' <= c && c <= 'z' {
			return foldSlow(s)
		}
	}
	return s
}

func foldSlow(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			b = append(b, byte(Upper(rune(c))))
			i++
			continue
		}
		r, n := decodeRune(s[i:])
		if r >= surrogateMin && r <= surrogateMax {
			b = append(b, s[i:i+n]...)
		} else {
			b = utf8.AppendRune(b, Upper(r))
		}
		i += n
	}
	return string(b)
}

// EqualFold reports whether two names are the same to Windows.
func EqualFold(a, b string) bool { return a == b || CompareFold(a, b) == 0 }

// CompareFold compares names as Windows sorts them: by upcased UTF-16 units. The result is negative if a sorts before b, zero if they are the
// same, and positive if a sorts after b.
func CompareFold(a, b string) int {
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] && a[same] < utf8.RuneSelf {
		same++
	}
	a, b = a[same:], b[same:]
	for len(a) > 0 && len(b) > 0 {
		if a[0] < utf8.RuneSelf && b[0] < utf8.RuneSelf {
			if a[0] != b[0] {
				if c := cmp.Compare(Upper(rune(a[0])), Upper(rune(b[0]))); c != 0 {
					return c
				}
			}
			a, b = a[1:], b[1:]
			continue
		}
		ra, na := decodeRune(a)
		rb, nb := decodeRune(b)
		if ra != rb {
			ua, ub := Upper(ra), Upper(rb)
			if ua != ub {
				if ua >= 0x10000 || ub >= 0x10000 {
					return compareUnits(a, b)
				}
				return cmp.Compare(ua, ub)
			}
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

// compareUnits compares the rest of two names if one of them continues with a character above the BMP. Such a character is two units, both
// surrogates. The first sorts before U+E000, and the other name may hold it as a lone surrogate.
func compareUnits(a, b string) int {
	x, y := EncodeUTF16(Fold(a)), EncodeUTF16(Fold(b))
	for i := 0; i < min(len(x), len(y)); i += 2 {
		if c := cmp.Compare(binary.LittleEndian.Uint16(x[i:]), binary.LittleEndian.Uint16(y[i:])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}
