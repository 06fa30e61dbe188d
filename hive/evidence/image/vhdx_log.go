package image

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"regvet/hive/evidence/block"
)

// A VHDX that was not closed has changes of its structures in its log: a ring of entries, each of whole sectors of 4 KiB. An entry has a header
// and descriptors, each of a run of zeros or of a sector of data, and then those sectors. The last entry says where in the ring the first one is
// that counts ([MS-VHDX] 2.3).
//
// Windows replays the log up to the first entry that is not whole, as a power failure leaves one. An entry that was damaged later looks much
// the same, but its changes may have been made already, in part: what the file then says of its blocks is of no one time. Only an entry of which
// a sector was never written is taken for one of a power failure, and it is told; in all other doubts the image is not read.
const (
	vhdxLogSector     = 4096
	vhdxLogHeaderSize = 64
	vhdxLogDescriptor = 32
	vhdxMostWrites    = 1 << 20 // bounds the memory that a log needs, 60 MB
)

// vhdxLogEntry is the header of an entry.
type vhdxLogEntry struct {
	Signature   [4]byte
	Checksum    uint32
	Size        uint32 // bytes, with all sectors
	Tail        uint32 // offset in the ring of the first entry that counts if this is the last
	Sequence    uint64
	Descriptors uint32
	_           uint32
	Log         vhdxGUID
	Flushed     uint64 // bytes that the file had for certain when the entry was written
	Last        uint64 // bytes that the file must have
}

// vhdxPlaced is an entry at an offset in the ring.
type vhdxPlaced struct {
	vhdxLogEntry
	at int64
}

type vhdxLog struct {
	f      *source
	id     vhdxGUID
	at     int64 // of the ring
	size   int64 // of it, in bytes
	budget int64 // bytes of entries that may be read yet
}

const vhdxAsk = "let Windows replay it on a copy (Mount-VHD), and read that"

// readLog sets the content of the file, with the changes of the log if there are any.
func (d *vhdx) readLog() error {
	h := d.header
	l := &vhdxLog{f: d.file, id: h.Log, at: int64(h.LogOffset), size: int64(h.LogSize)}
	l.budget = 4 * l.size
	d.r = d.file
	bad := h.LogOffset < vhdxMB || h.LogOffset%vhdxMB != 0 || h.LogOffset > uint64(d.file.Size()) || l.size == 0 || l.size%vhdxMB != 0 || l.at > d.file.Size()-l.size
	switch {
	case h.Log == vhdxGUID{} && (bad || d.other == nil):
		return nil
	case bad || h.LogVersion != 0:
		return block.NewGap(d.file, l.at, "the VHDX has changes in a log that lies beyond the end of the file or is of a version that is not known")
	}
	if d.other != nil {
		if err := l.knowsAll(d.other); err != nil {
			return err
		}
	}
	if h.Log == (vhdxGUID{}) {
		return nil
	}
	last, err := l.last(d.image)
	if err != nil {
		return err
	}
	if int64(min(last.Flushed, 1<<62)) > d.file.Size() {
		d.image.lost(d.file, d.file.Size(), "the file was cut off: its log says that it had %d bytes", last.Flushed)
	}
	writes, err := l.writes(last)
	if err != nil {
		return err
	}
	d.r = overlay(d.file, writes)
	d.image.remark(d.file, l.at, "the VHDX was not closed: its content is read as its log changes it, in %d places", len(writes))
	return nil
}

// knowsAll returns an error if the header that is damaged may have been the newer one, with a log of which the other header does not know.
func (l *vhdxLog) knowsAll(damaged []byte) error {
	var h vhdxHeader
	if _, err := binary.Decode(damaged, binary.LittleEndian, &h); err != nil {
		return err
	}
	if h.Log == l.id && int64(h.LogOffset) == l.at && int64(h.LogSize) == l.size && h.Version == 1 {
		return nil
	}
	entries, err := l.entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Log == l.id {
			continue
		}
		if state, err := l.check(e, e.Sequence); err != nil {
			return err
		} else if state == vhdxWhole {
			return block.NewGap(l.f, l.at+e.at, "one header of the VHDX is damaged, and the log holds changes that the other does not know: %s", vhdxAsk)
		}
	}
	return nil
}

// entries returns what is signed as an entry, by its place.
func (l *vhdxLog) entries() ([]vhdxPlaced, error) {
	var found []vhdxPlaced
	for at := int64(0); at < l.size; at += vhdxLogSector {
		e, err := l.entry(at)
		if err != nil {
			return nil, err
		}
		if string(e.Signature[:]) == "loge" && l.fits(e) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (l *vhdxLog) entry(at int64) (vhdxPlaced, error) {
	e := vhdxPlaced{at: at}
	data, err := block.Read(l.f, l.at+at, vhdxLogHeaderSize)
	if err != nil {
		return e, err
	}
	_, err = binary.Decode(data, binary.LittleEndian, &e.vhdxLogEntry)
	return e, err
}

// fits reports whether the numbers of an entry are possible.
func (l *vhdxLog) fits(e vhdxPlaced) bool {
	size := int64(e.Size)
	return size > 0 && size%vhdxLogSector == 0 && size <= l.size && e.Sequence > 0 && e.dataSector(0) <= size
}

// dataSector returns the offset in the entry of one of its sectors of data.
func (e vhdxPlaced) dataSector(n int64) int64 {
	descriptors := vhdxLogHeaderSize + vhdxLogDescriptor*int64(e.Descriptors)
	return ((descriptors+vhdxLogSector-1)/vhdxLogSector + n) * vhdxLogSector
}

// place returns the offset in the file of an offset in the ring or beyond its end, where it begins again.
func (l *vhdxLog) place(at int64) int64 { return l.at + at%l.size }

type vhdxState int

const (
	vhdxWhole   vhdxState = iota
	vhdxTorn              // a sector of it was never written
	vhdxDamaged           // anything else
)

// check reads an entry, which has a sequence number unless it is damaged.
func (l *vhdxLog) check(e vhdxPlaced, sequence uint64) (vhdxState, error) {
	if l.budget -= int64(e.Size); l.budget < 0 {
		return 0, block.NewGap(l.f, l.at, "the log of the VHDX claims more entries than it has room for: %s", vhdxAsk)
	}
	sum, data := uint32(0), int64(0)
	unwritten, mixed, described := false, false, true
	for at := int64(0); at < int64(e.Size); at += vhdxLogSector {
		sector, err := block.Read(l.f, l.place(e.at+at), vhdxLogSector)
		if err != nil {
			return 0, err
		}
		var right, wrong int
		if at < e.dataSector(0) {
			var n int64
			right, wrong, n = marks(sector, at, int64(e.Descriptors), sequence)
			data += n
			described = described && wrong == 0
		} else {
			right, wrong = dataMarks(sector, sequence)
		}
		unwritten = unwritten || right == 0 && wrong > 0
		mixed = mixed || right > 0 && wrong > 0 || at == 0 && wrong > 0
		if at == 0 {
			clear(sector[4:8])
		}
		sum = crc32.Update(sum, castagnoli, sector)
	}
	switch isExact := e.dataSector(data) == int64(e.Size); {
	case sum == e.Checksum && !unwritten && !mixed && isExact && e.Sequence == sequence:
		return vhdxWhole, nil
	case sum != e.Checksum && unwritten && !mixed && (isExact || !described):
		return vhdxTorn, nil
	}
	return vhdxDamaged, nil
}

// marks counts the descriptors in a sector of an entry that have its sequence number and a signature, those that do not, and those of data.
func marks(sector []byte, at, descriptors int64, sequence uint64) (right, wrong int, data int64) {
	first := max(0, (at-vhdxLogHeaderSize)/vhdxLogDescriptor)
	from := int64(0)
	if at == 0 {
		from = vhdxLogHeaderSize
	}
	for n := first; n < descriptors && from < vhdxLogSector; n, from = n+1, from+vhdxLogDescriptor {
		d := sector[from:][:vhdxLogDescriptor]
		signature := string(d[:4])
		if (signature != "desc" && signature != "zero") || binary.LittleEndian.Uint64(d[24:]) != sequence {
			wrong++
			continue
		}
		right++
		if signature == "desc" {
			data++
		}
	}
	return right, wrong, data
}

// dataMarks is marks for a sector of data, which has the halves of the number at its ends. An old sector has the same signature.
func dataMarks(sector []byte, sequence uint64) (right, wrong int) {
	le := binary.LittleEndian
	if le.Uint32(sector[vhdxLogSector-4:]) != uint32(sequence) {
		return 0, 1
	}
	if string(sector[:4]) != "data" || le.Uint32(sector[4:]) != uint32(sequence>>32) {
		return 1, 1
	}
	return 1, 0
}

// last returns the newest entry of the log.
func (l *vhdxLog) last(image *Image) (vhdxPlaced, error) {
	found, err := l.entries()
	if err != nil {
		return vhdxPlaced{}, err
	}
	found = slices.DeleteFunc(found, func(e vhdxPlaced) bool { return e.Log != l.id })
	slices.SortFunc(found, func(a, b vhdxPlaced) int { return cmp.Compare(b.Sequence, a.Sequence) })
	for i, e := range found {
		state, err := l.check(e, e.Sequence)
		if err != nil {
			return e, err
		}
		if state == vhdxWhole {
			return e, l.checkNext(e, found[:i], image)
		}
	}
	return vhdxPlaced{}, block.NewGap(l.f, l.at, "the VHDX was not closed, and its log holds no whole entry: %s", vhdxAsk)
}

// checkNext looks at what follows the newest entry that is whole: nothing, or an entry that was not written to its end. Others that are newer
// and not whole cannot be.
func (l *vhdxLog) checkNext(e vhdxPlaced, newer []vhdxPlaced, image *Image) error {
	damaged := func(at int64) error {
		return block.NewGap(l.f, l.place(at), "the VHDX was not closed, and an entry of its log is damaged: %s", vhdxAsk)
	}
	next, err := l.entry((e.at + int64(e.Size)) % l.size)
	if err != nil {
		return err
	}
	for _, n := range newer {
		if n.at != next.at {
			return damaged(n.at)
		}
	}
	isNext := 0
	for _, mark := range []bool{string(next.Signature[:]) == "loge", next.Log == l.id, next.Sequence == e.Sequence+1} {
		if mark {
			isNext++
		}
	}
	if isNext < 2 {
		return nil
	}
	if !l.fits(next) {
		return damaged(next.at)
	}
	if next.Sequence != e.Sequence+1 || next.Log != l.id { // an entry of an earlier round or log, if it is whole
		if state, err := l.check(next, next.Sequence); err != nil || state == vhdxWhole {
			return err
		}
	}
	state, err := l.check(next, e.Sequence+1)
	if err == nil && state != vhdxTorn {
		err = damaged(next.at)
	}
	if err == nil {
		image.lost(l.f, l.place(next.at), "the last entry of the log was not written to its end, as by a power failure: the image is read as it was before it")
	}
	return err
}

// vhdxWrite is a change that the log makes to the file.
type vhdxWrite struct {
	from, to   int64 // in the file
	descriptor int64 // its place in the file
	data       int64 // and that of its sector of data; 0 if it is a run of zeros
}

// writes returns the changes of the entries that count, in their order.
func (l *vhdxLog) writes(last vhdxPlaced) ([]vhdxWrite, error) {
	var writes []vhdxWrite
	damaged := func(at int64) error {
		return block.NewGap(l.f, l.place(at), "the VHDX was not closed, and its log is damaged here: %s", vhdxAsk)
	}
	sequence := uint64(0)
	for at, used := int64(last.Tail), int64(0); ; {
		if at%vhdxLogSector != 0 || at >= l.size {
			return nil, damaged(last.at)
		}
		e, err := l.entry(at)
		if err != nil {
			return nil, err
		}
		if string(e.Signature[:]) != "loge" || e.Log != l.id || !l.fits(e) || sequence > 0 && e.Sequence != sequence {
			return nil, damaged(at)
		}
		if state, err := l.check(e, e.Sequence); err != nil {
			return nil, err
		} else if used += int64(e.Size); state != vhdxWhole || used > l.size {
			return nil, damaged(at)
		}
		if writes, err = l.add(writes, e); err != nil {
			return nil, err
		}
		if e.at == last.at {
			return writes, nil
		}
		sequence, at = e.Sequence+1, (e.at+int64(e.Size))%l.size
	}
}

// add adds the changes of an entry that is whole.
func (l *vhdxLog) add(writes []vhdxWrite, e vhdxPlaced) ([]vhdxWrite, error) {
	le := binary.LittleEndian
	data := int64(0)
	for n := range int64(e.Descriptors) {
		place := l.place(e.at + vhdxLogHeaderSize + vhdxLogDescriptor*n)
		d, err := block.Read(l.f, place, vhdxLogDescriptor)
		if err != nil {
			return nil, err
		}
		w := vhdxWrite{from: int64(le.Uint64(d[16:])), descriptor: place}
		size := int64(le.Uint64(d[8:]))
		if string(d[:4]) == "desc" {
			w.data, size = l.place(e.at+e.dataSector(data)), vhdxLogSector
			data++
		}
		if w.from < 0 || w.from%vhdxLogSector != 0 || size < 0 || size%vhdxLogSector != 0 || w.from+size < 0 || len(writes) == vhdxMostWrites {
			return nil, block.NewGap(l.f, place, "the log of the VHDX has a change that is not possible, or too many: %s", vhdxAsk)
		}
		w.to = w.from + size
		writes = append(writes, w)
	}
	return writes, nil
}

// overlay returns the content of the file with changes, of which a later one is made over an earlier one. They can reach beyond its end.
func overlay(f *source, writes []vhdxWrite) block.Reader {
	var cuts []int64
	for _, w := range writes {
		cuts = append(cuts, w.from, w.to)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	owner := make([]int32, len(cuts))  // the number of the change, from 1, from each cut to the next
	free := make([]int32, len(cuts)+1) // the first cut from here on that has no owner yet, or one that is nearer to it
	for i := range free {
		free[i] = int32(i)
	}
	nextFree := func(i int32) int32 {
		for free[i] != i {
			free[i] = free[free[i]]
			i = free[i]
		}
		return i
	}
	for n := len(writes) - 1; n >= 0; n-- {
		from, _ := slices.BinarySearch(cuts, writes[n].from)
		to, _ := slices.BinarySearch(cuts, writes[n].to)
		for i := nextFree(int32(from)); i < int32(to); i = nextFree(i) {
			owner[i], free[i] = int32(n+1), i+1
		}
	}
	size := f.Size()
	if len(cuts) > 0 {
		size = max(size, cuts[len(cuts)-1])
	}
	return &mapped{size, func(at, _ int64) (mappedRun, error) {
		i, found := slices.BinarySearch(cuts, at)
		if !found {
			i--
		}
		end := size
		if i+1 < len(cuts) {
			end = cuts[i+1]
		}
		if i < 0 || owner[i] == 0 {
			return mappedRun{n: end - at, in: f, at: at}, nil
		}
		return writes[owner[i]-1].at(f, at, end), nil
	}}
}

// at returns what a change makes of the file at an offset, up to an end. Of a sector of data the first 8 and the last 4 bytes are in the
// descriptor, as the sector has its marks there.
func (w vhdxWrite) at(f *source, at, end int64) mappedRun {
	const leading, trailing = 8, vhdxLogSector - 4
	switch o := at - w.from; {
	case w.data == 0:
		return mappedRun{n: end - at, in: f, at: w.descriptor, kind: zeros}
	case o < leading:
		return mappedRun{n: leading - o, in: f, at: w.descriptor + 8 + o}
	case o < trailing:
		return mappedRun{n: trailing - o, in: f, at: w.data + o}
	default:
		return mappedRun{n: vhdxLogSector - o, in: f, at: w.descriptor + 4 + o - trailing}
	}
}
