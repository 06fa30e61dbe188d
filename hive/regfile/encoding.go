package regfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"regvet/hive"
)

const (
	utf16LE     = "UTF-16LE"
	utf8BOM     = "UTF-8"
	windows1252 = "windows-1252"
)

// decode gives the text of a file as UTF-8, with lone surrogates kept as package hive keeps them. Windows tells encodings apart by
// the first two bytes alone: FF FE is UTF-16LE, and everything else is text in the ANSI code page. What cannot be a .reg file is
// rejected with the reason.
func decode(data []byte) (text []byte, encoding string, doubts []hive.Problem, reject string) {
	hasNUL := func(i ...int) bool {
		return !slices.ContainsFunc(i, func(i int) bool { return i >= len(data) || data[i] != 0 })
	}
	switch {
	case len(data) == 0:
		return nil, "", nil, "the file is empty; Windows wants at least the line " + header5
	case bytes.HasPrefix(data, []byte("regf")):
		return nil, "", nil, "this is a registry hive, not .reg text; read it as a hive"
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		text = decodeUTF16(data[2:])
		if len(data)%2 != 0 {
			doubts = append(doubts, hive.Problem{Kind: hive.Doubtful, At: place(text, len(text)),
				Msg: "the UTF-16 text ends in the middle of a character; its last byte is ignored"})
		}
		return text, utf16LE, doubts, ""
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}), hasNUL(0, 2) && !hasNUL(1):
		return nil, "", nil, "the text is UTF-16 big-endian, which Windows rejects; save it as UTF-16 little-endian with a byte order mark"
	case hasNUL(1, 3) && !hasNUL(0):
		return nil, "", nil, "the text is UTF-16 without a byte order mark, which Windows rejects; save it as UTF-16 little-endian with one"
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		text = data[3:]
		doubts = append(doubts, hive.Problem{Kind: hive.Doubtful, At: hive.Location{Line: 1, Column: 1},
			Msg: "the text is UTF-8 with a byte order mark, which not every Windows accepts; save it as UTF-16 little-endian"})
		if !utf8.Valid(text) {
			at := firstInvalid(text)
			text = replaceInvalid(text)
			doubts = append(doubts, hive.Problem{Kind: hive.Doubtful, At: place(text, at),
				Msg: "the text is not valid UTF-8 here; each such byte is read as U+FFFD"})
		}
		return text, utf8BOM, doubts, ""
	}
	at := asciiPrefix(data)
	if at == len(data) {
		return data, windows1252, nil, ""
	}
	msg := fmt.Sprintf("the byte %02x is not ASCII; it is read as windows-1252, Windows reads it in its own ANSI code page", data[at])
	if utf8.Valid(data) {
		msg += " (the text seems to be UTF-8, which Windows does not read without a byte order mark)"
	}
	text = decodeANSI(data)
	return text, windows1252, []hive.Problem{{Kind: hive.Doubtful, At: place(text, at), Msg: msg}}, ""
}

// ansi are the characters of the bytes from 80 on in windows-1252. Those that it does not define are control characters for
// Windows (bestfit1252.txt, unicode.org).
var ansi = func() (table [128]rune) {
	for i := range table {
		if table[i] = charmap.Windows1252.DecodeByte(byte(i + 128)); table[i] == utf8.RuneError {
			table[i] = rune(i + 128)
		}
	}
	return table
}()

func decodeANSI(data []byte) []byte {
	text := make([]byte, 0, len(data)+len(data)/8)
	for len(data) > 0 {
		n := asciiPrefix(data)
		text = append(text, data[:n]...)
		if data = data[n:]; len(data) > 0 {
			text = utf8.AppendRune(text, ansi[data[0]-128])
			data = data[1:]
		}
	}
	return text
}

// asciiPrefix counts the ASCII characters that b starts with.
func asciiPrefix(b []byte) int {
	n := 0
	for len(b)-n >= 8 && binary.LittleEndian.Uint64(b[n:])&0x8080_8080_8080_8080 == 0 {
		n += 8
	}
	for n < len(b) && b[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// decodeUTF16 does what [hive.DecodeUTF16] does, for whole files.
func decodeUTF16(b []byte) []byte {
	b = b[:len(b)&^1]
	const step = 4096 // units
	text := make([]byte, 0, len(b)/2)
	for len(b) > 0 {
		room := min(len(b)/2, step)
		text = slices.Grow(text, room)
		n := narrow(text[len(text):len(text)+room], b)
		text, b = text[:len(text)+n], b[2*n:]
		for len(b) > 0 {
			u := rune(binary.LittleEndian.Uint16(b))
			if u < utf8.RuneSelf {
				break
			}
			size := 2
			if utf16.IsSurrogate(u) {
				pair := utf8.RuneError
				if len(b) >= 4 {
					pair = utf16.DecodeRune(u, rune(binary.LittleEndian.Uint16(b[2:])))
				}
				if pair == utf8.RuneError {
					text = append(text, 0xE0|byte(u>>12), 0x80|byte(u>>6)&0x3F, 0x80|byte(u)&0x3F)
					b = b[2:]
					continue
				}
				u, size = pair, 4
			}
			text = utf8.AppendRune(text, u)
			b = b[size:]
		}
	}
	return text
}

// narrow copies the ASCII characters that UTF-16LE text starts with, at most as many as dst has room for, and counts them. Four are
// tested and moved at a time.
func narrow(dst, src []byte) int {
	src = src[:2*len(dst)]
	n := 0
	for len(src)-2*n >= 8 {
		x := binary.LittleEndian.Uint64(src[2*n:])
		if x&0xFF80_FF80_FF80_FF80 != 0 {
			break
		}
		x |= x >> 8
		binary.LittleEndian.PutUint32(dst[n:], uint32(x&0xFFFF|x>>16&0xFFFF_0000))
		n += 4
	}
	for n < len(dst) && src[2*n] < utf8.RuneSelf && src[2*n+1] == 0 {
		dst[n] = src[2*n]
		n++
	}
	return n
}

// appendWide appends UTF-8 text to b as UTF-16LE, as [hive.AppendUTF16] does.
func appendWide[T string | []byte](b []byte, text T) []byte {
	b = slices.Grow(b, 2*len(text))
	n, room := 0, b[len(b):len(b)+2*len(text)]
	for len(text)-n >= 4 {
		x := uint64(text[n]) | uint64(text[n+1])<<16 | uint64(text[n+2])<<32 | uint64(text[n+3])<<48
		if x&0x0080_0080_0080_0080 != 0 {
			break
		}
		binary.LittleEndian.PutUint64(room[2*n:], x)
		n += 4
	}
	for n < len(text) && text[n] < utf8.RuneSelf {
		room[2*n], room[2*n+1] = text[n], 0
		n++
	}
	b = b[:len(b)+2*n]
	if n < len(text) {
		b = hive.AppendUTF16(b, string(text[n:]))
	}
	return b
}

// units counts the UTF-16 units of UTF-8 text.
func units[T string | []byte](text T) int {
	n := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 0xF0:
			n += 2
		case c < 0x80 || c >= 0xC0:
			n++
		}
	}
	return n
}

func firstInvalid(text []byte) int {
	i := 0
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

func replaceInvalid(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/8)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		out = utf8.AppendRune(out, r)
		text = text[n:]
	}
	return out
}
