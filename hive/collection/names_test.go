package collection

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDecodedNames tests which names are decoded, and that a file can be opened by the name that is shown and by the stored one.
func TestDecodedNames(t *testing.T) {
	stored := map[string]string{ // by the name that is shown
		"a%20b/x%41":                              "a%20b/x%41", // not below a drive
		"uploads/auto/C:/Users/Jörg/n":            "uploads/auto/C%3A/Users/J%C3%B6rg/n",
		`uploads/ntfs/\\.\C:/Documents & co/n`:    `uploads/ntfs/%5C%5C.%5CC%3A/Documents %26 co/n`,
		`uploads/ntfs/\\?\GLOBALROOT\x/100%/n%41`: `uploads/ntfs/%5C%5C%3F%5CGLOBALROOT%5Cx/100%25/n%2541`,
		"uploads/auto/D:/both":                    "uploads/auto/D:/both", // a stored name goes before one that is decoded
		"uploads/auto/D%3A/both":                  "uploads/auto/D%3A/both",
		"fs/C:/a%2Fb":                             "fs/C:/a%2Fb", // no name
		"fs/C:/a%1B[m":                            "fs/C:/a%1B[m",
		"fs/C:/%2E%2E":                            "fs/C:/%2E%2E",
		"fs/C:/%FF":                               "fs/C:/%FF",
		"fs/C:/%":                                 "fs/C:/%",
		"fs/C:/one%20two":                         "fs/C:/one%20two", // two entries would be called so
		"fs/C:/one two":                           "fs/C:/one two",
	}
	files := fstest.MapFS{}
	dir := t.TempDir()
	for shown, name := range stored {
		files[name] = &fstest.MapFile{Data: []byte(shown)}
		if runtime.GOOS != "windows" {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(shown), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("a name cannot have a colon or a backslash here")
	}
	fsys := decode(files, false)
	var all []string
	if err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	var want []string
	for shown := range stored {
		want = append(want, shown)
	}
	slices.Sort(want)
	if !slices.Equal(all, want) {
		t.Errorf("got  %q\nwant %q", all, want)
	}
	local := new(Local)
	t.Chdir(dir)
	for shown, name := range stored {
		for _, open := range []string{shown, name} {
			if data, err := fs.ReadFile(fsys, open); err != nil || string(data) != shown {
				t.Errorf("%s: %q %v", open, data, err)
			}
			for _, file := range []string{open, filepath.Join(dir, open)} {
				if data, err := fs.ReadFile(local, file); err != nil || string(data) != shown {
					t.Errorf("%s: %q %v", file, data, err)
				}
				if _, err := local.Stat(file); err != nil {
					t.Error(err)
				}
			}
		}
	}
	// A folder below a drive shows the same names as the whole.
	if entries, err := fs.ReadDir(decode(os.DirFS("uploads/auto/C%3A"), isOnDrive("uploads/auto/C%3A")), "Users"); err != nil || entries[0].Name() != "Jörg" {
		t.Errorf("%v %v", entries, err)
	}
	if _, err := local.Open("uploads/auto/C:/Users/Jorg"); err == nil {
		t.Error("a file was opened that is not there")
	}
}

// FuzzDecodedNames requires that, whatever two files on a drive are called, each is shown once, by a name of one part that opens it and no other.
func FuzzDecodedNames(f *testing.F) {
	f.Add("J%C3%B6rg", "Jörg")
	f.Add("%2E%2E", "%2e%2E")
	f.Add("C%3A", "%5C%5C.%5CC%3A")
	f.Add("a%2525", "a%25")
	f.Fuzz(func(t *testing.T, one, other string) {
		files := fstest.MapFS{}
		for _, name := range []string{one, other} {
			if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") {
				return
			}
			files["C%3A/"+name] = &fstest.MapFile{Data: []byte(name)}
		}
		fsys := decode(files, false)
		entries, err := fs.ReadDir(fsys, "C:")
		if err != nil || len(entries) != len(files) {
			t.Fatalf("%q: %v", entries, err)
		}
		seen := map[string]bool{}
		for _, e := range entries {
			data, err := fs.ReadFile(fsys, "C:/"+e.Name())
			if err != nil || seen[string(data)] || decodeName(string(data)) != e.Name() && string(data) != e.Name() {
				t.Errorf("%q opens %q: %v", e.Name(), data, err)
			}
			seen[string(data)] = true
			if strings.Contains(e.Name(), "/") || e.Name() == ".." {
				t.Errorf("%q is no name", e.Name())
			}
		}
	})
}
