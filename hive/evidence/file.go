package evidence

import (
	"cmp"
	"errors"
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

// openFile opens a regular file that can be read at any place. For any other file, which can be no container, it returns nil.
func openFile(fsys fs.FS, name, shown string) (block.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	at, ok := f.(io.ReaderAt)
	if err != nil || !ok {
		f.Close()
		return nil, err
	}
	return &file{File: f, at: at, name: shown, size: info.Size()}, nil
}

// siblings opens the files beside an image.
type siblings struct {
	fsys        fs.FS
	name, shown string              // of the image
	names       map[string][]string // of the regular files of the folder, by their folded forms; nil until they are listed
}

// open opens a file by the plain name that an image gives, in any case: most who write images take no notice of it. It follows no link, since
// whoever made the image could lead it anywhere.
func (s *siblings) open(sibling string) (block.File, error) {
	if sibling == "" || sibling == "." || sibling == ".." || strings.ContainsAny(sibling, "/\\:\x00") {
		return nil, &fs.PathError{Op: "open", Path: sibling, Err: fs.ErrInvalid}
	}
	info, err := fs.Lstat(s.fsys, inFolderOf(s.name)+sibling)
	if errors.Is(err, fs.ErrNotExist) {
		if like := s.like(sibling); like != "" {
			sibling = like
			info, err = fs.Lstat(s.fsys, inFolderOf(s.name)+sibling)
		}
	}
	path := inFolderOf(s.name) + sibling
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, &fs.PathError{Op: "open", Path: path, Err: errLink}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "open", Path: path, Err: errNoFile}
	}
	f, err := openFile(s.fsys, path, inFolderOf(s.shown)+Escape(sibling))
	if f == nil && err == nil {
		err = &fs.PathError{Op: "open", Path: path, Err: errNoFile}
	}
	return f, err
}

// Why a file beside an image is not opened.
var (
	errLink   = errors.New("it is a link, which is not followed: put the file itself there")
	errNoFile = errors.New("it is no regular file")
)

// like returns the one name in the folder that is the same without case, or "".
func (s *siblings) like(sibling string) string {
	if s.names == nil {
		s.names = map[string][]string{}
		folder := inFolderOf(s.name)
		if len(folder) > 1 {
			folder = strings.TrimSuffix(folder, "/")
		}
		entries, _ := fs.ReadDir(s.fsys, cmp.Or(folder, ".")) // what cannot be listed has no other names
		for _, e := range entries {
			folded := hive.Fold(e.Name())
			s.names[folded] = append(s.names[folded], e.Name())
		}
	}
	if names := s.names[hive.Fold(sibling)]; len(names) == 1 {
		return names[0]
	}
	return ""
}

// inFolderOf returns a path up to and including its last separator.
func inFolderOf(path string) string {
	return path[:strings.LastIndexFunc(path, func(r rune) bool { return r == '/' || r < 0x80 && os.IsPathSeparator(uint8(r)) })+1]
}
