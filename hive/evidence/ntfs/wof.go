package ntfs

import (
	"errors"
	"io"
	"sync"

	"regvet/hive/evidence/block"
)

// packed is a file that Windows 10 compressed by itself (CompactOS, compact /exe). Its unnamed content is a hole of the right size, and the stream
// WofCompressedData holds chunks, after a table of where each but the first begins. Source: Microsoft, [MS-FSCC] and wofapi.h; libyal, libfsntfs,
// "New Technologies File System (NTFS)", Windows Overlay Filter.
type packed struct {
	*stream       // WofCompressedData
	size    int64 // of the file
	chunk   int64 // bytes that are compressed together

	mu       sync.Mutex
	unpacked []byte // the chunk that was read last
	number   int64  // of it
}

// packed returns the content of a file that Windows 10 compressed; s is its unnamed one.
func (f *file) packed(s *stream) (content, error) {
	reparse, err := f.stream(reparsePoint, "")
	if err != nil {
		return nil, err
	}
	raw, err := block.Read(reparse, 0, int(min(reparse.size, 24)))
	if err != nil {
		return nil, err
	}
	c, err := f.stream(data, "WofCompressedData")
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, f.v.lost(f.record, "MFT record %d is a file without content", f.number())
	case len(raw) < 24 || le.Uint32(raw[8:]) != 1 || le.Uint32(raw[16:]) != 1:
		return nil, f.v.lost(f.record, "MFT record %d is a file that Windows 10 compressed in a way that is not known here", f.number())
	case le.Uint32(raw[12:]) != 2:
		s.refused = f.v.lost(f.record, "is a file of which only a WIM image elsewhere holds the content")
		return s, nil
	}
	p := &packed{stream: c, size: s.size, number: -1}
	switch algorithm := le.Uint32(raw[20:]); algorithm {
	case 0:
		p.chunk = 4 << 10
	case 2:
		p.chunk = 8 << 10
	case 3:
		p.chunk = 16 << 10
	case 1:
		s.refused = f.v.lost(f.record, "is compressed by Windows 10 with LZX, which is not read here; compact /u /exe in Windows unpacks it")
		return s, nil
	default:
		return nil, f.v.lost(f.record, "MFT record %d is a file that Windows 10 compressed by the method %d, which is not known here", f.number(), algorithm)
	}
	if c == nil || p.table() > c.size {
		return nil, f.v.lost(f.record, "MFT record %d is a compressed file without its table of chunks", f.number())
	}
	return p, nil
}

func (p *packed) Size() int64 { return p.size }

// chunks returns how many there are.
func (p *packed) chunks() int64 { return p.size/p.chunk + min(1, p.size%p.chunk) }

// wide returns the bytes of an entry of the table.
func (p *packed) wide() int64 {
	if p.size > 1<<32-1 {
		return 8
	}
	return 4
}

// table returns the bytes of the table.
func (p *packed) table() int64 { return max(0, p.chunks()-1) * p.wide() }

// begin returns where a chunk begins in the stream.
func (p *packed) begin(number int64) (int64, error) {
	switch number {
	case 0:
		return p.table(), nil
	case p.chunks():
		return p.stream.size, nil
	}
	raw, err := block.Read(p.stream, (number-1)*p.wide(), int(p.wide()))
	if err != nil {
		return 0, err
	}
	return p.table() + signed(raw), nil
}

// Locate returns where the chunk lies that holds the byte at an offset.
func (p *packed) Locate(at int64) (string, int64) {
	begin, err := p.begin(max(0, at) / p.chunk)
	if err != nil {
		begin = 0
	}
	return p.stream.Locate(begin)
}

func (p *packed) ReadAt(data []byte, at int64) (n int, err error) {
	switch {
	case at < 0:
		return 0, errors.New("read at a negative offset")
	case at >= p.size:
		return 0, io.EOF
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for n < len(data) && at < p.size {
		if number := at / p.chunk; number != p.number {
			unpacked, err := p.unpack(number)
			if err != nil {
				return n, err
			}
			p.unpacked, p.number = unpacked, number
		}
		m := copy(data[n:], p.unpacked[at%p.chunk:])
		n += m
		at += int64(m)
	}
	if n < len(data) {
		err = io.EOF
	}
	return n, err
}

// unpack returns what a chunk holds. One that compression would not make smaller is stored as it is.
func (p *packed) unpack(number int64) ([]byte, error) {
	want := min(p.chunk, p.size-number*p.chunk)
	begin, err := p.begin(number)
	if err != nil {
		return nil, err
	}
	end, err := p.begin(number + 1)
	if err != nil {
		return nil, err
	}
	if begin < p.table() || end <= begin || end-begin > want || end > p.stream.size {
		return nil, block.NewGap(p.stream, 0, "the chunk %d of the compressed file has no possible place", number)
	}
	raw, err := block.Read(p.stream, begin, int(end-begin))
	if err != nil || end-begin == want {
		return raw, err
	}
	unpacked, err := xpress(raw, int(want))
	if err != nil {
		return nil, block.NewGap(p.stream, begin, "the chunk %d of the compressed file %v", number, err)
	}
	return unpacked, nil
}

const (
	xpressSymbols = 512 // bytes, and lengths with the bits of a distance
	xpressTable   = xpressSymbols / 2
	xpressLongest = 15 // bits of a code
)

// xpress returns the size bytes that were compressed by LZ77 with Huffman codes. Source: Microsoft, [MS-XCA] 2.2.
func xpress(raw []byte, size int) ([]byte, error) {
	damaged := errors.New("is damaged")
	if len(raw) < xpressTable+4 {
		return nil, damaged
	}
	codes, ok := huffman(raw[:xpressTable])
	if !ok {
		return nil, damaged
	}
	b := &bitReader{raw: raw, next: xpressTable + 4}
	b.bits = uint32(le.Uint16(raw[xpressTable:]))<<16 | uint32(le.Uint16(raw[xpressTable+2:]))
	b.more = 16
	out := make([]byte, 0, size)
	for len(out) < size {
		code := codes[b.bits>>(32-xpressLongest)]
		if code == 0 {
			return nil, damaged
		}
		b.take(int(code / xpressSymbols))
		symbol := code % xpressSymbols
		if symbol < 256 {
			out = append(out, byte(symbol))
			continue
		}
		length, wide := b.length(int(symbol&15)), int(symbol>>4&15)
		back := 1 << wide
		if wide > 0 {
			back += int(b.bits >> (32 - wide))
		}
		b.take(wide)
		if b.failed || back > len(out) || length > size-len(out) {
			return nil, damaged
		}
		for range length {
			out = append(out, out[len(out)-back])
		}
	}
	if b.next > len(raw)+4 { // the two words that are read ahead
		return nil, damaged
	}
	return out, nil
}

// huffman returns, by the next 15 bits, the length of the code that they begin with times xpressSymbols, and its symbol; 0 if there is none. It
// takes the lengths of the codes, two a byte.
func huffman(lengths []byte) (*[1 << xpressLongest]uint16, bool) {
	codes := new([1 << xpressLongest]uint16)
	next := 0
	for length := byte(1); length <= xpressLongest; length++ {
		for symbol := range uint16(xpressSymbols) {
			if lengths[symbol/2]>>(symbol%2*4)&15 != length {
				continue
			}
			end := next + 1<<(xpressLongest-length)
			if end > len(codes) {
				return nil, false
			}
			for ; next < end; next++ {
				codes[next] = uint16(length)*xpressSymbols + symbol
			}
		}
	}
	return codes, true
}

// bitReader reads bits from words of 16, the highest first. Whole bytes between them come from where the next word would be read.
type bitReader struct {
	raw    []byte
	next   int
	bits   uint32
	more   int // bits beyond 16 that are there
	failed bool
}

func (b *bitReader) take(n int) {
	b.bits <<= n
	if b.more -= n; b.more < 0 {
		b.bits |= uint32(b.number(2)) << -b.more
		b.more += 16
	}
}

// number reads so many bytes; what is missing at the end is zero.
func (b *bitReader) number(size int) int {
	n := 0
	for i := range size {
		if b.next < len(b.raw) {
			n |= int(b.raw[b.next]) << (8 * i)
		}
		b.next++
	}
	return n
}

// length returns a length whose first four bits are known.
func (b *bitReader) length(n int) int {
	const least = 3
	if n < 15 {
		return n + least
	}
	if n = b.number(1); n < 255 {
		return n + 15 + least
	}
	if n = b.number(2); n == 0 {
		n = b.number(4)
	}
	b.failed = b.failed || n < 15
	return n + least
}
