package imagetest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"

	"github.com/klauspost/compress/zstd"
)

// QCOW2 says how a qcow2 image is written.
type QCOW2 struct {
	Version     uint32 // 0 is 3
	ClusterBits int    // 0 is 16
	Compress    string // "zlib" or "zstd": every other cluster that is not zero is compressed
	Extended    bool   // with subclusters
	Zeroed      bool   // clusters of zeros are said to be zero, where they else are left out
	Backing     string // the name of an image that this one builds on
	Under       []byte // and its content: clusters that are as there are left out
	Features    uint64 // incompatible ones, beside those that the other fields ask for
	Encryption  uint32
}

// Write returns an image.
func (q QCOW2) Write(content []byte) []byte {
	if q.Version == 0 {
		q.Version = 3
	}
	if q.ClusterBits == 0 {
		q.ClusterBits = 16
	}
	cluster, width := 1<<q.ClusterBits, 8
	if q.Extended {
		width = 16
	}
	perL2 := cluster / width
	clusters := (len(content) + cluster - 1) / cluster
	tables := (clusters + perL2 - 1) / perL2
	l1Size := (tables*8 + cluster - 1) / cluster * cluster
	file := make([]byte, cluster+l1Size)
	for i := range clusters {
		part := make([]byte, cluster)
		copy(part, content[i*cluster:])
		entry, bitmap := q.entry(&file, part, i)
		if entry == 0 && bitmap == 0 {
			continue
		}
		at := cluster + i/perL2*8
		table := binary.BigEndian.Uint64(file[at:]) &^ (1 << 63)
		if table == 0 {
			fill(&file, cluster)
			table = uint64(len(file))
			binary.BigEndian.PutUint64(file[at:], table|1<<63)
			file = append(file, make([]byte, cluster)...)
		}
		binary.BigEndian.PutUint64(file[int(table)+i%perL2*width:], entry)
		if q.Extended {
			binary.BigEndian.PutUint64(file[int(table)+i%perL2*width+8:], bitmap)
		}
	}
	fill(&file, cluster)
	refcounts, size := q.refcounts(&file)
	copy(file, q.header(len(content), tables, refcounts, size))
	return file
}

// fill appends zeros up to the next multiple of size.
func fill(file *[]byte, size int) {
	if rest := len(*file) % size; rest != 0 {
		*file = append(*file, make([]byte, size-rest)...)
	}
}

// entry writes a cluster, if it must be, and returns its entry in an L2 table, with the bitmap of its subclusters.
func (q QCOW2) entry(file *[]byte, part []byte, number int) (entry, bitmap uint64) {
	cluster := len(part)
	same := make([]byte, cluster)
	if q.Backing != "" && number*cluster < len(q.Under) {
		copy(same, q.Under[number*cluster:])
	}
	zero := len(bytes.Trim(part, "\x00")) == 0
	switch {
	case zero && q.Zeroed && q.Extended:
		return 0, (1<<32 - 1) << 32
	case zero && q.Zeroed:
		return 1, 0
	case bytes.Equal(part, same):
		return 0, 0
	case q.Compress != "" && number%2 == 0:
		packed := q.pack(part)
		at := len(*file)
		*file = append(*file, packed...)
		sectors := (at+len(packed)-1)/512 - at/512
		return 1<<62 | uint64(sectors)<<(62-(q.ClusterBits-8)) | uint64(at), 0
	}
	fill(file, cluster)
	at := uint64(len(*file)) | 1<<63
	*file = append(*file, part...)
	if !q.Extended {
		return at, 0
	}
	for i := range 32 { // those that are not stored have bytes that nobody may read
		sub := (*file)[len(*file)-cluster:][i*cluster/32:][:cluster/32]
		switch {
		case len(bytes.Trim(sub, "\x00")) != 0:
			bitmap |= 1 << i
		case q.Zeroed:
			bitmap |= 1 << (32 + i)
			fallthrough
		default:
			for j := range sub {
				sub[j] = 0xEE
			}
		}
	}
	return at, bitmap
}

func (q QCOW2) pack(part []byte) []byte {
	if q.Compress == "zstd" {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			panic(err)
		}
		return z.EncodeAll(part, nil)
	}
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	z.Write(part)
	z.Close()
	return b.Bytes()
}

// refcounts writes the table and the blocks of the reference counts, all of which are 1: those of clusters that several compressed ones share are
// too low, which only programs that write look at.
func (q QCOW2) refcounts(file *[]byte) (at, clusters int) {
	cluster := 1 << q.ClusterBits
	perBlock := cluster / 2
	at = len(*file)
	blocks := len(*file)/cluster/perBlock + 2
	clusters = (blocks*8 + cluster - 1) / cluster
	*file = append(*file, make([]byte, clusters*cluster)...)
	for i := range blocks {
		binary.BigEndian.PutUint64((*file)[at+i*8:], uint64(len(*file)))
		for j := range perBlock {
			used := byte(0)
			if i*perBlock+j < at/cluster+clusters+blocks {
				used = 1
			}
			*file = append(*file, 0, used)
		}
	}
	return at, clusters
}

func (q QCOW2) header(size, tables, refcounts, refcountClusters int) []byte {
	h := binary.BigEndian.AppendUint32([]byte("QFI\xfb"), q.Version)
	length := 72
	if q.Version == 3 {
		length = 112
	}
	if q.Backing != "" {
		h = binary.BigEndian.AppendUint64(h, uint64(length+8)) // behind the end of the header extensions
		h = binary.BigEndian.AppendUint32(h, uint32(len(q.Backing)))
	} else {
		h = append(h, make([]byte, 12)...)
	}
	h = binary.BigEndian.AppendUint32(h, uint32(q.ClusterBits))
	h = binary.BigEndian.AppendUint64(h, uint64(size))
	h = binary.BigEndian.AppendUint32(h, q.Encryption)
	h = binary.BigEndian.AppendUint32(h, uint32(tables))
	h = binary.BigEndian.AppendUint64(h, 1<<q.ClusterBits)
	h = binary.BigEndian.AppendUint64(h, uint64(refcounts))
	h = binary.BigEndian.AppendUint32(h, uint32(refcountClusters))
	h = append(h, make([]byte, 12)...) // no snapshots
	if q.Version == 3 {
		features, method := q.Features, byte(0)
		if q.Compress == "zstd" {
			features, method = features|1<<3, 1
		}
		if q.Extended {
			features |= 1 << 4
		}
		h = binary.BigEndian.AppendUint64(h, features)
		h = append(h, make([]byte, 16)...)
		h = binary.BigEndian.AppendUint32(h, 4)
		h = binary.BigEndian.AppendUint32(h, 112)
		h = append(h, method, 0, 0, 0, 0, 0, 0, 0)
	}
	h = append(h, make([]byte, 8)...)
	return append(h, q.Backing...)
}
