//go:build unix

package lint

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAttributesPipe tests that a .gitattributes that is a pipe does not block.
func TestAttributesPipe(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "a.reg")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, ".gitattributes"), 0o666); err != nil {
		t.Skip(err)
	}
	l := Linter{Severity: func(*Check) Severity { return Info }}
	if _, err := l.Lint(file, strings.NewReader("REGEDIT4\r\n")); err != nil {
		t.Fatal(err)
	}
}
