package collection_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/collection"
	"regvet/internal/hivetest"
)

// dirtyHive returns a hive that was being written, and the log with what was.
func dirtyHive() (data, log []byte) {
	state, at := hivetest.BuildLayout(specimen(), hivetest.Options{Name: "SYSTEM"})
	value := at.Key("Select").Value("Current").Record
	after := hivetest.Set32(state, value+hivetest.ValueData, 2)
	return hivetest.Dirty(state, 3, 2), hivetest.Log(state, 2, hivetest.Entries(2, 1, state, after)...)
}

// TestLogsInAnyFolder requires that the logs of a hive are found in whatever folder it lies, and in whatever case they are written.
func TestLogsInAnyFolder(t *testing.T) {
	data, log := dirtyHive()
	files := fstest.MapFS{}
	for _, folder := range []string{"", "a/", "a/b c/"} {
		files[folder+"System"] = &fstest.MapFile{Data: data}
		files[folder+"SYSTEM.log2"] = &fstest.MapFile{Data: log}
		files[folder+"system.LOG1"] = &fstest.MapFile{Data: log}
	}
	for _, name := range []string{"System", "a/System", "a/b c/System"} {
		folder := name[:len(name)-len("System")]
		want := collection.File{Path: name, Logs: []string{folder + "system.LOG1", folder + "SYSTEM.log2"}}
		if diff := cmp.Diff(want, collection.Locate(files, name)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestLogsThatAreNone requires of what is in the place of a log, but cannot be read as one, that it is said in one line where the log is
// needed, and not said at all where it is not.
func TestLogsThatAreNone(t *testing.T) {
	dirty, _ := dirtyHive()
	clean := hivetest.Build(specimen(), hivetest.Options{Name: "SYSTEM"})
	const notRegular = "cannot be opened: it is not a regular file"
	for kind, test := range map[string]struct {
		put  func(name string) error
		want string
	}{
		"a folder":           {func(name string) error { return os.Mkdir(name, 0o777) }, notRegular},
		"a link to a folder": {func(name string) error { return os.Symlink(".", name) }, notRegular},
		"a link to nothing":  {func(name string) error { return os.Symlink("nothing", name) }, "cannot be opened: no such file or directory"},
		"a link to a device": {func(name string) error { return os.Symlink(os.DevNull, name) }, notRegular},
	} {
		for state, data := range map[string][]byte{"dirty": dirty, "clean": clean} {
			dir := t.TempDir()
			name := filepath.Join(dir, "SYSTEM")
			if err := errors.Join(os.WriteFile(name, data, 0o666), test.put(name+".LOG1")); err != nil {
				t.Skip(err)
			}
			var want []string
			if state == "dirty" {
				want = []string{name + ".LOG1: " + test.want}
			}
			for _, named := range []string{name, dir} {
				local := &collection.Local{}
				var got []string
				for g := range collection.List(local, named) {
					joined, refused := g.Open(local, collection.Options{})
					for _, p := range refused {
						got = append(got, p.Error())
					}
					for _, in := range joined {
						if in[0].Path != name {
							t.Errorf("%s of a %s hive is taken for the input %s", kind, state, in[0].Path)
						}
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s in the place of the log of a %s hive, %s named:\n%s", kind, state, named[len(dir):], diff)
				}
			}
		}
	}
}

// TestManyNames requires that a folder is listed once for all of the files in it that are named one by one.
func TestManyNames(t *testing.T) {
	dir := t.TempDir()
	data, log := dirtyHive()
	for i := range 3 {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := errors.Join(os.WriteFile(name, data, 0o666), os.WriteFile(name+".LOG", log, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	local := &collection.Local{}
	for i := range 3 {
		name := filepath.Join(dir, fmt.Sprint(i))
		if diff := cmp.Diff([]string{name + ".LOG"}, collection.Locate(local, name).Logs); diff != "" {
			t.Error(diff)
		}
		// Were the folder listed again, the next name would have no logs.
		if i == 0 {
			if err := os.Rename(filepath.Join(dir, "2.LOG"), filepath.Join(dir, "gone")); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := filepath.Join(t.TempDir(), "2")
	if logs := collection.Locate(local, other).Logs; logs != nil {
		t.Errorf("the logs %v are those of another folder", logs)
	}
}

// unlistable is a file system whose folders cannot be listed.
type unlistable struct{ fs.FS }

func (unlistable) ReadDir(string) ([]fs.DirEntry, error) { return nil, fs.ErrPermission }

// TestNoListing requires that a hive is read whose folder cannot be listed.
func TestNoListing(t *testing.T) {
	in, refused := collection.Open(unlistable{folder("SYSTEM")}, "SYSTEM", collection.Options{})
	if in == nil || refused != nil {
		t.Errorf("the hive is not read: %v", refused)
	}
}
