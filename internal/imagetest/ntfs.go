package imagetest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"
	"unicode/utf16"
)

// NTFSOptions are how a volume is laid out. The zero value is one as Windows makes it, of 4 MB.
type NTFSOptions struct {
	Size                           int // bytes of the volume; the backup boot sector lies behind it
	Sector, Cluster, Record, Index int // bytes; 512, 4096, 1024 and 4096 if 0
	Label                          string
	Serial                         uint64
	Dirty                          bool // it is marked to be checked
	LogInUse                       bool // its log was open
	MFTFragments                   int  // runs of the MFT, 9 at most if MFTListed: each but the first then has a record of its own
	MFTListed                      bool
	NodeEntries                    int                 // of a node outside of the root, at most; as many as fit if 0
	Files                          map[string]NTFSFile // by path, how files are stored that are not stored plainly
}

// NTFSFile is how a file or folder is stored.
type NTFSFile struct {
	Fragments   int  // runs over which the content is scattered
	Compressed  bool // by LZNT1
	Sparse      bool // clusters of zeros are left out
	Encrypted   bool // the content is marked as encrypted
	XPRESS      bool // compressed as Windows 10 does it, XPRESS4K
	PerRecord   int  // so many runs are in one record, and an attribute list names the records; 0 for no list
	ListOutside bool // the attribute list is not in the record
	Valid       int  // bytes that were written; all if 0
	DOSName     string
	Links       []string // other paths at which it is
	Reparse     []byte   // a reparse point
	Streams     map[string][]byte
}

// The types of attributes.
const (
	ntfsStandard   = 0x10
	ntfsList       = 0x20
	ntfsName       = 0x30
	ntfsVolumeName = 0x60
	ntfsVolumeInfo = 0x70
	ntfsData       = 0x80
	ntfsRoot       = 0x90
	ntfsAllocation = 0xA0
	ntfsBitmap     = 0xB0
	ntfsReparse    = 0xC0
)

var ntfsLE = binary.LittleEndian

// ntfsRun is clusters that follow each other; lcn is -1 for a hole.
type ntfsRun struct{ count, lcn int }

// ntfsEntry is a file that is being written.
type ntfsEntry struct {
	number     int
	sequence   int
	folder     bool
	unused     bool
	parent     *ntfsEntry
	attributes []ntfsAttribute
	links      int
	how        NTFSFile
	names      []ntfsKey // of what a folder holds
	modified   time.Time
	size       int
	tag        uint32
}

func (e *ntfsEntry) reference() uint64 { return uint64(e.number) | uint64(e.sequence)<<48 }

type ntfsWriter struct {
	NTFSOptions
	image   []byte
	used    []bool // by cluster
	next    int    // where free clusters are looked for
	entries []*ntfsEntry
	records [][]byte // by number, without the update sequence
	up      [1 << 16]uint16
}

// NTFS returns an NTFS volume that holds the files of fsys. It panics if they do not fit.
func NTFS(fsys fs.FS, o NTFSOptions) []byte {
	o.Size = cmp.Or(o.Size, 4<<20)
	o.Sector, o.Cluster = cmp.Or(o.Sector, 512), cmp.Or(o.Cluster, 4096)
	o.Record, o.Index = cmp.Or(o.Record, 1024), cmp.Or(o.Index, 4096)
	o.Serial = cmp.Or(o.Serial, 0x1122334455667788)
	w := &ntfsWriter{NTFSOptions: o}
	w.image = make([]byte, o.Size+o.Sector)
	w.used = make([]bool, o.Size/o.Cluster)
	w.upcase()
	w.system()
	w.tree(fsys)
	for _, e := range w.entries {
		if e.folder {
			w.index(e)
		}
	}
	for _, e := range w.entries[1:] {
		w.finish(e)
	}
	w.finishMFT()
	return w.image
}

// clusters returns how many clusters so many bytes take.
func (w *ntfsWriter) clusters(size int) int { return (size + w.Cluster - 1) / w.Cluster }

// take returns free clusters, in so many runs with something else between them.
func (w *ntfsWriter) take(count, fragments int) (runs []ntfsRun) {
	fragments = max(1, min(fragments, count))
	for i := range fragments {
		n := count / fragments
		if i < count%fragments {
			n++
		}
		if n > 0 {
			runs = append(runs, ntfsRun{n, w.free(n)})
		}
		if fragments > 1 {
			w.next++ // a free cluster between them
		}
	}
	return runs
}

// free takes clusters that follow each other.
func (w *ntfsWriter) free(count int) int {
	for range 2 {
		for start := w.next; start+count <= len(w.used); start++ {
			if !slices.Contains(w.used[start:start+count], true) {
				for i := range count {
					w.used[start+i] = true
				}
				w.next = start + count
				return start
			}
		}
		w.next = 0
	}
	panic("the NTFS volume is full")
}

// put writes content into runs.
func (w *ntfsWriter) put(runs []ntfsRun, content []byte) {
	for _, r := range runs {
		if r.lcn >= 0 {
			n := copy(w.image[r.lcn*w.Cluster:(r.lcn+r.count)*w.Cluster], content)
			content = content[n:]
		}
	}
}

// outside returns an attribute whose content lies in clusters of its own.
func (w *ntfsWriter) outside(kind uint32, name string, content []byte, fragments int) ntfsAttribute {
	runs := w.take(w.clusters(len(content)), fragments)
	w.put(runs, content)
	return w.mapped(kind, name, runs, len(content))
}

func (w *ntfsWriter) mapped(kind uint32, name string, runs []ntfsRun, size int) ntfsAttribute {
	a := ntfsAttribute{kind: kind, name: name, runs: runs, size: size, valid: size, outside: true}
	for _, r := range runs {
		a.total += r.count
	}
	return a
}

// add makes a new file.
func (w *ntfsWriter) add(parent *ntfsEntry, folder bool) *ntfsEntry {
	e := &ntfsEntry{number: len(w.entries), sequence: 1, folder: folder, parent: parent, modified: time.Date(2024, 2, 3, 4, 5, 6, 700, time.UTC)}
	if e.number < 24 {
		e.sequence = max(1, e.number)
	}
	w.entries = append(w.entries, e)
	return e
}

// name gives a file a name in a folder: in its record, and in the index.
func (e *ntfsEntry) name(in *ntfsEntry, name string, space byte) {
	u := utf16.Encode([]rune(name))
	key := make([]byte, 0x42+2*len(u))
	ntfsLE.PutUint64(key, in.reference())
	for i := range 4 {
		ntfsLE.PutUint64(key[8+8*i:], ntfsTime(e.modified))
	}
	ntfsLE.PutUint64(key[0x28:], uint64(e.size+7)&^7)
	ntfsLE.PutUint64(key[0x30:], uint64(e.size))
	ntfsLE.PutUint32(key[0x38:], e.flags())
	ntfsLE.PutUint32(key[0x3C:], e.tag)
	key[0x40], key[0x41] = byte(len(u)), space
	for i, c := range u {
		ntfsLE.PutUint16(key[0x42+2*i:], c)
	}
	e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsName, value: key})
	e.links++
	in.names = append(in.names, ntfsKey{name: u, key: key, to: e.reference(), child: -1})
}

func (e *ntfsEntry) flags() uint32 {
	flags := uint32(0x20)
	if e.number < 24 {
		flags = 6 // hidden, of the system
	}
	if e.folder {
		flags |= 0x10000000
	}
	if e.tag != 0 {
		flags |= 0x400
	}
	if e.how.Compressed {
		flags |= 0x800
	}
	if e.how.Sparse || e.how.XPRESS {
		flags |= 0x200
	}
	return flags
}

func ntfsTime(t time.Time) uint64 { return uint64(t.UnixNano()/100) + 116444736000000000 }

func (e *ntfsEntry) standard() {
	value := make([]byte, 48)
	for i := range 4 {
		ntfsLE.PutUint64(value[8*i:], ntfsTime(e.modified))
	}
	ntfsLE.PutUint32(value[32:], e.flags()&0xFFF)
	e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsStandard, value: value})
}

// ntfsText returns text in UTF-16.
func ntfsText(s string) (raw []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		raw = ntfsLE.AppendUint16(raw, u)
	}
	return raw
}

// tree makes the files of fsys.
func (w *ntfsWriter) tree(fsys fs.FS) {
	at := map[string]*ntfsEntry{".": w.entries[5]}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		parent := at[path.Dir(name)]
		e := w.add(parent, d.IsDir())
		at[name] = e
		if info, err := d.Info(); err == nil && !info.ModTime().IsZero() {
			e.modified = info.ModTime()
		}
		var content []byte
		if !d.IsDir() {
			if content, err = fs.ReadFile(fsys, name); err != nil {
				return err
			}
		}
		e.size = len(content)
		e.how = w.Files[name]
		e.how.XPRESS = e.how.XPRESS && len(content) > 0
		if len(e.how.Reparse) >= 4 {
			e.tag = ntfsLE.Uint32(e.how.Reparse)
		}
		if e.how.XPRESS {
			e.tag = ntfsWOFTag
		}
		e.standard()
		w.nameAll(e, parent, at, path.Base(name))
		w.content(e, content)
		return nil
	})
	if err != nil {
		panic(err)
	}
}

// nameAll gives a file its names. Links must be in folders that come before it.
func (w *ntfsWriter) nameAll(e, parent *ntfsEntry, at map[string]*ntfsEntry, name string) {
	if e.how.DOSName != "" {
		e.name(parent, name, 1)
		e.name(parent, e.how.DOSName, 2)
	} else {
		e.name(parent, name, 0)
	}
	for _, link := range e.how.Links {
		in := at[path.Dir(link)]
		if in == nil {
			panic(fmt.Sprintf("there is no folder yet for the link %s", link))
		}
		e.name(in, path.Base(link), 0)
	}
}

// content stores the content of a file.
func (w *ntfsWriter) content(e *ntfsEntry, content []byte) {
	how := e.how
	give := func(a ntfsAttribute) { e.attributes = append(e.attributes, a) }
	if how.Reparse != nil {
		give(ntfsAttribute{kind: ntfsReparse, value: how.Reparse})
	}
	for name, stream := range how.Streams {
		give(ntfsAttribute{kind: ntfsData, name: name, value: stream})
	}
	switch {
	case e.folder:
	case how.XPRESS:
		give(ntfsAttribute{kind: ntfsReparse, value: ntfsWOF()})
		hole := w.mapped(ntfsData, "", []ntfsRun{{w.clusters(len(content)), -1}}, len(content))
		hole.flags, hole.valid = 0x8000, 0
		give(hole)
		give(w.outside(ntfsData, "WofCompressedData", ntfsChunks(content), how.Fragments))
	case how.Compressed:
		give(w.compressed(content, how.Fragments))
	case how.Sparse:
		give(w.sparse(content))
	case len(content) <= 200 && how.Fragments == 0 && !how.Encrypted && how.PerRecord == 0 && how.Valid == 0:
		give(ntfsAttribute{kind: ntfsData, value: content})
	default:
		a := w.outside(ntfsData, "", content, how.Fragments)
		if how.Encrypted {
			a.flags = 0x4000
		}
		if how.Valid > 0 {
			a.valid = how.Valid
		}
		give(a)
	}
}

// sparse stores content without its clusters of zeros.
func (w *ntfsWriter) sparse(content []byte) ntfsAttribute {
	var runs []ntfsRun
	for part := range slices.Chunk(content, w.Cluster) {
		runs = w.appendPart(runs, part, 1, 1)
	}
	a := w.mapped(ntfsData, "", runs, len(content))
	a.flags = 0x8000
	return a
}

// appendPart stores a part of a file in clusters of its own and a hole, so many clusters in all, or only the hole if it is zeros.
func (w *ntfsWriter) appendPart(runs []ntfsRun, part []byte, clusters, fragments int) []ntfsRun {
	n := w.clusters(len(part))
	if len(bytes.Trim(part, "\x00")) == 0 {
		n = 0
	}
	if n > 0 {
		more := w.take(n, fragments)
		w.put(more, part)
		runs = append(runs, more...)
	}
	if n < clusters {
		if last := len(runs) - 1; last >= 0 && runs[last].lcn < 0 {
			runs[last].count += clusters - n
		} else {
			runs = append(runs, ntfsRun{clusters - n, -1})
		}
	}
	return runs
}
