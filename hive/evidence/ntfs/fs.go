package ntfs

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// The attributes of a file, as names and $STANDARD_INFORMATION have them, and what a tag of a reparse point tells of it.
// Source: Microsoft, [MS-FSCC] 2.6 and 2.1.2.1.
const (
	isReparsePoint = 0x400
	isFolder       = 0x10000000
	surrogate      = 0x20000000 // it stands for another file: a link
	tagCompressed  = 0x80000017 // IO_REPARSE_TAG_WOF
)

// errLink is why what is behind a link is not told.
var errLink = errors.New("is a link or another reparse point, which is not followed")

// Open opens a file or folder. The error is [fs.ErrNotExist] only if there verifiably is none.
func (v *Volume) Open(name string) (fs.File, error) {
	f, own, err := v.resolve(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	opened, err := f.open(own)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return opened, nil
}

// Stat describes a file or folder.
func (v *Volume) Stat(name string) (fs.FileInfo, error) {
	f, own, err := v.resolve(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	i, _, err := f.info(own)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return i, nil
}

// ReadDir lists a folder, by name, without the volume's own files and without 8.3 names. If not all of it could be read, it returns the rest and
// an error.
func (v *Volume) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := v.Open(name)
	if err != nil {
		return nil, err
	}
	opened, ok := f.(*openFolder)
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("is not a folder")}
	}
	list, err := opened.list()
	if err != nil {
		err = &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return list, err
}

// resolve returns the file at a path, and its name in its own case.
func (v *Volume) resolve(name string) (*file, string, error) {
	if !fs.ValidPath(name) {
		return nil, "", fs.ErrInvalid
	}
	if name == "." {
		f, err := v.file(v.root)
		return f, ".", err
	}
	d, err := v.folder(path.Dir(name))
	if err != nil {
		return nil, "", err
	}
	wanted := utf16.Encode([]rune(path.Base(name)))
	list, err := d.lookup(wanted)
	if len(list) == 0 {
		return nil, "", cmp.Or(err, d.absent(wanted))
	}
	f, err := d.follow(list[0])
	return f, string(utf16.Decode(list[0].name)), err
}

// mostKept is how many folders on the way to the last file that was asked for are kept.
const mostKept = 8

// kept is a folder that was on the way.
type kept struct {
	path   string
	folder *folder
}

// folder returns the folder at a path. The last one of each depth is kept: who searches a volume asks for one folder after the other in the same.
func (v *Volume) folder(name string) (*folder, error) {
	depth := 0
	if name != "." {
		depth = 1 + strings.Count(name, "/")
	}
	if depth < mostKept {
		v.mu.Lock()
		k := v.onWay[depth]
		v.mu.Unlock()
		if k.folder != nil && k.path == name {
			return k.folder, nil
		}
	}
	f, _, err := v.resolve(name)
	if err != nil {
		return nil, err
	}
	d, err := f.enter()
	if err == nil && depth < mostKept {
		v.mu.Lock()
		v.onWay[depth] = kept{name, d}
		v.mu.Unlock()
	}
	return d, err
}

// enter returns the folder that a file is.
func (f *file) enter() (*folder, error) {
	tag, err := f.reparse()
	switch {
	case err != nil:
		return nil, err
	case f.directory && tag&surrogate == 0:
		return f.folder()
	case tag != 0 && tag != tagCompressed:
		return nil, errLink
	}
	return nil, fs.ErrNotExist
}

// absent returns what it means that a name is not in a folder that could be read. Every table of letters that NTFS has had treats ASCII alike.
func (d *folder) absent(name []uint16) error {
	if !d.v.ownUp && slices.ContainsFunc(name, func(u uint16) bool { return u >= 0x80 }) {
		return d.v.lost(d.record, "whether the folder in MFT record %d holds the name is not known without the volume's own table of upper-case letters", d.number())
	}
	return fs.ErrNotExist
}

// follow returns the file of an entry, which must name itself so. A folder has one name in one folder: that makes a tree of them.
func (d *folder) follow(e entry) (*file, error) {
	f, err := d.v.file(e.reference)
	if err != nil {
		return nil, err
	}
	links, err := f.links()
	if !slices.ContainsFunc(links, func(l link) bool { return l.parent == d.reference && slices.Equal(l.name, e.name) }) {
		return nil, cmp.Or(err, d.v.lost(f.record, "MFT record %d does not have the name by which a folder refers to it", f.number()))
	}
	if f.directory != (e.flags&isFolder != 0) {
		return nil, d.v.lost(f.record, "MFT record %d and the folder that names it do not agree whether it is a folder", f.number())
	}
	if f.directory {
		names := 0
		for _, l := range links {
			if !l.dos {
				names++
			}
			if l.parent != d.reference {
				names = len(links) + 2
			}
		}
		if names > 1 {
			return nil, d.v.lost(f.record, "MFT record %d is a folder with more than one place", f.number())
		}
	}
	return f, nil
}

// links returns the names of a file that could be read.
func (f *file) links() (list []link, err error) {
	pieces, err := f.pieces(fileName, "")
	for _, a := range pieces {
		l, bad := parseLink(a.value)
		if bad != nil {
			err = cmp.Or(err, f.v.lost(f.record, "MFT record %d %v", f.number(), bad))
			continue
		}
		list = append(list, l)
	}
	return list, err
}

// reparse returns the tag of the reparse point that a file is, or 0.
func (f *file) reparse() (uint32, error) {
	s, err := f.stream(reparsePoint, "")
	if err != nil || s == nil {
		return 0, err
	}
	raw, err := block.Read(s, 0, int(min(s.size, 8)))
	if err == nil && len(raw) < 8 {
		err = f.v.lost(f.record, "MFT record %d has a reparse point of %d bytes", f.number(), len(raw))
	}
	if err != nil {
		return 0, err
	}
	return le.Uint32(raw), nil
}

// modified returns when the content was last written; zero if not known.
func (f *file) modified() time.Time {
	pieces, _ := f.pieces(standardInformation, "")
	if len(pieces) == 0 || len(pieces[0].value) < 16 {
		return time.Time{}
	}
	return hive.Filetime(le.Uint64(pieces[0].value[8:])).Time()
}

// content is what a file holds.
type content interface {
	block.Reader
	block.Locator
}

// info describes a file, and returns its content, nil of a folder.
func (f *file) info(name string) (*info, content, error) {
	i := &info{name: name, modified: f.modified()}
	tag, err := f.reparse()
	if err != nil {
		return nil, nil, err
	}
	if i.mode = mode(f.directory, tag); i.mode.IsDir() {
		return i, nil, nil
	}
	s, err := f.data(tag)
	if err != nil {
		return nil, nil, err
	}
	i.size = s.Size()
	return i, s, nil
}

// data returns the content of what is no folder.
func (f *file) data(tag uint32) (content, error) {
	s, err := f.stream(data, "")
	switch {
	case err != nil:
		return nil, err
	case tag == tagCompressed:
		return f.packed(s)
	case tag != 0:
		if s == nil || f.directory {
			s = &stream{v: f.v, at: f.number() * f.v.recordSize}
		}
		s.refused = errLink
	case s == nil:
		return nil, f.v.lost(f.record, "MFT record %d is a file without content", f.number())
	}
	return s, nil
}

// mode tells a folder, a file or a link apart. What a reparse point of another kind is at is where it seems to be, if it is a folder: one that a
// cloud holds a copy of, say.
func mode(folder bool, tag uint32) fs.FileMode {
	switch {
	case tag&surrogate != 0:
		return fs.ModeSymlink | 0o444
	case folder:
		return fs.ModeDir | 0o555
	case tag != 0 && tag != tagCompressed:
		return fs.ModeIrregular | 0o444
	}
	return 0o444
}

type info struct {
	name     string
	size     int64
	mode     fs.FileMode
	modified time.Time
}

func (i *info) Name() string       { return i.name }
func (i *info) Size() int64        { return i.size }
func (i *info) Mode() fs.FileMode  { return i.mode }
func (i *info) ModTime() time.Time { return i.modified }
func (i *info) IsDir() bool        { return i.mode.IsDir() }
func (i *info) Sys() any           { return nil }

func (f *file) open(name string) (fs.File, error) {
	i, s, err := f.info(name)
	if err != nil {
		return nil, err
	}
	if i.mode&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return nil, errLink
	}
	if s != nil {
		return &openFile{s, io.NewSectionReader(s, 0, s.Size()), i}, nil
	}
	d, err := f.folder()
	if err != nil {
		return nil, err
	}
	return &openFolder{folder: d, info: i}, nil
}

// openFile is a file that is read.
type openFile struct {
	content
	*io.SectionReader // of the content, to be read from a place on
	info              *info
}

func (o *openFile) ReadAt(p []byte, at int64) (int, error) { return o.content.ReadAt(p, at) }
func (o *openFile) Size() int64                            { return o.content.Size() }

func (o *openFile) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *openFile) Close() error               { return nil }

// openFolder is a folder that is listed.
type openFolder struct {
	*folder
	info *info
	mu   sync.Mutex
	left []fs.DirEntry
	err  error // what ends the list
	read bool
}

func (o *openFolder) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *openFolder) Close() error               { return nil }

func (o *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.info.name, Err: errors.New("is a folder")}
}

// ReadDir follows [fs.ReadDirFile].
func (o *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.read {
		o.left, o.err = o.list()
		o.read = true
	}
	take := len(o.left)
	if n > 0 {
		take = min(n, take)
	}
	list := o.left[:take]
	o.left = o.left[take:]
	if n > 0 && take > 0 {
		return list, nil
	}
	err := o.err
	if n > 0 {
		err = cmp.Or(err, io.EOF)
	}
	return list, err
}

// list returns what of a folder has a name here, by name.
func (d *folder) list() ([]fs.DirEntry, error) {
	all, err := d.all()
	long := map[reference]bool{}
	for _, e := range all {
		long[e.reference] = long[e.reference] || !e.dos
	}
	var list []fs.DirEntry
	strange := 0
	for _, e := range all {
		if e.dos && long[e.reference] || d.number() == rootRecord && e.number() < firstOfUsers {
			continue
		}
		name, ok := plainName(e.name)
		if !ok {
			strange++
			continue
		}
		list = append(list, &dirEntry{in: d, entry: e, name: name})
	}
	if strange > 0 {
		d.v.mu.Lock()
		d.v.strange[d.reference] = strange
		d.v.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return slices.CompactFunc(list, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }), err
}

// plainName returns a name as fs.FS has it, if it can.
func plainName(u []uint16) (string, bool) {
	runes := utf16.Decode(u)
	name := string(runes)
	whole := slices.Equal(utf16.Encode(runes), u) // no half of a surrogate pair
	return name, whole && utf8.ValidString(name) && fs.ValidPath(name) && name != "." && !strings.Contains(name, "/")
}

type dirEntry struct {
	in    *folder
	entry entry
	name  string
}

func (e *dirEntry) Name() string      { return e.name }
func (e *dirEntry) IsDir() bool       { return e.Type().IsDir() }
func (e *dirEntry) String() string    { return fs.FormatDirEntry(e) }
func (e *dirEntry) Type() fs.FileMode { return mode(e.entry.flags&isFolder != 0, e.tag()).Type() }

// tag returns the tag that the name tells. Its field has another use in a file that is no reparse point.
func (e *dirEntry) tag() uint32 {
	if e.entry.flags&isReparsePoint == 0 {
		return 0
	}
	return e.entry.tag
}

func (e *dirEntry) Info() (fs.FileInfo, error) {
	f, err := e.in.follow(e.entry)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: e.name, Err: err}
	}
	i, _, err := f.info(e.name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: e.name, Err: err}
	}
	return i, nil
}
