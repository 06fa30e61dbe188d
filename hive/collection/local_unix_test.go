//go:build unix

package collection_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive/collection"
)

// TestKindsOfFiles requires that each kind of file is read, or refused in one line that says why.
func TestKindsOfFiles(t *testing.T) {
	t.Chdir(t.TempDir()) // the name of a socket is short
	write(t, "file", regText)
	socket, err := net.Listen("unix", "socket")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := errors.Join(syscall.Mkfifo("pipe", 0o666), os.Mkdir("folder", 0o777), os.Mkdir("empty", 0o777), os.Symlink("file", "link"), os.Symlink("folder", "link to a folder"),
		os.Symlink("nothing", "dangling"), os.Symlink("loop", "loop"), os.Symlink("/dev/zero", "zero")); err != nil {
		t.Fatal(err)
	}
	write(t, "folder/x.reg", regText)
	go func() {
		if w, err := os.OpenFile("pipe", os.O_WRONLY, 0); err == nil {
			w.WriteString(regText)
			w.Close()
		}
	}()
	const device = "NAME: cannot be opened: it is a device; copy its content to a file and give that"
	for name, want := range map[string]string{
		"file": "reg", "link": "reg", "pipe": "reg", "folder": "reg", "link to a folder": "reg",
		"empty":     "NAME: the folder holds no hive and no .reg file",
		"nothing":   "NAME: cannot be opened: no such file or directory",
		"dangling":  "NAME: cannot be opened: no such file or directory",
		"loop":      "NAME: cannot be opened: too many levels of symbolic links",
		"zero":      device,
		"/dev/zero": device,
		"socket":    "NAME: cannot be opened: it is not a regular file",
		"file/x":    "NAME: cannot be opened: not a directory",
	} {
		if diff := cmp.Diff(want, opened(&collection.Local{}, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// In a folder, what is no file is passed over without waiting for it, and with a word if its name is that of a hive or of an archive.
	if err := errors.Join(os.Rename("pipe", "kape.zip"), os.Rename("socket", "SYSTEM")); err != nil {
		t.Fatal(err)
	}
	want := []string{"folder/x.reg", "link.reg", "passed over: 2 files like SYSTEM, which is a pipe, a socket or a device; 2 files like dangling, which is a link that leads nowhere; " +
		"link to a folder, which is a link to a folder that is not searched through it"}
	if err := os.Rename("link", "link.reg"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, find(os.DirFS("."))); diff != "" {
		t.Error(diff)
	}
}

// TestPipesForLogs requires that a pipe beside a dirty hive is refused, for which nothing writes, and one that was named is read.
func TestPipesForLogs(t *testing.T) {
	dir := t.TempDir()
	data, log := dirtyHive()
	name := write(t, filepath.Join(dir, "SYSTEM"), string(data))
	beside, named := name+".LOG1", filepath.Join(dir, "named")
	if err := errors.Join(syscall.Mkfifo(beside, 0o666), syscall.Mkfifo(named, 0o666)); err != nil {
		t.Fatal(err)
	}
	go func() {
		if w, err := os.OpenFile(named, os.O_WRONLY, 0); err == nil {
			w.Write(log)
			w.Close()
		}
	}()
	if got, want := opened(&collection.Local{}, name), "NAME.LOG1: cannot be opened: it is not a regular file; regf"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	in, refused := collection.Open(&collection.Local{}, name, collection.Options{Logs: []string{named}})
	if refused != nil || in.Logs[0].Entries != 1 {
		t.Errorf("%v %v", in.Logs, refused)
	}
}
