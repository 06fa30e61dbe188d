package collection

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"

	"regvet/hive"
)

// container is a kind of file that may hold hives and is not read: an image of a disk, a volume, an archive.
type container struct {
	name   string // with its article: "an E01 image"
	at     int64  // where its signature is, in bytes
	magic  string
	advice string // what to do with it
}

const (
	mountImage = "mount it read-only, or copy the hives out of it, and name the folder"
	unpack     = "unpack it, and name the folder"
	unlock     = "unlock it, mount it read-only, and name the folder"
)

// containers are told by their signatures. Sources: libyal's documentation of EWF, VHD, VHDX, VMDK, QCOW, VDI and BitLocker; the specifications of
// ZIP (APPNOTE), 7z, tar (POSIX), gzip (RFC 1952), xz and zstd (RFC 8878); Microsoft, MS-VHDX, exFAT and the layout of boot sectors; AccessData's AD1
// as FTK Imager writes it. What begins as another one does stands behind it.
var containers = []container{
	{"an E01 image", 0, "EVF\x09\x0d\x0a\xff\x00", `mount it with ewfmount or xmount, or copy the hives out of it, and name the folder`},
	{"an Ex01 image", 0, "EVF2\x0d\x0a\x81\x00", `convert it with ewfexport, mount that read-only, and name the folder`},
	{"an L01 image of single files", 0, "LVF\x09\x0d\x0a\xff\x00", "copy the hives out of it, and name the folder"},
	{"an Lx01 image of single files", 0, "LEF2\x0d\x0a\x81\x00", "copy the hives out of it, and name the folder"},
	{"an AD1 image", 0, "ADSEGMENTEDFILE\x00", "export the hives from it with FTK Imager, and name the folder"},
	{"an AFF image", 0, "AFF10\x0d\x0a\x00", mountImage},
	{"a VHDX image", 0, "vhdxfile", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a VHD image", 0, "conectix", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a VMDK image", 0, "KDMV", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a VMDK image", 0, "COWD", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"the description of a VMDK image", 0, "# Disk DescriptorFile", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a qcow2 image", 0, "QFI\xfb", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a VDI image", 64, "\x7f\x10\xda\xbe", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a zip archive", 0, "PK\x03\x04", unpack},
	{"an empty zip archive", 0, "PK\x05\x06", "look for the archive that was meant"},
	{"a zip archive in parts", 0, "PK\x07\x08", unpack},
	{"a 7z archive", 0, "7z\xbc\xaf\x27\x1c", unpack},
	{"a RAR archive", 0, "Rar!\x1a\x07", unpack},
	{"a cabinet file", 0, "MSCF\x00\x00\x00\x00", unpack},
	{"a WIM image", 0, "MSWIM\x00\x00\x00", "mount it with wimlib, or copy the hives out of it, and name the folder"},
	{"compressed with gzip", 0, "\x1f\x8b\x08", unpack},
	{"compressed with xz", 0, "\xfd7zXZ\x00", unpack},
	{"compressed with zstd", 0, "\x28\xb5\x2f\xfd", unpack},
	{"compressed with bzip2", 0, "BZh", unpack},
	{"a tar archive", 257, "ustar", unpack},
	{"a volume encrypted with BitLocker", 3, "-FVE-FS-", unlock},
	{"a volume encrypted with LUKS", 0, "LUKS\xba\xbe", unlock},
	{"an NTFS volume", 3, "NTFS    ", mountImage},
	{"an exFAT volume", 3, "EXFAT   ", mountImage},
	{"a ReFS volume", 3, "ReFS\x00\x00\x00\x00", mountImage},
	{"a FAT volume", 54, "FAT", mountImage},
	{"a FAT volume", 82, "FAT32   ", mountImage},
	{"an image of a disk with a GPT", 512, "EFI PART", mountImage},
	{"an image of a disk with a GPT", 4096, "EFI PART", mountImage},
}

// footers are signatures in the last sector of an image, whose content comes before.
var footers = []container{
	{"a VHD image", 0, "conectix", `convert it with "qemu-img convert -O raw", or ` + mountImage},
	{"a DMG image", 0, "koly", `convert it with dmg2img, mount that read-only, and name the folder`},
}

const sector = 512 // bytes

// containerOf returns what a file is by its first bytes and its last sector, or nil if it is no container.
func containerOf(head, tail []byte) *container {
	if hive.IsHive(head) {
		return nil
	}
	for i := range containers {
		if c := &containers[i]; c.is(head) {
			return c.encrypted(head)
		}
	}
	for i := range footers {
		if c := &footers[i]; len(tail) == sector && c.is(tail) {
			return c
		}
	}
	if isPartitioned(head) {
		return &container{name: "an image of a disk with an MBR", advice: mountImage}
	}
	return nil
}

// is reports whether data begin as the container does. A signature that is not at the start could stand in text by chance.
func (c *container) is(data []byte) bool {
	return int64(len(data)) >= c.at && bytes.HasPrefix(data[c.at:], []byte(c.magic)) && (c.at == 0 || !isText(data))
}

// encrypted returns the same, or that its first member is encrypted. Source: APPNOTE, bit 0 of the general purpose flags.
func (c *container) encrypted(head []byte) *container {
	if c.magic == "PK\x03\x04" && len(head) > 6 && head[6]&1 != 0 {
		return &container{name: c.name + ", encrypted", advice: "unpack it with its password, and name the folder"}
	}
	return c
}

// isPartitioned reports whether a sector is a master boot record: it ends with 55 AA, and each of its four entries is empty or a partition with a
// sound status that is in one piece with its length.
func isPartitioned(head []byte) bool {
	if len(head) < sector || head[510] != 0x55 || head[511] != 0xAA {
		return false
	}
	used := 0
	for i := range 4 {
		entry := head[446+16*i:][:16]
		start, length := binary.LittleEndian.Uint32(entry[8:]), binary.LittleEndian.Uint32(entry[12:])
		switch {
		case bytes.Equal(entry, make([]byte, 16)):
		case entry[0]&0x7F != 0 || entry[4] == 0 || start == 0 || length == 0:
			return false
		default:
			used++
		}
	}
	return used > 0
}

// refusal returns the problem that the file is a container, which is not read.
func (c *container) refusal() error {
	return &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf("is %s, which is not read; %s", c.name, c.advice), Loss: true}
}

// tailOfFile returns the last sector of a file that can be read anywhere, or nil: see tailOf.
func tailOfFile(f fs.File, head []byte) []byte {
	at, ok := f.(io.ReaderAt)
	if !ok || isText(head) {
		return nil
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return tailOf(at, info.Size(), head)
	}
	return nil
}

// tailOf returns the last sector of what does not begin like text, or nil.
func tailOf(at io.ReaderAt, size int64, head []byte) []byte {
	tail := make([]byte, sector)
	if isText(head) || size < sector {
		return nil
	}
	if n, _ := at.ReadAt(tail, size-sector); n < sector {
		return nil
	}
	return tail
}

// isText reports whether data can be text of one byte a character, which has no NUL.
func isText(data []byte) bool { return bytes.IndexByte(data, 0) < 0 }

// NoContainer returns the file, which is still to be read from its start, or the error that it is an image or an archive, which is not read.
func NoContainer(f fs.File) (fs.File, error) {
	head, f := peek(f)
	if c := containerOf(head, tailOfFile(f, head)); c != nil {
		return nil, c.refusal()
	}
	return f, nil
}
