package worktree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"
)

// TestRead reads files of a repository, and requires the message about each that is not read.
func TestRead(t *testing.T) {
	dir := real(t)
	write(t, dir, map[string]string{"repo/a/b.yaml": "inside", "secret.yaml": "SECRET", "other/c.yaml": "SECRET", "repo/long": "12345678"})
	top := filepath.Join(dir, "repo")
	for name, to := range map[string]string{"inside.yaml": "a/b.yaml", "outside.yaml": "../secret.yaml", "folder": "../other", "again": "inside.yaml", "loop": "loop",
		"absolute.yaml": filepath.Join(top, "a/b.yaml"), "round": "../repo/a"} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(top, name)); err != nil {
			t.Skipf("no links can be made: %v", err)
		}
	}
	const outside = "leads outside of the repository; only files inside of it are read, and links in it must be relative"
	for name, want := range map[string]string{
		"a/b.yaml":                        "inside",
		"a/../a/b.yaml":                   "inside",
		filepath.Join(top, "a", "b.yaml"): "inside",
		"inside.yaml":                     "inside",
		"again":                           "inside",
		"long":                            "12345678",
		"../secret.yaml":                  outside,
		"a/../../secret.yaml":             outside,
		filepath.Join(dir, "secret.yaml"): outside,
		"outside.yaml":                    outside,
		"folder/c.yaml":                   outside,
		"absolute.yaml":                   outside,
		"round/b.yaml":                    outside,
		"a":                               "is no regular file (a folder)",
		"none":                            "cannot be read: no such file or directory",
		"a/none/b":                        "cannot be read: no such file or directory",
		"":                                "cannot be read: empty path",
	} {
		data, err := Read(top, name, 8)
		got := string(data)
		if err != nil {
			got = err.Error()
		}
		if got != want && runtime.GOOS != "windows" {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, err := Read(top, "long", 7); err == nil || err.Error() != "has 8 bytes; the limit is 7" {
		t.Errorf("a long file: %v", err)
	}
	if _, err := Read(top, "loop", 7); err == nil {
		t.Error("a link to itself is read")
	}
	if _, err := Read(top, "none", 7); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not say that there is no file", err)
	}
	if _, err := Read(filepath.Join(top, "none"), "x", 7); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not say that there is no folder", err)
	}
}

// TestFolder requires that a Folder is a valid [fs.FS], and that nothing leads out of it.
func TestFolder(t *testing.T) {
	dir := real(t)
	write(t, dir, map[string]string{"in/a.yaml": "a", "in/b/c.yaml": "c", "secret": "SECRET"})
	f, err := OpenFolder(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fstest.TestFS(f, "a.yaml", "b/c.yaml"); err != nil {
		t.Error(err)
	}
	if err := os.Symlink(filepath.FromSlash("../secret"), filepath.Join(dir, "in", "out")); err != nil {
		t.Skipf("no links can be made: %v", err)
	}
	if data, err := fs.ReadFile(f, "out"); !errors.Is(err, errOutside) {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := OpenFolder(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
