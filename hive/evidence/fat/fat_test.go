package fat

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// tree is what the volumes of the tests hold.
var tree = func() fstest.MapFS {
	rng := rand.New(rand.NewPCG(7, 8))
	random := func(n int) *fstest.MapFile {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return &fstest.MapFile{Data: b}
	}
	files := fstest.MapFS{
		"EMPTY.TXT":                             random(0),
		"README":                                random(1),
		"EFI/Microsoft/Boot/BCD":                random(9000),
		"EFI/Microsoft/Boot/BCD.LOG":            random(512),
		"EFI/Microsoft/Boot/bootmgfw.efi":       random(20001),
		"EFI/Boot/bootx64.efi":                  random(4096),
		"Windows/System32/config/SYSTEM":        random(70000),
		"Windows/System32/config/SOFTWARE":      random(50000),
		"Windows/System32/config/default.log":   random(1024),
		"A long name, with dots.and more.txt":   random(3000),
		"exactly13char":                         random(600),
		"Zürich Ärger ÉTÉ.dat":                  random(700),
		"\u65e5\u672c\u8a9e.txt":                random(800),
		strings.Repeat("x", 200) + ".Long":      random(5),
		"folder of many/and one more/DEEP.BIN":  random(2048),
		"folder of many/lower.txt":              random(10),
		"folder of many/LOWER2.txt":             random(11),
		"folder of many/lower3.TXT":             random(12),
		"folder of many/\U0001F600 is not BMP!": random(13),
	}
	for i := range 30 {
		files[fmt.Sprintf("folder of many/File number %02d", i)] = random(100 * i)
	}
	return files
}()

type written struct {
	kind string
	disk []byte
}

// volumes are the tree on volumes of each kind.
func volumes(o imagetest.FATOptions, kinds ...string) map[string]written {
	o.Label, o.Serial = "STICK", 0x1A2B3C4D
	v := map[string]written{}
	for _, kind := range kinds {
		switch kind {
		case "exFAT":
			v[kind] = written{"an exFAT volume", imagetest.ExFAT(tree, o)}
		default:
			var bits int
			fmt.Sscanf(kind, "FAT%d", &bits)
			v[kind] = written{"a " + kind + " volume", imagetest.FAT(bits, tree, o)}
		}
	}
	return v
}

func TestVolumes(t *testing.T) {
	all := []string{"FAT12", "FAT16", "FAT32", "exFAT"}
	for name, c := range map[string]struct {
		o     imagetest.FATOptions
		kinds []string
	}{
		"in one piece":          {imagetest.FATOptions{}, all},
		"fragmented":            {imagetest.FATOptions{Fragmented: true}, all},
		"one table":             {imagetest.FATOptions{OneTable: true, Fragmented: true}, all[:3]},
		"second table":          {imagetest.FATOptions{Second: true, Fragmented: true}, all[2:]},
		"sectors of 4096":       {imagetest.FATOptions{Sector: 4096}, []string{"FAT12", "FAT16", "exFAT"}},
		"clusters of 2 sectors": {imagetest.FATOptions{Cluster: 1024, Fragmented: true}, []string{"FAT12", "FAT16", "exFAT"}},
	} {
		for kind, w := range volumes(c.o, c.kinds...) {
			t.Run(name+"/"+kind, func(t *testing.T) {
				if !Is(w.disk[:512]) {
					t.Error("it is not told by its first sector")
				}
				v, err := Open(block.Bytes(w.disk))
				if err != nil {
					t.Fatal(err)
				}
				if v.Kind() != w.kind || v.Label() != "STICK" || v.Serial() != "1A2B-3C4D" || len(v.Problems()) != 0 {
					t.Errorf("kind %q, label %q, serial %q, problems %v", v.Kind(), v.Label(), v.Serial(), v.Problems())
				}
				for name, want := range tree {
					got, err := fs.ReadFile(v, strings.ToUpper(name))
					if err != nil || !bytes.Equal(got, want.Data) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if name == "in one piece" {
					if err := fstest.TestFS(v, slices.Collect(keys(tree))...); err != nil {
						t.Error(err)
					}
				}
				for _, name := range []string{"NO", "EFI/NO", "EFI/Boot/bootx64.efi/NO", "EFI/Microsoft/Boot/BCD2"} {
					if _, err := v.Stat(name); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("%s: %v", name, err)
					}
				}
				info, err := v.Stat("efi/boot/BOOTX64.EFI")
				if err != nil || info.Size() != 4096 || !info.ModTime().Equal(time.Date(2021, 3, 4, 5, 6, 8, 0, time.UTC)) {
					t.Errorf("stat: %v, %v", info, err)
				}
			})
		}
	}
}

func keys(m fstest.MapFS) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestNames holds what names are shown, and by which a file is found.
func TestNames(t *testing.T) {
	for kind, w := range volumes(imagetest.FATOptions{}, "FAT12", "exFAT") {
		v, err := Open(block.Bytes(w.disk))
		if err != nil {
			t.Fatal(err)
		}
		list, err := fs.ReadDir(v, "folder of many")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range list {
			if !strings.HasPrefix(e.Name(), "File") {
				names = append(names, e.Name())
			}
		}
		if got, want := strings.Join(names, ", "), "LOWER2.txt, and one more, lower.txt, lower3.TXT, \U0001F600 is not BMP!"; got != want {
			t.Errorf("%s: got %s, want %s", kind, got, want)
		}
		for _, name := range []string{"zürich äRGER Été.DAT", "ZÜRICH ÄRGER ÉTÉ.DAT"} {
			if _, err := v.Stat(name); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		_, err = v.Stat("folder of many/FILE~000")
		if kind == "FAT12" && err != nil || kind == "exFAT" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s by a short name: %v", kind, err)
		}
	}
}

// TestValidLength holds that what of a file was never written is zeros, as exFAT says.
func TestValidLength(t *testing.T) {
	for _, fragmented := range []bool{false, true} {
		disk := imagetest.ExFAT(tree, imagetest.FATOptions{Fragmented: fragmented, Valid: func(_ string, size int) int { return size / 3 }})
		v, err := Open(block.Bytes(disk))
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range tree {
			want := slices.Clone(f.Data)
			clear(want[len(want)/3:])
			if got, err := fs.ReadFile(v, name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %v", name, err)
			}
			r, err := v.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 50)
			at := int64(len(want)/3 - 20)
			if n, _ := r.(io.ReaderAt).ReadAt(p, max(at, 0)); !bytes.Equal(p[:n], want[max(at, 0):][:n]) {
				t.Errorf("%s: wrong where what was written ends", name)
			}
		}
	}
}

// unreadable has a gap.
type unreadable struct {
	block.Reader
	from, to int64
}

func (u unreadable) ReadAt(p []byte, at int64) (int, error) {
	if at < u.to && at+int64(len(p)) > u.from {
		return 0, block.NewGap(u.Reader, u.from, "missing")
	}
	return u.Reader.ReadAt(p, at)
}

// held returns how many of the files of the tree differ from what is read of them, how many are said to be absent, and how many cannot be read.
func held(t *testing.T, what string, r block.Reader) (wrong, absent, gaps []string) {
	v, err := Open(r)
	if err != nil {
		if !block.IsGap(err) {
			t.Errorf("%s: opening is no gap: %v", what, err)
		}
		return nil, nil, []string{"all"}
	}
	for name, f := range tree {
		got, err := fs.ReadFile(v, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			absent = append(absent, name)
		case block.IsGap(err):
			gaps = append(gaps, name)
			if !bytes.HasPrefix(f.Data, got) {
				wrong = append(wrong, name+" before the gap")
			}
		case err != nil:
			t.Errorf("%s: %s: %v is no gap", what, name, err)
		case !bytes.Equal(got, f.Data):
			wrong = append(wrong, name)
		}
	}
	_ = fs.WalkDir(v, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && tree[name] == nil && what != "" {
			if _, err := v.Open(name); err == nil && len(wrong)+len(absent)+len(gaps) == 0 {
				wrong = append(wrong, name+" which is not there")
			}
		}
		return nil
	})
	return wrong, absent, gaps
}

// TestGaps holds that of a volume of which a sector cannot be read, each file is read right or cannot be.
func TestGaps(t *testing.T) {
	for kind, w := range volumes(imagetest.FATOptions{Fragmented: true}, "FAT12", "FAT16", "FAT32", "exFAT") {
		whole := 0
		for at := int64(0); at < int64(len(w.disk)) && at < 3<<20; at += 512 {
			if at%(91*512) != 0 {
				continue
			}
			wrong, absent, gaps := held(t, kind, unreadable{block.Bytes(w.disk), at, at + 512})
			if len(wrong)+len(absent) != 0 {
				t.Errorf("%s without %#x: wrong %q, absent %q", kind, at, wrong, absent)
			}
			if len(gaps) == 0 {
				whole++
			}
		}
		if whole == 0 {
			t.Errorf("%s: one sector that cannot be read always keeps a file from being read", kind)
		}
	}
}

// spans are the structures of a volume: what lies before the clusters, and the clusters of directories.
func spans(t *testing.T, disk []byte) (v *Volume, list [][2]int64) {
	v, err := Open(block.Bytes(disk))
	if err != nil {
		t.Fatal(err)
	}
	list = [][2]int64{{0, 512}, {11 * 512, 12 * 512}, {v.tables[0].at, v.tables[0].at + min(v.tables[0].size, 6000)}}
	_ = fs.WalkDir(v, ".", func(name string, e fs.DirEntry, err error) error {
		if e.IsDir() {
			n, err := v.find("test", name)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range v.directory(n).pieces {
				for _, at := range p.at {
					list = append(list, [2]int64{at, at + p.size})
				}
			}
		}
		return nil
	})
	return v, list
}

// excused reports whether a change is one that FAT cannot tell: to the entry of the file that is read wrong, or that is missing, or of a folder on
// the way, or to a part of its long name; or to the parameters of FAT12 and FAT16.
func excused(v *Volume, at int64, names []string) bool {
	if v.mask == end {
		return false
	}
	if v.width != 32 && at >= 11 && at < 36 {
		return true
	}
	for _, name := range names {
		name = strings.TrimSuffix(name, " which is not there")
		for ; name != "."; name = path.Dir(name) {
			if of, ok := entriesOf(v, name); ok && slices.ContainsFunc(of, func(e int64) bool { return at >= e && at < e+entrySize }) {
				return true
			}
		}
	}
	return false
}

// entriesOf returns where the entries of a file of FAT lie: its own, and those of its long name.
func entriesOf(v *Volume, name string) (at []int64, ok bool) {
	n, err := v.find("test", name)
	if err != nil {
		return nil, false
	}
	dir, _ := v.find("test", path.Dir(name))
	for _, piece := range v.directory(dir).pieces {
		for i := range piece.count() {
			at = append(at, piece.place(i))
			if piece.place(i) == n.at {
				return at, true
			}
			if piece.entry(i)[11] != attrLong {
				at = nil
			}
		}
	}
	return nil, false
}

// TestDamage changes one byte of the structures of volumes, in many places: each file is read right or cannot be, but for what FAT cannot tell.
func TestDamage(t *testing.T) {
	for kind, w := range volumes(imagetest.FATOptions{Fragmented: true}, "FAT12", "FAT16", "FAT32", "exFAT") {
		intact, where := spans(t, slices.Clone(w.disk))
		rng := rand.New(rand.NewPCG(9, 10))
		const rounds = 100
		lost, excuses, same := 0, 0, 0
		for range rounds {
			span := where[rng.IntN(len(where))]
			at := span[0] + rng.Int64N(span[1]-span[0])
			old := w.disk[at]
			w.disk[at] = []byte{0, 0xFF, old ^ 1<<rng.IntN(8), byte(rng.Uint32()), 0xE5}[rng.IntN(5)]
			wrong, absent, gaps := held(t, kind, block.Bytes(w.disk))
			switch bad := slices.Concat(wrong, absent); {
			case len(bad) > 0 && excused(intact, at, bad):
				excuses++
			case len(bad) > 0:
				t.Errorf("%s: %#x is %#x instead of %#x: wrong %q, absent %q", kind, at, w.disk[at], old, wrong, absent)
			case len(gaps) > 0:
				lost++
			default:
				same++
			}
			w.disk[at] = old
		}
		t.Logf("%s: of %d volumes %d are read whole, %d have gaps, %d are read otherwise because nothing can tell", kind, rounds, same, lost, excuses)
		if lost == 0 || same == 0 {
			t.Errorf("%s: %d have gaps, %d none", kind, lost, same)
		}
	}
}
