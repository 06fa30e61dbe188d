// Package runs sorts more lines than fit in memory. Lines are held until they fill a budget; then they are sorted and written to a temporary
// file, a run. In the end the runs and what is still held are merged.
package runs

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
)

// Sorter sorts lines by a number and, where that is equal, by their bytes. So the order in which they are added does not matter, and any number
// of goroutines may add them. Close must be called in the end.
type Sorter struct {
	budget int // bytes of lines to hold

	mu    sync.Mutex
	lines []line
	rest  []byte // of the memory for lines
	held  int    // bytes
	files []*file
	err   error // of a temporary file
}

type line struct {
	key  int64
	text []byte
}

func (l line) compare(m line) int {
	if c := cmp.Compare(l.key, m.key); c != 0 { // cmp.Or would compare the text in any case
		return c
	}
	return bytes.Compare(l.text, m.text)
}

const (
	lineSize  = 32      // of a line beside its text, in bytes
	pieceSize = 1 << 20 // of the memory that lines share, in bytes
	mostFiles = 64      // that are merged at a time, each through a buffer
	buffer    = 32 << 10
)

// NewSorter returns a sorter that holds at most budget bytes of lines, and one line more, in memory.
func NewSorter(budget int) *Sorter { return &Sorter{budget: budget} }

// Add adds a line, of which it keeps a copy. An error is one of a temporary file, after which nothing more is added.
func (s *Sorter) Add(key int64, text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := len(text) + lineSize
	if s.err == nil && s.held > 0 && s.held+size > s.budget {
		s.err = s.spill()
	}
	if s.err != nil {
		return s.err
	}
	if len(s.rest) < len(text) {
		s.rest = make([]byte, max(pieceSize, len(text)))
	}
	n := copy(s.rest, text)
	s.lines = append(s.lines, line{key, s.rest[:n:n]})
	s.rest = s.rest[n:]
	s.held += size
	return nil
}

// spill writes what is held to a file. If there are many of them, it makes one of all.
func (s *Sorter) spill() error {
	if err := s.toFile(s.sorted()); err != nil {
		return err
	}
	clear(s.lines) // else it would hold the text
	s.lines, s.rest, s.held = s.lines[:0], nil, 0
	if len(s.files) < mostFiles {
		return nil
	}
	all := s.files
	sources, err := rewound(all)
	if err == nil {
		s.files = nil
		err = s.toFile(sources...)
	}
	for _, f := range all {
		f.remove()
	}
	return err
}

// sorted returns what is held, in order.
func (s *Sorter) sorted() source {
	slices.SortFunc(s.lines, line.compare)
	left := s.lines
	return func() (l line, err error) {
		if len(left) == 0 {
			return l, io.EOF
		}
		l, left = left[0], left[1:]
		return l, nil
	}
}

// toFile merges sources into a new file.
func (s *Sorter) toFile(sources ...source) error {
	f, err := create()
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	w := bufio.NewWriterSize(f.File, buffer)
	var head [8 + binary.MaxVarintLen64]byte
	err = merge(sources, func(l line) error {
		binary.LittleEndian.PutUint64(head[:], uint64(l.key))
		n := binary.PutUvarint(head[8:], uint64(len(l.text)))
		w.Write(head[:8+n]) // Flush returns the error
		_, err := w.Write(l.text)
		return err
	})
	return errors.Join(err, w.Flush())
}

// Err returns the error of a temporary file.
func (s *Sorter) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Write writes all lines in order, each with one call of w, as often as it is called. It is called after all were added. The error is that of w, or the one that Err returns.
func (s *Sorter) Write(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	sources, err := rewound(s.files)
	if err != nil {
		s.err = err
		return err
	}
	var failed error
	err = merge(append(sources, s.sorted()), func(l line) error {
		_, failed = w.Write(l.text)
		return failed
	})
	if failed == nil {
		s.err = err
	}
	return err
}

// Close removes the temporary files.
func (s *Sorter) Close() {
	for _, f := range s.files {
		f.remove()
	}
}

// file is a temporary file. Where that is possible it has no name, so that nothing is left of it whatever ends the process.
type file struct {
	*os.File
	named bool
}

func create() (*file, error) {
	f, err := os.CreateTemp("", "regvet-*.tmp")
	if err != nil {
		return nil, err
	}
	return &file{f, os.Remove(f.Name()) != nil}, nil // Windows keeps the name of an open file
}

func (f *file) remove() {
	f.Close()
	if f.named {
		os.Remove(f.Name())
	}
}

// source returns its lines one by one, each valid until the next, and in the end [io.EOF].
type source func() (line, error)

// rewound returns what was written to files.
func rewound(files []*file) (all []source, err error) {
	for _, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		all = append(all, read(bufio.NewReaderSize(f, buffer)))
	}
	return all, nil
}

func read(r *bufio.Reader) source {
	var head [8]byte
	var text []byte
	return func() (line, error) {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return line{}, err
		}
		n, err := binary.ReadUvarint(r)
		if err == nil {
			text = slices.Grow(text[:0], int(n))[:n]
			_, err = io.ReadFull(r, text)
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return line{int64(binary.LittleEndian.Uint64(head[:])), text}, err
	}
}

// merge passes on the lines of sources in order.
func merge(sources []source, to func(line) error) error {
	var next heads
	for _, s := range sources {
		switch l, err := s(); {
		case err == nil:
			next = append(next, head{l, s})
		case err != io.EOF:
			return err
		}
	}
	heap.Init(&next)
	for len(next) > 0 {
		if err := to(next[0].line); err != nil {
			return err
		}
		switch l, err := next[0].more(); {
		case err == nil:
			next[0].line = l
			heap.Fix(&next, 0)
		case err == io.EOF:
			heap.Pop(&next)
		default:
			return err
		}
	}
	return nil
}

// heads are the first lines of sources, as a heap.
type heads []head

type head struct {
	line
	more source
}

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].compare(h[j].line) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(head)) }
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
