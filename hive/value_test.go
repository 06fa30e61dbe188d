package hive_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
)

func TestUint64(t *testing.T) {
	for _, test := range []struct {
		t    hive.Type
		data []byte
		want uint64
		err  string
	}{
		{hive.DWord, []byte{1, 2, 3, 4}, 0x04030201, ""},
		{hive.DWordBigEndian, []byte{1, 2, 3, 4}, 0x01020304, ""},
		{hive.QWord, []byte{1, 0, 0, 0, 0, 0, 0, 0x80}, 0x8000000000000001, ""},
		{hive.DWord, []byte{255, 255, 255, 255}, 0xFFFFFFFF, ""},
		{hive.DWord, nil, 0, "REG_DWORD of 0 bytes, must be 4"},
		{hive.DWord, []byte{1, 2, 3}, 0, "REG_DWORD of 3 bytes, must be 4"},
		{hive.DWord, make([]byte, 8), 0, "REG_DWORD of 8 bytes, must be 4"},
		{hive.DWordBigEndian, make([]byte, 5), 0, "REG_DWORD_BIG_ENDIAN of 5 bytes, must be 4"},
		{hive.QWord, make([]byte, 4), 0, "REG_QWORD of 4 bytes, must be 8"},
		{hive.SZ, make([]byte, 4), 0, "REG_SZ is not a number"},
		{hive.Binary, make([]byte, 4), 0, "REG_BINARY is not a number"},
		{0x12, make([]byte, 4), 0, "0x12 is not a number"},
	} {
		got, err := hive.Value{Type: test.t, Data: test.data}.Uint64()
		if got != test.want || message(err) != test.err {
			t.Errorf("%v % x: %d, %v, want %d, %s", test.t, test.data, got, err, test.want, test.err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		t    hive.Type
		data []byte
		want string
		err  string
	}{
		{hive.SZ, units('a', 'b', 0), "ab", ""},
		{hive.ExpandSZ, units('%', 'a', '%'), "%a%", ""}, // no NUL
		{hive.Link, units('\\', 'R'), `\R`, ""},
		{hive.SZ, units('a', 0, 'b', 0), "a", ""}, // what stands behind the NUL is not text
		{hive.SZ, nil, "", ""},
		{hive.SZ, units(0), "", ""},
		{hive.SZ, []byte{'a'}, "", ""},
		{hive.SZ, []byte{'a', 0, 'b'}, "a", ""},
		{hive.SZ, []byte{'a', 1, 0, 0, 'x'}, "š", ""},
		{hive.SZ, []byte{0x61, 0x00, 0x00, 0x62}, "a戀", ""}, // two zeros, but of two units
		{hive.SZ, units(0xD800, 0), "\xED\xA0\x80", ""},
		{hive.MultiSZ, units('a', 0, 0), "", "REG_MULTI_SZ is not text"},
		{hive.None, nil, "", "REG_NONE is not text"},
	} {
		got, err := hive.Value{Type: test.t, Data: test.data}.Text()
		if got != test.want || message(err) != test.err {
			t.Errorf("%v % x: %q, %v, want %q, %s", test.t, test.data, got, err, test.want, test.err)
		}
	}
}

func TestStrings(t *testing.T) {
	for _, test := range []struct {
		data []byte
		want []string
	}{
		{nil, nil},
		{units(0), nil},
		{units(0, 0), nil},
		{units('a', 0, 0), []string{"a"}},
		{units('a', 0, 'b', 'c', 0, 0), []string{"a", "bc"}},
		{units('a', 0, 'b'), []string{"a", "b"}},
		{units('a', 0), []string{"a"}},
		{units('a'), []string{"a"}},
		{units('a', 0, 0, 'b', 0, 0), []string{"a"}},
		{units(0, 'a', 0), nil},
		{append(units('a', 0, 0), 'x'), []string{"a"}},
		{append(units('a', 0), 'x'), []string{"a"}},
		{[]byte{'x'}, nil},
	} {
		got, err := hive.Value{Type: hive.MultiSZ, Data: test.data}.Strings()
		if !slices.Equal(got, test.want) || err != nil {
			t.Errorf("% x: %q, %v, want %q", test.data, got, err, test.want)
		}
	}
	if _, err := (hive.Value{Type: hive.SZ}).Strings(); message(err) != "REG_SZ is not a list of strings" {
		t.Error(err)
	}
}

func TestDisplay(t *testing.T) {
	for _, test := range []struct {
		v    hive.Value
		want string
	}{
		{hive.DWordValue("", 4294967295), "4294967295"},
		{hive.NumberValue("", hive.QWord, 1<<63), "9223372036854775808"},
		{hive.Value{Type: hive.DWordBigEndian, Data: []byte{0, 0, 1, 0}}, "256"},
		{hive.Value{Type: hive.DWord, Data: []byte{0x88, 0x13}}, "2 bytes (hex 88 13)"},
		{hive.Value{Type: hive.DWordBigEndian, Data: []byte{0x88}}, "1 byte (hex 88)"},
		{hive.Value{Type: hive.QWord, Data: []byte{0x88, 0x13, 0, 0}}, "4 bytes (hex 88 13 00 00)"},
		{hive.Value{Type: hive.DWord}, "0 bytes"},
		{hive.StringValue("", hive.SZ, "äöü"), "äöü"},
		{hive.Value{Type: hive.SZ, Data: units(0xD800)}, "\uFFFD"},
		{hive.Value{Type: hive.MultiSZ, Data: units('a', 0, 'b', 0, 0)}, "a, b"},
		{hive.Value{Type: hive.Binary, Data: []byte{0xAB, 0}}, "ab00"},
		{hive.Value{Type: hive.None, Data: []byte{1}}, "01"},
		{hive.Value{Type: 0xFFFF0012, Data: []byte{1}}, "01"},
		{hive.Value{Type: hive.Binary}, ""},
	} {
		if got := test.v.Display(); got != test.want {
			t.Errorf("%v % x: %q, want %q", test.v.Type, test.v.Data, got, test.want)
		}
	}
}

func TestForm(t *testing.T) {
	for _, test := range []struct {
		v    hive.Value
		want string
	}{
		{hive.DWordValue("", 1), "REG_DWORD"},
		{hive.Value{Type: hive.DWord, Data: []byte{1}}, "REG_DWORD of 1 byte"},
		{hive.Value{Type: hive.QWord, Data: []byte{1, 2, 3, 4}}, "REG_QWORD of 4 bytes"},
		{hive.Value{Type: hive.DWordBigEndian}, "REG_DWORD_BIG_ENDIAN of 0 bytes"},
		{hive.Value{Type: hive.Binary, Data: []byte{1}}, "REG_BINARY"},
	} {
		if got := test.v.Form(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestMakers(t *testing.T) {
	for _, test := range []struct {
		v    hive.Value
		want string
	}{
		{hive.DWordValue("n", 0x01020304), "n REG_DWORD 04030201"},
		{hive.NumberValue("n", hive.DWord, 0x1_0000_0002), "n REG_DWORD 02000000"},
		{hive.NumberValue("n", hive.QWord, 2), "n REG_QWORD 0200000000000000"},
		{hive.StringValue("n", hive.SZ, ""), "n REG_SZ 0000"},
		{hive.StringValue("n", hive.ExpandSZ, "a"), "n REG_EXPAND_SZ 61000000"},
	} {
		if got := fmt.Sprintf("%s %v %x", test.v.Name, test.v.Type, test.v.Data); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestTypes(t *testing.T) {
	names := hive.TypeNames()
	for _, n := range []hive.Type{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x101, 0x7FFFFFFF, 0x80000000, 0xFFFF0012, 0xFFFFFFFF} {
		name := n.String()
		if back, ok := hive.ParseType(name); !ok || back != n {
			t.Errorf("%d: %s is read as %d, %t", n, name, back, ok)
		}
		if int64(n) < int64(len(names)) != strings.HasPrefix(name, "REG_") {
			t.Errorf("%d: %s", n, name)
		}
	}
	if names[hive.QWord] != "REG_QWORD" || names[hive.Link] != "REG_LINK" || hive.Type(12).String() != "0xc" {
		t.Error(names)
	}
	for _, s := range []string{"", "REG_", "reg_sz", "0x", "0x100000000", "0x-1", "1", "REG_DWORD "} {
		if n, ok := hive.ParseType(s); ok {
			t.Errorf("%q is read as %v", s, n)
		}
	}
}

func TestFiletime(t *testing.T) {
	for _, test := range []struct {
		f    hive.Filetime
		want string
	}{
		{0, "0001-01-01T00:00:00Z"},
		{1, "1601-01-01T00:00:00.0000001Z"},
		{116444736000000000, "1970-01-01T00:00:00Z"},
		{116444735999999999, "1969-12-31T23:59:59.9999999Z"},
		{132223104001234567, "2020-01-01T00:00:00.1234567Z"},
		{2650467743999999999, "9999-12-31T23:59:59.9999999Z"},
		{2650467744000000000, "0001-01-01T00:00:00Z"},
		{1<<63 - 1, "0001-01-01T00:00:00Z"},
		{-1 << 63, "0001-01-01T00:00:00Z"},
		{-1, "0001-01-01T00:00:00Z"},
	} {
		if got := test.f.Time().Format(time.RFC3339Nano); got != test.want {
			t.Errorf("%d: %s, want %s", test.f, got, test.want)
		}
	}
	if got := hive.Filetime(0).UTC(); got.Year() != 1601 || hive.NewKey("", nil).Modified() != (time.Time{}) {
		t.Error(got)
	}
}

func TestNewKey(t *testing.T) {
	k := hive.NewKey("k", []hive.Value{hive.DWordValue("a", 1), hive.DWordValue("b", 2), hive.DWordValue("A", 3)},
		hive.NewKey("z", nil), hive.NewKey("X", nil), hive.NewKey("Z", []hive.Value{hive.DWordValue("last", 1)}))
	if v, ok := k.Value("a"); !ok || v.Display() != "3" || len(k.Values()) != 2 || k.Values()[0].Name != "A" {
		t.Errorf("%v", k.Values())
	}
	if z := k.Key("z"); z.Name() != "Z" || len(z.Values()) != 1 || len(k.Keys()) != 2 || k.Keys()[0].Name() != "X" || k.Stored()[0].Name() != "Z" {
		t.Errorf("%v", k.Keys())
	}
	if v, ok := k.Value(""); ok || v.Data != nil || k.Key("") != nil {
		t.Error("something without a name was found")
	}
	r := k.Rename("other")
	if r.Name() != "other" || k.Name() != "k" || !hive.Equal(r, k) || !bytes.Equal(r.Values()[0].Data, k.Values()[0].Data) {
		t.Error("the renamed key has another content")
	}
}

// TestWalkStops checks that a walk ends where its user stops it.
func TestWalkStops(t *testing.T) {
	root := hive.NewKey("", nil, hive.NewKey("b", nil, hive.NewKey("c", nil)), hive.NewKey("a", nil))
	var got []string
	for path := range root.Walk() {
		got = append(got, path.String())
		if path.String() == "b" {
			break
		}
	}
	for path := range root.WalkStored() {
		got = append(got, path.String())
	}
	if want := []string{"", "a", "b", "", "b", `b\c`, "a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHidden(t *testing.T) {
	for _, c := range []struct {
		typ  hive.Type
		text string // each NUL as |
		want string // the hidden strings; then what is displayed
	}{
		{hive.SZ, "good|", "[] good"},
		{hive.SZ, "good||||", "[] good"},
		{hive.SZ, "good", "[] good"},
		{hive.SZ, "good|evil|", "[evil] good [behind a NUL: evil]"},
		{hive.ExpandSZ, "|evil||x", "[evil x]  [behind a NUL: evil, x]"},
		{hive.MultiSZ, "a|b||", "[] a, b"},
		{hive.MultiSZ, "a|b", "[] a, b"},
		{hive.MultiSZ, "a|b||||", "[] a, b"},
		{hive.MultiSZ, "a||evil|x||", "[evil x] a [behind an empty string: evil, x]"},
		{hive.MultiSZ, "|evil", "[evil]  [behind an empty string: evil]"},
		{hive.Binary, "a||c", "[] 6100000000006300"},
	} {
		v := hive.Value{Type: c.typ, Data: hive.EncodeUTF16(strings.ReplaceAll(c.text, "|", "\x00"))}
		if got := fmt.Sprintf("%v %s", v.Hidden(), v.Display()); got != c.want {
			t.Errorf("%s %s\n got %s\nwant %s", c.typ, c.text, got, c.want)
		}
		v.Data = append(v.Data, 'x') // an odd last byte is no text
		if got := fmt.Sprint(v.Hidden()); !strings.HasPrefix(c.want, got+" ") {
			t.Errorf("%s %s with an odd byte: %s", c.typ, c.text, got)
		}
	}
}
