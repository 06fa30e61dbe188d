package collection

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Store opens a bucket of an object store as a filesystem, in which the names of objects are paths. Nothing is known of an object that the
// filesystem cannot be asked for: an error other than [fs.ErrNotExist] says so, and an object that was changed after it was opened is such an
// error, too.
type Store func(bucket string) (fs.FS, error)

// bucket is one that was opened.
type bucket struct {
	fs.FS
	names storedNames
}

// system is this computer, with any name that it accepts.
type system struct{}

func (system) Open(name string) (fs.File, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeDevice != 0:
		return nil, refused(name, "it is a device; copy its content to a file and give that")
	case info.Mode()&(fs.ModeSocket|fs.ModeIrregular) != 0:
		return nil, refused(name, "it is not a regular file")
	}
	return os.Open(name)
}

func (system) Stat(name string) (fs.FileInfo, error)      { return os.Stat(name) }
func (system) Lstat(name string) (fs.FileInfo, error)     { return os.Lstat(name) }
func (system) ReadLink(name string) (string, error)       { return os.Readlink(name) }
func (system) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }

// object splits the name of an object, or of what lies in it, into the bucket, as gs://BUCKET, and the path there. It reports whether the name is one.
func (l *Local) object(name string) (bucket, object string, is bool) {
	scheme, rest, _ := strings.Cut(name, "://")
	if l.Stores[scheme] == nil {
		return "", "", false
	}
	id, object, _ := strings.Cut(rest, "/")
	return strings.TrimSuffix(name[:len(name)-len(object)], "/"), object, id != ""
}

// bucket returns a bucket by its name, as gs://BUCKET.
func (l *Local) bucket(name string) (*bucket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[name]; b != nil {
		return b, nil
	}
	scheme, id, _ := strings.Cut(name, "://")
	fsys, err := l.Stores[scheme](id)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if l.buckets == nil {
		l.buckets = map[string]*bucket{}
	}
	l.buckets[name] = &bucket{FS: fsys}
	return l.buckets[name], nil
}

// outside returns what holds the file that a name leads to, if that is in no image and no archive, and the name that it has there: the given one or, if
// nothing has that, the one that a collector made of it, see [decoded].
func (l *Local) outside(name string) (fsys fs.FS, stored string, err error) {
	at, object, is := l.object(name)
	if !is {
		volume := filepath.VolumeName(name) // of this computer, where that is a Windows
		return system{}, l.names.stored(system{}, name, volume, filepath.ToSlash(name[len(volume):])), nil
	}
	object = cmp.Or(strings.TrimSuffix(object, "/"), ".")
	if !fs.ValidPath(object) {
		return nil, "", refused(name, `no file can be called so: a part of the name is empty, "." or ".."; copy the object under another name`)
	}
	b, err := l.bucket(at)
	if err != nil {
		return nil, "", err
	}
	if i := strings.Index(object, "!/"); i > 0 {
		// There are a hundred names in an image to ask for, and none of them is that of an object if no folder ends so.
		if _, err := fs.Stat(b, object[:i+1]); err != nil {
			return nil, "", err
		}
	}
	return b, b.names.stored(b, object, "", object), nil
}

// stored returns the name under which a file is stored, by the one that is shown: as it was given, and its volume and the rest, with slashes.
func (s *storedNames) stored(fsys fs.FS, name, volume, shown string) string {
	if !strings.ContainsAny(shown, `:\%`) { // as nearly all names, and asking a store takes time
		return name
	}
	if _, err := fs.Lstat(fsys, name); err == nil {
		return name
	}
	list := func(folder string) ([]fs.DirEntry, error) { return fs.ReadDir(fsys, volume+folder) }
	if stored := s.of(list, shown); stored != shown {
		return volume + stored
	}
	return name
}

// ask asks for what a name leads to, wherever that is.
func ask[T any](l *Local, name string, of func(fs.FS, string) (T, error)) (result T, err error) {
	fsys, stored, err := l.outside(name)
	if err == nil {
		result, err = of(fsys, stored)
	}
	if err != nil {
		return inside(l, name, err, of)
	}
	return result, nil
}

// decodedFolder returns a folder that is in no image and no archive, with decoded names.
func (l *Local) decodedFolder(name string) (fs.FS, error) {
	fsys, stored, err := l.outside(name)
	if err != nil {
		return nil, err
	}
	if fsys == (system{}) {
		return decode(os.DirFS(stored), isOnDrive(name)), nil
	}
	_, object, _ := l.object(name)
	folder, err := fs.Sub(fsys, stored)
	return decode(folder, isOnDrive(object)), err
}
