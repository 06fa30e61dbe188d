package evidence

import (
	"io"
	"io/fs"
	"os"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// file is an open file of a filesystem as evidence.
type file struct {
	fs.File
	at   io.ReaderAt
	name string
	size int64
}

func (f *file) Name() string                    { return f.name }
func (f *file) Size() int64                     { return f.size }
func (f *file) Locate(at int64) (string, int64) { return f.name, at }
func (f *file) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.at.ReadAt(p, at)
	if err != nil && err != io.EOF && !block.IsGap(err) {
		err = block.NewGap(f, at+int64(n), "cannot be read: %v", hive.Cause(err))
	}
	return n, err
}

// openFile opens a regular file that can be read at any place. For any other file, which can be no container, it returns nil, and for one that is
// not there: reading it as a hive tells that.
func openFile(fsys fs.FS, name, shown string) (block.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil
	}
	info, err = f.Stat()
	at, ok := f.(io.ReaderAt)
	if err != nil || !ok {
		f.Close()
		return nil, err
	}
	return &file{File: f, at: at, name: shown, size: info.Size()}, nil
}

// openBeside opens a file beside the one with the name, by the plain name that an image gives. It follows no link, since whoever made the image
// could lead it anywhere.
func openBeside(fsys fs.FS, name, shown, sibling string) (block.File, error) {
	if sibling == "" || sibling == "." || sibling == ".." || strings.ContainsAny(sibling, "/\\:\x00") {
		return nil, &fs.PathError{Op: "open", Path: sibling, Err: fs.ErrInvalid}
	}
	path := inFolderOf(name) + sibling
	info, err := fs.Lstat(fsys, path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
	}
	f, err := openFile(fsys, path, inFolderOf(shown)+Escape(sibling))
	if f == nil && err == nil {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
	}
	return f, err
}

// inFolderOf returns a path up to and including its last separator.
func inFolderOf(path string) string {
	return path[:strings.LastIndexFunc(path, func(r rune) bool { return r == '/' || r < 0x80 && os.IsPathSeparator(uint8(r)) })+1]
}
