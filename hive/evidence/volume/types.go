package volume

import (
	"fmt"
	"slices"
	"strings"
)

// mbrTypes are the names of the types that an examiner meets. Source: the list of sfdisk, and Microsoft's "PARTITION_INFORMATION_MBR".
var mbrTypes = map[byte]string{
	0x00: "empty", 0x01: "FAT12", 0x04: "FAT16", 0x06: "FAT16", 0x07: "NTFS or exFAT", 0x0B: "FAT32", 0x0C: "FAT32", 0x0E: "FAT16",
	0x11: "hidden FAT12", 0x12: "recovery of the vendor", 0x14: "hidden FAT16", 0x16: "hidden FAT16", 0x17: "hidden NTFS", 0x1B: "hidden FAT32",
	0x1C: "hidden FAT32", 0x1E: "hidden FAT16", 0x27: "recovery", 0x42: "Windows dynamic disk", 0x82: "Linux swap", 0x83: "Linux", 0x84: "hibernation",
	0x8E: "Linux LVM", 0xA5: "FreeBSD", 0xA6: "OpenBSD", 0xA8: "Darwin UFS", 0xA9: "NetBSD", 0xAF: "HFS or APFS", 0xC5: "DR-DOS extended",
	0xDE: "recovery of the vendor", 0xE7: "Storage Spaces", 0xEF: "EFI system", 0xFB: "VMware VMFS", 0xFD: "Linux RAID",
}

// gptTypes are the same for GPT. Source: Microsoft's "PARTITION_INFORMATION_GPT", and the list of sfdisk.
var gptTypes = map[string]string{
	"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7": "Microsoft basic data",
	"E3C9E316-0B5C-4DB8-817D-F92DF00215AE": "Microsoft reserved",
	"DE94BBA4-06D1-4D40-A16A-BFD50179D6AC": "recovery",
	"5808C8AA-7E8F-42E0-85D2-E1E90434CFB3": "metadata of a Windows dynamic disk",
	"AF9B60A0-1431-4F62-BC68-3311714A69AD": "Windows dynamic disk",
	"E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D": "Storage Spaces",
	"C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system",
	"21686148-6449-6E6F-744E-656564454649": "BIOS boot",
	"0FC63DAF-8483-4772-8E79-3D69D8477DE4": "Linux",
	"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709": "Linux",
	"933AC7E1-2EB4-4F13-B844-0E14E2AEF915": "Linux",
	"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F": "Linux swap",
	"E6D6D379-F507-44C2-A23C-238F2A3DF928": "Linux LVM",
	"A19D880F-05FC-4D3B-A006-743F0F84911E": "Linux RAID",
	"CA7D7CCB-63ED-4C53-861C-1742536059CC": "LUKS",
	"48465300-0000-11AA-AA11-00306543ECAC": "HFS+",
	"7C3457EF-0000-11AA-AA11-00306543ECAC": "APFS",
}

// pools are the types whose partitions are only a piece of what holds volumes, or hold what is not read.
var pools = []string{"Windows dynamic disk", "metadata of a Windows dynamic disk", "Storage Spaces", "Linux LVM", "Linux RAID", "LUKS", "HFS or APFS", "HFS+", "APFS", "DR-DOS extended", "VMware VMFS"}

// ofWindows are the types whose partitions Windows reads, so that they can hold it.
var ofWindows = []string{"FAT12", "FAT16", "FAT32", "NTFS or exFAT", "hidden FAT12", "hidden FAT16", "hidden FAT32", "hidden NTFS", "recovery", "recovery of the vendor",
	"Microsoft basic data", "EFI system"}

// IsOfWindows reports whether the partition table says that the partition is one that Windows reads.
func (p Part) IsOfWindows() bool {
	return slices.ContainsFunc(ofWindows, func(name string) bool { return strings.HasSuffix(p.Type, " ("+name+")") })
}

func mbrType(kind byte) string { return named(fmt.Sprintf("%02X", kind), mbrTypes[kind]) }

func gptType(kind string) string { return named(kind, gptTypes[kind]) }

func named(kind, name string) string {
	if name == "" {
		return kind
	}
	return kind + " (" + name + ")"
}

// pooled returns the name of a type whose partitions are not read for what they are, or "".
func pooled(kind string) string {
	for _, name := range pools {
		if strings.HasSuffix(kind, " ("+name+")") {
			return name
		}
	}
	return ""
}
