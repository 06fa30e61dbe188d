package evidence

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// folder is the root of an image: its volumes by their names, and the shadow copies of these, which are not listed.
type folder []*Volume

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
	for _, v := range f {
		if v.Opened() {
			entries = append(entries, fs.FileInfoToDirEntry(named(v.Name)))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// in calls ask for the volume of a name, with the path in it.
func in[T any](f folder, op, name string, ask func(files, string) (T, error)) (result T, err error) {
	volume, inside, _ := strings.Cut(name, "/")
	files, err := f.volume(volume)
	if !fs.ValidPath(name) {
		err = fs.ErrInvalid
	}
	if err != nil {
		return result, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return ask(files, cmp.Or(inside, "."))
}

// volume returns the files of a volume, or of a shadow copy: p2@vss3. That one cannot be read is another error than that it is not there.
func (f folder) volume(name string) (files, error) {
	base, shadow, isShadow := strings.Cut(name, shadowSign)
	i := slices.IndexFunc(f, func(v *Volume) bool { return v.Name == base })
	switch {
	case i < 0:
		return nil, fs.ErrNotExist
	case f[i].Err != nil:
		return nil, f[i].Err
	case !f[i].Opened():
		return nil, errors.New("is a volume that holds no Windows")
	case isShadow:
		return f[i].shadow(shadow)
	}
	return f[i].files, nil
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
