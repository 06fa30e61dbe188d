package image_test

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
	"regvet/internal/imagetest"
	"regvet/internal/memory"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// ewfFolder returns the segments of an image as files named disk.E01 and so on.
func ewfFolder(segments [][]byte) evidenceFolder {
	d := evidenceFolder{}
	for i, s := range segments {
		d["disk."+imagetest.EWFSuffix(i+1)] = s
	}
	return d
}

var someCase = [][2]string{{"c", "2026-17"}, {"n", "3"}, {"a", "the disk of the ☃"}, {"e", ""}, {"t", "line\x1b[31m"}, {"av", "6.19"}, {"ov", "Windows 7"}, {"m", "1142163845"}, {"u", "2006 3 12 11 44 5"}, {"p", "0"}}

var ewfImages = map[string]struct {
	size int
	imagetest.EWF
}{
	"plain":               {300 << 10, imagetest.EWF{}},
	"compressed":          {300 << 10, imagetest.EWF{Compressed: true, Case: someCase}},
	"last chunk short":    {300<<10 + 5*512, imagetest.EWF{Compressed: true}},
	"last short, plain":   {300<<10 + 5*512, imagetest.EWF{}},
	"last filled up":      {300<<10 + 5*512, imagetest.EWF{Compressed: true, FilledUp: true}},
	"filled up, plain":    {300<<10 + 5*512, imagetest.EWF{FilledUp: true}},
	"several tables":      {300 << 10, imagetest.EWF{PerChunk: 16, PerTable: 7, Compressed: true}},
	"six segments":        {300 << 10, imagetest.EWF{PerChunk: 16, PerSegment: 7, PerTable: 3, Compressed: true, Case: someCase}},
	"names beyond E99":    {300 << 10, imagetest.EWF{PerChunk: 2, PerSegment: 1, Compressed: true}},
	"sectors of 4096":     {300 << 10, imagetest.EWF{Sector: 4096, PerChunk: 16, Compressed: true}},
	"large chunks":        {300 << 10, imagetest.EWF{PerChunk: 32768, Compressed: true}},
	"chunk beyond cache":  {17 << 20, imagetest.EWF{Sector: 4096, PerChunk: 32768, Compressed: true}},
	"one sector a chunk":  {30 << 10, imagetest.EWF{PerChunk: 1, PerTable: 10}},
	"EnCase 1":            {300 << 10, imagetest.EWF{Style: imagetest.EnCase1, PerChunk: 16, PerTable: 7, PerSegment: 20, Case: someCase}},
	"SMART":               {300 << 10, imagetest.EWF{Style: imagetest.SMART, PerChunk: 16, PerTable: 7, PerSegment: 20}},
	"no hash":             {30 << 10, imagetest.EWF{NoHash: true}},
	"nothing in the disk": {0, imagetest.EWF{}},
}

// TestEWF reads whole images, as one and at any place.
func TestEWF(t *testing.T) {
	for name, c := range ewfImages {
		t.Run(name, func(t *testing.T) {
			content := diskContent(c.size)
			segments := c.Write(content)
			i, err := ewfFolder(segments).open("disk.E01")
			if err != nil {
				t.Fatal(err)
			}
			if i.Kind != "an E01 image" || len(i.Files) != len(segments) || i.Sector != max(512, c.Sector) || i.Problems != nil {
				t.Fatalf("%s of %d files with sectors of %d bytes; problems: %v", i.Kind, len(i.Files), i.Sector, i.Problems)
			}
			if data, err := block.Read(i, 0, int(i.Size())); err != nil || !bytes.Equal(data, content) {
				t.Fatalf("the content is not that of the disk: %v", err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for range 200 {
				at := rng.Int64N(i.Size() + 100)
				p := make([]byte, rng.IntN(70<<10))
				n, err := i.ReadAt(p, at)
				want := content[min(at, i.Size()):min(at+int64(len(p)), i.Size())]
				if !bytes.Equal(p[:n], want) || n < len(p) && err != io.EOF {
					t.Fatalf("%d bytes at %d: %d, %v", len(p), at, n, err)
				}
			}
			verified, err := i.Verify()
			if err != nil || len(verified) != len(i.Stored) || len(i.Stored) == 0 != c.NoHash {
				t.Fatalf("verified %v, %v", verified, err)
			}
			for _, v := range verified {
				if !v.Matches() {
					t.Errorf("%s is stored as %s and computed as %s", v.Name, v.Sum, v.Computed)
				}
			}
			if c.Case != nil {
				want := []image.Fact{{"case number", "2026-17"}, {"evidence number", "3"}, {"description", "the disk of the ☃"}, {"notes", "line\x1b[31m"},
					{"acquired", "2006-03-12 11:44:05 UTC"}, {"system date", "2006-03-12 11:44:05"}, {"acquisition software", "6.19"}, {"operating system", "Windows 7"}}
				if diff := cmp.Diff(want, i.Facts); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// gaps reads an image in pieces, which must be those of the content or gaps, and returns the pieces that are gaps.
func gaps(t *testing.T, i *image.Image, content []byte, piece int) []int {
	t.Helper()
	var lost []int
	for at := 0; at < len(content); at += piece {
		want := content[at:min(at+piece, len(content))]
		p := make([]byte, len(want))
		n, err := i.ReadAt(p, int64(at))
		if n < len(p) && err == nil || !bytes.Equal(p[:n], want[:n]) {
			t.Fatalf("%d bytes at %#x are not those of the disk (%v)", n, at, err)
		}
		if n < len(p) {
			if file, _ := i.Reader.(block.Locator).Locate(int64(at)); !block.IsGap(err) || file == "" {
				t.Fatalf("%#x: %v is no gap with a place", at, err)
			}
			lost = append(lost, at/piece)
		}
	}
	return lost
}

// TestEWFMissingSegments takes each segment away. The content of all others is there, and numbered right.
func TestEWFMissingSegments(t *testing.T) {
	content := diskContent(300 << 10)
	e := imagetest.EWF{PerChunk: 16, PerSegment: 7, PerTable: 3, Compressed: true} // 38 chunks
	for missing := range 6 {
		d := ewfFolder(e.Write(content))
		name := "disk." + imagetest.EWFSuffix(missing+1)
		delete(d, name)
		if missing == 0 {
			_, err := d.open("disk.E02")
			if err == nil || !strings.Contains(err.Error(), "whose first, disk.E01, is not beside it") {
				t.Errorf("the second segment opens: %v", err)
			}
			continue
		}
		i, err := d.open("disk.E01")
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for c := 7 * missing; c < min(38, 7*missing+7); c++ {
			want = append(want, c)
		}
		if got := gaps(t, i, content, 16*512); !slices.Equal(got, want) {
			t.Errorf("without segment %d, %v are gaps, want %v", missing+1, got, want)
		}
		if len(i.Problems) == 0 || i.Problems[0].Source != "case/"+name || !i.Problems[0].Loss {
			t.Errorf("without segment %d: %v", missing+1, i.Problems)
		}
		if _, err := i.Verify(); !block.IsGap(err) {
			t.Errorf("without segment %d it is verified: %v", missing+1, err)
		}
	}
	d := ewfFolder(e.Write(content))
	delete(d, "disk.E03")
	delete(d, "disk.E05")
	i, err := d.open("disk.E01")
	if err != nil {
		t.Fatal(err)
	}
	if got := gaps(t, i, content, 16*512); len(got) != 21 || got[0] != 14 || got[20] != 34 { // how many of them are of the third is not known
		t.Errorf("without segments 3 and 5, %v are gaps", got)
	}
}

// TestEWFForeignSegments replaces a segment by one of another image, and by one with another number.
func TestEWFForeignSegments(t *testing.T) {
	content := diskContent(300 << 10)
	e := imagetest.EWF{PerChunk: 16, PerSegment: 7}
	other := e
	other.Set[3] = 1
	for name, segment := range map[string][]byte{
		"another disk":   e.Write(bytes.Repeat([]byte{1}, 310<<10))[2],
		"another set":    other.Write(bytes.Repeat([]byte{1}, 300<<10))[2],
		"another number": e.Write(content)[3],
		"no segment":     []byte("EVF"),
		"nothing":        nil,
	} {
		d := ewfFolder(e.Write(content))
		d["disk.E03"] = segment
		i, err := d.open("disk.E01")
		if err != nil {
			t.Fatal(err)
		}
		if got := gaps(t, i, content, 16*512); len(got) != 7 || got[0] != 14 {
			t.Errorf("%s: %v are gaps", name, got)
		}
		if len(i.Files) != 5 {
			t.Errorf("%s: %d files are of the image", name, len(i.Files))
		}
	}
}

// TestEWFDamage changes each byte of what describes an image, and some of the chunks. What is read is right, or it is a gap; a change in a chunk
// makes a gap of it; what is lost is told.
func TestEWFDamage(t *testing.T) {
	for name, e := range map[string]imagetest.EWF{
		"EnCase 6":   {PerChunk: 4, PerTable: 5, PerSegment: 9, Compressed: true, Case: someCase},
		"plain":      {PerChunk: 4, PerTable: 5, PerSegment: 9},
		"one":        {PerChunk: 4, PerTable: 5, Compressed: true},
		"EnCase 1":   {Style: imagetest.EnCase1, PerChunk: 4, PerTable: 5, PerSegment: 9},
		"SMART":      {Style: imagetest.SMART, PerChunk: 4, PerTable: 5, PerSegment: 9},
		"unreadable": {PerChunk: 4, PerTable: 5, PerSegment: 9, Compressed: true, Unread: [][2]uint32{{9, 2}, {30, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := diskContent(20 * 4 * 512)
			truth := bytes.Clone(content)
			for _, u := range e.Unread { // a zero in the content where nothing is known: no byte that is read is right there
				clear(content[u[0]*512 : (u[0]+u[1])*512])
				for i := u[0] * 512; i < (u[0]+u[1])*512; i++ {
					truth[i] = 0xff
				}
			}
			segments := e.Write(content)
			rng := rand.New(rand.NewPCG(5, 6))
			for s := range segments {
				for at := 0; at < len(segments[s]); at++ {
					in := sectionAt(segments[s], at)
					chunk := at >= in.At+200 && (in.Kind == "sectors" || in.Kind == "table")
					if chunk || in.Kind == "volume" || in.Kind == "data" { // mostly padding
						at = min(at+rng.IntN(60), len(segments[s])-1)
						in = sectionAt(segments[s], at)
					}
					damaged := slices.Clone(segments)
					damaged[s] = bytes.Clone(segments[s])
					flip := rng.IntN(4) > 0
					if flip {
						damaged[s][at] ^= 1 << rng.IntN(8)
					} else {
						copy(damaged[s][at:], make([]byte, 1+rng.IntN(200)))
						if bytes.Equal(damaged[s], segments[s]) {
							continue
						}
					}
					d := ewfFolder(damaged)
					i, err := d.open("disk.E01")
					if err != nil || i == nil {
						if s > 0 {
							t.Fatalf("%s of segment %d, byte %#x: %v", in.Kind, s+1, at, err)
						}
						continue
					}
					truth := truth
					if strings.Contains(told(i), "which sectors could not be read when it was made, may be missing") {
						truth = content
					}
					lost := gaps(t, i, truth, 512)
					if len(lost) > 0 && in.Kind != "sectors" && in.Kind != "table" && i.Problems == nil {
						t.Fatalf("%s of segment %d, byte %#x: %v are gaps, and nothing is told", in.Kind, s+1, at, lost)
					}
					if flip && in.Kind == "sectors" && at >= in.At+76 && !e.Compressed && len(lost) == 0 { // bits at the end of what is compressed may mean nothing
						t.Fatalf("%s of segment %d, byte %#x: no gap", in.Kind, s+1, at)
					}
				}
			}
		})
	}
}

// sectionAt returns the section of a byte of an intact segment.
func sectionAt(segment []byte, at int) imagetest.EWFSection {
	for _, s := range imagetest.EWFSections(segment) {
		if at >= s.At && at < s.At+s.Size {
			return s
		}
	}
	return imagetest.EWFSection{Kind: "file header"}
}

// TestEWFTables damages tables: the copy is read, which is told, and if both are damaged only their chunks are gaps.
func TestEWFTables(t *testing.T) {
	content := diskContent(20 * 4 * 512)
	e := imagetest.EWF{PerChunk: 4, PerTable: 5, Compressed: true}
	intact := e.Write(content)[0]
	sections := map[string][]imagetest.EWFSection{}
	for _, s := range imagetest.EWFSections(intact) {
		sections[s.Kind] = append(sections[s.Kind], s)
	}
	table, second := sections["table"][1], sections["table2"][1]
	const descriptor, header, entry = 10, 76 + 3, 76 + 24 + 9
	contradict := func(data []byte) { // the checksums are right
		copied := data[second.At : second.At+second.Size]
		copied[76+24] ^= 4
		imagetest.Reseal(copied[76+24:])
	}
	for name, c := range map[string]struct {
		damage func(data []byte)
		want   []int
		told   string
	}{
		"entry":                {func(d []byte) { d[table.At+entry] ^= 1 }, nil, "its copy is whole and was read"},
		"header":               {func(d []byte) { d[table.At+header] ^= 1 }, nil, "its copy is whole and was read"},
		"descriptor":           {func(d []byte) { d[table.At+descriptor] ^= 1 }, nil, "the next section was found nevertheless"},
		"links":                {func(d []byte) { d[table.At+16] ^= 1 }, nil, "the next section was found nevertheless"},
		"copy":                 {func(d []byte) { d[second.At+entry] ^= 1 }, nil, "the copy of a table of chunks is damaged"},
		"entries of both":      {func(d []byte) { d[table.At+entry] ^= 1; d[second.At+entry] ^= 1 }, []int{5, 6, 7, 8, 9}, "10240 bytes of the disk at 0x2800 cannot be read"},
		"headers of both":      {func(d []byte) { d[table.At+header] ^= 1; d[second.At+header] ^= 1 }, []int{5, 6, 7, 8, 9}, "10240 bytes of the disk at 0x2800 cannot be read"},
		"descriptors of both":  {func(d []byte) { d[table.At+descriptor] ^= 1; d[second.At+descriptor] ^= 1 }, []int{5, 6, 7, 8, 9}, "10240 bytes of the disk at 0x2800 cannot be read"},
		"they contradict":      {contradict, []int{5, 6, 7, 8, 9}, "contradict each other"},
		"sectors' descriptor":  {func(d []byte) { d[sections["sectors"][1].At+40] ^= 1 }, nil, "the next section was found nevertheless"},
		"the volume":           {func(d []byte) { d[sections["volume"][0].At+76+4] ^= 1 }, nil, "the volume section does not match its checksum"},
		"the hash":             {func(d []byte) { d[sections["hash"][0].At+76+4] ^= 1 }, nil, "the hash that it stores is not known"},
		"the end":              {func(d []byte) { d[sections["done"][0].At+1] ^= 1 }, nil, "the end of the image was not found"},
		"a chain that circles": {func(d []byte) { link(d, sections["table"][2], sections["table"][0].At) }, []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, "leads back"},
		"a chain that skips":   {func(d []byte) { link(d, sections["table2"][1], sections["table"][2].At) }, nil, "contradicts itself"},
	} {
		data := bytes.Clone(intact)
		c.damage(data)
		i, err := ewfFolder([][]byte{data}).open("disk.E01")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "a chain that skips" {
			c.want = []int{10, 11, 12, 13, 14, 15, 16, 17, 18, 19}
		}
		if got := gaps(t, i, content, 4*512); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v are gaps, want %v", name, got, c.want)
		}
		if told := told(i); !strings.Contains(told, c.told) {
			t.Errorf("%s: told is %s", name, told)
		}
	}
}

// link makes a section lead elsewhere.
func link(data []byte, s imagetest.EWFSection, next int) {
	binary.LittleEndian.PutUint64(data[s.At+16:], uint64(next))
	imagetest.Reseal(data[s.At : s.At+76])
}

// TestEWFAllocatesNoClaim holds that no number of an image makes room before it was held against the size of the file.
func TestEWFAllocatesNoClaim(t *testing.T) {
	content := diskContent(20 * 4 * 512)
	for name, damage := range map[string]func([]byte, map[string]imagetest.EWFSection){
		"chunks": func(d []byte, s map[string]imagetest.EWFSection) {
			for _, kind := range []string{"volume", "data"} {
				binary.LittleEndian.PutUint32(d[s[kind].At+76+4:], 0xfffffff0)
				binary.LittleEndian.PutUint64(d[s[kind].At+76+16:], 0xfffffff0*4)
				imagetest.Reseal(d[s[kind].At+76 : s[kind].At+s[kind].Size])
			}
		},
		"entries": func(d []byte, s map[string]imagetest.EWFSection) {
			for _, kind := range []string{"table", "table2"} {
				binary.LittleEndian.PutUint32(d[s[kind].At+76:], 0xfffffff0)
				imagetest.Reseal(d[s[kind].At+76:][:24])
			}
		},
		"sectors in a chunk": func(d []byte, s map[string]imagetest.EWFSection) {
			for _, kind := range []string{"volume", "data"} {
				binary.LittleEndian.PutUint32(d[s[kind].At+76+8:], 0xfffffff0)
				imagetest.Reseal(d[s[kind].At+76 : s[kind].At+s[kind].Size])
			}
		},
		"unread sectors": func(d []byte, s map[string]imagetest.EWFSection) {
			binary.LittleEndian.PutUint32(d[s["error2"].At+76:], 0xfffffff0)
			imagetest.Reseal(d[s["error2"].At+76:][:520])
		},
	} {
		clear(content[512:1024])
		segment := imagetest.EWF{PerChunk: 4, Unread: [][2]uint32{{1, 1}}}.Write(content)[0]
		sections := map[string]imagetest.EWFSection{}
		for _, s := range imagetest.EWFSections(segment) {
			sections[s.Kind] = s
		}
		damage(segment, sections)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		i, err := ewfFolder([][]byte{segment}).open("disk.E01")
		if err == nil {
			_, err = i.ReadAt(make([]byte, 512), i.Size()-512)
			if name != "unread sectors" && !block.IsGap(err) {
				t.Errorf("%s: the end is read: %v", name, err)
			}
			if _, err = i.ReadAt(make([]byte, 512), 512); !block.IsGap(err) && name != "chunks" {
				t.Errorf("%s: %v", name, err)
			}
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 2<<20 {
			t.Errorf("%s: %d bytes were allocated", name, used)
		}
	}
}

// TestEWFBomb holds that text of a section is read up to a bound, and that a chunk is no longer than it may be.
func TestEWFBomb(t *testing.T) {
	huge := strings.Repeat("x", 2<<20)
	segment := imagetest.EWF{Case: [][2]string{{"c", huge}}}.Write(diskContent(30 << 10))[0]
	i, err := ewfFolder([][]byte{segment}).open("disk.E01")
	if err != nil || i.Facts != nil || !strings.Contains(told(i), "more than 1048576 bytes") {
		t.Errorf("facts %.100v, problems %.1000v, %v", i.Facts, i.Problems, err)
	}
}

// TestEWFUnread holds that sectors that could not be read when the image was made are gaps, and not zeros, which the stored hash includes.
func TestEWFUnread(t *testing.T) {
	content := diskContent(30 << 10)
	clear(content[9*512 : 11*512])
	clear(content[20*512 : 21*512]) // these are zeros on the disk
	e := imagetest.EWF{PerChunk: 4, Unread: [][2]uint32{{9, 1}, {10, 1}, {9, 2}, {1 << 30, 5}}}
	segment := e.Write(content)[0]
	for name, c := range map[string]struct {
		damage int // in the section
		want   []int
	}{
		"intact":              {-1, []int{9, 10}},
		"the list is damaged": {76 + 520 + 3, []int{9, 10, 20}},
		"its header is":       {76 + 3, []int{9, 10, 20}},
		"its kind is":         {2, []int{9, 10}},
	} {
		data := bytes.Clone(segment)
		for _, s := range imagetest.EWFSections(segment) {
			if s.Kind == "error2" && c.damage >= 0 {
				data[s.At+c.damage] ^= 1
			}
		}
		i, err := ewfFolder([][]byte{data}).open("disk.E01")
		if err != nil {
			t.Fatal(err)
		}
		if got := gaps(t, i, content, 512); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v are gaps, want %v", name, got, c.want)
		}
		n, err := i.ReadAt(make([]byte, 5000), 8*512+7)
		if n != 505 || !block.IsGap(err) {
			t.Errorf("%s: %d bytes before the gap, %v", name, n, err)
		}
		n, err = i.ReadAt(make([]byte, 10), 10*512+7)
		if n != 0 || !block.IsGap(err) {
			t.Errorf("%s: %d bytes in the gap, %v", name, n, err)
		}
		if verified, err := i.Verify(); err != nil || len(verified) != 2 || !verified[0].Matches() || !verified[1].Matches() {
			t.Errorf("%s: %v, %v", name, verified, err)
		}
		if i.Problems == nil || !i.Problems[0].Loss && name != "its kind is" {
			t.Errorf("%s: nothing is told", name)
		}
	}
}

// TestEWFVerify tells another content than the one that was hashed.
func TestEWFVerify(t *testing.T) {
	sum := md5.Sum([]byte("another disk"))
	content := diskContent(30 << 10)
	i, err := ewfFolder(imagetest.EWF{MD5: sum[:]}.Write(content)).open("disk.E01")
	if err != nil {
		t.Fatal(err)
	}
	var copied bytes.Buffer
	verified, err := i.Verify(&copied)
	if err != nil || len(verified) != 2 || verified[0].Matches() || !verified[1].Matches() || verified[0].Computed != fmt.Sprintf("%x", md5.Sum(content)) {
		t.Errorf("%v, %v", verified, err)
	}
	if !bytes.Equal(copied.Bytes(), content) {
		t.Error("the content was not passed on")
	}
	if _, err := i.Verify(full{}); !errors.Is(err, errFull) {
		t.Errorf("an error of a writer is %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestEWFNames holds that a later segment is told, with the name that the first would have, in the case and with the letters of the user's.
func TestEWFNames(t *testing.T) {
	segment := imagetest.EWF{PerChunk: 4, PerSegment: 1}.Write(diskContent(4 * 2 * 512))[1]
	for name, want := range map[string]string{
		"disk.E02": "whose first, disk.E01, is not beside it", "disk.e02": "whose first, disk.e01, is not beside it", "disk.EAA": "whose first, disk.E01, is not beside it", "disk.FZZ": "whose first, disk.E01, is not beside it", "disk.s02": "whose first, disk.s01, is not beside it", "disk.saa": "whose first, disk.s01, is not beside it",
		"disk.E01": "give the files the names that they had", "disk": "give the files the names that they had",
	} {
		if _, err := (evidenceFolder{name: segment}).open(name); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "case/"+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A set in lower case, all of it found.
	content := diskContent(300 << 10)
	d := evidenceFolder{}
	for name, data := range ewfFolder(imagetest.EWF{PerChunk: 2, PerSegment: 1}.Write(content)) {
		d[strings.ToLower(name)] = data
	}
	i, err := d.open("disk.e01")
	if err != nil || len(i.Files) != 300 || i.Files[299].Name != "case/disk.ehs" {
		t.Fatalf("%v: %d files, the last %v", err, len(i.Files), i.Files[len(i.Files)-1])
	}
	if got := gaps(t, i, content, 512); got != nil {
		t.Errorf("%v are gaps", got)
	}
}

// sparseFile has bytes at some offsets, and zeros elsewhere.
type sparseFile struct {
	parts map[int64][]byte
	size  int64
}

func (f sparseFile) Size() int64  { return f.size }
func (f sparseFile) Name() string { return "disk.E01" }
func (f sparseFile) Close() error { return nil }

func (f sparseFile) ReadAt(p []byte, at int64) (int, error) {
	if at >= f.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), f.size-at))
	clear(p[:n])
	for from, data := range f.parts {
		if from < at+int64(n) && from+int64(len(data)) > at {
			copy(p[max(0, from-at):n], data[max(0, at-from):])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestEWFBeyond2GiB reads a segment of EnCase 6.7, whose offsets after 2 GiB take the bit that says that a chunk is compressed.
func TestEWFBeyond2GiB(t *testing.T) {
	content := diskContent(4 * 64 * 512)
	segment := imagetest.EWF{NoHash: true}.Write(content)[0]
	var sectors, done imagetest.EWFSection
	for _, s := range imagetest.EWFSections(segment) {
		switch s.Kind {
		case "sectors":
			sectors = s
		case "done":
			done = s
		}
	}
	const stored, table = 32768 + 4, 1<<31 + 1<<20
	at := []int64{1<<31 - 2*stored + 100, 1<<31 - stored + 100, 1<<31 + 100, 1<<31 + 100 + stored}
	f := sparseFile{map[int64][]byte{0: segment[:sectors.At]}, 0}
	descriptor := func(kind string, at, size int64) []byte {
		d := make([]byte, 76)
		copy(d, kind)
		binary.LittleEndian.PutUint64(d[16:], uint64(at+size))
		binary.LittleEndian.PutUint64(d[24:], uint64(size))
		imagetest.Reseal(d)
		return d
	}
	f.parts[int64(sectors.At)] = descriptor("sectors", int64(sectors.At), table-int64(sectors.At))
	header, entries := make([]byte, 24), []byte(nil)
	header[0] = 4
	imagetest.Reseal(header)
	for i, at := range at {
		f.parts[at] = segment[sectors.At+76+i*stored:][:stored]
		entries = binary.LittleEndian.AppendUint32(entries, uint32(at))
	}
	entries = append(entries, 0, 0, 0, 0)
	imagetest.Reseal(entries)
	f.parts[table] = append(descriptor("table", table, 76+24+20), append(header, entries...)...)
	f.size = table + 76 + 24 + 20
	f.parts[f.size] = slices.Concat(segment[done.At:done.At+16], binary.LittleEndian.AppendUint64(nil, uint64(f.size)), make([]byte, 52))
	imagetest.Reseal(f.parts[f.size])
	f.size += 76
	i, err := image.Open(f, evidenceFolder{}.beside)
	if err != nil || i.Problems != nil {
		t.Fatal(err, i.Problems)
	}
	if data, err := block.Read(i, 0, len(content)); err != nil || !bytes.Equal(data, content) {
		t.Errorf("the content is not that of the disk: %v", err)
	}
	for c, at := range at {
		if _, offset := i.Reader.(block.Locator).Locate(int64(c)*32768 + 5); offset != at+5 {
			t.Errorf("chunk %d lies at %#x, want %#x", c, offset, at+5)
		}
	}
}

// TestEWFAtOnce reads an image from several goroutines.
func TestEWFAtOnce(t *testing.T) {
	content := diskContent(1 << 20)
	i, err := ewfFolder(imagetest.EWF{PerChunk: 16, PerTable: 20, Compressed: true}.Write(content)).open("disk.E01")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range uint64(8) {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(7, g))
			p := make([]byte, 20<<10)
			for range 300 {
				at := rng.IntN(len(content) - len(p))
				if n, err := i.ReadAt(p, int64(at)); err != nil || !bytes.Equal(p[:n], content[at:at+n]) {
					t.Errorf("%d bytes at %d: %v", n, at, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestEWFProblemsAreBounded holds that an image cannot make more problems than one can read.
func TestEWFProblemsAreBounded(t *testing.T) {
	segment := imagetest.EWF{PerChunk: 1, PerTable: 1}.Write(diskContent(1000 * 512))[0]
	for _, s := range imagetest.EWFSections(segment) {
		if s.Kind == "table" || s.Kind == "table2" {
			segment[s.At+76+24] ^= 1
		}
	}
	i, err := ewfFolder([][]byte{segment}).open("disk.E01")
	if err != nil {
		t.Fatal(err)
	}
	if last := i.Problems[len(i.Problems)-1]; len(i.Problems) != 101 || !strings.Contains(last.Msg, "900 more problems") {
		t.Errorf("%d problems, the last %v", len(i.Problems), last.Msg)
	}
}

// FuzzEWF reads what may be an image of two segments: equal reads are equal, errors of reading are gaps, and it ends.
func FuzzEWF(f *testing.F) {
	content := diskContent(8 << 10)
	for _, name := range slices.Sorted(maps.Keys(ewfImages)) {
		e := ewfImages[name].EWF
		e.PerChunk, e.PerSegment, e.Unread = min(or(e.PerChunk, 4), 4), 3, [][2]uint32{{3, 1}}
		segments := e.Write(content)
		f.Add(segments[0], segments[min(1, len(segments)-1)])
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := evidenceFolder{"disk.E01": first, "disk.E02": second}
		i, err := d.open("disk.E01")
		if err != nil {
			if _, ok := errors.AsType[*hive.Problem](err); !ok {
				t.Fatalf("%v is no problem", err)
			}
			return
		}
		if i == nil {
			return
		}
		for _, at := range []int64{0, i.Size() / 2, max(0, i.Size()-3000)} {
			p, q := make([]byte, 3000), make([]byte, 3000)
			n, err := i.ReadAt(p, at)
			m, again := i.ReadAt(q[:1500], at)
			if !bytes.Equal(p[:min(n, m)], q[:min(n, m)]) || m < min(n, 1500) {
				t.Fatalf("%d and %d bytes at %d differ (%v, %v)", n, m, at, err, again)
			}
			if n < len(p) && err != io.EOF && !block.IsGap(err) {
				t.Fatalf("%d bytes at %d: %v", n, at, err)
			}
		}
	})
}

func or(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// FuzzEWFDamage overwrites a part of an image: what is read is right, or a gap.
func FuzzEWFDamage(f *testing.F) {
	content := diskContent(16 << 10)
	var images [][][]byte
	for _, style := range []imagetest.EWFStyle{imagetest.EnCase6, imagetest.EnCase1, imagetest.SMART} {
		images = append(images, imagetest.EWF{Style: style, PerChunk: 4, PerTable: 2, PerSegment: 5, Compressed: true}.Write(content))
	}
	f.Add(uint8(0), uint8(0), uint16(600), []byte{1, 2, 3})
	f.Add(uint8(1), uint8(1), uint16(300), []byte{0})
	f.Add(uint8(2), uint8(0), uint16(13), make([]byte, 76))
	f.Fuzz(func(t *testing.T, style, segment uint8, at uint16, over []byte) {
		segments := slices.Clone(images[int(style)%len(images)])
		s := int(segment) % len(segments)
		segments[s] = bytes.Clone(segments[s])
		copy(segments[s][int(at)%len(segments[s]):], over)
		if i, err := ewfFolder(segments).open("disk.E01"); err == nil && i != nil {
			gaps(t, i, content, 512)
		}
	})
}
