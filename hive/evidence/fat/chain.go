package fat

import (
	"encoding/binary"
	"fmt"
	"io"
	"sort"

	"regvet/hive/evidence/block"
)

// table is where a FAT lies.
type table struct{ at, size int64 }

// What a number in a table means besides the next cluster, in the widest form.
const (
	free = 0
	bad  = 0xFFFFFFF7
	end  = 0xFFFFFFFF
)

// walker reads the tables along a chain, a piece at a time.
type walker struct {
	v      *Volume
	pieces []piece // of each table
}

type piece struct {
	at   int64 // of the first byte in the table
	data []byte
}

const pieceSize = 4096

// bytes returns n bytes of a table.
func (w *walker) bytes(number int, at int64, n int) ([]byte, error) {
	p, t := &w.pieces[number], w.v.tables[number]
	if p.data == nil || at < p.at || at+int64(n) > p.at+int64(len(p.data)) {
		p.at = at &^ (pieceSize - 1)
		data, err := block.Read(w.v.r, t.at+p.at, int(min(pieceSize+4, t.size-p.at))) // and what a number reaches over
		if err != nil {                                                               // perhaps of bytes that are not asked for
			p.data = nil
			return block.Read(w.v.r, t.at+at, n)
		}
		p.data = data
	}
	return p.data[at-p.at:][:n], nil
}

// next returns the number that all tables have for a cluster. It is wide: see [free], [bad] and [end].
func (w *walker) next(cluster uint32) (uint32, error) {
	at, n := int64(cluster)*4, 4
	switch w.v.width {
	case 12:
		at, n = int64(cluster)*3/2, 2
	case 16:
		at, n = int64(cluster)*2, 2
	}
	var value uint32
	var unread error
	known := false
	for i := range w.v.tables {
		b, err := w.bytes(i, at, n)
		if err != nil {
			unread = err
			continue
		}
		got := w.v.wide(b, cluster)
		if known && got != value {
			return 0, w.v.gap(w.v.tables[i].at+at, "the two FATs differ in what follows cluster %d (%s or %s), and nobody can say which is right", cluster, meaning(value), meaning(got))
		}
		value, known = got, true
	}
	if !known {
		return 0, unread
	}
	return value, nil
}

// wide returns the number that stands in a table.
func (v *Volume) wide(b []byte, cluster uint32) uint32 {
	var n uint32
	switch v.width {
	case 32:
		n = binary.LittleEndian.Uint32(b) & v.mask
	case 16:
		n = uint32(binary.LittleEndian.Uint16(b))
	default:
		n = uint32(binary.LittleEndian.Uint16(b)) >> (4 * (cluster & 1)) & v.mask
	}
	if n >= v.mask-8 {
		n |= ^v.mask
	}
	if v.mask != end && n > bad {
		n = end // one of eight values
	}
	return n
}

func meaning(n uint32) string {
	switch n {
	case free:
		return "a free one"
	case bad:
		return "a bad one"
	case end:
		return "the end"
	}
	return fmt.Sprint("number ", n)
}

// extent is a piece of a file in one place.
type extent struct {
	from int64 // its first byte in the file
	at   int64 // in the volume
}

const mostExtents = 2 << 20

// content is what a file or directory holds.
type content struct {
	v           *Volume
	extents     []extent
	held        int64 // bytes in the extents
	size, valid int64
	lost        error // why there is no more than is held
}

// content returns what a file holds. Where the table cannot be read, or both differ, the rest of it is a gap. If the chain does not end where
// the size says, it is an error, because it can have left the file anywhere before.
func (v *Volume) content(n node) (*content, error) {
	c := &content{v: v, size: n.size, valid: n.valid}
	clusters := (n.size + v.clusterSize - 1) / v.clusterSize
	switch {
	case n.wrong != nil:
		return nil, n.wrong
	case n.size == 0:
		return c, nil
	case n.contiguous:
		if n.first < 2 || int64(n.first)-2+clusters > int64(v.clusters) {
			return nil, v.gap(n.at, "the entry of %q says that its %d clusters begin with number %d, but the volume has %d", n.name, clusters, n.first, v.clusters)
		}
		c.extents, c.held = []extent{{0, v.place(n.first)}}, clusters*v.clusterSize
		return c, nil
	}
	if err := c.follow(n, clusters); err != nil {
		return nil, err
	}
	if err := c.alone(n); err != nil {
		return nil, err
	}
	switch {
	case c.lost != nil && c.held >= n.size:
		return nil, c.lost
	case c.lost == nil && c.held < n.size:
		return nil, v.gap(n.at, "the entry of %q says that it has %d bytes, but its chain ends after %d clusters; which is right cannot be said", n.name, n.size, c.held/v.clusterSize)
	}
	return c, nil
}

// follow adds the clusters of a chain that has most of them at most. An error says that it is none. That it is not known how the chain goes on
// is noted as lost.
func (c *content) follow(n node, most int64) error {
	w := walker{v: c.v, pieces: make([]piece, len(c.v.tables))}
	mark, steps, power := uint32(0), 0, 1 // a cluster that was passed, which is moved on ever more rarely: a circle comes back to it
	for cluster, from := n.first, n.at; ; {
		switch {
		case cluster == mark:
			return c.v.gap(from, "the chain of clusters of %q leads back into itself", n.name)
		case cluster == end && c.held > 0:
			return nil
		case cluster < 2 || cluster-2 >= c.v.clusters:
			return c.v.gap(from, "the chain of clusters of %q leads to %s of %d", n.name, meaning(cluster), c.v.clusters)
		case c.held/c.v.clusterSize >= most:
			return c.v.gap(n.at, "the chain of clusters of %q does not end after %d, as it must", n.name, most)
		}
		if steps++; steps == power {
			mark, power = cluster, 2*power
		}
		at := c.v.place(cluster)
		if last := len(c.extents) - 1; last < 0 || c.extents[last].at+c.held-c.extents[last].from != at {
			if len(c.extents) == mostExtents {
				return c.v.gap(n.at, "%q is in more than %d pieces", n.name, mostExtents)
			}
			c.extents = append(c.extents, extent{c.held, at})
		}
		c.held += c.v.clusterSize
		from = c.v.tables[0].at + int64(cluster)*int64(c.v.width)/8
		next, err := w.next(cluster)
		if err != nil {
			c.lost = err
			return nil
		}
		cluster = next
	}
}

// links are the clusters of FAT to which others lead. exFAT has none, because its table keeps what once was for clusters that are free, and for
// files in one piece.
type links struct{ led, twice clusterSet }

type clusterSet []uint64

func (s clusterSet) has(c uint32) bool { return s[c/64]>>(c%64)&1 != 0 }
func (s clusterSet) add(c uint32)      { s[c/64] |= 1 << (c % 64) }

// mostLinked is how many clusters a volume can have whose links are read: all of FAT16, and of FAT32 up to 16 MB of table.
const mostLinked = 4 << 20

// allLinks returns the links of a volume, or nil if it has none.
func (v *Volume) allLinks() *links {
	v.linked.Do(func() {
		if v.mask == end || v.clusters > mostLinked {
			return
		}
		size := (v.clusters + 2 + 63) / 64
		l := &links{make(clusterSet, size), make(clusterSet, size)}
		w := walker{v: v, pieces: make([]piece, len(v.tables))}
		for c := uint32(2); c-2 < v.clusters; c++ {
			next, err := w.next(c)
			switch {
			case err != nil:
				c |= 127 // the sector of the table, about
			case next < 2 || next-2 >= v.clusters:
			case l.led.has(next):
				l.twice.add(next)
			default:
				l.led.add(next)
			}
		}
		v.links = l
	})
	return v.links
}

// alone requires that no other chain leads into that of a file: its entry, or a number in the table, would be damaged.
func (c *content) alone(n node) error {
	l := c.v.allLinks()
	if l == nil || n.first == 0 {
		return nil
	}
	if l.led.has(n.first) {
		return c.v.gap(n.at, "the entry of %q says that it begins at cluster %d, which is in the middle of a chain", n.name, n.first)
	}
	for from := int64(0); from < c.held; from += c.v.clusterSize {
		at, _ := c.extent(from)
		if cluster := c.v.cluster(at); l.twice.has(cluster) {
			return c.v.gap(at, "two chains of clusters lead to cluster %d of %q; whose it is cannot be said", cluster, n.name)
		}
	}
	return nil
}

// cluster returns the cluster at an offset of the volume.
func (v *Volume) cluster(at int64) uint32 { return uint32((at-v.heap)/v.clusterSize) + 2 }

// place returns the offset of a cluster in the volume.
func (v *Volume) place(cluster uint32) int64 { return v.heap + int64(cluster-2)*v.clusterSize }

func (c *content) Size() int64 { return c.size }

// extent returns the piece in which a byte lies that is held, and how many bytes of the piece there are from it.
func (c *content) extent(at int64) (place, n int64) {
	i := sort.Search(len(c.extents), func(i int) bool { return c.extents[i].from > at }) - 1
	ends := c.held
	if i+1 < len(c.extents) {
		ends = c.extents[i+1].from
	}
	return c.extents[i].at + at - c.extents[i].from, ends - at
}

// Locate returns where a byte of the file lies.
func (c *content) Locate(at int64) (string, int64) {
	if at >= 0 && at < c.held {
		place, _ := c.extent(at)
		return block.Locate(c.v.r, place)
	}
	return block.Locate(c.v.r, 0)
}

func (c *content) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("read at the negative offset %d", at)
	}
	for n < len(p) {
		here := at + int64(n)
		switch {
		case here >= c.size:
			return n, io.EOF
		case here >= c.held:
			return n, c.lost
		case here >= c.valid:
			zeros := p[n:][:min(int64(len(p)-n), min(c.size, c.held)-here)]
			clear(zeros)
			n += len(zeros)
			continue
		}
		place, length := c.extent(here)
		length = min(length, int64(len(p)-n), min(c.size, c.valid)-here)
		got, err := c.v.r.ReadAt(p[n:][:length], place)
		n += got
		if int64(got) < length {
			if err == nil || err == io.EOF {
				err = c.v.gap(place+int64(got), "lies beyond the end of the volume")
			}
			return n, err
		}
	}
	return n, nil
}
