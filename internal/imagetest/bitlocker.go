package imagetest

import "encoding/binary"

// BitLocker returns the beginning of a volume that BitLocker encrypted, as Windows 7 and later write it, of 1 MB, whose master key has these
// protections. The three blocks of metadata are at 64, 128 and 192 KiB.
func BitLocker(protections ...uint16) []byte {
	disk := make([]byte, 1<<20)
	copy(disk, "\xeb\x58\x90-FVE-FS-")
	binary.LittleEndian.PutUint16(disk[11:], 512)
	disk[510], disk[511] = 0x55, 0xAA
	entries := make([]byte, 8+8) // one of another kind
	binary.LittleEndian.PutUint16(entries, 16)
	binary.LittleEndian.PutUint16(entries[2:], 7)
	for _, p := range protections {
		entry := make([]byte, 8+28)
		binary.LittleEndian.PutUint16(entry, uint16(len(entry)))
		binary.LittleEndian.PutUint16(entry[2:], 2)
		binary.LittleEndian.PutUint16(entry[4:], 8)
		binary.LittleEndian.PutUint16(entry[8+26:], p)
		entries = append(entries, entry...)
	}
	for i := range 3 {
		at := (i + 1) << 16
		binary.LittleEndian.PutUint64(disk[176+8*i:], uint64(at))
		copy(disk[at:], "-FVE-FS-")
		binary.LittleEndian.PutUint16(disk[at+10:], 2)
		binary.LittleEndian.PutUint32(disk[at+64:], uint32(48+len(entries)))
		binary.LittleEndian.PutUint32(disk[at+64+8:], 48)
		copy(disk[at+64+48:], entries)
	}
	return disk
}
