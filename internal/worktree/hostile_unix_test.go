//go:build unix

package worktree

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNoWaiting searches repositories with FIFOs, devices and files of 4 GiB in place of their files. Nothing makes it wait.
func TestNoWaiting(t *testing.T) {
	const end = "; until then nothing that git ignores is left out"
	fifo := func(name string) error { return syscall.Mkfifo(name, 0o666) }
	link := func(to string) func(string) error { return func(name string) error { return os.Symlink(to, name) } }
	huge := func(name string) error {
		if err := os.WriteFile(name, []byte("DIRC\x00\x00\x00\x02\xFF\xFF\xFF\xFF"), 0o666); err != nil {
			return err
		}
		return os.Truncate(name, 1<<32)
	}
	for _, c := range []struct {
		name string
		make func(string) error
		want string // "" for no problem
		all  bool   // what git ignores is found, too
	}{
		{".git/index", fifo, "TOP/.git/index: is no regular file (a FIFO)" + end, true},
		{".git/index", link("/dev/zero"), "TOP/.git/index: is no regular file (a device)" + end, true},
		{".git/index", link("index"), "TOP/.git/index: cannot be read: too many levels of symbolic links" + end, true},
		{".git/index", huge, "TOP/.git/index: has 4294967296 bytes; the limit is 268435456" + end, true},
		{".git", fifo, "TOP/.git: is no regular file (a FIFO)" + end, true},
		{".git", link("/dev/zero"), "TOP/.git: is no regular file (a device)" + end, true},
		{".git", link("nowhere"), "TOP/.git: cannot be read: no such file or directory" + end, true},
		{".git", huge, "TOP/.git: has 4294967296 bytes; the limit is 16384" + end, true},
		{".git/commondir", fifo, "TOP/.git/commondir: is no regular file (a FIFO); info/exclude is not used", false},
		{".git/info/exclude", fifo, "", false},
		{"x/.gitignore", fifo, "", false},
		{"x/.gitignore", link("/dev/zero"), "", false},
		{"x/.gitignore", huge, "TOP/x/.gitignore: has 4294967296 bytes; the limit is 1048576; its rules are not used", false},
	} {
		dir := real(t)
		write(t, dir, map[string]string{".gitignore": "a.reg\n", "a.reg": "", "b.reg": "", "x/": ""})
		name := filepath.Join(dir, c.name)
		if c.name != ".git" {
			write(t, dir, map[string]string{".git/info/": ""})
		}
		if err := c.make(name); err != nil {
			t.Fatal(err)
		}
		done := make(chan bool)
		var got, problems []string
		go func() {
			got, problems = find(t, dir)
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("%s: is waited for", c.name)
		}
		want := []string{"b.reg"}
		if c.all {
			want = []string{"a.reg", "b.reg"}
		}
		if said := strings.Join(problems, "\n"); said != c.want || !slices.Equal(got, want) {
			t.Errorf("%s: %s\n%s\nwant %s\n%s", c.name, got, said, want, c.want)
		}
	}
}

// TestReadIrregular requires that Read neither reads nor waits for anything that is not a regular file.
func TestReadIrregular(t *testing.T) {
	dir := real(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir, "fifo", 10); err == nil || err.Error() != "is no regular file (a FIFO)" {
		t.Errorf("%v", err)
	}
	if _, err := Read("/dev", "null", 10); err == nil || err.Error() != "is no regular file (a device)" {
		t.Errorf("%v", err)
	}
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fs.ReadFile(f, "fifo"); err == nil || err.Error() != "open fifo: is no regular file (a FIFO)" {
		t.Errorf("%v", err)
	}
	// A FIFO that comes in the place of a file after the first look at it.
	late := func(string) (fs.FileInfo, error) { return os.Stat(os.Args[0]) }
	if _, err := readRegular(filepath.Join(dir, "fifo"), 10, late, os.OpenFile); err == nil || err.Error() != "is no regular file (a FIFO)" {
		t.Errorf("%v", err)
	}
}
