package vss_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/vss"
	"regvet/internal/imagetest"
)

var le = binary.LittleEndian

// withAll returns a volume whose three shadow copies have all kinds of descriptors.
func withAll() []byte {
	type d = imagetest.VSSDescriptor
	oldest := imagetest.VSSChanges(random(50, 24), volume[:24*blockSize])[4:]
	oldest = append(oldest, d{Block: 30, Forward: true, To: 31}, d{Block: 32, Data: random(51, 1), Sectors: 0xF0}, d{Block: 33, Data: random(52, 1)})
	middle := []d{{Block: 31, Data: random(53, 1)}, {Block: 32, Data: random(54, 1), Sectors: 1}, {Block: 32, Data: random(55, 1), Sectors: 2, More: true}, {Block: 20, Data: random(56, 1)}}
	newest := []d{{Block: 34, Data: random(57, 1)}, {Block: 35, Forward: true, To: 36}, {Block: 21, Data: random(58, 1)}}
	for i := range 20 { // more than a sector of each list
		middle = append(middle, d{Block: i + 1, Data: random(uint64(60+i), 1)})
		newest = append(newest, d{Block: i + 2, Data: random(uint64(80+i), 1)})
	}
	all := copies(oldest, middle, newest)
	all[1].Previous = []int{38}
	all[2].Unused, all[2].Previous = []int{37, 38}, []int{38}
	return imagetest.VSS(volume, all, imagetest.VSSOptions{Fragments: 4})
}

// holdLaw holds that each block of each shadow copy of a damaged volume is as in the whole one or a gap, and that none is absent without a reason.
// It returns how many blocks were read.
func holdLaw(t *testing.T, what string, image []byte, whole [][]byte) (read int) {
	s, err := vss.Open(block.Bytes(image))
	if err != nil || s == nil {
		if !block.IsGap(err) {
			t.Errorf("%s: there are no shadow copies, %v, want a gap", what, err)
		}
		return 0
	}
	if len(s.Stores) < len(whole) && len(s.Problems) == 0 {
		t.Errorf("%s: there are %d shadow copies of %d, and no problem says why", what, len(s.Stores), len(whole))
	}
	for _, store := range s.Stores {
		var id int // in the order in which they were made
		fmt.Sscanf(store.ID, "600b0f%02x", &id)
		if id < 1 || id > len(whole) {
			t.Errorf("%s: there is a shadow copy %s", what, store.ID)
			continue
		}
		for number := range len(volume) / blockSize {
			got, err := block.Read(store, int64(number)*blockSize, blockSize)
			switch {
			case err == nil && number == 0: // the header of the shadow copies is in it, which may be what is damaged
			case err == nil && bytes.Equal(got, whole[id-1][number*blockSize:(number+1)*blockSize]):
				read++
			case err == nil:
				t.Errorf("%s: block %d of shadow copy %d is read as other bytes", what, number, id)
			case !block.IsGap(err) && store.Size() >= int64(number+1)*blockSize:
				t.Errorf("%s: block %d of shadow copy %d: %v, want a gap", what, number, id, err)
			}
		}
	}
	return read
}

// contents returns the content of each shadow copy.
func contents(t *testing.T, image []byte) (list [][]byte) {
	for _, store := range open(t, image).Stores {
		c, err := content(store)
		if err != nil || len(store.Problems) > 0 {
			t.Fatal(err, store.Problems)
		}
		list = append(list, c)
	}
	return list
}

// kinds are the types of records, by which blocks are told.
const (
	catalogKind = 2
	listKind    = 3
	storeKind   = 4
	rangeKind   = 5
	bitmapKind  = 6
)

// structures returns where blocks that are not data lie.
func structures(image []byte) (list []int) {
	signature := image[imagetest.VSSHeaderAt : imagetest.VSSHeaderAt+16]
	for at := 0; at < len(image); at += blockSize {
		if bytes.HasPrefix(image[at:], signature) {
			list = append(list, at)
		}
	}
	return list
}

func kindAt(image []byte, at int) int { return int(le.Uint32(image[at/blockSize*blockSize+20:])) }

// cannotTell reports whether another content of a sector may be valid: the end of a list if it becomes zeros, and the bits of a bitmap.
func cannotTell(image []byte, at int, zeroed bool) bool {
	sector := at % blockSize / 512
	if sector == 0 {
		return false
	}
	rest := image[at+512 : (at/blockSize+1)*blockSize]
	return kindAt(image, at) == bitmapKind || zeroed && len(bytes.Trim(rest, "\x00")) == 0
}

// TestDamagedSectors holds the law for sectors of all lists that are zeros, or other bytes.
func TestDamagedSectors(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	tried, read := 0, 0
	for _, at := range append(structures(image), imagetest.VSSHeaderAt) {
		for sector := range 32 {
			at := at + 512*sector
			if at > imagetest.VSSHeaderAt && at < blockSize {
				break
			}
			for i, damage := range [][]byte{make([]byte, 512), random(uint64(at), 1)[:512]} {
				if cannotTell(image, at, i == 0) || bytes.Equal(image[at:at+512], damage) || at < blockSize && i == 0 || sector > 3 && sector%7 != 0 {
					continue
				}
				if kindAt(image, at) == storeKind && sector > 0 {
					continue // nothing is there
				}
				damaged := slices.Clone(image)
				copy(damaged[at:], damage)
				if at < blockSize { // else there are no shadow copies, as far as anyone can tell
					copy(damaged[at:at+16], image[at:])
				}
				read += holdLaw(t, fmt.Sprintf("%x at %#x (type %d)", damage[:2], at, kindAt(image, at)), damaged, whole)
				tried++
			}
		}
	}
	t.Logf("%d volumes with a damaged sector, of whose blocks %d %% were read", tried, 100*read/(tried*3*len(volume)/blockSize))
	if tried < 80 || read < tried*len(volume)/blockSize/2 {
		t.Errorf("%d volumes were tried, and %d blocks read", tried, read)
	}
}

// TestMisplacedBlocks holds the law for blocks of lists in the place of others.
func TestMisplacedBlocks(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	places := structures(image)
	for _, to := range places {
		for _, from := range append(places, 5*blockSize) {
			if from == to {
				continue
			}
			damaged := slices.Clone(image)
			copy(damaged[to:to+blockSize], image[from:])
			holdLaw(t, fmt.Sprintf("the block of %#x at %#x", from, to), damaged, whole)
		}
	}
}

// TestFlippedBits holds the law for single bits of headers, of the catalog, of ranges, and of what descriptors tell twice.
func TestFlippedBits(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	var places []int
	part := func(at, from, to int) {
		for i := from; i < to; i++ {
			places = append(places, at+i)
		}
	}
	part(imagetest.VSSHeaderAt, 0, 32)
	for _, at := range structures(image) {
		part(at, 0, 48)
		switch kindAt(image, at) {
		case catalogKind:
			for i := 128; i < 1100; i += 128 {
				part(at, i, i+8)
				part(at, i+16, i+32)
				if image[at+i] == 3 {
					part(at, i+8, i+16)
					part(at, i+32, i+56)
				}
			}
		case rangeKind:
			part(at, 128, 128+24*3)
		case listKind:
			for i := 128; i < blockSize && le.Uint64(image[at+i+16:]) != 0; i += 32 {
				if le.Uint64(image[at+i+8:]) != 1 {
					part(at, i+10, i+16) // the lower bits mean something else
				}
				part(at, i+16, i+24)
				part(at, i+25, i+28)
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, 3))
	tried, read := 800, 0
	if testing.Short() {
		tried = 200
	}
	for range tried {
		at := places[rng.IntN(len(places))]
		bit := byte(1) << rng.IntN(8)
		damaged := slices.Clone(image)
		damaged[at] ^= bit
		if next := le.Uint64(damaged[at/8*8:]); next == 0 && at%blockSize < 48 {
			continue // the last block of another valid list
		}
		read += holdLaw(t, fmt.Sprintf("bit %#x of %#x (type %d)", bit, at, kindAt(image, at)), damaged, whole)
	}
	t.Logf("of the blocks of %d volumes %d %% were read", tried, 100*read/(tried*3*len(volume)/blockSize))
	if read < tried*len(volume)/blockSize/4 {
		t.Errorf("%d blocks were read", read)
	}
}

// TestCutOff holds the law for volumes that end too early.
func TestCutOff(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	for size := blockSize; size < len(image); size += 3 * blockSize / 2 {
		holdLaw(t, fmt.Sprintf("%d bytes", size), image[:size], whole)
	}
}

// TestLostStores holds that older shadow copies do without a newer one whose list is damaged: they have what is in their own store, and no more.
func TestLostStores(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	lists := slices.DeleteFunc(structures(image), func(at int) bool { return kindAt(image, at) != listKind })
	le.PutUint64(image[lists[1]+128:], 5) // the middle one
	stores := open(t, image).Stores
	for i, readable := range []map[int]bool{{4: true, 23: true, 33: true, 2: false, 30: false, 32: false, 39: false}, {2: false, 39: false}, {2: true, 39: true}} {
		if got := len(stores[i].Problems) > 0; got != (i == 1) {
			t.Errorf("the problems of shadow copy %d are %v", i+1, stores[i].Problems)
		}
		for number, want := range readable {
			got, err := block.Read(stores[i], int64(number)*blockSize, blockSize)
			if want && (err != nil || !bytes.Equal(got, whole[i][number*blockSize:(number+1)*blockSize])) || !want && !block.IsGap(err) {
				t.Errorf("block %d of shadow copy %d: %v", number, i+1, err)
			}
		}
	}
}

// TestContradictions holds what is said about shadow copies that cannot be.
func TestContradictions(t *testing.T) {
	type d = imagetest.VSSDescriptor
	plain := copies([]d{{Block: 3, Data: now(4)}}, []d{{Block: 4, Data: now(5)}})
	older := slices.Clone(plain)
	older[0].Created = day(9)
	for name, c := range map[string]struct {
		image []byte
		want  string
	}{
		"times and numbers": {imagetest.VSS(volume, older, imagetest.VSSOptions{}), "does not tell which is older"},
		"half of one":       {patched(imagetest.VSS(volume, plain, imagetest.VSSOptions{}), 4*128, 1), "tells only half"},
		"an unknown type":   {patched(imagetest.VSS(volume, plain, imagetest.VSSOptions{}), 4*128, 7), "is of type 7"},
		"an end between":    {patched(imagetest.VSS(volume, plain, imagetest.VSSOptions{}), 3*128, 0), "follows where it ends"},
	} {
		s := open(t, c.image)
		if len(s.Problems) == 0 || !bytes.Contains([]byte(s.Problems[0].Msg), []byte(c.want)) {
			t.Errorf("%s: the problems are %v", name, s.Problems)
		}
		for _, store := range s.Stores {
			if _, err := block.Read(store, 9*blockSize, 1); !block.IsGap(err) {
				t.Errorf("%s: what shadow copy %d has not itself: %v, want a gap", name, store.Number, err)
			}
		}
	}
	large := open(t, imagetest.VSS(volume, plain, imagetest.VSSOptions{Size: 1 << 31})).Stores[0]
	if len(large.Problems) != 1 || large.Size() != 1<<31 {
		t.Errorf("of a larger volume: %v", large.Problems)
	}
	if _, err := block.Read(large, 1<<30, 1); !block.IsGap(err) {
		t.Errorf("behind the end: %v, want a gap", err)
	}
}

// patched returns a volume with another entry in the catalog, which is zeros but for its type, or the same one with another type.
func patched(image []byte, at int, kind byte) []byte {
	at += int(le.Uint64(image[imagetest.VSSHeaderAt+48:]))
	if kind == 0 {
		clear(image[at : at+128])
	}
	image[at] = kind
	return image
}

// FuzzShadows changes bytes of lists: each four bytes of patches are the place of one, and what is put there. Whatever they then say, reading ends,
// errors are gaps, a part is read as in the whole, and equal reads are equal.
func FuzzShadows(f *testing.F) {
	image := withAll()
	var places []int
	for _, at := range structures(image) {
		for i := range blockSize {
			if i < 2048 {
				places = append(places, at+i)
			}
		}
	}
	for i := range 0x200 {
		places = append(places, imagetest.VSSHeaderAt+i)
	}
	f.Add([]byte{})
	for i := 0; i < len(places); i += 397 {
		f.Add(binary.LittleEndian.AppendUint32(nil, uint32(i)|0xA5<<24))
	}
	f.Fuzz(func(t *testing.T, patches []byte) {
		damaged := slices.Clone(image)
		for patch := range slices.Chunk(patches[:min(len(patches), 64)&^3], 4) {
			n := le.Uint32(patch)
			damaged[places[int(n&0xFFFFFF)%len(places)]] = byte(n >> 24)
		}
		first, failed := readAll(t, damaged)
		second, again := readAll(t, damaged)
		if !slices.EqualFunc(first, second, bytes.Equal) || failed != again {
			t.Fatal("two reads differ")
		}
	})
}

// readAll reads all blocks of all shadow copies that can be read, and counts the others.
func readAll(t *testing.T, image []byte) (read [][]byte, failed int) {
	s, err := vss.Open(block.Bytes(image))
	if err != nil && !block.IsGap(err) {
		t.Fatalf("%v is no gap", err)
	}
	if s == nil {
		return nil, 1
	}
	for _, store := range s.Stores {
		for at := int64(0); at < min(store.Size(), int64(len(volume))); at += blockSize {
			got, err := block.Read(store, at, int(min(blockSize, store.Size()-at)))
			if err != nil {
				if !block.IsGap(err) {
					t.Fatalf("%v is no gap", err)
				}
				failed++
				continue
			}
			part := make([]byte, len(got)/3)
			if _, err := store.ReadAt(part, at+int64(len(got))/5); err != nil || !bytes.Equal(part, got[len(got)/5:len(got)/5+len(part)]) {
				t.Fatalf("a part of the block at %#x is read as other bytes: %v", at, err)
			}
			read = append(read, got)
		}
	}
	return read, failed
}

// TestImpossibleDescriptors holds that nothing is read by a list in which something cannot be.
func TestImpossibleDescriptors(t *testing.T) {
	type d = imagetest.VSSDescriptor
	image := imagetest.VSS(volume, copies([]d{
		{Block: 3, Data: now(8)}, {Block: 4, Data: now(9)}, {Block: 5, Data: now(10), Sectors: 1}, {Block: 6, Forward: true, To: 7}, {Block: 5, Data: now(11), Sectors: 2, More: true},
	}), imagetest.VSSOptions{})
	lists := slices.DeleteFunc(structures(image), func(at int) bool { return kindAt(image, at) != listKind })
	list := lists[0]
	field := func(number, at int) []byte { return image[list+128+32*number+at:] }
	for name, c := range map[string]struct {
		number, at int // of the descriptor, and in it
		raw        []byte
		want       string
	}{
		"an overlay without sectors":   {0, 24, []byte{2}, "tells the sectors"},
		"sectors of no overlay":        {0, 28, []byte{1}, "tells the sectors"},
		"a forwarder that overlays":    {2, 24, []byte{3}, "exclude each other"},
		"a flag that there is not":     {0, 25, []byte{1}, "exclude each other"},
		"a forwarder with data":        {3, 16, []byte{0, 64}, "a forwarder leads to"},
		"a forwarder out of there":     {3, 12, []byte{1}, "a forwarder leads to"},
		"a forwarder between blocks":   {3, 8, []byte{0, 2}, "a forwarder leads to"},
		"no place of a block":          {0, 1, []byte{2}, "where there is none"},
		"a block behind the end":       {0, 4, []byte{1}, "where there is none"},
		"a place before the beginning": {0, 7, []byte{0x80}, "where there is none"},
		"another place in the store":   {0, 9, []byte{0xC0}, "not the same place"},
		"another place in the volume":  {0, 17, []byte{0xC2}, "not the same place"},
		"an overlay elsewhere":         {2, 17, []byte{0xC2}, "not the same place"},
		"more of no overlay":           {4, 1, field(0, 1)[:2], "without a beginning"},
		"more of another overlay":      {4, 16, field(0, 16)[:8], "without a beginning"},
		"the data of another":          {1, 8, field(0, 8)[:16], "the same old content"},
		"an end between":               {1, 0, make([]byte, 32), "follows where it ends"},
		"a list without an end":        {-4, 40, binary.LittleEndian.AppendUint64(nil, uint64(list)), "leads back to itself"},
	} {
		damaged := slices.Clone(image)
		copy(damaged[list+128+32*c.number+c.at:], c.raw)
		store := open(t, damaged).Stores[0]
		_, err := block.Read(store, 20*blockSize, 1)
		if len(store.Problems) != 1 || !strings.Contains(store.Problems[0].Msg, c.want) || !block.IsGap(err) || store.Problems[0].At.Offset < int64(list) {
			t.Errorf("%s: %v, %v, want one of %q", name, store.Problems, err, c.want)
		}
	}
}

// TestDamagedHeader holds that content does not depend on the header of a store, but its names do.
func TestDamagedHeader(t *testing.T) {
	image := withAll()
	whole := contents(t, image)
	for _, at := range structures(image) {
		if kindAt(image, at) == storeKind {
			image[at+51] = 1
		}
	}
	for i, store := range open(t, image).Stores {
		got, err := content(store)
		if err != nil || !bytes.Equal(got[blockSize:len(volume)], whole[i][blockSize:len(volume)]) || len(store.Problems) != 1 || store.CopyID != "" {
			t.Errorf("%v, %+v", err, store.Problems)
		}
	}
}

// tall is a volume of 1 TB whose list of blocks does not end: behind what image holds, each block is one of it.
type tall struct {
	image []byte
	base  int64 // where the store lies, and from where on its range does
}

const tallSize = 1 << 40

func (v tall) Size() int64 { return tallSize }

func (v tall) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		if at := at + int64(n); at < int64(len(v.image)) {
			n += copy(p[n:], v.image[at:])
		} else {
			n += copy(p[n:], v.list(at / blockSize * blockSize)[at%blockSize:])
		}
	}
	return n, nil
}

// list returns a block of the list, with 508 descriptors.
func (v tall) list(at int64) []byte {
	raw := make([]byte, blockSize)
	copy(raw, v.image[imagetest.VSSHeaderAt:imagetest.VSSHeaderAt+16])
	le.PutUint32(raw[16:], 1)
	le.PutUint32(raw[20:], listKind)
	le.PutUint64(raw[24:], uint64(at-v.base))
	le.PutUint64(raw[32:], uint64(at))
	le.PutUint64(raw[40:], uint64(at+blockSize))
	for i := range int64(508) {
		data := tallSize/2 + ((at-int64(len(v.image)))/blockSize*508+i)*blockSize
		for field, n := range []int64{data, data - v.base, data} {
			le.PutUint64(raw[128+32*i+8*int64(field):], uint64(n))
		}
	}
	return raw
}

// TestEndless holds that a list that does not end is a gap.
func TestEndless(t *testing.T) {
	image := imagetest.VSS(volume, copies(nil), imagetest.VSSOptions{Size: tallSize})
	v := tall{image: image}
	for _, at := range structures(image) {
		switch kindAt(image, at) {
		case storeKind:
			v.base = int64(at)
		case listKind:
			copy(image[at:], v.list(int64(at)))
			clear(image[at+128 : at+blockSize])
			copy(image[at+128:], v.list(int64(len(image)) + 1<<30)[128:])
			le.PutUint64(image[at+40:], uint64(len(image)))
		case rangeKind:
			le.PutUint64(image[at+128+16:], uint64(tallSize-v.base-3*blockSize))
		}
	}
	s, err := vss.Open(v)
	if err != nil {
		t.Fatal(err)
	}
	store := s.Stores[0]
	if _, err := block.Read(store, 0, 1); !block.IsGap(err) || !strings.Contains(err.Error(), "more entries than are read here") {
		t.Errorf("%v, want a gap", err)
	}
}
