package worktree

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"regvet/hive"
)

// Folder is an [fs.FS] of the regular files and folders in one folder. No name and no link leads out of it. FIFOs, devices and the like are
// refused, so that opening never waits.
type Folder struct{ root *os.Root }

// errStore refuses what version control keeps for itself: .git/config can hold passwords, and a link in the work tree can lead there.
var errStore = errors.New("lies where version control keeps its data, of which nothing is read")

// inStore reports whether a name in a folder leads to where version control keeps its data.
func inStore(folder, name string) bool {
	real, err := filepath.EvalSymlinks(filepath.Join(folder, name))
	if err != nil {
		return false // then it cannot be opened either
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(real), "/"), func(part string) bool {
		return slices.ContainsFunc(stores, func(store string) bool { return strings.EqualFold(part, store) })
	})
}

// OpenFolder opens a folder, which the caller must close. The error is the one of the operating system, without the name.
func OpenFolder(name string) (*Folder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, hive.Cause(err)
	}
	return &Folder{root}, nil
}

// Close closes the folder. Files that were opened in it stay open.
func (f *Folder) Close() error { return f.root.Close() }

// Open opens a file or folder by its path in f, as [fs.FS] says.
func (f *Folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if inStore(f.root.Name(), name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errStore}
	}
	file, _, err := openChecked(filepath.FromSlash(name), f.root.Stat, f.root.OpenFile, func(m fs.FileMode) bool { return m.IsRegular() || m.IsDir() })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: outside(err)}
	}
	return file, nil
}

// Read returns the bytes of a regular file in the folder top or below. The name is absolute, or relative to top; a name or a link that leads out
// of top is refused, and so is a file of more than limit bytes. The error goes on from the name of the file, which it does not hold: "is no
// regular file (a FIFO)". If there is no such file, the error is [fs.ErrNotExist].
func Read(top, name string, limit int64) ([]byte, error) {
	if filepath.IsAbs(name) {
		var err error
		if name, err = filepath.Rel(top, name); err != nil {
			return nil, errOutside
		}
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, unreadable(err)
	}
	defer root.Close()
	if inStore(top, name) {
		return nil, errStore
	}
	data, err := readRegular(name, limit, root.Stat, root.OpenFile)
	return data, outside(err)
}

var errOutside = errors.New("leads outside of the repository; only files inside of it are read, and links in it must be relative")

// outside returns err, or errOutside if package os refused a path because it leads out of a root. That error has no name in package os.
func outside(err error) error {
	if e, ok := errors.AsType[readError](err); ok && e.cause.Error() == "path escapes from parent" {
		return errOutside
	}
	return err
}

type (
	statFunc = func(name string) (fs.FileInfo, error)
	openFunc = func(name string, flag int, perm fs.FileMode) (*os.File, error)
)

// openRegular opens a regular file of at most limit bytes, and returns its size.
func openRegular(name string, limit int64, stat statFunc, open openFunc) (*os.File, int64, error) {
	f, info, err := openChecked(name, stat, open, fs.FileMode.IsRegular)
	switch {
	case err != nil:
		return nil, 0, err
	case info.Size() > limit:
		f.Close()
		return nil, 0, fmt.Errorf("has %d bytes; the limit is %d", info.Size(), limit)
	}
	return f, info.Size(), nil
}

// openChecked opens a file if its mode is allowed. It checks the mode before, because opening a device can have effects, and after, because
// another file may have taken its place. O_NONBLOCK keeps it from waiting for the other end of a FIFO.
func openChecked(name string, stat statFunc, open openFunc, allowed func(fs.FileMode) bool) (*os.File, fs.FileInfo, error) {
	info, err := stat(name)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if !allowed(info.Mode()) {
		return nil, nil, irregular(info.Mode())
	}
	f, err := open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	info, err = f.Stat()
	switch {
	case err != nil:
		err = unreadable(err)
	case !allowed(info.Mode()):
		err = irregular(info.Mode())
	default:
		return f, info, nil
	}
	f.Close()
	return nil, nil, err
}

// readRegular returns the bytes of a regular file of at most limit bytes. A file that grows meanwhile is read up to the size that it had.
func readRegular(name string, limit int64, stat statFunc, open openFunc) ([]byte, error) {
	f, size, err := openRegular(name, limit, stat, open)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, size))
	if err != nil {
		return nil, unreadable(err)
	}
	return data, nil
}

// readError is why a file cannot be read.
type readError struct{ cause error }

func unreadable(err error) error  { return readError{hive.Cause(err)} }
func (e readError) Error() string { return "cannot be read: " + e.cause.Error() }
func (e readError) Unwrap() error { return e.cause }

// irregular returns why a file of this mode is not opened.
func irregular(mode fs.FileMode) error {
	what := "a device"
	switch {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeSymlink != 0:
		what = "a link"
	}
	return fmt.Errorf("is no regular file (%s)", what)
}
