package evidence

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Kind is a kind of file that may hold hives: an image of a disk, a volume, an archive.
type Kind struct {
	Name    string // with its article: "an E01 image"
	Class   Class
	at      int64 // where its signature is, in bytes
	magic   string
	convert string // of a kind that is not read: what to do with it
}

// Class is what can be done with a container.
type Class int

const (
	Image   Class = iota // of a disk or a volume, which is read
	Archive              // which is read
	Foreign              // what is not read
)

const (
	mountImage = "mount it read-only, or copy the hives out of it, and name the folder"
	unpack     = "unpack it, and name the folder"
	unlock     = "unlock it, mount it read-only, and name the folder"
)

// kinds are told by their signatures. Sources: libyal's documentation of EWF, VHD, VHDX, VMDK, QCOW, VDI and BitLocker; the specifications of
// ZIP (APPNOTE), 7z, tar (POSIX), gzip (RFC 1952), xz and zstd (RFC 8878); Microsoft, MS-VHDX, exFAT and the layout of boot sectors; AccessData's AD1
// as FTK Imager writes it. What begins as another one does stands behind it.
var kinds = []Kind{
	{"an E01 image", Image, 0, "EVF\x09\x0d\x0a\xff\x00", ""},
	{"an Ex01 image", Foreign, 0, "EVF2\x0d\x0a\x81\x00", `convert it with ewfexport, and give the raw image`},
	{"an L01 image of single files", Foreign, 0, "LVF\x09\x0d\x0a\xff\x00", "copy the hives out of it, and name the folder"},
	{"an Lx01 image of single files", Foreign, 0, "LEF2\x0d\x0a\x81\x00", "copy the hives out of it, and name the folder"},
	{"an AD1 image", Foreign, 0, "ADSEGMENTEDFILE\x00", "export the hives from it with FTK Imager, and name the folder"},
	{"an AFF image", Foreign, 0, "AFF10\x0d\x0a\x00", mountImage},
	{"a VHDX image", Image, 0, "vhdxfile", ""},
	{"a VHD image", Image, 0, "conectix", ""},
	{"a VMDK image", Image, 0, "KDMV", ""},
	{"a VMDK image", Image, 0, "COWD", ""},
	{"the description of a VMDK image", Image, 0, "# Disk DescriptorFile", ""},
	{"a qcow2 image", Image, 0, "QFI\xfb", ""},
	{"a VDI image", Image, 64, "\x7f\x10\xda\xbe", ""},
	{"a zip archive", Archive, 0, "PK\x03\x04", ""},
	{"an empty zip archive", Archive, 0, "PK\x05\x06", ""},
	{"a zip archive in parts", Foreign, 0, "PK\x07\x08", unpack},
	{"a 7z archive", Archive, 0, "7z\xbc\xaf\x27\x1c", ""},
	{"a RAR archive", Foreign, 0, "Rar!\x1a\x07", unpack},
	{"a cabinet file", Foreign, 0, "MSCF\x00\x00\x00\x00", unpack},
	{"a WIM image", Foreign, 0, "MSWIM\x00\x00\x00", "mount it with wimlib, or copy the hives out of it, and name the folder"},
	{"compressed with gzip", Archive, 0, "\x1f\x8b\x08", ""},
	{"compressed with xz", Archive, 0, "\xfd7zXZ\x00", ""},
	{"compressed with zstd", Archive, 0, "\x28\xb5\x2f\xfd", ""},
	{"compressed with bzip2", Archive, 0, "BZh", ""},
	{"a tar archive", Archive, 257, "ustar", ""},
	{"a volume encrypted with BitLocker", Image, 3, "-FVE-FS-", ""}, // to tell what unlocks it
	{"a volume encrypted with LUKS", Foreign, 0, "LUKS\xba\xbe", unlock},
	{"an NTFS volume", Image, 3, "NTFS    ", ""},
	{"an exFAT volume", Image, 3, "EXFAT   ", ""},
	{"a ReFS volume", Foreign, 3, "ReFS\x00\x00\x00\x00", mountImage},
	{"a FAT volume", Image, 54, "FAT", ""},
	{"a FAT volume", Image, 82, "FAT32   ", ""},
	{"an image of a disk with a GPT", Image, 512, "EFI PART", ""},
	{"an image of a disk with a GPT", Image, 4096, "EFI PART", ""},
}

// footers are signatures in the last sector of an image, whose content comes before.
var footers = []Kind{
	{"a VHD image", Image, 0, "conectix", ""},
	{"a DMG image", Foreign, 0, "koly", `convert it with dmg2img, and give the raw image`},
	{"an image of a disk with a GPT", Image, 0, "EFI PART", ""}, // the backup, where the start is damaged
	{"an NTFS volume", Image, 3, "NTFS    ", ""},                // likewise
}

const sector = 512 // bytes

// KindOf returns what a file is by its first bytes and its last sector, or nil if it is no container.
func KindOf(head, tail []byte) *Kind {
	if hive.IsHive(head) {
		return nil
	}
	for i := range kinds {
		if k := &kinds[i]; k.begins(head) {
			return k
		}
	}
	for i := range footers {
		if k := &footers[i]; len(tail) == sector && k.begins(tail) {
			return k
		}
	}
	if isPartitioned(head) {
		return &Kind{Name: "an image of a disk with an MBR"}
	}
	return nil
}

// begins reports whether data begin as the kind does. A signature that is not at the start could stand in text by chance.
func (k *Kind) begins(data []byte) bool {
	return int64(len(data)) >= k.at && bytes.HasPrefix(data[k.at:], []byte(k.magic)) && (k.at == 0 || !isText(data))
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

// Refusal returns the problem that a file is of this kind, which is not read as a hive or .reg file.
func (k *Kind) Refusal() error {
	if k.Class == Foreign {
		return refusal(k.Name, k.convert)
	}
	msg := fmt.Sprintf(`is %s, which is not read here; "regvet info" lists the hives in it, each of which can be given by its place`, k.Name)
	return &hive.Problem{Kind: hive.Unreadable, Msg: msg, Loss: true}
}

// refusal is the problem that something is of a kind that is not read.
func refusal(kind, convert string) error {
	return &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf("is %s, which is not read; %s", kind, convert), Loss: true}
}

// kindOfFile returns what a file is, or nil if it is no container, and its first bytes.
func kindOfFile(f block.File) (kind *Kind, head []byte, err error) {
	head, err = block.Read(f, 0, int(min(hive.HeadSize, f.Size())))
	if err != nil {
		return nil, nil, err
	}
	return KindOf(head, Tail(f, f.Size(), head)), head, nil
}

// TailOfFile returns the last sector of a file that can be read anywhere, or nil: see [Tail].
func TailOfFile(f fs.File, head []byte) []byte {
	at, ok := f.(io.ReaderAt)
	if !ok || isText(head) {
		return nil
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return Tail(at, info.Size(), head)
	}
	return nil
}

// Tail returns the last sector of what does not begin like text, or nil.
func Tail(at io.ReaderAt, size int64, head []byte) []byte {
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
