// Package volume finds the volumes of a disk: by a partition table, MBR or GPT, or the whole disk as one volume if it has no table.
//
// An MBR is the first sector of a disk. It ends in 55 AA and has room for four primary partitions, of which one can be extended: a chain of
// sectors of the same form, each with one logical partition. It has no checksum. A GPT has a header in sector 1 and an array of partitions,
// both with a CRC-32, and a second copy of both at the end of the disk; the MBR before it is only there so that old programs find the disk
// full. A volume without a table is told from an MBR with care, because its boot sector ends in 55 AA too: see [List].
//
// What a table cannot say for sure is told with its place: what is damaged hides partitions, and a damaged table is never an empty disk.
//
// Sources: UEFI specification, chapter 5; libyal's documentation of libvsmbr and libvsgpt; Microsoft's "PARTITION_INFORMATION_GPT".
package volume

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Table is what a disk says about its volumes.
type Table struct {
	Kind     string // "GPT", "MBR", or "" for a volume without a table, which is the only part then
	Sector   int    // bytes in a sector, in which the table counts
	Parts    []Part // in the order of their numbers
	Problems []hive.Problem
}

// Part is a partition, or the whole disk if it has no table. What of it lies beyond the end of the disk is a gap.
type Part struct {
	Number int    // as Linux counts: 1 to 4 for the primary partitions of an MBR, 5 and above for logical ones; 0 without a table
	Offset int64  // bytes from the start of the disk
	Type   string // the byte of an MBR or the GUID of a GPT in hex, and its name if that is known; "" without a table
	Name   string // in a GPT
	block.Reader
}

// Locate keeps the place of the partition's bytes known to package block.
func (p Part) Locate(at int64) (file string, offset int64) { return block.Locate(p.Reader, at) }

const (
	// odd is the kind of what a table should not have, but that keeps nothing from being read.
	odd hive.Kind = "odd-table"
	// most is how many partitions are listed.
	most = 4096
)

// sectors are the bytes that a sector can have, the likelier first.
var sectors = []int{512, 4096}

// List returns the partitions of a disk. Sector is how many bytes its sectors have if that is known, else 0; a table that counts in others is
// found all the same. What the table does not say, or not for sure, is among the problems; the error is a gap where not even the kind of table
// can be said.
//
// A disk has an MBR if its first sector ends in 55 AA and lists a partition that can be. If it is the boot sector of a volume too, as that of a
// disk that was once formatted without a table, it has one only if all that it lists can be and a known volume starts at one of them.
func List(r block.Reader, sector int) (Table, error) {
	d := disk{Reader: r, sectors: sectors}
	if sector != 0 {
		d.sectors = slices.Insert(slices.DeleteFunc(slices.Clone(sectors), func(s int) bool { return s == sector }), 0, sector)
	}
	t, err := d.list()
	if err != nil {
		return Table{}, err
	}
	if sector != 0 && t.Kind != "" && t.Sector != sector {
		d.tell(odd, 0, "the %s counts in sectors of %d bytes, the image says that they have %d; taken as the table says", t.Kind, t.Sector, sector)
	}
	d.check(t.Parts)
	t.Problems = d.problems
	return t, nil
}

// disk is what a table is looked for in.
type disk struct {
	block.Reader
	sectors  []int // sizes that are tried, in this order
	problems []hive.Problem
}

// tell notes a problem at an offset of the disk. One of the kind of a gap is a loss.
func (d *disk) tell(kind hive.Kind, at int64, format string, args ...any) {
	file, offset := block.Locate(d.Reader, at)
	p := hive.Problem{Source: file, At: hive.Location{Offset: offset}, Kind: kind, Msg: fmt.Sprintf(format, args...), Loss: kind == block.Gap}
	d.problems = append(d.problems, p)
}

// note notes an error that kept something from being read.
func (d *disk) note(err error) {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		d.problems = append(d.problems, *p)
		return
	}
	d.tell(block.Gap, 0, "%v", err)
}

func (d *disk) list() (Table, error) {
	if d.Size() < 512 {
		return Table{}, block.NewGap(d, 0, "%d bytes are no disk, whose first sector alone has 512", d.Size())
	}
	head, unread := block.Read(d, 0, 512)
	if unread != nil {
		head = make([]byte, 512) // has no signature, and says nothing
	}
	m := readMBR(head)
	kind, kindErr := KindOf(d)
	boot := kind != "" && inFirstSector(head) == kind
	table := m.can(d) && !boot || boot && m.must(d) && d.startsVolume(m)
	if m.protective() || !table && !boot {
		if t, ok := d.gpt(m); ok {
			return t, nil
		}
	} else if h, err := readGPT(d, d.sectors, 1); err == nil {
		if table && m.startsAt(1) {
			t, _ := d.gpt(m)
			return t, nil
		}
		d.tell(block.Gap, int64(h.sector), "a whole GPT lies here that the first sector does not name; its partitions are not listed, because they are taken for those of former times")
	}
	switch {
	case unread != nil && kind == "":
		return Table{}, unread
	case table:
		return d.mbr(m), nil
	case kind != "":
		if unread != nil {
			d.note(unread)
		}
		return d.whole(), nil
	case kindErr != nil:
		return Table{}, kindErr
	case m.empty():
		d.tell(block.Gap, 0, "the MBR lists no partition; whether there was one cannot be said")
		return Table{Kind: "MBR", Sector: d.sectors[0]}, nil
	}
	d.tell(block.Gap, 0, "neither a partition table nor a volume that is known starts here; what the disk holds cannot be said")
	return d.whole(), nil
}

// whole is a disk without a table.
func (d *disk) whole() Table {
	return Table{Sector: d.sectors[0], Parts: []Part{{Reader: d.Reader}}}
}

// part adds a partition to a list, unless its place is beyond what can be counted.
func (d *disk) part(parts []Part, number int, sector int, first, count uint64, at int64, kind, name string) []Part {
	limit := uint64(1<<63-1) / uint64(sector)
	switch {
	case first > limit || count > limit-first:
		d.tell(block.Gap, at, "partition %d starts at sector %d and has %d sectors, which no disk has; it is not listed", number, first, count)
		return parts
	case len(parts) == most:
		d.tell(block.Gap, at, "more than %d partitions; the others are not listed", most)
		return parts
	case len(parts) > most:
		return parts
	}
	offset := int64(first) * int64(sector)
	return append(parts, Part{Number: number, Offset: offset, Type: kind, Name: name, Reader: block.Section(d.Reader, offset, int64(count)*int64(sector))})
}

// check tells what is wrong with partitions beside each other, and which of them hold what is not read and cannot be told from what they begin with.
func (d *disk) check(parts []Part) {
	byPlace := slices.Clone(parts)
	slices.SortStableFunc(byPlace, func(a, b Part) int { return cmp.Compare(a.Offset, b.Offset) })
	var last Part // the one that ends last of those before
	for i, p := range byPlace {
		if i > 0 && p.Offset < last.Offset+last.Size() {
			d.tell(block.Gap, p.Offset, "partition %d starts inside partition %d, so one of them is not where the table says", p.Number, last.Number)
		}
		if i == 0 || p.Offset+p.Size() > last.Offset+last.Size() {
			last = p
		}
	}
	for _, p := range parts {
		if end := p.Offset + p.Size(); end > d.Size() {
			d.tell(block.Gap, d.Size(), "partition %d goes on to %#x, and the image ends here: it was cut off, or is only a part; what lies beyond is a gap", p.Number, end)
		}
		if name := pooled(p.Type); name != "" {
			if kind, _ := KindOf(p); !slices.Contains([]Kind{NTFS, FAT, ExFAT, BitLocker, LUKS}, kind) {
				d.tell(block.Gap, p.Offset, "partition %d is %s, which is not read; what lies in it cannot be said", p.Number, name)
			}
		}
	}
}
