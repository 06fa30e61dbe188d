package volume

import (
	"encoding/binary"

	"regvet/hive/evidence/block"
)

// mbr is a sector with the form of a master boot record, which the sectors of an extended partition have too.
type mbr struct {
	signed  bool // ends in 55 AA
	entries [4]entry
}

type entry struct {
	at           int64 // of the entry in the sector
	status, kind byte
	first, count uint64 // sectors
}

// readMBR returns what stands in a sector of 512 bytes or the beginning of a larger one.
func readMBR(b []byte) mbr {
	m := mbr{signed: b[510] == 0x55 && b[511] == 0xAA}
	for i := range m.entries {
		e := b[446+16*i:]
		m.entries[i] = entry{int64(446 + 16*i), e[0], e[4], uint64(binary.LittleEndian.Uint32(e[8:])), uint64(binary.LittleEndian.Uint32(e[12:]))}
	}
	return m
}

const protective = 0xEE // the type of the partition that covers a disk with a GPT

// used reports whether an entry is a partition. Linux goes by the size too: a type of zero hides a partition from Windows only.
func (e entry) used() bool { return e.count != 0 }

func (e entry) extended() bool { return e.kind == 0x05 || e.kind == 0x0F || e.kind == 0x85 }

// sane reports whether an entry can be that of a partition of a disk.
func (e entry) sane(d *disk) bool {
	return e.status&0x7F == 0 && e.first != 0 && e.first < uint64(d.Size())/512
}

// can reports whether the sector lists a partition that can be.
func (m mbr) can(d *disk) bool {
	for _, e := range m.entries {
		if m.signed && e.used() && e.sane(d) {
			return true
		}
	}
	return false
}

// must reports whether the sector lists nothing but partitions that can be.
func (m mbr) must(d *disk) bool {
	for _, e := range m.entries {
		if e.used() && !e.sane(d) || !e.used() && e.status&0x7F != 0 {
			return false
		}
	}
	return m.can(d)
}

// empty reports whether the sector is an MBR without a partition.
func (m mbr) empty() bool {
	for _, e := range m.entries {
		if e.used() || e.status&0x7F != 0 {
			return false
		}
	}
	return m.signed
}

func (m mbr) protective() bool {
	for _, e := range m.entries {
		if m.signed && e.used() && e.kind == protective {
			return true
		}
	}
	return false
}

// startsAt reports whether a partition starts at a sector.
func (m mbr) startsAt(first uint64) bool {
	for _, e := range m.entries {
		if e.used() && e.first == first {
			return true
		}
	}
	return false
}

// startsVolume reports whether a volume that is known starts at one of the partitions.
func (d *disk) startsVolume(m mbr) bool {
	for _, sector := range d.sectors {
		if (&disk{Reader: d.Reader}).volumes(m, sector) > 0 {
			return true
		}
	}
	return false
}

// volumes returns at how many of the primary partitions a volume that is known starts, if they count in sectors of so many bytes.
func (d *disk) volumes(m mbr, sector int) int {
	n := 0
	for _, e := range m.entries {
		if e.used() && e.first != 0 && !e.extended() {
			at := int64(e.first) * int64(sector)
			if kind, _ := KindOf(block.Section(d.Reader, at, int64(e.count)*int64(sector))); kind != "" {
				n++
			}
		}
	}
	return n
}

// mbr lists the partitions of an MBR, which does not say in what sectors it counts: in those of the first size, unless more volumes that are
// known start where another leads.
func (d *disk) mbr(m mbr) Table {
	t := Table{Kind: "MBR", Sector: d.sectors[0]}
	for _, sector := range d.sectors[1:] {
		if d.volumes(m, sector) > d.volumes(m, t.Sector) {
			t.Sector = sector
		}
	}
	for i, e := range m.entries {
		switch {
		case e.status&0x7F != 0:
			d.tell(block.Gap, e.at, "entry %d of the MBR has the status %#02x, which no program writes: it is damaged, and what it says cannot be trusted", i+1, e.status)
		case e.used() && e.first == 0:
			d.tell(block.Gap, e.at, "partition %d starts at the MBR itself, which no partition does: where it starts cannot be said", i+1)
			continue
		}
		if e.used() && !e.extended() && e.kind != protective {
			t.Parts = d.part(t.Parts, i+1, t.Sector, e.first, e.count, e.at, mbrType(e.kind), "")
		}
	}
	for i, e := range m.entries {
		if e.used() && e.extended() && e.first != 0 {
			t.Parts = d.logical(t.Parts, i+1, t.Sector, e)
		}
	}
	return t
}

// mostLinks is how many sectors of a chain of logical partitions are followed. Linux ends after 100 that have none.
const mostLinks = 1024

// logical adds the partitions in an extended one, which are numbered from 5. Each has a sector that gives its place from there on, and the
// place of the next such sector from the start of the extended partition.
func (d *disk) logical(parts []Part, extended, sector int, e entry) []Part {
	number := 5
	for _, p := range parts {
		number = max(number, p.Number+1)
	}
	seen := map[uint64]bool{}
	lost := func(at int64, format string, args ...any) []Part {
		d.tell(block.Gap, at, "the chain of logical partitions in partition %d breaks: "+format+"; which partitions follow cannot be said", append([]any{extended}, args...)...)
		return parts
	}
	for at, from := uint64(0), e.at; ; { // from is where the link stands that led here
		place := int64(e.first+at) * int64(sector)
		switch {
		case at >= e.count:
			return lost(from, "a link leads to sector %d, out of the %d of the partition", at, e.count)
		case seen[at]:
			return lost(from, "a link leads back to %#x", place)
		case len(seen) == mostLinks:
			return lost(from, "it has more than %d links", mostLinks)
		}
		seen[at] = true
		b, err := block.Read(d, place, 512)
		if err != nil {
			return lost(place, "its sector cannot be read (%v)", err)
		}
		m := readMBR(b)
		if !m.signed {
			return lost(place, "its sector does not end in 55 AA")
		}
		next := entry{}
		for i, l := range m.entries {
			l.at += place
			switch {
			case l.used() && (l.status&0x7F != 0 || l.first == 0 && !l.extended()):
				d.tell(block.Gap, l.at, "a logical partition in partition %d has the status %#02x and starts at sector %d of it: its entry is damaged", extended, l.status, l.first)
			case !l.used():
			case l.extended() && !next.used():
				next = l
			case l.extended():
				d.tell(block.Gap, l.at, "a second link in the chain of logical partitions in partition %d is not followed", extended)
			case i >= 2 && (l.first+l.count > e.count-at): // as left there by other systems
				d.tell(odd, l.at, "entry %d of the sector of a logical partition leads out of the extended one, and is passed over", i+1)
			default:
				if l.first+l.count > e.count-at {
					d.tell(odd, l.at, "partition %d ends after the extended partition %d that it is in", number, extended)
				}
				parts = d.part(parts, number, sector, e.first+at+l.first, l.count, l.at, mbrType(l.kind), "")
				number++
			}
		}
		if !next.used() {
			return parts
		}
		at, from = next.first, next.at
	}
}
