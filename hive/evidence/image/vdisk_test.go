package image_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
	"regvet/internal/imagetest"
)

// vdiskFile is a file in memory.
type vdiskFile struct {
	block.Reader
	name   string
	closed *int
}

func (f vdiskFile) Name() string { return f.name }
func (f vdiskFile) Close() error { *f.closed++; return nil }

// vdiskFolder holds the files beside an image.
type vdiskFolder map[string][]byte

func (d vdiskFolder) open(name string, closed *int) (block.File, error) {
	data, ok := d[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return vdiskFile{block.Bytes(data), name, closed}, nil
}

// vdiskOpen opens a file of a folder as an image.
func vdiskOpen(d vdiskFolder, name string) (*image.Image, error) {
	closed := new(int)
	f, err := d.open(name, closed)
	if err != nil {
		return nil, err
	}
	return image.Open(f, func(name string) (block.File, error) { return d.open(name, closed) })
}

// vdiskContent is a disk of sectors that are zero or not, in runs of all lengths, and no two alike.
func vdiskContent(seed uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, 5))
	data := make([]byte, size)
	for at := 0; at < size; {
		run := min(size-at, 512<<rng.IntN(10))
		if rng.IntN(5) < 2 {
			for i := range run / 8 {
				u := rng.Uint64()
				for b := range 8 {
					data[at+8*i+b] = byte(u >> (8 * b))
				}
			}
		}
		at += run
	}
	return data
}

// vdiskChanged is the content with some sectors of another.
func vdiskChanged(content []byte, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 6))
	data := bytes.Clone(content)
	for range 20 {
		at := rng.IntN(len(data)/4096) * 4096
		for i := range min(len(data)-at, 4096<<rng.IntN(4)) {
			data[at+i] = byte(rng.Uint32())
		}
	}
	return data
}

// vdiskCase is an image, and what there is on its disk.
type vdiskCase struct {
	name    string
	files   vdiskFolder // "disk" is the image
	content []byte
	head    int64 // bytes of the file before the content of blocks, as far as this law holds: every byte is right or an error
}

func vdiskCases() []vdiskCase {
	content := vdiskContent(1, 2<<20+512*8)
	changed := vdiskChanged(content, 2)
	again := vdiskChanged(changed, 3)
	one := func(data []byte) vdiskFolder { return vdiskFolder{"disk": data} }
	base := imagetest.VHD{Content: content, ID: 1}
	child := imagetest.VHD{Content: changed, ID: 2, Parent: &base, Name: `C:\vm\base.vhd`}
	grandchild := imagetest.VHD{Content: again, ID: 3, Parent: &child, Name: `child.avhd`}
	xbase := imagetest.VHDX{Content: content, ID: 1}
	xchild := imagetest.VHDX{Content: changed, ID: 2, Parent: &xbase, Name: `base.vhdx`}
	xgrandchild := imagetest.VHDX{Content: again, ID: 3, Parent: &xchild, Name: `child.avhdx`}
	return []vdiskCase{
		{"VHD fixed", one(imagetest.VHD{Content: content, Fixed: true}.Bytes()), content, 0},
		{"VHD dynamic", one(base.Bytes()), content, 2048},
		{"VHD small blocks", one(imagetest.VHD{Content: content, Block: 4096}.Bytes()), content, 2048},
		{"VHD large blocks", one(imagetest.VHD{Content: content, Block: 2 << 20}.Bytes()), content, 2048},
		{"VHD differencing", vdiskFolder{"disk": child.Bytes(), "base.vhd": base.Bytes()}, changed, 2048},
		{"VHD chain", vdiskFolder{"disk": grandchild.Bytes(), "child.avhd": child.Bytes(), "base.vhd": base.Bytes()}, again, 2048},
		{"VHD parent is fixed", vdiskFolder{"disk": child.Bytes(), "base.vhd": imagetest.VHD{Content: content, Fixed: true, ID: 1}.Bytes()}, changed, 2048},
		{"VHDX dynamic", one(xbase.Bytes()), content, imagetest.VHDXMeta},
		{"VHDX of 4096", one(imagetest.VHDX{Content: content, Sector: 4096, Block: 2 << 20}.Bytes()), content, imagetest.VHDXMeta},
		{"VHDX unclosed", one(imagetest.VHDX{Content: content, Log: imagetest.Unclosed}.Bytes()), content, imagetest.VHDXMeta},
		{"VHDX torn", one(imagetest.VHDX{Content: content, Log: imagetest.Torn}.Bytes()), content, imagetest.VHDXMeta},
		{"VHDX differencing", vdiskFolder{"disk": xchild.Bytes(), "base.vhdx": xbase.Bytes()}, changed, imagetest.VHDXMeta},
		{"VHDX chain", vdiskFolder{"disk": xgrandchild.Bytes(), "child.avhdx": xchild.Bytes(), "base.vhdx": xbase.Bytes()}, again, imagetest.VHDXMeta},
		{"VHDX zero", one(imagetest.VHDX{Content: make([]byte, 4<<20), States: map[int]int{1: 2}}.Bytes()), make([]byte, 4<<20), imagetest.VHDXMeta},
		{"VDI dynamic", one(imagetest.VDI{Content: content}.Bytes()), content, 0x1c8},
		{"VDI static", one(imagetest.VDI{Content: content, Static: true}.Bytes()), content, 0x1c8},
		{"VDI trimmed", one(imagetest.VDI{Content: content, Trimmed: true, Extra: 512}.Bytes()), content, 0x1c8},
	}
}

// vdiskHolds reads all of a disk and requires each byte to be right or a gap. It returns the number of those that are right, and of gaps.
func vdiskHolds(t *testing.T, name string, r block.Reader, content []byte) (right, gaps int) {
	t.Helper()
	const step = 4096
	p := make([]byte, step)
	for at := int64(0); at < min(r.Size(), int64(len(content))); at += step {
		n, err := r.ReadAt(p, at)
		want := content[at:min(at+step, int64(len(content)))]
		if shown := p[:min(n, len(want))]; !bytes.Equal(shown, want[:len(shown)]) {
			t.Errorf("%s: %d bytes at %#x are not those of the disk", name, n, at)
			return right, gaps
		}
		right += n
		switch {
		case n == step && err == nil, err == io.EOF && at+int64(n) == r.Size():
		case block.IsGap(err):
			gaps++
		default:
			t.Errorf("%s: %d bytes at %#x: %v", name, n, at, err)
			return right, gaps
		}
	}
	return right, gaps
}

func TestVirtualDisks(t *testing.T) {
	for _, c := range vdiskCases() {
		t.Run(c.name, func(t *testing.T) {
			before := map[string][]byte{}
			for name, data := range c.files {
				before[name] = bytes.Clone(data)
			}
			i, err := vdiskOpen(c.files, "disk")
			if err != nil || i == nil {
				t.Fatalf("it is not opened: %v", err)
			}
			if right, gaps := vdiskHolds(t, c.name, i, c.content); right != len(c.content) || gaps > 0 || i.Size() != int64(len(c.content)) {
				t.Errorf("%d of %d bytes are read, with %d gaps; the size is %d", right, len(c.content), gaps, i.Size())
			}
			if lost := slices.ContainsFunc(i.Problems, func(p hive.Problem) bool { return p.Loss }); lost != strings.Contains(c.name, "torn") {
				t.Errorf("told: %v", i.Problems)
			}
			rng := rand.New(rand.NewPCG(7, 7))
			for range 3000 {
				at := rng.Int64N(int64(len(c.content)))
				p := make([]byte, rng.IntN(10000))
				n, err := i.ReadAt(p, at)
				want := c.content[at:min(at+int64(len(p)), int64(len(c.content)))]
				if !bytes.Equal(p[:n], want) || (err != nil) != (n < len(p)) {
					t.Fatalf("%d bytes at %#x: %d, %v", len(p), at, n, err)
				}
				file, offset := block.Locate(i.Reader, at)
				if data := c.files[file]; c.content[at] != 0 && data[offset] != c.content[at] {
					t.Fatalf("the byte at %#x does not lie in %s at %#x", at, file, offset)
				}
			}
			if err := i.Close(); err != nil || len(i.Files) != len(c.files) {
				t.Errorf("%d files, closed with %v", len(i.Files), err)
			}
			for name, data := range c.files {
				if !bytes.Equal(data, before[name]) {
					t.Errorf("%s was written to", name)
				}
			}
		})
	}
}

// TestVirtualDiskFacts holds what the images say of themselves.
func TestVirtualDiskFacts(t *testing.T) {
	want := map[string]string{
		"VHD dynamic": "a VHD image 512 [{type dynamic} {created 2000-01-02T00:00:00Z} {created by win 6.1 on Wi2k} {ID 02020202-0202-0202-0202-020202020202}]",
		"VHDX of 4096": "a VHDX image 4096 [{type dynamic} {created by imagetest} {ID 00000000-0000-0000-0000-0000000000d1} " +
			"{content ID 00000001-0000-0000-0000-0000000000dd}]",
		"VDI static": "a VDI image 512 [{type static} {created by imagetest} {ID 07070707-0707-0707-0707-070707070707}]",
	}
	for _, c := range vdiskCases() {
		i, err := vdiskOpen(c.files, "disk")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(i.Kind, " ", i.Sector, " ", i.Facts); want[c.name] != "" && got != want[c.name] {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestDamagedVirtualDisks damages each image where its structures are: what is read is right, or an error.
func TestDamagedVirtualDisks(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, c := range vdiskCases() {
		intact := c.files["disk"]
		tell := map[string]int{}
		for round := range 48 {
			damaged := bytes.Clone(intact)
			name := c.name
			switch at := rng.Int64N(max(c.head, 1)); {
			case c.head == 0 || round%4 == 0: // cut off
				n := rng.Int64N(int64(len(damaged)))
				damaged, name = damaged[:n], fmt.Sprintf("%s cut off at %#x", name, n)
			case round%4 == 1 && strings.HasPrefix(c.name, "VHDX"): // where it is not zero
				at = []int64{0, 1, 2, 3}[rng.IntN(4)]<<16 + 64<<10 + rng.Int64N(80)
				damaged[at] ^= 1 << rng.IntN(8)
				name = fmt.Sprintf("%s with a bit at %#x", name, at)
			case round%4 == 2:
				from, to := at, min(at+1<<rng.IntN(14), c.head)
				clear(damaged[from:to])
				name = fmt.Sprintf("%s zero from %#x to %#x", name, from, to)
			default:
				damaged[at] ^= 1 << rng.IntN(8)
				name = fmt.Sprintf("%s with a bit at %#x", name, at)
			}
			files := vdiskFolder{}
			for n, data := range c.files {
				files[n] = data
			}
			files["disk"] = damaged
			i, err := vdiskOpen(files, "disk")
			switch {
			case err != nil && !block.IsGap(err):
				t.Errorf("%s: %v", name, err)
			case err != nil:
				tell["refused"]++
			case i == nil:
				tell["of no format"]++
			default:
				lost := slices.ContainsFunc(i.Problems, func(p hive.Problem) bool { return p.Loss })
				_, gaps := vdiskHolds(t, name, i, c.content)
				switch {
				case gaps > 0 && !lost:
					t.Errorf("%s: %d gaps, but no problem tells of them", name, gaps)
				case gaps > 0:
					tell["gap, told"]++
				case bytes.Equal(damaged, intact):
					tell["no change"]++
				default:
					tell["all right"]++
				}
			}
		}
		t.Logf("%s: %v", c.name, tell)
	}
}

// TestVirtualDiskTables damages single entries of the tables of VHD and VDI, which have no checksum, but fill the file without holes.
func TestVirtualDiskTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, c := range vdiskCases() {
		at := map[string]int{"VHD dynamic": 1536, "VHD small blocks": 1536, "VHD differencing": 1536, "VDI dynamic": imagetest.VDIMap, "VDI trimmed": imagetest.VDIMap}[c.name]
		if at == 0 {
			continue
		}
		entries := 0
		for entry := at; entry < at+4*32; entry += 4 {
			for _, value := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0}, nil} {
				damaged := bytes.Clone(c.files["disk"])
				if value == nil {
					damaged[entry+rng.IntN(4)] ^= 1 << rng.IntN(8)
				}
				copy(damaged[entry:], value)
				files := vdiskFolder{"base.vhd": c.files["base.vhd"], "disk": damaged}
				i, err := vdiskOpen(files, "disk")
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
					continue
				}
				_, gaps := vdiskHolds(t, fmt.Sprintf("%s with another entry at %#x", c.name, entry), i, c.content)
				if gaps > 0 {
					entries++
				}
			}
		}
		if entries < 64 {
			t.Errorf("%s: %d of 96 damages leave a gap", c.name, entries)
		}
	}
}

// TestVHDXTable damages each bit of the entries of a BAT in use.
func TestVHDXTable(t *testing.T) {
	content := vdiskContent(4, 2<<20)
	intact := imagetest.VHDX{Content: content}.Bytes()
	for bit := range 2 * 64 {
		damaged := bytes.Clone(intact)
		damaged[imagetest.VHDXBAT+bit/8] ^= 1 << (bit % 8)
		i, err := vdiskOpen(vdiskFolder{"disk": damaged}, "disk")
		if err != nil {
			t.Errorf("bit %d: %v", bit, err)
			continue
		}
		if _, gaps := vdiskHolds(t, fmt.Sprintf("bit %d of the BAT", bit), i, content); gaps == 0 {
			t.Errorf("bit %d of the BAT leaves no gap", bit)
		}
	}
}

// TestParents holds what is said of a differencing disk whose parent is not the one.
func TestParents(t *testing.T) {
	content := vdiskContent(1, 3<<20)
	changed := vdiskChanged(content, 2)
	base := imagetest.VHD{Content: content, ID: 1}
	other := imagetest.VHD{Content: content, ID: 9}
	child := imagetest.VHD{Content: changed, ID: 2, Parent: &base, Name: `..\..\base.vhd`}
	loop := imagetest.VHD{Content: content, ID: 1, Parent: &imagetest.VHD{Content: changed, ID: 2}, Name: "disk"}
	self := imagetest.VHD{Content: changed, ID: 2, Parent: &imagetest.VHD{Content: content, ID: 2}, Name: "disk"}
	xbase := imagetest.VHDX{Content: content, ID: 1}
	xother := imagetest.VHDX{Content: content, ID: 9}
	xchild := imagetest.VHDX{Content: changed, ID: 2, Parent: &xbase, Name: `sub\base.vhdx`}
	short := imagetest.VHD{Content: content[:1<<20], ID: 1}
	for name, c := range map[string]struct {
		files vdiskFolder
		want  string
	}{
		"missing":        {vdiskFolder{"disk": child.Bytes()}, "is not beside it"},
		"another":        {vdiskFolder{"disk": child.Bytes(), "base.vhd": other.Bytes()}, "0a0a0a0a-"},
		"a loop":         {vdiskFolder{"disk": child.Bytes(), "base.vhd": loop.Bytes()}, "builds on itself"},
		"itself":         {vdiskFolder{"disk": self.Bytes()}, "builds on itself"},
		"no image":       {vdiskFolder{"disk": child.Bytes(), "base.vhd": content}, "cannot be used"},
		"smaller":        {vdiskFolder{"disk": child.Bytes(), "base.vhd": short.Bytes()}, ""},
		"missing VHDX":   {vdiskFolder{"disk": xchild.Bytes()}, "is not beside it"},
		"another VHDX":   {vdiskFolder{"disk": xchild.Bytes(), "base.vhdx": xother.Bytes()}, "0000000a-"},
		"VHDX of a VHD":  {vdiskFolder{"disk": xchild.Bytes(), "base.vhdx": base.Bytes()}, "cannot be used"},
		"missing in VDI": {vdiskFolder{"disk": imagetest.VDI{Content: content, Child: true}.Bytes()}, "09090909-"},
	} {
		i, err := vdiskOpen(c.files, "disk")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		disk := changed
		if strings.Contains(name, "VDI") {
			disk = content
		}
		if right, gaps := vdiskHolds(t, name, i, disk); gaps == 0 || right == 0 {
			t.Errorf("%s: %d bytes are read, with %d gaps", name, right, gaps)
		}
		told := ""
		for _, p := range i.Problems {
			if p.Loss {
				told += p.Error()
			}
		}
		if !strings.Contains(told, c.want) {
			t.Errorf("%s: told %q", name, told)
		}
	}
}

// TestDeepParents holds that a chain ends somewhere.
func TestDeepParents(t *testing.T) {
	content := vdiskContent(1, 128<<10)
	disk := imagetest.VHD{Content: content, ID: 0}
	files := vdiskFolder{"0": disk.Bytes()}
	for n := 1; n < 80; n++ {
		parent := disk
		disk = imagetest.VHD{Content: vdiskChanged(parent.Content, uint64(n)), ID: byte(n), Parent: &parent, Name: fmt.Sprint(n - 1)}
		files[fmt.Sprint(n)] = disk.Bytes()
	}
	for _, c := range []struct{ n, files int }{{40, 41}, {79, 64}} {
		i, err := vdiskOpen(files, fmt.Sprint(c.n))
		if err != nil || len(i.Files) != c.files {
			t.Errorf("%d files of a chain of %d: %v", len(i.Files), c.n, err)
		}
	}
}

// TestVHDXStates holds what is read of blocks that are not written.
func TestVHDXStates(t *testing.T) {
	content := make([]byte, 10<<20)
	parent := imagetest.VHDX{Content: bytes.Repeat([]byte{1}, len(content)), ID: 1}
	states := map[int]int{}
	for n := range 8 {
		states[n] = n
	}
	for name, c := range map[string]struct {
		disk imagetest.VHDX
		want string
	}{
		"dynamic":      {imagetest.VHDX{Content: content, States: states}, "0-0-------"},
		"differencing": {imagetest.VHDX{Content: content, States: states, Parent: &parent, Name: "parent"}, "1-0-------"},
	} {
		c.disk.Content = content[:8<<20]
		i, err := vdiskOpen(vdiskFolder{"disk": c.disk.Bytes(), "parent": parent.Bytes()}, "disk")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 8 {
			got := "-"
			p := make([]byte, 100)
			if _, err := i.ReadAt(p, int64(n)<<20+5000); err == nil {
				got = fmt.Sprint(p[50])
			} else if !block.IsGap(err) {
				t.Errorf("%s: block %d: %v", name, n, err)
			}
			if got != c.want[n:n+1] {
				t.Errorf("%s: a block in the state %d is read as %s, want %c", name, n, got, c.want[n])
			}
		}
	}
}

// TestVHDXLog damages the ring of the log of a VHDX that was not closed, in all ways that leave a trace.
func TestVHDXLog(t *testing.T) {
	content := vdiskContent(1, 2<<20)
	const sector = 4096
	ring := func(data []byte, n int) []byte { return data[imagetest.VHDXLogRing+n*sector:][:sector] }
	unclosed := imagetest.VHDX{Content: content, Log: imagetest.Unclosed}.Bytes()
	torn := imagetest.VHDX{Content: content, Log: imagetest.Torn}.Bytes()
	// The sectors of the ring, in its order: 253 and 254 an entry that is done, 255 an entry of zeros, 0 and on the last one, with its sectors.
	for name, c := range map[string]struct {
		data   []byte
		damage func(data []byte)
		ok     bool
	}{
		"unclosed":                 {unclosed, func([]byte) {}, true},
		"torn":                     {torn, func([]byte) {}, true},
		"done, damaged":            {unclosed, func(d []byte) { ring(d, 254)[77] ^= 1 }, true},
		"first, damaged":           {unclosed, func(d []byte) { ring(d, 255)[70] ^= 1 }, false},
		"last, signature":          {unclosed, func(d []byte) { ring(d, 0)[0] ^= 1 }, false},
		"last, sequence":           {unclosed, func(d []byte) { ring(d, 0)[16] ^= 1 }, false},
		"last, sequence, high":     {unclosed, func(d []byte) { ring(d, 0)[22] ^= 1 }, false},
		"last, size":               {unclosed, func(d []byte) { ring(d, 0)[9] ^= 0x10 }, false},
		"last, tail":               {unclosed, func(d []byte) { ring(d, 0)[13] ^= 0x10 }, false},
		"last, ID":                 {unclosed, func(d []byte) { ring(d, 0)[40] ^= 1 }, false},
		"last, number":             {unclosed, func(d []byte) { ring(d, 0)[24] ^= 1 }, false},
		"last, descriptor":         {unclosed, func(d []byte) { ring(d, 0)[64+16] ^= 0x10 }, false},
		"last, data":               {unclosed, func(d []byte) { ring(d, 1)[500] ^= 1 }, false},
		"last, data's signature":   {unclosed, func(d []byte) { ring(d, 1)[0] ^= 1 }, false},
		"torn, and the one before": {torn, func(d []byte) { ring(d, 1)[500] ^= 1 }, false},
		"all zero":                 {unclosed, func(d []byte) { clear(d[imagetest.VHDXLogRing:imagetest.VHDXMeta]) }, false},
		"the first header":         {unclosed, func(d []byte) { d[imagetest.VHDXHeaders+10] ^= 1 }, true},
		"the second header":        {unclosed, func(d []byte) { d[imagetest.VHDXHeaders+64<<10+10] ^= 1 }, true},
		"cut off":                  {unclosed[:imagetest.VHDXLogRing+5000], func([]byte) {}, false},
	} {
		data := bytes.Clone(c.data)
		c.damage(data)
		i, err := vdiskOpen(vdiskFolder{"disk": data}, "disk")
		if (err == nil) != c.ok || err != nil && !block.IsGap(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if right, _ := vdiskHolds(t, name, i, content); right != len(content) {
				t.Errorf("%s: %d bytes are read", name, right)
			}
		}
	}
}

// TestVHDXLogBeyondEnd reads a BAT that is only in the log, as the file ended before it when it was written.
func TestVHDXLogBeyondEnd(t *testing.T) {
	content := make([]byte, 2<<20)
	data := imagetest.VHDX{Content: content, Log: imagetest.Unclosed}.Bytes()
	i, err := vdiskOpen(vdiskFolder{"disk": data[:imagetest.VHDXBAT]}, "disk")
	if err != nil {
		t.Fatal(err)
	}
	if right, gaps := vdiskHolds(t, "beyond the end", i, content); right != len(content) || gaps > 0 {
		t.Errorf("%d bytes are read, with %d gaps", right, gaps)
	}
	if !slices.ContainsFunc(i.Problems, func(p hive.Problem) bool { return p.Loss && strings.Contains(p.Msg, "cut off") }) {
		t.Errorf("told: %v", i.Problems)
	}
}

// TestUnknownHeader holds that a header which does not know of the log is not trusted if the other one, which may, is damaged.
func TestUnknownHeader(t *testing.T) {
	content := vdiskContent(1, 2<<20)
	unclosed := imagetest.VHDX{Content: content, Log: imagetest.Unclosed}.Bytes()
	closed := imagetest.VHDX{Content: content}.Bytes()
	copy(unclosed[imagetest.VHDXHeaders:], closed[imagetest.VHDXHeaders:][:4096]) // older
	if i, err := vdiskOpen(vdiskFolder{"disk": unclosed}, "disk"); err != nil {
		t.Error(err)
	} else if right, _ := vdiskHolds(t, "intact", i, content); right != len(content) {
		t.Errorf("%d bytes are read", right)
	}
	clear(unclosed[imagetest.VHDXHeaders+64<<10:][:4096])
	if _, err := vdiskOpen(vdiskFolder{"disk": unclosed}, "disk"); !block.IsGap(err) {
		t.Errorf("the older header is used: %v", err)
	}
	clear(closed[imagetest.VHDXHeaders+64<<10:][:4096])
	if i, err := vdiskOpen(vdiskFolder{"disk": closed}, "disk"); err != nil || len(i.Problems) != 1 {
		t.Errorf("a log that is empty: %v", err)
	}
}

// TestHostileVirtualDisks holds that absurd numbers are refused at once, though all checksums are right.
func TestHostileVirtualDisks(t *testing.T) {
	content := vdiskContent(1, 1<<20)
	vhd := imagetest.VHD{Content: content}.Bytes()
	fixed := imagetest.VHD{Content: content, Fixed: true}.Bytes()
	vhdx := imagetest.VHDX{Content: content}.Bytes()
	unclosed := imagetest.VHDX{Content: content, Log: imagetest.Unclosed}.Bytes()
	vdi := imagetest.VDI{Content: content}.Bytes()
	const (
		header, regions, ring, meta = imagetest.VHDXHeaders, imagetest.VHDXRegions, imagetest.VHDXLogRing, imagetest.VHDXMeta
		items                       = meta + 64<<10
	)
	ff := bytes.Repeat([]byte{255}, 8)
	type patch struct {
		at   int
		data []byte
	}
	for name, c := range map[string]struct {
		file    []byte
		patches []patch
		want    string
	}{
		"VHD of 16 EB":             {vhd, []patch{{48, ff}, {len(vhd) - 512 + 48, ff}}, "a size of"},
		"VHD of 4 EB":              {vhd, []patch{{49, ff[:1]}, {len(vhd) - 512 + 49, ff[:1]}}, "claims"},
		"VHD without blocks":       {vhd, []patch{{544, make([]byte, 4)}}, "blocks of 0 bytes"},
		"VHD of odd blocks":        {vhd, []patch{{544, []byte{0, 1, 2, 0}}}, "blocks of"},
		"VHD with a far table":     {vhd, []patch{{528, ff}}, "a table at"},
		"VHD with a far header":    {vhd, []patch{{len(vhd) - 512 + 16, ff}}, "beyond the end"},
		"VHD of another version":   {vhd, []patch{{len(vhd) - 512 + 12, ff[:1]}, {12, ff[:1]}}, "version"},
		"VHD of type 5":            {vhd, []patch{{len(vhd) - 512 + 63, []byte{5}}, {63, []byte{5}}}, "type"},
		"VHD fixed, but too large": {fixed, []patch{{len(fixed) - 512 + 52, []byte{1}}}, "which of them are missing"},
		"VHDX of 16 EB":            {vhdx, []patch{{items + 8, ff}}, "claims a disk"},
		"VHDX of no sector":        {vhdx, []patch{{items + 32, make([]byte, 4)}}, "sectors of"},
		"VHDX of 2 GB blocks":      {vhdx, []patch{{items, []byte{0, 0, 0, 128}}}, "blocks of"},
		"VHDX of many items":       {vhdx, []patch{{meta + 10, ff[:2]}}, "damaged"},
		"VHDX of an unknown item":  {vhdx, []patch{{meta + 32, ff[:1]}}, "is not known"},
		"VHDX of a large item":     {vhdx, []patch{{meta + 32 + 20, ff[:4]}}, "cannot be at"},
		"VHDX of many regions":     {vhdx, []patch{{regions + 8, ff[:4]}, {regions + 64<<10 + 8, ff[:4]}}, "regions"},
		"VHDX of unknown regions":  {vhdx, []patch{{regions + 16, ff[:1]}, {regions + 64<<10 + 16, ff[:1]}}, "is not known"},
		"VHDX with a far region":   {vhdx, []patch{{regions + 16 + 16, ff}, {regions + 64<<10 + 16 + 16, ff}}, "cannot be at"},
		"VHDX with a far log":      {unclosed, []patch{{header + 72, ff}, {header + 64<<10 + 72, ff}}, "beyond the end"},
		"VHDX with a long log":     {unclosed, []patch{{header + 68, ff[:4]}, {header + 64<<10 + 68, ff[:4]}}, "beyond the end"},
		"VHDX with a long entry":   {unclosed, []patch{{ring + 8, ff[:4]}}, "damaged"},
		"VHDX with a far tail":     {unclosed, []patch{{ring + 12, ff[:4]}}, "damaged"},
		"VHDX with many changes":   {unclosed, []patch{{ring + 24, ff[:4]}}, "damaged"},
		"VHDX with odd changes":    {unclosed, []patch{{ring + 64 + 16, ff}}, "not possible"},
		"VDI of 4G blocks":         {vdi, []patch{{0x180, ff[:4]}}, "blocks"},
		"VDI of 16 EB":             {vdi, []patch{{0x170, ff}}, "blocks"},
		"VDI of odd blocks":        {vdi, []patch{{0x178, []byte{7, 7, 0, 0}}}, "blocks of"},
		"VDI of another major":     {vdi, []patch{{0x46, []byte{2}}}, "version 2"},
		"VDI with a far map":       {vdi, []patch{{0x154, ff[:4]}}, "map"},
	} {
		data := bytes.Clone(c.file)
		for _, p := range c.patches {
			copy(data[p.at:], p.data)
		}
		vdiskSeal(name, data)
		if _, err := vdiskOpen(vdiskFolder{"disk": data}, "disk"); !block.IsGap(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// vdiskSeal sets the checksums of an image of a name.
func vdiskSeal(name string, data []byte) {
	switch {
	case strings.HasPrefix(name, "VHDX"):
		imagetest.SealVHDX(data)
	case strings.HasPrefix(name, "VHD"):
		imagetest.SealVHD(data)
	}
}

// TestShortFooter reads disks of Virtual PC before 2004, whose footer lacks its last byte.
func TestShortFooter(t *testing.T) {
	content := vdiskContent(1, 1<<20)
	for _, disk := range []imagetest.VHD{{Content: content}, {Content: content, Fixed: true}} {
		data := disk.Bytes()
		i, err := vdiskOpen(vdiskFolder{"disk": data[:len(data)-1]}, "disk")
		if err != nil || i == nil || len(i.Problems) > 0 {
			t.Fatalf("it is not opened, or not without a word: %v", err)
		}
		if right, _ := vdiskHolds(t, "short", i, content); right != len(content) || i.Size() != int64(len(content)) {
			t.Errorf("%d of %d bytes are read", right, i.Size())
		}
	}
}

// FuzzVirtualDisks writes anything anywhere into the structures of each image. Whatever is read does not depend on how it is asked for, ends,
// and lies in the disk.
func FuzzVirtualDisks(f *testing.F) {
	var cases []vdiskCase
	for _, c := range vdiskCases() {
		cases = append(cases, c)
		f.Add(uint8(len(cases)-1), uint32(0), []byte{}, uint32(0), []byte{1})
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte, at2 uint32, patch2 []byte) {
		c := cases[int(which&127)%len(cases)]
		intact := c.files["disk"]
		edge := max(4096, int64(min(len(intact), imagetest.VHDXBlocks+4096)))
		damaged := bytes.Clone(intact)
		copy(damaged[int64(at)%edge%int64(len(damaged)):], patch)
		copy(damaged[int64(at2)%edge%int64(len(damaged)):], patch2)
		if which < 128 {
			vdiskSeal(c.name, damaged)
		}
		files := vdiskFolder{}
		for name, data := range c.files {
			files[name] = data
		}
		files["disk"] = damaged
		i, err := vdiskOpen(files, "disk")
		if err != nil {
			if !block.IsGap(err) {
				t.Fatal(err)
			}
			return
		}
		if i == nil {
			return
		}
		rng := rand.New(rand.NewPCG(uint64(at), uint64(at2)))
		for range 30 {
			from := rng.Int64N(i.Size() + 10)
			p := make([]byte, 1+rng.IntN(9000))
			n, err := i.ReadAt(p, from)
			if int64(n) > max(0, i.Size()-from) || n == len(p) && err != nil && err != io.EOF || n < len(p) && err == nil {
				t.Fatalf("%d bytes at %d of %d: %d, %v", len(p), from, i.Size(), n, err)
			}
			for k := 0; k < n; k += 1 + rng.IntN(3000) {
				b := make([]byte, 1)
				if m, err := i.ReadAt(b, from+int64(k)); m != 1 || b[0] != p[k] {
					t.Fatalf("the byte at %d is %d, and then %d: %v", from+int64(k), p[k], b[0], err)
				}
			}
			if n < len(p) && !errors.Is(err, io.EOF) && !block.IsGap(err) {
				t.Fatalf("%v", err)
			}
			block.Locate(i.Reader, from)
		}
		i.Close()
	})
}
