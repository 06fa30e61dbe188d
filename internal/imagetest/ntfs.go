package imagetest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/bits"
	"path"
	"slices"
	"time"
	"unicode"
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

// upcase makes the table of upper-case letters: that of Unicode, not that of any Windows.
func (w *ntfsWriter) upcase() {
	for i := range w.up {
		w.up[i] = uint16(i)
		u := unicode.ToUpper(rune(i))
		if u < 1<<16 && (i < 0x80) == (u < 0x80) && unicode.ToUpper(u) == u && !utf16.IsSurrogate(rune(i)) {
			w.up[i] = uint16(u)
		}
	}
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

// system makes the files of the volume itself.
func (w *ntfsWriter) system() {
	const root = 5
	names := []string{"$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus", "$Secure", "$UpCase", "$Extend"}
	for i := range 24 {
		w.add(nil, i == root || i == 11)
	}
	for i, e := range w.entries {
		e.parent = w.entries[root]
		switch {
		case i < len(names):
			e.standard()
			e.name(w.entries[root], names[i], 3)
		case i < 16:
			e.standard()
			e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsData})
		default:
			e.unused = true
		}
	}
	give := func(number int, a ...ntfsAttribute) {
		w.entries[number].attributes = append(w.entries[number].attributes, a...)
	}
	give(7, w.mapped(ntfsData, "", w.take(w.clusters(8192), 1), 8192))
	mirror := 4 * w.Record
	give(1, w.mapped(ntfsData, "", w.take(w.clusters(mirror), 1), mirror))
	give(2, w.outside(ntfsData, "", w.log(), 1))
	info := []byte{8: 3, 9: 1, 10: 0, 11: 0}
	if w.Dirty {
		info[10] = 1
	}
	give(3, ntfsAttribute{kind: ntfsVolumeName, value: ntfsText(w.Label)}, ntfsAttribute{kind: ntfsVolumeInfo, value: info}, ntfsAttribute{kind: ntfsData})
	give(4, w.outside(ntfsData, "", ntfsDefinitions(), 1))
	give(6, w.mapped(ntfsData, "", w.take(w.clusters((len(w.used)+63)/64*8), 1), (len(w.used)+63)/64*8))
	bad := w.mapped(ntfsData, "$Bad", []ntfsRun{{len(w.used), -1}}, len(w.used)*w.Cluster)
	bad.valid = 0
	give(8, ntfsAttribute{kind: ntfsData}, bad)
	give(9, ntfsAttribute{kind: ntfsData, name: "$SDS"}, w.viewIndex("$SDH", 0x12), w.viewIndex("$SII", 0x10))
	var table []byte
	for _, u := range w.up {
		table = ntfsLE.AppendUint16(table, u)
	}
	give(10, w.outside(ntfsData, "", table, 1))
}

// log returns $LogFile: one that was never used, or one of two restart pages, of which the second is newer and tells that it is in use.
func (w *ntfsWriter) log() []byte {
	const page = 4096
	raw := bytes.Repeat([]byte{0xFF}, 64<<10)
	if !w.LogInUse {
		return raw
	}
	for i, client := range []uint16{0xFFFF, 0} {
		restart := raw[i*page : (i+1)*page]
		clear(restart)
		copy(restart, "RSTR")
		ntfsLE.PutUint32(restart[0x10:], page)
		ntfsLE.PutUint32(restart[0x14:], page)
		ntfsLE.PutUint16(restart[0x18:], 0x30)
		ntfsLE.PutUint16(restart[0x1C:], 1)
		area := restart[0x30:]
		ntfsLE.PutUint64(area, uint64(1000+i))
		ntfsLE.PutUint16(area[8:], 1)
		ntfsLE.PutUint16(area[10:], 0xFFFF)
		ntfsLE.PutUint16(area[12:], client)
		ntfsProtect(restart, 0x1E)
	}
	return raw
}

// ntfsText returns text in UTF-16.
func ntfsText(s string) (raw []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		raw = ntfsLE.AppendUint16(raw, u)
	}
	return raw
}

// ntfsDefinitions returns $AttrDef: names, types and limits of attributes.
func ntfsDefinitions() []byte {
	var raw []byte
	for _, d := range []struct {
		name                 string
		kind, collate, flags uint32
		least, most          uint64
	}{
		{"$STANDARD_INFORMATION", 0x10, 0, 0x40, 48, 72}, {"$ATTRIBUTE_LIST", 0x20, 0, 0x80, 0, 1<<64 - 1}, {"$FILE_NAME", 0x30, 1, 0x42, 68, 578},
		{"$OBJECT_ID", 0x40, 0, 0x40, 0, 256}, {"$SECURITY_DESCRIPTOR", 0x50, 0, 0x80, 0, 1<<64 - 1}, {"$VOLUME_NAME", 0x60, 0, 0x40, 2, 256},
		{"$VOLUME_INFORMATION", 0x70, 0, 0x40, 12, 12}, {"$DATA", 0x80, 0, 0, 0, 1<<64 - 1}, {"$INDEX_ROOT", 0x90, 0, 0x40, 0, 1<<64 - 1},
		{"$INDEX_ALLOCATION", 0xA0, 0, 0x80, 0, 1<<64 - 1}, {"$BITMAP", 0xB0, 0, 0x80, 0, 1<<64 - 1}, {"$REPARSE_POINT", 0xC0, 0, 0x80, 0, 16 << 10},
		{"$EA_INFORMATION", 0xD0, 0, 0x40, 8, 8}, {"$EA", 0xE0, 0, 0, 0, 64 << 10}, {"$LOGGED_UTILITY_STREAM", 0x100, 0, 0x80, 0, 64 << 10},
	} {
		entry := make([]byte, 160)
		copy(entry, ntfsText(d.name))
		ntfsLE.PutUint32(entry[128:], d.kind)
		ntfsLE.PutUint32(entry[136:], d.collate)
		ntfsLE.PutUint32(entry[140:], d.flags)
		ntfsLE.PutUint64(entry[144:], d.least)
		ntfsLE.PutUint64(entry[152:], d.most)
		raw = append(raw, entry...)
	}
	return append(raw, make([]byte, 160)...)
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

// writeBitmap writes $Bitmap: which clusters are in use. Those behind the volume are.
func (w *ntfsWriter) writeBitmap() {
	raw := make([]byte, (len(w.used)+63)/64*8)
	for i := range 8 * len(raw) {
		if i >= len(w.used) || w.used[i] {
			raw[i/8] |= 1 << (i % 8)
		}
	}
	w.put(w.runsOf(6), raw)
}

// writeBoot writes the boot sector, and its copy behind the volume.
func (w *ntfsWriter) writeBoot(mft int) {
	raw := w.image[:w.Sector]
	copy(raw, "\xEB\x52\x90NTFS    ")
	ntfsLE.PutUint16(raw[0x0B:], uint16(w.Sector))
	raw[0x0D] = ntfsClusters(w.Cluster, w.Sector, 128)
	raw[0x15] = 0xF8
	ntfsLE.PutUint32(raw[0x24:], 0x00800080)
	ntfsLE.PutUint64(raw[0x28:], uint64(w.Size/w.Sector))
	ntfsLE.PutUint64(raw[0x30:], uint64(mft))
	ntfsLE.PutUint64(raw[0x38:], uint64(w.runsOf(1)[0].lcn))
	raw[0x40], raw[0x44] = ntfsPower(w.Record, w.Cluster), ntfsPower(w.Index, w.Cluster)
	ntfsLE.PutUint64(raw[0x48:], w.Serial)
	raw[510], raw[511] = 0x55, 0xAA
	copy(w.image[w.Size:], raw)
}

// ntfsClusters returns how many sectors a cluster has; if more than most, as a negative power of two.
func ntfsClusters(size, unit, most int) byte {
	n := size / unit
	if n <= most {
		return byte(n)
	}
	return byte(256 - bits.Len(uint(n)) + 1)
}

// ntfsPower returns the size of a record in clusters, or, if it is smaller than one, as a negative power of two.
func ntfsPower(size, cluster int) byte {
	if size >= cluster {
		return byte(size / cluster)
	}
	return byte(256 - bits.Len(uint(size)) + 1)
}
