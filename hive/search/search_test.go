package search

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"regvet/hive"
)

// hitsIn returns what a pattern finds in data, in words.
func hitsIn(t *testing.T, pattern string, kind Kind, ignoreCase bool, v hive.Value) (all []string) {
	t.Helper()
	p, err := Compile(pattern, kind, ignoreCase)
	if err != nil {
		t.Fatal(err)
	}
	searchData(p, v, func(h Hit) {
		text := h.Text[:h.From] + "[" + h.Text[h.From:h.To] + "]" + h.Text[h.To:]
		all = append(all, fmt.Sprintf("%s %d %d %s", h.Encoding, h.Offset, h.Length, text))
	})
	return all
}

func TestData(t *testing.T) {
	wide := func(s string) string { return string(hive.EncodeUTF16(s)) }
	for _, c := range []struct {
		pattern string
		kind    Kind
		typ     hive.Type
		data    string
		want    []string
	}{
		{"b", Literal, hive.SZ, wide("aBc\x00"), []string{"utf-16le 2 2 a[B]c"}},
		{"b", Literal, hive.SZ, wide("a\x00hidden b"), []string{"utf-16le 18 2 hidden [b]"}},
		{"b", Literal, hive.MultiSZ, wide("b\x00a\x00bb\x00\x00"), []string{"utf-16le 0 2 [b]", "utf-16le 8 2 [b]b"}},
		{"^b$", Regex, hive.MultiSZ, wide("bb\x00b\x00\x00"), []string{"utf-16le 6 2 [b]"}},
		{"ab", Literal, hive.SZ, "xab\x00", []string{"utf-8 1 2 x[ab]"}},                                   // a program wrote it as if it were ASCII
		{"ab", Literal, hive.SZ, wide("慢c") + "ab", nil},                                                   // UTF-16 whose units hold such bytes
		{"ab", Literal, hive.Binary, "ab\x00a\x00b\x00", []string{"utf-8 0 2 [ab]", "utf-16le 3 4 b[ab]"}}, // at an odd offset
		{"a", Literal, hive.Binary, wide("aa"), []string{"utf-16le 0 2 [a]a"}},                             // and not again as UTF-8
		{"é", Literal, hive.Binary, "\xE9É", []string{"utf-8 1 2 \xE9[É]"}},
		{"😀", Literal, hive.Binary, wide("😀x😀"), []string{"utf-16le 0 4 [😀]x😀"}},
		{"x", Literal, hive.Binary, wide("😀x"), []string{"utf-16le 4 2 😀[x]"}},
		{"0x1388", Literal, hive.DWord, "\x88\x13\x00\x00", []string{"number 0 4 [5000]"}},
		{"5000", Literal, hive.DWordBigEndian, "\x00\x00\x13\x88", []string{"number 0 4 [5000]"}},
		{"5000", Literal, hive.QWord, "\x88\x13\x00\x00\x00\x00\x00\x00", []string{"number 0 8 [5000]"}},
		{"500", Literal, hive.DWord, "\x88\x13\x00\x00", nil}, // a part of a number is none
		{"A", Literal, hive.DWord, "A\x00\x00\x00", nil},      // nor is text
		{"A", Literal, hive.DWord, "A\x00", []string{"utf-16le 0 2 [A]"}},
		{"5000", Literal, hive.SZ, wide("50001"), []string{"utf-16le 0 8 [5000]1"}},
		{"de,ad be", Bytes, hive.DWord, "\x00\xde\xad\xbe", []string{"bytes 1 3 []"}},
		{"aa", Bytes, hive.Binary, "\xaa\xaa", []string{"bytes 0 1 []", "bytes 1 1 []"}},
		{"[a-z]", Regex, hive.Binary, wide("abc"), []string{"utf-16le 0 2 [a]bc"}},
		{"a", Literal, hive.Binary, "", nil},
	} {
		if got := hitsIn(t, c.pattern, c.kind, true, hive.Value{Type: c.typ, Data: []byte(c.data)}); !slices.Equal(got, c.want) {
			t.Errorf("%q in %v %q: %q, want %q", c.pattern, c.typ, c.data, got, c.want)
		}
	}
	if got := hitsIn(t, "b", Literal, false, hive.StringValue("", hive.SZ, "B")); got != nil {
		t.Errorf("where case matters: %q", got)
	}
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		pattern string
		kind    Kind
		want    string
	}{
		{"", Literal, "the pattern is empty and would match everything; export shows all there is"},
		{"a\xFF", Literal, `the pattern "a\xff" is no text: it is not UTF-8, or holds a NUL; give it as bytes in hex`},
		{"a(b", Regex, `"a(b" is no regular expression: missing closing ) at offset 1, where "(b" begins`},
		{"a)b", Regex, `"a)b" is no regular expression: unexpected ) at offset 1, where ")b" begins`},
		{"ab**", Regex, `"ab**" is no regular expression: invalid nested repetition operator at offset 2, where "**" begins`},
		{`x\y`, Regex, `"x\y" is no regular expression: invalid escape sequence at offset 1, where "\y" begins`},
		{"x[a-", Regex, `"x[a-" is no regular expression: missing closing ] at offset 1, where "[a-" begins`},
		{"de a", Bytes, `"de a" is not bytes in hex: part 2, "a", has an odd number of digits; want such as "de ad be ef"`},
		{"xy", Bytes, `"xy" is not bytes in hex; want two digits for each, such as "de ad be ef"`},
		{" ", Bytes, `" " is not bytes in hex; want two digits for each, such as "de ad be ef"`},
	} {
		if _, err := Compile(c.pattern, c.kind, true); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.pattern, err, c.want)
		}
	}
}

// FuzzPattern requires that an escaped literal finds as a regular expression what it finds as itself, in any data, that every hit is in the data, and
// that what is left out unseen holds no match.
func FuzzPattern(f *testing.F) {
	f.Add("ab", []byte("xab\x00a\x00B\x00"), uint32(3), true)
	f.Add("a", []byte("a\x00a\x00\x00\x00b\x00"), uint32(7), false)
	f.Add("0x10", []byte("\x10\x00\x00\x00"), uint32(4), true)
	f.Add("é😀", hive.EncodeUTF16("É😀"), uint32(1), true)
	f.Add("(x|y)a+(?i:b)", []byte("xaaB\x00yb"), uint32(3), false)
	f.Add("[", []byte("\xd8\x00\xed\xa0\x80["), uint32(3), false)
	f.Fuzz(func(t *testing.T, pattern string, data []byte, typ uint32, ignoreCase bool) {
		_, _ = Compile(pattern, Bytes, ignoreCase)
		v := hive.Value{Type: hive.Type(typ), Data: data}
		if regex, err := Compile(pattern, Regex, ignoreCase); err == nil {
			texts := func(p *Pattern) (all []string) {
				searchData(p, v, func(h Hit) { all = append(all, fmt.Sprint(h.Text, h.From, h.To, h.Offset)) })
				return all
			}
			slow := *regex
			slow.run = run{}
			if a, b := texts(regex), texts(&slow); !slices.Equal(a, b) {
				t.Fatalf("%q in %q: %q, and %q without looking for a run", pattern, data, a, b)
			}
		}
		literal, err := Compile(pattern, Literal, ignoreCase)
		if err != nil {
			return
		}
		escaped, err := Compile(regexp.QuoteMeta(pattern), Regex, ignoreCase)
		if err != nil {
			t.Fatalf("%q escaped: %v", pattern, err)
		}
		// Unicode and Windows have other cases beyond ASCII, and to a regular expression a byte that is no text is U+FFFD.
		isASCII := func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) }
		alike := !strings.ContainsRune(pattern, utf8.RuneError) && (!ignoreCase || isASCII(pattern) && !strings.ContainsAny(pattern, "kKsS"))
		collect := func(p *Pattern) (all []Hit) {
			searchData(p, v, func(h Hit) {
				if h.Offset < 0 || h.Offset+h.Length > len(data) || h.Encoding != Number && (h.Length == 0 || h.From >= h.To) {
					t.Fatalf("%q in %q: a hit outside: %+v", pattern, data, h)
				}
				all = append(all, h)
			})
			return all
		}
		a, b := collect(literal), collect(escaped)
		a = slices.DeleteFunc(a, func(h Hit) bool { return h.Encoding == Number })
		same := func(a, b Hit) bool {
			return a.Text == b.Text && a.From == b.From && a.To == b.To && a.Offset == b.Offset && a.Length == b.Length
		}
		if alike && !slices.EqualFunc(a, b, same) {
			t.Fatalf("%q in %q: as itself %+v, escaped %+v", pattern, data, a, b)
		}
	})
}
