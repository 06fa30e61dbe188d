package hivetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"www.velocidex.com/golang/regparser"

	"regvet/hive"
)

// trees are the hives that every test of the format uses.
func trees() map[string]func() ([]byte, Layout) {
	build := func(root *Key, o Options) func() ([]byte, Layout) {
		o.Modified = someTime
		return func() ([]byte, Layout) { return BuildLayout(root, o) }
	}
	all := map[string]func() ([]byte, Layout){
		"specimen":  build(Specimen(), Options{ListMax: 4}),
		"names":     build(namesTree(), Options{}),
		"surrogate": build(&Key{Name: "\xED\xA0\x80", Keys: []*Key{{Name: "\xED\xBF\xBF"}, {Name: "a\xED\xA0\x80"}}}, Options{}),
		"deep":      build(deepTree(hive.MaxDepth), Options{}),
		"empty":     build(&Key{}, Options{}),
	}
	for minor := uint32(2); minor <= 6; minor++ {
		all[fmt.Sprintf("sizes-1.%d", minor)] = build(sizesTree(), Options{Minor: minor})
		all[fmt.Sprintf("wide-1.%d", minor)] = build(wideTree(5000, ""), Options{Minor: minor})
	}
	return all
}

// TestCells checks the bins and cells of a hive against the rules of the format, and requires that the layout has every cell in use.
func TestCells(t *testing.T) {
	for name, build := range trees() {
		t.Run(name, func(t *testing.T) {
			b, at := build()
			if got := int(le.Uint32(b[BaseLength:])); len(b) != page+got {
				t.Errorf("%d bytes of bins, the base block says %d", len(b)-page, got)
			}
			if le.Uint32(b[BaseChecksum:]) != Checksum(b) {
				t.Error("wrong checksum")
			}
			var used, bins []int
			for bin := page; bin < len(b); {
				bins = append(bins, bin)
				size := int(le.Uint32(b[bin+BinSize:]))
				if string(b[bin:bin+4]) != "hbin" || int(le.Uint32(b[bin+BinOffset:])) != bin-page || size%page != 0 || size == 0 {
					t.Fatalf("bad bin at %#x", bin)
				}
				cell := bin + binHeader
				for cell < bin+size {
					n := int(int32(le.Uint32(b[cell:])))
					if n < 0 {
						used = append(used, cell+cellHeader)
					} else if cell+n != bin+size {
						t.Fatalf("free cell at %#x that is not the last of its bin", cell)
					}
					n = max(n, -n)
					if n == 0 || n%cellAlign != 0 {
						t.Fatalf("cell of %d bytes at %#x", n, cell)
					}
					cell += n
				}
				if cell != bin+size {
					t.Fatalf("cell at %#x leaves its bin", cell)
				}
				bin += size
			}
			if !slices.Equal(bins, at.Bins) {
				t.Errorf("bins at %x, the layout says %x", bins, at.Bins)
			}
			records := at.records()
			slices.Sort(records)
			if !slices.Equal(used, records) {
				t.Errorf("%d cells in use, %d in the layout", len(used), len(records))
			}
		})
	}
}

func (l Layout) records() []int {
	all := []int{l.Security}
	for _, k := range l.Keys {
		all = append(all, k.Node, k.Class, k.List, k.ValueList)
		all = append(all, k.Leaves...)
		for _, v := range k.Values {
			all = append(all, v.Record, v.Data, v.List)
			all = append(all, v.Segments...)
		}
	}
	return slices.DeleteFunc(all, func(record int) bool { return record == 0 })
}

// TestFields reads the records with the accessors of another implementation of the format.
func TestFields(t *testing.T) {
	root := Specimen()
	root.Keys[0].Flags = 0x10
	dated(root)
	b, at := BuildLayout(root, Options{ListMax: 4, Minor: 6, Name: `\??\C:\Windows\System32\config\SPECIMEN`, Sequence1: 7, Dirty: true, Modified: someTime})
	profile, reader := regparser.NewRegistryProfile(), bytes.NewReader(b)

	base := profile.HBASE_BLOCK(reader, 0)
	equal(t, "major", base.Major(), 1)
	equal(t, "minor", base.Minor(), 6)
	equal(t, "type", base.Type(), 0)
	equal(t, "format", base.Format(), 1)
	equal(t, "cluster", base.Cluster(), 1)
	equal(t, "sequence 1", base.Sequence1(), 7)
	equal(t, "sequence 2", base.Sequence2(), 6)
	equal(t, "length", base.Length(), uint32(len(b)-page))
	equal(t, "root", base.RootCell(), Ref(at.Key("").Node))
	equal(t, "root of Windows' own hives", base.RootCell(), 0x20)
	equal(t, "checksum", base.CheckSum(), Checksum(b))
	equal(t, "name", strings.TrimRight(base.FileName(), "\x00"), `indows\System32\config\SPECIMEN`)
	equal(t, "bin", profile.HBIN(reader, page).HbinSize(), page)

	node := func(path string) *regparser.CM_KEY_NODE {
		return profile.CM_KEY_NODE(reader, int64(at.Key(path).Node))
	}
	equal(t, "flags of the root", node("").Flags(), 0x2C)
	equal(t, "parent of the root", node("").Parent(), Nil)
	equal(t, "subkeys of the root", node("").SubKeyCounts()[0], 2)
	equal(t, "longest name in the root", node("").MaxNameLen(), uint64(2*len("Plain")))
	equal(t, "longest class in the root", node("").MaxClassLen(), uint32(2*len("Class")))
	equal(t, "values of the root", node("").ValueList().Count(), 0)
	equal(t, "value list of the root", node("").ValueList().List(), Nil)

	plain, place := node("Plain"), at.Key("Plain")
	equal(t, "flags", plain.Flags(), 0x30)
	equal(t, "parent", plain.Parent(), Ref(at.Key("").Node))
	equal(t, "name", plain.Name(), "Plain")
	equal(t, "class", plain.Class(), Ref(place.Class))
	equal(t, "class length", plain.ClassLength(), uint16(2*len("Class")))
	equal(t, "list", plain.SubKeyLists()[0], Ref(place.List))
	equal(t, "volatile list", plain.SubKeyLists()[1], Nil)
	equal(t, "values", plain.ValueList().Count(), 3)
	equal(t, "value list", plain.ValueList().List(), Ref(place.ValueList))
	equal(t, "longest value name", plain.MaxValueNameLen(), uint32(2*len("Inline")))
	equal(t, "longest data", plain.MaxValueDataLen(), 40_000)
	equal(t, "security", plain.Security(), Ref(at.Security))
	equal(t, "time", plain.LastWriteTime().Unix(), root.Keys[0].Modified.Time().Unix())
	equal(t, "references to the descriptor", le.Uint32(b[at.Security+SecurityCount:]), uint32(len(at.Keys)))

	inline := profile.CM_KEY_VALUE(reader, int64(place.Value("Inline").Record))
	equal(t, "inline length", inline.DataLength(), Inline|4)
	equal(t, "inline data", inline.Data(), 1)
	equal(t, "inline type", inline.Type(), uint32(hive.DWord))
	equal(t, "inline name", inline.ValueName(), "Inline")
	equal(t, "text", le.Uint32(b[place.Value("Text").Record+ValueData:]), Ref(place.Value("Text").Data))
	big := profile.CM_BIG_DATA(reader, int64(place.Value("Big").Data))
	equal(t, "segments", big.Count(), 3)
	equal(t, "list of segments", big.List(), Ref(place.Value("Big").List))

	list := profile.CM_KEY_INDEX(reader, int64(at.Key("List").List))
	equal(t, "lists", list.Count(), 3)
	var names []string
	for _, k := range node("List").Subkeys() {
		names = append(names, k.Name())
	}
	equal(t, "names", strings.Join(names, ""), "0123456789")
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestForms(t *testing.T) {
	for _, test := range []struct {
		o     Options
		form  string
		n     int
		want  string
		lists int // under an ri
		leaf  string
	}{
		{Options{Minor: 2}, "", 3, "li", 0, ""},
		{Options{Minor: 3}, "", 3, "lf", 0, ""},
		{Options{Minor: 5}, "", 3, "lh", 0, ""},
		{Options{Minor: 5}, "", 507, "lh", 0, ""},
		{Options{Minor: 5}, "", 508, "ri", 2, "lh"},
		{Options{Minor: 5}, "", 5000, "ri", 10, "lh"},
		{Options{Minor: 3}, "", 508, "ri", 2, "li"},
		{Options{Minor: 2}, "", 5000, "ri", 5, "li"},
		{Options{ListMax: 3}, "", 10, "ri", 4, "lh"},
		{Options{}, "lh", 5000, "lh", 0, ""},
		{Options{}, "li", 3, "li", 0, ""},
		{Options{}, "ri", 3, "ri", 2, "lh"},
	} {
		b, at := BuildLayout(wideTree(test.n, test.form), test.o)
		k := at.Key("Wide")
		form, leaf := string(b[k.List:k.List+2]), ""
		if len(k.Leaves) > 0 {
			leaf = string(b[k.Leaves[0] : k.Leaves[0]+2])
		}
		if form != test.want || len(k.Leaves) != test.lists || leaf != test.leaf {
			t.Errorf("1.%d, %d keys as %q: %s over %d lists %s", test.o.Minor, test.n, test.form, form, len(k.Leaves), leaf)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		name       string
		stored     string
		compressed bool
		hint       string
		hash       uint32
	}{
		{"abc", "abc", true, "abc\x00", (65*37+66)*37 + 67},
		{"ABCDE", "ABCDE", true, "ABCD", (((65*37+66)*37+67)*37+68)*37 + 69},
		{"ä", "\xE4", true, "\xE4\x00\x00\x00", 0xC4},
		{"ÿ", "\xFF", true, "\xFF\x00\x00\x00", 0x178},
		{"Ÿ", "\x78\x01", false, "\x00\x00\x00\x00", 0x178},
		{"a\x00", "a\x00", true, "a\x00\x00\x00", 65 * 37},
		{"\xED\xA0\x80", "\x00\xD8", false, "\x00\x00\x00\x00", 0xD800},
		{"\U0001F600", "\x3D\xD8\x00\xDE", false, "\x00\x00\x00\x00", 0xD83D*37 + 0xDE00},
		// A name and its hash from a hive that Windows wrote.
		{"🌎🌏🌍", "\x3C\xD8\x0E\xDF\x3C\xD8\x0F\xDF\x3C\xD8\x0D\xDF", false, "\x00\x00\x00\x00", 1431706838},
	} {
		stored, compressed := encodeName(test.name, false)
		equal(t, test.name+" stored", string(stored), test.stored)
		equal(t, test.name+" compressed", compressed, test.compressed)
		equal(t, test.name+" hint", string(nameHint(test.name)), test.hint)
		equal(t, test.name+" hash", nameHash(test.name), test.hash)
	}
	wide, compressed := encodeName("abc", true)
	equal(t, "wide", string(wide), "a\x00b\x00c\x00")
	equal(t, "wide compressed", compressed, false)
}

func TestChecksum(t *testing.T) {
	base := make([]byte, page)
	equal(t, "of zeros", Checksum(base), 1)
	le.PutUint32(base[8:], 0xFFFFFFFF)
	equal(t, "of ones", Checksum(base), 0xFFFFFFFE)
	le.PutUint32(base[504:], 0x0F)
	equal(t, "of others", Checksum(base), 0xFFFFFFF0)
	Seal(base)
	equal(t, "sealed", le.Uint32(base[508:]), 0xFFFFFFF0)
}

func TestSameTreeSameBytes(t *testing.T) {
	for name, build := range trees() {
		a, _ := build()
		b, _ := build()
		if !bytes.Equal(a, b) {
			t.Error(name)
		}
	}
}

func TestSorted(t *testing.T) {
	root := &Key{Keys: []*Key{{Name: "b"}, {Name: "_"}, {Name: "A"}, {Name: "a1"}}}
	order := func(o Options) string {
		b, at := BuildLayout(root, o)
		var names []string
		for i := range root.Keys {
			ref := le.Uint32(b[at.Key("").List+ListElements+8*i:])
			for path, k := range at.Keys {
				if Ref(k.Node) == ref {
					names = append(names, path)
				}
			}
		}
		return strings.Join(names, " ")
	}
	equal(t, "sorted", order(Options{}), "A a1 b _")
	equal(t, "unsorted", order(Options{Unsorted: true}), "b _ A a1")
}

func TestFromTree(t *testing.T) {
	tree := hive.NewKey("R", []hive.Value{hive.DWordValue("v", 1)},
		hive.NewKey("b", nil), hive.NewKey("a", nil, hive.NewKey("c", nil)))
	want := &Key{Name: "R", Values: []hive.Value{hive.DWordValue("v", 1)},
		Keys: []*Key{{Name: "b"}, {Name: "a", Keys: []*Key{{Name: "c"}}}}}
	if !bytes.Equal(Build(FromTree(tree), Options{}), Build(want, Options{})) {
		t.Error("the copy is another tree")
	}
}

func TestPanics(t *testing.T) {
	for name, build := range map[string]func(){
		"version":         func() { Build(&Key{}, Options{Minor: 1}) },
		"form":            func() { Build(wideTree(2, "lx"), Options{}) },
		"ri over one key": func() { Build(wideTree(1, "ri"), Options{}) },
		"long list":       func() { Build(wideTree(65_536, "li"), Options{}) },
		"long name":       func() { Build(&Key{Name: strings.Repeat("x", 65_536)}, Options{}) },
		"no such key":     func() { _, at := BuildLayout(&Key{}, Options{}); at.Key("x") },
		"no such value":   func() { _, at := BuildLayout(&Key{}, Options{}); at.Key("").Value("x") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			build()
		})
	}
}
