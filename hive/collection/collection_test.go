package collection_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/collection"
	"regvet/hive/hivetest"
)

// find lists what is found, with the errors.
func find(fsys fs.FS) []string {
	var all []string
	for name, err := range collection.Find(fsys) {
		if err != nil {
			name += " !"
		}
		all = append(all, name)
	}
	return all
}

func TestFind(t *testing.T) {
	hive := hivetest.Build(&hivetest.Key{}, hivetest.Options{})
	log := hivetest.Build(&hivetest.Key{}, hivetest.Options{})
	log[28] = 6
	hivetest.Seal(log)
	folder := fstest.MapFS{
		"Windows/System32/config/SYSTEM":      {Data: hive},
		"Windows/System32/config/SYSTEM.LOG1": {Data: log},
		"Windows/System32/config/notes.txt":   {Data: []byte("regedit")},
		"Users/a/NTUSER.DAT":                  {Data: hive},
		"d41d8cd98f00b204e9800998ecf8427e":    {Data: hive},
		"cut off":                             {Data: hive[:1000]},
		"four letters":                        {Data: []byte("regf")},
		"empty":                               {},
		"export.REG":                          {Data: []byte("no matter")},
		"export.reg.txt":                      {Data: []byte("Windows Registry Editor Version 5.00")},
		"a folder.reg/x":                      {Data: []byte("x")},
	}
	want := []string{"Users/a/NTUSER.DAT", "Windows/System32/config/SYSTEM", "cut off", "d41d8cd98f00b204e9800998ecf8427e", "export.REG", "four letters"}
	if diff := cmp.Diff(want, find(folder)); diff != "" {
		t.Error(diff)
	}
	for range collection.Find(folder) {
		break // the caller may stop
	}
}

// TestFindLinks requires that a link to a file is followed, one to a folder is not, and one that leads nowhere is told.
func TestFindLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skipf("there are no symbolic links here: %v", err)
		}
	}
	write("SYSTEM", hivetest.Build(&hivetest.Key{}, hivetest.Options{}))
	link("SYSTEM", "a link")
	link(".", "a loop")
	link("nothing", "dangling")
	if diff := cmp.Diff([]string{"SYSTEM", "a link", "dangling !"}, find(os.DirFS(dir))); diff != "" {
		t.Error(diff)
	}
}

// broken is a folder in which nothing can be opened.
type broken struct{ fstest.MapFS }

func (b broken) Open(name string) (fs.File, error) {
	if name == "x" {
		return nil, fmt.Errorf("the disk is broken")
	}
	return b.MapFS.Open(name)
}

func TestFindErrors(t *testing.T) {
	if diff := cmp.Diff([]string{"x !"}, find(broken{fstest.MapFS{"x": {Data: []byte("regf")}}})); diff != "" {
		t.Error(diff)
	}
}
