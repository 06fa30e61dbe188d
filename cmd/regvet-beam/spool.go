package main

import (
	"bytes"
	"io"
	"os"
)

// mostHeld is how many bytes a [spool] has in memory, before it has them in a file.
const mostHeld = 4 << 20

// spool holds what is written to it until it is read: in memory, or in a temporary file if that is much.
type spool struct {
	held bytes.Buffer
	file *os.File
	size int64
}

func (s *spool) Write(data []byte) (n int, err error) {
	if s.file == nil && s.held.Len()+len(data) > mostHeld {
		if s.file, err = os.CreateTemp("", "regvet-beam-*"); err != nil {
			return 0, err
		}
		if _, err = s.file.Write(s.held.Bytes()); err != nil {
			return 0, err
		}
		s.held = bytes.Buffer{}
	}
	if s.file != nil {
		n, err = s.file.Write(data)
	} else {
		n, err = s.held.Write(data)
	}
	s.size += int64(n)
	return n, err
}

// section returns some of what was written.
func (s *spool) section(at, size int64) io.Reader {
	if s.file != nil {
		return io.NewSectionReader(s.file, at, size)
	}
	return bytes.NewReader(s.held.Bytes()[at : at+size])
}

// Close forgets what was written.
func (s *spool) Close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
	*s = spool{}
}
