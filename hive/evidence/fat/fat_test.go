package fat

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"regvet/hive/evidence/block"
	"regvet/internal/evidencetest"
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
		strings.Repeat("x", 180) + ".Long":      random(5),
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
					if err := fstest.TestFS(v, slices.Collect(maps.Keys(tree))...); err != nil {
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

// TestLoops holds that a walk ends though a directory is in itself, and that whatever two entries lay claim to is a gap.
func TestLoops(t *testing.T) {
	for kind, w := range volumes(imagetest.FATOptions{Fragmented: true}, "FAT12", "FAT32", "exFAT") {
		v := opened(w.disk)
		for _, c := range []struct{ entry, leads string }{{"EFI/Microsoft", "EFI"}, {"EFI/Microsoft", "."}, {"EFI/Microsoft/Boot", "Windows/System32"}, {"EFI/Boot", "EFI/Microsoft"}} {
			from, _ := v.find("test", c.entry)
			to, _ := v.find("test", c.leads)
			disk := slices.Clone(w.disk)
			point(disk[from.at:], to.first, v.mask == end)
			damaged := opened(disk)
			n, gaps := 0, 0
			_ = fs.WalkDir(damaged, ".", func(_ string, _ fs.DirEntry, err error) error {
				if block.IsGap(err) {
					gaps++
				}
				if n++; n > 1000 {
					return fs.SkipAll
				}
				return nil
			})
			if n > 1000 || gaps == 0 {
				t.Errorf("%s, %s is %s: %d entries, %d gaps", kind, c.entry, c.leads, n, gaps)
			}
			_, one := damaged.Stat(c.entry + "/NO")
			_, other := damaged.Stat(path.Join(c.leads, "NO"))
			if !block.IsGap(one) && !block.IsGap(other) {
				t.Errorf("%s, %s is %s: %v, %v", kind, c.entry, c.leads, one, other)
			}
		}
	}
}

// point gives an entry another first cluster, with the checksum of the set if it is one of exFAT.
func point(e []byte, first uint32, ex bool) {
	if !ex {
		binary.LittleEndian.PutUint16(e[26:], uint16(first))
		return
	}
	set := e[:entrySize*(1+int(e[1]))]
	binary.LittleEndian.PutUint32(set[entrySize+20:], first)
	var sum uint16
	for i, c := range set {
		if i != 2 && i != 3 {
			sum = sum<<15 + sum>>1 + uint16(c)
		}
	}
	binary.LittleEndian.PutUint16(set[2:], sum)
}

// held returns which of the files of a volume differ from what is read of them, which are said to be absent, and which cannot be read.
func held(t *testing.T, what string, r block.Reader, files fstest.MapFS) (wrong, absent, gaps []string) {
	v, err := Open(r)
	if err != nil {
		if !block.IsGap(err) {
			t.Errorf("%s: opening is no gap: %v", what, err)
		}
		return nil, nil, []string{"all"}
	}
	for name, f := range files {
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
		if err == nil && !e.IsDir() && files[name] == nil {
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
			wrong, absent, gaps := held(t, kind, evidencetest.Gap(block.Bytes(w.disk), at, at+512), tree)
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
	if v == nil || v.mask == end {
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

// opened returns a volume, in which a damaged name can be found as it is now, or nil.
func opened(disk []byte) *Volume {
	v, err := Open(block.Bytes(disk))
	if err != nil {
		return nil
	}
	return v
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

// damage changes one byte of the structures of a volume, so many times: each file is read right or cannot be, but for what FAT cannot tell.
func damage(t *testing.T, what string, disk []byte, files fstest.MapFS, rounds int) {
	intact, where := spans(t, slices.Clone(disk))
	rng := rand.New(rand.NewPCG(9, 10))
	lost, excuses, same := 0, 0, 0
	for range rounds {
		span := where[rng.IntN(len(where))]
		at := span[0] + rng.Int64N(span[1]-span[0])
		old := disk[at]
		disk[at] = []byte{0, 0xFF, old ^ 1<<rng.IntN(8), byte(rng.Uint32()), 0xE5}[rng.IntN(5)]
		wrong, absent, gaps := held(t, what, block.Bytes(disk), files)
		switch bad := slices.Concat(wrong, absent); {
		case len(bad) > 0 && (excused(intact, at, bad) || excused(opened(disk), at, bad)):
			excuses++
		case len(bad) > 0:
			t.Errorf("%s: %#x is %#x instead of %#x: wrong %q, absent %q", what, at, disk[at], old, wrong, absent)
		case len(gaps) > 0:
			lost++
		default:
			same++
		}
		disk[at] = old
	}
	t.Logf("%s: of %d damaged volumes %d are read whole, %d have gaps, %d are read otherwise because nothing can tell", what, rounds, same, lost, excuses)
	if lost == 0 || same == 0 {
		t.Errorf("%s: %d have gaps, %d none", what, lost, same)
	}
}

func TestDamage(t *testing.T) {
	for kind, w := range volumes(imagetest.FATOptions{Fragmented: true}, "FAT12", "FAT16", "FAT32", "exFAT") {
		damage(t, kind, w.disk, tree, 100)
	}
}

// sums returns the sha256 of each file, in lines as sha256sum prints them, sorted by name.
func sums(files fstest.MapFS) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(files[name].Data), name)
	}
	return b.String()
}

// TestRealVolumes compares with what other programs read: each FILE.img in a directory has a FILE.sums, sorted by name, with the sha256 of each
// of its files.
func TestRealVolumes(t *testing.T) {
	dir := os.Getenv("REGVET_IMAGES")
	if dir == "" {
		t.Skip("no images of real programs in REGVET_IMAGES")
	}
	wanted, err := filepath.Glob(filepath.Join(dir, "*.sums"))
	if err != nil || len(wanted) == 0 {
		t.Fatalf("no image: %v", err)
	}
	for _, name := range wanted {
		what := strings.TrimSuffix(filepath.Base(name), ".sums")
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		disk, err := os.ReadFile(strings.TrimSuffix(name, ".sums") + ".img")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(block.Bytes(disk))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		files := fstest.MapFS{}
		err = fs.WalkDir(v, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := fs.ReadFile(v, name)
			files[name] = &fstest.MapFile{Data: data}
			return err
		})
		if err != nil || len(v.Problems()) != 0 {
			t.Errorf("%s: %v, %v", what, err, v.Problems())
		}
		if got := sums(files); got != string(want) {
			t.Errorf("%s: the files are not those of the other program: got\n%s\nwant\n%s", what, got, want)
			continue
		}
		pieces := 0
		for name := range files {
			n, err := v.find("test", name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := v.content(n)
			if err != nil {
				t.Fatal(err)
			}
			pieces = max(pieces, len(c.extents))
		}
		t.Logf("%s: %s, %d files, one of them in %d pieces", what, v.Kind(), len(files), pieces)
		damage(t, what, disk, files, 200)
	}
}

// TestWriteVolumes writes the volumes of these tests for other programs, as FILE.img with FILE.sums.
func TestWriteVolumes(t *testing.T) {
	dir := os.Getenv("REGVET_WRITE")
	if dir == "" {
		t.Skip("no directory in REGVET_WRITE")
	}
	for name, o := range map[string]imagetest.FATOptions{"whole": {}, "scattered": {Fragmented: true}} {
		for kind, w := range volumes(o, "FAT12", "FAT16", "FAT32", "exFAT") {
			base := filepath.Join(dir, kind+"-"+name)
			if err := errors.Join(os.WriteFile(base+".img", w.disk, 0o600), os.WriteFile(base+".sums", []byte(sums(tree)), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
