package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// The .xz format: streams of a header of 12 bytes, blocks, an index of their sizes, and a footer of 12 bytes. Each block has a header, content
// that is compressed with LZMA2, zeros up to a multiple of 4 bytes and a check. It is read here, with the decoder of a library, because that one
// sizes its window by what the file says, and does not tell which blocks match their check.
// Source: tukaani.org/xz/xz-file-format.txt, 1.2.

const xzMagic = "\xfd7zXZ\x00"

var errXZ = errors.New("it is no sound xz stream")

// xzStream is what is read of a stream.
type xzStream struct {
	s      *source
	flags  [2]byte
	blocks []xzSizes // against which the index is held
	memory *int64    // bytes of all windows so far
}

// xzSizes is the record of a block in the index.
type xzSizes struct{ unpadded, content uint64 }

// xzBlocks returns the blocks of all streams, one by one.
func xzBlocks(s *source) func() (io.Reader, error) {
	var x *xzStream
	var memory int64
	return func() (io.Reader, error) {
		for {
			if x == nil {
				next := &xzStream{s: s, memory: &memory}
				if err := next.header(); err != nil {
					return nil, noEOF(err)
				}
				x = next
			}
			block, err := x.block()
			if block != nil || err != nil {
				return block, noEOF(err)
			}
			x = nil
			if err := streamPadding(s); err != nil {
				return nil, err
			}
		}
	}
}

// streamPadding reads zeros behind a stream; io.EOF is the end of the file.
func streamPadding(s *source) error {
	for {
		four, err := s.Peek(4)
		switch {
		case len(four) == 0:
			return err
		case !bytes.Equal(four, make([]byte, 4)):
			return nil
		}
		s.Discard(4)
	}
}

func (x *xzStream) read(p []byte) error {
	_, err := io.ReadFull(x.s, p)
	return noEOF(err)
}

func (x *xzStream) header() error {
	var h [12]byte
	if err := x.read(h[:]); err != nil {
		return err
	}
	if string(h[:6]) != xzMagic || h[6] != 0 || h[7] > 15 || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return errXZ
	}
	x.flags = [2]byte(h[6:8])
	return nil
}

// check returns the hash of the content of blocks; nil for none.
func (x *xzStream) check() (hash.Hash, error) {
	switch x.flags[1] {
	case 1:
		return crc32.NewIEEE(), nil
	case 4:
		return crc64.New(crc64.MakeTable(crc64.ECMA)), nil
	case 10:
		return sha256.New(), nil
	}
	return nil, fmt.Errorf("its blocks have the check %d, with which nothing can be verified", x.flags[1])
}

// block returns the next block, or nil behind the last.
func (x *xzStream) block() (io.Reader, error) {
	start := x.s.at()
	first, err := x.s.ReadByte()
	if err != nil {
		return nil, err
	}
	if first == 0 {
		return nil, x.index(start)
	}
	h := make([]byte, (int(first)+1)*4)
	h[0] = first
	if err := x.read(h[1:]); err != nil {
		return nil, err
	}
	end := len(h) - 4
	if crc32.ChecksumIEEE(h[:end]) != binary.LittleEndian.Uint32(h[end:]) {
		return nil, errXZ
	}
	window, err := xzWindow(h[1:end])
	if err != nil {
		return nil, err
	}
	if *x.memory += int64(window); *x.memory > mostUnpacked(x.s.from.Size()) {
		return nil, errors.New("its many blocks need too much memory to be unpacked")
	}
	sum, err := x.check()
	if err != nil {
		return nil, err
	}
	r, err := lzma.Reader2Config{DictCap: window}.NewReader2(x.s)
	if err != nil {
		return nil, err
	}
	return &xzBlock{x: x, start: start, r: r, sum: sum}, nil
}

// xzWindow returns the size of the window that the header of a block names. The sizes of the block in it are optional; the index has them too.
func xzWindow(h []byte) (int, error) {
	flags, r := h[0], bytes.NewReader(h[1:])
	for _, size := range []byte{0x40, 0x80} {
		if flags&size != 0 {
			if _, err := binary.ReadUvarint(r); err != nil {
				return 0, errXZ
			}
		}
	}
	id, _ := binary.ReadUvarint(r)
	properties, _ := binary.ReadUvarint(r)
	if flags&0x3F != 0 || id != 0x21 || properties != 1 {
		return 0, fmt.Errorf("it is compressed with filters before LZMA2, or with something else")
	}
	bits, err := r.ReadByte()
	if err != nil {
		return 0, errXZ
	}
	size := windowSize(bits)
	if size > mostWindow {
		return 0, fmt.Errorf("it needs a window of %d bytes to be unpacked, more than %d", size, mostWindow)
	}
	return int(size), nil
}

// windowSize returns what a byte of properties of LZMA2 means, in bytes.
func windowSize(bits byte) int64 {
	if bits >= 40 {
		return 1<<32 - 1
	}
	return int64(2|bits&1) << (bits/2 + 11)
}

// xzBlock is the content of a block, which ends only if it matches its check.
type xzBlock struct {
	x     *xzStream
	start int64
	r     io.Reader
	n     uint64
	sum   hash.Hash
}

func (b *xzBlock) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += uint64(n)
	b.sum.Write(p[:n])
	if err == io.EOF {
		err = b.end()
	}
	return n, err
}

// end reads what follows the content, and returns io.EOF if all is well.
func (b *xzBlock) end() error {
	unpadded := b.x.s.at() - b.start
	padding := make([]byte, (4-unpadded%4)%4) // the header has a multiple of 4 bytes
	stored := make([]byte, b.sum.Size())
	if err := b.x.read(padding); err != nil {
		return err
	}
	if err := b.x.read(stored); err != nil {
		return err
	}
	sum := b.sum.Sum(nil)
	if len(sum) <= 8 { // the numbers are little endian
		for i, j := 0, len(sum)-1; i < j; i, j = i+1, j-1 {
			sum[i], sum[j] = sum[j], sum[i]
		}
	}
	if !bytes.Equal(sum, stored) || bytes.ContainsFunc(padding, func(r rune) bool { return r != 0 }) {
		return errChecksum
	}
	b.x.blocks = append(b.x.blocks, xzSizes{uint64(unpadded + int64(len(stored))), b.n})
	return io.EOF
}

// index reads the index and the footer, and holds them against the blocks: one that was cut out is missed here.
func (x *xzStream) index(start int64) error {
	sum := crc32.NewIEEE()
	sum.Write([]byte{0})
	r := &byteTee{x.s, sum}
	count, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	if count != uint64(len(x.blocks)) {
		return errors.New("its index lists other blocks than it has")
	}
	for _, block := range x.blocks {
		unpadded, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		content, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		if (xzSizes{unpadded, content}) != block {
			return errors.New("its index lists other blocks than it has")
		}
	}
	for (x.s.at()-start)%4 != 0 {
		if b, err := r.ReadByte(); b != 0 || err != nil {
			return errXZ
		}
	}
	size := x.s.at() - start + 4
	var stored [4]byte
	var footer [12]byte
	if err := x.read(stored[:]); err != nil {
		return err
	}
	if err := x.read(footer[:]); err != nil {
		return err
	}
	le := binary.LittleEndian
	if le.Uint32(stored[:]) != sum.Sum32() || le.Uint32(footer[:]) != crc32.ChecksumIEEE(footer[4:10]) ||
		(int64(le.Uint32(footer[4:]))+1)*4 != size || [2]byte(footer[8:10]) != x.flags || string(footer[10:]) != "YZ" {
		return errXZ
	}
	return nil
}

// byteTee reads bytes and adds them to a hash.
type byteTee struct {
	r   io.ByteReader
	sum io.Writer
}

func (t *byteTee) ReadByte() (byte, error) {
	b, err := t.r.ReadByte()
	if err == nil {
		t.sum.Write([]byte{b})
	}
	return b, err
}
