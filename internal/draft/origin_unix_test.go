//go:build linux || darwin

package draft_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// rewrite replaces the file of a path.
func rewrite(t *testing.T, name string) {
	t.Helper()
	if err := begin(t, name, "new").Commit(); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "new" {
		t.Fatalf("the file holds %q, %v", data, err)
	}
}

// ownerOf returns the user, the group and the mode of a file.
func ownerOf(t *testing.T, name string) (uid, gid uint32, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return stat.Uid, stat.Gid, info.Mode()
}

// TestOwner replaces the file of another user: for root it stays theirs.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, which alone may give files to others")
	}
	name := filepath.Join(folder(t, map[string]string{"theirs": "old"}), "theirs")
	if err := os.Chown(name, 1234, 5678); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o640|os.ModeSetuid|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	rewrite(t, name)
	if uid, gid, mode := ownerOf(t, name); uid != 1234 || gid != 5678 || mode != 0o640 {
		t.Errorf("the file is of user %d and group %d, mode %v; want 1234, 5678 and 0640", uid, gid, mode)
	}
}

// TestOwnerNotPermitted replaces files of another user without being root. They change hands; they keep their group if the process is in
// it, and otherwise the new group gets no more than everybody had.
func TestOwnerNotPermitted(t *testing.T) {
	const variable = "DRAFT_TEST_REPLACE"
	if dir := os.Getenv(variable); dir != "" {
		rewrite(t, filepath.Join(dir, "ours"))
		rewrite(t, filepath.Join(dir, "theirs"))
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, which alone may give files to others")
	}
	dir := folder(t, map[string]string{"ours": "old", "theirs": "old"})
	for name, f := range map[string]struct {
		gid  int
		mode os.FileMode
	}{"ours": {8765, 0o664}, "theirs": {5678, 0o676}} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Chown(path, 1234, f.gid), os.Chmod(path, f.mode)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "test") // where the other user finds it
	err = errors.Join(os.WriteFile(program, binary, 0o755), os.Chmod(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", "^TestOwnerNotPermitted$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), variable+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4321, Gid: 4321, Groups: []uint32{8765}}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]struct {
		gid  uint32
		mode os.FileMode
	}{"ours": {8765, 0o664}, "theirs": {4321, 0o666}} {
		if uid, gid, mode := ownerOf(t, filepath.Join(dir, name)); uid != 4321 || gid != want.gid || mode != want.mode {
			t.Errorf("%s is of user %d and group %d, mode %v; want 4321, %d and %v", name, uid, gid, mode, want.gid, want.mode)
		}
	}
}

// aclOf returns a POSIX access control list as Linux stores it: version 2, and the owner, user 1234, the group, the mask and the others,
// each a tag, permission bits and the number of the user (linux/posix_acl_xattr.h).
func aclOf(named, mask uint16) []byte {
	const none = 0xFFFFFFFF
	acl := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{0x01, 6, none}, {0x02, named, 1234}, {0x04, 4, none}, {0x10, mask, none}, {0x20, 0, none}} {
		acl = binary.LittleEndian.AppendUint16(acl, e.tag)
		acl = binary.LittleEndian.AppendUint16(acl, e.perm)
		acl = binary.LittleEndian.AppendUint32(acl, e.id)
	}
	return acl
}

// TestAttributes requires that extended attributes stay, and that those of the folder do not replace them.
func TestAttributes(t *testing.T) {
	dir := folder(t, map[string]string{"old": "old", "plain": "old"})
	name := filepath.Join(dir, "old")
	set := map[string][]byte{"user.regvet.text": []byte("as it was"), "user.regvet.empty": {}, "user.regvet.long": bytes.Repeat([]byte{0, 1}, 1000)}
	if runtime.GOOS == "linux" {
		set["system.posix_acl_access"] = aclOf(6, 6)
	}
	for attribute, data := range set {
		if err := unix.Setxattr(name, attribute, data, 0); err != nil {
			t.Skipf("the file system does not take the attribute %s: %v", attribute, err)
		}
	}
	if runtime.GOOS == "linux" {
		if err := unix.Setxattr(dir, "system.posix_acl_default", aclOf(7, 7), 0); err != nil {
			t.Skipf("the file system gives new files no access control lists: %v", err)
		}
	}
	rewrite(t, name)
	for attribute, want := range set {
		got := make([]byte, 1<<16)
		if n, err := unix.Getxattr(name, attribute, got); err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("%s is %q, %v, want %q", attribute, got[:max(n, 0)], err, want)
		}
	}

	// A file without a list does not get that of its folder.
	plain := filepath.Join(dir, "plain")
	if err := os.Chmod(plain, 0o644); err != nil {
		t.Fatal(err)
	}
	rewrite(t, plain)
	list := make([]byte, 1<<16)
	if n, err := unix.Listxattr(plain, list); err != nil || strings.Contains(string(list[:n]), "posix_acl_access") {
		t.Errorf("a file without attributes has %q, %v", list[:max(n, 0)], err)
	}
	if _, _, mode := ownerOf(t, plain); mode != 0o644 {
		t.Errorf("its mode is %v, want 0644", mode)
	}
}

// TestInPlace writes to a pipe, which stays one.
func TestInPlace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(name, 0o666); err != nil {
		t.Skipf("the file system has no pipes: %v", err)
	}
	read := make(chan string)
	go func() {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		read <- string(data)
	}()
	f := begin(t, name, "through the pipe")
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files in the folder of the pipe, want the pipe alone", len(entries))
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if got := <-read; got != "through the pipe" {
		t.Errorf("the reader got %q", got)
	}
	if info, err := os.Stat(name); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("it is a pipe no more: %v, %v", info.Mode(), err)
	}
}
