package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"

	"regvet/hive/evidence/block"
)

// A VHDX (Microsoft, [MS-VHDX]) has two headers, of which the one written last counts, two tables of regions, a log of changes that may have to
// be made to its structures yet, a region with metadata, and a region with the place of each block: the BAT. The headers, the tables of regions
// and the log have checksums, metadata and BAT have none. All of it but the headers and the log is read through the log. All numbers are
// little-endian.
const (
	vhdxMB       = 1 << 20
	vhdxMostSize = 64 << 40 // bytes of a disk
	vhdxRegions  = 64 << 10 // bytes of a table of regions
)

type vhdxGUID [16]byte

var (
	vhdxBAT      = vhdxID("2dc27766-f623-4200-9d64-115e9bfd4a08")
	vhdxMetadata = vhdxID("8b7ca206-4790-4b9a-b8fe-575f050f886e")

	vhdxFileParameters = vhdxID("caa16737-fa36-4d43-b3b6-33f0aa44e76b")
	vhdxDiskSize       = vhdxID("2fa54224-cd1b-4876-b211-5dbed83bf4b8")
	vhdxDiskID         = vhdxID("beca12ab-b2e6-4523-93ef-c309e000c746")
	vhdxSectorSize     = vhdxID("8141bf1d-a96f-4709-ba47-f233a8faab5f")
	vhdxPhysicalSector = vhdxID("cda348c7-445d-4471-9cc9-e9885251c556")
	vhdxParentLocator  = vhdxID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c")

	vhdxLocatorType = vhdxID("b04aefb7-d19e-4a81-b789-25b8e9445913")
)

// vhdxID returns the GUID that is written so.
func vhdxID(s string) (id vhdxGUID) {
	var a uint32
	var b, c uint16
	var d uint16
	var e uint64
	fmt.Sscanf(s, "%08x-%04x-%04x-%04x-%012x", &a, &b, &c, &d, &e)
	binary.LittleEndian.PutUint32(id[:], a)
	binary.LittleEndian.PutUint16(id[4:], b)
	binary.LittleEndian.PutUint16(id[6:], c)
	binary.BigEndian.PutUint64(id[8:], uint64(d)<<48|e)
	return id
}

func (id vhdxGUID) String() string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(id[:]), le.Uint16(id[4:]), le.Uint16(id[6:]), id[8:10], id[10:])
}

type vhdxHeader struct {
	Signature  [4]byte
	Checksum   uint32
	Sequence   uint64
	FileWrite  vhdxGUID // changes when the file does
	DataWrite  vhdxGUID // changes when the content of the disk does
	Log        vhdxGUID // of the entries of the log that count; zero if none does
	LogVersion uint16
	Version    uint16
	LogSize    uint32
	LogOffset  uint64
}

type vhdxRegion struct {
	ID       vhdxGUID
	Offset   uint64
	Size     uint32
	Required uint32
}

type vhdxItem struct {
	ID     vhdxGUID
	Offset uint32 // in the region
	Size   uint32
	Flags  uint32
	_      uint32
}

func isVHDX(head, _ []byte) bool { return bytes.HasPrefix(head, []byte("vhdxfile")) }

func openVHDX(f block.File, beside Beside) (*Image, error) { return openVHDXOf(f, kin{beside: beside}) }

func openVHDXOf(f block.File, family kin) (*Image, error) {
	d := &vhdx{file: &source{File: f}, image: &Image{Kind: "a VHDX image", Files: []File{{f.Name(), f.Size()}}}}
	if err := d.readHeaders(); err != nil {
		return nil, err
	}
	if err := family.admit(d.file, d.header.DataWrite.String()); err != nil {
		return nil, err
	}
	for _, read := range []func() error{d.readLog, d.readRegions, d.readMetadata, d.settle} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	d.image.Reader = &mapped{d.size, d.find}
	d.image.Sector = int(d.sector)
	d.image.close = append(d.image.close, f)
	d.readFacts()
	if d.child {
		names, want, err := d.readLocator()
		if err != nil {
			return nil, err
		}
		family.want, family.seen = want, append(slices.Clip(family.seen), d.header.DataWrite.String())
		d.parent = family.parent(d.image, d.file, names, openVHDXOf)
	}
	return d.image, nil
}

// vhdx is what is known of the file while it is opened, and then while its blocks are read.
type vhdx struct {
	file     *source
	image    *Image
	header   vhdxHeader
	other    []byte       // the header that does not count, if it is damaged
	r        block.Reader // the file as it is after the log was replayed
	regions  map[vhdxGUID]vhdxRegion
	items    map[vhdxGUID][]byte
	size     int64  // bytes of the disk
	sector   int64  // bytes
	block    int64  // bytes
	ratio    int64  // blocks of the disk that share one of the bitmaps
	kind     string // as in the facts
	child    bool   // it is a differencing disk
	parent   *Image
	disputed []uint32 // megabytes of the file at which a block begins that overlaps another
}

// readHeaders takes the valid header with the higher sequence number.
func (d *vhdx) readHeaders() error {
	var valid []vhdxHeader
	var damaged []byte
	for _, at := range []int64{64 << 10, 128 << 10} {
		data, err := fieldAt(d.file, at, 4096, "a header of the VHDX")
		if err != nil {
			return err
		}
		var h vhdxHeader
		if _, err := binary.Decode(data, binary.LittleEndian, &h); err != nil {
			return err
		}
		if string(h.Signature[:]) == "head" && h.Checksum == vhdxSum(data) {
			valid = append(valid, h)
			continue
		}
		damaged = data
		d.image.remark(d.file, at, "a header of the VHDX is damaged: the other one is used")
	}
	switch {
	case len(valid) == 0:
		return block.NewGap(d.file, 64<<10, "both headers of the VHDX are damaged: their checksums are wrong")
	case len(valid) == 2 && valid[0].Sequence == valid[1].Sequence && valid[0] != valid[1]:
		return block.NewGap(d.file, 64<<10, "the two headers of the VHDX differ, and none is newer")
	}
	d.header, d.other = valid[0], damaged
	if len(valid) == 2 && valid[1].Sequence > valid[0].Sequence {
		d.header = valid[1]
	}
	if d.header.Version != 1 {
		return block.NewGap(d.file, 64<<10, "the VHDX has version %d, but only version 1 is known", d.header.Version)
	}
	return nil
}

// vhdxSum returns the checksum of a structure, which has it behind its signature: CRC-32C, as if the field were zero.
func vhdxSum(data []byte) uint32 {
	sum := crc32.Update(0, castagnoli, data[:4])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, data[8:])
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readRegions reads the first table of regions or, if that is damaged, the second.
func (d *vhdx) readRegions() error {
	var tables [][]byte
	for _, at := range []int64{192 << 10, 256 << 10} {
		data, err := fieldAt(d.r, at, vhdxRegions, "a table of regions of the VHDX")
		if err != nil || string(data[:4]) != "regi" || binary.LittleEndian.Uint32(data[4:]) != vhdxSum(data) {
			d.image.remark(d.r, at, "a table of regions of the VHDX is damaged: the other one is used")
			continue
		}
		tables = append(tables, data)
	}
	switch {
	case len(tables) == 0:
		return block.NewGap(d.r, 192<<10, "both tables of regions of the VHDX are damaged: their checksums are wrong")
	case len(tables) == 2 && !bytes.Equal(tables[0], tables[1]):
		d.image.lost(d.r, 192<<10, "the two tables of regions of the VHDX differ: the first one is used")
	}
	n := binary.LittleEndian.Uint32(tables[0][8:])
	if n > 2047 {
		return block.NewGap(d.r, 192<<10, "the table of regions of the VHDX claims %d regions", n)
	}
	regions := make([]vhdxRegion, n)
	if _, err := binary.Decode(tables[0][16:], binary.LittleEndian, regions); err != nil {
		return err
	}
	d.regions = map[vhdxGUID]vhdxRegion{}
	for _, r := range regions {
		_, twice := d.regions[r.ID]
		switch {
		case r.ID != vhdxBAT && r.ID != vhdxMetadata && r.Required&1 != 0:
			return block.NewGap(d.r, 192<<10, "the VHDX needs the region %s, which is not known: convert it with the program that made it", r.ID)
		case twice || r.Offset%vhdxMB != 0 || r.Offset < vhdxMB || r.Offset > math.MaxInt64-math.MaxUint32 || r.Size%vhdxMB != 0 || r.Size == 0:
			return block.NewGap(d.r, 192<<10, "the region %s of the VHDX is given twice, or cannot be at %#x with %d bytes", r.ID, r.Offset, r.Size)
		}
		d.regions[r.ID] = r
	}
	for _, id := range []vhdxGUID{vhdxBAT, vhdxMetadata} {
		if _, ok := d.regions[id]; !ok {
			return block.NewGap(d.r, 192<<10, "the VHDX lacks the region %s", id)
		}
	}
	return nil
}

// readMetadata reads the items of the metadata that are known.
func (d *vhdx) readMetadata() error {
	const userItem, required = 1, 4
	region := d.regions[vhdxMetadata]
	at := int64(region.Offset)
	data, err := fieldAt(d.r, at, 64<<10, "the metadata of the VHDX")
	if err != nil {
		return err
	}
	n := binary.LittleEndian.Uint16(data[10:])
	if string(data[:8]) != "metadata" || n > 2047 {
		return block.NewGap(d.r, at, "the metadata of the VHDX is damaged")
	}
	items := make([]vhdxItem, n)
	if _, err := binary.Decode(data[32:], binary.LittleEndian, items); err != nil {
		return err
	}
	known := []vhdxGUID{vhdxFileParameters, vhdxDiskSize, vhdxDiskID, vhdxSectorSize, vhdxPhysicalSector, vhdxParentLocator}
	d.items = map[vhdxGUID][]byte{}
	for _, item := range items {
		isKnown := slices.Contains(known, item.ID) && item.Flags&userItem == 0
		switch {
		case !isKnown && item.Flags&required != 0:
			return block.NewGap(d.r, at, "the VHDX needs the metadata %s, which is not known: convert it with the program that made it", item.ID)
		case !isKnown:
			continue
		case d.items[item.ID] != nil || item.Offset < 64<<10 || item.Size > vhdxMB || uint64(item.Offset)+uint64(item.Size) > uint64(region.Size):
			return block.NewGap(d.r, at, "the metadata %s of the VHDX is given twice, or cannot be at %#x with %d bytes", item.ID, item.Offset, item.Size)
		}
		if d.items[item.ID], err = fieldAt(d.r, at+int64(item.Offset), int(item.Size), "the metadata of the VHDX"); err != nil {
			return err
		}
	}
	for id, size := range map[vhdxGUID]int{vhdxFileParameters: 8, vhdxDiskSize: 8, vhdxDiskID: 16, vhdxSectorSize: 4, vhdxPhysicalSector: 4} {
		if len(d.items[id]) != size {
			return block.NewGap(d.r, at, "the metadata %s of the VHDX has %d bytes, not %d", id, len(d.items[id]), size)
		}
	}
	return d.readGeometry(at)
}

// readGeometry holds the numbers of the metadata against what they may be.
func (d *vhdx) readGeometry(at int64) error {
	le := binary.LittleEndian
	size := le.Uint64(d.items[vhdxDiskSize])
	d.sector = int64(le.Uint32(d.items[vhdxSectorSize]))
	d.block = int64(le.Uint32(d.items[vhdxFileParameters]))
	flags := le.Uint32(d.items[vhdxFileParameters][4:])
	d.child = flags&2 != 0
	switch d.kind = "dynamic"; {
	case d.child:
		d.kind = "differencing"
	case flags&1 != 0: // blocks stay where they are
		d.kind = "fixed"
	}
	physical := le.Uint32(d.items[vhdxPhysicalSector])
	switch {
	case d.sector != 512 && d.sector != 4096 || physical != 512 && physical != 4096:
		return block.NewGap(d.r, at, "the VHDX has sectors of %d bytes, of %d on the disk", d.sector, physical)
	case d.block < vhdxMB || d.block > 256*vhdxMB || d.block&(d.block-1) != 0 || flags&^3 != 0:
		return block.NewGap(d.r, at, "the VHDX has blocks of %d bytes, with the flags %#x", d.block, flags)
	case size == 0 || size > vhdxMostSize || size%uint64(d.sector) != 0:
		return block.NewGap(d.r, at, "the VHDX claims a disk of %d bytes", size)
	case d.child != (d.items[vhdxParentLocator] != nil):
		return block.NewGap(d.r, at, "the VHDX is a differencing disk that does not name its parent, or names one and is none")
	}
	d.size = int64(size)
	d.ratio = d.sector << 23 / d.block
	return nil
}

func (d *vhdx) readFacts() {
	d.image.Facts = append(d.image.Facts, Fact{"type", d.kind})
	creator, _ := fieldAt(d.file, 8, 512, "the name of the creator")
	name, _, _ := strings.Cut(utf16le(creator), "\x00")
	if name != "" {
		d.image.Facts = append(d.image.Facts, Fact{"created by", name})
	}
	d.image.Facts = append(d.image.Facts, Fact{"ID", vhdxGUID(d.items[vhdxDiskID]).String()}, Fact{"content ID", d.header.DataWrite.String()})
}

// readLocator returns the names of the parent, without their folders, and the content IDs of which it must have one.
func (d *vhdx) readLocator() (names, want []string, err error) {
	data := d.items[vhdxParentLocator]
	bad := block.NewGap(d.r, int64(d.regions[vhdxMetadata].Offset), "the VHDX names its parent in a way that is not known or is damaged")
	if len(data) < 20 || vhdxGUID(data[:16]) != vhdxLocatorType {
		return nil, nil, bad
	}
	le := binary.LittleEndian
	text := func(at uint32, size uint16) (string, bool) {
		if uint64(at)+uint64(size) > uint64(len(data)) {
			return "", false
		}
		return utf16le(data[at:][:size]), true
	}
	values := map[string]string{}
	for i := range min(int(le.Uint16(data[18:])), (len(data)-20)/12) {
		e := data[20+12*i:]
		key, ok := text(le.Uint32(e), le.Uint16(e[8:]))
		value, fits := text(le.Uint32(e[4:]), le.Uint16(e[10:]))
		if !ok || !fits {
			return nil, nil, bad
		}
		values[key] = value
	}
	for _, key := range []string{"parent_linkage", "parent_linkage2"} {
		if id := strings.ToLower(strings.Trim(values[key], "{}")); id != "" {
			want = append(want, id)
		}
	}
	if want == nil {
		return nil, nil, bad
	}
	for _, key := range []string{"relative_path", "absolute_win32_path", "volume_path"} {
		path := values[key]
		if name := path[strings.LastIndexAny(path, `\/`)+1:]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, want, nil
}

// The states of blocks in the BAT ([MS-VHDX] 2.5.1).
const (
	vhdxNotPresent = 0
	vhdxUndefined  = 1
	vhdxZero       = 2
	vhdxUnmapped   = 3
	vhdxPresent    = 6
	vhdxPartly     = 7
)

// vhdxEntry is an entry of the BAT.
type vhdxEntry uint64

func (e vhdxEntry) state() int    { return int(e & 7) }
func (e vhdxEntry) place() uint64 { return uint64(e >> 20) } // in megabytes
func (e vhdxEntry) isSane() bool  { return e>>3&(1<<17-1) == 0 && e.place() <= math.MaxUint32 }
func (e vhdxEntry) isStored() bool {
	return e.isSane() && (e.state() == vhdxPresent || e.state() == vhdxPartly)
}

// settle holds the places of all blocks against one another.
func (d *vhdx) settle() error {
	claims := []claim{{0, 1}}
	take := func(at uint64, size uint32) {
		if at/vhdxMB <= math.MaxUint32 {
			claims = append(claims, claim{uint32(at / vhdxMB), size / vhdxMB})
		}
	}
	take(d.header.LogOffset, d.header.LogSize)
	for _, r := range d.regions {
		take(r.Offset, r.Size)
	}
	bat := d.regions[vhdxBAT]
	blocks := (d.size + d.block - 1) / d.block
	n := blocks + (blocks-1)/d.ratio
	if d.child {
		n = (blocks + d.ratio - 1) / d.ratio * (d.ratio + 1)
	}
	if n*8 > int64(bat.Size) {
		d.image.lost(d.r, int64(bat.Offset), "the BAT has room for %d of the %d entries of the disk", bat.Size/8, n)
	}
	eachEntry(d.r, int64(bat.Offset), min(n, int64(bat.Size)/8), 8, func(i int64, entry []byte) bool {
		e := vhdxEntry(binary.LittleEndian.Uint64(entry))
		switch isBitmap := i%(d.ratio+1) == d.ratio; {
		case !e.isStored():
		case isBitmap:
			claims = append(claims, claim{uint32(e.place()), 1})
		default:
			claims = append(claims, claim{uint32(e.place()), uint32(d.block / vhdxMB)})
		}
		return len(claims) < mostClaims
	})
	if len(claims) >= mostClaims {
		return block.NewGap(d.r, int64(bat.Offset), "the VHDX has more than %d blocks in use, which is more than can be checked", mostClaims)
	}
	var reach int64
	d.disputed, _, reach = settle(claims, 0)
	d.image.tellReach(d.file, reach*vhdxMB, d.file.Size())
	if len(d.disputed) > 0 {
		d.image.lost(d.r, int64(d.disputed[0])*vhdxMB, "the BAT gives one place to several blocks, the first of %d: they cannot be read", len(d.disputed))
	}
	return nil
}

// entry returns an entry of the BAT, and its place. Like Hyper-V it takes no entry for right that says of a block that it is zero and where it is.
func (d *vhdx) entry(n int64) (e vhdxEntry, at int64, err error) {
	bat := d.regions[vhdxBAT]
	at = int64(bat.Offset) + 8*n
	if 8*n >= int64(bat.Size) {
		return 0, at, block.NewGap(d.r, at, "the BAT ends before the entry %d", n)
	}
	data, err := fieldAt(d.r, at, 8, "the BAT")
	if err != nil {
		return 0, at, err
	}
	e = vhdxEntry(binary.LittleEndian.Uint64(data))
	switch {
	case !e.isSane() || e.state() == vhdxZero && e.place() != 0:
		return 0, at, block.NewGap(d.r, at, "the entry %d of the BAT is damaged: it is %#x", n, uint64(e))
	case e.isStored() && isDisputed(d.disputed, uint32(e.place())):
		return 0, at, block.NewGap(d.r, at, "the entry %d of the BAT names a place that other parts of the file take too: the BAT is damaged", n)
	}
	return e, at, nil
}

// find returns what there is at an offset. The content of a block that is undefined or unmapped can be anything that was ever on the disk, by
// [MS-VHDX], and so it is a gap. By the same words a block that is not present can be read as zeros; it is the state of a block that was never
// written, and everyone who reads such a disk gives zeros, Windows too.
func (d *vhdx) find(at, most int64) (mappedRun, error) {
	n, offset := at/d.block, at%d.block
	rest := d.block - offset
	e, says, err := d.entry(n + n/d.ratio)
	if err != nil {
		return mappedRun{}, err
	}
	there := int64(e.place())*vhdxMB + offset
	switch state := e.state(); {
	case state == vhdxNotPresent && d.child:
		return inherited(d.parent, d.r, says, at, rest)
	case state == vhdxNotPresent || state == vhdxZero:
		return mappedRun{n: rest, in: d.r, at: says, kind: zeros}, nil
	case state == vhdxUndefined || state == vhdxUnmapped:
		return mappedRun{}, block.NewGap(d.r, says, "block %d of the disk is trimmed or undefined: what it holds is not known", n)
	case state == vhdxPresent:
		return mappedRun{n: rest, in: d.r, at: there}, nil
	case state != vhdxPartly || !d.child:
		return mappedRun{}, block.NewGap(d.r, says, "block %d of the disk has the state %d, which is not valid: the BAT is damaged", n, state)
	}
	chunk := n / d.ratio
	bitmap, says, err := d.entry(chunk*(d.ratio+1) + d.ratio)
	if err == nil && bitmap.state() != vhdxPresent {
		err = block.NewGap(d.r, says, "block %d of the disk is partly in the parent, but the bitmap that says where is not there", n)
	}
	if err != nil {
		return mappedRun{}, err
	}
	first := int64(bitmap.place())*vhdxMB + n%d.ratio*d.block/d.sector/8
	set, size, err := bitRun(d.r, first, offset, rest, most, d.sector, func(bits byte, i int64) bool { return bits&(1<<i) != 0 })
	switch {
	case err != nil:
		return mappedRun{}, err
	case set:
		return mappedRun{n: size, in: d.r, at: there}, nil
	}
	return inherited(d.parent, d.r, first+offset/d.sector/8, at, size)
}
