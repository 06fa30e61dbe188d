package image

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// A qcow2 image is a disk of QEMU: an L1 table leads to L2 tables, and those to the clusters of the disk that were written. Source: QEMU,
// docs/interop/qcow2.txt. All numbers are big-endian.

// qcow2Header is the header on disk. Version 2 ends before Incompatible.
type qcow2Header struct {
	Magic          [4]byte
	Version        uint32
	BackingOffset  uint64
	BackingSize    uint32
	ClusterBits    uint32
	DiskSize       uint64
	Encryption     uint32
	L1Size         uint32 // entries
	L1Offset       uint64
	RefcountOffset uint64
	RefcountSize   uint32 // clusters
	Snapshots      uint32
	SnapshotOffset uint64
	Incompatible   uint64
	Compatible     uint64
	Autoclear      uint64
	RefcountOrder  uint32
	HeaderLength   uint32
	Compression    byte // if the header is long enough
}

// The incompatible features.
const (
	qcow2Dirty = 1 << iota
	qcow2Corrupt
	qcow2DataFile
	qcow2Compression
	qcow2Extended
	qcow2Known = 1<<iota - 1
)

// What of an entry of a table is what.
const (
	qcow2Offset     = 1<<56 - 1<<9
	qcow2Single     = 1 << 63 // nothing else leads to it
	qcow2Compressed = 1 << 62
	qcow2Zero       = 1
)

// qcow2 is an open image.
type qcow2 struct {
	*source
	qcow2Header
	cluster int64 // bytes
	perL2   int64 // entries of an L2 table
	backing string
}

func isQCOW2(head, _ []byte) bool { return bytes.HasPrefix(head, []byte("QFI\xfb")) }

func openQCOW2(f block.File, _ Beside) (*Image, error) {
	q := &qcow2{source: &source{f, newHeld()}}
	if err := q.readHeader(); err != nil {
		return nil, err
	}
	i := &Image{
		Reader: &mapped{int64(q.DiskSize), q.find}, Kind: "a qcow2 image",
		Files: []File{{f.Name(), f.Size()}}, Problems: q.problems(), close: []io.Closer{f},
	}
	if q.Snapshots > 0 {
		i.Facts = append(i.Facts, Fact{"snapshots in the image, which are not read", fmt.Sprint(q.Snapshots)})
	}
	if q.backing != "" {
		i.Facts = append(i.Facts, Fact{"builds on", q.backing})
	}
	return i, nil
}

// readHeader reads the header, and returns why the image cannot be read.
func (q *qcow2) readHeader() error {
	head, err := q.read(0, int(max(72, min(512, q.Size()))))
	if err != nil {
		return err
	}
	version := binary.BigEndian.Uint32(head[4:])
	switch {
	case version == 1:
		return refuse(q.source, 4, "is a qcow image of version 1, which is not read: convert it with qemu-img convert -O raw")
	case version != 2 && version != 3:
		return refuse(q.source, 4, "has version %d of the qcow2 format, 2 and 3 are known", version)
	case version == 3 && len(head) < 104:
		return refuse(q.source, 0, "is cut off in its header")
	}
	padded := append(bytes.Clone(head), make([]byte, 112)...)
	if version == 2 {
		clear(padded[72:])
	}
	if _, err := binary.Decode(padded, binary.BigEndian, &q.qcow2Header); err != nil {
		return err
	}
	if q.HeaderLength <= 104 {
		q.Compression = 0
	}
	return q.check()
}

func (q *qcow2) check() error {
	h := &q.qcow2Header
	least := uint32(9)
	if h.Incompatible&qcow2Extended != 0 {
		least = 14
	}
	switch {
	case h.Incompatible&^qcow2Known != 0:
		return refuse(q.source, 72, "needs features that are not known here: %s; convert it with qemu-img convert -O raw", q.unknown())
	case h.Incompatible&qcow2DataFile != 0:
		return refuse(q.source, 72, "keeps its content in another file, which is not opened: convert it with qemu-img convert -O raw")
	case h.Encryption != 0:
		return refuse(q.source, 32, "is encrypted (%s): decrypt it with qemu-img convert -O raw and its secret", q.encryption())
	case h.ClusterBits < least || h.ClusterBits > 21:
		return refuse(q.source, 20, "claims clusters of 2^%d bytes, 2^%d to 2^21 are possible", h.ClusterBits, least)
	case h.Version == 3 && (h.HeaderLength < 104 || h.HeaderLength%8 != 0 || h.HeaderLength > 1<<h.ClusterBits):
		return refuse(q.source, 100, "claims a header of %d bytes", h.HeaderLength)
	case h.Compression > 1 || (h.Compression == 1) != (h.Incompatible&qcow2Compression != 0):
		return refuse(q.source, 104, "is compressed by the unknown method %d, or its header is damaged", h.Compression)
	case h.DiskSize > 1<<61:
		return refuse(q.source, 24, "claims a disk of %d bytes", h.DiskSize)
	}
	q.cluster = 1 << h.ClusterBits
	q.perL2 = q.cluster / q.width()
	if !q.aligned(h.L1Offset) || q.l1() > 0 && int64(h.L1Offset) >= q.Size() {
		return refuse(q.source, 40, "has its L1 table at %#x, where it cannot be: the file is cut off or its header is damaged", h.L1Offset)
	}
	return q.readBacking()
}

// width is the size of an entry of an L2 table: with subclusters, a bitmap is behind the entry.
func (q *qcow2) width() int64 {
	if q.Incompatible&qcow2Extended != 0 {
		return 16
	}
	return 8
}

// l1 returns how many entries of the L1 table the disk needs.
func (q *qcow2) l1() int64 {
	return (int64(q.DiskSize) + q.cluster*q.perL2 - 1) / (q.cluster * q.perL2)
}

// aligned reports whether something that fills clusters can lie at an offset: the first cluster has the header.
func (q *qcow2) aligned(at uint64) bool {
	return at >= uint64(q.cluster) && at < 1<<56 && at%uint64(q.cluster) == 0
}

func (q *qcow2) readBacking() error {
	if q.BackingOffset == 0 {
		return nil
	}
	at, size := q.BackingOffset, q.BackingSize
	if size == 0 || size > 1023 || at > uint64(q.cluster) || int64(at)+int64(size) > q.cluster {
		q.backing = "an image whose name is damaged"
		return nil
	}
	name, err := q.read(int64(at), int(size))
	q.backing = string(name)
	return err
}

func (q *qcow2) encryption() string {
	switch q.Encryption {
	case 1:
		return "AES"
	case 2:
		return "LUKS"
	}
	return fmt.Sprintf("method %d", q.Encryption)
}

// unknown names the features that are needed and not known here, by the table of names in the header if it has one.
func (q *qcow2) unknown() string {
	names := q.featureNames()
	var list []string
	for rest := q.Incompatible &^ qcow2Known; rest != 0; rest &= rest - 1 {
		bit := bits.TrailingZeros64(rest)
		name := fmt.Sprintf("bit %d", bit)
		if names[bit] != "" {
			name += fmt.Sprintf(" (%q)", names[bit])
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}

// featureNames returns the names of the incompatible features by their bits, as far as the header has them.
func (q *qcow2) featureNames() (names [64]string) {
	q.extensions(func(kind uint32, data []byte) {
		for ; kind == 0x6803f857 && len(data) >= 48; data = data[48:] {
			if bit := data[1]; data[0] == 0 && bit < 64 {
				names[bit] = string(bytes.TrimRight(data[2:48], "\x00"))
			}
		}
	})
	return names
}

// extensions calls a function with each extension of the header, and returns what is wrong with them.
func (q *qcow2) extensions(each func(kind uint32, data []byte)) string {
	end := min(uint64(1)<<min(q.ClusterBits, 16), uint64(q.Size())) // nobody needs more, and they end with the first cluster
	if q.BackingOffset != 0 {
		end = min(end, q.BackingOffset)
	}
	at := uint64(max(q.HeaderLength, 72))
	for at+8 <= end {
		head, err := q.read(int64(at), 8)
		if err != nil {
			return err.Error()
		}
		kind, size := binary.BigEndian.Uint32(head), uint64(binary.BigEndian.Uint32(head[4:]))
		if at += 8; kind == 0 {
			return ""
		}
		if size > end-at {
			return fmt.Sprintf("its extension %#x claims %d bytes", kind, size)
		}
		data, err := q.read(int64(at), int(size))
		if err != nil {
			return err.Error()
		}
		each(kind, data)
		at += (size + 7) &^ 7
	}
	return ""
}

// problems are those that the header tells.
func (q *qcow2) problems() (problems []hive.Problem) {
	tell := func(at int64, loss bool, format string, args ...any) {
		problems = append(problems, told(q.source, at, loss, format, args...))
	}
	if q.Incompatible&qcow2Corrupt != 0 {
		tell(72, true, "is marked as corrupt by QEMU, so that what is read may be wrong: see qemu-img check")
	}
	if why := q.damaged(); why != "" {
		tell(0, true, "has a damaged header, so that what is read may be wrong: %s", why)
	}
	if q.Incompatible&qcow2Dirty != 0 {
		tell(72, false, "was not closed cleanly: the machine was running or crashed")
	}
	if has := min(int64(q.L1Size), (q.Size()-int64(q.L1Offset))/8); has < q.l1() {
		tell(36, true, "has %d entries in its L1 table, its size needs %d: what lies behind is missing", has, q.l1())
	}
	if q.backing != "" {
		tell(int64(q.BackingOffset), true, "builds on %q, which is not opened, so that what is only there is missing: %s", q.backing, flatten)
	}
	return problems
}

// damaged returns what is wrong with those fields of the header that are not needed for reading.
func (q *qcow2) damaged() string {
	file := uint64(q.Size())
	switch {
	case q.RefcountOrder > 6:
		return fmt.Sprintf("it claims reference counts of 2^%d bits", q.RefcountOrder)
	case q.L1Offset+uint64(q.L1Size)*8 > file:
		return fmt.Sprintf("it claims %d entries of the L1 table", q.L1Size)
	case !q.aligned(q.RefcountOffset) || q.RefcountSize == 0 || q.RefcountOffset >= file || uint64(q.RefcountSize)*uint64(q.cluster) > file:
		return fmt.Sprintf("its reference counts cannot be at %#x", q.RefcountOffset)
	case q.SnapshotOffset%uint64(q.cluster) != 0 || q.Snapshots > 0 && (!q.aligned(q.SnapshotOffset) || q.SnapshotOffset >= file || uint64(q.Snapshots)*40 > file):
		return fmt.Sprintf("its %d snapshots cannot be at %#x", q.Snapshots, q.SnapshotOffset)
	}
	hasBitmaps := false
	why := q.extensions(func(kind uint32, _ []byte) { hasBitmaps = hasBitmaps || kind == 0x23852875 })
	if why == "" && (q.Autoclear&1 != 0 && !hasBitmaps || q.Autoclear&2 != 0) {
		why = fmt.Sprintf("it claims the features %#x without what they need", q.Autoclear)
	}
	return why
}

const flatten = "convert the image with qemu-img convert -O raw"

func (q *qcow2) find(at, most int64) (mappedRun, error) { return longest(at, most, q.run) }

// run returns what is known of the cluster or the subcluster at an offset of the disk.
func (q *qcow2) run(at int64) (mappedRun, error) {
	if at >= int64(q.DiskSize) { // who joins runs asks for it
		return mappedRun{}, block.NewGap(q.source, 24, "lies beyond the end of the disk")
	}
	entry, subclusters, where, err := q.entry(at / q.cluster)
	if err != nil {
		return mappedRun{}, err
	}
	skip := at % q.cluster
	p := mappedRun{in: q.source, at: where, n: q.cluster - skip}
	switch {
	case entry&qcow2Compressed != 0:
		return q.unpack(entry, where, skip)
	case q.Incompatible&qcow2Extended != 0:
		sub := q.cluster / 32
		p.n = sub - skip%sub
		p.kind, err = q.subcluster(subclusters, skip/sub, where)
	case entry&qcow2Zero != 0 && q.Version >= 3:
		p.kind = zeros
	case entry&qcow2Offset == 0:
		p.kind = absent
	}
	if err == nil {
		err = q.checkEntry(entry, p.kind, where)
	}
	if err == nil && p.kind == stored {
		err = q.checkSingle(entry, where)
	}
	switch {
	case err != nil:
		return p, err
	case p.kind == stored:
		p.at = int64(entry&qcow2Offset) + skip
	case p.kind == absent && q.backing != "":
		return p, block.NewGap(q.source, where, "is in %q, which the image builds on, and which is not opened: %s", q.backing, flatten)
	case p.kind == absent:
		p.kind = zeros
	}
	return p, nil
}

// subcluster returns where one of 32 parts of a cluster is: the lower half of the bitmap says which are stored, the upper which are zero.
func (q *qcow2) subcluster(bitmap uint64, number, where int64) (runKind, error) {
	isStored, isZero := bitmap>>number&1 != 0, bitmap>>(32+number)&1 != 0
	switch {
	case isStored && isZero:
		return 0, block.NewGap(q.source, where+8, "a part of a cluster is both stored and zero: the table is damaged")
	case isStored:
		return stored, nil
	case isZero:
		return zeros, nil
	}
	return absent, nil
}

// checkEntry requires of an entry that is not compressed that it can be one.
func (q *qcow2) checkEntry(entry uint64, kind runKind, where int64) error {
	known := uint64(qcow2Offset | qcow2Single)
	if q.Version >= 3 && q.Incompatible&qcow2Extended == 0 {
		known |= qcow2Zero
	}
	offset := entry & qcow2Offset
	if entry&^known != 0 || kind == stored && offset == 0 || offset == 0 && entry&qcow2Single != 0 || offset != 0 && !q.free(offset) {
		return block.NewGap(q.source, where, "a table has the entry %#x, which is damaged", entry)
	}
	return nil
}

// checkSingle requires an entry that says of a cluster that nothing else leads to it to be the only one in its table, or in 64 KiB of it.
func (q *qcow2) checkSingle(entry uint64, where int64) error {
	if entry&qcow2Single == 0 {
		return nil
	}
	size := min(q.cluster, tableChunk)
	from := where &^ (size - 1)
	entries, err := q.table(from, int(size))
	if err != nil {
		return err
	}
	for at := int64(0); at < size; at += q.width() {
		other := binary.BigEndian.Uint64(entries[at:])
		if (other^entry)&qcow2Offset == 0 && other&qcow2Compressed == 0 && from+at != where {
			return block.NewGap(q.source, where, "two entries of a table, here and at %#x, lead to the same cluster: one of them is damaged", from+at)
		}
	}
	return nil
}

// free reports whether a cluster can begin at an offset.
func (q *qcow2) free(at uint64) bool {
	within := func(from uint64, size int64) bool { return at >= from && at-from < uint64(size) }
	return q.aligned(at) && !within(q.L1Offset, int64(q.L1Size)*8) && !within(q.RefcountOffset, int64(q.RefcountSize)*q.cluster)
}

// entry returns the entry of a cluster in the L2 tables, with its bitmap if it has one, and its offset or that of the L1 entry that has no table.
func (q *qcow2) entry(number int64) (entry, bitmap uint64, at int64, err error) {
	index := number / q.perL2
	at = int64(q.L1Offset) + index*8
	if index >= int64(q.L1Size) {
		return 0, 0, at, block.NewGap(q.source, 36, "lies behind what the L1 table covers: the header is damaged")
	}
	data, err := q.table(at, 8)
	if err != nil {
		return 0, 0, at, err
	}
	l1 := binary.BigEndian.Uint64(data)
	table := l1 & qcow2Offset
	switch {
	case l1 == 0:
		return 0, 0, at, nil
	case l1&^(qcow2Offset|qcow2Single) != 0, !q.free(table), int64(table) > q.Size()-q.cluster:
		return 0, 0, at, block.NewGap(q.source, at, "the L1 table has the entry %#x, which is damaged or leads beyond the end of the file", l1)
	}
	at = int64(table) + number%q.perL2*q.width()
	if data, err = q.table(at, int(q.width())); err != nil {
		return 0, 0, at, err
	}
	if len(data) == 16 {
		bitmap = binary.BigEndian.Uint64(data[8:])
	}
	return binary.BigEndian.Uint64(data), bitmap, at, nil
}

// unpack returns what a compressed cluster has from a byte of it on.
func (q *qcow2) unpack(entry uint64, where, skip int64) (mappedRun, error) {
	split := 62 - (q.ClusterBits - 8) // the bits below are the offset, those above how many sectors there are beyond the first
	at := int64(entry & (1<<split - 1))
	end := (at/sector + 1 + int64(entry&(1<<62-1)>>split)) * sector
	if at >= 1<<56 || at < q.cluster || at >= q.Size() || entry&qcow2Single != 0 {
		return mappedRun{}, block.NewGap(q.source, where, "a table has the entry %#x of a compressed cluster, which is damaged or leads beyond the end of the file",
			entry)
	}
	data, err := q.held.get(heldKey{q.source, where, true}, func() ([]byte, error) {
		data, err := q.read(at, int(min(end, q.Size())-at)) // the last sector need not be filled
		if err != nil {
			return nil, err
		}
		if data, err = q.inflate(data); err != nil {
			return nil, block.NewGap(q.source, at, "a compressed cluster cannot be unpacked: %v", err)
		}
		return data, nil
	})
	if err != nil {
		return mappedRun{}, err
	}
	return mappedRun{kind: packed, n: q.cluster - skip, in: q.source, at: at, data: data[skip:]}, nil
}

// inflate unpacks a cluster. Behind the stream may lie another one.
func (q *qcow2) inflate(data []byte) ([]byte, error) {
	if q.Compression == 0 {
		return unpack(flate.NewReader(bytes.NewReader(data)), int(q.cluster), int(q.cluster))
	}
	z := zstdDecoders.Get().(*zstd.Decoder)
	defer zstdDecoders.Put(z)
	if err := z.Reset(bytes.NewReader(data)); err != nil {
		return nil, err
	}
	cluster := make([]byte, q.cluster)
	_, err := io.ReadFull(z, cluster)
	return cluster, err
}

// zstdDecoders are used again, as one costs more than a cluster. They work in the goroutine that reads.
var zstdDecoders = sync.Pool{New: func() any {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(16<<20))
	if err != nil {
		panic(err) // of options that do not change
	}
	return z
}}
