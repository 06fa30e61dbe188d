package regfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"regvet/hive"
)

// The encodings of files. All others have the name of a code page.
const (
	utf16LE = "UTF-16LE"
	utf8BOM = "UTF-8"
)

// decoder returns the text of a file as UTF-8, piece by piece. Lone surrogates are kept as package hive keeps them. Windows recognizes an
// encoding by the first two bytes alone: FF FE is UTF-16LE, and everything else is text in the ANSI code page.
type decoder struct {
	r        io.Reader
	page     *CodePage
	unknown  bool   // the code page is not known; page is a guess
	ask      string // what is wrong with the first character that depends on the guess, or ""
	encoding string
	piece    []byte // a buffer for reading
	in       []byte // the part of it that is not decoded yet
	taken    int    // the length of the part that is
	from     place  // where that part begins
	ended    bool
	err      error   // of r
	written  int64   // bytes of text returned so far
	hasNUL   bool    // somewhere in the text returned so far
	pending  []doubt // not reported yet, in the order of the text
	doubted  []Code  // the codes of all doubts so far
	altered  []int64 // places of characters that would not be written with the same bytes again, at least one in each line that has any
	odd      []int   // the same in the piece being decoded, a buffer
}

// doubt is something odd about the encoding, at a place of the text. Each kind is reported once.
type doubt struct {
	code   Code
	offset int64 // in the text
	msg    string
}

// pieceSize is the number of bytes to read at once. A piece fits into the cache of a processor.
const pieceSize = 64 << 10

// open looks at the first bytes. If this cannot be a .reg file, it returns the code and the reason.
func (d *decoder) open() (code Code, reject string) {
	if d.piece == nil {
		d.piece = make([]byte, pieceSize)
	}
	n, err := io.ReadFull(d.r, d.piece[:4])
	d.in = d.piece[:n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err, d.ended = nil, true
	}
	if d.err = err; err != nil {
		d.ended = true
		return 0, ""
	}
	hasNUL := func(i ...int) bool {
		return !slices.ContainsFunc(i, func(i int) bool { return i >= n || d.in[i] != 0 })
	}
	switch {
	case n == 0:
		return EmptyFile, "the file is empty; Windows wants at least the line " + header5
	case bytes.HasPrefix(d.in, []byte("regf")):
		return HiveFile, "this is a registry hive, not .reg text; \"regvet check\" reads hives"
	case bytes.HasPrefix(d.in, []byte{0xFF, 0xFE}):
		d.encoding, d.in = utf16LE, d.in[2:]
	case bytes.HasPrefix(d.in, []byte{0xFE, 0xFF}), hasNUL(0, 2) && !hasNUL(1):
		return BigEndian, "the text is UTF-16 big-endian, which Windows rejects; save it as UTF-16 little-endian with a byte order mark"
	case hasNUL(1, 3) && !hasNUL(0):
		return NoByteOrderMark, "the text is UTF-16 without a byte order mark, which Windows rejects; save it as UTF-16 little-endian with one"
	case bytes.HasPrefix(d.in, []byte{0xEF, 0xBB, 0xBF}):
		d.encoding, d.in = utf8BOM, d.in[3:]
		d.doubt(UTF8ByteOrderMark, 0, "the text is UTF-8 with a byte order mark, which not every Windows accepts; save it as UTF-16 little-endian")
	default:
		d.encoding = d.page.String()
	}
	d.from.offset = int64(n - len(d.in))
	return 0, ""
}

// more appends a piece of the text.
func (d *decoder) more(text []byte) []byte {
	left := copy(d.piece, d.in)
	n := left
	if !d.ended {
		read, err := io.ReadFull(d.r, d.piece[left:])
		n += read
		if err != nil {
			d.ended = true
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				d.err = err
			}
		}
	}
	known := len(text)
	d.in = d.piece[:n]
	d.from = place{d.written, d.from.offset + int64(d.taken)}
	switch d.encoding {
	case utf16LE:
		text = d.wide(text)
	case utf8BOM:
		text = d.utf8(text)
	default:
		text = d.ansi(text)
	}
	d.taken = n - len(d.in)
	d.hasNUL = d.hasNUL || bytes.IndexByte(text[known:], 0) >= 0
	d.written += int64(len(text) - known)
	return text
}

// doubt notes something odd, i bytes after the text returned so far.
func (d *decoder) doubt(code Code, i int, msg string) {
	if !d.doubts(code) {
		d.doubted = append(d.doubted, code)
		d.pending = append(d.pending, doubt{code, d.written + int64(i), msg})
	}
}

// doubts reports whether something odd of this kind was noted.
func (d *decoder) doubts(code Code) bool { return slices.Contains(d.doubted, code) }

func (d *decoder) wide(text []byte) []byte {
	known, whole := len(text), len(d.in)&^1
	if !d.ended && whole > 0 && d.in[whole-1]&0xFC == 0xD8 {
		whole -= 2 // the other half of a surrogate pair may follow
	}
	text = appendNarrow(text, d.in[:whole])
	d.in = d.in[whole:]
	if d.ended && len(d.in) > 0 {
		d.in = nil
		d.doubt(OddLength, len(text)-known, "the UTF-16 text ends in the middle of a character; its last byte is ignored")
	}
	return text
}

func (d *decoder) utf8(text []byte) []byte {
	known := len(text)
	for len(d.in) > 0 {
		n := firstInvalid(d.in)
		text = append(text, d.in[:n]...)
		if d.in = d.in[n:]; len(d.in) == 0 || !d.ended && !utf8.FullRune(d.in) {
			break
		}
		d.doubt(InvalidUTF8, len(text)-known, "the text is not valid UTF-8 here; each such byte is read as U+FFFD")
		text = utf8.AppendRune(text, utf8.RuneError)
		d.in = d.in[1:]
	}
	return text
}

func (d *decoder) ansi(text []byte) []byte {
	if n := asciiPrefix(d.in); n < len(d.in) {
		if !d.doubts(NotASCII) {
			d.doubt(NotASCII, n, d.notASCII(d.in[n:]))
		}
	}
	known := len(text)
	d.odd = d.odd[:0]
	text, d.in = d.page.decode(text, d.in, d.ended, func(i int, undefined bool) {
		d.odd = append(d.odd, i)
		if undefined && !d.doubts(NotInCodePage) {
			d.doubt(NotInCodePage, i-known, fmt.Sprintf("there is a byte here that %s does not define; it is read as U+FFFD", d.page))
		}
	})
	for n, i := range d.odd {
		if n == 0 || bytes.ContainsAny(text[d.odd[n-1]:i], "\r\n") {
			d.altered = append(d.altered, d.written+int64(i-known))
		}
	}
	return text
}

// notASCII returns what to say of bytes beyond ASCII, given the text from the first of them on, as far as it was read.
func (d *decoder) notASCII(text []byte) string {
	if d.unknown {
		d.ask = fmt.Sprintf("the byte %02x is not ASCII, and its code page is not given: %s", text[0], likelyPages(text))
		return fmt.Sprintf("%s; it is read as %s, Windows reads it in its own ANSI code page; give --codepage", d.ask, d.page)
	}
	return fmt.Sprintf("the byte %02x is not ASCII; it is read as %s, Windows reads it in its own ANSI code page", text[0], d.page)
}

// asciiPrefix returns the number of ASCII characters at the start of b.
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

// firstInvalid returns the number of valid UTF-8 bytes at the start of text.
func firstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return len(text)
	}
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

// appendNarrow appends UTF-16LE text to text as [hive.DecodeUTF16] reads it.
func appendNarrow(text, b []byte) []byte {
	b = b[:len(b)&^1]
	text = slices.Grow(text, len(b)/2)
	for len(b) > 0 {
		text = slices.Grow(text, len(b)/2)
		n := narrow(text[len(text):len(text)+len(b)/2], b)
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

// narrow copies the ASCII characters at the start of UTF-16LE text, as many as fit into dst, and returns their number. It tests and moves
// eight at a time.
func narrow(dst, src []byte) int {
	all := len(dst)
	for len(dst) >= 8 && len(src) >= 16 {
		low, high := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
		if (low|high)&0xFF80_FF80_FF80_FF80 != 0 {
			break
		}
		binary.LittleEndian.PutUint64(dst, packed(low)|packed(high)<<32)
		dst, src = dst[8:], src[16:]
	}
	n := 0
	for n < len(dst) && src[2*n] < utf8.RuneSelf && src[2*n+1] == 0 {
		dst[n] = src[2*n]
		n++
	}
	return all - len(dst) + n
}

// packed moves the low bytes of four UTF-16 units together. The high bytes are zero.
func packed(units uint64) uint64 {
	units = (units | units>>8) & 0x0000_FFFF_0000_FFFF
	return (units | units>>16) & 0xFFFF_FFFF
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

// plainUnits returns the first place from i on at which UTF-16LE text may hold a NUL, a line break, a quote or a backslash.
func plainUnits(text []byte, i int) int {
	const ones, high = 0x0001000100010001, 0x8000800080008000
	for ; len(text)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// The first of four units that borrows from the next in one of the subtractions.
		if found := ((x-('\r'+1)*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & high; found != 0 {
			return i + bits.TrailingZeros64(found)/16*2
		}
	}
	return i
}

// units returns the number of UTF-16 units of UTF-8 text.
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
