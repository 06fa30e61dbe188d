package regfile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// CodePage is a code page in which Windows may read a file that is not UTF-16. Which one it uses is a setting of the machine and not in the
// file.
type CodePage struct {
	number int
	high   *[128]rune        // the characters of the bytes from 80 on, if each byte is one
	wide   encoding.Encoding // if some characters take two bytes
}

// codePages are the supported ANSI and OEM code pages of Windows. 65001 is UTF-8, which Windows 10 can be set to use.
var codePages = map[int]encoding.Encoding{
	437: charmap.CodePage437, 850: charmap.CodePage850, 852: charmap.CodePage852, 855: charmap.CodePage855, 858: charmap.CodePage858,
	860: charmap.CodePage860, 862: charmap.CodePage862, 863: charmap.CodePage863, 865: charmap.CodePage865, 866: charmap.CodePage866,
	874: charmap.Windows874, 932: japanese.ShiftJIS, 936: simplifiedchinese.GBK, 949: korean.EUCKR, 950: traditionalchinese.Big5,
	1250: charmap.Windows1250, 1251: charmap.Windows1251, 1252: charmap.Windows1252, 1253: charmap.Windows1253, 1254: charmap.Windows1254,
	1255: charmap.Windows1255, 1256: charmap.Windows1256, 1257: charmap.Windows1257, 1258: charmap.Windows1258,
	65001: unicode.UTF8,
}

// western is the code page of Windows in western Europe and America, and the default.
var western = newCodePage(1252)

// ParseCodePage returns the code page with a number, such as "1252". The error lists the supported ones.
func ParseCodePage(number string) (*CodePage, error) {
	n, err := strconv.Atoi(number)
	if codePages[n] == nil || err != nil {
		known := fmt.Sprint(slices.Sorted(maps.Keys(codePages)))
		return nil, fmt.Errorf("there is no code page %q; there is %s", number, strings.ReplaceAll(strings.Trim(known, "[]"), " ", ", "))
	}
	return newCodePage(n), nil
}

func newCodePage(n int) *CodePage {
	single, ok := codePages[n].(*charmap.Charmap)
	if !ok {
		return &CodePage{number: n, wide: codePages[n]}
	}
	p := &CodePage{number: n, high: new([128]rune)}
	for i := range p.high {
		c := single.DecodeByte(byte(i + 128))
		// Windows takes the undefined bytes from 80 to 9F for control characters (bestfit1252.txt, unicode.org).
		if c == utf8.RuneError && i < 32 {
			c = rune(i + 128)
		}
		p.high[i] = c
	}
	return p
}

// String returns the name of the code page: "windows-1252".
func (p *CodePage) String() string {
	if p.number < 874 || p.number > 1258 {
		return fmt.Sprintf("code page %d", p.number)
	}
	return fmt.Sprintf("windows-%d", p.number)
}

// decode appends text in the code page to dst as UTF-8, and returns the rest of src: the first half of a character, unless end is set. A
// byte without meaning becomes U+FFFD.
func (p *CodePage) decode(dst, src []byte, end bool) (text, rest []byte) {
	for len(src) > 0 {
		n := asciiPrefix(src)
		dst = append(dst, src[:n]...)
		if src = src[n:]; len(src) == 0 {
			break
		}
		if p.high != nil {
			dst = utf8.AppendRune(dst, p.high[src[0]-128])
			src = src[1:]
			continue
		}
		// Decode a whole stretch of such characters, rather than one by one.
		stretch := min(len(src), 64)
		var buf [256]byte
		written, read, err := p.wide.NewDecoder().Transform(buf[:], src[:stretch], end && stretch == len(src))
		if read == 0 {
			if err != nil && stretch == len(src) && !end {
				break
			}
			written, read = copy(buf[:], "\uFFFD"), 1
		}
		dst = append(dst, buf[:written]...)
		src = src[read:]
	}
	return dst, src
}

// encode appends UTF-8 text to dst in the code page, and reports whether the code page has all of its characters.
func (p *CodePage) encode(dst, text []byte) (data []byte, ok bool) {
	for len(text) > 0 {
		n := asciiPrefix(text)
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			break
		}
		if p.high == nil {
			n = beyondASCII(text)
			wide, err := p.wide.NewEncoder().Bytes(text[:n])
			if err != nil || !utf8.Valid(text[:n]) {
				return dst, false
			}
			dst, text = append(dst, wide...), text[n:]
			continue
		}
		c, n := utf8.DecodeRune(text)
		i := slices.Index(p.high[:], c)
		if i < 0 || c == utf8.RuneError {
			return dst, false
		}
		dst, text = append(dst, byte(128+i)), text[n:]
	}
	return dst, true
}

// beyondASCII returns the number of bytes at the start of text that are not ASCII.
func beyondASCII(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= utf8.RuneSelf {
		n++
	}
	return n
}
