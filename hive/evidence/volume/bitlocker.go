package volume

import (
	"encoding/binary"
	"fmt"
	"slices"

	"regvet/hive/evidence/block"
)

// protections are what unlocks the master key of a BitLocker volume. Source: libyal, documentation of libbde, "Key protection types".
var protections = map[uint16]string{
	0x0000: "a clear key, so that anyone can unlock it",
	0x0100: "a TPM",
	0x0200: "a startup key",
	0x0800: "a recovery password",
	0x2000: "a password",
}

const (
	fveSignature  = "-FVE-FS-"
	fveHead       = 64 + 48 // bytes of both headers of a metadata block
	fveEntry      = 8       // bytes of the head of an entry
	fveMost       = 1 << 20 // bytes of a metadata block, of which Windows makes 64 KiB
	fveVMK        = 2       // the type of an entry of a master key
	fveVMKValue   = 8
	fveProtection = fveEntry + 26 // where in that entry the protection is
)

// Protectors returns what unlocks a BitLocker volume, by the first of its three blocks of metadata that can be used. The error says that none can.
// Source: libyal, documentation of libbde.
func Protectors(r block.Reader) ([]string, error) {
	head, err := block.Read(r, 0, 512)
	if err != nil {
		return nil, err
	}
	for _, at := range metadataBlocks(head) {
		if protectors, err := protectorsIn(r, at); err == nil {
			return protectors, nil
		}
	}
	return nil, block.NewGap(r, 0, "none of the three copies of the metadata of BitLocker can be read")
}

// metadataBlocks returns the offsets of the blocks of metadata by the boot sector: of Windows Vista, of later versions, and of removable disks.
func metadataBlocks(head []byte) []int64 {
	offsets := func(at int) (all []int64) {
		for i := range 3 {
			all = append(all, int64(binary.LittleEndian.Uint64(head[at+8*i:])))
		}
		return all
	}
	switch {
	case string(head[3:11]) != fveSignature:
		return offsets(440)
	case head[1] == 0x52:
		cluster := int64(binary.LittleEndian.Uint16(head[11:])) * int64(head[13])
		if first := int64(binary.LittleEndian.Uint64(head[56:])); first > 0 && first < 1<<40 {
			return []int64{first * cluster}
		}
		return nil
	}
	return offsets(176)
}

// protectorsIn returns what the entries of one block of metadata say.
func protectorsIn(r block.Reader, at int64) (protectors []string, err error) {
	head, err := block.Read(r, at, fveHead)
	if err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(head[64:]))
	if string(head[:8]) != fveSignature || size < fveHead-64 || size > fveMost {
		return nil, fmt.Errorf("no metadata of BitLocker is at %#x", at)
	}
	entries, err := block.Read(r, at+fveHead, int(size-(fveHead-64)))
	if err != nil {
		return nil, err
	}
	for len(entries) >= fveEntry {
		n := int(binary.LittleEndian.Uint16(entries))
		if n == 0 {
			break // padding
		}
		if n < fveEntry || n > len(entries) {
			return nil, fmt.Errorf("the metadata of BitLocker at %#x is damaged", at)
		}
		kind, value := binary.LittleEndian.Uint16(entries[2:]), binary.LittleEndian.Uint16(entries[4:])
		if kind == fveVMK && value == fveVMKValue && n >= fveProtection+2 {
			protection := binary.LittleEndian.Uint16(entries[fveProtection:])
			name, known := protections[protection]
			if !known {
				name = fmt.Sprintf("protection %#04x", protection)
			}
			if !slices.Contains(protectors, name) {
				protectors = append(protectors, name)
			}
		}
		entries = entries[n:]
	}
	return protectors, nil
}
