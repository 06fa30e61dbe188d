package imagetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ntfsAttribute is an attribute, or a piece of one, of a file.
type ntfsAttribute struct {
	kind        uint32
	name        string
	flags       uint16
	value       []byte    // of a resident one
	runs        []ntfsRun // of another
	start       int       // its first cluster
	size, valid int
	total       int // clusters of all pieces
	outside     bool
	unit        byte
}

// ntfsProtect puts an update sequence over a record.
func ntfsProtect(raw []byte, at int) {
	const number = 0x0302
	ntfsLE.PutUint16(raw[4:], uint16(at))
	ntfsLE.PutUint16(raw[6:], uint16(len(raw)/512+1))
	ntfsLE.PutUint16(raw[at:], number)
	for i := range len(raw) / 512 {
		end := raw[i*512+510 : i*512+512]
		copy(raw[at+2+2*i:], end)
		ntfsLE.PutUint16(end, number)
	}
}

// bytes returns an attribute as a record holds it.
func (w *ntfsWriter) bytes(a ntfsAttribute, id int) []byte {
	name := ntfsText(a.name)
	header := 24
	if a.outside {
		if header = 0x40; a.flags&0x8001 != 0 {
			header = 0x48
		}
	}
	raw := make([]byte, header+(len(name)+7)&^7)
	ntfsLE.PutUint32(raw, a.kind)
	raw[9] = byte(len(name) / 2)
	ntfsLE.PutUint16(raw[10:], uint16(header))
	ntfsLE.PutUint16(raw[12:], a.flags)
	ntfsLE.PutUint16(raw[14:], uint16(id))
	copy(raw[header:], name)
	body := a.value
	if a.outside {
		body = w.runs(a, raw)
	} else {
		ntfsLE.PutUint32(raw[16:], uint32(len(body)))
		ntfsLE.PutUint16(raw[20:], uint16(len(raw)))
		if a.kind == ntfsName {
			raw[22] = 1
		}
	}
	raw = append(raw, body...)
	raw = append(raw, make([]byte, -len(raw)&7)...)
	ntfsLE.PutUint32(raw[4:], uint32(len(raw)))
	return raw
}

// runs fills the header of an attribute that lies in clusters of its own, and returns its runs.
func (w *ntfsWriter) runs(a ntfsAttribute, raw []byte) (runs []byte) {
	raw[8] = 1
	count, there, before := 0, 0, 0
	for _, r := range a.runs {
		count += r.count
		length := ntfsNumber(r.count)
		var delta []byte
		if r.lcn >= 0 {
			there += r.count
			delta = ntfsNumber(r.lcn - before)
			before = r.lcn
		}
		runs = append(runs, byte(len(length)|len(delta)<<4))
		runs = append(append(runs, length...), delta...)
	}
	ntfsLE.PutUint64(raw[0x10:], uint64(a.start))
	ntfsLE.PutUint64(raw[0x18:], uint64(a.start+count-1))
	ntfsLE.PutUint16(raw[0x20:], uint16(len(raw)))
	raw[0x22] = a.unit
	if a.start == 0 {
		ntfsLE.PutUint64(raw[0x28:], uint64(a.total*w.Cluster))
		ntfsLE.PutUint64(raw[0x30:], uint64(a.size))
		ntfsLE.PutUint64(raw[0x38:], uint64(a.valid))
		if a.flags&0x8001 != 0 {
			ntfsLE.PutUint64(raw[0x40:], uint64(there*w.Cluster))
		}
	}
	return append(runs, 0)
}

// ntfsNumber returns a signed number in as few bytes as it takes.
func ntfsNumber(n int) (raw []byte) {
	for {
		raw = append(raw, byte(n))
		if rest := n >> 7; rest == 0 || rest == -1 {
			return raw
		}
		n >>= 8
	}
}

// split cuts an attribute into pieces of so many runs.
func (a ntfsAttribute) split(each int) (pieces []ntfsAttribute) {
	if len(a.runs) == 0 {
		return []ntfsAttribute{a}
	}
	start := 0
	for runs := range slices.Chunk(a.runs, each) {
		piece := a
		piece.runs, piece.start = runs, start
		pieces = append(pieces, piece)
		for _, r := range runs {
			start += r.count
		}
	}
	return pieces
}

// finish writes the records of a file. With an attribute list, each piece of its content has a record of its own.
func (w *ntfsWriter) finish(e *ntfsEntry) {
	slices.SortStableFunc(e.attributes, func(a, b ntfsAttribute) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
	if e.how.PerRecord == 0 {
		w.record(e, e.number, 0, e.attributes)
		return
	}
	var own []ntfsAttribute
	var list []byte
	for _, a := range e.attributes {
		if a.kind != ntfsData && a.kind != ntfsAllocation || !a.outside {
			list = append(list, ntfsListed(a, e.reference(), len(own))...)
			own = append(own, a)
			continue
		}
		for _, piece := range a.split(e.how.PerRecord) {
			if e.number == 0 && piece.start == 0 { // of the MFT, from where the others are found
				list = append(list, ntfsListed(piece, e.reference(), len(own))...)
				own = append(own, piece)
				continue
			}
			number := w.extension(e)
			to := uint64(number) | 1<<48
			w.record(&ntfsEntry{sequence: 1}, number, e.reference(), []ntfsAttribute{piece})
			list = append(list, ntfsListed(piece, to, 0)...)
		}
	}
	a := ntfsAttribute{kind: ntfsList, value: list}
	if e.how.ListOutside {
		a = w.outside(ntfsList, "", list, 1)
	}
	w.record(e, e.number, 0, append(own, a))
}

// ntfsListed returns an entry of an attribute list.
func ntfsListed(a ntfsAttribute, in uint64, id int) []byte {
	name := ntfsText(a.name)
	raw := make([]byte, (26+len(name)+7)&^7)
	ntfsLE.PutUint32(raw, a.kind)
	ntfsLE.PutUint16(raw[4:], uint16(len(raw)))
	raw[6], raw[7] = byte(len(name)/2), 26
	ntfsLE.PutUint64(raw[8:], uint64(a.start))
	ntfsLE.PutUint64(raw[16:], in)
	ntfsLE.PutUint16(raw[24:], uint16(id))
	copy(raw[26:], name)
	return raw
}

// extension returns the number of a new record behind those of all files. For the MFT it is one that its first run holds.
func (w *ntfsWriter) extension(e *ntfsEntry) int {
	if e.number == 0 {
		for number := 16; number < 24; number++ {
			if !w.inUse(number) {
				return number
			}
		}
	}
	number := max(len(w.records), len(w.entries))
	w.records = append(w.records, make([][]byte, number+1-len(w.records))...)
	return number
}

// record makes an MFT record. Attributes keep the place in the list as their id, and are written by their type.
func (w *ntfsWriter) record(e *ntfsEntry, number int, base uint64, attributes []ntfsAttribute) {
	raw := make([]byte, w.Record)
	copy(raw, "FILE")
	ntfsLE.PutUint16(raw[0x10:], uint16(e.sequence))
	ntfsLE.PutUint16(raw[0x12:], uint16(e.links))
	flags := uint16(1)
	if e.folder {
		flags |= 2
	}
	if e.unused {
		flags, attributes = 0, nil
	}
	ntfsLE.PutUint16(raw[0x16:], flags)
	ntfsLE.PutUint32(raw[0x1C:], uint32(w.Record))
	ntfsLE.PutUint64(raw[0x20:], base)
	ntfsLE.PutUint16(raw[0x28:], uint16(len(attributes)))
	ntfsLE.PutUint32(raw[0x2C:], uint32(number))
	at := (0x30 + 2*(w.Record/512+1) + 7) &^ 7
	ntfsLE.PutUint16(raw[0x14:], uint16(at))
	ids := make([]int, len(attributes))
	for i := range ids {
		ids[i] = i
	}
	slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(attributes[a].kind, attributes[b].kind) })
	for _, id := range ids {
		attribute := w.bytes(attributes[id], id)
		if at+len(attribute)+8 > len(raw) {
			panic(fmt.Sprintf("the attributes of MFT record %d do not fit: %#x", number, attributes[id].kind))
		}
		at += copy(raw[at:], attribute)
	}
	ntfsLE.PutUint32(raw[at:], 0xFFFFFFFF)
	ntfsLE.PutUint32(raw[0x18:], uint32(at+8))
	ntfsProtect(raw, 0x30)
	if number >= len(w.records) {
		w.records = append(w.records, make([][]byte, number+1-len(w.records))...)
	}
	w.records[number] = raw
}

// finishMFT writes what depends on all else: the MFT with its mirror, the map of clusters, the boot sectors.
func (w *ntfsWriter) finishMFT() {
	mft := w.entries[0]
	if w.MFTListed {
		mft.how.PerRecord = 1
	}
	size := max(len(w.records), len(w.entries)) * w.Record
	first := w.clusters(24 * w.Record)
	runs := w.take(first, 1)
	w.next++
	runs = append(runs, w.take(w.clusters(size)-first, w.MFTFragments-1)...)
	size = w.clusters(size) * w.Cluster / w.Record * w.Record
	w.records = append(w.records, make([][]byte, max(0, len(w.entries)-len(w.records)))...)
	inUse := make([]byte, (size/w.Record+63)/64*8)
	for number := range w.records {
		if number == mft.number || w.inUse(number) || w.MFTListed && number >= 16 && number < 15+len(runs) {
			inUse[number/8] |= 1 << (number % 8)
		}
	}
	mft.attributes = append(mft.attributes, w.mapped(ntfsData, "", runs, size), ntfsAttribute{kind: ntfsBitmap, value: inUse})
	w.finish(mft)
	for len(w.records) < size/w.Record {
		w.record(&ntfsEntry{unused: true, sequence: 1}, len(w.records), 0, nil)
	}
	w.put(runs, slices.Concat(w.records...))
	w.put(w.runsOf(1), slices.Concat(w.records[:4]...))
	w.writeBitmap()
	w.writeBoot(runs[0].lcn)
}

// inUse reports whether a record holds something.
func (w *ntfsWriter) inUse(number int) bool { return ntfsLE.Uint16(w.records[number][0x16:])&1 != 0 }

// runsOf returns where the content of one of the first files lies.
func (w *ntfsWriter) runsOf(number int) []ntfsRun {
	list := w.entries[number].attributes
	return list[slices.IndexFunc(list, func(a ntfsAttribute) bool { return a.kind == ntfsData })].runs
}
