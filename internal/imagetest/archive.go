package imagetest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// ArchiveFile is a member of an archive that is written.
type ArchiveFile struct {
	Name string
	Data []byte
}

// archiveTime is when all members were modified.
var archiveTime = time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)

// Zip returns a zip archive of members that are deflated.
func Zip(files []ArchiveFile) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: archiveTime})
		must(err)
		_, err = to.Write(f.Data)
		must(err)
	}
	must(w.Close())
	return out.Bytes()
}

// Tar returns a tar archive.
func Tar(files []ArchiveFile) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		must(w.WriteHeader(&tar.Header{Name: f.Name, Size: int64(len(f.Data)), Mode: 0o644, ModTime: archiveTime}))
		_, err := w.Write(f.Data)
		must(err)
	}
	must(w.Close())
	return out.Bytes()
}

// Gzip returns data compressed with gzip.
func Gzip(data []byte) []byte {
	return compressed(data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// Zstd returns data compressed with zstd, with a checksum.
func Zstd(data []byte) []byte {
	return compressed(data, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

// XZ returns data compressed with xz, in blocks of so many bytes at most.
func XZ(data []byte, block int64) []byte {
	return compressed(data, func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{BlockSize: block, DictCap: 1 << 20}.NewWriter(w)
	})
}

func compressed(data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	var out bytes.Buffer
	w, err := open(&out)
	must(err)
	_, err = w.Write(data)
	must(err)
	must(w.Close())
	return out.Bytes()
}

// SevenZip returns a 7z archive of one folder with all members, compressed with LZMA2, or of a folder for each member.
func SevenZip(files []ArchiveFile, solid bool) []byte {
	var packed, names []byte
	var sizes, packs []int
	var sums [][]byte
	var content []byte
	flush := func() {
		pack := compressed(content, func(w io.Writer) (io.WriteCloser, error) { return lzma.Writer2Config{DictCap: 1 << 20}.NewWriter2(w) })
		packs, packed, content = append(packs, len(pack)), append(packed, pack...), nil
	}
	for _, f := range files {
		content = append(content, f.Data...)
		sizes = append(sizes, len(f.Data))
		sums = append(sums, binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(f.Data)))
		for _, unit := range append(utf16.Encode([]rune(f.Name)), 0) {
			names = binary.LittleEndian.AppendUint16(names, unit)
		}
		if !solid {
			flush()
		}
	}
	unpacked := sizes
	if solid {
		unpacked = []int{len(content)}
		flush()
	}
	db := []byte{1, 4, 6} // header, streams, packed streams
	db = append(sevenNumbers(append(db, 0), len(packs)), 9)
	db = append(sevenNumbers(db, packs...), 0, 7, 11)
	db = append(sevenNumbers(db, len(packs)), 0)
	for range packs {
		db = append(db, 1, 0x21, 0x21, 1, 16) // one coder, LZMA2 with a window of 1 MiB
	}
	db = append(sevenNumbers(append(db, 12), unpacked...), 0, 8) // sizes, members
	if solid {
		db = append(sevenNumbers(append(db, 13), len(files)), 9)
		db = sevenNumbers(db, sizes[:len(sizes)-1]...)
	}
	db = append(append(db, 10, 1), bytes.Join(sums, nil)...)
	db = append(sevenNumbers(append(db, 0, 0, 5), len(files)), 17)
	db = append(sevenNumbers(db, len(names)+1), 0)
	db = append(append(db, names...), 0, 0)

	le := binary.LittleEndian
	place := le.AppendUint64(le.AppendUint64(nil, uint64(len(packed))), uint64(len(db)))
	place = le.AppendUint32(place, crc32.ChecksumIEEE(db))
	out := le.AppendUint32([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), crc32.ChecksumIEEE(place))
	return append(append(append(out, place...), packed...), db...)
}

// sevenNumbers appends numbers below 1<<28.
func sevenNumbers(to []byte, numbers ...int) []byte {
	for _, n := range numbers {
		if n < 0x80 {
			to = append(to, byte(n))
		} else {
			to = append(to, 0xE0|byte(n>>24), byte(n), byte(n>>8), byte(n>>16))
		}
	}
	return to
}

// must holds that what is written into memory is written.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
