package hive

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Header is the base block of a hive as it stands in the file. Its fields are named as in the description of the format.
type Header struct {
	Sequence1, Sequence2 uint32   // equal unless the hive was being written
	Modified             Filetime // when the hive was last written
	Major, Minor         uint32   // version of the format
	Type                 uint32   // 0 for a hive, 1, 2 and 6 for its logs
	Format               uint32   // 1, direct memory load
	Root                 uint32   // offset of the root key's cell from the first bin, bytes
	Length               uint32   // of all bins, bytes
	Cluster              uint32   // clustering factor, 1
	Flags                uint32   // since Windows 8; see [Header.Layered]
	Name                 string   // the end of the path that the hive had on the machine
	Checksum             uint32   // as it stands
	Computed             uint32   // as it should be
	Lost                 bool     // the base block is destroyed, and so no field of it means anything
}

// Dirty reports whether the hive was being written when it was copied: it may be half changed, and its latest changes are only in its
// logs.
func (h Header) Dirty() bool { return h.Checksum != h.Computed || h.Sequence1 != h.Sequence2 }

// unreadable returns why no keys can be read behind such a base block, or "", and the offset of the field that is the reason.
func (h Header) unreadable() (at int64, fault string) {
	switch {
	case h.isLog():
		return 28, "is a transaction log of a hive and holds no keys by itself; give the hive that lies beside it"
	case h.Major != 1:
		return 20, fmt.Sprintf("is a hive of format version %d.%d; only versions 1.1 to 1.6 are known", h.Major, h.Minor)
	}
	return 0, ""
}

// HeadSize is the number of bytes at the start of a file that [IsHive] and [IsLog] need.
const HeadSize = baseBlockSize + binHeaderSize

// IsHive reports whether data starts like a hive or one of its logs: with a base block, or, if that is lost, with a place for one and the
// first bin behind it.
func IsHive(data []byte) bool { return isSigned(data) || hasFirstBin(data) }

// Written returns the time in the base block of a hive, or 0 if the base block cannot be trusted. It needs the first [HeadSize] bytes.
func Written(data []byte) Filetime {
	if !isSigned(data) || len(data) < sectorSize {
		return 0
	}
	if h := parseHeader(data); h.Checksum == h.Computed && h.Modified.IsSet() {
		return h.Modified
	}
	return 0
}

// Claimed returns how many bytes a hive has by its base block, or 0 if that cannot be trusted. It needs the first [HeadSize] bytes.
func Claimed(data []byte) int64 {
	if !isSigned(data) || len(data) < sectorSize {
		return 0
	}
	if h := parseHeader(data); h.Checksum == h.Computed {
		return baseBlockSize + int64(h.Length)
	}
	return 0
}

func isSigned(data []byte) bool { return bytes.HasPrefix(data, []byte("regf")) }

// hasFirstBin reports whether the first bin is where it must be.
func hasFirstBin(data []byte) bool {
	place, _, ok := binAt(data, baseBlockSize)
	return ok && place == baseBlockSize
}

// IsLog reports whether data is a transaction log of a hive. It needs the first [HeadSize] bytes, or all of a shorter log.
func IsLog(data []byte) bool {
	return isSigned(data) && len(data) >= sectorSize && parseHeader(data).isLog()
}

// isLog reports whether this is the base block of a log.
func (h Header) isLog() bool {
	return h.Type == typeLog1 || h.Type == typeLog2 || h.Type == typeNewLog
}

// parseHeader reads the base block of a hive or a log. It needs the first 512 bytes.
func parseHeader(data []byte) Header {
	base := profile.HBASE_BLOCK(bytes.NewReader(data), 0)
	return Header{
		Sequence1: base.Sequence1(), Sequence2: base.Sequence2(),
		Modified: Filetime(binary.LittleEndian.Uint64(data[12:])), // the accessor drops the part below a second
		Major:    base.Major(), Minor: base.Minor(), Type: base.Type(), Format: base.Format(),
		Root: base.RootCell(), Length: base.Length(), Cluster: base.Cluster(),
		Flags:    binary.LittleEndian.Uint32(data[144:]),
		Name:     headerName(data[48:112]),
		Checksum: base.CheckSum(), Computed: checksum(data),
	}
}

// headerName reads the name in the base block: UTF-16LE up to the first NUL.
func headerName(b []byte) string {
	v := Value{Type: SZ, Data: b}
	name, _ := v.Text()
	return name
}

// checksum returns the XOR of the first 127 words of a base block. Windows never stores zero or all ones.
func checksum(base []byte) uint32 {
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(base[i:])
	}
	switch sum {
	case 0:
		return 1
	case 0xFFFFFFFF:
		return 0xFFFFFFFE
	}
	return sum
}
