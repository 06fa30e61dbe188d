package ntfs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/internal/imagetest"
)

// recordAt returns where the MFT record lies that holds a name: that of the file, or that of the folder which lists it.
func recordAt(t *testing.T, image []byte, text string, folder byte) int {
	t.Helper()
	var found []int
	for at := 0; at+1024 <= len(image); at += 1024 {
		if rec := image[at : at+1024]; string(rec[:4]) == "FILE" && rec[0x16] == 1|folder<<1 && bytes.Contains(rec, wide(text)) {
			found = append(found, at)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the text %q is in the records at %#x", text, found)
	}
	return found[0]
}

func wide(text string) (raw []byte) {
	for _, r := range text {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(r))
	}
	return raw
}

var few = fstest.MapFS{
	"config/SYSTEM": {Data: random(1, 20<<10)},
	"config/SAM":    {Data: []byte("sam")},
	"other/note":    {Data: []byte("note")},
}

// TestCopiesAreUsed holds that what has a copy is read from it, which is told but is no loss.
func TestCopiesAreUsed(t *testing.T) {
	image := imagetest.NTFS(few, imagetest.NTFSOptions{Size: 1 << 20})
	mft := int(binary.LittleEndian.Uint64(image[0x30:])) * 4096
	big := imagetest.NTFS(few, imagetest.NTFSOptions{Size: 1 << 20, Sector: 4096})
	for _, c := range []struct {
		name  string
		image []byte
		at    int
		told  string
	}{
		{"boot sector", image, 0, "its copy at the end is"},
		{"boot sector of 4096 bytes", big, 0, "its copy at the end is"},
		{"only where the MFT lies", image, 0x30, "its copy at the end is"},
		{"record of the MFT", image, mft, "MFT record 0 cannot be read, so its copy in $MFTMirr is used"},
		{"record of the volume", image, mft + 3*1024, "MFT record 3 cannot be read, so its copy in $MFTMirr is used"},
	} {
		damaged := slices.Clone(c.image)
		clear(damaged[c.at:][:4])
		v, err := ntfs.Open(block.Bytes(damaged))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if content, err := fs.ReadFile(v, "config/SYSTEM"); err != nil || !bytes.Equal(content, few["config/SYSTEM"].Data) {
			t.Errorf("%s: %v", c.name, err)
		}
		list := v.Problems()
		if len(list) != 1 || list[0].Loss || !strings.Contains(list[0].Msg, c.told) {
			t.Errorf("%s: the problems are %v, want one: %s", c.name, list, c.told)
		}
	}
	clear(image[:512])
	clear(image[1<<20:])
	if _, err := ntfs.Open(block.Bytes(image)); !block.IsGap(err) {
		t.Errorf("without any boot sector: %v", err)
	}
}

// TestGaps holds what cannot be read of a file or folder that is damaged, and that nothing else is lost with it.
func TestGaps(t *testing.T) {
	image := imagetest.NTFS(few, imagetest.NTFSOptions{Size: 1 << 20})
	system, folder := recordAt(t, image, "SYSTEM", 0), recordAt(t, image, "SYSTEM", 1)
	content := system + bytes.Index(image[system:system+1024], []byte{0x80, 0, 0, 0, 0x48, 0, 0, 0, 1}) // its attribute $DATA
	for _, c := range []struct {
		name   string
		damage func(image []byte)
		path   string
		why    string
	}{
		{"torn", func(i []byte) { i[system+1022]++ }, "config/SYSTEM", "was not written whole: its part 2 of 2"},
		{"bad", func(i []byte) { copy(i[system:], "BAAD") }, "config/SYSTEM", `is signed "BAAD"`},
		{"used again", func(i []byte) { i[system+0x10]++ }, "config/SYSTEM", "no longer holds the file"},
		{"deleted", func(i []byte) { i[system+0x16] = 0 }, "config/SYSTEM", "no longer holds the file"},
		{"renamed", func(i []byte) { i[system+bytes.Index(i[system:], wide("SYSTEM"))]++ }, "config/SYSTEM", "does not have the name"},
		{"part of another", func(i []byte) { i[system+0x20]++ }, "config/SYSTEM", "is only a part of a file"},
		{"another record", func(i []byte) { i[system+0x2C]++ }, "config/SYSTEM", "says that it is record"},
		{"terabytes", func(i []byte) { i[content+0x35]++ }, "config/SYSTEM", "tells impossible sizes"},
		{"terabytes of clusters", func(i []byte) { i[content+0x35]++; i[content+0x2D]++ }, "config/SYSTEM", "has runs of 5 clusters, but is of"},
		{"beyond the volume", func(i []byte) { copy(i[content+0x40:], []byte{0x21, 5, 0, 0x7F, 0}) }, "config/SYSTEM", "has clusters beyond the end of its volume"},
		{"more clusters than it has", func(i []byte) { i[content+0x41]++ }, "config/SYSTEM", "has an impossible run"},
		{"a hole", func(i []byte) { copy(i[content+0x40:], []byte{1, 5, 0}) }, "config/SYSTEM", "has a hole, although it is neither sparse nor compressed"},
		{"folder", func(i []byte) { i[folder+0x1C]++ }, "config/SYSTEM", "tells impossible sizes"},
		{"of another folder", func(i []byte) { i[bytes.Index(i[folder:], wide("SAM"))+folder-0x42]++ }, "config/SYSTEM", "holds a name of another folder"},
	} {
		damaged := slices.Clone(image)
		c.damage(damaged)
		v := open(t, damaged)
		_, err := fs.ReadFile(v, c.path)
		if !block.IsGap(err) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want a gap: %s", c.name, err, c.why)
		}
		if content, err := fs.ReadFile(v, "other/note"); err != nil || string(content) != "note" {
			t.Errorf("%s: of another folder: %q, %v", c.name, content, err)
		}
	}
}

// TestTornNode holds that a folder with a node that cannot be read is listed without it, with an error, and that only what can be in that node is
// not known.
func TestTornNode(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 300 {
		files[fmt.Sprintf("f/name %03d", i)] = &fstest.MapFile{}
	}
	image := imagetest.NTFS(files, imagetest.NTFSOptions{Size: 2 << 20, NodeEntries: 7})
	name := bytes.Index(image, append([]byte("INDX"), 0x28, 0))
	for !bytes.Contains(image[name:name+4096], wide("name 150")) {
		name += 4096
	}
	image[name+511]++
	v := open(t, image)
	list, err := v.ReadDir("f")
	if !block.IsGap(err) || len(list) < 200 || len(list) >= 300 {
		t.Errorf("%d of 300 names are listed: %v", len(list), err)
	}
	gaps := 0
	for i := range 300 {
		path := fmt.Sprintf("f/name %03d", i)
		_, err := v.Stat(path)
		if err != nil && !block.IsGap(err) {
			t.Errorf("%s: %v", path, err)
		}
		if err != nil {
			gaps++
		}
		_, err = v.Stat(path + "x")
		if !block.IsGap(err) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%sx: %v", path, err)
		}
	}
	if gaps+len(list) != 300 || gaps == 0 {
		t.Errorf("%d names are listed, and %d cannot be opened", len(list), gaps)
	}
}

// TestIndexLies holds that a name is not absent because the index says otherwise than the file: nothing but the file proves a name in the index.
func TestIndexLies(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 150 {
		files[fmt.Sprintf("f/name %03d", i)] = &fstest.MapFile{}
	}
	image := imagetest.NTFS(files, imagetest.NTFSOptions{Size: 2 << 20, NodeEntries: 7})
	folder := recordAt(t, image, "name ", 1)
	nodes := bytes.Index(image, append([]byte("INDX"), 0x28, 0))
	for i := 0; i < 150; i += 10 {
		name := fmt.Sprintf("name %03d", i)
		at := nodes + bytes.Index(image[nodes:], wide(name))
		if node := bytes.Index(image[folder:folder+1024], wide(name)); node >= 0 {
			at = folder + node
		}
		image[at+14]-- // to "name 12/", which is in order
		if _, err := open(t, image).Stat("f/" + name); !block.IsGap(err) {
			t.Errorf("%s: %v, want a gap", name, err)
		}
		image[at+14]++
	}
	last := folder + bytes.Index(image[folder:folder+1024], []byte{0x18, 0, 0, 0, 3, 0, 0, 0})
	image[last+15] = 0xA1 // the node behind all others
	for _, name := range []string{"f/name 149", "f/zzz"} {
		if _, err := open(t, image).Stat(name); !block.IsGap(err) {
			t.Errorf("without a last node: %s: %v, want a gap", name, err)
		}
	}
}

// TestAbsent holds that a name is absent only where everything is in order, in trees of every depth.
func TestAbsent(t *testing.T) {
	files := tree()
	for name, o := range layouts() {
		v := open(t, imagetest.NTFS(files, o))
		for _, path := range []string{"none", "many/name", "many/name 1000 of many", "many/zzz", "many/!", "Windows/System32/config/SYSTEM2", "Windows/System32/config/SYSTEM/x",
			"many/name 7 of manyx", "Users/none/none"} {
			if _, err := v.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s: %v", name, path, err)
			}
		}
		for _, path := range []string{"users/alongn~1.dat", "USERS/HARD LINK", "windows/SYSTEM32/Config/system", "users/üNÏ CÖDÉ €.DAT"} {
			if _, err := v.Stat(path); err != nil {
				t.Errorf("%s: %s: %v", name, path, err)
			}
		}
		list, err := v.ReadDir("Users")
		var names []string
		for _, e := range list {
			names = append(names, e.Name())
		}
		if want := "A long name.dat, hard link, Ünï cödé €.dat"; err != nil || strings.Join(names, ", ") != want {
			t.Errorf("%s: the names are %s, want %s: %v", name, strings.Join(names, ", "), want, err)
		}
	}
}

// reparse returns a reparse point.
func reparse(tag uint32, numbers ...uint32) []byte {
	raw := binary.LittleEndian.AppendUint32(nil, tag)
	raw = binary.LittleEndian.AppendUint32(raw, uint32(4*len(numbers)))
	for _, n := range numbers {
		raw = binary.LittleEndian.AppendUint32(raw, n)
	}
	return raw
}

// TestToldByName holds what is said of files that are not read: links, encrypted files, and what compression is not known.
func TestToldByName(t *testing.T) {
	packed := map[string][]byte{"WofCompressedData": []byte("packed")}
	files := fstest.MapFS{"Documents and Settings": {Mode: fs.ModeDir}, "cloud/file": {Data: []byte("here")}}
	stored := map[string]imagetest.NTFSFile{
		"link":                   {Reparse: reparse(0xA000000C, 0)},
		"python.exe":             {Reparse: reparse(0x8000001B, 3)},
		"encrypted":              {Encrypted: true},
		"lzx":                    {Reparse: reparse(0x80000017, 1, 2, 1, 1), Streams: packed},
		"wim":                    {Reparse: reparse(0x80000017, 1, 1, 1, 0), Streams: packed},
		"Documents and Settings": {Reparse: reparse(0xA0000003, 0)},
		"cloud":                  {Reparse: reparse(0x9000001A, 0)},
	}
	for name := range stored {
		if files[name] == nil && name != "cloud" {
			files[name] = &fstest.MapFile{Data: []byte("content")}
		}
	}
	v := open(t, imagetest.NTFS(files, imagetest.NTFSOptions{Size: 1 << 20, Files: stored}))
	for path, want := range map[string]struct {
		mode fs.FileMode
		why  string
		gap  bool
	}{
		"link":                     {fs.ModeSymlink, "is not followed", false},
		"python.exe":               {fs.ModeIrregular, "is not followed", false},
		"Documents and Settings":   {fs.ModeSymlink, "is not followed", false},
		"Documents and Settings/x": {0, "is not followed", false},
		"encrypted":                {0, "is encrypted by Windows (EFS)", true},
		"lzx":                      {0, "LZX", true},
		"wim":                      {0, "WIM", true},
	} {
		if info, err := v.Stat(path); err == nil && info.Mode().Type() != want.mode {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		_, err := fs.ReadFile(v, path)
		if err == nil || !strings.Contains(err.Error(), want.why) || errors.Is(err, fs.ErrNotExist) || block.IsGap(err) != want.gap {
			t.Errorf("%s: %v, want %s", path, err, want.why)
		}
	}
	if content, err := fs.ReadFile(v, "cloud/file"); err != nil || string(content) != "here" {
		t.Errorf("a folder with a copy elsewhere: %q, %v", content, err)
	}
	list, err := v.ReadDir(".")
	if err != nil || len(list) != len(stored) {
		t.Errorf("%d are listed, want %d: %v", len(list), len(stored), err)
	}
	for _, e := range list {
		if info, err := e.Info(); err != nil || info.Mode().Type() != e.Type() {
			t.Errorf("%s is listed as %v: %v", e.Name(), e.Type(), err)
		}
	}
}

// TestUpcase holds that names are compared by the volume's own table, and what is not known without it.
func TestUpcase(t *testing.T) {
	files := fstest.MapFS{"\u00B5": {Data: []byte("micro")}, "Ä/SYSTEM": {Data: []byte("system")}} // Windows does not fold U+00B5, Unicode does
	image := imagetest.NTFS(files, imagetest.NTFSOptions{Size: 1 << 20})
	v := open(t, image)
	for _, path := range []string{"\u00B5", "\u039C", "ä/system"} {
		if _, err := v.Stat(path); err != nil {
			t.Error(err)
		}
	}
	image = imagetest.NTFS(fstest.MapFS{"Ä/SYSTEM": {Data: []byte("system")}}, imagetest.NTFSOptions{Size: 1 << 20})
	table := bytes.Index(image, wide("@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`ABC"))
	image[table+2*0x80]++
	v = open(t, image)
	if list := v.Problems(); len(list) != 1 || list[0].Loss || !strings.Contains(list[0].Msg, "upper-case") {
		t.Errorf("the problems are %v", list)
	}
	for path, want := range map[string]func(error) bool{
		"\u039C":    block.IsGap,
		"Ä/system":  func(err error) bool { return err == nil },
		"no":        func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
		"Ä/SYSTEMx": func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
	} {
		if _, err := v.Stat(path); !want(err) {
			t.Errorf("without the table: %s: %v", path, err)
		}
	}
}

// TestCycle holds that a folder that is in itself cannot be entered, so that a walk ends.
func TestCycle(t *testing.T) {
	files := fstest.MapFS{"a/b/c": {Data: []byte("c")}, "d": {Data: []byte("d")}}
	v := open(t, imagetest.NTFS(files, imagetest.NTFSOptions{Size: 1 << 20, Files: map[string]imagetest.NTFSFile{"a/b": {Links: []string{"a/b/again", "again"}}}}))
	sums, failed := walk(v)
	if len(sums) != 1 || !block.IsGap(failed["a/b"]) || !block.IsGap(failed["again"]) {
		t.Errorf("%d files are read: %v", len(sums), failed)
	}
}

// TestState holds what is said of a volume that was in use. None of it is a loss.
func TestState(t *testing.T) {
	const notClean = "the volume was not unmounted cleanly: what its log $LogFile holds is not applied"
	for _, c := range []struct {
		imagetest.NTFSOptions
		hiberfil, want string
	}{
		{imagetest.NTFSOptions{}, "wake", ""},
		{imagetest.NTFSOptions{}, "", ""},
		{imagetest.NTFSOptions{Dirty: true}, "", notClean},
		{imagetest.NTFSOptions{LogInUse: true}, "", notClean},
		{imagetest.NTFSOptions{}, "HIBR", "Windows was hibernated or shut down for a fast start: what it held in memory then is not on the volume"},
	} {
		c.Size = 1 << 20
		v := open(t, imagetest.NTFS(fstest.MapFS{"hiberfil.sys": {Data: []byte(c.hiberfil)}}, c.NTFSOptions))
		if got := problems(v); got != c.want {
			t.Errorf("the problems are %q, want %q", got, c.want)
		}
		for _, p := range v.Problems() {
			if p.Loss {
				t.Errorf("%v is a loss", &p)
			}
		}
	}
}

// TestOddNames holds that names that no fs.FS can have are left out and counted.
func TestOddNames(t *testing.T) {
	image := imagetest.NTFS(fstest.MapFS{"a.a": {}, "b.b": {}, "c": {}}, imagetest.NTFSOptions{Size: 1 << 20})
	image = bytes.ReplaceAll(image, wide("a.a"), wide("a/a"))
	image = bytes.ReplaceAll(image, wide("b.b"), []byte{'b', 0, 0, 0xD8, 'b', 0})
	v := open(t, image)
	list, err := v.ReadDir(".")
	if err != nil || len(list) != 1 || list[0].Name() != "c" {
		t.Errorf("%v are listed: %v", list, err)
	}
	if told := problems(v); !strings.HasPrefix(told, "2 names") {
		t.Errorf("the problems are %q", told)
	}
}

// counting counts what is read.
type counting struct {
	block.Reader
	mu   sync.Mutex
	read int
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	c.mu.Lock()
	c.read += len(p)
	c.mu.Unlock()
	return c.Reader.ReadAt(p, at)
}

// TestReadsLittle holds that only what leads to a file is read.
func TestReadsLittle(t *testing.T) {
	files := tree()
	for i := range 1500 {
		files[fmt.Sprintf("Windows/System32/driver %d.dll", i)] = &fstest.MapFile{Data: random(uint64(i), 100)}
	}
	c := &counting{Reader: block.Bytes(imagetest.NTFS(files, imagetest.NTFSOptions{Size: 8 << 20, Files: stored()}))}
	v, err := ntfs.Open(block.Cached(c))
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, name := range []string{"SYSTEM", "SOFTWARE", "SAM"} {
		content, err := fs.ReadFile(v, "Windows/System32/config/"+name)
		if err != nil {
			t.Fatal(err)
		}
		size += len(content)
	}
	t.Logf("%d bytes were read for %d", c.read, size)
	if most := 2*size + 2<<20; c.read > most {
		t.Errorf("%d bytes were read for files of %d, want at most %d", c.read, size, most)
	}
}

// TestReadersAtOnce holds that files are read at the same time as one after the other, and at any place as from the beginning.
func TestReadersAtOnce(t *testing.T) {
	files := tree()
	v := open(t, imagetest.NTFS(files, imagetest.NTFSOptions{Files: stored()}))
	var group sync.WaitGroup
	for path := range maps.Keys(stored()) {
		f, err := v.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		at, want := f.(io.ReaderAt), files[path].Data
		for seed := range 4 {
			group.Go(func() {
				for i := range 50 {
					start := (seed*977 + i*i*131) % len(want)
					p := make([]byte, 1+i*997)
					n, err := at.ReadAt(p, int64(start))
					if end := min(len(want), start+len(p)); !bytes.Equal(p[:n], want[start:end]) || (n < len(p)) != (err == io.EOF) {
						t.Errorf("%s: %d bytes at %d: %v", path, n, start, err)
						return
					}
				}
			})
		}
	}
	group.Wait()
}
