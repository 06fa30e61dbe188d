package ntfs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"regvet/hive/evidence/block"
)

// folder is the B-tree of the names in a folder. Its root lies in the attribute $INDEX_ROOT, its other nodes in $INDEX_ALLOCATION, and $BITMAP
// tells which of those are in use. Source: libyal, libfsntfs, "New Technologies File System (NTFS)", the index.
type folder struct {
	*file
	root   []entry
	size   int64   // bytes of a node
	unit   int64   // bytes by which a node is addressed
	nodes  *stream // nil if the root is all
	bitmap *stream

	mu   sync.Mutex
	last [mostDeep]node // by depth: names are looked for in order
}

// node is one of the tree below its root, if it has entries.
type node struct {
	vcn     int64
	entries []entry
}

// entry is a name in a folder, and the node with the names before it.
type entry struct {
	reference       // to the file
	link            // without a name in the last entry of a node
	child     int64 // -1 if none
}

// link is a name of a file in a folder.
type link struct {
	parent reference
	name   []uint16
	dos    bool   // it is the 8.3 name of a file that has a longer one
	flags  uint32 // of the file
	tag    uint32 // of its reparse point
}

const index30 = "$I30" // the index by names

func (f *file) folder() (*folder, error) {
	d := &folder{file: f}
	root, err := f.stream(indexRoot, index30)
	if err != nil {
		return nil, err
	}
	if root == nil || len(root.resident) < 32 {
		return nil, f.v.lost(f.record, "MFT record %d is a folder without a root of its index", f.number())
	}
	raw := root.resident
	const byName = 1
	d.size = int64(le.Uint32(raw[8:]))
	if le.Uint32(raw) != fileName || le.Uint32(raw[4:]) != byName || d.size < stride || d.size > 64<<10 || d.size&(d.size-1) != 0 {
		return nil, f.v.lost(f.record, "MFT record %d is a folder whose index is not one of names", f.number())
	}
	if d.unit = f.v.cluster; d.unit > d.size {
		d.unit = stride
	}
	if d.root, err = d.parse(raw[16:]); err != nil {
		return nil, f.v.lost(f.record, "the root of the index in MFT record %d %v", f.number(), err)
	}
	if d.nodes, err = f.plain(indexAllocation); err != nil {
		return nil, err
	}
	if d.bitmap, err = f.plain(bitmap); err != nil {
		return nil, err
	}
	return d, nil
}

// plain returns a stream of the index, which must not be sparse or compressed, so that it is not larger than the volume.
func (f *file) plain(kind uint32) (*stream, error) {
	list, err := f.pieces(kind, index30)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if list[0].flags != 0 {
		return nil, f.v.lost(f.record, "MFT record %d is a folder whose index is sparse, compressed or encrypted", f.number())
	}
	return f.stream(kind, index30)
}

// parse reads the entries of a node from its header on. They must follow each other without a gap up to the last one, and all or none have a
// node below.
func (d *folder) parse(raw []byte) (list []entry, err error) {
	offset, used, inner := int64(le.Uint32(raw)), int64(le.Uint32(raw[4:])), raw[12]&1 != 0
	if used > int64(len(raw)) || used > int64(le.Uint32(raw[8:])) || offset < 16 || offset%8 != 0 {
		return nil, errors.New("tells impossible sizes")
	}
	for {
		if used-offset < 16 {
			return nil, errors.New("has no last entry")
		}
		e, length, last, err := parseEntry(raw[offset:used], inner)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		offset += length
		switch {
		case last && offset != used:
			return nil, errors.New("has entries behind its last one")
		case last:
			return list, nil
		case e.parent != d.reference:
			return nil, errors.New("holds a name of another folder")
		}
		if n := len(list); n > 1 && d.v.compare(list[n-2].name, e.name) > 0 {
			return nil, errors.New("is not in order")
		}
	}
}

// parseEntry reads an entry at the beginning of raw, of at least 16 bytes.
func parseEntry(raw []byte, inner bool) (e entry, length int64, last bool, err error) {
	const (
		hasChild = 1
		isLast   = 2
	)
	key, flags := int64(le.Uint16(raw[10:])), le.Uint16(raw[12:])
	length, last = int64(le.Uint16(raw[8:])), flags&isLast != 0
	e = entry{reference: reference(le.Uint64(raw)), child: -1}
	if last {
		key = 0
	}
	want := (16 + key + 7) &^ 7
	if inner {
		want += 8
	}
	if length != want || length > int64(len(raw)) || (flags&hasChild != 0) != inner {
		return e, 0, false, errors.New("has an impossible entry")
	}
	if inner {
		if e.child = int64(le.Uint64(raw[length-8:])); e.child < 0 {
			return e, 0, false, errors.New("refers to an impossible node")
		}
	}
	if last {
		return e, length, last, nil
	}
	if e.link, err = parseLink(raw[16 : 16+key]); err != nil {
		return e, 0, false, err
	}
	return e, length, false, nil
}

// parseLink reads an attribute $FILE_NAME, of which the index holds copies.
func parseLink(raw []byte) (link, error) {
	const (
		fixed = 0x42
		dos   = 2
	)
	if len(raw) < fixed || len(raw) != fixed+2*int(raw[0x40]) || raw[0x40] == 0 || raw[0x41] > 3 {
		return link{}, errors.New("has an impossible name")
	}
	return link{
		parent: reference(le.Uint64(raw)),
		flags:  le.Uint32(raw[0x38:]),
		tag:    le.Uint32(raw[0x3C:]),
		dos:    raw[0x41] == dos,
		name:   units(raw[fixed:]),
	}, nil
}

// node returns the entries of a node outside of the root, if it is in use and was written whole.
func (d *folder) node(vcn int64) ([]entry, error) {
	if d.nodes == nil || d.bitmap == nil || vcn < 0 || vcn > d.nodes.size/d.unit || vcn*d.unit%d.size != 0 || vcn*d.unit > d.nodes.size-d.size {
		return nil, d.v.lost(d.record, "the index in MFT record %d has no node %d, although it refers to it", d.number(), vcn)
	}
	at := vcn * d.unit
	used, err := d.inUse(at / d.size)
	if err != nil {
		return nil, err
	}
	raw, err := block.Read(d.nodes, at, int(d.size))
	if err != nil {
		return nil, err
	}
	err = fixUp(raw, "INDX")
	switch {
	case err != nil:
	case !used:
		err = errors.New("is not in use, although something refers to it")
	case int64(le.Uint64(raw[0x10:])) != vcn:
		err = fmt.Errorf("says that it is node %d", le.Uint64(raw[0x10:]))
	default:
		var list []entry
		if list, err = d.parse(raw[0x18:]); err == nil {
			return list, nil
		}
	}
	return nil, block.NewGap(d.nodes, at, "node %d of the index in MFT record %d %v", vcn, d.number(), err)
}

// nodeAt returns the entries of a node, and keeps the last ones of each depth.
func (d *folder) nodeAt(vcn int64, depth int) ([]entry, error) {
	d.mu.Lock()
	last := d.last[depth]
	d.mu.Unlock()
	if last.vcn == vcn && last.entries != nil {
		return last.entries, nil
	}
	list, err := d.node(vcn)
	if err == nil {
		d.mu.Lock()
		d.last[depth] = node{vcn, list}
		d.mu.Unlock()
	}
	return list, err
}

// inUse reports whether a node, by its number, is in use.
func (d *folder) inUse(number int64) (bool, error) {
	bits, err := block.Read(d.bitmap, number/8, 1)
	if err != nil {
		return false, err
	}
	return bits[0]>>(number%8)&1 != 0, nil
}

// compare orders names as the volume does: by their units, without case.
func (v *Volume) compare(a, b []uint16) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(v.up[a[i]], v.up[b[i]]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// mostDeep is how many levels of nodes are followed. A tree of NTFS with a million names has four.
const mostDeep = 16

// walk is a way through the tree of a folder.
type walk struct {
	*folder
	want  []uint16 // the name that is looked for; nil for all of them
	seen  map[int64]bool
	found func(entry) bool // takes the entries, and reports whether to go on
	sides [2]entry         // the entries before and after the place of the name
	err   error            // the first gap
}

// through goes through the entries of a node that may have to do with the name that is looked for, and the nodes below them. All must lie between
// the names that surround the node in the one above. It reports whether to go on.
func (w *walk) through(list []entry, low, high []uint16, depth int) bool {
	for _, e := range list {
		if e.name != nil && (low != nil && w.v.compare(e.name, low) < 0 || high != nil && w.v.compare(e.name, high) > 0) {
			w.fail(w.v.lost(w.record, "the index in MFT record %d is not in order", w.number()))
			return w.want == nil
		}
	}
	for _, e := range list {
		order := -1
		if w.want != nil && e.name != nil {
			order = w.v.compare(w.want, e.name)
			w.beside(order, e)
		}
		upper := e.name
		if upper == nil {
			upper = high
		}
		if order <= 0 && e.child >= 0 && !w.below(e.child, low, upper, depth) {
			return false
		}
		if e.name != nil && (w.want == nil || order == 0) && !w.found(e) {
			return false
		}
		if w.want != nil && order < 0 {
			return true
		}
		low = upper
	}
	return true
}

// beside notes an entry before or after the place of the name. The later ones are nearer.
func (w *walk) beside(order int, e entry) {
	switch {
	case order > 0:
		w.sides[0] = e
	case order < 0:
		w.sides[1] = e
	}
}

func (w *walk) below(vcn int64, low, high []uint16, depth int) bool {
	if w.seen[vcn] || depth == mostDeep {
		w.fail(w.v.lost(w.record, "the index in MFT record %d leads back to itself", w.number()))
		return w.want == nil
	}
	w.seen[vcn] = true
	list, err := w.nodeAt(vcn, depth)
	if err != nil {
		w.fail(err)
		return true
	}
	return w.through(list, low, high, depth+1)
}

func (w *walk) fail(err error) { w.err = cmp.Or(w.err, err) }

// lookup returns the entries of a name: the one in this case, or those in any. If some could not be read, it returns the others and an error.
// None and no error: there is none.
func (d *folder) lookup(name []uint16) (list []entry, err error) {
	w := &walk{folder: d, want: name, seen: map[int64]bool{}}
	w.found = func(e entry) bool {
		list = append(list, e)
		return !slices.Equal(e.name, name)
	}
	w.through(d.root, nil, nil, 0)
	if n := len(list); n > 0 && slices.Equal(list[n-1].name, name) {
		return list[n-1:], nil
	}
	if len(list) == 0 && w.err == nil {
		return nil, w.misplaced()
	}
	return list, w.err
}

// misplaced returns an error if an entry beside the place of the name does not prove by its file to be what it says: nothing else in a node proves
// its bytes, and the name may be elsewhere then.
func (w *walk) misplaced() error {
	for _, e := range w.sides {
		if e.name == nil {
			continue
		}
		if _, err := w.follow(e); err != nil {
			return err
		}
	}
	return nil
}

// mostNames bounds the names of a folder that are listed, so that they take less than 100 MB: each counts nameCost and its letters. With names of
// 20 letters, that is 140,000.
const (
	mostNames = 16 << 20
	nameCost  = 100
)

// all returns all entries of the folder, or those that could be read and an error.
func (d *folder) all() (list []entry, err error) {
	w := &walk{folder: d, seen: map[int64]bool{}}
	cost := 0
	w.found = func(e entry) bool {
		if cost += nameCost + len(e.name); cost > mostNames {
			w.fail(d.v.lost(d.record, "the folder in MFT record %d holds too many names; only %d are listed", d.number(), len(list)))
			return false
		}
		list = append(list, e)
		return true
	}
	if w.through(d.root, nil, nil, 0) && d.nodes != nil {
		w.stray()
	}
	return list, w.err
}

// stray looks at the nodes that are in use but were not reached. That there are any means that the tree is torn; then their names count too.
func (w *walk) stray() {
	for number := range w.nodes.size / w.size {
		vcn := number * w.size / w.unit
		if w.seen[vcn] {
			continue
		}
		if w.bitmap == nil {
			w.fail(w.v.lost(w.record, "the index in MFT record %d does not tell which of its nodes are in use", w.number()))
			return
		}
		used, err := w.inUse(number)
		if err != nil {
			w.fail(err)
			return
		}
		if !used {
			continue
		}
		w.fail(w.v.lost(w.record, "node %d of the index in MFT record %d is in use, but not in the tree", vcn, w.number()))
		list, err := w.node(vcn)
		if err != nil {
			continue
		}
		for _, e := range list {
			if e.name != nil && !w.found(e) {
				return
			}
		}
	}
}
