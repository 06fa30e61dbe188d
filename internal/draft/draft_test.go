package draft_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"regvet/internal/draft"
)

// folder makes files and returns the folder that they are in.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// holds requires that a folder holds exactly these files, each "name: text".
func holds(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		text := "a folder"
		if !e.IsDir() {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		got = append(got, e.Name()+": "+text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

// begin begins a file and writes a text.
func begin(t *testing.T, name, text string) *draft.File {
	t.Helper()
	f, err := draft.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Discard)
	f.WriteString(text)
	return f
}

func TestCommit(t *testing.T) {
	dir := folder(t, map[string]string{"old": "old"})
	old, fresh, given := begin(t, filepath.Join(dir, "old"), "new"), begin(t, filepath.Join(dir, "fresh"), "fresh"), begin(t, filepath.Join(dir, "given"), "up")
	if data, err := os.ReadFile(filepath.Join(dir, "old")); err != nil || string(data) != "old" {
		t.Errorf("before Commit the file holds %q, %v", data, err)
	}
	if err := errors.Join(old.Commit(), fresh.Commit()); err != nil {
		t.Error(err)
	}
	given.Discard()
	old.Discard() // as a deferred one does
	holds(t, dir, "fresh: fresh", "old: new")
	if err := given.Commit(); err == nil {
		t.Error("what was discarded was committed")
	}
	holds(t, dir, "fresh: fresh", "old: new")
}

// TestManyAtOnce writes files in goroutines and discards every second one.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var want []string
	var all sync.WaitGroup
	for i := range 100 {
		name := fmt.Sprintf("%02d", i)
		if i%2 == 0 {
			want = append(want, name+": "+name)
		}
		all.Go(func() {
			f, err := draft.Create(filepath.Join(dir, name))
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Discard()
			f.WriteString(name)
			if i%2 == 0 {
				if err := f.Commit(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	holds(t, dir, want...)
}

// TestLongName writes files whose names are as long as file systems permit, and refuses a longer one before anything is written to it.
func TestLongName(t *testing.T) {
	dir := t.TempDir()
	long := strings.Repeat("n", 251) + ".reg"
	for _, text := range []string{"first", "second"} {
		if err := begin(t, filepath.Join(dir, long), text).Commit(); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, long+": "+text)
	}
	if f, err := draft.Create(filepath.Join(dir, long+"g")); err == nil {
		f.Discard()
		t.Error("a name of 256 bytes was taken")
	}
}

func TestRefused(t *testing.T) {
	dir := folder(t, map[string]string{"locked": "old"})
	if err := os.Chmod(filepath.Join(dir, "locked"), 0o444); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"locked": "it is read-only", ".": "it is a folder"} {
		if _, err := draft.Create(filepath.Join(dir, name)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	for _, name := range []string{"none/x", "locked/x"} {
		if _, err := draft.Create(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was begun", name)
		}
	}
	holds(t, dir, "locked: old")
}

func TestLink(t *testing.T) {
	store := folder(t, map[string]string{"real": "old"})
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(store, "real"), filepath.Join(dir, "link")); err != nil {
		t.Skipf("there are no symbolic links here: %v", err)
	}
	f := begin(t, filepath.Join(dir, "link"), "new")
	if entries, _ := os.ReadDir(store); len(entries) != 2 {
		t.Errorf("%d files beside the one that the link leads to, want it and its draft", len(entries))
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	holds(t, store, "real: new")
	if to, err := os.Readlink(filepath.Join(dir, "link")); err != nil || to != filepath.Join(store, "real") {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

// TestCommitAll makes one of three files fail: a folder takes its place, or it cannot be completed.
func TestCommitAll(t *testing.T) {
	spoils := map[string]func(*draft.File){
		"no place":     func(*draft.File) {},
		"not complete": func(f *draft.File) { f.Discard() },
	}
	names := []string{"a", "b", "c"}
	for what, spoil := range spoils {
		for _, last := range names {
			for _, links := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s for %s, links %v", what, last, links), func(t *testing.T) {
					if !links {
						draft.WithoutLinks(t)
					}
					dir := folder(t, map[string]string{"a": "old", "b": "old"})
					var all []*draft.File
					for _, name := range names {
						all = append(all, begin(t, filepath.Join(dir, name), "new"))
					}
					path := filepath.Join(dir, last)
					os.Remove(path)
					if err := os.MkdirAll(filepath.Join(path, "inside"), 0o777); err != nil {
						t.Fatal(err)
					}
					spoil(all[slices.Index(names, last)])
					err := draft.CommitAll(all...)
					if e, ok := errors.AsType[*fs.PathError](err); !ok || e.Path != path || strings.Contains(e.Err.Error(), "regvet-") {
						t.Errorf("the error is %v, want one of %s", err, path)
					}
					want := map[string][]string{"a": {"a: a folder", "b: old"}, "b": {"a: old", "b: a folder"}, "c": {"a: old", "b: old", "c: a folder"}}
					holds(t, dir, want[last]...)

					os.RemoveAll(path)
					if err := draft.CommitAll(begin(t, filepath.Join(dir, "a"), "new a"), begin(t, filepath.Join(dir, "b"), "new b")); err != nil {
						t.Error(err)
					}
					holds(t, dir, "a: new a", "b: new b")
				})
			}
		}
	}
}

// TestDraftGone removes the drafts before they are put in place.
func TestDraftGone(t *testing.T) {
	for _, links := range []bool{true, false} {
		t.Run(fmt.Sprintf("links %v", links), func(t *testing.T) {
			if !links {
				draft.WithoutLinks(t)
			}
			dir := folder(t, map[string]string{"a": "old", "b": "old"})
			a, b := begin(t, filepath.Join(dir, "a"), "new"), begin(t, filepath.Join(dir, "b"), "new")
			drafts, _ := filepath.Glob(filepath.Join(dir, "regvet-*.tmp"))
			for _, name := range drafts {
				if err := os.Remove(name); err != nil {
					t.Skipf("this system does not remove open files: %v", err)
				}
			}
			if err := draft.CommitAll(a, b); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the error is %v", err)
			}
			holds(t, dir, "a: old", "b: old")
		})
	}
}

// TestPermissions requires that a draft of a file that exists is private, and that Commit restores the permission bits.
func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits but the read-only attribute")
	}
	dir := folder(t, map[string]string{"old": "old"})
	for _, perm := range []fs.FileMode{0o640, 0o606, 0o755, 0o200} {
		if err := os.Chmod(filepath.Join(dir, "old"), perm); err != nil {
			t.Fatal(err)
		}
		f := begin(t, filepath.Join(dir, "old"), "new")
		drafts, _ := filepath.Glob(filepath.Join(dir, "regvet-*.tmp"))
		if len(drafts) != 1 {
			t.Fatalf("drafts %q, want one", drafts)
		}
		if info, err := os.Stat(drafts[0]); err != nil || info.Mode() != 0o600 {
			t.Errorf("the draft has the mode %v, %v", info.Mode(), err)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, "old")); err != nil || info.Mode() != perm {
			t.Errorf("the file has the mode %v, %v, want %v", info.Mode(), err, perm)
		}
	}
	// A new file has the permissions of any other new file.
	other := filepath.Join(dir, "other")
	if err := errors.Join(begin(t, filepath.Join(dir, "fresh"), "").Commit(), os.WriteFile(other, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	want, _ := os.Stat(other)
	if got, err := os.Stat(filepath.Join(dir, "fresh")); err != nil || got.Mode() != want.Mode() {
		t.Errorf("a new file has the mode %v, %v, want %v", got.Mode(), err, want.Mode())
	}
}
