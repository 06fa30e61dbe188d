package ntfs_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
)

// realImages returns the images that other programs made, see .ci/evidence-ntfs: files NAME.img in the folder REGVET_IMAGES, each with the list
// NAME.sha256 that sha256sum wrote of all files in it.
func realImages(t *testing.T) []string {
	folder := os.Getenv("REGVET_IMAGES")
	if folder == "" {
		t.Skip("REGVET_IMAGES names no folder of images")
	}
	images, err := filepath.Glob(filepath.Join(folder, "*.img"))
	if err != nil || len(images) == 0 {
		t.Fatalf("there are no images in %s: %v", folder, err)
	}
	return images
}

// sums reads what sha256sum wrote: the hash of each file by its path.
func sums(t *testing.T, name string) map[string]string {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, path, _ := strings.Cut(lines.Text(), "  ")
		list[strings.TrimPrefix(path, "./")] = sum
	}
	return list
}

// file is an image that a test opened.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

func openImage(t testing.TB, name string) block.Reader {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return block.Cached(file{f, info.Size()})
}

// walk returns the hash of each file of a volume, or the error of reading it; a folder counts if it cannot be listed.
func walk(fsys fs.FS) (sums map[string]string, failed map[string]error) {
	sums, failed = map[string]string{}, map[string]error{}
	fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			failed[path] = err
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := fs.ReadFile(fsys, path)
		if err != nil {
			failed[path] = err
			return nil
		}
		sums[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return nil
	})
	return sums, failed
}

// TestRealImages holds that all files of a real volume are listed and read, and nothing else.
func TestRealImages(t *testing.T) {
	for _, name := range realImages(t) {
		v, err := ntfs.Open(openImage(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range v.Problems() {
			t.Errorf("%s: %v", name, &p)
		}
		want := sums(t, strings.TrimSuffix(name, ".img")+".sha256")
		got, failed := walk(v)
		for path, err := range failed {
			t.Errorf("%s: %s: %v", name, path, err)
		}
		for path, sum := range want {
			if got[path] != sum {
				t.Errorf("%s: %s has the hash %q, want %q", name, path, got[path], sum)
			}
			if _, err := v.Stat(strings.ToUpper(path)); err != nil {
				t.Errorf("%s: in upper case: %v", name, err)
			}
		}
		for path := range got {
			if want[path] == "" {
				t.Errorf("%s: %s is not in it", name, path)
			}
		}
		t.Logf("%s: %d files", filepath.Base(name), len(got))
	}
}
