package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/memory"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// doubleNames has names that occur twice, which only damage causes.
var doubleNames = &hivetest.Key{
	Values: []hive.Value{hive.DWordValue("v", 1), hive.DWordValue("w", 1), hive.DWordValue("V", 2)},
	Keys: []*hivetest.Key{
		{Name: "A", Values: []hive.Value{hive.DWordValue("which", 1)}},
		{Name: "a", Values: []hive.Value{hive.DWordValue("which", 2)}},
		{Name: "b"},
	},
}

// read reads a hive that must be readable.
func read(t testing.TB, b []byte, logs ...hive.Log) *hive.File {
	t.Helper()
	f, err := hive.Read("TEST", b, logs...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func hiveOf(t testing.TB, root *hivetest.Key) *hive.File {
	t.Helper()
	return read(t, hivetest.Build(root, hivetest.Options{}))
}

// dated gives each key its own time, with a fraction of a second.
func dated(k *hivetest.Key) *hivetest.Key {
	at := hive.Filetime(132223104001234567) // 2020-01-01
	var date func(*hivetest.Key)
	date = func(k *hivetest.Key) {
		k.Modified = at
		at += 610_000_001
		for _, child := range k.Keys {
			date(child)
		}
	}
	date(k)
	return k
}

// sameTree compares what was read with what was written: names as spelled, times, types, data, and the order.
func sameTree(t *testing.T, got *hive.Key, want *hivetest.Key, path hive.Path) {
	t.Helper()
	if got.Name() != want.Name || got.Filetime() != want.Modified {
		t.Fatalf("%q: name %q, time %d, want %q, %d", path, got.Name(), got.Filetime(), want.Name, want.Modified)
	}
	if got.KeysKnown() != hive.Whole || got.ValuesKnown() != hive.Whole || got.Implied() {
		t.Fatalf("%q: not whole: %v", path, got.Problems())
	}
	if len(got.Values()) != len(want.Values) {
		t.Fatalf("%q: %d values, want %d", path, len(got.Values()), len(want.Values))
	}
	for i, v := range got.Values() {
		w := want.Values[i]
		if v.Name != w.Name || v.Type != w.Type || !bytes.Equal(v.Data, w.Data) || v.Short || v.Data == nil {
			t.Fatalf("%q: value %d is %q %v %d bytes, want %q %v %d", path, i, v.Name, v.Type, len(v.Data), w.Name, w.Type, len(w.Data))
		}
	}
	keys := slices.Clone(want.Keys)
	slices.SortStableFunc(keys, func(a, b *hivetest.Key) int { return hive.CompareFold(a.Name, b.Name) })
	if len(got.Keys()) != len(keys) {
		t.Fatalf("%q: %d subkeys, want %d", path, len(got.Keys()), len(keys))
	}
	for i, k := range got.Keys() {
		sameTree(t, k, keys[i], path.Join(keys[i].Name))
	}
}

// specialTree has names and data of each kind that is stored in its own way.
func specialTree() *hivetest.Key {
	root := &hivetest.Key{Name: "CMI-CreateHive{...}", Class: "class"}
	for _, name := range []string{"plain", "ÄÖÜ", "\u0080\u009F", "ÿ", "Ÿ2", "日本語", "\xED\xA0\x80", "\xED\xA0\x81", "x\xED\xB0\x80", "\U0001F600", "nul\x00l",
		"cr\r\nlf", `back\slash`, "a/b", " ", strings.Repeat("n", 255), strings.Repeat("日", 255)} {
		root.Keys = append(root.Keys, &hivetest.Key{Name: name, Values: []hive.Value{
			hive.StringValue(name, hive.SZ, name), {Name: "", Type: hive.None, Data: []byte{}}}})
	}
	root.Keys = append(root.Keys, &hivetest.Key{Name: "wide", UTF16: true})
	sizes := &hivetest.Key{Name: "sizes"}
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 4055, 4056, 4060, 4061, 8192, 16343, 16344, 16345, 16352, 2 * 16344, 2*16344 + 1, 100_001} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i*7 + n)
		}
		sizes.Values = append(sizes.Values, hive.Value{Name: fmt.Sprint(n), Type: hive.Type(n), Data: data})
	}
	// The signature of the index of big data, in data that are not in segments and in data that are.
	for _, n := range []int{12, 20_000} {
		sizes.Values = append(sizes.Values, hive.Value{Name: fmt.Sprint("db ", n), Type: hive.Binary, Data: append([]byte("db\x02\x00"), make([]byte, n)...)})
	}
	root.Keys = append(root.Keys, sizes)
	return dated(root)
}

// wideTree has n subkeys in a list of the given form.
func wideTree(n int, form string) *hivetest.Key {
	root := &hivetest.Key{Name: "root", List: form}
	for i := range n {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("Key%05d", (i*7919)%n)})
	}
	return dated(root)
}

func deepTree(levels int) *hivetest.Key {
	root := &hivetest.Key{Name: "root"}
	for k := root; levels > 0; levels-- {
		k.Keys = []*hivetest.Key{{Name: fmt.Sprint("level ", levels), Values: []hive.Value{hive.DWordValue("n", uint32(levels))}}}
		k = k.Keys[0]
	}
	return dated(root)
}

// TestRoundTrip reads what the hive writer wrote. The writer is held against other readers of the format in its own package.
func TestRoundTrip(t *testing.T) {
	type tree struct {
		name string
		root *hivetest.Key
		o    hivetest.Options
	}
	tests := []tree{
		{"empty", &hivetest.Key{}, hivetest.Options{}},
		{"512 levels", deepTree(hive.MaxDepth), hivetest.Options{}},
		{"specimen", hivetest.Specimen(), hivetest.Options{ListMax: 4}},
	}
	for minor := uint32(2); minor <= 6; minor++ {
		tests = append(tests, tree{fmt.Sprint("special 1.", minor), specialTree(), hivetest.Options{Minor: minor}},
			tree{fmt.Sprint("5000 subkeys 1.", minor), wideTree(5000, ""), hivetest.Options{Minor: minor}})
	}
	for _, form := range []string{"li", "lf", "lh", "ri"} {
		tests = append(tests, tree{"20 in " + form, wideTree(20, form), hivetest.Options{}}, tree{"5000 in " + form, wideTree(5000, form), hivetest.Options{}})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := hivetest.Build(test.root, test.o)
			f := read(t, b)
			sameTree(t, f.Root(), test.root, nil)
			odd := func(p hive.Problem) bool {
				return p.Kind == hive.BadName && strings.Contains(p.Msg, "holds a backslash")
			}
			if p := slices.DeleteFunc(f.Problems(), odd); len(p) > 0 {
				t.Errorf("problems in a sound hive: %v", p)
			}
			if len(b) < 300_000 {
				laws(t, b)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	o := hivetest.Options{Minor: 3, Sequence1: 7, Dirty: true, Modified: 132223104001234567, Name: `\??\C:\Windows\System32\config\SYSTEM`}
	b := hivetest.Build(&hivetest.Key{Name: "r"}, o)
	f := read(t, b)
	h := f.Header
	want := hive.Header{Sequence1: 7, Sequence2: 6, Modified: o.Modified, Major: 1, Minor: 3, Format: 1, Root: 32, Length: 4096, Cluster: 1,
		Name: `\Windows\System32\config\SYSTEM`, Checksum: h.Computed, Computed: hivetest.Checksum(b)}
	if h != want {
		t.Errorf("got  %+v\nwant %+v", h, want)
	}
	if !h.Dirty() || f.Size() != int64(len(b)) || f.Source != "TEST" || !hive.IsHive(b) {
		t.Error("dirty, size, source or kind is wrong")
	}
	// The two sums that the checksum never is.
	for sum, checksum := range map[uint32]uint32{0: 1, 0xFFFFFFFF: 0xFFFFFFFE} {
		c := bytes.Clone(b)
		le.PutUint32(c[500:], le.Uint32(c[500:])^hivetest.Checksum(c)^sum)
		le.PutUint32(c[hivetest.BaseChecksum:], checksum)
		if got := read(t, c).Header; got.Computed != checksum || got.Checksum != checksum {
			t.Errorf("sum %#x: checksum %#x, want %#x", sum, got.Computed, checksum)
		}
	}
}

func TestRefused(t *testing.T) {
	b, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{})
	log := "HIVE: offset 0x1c: is a transaction log of a hive and holds no keys by itself; give the hive that lies beside it"
	short := "HIVE: offset %#x: the file ends inside the base block, which has 4096 bytes; copy the hive again"
	nothing := "HIVE: offset 0x24: the cell of the root key %s; nothing can be read"
	tests := []struct {
		name string
		data []byte
		kind hive.Kind
		want string
	}{
		{"empty", nil, hive.BadHeader, `HIVE: is no hive: it does not start with "regf"`},
		{"short", []byte("reg"), hive.BadHeader, `HIVE: is no hive: it does not start with "regf"`},
		{"text", []byte("Windows Registry Editor Version 5.00\r\n"), hive.BadHeader, `HIVE: is no hive: it does not start with "regf"`},
		{"in capitals, without bins", append([]byte("REGF"), b[4:4096]...), hive.BadHeader, `HIVE: is no hive: it does not start with "regf"`},
		{"signature only", b[:4], hive.Truncated, fmt.Sprintf(short, 4)},
		{"cut in the base block", b[:4095], hive.Truncated, fmt.Sprintf(short, 4095)},
		{"log of type 1", hivetest.Set32(b, hivetest.BaseType, 1), hive.BadHeader, log},
		{"log of type 2", hivetest.Set32(b, hivetest.BaseType, 2), hive.BadHeader, log},
		{"log of type 6", hivetest.Set32(b, hivetest.BaseType, 6), hive.BadHeader, log},
		{"log that is cut off", hivetest.Set32(b, hivetest.BaseType, 6)[:512], hive.Truncated, fmt.Sprintf(short, 512)},
		{"major version 2", hivetest.Set32(b, hivetest.BaseMajor, 2), hive.BadHeader,
			"HIVE: offset 0x14: is a hive of format version 2.5; only versions 1.1 to 1.6 are known"},
		{"major version 0", hivetest.Set32(b, hivetest.BaseMajor, 0), hive.BadHeader,
			"HIVE: offset 0x14: is a hive of format version 0.5; only versions 1.1 to 1.6 are known"},
		{"no bins", b[:4096], hive.BadCell, fmt.Sprintf(nothing, "lies beyond the end of the hive (reference to offset 0x1020)") +
			fmt.Sprintf("; offset 0x1000: the file ends here, %d bytes before the end of the hive; what lies beyond is lost", len(b)-4096)},
		{"root is short", hivetest.CellSize(b, at.Key("").Node, -72), hive.BadCell, "HIVE: offset 0x1020: the cell of the root key has 68 bytes, a key needs 76; nothing can be read" +
			"; offset 0x1068: cell has an impossible size of 0 bytes; cells up to offset 0x2000 are taken as they look"},
		// Read as a version with other cells, there is no root key.
		{"minor version 0", hivetest.Set32(b, hivetest.BaseMinor, 0), hive.BadSignature,
			`HIVE: offset 0x1020: the cell of the root key is signed "\x00\x00", not "nk"; nothing can be read; offset 0x18: format version 1.0 is not known; read as 1.1` +
				"; offset 0x1020: cell has an impossible size of 88 bytes; cells up to offset 0x2000 are taken as they look"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := hive.Read("HIVE", test.data)
			p, ok := errors.AsType[*hive.Problem](err)
			if !ok || f != nil {
				t.Fatalf("read, error %v", err)
			}
			if p.Error() != test.want {
				t.Errorf("got  %s\nwant %s", p.Error(), test.want)
			}
			if p.Kind != test.kind || !p.Loss || p.At.Offset > int64(len(test.data)) {
				t.Errorf("kind %s, loss %t, at %v", p.Kind, p.Loss, p.At)
			}
		})
	}
}

// TestTooLarge checks that a hive or log that is too large is refused before it is read.
func TestTooLarge(t *testing.T) {
	t.Cleanup(runtime.GC)                 // else the collector waits for as much again
	large := make([]byte, hive.MaxSize+1) // which takes no memory as long as it is not touched
	copy(large, hivetest.Build(hivetest.Specimen(), hivetest.Options{}))
	_, err := hive.Read("HIVE", large)
	if want := "HIVE: has 2147487745 bytes, and a hive at most 2147487744; give the hive alone, without what is behind it"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if f, err := hive.Read("HIVE", large[:hive.MaxSize]); err != nil || f.Size() != hive.MaxSize {
		t.Errorf("the largest is refused: %v", err)
	}
	dirty := hivetest.Set32(hivetest.Build(hivetest.Specimen(), hivetest.Options{}), hivetest.BaseSequence1, 99)
	f := read(t, dirty, hive.Log{Name: "HIVE.LOG1", Data: large})
	if want := "has 2147487745 bytes, and a log at most 2147487744"; len(f.Logs) != 1 || f.Logs[0].Why != want {
		t.Errorf("%+v, want %s", f.Logs, want)
	}
}

// TestOddHeader has headers that are wrong but no reason to refuse the hive.
func TestOddHeader(t *testing.T) {
	b := hivetest.Build(hivetest.Specimen(), hivetest.Options{})
	end := len(b)
	odd := func(at int, n uint32) []byte { return hivetest.Set32(b, at, n) }
	unsealed := hivetest.Set32(odd(hivetest.BaseLength, 4096), hivetest.BaseChecksum, 0x1234)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"version 1.7", odd(hivetest.BaseMinor, 7), "bad-header 0x18: format version 1.7 is not known; read as 1.6"},
		{"type 3", odd(hivetest.BaseType, 3), "bad-header 0x1c: file type is 3, must be 0; read as a hive all the same"},
		{"format 2", odd(hivetest.BaseFormat, 2), "bad-header 0x20: file format is 2, must be 1; read all the same"},
		{"cluster 8", odd(hivetest.BaseCluster, 8), "bad-header 0x2c: clustering factor is 8, must be 1; ignored"},
		{"length between pages", odd(hivetest.BaseLength, uint32(end-4096-512)), fmt.Sprintf("bad-header 0x28: length of the bins is %d bytes, must be a multiple of 4096", end-4096-512)},
		{"dirty", odd(hivetest.BaseSequence2, 9), "dirty 0x4: the hive is dirty (sequence numbers 1 and 9): its latest changes are only in its logs, which were not applied"},
		{"length beyond the file", odd(hivetest.BaseLength, uint32(end)), fmt.Sprintf("truncated! %#x: the file ends here, 4096 bytes before the end of the hive; what lies beyond is lost", end)},
		// A base block that does not add up may say what it wants of the length.
		{"bad checksum", unsealed, fmt.Sprintf("bad-checksum 0x1fc: the hive is dirty (the checksum of its base block is 0x%08x, must be 0x%08x): its latest changes are only in its logs, which were not applied", 0x1234, hivetest.Checksum(unsealed))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, test.data)
			p := f.Problems()[0]
			if got := brief(p) + fmt.Sprintf(" %#x: %s", p.At.Offset, p.Msg); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got, want := content(f.Root()), content(read(t, b).Root()); got != want && !strings.HasPrefix(test.name, "length between") {
				t.Errorf("not all was read:\n%s", got)
			}
		})
	}
}

// TestOddNames has names that Windows does not allow for a key: they are read and reported. For a value they are allowed.
func TestOddNames(t *testing.T) {
	for name, want := range map[string]string{
		`a\b`:                    `bad-name: the name of key "a\\b" holds a backslash, which Windows does not allow; a path with it can be taken for that of another key`,
		strings.Repeat("n", 256): `bad-name: the name of key "nnnnnnnnnnnnnnnnnnnn"… has more than the 255 characters that Windows allows`,
	} {
		f := hiveOf(t, &hivetest.Key{Keys: []*hivetest.Key{{Name: name}, {Name: "z", Values: []hive.Value{hive.DWordValue(name, 1)}}}})
		if k := f.Root().Key(name); k == nil || len(f.Root().Key("z").Values()) != 1 {
			t.Errorf("%q is not found", name)
		}
		if p := f.Problems(); len(p) != 1 || brief(p[0])+": "+p[0].Msg != want {
			t.Errorf("got  %v\nwant %s", p, want)
		}
	}
}

// TestBigDataInOneCell has data without segments in a version that has them, as programs write that do not know of segments.
func TestBigDataInOneCell(t *testing.T) {
	data := bytes.Repeat([]byte("abcdefg"), 2335) // 16,345 bytes, one more than a segment has
	b, at := hivetest.BuildLayout(&hivetest.Key{Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: data}}}, hivetest.Options{Minor: 3})
	b = hivetest.Set32(b, hivetest.BaseMinor, 5)
	f := read(t, b)
	v, _ := f.Root().Value("v")
	if !bytes.Equal(v.Data, data) || v.Short {
		t.Errorf("%d bytes, short %t", len(v.Data), v.Short)
	}
	want := `bad-data: the data of value "v" of key "" are in one cell, where data of this size must be in segments; Windows may not read them`
	if p := f.Problems(); len(p) != 1 || brief(p[0])+": "+p[0].Msg != want {
		t.Errorf("got  %v\nwant %s", p, want)
	}
	laws(t, b)
	// A cell that is too small for them is none of them.
	f = read(t, hivetest.Set32(b, at.Key("").Value("v").Record+hivetest.ValueLength, 40_000))
	if v, _ := f.Root().Value("v"); v.Data != nil || !v.Short {
		t.Errorf("%d bytes, short %t", len(v.Data), v.Short)
	}
}

// TestDamagedListNamesItsKey has lists of subkeys that cannot be read: the problem must name their key.
func TestDamagedListNamesItsKey(t *testing.T) {
	b, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{wideTree(20, "ri")}}, hivetest.Options{ListMax: 8})
	list := at.Key("root")
	for want, b := range map[string][]byte{
		`the cell of a list of the subkeys of "root" is not at the start of a cell in use; those subkeys are lost`:                                                               hivetest.Free(b, list.Leaves[0]),
		`a list of the subkeys of "root" is signed "xx", not lf, lh, li or ri; those subkeys are lost`:                                                                           hivetest.Sign(b, list.Leaves[0], "xx"),
		`an index of subkeys of "root" stands in another index; it is left out`:                                                                                                  hivetest.Sign(b, list.Leaves[0], "ri"),
		`a list of the subkeys of "root" says that it has 65535 elements, its cell has room for 8; the rest is lost`:                                                             hivetest.Set16(b, list.Leaves[0]+hivetest.ListCount, 0xFFFF),
		fmt.Sprintf(`the index of the subkeys of "root", cell at offset %#x, names this list twice; it is read once, and the list that should stand there is lost`, list.List-4): hivetest.Refer(b, list.List+hivetest.ListElements, list.Leaves[1]),
	} {
		f := read(t, b)
		f.Root().Key("root").Keys()
		if p := f.Problems(); len(p) == 0 || !slices.ContainsFunc(p, func(p hive.Problem) bool { return p.Msg == want }) {
			t.Errorf("got  %v\nwant %s", p, want)
		}
	}
}

// TestCellTooLarge has each cell of a hive with a size that leads out of its bin. Only the size is wrong, so that all can be read, also
// where the last bin was cut off: then the cell is not the last one that is there.
func TestCellTooLarge(t *testing.T) {
	b, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	want := snapshot(read(t, b).Root())
	short := snapshot(read(t, b[:len(b)-8]).Root())
	if short != want {
		t.Fatal("the last cell is in use")
	}
	for _, bin := range at.Bins {
		for cell := bin + 32; cell < len(b) && cell-bin < int(le.Uint32(b[bin+hivetest.BinSize:])); cell += cellLength(b, cell) {
			if int32(le.Uint32(b[cell:])) > 0 {
				continue
			}
			for _, size := range []uint32{0x80000000, 0xFFFF0000} {
				bad := hivetest.Set32(b, cell, size)
				for _, bad := range [][]byte{bad, bad[:len(bad)-8]} {
					f, err := hive.Read("TEST", bad)
					if err != nil {
						t.Fatalf("size %#x at %#x: %v", size, cell, err)
					}
					if got := snapshot(f.Root()); got != want {
						t.Fatalf("size %#x at %#x in a file of %#x: got\n%s\nwant\n%s\n%v", size, cell, len(bad), got, want, f.Problems())
					}
					if !slices.ContainsFunc(f.Problems(), func(p hive.Problem) bool { return p.Kind == hive.BadCell && p.At.Offset == int64(cell) }) {
						t.Fatalf("size %#x at %#x: it is not told: %v", size, cell, f.Problems())
					}
				}
			}
		}
	}
}

func cellLength(b []byte, at int) int {
	n := int(int32(le.Uint32(b[at:])))
	return max(n, -n)
}

// TestBinTooLarge has a bin that is said to reach over the next ones: these are read as what they are.
func TestBinTooLarge(t *testing.T) {
	b, at := hivetest.BuildLayout(specialTree(), hivetest.Options{})
	for i, bin := range at.Bins[:len(at.Bins)-1] {
		size := at.Bins[i+1] - bin
		bad := hivetest.Set32(b, bin+hivetest.BinSize, uint32(size+4096))
		f := read(t, bad)
		want := fmt.Sprintf("bad-bin %#x: bin is said to have %d bytes, but the next one begins after %d", bin, size+4096, size)
		if p := f.Problems(); len(p) != 1 || brief(p[0])+fmt.Sprintf(" %#x: %s", p[0].At.Offset, p[0].Msg) != want {
			t.Errorf("got  %v\nwant %s", p, want)
		}
		if snapshot(f.Root()) != snapshot(read(t, b).Root()) {
			t.Error("another tree")
		}
		laws(t, bad)
	}
}

// TestTruncated cuts a hive at many places: whatever is read must be true, and what is missing must be reported as lost.
func TestTruncated(t *testing.T) {
	// What is left of long data does not use up the room for the rest.
	cut, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{})
	cut = cut[:at.Key("Plain").Value("Big").Segments[0]+8]
	f := read(t, cut)
	f.Root().Key("Plain").Values()
	if k := f.Root().Key("Plain").Key("Leaf"); k == nil {
		t.Errorf("a key that is there is not found: %v", f.Problems())
	}
	b := hivetest.Build(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	whole := modelOf(read(t, b).Root())
	for n := 4096 + 40; n < len(b); n += 1000 {
		f, err := hive.Read("TEST", b[:n])
		if err != nil {
			if n > 4096+32+88 {
				t.Errorf("cut at %d: %v", n, err)
			}
			continue
		}
		if p := f.Problems()[0]; !slices.ContainsFunc(f.Problems(), func(p hive.Problem) bool { return p.Kind == hive.Truncated && p.Loss }) {
			t.Errorf("cut at %d: not noticed: %v", n, p)
		}
		honest(t, f.Root(), whole, "")
		laws(t, b[:n])
	}
}

// honest compares a damaged tree with the intended one: what is there must be right, and what is missing must be missing from a key that says
// that it is not known whole.
func honest(t *testing.T, got *hive.Key, want *model, path string) {
	t.Helper()
	have := modelOf(got)
	for name := range want.keys {
		if have.keys[name] == nil && got.KeysKnown() == hive.Whole {
			t.Errorf(`%s\%s is missing, and the key says that its subkeys are all there`, path, name)
		}
	}
	for name := range want.values {
		if _, ok := have.values[name]; !ok && got.ValuesKnown() == hive.Whole {
			t.Errorf(`value %s of %s is missing, and the key says that its values are all there`, name, path)
		}
	}
	for _, v := range got.Values() {
		if w, ok := want.values[hive.Fold(v.Name)]; ok && !v.Short && (w.Type != v.Type || !bytes.Equal(w.Data, v.Data)) {
			t.Errorf(`value %s of %s has other data, and does not say that they are short`, v.Name, path)
		}
	}
	for _, k := range got.Keys() {
		if w := want.keys[hive.Fold(k.Name())]; w != nil {
			honest(t, k, w, path+`\`+k.Name())
		}
	}
}

// brief returns the kind of a problem, with "!" for a loss.
func brief(p hive.Problem) string {
	if p.Loss {
		return string(p.Kind) + "!"
	}
	return string(p.Kind)
}

// missing lists the keys and values of want that are not in got: keys as paths, without those below them, and values in brackets;
// and the values whose data are short.
func missing(got *hive.Key, want *model, path string) []string {
	have := modelOf(got)
	var all []string
	for name := range want.values {
		switch v, ok := have.values[name]; {
		case !ok:
			all = append(all, path+"["+strings.ToLower(name)+"]")
		case v.Short:
			all = append(all, fmt.Sprintf("%s[%s: %d bytes]", path, strings.ToLower(name), len(v.Data)))
		}
	}
	for name, w := range want.keys {
		below := strings.TrimPrefix(path+`\`+strings.ToLower(name), `\`)
		if k := got.Key(name); k != nil {
			all = append(all, missing(k, w, below)...)
		} else {
			all = append(all, below)
		}
	}
	slices.Sort(all)
	return all
}

// TestDamages checks what is reported and what is lost for each kind of damage.
func TestDamages(t *testing.T) {
	b := hivetest.Build(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	whole := modelOf(read(t, b).Root())
	for name, b := range hivetest.Damages() {
		t.Run(name, func(t *testing.T) {
			want, ok := damageReports[name]
			if !ok {
				t.Error("no report is expected: a new damage?")
			}
			f, err := hive.Read("TEST", b)
			if err != nil {
				p, _ := errors.AsType[*hive.Problem](err)
				if got := "refused: " + brief(*p); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				return
			}
			lost := missing(f.Root(), whole, "")
			var kinds []string
			for _, k := range f.Root().Walk() {
				k.Values()
			}
			for _, p := range f.Problems() {
				kinds = append(kinds, brief(p))
			}
			if got := strings.TrimSpace(strings.Join(kinds, " ") + " | " + strings.Join(lost, " ")); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !strings.HasPrefix(name, "no subkeys but") { // then nothing tells that the key had any
				honest(t, f.Root(), whole, "")
			}
			laws(t, b)
		})
	}
}

// damageReports has the kinds of the problems in the order of the file, "!" after those with loss, and then what is missing.
var damageReports = map[string]string{
	"dirty":                                    "dirty |",
	"bad checksum":                             "bad-checksum |",
	"major version 2":                          "refused: bad-header!",
	"a transaction log":                        "refused: bad-header!",
	"root is nowhere":                          "bad-cell! |",
	"root is outside":                          "bad-cell! |",
	"bins longer than the file":                "truncated! |",
	"cut inside the base block":                "refused: truncated!",
	"cut after the base block":                 "refused: bad-cell!",
	"cut inside the last bin":                  "truncated! |",
	"bin without signature":                    "bad-bin |",
	"bin at another offset":                    "bad-bin |",
	"bin of size 0":                            "bad-bin |",
	"bin of a huge size":                       "bad-bin |",
	"cell of size 0":                           "bad-cell bad-cell! | plain",
	"cell of a huge size":                      "bad-cell |",
	"cell of the least size":                   "bad-cell |",
	"cell of an odd size":                      "bad-cell bad-name! | plain",
	"cell shorter than its record":             "bad-cell! bad-cell | plain",
	"key is free":                              `bad-cell! | plain\leaf`,
	"key of another signature":                 `bad-signature! | plain\leaf`,
	"key with another parent":                  `wrong-parent! | plain\leaf`,
	"key name longer than its cell":            `bad-name! | plain\leaf`,
	"class name longer than its cell":          "|",
	"class name in a free cell":                "|",
	"more subkeys than in the list":            "wrong-count! |",
	"fewer subkeys than in the list":           "wrong-count |",
	"no subkeys but a list":                    `| list\0 list\1 list\2 list\3 list\4 list\5 list\6 list\7 list\8 list\9`,
	"subkeys but no list":                      `bad-cell! | list\0 list\1 list\2 list\3 list\4 list\5 list\6 list\7 list\8 list\9`,
	"list of another signature":                `bad-signature! | plain\leaf`,
	"list is free":                             `bad-cell! | plain\leaf`,
	"list longer than its cell":                "bad-list! |",
	"element is nowhere":                       `bad-cell! | plain\leaf`,
	"element is outside":                       `bad-cell! | plain\leaf`,
	"element is at the end of the numbers":     `bad-cell! | plain\leaf`,
	"element is inside a cell":                 `bad-cell! | plain\leaf`,
	"element is the list":                      `bad-cell! | plain\leaf`,
	"element is its own key":                   `wrong-parent! | plain\leaf`,
	"element is the key above":                 `wrong-parent! | plain\leaf\deep`,
	"two elements are one key":                 `wrong-hint duplicate! | list\0`,
	"elements out of order":                    "wrong-hint wrong-order wrong-hint |",
	"ri names itself":                          `bad-list! | list\0 list\1 list\2 list\3`,
	"ri in ri":                                 `bad-list! | list\0 list\1 list\2 list\3`,
	"ri names a list twice":                    `bad-list! | list\0 list\1 list\2 list\3`,
	"ri names a key":                           `bad-signature! | list\0 list\1 list\2 list\3`,
	"values without end":                       "bad-list! |",
	"values but no list":                       "bad-cell! | plain[big] plain[inline] plain[text]",
	"value list is free":                       "bad-cell! | plain[big] plain[inline] plain[text]",
	"value is outside":                         "bad-cell! | plain[inline]",
	"value twice":                              "duplicate! | plain[inline]",
	"value is free":                            "bad-cell! | plain[text]",
	"value of another signature":               "bad-signature! | plain[text]",
	"value name longer than its cell":          "bad-name! | plain[text]",
	"data longer than their cell":              "bad-data! | plain[text: 0 bytes]",
	"inline data of more than 4 bytes":         "bad-data! | plain[inline: 4 bytes]",
	"data are nowhere":                         "bad-data! | plain[text: 0 bytes]",
	"data are inside a cell":                   "bad-data! | plain[text: 0 bytes]",
	"data are free":                            "bad-data! | plain[text: 0 bytes]",
	"big data of another signature":            "bad-data! | plain[big: 0 bytes]",
	"big data of one segment":                  "bad-data! | plain[big: 16344 bytes]",
	"big data of too many segments":            "|",
	"big data longer than the segments":        "bad-data! | plain[big: 49032 bytes]",
	"big data without a list":                  "bad-data! | plain[big: 0 bytes]",
	"segment is missing":                       "bad-data! | plain[big: 16344 bytes]",
	"segment is free":                          "bad-data! | plain[big: 16344 bytes]",
	"segment is the list of segments":          "bad-data! | plain[big: 16356 bytes]",
	"security descriptor of another signature": "|",
}

// TestFarReferences checks that a reference far outside the file is reported at a place inside it, and that the message names its target.
func TestFarReferences(t *testing.T) {
	b, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	const far = 0x7FFFFFF0
	plain, leaf, list := at.Key("Plain"), at.Key(`Plain\Leaf`), at.Key("List")
	tests := map[string]struct {
		hive []byte
		at   int // the record of the problem
	}{
		"subkey":            {hivetest.Set32(b, plain.List+hivetest.ListElements, far), plain.Node},
		"list of subkeys":   {hivetest.Set32(b, leaf.Node+hivetest.NodeList, far), leaf.Node},
		"list in an index":  {hivetest.Set32(b, list.List+hivetest.ListElements, far), list.Node},
		"twice in an index": {hivetest.Set32(hivetest.Set32(b, list.List+hivetest.ListElements, far), list.List+hivetest.ListElements+4, far), list.Node},
		"list of values":    {hivetest.Set32(b, plain.Node+hivetest.NodeValueList, far), plain.Node},
		"value":             {hivetest.Set32(b, plain.ValueList, far), plain.Node},
		"data":              {hivetest.Set32(b, plain.Value("Text").Record+hivetest.ValueData, far), plain.Value("Text").Record},
		"segments":          {hivetest.Set32(b, plain.Value("Big").Data+hivetest.BigList, far), plain.Value("Big").Record},
		"segment":           {hivetest.Set32(b, plain.Value("Big").List, far), plain.Value("Big").Record},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := read(t, test.hive)
			told := false
			for _, k := range f.Root().Walk() {
				for _, p := range k.Problems() {
					if strings.Contains(p.Msg, "offset 0x80000ff0") {
						told = true
						if p.At.Offset != int64(test.at-4) {
							t.Errorf("at %v, want %#x", p.At, test.at-4)
						}
					}
				}
			}
			if !told {
				t.Errorf("no problem names the reference: %v", f.Problems())
			}
			laws(t, test.hive)
		})
	}
}

// TestTwice checks that a cell that a list names twice is read once, and that the element that should be there counts as lost.
func TestTwice(t *testing.T) {
	b, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	plain, list := at.Key("Plain"), at.Key("List")

	values := read(t, hivetest.Refer(b, plain.ValueList, plain.Value("Text").Record)).Root().Key("Plain")
	if len(values.Values()) != 2 || values.ValuesKnown() != hive.Damaged || values.KeysKnown() != hive.Whole {
		t.Errorf("%d values, known %v", len(values.Values()), values.ValuesKnown())
	}
	p := values.FirstLoss()
	if p == nil || p.Kind != hive.Duplicate || p.At != (hive.Location{Offset: int64(plain.Value("Text").Record) - 4}) ||
		p.Msg != `the list of values of key "Plain" names this value twice; it is read once, and the value that should stand there is lost` {
		t.Errorf("%+v", p)
	}

	keys := read(t, hivetest.Refer(b, list.Leaves[0]+hivetest.ListElements, at.Key(`List\1`).Node)).Root().Key("List")
	if len(keys.Keys()) != 9 || keys.KeysKnown() != hive.Damaged || keys.ValuesKnown() != hive.Whole {
		t.Errorf("%d subkeys, known %v", len(keys.Keys()), keys.KeysKnown())
	}
	p = keys.FirstLoss()
	if p == nil || p.Kind != hive.Duplicate || p.At != (hive.Location{Offset: int64(at.Key(`List\1`).Node) - 4}) ||
		p.Msg != `the list of key "List" names this subkey twice; it is read once, and the subkey that should stand there is lost` {
		t.Errorf("%+v", p)
	}

	// Here the count of the key agrees with what is read, so that only the index shows the damage.
	twice := hivetest.Set32(hivetest.Refer(b, list.List+hivetest.ListElements, list.Leaves[1]), list.Node+hivetest.NodeKeys, 6)
	if k := read(t, twice).Root().Key("List"); len(k.Keys()) != 6 || k.KeysKnown() != hive.Damaged {
		t.Errorf("%d subkeys, known %v", len(k.Keys()), k.KeysKnown())
	}
}

// TestDoubleNames checks that two keys or values of one name are both read and reported, and that lookups find the first.
func TestDoubleNames(t *testing.T) {
	f := hiveOf(t, doubleNames)
	root := f.Root()
	if len(root.Keys()) != 3 || len(root.Values()) != 3 || root.KeysKnown() != hive.Whole || root.ValuesKnown() != hive.Whole {
		t.Errorf("%d subkeys, %d values", len(root.Keys()), len(root.Values()))
	}
	k, _ := root.Key("a").Value("which")
	v, _ := root.Value("V")
	if k.Display() != "1" || v.Display() != "1" {
		t.Errorf("the lookups find %s and %s", k.Display(), v.Display())
	}
	var msgs []string
	for _, p := range root.Problems() {
		msgs = append(msgs, brief(p)+": "+p.Msg)
	}
	want := `duplicate: key "" has two subkeys named "a"; lookups find the first; duplicate: key "" has two values named "V"; lookups find the first`
	if got := strings.Join(msgs, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestManyOfOneKind checks that beyond a hundred problems of one kind, in the hive and in each key, the others are only counted, and that a loss
// among those is still a loss.
func TestManyOfOneKind(t *testing.T) {
	same := func(name string, n int) *hivetest.Key {
		k := &hivetest.Key{Name: name}
		for range n {
			k.Values = append(k.Values, hive.DWordValue("same", 1))
		}
		return k
	}
	root := &hivetest.Key{Keys: []*hivetest.Key{same("a", 90), same("b", 60), same("c", 500), same("d", 101), {Name: "e"}}}
	b, at := hivetest.BuildLayout(root, hivetest.Options{})
	list, n := at.Key("c").ValueList, 4*499
	b = hivetest.Set32(b, list+n, le.Uint32(b[list+n-4:])) // the last value is named twice, and another is lost
	f := read(t, b)
	say := func(problems []hive.Problem) string {
		var counts []string
		for _, p := range problems {
			if isCount(p) {
				counts = append(counts, fmt.Sprintf("%s: %s, loss %v", p.At, p.Msg, p.Loss))
			}
		}
		return fmt.Sprintf("%d: %s", len(problems), strings.Join(counts, "; "))
	}
	msg := func(kept string, key string, nth, more int, loss bool) string {
		// The first of those that are not listed.
		offset := le.Uint32(b[at.Key(key).ValueList+4*nth:])
		return fmt.Sprintf("%s: offset %#x: %d more problems of the kind duplicate are not listed; the first of them is here, loss %v", kept, offset+4096, more, loss)
	}
	f.Root().Key("d").Problems() // what is listed of the hive does not depend on what was read first
	for name, want := range map[string]string{
		"a": "89: ", "b": "59: ", "c": msg("101", "c", 101, 399, true), "d": "100: ", "e": "0: ",
	} {
		k := f.Root().Key(name)
		known := hive.Whole
		if name == "c" {
			known = hive.Damaged
		}
		if got := say(k.Problems()); got != want || k.ValuesKnown() != known || k.KeysKnown() != hive.Whole {
			t.Errorf("%s: known %v\ngot  %s\nwant %s", name, k.ValuesKnown(), got, want)
		}
	}
	want := msg("101", "b", 12, 647, true)
	if got := say(f.Problems()); got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	var places []string
	for _, p := range f.Problems() {
		places = append(places, p.At.String())
	}
	again := read(t, b)
	for _, k := range again.Root().Walk() {
		k.Values()
	}
	for i, p := range again.Problems() {
		if p.At.String() != places[i] {
			t.Fatalf("problem %d is %v, and was at %s when the keys were read in another order", i, &p, places[i])
		}
	}
}

// TestDoubleNamesUnsorted checks that lookups also find the first of several keys of one name in a long list without order.
func TestDoubleNamesUnsorted(t *testing.T) {
	root := &hivetest.Key{}
	for i := range 90 {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprint("K", (i*7)%10), Values: []hive.Value{hive.DWordValue("n", uint32(i))}})
	}
	f := read(t, hivetest.Build(root, hivetest.Options{Unsorted: true}))
	for i, k := range root.Keys[:10] {
		if v, _ := f.Root().Key(k.Name).Value("n"); v.Display() != fmt.Sprint(i) {
			t.Errorf("%s: number %s, want %d", k.Name, v.Display(), i)
		}
	}
}

// TestOrder checks that sound lists are in the order of Windows, for the letters at which a simpler order differs.
func TestOrder(t *testing.T) {
	names := []string{"A", "b", "_", "Ä", "Ÿ", "一", "趣", "힣", "\xED\xA0\x80", "\xED\xA0\x80x", "\U00010000", "\U0001F600", "\xED\xB0\x80", "\uE000", "\uFFFD"}
	root := &hivetest.Key{}
	for _, name := range names {
		root.Keys = append(root.Keys, &hivetest.Key{Name: name})
	}
	f := read(t, hivetest.Build(root, hivetest.Options{Unsorted: true}))
	f.Root().Keys()
	if p := f.Problems(); len(p) > 0 {
		t.Errorf("%v", p)
	}
	slices.Reverse(root.Keys)
	f = read(t, hivetest.Build(root, hivetest.Options{Unsorted: true}))
	for i, k := range f.Root().Keys() {
		if k.Name() != names[i] {
			t.Errorf("key %d is %q, want %q", i, k.Name(), names[i])
		}
		if f.Root().Key(names[i]) != k {
			t.Errorf("%q is not found", names[i])
		}
	}
	if p := f.Problems(); len(p) != 1 || p[0].Kind != hive.WrongOrder || p[0].Loss {
		t.Errorf("%v", p)
	}
}

// TestCycles has keys and lists that lead back to where they were named.
func TestCycles(t *testing.T) {
	b, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{ListMax: 4})
	plain, leaf, list := at.Key("Plain"), at.Key(`Plain\Leaf`), at.Key("List")
	tests := map[string][]byte{
		"a key in its own list":         hivetest.Refer(hivetest.Refer(b, plain.List+hivetest.ListElements, plain.Node), plain.Node+hivetest.NodeParent, plain.Node),
		"the root under a key":          hivetest.Refer(hivetest.Refer(b, leaf.List+hivetest.ListElements, at.Key("").Node), at.Key("").Node+hivetest.NodeParent, leaf.Node),
		"the root under itself":         hivetest.Refer(hivetest.Refer(b, at.Key("").List+hivetest.ListElements, at.Key("").Node), at.Key("").Node+hivetest.NodeParent, at.Key("").Node),
		"the list of the root in a key": hivetest.Set32(hivetest.Refer(b, leaf.Node+hivetest.NodeList, at.Key("").List), leaf.Node+hivetest.NodeKeys, 2),
		"an index that names itself":    hivetest.Refer(b, list.List+hivetest.ListElements, list.List),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			f := read(t, b)
			n := 0
			for range f.Root().Walk() {
				n++
			}
			if n > len(at.Keys) {
				t.Errorf("%d keys, the hive has %d", n, len(at.Keys))
			}
			if !slices.ContainsFunc(f.Problems(), func(p hive.Problem) bool { return p.Loss }) {
				t.Errorf("no loss: %v", f.Problems())
			}
			laws(t, b)
		})
	}
}

// TestDepth checks that keys below the deepest level are left out, and that the key above them says so.
func TestDepth(t *testing.T) {
	f := hiveOf(t, deepTree(hive.MaxDepth+3))
	deepest, n := f.Root(), 0
	for path, k := range f.Root().Walk() {
		deepest, n = k, len(path)
	}
	if n != hive.MaxDepth || deepest.KeysKnown() != hive.Damaged || deepest.ValuesKnown() != hive.Whole {
		t.Errorf("%d levels, known %v", n, deepest.KeysKnown())
	}
	if p := deepest.FirstLoss(); p.Kind != hive.TooDeep || len(p.Key) != hive.MaxDepth {
		t.Errorf("%v", p)
	}
}

// hostile returns small hives that name the same bytes over and over, so that a reader that follows each reference makes gigabytes of them.
func hostile() map[string][]byte {
	all := map[string][]byte{}
	wide := func(n int, v ...hive.Value) *hivetest.Key {
		root := &hivetest.Key{}
		for i := range n {
			root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i), Values: v})
		}
		return root
	}
	// put changes the hive in place: there are thousands of changes.
	put := func(b []byte, at int, n uint32) { le.PutUint32(b[at:], n) }
	shared := func(root *hivetest.Key, change func(b []byte, at hivetest.Layout, k *hivetest.KeyPlace)) []byte {
		b, at := hivetest.BuildLayout(root, hivetest.Options{})
		for path, k := range at.Keys {
			if path != "" && path != "big" {
				change(b, at, k)
			}
		}
		return b
	}

	big := &hivetest.Key{Name: "big"}
	for i := range 20_000 {
		big.Values = append(big.Values, hive.DWordValue(fmt.Sprintf("%05d", i), 1))
	}
	root := wide(2000)
	root.Keys = append(root.Keys, big)
	all["one list of values"] = shared(root, func(b []byte, at hivetest.Layout, k *hivetest.KeyPlace) {
		put(b, k.Node+hivetest.NodeValues, 20_000)
		put(b, k.Node+hivetest.NodeValueList, hivetest.Ref(at.Key("big").ValueList))
	})

	root = wide(4000)
	root.Keys = append(root.Keys, &hivetest.Key{Name: "big", Values: []hive.Value{hive.DWordValue(strings.Repeat("n", 60_000), 1)}})
	all["one value of a long name"] = shared(root, func(b []byte, at hivetest.Layout, k *hivetest.KeyPlace) {
		put(b, k.Node+hivetest.NodeValues, 1)
		put(b, k.Node+hivetest.NodeValueList, hivetest.Ref(at.Key("big").ValueList))
	})

	root = wide(2000, hive.Value{Name: "v", Type: hive.Binary, Data: make([]byte, 8)})
	root.Keys = append(root.Keys, &hivetest.Key{Name: "big", Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: make([]byte, 500_000)}}})
	all["one index of segments"] = shared(root, func(b []byte, at hivetest.Layout, k *hivetest.KeyPlace) {
		put(b, k.Value("v").Record+hivetest.ValueLength, 500_000)
		put(b, k.Value("v").Record+hivetest.ValueData, hivetest.Ref(at.Key("big").Value("v").Data))
	})

	root = wide(2000)
	root.Keys = append(root.Keys, wide(10_000))
	root.Keys[2000].Name = "big"
	all["one list of subkeys"] = func() []byte {
		b, at := hivetest.BuildLayout(root, hivetest.Options{})
		for path, k := range at.Keys {
			if len(path) == 5 { // not big, nor below it
				put(b, k.Node+hivetest.NodeKeys, 10_000)
				put(b, k.Node+hivetest.NodeList, hivetest.Ref(at.Key("big").List))
			}
		}
		return b
	}()

	// A list of references to nowhere, in keys of long names: the messages are what grows.
	root = &hivetest.Key{}
	for i := range 20 {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i) + strings.Repeat("日", 30_000)})
	}
	root.Keys = append(root.Keys, &hivetest.Key{Name: "big", Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: make([]byte, 16_000)}}})
	all["bad references under long names"] = shared(root, func(b []byte, at hivetest.Layout, k *hivetest.KeyPlace) {
		data := at.Key("big").Value("v").Data
		for i := range 4000 {
			put(b, data+4*i, uint32(8*i+4))
		}
		put(b, k.Node+hivetest.NodeValues, 4000)
		put(b, k.Node+hivetest.NodeValueList, hivetest.Ref(data))
	})

	// The same far below, where the path in each problem is long.
	deep := deepTree(hive.MaxDepth - 1)
	last := deep
	for len(last.Keys) > 0 {
		last = last.Keys[0]
	}
	last.Keys = wide(500).Keys
	deep.Keys = append(deep.Keys, root.Keys[20])
	b, at := hivetest.BuildLayout(deep, hivetest.Options{})
	data := at.Key("big").Value("v").Data
	for i := range 4000 {
		put(b, data+4*i, uint32(8*i+4))
	}
	for _, k := range at.Keys {
		if k.List == 0 && k.ValueList == 0 {
			put(b, k.Node+hivetest.NodeValues, 4000)
			put(b, k.Node+hivetest.NodeValueList, hivetest.Ref(data))
		}
	}
	all["bad references far below"] = b

	// An index of many different lists costs a comparison of each with each when it is read without care.
	root = wide(40)
	root.Keys = append(root.Keys, &hivetest.Key{Name: "big", Values: []hive.Value{{Name: "v", Type: hive.Binary, Data: make([]byte, 4*65_535+4)}}})
	b, at = hivetest.BuildLayout(root, hivetest.Options{Minor: 3})
	data = at.Key("big").Value("v").Data
	copy(b[data:], "ri\xFF\xFF")
	for i := range 65_535 {
		put(b, data+4+4*i, uint32(8*i+4))
	}
	for path, k := range at.Keys {
		if len(path) == 5 {
			put(b, k.Node+hivetest.NodeKeys, 1)
			put(b, k.Node+hivetest.NodeList, hivetest.Ref(data))
		}
	}
	all["one index of many lists"] = b

	// A list that names one record of a long name over and over: of a value, of a key, and of a key with another parent.
	long := strings.Repeat("n", 60_000)
	for name, change := range map[string]func(b []byte, at hivetest.Layout, data int){
		"one list, one value of a long name": func(b []byte, at hivetest.Layout, data int) {
			put(b, at.Key("big").Node+hivetest.NodeValues, 65_535)
			put(b, at.Key("big").Node+hivetest.NodeValueList, hivetest.Ref(data))
			for i := range 65_535 {
				put(b, data+4*i, hivetest.Ref(at.Key("big").Value(long).Record))
			}
		},
		"one list, one key of a long name": func(b []byte, at hivetest.Layout, data int) {
			longKeys(b, at.Key(`big\`+long).Node, at.Key("big").Node, data)
		},
		"one list, another's key of a long name": func(b []byte, at hivetest.Layout, data int) {
			longKeys(b, at.Key(`big\`+long).Node, at.Key("other").Node, data)
		},
	} {
		root = &hivetest.Key{Keys: []*hivetest.Key{
			{Name: "big", Values: []hive.Value{
				{Name: "v", Type: hive.Binary, Data: make([]byte, 4*65_535+4)}, hive.DWordValue(long, 1)}, Keys: []*hivetest.Key{{Name: long}}},
			{Name: "other"}}}
		b, at = hivetest.BuildLayout(root, hivetest.Options{Minor: 3})
		change(b, at, at.Key("big").Value("v").Data)
		all[name] = b
	}
	return all
}

// longKeys writes a list of subkeys that names one key as often as a list can, and makes it the list of parent.
func longKeys(b []byte, key, parent, list int) {
	copy(b[list:], "li\xFF\xFF")
	for i := range 65_535 {
		le.PutUint32(b[list+hivetest.ListElements+4*i:], hivetest.Ref(key))
	}
	le.PutUint32(b[parent+hivetest.NodeKeys:], 65_535)
	le.PutUint32(b[parent+hivetest.NodeList:], hivetest.Ref(list))
}

// isCount reports whether a problem stands for others that are not listed.
func isCount(p hive.Problem) bool { return strings.Contains(p.Msg, " are not listed; ") }

// TestHostile checks that reading a hive takes memory in proportion to its size, and that the reader says where it stopped.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is measured, which the race detector needs more of")
	}
	for name, b := range hostile() {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			f := read(t, b)
			keys, values := 0, 0
			for _, k := range f.Root().Walk() {
				keys++
				values += len(k.Values())
			}
			problems := f.Problems()
			// Most of it is for problems, which have a budget of their own that small hives do not use up.
			if made := allocated() - before; made > 60*uint64(len(b))+16<<20 {
				t.Errorf("a hive of %d bytes becomes %d bytes", len(b), made)
			}
			if n := keys + values + len(problems); n > len(b)/5 {
				t.Errorf("a hive of %d bytes has %d keys, %d values and %d problems", len(b), keys, values, len(problems))
			}
			isNoticed := func(p hive.Problem) bool { return (p.Kind == hive.Amplified || isCount(p)) && p.Loss }
			if !slices.ContainsFunc(problems, isNoticed) {
				t.Errorf("not noticed; %d problems, the first: %v", len(problems), problems[0])
			}
			if len(problems) > 400 {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}

// TestPathsFarBelow checks that the paths of all keys are bounded by the size of the hive, that those left out are no absence, and that a branch
// as deep as Windows allows is read.
func TestPathsFarBelow(t *testing.T) {
	const leaves = 500
	root := deepTree(hive.MaxDepth - 1)
	deepest := root
	for len(deepest.Keys) > 0 {
		deepest = deepest.Keys[0]
		deepest.Name = strings.Repeat("日", 255)
	}
	for i := range leaves {
		deepest.Keys = append(deepest.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i)})
	}
	root.Keys = append(root.Keys, &hivetest.Key{Name: "近"})
	f := hiveOf(t, root)
	size, keys := 0, 0
	var parent *hive.Key
	for path, k := range f.Root().Walk() {
		keys++
		size += len(path.String())
		if len(path) == hive.MaxDepth-1 {
			parent = k
		}
	}
	if size > 150<<20 || keys < hive.MaxDepth+1 {
		t.Errorf("%d keys with paths of %d bytes", keys, size)
	}
	want := fmt.Sprintf(`the paths of the keys take far more room than the hive; the last %d subkeys of key "%s" are left out`, leaves-len(parent.Keys()), parent.Name())
	if p := parent.FirstLoss(); p == nil || p.Kind != hive.Amplified || p.Msg != want || parent.KeysKnown() != hive.Damaged {
		t.Errorf("%v, known %v", p, parent.KeysKnown())
	}
	if f.Root().Key("近") == nil || len(f.Problems()) != 1 {
		t.Errorf("problems %v", f.Problems())
	}
}

// TestReadersAtOnce checks that any number of readers see one and the same tree.
func TestReadersAtOnce(t *testing.T) {
	b := hivetest.Build(specialTree(), hivetest.Options{})
	want := snapshot(read(t, b).Root())
	f := read(t, b)
	var readers sync.WaitGroup
	keys := make([][]*hive.Key, 8)
	for i := range keys {
		readers.Go(func() {
			// Some begin with the values, some with a lookup, some with the list.
			switch i % 3 {
			case 0:
				f.Root().Key("SIZES").Values()
			case 1:
				f.Problems()
				f.Root().Stored()
			}
			if snapshot(f.Root()) != want {
				t.Error("a reader sees another tree")
			}
			for _, k := range f.Root().Walk() {
				keys[i] = append(keys[i], k)
			}
		})
	}
	readers.Wait()
	for i := range keys {
		if !slices.Equal(keys[i], keys[0]) {
			t.Errorf("reader %d has other keys than reader 0", i)
		}
	}
}

// TestMutations sets every byte of a small hive that is in use to other values.
func TestMutations(t *testing.T) {
	root := &hivetest.Key{Name: "r", Keys: []*hivetest.Key{
		{Name: "A", Class: "c", Values: []hive.Value{hive.DWordValue("", 1), hive.StringValue("text", hive.SZ, "some text"), hive.StringValue("日", hive.SZ, "")}, Keys: []*hivetest.Key{{Name: "deep"}}},
		{Name: "B", List: "ri", Keys: []*hivetest.Key{{Name: "1"}, {Name: "2"}, {Name: "3"}}},
		{Name: "C", List: "lf", Keys: []*hivetest.Key{{Name: "日本"}}},
		{Name: "D", List: "li", Keys: []*hivetest.Key{{Name: "x", Values: []hive.Value{{Name: "big", Type: hive.Binary, Data: make([]byte, 16_400)}}}}},
	}}
	sound := hivetest.Build(root, hivetest.Options{ListMax: 2})
	keys := 0
	for range read(t, sound).Root().Walk() {
		keys++
	}
	b := bytes.Clone(sound)
	for at := range b {
		was := b[at]
		// Most of the file is data and free space: there, a few of the bytes are enough.
		if was == 0 && at%4 != 3 && at > 512 && at%16 != 0 {
			continue
		}
		if at > 512 && at < 4096 || at > 4096+2000 && at%512 > 40 {
			continue
		}
		for _, n := range []byte{0, 0xFF, 0x7F, was + 1} {
			if n == was {
				continue
			}
			b[at] = n
			if at < hivetest.BaseChecksum && at%2 == 0 {
				hivetest.Seal(b) // else the field is not believed
			}
			f, err := hive.Read("TEST", b)
			if err != nil {
				sane(t, b, *must(errors.AsType[*hive.Problem](err)))
				continue
			}
			count := 0
			for _, k := range f.Root().Walk() {
				count++
				k.Values()
			}
			if count > keys {
				t.Fatalf("byte %#x from %#x to %#x: %d keys, there are only %d", at, was, n, count, keys)
			}
			for _, p := range f.Problems() {
				sane(t, b, p)
			}
		}
		b[at] = was
		if at < 512 {
			copy(b[hivetest.BaseChecksum:], sound[hivetest.BaseChecksum:512])
		}
	}
	if !bytes.Equal(b, sound) {
		t.Error("the test did not put all bytes back")
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("an error that is no problem")
	}
	return v
}

// sane checks what every user of a problem relies on.
func sane(t testing.TB, b []byte, p hive.Problem) {
	t.Helper()
	if p.Msg == "" || strings.ContainsAny(p.Msg, "\r\n") || p.Kind == "" || p.Source != "TEST" {
		t.Fatalf("no message on one line: %+v", p)
	}
	if p.At.Offset < 0 || p.At.Offset > int64(len(b)) || p.At.Line != 0 {
		t.Fatalf("place outside the file of %d bytes: %v", len(b), &p)
	}
}

// laws checks what is true of every hive, however damaged, with any logs.
func laws(t testing.TB, b []byte, logs ...hive.Log) {
	t.Helper()
	given, all := b, b
	for _, l := range logs {
		all = slices.Concat(all, l.Data)
	}
	f, err := hive.Read("TEST", b, logs...)
	if err != nil {
		sane(t, all, *must(errors.AsType[*hive.Problem](err)))
		return
	}
	start := allocated()
	defer func() {
		// The paths of all keys, which each form of an export has, can be long: 512 levels of 255 characters.
		if made := allocated() - start; made > 2000*uint64(len(all))+64<<20 {
			t.Fatalf("a hive of %d bytes becomes %d bytes", len(all), made)
		}
	}()
	agree(t, f.Root())
	if b = f.Bytes(); len(b) > 2*len(all) { // a bin that stands elsewhere can leave a hole as long as the file
		t.Fatalf("%d bytes were made of %d", len(b), len(all))
	}
	n := 0
	walked, places := map[*hive.Key]bool{}, map[int64]bool{}
	for path, k := range f.Root().Walk() {
		if walked[k] {
			t.Fatalf("%q is visited twice", path)
		}
		walked[k] = true
		if at := k.At().Offset; places[at] || at <= 0 || at >= int64(len(b)) {
			t.Fatalf("%q is at %#x, outside the file or where another key is", path, at)
		} else {
			places[at] = true
		}
		n += 1 + len(k.Values())
		if n > len(b)/5 {
			t.Fatalf("%d keys and values in %d bytes", n, len(b))
		}
		if len(path) > hive.MaxDepth {
			t.Fatalf("%d levels", len(path))
		}
		if len(path) > 0 && path[len(path)-1] != k.Name() {
			t.Fatalf("path %q of key %q", path, k.Name())
		}
		for _, v := range k.Values() {
			found, ok := k.Value(v.Name)
			if !ok || !hive.EqualFold(found.Name, v.Name) {
				t.Fatalf("value %q of %q is not found", v.Name, path)
			}
			if v.At.Offset <= 0 || v.At.Offset >= int64(len(b)) {
				t.Fatalf("value %q of %q is at %v", v.Name, path, v.At)
			}
		}
		for _, child := range k.Keys() {
			found := k.Key(child.Name())
			if found == nil || !hive.EqualFold(found.Name(), child.Name()) {
				t.Fatalf("a lookup of %q in %q finds another key or none", child.Name(), path)
			}
			if len(k.Stored()) > 100 {
				continue // to look for the first one again and again would take long
			}
			// The first in the file of those that Windows takes for the same.
			if i := slices.IndexFunc(k.Stored(), func(c *hive.Key) bool { return hive.EqualFold(c.Name(), child.Name()) }); k.Stored()[i] != found {
				t.Fatalf("a lookup of %q in %q finds another key than the first", child.Name(), path)
			}
		}
		for _, p := range k.Problems() {
			if p.Kind == hive.Amplified && p.Key == nil { // no room for the path
				continue
			}
			if !p.Key.Equal(path) || !slices.Equal(p.Key, path) {
				t.Fatalf("a problem of %q is said to be one of %q", path, p.Key)
			}
		}
		_, gone := k.Tombstones()
		short := slices.ContainsFunc(slices.Concat(k.Values(), gone), func(v hive.Value) bool { return v.Short })
		if (k.FirstLoss() == nil) != (k.KeysKnown() != hive.Damaged && k.ValuesKnown() != hive.Damaged) && !short {
			t.Fatalf("%q: known %v, %v, but the first loss is %v", path, k.KeysKnown(), k.ValuesKnown(), k.FirstLoss())
		}
		r := k.Record()
		if r.Fault != "" && r.SDDL != "" || len(r.Class) > len(b)*3/2 || len(r.Security) > len(b) {
			t.Fatalf("the record of %q is %+v", path, r)
		}
		if target, ok := k.Link(); ok != slices.Contains(r.Flags.Names(), "symbolic-link") || target != nil && !target.HasRoot() {
			t.Fatalf("%q leads to %q, %v", path, target, ok)
		}
	}
	stored := 0
	for path, k := range f.Root().WalkStored() {
		stored++
		if !walked[k] {
			t.Fatalf("%q is only in the order of the file", path)
		}
	}
	if stored != len(walked) {
		t.Fatalf("%d keys in the order of the file, %d in the order of names", stored, len(walked))
	}
	problems := f.Problems()
	for i, p := range problems {
		sane(t, b, p)
		if i > 0 && p.At.Offset < problems[i-1].At.Offset {
			t.Fatalf("the problems are not in the order of the file: %v", problems)
		}
	}
	again, err := hive.Read("TEST", given, logs...)
	if err != nil {
		t.Fatalf("read twice, it is refused: %v", err)
	}
	if d := hive.Diff(f.Root(), again.Root()); len(d) > 0 {
		t.Fatalf("read twice, there are two trees: %v", d)
	}
	// If there is no room for all problems, those of what was read first are listed.
	full := slices.ContainsFunc(problems, func(p hive.Problem) bool { return p.Kind == hive.Amplified })
	if got, want := snapshot(again.Root()), snapshot(f.Root()); got != want && !full {
		t.Fatalf("read twice, there are two trees:\n%s\n%s", got, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(hivetest.Build(hivetest.Specimen(), hivetest.Options{ListMax: 4}))
	f.Add(hivetest.Build(&hivetest.Key{}, hivetest.Options{Minor: 2}))
	f.Add(hivetest.Build(doubleNames, hivetest.Options{Minor: 3}))
	f.Add(layer(0x02, 6))
	f.Add(hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "k", List: "ri", Keys: []*hivetest.Key{{Name: "a"}, {Name: "日"}}, Values: doubleNames.Values}}}, hivetest.Options{}))
	for _, b := range hivetest.Damages() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 512 && len(b)%2 == 0 {
			b = bytes.Clone(b)
			hivetest.Seal(b) // so that the fields of the base block are believed; odd lengths keep their checksum
		}
		laws(t, b)
	})
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	b := hivetest.Build(hivetest.Specimen(), hivetest.Options{})
	name := filepath.Join(dir, "SYSTEM")
	write(t, name, b)
	f, err := hive.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if f.Source != name || f.Size() != int64(len(b)) || content(f.Root()) != content(read(t, b).Root()) {
		t.Error("another hive was read")
	}
	empty := filepath.Join(dir, "empty")
	write(t, empty, nil)
	for name, want := range map[string]string{
		dir:                            "is a folder; give the files in it that are to be read",
		filepath.Join(dir, "nowhere"):  "cannot be opened: no such file or directory",
		filepath.Join(name, "further"): "cannot be opened: not a directory",
		empty:                          `is no hive: it does not start with "regf"`,
		os.DevNull:                     "is a device; copy the hive out of it and give the copy",
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(want, "cannot") || runtime.GOOS == "windows" && name == os.DevNull {
			continue // other words for the same
		}
		_, err := hive.Open(name)
		p, ok := errors.AsType[*hive.Problem](err)
		if !ok || p.Error() != name+": "+want || !p.Loss {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func ExampleRead() {
	b := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{
		{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}},
		{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Control"}}},
	}}, hivetest.Options{})
	f, err := hive.Read("SYSTEM", b)
	if err != nil {
		fmt.Println(err)
		return
	}
	for path, k := range f.Root().Walk() {
		fmt.Printf("%q %v\n", path, k.At())
		for _, v := range k.Values() {
			fmt.Println("  ", v.Name, v.Type, v.Display())
		}
	}
	at, by := f.Mount()
	fmt.Println(at, "by its", by)
	// Output:
	// "" offset 0x1020
	// "ControlSet001" offset 0x1108
	// "ControlSet001\\Control" offset 0x1168
	// "Select" offset 0x11d0
	//    Current REG_DWORD 1
	// HKEY_LOCAL_MACHINE\SYSTEM by its keys
}

// A damaged hive is read as far as possible. Each loss is reported with its place, and a key that lacks something does not claim to be whole.
func ExampleFile_Problems() {
	b, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{{Name: "A"}, {Name: "B"}}}, hivetest.Options{})
	f, err := hive.Read("SYSTEM", hivetest.Free(b, at.Key("A").Node))
	if err != nil {
		fmt.Println(err)
		return
	}
	root := f.Root()
	fmt.Println(root.Key("A") == nil, root.Key("B") == nil, root.KeysKnown() == hive.Damaged)
	for _, p := range f.Problems() {
		fmt.Println(&p)
	}
	// Output:
	// true false true
	// SYSTEM: offset 0x1108: the cell of a subkey of "" is not at the start of a cell in use; the subkey is left out
}

// TestVersion11 reads a hive of version 1.1, which no current Windows writes and the hive writer does not: the header of a cell has
// eight bytes there, and its size is a multiple of 16.
func TestVersion11(t *testing.T) {
	b := append(hivetest.Build(&hivetest.Key{}, hivetest.Options{})[:4096], make([]byte, 4096)...)
	le.PutUint32(b[hivetest.BaseMinor:], 1)
	bin := b[4096:]
	copy(bin, "hbin")
	le.PutUint32(bin[hivetest.BinSize:], 4096)
	end := 32
	cell := func(size int) (ref uint32, record []byte) {
		le.PutUint32(bin[end:], uint32(-size))
		ref, record = uint32(end), bin[end+8:end+size]
		end += size
		return ref, record
	}
	node := func(record []byte, parent uint32, name string) {
		copy(record, "nk")
		le.PutUint32(record[hivetest.NodeParent:], parent)
		le.PutUint32(record[hivetest.NodeList:], hivetest.Nil)
		le.PutUint16(record[hivetest.NodeNameLength:], uint16(2*len(name)))
		copy(record[hivetest.NodeName:], hive.EncodeUTF16(name))
	}
	rootRef, root := cell(96)
	node(root, hivetest.Nil, "r")
	childRef, child := cell(96)
	node(child, rootRef, "Key")
	list, elements := cell(16)
	copy(elements, "li\x01\x00")
	le.PutUint32(elements[4:], childRef)
	le.PutUint32(root[hivetest.NodeKeys:], 1)
	le.PutUint32(root[hivetest.NodeList:], list)
	_, vk := cell(32)
	copy(vk, "vk")
	le.PutUint32(vk[hivetest.ValueLength:], hivetest.Inline|4)
	le.PutUint32(vk[hivetest.ValueData:], 7)
	le.PutUint32(vk[hivetest.ValueType:], uint32(hive.DWord))
	values, refs := cell(16)
	le.PutUint32(refs, values-32)
	le.PutUint32(child[hivetest.NodeValues:], 1)
	le.PutUint32(child[hivetest.NodeValueList:], values)
	le.PutUint32(bin[end:], uint32(4096-end))
	le.PutUint32(b[hivetest.BaseRoot:], rootRef)
	hivetest.Seal(b)

	f := read(t, b)
	k := f.Root().Key("key")
	if k == nil {
		t.Fatalf("the key is not found: %v", f.Problems())
	}
	v, ok := k.Value("")
	if !ok || v.Display() != "7" || len(f.Problems()) > 0 {
		t.Errorf("value %v, problems %v", v, f.Problems())
	}
	laws(t, b)
}
