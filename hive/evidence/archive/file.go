package archive

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"regvet/hive/evidence/block"
)

// Open returns a member or a folder. That there is none is certain only if the list of members is whole: else that is a gap.
func (a *Archive) Open(name string) (fs.File, error) {
	m, err := a.find("open", name)
	if err != nil {
		return nil, err
	}
	if m.kind == directory {
		return &openFolder{a: a, member: m}, nil
	}
	if err := a.examine(m); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &file{a: a, member: m}
	f.next = io.NewSectionReader(f, 0, m.size)
	return f, nil
}

// Stat returns what the archive tells about a name. Nothing is unpacked for it.
func (a *Archive) Stat(name string) (fs.FileInfo, error) {
	m, err := a.find("stat", name)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// ReadDir returns what a folder holds, in the order of the names. If the list of members is not whole, it returns what is in it and an error.
func (a *Archive) ReadDir(name string) ([]fs.DirEntry, error) {
	m, err := a.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if m.kind != directory {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("is no folder")}
	}
	var list []fs.DirEntry
	for i := a.below(name); i < len(a.members); {
		inside, ok := inFolder(a.members[i].name, name)
		if !ok {
			break
		}
		first, _, deeper := strings.Cut(inside, "/")
		entry := a.members[i]
		if deeper {
			entry = &member{name: path.Join(name, first), kind: directory}
		}
		list = append(list, entry)
		i = a.behind(i, path.Join(name, first))
	}
	slices.SortFunc(list, func(x, y fs.DirEntry) int { return strings.Compare(x.Name(), y.Name()) })
	if a.missing != nil {
		return list, &fs.PathError{Op: "readdir", Path: name, Err: a.missing}
	}
	return list, nil
}

// find returns the member of a name, or a folder if there are members below it.
func (a *Archive) find(op, name string) (*member, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if m := lookup(a.members, name); m != nil {
		return m, nil
	}
	if i := a.below(name); name == "." || i < len(a.members) && strings.HasPrefix(a.members[i].name, name+"/") {
		return &member{name: name, kind: directory}, nil
	}
	if a.missing != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: a.missing}
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// below returns the index of the first member in a folder, if there is any.
func (a *Archive) below(folder string) int {
	if folder == "." {
		return 0
	}
	i, _ := slices.BinarySearchFunc(a.members, folder+"/", func(m *member, name string) int { return compareNames(m.name, name) })
	return i
}

// behind returns the index of the first member behind the one at i that is neither it nor below it, if that is a folder.
func (a *Archive) behind(i int, name string) int {
	for i < len(a.members) && a.members[i].name == name {
		i++
	}
	if i == len(a.members) || !strings.HasPrefix(a.members[i].name, name) { // most are files
		return i
	}
	return i + sort.Search(len(a.members)-i, func(n int) bool { return !strings.HasPrefix(a.members[i+n].name, name+"/") })
}

func inFolder(name, folder string) (inside string, ok bool) {
	if folder == "." {
		return name, true
	}
	return strings.CutPrefix(name, folder+"/")
}

// examine reads a member once, and returns why it cannot be read.
func (a *Archive) examine(m *member) error {
	if m.kind == link {
		return block.NewGap(a.f, m.at, "is a link, which is not followed; name what it leads to")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.state&examined == 0 {
		if m.err == nil {
			if err := a.format.examine(m); m.err == nil {
				m.err = a.gap(m, err)
			}
		}
		m.state |= examined
	}
	return m.err
}

// file is an open member, whose content matches its checksum.
type file struct {
	a *Archive
	*member
	load    sync.Once
	content io.ReaderAt // all of it, once it was asked for
	err     error
	spill   *spill // that is content, or nil

	next *io.SectionReader // of the file itself, to be read from a place on

	mu     sync.Mutex
	closed bool
}

func (f *file) Stat() (fs.FileInfo, error) { return f.member, nil }

func (f *file) Locate(at int64) (string, int64) {
	if r := f.a.format.plain(f.member); r != nil {
		return block.Locate(r, at)
	}
	return block.Locate(f.a.f, f.member.at)
}

// ReadAt follows [io.ReaderAt].
func (f *file) ReadAt(p []byte, at int64) (int, error) {
	switch {
	case at < 0:
		return 0, fmt.Errorf("read at the negative offset %d", at)
	case f.isClosed():
		return 0, fs.ErrClosed
	case at >= f.size:
		return 0, io.EOF
	}
	whole := len(p)
	p = p[:min(int64(whole), f.size-at)]
	r, err := f.reader(at + int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		err = nil
		if n < whole {
			err = io.EOF
		}
	}
	return n, err
}

// reader returns what the content can be read from, up to an offset.
func (f *file) reader(end int64) (io.ReaderAt, error) {
	if f.state&keptWhole != 0 || f.state&keptHead != 0 && end <= headSize {
		return io.NewSectionReader(f.a.kept, f.kept, f.size), nil
	}
	f.load.Do(func() { f.content, f.err = f.unpacked() })
	return f.content, f.err
}

// unpacked unpacks the content, if it does not lie in the file as it is.
func (f *file) unpacked() (io.ReaderAt, error) {
	if r := f.a.format.plain(f.member); r != nil {
		return r, nil
	}
	content := newSpill(f.a.room, 64<<20)
	sum := crc32.NewIEEE()
	err := content.expect(f.size)
	if err == nil {
		err = f.a.format.unpack(f.member, io.MultiWriter(content, sum))
	}
	if err == nil && (content.size != f.size || sum.Sum32() != f.crc) {
		err = errChecksum // of a file that was changed in between
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.closed {
		err = fs.ErrClosed
	}
	if err != nil {
		content.Close()
		return nil, f.a.gap(f.member, err)
	}
	f.spill = content
	return content, nil
}

// Read reads on from where Read or Seek ended.
func (f *file) Read(p []byte) (int, error) { return f.next.Read(p) }

// Seek follows [io.Seeker].
func (f *file) Seek(offset int64, whence int) (int64, error) { return f.next.Seek(offset, whence) }

func (f *file) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// Close gives the room of unpacked content back.
func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.spill != nil {
		return f.spill.Close()
	}
	return nil
}

// openFolder is a folder that is read in pieces.
type openFolder struct {
	a *Archive
	*member
	list []fs.DirEntry
	err  error
	read bool
}

func (d *openFolder) Stat() (fs.FileInfo, error) { return d.member, nil }
func (d *openFolder) Close() error               { return nil }

func (d *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a folder")}
}

// ReadDir follows [fs.ReadDirFile].
func (d *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		d.read = true
		d.list, d.err = d.a.ReadDir(d.name)
	}
	if n <= 0 || n > len(d.list) {
		if n > 0 && len(d.list) == 0 {
			return nil, cmp.Or(d.err, io.EOF)
		}
		n = len(d.list)
	}
	list := d.list[:n]
	d.list = d.list[n:]
	if n == 0 || len(d.list) > 0 {
		return list, nil
	}
	return list, d.err
}
