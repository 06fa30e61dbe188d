package volume

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/internal/evidencetest"
	"regvet/internal/imagetest"
)

const (
	basic   = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
	lvm     = "E6D6D379-F507-44C2-A23C-238F2A3DF928"
	mb      = 1 << 20
	already = 2048 // where a first partition usually starts
)

// ntfs is the first sector of an NTFS volume, as mkntfs writes it.
func ntfs() []byte {
	b := make([]byte, 512)
	copy(b, "\xeb\x52\x90NTFS    \x00\x02\x08")
	b[510], b[511] = 0x55, 0xAA
	return b
}

// fat is the first sector of a FAT16 volume.
func fat() []byte {
	b := make([]byte, 512)
	copy(b, "\xeb\x3c\x90mkfs.fat\x00\x02\x04\x04\x00\x02\x00\x02\x00\x80\xf8\x20\x00")
	b[510], b[511] = 0x55, 0xAA
	return b
}

// summary lists partitions as "number:offset+size type", in sectors of 512 bytes.
func summary(t Table) string {
	s := []string{strings.TrimSpace(fmt.Sprint(t.Kind, " ", t.Sector))}
	for _, p := range t.Parts {
		kind, _, _ := strings.Cut(p.Type, " ")
		s = append(s, strings.TrimSpace(fmt.Sprintf("%d:%d+%d %.8s", p.Number, p.Offset/512, p.Size()/512, kind)))
	}
	return strings.Join(s, "; ")
}

// losses returns the messages of the problems that are losses.
func losses(t Table) string {
	var s []string
	for _, p := range t.Problems {
		if p.Loss {
			s = append(s, p.Error())
		}
	}
	return strings.Join(s, "\n")
}

func mbrDisk(sector int, primary, logical []imagetest.Partition) []byte {
	disk := make([]byte, 4*mb)
	imagetest.WriteMBR(disk, sector, primary, logical)
	return disk
}

func gptDisk(sector int, parts ...imagetest.Partition) []byte {
	disk := make([]byte, 4*mb)
	imagetest.WriteGPT(disk, sector, parts)
	return disk
}

var extendedDisk = mbrDisk(512, []imagetest.Partition{{Start: 64, Sectors: 100, Type: 7, Content: ntfs()}, {}, {Start: 1000, Sectors: 3000, Type: 5}, {Start: 5000, Sectors: 8, Type: 0x27}},
	[]imagetest.Partition{{Start: 1063, Sectors: 100, Type: 7}, {Start: 1200, Sectors: 100, Type: 0x83}, {Start: 1400, Sectors: 200, Type: 0x0B}})

const extendedParts = "MBR 512; 1:64+100 07; 4:5000+8 27; 5:1063+100 07; 6:1200+100 83; 7:1400+200 0B"

var twoOfGPT = []imagetest.Partition{{Start: 64, Sectors: 100, GUID: basic, Name: "Basic data partition", Content: ntfs()}, {}, {Start: 400, Sectors: 300, GUID: basic}}

func with(disk []byte, change func(disk []byte)) []byte {
	disk = slices.Clone(disk)
	change(disk)
	return disk
}

func TestList(t *testing.T) {
	put32 := binary.LittleEndian.PutUint32
	for name, c := range map[string]struct {
		disk   []byte
		sector int
		want   string
		loss   string // part of what is told as a loss; "" for none
		odd    string
	}{
		"MBR":                     {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 100, Type: 7}}, nil), 0, "MBR 512; 1:2048+100 07", "", ""},
		"a type of zero":          {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 100, Type: 0}}, nil), 0, "MBR 512; 1:2048+100 00", "", ""},
		"extended":                {extendedDisk, 512, extendedParts, "", ""},
		"4096 by its volume":      {mbrDisk(4096, []imagetest.Partition{{Start: 16, Sectors: 100, Type: 7, Content: ntfs()}}, nil), 0, "MBR 4096; 1:128+800 07", "", ""},
		"4096 as the image says":  {mbrDisk(4096, []imagetest.Partition{{Start: 16, Sectors: 100, Type: 7}}, nil), 4096, "MBR 4096; 1:128+800 07", "", ""},
		"512 against the image":   {mbrDisk(512, []imagetest.Partition{{Start: 16, Sectors: 100, Type: 7, Content: ntfs()}}, nil), 4096, "MBR 512; 1:16+100 07", "", "the image says"},
		"beyond the end":          {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 1 << 20, Type: 7}}, nil), 0, "MBR 512; 1:2048+1048576 07", "cut off", ""},
		"overlap":                 {mbrDisk(512, []imagetest.Partition{{Start: 2000, Sectors: 100, Type: 7}, {Start: 100, Sectors: 1901, Type: 7}}, nil), 0, "MBR 512; 1:2000+100 07; 2:100+1901 07", "starts inside partition 2", ""},
		"no partition":            {mbrDisk(512, nil, nil), 0, "MBR 512", "lists no partition", ""},
		"zeros":                   {make([]byte, mb), 0, "512; 0:0+2048", "cannot be said", ""},
		"a status":                {with(extendedDisk, func(d []byte) { d[446+48] = 0x11 }), 0, extendedParts, "status 0x11", ""},
		"no 55 AA of a link":      {with(extendedDisk, func(d []byte) { d[1199*512+511] = 0 }), 0, "MBR 512; 1:64+100 07; 4:5000+8 27; 5:1063+100 07", "offset 0x95e00: the chain", ""},
		"a link to itself":        {with(extendedDisk, func(d []byte) { put32(d[1000*512+446+16+8:], 0) }), 0, "MBR 512; 1:64+100 07; 4:5000+8 27; 5:1063+100 07", "leads back", ""},
		"a link out":              {with(extendedDisk, func(d []byte) { put32(d[1000*512+446+16+8:], 5000) }), 0, "MBR 512; 1:64+100 07; 4:5000+8 27; 5:1063+100 07", "out of the 3000", ""},
		"LVM":                     {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 100, Type: 0x8E}}, nil), 0, "MBR 512; 1:2048+100 8E", "Linux LVM, which is not read", ""},
		"a dynamic disk":          {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 100, Type: 0x42}}, nil), 0, "MBR 512; 1:2048+100 42", "Windows dynamic disk", ""},
		"a dynamic disk to boot":  {mbrDisk(512, []imagetest.Partition{{Start: already, Sectors: 100, Type: 0x42, Content: ntfs()}}, nil), 0, "MBR 512; 1:2048+100 42", "", ""},
		"GPT":                     {gptDisk(512, twoOfGPT...), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", ""},
		"GPT of 4096":             {gptDisk(4096, twoOfGPT...), 0, "GPT 4096; 1:512+800 EBD0A0A2; 3:3200+2400 EBD0A0A2", "", ""},
		"GPT against the image":   {gptDisk(4096, twoOfGPT...), 512, "GPT 4096; 1:512+800 EBD0A0A2; 3:3200+2400 EBD0A0A2", "", "the image says"},
		"the second GPT":          {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[512:1024]) }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", "second GPT"},
		"the second of 4096":      {with(gptDisk(4096, twoOfGPT...), func(d []byte) { d[8192+5]++ }), 0, "GPT 4096; 1:512+800 EBD0A0A2; 3:3200+2400 EBD0A0A2", "", "second GPT"},
		"the first GPT alone":     {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[4*mb-512:]) }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", "first GPT alone"},
		"no MBR before GPT":       {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[:512]) }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", "no MBR"},
		"neither GPT":             {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[512:1024]); d[4*mb-16384]++; d[4*mb-512]++ }), 0, "GPT 512", "neither copy", ""},
		"neither GPT nor MBR":     {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[:1024]); clear(d[4*mb-512:]) }), 0, "512; 0:0+8192", "cannot be said", ""},
		"damaged GPT, no MBR":     {with(gptDisk(512, twoOfGPT...), func(d []byte) { clear(d[:512]); d[512+60]++; clear(d[4*mb-512:]) }), 0, "GPT 512", "neither copy", ""},
		"GPTs that disagree":      {with(gptDisk(512, twoOfGPT...), func(d []byte) { renameSecond(d) }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "not that of the first", ""},
		"GPT with LVM":            {gptDisk(512, imagetest.Partition{Start: 64, Sectors: 100, GUID: lvm}), 0, "GPT 512; 1:64+100 E6D6D379", "Linux LVM", ""},
		"GPT cut off":             {gptDisk(512, twoOfGPT...)[:600*512], 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "cut off", "first GPT alone"},
		"hybrid":                  {with(gptDisk(512, twoOfGPT...), func(d []byte) { copy(d[462:], "\x00\x00\x00\x00\x07\x00\x00\x00\x40\x00\x00\x00\x64\x00\x00\x00") }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", "hybrid"},
		"hybrid with more":        {with(gptDisk(512, twoOfGPT...), func(d []byte) { copy(d[462:], "\x00\x00\x00\x00\x07\x00\x00\x00\x00\x10\x00\x00\x64\x00\x00\x00") }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "GPT lacks", ""},
		"another type before GPT": {with(gptDisk(512, twoOfGPT...), func(d []byte) { d[450] = 0xEF }), 0, "GPT 512; 1:64+100 EBD0A0A2; 3:400+300 EBD0A0A2", "", "no MBR"},
		"a former GPT": {with(gptDisk(512, twoOfGPT...), func(d []byte) {
			copy(d[446:], "\x00\x00\x00\x00\x07\x00\x00\x00\x00\x10\x00\x00\x64\x00\x00\x00")
		}), 0, "MBR 512; 1:4096+100 07", "former times", ""},
		"NTFS alone":           {append(ntfs(), make([]byte, 8192)...), 0, "512; 0:0+17", "", ""},
		"NTFS with its text":   {append(with(ntfs(), func(d []byte) { copy(d[440:], "is compressed\r\nPress Ctrl+Alt+Del to restart\r\n") }), make([]byte, 8192)...), 0, "512; 0:0+17", "", ""},
		"FAT alone":            {append(fat(), make([]byte, 8192)...), 0, "512; 0:0+17", "", ""},
		"FAT, then MBR":        {with(extendedDisk, func(d []byte) { copy(d, fat()[:60]) }), 0, extendedParts, "", ""},
		"FAT with what can be": {with(extendedDisk, func(d []byte) { copy(d, fat()[:60]); clear(d[64*512 : 65*512]) }), 0, "512; 0:0+8192", "", ""},
		"ext alone":            {with(make([]byte, 8192), func(d []byte) { copy(d[1080:], "\x53\xef") }), 0, "512; 0:0+16", "", ""},
		"NTFS by its last sector": {with(make([]byte, 8192), func(d []byte) {
			copy(d[7680:], ntfs())
			d[7680+40] = 15
		}), 0, "512; 0:0+16", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := List(block.Bytes(c.disk), c.sector)
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(table); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := losses(table); (c.loss == "") != (got == "") || !strings.Contains(got, c.loss) {
				t.Errorf("losses are %q, want %q", got, c.loss)
			}
			if got := fmt.Sprint(table.Problems); c.odd == "" && got != "[]" && c.loss == "" || !strings.Contains(got, c.odd) {
				t.Errorf("told is %v, want %q", got, c.odd)
			}
			for _, p := range table.Parts {
				b, err := block.Read(p, 0, 16)
				if err == nil && string(b) != string(c.disk[p.Offset:][:16]) {
					t.Errorf("partition %d is not what lies at its offset", p.Number)
				}
			}
		})
	}
}

// renameSecond gives the second GPT of a disk another first partition, with the checksums that belong to it.
func renameSecond(d []byte) {
	h, entries := d[4*mb-512:], d[4*mb-512-16384:4*mb-512]
	entries[56]++
	binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
	clear(h[16:20])
	binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
}

// TestKindOf holds that each kind of volume is told by its signature, also of a partition, and by copies of boot sectors.
func TestKindOf(t *testing.T) {
	at := func(size int64, offset int64, magic string) []byte {
		b := make([]byte, size)
		copy(b[offset:], magic)
		return b
	}
	for _, s := range signatures {
		b := at(0x10100, s.at, s.magic)
		copy(b[424:], bitLockerToGo)
		if got, err := KindOf(block.Bytes(b)); got != s.kind || err != nil {
			t.Errorf("%q at %d is %q, %v", s.magic, s.at, got, err)
		}
	}
	for name, c := range map[string]struct {
		r    block.Reader
		want Kind
		gap  bool
	}{
		"FAT of MS-DOS":      {block.Bytes(with(fat(), func(b []byte) { copy(b[3:], "MSWIN4.1") })), FAT, false},
		"FAT32 by its copy":  {block.Bytes(at(8192, 3072, string(with(fat(), func(b []byte) { b[22] = 0; b[36] = 1 })))), FAT, false},
		"exFAT by its copy":  {block.Bytes(at(8192, 6144, "\xeb\x76\x90EXFAT   ")), ExFAT, false},
		"nothing":            {block.Bytes(make([]byte, 8192)), "", false},
		"a sector":           {block.Bytes(make([]byte, 512)), "", false},
		"no byte":            {block.Bytes(nil), "", false},
		"an MBR":             {block.Bytes(extendedDisk[:512]), "", false},
		"cannot be read":     {evidencetest.Gap(block.Bytes(append(ntfs(), make([]byte, 8192)...)), 0, 512), "", true},
		"read all the same":  {evidencetest.Gap(block.Bytes(append(ntfs(), make([]byte, 8192)...)), 512, 8192), NTFS, false},
		"cut off after this": {block.Section(block.Bytes(ntfs()), 0, mb), NTFS, false},
	} {
		if got, err := KindOf(c.r); got != c.want || block.IsGap(err) != c.gap {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestGaps holds that a table of which a part cannot be read lists what it did, or tells a loss, or is an error.
func TestGaps(t *testing.T) {
	for name, disk := range map[string][]byte{"GPT": gptDisk(512, twoOfGPT...), "GPT of 4096": gptDisk(4096, twoOfGPT...), "MBR": extendedDisk} {
		want, err := List(block.Bytes(disk), 0)
		if err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < int64(len(disk)); at += 512 {
			got, err := List(evidencetest.Gap(block.Bytes(disk), at, at+512), 0)
			if err == nil && summary(got) != summary(want) && losses(got) == "" || err != nil && !block.IsGap(err) {
				t.Errorf("%s without %#x: %s, %v", name, at, summary(got), err)
			}
			if name != "MBR" && summary(got) != summary(want) {
				t.Errorf("%s without %#x: %s, though the other copy is there", name, at, summary(got))
			}
		}
	}
}

// TestDamagedGPT holds that a GPT of which any byte is damaged lists what it did, by its other copy, or tells a loss.
func TestDamagedGPT(t *testing.T) {
	for _, sector := range []int{512, 4096} {
		disk := gptDisk(sector, twoOfGPT...)
		want, _ := List(block.Bytes(disk), 0)
		whole := summary(want)
		second := len(disk) - sector - 16384
		for _, span := range [][2]int{{446, 512}, {sector, sector + 100}, {2 * sector, 2*sector + 400}, {second, second + 400}, {len(disk) - sector, len(disk) - sector + 100}} {
			for at := span[0]; at < span[1]; at++ {
				for _, flip := range []byte{0xFF, 0x01, 0x80} {
					disk[at] ^= flip
					if got, err := List(block.Bytes(disk), 0); err == nil && summary(got) != whole && losses(got) == "" {
						t.Errorf("sectors of %d, byte %#x changed by %#x: %s", sector, at, flip, summary(got))
					}
					disk[at] ^= flip
				}
			}
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(extendedDisk[:2*mb], 0)
	f.Add(gptDisk(512, twoOfGPT...)[:mb], 512)
	f.Add(gptDisk(4096, twoOfGPT...)[3*mb:], 4096)
	f.Add(append(fat(), make([]byte, 8192)...), 0)
	f.Fuzz(func(t *testing.T, disk []byte, sector int) {
		if sector != 0 && sector != 512 && sector != 4096 {
			sector = 512
		}
		r := block.Bytes(disk)
		a, err := List(r, sector)
		if err != nil {
			if !block.IsGap(err) {
				t.Errorf("%v is no gap", err)
			}
			return
		}
		if b, _ := List(r, sector); summary(a) != summary(b) {
			t.Errorf("first %s, then %s", summary(a), summary(b))
		}
		if len(a.Parts) == 0 && losses(a) == "" {
			t.Error("nothing is listed, and nothing told")
		}
		for i, p := range a.Parts {
			if p.Offset < 0 || p.Size() <= 0 || i > 0 && p.Number <= a.Parts[i-1].Number {
				t.Errorf("partition %d at %d with %d bytes", p.Number, p.Offset, p.Size())
			}
			if p.Offset+p.Size() > int64(len(disk)) && losses(a) == "" {
				t.Errorf("partition %d lies beyond the end, and that is not told", p.Number)
			}
		}
	})
}

// TestRealTables compares with what other programs list: each image FILE.img in a directory has a FILE.parts, with the number, first byte and
// size of each partition.
func TestRealTables(t *testing.T) {
	dir := os.Getenv("REGVET_IMAGES")
	if dir == "" {
		t.Skip("no images of real programs in REGVET_IMAGES")
	}
	wanted, err := filepath.Glob(filepath.Join(dir, "*.parts"))
	if err != nil || len(wanted) == 0 {
		t.Fatalf("no image: %v", err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range wanted {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		disk, err := os.ReadFile(strings.TrimSuffix(name, ".parts") + ".img")
		if err != nil {
			t.Fatal(err)
		}
		table, err := List(block.Bytes(disk), 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := listed(table); got != string(want) || losses(table) != "" {
			t.Errorf("%s: got\n%swant\n%s%v", name, got, want, table.Problems)
		}
		if table.Kind != "GPT" {
			continue
		}
		for range 200 { // damaged: the same, or a loss
			at := rng.IntN(34 * table.Sector)
			if rng.IntN(2) == 0 {
				at = len(disk) - 1 - at
			}
			flip := byte(1 + rng.IntN(255))
			disk[at] ^= flip
			if got, err := List(block.Bytes(disk), 0); err == nil && listed(got) != string(want) && losses(got) == "" {
				t.Errorf("%s, byte %#x changed by %#x: %s", name, at, flip, listed(got))
			}
			disk[at] ^= flip
		}
	}
}

func listed(t Table) string {
	var b strings.Builder
	for _, p := range t.Parts {
		fmt.Fprintln(&b, p.Number, p.Offset, p.Size())
	}
	return b.String()
}
