package imagetest

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"unicode/utf16"
)

// Partition is a partition to write.
type Partition struct {
	Start, Sectors uint64 // its place in sectors
	Type           byte   // in an MBR
	GUID           string // of its type in a GPT
	Name           string // in a GPT
	Content        []byte // written to its start
}

// WriteMBR writes an MBR to a disk whose sectors have so many bytes, with up to four primary partitions. Those of logical, if any, go into a chain
// in the extended partition, which must be among the primary ones with the type 5 or 15: the sector of each link lies right before its partition.
func WriteMBR(disk []byte, sector int, primary, logical []Partition) {
	putMBR(disk, sector, 0, primary)
	var extended uint64
	for _, p := range primary {
		if p.Type == 0x05 || p.Type == 0x0F {
			extended = p.Start
		}
	}
	for i, p := range logical {
		link := p.Start - 1
		if i == 0 {
			link = extended
		}
		entries := []Partition{{Start: p.Start - link, Sectors: p.Sectors, Type: p.Type}}
		if i+1 < len(logical) {
			next := logical[i+1]
			entries = append(entries, Partition{Start: next.Start - 1 - extended, Sectors: next.Sectors + 1, Type: 0x05})
		}
		putMBR(disk, sector, link, entries)
		copy(disk[p.Start*uint64(sector):], p.Content)
	}
}

func putMBR(disk []byte, sector int, at uint64, parts []Partition) {
	b := disk[at*uint64(sector):][:512]
	for i, p := range parts {
		if p.Sectors == 0 {
			continue
		}
		e := b[446+16*i:]
		copy(e, []byte{0, 0xFE, 0xFF, 0xFF, p.Type, 0xFE, 0xFF, 0xFF})
		binary.LittleEndian.PutUint32(e[8:], uint32(p.Start))
		binary.LittleEndian.PutUint32(e[12:], uint32(p.Sectors))
		if at == 0 {
			copy(disk[p.Start*uint64(sector):], p.Content)
		}
	}
	b[510], b[511] = 0x55, 0xAA
}

// WriteGPT writes a protective MBR and both copies of a GPT to a disk whose sectors have so many bytes. A partition without sectors leaves its
// entry unused. The array has 128 entries.
func WriteGPT(disk []byte, sector int, parts []Partition) {
	sectors := uint64(len(disk) / sector)
	putMBR(disk, sector, 0, []Partition{{Start: 1, Sectors: min(sectors-1, 1<<32-1), Type: 0xEE}})
	entries := make([]byte, 128*128)
	for i, p := range parts {
		if p.Sectors == 0 {
			continue
		}
		e := entries[i*128:]
		copy(e, tableGUID(p.GUID))
		copy(e[16:], tableGUID("00000000-0000-4000-8000-00000000000"+string("0123456789ABCDEF"[i%16])))
		binary.LittleEndian.PutUint64(e[32:], p.Start)
		binary.LittleEndian.PutUint64(e[40:], p.Start+p.Sectors-1)
		for j, u := range utf16.Encode([]rune(p.Name)) {
			binary.LittleEndian.PutUint16(e[56+2*j:], u)
		}
		copy(disk[p.Start*uint64(sector):], p.Content)
	}
	array := uint64((len(entries) + sector - 1) / sector) // sectors
	copy(disk[2*sector:], entries)
	copy(disk[(sectors-1-array)*uint64(sector):], entries)
	header := func(at, other, start uint64) {
		h := disk[at*uint64(sector):][:sector]
		copy(h, "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00")
		le := binary.LittleEndian
		le.PutUint64(h[24:], at)
		le.PutUint64(h[32:], other)
		le.PutUint64(h[40:], 2+array)
		le.PutUint64(h[48:], sectors-2-array)
		copy(h[56:], tableGUID("12345678-9ABC-4DEF-8123-456789ABCDEF"))
		le.PutUint64(h[72:], start)
		le.PutUint32(h[80:], 128)
		le.PutUint32(h[84:], 128)
		le.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
		le.PutUint32(h[16:], crc32.ChecksumIEEE(h[:92]))
	}
	header(1, sectors-1, 2)
	header(sectors-1, 1, sectors-1-array)
}

// tableGUID returns the bytes of a GUID on disk, of which the first three numbers are little-endian.
func tableGUID(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 {
		panic("no GUID: " + s)
	}
	return []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}
