package regfile

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// CodePage is a code page in which Windows may read a file that is not UTF-16. Which one it uses is a setting of the machine and not in the
// file.
type CodePage struct {
	number int
	*table // nil for UTF-8
}

// codePages are the supported ANSI and OEM code pages of Windows. 65001 is UTF-8, which Windows 10 can be set to use. Each is made when it is
// first used.
var codePages = map[int]func() *CodePage{65001: func() *CodePage { return &CodePage{number: 65001} }}

func init() {
	for n, page := range map[int]*charmap.Charmap{
		437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855, 858: charmap.CodePage858,
		860: charmap.CodePage860, 862: charmap.CodePage862, 863: charmap.CodePage863, 865: charmap.CodePage865, 866: charmap.CodePage866,
		874: charmap.Windows874, 1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253,
		1254: charmap.Windows1254, 1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
	} {
		codePages[n] = sync.OnceValue(func() *CodePage { return &CodePage{n, singleBytes(page)} })
	}
	for n, page := range doublePages {
		codePages[n] = sync.OnceValue(func() *CodePage { return &CodePage{n, doubleBytes(page)} })
	}
}

// western is the code page of Windows in western Europe and America, in which a file is read if its own is not known.
func western() *CodePage { return codePages[1252]() }

// ParseCodePage returns the code page with a number, such as "1252". The error lists the supported ones.
func ParseCodePage(number string) (*CodePage, error) {
	n, err := strconv.Atoi(number)
	if codePages[n] == nil || err != nil {
		known := fmt.Sprint(slices.Sorted(maps.Keys(codePages)))
		return nil, fmt.Errorf("there is no code page %q; there is %s", number, strings.ReplaceAll(strings.Trim(known, "[]"), " ", ", "))
	}
	return codePages[n](), nil
}

// String returns the name of the code page: "windows-1252".
func (p *CodePage) String() string {
	if p.number < 874 || p.number > 1258 {
		return fmt.Sprintf("code page %d", p.number)
	}
	return fmt.Sprintf("windows-%d", p.number)
}

// table has the characters of a code page beyond ASCII, and their bytes.
type table struct {
	single [128]entry              // of the bytes from 80 on
	double *[128 * trails]entry    // of two bytes, the second of which is at least firstTrail; nil if each byte is a character
	bytes  func(c rune) (n uint16) // the byte or bytes of a character, or 0 if the code page does not have it
}

// No second byte is below firstTrail, so that none is a quote, a blank or a line end.
const (
	firstTrail = 0x40
	trails     = 256 - firstTrail
)

// entry is a character as a table holds it: from the lowest byte on its one to three bytes of UTF-8, and in the highest byte their number and
// flags. It is 0 for none.
type entry uint32

const (
	leads   entry = 0x80 << 24 // this is the first of two bytes
	oneWay  entry = 0x40 << 24 // the character is written with other bytes
	lengths entry = 3 << 24
)

func entryOf(c rune) (e entry) {
	text := string(c)
	for i := range len(text) {
		e |= entry(text[i]) << (8 * i)
	}
	return e | entry(len(text))<<24
}

// singleBytes returns the table of a code page in which each byte is a character.
func singleBytes(page *charmap.Charmap) *table {
	t := new(table)
	codes := make(map[rune]uint16, len(t.single))
	for i := range t.single {
		c := page.DecodeByte(byte(i + 128))
		// Windows takes the undefined bytes from 80 to 9F for control characters (bestfit1252.txt, unicode.org).
		if c == utf8.RuneError && i < 32 {
			c = rune(i + 128)
		}
		if c != utf8.RuneError {
			t.single[i], codes[c] = entryOf(c), uint16(i+128)
		}
	}
	t.bytes = func(c rune) uint16 { return codes[c] }
	return t
}

// doublePage is a code page in which some characters take two bytes: what a library has of it, and where Windows differs.
type doublePage struct {
	encoding.Encoding
	lead    []codes // the first bytes
	gap     codes   // no second byte
	own     []codes // what users can define: Windows numbers it through the private characters
	from    []rune  // the first private character of each of own
	not     []codes // what Windows has not, or has as private characters in no order
	oneWay  []codes // what Windows reads and does not write, because the character has other bytes, too
	special map[uint16]rune
}

// codes is a range of first bytes, or of two bytes. With two, both are in the range.
type codes struct{ from, to uint16 }

func (c codes) has(code uint16) bool {
	return c.from <= code && code <= c.to && (c.to < 256 || c.from&0xFF <= code&0xFF && code&0xFF <= c.to&0xFF)
}

func among(ranges []codes, code uint16) bool {
	return slices.ContainsFunc(ranges, func(c codes) bool { return c.has(code) })
}

// doublePages are the code pages of East Asia. Where Windows differs from the library is from the tables bestfit932.txt to bestfit950.txt
// of unicode.org.
var doublePages = map[int]doublePage{
	932: {
		Encoding: japanese.ShiftJIS, lead: []codes{{0x81, 0x9F}, {0xE0, 0xFC}}, gap: codes{0x7F, 0x7F},
		own: []codes{{0xF040, 0xF9FC}}, from: []rune{0xE000},
		oneWay: []codes{{0xED40, 0xEEFC}},
	},
	936: {
		Encoding: simplifiedchinese.GBK, lead: []codes{{0x81, 0xFE}}, gap: codes{0x7F, 0x7F},
		own: []codes{{0xAAA1, 0xAFFE}, {0xF8A1, 0xFEFE}, {0xA140, 0xA7A0}}, from: []rune{0xE000, 0xE234, 0xE4C6},
		not: []codes{{0xA2E3, 0xA2E3}, {0xA8BF, 0xA8BF}, {0xA989, 0xA995}, {0xFE50, 0xFEA0}},
	},
	949: {
		Encoding: korean.EUCKR, lead: []codes{{0x81, 0xFE}}, gap: codes{0x7F, 0x7F},
		own: []codes{{0xC9A1, 0xC9FE}, {0xFEA1, 0xFEFE}}, from: []rune{0xE000, 0xE05E},
		special: map[uint16]rune{0x80: 0x80},
	},
	950: {
		Encoding: traditionalchinese.Big5, lead: []codes{{0x81, 0xFE}}, gap: codes{0x7F, 0xA0},
		own:     []codes{{0xFA40, 0xFEFE}, {0x8E40, 0xA0FE}, {0x8140, 0x8DFE}, {0xC6A1, 0xC6FE}, {0xC740, 0xC8FE}},
		from:    []rune{0xE000, 0xE311, 0xEEB8, 0xF6B1, 0xF70F},
		not:     []codes{{0xA3C0, 0xA3E0}},
		oneWay:  []codes{{0xA2A4, 0xA2A7}, {0xA2CC, 0xA2CC}, {0xA2CE, 0xA2CE}},
		special: map[uint16]rune{0x80: 0x80, 0xF9FE: 0x2593},
	},
}

// doubleBytes returns the table of a code page of East Asia.
func doubleBytes(page doublePage) *table {
	t := &table{double: new([128 * trails]entry)}
	read := page.NewDecoder()
	known := make([]uint16, 1<<16) // the bytes of each character
	t.bytes = func(c rune) uint16 {
		if c >= 1<<16 {
			return 0
		}
		return known[c]
	}
	char := func(code uint16, bytes ...byte) rune {
		if c, ok := page.special[code]; ok {
			return c
		}
		var buf [16]byte
		n, _, err := read.Transform(buf[:], bytes, true)
		c, size := utf8.DecodeRune(buf[:n])
		if err != nil || size < n || c >= 1<<16 || among(page.not, code) {
			return utf8.RuneError
		}
		return c
	}
	enter := func(at *entry, code uint16, c rune) {
		switch {
		case c == utf8.RuneError:
			return
		case known[c] != 0 || among(page.oneWay, code):
			*at = entryOf(c) | oneWay
		default:
			*at = entryOf(c)
			known[c] = code
		}
	}
	for i := range t.single {
		code := uint16(i + 128)
		if among(page.lead, code) {
			t.single[i] = leads
			continue
		}
		enter(&t.single[i], code, char(code, byte(code)))
	}
	private := make([]rune, len(page.own))
	for i := range t.double {
		code := uint16(128+i/trails)<<8 | uint16(firstTrail+i%trails)
		if !among(page.lead, code>>8) || code&0xFF == 0xFF {
			continue
		}
		c := char(code, byte(code>>8), byte(code))
		if n := slices.IndexFunc(page.own, func(c codes) bool { return c.has(code) }); n >= 0 && !page.gap.has(code&0xFF) {
			c = page.from[n] + private[n]
			private[n]++
		}
		enter(&t.double[i], code, c)
	}
	return t
}

// decode appends text in the code page to dst as UTF-8, and returns the rest of src: the first half of a character, unless end is set. A
// byte without meaning becomes U+FFFD. If odd is not nil, it is called with the place in dst of characters that would not be written with the
// same bytes again; of several in a row with the first.
func (p *CodePage) decode(dst, src []byte, end bool, odd func(i int, undefined bool)) (text, rest []byte) {
	if odd == nil {
		odd = func(int, bool) {}
	}
	for len(src) > 0 {
		n := asciiPrefix(src)
		dst = append(dst, src[:n]...)
		if src = src[n:]; len(src) == 0 {
			break
		}
		run := len(src)
		if p.table == nil {
			dst, src = decodeUTF8(dst, src, end, odd)
		} else {
			dst, src = p.table.decode(dst, src, end, odd)
		}
		if len(src) == run {
			break // only the first half of a character is left
		}
	}
	return dst, src
}

// decode decodes bytes up to the next in ASCII, and not all of them if they are many.
func (t *table) decode(dst, src []byte, end bool, odd func(int, bool)) (text, rest []byte) {
	const most = 1 << 10 // characters
	dst = slices.Grow(dst, 3*most+4)
	at, room, saidOneWay := len(dst), dst[:cap(dst)], false
	for range most {
		if len(src) == 0 || src[0] < utf8.RuneSelf {
			break
		}
		e, n := t.single[src[0]-128], 1
		if e == leads {
			switch {
			case len(src) > 1 && src[1] >= firstTrail:
				e, n = t.double[int(src[0]-128)*trails+int(src[1]-firstTrail)], 2
			case len(src) > 1 || end:
				e = 0
			default:
				return dst[:at], src
			}
		}
		switch {
		case e == 0:
			odd(at, true)
			e = entryOf(utf8.RuneError)
			if n == 2 && src[1] < utf8.RuneSelf {
				n = 1
			}
		case e&oneWay != 0 && !saidOneWay:
			odd(at, false)
			saidOneWay = true
		}
		binary.LittleEndian.PutUint32(room[at:], uint32(e))
		at += int(e & lengths >> 24)
		src = src[n:]
	}
	return dst[:at], src
}

// decodeUTF8 decodes UTF-8 up to the first byte that is not valid, with it.
func decodeUTF8(dst, src []byte, end bool, odd func(int, bool)) (text, rest []byte) {
	n := firstInvalid(src)
	dst = append(dst, src[:n]...)
	if src = src[n:]; len(src) == 0 || !end && !utf8.FullRune(src) {
		return dst, src
	}
	odd(len(dst), true)
	return utf8.AppendRune(dst, utf8.RuneError), src[1:]
}

// encode appends UTF-8 text to dst in the code page, and reports whether the code page has all of its characters.
func (p *CodePage) encode(dst, text []byte) (data []byte, ok bool) {
	if p.table == nil {
		return append(dst, text...), utf8.Valid(text)
	}
	for len(text) > 0 {
		n := asciiPrefix(text)
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			break
		}
		c, n := utf8.DecodeRune(text)
		code := p.bytes(c)
		switch {
		case code == 0 || c == utf8.RuneError:
			return dst, false
		case code > 0xFF:
			dst = append(dst, byte(code>>8))
		}
		dst, text = append(dst, byte(code)), text[n:]
	}
	return dst, true
}
