package imagetest

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	vssBlock  = 16 << 10
	vssHeader = 128
	// VSSHeaderAt and VSSHeaderEnd are where in a volume the header of its shadow copies lies.
	VSSHeaderAt, VSSHeaderEnd = 0x1E00, 0x2000
)

var vssLE = binary.LittleEndian

// vssSignature is with what each block of shadow copies begins.
var vssSignature = []byte("\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52")

// VSSDescriptor tells where the content of a block of 16 KiB was when a shadow copy was created.
type VSSDescriptor struct {
	Block   int
	Data    []byte // its content, that a store keeps
	Sectors uint32 // if any, Data holds these sectors of 512 bytes only, which were changed in the shadow copy: an overlay
	More    bool   // an overlay adds to the one before of the same block
	Forward bool   // the content is at block To of what lies under the store, or there it was
	To      int
	NotUsed bool   // the descriptor means nothing
	Flags   uint32 // other ones
}

// VSSCopy is a shadow copy.
type VSSCopy struct {
	Created     time.Time
	Descriptors []VSSDescriptor // in the order in which they are written
	Unused      []int           // blocks that were not in use
	Previous    []int           // if not nil, blocks that were not in use by the one before
}

// VSSOptions are how shadow copies are laid out.
type VSSOptions struct {
	Order     []int // of the shadow copies in the catalog; as they are if nil
	Fragments int   // each store is cut into ranges of so many blocks; one range if 0
	Size      int64 // of the volume, as the catalog tells it; as it is if 0
	Numbers   []int // of the shadow copies, by which Windows counts; from 1 on if nil
}

// VSSChanges returns descriptors of the blocks in which a volume differs from what it became.
func VSSChanges(before, after []byte) (list []VSSDescriptor) {
	for at := 0; at < len(before); at += vssBlock {
		end := min(at+vssBlock, len(before))
		if old := before[at:end]; !bytes.Equal(old, after[at:end]) {
			list = append(list, VSSDescriptor{Block: at / vssBlock, Data: old})
		}
	}
	return list
}

// VSS returns a volume with shadow copies, oldest first: the volume as it is now, and behind it the catalog and the stores. It writes the header
// of the shadow copies over the bytes from VSSHeaderAt to VSSHeaderEnd.
func VSS(volume []byte, copies []VSSCopy, o VSSOptions) []byte {
	w := &vssWriter{VSSOptions: o, image: bytes.Clone(volume)}
	w.image = append(w.image, make([]byte, -len(volume)&(vssBlock-1))...)
	catalog := w.take()
	more := w.take()
	w.header(catalog, 2, 0, more)
	w.header(more, 2, vssBlock, 0)
	entries := make([][]byte, len(copies))
	for i, c := range copies {
		entries[i] = w.store(i, c)
	}
	if w.Size == 0 {
		w.Size = int64(len(w.image))
	}
	at := catalog + vssHeader
	for i := range copies {
		number := i
		if o.Order != nil {
			number = o.Order[i]
		}
		entry := entries[number]
		vssLE.PutUint64(entry[8:], uint64(w.Size))
		for part := range 2 {
			if i == 1 && part == 0 {
				w.image[at] = 1 // an entry that is not in use any more
				at += 128
			}
			if at == more {
				at += vssHeader
			}
			at += copy(w.image[at:], entry[128*part:128*part+128])
		}
	}
	head := w.image[VSSHeaderAt:VSSHeaderEnd]
	clear(head)
	copy(head, vssSignature)
	vssLE.PutUint32(head[16:], 1)
	vssLE.PutUint32(head[20:], 1)
	vssLE.PutUint64(head[24:], VSSHeaderAt)
	vssLE.PutUint64(head[32:], VSSHeaderAt)
	vssLE.PutUint64(head[48:], uint64(catalog))
	copy(head[64:], vssID(0))
	copy(head[80:], vssID(0))
	return w.image
}

// vssID returns a GUID.
func vssID(n byte) []byte {
	return append([]byte{n, 0x0F, 0x0B, 0x60}, "\xdf\x5b\xe3\x11\x9d\x6c\x00\x50\x56\xc0\x00\x08"...)
}

type vssWriter struct {
	VSSOptions
	image []byte
}

// take returns where a new block at the end of the volume lies.
func (w *vssWriter) take() int {
	at := len(w.image)
	w.image = append(w.image, make([]byte, vssBlock)...)
	return at
}

// header writes the header of a block, at a place of the catalog or of a store.
func (w *vssWriter) header(at, kind, relative, next int) {
	raw := w.image[at:]
	copy(raw, vssSignature)
	vssLE.PutUint32(raw[16:], 1)
	vssLE.PutUint32(raw[20:], uint32(kind))
	vssLE.PutUint64(raw[24:], uint64(relative))
	vssLE.PutUint64(raw[32:], uint64(at))
	vssLE.PutUint64(raw[40:], uint64(next))
}

// vssStore is a store that is being written.
type vssStore struct {
	*vssWriter
	places []int // in the volume, of its blocks
}

// grow adds a block to the store.
func (s *vssStore) grow() (relative, at int) {
	if n := len(s.places); n > 3 && s.Fragments > 0 && n%s.Fragments == 0 {
		s.take() // what lies between is not of the store
	}
	s.places = append(s.places, s.take())
	return (len(s.places) - 1) * vssBlock, s.places[len(s.places)-1]
}

// list writes records into blocks that follow each other: those that it has, by their number in the store, and new ones.
func (s *vssStore) list(kind int, has []int, records [][]byte) (first int) {
	last, end := 0, 0
	for i := 0; i == 0 || len(records) > 0; {
		if last == 0 || end+len(records[0]) > last+vssBlock {
			relative, at := 0, 0
			if i < len(has) {
				relative, at = has[i]*vssBlock, s.places[has[i]]
			} else {
				relative, at = s.grow()
			}
			s.header(at, kind, relative, 0)
			if i == 0 {
				first = at
			} else {
				vssLE.PutUint64(s.image[last+40:], uint64(at))
			}
			last, end = at, at+vssHeader
			i++
		}
		if len(records) > 0 {
			end += copy(s.image[end:], records[0])
			records = records[1:]
		}
	}
	return first
}

// bitmap writes a bitmap, in which bits are set.
func (s *vssStore) bitmap(set []int) int {
	const bits = (vssBlock - vssHeader) * 8
	blocks := max(len(s.image), int(s.Size))/vssBlock + 4000 // with room for what is written later
	raw := make([]byte, (blocks+bits-1)/bits*bits/8)
	for _, n := range set {
		raw[n/8] |= 1 << (n % 8)
	}
	var records [][]byte
	for len(raw) > 0 {
		records = append(records, raw[:bits/8])
		raw = raw[bits/8:]
	}
	return s.list(6, nil, records)
}

// store writes a store, and returns its two entries of the catalog, the first without the size.
func (w *vssWriter) store(i int, c VSSCopy) []byte {
	s := &vssStore{vssWriter: w}
	_, header := s.grow()
	s.grow() // for the list of blocks
	s.grow() // for the list of ranges
	bitmap, previous := s.bitmap(c.Unused), 0
	if c.Previous != nil {
		previous = s.bitmap(c.Previous)
	}
	list := s.list(3, []int{1}, s.descriptors(c.Descriptors))
	ranges := s.ranges()
	w.header(header, 4, 0, 0)
	vssLE.PutUint64(w.image[header+48:], 68)
	info := w.image[header+vssHeader:]
	copy(info[16:], vssID(byte(i+0x81)))
	copy(info[32:], vssID(byte(i+0xC1)))
	vssLE.PutUint32(info[48:], 9)
	vssLE.PutUint32(info[52:], 1)
	vssLE.PutUint32(info[56:], 0x420009)

	entry := make([]byte, 256)
	number := i + 1
	if w.Numbers != nil {
		number = w.Numbers[i]
	}
	entry[0], entry[128] = 2, 3
	copy(entry[16:], vssID(byte(i+1)))
	copy(entry[128+16:], vssID(byte(i+1)))
	for at, n := range map[int]int{32: number, 40: 0x40, 48: int(ntfsTime(c.Created)), 128 + 8: list, 128 + 32: header, 128 + 40: ranges, 128 + 48: bitmap,
		128 + 56: 0x1000000000025 + i, 128 + 72: previous} {
		vssLE.PutUint64(entry[at:], uint64(n))
	}
	return entry
}

// descriptors stores the blocks of descriptors.
func (s *vssStore) descriptors(list []VSSDescriptor) (records [][]byte) {
	overlays := map[int]int{} // where those of blocks lie
	for _, d := range list {
		raw := make([]byte, 32)
		flags := d.Flags
		vssLE.PutUint64(raw, uint64(d.Block*vssBlock))
		switch {
		case d.NotUsed:
			flags |= 4
		case d.Forward:
			flags |= 1
			vssLE.PutUint64(raw[8:], uint64(d.To*vssBlock))
		case d.More:
			at := overlays[d.Block]
			s.sectors(at, d)
			vssLE.PutUint64(raw[8:], 1)
			vssLE.PutUint64(raw[16:], uint64(at))
		default:
			relative, at := s.grow()
			if d.Sectors == 0 {
				copy(s.image[at:at+vssBlock], d.Data)
			} else {
				overlays[d.Block] = at
				s.sectors(at, d)
			}
			vssLE.PutUint64(raw[8:], uint64(relative))
			vssLE.PutUint64(raw[16:], uint64(at))
		}
		if d.Sectors != 0 {
			flags |= 2
		}
		vssLE.PutUint32(raw[24:], flags)
		vssLE.PutUint32(raw[28:], d.Sectors)
		records = append(records, raw)
	}
	return records
}

// sectors stores those sectors of a block that an overlay has.
func (s *vssStore) sectors(at int, d VSSDescriptor) {
	for i := range 32 {
		if d.Sectors>>i&1 == 1 {
			copy(s.image[at+512*i:at+512*i+512], d.Data[512*i:])
		}
	}
}

// ranges writes the ranges of the store. Its first three blocks are in none, but the further ones of this list are.
func (s *vssStore) ranges() int {
	const perBlock = (vssBlock - vssHeader) / 24
	has := []int{2}
	for len(has)*perBlock < len(s.spans()) {
		s.grow()
		has = append(has, len(s.places)-1)
	}
	var records [][]byte
	for _, span := range s.spans() {
		raw := make([]byte, 24)
		for i, n := range span {
			vssLE.PutUint64(raw[8*i:], uint64(n))
		}
		records = append(records, raw)
	}
	return s.list(5, has, records)
}

// spans returns where in the volume and in the store its ranges lie, and their sizes.
func (s *vssStore) spans() (list [][3]int) {
	for i, at := range s.places[3:] {
		if n := len(list); n > 0 && list[n-1][0]+list[n-1][2] == at {
			list[n-1][2] += vssBlock
			continue
		}
		list = append(list, [3]int{at, (i + 3) * vssBlock, vssBlock})
	}
	return list
}
