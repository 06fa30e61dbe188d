package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// room is what the temporary files of an archive may take.
type room struct {
	dir  string
	left atomic.Int64 // bytes
}

func newRoom(o Options) *room {
	r := &room{dir: o.TempDir}
	if o.TempSize == 0 {
		o.TempSize = 16 << 30
	}
	r.left.Store(o.TempSize)
	return r
}

// spill is unpacked content: in memory, or in a temporary file once that is too small for it. It is written by one, and read by many.
type spill struct {
	room   *room
	most   int // bytes in memory
	mu     sync.RWMutex
	memory []byte
	file   *os.File
	size   int64
	taken  int64 // bytes of room
	closed bool
}

func newSpill(r *room, most int) *spill { return &spill{room: r, most: most} }

// expect says that so much will be written, which was held against the size of the file.
func (s *spill) expect(size int64) error {
	if size > int64(s.most) {
		return s.toFile()
	}
	s.memory = make([]byte, 0, size)
	return nil
}

// Write appends.
func (s *spill) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, os.ErrClosed
	}
	if s.file == nil && len(s.memory)+len(p) > s.most {
		if err := s.toFile(); err != nil {
			return 0, err
		}
	}
	if s.file == nil {
		s.memory = append(s.memory, p...)
	} else if err := s.toDisk(p); err != nil {
		return 0, err
	}
	s.size += int64(len(p))
	return len(p), nil
}

// grow makes room at once for so many bytes more, if that many fit into memory.
func (s *spill) grow(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil && s.size+n <= int64(s.most) {
		s.memory = slices.Grow(s.memory, int(n))
	}
}

// toFile moves what is in memory to a file, which loses its name at once where the system allows it, so that nothing stays behind.
func (s *spill) toFile() error {
	f, err := os.CreateTemp(s.room.dir, "regvet-")
	if err != nil {
		return spillError(s.room.dir, err)
	}
	os.Remove(f.Name()) // Windows refuses; Close tries it again
	s.file, s.size = f, 0
	if err := s.toDisk(s.memory); err != nil {
		s.file, s.size = nil, int64(len(s.memory))
		f.Close()
		os.Remove(f.Name())
		return err
	}
	s.size, s.memory = int64(len(s.memory)), nil
	return nil
}

// toDisk writes behind what the file holds.
func (s *spill) toDisk(p []byte) error {
	if end := s.size + int64(len(p)); end > s.taken {
		if s.room.left.Add(s.taken-end) < 0 {
			s.room.left.Add(end - s.taken)
			return spillError(s.room.dir, errors.New("the limit for temporary files is reached"))
		}
		s.taken = end
	}
	if _, err := s.file.WriteAt(p, s.size); err != nil {
		return spillError(s.room.dir, err)
	}
	return nil
}

// cut drops what lies behind an offset.
func (s *spill) cut(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
	if s.file == nil {
		s.memory = s.memory[:size]
	}
}

// ReadAt follows [io.ReaderAt].
func (s *spill) ReadAt(p []byte, at int64) (int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.closed:
		return 0, os.ErrClosed
	case at < 0 || at > s.size:
		return 0, fmt.Errorf("read at %d of %d bytes", at, s.size)
	}
	whole := len(p)
	p = p[:min(int64(whole), s.size-at)]
	n := 0
	var err error
	if s.file == nil {
		n = copy(p, s.memory[at:])
	} else {
		n, err = s.file.ReadAt(p, at)
	}
	if n == len(p) && n < whole {
		err = io.EOF
	}
	return n, err
}

// Close gives the room back.
func (s *spill) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.memory = nil
	s.room.left.Add(s.taken)
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}
