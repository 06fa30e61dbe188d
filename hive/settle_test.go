package hive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// told returns the problems of a hive after all of it was read, a line each.
func told(f *hive.File) (lines []string) {
	readAll(f)
	for _, p := range f.Problems() {
		lines = append(lines, p.Error())
	}
	return lines
}

// sameKeys checks that two hives have the same keys, and that the first has lost nothing of them.
func sameKeys(t *testing.T, got, want *hive.File) {
	t.Helper()
	sameTree(t, got.Root(), hivetest.FromTree(want.Root()), nil)
}

// spread returns a hive of several bins, and where its records are.
func spread() ([]byte, hivetest.Layout) {
	root := hivetest.Specimen()
	for i := range 100 {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("%03d%100s", i, "")})
	}
	return hivetest.BuildLayout(dated(root), hivetest.Options{ListMax: 4})
}

// insert returns data with n bytes of FF before an offset.
func insert(data []byte, at, n int) []byte {
	return slices.Insert(slices.Clone(data), at, bytes.Repeat([]byte{0xFF}, n)...)
}

// TestRootFound has hives whose base block does not lead to the root key.
func TestRootFound(t *testing.T) {
	b, at := spread()
	sound := read(t, b)
	root := at.Key("").Node
	second := bytes.Clone(b) // a key that is marked as a root and has no subkeys
	second[at.Key(`Plain\Leaf\Deep`).Node+hivetest.NodeFlags] |= 0x04
	lost := []string{"TEST: the base block is lost; the hive is read by its bins, and the root key by its flags",
		"TEST: offset 0x1fc: the hive is dirty (the checksum of its base block is 0x%08x, must be 0x%08x): its latest changes are only in its logs, which were not applied"}
	found := "TEST: offset 0x24: %s; the root key was found by its flags, at offset 0x1020"
	one := func(format, why string) []string { return []string{fmt.Sprintf(format, why)} }
	for name, test := range map[string]struct {
		data []byte
		want []string
	}{
		"nowhere":                        {hivetest.Set32(b, hivetest.BaseRoot, hivetest.Nil), one(found, "the cell of the root key is not named")},
		"outside":                        {hivetest.Set32(b, hivetest.BaseRoot, 0xFFFFFFF8), one(found, "the cell of the root key lies beyond the end of the hive (reference to offset 0x100000ff8)")},
		"inside a cell":                  {hivetest.Set32(b, hivetest.BaseRoot, 0x28), one(found, "the cell of the root key is not at the start of a cell in use")},
		"no key":                         {hivetest.Refer(b, hivetest.BaseRoot, at.Security), one(found, `the cell of the root key is signed "sk", not "nk"`)},
		"another key":                    {hivetest.Refer(b, hivetest.BaseRoot, at.Key(`Plain\Leaf`).Node), one(found, `the base block names key "Leaf" as the root, which is none`)},
		"free":                           {hivetest.Free(b, root), one(found+", in a cell that is marked as free", "the cell of the root key is not at the start of a cell in use")},
		"of several":                     {hivetest.Set32(second, hivetest.BaseRoot, hivetest.Nil), one(found, "the cell of the root key is not named")},
		"a base block of noise":          {hivetest.Destroyed(b), lost},
		"a base block of zeros":          {append(make([]byte, 4096), b[4096:]...), lost},
		"a first sector of zeros":        {append(make([]byte, 512), b[512:]...), lost},
		"a base block with another name": {append([]byte("REGF"), b[4:]...), lost},
		"a base block of which 512 are left": {slices.Concat(b[:512], b[4096:]), one("TEST: offset 0x1000: the bin that belongs here stands 3584 bytes before, at %s of the file; "+
			"it and those that follow it are read as if they stood where they say, and offsets count so", "0x200")},
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, test.data)
			want := slices.Clone(test.want)
			if len(want) == 2 {
				want[1] = fmt.Sprintf(want[1], f.Header.Checksum, f.Header.Computed)
			}
			if diff := cmp.Diff(want, told(f)); diff != "" {
				t.Error(diff)
			}
			if !f.Problems()[0].Loss {
				t.Error("this is no loss")
			}
			if f.Header.Lost != (len(want) == 2) || !hive.IsHive(test.data[:hive.HeadSize]) && len(want) == 2 {
				t.Errorf("lost %t", f.Header.Lost)
			}
			sameKeys(t, f, sound)
			if n := len(f.Deleted()); n > 0 {
				t.Errorf("%d deleted", n)
			}
		})
	}
	// Where no key says that it is a root, the base block is right.
	plain := bytes.Clone(b)
	plain[root+hivetest.NodeFlags] &^= 0x04
	if f := read(t, plain); told(f) != nil {
		t.Error(told(f))
	} else {
		sameKeys(t, f, sound)
	}
}

// TestTooShort has hives with bins behind the length that the base block tells.
func TestTooShort(t *testing.T) {
	b, at := spread()
	sound := read(t, b)
	length := func(n int) []byte { return hivetest.Set32(b, hivetest.BaseLength, uint32(n)) }
	last := at.Bins[len(at.Bins)-1] - 4096
	large := at.Bins[slices.IndexFunc(at.Bins, func(bin int) bool { return binary.LittleEndian.Uint32(b[bin+hivetest.BinSize:]) > 4096 })]
	for name, test := range map[string]struct {
		data []byte
		told bool
	}{
		"0":                            {length(0), true},
		"without the last bin":         {length(last), true},
		"without the end of a bin":     {length(large), true},
		"in a page":                    {length(last + 16), true},
		"with bins that are left over": {append(bytes.Clone(b), b[4096:]...), false},
		"with a bin that is left over": {append(bytes.Clone(b), leftover(len(b))...), false},
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, test.data)
			var want []string
			n := f.Header.Length
			if test.told {
				want = []string{fmt.Sprintf("TEST: offset 0x28: the length of the bins is %d bytes, and records lead to sound bins behind that; they are read", n)}
			}
			if n%4096 != 0 {
				want = append(want, fmt.Sprintf("TEST: offset 0x28: length of the bins is %d bytes, must be a multiple of 4096", n))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, told(f)); diff != "" {
				t.Error(diff)
			}
			if test.told && !slices.ContainsFunc(f.Problems(), func(p hive.Problem) bool { return p.Loss }) {
				t.Error("this is no loss")
			}
			sameKeys(t, f, sound)
			if n := len(f.Deleted()); n > 0 {
				t.Errorf("%d deleted", n)
			}
		})
	}
	// What is behind the end and not sound is lost, as before.
	broken := hivetest.CellSize(length(last), last+4096+32+4, -12)
	if f := read(t, broken); len(told(f)) == 0 || f.Problems()[0].Kind == hive.BadHeader {
		t.Error(told(f))
	}
}

// leftover returns a sound bin for an offset of the file.
func leftover(at int) []byte {
	bin := hivetest.Build(&hivetest.Key{Name: "left over"}, hivetest.Options{})[4096:]
	binary.LittleEndian.PutUint32(bin[hivetest.BinOffset:], uint32(at-4096))
	return bin
}

// TestShifted has hives of whose file sectors are lost, or in which there are more.
func TestShifted(t *testing.T) {
	b, at := spread()
	sound := read(t, b)
	last := at.Bins[len(at.Bins)-1]
	third := at.Bins[len(at.Bins)-3]
	line := "TEST: offset %#x: the bin that belongs here stands %d bytes %s, at %#x of the file; it and those that follow it are read as if they stood where they say, and offsets count so"
	for name, test := range map[string]struct {
		data []byte
		want []string
	}{
		"a sector":         {insert(b, third, 512), []string{fmt.Sprintf(line, third, 512, "behind", third+512)}},
		"a page":           {insert(b, third, 4096), []string{fmt.Sprintf(line, third, 4096, "behind", third+4096)}},
		"before all":       {insert(b, 4096, 512), []string{fmt.Sprintf(line, 4096, 512, "behind", 4096+512)}},
		"before the last":  {insert(b, last, 1024), []string{fmt.Sprintf(line, last, 1024, "behind", last+1024)}},
		"in two places":    {insert(insert(b, last, 512), third, 512), []string{fmt.Sprintf(line, third, 512, "behind", third+512), fmt.Sprintf(line, last, 1024, "behind", last+1024)}},
		"less of the base": {slices.Delete(slices.Clone(b), 1024, 2048), []string{fmt.Sprintf(line, 4096, 1024, "before", 4096-1024)}},
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, test.data)
			if diff := cmp.Diff(test.want, told(f)); diff != "" {
				t.Error(diff)
			}
			for _, p := range f.Problems() {
				if p.Loss != (name == "less of the base") {
					t.Errorf("loss %t", p.Loss)
				}
			}
			sameKeys(t, f, sound)
		})
	}
	// A bin that lost a sector is damaged; those behind it are whole.
	before := at.Bins[len(at.Bins)-2]
	f := read(t, slices.Delete(slices.Clone(b), before+1024, before+1536))
	if want := fmt.Sprintf(line, last, 512, "before", last-512); !slices.Contains(told(f), want) {
		t.Errorf("got %q, want among it %q", told(f), want)
	}
	// A bin that stands in the place of another moves nothing.
	swapped := slices.Concat(b[:third], b[last:last+4096], b[third+4096:])
	says := fmt.Sprintf("TEST: offset %#x: bin says that it stands at %#x; cells up to offset %#x are taken as they look", third, last, at.Bins[len(at.Bins)-2])
	if all := told(read(t, swapped)); !slices.Contains(all, says) {
		t.Errorf("got %q, want among it %q", all, says)
	}
}

// TestRootOfShortHive reads hives that end at any place, in the file or by the length in the base block, and whose base block leads to no
// root: the root is looked for up to the end.
func TestRootOfShortHive(t *testing.T) {
	for _, root := range []uint32{0, 0x20, 0xFFFFFFF0} {
		b := hivetest.Set32(hivetest.Build(hivetest.Specimen(), hivetest.Options{}), hivetest.BaseRoot, root)
		for end := 4096; end <= min(len(b), 3*4096); end++ {
			inside := hivetest.Set32(b, hivetest.BaseLength, uint32(end-4096))
			hivetest.Seal(inside)
			for _, data := range [][]byte{b[:end], inside} {
				if f, err := hive.Read("TEST", data); err == nil {
					f.Root().Keys()
				}
			}
		}
	}
}
