// Package block is what images, partitions and filesystems have in common: a number of bytes that can be read at any place.
//
// It has one law: a read returns the bytes that are there, or an error. What could not be read or verified is a gap, and a gap is never zeros,
// never "not found", never "missing". The error of a gap is a [*hive.Problem] of the kind [Gap], with the file and the offset on the disk of
// who reads it. Each layer passes the errors of the layer below on as they are.
package block

import (
	"errors"
	"fmt"
	"io"

	"regvet/hive"
)

// Reader is the content of a file, an image, a partition or a file in one. ReadAt follows [io.ReaderAt], is safe for concurrent use, and keeps
// the law of the package.
type Reader interface {
	io.ReaderAt
	Size() int64 // bytes
}

// File is an open file of evidence.
type File interface {
	Reader
	io.Closer
	Name() string // as the user named it
}

// Gap is the kind of bytes that could not be read or verified.
const Gap = hive.Gap

// Locator is a Reader that knows where its bytes lie in the files of who reads them.
type Locator interface {
	// Locate returns the file, as the user named it, and the offset in it at which the byte at an offset of the reader lies, or where what it
	// is made of does: the compressed chunk, say.
	Locate(at int64) (file string, offset int64)
}

// Locate returns where the byte at an offset of a reader lies; the file is "" if that is not known.
func Locate(r Reader, at int64) (file string, offset int64) {
	if l, ok := r.(Locator); ok {
		return l.Locate(at)
	}
	return "", at
}

// NewGap returns the error that bytes from an offset of a reader cannot be read or cannot be trusted. The message is without that place.
func NewGap(r Reader, at int64, format string, args ...any) error {
	file, offset := Locate(r, at)
	return &hive.Problem{Source: file, At: hive.Location{Offset: offset}, Kind: Gap, Msg: fmt.Sprintf(format, args...), Loss: true}
}

// IsGap reports whether an error says that something could not be read, so that nothing follows from it about what is there.
func IsGap(err error) bool {
	p, ok := errors.AsType[*hive.Problem](err)
	return ok && p.Kind == Gap
}

// Read returns size bytes from an offset. Nothing is allocated before the size was held against that of the reader.
func Read(r Reader, at int64, size int) ([]byte, error) {
	if at < 0 || size < 0 || at > r.Size() || int64(size) > r.Size()-at {
		return nil, fmt.Errorf("%d bytes at %#x lie beyond the end at %#x", size, at, r.Size())
	}
	data := make([]byte, size)
	if err := readFull(r, data, at); err != nil {
		return nil, err
	}
	return data, nil
}

// readFull fills data. io.EOF is an error, because the size promised more.
func readFull(r io.ReaderAt, data []byte, at int64) error {
	n, err := r.ReadAt(data, at)
	switch {
	case n == len(data):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// Bytes returns data as a Reader.
func Bytes(data []byte) Reader { return part{r: memory(data), size: int64(len(data))} }

type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) ReadAt(p []byte, at int64) (int, error) {
	n := copy(p, m[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Section returns size bytes of a reader from an offset. What of it lies beyond the end of the reader is a gap: a partition of an image that
// was cut off.
func Section(r Reader, at, size int64) Reader { return part{r: r, at: at, size: size} }

type part struct {
	r        Reader
	at, size int64
}

func (p part) Locate(at int64) (string, int64) { return Locate(p.r, p.at+at) }

func (p part) Size() int64 { return p.size }

func (p part) ReadAt(data []byte, at int64) (int, error) {
	switch {
	case at < 0:
		return 0, fmt.Errorf("read at the negative offset %d", at)
	case at >= p.size:
		return 0, io.EOF
	}
	whole := data
	if int64(len(data)) > p.size-at {
		data = data[:p.size-at]
	}
	if there := p.r.Size() - p.at; at+int64(len(data)) > there {
		n := 0
		var err error
		if at < there {
			n, err = p.r.ReadAt(data[:there-at], p.at+at)
		}
		if err == nil || err == io.EOF {
			err = NewGap(p.r, p.at+at+int64(n), "lies beyond the end of the file, which was cut off")
		}
		return n, err
	}
	n, err := p.r.ReadAt(data, p.at+at)
	if n == len(data) {
		err = nil
		if n < len(whole) {
			err = io.EOF
		}
	}
	return n, err
}
