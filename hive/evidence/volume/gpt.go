package volume

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"unicode/utf16"

	"regvet/hive/evidence/block"
)

// gpt is a GUID partition table: a header and its array.
type gpt struct {
	sector        int
	lba           uint64 // of the header
	other         uint64 // sector of the other header
	first, last   uint64 // sectors that partitions can have
	guid          string // of the disk
	entries       []byte
	size          int   // bytes of an entry
	at            int64 // of the first entry
	entryChecksum uint32
}

// mostEntries is how many bytes of entries are read: 32,768 of the usual size, while all systems write 128.
const mostEntries = 4 << 20

// readGPT returns the first whole table whose header is at a sector, of one of the sizes. The error says what is wrong with it, for the last
// size that has a header there.
func readGPT(d *disk, sizes []int, lba uint64) (gpt, error) {
	var wrong error
	for _, sector := range sizes {
		g, err := readGPTAt(d, sector, lba)
		if err == nil {
			return g, nil
		}
		if wrong == nil || err.signed {
			wrong = err
		}
	}
	return gpt{}, wrong
}

// damage is why there is no whole table.
type damage struct {
	error
	signed bool // there is one
}

func (d *damage) Unwrap() error { return d.error }

func readGPTAt(d *disk, sector int, lba uint64) (gpt, *damage) {
	fail := func(signed bool, format string, args ...any) (gpt, *damage) {
		return gpt{}, &damage{block.NewGap(d, int64(lba)*int64(sector), format, args...), signed}
	}
	if lba >= uint64(d.Size())/uint64(sector) {
		return fail(false, "the GPT header lies beyond the end of the disk")
	}
	b, err := block.Read(d, int64(lba)*int64(sector), sector)
	if err != nil {
		return fail(false, "the GPT header cannot be read (%v)", err)
	}
	if !bytes.HasPrefix(b, []byte("EFI PART")) {
		return fail(false, "no GPT header is here")
	}
	le := binary.LittleEndian
	length := le.Uint32(b[12:])
	if length < 92 || int64(length) > int64(sector) {
		return fail(true, "the GPT header says that it has %d bytes", length)
	}
	sum := le.Uint32(b[16:])
	clear(b[16:20])
	if crc32.ChecksumIEEE(b[:length]) != sum {
		return fail(true, "the GPT header does not match its checksum")
	}
	g := gpt{sector: sector, lba: lba, other: le.Uint64(b[32:]), first: le.Uint64(b[40:]), last: le.Uint64(b[48:]), guid: guid(b[56:]), entryChecksum: le.Uint32(b[88:])}
	if at := le.Uint64(b[24:]); at != lba {
		return fail(true, "the GPT header is that of sector %d", at)
	}
	start, count, size := le.Uint64(b[72:]), uint64(le.Uint32(b[80:])), uint64(le.Uint32(b[84:]))
	if size < 128 || size&(size-1) != 0 || count*size > mostEntries || start > uint64(d.Size())/uint64(sector) {
		return fail(true, "the GPT header says that %d entries of %d bytes are at sector %d", count, size, start)
	}
	g.size, g.at = int(size), int64(start)*int64(sector)
	if g.entries, err = block.Read(d, g.at, int(count*size)); err != nil {
		return fail(true, "the partitions of the GPT cannot be read (%v)", err)
	}
	if crc32.ChecksumIEEE(g.entries) != g.entryChecksum {
		return fail(true, "the partitions of the GPT do not match their checksum")
	}
	return g, nil
}

// gpt lists the partitions of a GPT by its first copy, or else by the second. It is not ok if nothing speaks for there being one; if something
// does and no copy is whole, that is told and no partition is listed.
func (d *disk) gpt(m mbr) (Table, bool) {
	g, err := readGPT(d, d.sectors, 1)
	if err == nil {
		d.compare(g)
	} else if g, ok := d.backup(m); ok {
		d.tell(odd, g.at, "the partitions are those of the second GPT at the end of the disk, because the first cannot be used: %v", err)
		return d.partitions(g, m), true
	} else if d.signed(m) || m.protective() {
		d.note(err)
		d.tell(block.Gap, 0, "neither copy of the GPT is whole; which partitions the disk has cannot be said")
		if m.protective() && m.others() {
			return d.mbr(m), true
		}
		return Table{Kind: "GPT", Sector: d.sectors[0]}, true
	} else {
		return Table{}, false
	}
	return d.partitions(g, m), true
}

// others reports whether an MBR lists partitions beside the one that covers a disk with a GPT.
func (m mbr) others() bool {
	for _, e := range m.entries {
		if e.used() && e.kind != protective {
			return true
		}
	}
	return false
}

// backups are where the second header can be: in the last sector of the disk, by its size and by what the MBR covers.
func (d *disk) backups(m mbr, sector int) []uint64 {
	at := []uint64{uint64(d.Size())/uint64(sector) - 1}
	for _, e := range m.entries {
		if e.used() && e.kind == protective {
			at = append(at, e.first+e.count-1)
		}
	}
	return at
}

func (d *disk) backup(m mbr) (gpt, bool) {
	for _, sector := range d.sectors {
		for _, lba := range d.backups(m, sector) {
			if g, err := readGPTAt(d, sector, lba); err == nil {
				return g, true
			}
		}
	}
	return gpt{}, false
}

// signed reports whether a header of a GPT is on the disk, whole or not.
func (d *disk) signed(m mbr) bool {
	for _, sector := range d.sectors {
		for _, lba := range append(d.backups(m, sector), 1) {
			if _, err := readGPTAt(d, sector, lba); err == nil || err.signed {
				return true
			}
		}
	}
	return false
}

// compare tells how the second copy of a GPT differs from the first, which counts.
func (d *disk) compare(g gpt) {
	second, err := readGPTAt(d, g.sector, g.other)
	switch {
	case err != nil:
		d.tell(odd, int64(g.sector), "the partitions are those of the first GPT alone, because the second at sector %d cannot be used: %v", g.other, err)
	case second.guid != g.guid || second.entryChecksum != g.entryChecksum || second.first != g.first || second.last != g.last:
		d.tell(block.Gap, int64(second.lba)*int64(g.sector), "the second GPT is not that of the first; the partitions are those of the first, and whether others exist cannot be said")
	}
}

func (d *disk) partitions(g gpt, m mbr) Table {
	t := Table{Kind: "GPT", Sector: g.sector}
	le := binary.LittleEndian
	for i := range len(g.entries) / g.size {
		e, at := g.entries[i*g.size:][:g.size], g.at+int64(i*g.size)
		if [16]byte(e) == [16]byte{} {
			continue
		}
		first, last := le.Uint64(e[32:]), le.Uint64(e[40:])
		if last < first || last == 1<<64-1 {
			d.tell(block.Gap, at, "partition %d ends at sector %d before it starts at %d; it is not listed", i+1, last, first)
			continue
		}
		if first < g.first || last > g.last {
			d.tell(odd, at, "partition %d has the sectors %d to %d, which are not all among those for partitions, %d to %d", i+1, first, last, g.first, g.last)
		}
		t.Parts = d.part(t.Parts, i+1, g.sector, first, last-first+1, at, gptType(guid(e)), utf16Name(e[56:128]))
	}
	d.hybrid(t, m)
	return t
}

// hybrid tells what an MBR says that lists partitions beside a GPT: Windows goes by it, Linux and macOS by the GPT.
func (d *disk) hybrid(t Table, m mbr) {
	if !m.protective() {
		d.tell(odd, 0, "the first sector is no MBR that names a GPT; the disk has one all the same, and its partitions are listed")
	}
	for i, e := range m.entries {
		if !m.signed || !e.used() || e.kind == protective || !e.sane(d) {
			continue
		}
		same := false
		for _, p := range t.Parts {
			same = same || p.Offset == int64(e.first)*int64(t.Sector) && p.Size() == int64(e.count)*int64(t.Sector)
		}
		switch {
		case same:
			d.tell(odd, e.at, "a hybrid MBR lists a partition of the GPT as %d too", i+1)
		case e.first != 1: // one that covers the GPT is the protective one, with another type
			d.tell(block.Gap, e.at, "a hybrid MBR lists a partition at sector %d that the GPT lacks; it is not read", e.first)
		}
	}
}

// guid returns the usual form of a GUID, of which the first three numbers are little-endian.
func guid(b []byte) string {
	le := binary.LittleEndian
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

func utf16Name(b []byte) string {
	var units []uint16
	for i := 0; i+1 < len(b); i += 2 {
		u := binary.LittleEndian.Uint16(b[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
