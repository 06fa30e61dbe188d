package rules_test

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"regvet/hive/collection"
	"regvet/rules"
)

// TestFolderWithPipe holds that only regular files of a folder are opened: a pipe would be waited for.
func TestFolderWithPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	_, err := rules.LoadFiles(&collection.Local{}, dir)
	if want := dir + ": a.yaml is no regular file; in a folder only such files are read"; fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
