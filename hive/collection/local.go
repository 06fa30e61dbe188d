package collection

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Local is the file system of this computer as an [fs.FS]. A name is any path that the system accepts, not only those that [fs.ValidPath]
// allows, or a place in an image or archive (see [evidence.Split]), or [StandardInput]. Files are opened for reading only.
//
// Local records every file that was opened through it or named to [Local.Protect], so that no output replaces one: see [Local.Protects]. It
// is safe for concurrent use.
type Local struct {
	Stdin   io.Reader // or nil
	Shadows bool      // whether [List] also lists what the shadow copies in images hold
	Share   Share     // [List] lists what is in it

	names storedNames
	trees trees // the images and archives that were opened

	mu     sync.Mutex
	known  []fs.FileInfo
	places map[string]int // that were listed, in their order

	listing sync.Mutex // not mu, because listing a folder of an image opens files
	folder  string     // the last one whose logs were asked for
	logs    logs       // those in it
}

// StandardInput is the name of standard input.
const StandardInput = "-"

// Open opens a file or a folder. A device other than standard input is refused, because many devices do not end. Opening a pipe waits for
// its writer; [openFound] does not open one.
func (l *Local) Open(name string) (fs.File, error) {
	if name == StandardInput {
		return l.openStdin()
	}
	name = l.stored(name)
	info, err := os.Stat(name)
	if err != nil {
		return inside(l, name, err, fs.FS.Open)
	}
	switch {
	case info.Mode()&fs.ModeDevice != 0:
		return nil, refused(name, "it is a device; copy its content to a file and give that")
	case info.Mode()&(fs.ModeSocket|fs.ModeIrregular) != 0:
		return nil, refused(name, "it is not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	l.note(f)
	return f, nil
}

func refused(name, why string) error {
	return &fs.PathError{Op: "open", Path: name, Err: errors.New(why)}
}

// Stat implements [fs.StatFS]. It does not open the file, because opening a pipe would wait.
func (l *Local) Stat(name string) (fs.FileInfo, error) {
	if name == StandardInput {
		f, err := l.openStdin()
		if err != nil {
			return nil, err
		}
		return f.Stat()
	}
	info, err := os.Stat(l.stored(name))
	if err != nil {
		return inside(l, name, err, fs.Stat)
	}
	return info, nil
}

// Lstat implements [fs.ReadLinkFS].
func (l *Local) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (l *Local) ReadLink(name string) (string, error) { return os.Readlink(name) }

// ReadDir implements [fs.ReadDirFS].
func (l *Local) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(l.stored(name))
	if err != nil {
		return inside(l, name, err, fs.ReadDir)
	}
	return entries, nil
}

// stored returns the name of a file. If nothing has the name, it may be the one that the file had before a collector encoded it: see [decoded].
func (l *Local) stored(name string) string {
	if _, err := os.Lstat(name); err == nil {
		return name
	}
	volume := filepath.VolumeName(name) // of this computer, where that is a Windows
	shown := filepath.ToSlash(name[len(volume):])
	list := func(folder string) ([]fs.DirEntry, error) { return os.ReadDir(volume + folder) }
	if stored := l.names.of(list, shown); stored != shown {
		return volume + stored
	}
	return name
}

// logsIn returns the logs of a folder. It lists a folder once for any number of files in it that are asked for in a row.
func (l *Local) logsIn(folder string) logs {
	l.listing.Lock()
	defer l.listing.Unlock()
	if l.logs == nil || l.folder != folder {
		l.folder, l.logs = folder, logsIn(l, folder)
	}
	return l.logs
}

func (l *Local) openStdin() (fs.File, error) {
	if f, ok := l.Stdin.(*os.File); ok {
		l.note(f)
		return unclosed{f}, nil
	}
	if l.Stdin == nil {
		return nil, &fs.PathError{Op: "open", Path: StandardInput, Err: fs.ErrNotExist}
	}
	return stream{l.Stdin}, nil
}

// unclosed is standard input, which must stay open.
type unclosed struct{ *os.File }

func (unclosed) Close() error { return nil }

// stream is standard input that is not an [os.File].
type stream struct{ io.Reader }

func (stream) Close() error                 { return nil }
func (s stream) Stat() (fs.FileInfo, error) { return s, nil }
func (stream) Name() string                 { return StandardInput }
func (stream) Size() int64                  { return 0 }
func (stream) Mode() fs.FileMode            { return fs.ModeNamedPipe }
func (stream) ModTime() time.Time           { return time.Time{} }
func (stream) IsDir() bool                  { return false }
func (stream) Sys() any                     { return nil }

// note records the identity of an open file, by which all of its names are recognized.
func (l *Local) note(f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		l.keep(info)
	}
}

func (l *Local) keep(info fs.FileInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = append(l.known, info)
}

// Protect records files that no output may replace, whether or not they will be opened. A name that does not lead to a regular file is
// ignored.
func (l *Local) Protect(names ...string) {
	for _, name := range names {
		if info, err := l.Stat(name); err == nil && info.Mode().IsRegular() {
			l.keep(info)
		}
	}
}

// Protects reports whether a name leads to a file that was opened or is protected. The identity of the file decides, so that links and
// other spellings make no difference.
func (l *Local) Protects(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, known := range l.known {
		if os.SameFile(known, info) {
			return true
		}
	}
	return false
}
