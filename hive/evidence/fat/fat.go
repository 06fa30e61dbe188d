// Package fat reads FAT12, FAT16, FAT32 and exFAT volumes, as [io/fs.FS]. The EFI system partition of a PC is one, with the hive BCD of its
// boot loader, and so are most memory cards and sticks.
//
// A volume is a boot sector with its parameters, one or two tables (the FATs) with a number for each cluster, and the clusters. The number of a
// cluster in a table is that of the next cluster of the same file, or a mark: free, bad, or the end. Directories are files of 32-byte entries.
// FAT has names of 8.3 characters in a code page, and before them entries with a long name in UTF-16 and a checksum of the short one. exFAT
// has sets of entries with a checksum, says of a file in one piece that it needs no table, and has checksums over its boot sectors and over the
// table by which names are compared.
//
// # What is held against what
//
// exFAT verifies nearly all: only its table has no checksum, and neither have the clusters. FAT has none at all, so whatever stands twice is
// compared. Both tables must say the same of each cluster of a file that is read, unless one cannot be read or FAT32 says that one is not kept.
// A chain must have the clusters that the size asks for, no more and no fewer, and none that another leads to. A directory must name itself and its parent. The boot sector of
// FAT32 must have the parameters of its copy. Long names must belong to their entry, and nothing may follow the end of a directory. Where this
// fails, there is a gap; in a directory it means that no name is said to be absent that is not found in what is left.
//
// What FAT cannot tell: that an entry was overwritten by another valid one (another short name, the mark of a deleted one, the
// beginning of another chain of the same length), that letters of a long name were, that a table without a second leads to where such a chain
// begins, or that another place of the clusters stands in the boot sector of FAT12 and FAT16. Nor can the table of exFAT be told to lead into
// another file after the same number of clusters: what it says of clusters that are free, or of files in one piece, is what once was.
//
// # Names
//
// Names are compared as Windows does it, by the volume's own table for exFAT. A FAT file is found by its short name too. Short names
// beyond ASCII are taken as code page 437, the default of Windows in the US; the volume does not say which it is, and Windows writes a long name
// for most of them. Times of FAT are without a zone and taken as UTC.
//
// Sources: Microsoft, "FAT: General Overview of On-Disk Format", 1.03, and "exFAT file system specification".
package fat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Volume is an open FAT or exFAT volume. It is safe for concurrent use.
type Volume struct {
	r             block.Reader
	kind, format  string // for people and for programs
	label, serial string
	root          node
	clusterSize   int64 // bytes
	heap          int64 // offset of the first cluster, which has the number 2
	clusters      uint32
	tables        []table
	width         int    // bits of a number in a table
	mask          uint32 // of the bits that count
	parse         func(v *Volume, d *directory) listing
	fold          func(string) string // the form in which equal names are the same

	linked sync.Once
	links  *links

	mu       sync.Mutex
	problems []hive.Problem
	claims   map[uint32]int64 // by cluster that was read as one of a directory: where the entry of the directory lies
}

// node is a file or directory.
type node struct {
	name, short string
	root, dir   bool
	size        int64 // bytes; of a directory -1 if only its chain says it
	valid       int64 // bytes of them that were written; the others are zeros
	first       uint32
	parent      uint32 // first cluster of the directory that it is in, 0 for the root
	contiguous  bool   // the clusters follow each other, and the table says nothing of them
	fixed       table  // where the root of FAT12 and FAT16 lies, which has no clusters
	modified    time.Time
	at          int64 // of its entry in the volume
	wrong       error // its entry contradicts itself
}

// listing is what a directory holds.
type listing struct {
	nodes  []node
	label  string
	upcase *node // the table of exFAT by which names are compared, with its checksum
	sum    uint32
	gap    error // because of which something can be missing from the nodes; the first one
}

// lose notes that something can be missing.
func (l *listing) lose(err error) {
	if l.gap == nil {
		l.gap = err
	}
}

// Open reads the parameters of a volume. An error is a gap if they are damaged or cannot be read.
func Open(r block.Reader) (*Volume, error) {
	head, err := block.Read(r, 0, int(min(512, r.Size())))
	if err == nil && len(head) < 512 {
		return nil, block.NewGap(r, 0, "%d bytes are no volume", len(head))
	}
	if err == nil && string(head[3:11]) == exSignature {
		return openEx(r)
	}
	return openFAT(r, head, err)
}

// whole returns the volume with all of its bytes. Those that the image does not have are gaps, which cut tells.
func whole(r block.Reader, size int64) (_ block.Reader, cut error) {
	if size <= r.Size() {
		return r, nil
	}
	return block.Section(r, 0, size), block.NewGap(r, r.Size(), "the image ends here, before the volume, which is of %d bytes; what lies behind cannot be read", size)
}

// begin checks the tables of a volume and lists its root. It notes that the copy of the boot sector was used, that the volume was cut off, and that
// something can be missing in the root, where that is so.
func (v *Volume) begin(copied, cut error) (listing, error) {
	if copied != nil {
		v.tell(copied, false)
	}
	if cut != nil {
		v.tell(cut, true)
	}
	if err := v.checkTables(); err != nil {
		return listing{}, err
	}
	l := v.list(v.root)
	if l.gap != nil {
		v.tell(l.gap, true)
	}
	return l, nil
}

// Label returns the name of the volume, or "".
func (v *Volume) Label() string { return v.label }

// Serial returns the serial number as Windows shows it: 1A2B-3C4D.
func (v *Volume) Serial() string { return v.serial }

// Kind returns what the volume is: "a FAT12 volume", FAT16 or FAT32, or "an exFAT volume".
func (v *Volume) Kind() string { return v.kind }

// Format returns the same for programs: "fat12", "fat16", "fat32" or "exfat".
func (v *Volume) Format() string { return v.format }

// Problems returns what was told so far about the volume as a whole, and the names that were left out of its directories.
func (v *Volume) Problems() []hive.Problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.problems)
}

// mostProblems is how many problems are kept.
const mostProblems = 100

// tell notes an error once.
func (v *Volume) tell(err error, loss bool) {
	p, ok := errors.AsType[*hive.Problem](err)
	if !ok {
		p = &hive.Problem{Kind: block.Gap, Msg: err.Error()}
	}
	told := *p
	told.Loss = loss
	v.mu.Lock()
	defer v.mu.Unlock()
	same := func(q hive.Problem) bool { return q.At == told.At && q.Msg == told.Msg }
	if len(v.problems) < mostProblems && !slices.ContainsFunc(v.problems, same) {
		v.problems = append(v.problems, told)
	}
}

// gap returns the error that something at an offset of the volume cannot be trusted.
func (v *Volume) gap(at int64, format string, args ...any) error {
	return block.NewGap(v.r, at, format, args...)
}

// find returns the file or directory of a path.
func (v *Volume) find(op, name string) (node, error) {
	fail := func(err error) (node, error) { return node{}, &fs.PathError{Op: op, Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	n := v.root
	if name == "." {
		return n, nil
	}
	for element := range strings.SplitSeq(name, "/") {
		if n.wrong != nil {
			return fail(n.wrong)
		}
		if !n.dir {
			return fail(fs.ErrNotExist)
		}
		var err error
		if n, err = v.in(v.list(n), element); err != nil {
			return fail(err)
		}
	}
	return n, nil
}

// in returns what has a name in a directory. It is absent only if nothing of the directory is in doubt.
func (v *Volume) in(l listing, name string) (node, error) {
	want := v.fold(name)
	var found []node
	for _, of := range []func(node) string{func(n node) string { return n.name }, func(n node) string { return n.short }} {
		for _, n := range l.nodes {
			if v.fold(of(n)) == want {
				found = append(found, n)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return node{}, v.gap(found[1].at, "a second entry of the name %q is in the same directory; which one counts cannot be said", name)
	case l.gap != nil:
		return node{}, l.gap
	}
	return node{}, fs.ErrNotExist
}

// Open opens a file or directory. A file implements [io.ReaderAt], [io.Seeker] and [block.Reader] too.
func (v *Volume) Open(name string) (fs.File, error) {
	n, err := v.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return &openDir{v: v, node: n}, nil
	}
	c, err := v.content(n)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{io.NewSectionReader(c, 0, c.Size()), c, n}, nil
}

// Stat returns what the entry of a file or directory says.
func (v *Volume) Stat(name string) (fs.FileInfo, error) {
	n, err := v.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{n}, nil
}

// ReadDir returns the entries of a directory, sorted by name. If it is damaged, it returns those that are left with the error.
func (v *Volume) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := v.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if n.wrong == nil && !n.dir {
		n.wrong = errors.New("not a directory")
	}
	if n.wrong != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: n.wrong}
	}
	entries, err := v.entries(n)
	if err != nil {
		err = &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	return entries, err
}

func (v *Volume) entries(dir node) ([]fs.DirEntry, error) {
	l := v.list(dir)
	entries := []fs.DirEntry{}
	for _, n := range l.nodes {
		if n.name == "." || n.name == ".." || !fs.ValidPath(n.name) || strings.Contains(n.name, "/") {
			v.tell(v.gap(n.at, "the name %q cannot be that of a file; it is left out", n.name), true)
			continue
		}
		entries = append(entries, fs.FileInfoToDirEntry(info{n}))
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, l.gap
}

// info is a node as [fs.FileInfo].
type info struct{ n node }

func (i info) Name() string       { return i.n.name }
func (i info) Size() int64        { return max(i.n.size, 0) }
func (i info) ModTime() time.Time { return i.n.modified }
func (i info) IsDir() bool        { return i.n.dir }
func (i info) Sys() any           { return nil }

func (i info) Mode() fs.FileMode {
	if i.n.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	*io.SectionReader
	content *content
	node    node
}

func (f *openFile) Stat() (fs.FileInfo, error) { return info{f.node}, nil }
func (f *openFile) Close() error               { return nil }

// Locate returns where a byte of the file lies, see [block.Locator].
func (f *openFile) Locate(at int64) (string, int64) { return f.content.Locate(at) }

type openDir struct {
	v    *Volume
	node node
	read bool
	rest []fs.DirEntry
	err  error
}

func (d *openDir) Stat() (fs.FileInfo, error) { return info{d.node}, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.node.name, Err: errors.New("is a directory")}
}

// ReadDir follows [fs.ReadDirFile]: an error comes after the entries that are left.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if !d.read {
		d.read = true
		d.rest, d.err = d.v.entries(d.node)
	}
	if n <= 0 {
		n = len(d.rest)
	} else if len(d.rest) == 0 && d.err == nil {
		return nil, io.EOF
	}
	n = min(n, len(d.rest))
	entries := d.rest[:n]
	d.rest = d.rest[n:]
	if len(d.rest) == 0 {
		return entries, d.err
	}
	return entries, nil
}

// serial returns a serial number as Windows shows it.
func serial(n uint32) string { return fmt.Sprintf("%04X-%04X", n>>16, n&0xFFFF) }
