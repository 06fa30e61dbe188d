package collection

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Local is the file system of this computer as an [fs.FS]. A name is any path that the system accepts, not only those that [fs.ValidPath]
// allows, or a place in an image or archive (see [evidence.Split]), or [StandardInput]. Files are opened for reading only. Names that begin with
// the scheme of a store, such as gs://BUCKET/OBJECT, lead into that.
//
// Local records every file that was opened through it or named to [Local.Protect], so that no output replaces one: see [Local.Protects]. It
// is safe for concurrent use.
type Local struct {
	Stdin   io.Reader        // or nil
	Shadows bool             // whether [List] also lists what the shadow copies in images hold
	Share   Share            // [List] lists what is in it
	Stores  map[string]Store // by the scheme of their names, "gs" for gs://BUCKET/OBJECT; nil if all names are those of files here

	names storedNames
	trees trees // the images and archives that were opened

	mu      sync.Mutex
	known   []fs.FileInfo
	named   []string           // to [Local.Protect], and not looked at yet
	places  map[string]int     // that were listed, in their order
	buckets map[string]*bucket // by their names, as gs://BUCKET
	turn    int                // see [Group]

	looking sync.Mutex // at those that are named

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
	f, err := ask(l, name, fs.FS.Open)
	if f, ok := f.(*os.File); ok {
		l.note(f)
	}
	return f, err
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
	return ask(l, name, fs.Stat)
}

// Lstat implements [fs.ReadLinkFS]. It looks into no image and no archive.
func (l *Local) Lstat(name string) (fs.FileInfo, error) {
	fsys, stored, err := l.outside(name)
	if err != nil {
		return nil, err
	}
	return fs.Lstat(fsys, stored)
}

// ReadLink implements [fs.ReadLinkFS].
func (l *Local) ReadLink(name string) (string, error) {
	fsys, stored, err := l.outside(name)
	if err != nil {
		return "", err
	}
	return fs.ReadLink(fsys, stored)
}

// ReadDir implements [fs.ReadDirFS].
func (l *Local) ReadDir(name string) ([]fs.DirEntry, error) { return ask(l, name, fs.ReadDir) }

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
// ignored, and one of an object, because outputs are files of this computer. Names are looked at when there is a file that an output would replace:
// of a share of a fleet, nearly all files are those of others.
func (l *Local) Protect(names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.named = append(l.named, names...)
}

// Protects reports whether a name leads to a file that was opened or is protected. The identity of the file decides, so that links and
// other spellings make no difference.
func (l *Local) Protects(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return false
	}
	l.lookAtNamed()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, known := range l.known {
		if os.SameFile(known, info) {
			return true
		}
	}
	return false
}

// lookAtNamed finds out which files the names lead to that are protected.
func (l *Local) lookAtNamed() {
	l.looking.Lock()
	defer l.looking.Unlock()
	l.mu.Lock()
	named := l.named
	l.named = nil
	l.mu.Unlock()
	for _, name := range named {
		if _, _, is := l.object(name); is {
			continue
		}
		if info, err := l.Stat(name); err == nil && info.Mode().IsRegular() {
			l.keep(info)
		}
	}
}
