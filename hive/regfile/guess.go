package regfile

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writing is what the texts in a code page look like beyond ASCII. It helps to guess the code page of a text, and decides nothing.
type writing struct {
	page   int
	of     string
	usual  string   // its letters, the most frequent first; "" for a code page of East Asia
	common []common // of such a one
	alone  bool     // these letters stand between letters of ASCII
	rare   float64  // how much rarer .reg files in it are; 0 for not at all
}

// common is a range of characters and its share of a text.
type common struct {
	codes
	share float64
}

const western1252 = "éäüöàèßçñóáíúâêôãõåøæûîïëÄÖÜÉòìù"

var writings = []writing{
	{page: 932, of: "Japanese", common: []common{{codes{0x829F, 0x82F1}, .35}, {codes{0x8340, 0x8396}, .25}, {codes{0x8840, 0x97FC}, .33}, {codes{0x815B, 0x8176}, .06}}},
	{page: 936, of: "simplified Chinese", common: []common{{codes{0xB0A1, 0xD7FE}, .93}, {codes{0xA1A1, 0xA3FE}, .06}}},
	{page: 949, of: "Korean", common: []common{{codes{0xB0A1, 0xC8FE}, .95}, {codes{0xA1A1, 0xA3FE}, .03}}},
	{page: 950, of: "traditional Chinese", common: []common{{codes{0xA440, 0xC6FE}, .93}, {codes{0xA140, 0xA1FE}, .06}}},
	{page: 1250, of: "central European", usual: "áíéýčřěšžůúłążęśćóńöüőűăţşďťňľäôëÁÉŠČŽŁŚŻ", alone: true},
	{page: 1251, of: "Cyrillic", usual: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґў"},
	{page: 1252, of: "western European", usual: western1252, alone: true},
	{page: 1253, of: "Greek", usual: "αοιετσνηυρπκμλςωίόάέδγχήύθφώβξζψ"},
	{page: 1254, of: "Turkish", usual: "ıüşçöğİŞÇÖÜĞâî", alone: true},
	{page: 1255, of: "Hebrew", usual: "יוהלאתרשמבכנדקעםפחטגצסןזךףץ"},
	{page: 1256, of: "Arabic", usual: "اليمونرتبةعدسفهكقحجشطصخأذئءىثغضزظآؤإ"},
	{page: 1257, of: "Baltic", usual: "āšžūėįīēųčąęļņģķäöüõŠŽĀ", alone: true},
	{page: 874, of: "Thai", usual: "านรอกเง่มย้ลวดัทิสตะีปบคหแจพชขใไำุู็์ื"},
	{page: 866, of: "Cyrillic of DOS", usual: "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", rare: .02},
	{page: 850, of: "western European of DOS", usual: western1252, alone: true, rare: .02},
}

// likelyPages returns, for a message, in which code pages a text may be, given its beginning, and how sure that is.
func likelyPages(text []byte) string {
	text = text[:min(len(text), 4<<10)]
	if seemsUTF8(text) {
		return "it seems to be 65001 (UTF-8), which Windows does not read without a byte order mark"
	}
	scores, usual := make([]float64, len(writings)), make([]int, len(writings))
	for i := range writings {
		scores[i], usual[i] = writings[i].score(text)
	}
	best := slices.Max(scores)
	var names []string
	most := 0
	for i, w := range writings {
		if scores[i] > best-3 { // within a factor of 20
			names = append(names, fmt.Sprintf("%d (%s)", w.page, w.of))
			most = max(most, usual[i])
		}
	}
	switch n := len(names); {
	case most == 0 || n > 4:
		return "the bytes do not show which it is"
	case n > 1:
		return "perhaps " + strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	case most < 3:
		return "perhaps " + names[0]
	}
	return "likely " + names[0]
}

// unusual is the logarithm of the probability of a byte that the texts in a code page hardly ever have.
const unusual = -10

// score returns the logarithm of the probability of a text, ASCII left out, among those in the code page. It also returns how many more of its
// characters are usual than unusual there, or 0.
func (w *writing) score(text []byte) (score float64, usual int) {
	page := codePages[w.page]()
	if w.rare > 0 {
		score = math.Log(w.rare)
	}
	decoded, _ := page.decode(nil, text, false, nil)
	weights := 0.0
	for rank := range utf8.RuneCountInString(w.usual) {
		weights += 1 / float64(rank+3)
	}
	before := ' '
	letters := []rune(w.usual)
	for _, c := range string(decoded) {
		joined := c < utf8.RuneSelf && unicode.IsLetter(c) && before >= utf8.RuneSelf ||
			c >= utf8.RuneSelf && unicode.IsLetter(before) && before < utf8.RuneSelf
		switch {
		case w.common != nil:
		case w.alone && c >= utf8.RuneSelf && before >= utf8.RuneSelf, !w.alone && joined:
			score -= 3
		}
		before = c
		if c < utf8.RuneSelf {
			continue
		}
		p := w.character(page, letters, weights, c)
		if score += p; p > unusual {
			usual++
		} else {
			usual--
		}
	}
	return score, max(0, usual)
}

// character returns the logarithm of the probability of a character; weights is the sum of those of all letters.
func (w *writing) character(page *CodePage, letters []rune, weights float64, c rune) float64 {
	code := page.bytes(c)
	for _, r := range w.common {
		if r.has(code) {
			rows, columns := r.to>>8-r.from>>8+1, r.to&0xFF-r.from&0xFF+1
			return math.Log(r.share / float64(rows) / float64(columns))
		}
	}
	if rank := slices.Index(letters, c); rank >= 0 {
		return math.Log(1 / float64(rank+3) / weights)
	}
	if rank := slices.Index(letters, unicode.ToLower(c)); rank >= 0 {
		return math.Log(.1 / float64(rank+3) / weights)
	}
	if code > 0xFF {
		return 2 * unusual
	}
	return unusual
}

// seemsUTF8 reports whether text that is not all ASCII is UTF-8, as far as it was read.
func seemsUTF8(text []byte) bool {
	i := firstInvalid(text)
	return i == len(text) || i > 0 && !utf8.FullRune(text[i:])
}

// Readings returns code pages that stand for all: whatever bytes are, as text they are much like what they are in one of these. In some, a
// byte of ASCII can be half of a character. The first is the guess of [Options].
func Readings() (pages []*CodePage) {
	for _, n := range []int{1252, 866, 932, 936, 949, 950, 1251, 65001} {
		pages = append(pages, codePages[n]())
	}
	return pages
}

// Defines reports whether text in the code page can have these bytes.
func (p *CodePage) Defines(data []byte) bool {
	all := true
	p.decode(nil, data, true, func(_ int, undefined bool) { all = all && !undefined })
	return all
}
