package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// memory is a file of evidence in memory.
type memory struct {
	block.Reader
	name   string
	closed bool
}

func (m *memory) Name() string { return m.name }
func (m *memory) Close() error { m.closed = true; return nil }

func fileOf(name string, data []byte) *memory { return &memory{Reader: block.Bytes(data), name: name} }

func open(t testing.TB, name string, data []byte) *archive.Archive {
	t.Helper()
	a, err := archive.Open(fileOf(name, data), archive.Options{TempDir: t.TempDir()})
	if err != nil || a == nil {
		t.Fatalf("%s: %v, %v", name, a, err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// noise returns bytes that cannot be compressed much.
func noise(size int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(rng.Uint32()) & 0x3F
	}
	return data
}

// members are those of a small triage archive: a hive, larger and smaller files, nothing.
func members() []imagetest.ArchiveFile {
	hive := append([]byte("regf"), noise(30<<10, 1)...)
	return []imagetest.ArchiveFile{
		{Name: "C/Windows/System32/config/SYSTEM", Data: hive},
		{Name: "C/Windows/System32/config/SYSTEM.LOG1", Data: hive[:9000]},
		{Name: "C/Windows/big.evtx", Data: append([]byte("ElfFile"), noise(70<<10, 2)...)},
		{Name: "C/Users/j\u00f6rg/NTUSER.DAT", Data: hive[:20000]},
		{Name: "C/empty", Data: nil},
		{Name: "results/a.json", Data: []byte("{}")},
	}
}

// formats are all that the tests write.
func formats(files []imagetest.ArchiveFile) map[string][]byte {
	tar := imagetest.Tar(files)
	return map[string][]byte{
		"a.zip":         imagetest.Zip(files),
		"a.tar":         tar,
		"a.tar.gz":      imagetest.Gzip(tar),
		"a.tar.xz":      imagetest.XZ(tar, 1<<30),
		"blocks.tar.xz": imagetest.XZ(tar, 16<<10),
		"a.tar.zst":     imagetest.Zstd(tar),
		"solid.7z":      imagetest.SevenZip(files, true),
		"single.7z":     imagetest.SevenZip(files, false),
	}
}

var kinds = map[string]string{
	"a.zip": "a zip archive", "a.tar": "a tar archive", "a.tar.gz": "a tar archive compressed with gzip",
	"a.tar.xz": "a tar archive compressed with xz", "blocks.tar.xz": "a tar archive compressed with xz",
	"a.tar.zst": "a tar archive compressed with zstd", "solid.7z": "a 7z archive", "single.7z": "a 7z archive",
}

// TestFormats holds that every format gives the same names and contents, whole, at random and to several readers at once.
func TestFormats(t *testing.T) {
	files := members()
	for name, data := range formats(files) {
		t.Run(name, func(t *testing.T) {
			a := open(t, "file", data)
			if a.Kind() != kinds[name] || len(a.Problems()) > 0 {
				t.Errorf("%q, %v", a.Kind(), a.Problems())
			}
			var names []string
			for _, f := range files {
				names = append(names, f.Name)
			}
			if err := fstest.TestFS(a, names...); err != nil {
				t.Error(err)
			}
			for _, f := range files {
				t.Run(f.Name, func(t *testing.T) { t.Parallel(); readAtRandom(t, a, f) })
			}
			if _, err := a.Open("C/Windows/missing"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a name that is not there: %v", err)
			}
		})
	}
}

func readAtRandom(t *testing.T, a *archive.Archive, want imagetest.ArchiveFile) {
	f, err := a.Open(want.Name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := f.(io.ReaderAt)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		at, size := rng.IntN(len(want.Data)+2), rng.IntN(6000)
		p := make([]byte, size)
		n, err := r.ReadAt(p, int64(at))
		rest := want.Data[min(at, len(want.Data)):]
		if n != min(size, len(rest)) || !bytes.Equal(p[:n], rest[:n]) || n < size && err != io.EOF || n == size && err != nil && err != io.EOF {
			t.Fatalf("%d bytes at %d: %d, %v", size, at, n, err)
		}
	}
}

// TestDamage holds the law of package block: of an archive that is damaged anywhere, every member has its content, or cannot be read; none is said
// not to be there.
func TestDamage(t *testing.T) {
	files := members()
	for name, data := range formats(files) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 8))
			for i := range 120 {
				damaged := slices.Clone(data)
				at := rng.IntN(len(data))
				switch i % 4 {
				case 0: // in what comes first or last
					at = rng.IntN(600)
					if i%8 == 0 {
						at = len(data) - 1 - at
					}
					damaged[at] ^= 1 << rng.IntN(8)
				case 1:
					damaged[at] ^= 1 << rng.IntN(8)
				case 2:
					clear(damaged[at/512*512 : min(at/512*512+512, len(data))])
				case 3:
					damaged = damaged[:at]
				}
				holdsLaw(t, fmt.Sprintf("%s, damage %d at %#x", name, i, at), damaged, files, name == "a.tar")
			}
		})
	}
}

// holdsLaw allows wrong content and names only where the format has no checksum for them.
func holdsLaw(t *testing.T, what string, data []byte, files []imagetest.ArchiveFile, unchecked bool) {
	t.Helper()
	a, err := archive.Open(fileOf("file", data), archive.Options{TempDir: t.TempDir()})
	if err != nil || a == nil {
		return // it is not said to be readable
	}
	defer a.Close()
	for _, f := range files {
		got, err := fs.ReadFile(a, f.Name)
		switch {
		case err == nil && !bytes.Equal(got, f.Data) && !unchecked:
			t.Errorf("%s: %s has other content", what, f.Name)
		case errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s: %s is said not to be there", what, f.Name)
		case err != nil && !block.IsGap(err):
			t.Errorf("%s: %s: %v, want a gap", what, f.Name, err)
		}
	}
}
