package image

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"io"
	"sort"
	"sync"

	"github.com/klauspost/compress/zlib" // takes a third less time than the one of Go

	"regvet/hive/evidence/block"
)

const (
	unknown    = -1
	mostOffset = 1<<31 - 1 // the bit above it in an entry of a table says that the chunk is compressed
)

// run is a number of chunks in a row: those of a table, or those that are lost.
type run struct {
	first, count int64 // of the chunks of the disk
	file         block.File
	name         string // of the file
	at           int64  // in the file: the table, or what is damaged
	base         int64  // is added to each offset
	end          int64  // of what the chunks lie in
	turn         int64  // the entry from which on offsets have 32 bits, or unknown
	sum          uint32 // of the entries
	sure         bool   // the entries match their checksum
	lost         string // why the chunks cannot be read, or ""
}

// place is where a chunk lies in its file.
type place struct {
	at, end int64 // it ends there at the latest
	packed  bool
}

// place returns where a chunk of the run lies, by its number in the run.
func (r *run) place(i int64) (place, error) {
	from, to := max(0, i-1), min(r.count, i+2)
	data, err := block.Read(r.file, r.at+tableHeader+4*from, int(4*(to-from)))
	if err != nil {
		return place{}, fmt.Errorf("the table of chunks cannot be read: %w", err)
	}
	p := r.entry(i, data[4*(i-from):])
	before, after := int64(0), r.end
	if i > from {
		before = r.entry(i-1, data).at
	}
	if i+1 < to {
		after = r.entry(i+1, data[4*(i+1-from):]).at
	}
	if p.end = r.end; p.at < after && after < r.end {
		p.end = after
	}
	if low := r.at + tableHeader + 4*r.count; !r.sure && (p.at < low || p.at <= before || p.at >= after) { // no checksum, so that only the order tells
		return place{}, errors.New("the entry of the chunk in the table is out of order")
	}
	if p.at < ewfHeader || p.at >= p.end {
		return place{}, fmt.Errorf("the chunk lies at %#x, outside of what holds the chunks", p.at)
	}
	return p, nil
}

func (r *run) entry(i int64, data []byte) place {
	raw := int64(binary.LittleEndian.Uint32(data))
	if r.turn != unknown && i >= r.turn {
		return place{at: raw}
	}
	return place{at: r.base + raw&mostOffset, packed: raw > mostOffset}
}

// resolve numbers the chunks. A hole of an unknown number of chunks is as large as what the others leave of the number that the volume section
// tells; of several, only what is before the first and after the last of them is known.
func (o *ewfOpener) resolve() {
	e, shape := o.disk, o.shape
	e.chunk = shape.perChunk * shape.sector
	e.size = shape.sectors * shape.sector
	if e.size == 0 {
		e.size = shape.chunks * e.chunk
	}
	total := (e.size + e.chunk - 1) / e.chunk
	name := o.image.Files[0].Name
	if shape.chunks != total {
		o.tell(name, 0, shape.chunks > total, "the volume section contradicts itself: %d chunks, and %d sectors, which are %d chunks", shape.chunks, shape.sectors, total)
	}
	known, first, last := int64(0), -1, -1
	for i, r := range o.runs {
		if r.count != unknown {
			known += r.count
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	switch missing := total - known; {
	case missing < 0:
		o.tell(name, 0, true, "the tables of the image hold %d chunks, and the volume section tells of %d: what is beyond cannot be placed", known, total)
		if first >= 0 {
			o.runs[first].count = total // all from there
		}
	case missing > 0 && first < 0:
		last := o.image.Files[len(o.image.Files)-1]
		o.hole(last.Name, last.Size, "the tables of the image hold %d chunks, and the volume section tells of %d", known, total)
		o.runs[len(o.runs)-1].count = missing
	case first < 0:
	case missing > 0:
		for i := first; i < last; i++ { // becomes one hole
			missing += max(0, o.runs[i].count)
		}
		fallthrough
	default:
		o.holes(first, last, missing)
	}
	e.place(o)
}

// holes makes one hole of the runs from first to last, or none if no chunk is missing. What was found of each is told; of the first, place does.
func (o *ewfOpener) holes(first, last int, count int64) {
	for i := first; i <= last; i++ {
		switch r := &o.runs[i]; {
		case r.count != unknown:
		case count == 0:
			o.tell(r.name, r.at, false, "%s; all chunks of the disk are in the image nevertheless", r.lost)
			r.count = 0
		case i > first:
			o.tell(r.name, r.at, true, "%s", r.lost)
		}
	}
	if count > 0 {
		o.runs[first].count = count
		o.runs = append(o.runs[:first+1], o.runs[last+1:]...)
	}
}

// place gives each run its first chunk, and tells of those that are lost.
func (e *ewf) place(o *ewfOpener) {
	next, total := int64(0), (e.size+e.chunk-1)/e.chunk
	for _, r := range o.runs {
		r.count = min(r.count, total-next)
		if r.first = next; r.count <= 0 {
			continue
		}
		next += r.count
		if r.lost != "" {
			o.tell(r.name, r.at, true, "%s; %d bytes of the disk at %#x cannot be read", r.lost, min(r.count*e.chunk, e.size-r.first*e.chunk), r.first*e.chunk)
		}
		e.runs = append(e.runs, r)
	}
}

// ewf is the content of the disk in an image. Each chunk is held against its checksum whenever it is read.
type ewf struct {
	size, chunk int64 // bytes
	runs        []run // all chunks, in order
	cache       *block.LRU[pieceAt, piece]
}

func newEWF() *ewf {
	return &ewf{cache: block.NewLRU[pieceAt, piece](mostCached)}
}

func (e *ewf) Size() int64 { return e.size }

func (e *ewf) run(chunk int64) *run {
	return &e.runs[sort.Search(len(e.runs), func(i int) bool { return e.runs[i].first > chunk })-1]
}

func (e *ewf) Locate(at int64) (string, int64) {
	at = min(max(0, at), e.size-1)
	if len(e.runs) == 0 {
		return "", 0
	}
	chunk := at / e.chunk
	r := e.run(chunk)
	if r.lost != "" {
		return r.name, r.at
	}
	p, err := r.place(chunk - r.first)
	switch {
	case err != nil:
		return r.name, r.at + tableHeader + 4*(chunk-r.first)
	case p.packed:
		return r.name, p.at
	}
	return r.name, p.at + at%e.chunk
}

func (e *ewf) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("read at the negative offset %d", at)
	}
	for n < len(p) {
		here := at + int64(n)
		if here >= e.size {
			return n, io.EOF
		}
		chunk, from := here/e.chunk, here%e.chunk
		want := p[n:min(int64(len(p)), int64(n)+e.length(chunk)-from)]
		if err := e.read(chunk, from, want); err != nil {
			return n, block.NewGap(e, max(here, chunk*e.chunk), "%v", err)
		}
		n += len(want)
	}
	return n, nil
}

// length returns how many bytes of the disk a chunk holds.
func (e *ewf) length(chunk int64) int64 { return min(e.chunk, e.size-chunk*e.chunk) }

// read fills p from an offset in a chunk. A chunk that is read in parts is cached; of one that is larger than the cache, a piece.
func (e *ewf) read(chunk, from int64, p []byte) error {
	length := e.length(chunk)
	if int64(len(p)) == length {
		return e.unpack(chunk, 0, p)
	}
	for len(p) > 0 {
		at := pieceAt{chunk, from / mostCached * mostCached}
		c, ok := e.cache.Get(at)
		if !ok {
			c.data = make([]byte, min(mostCached, length-at.from))
			if c.err = e.unpack(chunk, at.from, c.data); c.err != nil {
				c.data = nil
			}
			e.cache.Add(at, c, int(min(mostCached, e.chunk)))
		}
		if c.err != nil {
			return c.err
		}
		n := copy(p, c.data[from-at.from:])
		p, from = p[n:], from+int64(n)
	}
	return nil
}

// unpack fills p from an offset in a chunk, all of which is held against its checksum.
func (e *ewf) unpack(chunk, from int64, p []byte) error {
	r := e.run(chunk)
	if r.lost != "" {
		return errors.New(r.lost)
	}
	place, err := r.place(chunk - r.first)
	if err != nil {
		return err
	}
	length := e.length(chunk)
	if place.packed {
		return inflate(r.file, place, window{from, length, e.chunk, p})
	}
	err = plain(r.file, place, window{from, length, length, p})
	if err != nil && length < e.chunk { // some programs fill the last chunk up
		err = plain(r.file, place, window{from, length, e.chunk, p})
	}
	return err
}

// window is the part of a chunk that is wanted.
type window struct {
	from         int64
	length, most int64 // bytes that the chunk has at least and at most
	p            []byte
}

// read takes the window out of the content of a chunk, which is read to its end.
func (w window) read(r io.Reader) error {
	if _, err := io.CopyN(io.Discard, r, w.from); err != nil {
		return err
	}
	if _, err := io.ReadFull(r, w.p); err != nil {
		return err
	}
	rest := w.length - w.from - int64(len(w.p))
	if n, err := io.CopyN(io.Discard, r, rest+w.most-w.length+1); err != io.EOF {
		if err == nil {
			err = errors.New("it is longer than a chunk")
		}
		return err
	} else if n < rest {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// plain reads a chunk that is not compressed, after which comes its checksum.
func plain(f block.File, at place, w window) error {
	sum := adler32.New()
	if at.at+w.most+4 > f.Size() {
		return errors.New("the chunk lies beyond the end of the file, which was cut off")
	}
	if err := w.read(io.TeeReader(io.NewSectionReader(f, at.at, w.most), sum)); err != nil {
		return fmt.Errorf("the chunk cannot be read: %w", err)
	}
	stored, err := block.Read(f, at.at+w.most, 4)
	if err != nil {
		return fmt.Errorf("the chunk cannot be read: %w", err)
	}
	if binary.LittleEndian.Uint32(stored) != sum.Sum32() {
		return errors.New("the chunk does not match its checksum")
	}
	return nil
}

// inflater is what one read of a compressed chunk needs.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser // nil at first
}

var inflaters = sync.Pool{New: func() any { return &inflater{in: bufio.NewReaderSize(nil, 32<<10)} }}

// inflate reads a compressed chunk, which ends with its checksum.
func inflate(f block.File, at place, w window) error {
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	z.in.Reset(io.NewSectionReader(f, at.at, at.end-at.at))
	var err error
	if z.out == nil {
		z.out, err = zlib.NewReader(z.in)
	} else {
		err = z.out.(zlib.Resetter).Reset(z.in, nil)
	}
	if err == nil {
		err = w.read(z.out)
	}
	if err != nil {
		return fmt.Errorf("the compressed chunk is damaged: %w", err)
	}
	return nil
}

// mostCached is how many bytes of chunks are kept, those that were read last.
const mostCached = 16 << 20

type pieceAt struct{ chunk, from int64 }

// piece is a chunk, or a part of a large one. It also keeps that a chunk cannot be read: to find that out costs as much as to read it.
type piece struct {
	data []byte
	err  error
}
