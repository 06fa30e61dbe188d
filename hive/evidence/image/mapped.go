package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// mapped is content that lies in runs all over a file, or over several, as tables in them say.
type mapped struct {
	size int64                                   // bytes
	find func(at, most int64) (mappedRun, error) // returns what there is at an offset below size; need not look for more than most bytes
}

// mappedRun is content that lies in one place.
type mappedRun struct {
	kind runKind
	n    int64        // bytes of the content, from the offset that was asked for
	in   block.Reader // where the bytes lie or, if there are none, what says so
	at   int64        // and the offset there
	data []byte       // the bytes, if they are packed in the file; may be fewer than n

	unused block.Reader // the place in the file that would hold the bytes, and must be zero because they lie elsewhere; or nil
}

type runKind byte

const (
	stored runKind = iota // as they are
	packed                // compressed
	zeros                 // nowhere, as all of them are zero
	absent                // nowhere, as the image this one builds on has them
)

func (m *mapped) Size() int64 { return m.size }

// Locate returns where the byte lies or, if it lies nowhere, the place that says so.
func (m *mapped) Locate(at int64) (string, int64) {
	if at < 0 || at >= m.size {
		return "", at
	}
	p, err := m.find(at, 1)
	if problem, ok := errors.AsType[*hive.Problem](err); ok {
		return problem.Source, problem.At.Offset
	}
	if err != nil {
		return "", at
	}
	return block.Locate(p.in, p.at)
}

func (m *mapped) ReadAt(data []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("read at the negative offset %d", at)
	}
	for n < len(data) {
		rest := m.size - at - int64(n)
		if rest <= 0 {
			return n, io.EOF
		}
		p, err := m.find(at+int64(n), min(rest, int64(len(data)-n)))
		if err != nil {
			return n, err
		}
		read, err := p.read(data[n:][:min(int64(len(data)-n), rest, p.n)])
		n += read
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// read fills data, which is no longer than the run.
func (p mappedRun) read(data []byte) (int, error) {
	if p.unused != nil {
		if err := isZero(p.unused, data); err != nil {
			return 0, err
		}
	}
	switch p.kind {
	case zeros:
		clear(data)
		return len(data), nil
	case packed:
		return copy(data, p.data), nil
	case absent:
		return 0, block.NewGap(p.in, p.at, "is in another image, which is not there")
	}
	there := max(0, min(int64(len(data)), p.in.Size()-p.at))
	n, err := p.in.ReadAt(data[:there], p.at)
	switch {
	case n == len(data):
		return n, nil
	case err == nil || err == io.EOF:
		err = block.NewGap(p.in, p.at+int64(n), "lies beyond the end of the file, which was cut off or has damaged tables")
	}
	return n, err
}

// longest joins runs that follow one another, so that many small ones are read at once.
func longest(at, most int64, find func(at int64) (mappedRun, error)) (mappedRun, error) {
	p, err := find(at)
	if err != nil {
		return p, err
	}
	for p.n < most && p.kind != packed {
		next, err := find(at + p.n)
		if err != nil || next.kind != p.kind || p.kind == stored && next.at != p.at+p.n {
			break // what is wrong with the next is told when it is read
		}
		p.n += next.n
	}
	return p, nil
}

// isZero returns an error if the first bytes of a reader are not zero, as many as there is room for.
func isZero(r block.Reader, room []byte) error {
	n, err := r.ReadAt(room, 0)
	switch used := len(bytes.TrimLeft(room[:n], "\x00")); {
	case used > 0:
		return block.NewGap(r, int64(n-used), "holds data where the bitmap of the block says that there is none: one of them is damaged")
	case n < len(room):
		return err
	}
	return nil
}

// source is a file of an image.
type source struct {
	block.File
	held *held
}

const (
	tableChunk = 64 << 10 // bytes of a table that are read at a time
	mostHeld   = 16 << 20
)

func (s *source) Locate(at int64) (string, int64) {
	if file, offset := block.Locate(s.File, at); file != "" {
		return file, offset
	}
	return s.Name(), at
}

// ReadAt returns what the file does, but what the operating system cannot read is a gap.
func (s *source) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.File.ReadAt(p, at)
	if _, ok := errors.AsType[*hive.Problem](err); err != nil && err != io.EOF && !ok {
		err = block.NewGap(s, at+int64(n), "cannot be read: %v", err)
	}
	return n, err
}

// table returns n bytes of a table, which do not cross a multiple of tableChunk in the file.
func (s *source) table(at int64, n int) ([]byte, error) {
	from := at &^ (tableChunk - 1)
	chunk, err := s.held.get(heldKey{s, from, false}, func() ([]byte, error) {
		return block.Read(s, from, int(min(tableChunk, s.Size()-from)))
	})
	if err != nil || int64(len(chunk)) < at-from+int64(n) { // perhaps what is wrong is in a part of the chunk that is not needed
		return s.read(at, n)
	}
	return chunk[at-from:][:n], nil
}

// read returns n bytes. That they lie beyond the end of the file is a gap.
func (s *source) read(at int64, n int) ([]byte, error) {
	if at > s.Size()-int64(n) {
		return nil, block.NewGap(s, min(at, s.Size()), "ends before %#x, where something of the image must be: the file was cut off or has damaged tables",
			at+int64(n))
	}
	return block.Read(s, at, n)
}

// le32 returns an entry of a table of 32-bit numbers, the lowest byte first.
func (s *source) le32(at int64) (uint32, error) {
	data, err := s.table(at, 4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(data), nil
}

// held keeps what was used last of the tables and the unpacked clusters of all files of an image.
type held struct{ *block.LRU[heldKey, []byte] }

type heldKey struct {
	file     *source
	at       int64
	unpacked bool
}

func newHeld() *held { return &held{block.NewLRU[heldKey, []byte](mostHeld)} }

// get returns what is held or, if it is not, what read returns. Errors are not held.
func (h *held) get(key heldKey, read func() ([]byte, error)) ([]byte, error) {
	if data, ok := h.Get(key); ok {
		return data, nil
	}
	data, err := read()
	if err == nil {
		h.Add(key, data, len(data))
	}
	return data, err
}

// unpack returns the size bytes that a compressed stream holds; least of them are enough. A stream that holds more, or that does not end, is an
// error.
func unpack(r io.Reader, least, size int) ([]byte, error) {
	data := make([]byte, size+1)
	n := 0
	for n <= size {
		read, err := r.Read(data[n:])
		n += read
		switch {
		case err == io.EOF && (n == size || n == least):
			return data[:n], nil
		case err == io.EOF:
			return nil, fmt.Errorf("holds %d bytes, not %d", n, size)
		case err != nil:
			return nil, err
		}
	}
	return nil, fmt.Errorf("holds more than %d bytes", size)
}
