package volume

import (
	"bytes"
	"encoding/binary"

	"regvet/hive/evidence/block"
)

// Kind is what a volume is, with its article, as messages name it; "" for none that is known.
type Kind string

// The volumes that are read, and those that may hold a Windows too.
const (
	NTFS      Kind = "an NTFS volume"
	FAT       Kind = "a FAT volume"
	ExFAT     Kind = "an exFAT volume"
	BitLocker Kind = "a BitLocker volume"
	LUKS      Kind = "a LUKS container"
	ReFS      Kind = "a ReFS volume"
)

// signatures are the bytes by which volumes are known, the surer first.
var signatures = []struct {
	at    int64
	magic string
	kind  Kind
}{
	{3, "-FVE-FS-", BitLocker},
	{3, "MSWIN4.1", BitLocker}, // for removable disks, if the GUID is there too, see [sign]
	{3, "NTFS    ", NTFS},
	{3, "EXFAT   ", ExFAT},
	{3, "ReFS\x00", ReFS},
	{0, "LUKS\xba\xbe", LUKS},
	{0, "XFSB", "an XFS volume"},
	{32, "NXSB", "an APFS container"},
	{512, "LABELONE", "a physical volume of Linux LVM"},
	{1024, "H+\x00\x04", "an HFS+ volume"},
	{1024, "HX\x00\x05", "an HFS+ volume"},
	{1080, "\x53\xef", "an ext volume"},
	{4086, "SWAPSPACE2", "Linux swap space"},
	{4096, "\xfc\x4e\x2b\xa9", "a member of a Linux RAID"},
	{0, "\xfc\x4e\x2b\xa9", "a member of a Linux RAID"},
	{0x8001, "CD001", "an ISO 9660 volume"},
	{0x10040, "_BHRfS_M", "a Btrfs volume"},
}

// bitLockerToGo is the GUID at 424 of a boot sector that looks like one of FAT32, so that any Windows can say what the disk is.
// Source: libyal, documentation of libbde.
const bitLockerToGo = "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01"

// KindOf returns what a volume is by its boot sector, or by the copy of it if that is damaged: in the last sector for NTFS, the 6th for FAT32,
// the 12th for exFAT. The error says that it is not known because bytes could not be read.
func KindOf(r block.Reader) (Kind, error) {
	var unread error
	sector := func(at, size int64) []byte {
		if at < 0 || at > r.Size()-size {
			return nil
		}
		data, err := block.Read(r, at, int(size))
		if err != nil && unread == nil {
			unread = err
		}
		return data
	}
	if kind := inFirstSector(sector(0, 512)); kind != "" {
		return kind, nil
	}
	for _, s := range signatures {
		if s.at >= 512 && string(sector(s.at, int64(len(s.magic)))) == s.magic {
			return s.kind, nil
		}
	}
	for _, size := range []int64{512, 1024, 2048, 4096} {
		if b := sector(6*size, 512); isFAT(b) && binary.LittleEndian.Uint16(b[22:]) == 0 {
			return FAT, nil
		}
		if inFirstSector(sector(12*size, 512)) == ExFAT {
			return ExFAT, nil
		}
		last := sector(r.Size()-size, 512)
		if inFirstSector(last) == NTFS && binary.LittleEndian.Uint64(last[40:]) == uint64(r.Size()/size-1) {
			return NTFS, nil
		}
	}
	return "", unread
}

// inFirstSector returns what a volume is by its first sector.
func inFirstSector(b []byte) Kind {
	if len(b) < 512 {
		return ""
	}
	for _, s := range signatures {
		if s.at < 512 && bytes.HasPrefix(b[s.at:], []byte(s.magic)) && (s.magic != "MSWIN4.1" || string(b[424:440]) == bitLockerToGo) {
			return s.kind
		}
	}
	if isFAT(b) {
		return FAT
	}
	return ""
}

// isFAT reports whether a sector has the parameters of a FAT volume, which has no signature. That of a boot program has none of them: where
// they would be are zeros or machine code.
// Source: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
func isFAT(b []byte) bool {
	if len(b) < 512 || b[510] != 0x55 || b[511] != 0xAA || !(b[0] == 0xEB && b[2] == 0x90 || b[0] == 0xE9) {
		return false
	}
	sector, cluster, media := binary.LittleEndian.Uint16(b[11:]), b[13], b[21]
	short, long := binary.LittleEndian.Uint16(b[22:]), binary.LittleEndian.Uint32(b[36:])
	return sector >= 512 && sector <= 4096 && sector&(sector-1) == 0 && cluster != 0 && cluster&(cluster-1) == 0 &&
		binary.LittleEndian.Uint16(b[14:]) != 0 && b[16] != 0 && b[16] <= 4 && (media == 0xF0 || media >= 0xF8) && (short != 0 || long != 0)
}
