package image

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"regvet/hive/evidence/block"
)

// A VDI of VirtualBox has a header, a map with the place of each block, counted in blocks from where the data begins, and the blocks, each with
// bytes of its own before those of the disk. It has no checksums. The format is not published; the layout is that of the description for Kaitai
// Struct. All numbers are little-endian.
const (
	vdiUnallocated = math.MaxUint32     // in the map: never written
	vdiDiscarded   = math.MaxUint32 - 1 // trimmed, and reads as zeros
	vdiHeaderAt    = 0x48
	vdiMostSize    = 1 << 50 // bytes of a disk
)

const (
	vdiDynamic = iota + 1
	vdiStatic
	vdiUndo
	vdiDifferencing
)

// vdiHeader is the header from [vdiHeaderAt] on, behind a text, the signature and the version.
type vdiHeader struct {
	HeaderSize uint32
	Type       uint32
	Flags      uint32
	Comment    [256]byte
	MapOffset  uint32
	DataOffset uint32
	_          [3]uint32 // geometry
	Sector     uint32
	_          uint32
	Size       uint64
	BlockSize  uint32
	Extra      uint32 // bytes before those of a block
	Blocks     uint32 // of the disk
	Allocated  uint32 // of them, in the file
	ID         vhdxGUID
	Snapshot   vhdxGUID
	Link       vhdxGUID // the ID of the parent, or zero
	Parent     vhdxGUID // the Snapshot of the parent, or zero
}

func isVDI(head, _ []byte) bool {
	return len(head) >= vdiHeaderAt && binary.LittleEndian.Uint32(head[0x40:]) == 0xbeda107f
}

// vdi is an image while its blocks are read.
type vdi struct {
	f        *source
	header   vdiHeader
	disputed []uint32 // places that several blocks have
	left     bool     // the header counts other blocks than the map
}

func openVDI(f block.File, _ Beside) (*Image, error) {
	d := &vdi{f: &source{File: f}}
	image := &Image{Kind: "a VDI image", Files: []File{{f.Name(), f.Size()}}, Sector: vhdSector}
	data, err := fieldAt(d.f, 0, vdiHeaderAt+binary.Size(d.header), "the header of the VDI")
	if err != nil {
		return nil, err
	}
	if major := binary.LittleEndian.Uint16(data[0x46:]); major != 1 {
		return nil, block.NewGap(d.f, 0x44, "the VDI has version %d.%d, but only version 1 is known: convert it with VBoxManage clonemedium",
			major, binary.LittleEndian.Uint16(data[0x44:]))
	}
	if _, err := binary.Decode(data[vdiHeaderAt:], binary.LittleEndian, &d.header); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	d.settle(image)
	if d.isChild() {
		image.lost(d.f, 0, "is a differencing disk, whose parent has the identifier %s but no name: what is not in this file cannot be read", d.header.Link)
	}
	text, _, _ := strings.Cut(string(data[:0x40]), "\x00")
	image.Facts = []Fact{
		{"type", map[uint32]string{vdiDynamic: "dynamic", vdiStatic: "static", vdiUndo: "undo", vdiDifferencing: "differencing"}[d.header.Type]},
		{"created by", strings.Trim(text, "<> \r\n")},
		{"ID", d.header.ID.String()},
	}
	if comment, _, _ := strings.Cut(string(d.header.Comment[:]), "\x00"); comment != "" {
		image.Facts = append(image.Facts, Fact{"description", strings.ToValidUTF8(comment, "\ufffd")})
	}
	image.Reader = &mapped{int64(d.header.Size), d.find}
	image.close = append(image.close, f)
	return image, nil
}

func (d *vdi) isChild() bool {
	none := vhdxGUID{}
	return d.header.Type == vdiDifferencing || d.header.Type == vdiUndo || d.header.Link != none || d.header.Parent != none
}

// length returns the bytes of a block in the file.
func (d *vdi) length() int64 { return int64(d.header.BlockSize) + int64(d.header.Extra) }

// check holds the numbers of the header against one another and the file, as there is no checksum. The blocks reach to the end of the file.
// They may reach beyond it, if the file was cut off, only where the numbers are usual: no bytes before those of a block, and the data after the
// map at the next multiple of some power of two.
func (d *vdi) check() error {
	h := &d.header
	bad := func(format string, args ...any) error {
		return block.NewGap(d.f, vdiHeaderAt, "the header of the VDI is damaged: %s", fmt.Sprintf(format, args...))
	}
	size, data, mapEnd := int64(h.BlockSize), int64(h.DataOffset), int64(h.MapOffset)+4*int64(h.Blocks)
	beyond := data + int64(h.Allocated)*d.length() - d.f.Size()
	switch {
	case h.Type < vdiDynamic || h.Type > vdiDifferencing:
		return bad("it has the type %d", h.Type)
	case int(h.HeaderSize) < binary.Size(*h) || int64(h.HeaderSize)+vdiHeaderAt > int64(h.MapOffset):
		return bad("it has %d bytes", h.HeaderSize)
	case h.Sector != vhdSector:
		return bad("it has sectors of %d bytes", h.Sector)
	case size < vhdSector || size&(size-1) != 0 || int64(h.Extra) > size:
		return bad("it has blocks of %d and %d bytes", h.BlockSize, h.Extra)
	case h.Size == 0 || h.Size > vdiMostSize || (int64(h.Size)+size-1)/size != int64(h.Blocks):
		return bad("it has %d blocks of %d bytes for a disk of %d bytes", h.Blocks, size, h.Size)
	case h.MapOffset%vhdSector != 0 || h.MapOffset < vhdSector || data < mapEnd:
		return bad("it has a map at %#x and data at %#x", h.MapOffset, data)
	case beyond > 0 && (data-mapEnd >= data&-data || h.Extra != 0) || -beyond%d.length() > 0:
		return bad("its map ends at %#x, and %d blocks from %#x on do not end where the file does", mapEnd, h.Allocated, data)
	}
	return nil
}

// settle holds the places of all blocks against one another, and their number against that of the header.
func (d *vdi) settle(image *Image) {
	at := int64(d.header.MapOffset)
	var claims []claim
	used := int64(0)
	eachEntry(d.f, at, int64(d.header.Blocks), 4, func(_ int64, entry []byte) bool {
		if place := binary.LittleEndian.Uint32(entry); place < vdiDiscarded {
			claims = append(claims, claim{place, 1})
			used++
		}
		return len(claims) < mostClaims
	})
	room := (d.f.Size() - int64(d.header.DataOffset)) / d.length()
	if d.left = used != int64(d.header.Allocated) || used < room; d.left {
		image.lost(d.f, at, "the file has %d blocks and the header counts %d, but the map names %d: what the map says to be empty may not be", room, d.header.Allocated, used)
	}
	var reach int64
	d.disputed, _, reach = settle(claims, 0)
	image.tellReach(d.f, reach*d.length()+int64(d.header.DataOffset), d.f.Size())
	if len(d.disputed) > 0 {
		image.lost(d.f, at, "the map gives one place to several blocks, the first of %d: they cannot be read", len(d.disputed))
	}
}

func (d *vdi) find(at, _ int64) (mappedRun, error) {
	size := int64(d.header.BlockSize)
	n, offset := at/size, at%size
	entry := int64(d.header.MapOffset) + 4*n
	data, err := fieldAt(d.f, entry, 4, "the map of the blocks")
	if err != nil {
		return mappedRun{}, err
	}
	run := mappedRun{n: size - offset, in: d.f, at: entry}
	switch place := binary.LittleEndian.Uint32(data); {
	case place >= vdiDiscarded && d.left:
		err = block.NewGap(d.f, entry, "block %d of the disk is empty by the map, which has other blocks than the header counts", n)
	case place == vdiUnallocated && d.isChild():
		err = block.NewGap(d.f, entry, "is in the parent of this differencing disk, which is not there")
	case place >= vdiDiscarded:
		run.kind = zeros
	case isDisputed(d.disputed, place):
		err = block.NewGap(d.f, entry, "block %d of the disk has the place of another: the map is damaged", n)
	default:
		run.at = int64(d.header.DataOffset) + int64(place)*d.length() + int64(d.header.Extra) + offset
	}
	return run, err
}
