package image

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"sync/atomic"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

const (
	sector        = 512     // bytes; VMDK counts everything in sectors of this size
	mostGrain     = 1 << 30 // bytes; grains of 64 KiB are usual
	mostPacked    = 4 << 20 // bytes of a grain that is compressed, as it is held in memory
	mostDirectory = 1 << 20 // bytes of a grain directory that are looked at beforehand: those of a disk of 8 TB
	mostFound     = 4 << 20 // grains of a stream without tables that are looked for: 256 GB, in 32 MB of memory
	atEnd         = 1<<64 - 1
)

// grains is an extent that holds only the grains that were written: a grain directory leads to grain tables, and those to the grains.
type grains struct {
	*source
	size      int64   // bytes of the disk that it stands for
	grain     int64   // bytes of a grain
	perTable  int64   // entries of a grain table
	directory []int64 // offset of the grain directory, and that of the redundant one, which leads to tables of the same content
	first     int64   // offset of the first grain: metadata lies before it
	zeroed    bool    // an entry of 1 says that a grain is zero, whatever the parent has
	packed    bool    // grains are compressed behind a marker
	hole      atomic.Pointer[hole]
	found     []found // the grains of a stream without tables, by their numbers; nil if it has tables
}

// found is a grain that was found by its marker.
type found struct{ number, sector uint32 }

// hole is a number of grains that are not in a stream, which was checked.
type hole struct{ from, to int64 }

// sparseHeader is the header of a sparse extent of VMware's hosted products, on disk, signed "KDMV" (Virtual Disk Format 5.0, "Hosted Sparse
// Extents"). Places and sizes are in sectors.
type sparseHeader struct {
	Magic            [4]byte
	Version          uint32
	Flags            uint32
	Capacity         uint64
	GrainSize        uint64
	DescriptorOffset uint64
	DescriptorSize   uint64
	EntriesPerTable  uint32
	RedundantOffset  uint64 // of the redundant grain directory
	DirectoryOffset  uint64
	Overhead         uint64
	Unclean          byte
	LineEnds         [4]byte
	Compression      uint16
}

const (
	testsLineEnds = 1 << iota
	hasRedundant
	hasZeroed
	hasCompressed = 1 << 16
	hasMarkers    = 1 << 17
)

func isSparse(head []byte) bool { return bytes.HasPrefix(head, []byte("KDMV")) }
func isCOWD(head []byte) bool   { return bytes.HasPrefix(head, []byte("COWD")) }

// openGrains opens a sparse extent of one of the kinds, and says what is odd about it.
func openGrains(s *source) (*grains, []hive.Problem, error) {
	head, err := block.Read(s, 0, int(min(4096, s.Size())))
	switch {
	case err != nil:
		return nil, nil, err
	case isSparse(head):
		return openSparse(s)
	case isCOWD(head):
		return openCOWD(s, head)
	}
	return nil, nil, refuse(s, 0, "is not a sparse extent of a VMDK image")
}

func readSparseHeader(s *source, at int64) (*sparseHeader, error) {
	data, err := s.read(at, sector)
	if err != nil {
		return nil, err
	}
	h := &sparseHeader{}
	if _, err := binary.Decode(data, binary.LittleEndian, h); err != nil || !isSparse(data) {
		return nil, refuse(s, at, "has no header of a sparse extent")
	}
	return h, nil
}

// check returns why the extent cannot be read.
func (h *sparseHeader) check(s *source) error {
	switch {
	case h.Flags&testsLineEnds != 0 && h.LineEnds != [4]byte{'\n', ' ', '\r', '\n'}:
		return refuse(s, 73, "was changed by a transfer as text, as its header shows: copy the image again, in binary mode")
	case h.Version < 1 || h.Version > 3:
		return refuse(s, 4, "has version %d of the sparse extent, versions 1 to 3 are known", h.Version)
	case h.Capacity == 0 || h.Capacity > 1<<53:
		return refuse(s, 12, "claims a disk of %d sectors", h.Capacity)
	case h.GrainSize < 8 || h.GrainSize > mostGrain/sector || bits.OnesCount64(h.GrainSize) != 1:
		return refuse(s, 20, "claims grains of %d sectors, a power of two from 8 is possible", h.GrainSize)
	case h.EntriesPerTable != 512:
		return refuse(s, 44, "claims grain tables of %d entries, 512 is usual", h.EntriesPerTable)
	case h.Compression > 1:
		return refuse(s, 77, "has grains that are compressed by the unknown method %d", h.Compression)
	case (h.Compression == 1) != (h.Flags&hasCompressed != 0), h.Compression == 1 && h.Flags&hasMarkers == 0:
		return refuse(s, 8, "contradicts itself on whether its grains are compressed behind markers: its header is damaged")
	case h.Compression == 1 && h.GrainSize > mostPacked/sector:
		return refuse(s, 20, "claims compressed grains of %d sectors", h.GrainSize)
	}
	return nil
}

func openSparse(s *source) (*grains, []hive.Problem, error) {
	h, err := readSparseHeader(s, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := h.check(s); err != nil {
		return nil, nil, err
	}
	var problems []hive.Problem
	if h.DirectoryOffset == atEnd {
		whole, err := readFooter(s, h)
		if p, ok := errors.AsType[*hive.Problem](err); ok && h.Compression == 1 {
			p.Kind = block.Gap
			return openWithoutTables(s, h, *p)
		}
		if err != nil {
			return nil, nil, err
		}
		h = whole
	}
	g := &grains{
		source: s, size: int64(h.Capacity) * sector, grain: int64(h.GrainSize) * sector, perTable: int64(h.EntriesPerTable),
		first: offsetOf(h.Overhead), zeroed: h.Flags&hasZeroed != 0, packed: h.Compression == 1,
	}
	g.directory = append(g.directory, offsetOf(h.DirectoryOffset))
	if h.Flags&hasRedundant != 0 && (h.RedundantOffset != 0 || !g.packed) {
		g.directory = append(g.directory, offsetOf(h.RedundantOffset))
	}
	if h.Unclean != 0 {
		problems = append(problems, unclean(s, 72))
	}
	more, err := g.checkDirectories()
	return g, append(problems, more...), err
}

// unclean tells that a byte of a header says so.
func unclean(s *source, at int64) hive.Problem {
	return told(s, at, false, "was not closed cleanly: the machine was running or crashed, and what it wrote last may be missing")
}

// offsetOf returns the offset of a sector, which is beyond the end of any file if there can be no such sector.
func offsetOf(number uint64) int64 { return int64(min(number, 1<<53)) * sector }

const byMarkers = "so that only grains are read that are found by their markers"

// readFooter returns the header that lies at the end of a stream, as only who has written all of the grains knows where the grain directory is.
func readFooter(s *source, head *sparseHeader) (*sparseHeader, error) {
	at := s.Size() - 2*sector // the end-of-stream marker is behind it
	h, err := readSparseHeader(s, max(0, at))
	if p, ok := errors.AsType[*hive.Problem](err); ok && p.Kind == hive.Unreadable {
		return nil, refuse(s, s.Size(), "is cut off: the footer of the stream, which leads to its tables, is missing, %s; copy the image again", byMarkers)
	}
	if err != nil {
		return nil, err
	}
	same := *h
	same.DirectoryOffset, same.RedundantOffset = head.DirectoryOffset, head.RedundantOffset
	if same.Unclean = head.Unclean; same != *head || h.DirectoryOffset == atEnd {
		return nil, refuse(s, at, "has a footer that contradicts its header, %s: one of them is damaged", byMarkers)
	}
	return h, nil
}

// openWithoutTables opens a stream whose tables were lost with its end, or cannot be found. Its grains are there, one after the other, each with the
// number of its place; a grain that is not is a gap, as nobody knows whether it is zero.
func openWithoutTables(s *source, h *sparseHeader, why hive.Problem) (*grains, []hive.Problem, error) {
	g := &grains{source: s, size: int64(h.Capacity) * sector, grain: int64(h.GrainSize) * sector, packed: true, found: []found{}}
	for at := offsetOf(h.Overhead); len(g.found) < mostFound; {
		next, first, err := g.next(at)
		if err != nil {
			break
		}
		if first >= 0 && first%g.grain == 0 && next <= s.Size() && first/g.grain < 1<<32 && at/sector < 1<<32 {
			g.found = append(g.found, found{uint32(first / g.grain), uint32(at / sector)})
		}
		at = next
	}
	slices.SortStableFunc(g.found, func(a, b found) int { return cmp.Compare(a.number, b.number) })
	return g, []hive.Problem{why}, nil
}

// foundEntry returns the sector of a grain that was found by its marker.
func (g *grains) foundEntry(number int64) (entry uint32, at int64, err error) {
	i, ok := slices.BinarySearchFunc(g.found, number, func(f found, number int64) int { return cmp.Compare(int64(f.number), number) })
	if !ok {
		return 0, 0, block.NewGap(g.source, g.Size(), "a grain is not in what there is of the stream, whose tables are missing")
	}
	if at = int64(g.found[i].sector) * sector; i+1 < len(g.found) && g.found[i+1].number == g.found[i].number {
		return 0, at, block.NewGap(g.source, at, "a grain is twice in a stream whose tables are missing")
	}
	return g.found[i].sector, at, nil
}

// openCOWD opens an extent of ESX Server, signed "COWD" (libvmdk, "The COWD sparse extent data file").
func openCOWD(s *source, head []byte) (*grains, []hive.Problem, error) {
	if len(head) < 2048 {
		return nil, nil, refuse(s, int64(len(head)), "is cut off in the header of a COWD extent")
	}
	field := func(at int) int64 { return int64(binary.LittleEndian.Uint32(head[at:])) }
	g := &grains{source: s, size: field(12) * sector, grain: field(16) * sector, perTable: 4096, directory: []int64{field(20) * sector}}
	switch {
	case field(4) != 1:
		return nil, nil, refuse(s, 4, "has version %d of the COWD extent, version 1 is known", field(4))
	case g.size == 0:
		return nil, nil, refuse(s, 12, "claims a disk of 0 sectors")
	case g.grain == 0 || g.grain > mostGrain:
		return nil, nil, refuse(s, 16, "claims grains of %d sectors", field(16))
	case field(24) < g.tables():
		return nil, nil, refuse(s, 24, "has a grain directory of %d entries, its size needs %d", field(24), g.tables())
	}
	g.first = g.directory[0] + field(24)*4
	var problems []hive.Problem
	if field(1648) != 0 {
		problems = append(problems, unclean(s, 1648))
	}
	more, err := g.checkDirectories()
	return g, append(problems, more...), err
}

// tables returns how many grain tables there are.
func (g *grains) tables() int64 { return (g.size + g.grain*g.perTable - 1) / (g.grain * g.perTable) }

// checkDirectories leaves out a directory that is not in the file if there is another, and tells what entries cannot be right.
func (g *grains) checkDirectories() (problems []hive.Problem, err error) {
	var there []int64
	for _, at := range g.directory {
		if at >= sector && at <= g.Size()-g.tables()*4 {
			there = append(there, at)
		}
	}
	if len(there) == 0 {
		return nil, refuse(g.source, g.directory[0], "has no grain directory, as the file is cut off or its header is damaged: copy the image again")
	}
	alone := len(there) < len(g.directory)
	g.directory = there
	for _, at := range there {
		bad, odd, err := g.look(at)
		switch {
		case err != nil:
			return problems, err
		case alone && (bad > 0 || odd > 0): // then nothing speaks for its being one
			return problems, refuse(g.source, at, "has no grain directory where its damaged header says: copy the image again")
		case bad > 0 && len(there) == 1:
			problems = append(problems, told(g.source, at, true, "leads to grain tables beyond the end of the file: %d", bad))
		case bad > 0:
			problems = append(problems, told(g.source, at, false,
				"leads to grain tables beyond the end of the file: %d, of which the copies are used", bad))
		}
	}
	if alone {
		problems = append(problems, told(g.source, there[0], false,
			"has one of its two grain directories beyond the end of the file: the other one is used"))
	}
	return problems, nil
}

// look counts the entries of a directory that lead out of the file, and those that do not lead to where tables are.
func (g *grains) look(at int64) (bad, odd int, err error) {
	entries, err := block.Read(g.source, at, int(min(g.tables()*4, mostDirectory)))
	if err != nil {
		return 0, 0, err
	}
	for ; len(entries) > 0; entries = entries[4:] {
		switch table := int64(binary.LittleEndian.Uint32(entries)) * sector; {
		case table >= g.Size():
			bad++
		case table == 0 || table >= g.first:
			odd++
		}
	}
	return bad, odd, nil
}

func (g *grains) find(at, most int64) (mappedRun, error) { return longest(at, most, g.run) }

// run returns what is known of the grain at an offset of the extent.
func (g *grains) run(at int64) (mappedRun, error) {
	number, skip := at/g.grain, at%g.grain
	if at >= g.size { // who joins runs asks for it
		return mappedRun{}, block.NewGap(g.source, g.Size(), "lies beyond the end of the extent")
	}
	entry, from, err := g.entry(number)
	if err != nil {
		return mappedRun{}, err
	}
	p := mappedRun{in: g.source, at: from, n: min(g.grain-skip, g.size-at)}
	place := int64(entry) * sector
	switch {
	case entry == 0 && g.packed:
		p.kind = absent
		return p, g.checkHole(number, from)
	case entry == 0:
		p.kind = absent
	case entry == 1 && g.zeroed:
		p.kind = zeros
	case place < g.first:
		return p, block.NewGap(g.source, from, "a grain table leads to %#x, where no grain can be", place)
	case g.packed:
		p.kind, p.at = packed, place
		data, err := g.held.get(heldKey{g.source, number, true}, func() ([]byte, error) { return g.unpack(place, number) })
		if err != nil {
			return p, err
		}
		p.data = data[skip:]
		p.n = min(p.n, int64(len(p.data)))
	default:
		p.at = place + skip
	}
	return p, nil
}

// entry returns the entry of a grain in the grain tables, in sectors, and its offset. The redundant table holds the same or, if it does not,
// one of them is damaged. A table that is not in the file does not count if there is another.
func (g *grains) entry(number int64) (entry uint32, at int64, err error) {
	if g.found != nil {
		return g.foundEntry(number)
	}
	entry, at, err = g.entryOf(g.directory[0], number)
	if len(g.directory) == 1 {
		return entry, at, err
	}
	other, where, otherErr := g.entryOf(g.directory[1], number)
	switch {
	case err != nil && otherErr == nil:
		return other, where, nil
	case err == nil && otherErr == nil && entry != other:
		err = block.NewGap(g.source, at, "a grain lies at %#x by a grain table, at %#x by its redundant copy: one of them is damaged",
			int64(entry)*sector, int64(other)*sector)
	}
	return entry, at, err
}

func (g *grains) entryOf(directory, number int64) (entry uint32, at int64, err error) {
	at = directory + number/g.perTable*4
	table, err := g.le32(at)
	if err != nil || table == 0 || table == 1 && g.zeroed {
		return table, at, err
	}
	at = int64(table)*sector + number%g.perTable*4
	entry, err = g.le32(at)
	return entry, at, err
}

// unpack returns the bytes of a compressed grain, whose marker must name the sector of the extent that the grain begins at. Only the last grain
// may have fewer bytes than the others.
func (g *grains) unpack(at, number int64) ([]byte, error) {
	marker, err := g.read(at, 12)
	if err != nil {
		return nil, err
	}
	first, size := binary.LittleEndian.Uint64(marker), int64(binary.LittleEndian.Uint32(marker[8:]))
	switch want := uint64(number * g.grain / sector); {
	case first != want:
		return nil, block.NewGap(g.source, at, "a compressed grain is that of sector %d, not of %d", first, want)
	case size == 0 || size > 2*g.grain: // deflate makes incompressible bytes longer by less than a thousandth
		return nil, block.NewGap(g.source, at+8, "a compressed grain claims %d bytes", size)
	}
	data, err := g.read(at+12, int(size))
	if err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = unpack(z, int(min(g.grain, g.size-number*g.grain)), int(g.grain))
	}
	if err != nil {
		return nil, block.NewGap(g.source, at, "a compressed grain cannot be unpacked: %v", err)
	}
	return data, nil
}

const (
	mostHole    = 1 << 12 // grains of a hole that are looked at together
	mostBefore  = 1 << 16 // grains, or tables that are not there, up to the last grain before a hole: 2 TB of nothing
	mostMarkers = 1 << 12 // that are followed from the last grain before a hole
)

// checkHole requires a grain that the tables do not have not to be in the stream: there is no second copy of the tables, but the grains lie in
// their order, each behind a marker that says which one it is, so that one that is there is found behind the one before.
func (g *grains) checkHole(number, from int64) error {
	if h := g.hole.Load(); h != nil && number >= h.from && number < h.to {
		return nil
	}
	h := &hole{from: number, to: number + 1}
	for most := min(number+mostHole, (g.size+g.grain-1)/g.grain); h.to < most; h.to++ {
		if entry, _, err := g.entry(h.to); err != nil || entry != 0 {
			break
		}
	}
	at := g.first
	for range mostBefore {
		if h.from == 0 {
			break
		}
		entry, where, err := g.entry(h.from - 1)
		if err != nil {
			return err
		}
		if entry != 0 {
			if at, _, err = g.next(int64(entry) * sector); err != nil {
				return err
			}
			break
		}
		if where < g.directory[0]+g.tables()*4 && where >= g.directory[0] { // the table is not there: none of its grains is
			h.from = (h.from-1)/g.perTable*g.perTable + 1
		}
		h.from--
	}
	for range mostMarkers {
		next, first, err := g.next(at)
		switch {
		case err != nil: // the end of the stream, or none of it
			g.hole.Store(h)
			return nil
		case first/g.grain >= h.from && first/g.grain < h.to && first >= 0:
			return block.NewGap(g.source, from, "the tables have no grain that is in the stream at %#x: they are damaged", at)
		case first/g.grain >= h.to:
			g.hole.Store(h)
			return nil
		}
		at = next
	}
	g.hole.Store(h)
	return nil
}

// next returns the offset of the marker behind that at an offset and, if this is one of a grain, at which byte of the extent the grain begins; -1
// if it is one of metadata.
func (g *grains) next(at int64) (next, first int64, err error) {
	marker, err := g.table(at, 16)
	if err != nil {
		return 0, 0, err
	}
	number, size := binary.LittleEndian.Uint64(marker), int64(binary.LittleEndian.Uint32(marker[8:]))
	kind := binary.LittleEndian.Uint32(marker[12:])
	switch {
	case size > 0 && size <= 2*g.grain && number < uint64(g.size/sector):
		return (at + 12 + size + sector - 1) / sector * sector, int64(number) * sector, nil
	case size == 0 && kind >= 1 && kind <= 3 && number < 1<<32:
		return at + (1+int64(number))*sector, -1, nil
	}
	return 0, 0, block.NewGap(g.source, at, "a stream has no marker")
}
