package archive_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
)

// onDisk is a file of evidence on this computer.
type onDisk struct {
	*os.File
	size int64
}

func (f onDisk) Size() int64 { return f.size }

func openOnDisk(t *testing.T, name string) (*archive.Archive, error) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return archive.Open(onDisk{f, info.Size()}, archive.Options{TempDir: t.TempDir()})
}

// TestRealArchives holds what real programs wrote against what they were given. The folder that REGVET_IMAGES names has, beside each archive X, a
// file X.sha256 as sha256sum writes it, of members by their names in the archive; "-" for a checksum is a member that must be a gap. Beside an
// archive that the program calls damaged stands X.damaged: then a member has its content or is a gap, or the archive is an error, and something
// must be.
func TestRealArchives(t *testing.T) {
	dir := os.Getenv("REGVET_IMAGES")
	if dir == "" {
		t.Skip("REGVET_IMAGES names no folder; .ci/evidence-archives does")
	}
	lists, err := filepath.Glob(filepath.Join(dir, "*.sha256"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no archives in %s: %v", dir, err)
	}
	for _, list := range lists {
		name := strings.TrimSuffix(list, ".sha256")
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, err := os.Stat(name + ".damaged")
			realArchive(t, name, list, err == nil)
		})
	}
}

func realArchive(t *testing.T, name, list string, damaged bool) {
	a, err := openOnDisk(t, name)
	if damaged && (err != nil || a == nil) {
		return
	}
	if err != nil || a == nil {
		t.Fatalf("%v, %v", a, err)
	}
	defer a.Close()
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	gaps := len(a.Problems())
	if !damaged && gaps > 0 {
		t.Errorf("%v", a.Problems())
	}
	for line := range strings.Lines(string(text)) {
		want, member, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		data, err := fs.ReadFile(a, member)
		sum := sha256.Sum256(data)
		switch {
		case block.IsGap(err):
			gaps++
			if !damaged && want != "-" {
				t.Errorf("%s: %v", member, err)
			}
		case errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s is said not to be there", member)
		case err != nil:
			t.Errorf("%s: %v, want a gap", member, err)
		case hex.EncodeToString(sum[:]) != want:
			t.Errorf("%s has other content", member)
		}
	}
	if damaged && gaps == 0 {
		t.Error("all is said to be whole")
	}
}
