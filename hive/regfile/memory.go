package regfile

import (
	"hash/maphash"

	"regvet/hive"
)

// memory holds what a parser reads. A file has up to millions of names, paths and data, most of them small; so they are cut from larger
// pieces, and names that recur are stored once.
type memory struct {
	data     []byte   // the rest of the piece that small data are cut from
	dataSize int      // the size of that piece in bytes
	paths    []string // the rest of the piece that paths are cut from
	seen     [1024]string
	seed     maphash.Seed

	// Buffers for what is being read.
	bytes     []byte
	unescaped []byte
	names     []string
}

const (
	firstPiece = 2 << 10  // bytes; each piece is twice as large as the one before, up to
	dataPiece  = 64 << 10 // bytes
	pathsPiece = 1 << 10  // names
	shortName  = 64       // bytes; longer names are not looked up
)

func newMemory() *memory { return &memory{seed: maphash.MakeSeed()} }

// room returns an empty slice with space for n bytes, to be filled and passed to keep before the next call.
func (m *memory) room(n int) []byte {
	if n > cap(m.data) {
		m.dataSize = min(max(2*m.dataSize, firstPiece), dataPiece)
		if n > m.dataSize/8 {
			return make([]byte, 0, n)
		}
		m.data = make([]byte, 0, m.dataSize)
	}
	return m.data[:0:n]
}

// keep returns b, which room made, as data that nothing else will write to.
func (m *memory) keep(b []byte) []byte {
	n := len(b)
	if n == 0 {
		return nil
	}
	if cap(m.data) >= n && &b[0] == &m.data[:1][0] {
		m.data = m.data[n:n:cap(m.data)]
	}
	return b[:n:n]
}

// name returns b as a string.
func (m *memory) name(b []byte) string {
	if len(b) > shortName {
		return string(b)
	}
	slot := &m.seen[maphash.Bytes(m.seed, b)%uint64(len(m.seen))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// keepPath returns a copy of m.names as a path.
func (m *memory) keepPath() hive.Path {
	n := len(m.names)
	if n > len(m.paths) {
		m.paths = make([]string, pathsPiece)
	}
	path := m.paths[:n:n]
	m.paths = m.paths[n:]
	copy(path, m.names)
	return path
}
