package evidence

import (
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// folder is the root of an image: its volumes by their names.
type folder map[string]files

func (f folder) Open(name string) (fs.File, error) {
	if name == "." {
		entries, _ := f.ReadDir(".")
		return &openFolder{entries: entries}, nil
	}
	return in(f, "open", name, files.Open)
}

func (f folder) Stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return named("."), nil
	}
	return in(f, "stat", name, files.Stat)
}

func (f folder) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return in(f, "open", name, files.ReadDir)
	}
	var entries []fs.DirEntry
	for _, volume := range slices.Sorted(maps.Keys(f)) {
		entries = append(entries, fs.FileInfoToDirEntry(named(volume)))
	}
	return entries, nil
}

// in calls ask for the volume of a name, with the path in it.
func in[T any](f folder, op, name string, ask func(files, string) (T, error)) (result T, err error) {
	volume, inside, below := strings.Cut(name, "/")
	switch v := f[volume]; {
	case !fs.ValidPath(name):
		return result, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	case v == nil:
		return result, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	case !below:
		return ask(v, ".")
	default:
		return ask(v, inside)
	}
}

// openFolder is the root of an image, opened.
type openFolder struct{ entries []fs.DirEntry }

func (*openFolder) Stat() (fs.FileInfo, error) { return named("."), nil }
func (*openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}
func (*openFolder) Close() error { return nil }

func (o *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(o.entries)
	} else if len(o.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(o.entries))
	entries := o.entries[:n]
	o.entries = o.entries[n:]
	return entries, nil
}

// named is the folder of a volume, or of all of them.
type named string

func (n named) Name() string     { return string(n) }
func (named) Size() int64        { return 0 }
func (named) Mode() fs.FileMode  { return fs.ModeDir | 0o555 }
func (named) ModTime() time.Time { return time.Time{} }
func (named) IsDir() bool        { return true }
func (named) Sys() any           { return nil }

// below is a folder of a filesystem.
type below struct {
	files
	folder string
}

func (b below) Open(name string) (fs.File, error)     { return b.files.Open(path.Join(b.folder, name)) }
func (b below) Stat(name string) (fs.FileInfo, error) { return b.files.Stat(path.Join(b.folder, name)) }
func (b below) ReadDir(name string) ([]fs.DirEntry, error) {
	return b.files.ReadDir(path.Join(b.folder, name))
}
