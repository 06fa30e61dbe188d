// Package shared finds test inputs that are not part of the repository because of their size or their licenses: hives and .reg files of other
// projects, and what independent programs read in them. They are in a folder named shared beside the checkout. If that folder does not exist, a
// test that needs it is skipped, always with the same words, so that a run can count such tests. If only an input is absent, the test fails.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// absent is the beginning of the message of a test that is skipped for lack of shared inputs.
const absent = "no shared inputs beside the checkout: "

// folder is the shared folder, relative to the folder of the tested package, where Go runs tests.
var folder = func() string {
	up := "."
	for range 10 { // levels of folders
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			break
		}
		up = filepath.Join(up, "..")
	}
	return filepath.Join(up, "..", "shared")
}()

// Path returns the path of a shared file or folder. The name has slashes.
func Path(tb testing.TB, name string) string {
	tb.Helper()
	if _, err := os.Stat(folder); err != nil {
		tb.Skip(absent + name)
	}
	path := filepath.Join(folder, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("a shared input is absent: %v", err)
	}
	return path
}

// Read returns the content of a shared file.
func Read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Glob returns the paths of all files in a shared folder whose names match a pattern. It fails the test if there is none.
func Glob(tb testing.TB, dir, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(Path(tb, dir), pattern))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no shared input is named %s in %s: %v", pattern, dir, err)
	}
	return files
}
