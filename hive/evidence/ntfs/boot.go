package ntfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"regvet/hive/evidence/block"
)

var le = binary.LittleEndian

// boot is what the boot sector tells about the layout of the volume.
// Source: libyal, libfsntfs, "New Technologies File System (NTFS)", volume header.
type boot struct {
	sector, cluster int64 // bytes
	clusters        int64 // of the volume
	mftAt, mirrorAt int64 // the clusters at which $MFT and $MFTMirr begin
	recordSize      int64 // bytes of an MFT record
	serial          uint64
}

const bootSize = 512 // the part of the boot sector that is looked at, whatever the size of a sector

// isNTFS reports whether the first 512 bytes of a volume, or more of it, are signed as the boot sector of NTFS.
func isNTFS(head []byte) bool { return len(head) >= bootSize && string(head[3:11]) == "NTFS    " }

func parseBoot(s []byte) (boot, error) {
	if !isNTFS(s) {
		return boot{}, errors.New("it is not signed NTFS")
	}
	b := boot{
		sector:   int64(le.Uint16(s[0x0B:])),
		mftAt:    int64(le.Uint64(s[0x30:])),
		mirrorAt: int64(le.Uint64(s[0x38:])),
		serial:   le.Uint64(s[0x48:]),
	}
	if bits.OnesCount64(uint64(b.sector)) != 1 || b.sector < 256 || b.sector > 4096 {
		return boot{}, fmt.Errorf("it tells sectors of %d bytes", b.sector)
	}
	if b.cluster = exponent(s[0x0D], 0x80, b.sector); b.cluster < b.sector || b.cluster > 2<<20 {
		return boot{}, fmt.Errorf("it tells clusters of %d bytes", b.cluster)
	}
	if b.recordSize = size(s[0x40], b.cluster); b.recordSize < 512 || b.recordSize > 64<<10 {
		return boot{}, fmt.Errorf("it tells MFT records of %d bytes", b.recordSize)
	}
	sectors := le.Uint64(s[0x28:])
	if sectors > 1<<62/uint64(b.sector) {
		return boot{}, fmt.Errorf("it tells %d sectors", sectors)
	}
	b.clusters = int64(sectors) / (b.cluster / b.sector)
	if b.mftAt <= 0 || b.mftAt >= b.clusters || b.mirrorAt <= 0 || b.mirrorAt >= b.clusters {
		return boot{}, fmt.Errorf("the MFT or its mirror would begin at clusters %d and %d of %d", b.mftAt, b.mirrorAt, b.clusters)
	}
	return b, nil
}

// size returns the bytes of a record: a number of clusters, or a negative power of two of bytes. It is 0 if it is no power of two.
func size(field byte, cluster int64) int64 {
	if field >= 0x80 {
		return exponent(field, 0x7F, 1)
	}
	return exponent(field, 0x80, cluster)
}

// exponent returns a field times a unit; above most the field is a negative power of two. It is 0 if the result is no power of two.
func exponent(field byte, most byte, unit int64) int64 {
	n := int64(field)
	if field > most {
		if n = 256 - n; n > 31 {
			return 0
		}
		n = 1 << n
	}
	if bits.OnesCount64(uint64(n)) != 1 {
		return 0
	}
	return n * unit
}

// candidate is a boot sector by which the volume may be opened.
type candidate struct {
	boot
	at int64 // where it lies in the volume
}

// bootSectors returns the boot sectors that can be read: the first sector, and its copy at the end of the volume. The error says what is wrong
// with the first. The copy lies behind the sectors that the boot sector counts; of a damaged one, in the last sector that there is.
func bootSectors(r block.Reader) (list []candidate, first error) {
	places := []int64{0, r.Size() - 512, r.Size() - 4096}
	for i, at := range places {
		s, err := block.Read(r, at, bootSize)
		if err == nil {
			var b boot
			if b, err = parseBoot(s); err == nil {
				list = append(list, candidate{b, at})
			}
		}
		if i == 0 {
			first = err
		}
	}
	return list, first
}
