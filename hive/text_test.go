package hive_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"regvet/hive"
	"regvet/internal/shared"
)

// units makes UTF-16LE bytes.
func units(u ...uint16) []byte {
	var b []byte
	for _, n := range u {
		b = le.AppendUint16(b, n)
	}
	return b
}

func TestDecodeUTF16(t *testing.T) {
	for _, test := range []struct {
		b    []byte
		want string
	}{
		{nil, ""},
		{units('a', 'b'), "ab"},
		{units('a', 0, 'b'), "a\x00b"},
		{units(0xFEFF, 'a'), "\uFEFFa"}, // no byte order mark: a character like any other
		{units(0x20AC), "€"},
		{units(0xD83D, 0xDE00), "\U0001F600"},
		{units(0xD83D), "\xED\xA0\xBD"},
		{units(0xDE00, 0xD83D), "\xED\xB8\x80\xED\xA0\xBD"},
		{units(0xD83D, 0xD83D, 0xDE00), "\xED\xA0\xBD\U0001F600"},
		{units(0xD83D, 'x'), "\xED\xA0\xBDx"},
		{[]byte{'a', 0, 'b'}, "a"},
		{[]byte{0x3D, 0xD8, 0}, "\xED\xA0\xBD"},
		{[]byte{'a'}, ""},
	} {
		got := hive.DecodeUTF16(test.b)
		if got != test.want {
			t.Errorf("% x: %q, want %q", test.b, got, test.want)
		}
		if back := hive.EncodeUTF16(got); !bytes.Equal(back, test.b[:len(test.b)&^1]) {
			t.Errorf("%q: % x, want % x", got, back, test.b)
		}
	}
}

// TestRoundTripUTF16 checks that each sequence of units has its own string, from which the units come back.
func TestRoundTripUTF16(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	for u := range 0x10000 {
		// Every unit, and beside it one that may be the other half of a pair.
		for _, b := range [][]byte{units(uint16(u)), units(uint16(u), uint16(0xD700+noise.IntN(0xA00))), units(uint16(0xD700+noise.IntN(0xA00)), uint16(u))} {
			if got := hive.EncodeUTF16(hive.DecodeUTF16(b)); !bytes.Equal(got, b) {
				t.Fatalf("% x comes back as % x", b, got)
			}
		}
	}
}

func TestDecodeLatin1(t *testing.T) {
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
		if got := hive.DecodeLatin1([]byte{byte(c)}); got != string(rune(c)) {
			t.Errorf("%#x: %q", c, got)
		}
	}
	if got := hive.DecodeLatin1(all); utf8.RuneCountInString(got) != 256 || got[:128] != string(all[:128]) {
		t.Errorf("%q", got)
	}
}

func TestEncodeInvalid(t *testing.T) {
	for s, want := range map[string][]byte{
		"\xFF":             units(0xFFFD),
		"a\xC3":            units('a', 0xFFFD),
		"\xED\xA0":         units(0xFFFD, 0xFFFD),
		"\xF5\x80\x80\x80": units(0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD),
	} {
		if got := hive.EncodeUTF16(s); !bytes.Equal(got, want) {
			t.Errorf("%q: % x, want % x", s, got, want)
		}
	}
	if got := hive.AppendUTF16([]byte{1, 2}, "a"); !bytes.Equal(got, []byte{1, 2, 'a', 0}) {
		t.Errorf("% x", got)
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ s, printable, visible string }{
		{"", "", ""},
		{"plain Ä 日本 😀 \\", "plain Ä 日本 😀 \\", "plain Ä 日本 😀 \\"},
		{"\xED\xA0\x80x", "\uFFFDx", "\uFFFDx"},
		{"\xFFx\xC3", "\uFFFDx\uFFFD", "\uFFFDx\uFFFD"},
		{"\uFFFD", "\uFFFD", "\uFFFD"},
		{"a\nb\r\t\x00", "a\nb\r\t\x00", `a\nb\r\t\x00`},
		{"\x1b[31mred", "\x1b[31mred", `\x1b[31mred`},
		{"\u202Eexe.txt", "\u202Eexe.txt", `\u202eexe.txt`},
		{"\u009B\u00AD\uFEFF", "\u009B\u00AD\uFEFF", `\u009b\u00ad\ufeff`},
		{"no\u00A0break", "no\u00A0break", `no\u00a0break`},
		{"\U000E0041", "\U000E0041", `\U000e0041`},
	} {
		if got := hive.Printable(test.s); got != test.printable || !utf8.ValidString(got) {
			t.Errorf("printable %q: %q, want %q", test.s, got, test.printable)
		}
		if got := hive.Visible(test.s); got != test.visible {
			t.Errorf("visible %q: %q, want %q", test.s, got, test.visible)
		}
	}
}

// TestFold checks the folded form of each code point against Windows' table: 973 units change. The table is here as its SHA-256, recorded
// when [TestUpcaseTable], which names the units that differ, passed with the list of exceptions.
func TestFold(t *testing.T) {
	changed := 0
	var table []byte
	for r := rune(0); r < 0x10000; r++ {
		s := hive.DecodeUTF16(units(uint16(r)))
		fold := hive.Fold(s)
		table = append(table, hive.EncodeUTF16(fold)...)
		if fold != s {
			changed++
		}
		if hive.Fold(fold) != fold {
			t.Errorf("%U: folded twice it is another", r)
		}
		if len(hive.EncodeUTF16(fold)) != 2 {
			t.Errorf("%U: folds to %q", r, fold)
		}
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(table)); changed != 973 || sum != "41c26bc7a12bdaeb26025c93118697c7e3ef81ee048b00fe5cce2a472e0e0742" {
		t.Errorf("%d units change, in Windows 973; the table has the SHA-256 %s: has package unicode a new version?", changed, sum)
	}
	for _, test := range []struct{ s, want string }{
		{"", ""}, {"TCPIP6", "TCPIP6"}, {"Tcpip", "TCPIP"}, {"straße", "STRAßE"}, {"ÿ", "Ÿ"}, {"ſ", "ſ"}, {"µ", "µ"}, {"ı", "ı"}, {"i", "I"},
		{"ς", "ς"}, {"σ", "Σ"}, {"ǅ", "ǅ"}, {"ǆ", "Ǆ"}, {"\u212A", "\u212A"}, {"\U00010428", "\U00010428"}, {"a\xED\xA0\x80b", "A\xED\xA0\x80B"}, {"ა", "ა"},
	} {
		if got := hive.Fold(test.s); got != test.want {
			t.Errorf("%q: %q, want %q", test.s, got, test.want)
		}
	}
}

// TestUpcaseTable checks the folded forms against the list of the code points in which Windows and Unicode differ.
func TestUpcaseTable(t *testing.T) {
	unchanged := map[rune]bool{}
	for line := range strings.Lines(string(shared.Read(t, "specs/windows-upcase-exceptions.txt"))) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		first, last, ok := strings.Cut(line, "-")
		if !ok {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 16, 16)
		to, err2 := strconv.ParseUint(last, 16, 16)
		if err := cmp.Or(err1, err2); err != nil {
			t.Fatal(err)
		}
		for r := from; r <= to; r++ {
			unchanged[rune(r)] = true
		}
	}
	for r := rune(0); r < 0xD800; r++ {
		want := unicode.ToUpper(r)
		if unchanged[r] {
			want = r
		}
		if got := hive.Fold(string(r)); got != string(want) {
			t.Errorf("%U: %+q, want %+q", r, got, string(want))
		}
	}
	for r := rune(0xE000); r < 0x10000; r++ {
		want := unicode.ToUpper(r)
		if unchanged[r] {
			want = r
		}
		if got := hive.Fold(string(r)); got != string(want) {
			t.Errorf("%U: %+q, want %+q", r, got, string(want))
		}
	}
}

// comparison checks the laws of comparing two names, given as UTF-16LE.
func comparison(t *testing.T, x, y []byte) {
	t.Helper()
	a, b := hive.DecodeUTF16(x), hive.DecodeUTF16(y)
	got := hive.CompareFold(a, b)
	if want := slices.Compare(upcased(x), upcased(y)); sign(got) != want {
		t.Fatalf("%+q and %+q: %d, as upcased units %d", a, b, got, want)
	}
	if got != 0 && sign(got) != -sign(hive.CompareFold(b, a)) {
		t.Fatalf("%+q and %+q: %d both ways", a, b, got)
	}
	if (got == 0) != (hive.Fold(a) == hive.Fold(b)) || (got == 0) != hive.EqualFold(a, b) {
		t.Fatalf("%+q and %+q: %d, folded %+q and %+q", a, b, got, hive.Fold(a), hive.Fold(b))
	}
	if !hive.EqualFold(a, hive.Fold(a)) {
		t.Fatalf("%+q is not equal to its folded form %+q", a, hive.Fold(a))
	}
}

func sign(n int) int { return cmp.Compare(n, 0) }

// upcased returns the units of a name, each upcased by itself, as Windows compares them.
func upcased(b []byte) []uint16 {
	var all []uint16
	for i := 0; i+1 < len(b); i += 2 {
		u := hive.EncodeUTF16(hive.Fold(hive.DecodeUTF16(b[i : i+2])))
		all = append(all, le.Uint16(u))
	}
	return all
}

func TestCompareFold(t *testing.T) {
	// Letters at the borders of all that is compared in its own way.
	alphabet := []uint16{0, ' ', '0', 'A', 'Z', '[', '_', 'a', 'z', '{', 0x7F, 0x80, 0xB5, 0xC4, 0xE4, 0xFF, 0x178, 0x17F, 0x4E00, 0x7FFF, 0x8000,
		0x8DA3, 0xD7A3, 0xD800, 0xD83D, 0xDBFF, 0xDC00, 0xDE00, 0xDFFF, 0xE000, 0xFF21, 0xFF41, 0xFFFD, 0xFFFF}
	for _, u := range alphabet {
		for _, v := range alphabet {
			comparison(t, units(u), units(v))
		}
	}
	noise := rand.New(rand.NewPCG(5, 6))
	name := func() []byte {
		u := make([]uint16, noise.IntN(5))
		for i := range u {
			u[i] = alphabet[noise.IntN(len(alphabet))]
		}
		return units(u...)
	}
	for range 100_000 {
		comparison(t, name(), name())
	}
}

func FuzzFold(f *testing.F) {
	f.Add(units('a'), units('A'))
	f.Add(units(0xD800), units(0xD800, 0xDC00))
	f.Add(units(0xD800, 0xE000), units(0xD800, 0xDC00, 'x'))
	f.Add(units(0x8000), units('b'))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		comparison(t, x[:len(x)&^1], y[:len(y)&^1])
	})
}

func ExampleVisible() {
	fmt.Println(hive.Visible("evil\u202Egpj.exe\x1b[2J"))
	// Output: evil\u202egpj.exe\x1b[2J
}
