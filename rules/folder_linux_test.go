package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"regvet/hive/collection"
	"regvet/rules"
)

// TestFolderWithPipe requires that only regular files of a folder are opened: opening a pipe would block.
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

// TestHiveIsPipe requires the same for the hive of a test.
func TestHiveIsPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "SYSTEM"), 0o600); err != nil {
		t.Skip(err)
	}
	text := strings.Replace(sound, `reg: '"One"=dword:00000005'`, "hive: SYSTEM", 1)
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	packs, err := rules.LoadFiles(&collection.Local{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	err = packs[0].Rules[0].RunTests()[0].Err
	if want := "the hive SYSTEM in the folder of the pack is no regular file"; fmt.Sprint(err) != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
