package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"regvet/hive/evidence/block"
)

// A VHD ends with a footer (Microsoft, "Virtual Hard Disk Image Format Specification" 1.0). That of a fixed disk stands behind the plain
// content. A dynamic disk has a copy of the footer at its start, a header, and a table with the place of each block. A block begins with a
// bitmap of the sectors that were written. Those of a differencing disk that were not are in its parent. All numbers are big-endian.
const (
	vhdSector     = 512
	vhdFooterSize = 512
	vhdUnused     = math.MaxUint32 // in the table: the block is not in the file
	vhdMostSize   = 1 << 41        // bytes; the table counts 512-byte sectors in 32 bits
)

const (
	vhdFixed = iota + 2
	vhdDynamic
	vhdDifferencing
)

type vhdFooter struct {
	Cookie         [8]byte
	Features       uint32
	Version        uint32
	HeaderOffset   uint64
	Time           uint32 // seconds since 2000
	Creator        [4]byte
	CreatorVersion [2]uint16
	CreatorHost    [4]byte
	OriginalSize   uint64
	Size           uint64
	Geometry       uint32
	Type           uint32
	Checksum       uint32
	ID             [16]byte
	SavedState     byte
	_              [427]byte
}

type vhdHeader struct {
	Cookie      [8]byte
	_           uint64
	TableOffset uint64
	Version     uint32
	Entries     uint32
	BlockSize   uint32
	Checksum    uint32
	ParentID    [16]byte
	ParentTime  uint32
	_           uint32
	ParentName  [256]uint16
	Locators    [8]vhdLocator
	_           [256]byte
}

type vhdLocator struct {
	Platform [4]byte
	Space    uint32
	Size     uint32
	_        uint32
	Offset   uint64
}

func isVHD(head, tail []byte) bool {
	cookie := []byte("conectix")
	return bytes.HasPrefix(head, cookie) || bytes.HasPrefix(tail, cookie) || len(tail) > 0 && bytes.HasPrefix(tail[1:], cookie) ||
		len(head) > vhdFooterSize && bytes.HasPrefix(head[vhdFooterSize:], []byte("cxsparse"))
}

func openVHD(f block.File, beside Beside) (*Image, error) { return openVHDOf(f, kin{beside: beside}) }

func openVHDOf(f block.File, family kin) (*Image, error) {
	file := &source{File: f}
	image := &Image{Kind: "a VHD image", Files: []File{{f.Name(), f.Size()}}, Sector: vhdSector}
	footer, end, err := readVHDFooter(file, image)
	if err != nil {
		return nil, err
	}
	if err := family.admit(file, uuid(footer.ID)); err != nil {
		return nil, err
	}
	image.Facts = footer.facts()
	if footer.Size > math.MaxInt64 {
		return nil, block.NewGap(file, end, "the footer gives a size of %d bytes", footer.Size)
	}
	if footer.Type == vhdFixed {
		if int64(footer.Size) > end {
			return nil, block.NewGap(file, end, "the footer gives a size of %d bytes, but there are %d before it: nothing says which of them are missing", footer.Size, end)
		}
		image.Reader = block.Section(file, 0, int64(footer.Size))
		image.close = append(image.close, f)
		return image, nil
	}
	disk, err := readVHDHeader(file, footer, end, image)
	if err != nil {
		return nil, err
	}
	image.Reader = &mapped{int64(footer.Size), disk.find}
	image.close = append(image.close, f)
	if footer.Type == vhdDifferencing {
		family.want, family.seen = []string{uuid(disk.header.ParentID)}, append(slices.Clip(family.seen), uuid(footer.ID))
		disk.parent = family.parent(image, file, disk.parentNames(), openVHDOf)
	}
	return image, nil
}

// readVHDFooter returns the footer, and the offset at which the file would end without it. If the one at the end is damaged it is the copy at
// the start, which all but fixed disks have.
func readVHDFooter(f *source, image *Image) (footer *vhdFooter, end int64, err error) {
	start, _ := vhdFooterAt(f, 0, vhdFooterSize)
	end = f.Size() - vhdFooterSize
	footer, err = vhdFooterAt(f, end, vhdFooterSize)
	if footer == nil { // before Virtual PC 2004
		if old, _ := vhdFooterAt(f, end+1, vhdFooterSize-1); old != nil {
			footer, end = old, end+1
		}
	}
	if start != nil && start.Type == vhdFixed {
		start = nil // the first sector of what a fixed disk holds
	}
	switch {
	case footer == nil && start == nil:
		return nil, 0, err
	case footer == nil:
		image.remark(f, max(0, end), "the footer is damaged or was cut off: its copy at the start of the file is used")
		return start, f.Size(), nil
	case footer.Type != vhdFixed && start == nil:
		image.remark(f, 0, "the copy of the footer is damaged: the footer at the end of the file is used")
	case footer.Type != vhdFixed && (start.Size != footer.Size || start.Type != footer.Type || start.ID != footer.ID || start.HeaderOffset != footer.HeaderOffset):
		image.lost(f, 0, "the copy of the footer is not like the footer at the end of the file, which is used")
	}
	return footer, end, nil
}

// vhdFooterAt returns the footer of size bytes at an offset.
func vhdFooterAt(f *source, at int64, size int) (*vhdFooter, error) {
	data, err := fieldAt(f, at, size, "the footer of the VHD")
	if err != nil {
		return nil, err
	}
	data = append(data, make([]byte, vhdFooterSize-size)...)
	var footer vhdFooter
	if _, err := binary.Decode(data, binary.BigEndian, &footer); err != nil {
		return nil, err
	}
	switch {
	case string(footer.Cookie[:]) != "conectix" || footer.Checksum != vhdSum(data, 64):
		return nil, block.NewGap(f, at, "the footer of the VHD is damaged, and there is no copy: its checksum is wrong")
	case footer.Version>>16 != 1:
		return nil, block.NewGap(f, at, "the VHD has version %#x, but only version 1 is known", footer.Version)
	case footer.Type < vhdFixed || footer.Type > vhdDifferencing:
		return nil, block.NewGap(f, at, "the VHD is of the type %d, but only fixed, dynamic and differencing disks (2 to 4) are known", footer.Type)
	}
	return &footer, nil
}

// vhdSum returns the checksum of a structure that has it at an offset: the complement of the sum of all other bytes.
func vhdSum(data []byte, at int) uint32 {
	sum := uint32(0)
	for i, b := range data {
		if i < at || i >= at+4 {
			sum += uint32(b)
		}
	}
	return ^sum
}

func (v *vhdFooter) facts() []Fact {
	facts := []Fact{
		{"type", map[uint32]string{vhdFixed: "fixed", vhdDynamic: "dynamic", vhdDifferencing: "differencing"}[v.Type]},
		{"created", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(v.Time) * time.Second).Format(time.RFC3339)},
		{"created by", fmt.Sprintf("%s %d.%d on %s", printable(v.Creator), v.CreatorVersion[0], v.CreatorVersion[1], printable(v.CreatorHost))},
		{"ID", uuid(v.ID)},
	}
	if v.SavedState != 0 {
		facts = append(facts, Fact{"saved state", "yes"})
	}
	return facts
}

// printable returns a code of four letters as text, without what is none.
func printable(code [4]byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, string(code[:])))
}

// uuid returns a UUID that is stored in the order in which it is written.
func uuid(id [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// vhd is a dynamic or differencing disk.
type vhd struct {
	f        *source
	header   vhdHeader
	block    int64    // bytes of a block
	bitmap   int64    // bytes of the bitmap before it
	disputed []uint32 // the blocks that overlap others, by their entries
	left     bool     // there is room for a block that no entry names
	child    bool     // it is a differencing disk
	parent   *Image   // or nil
}

func readVHDHeader(f *source, footer *vhdFooter, end int64, image *Image) (*vhd, error) {
	at := int64(min(footer.HeaderOffset, math.MaxInt64))
	d := &vhd{f: f, child: footer.Type == vhdDifferencing}
	data, err := fieldAt(f, at, binary.Size(d.header), "the header of the VHD")
	if err != nil {
		return nil, err
	}
	if _, err := binary.Decode(data, binary.BigEndian, &d.header); err != nil {
		return nil, err
	}
	h := &d.header
	d.block = int64(h.BlockSize)
	d.bitmap = (d.block/vhdSector/8 + vhdSector - 1) / vhdSector * vhdSector
	switch {
	case string(h.Cookie[:]) != "cxsparse" || h.Checksum != vhdSum(data, 36):
		return nil, block.NewGap(f, at, "the header of the VHD is damaged: its checksum is wrong")
	case h.Version>>16 != 1:
		return nil, block.NewGap(f, at, "the header of the VHD has version %#x, but only version 1 is known", h.Version)
	case d.block < vhdSector || d.block&(d.block-1) != 0:
		return nil, block.NewGap(f, at, "the VHD has blocks of %d bytes", d.block)
	case footer.Size > vhdMostSize || h.TableOffset > uint64(f.Size()):
		return nil, block.NewGap(f, at, "the VHD claims %d bytes, with a table at %#x", footer.Size, h.TableOffset)
	case uint64(h.Entries)*uint64(d.block) < footer.Size:
		image.lost(f, at, "the block table has %d entries of %d bytes each, which is less than the disk of %d bytes", h.Entries, d.block, footer.Size)
	}
	return d, d.settle(at, end, int64(footer.Size), image)
}

// settle holds the places of all blocks against one another.
func (d *vhd) settle(header, end, size int64, image *Image) error {
	var claims []claim
	take := func(at uint64, size int64) {
		if sector := at / vhdSector; sector < vhdUnused { // where blocks can be
			claims = append(claims, claim{uint32(sector), uint32((size + vhdSector - 1) / vhdSector)})
		}
	}
	take(0, vhdFooterSize)
	take(uint64(header), int64(binary.Size(d.header)))
	take(d.header.TableOffset, 4*int64(d.header.Entries))
	fileSize := d.f.Size()
	if end < fileSize {
		take(uint64(end), vhdFooterSize)
		fileSize = end + vhdFooterSize // also if the footer lacks its last byte
	}
	for _, l := range d.header.Locators {
		if l.Size > 0 {
			take(l.Offset, int64(l.Size))
		}
	}
	length := uint32((d.block + d.bitmap) / vhdSector)
	n := min(int64(d.header.Entries), (size+d.block-1)/d.block)
	eachEntry(d.f, int64(d.header.TableOffset), n, 4, func(_ int64, entry []byte) bool {
		if start := binary.BigEndian.Uint32(entry); start != vhdUnused {
			claims = append(claims, claim{start, length})
		}
		return len(claims) < mostClaims
	})
	if len(claims) >= mostClaims {
		return block.NewGap(d.f, int64(d.header.TableOffset), "the VHD has more than %d blocks in use, which is more than can be checked", mostClaims)
	}
	var room, reach int64
	d.disputed, room, reach = settle(claims, end/vhdSector)
	image.tellReach(d.f, reach*vhdSector, fileSize)
	if d.left = room >= int64(length); d.left {
		image.lost(d.f, int64(d.header.TableOffset), "the file holds a block that its block table does not name: what the table says to be empty may not be")
	}
	if len(d.disputed) > 0 {
		image.lost(d.f, int64(d.disputed[0])*vhdSector, "the block table gives one place to several blocks, the first of %d: they cannot be read", len(d.disputed))
	}
	return nil
}

func (d *vhd) find(at, most int64) (mappedRun, error) {
	n, offset := at/d.block, at%d.block
	entry := int64(d.header.TableOffset) + 4*n
	rest := d.block - offset
	if n >= int64(d.header.Entries) {
		return mappedRun{}, block.NewGap(d.f, entry, "the block table ends before block %d of the disk", n)
	}
	data, err := fieldAt(d.f, entry, 4, "the block table")
	if err != nil {
		return mappedRun{}, err
	}
	sector := binary.BigEndian.Uint32(data)
	switch {
	case sector == vhdUnused && d.left:
		return mappedRun{}, block.NewGap(d.f, entry, "block %d of the disk is empty by the block table, which leaves out a block that the file holds", n)
	case sector == vhdUnused:
		return d.elsewhere(at, rest, entry)
	case isDisputed(d.disputed, sector):
		return mappedRun{}, block.NewGap(d.f, entry, "block %d of the disk overlaps other parts of the file: the block table is damaged", n)
	}
	start := int64(sector) * vhdSector
	set, size, err := bitRun(d.f, start, offset, rest, most, vhdSector, func(bits byte, i int64) bool { return bits&(0x80>>i) != 0 })
	if err != nil {
		return mappedRun{}, err
	}
	there := start + d.bitmap + offset
	if set {
		return mappedRun{n: size, in: d.f, at: there}, nil
	}
	run, err := d.elsewhere(at, size, start+offset/vhdSector/8)
	run.unused = block.Section(d.f, there, size)
	return run, err
}

// bitRun returns the bit of the sector at an offset of a block in the bitmap at a place, and the number of bytes up to the first sector whose
// bit is another. It looks at no more than most bytes of the rest of the block.
func bitRun(f block.Reader, bitmap, offset, rest, most, sector int64, isSet func(bits byte, i int64) bool) (set bool, size int64, err error) {
	first, last := offset/sector, (offset+min(rest, most, sector<<15)-1)/sector
	bits, err := fieldAt(f, bitmap+first/8, int(last/8-first/8+1), "the bitmap of a block")
	if err != nil {
		return false, 0, err
	}
	at := func(i int64) bool { return isSet(bits[i/8-first/8], i%8) }
	next := first + 1
	for next <= last && at(next) == at(first) {
		next++
	}
	return at(first), min(rest, next*sector-offset), nil
}

// elsewhere returns what the file does not hold, as a place in it says.
func (d *vhd) elsewhere(at, size, says int64) (mappedRun, error) {
	if d.child {
		return inherited(d.parent, d.f, says, at, size)
	}
	return mappedRun{n: size, in: d.f, at: says, kind: zeros}, nil
}

// parentNames returns the names that a differencing disk gives to its parent, without their folders.
func (d *vhd) parentNames() (names []string) {
	add := func(path string) {
		path, _, _ = strings.Cut(path, "\x00")
		if name := path[strings.LastIndexAny(path, `\/`)+1:]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, l := range d.header.Locators {
		const most = 64 << 10 // bytes of a path
		platform := string(l.Platform[:])
		if l.Size == 0 || l.Size > most || l.Offset > math.MaxInt64 {
			continue
		}
		data, err := block.Read(d.f, int64(l.Offset), int(l.Size))
		switch {
		case err != nil:
		case platform == "W2ru" || platform == "W2ku":
			add(utf16le(data))
		case platform == "MacX":
			if u, err := url.Parse(string(data)); err == nil {
				add(u.Path)
			}
		}
	}
	add(string(utf16.Decode(d.header.ParentName[:])))
	return names
}

// utf16le returns the text of UTF-16, the lower byte first.
func utf16le(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}
