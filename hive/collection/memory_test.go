package collection_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// TestMemoryOfMachine requires that the hives of a machine are refused that do not fit beside the others, and only those: what is refused
// takes no room, nor do the logs of a clean hive, or those that are not to be read.
func TestMemoryOfMachine(t *testing.T) {
	clean := hivetest.Build(specimen(), hivetest.Options{})
	dirty, log := dirtyHive()
	size := int64(len(clean))
	long := append(log, make([]byte, 3*size)...)
	tooMuch := func(n, of int64) string {
		return fmt.Sprintf("%d bytes are to be read for it, and for the hives of a machine at most %d together; read it by itself", n, of)
	}
	for name, test := range map[string]struct {
		memory  int64
		files   map[string][]byte
		options collection.Options
		joined  []string
		refused []string
	}{
		"all fit": {3 * size, map[string][]byte{"SAM": clean, "SOFTWARE": clean, "SYSTEM": clean}, collection.Options{},
			[]string{"SAM", "SOFTWARE", "SYSTEM"}, nil},
		"one does not": {3*size - 1, map[string][]byte{"SAM": clean, "SOFTWARE": clean, "SYSTEM": clean}, collection.Options{},
			[]string{"SAM", "SOFTWARE"}, []string{"SYSTEM: " + tooMuch(size, 3*size-1)}},
		"the first is read whatever it has": {size - 1, map[string][]byte{"SAM": clean, "SYSTEM": clean}, collection.Options{},
			[]string{"SAM"}, []string{"SYSTEM: " + tooMuch(size, size-1)}},
		"a refused one takes no room": {2 * size, map[string][]byte{"SAM": clean[:1000:1000], "SECURITY": append(clean[:1000:1000], make([]byte, 2*size)...),
			"SOFTWARE": clean, "SYSTEM": clean}, collection.Options{}, []string{"SOFTWARE", "SYSTEM"}, []string{"SAM: ", "SECURITY: "}},
		"logs of clean hives": {2 * size, map[string][]byte{"SAM": clean, "SAM.LOG1": long, "SYSTEM": clean, "SYSTEM.LOG2": long}, collection.Options{},
			[]string{"SAM", "SYSTEM"}, nil},
		"logs of dirty ones": {2 * size, map[string][]byte{"SAM": clean, "SYSTEM": dirty, "SYSTEM.LOG1": long}, collection.Options{},
			[]string{"SAM"}, []string{"SYSTEM: " + tooMuch(int64(len(dirty)+len(long)), 2*size)}},
		"logs that are not to be read": {2 * size, map[string][]byte{"SAM": clean, "SYSTEM": dirty, "SYSTEM.LOG1": long}, collection.Options{NoLogs: true},
			[]string{"SAM", "SYSTEM"}, nil},
	} {
		files, group := fstest.MapFS{}, collection.Group{Machine: "."}
		for file, data := range test.files {
			files[file] = &fstest.MapFile{Data: data}
		}
		for _, file := range []string{"SAM", "SECURITY", "SOFTWARE", "SYSTEM"} {
			if files[file] != nil {
				group.Files = append(group.Files, collection.Locate(files, file))
			}
		}
		test.options.Memory = test.memory
		// They are copies of one hive, so that only their mounts let them be of one machine.
		var joined, refused []string
		all, problems := group.Open(files, test.options)
		for _, together := range all {
			for _, in := range together {
				joined = append(joined, in.Path)
			}
		}
		for i, p := range problems {
			text := p.Error()
			if i < len(test.refused) && len(test.refused[i]) == len(p.Source)+2 {
				text = text[:len(p.Source)+2] // why is not of this test
			}
			refused = append(refused, text)
		}
		if diff := cmp.Diff([][]string{test.joined, test.refused}, [][]string{joined, refused}); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestSize requires that the size of a group is that of what is read for it.
func TestSize(t *testing.T) {
	dirty, log := dirtyHive()
	files := fstest.MapFS{"SYSTEM": {Data: dirty}, "SYSTEM.LOG1": {Data: log}, "SYSTEM.LOG2": {Data: log}, "SAM.LOG": {Data: log},
		"pipe": {Mode: fs.ModeNamedPipe}}
	hives, logs := int64(len(dirty)), int64(len(log))
	for name, test := range map[string]struct {
		file    string
		options collection.Options
		want    int64
	}{
		"with its logs":    {"SYSTEM", collection.Options{}, hives + 2*logs},
		"with a named log": {"SYSTEM", collection.Options{Logs: []string{"SAM.LOG"}}, hives + logs},
		"without":          {"SYSTEM", collection.Options{NoLogs: true}, hives},
		"nothing":          {"nothing", collection.Options{}, 0},
		"a pipe":           {"pipe", collection.Options{}, -1},
		"a named pipe":     {"SYSTEM", collection.Options{Logs: []string{"pipe"}}, -1},
	} {
		group := collection.Group{Files: []collection.File{collection.Locate(files, test.file)}}
		if got := group.Size(files, test.options); got != test.want {
			t.Errorf("%s: %d bytes, want %d", name, got, test.want)
		}
	}
}

// claimed is a file of an archive, which can only be read from its start and claims a size.
type claimed struct {
	head []byte
	size int64
	read int // bytes that were asked for
}

func (c *claimed) Open(name string) (fs.File, error) {
	if name != "file" {
		return nil, fs.ErrNotExist
	}
	return c, nil
}
func (c *claimed) Stat() (fs.FileInfo, error) { return c, nil }
func (c *claimed) Read(b []byte) (int, error) {
	c.read += len(b)
	if len(c.head) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.head)
	c.head = c.head[n:]
	return n, nil
}
func (c *claimed) Close() error       { return nil }
func (c *claimed) Name() string       { return "file" }
func (c *claimed) Size() int64        { return c.size }
func (c *claimed) Mode() fs.FileMode  { return 0o444 }
func (c *claimed) ModTime() time.Time { return time.Time{} }
func (c *claimed) IsDir() bool        { return false }
func (c *claimed) Sys() any           { return nil }

// TestTooLarge requires that what is too large for what it is is refused before it is read, in an archive as on a disk.
func TestTooLarge(t *testing.T) {
	for _, test := range []struct {
		head        string
		size, limit int64
	}{{"regf", hive.MaxSize + 1, hive.MaxSize}, {"REGEDIT4", 1<<32 + 1, 1 << 32}} {
		want := fmt.Sprintf("file: has more than %d bytes, the limit for such an input", test.limit)
		archived := &claimed{head: []byte(test.head), size: test.size}
		if _, err := collection.ReadFile(archived, "file"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", test.head, err, want)
		}
		if archived.read > 1<<16 {
			t.Errorf("%s: %d bytes were read of a file that is refused", test.head, archived.read)
		}
		name := path.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(test.head), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, test.size); err != nil {
			t.Skipf("a file cannot have holes here: %v", err)
		}
		want = fmt.Sprintf("%s: has more than %d bytes, the limit for such an input", name, test.limit)
		if _, err := collection.ReadFile(&collection.Local{}, name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", test.head, err, want)
		}
	}
	// What a file claims is not what it has.
	if data, err := collection.ReadFile(&claimed{head: []byte("REGEDIT4"), size: hive.MaxSize}, "file"); err != nil || string(data) != "REGEDIT4" {
		t.Errorf("%q, %v", data, err)
	}
}
