package vss_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/hive/evidence/vss"
	"regvet/internal/imagetest"
)

const blockSize = 16 << 10

// random returns blocks that are equal for equal seeds, and differ in each sector from others.
func random(seed uint64, blocks int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, blocks*blockSize)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

// day returns the time of a shadow copy.
func day(i int) time.Time { return time.Date(2026, 1, i, 3, 4, 5, 678901200, time.UTC) }

// copies returns shadow copies, a day each.
func copies(lists ...[]imagetest.VSSDescriptor) (all []imagetest.VSSCopy) {
	for i, list := range lists {
		all = append(all, imagetest.VSSCopy{Created: day(i + 1), Descriptors: list})
	}
	return all
}

func open(t testing.TB, image []byte) *vss.Shadows {
	s, err := vss.Open(block.Bytes(image))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func content(r block.Reader) ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

// made is a volume with shadow copies and what must be read of them.
type made struct {
	copies  []imagetest.VSSCopy
	options imagetest.VSSOptions
	want    []map[int][]byte // the blocks of each shadow copy that are not as they are now
}

// volume is what the made volumes are now. Its first block is left out: the header of the shadow copies is in it.
var volume = random(1, 40)

// now returns a block as it is now.
func now(number int) []byte { return volume[number*blockSize : (number+1)*blockSize] }

// over returns a block with some sectors of another one.
func over(under, above []byte, sectors uint32) []byte {
	under = slices.Clone(under)
	for i := range 32 {
		if sectors>>i&1 == 1 {
			copy(under[512*i:512*i+512], above[512*i:])
		}
	}
	return under
}

// cases returns volumes of every kind of descriptor. What they must be read as was compared with libvshadow, see TestOtherReaders.
func cases() map[string]made {
	type d = imagetest.VSSDescriptor
	type list = []d
	type blocks = []map[int][]byte
	a, b, c := random(100, 1), random(101, 1), random(102, 1)
	zeros := make([]byte, blockSize)
	unused := func(all []imagetest.VSSCopy, of int, current, previous []int) []imagetest.VSSCopy {
		all[of].Unused, all[of].Previous = current, previous
		return all
	}
	mixed := list{{Block: 3, Data: a}, {Block: 5, Forward: true, To: 12}, {Block: 13, Data: a, Sectors: 0xFF}}
	return map[string]made{
		"one block": {copies: copies(list{{Block: 3, Data: a}}), want: blocks{{3: a}}},
		"an older one has what the newer one has not": {copies: copies(list{{Block: 3, Data: a}}, list{{Block: 3, Data: b}, {Block: 4, Data: c}}),
			want: blocks{{3: a, 4: c}, {3: b, 4: c}}},
		"one without blocks": {copies: copies(nil, list{{Block: 39, Data: b}}, nil), want: blocks{{39: b}, {39: b}, {}}},
		"another order in the catalog": {copies: copies(list{{Block: 3, Data: a}}, list{{Block: 3, Data: b}}, list{{Block: 5, Data: c}}),
			options: imagetest.VSSOptions{Order: []int{2, 0, 1}}, want: blocks{{3: a, 5: c}, {3: b, 5: c}, {5: c}}},
		"numbers with holes":              {copies: copies(list{{Block: 3, Data: a}}, nil), options: imagetest.VSSOptions{Numbers: []int{7, 90}}, want: blocks{{3: a}, {}}},
		"flags that mean nothing":         {copies: copies(list{{Block: 3, Data: a, Flags: 0x88}}), want: blocks{{3: a}}},
		"a descriptor that is not used":   {copies: copies(list{{Block: 3, NotUsed: true}, {Block: 5, Data: a}}), want: blocks{{5: a}}},
		"the last of two descriptors":     {copies: copies(list{{Block: 5, Data: a}, {Block: 5, Data: b}}, nil), want: blocks{{5: b}, {}}},
		"a forwarder into the volume":     {copies: copies(nil, list{{Block: 5, Forward: true, To: 7}}), want: blocks{{5: now(7)}, {5: now(7)}}},
		"a forwarder into a newer store":  {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 6, Forward: true, To: 8}}, list{{Block: 7, Data: a}}), want: blocks{{5: a, 6: now(8), 7: a}, {7: a}}},
		"forwarders through stores":       {copies: copies(list{{Block: 5, Forward: true, To: 7}}, list{{Block: 7, Forward: true, To: 9}}, list{{Block: 9, Data: c}}), want: blocks{{5: c, 7: c, 9: c}, {7: c, 9: c}, {9: c}}},
		"a forwarder and its block later": {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 7, Data: a}, {Block: 7, Data: b}}, list{{Block: 9, Data: c}}), want: blocks{{5: a, 7: b, 9: c}, {9: c}}},
		"forwarders in a row":             {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 7, Forward: true, To: 9}}, list{{Block: 9, Data: c}}), want: blocks{{5: c, 9: c}, {9: c}}},
		"forwarders in a row, and a block": {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 7, Forward: true, To: 9}, {Block: 9, Data: a}}, list{{Block: 9, Data: c}}),
			want: blocks{{5: a, 9: c}, {9: c}}},
		"a forwarder after a block": {copies: copies(list{{Block: 5, Data: a}, {Block: 5, Forward: true, To: 7}}, nil), want: blocks{{5: now(7)}, {}}},
		"two forwarders to a block": {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 6, Forward: true, To: 7}, {Block: 7, Data: a}}, nil), want: blocks{{5: now(7), 6: a}, {}}},
		"an overlay alone": {copies: copies(list{{Block: 5, Data: a, Sectors: 0x8000F00F}}, list{{Block: 5, Data: c}}),
			want: blocks{{5: over(c, a, 0x8000F00F)}, {5: c}}},
		"an overlay in two pieces": {copies: copies(list{{Block: 5, Data: a, Sectors: 0xF00F}, {Block: 5, Data: b, Sectors: 0xF0000, More: true}}),
			want: blocks{{5: over(over(now(5), a, 0xF00F), b, 0xF0000)}}},
		"an overlay before and after its block": {copies: copies(list{{Block: 5, Data: a, Sectors: 1}, {Block: 5, Data: b}, {Block: 5, Data: c, Sectors: 2, More: true}}, list{{Block: 5, Data: c}}),
			want: blocks{{5: over(over(b, a, 1), c, 2)}, {5: c}}},
		"an overlay of a newer one is not of the older one": {copies: copies(list{{Block: 6, Data: c}}, list{{Block: 5, Data: b}, {Block: 5, Data: a, Sectors: 0xF00F}, {Block: 7, Data: a, Sectors: 1}}),
			want: blocks{{6: c, 5: b}, {5: over(b, a, 0xF00F), 7: over(now(7), a, 1)}}},
		"an overlay of a whole block": {copies: copies(list{{Block: 5, Data: a, Sectors: 0xFFFFFFFF}}), want: blocks{{5: a}}},
		"an overlay of a forwarder": {copies: copies(list{{Block: 5, Data: a, Sectors: 0xF00F}, {Block: 5, Forward: true, To: 7}}, list{{Block: 7, Data: c}}),
			want: blocks{{5: over(c, a, 0xF00F), 7: c}, {7: c}}},
		"an overlay where a forwarder leads": {copies: copies(list{{Block: 5, Forward: true, To: 7}, {Block: 7, Data: a, Sectors: 0xF}, {Block: 7, Data: b}}, list{{Block: 7, Data: c}}),
			want: blocks{{5: b, 7: over(c, a, 0xF)}, {7: c}}},
		"blocks that were not in use": {copies: unused(copies(mixed), 0, []int{10, 11, 12, 13, 3}, nil),
			want: blocks{{3: a, 5: now(12), 10: zeros, 11: zeros, 13: over(zeros, a, 0xFF)}}},
		"blocks that were not in use by an older one": {copies: unused(copies(mixed, list{{Block: 30, Data: b}}), 0, []int{10, 11}, nil),
			want: blocks{{3: a, 5: now(12), 13: over(now(13), a, 0xFF), 30: b}, {30: b}}},
		"blocks that both bitmaps have": {copies: unused(copies(list{{Block: 30, Data: b}}, mixed), 1, []int{10, 11, 12, 13, 3}, []int{11, 12, 13, 14}),
			want: blocks{{3: a, 5: now(12), 30: b}, {3: a, 5: now(12), 11: zeros, 13: over(zeros, a, 0xFF)}}},
		"a store in many pieces": {copies: copies(imagetest.VSSChanges(random(9, 40), volume)[1:], list{{Block: 3, Data: b}}), options: imagetest.VSSOptions{Fragments: 2},
			want: blocks{changed(random(9, 40)), {3: b}}},
	}
}

// changed returns all blocks but the first.
func changed(data []byte) map[int][]byte {
	list := map[int][]byte{}
	for i := 1; i < len(data)/blockSize; i++ {
		list[i] = data[i*blockSize : (i+1)*blockSize]
	}
	return list
}

// TestShadows holds that each kind of descriptor is read as it means.
func TestShadows(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			image := imagetest.VSS(volume, c.copies, c.options)
			s := open(t, image)
			if len(s.Stores) != len(c.copies) || len(s.Problems) > 0 {
				t.Fatalf("%d shadow copies, want %d: %v", len(s.Stores), len(c.copies), s.Problems)
			}
			for i, store := range s.Stores {
				if store.Number != i+1 || !store.Created.Equal(c.copies[i].Created) || store.Size() != int64(len(image)) || len(store.Problems) > 0 {
					t.Errorf("shadow copy %d: %+v", i+1, store)
				}
				if want := fmt.Sprintf("600b0f%02x-5bdf-11e3-9d6c-005056c00008", i+1); store.ID != want || store.CopyID == want || store.CopyID == "" || store.Attributes != 0x420009 {
					t.Errorf("shadow copy %d: %+v", i+1, store)
				}
				got, err := content(store)
				if err != nil {
					t.Fatalf("shadow copy %d: %v", i+1, err)
				}
				for number := 1; number < len(volume)/blockSize; number++ {
					want, ok := c.want[i][number]
					if !ok {
						want = now(number)
					}
					if !bytes.Equal(got[number*blockSize:(number+1)*blockSize], want) {
						t.Errorf("shadow copy %d: block %d is not as it was", i+1, number)
					}
				}
				locate(t, image, store, got)
				pieces(t, store, got)
			}
		})
	}
}

// locate holds that bytes are where Locate says, unless they were not in use.
func locate(t *testing.T, image []byte, store vss.Store, got []byte) {
	for at := 0; at < len(got); at += 512 {
		_, offset := block.Locate(store, int64(at))
		if !bytes.Equal(got[at:at+512], image[offset:offset+512]) && !bytes.Equal(got[at:at+512], make([]byte, 512)) {
			t.Errorf("shadow copy %d: what is at %#x is not located", store.Number, at)
		}
	}
}

// pieces holds that a part is read as it is in the whole.
func pieces(t *testing.T, store vss.Store, got []byte) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		p := make([]byte, rng.IntN(3*blockSize))
		at := rng.IntN(len(got) + 10)
		n, err := store.ReadAt(p, int64(at))
		want := got[min(at, len(got)):min(at+len(p), len(got))]
		if !bytes.Equal(p[:n], want) || (n < len(p)) != (err == io.EOF) {
			t.Fatalf("shadow copy %d: %d bytes at %#x are %d: %v", store.Number, len(p), at, n, err)
		}
	}
	if _, err := store.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
		t.Errorf("bytes before the beginning: %v", err)
	}
}

// TestNone holds when a volume has no shadow copies, and that damage is not none.
func TestNone(t *testing.T) {
	enabled := imagetest.VSS(volume, nil, imagetest.VSSOptions{})
	never := slices.Clone(enabled)
	clear(never[imagetest.VSSHeaderAt+48 : imagetest.VSSHeaderAt+56])
	for name, image := range map[string][]byte{
		"nothing": nil, "too small": make([]byte, 0x1FFF), "another volume": volume, "zeros": make([]byte, 1<<20), "an empty catalog": enabled, "no catalog": never,
	} {
		if s, err := vss.Open(block.Bytes(image)); s != nil || err != nil {
			t.Errorf("%s: %v, %v, want none", name, s, err)
		}
	}
	cut := block.Section(block.Bytes(enabled[:imagetest.VSSHeaderAt]), 0, int64(len(enabled)))
	if s, err := vss.Open(cut); s != nil || !block.IsGap(err) {
		t.Errorf("a header that cannot be read: %v, %v, want a gap", s, err)
	}
	for _, at := range []int{0, 15, 16, 20, 24} {
		image := slices.Clone(enabled)
		image[imagetest.VSSHeaderAt+at] ^= 0x40
		if s, err := vss.Open(block.Bytes(image)); s != nil || !block.IsGap(err) {
			t.Errorf("byte %d of the header is another one: %v, %v, want a gap", at, s, err)
		}
	}
}

// TestMovedBack holds that a block is a gap of which it is not known where it is: it was moved away and back.
func TestMovedBack(t *testing.T) {
	type d = imagetest.VSSDescriptor
	s := open(t, imagetest.VSS(volume, copies(nil, []d{{Block: 5, Forward: true, To: 7}, {Block: 7, Forward: true, To: 5}}), imagetest.VSSOptions{}))
	for _, store := range s.Stores {
		if _, err := block.Read(store, 5*blockSize, 1); !block.IsGap(err) {
			t.Errorf("%v, want a gap", err)
		}
		if got, err := block.Read(store, 7*blockSize, blockSize); err != nil || !bytes.Equal(got, now(7)) {
			t.Errorf("the other block: %v", err)
		}
	}
}

// TestLongLists holds that lists of more than one block are read.
func TestLongLists(t *testing.T) {
	var list []imagetest.VSSDescriptor
	want := slices.Clone(now(5))
	for i := range 1100 { // overlays of one sector each, of which a block of a list holds 508
		sector, data := uint32(1)<<(i%32), random(uint64(i), 1)
		list = append(list, imagetest.VSSDescriptor{Block: 5, Sectors: sector, Data: data, More: i > 0})
		want = over(want, data, sector)
	}
	last := random(7, 1)
	list = append(list, imagetest.VSSDescriptor{Block: 6, Data: last})
	s := open(t, imagetest.VSS(volume, copies(list), imagetest.VSSOptions{}))
	if got, err := block.Read(s.Stores[0], 5*blockSize, 2*blockSize); err != nil || !bytes.Equal(got, append(want, last...)) {
		t.Errorf("after 1100 descriptors: %v", err)
	}

	const many = 1400 // each in a range of its own, of which a block of a list holds 677
	large := random(2, many+1)
	before := random(3, many+1)
	image := imagetest.VSS(large, copies(imagetest.VSSChanges(before, large)), imagetest.VSSOptions{Fragments: 1})
	got, err := content(open(t, image).Stores[0])
	if err != nil || !bytes.Equal(got[blockSize:len(before)], before[blockSize:]) {
		t.Errorf("in %d ranges: %v", many, err)
	}
}

// endless is a volume of which only the beginning is not ones.
type endless struct {
	block.Reader
	size int64
}

func (e endless) Size() int64 { return e.size }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		p[i] = 1
	}
	if at < e.Reader.Size() {
		e.Reader.ReadAt(p[:min(int64(len(p)), e.Reader.Size()-at)], at)
	}
	return len(p), nil
}

// TestLargeVolume holds that the bitmap of a volume of 5 GB, which has three blocks, is read.
func TestLargeVolume(t *testing.T) {
	const size, perBlock = 5 << 30, (blockSize - 128) * 8
	unused := []int{perBlock - 1, perBlock, 2*perBlock + 9, size/blockSize - 1}
	all := copies(nil)
	all[0].Unused = unused
	image := imagetest.VSS(volume, all, imagetest.VSSOptions{Size: size})
	s, err := vss.Open(endless{block.Bytes(image), size})
	if err != nil || len(s.Stores[0].Problems) > 0 {
		t.Fatal(err, s.Stores)
	}
	for _, number := range append(unused, perBlock-2, perBlock+1, 2*perBlock, 2*perBlock+8) {
		got, err := block.Read(s.Stores[0], int64(number)*blockSize, blockSize)
		want := bytes.Repeat([]byte{1}, blockSize)
		if slices.Contains(unused, number) {
			clear(want)
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("block %d begins with %x: %v", number, got[:1], err)
		}
	}
}

// states returns an NTFS volume at three times, and its files: some stay, some change, come and go.
func states() (volumes [][]byte, files []fstest.MapFS) {
	text := func(seed, size int) []byte {
		return bytes.Repeat(random(uint64(seed), 1)[:3000], size/3000+1)[:size]
	}
	how := map[string]imagetest.NTFSFile{
		"Windows/System32/config/SYSTEM": {Fragments: 9}, "Windows/System32/config/SOFTWARE": {Compressed: true}, "Windows/System32/config/SECURITY": {Sparse: true},
	}
	for i := range 3 {
		list := fstest.MapFS{
			"Windows/System32/config/SYSTEM":          {Data: text(10+i, 200<<10)},
			"Windows/System32/config/SOFTWARE":        {Data: text(20+i, 150<<10)},
			"Windows/System32/config/SAM":             {Data: text(30, 90<<10)},
			"Windows/System32/config/SECURITY":        {Data: slices.Concat(text(40, 10<<10), make([]byte, 90<<10), text(41+i, 10<<10))},
			fmt.Sprintf("Windows/only at time %d", i): {Data: text(50+i, (i+1)*30<<10)},
		}
		files = append(files, list)
		volumes = append(volumes, imagetest.NTFS(list, imagetest.NTFSOptions{Size: 2 << 20, Files: how}))
	}
	return volumes, files
}

// withShadows returns the last of the states of a volume, with the others as shadow copies.
func withShadows(volumes [][]byte, o imagetest.VSSOptions) []byte {
	var lists [][]imagetest.VSSDescriptor
	for i, state := range volumes[:len(volumes)-1] {
		lists = append(lists, imagetest.VSSChanges(state, volumes[i+1]))
	}
	return imagetest.VSS(volumes[len(volumes)-1], copies(lists...), o)
}

// TestFiles holds that the files of each time, and no others, are in the shadow copy of it.
func TestFiles(t *testing.T) {
	volumes, files := states()
	image := withShadows(volumes, imagetest.VSSOptions{Fragments: 5})
	stores := open(t, image).Stores
	for i, r := range []block.Reader{stores[0], stores[1], block.Bytes(image)} {
		v, err := ntfs.Open(r)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]byte{}
		err = fs.WalkDir(v, "Windows", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				got[path], err = fs.ReadFile(v, path)
			}
			return err
		})
		want := map[string][]byte{}
		for path, file := range files[i] {
			want[path] = file.Data
		}
		if err != nil || !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("time %d: the files %q, %v", i, slices.Sorted(maps.Keys(got)), err)
		}
		if _, err := fs.Stat(v, fmt.Sprintf("Windows/only at time %d", (i+1)%3)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("time %d has a file of another: %v", i, err)
		}
	}
}
