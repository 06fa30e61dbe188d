// Package shared leads tests to the inputs that are not part of the repository: hives and .reg files of other projects, with what
// independent programs read in them. Their size or their licences keep them out. They lie in a folder named shared beside the checkout,
// and a test that needs them skips where that folder is absent, always in the same words, so that a run can count such tests. Where the
// folder is there, an input that is absent from it fails the test.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// absent is how the line starts with which a test skips for lack of shared inputs.
const absent = "no shared inputs beside the checkout: "

// folder is the shared folder, relative to the folder of the package that is tested: Go runs tests there.
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

// Path returns the path of a file or folder among the shared inputs. Its name has slashes.
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

// Read returns the content of a file among the shared inputs.
func Read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Glob returns the paths of all files in a folder of the shared inputs whose names match a pattern. There is at least one.
func Glob(tb testing.TB, dir, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(Path(tb, dir), pattern))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no shared input is named %s in %s: %v", pattern, dir, err)
	}
	return files
}
