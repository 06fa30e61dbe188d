package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// TestNames holds that names are made such that they are found and lead nowhere else.
func TestNames(t *testing.T) {
	for _, c := range []struct{ name, want, problem string }{
		{`C:\Windows\System32\config\SYSTEM`, "C:/Windows/System32/config/SYSTEM", ""},
		{`\\?\C:\Windows\SAM`, "C:/Windows/SAM", ""},
		{`C:SAM`, "C:/SAM", ""},
		{"/etc/passwd", "etc/passwd", ""},
		{"./a//b/./c", "a/b/c", ""},
		{"uploads/auto/C%3A/Windows/SAM", "uploads/auto/C%3A/Windows/SAM", ""},
		{"uploads/ntfs/%5C%5C.%5CC%3A/SAM", "uploads/ntfs/%5C%5C.%5CC%3A/SAM", ""},
		{"j\u00f6rg/NTUSER.DAT", "j\u00f6rg/NTUSER.DAT", ""},
		{strings.Repeat("long/", 200) + "SAM", strings.Repeat("long/", 200) + "SAM", ""},
		{"../../etc/passwd", "", "leads out of its folder"},
		{`a\..\..\b`, "", "leads out of its folder"},
	} {
		for _, data := range [][]byte{imagetest.Zip(one(c.name)), imagetest.Tar(one(c.name)), imagetest.SevenZip(one(c.name), true)} {
			a := open(t, "file", data)
			if c.problem != "" {
				if _, err := a.Open("etc/passwd"); !block.IsGap(err) || len(a.Problems()) != 1 || !strings.Contains(a.Problems()[0].Msg, c.problem) {
					t.Errorf("%s, %q: %v, %v", a.Kind(), c.name, err, a.Problems())
				}
				continue
			}
			if got, err := fs.ReadFile(a, c.want); string(got) != c.name || err != nil || len(a.Problems()) > 0 {
				t.Errorf("%s, %q: %q, %v, %v", a.Kind(), c.name, got, err, a.Problems())
			}
		}
	}
}

func one(name string) []imagetest.ArchiveFile {
	return []imagetest.ArchiveFile{{Name: name, Data: []byte(name)}}
}

// TestDoubles holds that a name of two members is a gap, and that names that differ by case only are two.
func TestDoubles(t *testing.T) {
	text := []byte("text")
	files := []imagetest.ArchiveFile{
		{Name: "a/SYSTEM", Data: text}, {Name: "a/system", Data: text}, {Name: `a\SYSTEM`, Data: text}, {Name: "a/b", Data: text}, {Name: "a/b/c", Data: text}, {Name: "a/b c", Data: text},
	}
	for name, data := range formats(files) {
		a := open(t, name, data)
		for _, double := range []string{"a/SYSTEM", "a/b"} {
			if _, err := a.Open(double); !block.IsGap(err) || !strings.Contains(err.Error(), "nobody knows which") {
				t.Errorf("%s: %s: %v", name, double, err)
			}
		}
		for _, single := range []string{"a/system", "a/b c"} {
			if got, err := fs.ReadFile(a, single); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %s: %q, %v", name, single, got, err)
			}
		}
		list, err := a.ReadDir("a")
		var names []string
		for _, d := range list {
			names = append(names, d.Name())
		}
		if err != nil || !slices.Equal(names, []string{"SYSTEM", "b", "b c", "system"}) || len(a.Problems()) > 0 {
			t.Errorf("%s: %q, %v, %v", name, names, err, a.Problems())
		}
	}
}

// TestManyDoubts holds that names which cannot be had are told in one line with their number, also where the directory is damaged later.
func TestManyDoubts(t *testing.T) {
	var files []imagetest.ArchiveFile
	for range 100 {
		files = append(files, imagetest.ArchiveFile{Name: "../SYSTEM", Data: []byte("text")})
	}
	for name, data := range formats(append(files, imagetest.ArchiveFile{Name: "SAM", Data: []byte("text")})) {
		a := open(t, name, data)
		if p := a.Problems(); len(p) != 1 || !p[0].Loss || !strings.HasSuffix(p[0].Msg, "; the same is true of 99 other members") {
			t.Errorf("%s: %v", name, p)
		}
		if _, err := a.Stat("SYSTEM"); !block.IsGap(err) {
			t.Errorf("%s: %v, want a gap", name, err)
		}
	}
	data := imagetest.Zip(files)
	copy(data[bytes.LastIndex(data, []byte("PK\x01\x02")):], "damaged")
	p := open(t, "a.zip", data).Problems()
	if len(p) != 2 || !strings.Contains(p[0].Msg, "its directory is damaged") || !strings.HasSuffix(p[1].Msg, "; the same is true of 99 other members") {
		t.Errorf("damaged: %v", p)
	}
}

// TestCodePage holds that a name without the flag of UTF-8 is of code page 437.
func TestCodePage(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.CreateHeader(&zip.FileHeader{Name: "j\x94rg", NonUTF8: true})
	w.Close()
	if _, err := open(t, "a.zip", out.Bytes()).Open("j\u00f6rg"); err != nil {
		t.Error(err)
	}
}

// TestLinks holds that a hard link is what it leads to, that another link is told and not followed, and that devices are left out.
func TestLinks(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range []tar.Header{
		{Name: "a/SYSTEM", Typeflag: tar.TypeReg, Size: 4},
		{Name: "hard", Typeflag: tar.TypeLink, Linkname: "a/SYSTEM"},
		{Name: "soft", Typeflag: tar.TypeSymlink, Linkname: "a/SYSTEM"},
		{Name: "dangling", Typeflag: tar.TypeLink, Linkname: "nowhere"},
		{Name: "device", Typeflag: tar.TypeChar},
	} {
		w.WriteHeader(&h)
		if h.Size > 0 {
			w.Write([]byte("text"))
		}
	}
	w.Close()
	for _, data := range [][]byte{out.Bytes(), imagetest.Gzip(out.Bytes())} {
		a := open(t, "file", data)
		if got, err := fs.ReadFile(a, "hard"); string(got) != "text" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		for _, link := range []string{"soft", "dangling"} {
			if _, err := a.Open(link); !block.IsGap(err) {
				t.Errorf("%s: %v", link, err)
			}
		}
		if _, err := a.Stat("device"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("device: %v", err)
		}
		if p := a.Problems(); len(p) != 1 || p[0].Loss || p[0].Msg != "holds 2 links, which are not followed" {
			t.Errorf("%v", p)
		}
	}
}

// TestPiped holds that content which zip was given through a pipe is read, although it is noted as that of a pipe, and a device is left out.
func TestPiped(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, mode := range map[string]fs.FileMode{"-": fs.ModeNamedPipe, "device": fs.ModeDevice} {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode | 0o600)
		to, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if name == "-" {
			to.Write([]byte("text"))
		}
	}
	w.Close()
	a := open(t, "a.zip", out.Bytes())
	if got, err := fs.ReadFile(a, "-"); string(got) != "text" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := a.Stat("device"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("device: %v", err)
	}
}

// TestSparse holds that a member whose zeros are left out is read wherever it lies in a tar archive, and that a gap gives the place of its header.
func TestSparse(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	before := bytes.Repeat([]byte("before"), 1000)
	w.WriteHeader(&tar.Header{Name: "before", Size: int64(len(before))})
	w.Write(before)
	w.Flush()
	at := out.Len()
	header := make([]byte, 512) // of GNU tar: 100 KiB, of which the last 512 bytes are there
	copy(header, "sparse")
	for at, text := range map[int]string{100: "0000644", 108: "0000000", 116: "0000000", 124: "00000001000", 136: "00000000000", 156: "S", 257: "ustar  ",
		386: "00000307000", 398: "00000001000", 483: "00000310000"} {
		copy(header[at:], text)
	}
	sum := 8 * int(' ')
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
	last := bytes.Repeat([]byte("x"), 512)
	data := slices.Concat(out.Bytes(), header, last, make([]byte, 1024))
	for name, data := range map[string][]byte{"a.tar": data, "a.tar.gz": imagetest.Gzip(data)} {
		got, err := fs.ReadFile(open(t, name, data), "sparse")
		if want := append(make([]byte, 0o310000-512), last...); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	f, err := open(t, "a.tar", data).Open("sparse")
	if err != nil {
		t.Fatal(err)
	}
	if _, place := f.(interface{ Locate(int64) (string, int64) }).Locate(0); place != int64(at) {
		t.Errorf("the header lies at %#x, want %#x", place, at)
	}
}

// TestSingle holds the names of single files.
func TestSingle(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"dir/SYSTEM.gz", imagetest.Gzip([]byte("text")), "SYSTEM"},
		{"SYSTEM.XZ", imagetest.XZ([]byte("text"), 1<<20), "SYSTEM"},
		{"SYSTEM.zst", imagetest.Zstd([]byte("text")), "SYSTEM"},
		{"SYSTEM", imagetest.Gzip([]byte("text")), "SYSTEM"},
		{".gz", imagetest.Gzip([]byte("text")), ".gz"},
	} {
		a := open(t, c.name, c.data)
		if got, err := fs.ReadFile(a, c.want); string(got) != "text" || err != nil || !strings.HasPrefix(a.Kind(), "a file compressed with ") {
			t.Errorf("%s: %q, %v, %s", c.name, got, err, a.Kind())
		}
	}
}

// TestNoArchive holds that other files are left open for others to read.
func TestNoArchive(t *testing.T) {
	disk := make([]byte, 4096)
	disk[510], disk[511] = 0x55, 0xAA
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("Windows Registry Editor Version 5.00\r\n"), "zeros": make([]byte, 70000), "hive": append([]byte("regf"), make([]byte, 8000)...),
		"disk that ends with an archive": append(disk, imagetest.Zip(one("a"))...), "BZh": []byte("BZh is no archive"), "program that reads archives": slices.Concat([]byte("MZ"), make([]byte, 5000), []byte("PK\x05\x06PK\x03\x04"), make([]byte, 3), bytes.Repeat([]byte{1}, 7), make([]byte, 500)),
		"program": append([]byte("MZ"), make([]byte, 5000)...),
	} {
		f := fileOf(name, data)
		if a, err := archive.Open(f, archive.Options{}); a != nil || err != nil || f.closed {
			t.Errorf("%s: %v, %v, closed %v", name, a, err, f.closed)
		}
	}
}

// TestBehindProgram holds that archives that unpack themselves are found.
func TestBehindProgram(t *testing.T) {
	program := append([]byte("MZ"), make([]byte, 5000)...)
	for _, data := range [][]byte{imagetest.Zip(members()), imagetest.SevenZip(members(), true)} {
		f := fileOf("a.exe", append(slices.Clone(program), data...))
		a, err := archive.Open(f, archive.Options{})
		if err != nil || a == nil {
			t.Fatal(a, err)
		}
		holdsLaw(t, a.Kind(), append(slices.Clone(program), data...), members(), false)
		if _, err := a.Open("results/a.json"); err != nil {
			t.Error(err)
		}
		if a.Close(); !f.closed {
			t.Error("the file stays open")
		}
	}
}

// TestLargeMembers holds that content that has no room in memory goes to files that are gone when all is closed, and not beyond their limit.
func TestLargeMembers(t *testing.T) {
	files := []imagetest.ArchiveFile{
		{Name: "0", Data: []byte("regf")},
		{Name: "a", Data: bytes.Repeat([]byte("regf and what is packed well. "), 1<<20)}, // 30 MB, kept
		{Name: "b", Data: bytes.Repeat([]byte("other"), 14<<20)},                         // 70 MB
	}
	for _, data := range [][]byte{imagetest.Zip(files), imagetest.Zstd(imagetest.Tar(files))} {
		dir := t.TempDir()
		a, err := archive.Open(fileOf("a", data), archive.Options{TempDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if got, err := fs.ReadFile(a, f.Name); err != nil || !bytes.Equal(got, f.Data) {
				t.Errorf("%s: %d bytes, %v", f.Name, len(got), err)
			}
		}
		a.Close()
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%v stays behind", left)
		}
		a, err = archive.Open(fileOf("a", data), archive.Options{TempDir: dir, TempSize: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files[:2] {
			if got, err := fs.ReadFile(a, f.Name); err != nil || !bytes.Equal(got, f.Data) {
				t.Errorf("%s has room in memory: %v", f.Name, err)
			}
		}
		if _, err := fs.ReadFile(a, "b"); !block.IsGap(err) || !strings.Contains(err.Error(), "TMPDIR") {
			t.Errorf("without room: %v", err)
		}
		a.Close()
	}
}

// TestDirectoryOfZip holds that of a zip archive without its directory the members at the beginning are read, and that nothing else is said not to
// be there.
func TestDirectoryOfZip(t *testing.T) {
	data := imagetest.Zip(members())
	a := open(t, "a.zip", data[:bytes.Index(data, []byte("PK\x01\x02"))])
	for _, f := range members() {
		if got, err := fs.ReadFile(a, f.Name); err != nil || !bytes.Equal(got, f.Data) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	if _, err := a.Stat("missing"); !block.IsGap(err) {
		t.Errorf("%v, want a gap", err)
	}
	if list, err := a.ReadDir("C"); len(list) != 3 || !block.IsGap(err) {
		t.Errorf("%v, %v, want a gap", list, err)
	}
	if p := a.Problems(); len(p) != 1 || !p[0].Loss {
		t.Errorf("%v", p)
	}
}

// TestBlocksBeforeDamage holds that what matches its checksum is read of a compressed archive that was cut off.
func TestBlocksBeforeDamage(t *testing.T) {
	data := imagetest.XZ(imagetest.Tar(members()), 16<<10)
	a := open(t, "a.tar.xz", data[:len(data)-20000])
	first, last := members()[0], members()[5]
	if got, err := fs.ReadFile(a, first.Name); err != nil || !bytes.Equal(got, first.Data) {
		t.Errorf("%s: %v", first.Name, err)
	}
	if _, err := a.Open(last.Name); !block.IsGap(err) {
		t.Errorf("%s: %v, want a gap", last.Name, err)
	}
}
