package ntfs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"

	"regvet/hive/evidence/block"
)

// The types of attributes that are read. Source: libyal, libfsntfs, "New Technologies File System (NTFS)", attribute types.
const (
	standardInformation = 0x10
	attributeList       = 0x20
	fileName            = 0x30
	volumeName          = 0x60
	volumeInformation   = 0x70
	data                = 0x80
	indexRoot           = 0x90
	indexAllocation     = 0xA0
	bitmap              = 0xB0
	reparsePoint        = 0xC0
	endOfAttributes     = 0xFFFFFFFF
)

// The records of the MFT that have their place.
const (
	mftRecord    = 0
	mirrored     = 4 // so many records from the first have a copy in $MFTMirr
	logRecord    = 2
	volumeRecord = 3
	rootRecord   = 5
	upcaseRecord = 10
	firstOfUsers = 16 // those before are the volume's own
)

// reference is the number of an MFT record, and in its upper 16 bits how often the record had been used for a file when the reference was made.
type reference uint64

func (r reference) number() int64    { return int64(r & (1<<48 - 1)) }
func (r reference) sequence() uint16 { return uint16(r >> 48) }

// record is an MFT record.
type record struct {
	reference        // to itself
	inUse, directory bool
	base             reference // of the file whose attributes did not fit into its own record; 0 in that one
	attributes       []attribute
}

// attribute is an attribute, or a piece of one whose runs did not fit into one record.
type attribute struct {
	kind     uint32
	name     string
	flags    uint16 // see compressed and the others
	id       uint16
	at       int64  // where it lies in the MFT
	value    []byte // of a resident attribute
	resident bool
	mapping  // of another
}

// mapping is what the header of an attribute that is not resident tells.
type mapping struct {
	start, last int64 // its first and last cluster, counted in the attribute
	allocated   int64 // bytes, as the next two; of the first piece only
	size        int64
	valid       int64 // what was written of it; the rest reads as zeros
	unit        byte  // clusters that are compressed together, as a power of two; 0 if none are
	runs        []byte
}

const stride = 512 // the bytes that are protected by one entry of the update sequence, whatever the size of a sector

// fixUp verifies that a record was written whole, and puts back the bytes at the end of each 512 that were replaced for that.
func fixUp(rec []byte, signature string) error {
	if string(rec[:4]) != signature {
		return fmt.Errorf("is signed %q, not %s", rec[:4], signature)
	}
	offset, count := int(le.Uint16(rec[4:])), int(le.Uint16(rec[6:]))
	const least = 0x1E // behind the header of a page of the log, which is the shortest
	if count != len(rec)/stride+1 || offset < least || offset%2 != 0 || offset+2*count > stride-2 {
		return errors.New("has no usable update sequence")
	}
	sequence := rec[offset : offset+2*count]
	for i := 1; i < count; i++ {
		end := rec[i*stride-2 : i*stride]
		if string(end) != string(sequence[:2]) {
			return fmt.Errorf("was not written whole: its part %d of %d is older or newer than the first", i, count-1)
		}
		copy(end, sequence[2*i:])
	}
	return nil
}

// record returns an MFT record, in use or not. A gap of the first ones is filled from their mirror.
func (v *Volume) record(number int64) (*record, error) {
	rec, err := v.recordOf(v.mft, number)
	if err == nil || number >= mirrored || v.mirror == nil {
		return rec, err
	}
	copied, second := v.recordOf(v.mirror, number)
	if second != nil {
		return nil, err
	}
	v.tell(block.NewGap(v.mft, number*v.recordSize, "MFT record %d cannot be read, so its copy in $MFTMirr is used", number), copyUsed)
	return copied, nil
}

func (v *Volume) recordOf(mft *stream, number int64) (*record, error) {
	if number >= mft.size/v.recordSize {
		return nil, block.NewGap(v.mft, 0, "there is no MFT record %d, although something refers to it", number)
	}
	at := number * v.recordSize
	raw, err := block.Read(mft, at, int(v.recordSize))
	if err != nil {
		return nil, err
	}
	rec, err := parseRecord(raw, number, at)
	if err != nil {
		return nil, block.NewGap(mft, at, "MFT record %d %v", number, err)
	}
	return rec, nil
}

func parseRecord(raw []byte, number, at int64) (*record, error) {
	if err := fixUp(raw, "FILE"); err != nil {
		return nil, err
	}
	used, allocated, offset := int64(le.Uint32(raw[0x18:])), int64(le.Uint32(raw[0x1C:])), int64(le.Uint16(raw[0x14:]))
	if allocated != int64(len(raw)) || used > allocated || offset < 0x28 || offset%8 != 0 {
		return nil, errors.New("tells impossible sizes")
	}
	// Windows XP and later write the record's own number before the update sequence.
	if le.Uint16(raw[4:]) >= 0x30 && int64(le.Uint32(raw[0x2C:])) != number&0xFFFFFFFF {
		return nil, fmt.Errorf("says that it is record %d", le.Uint32(raw[0x2C:]))
	}
	flags := le.Uint16(raw[0x16:])
	rec := &record{
		reference: reference(number) | reference(le.Uint16(raw[0x10:]))<<48,
		inUse:     flags&1 != 0,
		directory: flags&2 != 0,
		base:      reference(le.Uint64(raw[0x20:])),
	}
	if !rec.inUse {
		return rec, nil
	}
	var before uint32
	for {
		if used-offset < 4 {
			return nil, errors.New("has attributes without an end")
		}
		kind := le.Uint32(raw[offset:])
		if kind == endOfAttributes {
			return rec, nil
		}
		if used-offset < 24 || kind < before || kind == 0 {
			return nil, fmt.Errorf("has no attribute at its offset %#x, where one should be", offset)
		}
		before = kind
		length := int64(le.Uint32(raw[offset+4:]))
		if length < 24 || length%8 != 0 || length > used-offset {
			return nil, fmt.Errorf("has an attribute at its offset %#x of the impossible length %d", offset, length)
		}
		a, err := parseAttribute(raw[offset:offset+length], at+offset)
		if err != nil {
			return nil, fmt.Errorf("has an attribute at its offset %#x that %w", offset, err)
		}
		rec.attributes = append(rec.attributes, a)
		offset += length
	}
}

// parseAttribute reads an attribute of at least 24 bytes.
func parseAttribute(raw []byte, at int64) (attribute, error) {
	a := attribute{kind: le.Uint32(raw), flags: le.Uint16(raw[12:]), id: le.Uint16(raw[14:]), at: at, resident: raw[8] == 0}
	name, ok := part(raw, int64(le.Uint16(raw[10:])), 2*int64(raw[9]))
	if !ok || raw[8] > 1 {
		return a, errors.New("has no possible name or form")
	}
	a.name = string(utf16.Decode(units(name)))
	if a.resident {
		offset := int64(le.Uint16(raw[20:]))
		if a.value, ok = part(raw, offset, int64(le.Uint32(raw[16:]))); !ok {
			return a, errors.New("is longer than its record")
		}
		a.at += offset
		return a, nil
	}
	if len(raw) < 0x40 {
		return a, errors.New("is too short for its form")
	}
	offset := int64(le.Uint16(raw[0x20:]))
	if a.runs, ok = part(raw, offset, int64(len(raw))-offset); !ok || offset < 0x40 {
		return a, errors.New("has no runs")
	}
	a.start, a.last, a.unit = int64(le.Uint64(raw[0x10:])), int64(le.Uint64(raw[0x18:])), raw[0x22]
	a.allocated, a.size, a.valid = int64(le.Uint64(raw[0x28:])), int64(le.Uint64(raw[0x30:])), int64(le.Uint64(raw[0x38:]))
	// One without a cluster ends before it begins.
	if a.start < 0 || a.last < a.start-1 || a.last >= 1<<50 || a.start == 0 && (a.valid < 0 || a.valid > a.size || a.size > a.allocated || a.allocated > 1<<62) {
		return a, errors.New("tells impossible sizes")
	}
	return a, nil
}

// part returns size bytes from an offset, if they are there.
func part(raw []byte, offset, size int64) ([]byte, bool) {
	if offset < 0 || size < 0 || offset > int64(len(raw)) || size > int64(len(raw))-offset {
		return nil, false
	}
	return raw[offset : offset+size], true
}

func units(raw []byte) []uint16 {
	u := make([]uint16, len(raw)/2)
	for i := range u {
		u[i] = le.Uint16(raw[2*i:])
	}
	return u
}

// file is a file or folder: its base record, and the records that hold what did not fit there.
type file struct {
	*record
	v          *Volume
	list       []listed // what the attribute list names; nil if there is none
	extensions map[reference]extension
}

// listed is an entry of an attribute list: where an attribute, or a piece of one, is.
type listed struct {
	kind  uint32
	name  string
	start int64 // its first cluster
	in    reference
	id    uint16
}

type extension struct {
	*record
	err error
}

// mostList is the largest attribute list of Windows, in bytes.
// Source: Microsoft, "The Four Stages of NTFS File Growth, Part 2".
const mostList = 256 << 10

// file returns the file to which a reference leads. That it leads to none, or to a file that has taken the record since, is a gap.
func (v *Volume) file(r reference) (*file, error) {
	rec, err := v.record(r.number())
	switch {
	case err != nil:
		return nil, err
	case !rec.inUse || rec.sequence() != r.sequence():
		return nil, v.lost(rec, "MFT record %d no longer holds the file that is looked for", r.number())
	case rec.base != 0:
		return nil, v.lost(rec, "MFT record %d is only a part of a file, although a folder names it", r.number())
	}
	return v.withList(rec)
}

// lost returns the gap that a record is.
func (v *Volume) lost(rec *record, format string, args ...any) error {
	return block.NewGap(v.mft, rec.number()*v.recordSize, format, args...)
}

func (v *Volume) withList(rec *record) (*file, error) {
	f := &file{record: rec, v: v, extensions: map[reference]extension{}}
	list, err := f.stream(attributeList, "")
	if err != nil || list == nil {
		return f, err
	}
	if list.size > mostList {
		return f, v.lost(rec, "the attribute list of MFT record %d is of %d bytes, more than Windows has", rec.number(), list.size)
	}
	raw, err := block.Read(list, 0, int(list.size))
	if err != nil {
		return f, err
	}
	f.list = []listed{}
	for len(raw) > 0 {
		if len(raw) < 26 {
			return f, v.lost(rec, "the attribute list of MFT record %d ends within an entry", rec.number())
		}
		length := int64(le.Uint16(raw[4:]))
		name, ok := part(raw, int64(raw[7]), 2*int64(raw[6]))
		if !ok || length < 26 || length > int64(len(raw)) || length%8 != 0 {
			return f, v.lost(rec, "the attribute list of MFT record %d has an impossible entry", rec.number())
		}
		f.list = append(f.list, listed{
			kind: le.Uint32(raw), name: string(utf16.Decode(units(name))), start: int64(le.Uint64(raw[8:])), in: reference(le.Uint64(raw[16:])), id: le.Uint16(raw[24:]),
		})
		raw = raw[length:]
	}
	return f, nil
}

// pieces returns the attributes of a type and name, by their first cluster, wherever they are. If some could not be read, it returns the others
// and an error. None and no error: the file has none.
func (f *file) pieces(kind uint32, name string) (list []attribute, err error) {
	is := func(a attribute) bool { return a.kind == kind && a.name == name }
	if f.list == nil || kind == attributeList {
		for _, a := range f.attributes {
			if is(a) {
				list = append(list, a)
			}
		}
		return list, nil
	}
	for _, l := range f.list {
		if l.kind != kind || l.name != name {
			continue
		}
		a, gap := f.piece(l)
		if gap != nil {
			err = cmp.Or(err, gap)
			continue
		}
		list = append(list, a)
	}
	if len(list) == 0 && err == nil && slices.ContainsFunc(f.attributes, is) {
		err = f.v.lost(f.record, "MFT record %d holds an attribute that its list does not name", f.number())
	}
	slices.SortStableFunc(list, func(a, b attribute) int { return cmp.Compare(a.start, b.start) })
	return list, err
}

// piece returns the attribute, or the piece of one, to which an entry of the attribute list leads.
func (f *file) piece(l listed) (attribute, error) {
	rec, err := f.holder(l.in)
	if err != nil {
		return attribute{}, err
	}
	for _, a := range rec.attributes {
		if a.kind == l.kind && a.name == l.name && a.id == l.id && (a.resident && l.start == 0 || !a.resident && a.start == l.start) {
			return a, nil
		}
	}
	return attribute{}, f.v.lost(rec, "MFT record %d does not hold an attribute that the list of record %d says it does", l.in.number(), f.number())
}

// holder returns the record of the file that an entry of its attribute list names.
func (f *file) holder(r reference) (*record, error) {
	if r == f.reference {
		return f.record, nil
	}
	e, ok := f.extensions[r]
	if !ok {
		e.record, e.err = f.v.record(r.number())
		if e.err == nil && (!e.inUse || e.reference != r || e.base != f.reference) {
			e.err = f.v.lost(e.record, "MFT record %d no longer is the part of record %d that it should be", r.number(), f.number())
		}
		f.extensions[r] = e
	}
	return e.record, e.err
}

// stream returns the content of an attribute, or nil if the file does not have it.
func (f *file) stream(kind uint32, name string) (*stream, error) {
	list, err := f.pieces(kind, name)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	s, err := f.v.assemble(list)
	if err != nil {
		return nil, f.v.lost(f.record, "MFT record %d has an attribute of the type %#x that %v", f.number(), kind, err)
	}
	return s, nil
}
