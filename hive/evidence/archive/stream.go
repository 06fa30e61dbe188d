package archive

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"regvet/hive/evidence/block"
)

// compression is a format of compressed streams.
type compression struct {
	name    string
	magic   string
	endings []string
	units   func(*source) func() (io.Reader, error)
}

// compressions are told by their first bytes. Sources: RFC 1952, RFC 8878, the .xz file format, and bzip2's manual.
var compressions = []compression{
	{"gzip", "\x1f\x8b\x08", []string{".gz", ".gzip"}, gzipMembers},
	{"xz", xzMagic, []string{".xz"}, xzBlocks},
	{"zstd", "\x28\xb5\x2f\xfd", []string{".zst", ".zstd"}, oneUnit(newZstd)},
	{"bzip2", "BZh", []string{".bz2"}, oneUnit(func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil })},
}

// skippable begins a zstd frame without content, which may come first; its last hex digit is any.
var skippable = []byte("\x2a\x4d\x18")

func compressionOf(head []byte) *compression {
	for i := range compressions {
		if c := &compressions[i]; bytes.HasPrefix(head, []byte(c.magic)) {
			if c.name != "bzip2" || len(head) > 10 && (string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90") {
				return c
			}
		}
	}
	if len(head) > 4 && head[0]&0xF0 == 0x50 && bytes.Equal(head[1:4], skippable) {
		return &compressions[2]
	}
	return nil
}

// source is the packed bytes of a stream, of which it counts those that were read.
type source struct {
	*bufio.Reader
	from *io.SectionReader
}

func newSource(r io.ReaderAt, at, size int64) *source {
	from := io.NewSectionReader(r, at, size)
	return &source{bufio.NewReaderSize(from, int(min(size, 64<<10))), from} // most of a million members are small
}

// at returns how many bytes were read.
func (s *source) at() int64 {
	at, _ := s.from.Seek(0, io.SeekCurrent)
	return at - int64(s.Buffered())
}

// zeros reads zeros until the end, and returns an error if something else comes.
func (s *source) zeros() error {
	for {
		switch b, err := s.ReadByte(); {
		case err != nil:
			return err
		case b != 0:
			return fmt.Errorf("something else follows at %#x", s.at()-1)
		}
	}
}

// stream is unpacked content. It consists of units that have a checksum each, and are at their end only if they match it.
type stream struct {
	source *source
	next   func() (io.Reader, error) // io.EOF behind the last unit
	unit   io.Reader
	n      int64 // bytes that were read
	good   int64 // bytes that match their checksums
	most   int64
	err    error
}

func (c *compression) open(f block.File) *stream {
	s := newSource(f, 0, f.Size())
	return &stream{source: s, next: c.units(s), most: mostUnpacked(f.Size())}
}

// Read reads content that may not match its checksum yet: see good.
func (s *stream) Read(p []byte) (n int, err error) {
	if len(p) == 0 || s.err != nil {
		return 0, s.err
	}
	defer func() { s.err = err }()
	for {
		if s.unit == nil {
			unit, err := guard(s.next)
			if err != nil {
				return 0, err
			}
			s.unit = guarded{unit}
		}
		n, err = s.unit.Read(p)
		s.n += int64(n)
		if s.n > s.most {
			return 0, fmt.Errorf("it unpacks to more than %d bytes, 1 GB and 250 times what it is packed", s.most)
		}
		if err == io.EOF {
			s.good, s.unit, err = s.n, nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// guard calls a decoder, whose panic is an error: it is what some make of damaged input.
func guard[T any](call func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is damaged: %v", r)
		}
	}()
	return call()
}

// guarded is a decoder whose panics are errors, and which does not return nothing over and over, for which many readers would wait forever.
type guarded struct{ r io.Reader }

func (g guarded) Read(p []byte) (n int, err error) {
	for range 100 {
		if n, err = guard(func() (int, error) { return g.r.Read(p) }); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// gzipMembers returns the members of a gzip file, one by one. Zeros may follow the last, as tapes have them.
func gzipMembers(s *source) func() (io.Reader, error) {
	var z *gzip.Reader
	return func() (io.Reader, error) {
		if z == nil {
			var err error
			z, err = gzip.NewReader(s)
			if err == nil {
				z.Multistream(false)
			}
			return z, noEOF(err)
		}
		if next, err := s.Peek(2); err != nil || string(next) != "\x1f\x8b" {
			return nil, s.zeros()
		}
		err := noEOF(z.Reset(s))
		z.Multistream(false)
		return z, err
	}
}

// noEOF returns an error that is io.EOF as one that says that more was to come.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// oneUnit returns a stream whose decoder goes through all of it.
func oneUnit(open func(io.Reader) (io.Reader, error)) func(*source) func() (io.Reader, error) {
	return func(s *source) func() (io.Reader, error) {
		opened := false
		return func() (io.Reader, error) {
			if opened {
				return nil, io.EOF
			}
			opened = true
			return open(s)
		}
	}
}

func newZstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow))
}

// compressed is the content of a compressed stream: of a tar archive, or of a single file. A reader that stands in the stream is kept, so that
// members that are asked for in their order are unpacked in one go.
type compressed struct {
	a    *Archive
	c    *compression
	tar  bool
	from *tarStream // that stands behind a member, or nil
}

// openCompressed opens a compressed file: what is inside is a tar archive or a single file.
func (a *Archive) openCompressed(c *compression) error {
	a.kind = "compressed with " + c.name
	t := newTarStream(c.open(a.f))
	head, err := t.br.Peek(tarBlock)
	if err != nil && err != io.EOF {
		return fmt.Errorf("it is damaged: %w", err)
	}
	f := &compressed{a: a, c: c, tar: isTar(head)}
	a.format = f
	if c.name == "zstd" && !hasChecksum(a.f) {
		a.tell(0, false, "has no checksum, so that damage to it can go unnoticed")
	}
	if f.tar {
		a.kind, a.name = "a tar archive compressed with "+c.name, "tar"+c.endings[0]
		return a.readTar(t)
	}
	a.kind, a.name = "a file compressed with "+c.name, c.endings[0][1:]
	return a.readSingle(t)
}

// hasChecksum reports whether the first frame of a zstd stream has a checksum.
func hasChecksum(f block.File) bool {
	head := make([]byte, zstd.HeaderMaxSize)
	n, _ := f.ReadAt(head, 0)
	var h zstd.Header
	return h.Decode(head[:n]) == nil && (h.HasCheckSum || h.Skippable)
}

// readSingle lists the one file that is compressed.
func (a *Archive) readSingle(t *tarStream) error {
	name := a.singleName(t)
	m := &member{size: -1, packed: a.f.Size()}
	if err := a.take(m, t.br); err != nil {
		return a.gap(m, err)
	}
	m.state |= examined
	return a.add(m, name)
}

// singleName returns the name that gzip's header has, if that is a plain one, or that of the file without its ending.
func (a *Archive) singleName(t *tarStream) string {
	if z, ok := t.stream.unit.(*gzip.Reader); ok && z.Name != "" && !strings.ContainsAny(z.Name, `/\:`) && z.Name != ".." && z.Name != "." {
		return z.Name
	}
	name := path.Base(filepath.ToSlash(a.f.Name()))
	for _, c := range compressions {
		for _, ending := range c.endings {
			if at := len(name) - len(ending); at > 0 && strings.EqualFold(name[at:], ending) {
				return name[:at]
			}
		}
	}
	return name
}

// examine has nothing to do: all members were read when the archive was opened.
func (f *compressed) examine(*member) error { return nil }

func (f *compressed) plain(*member) block.Reader { return nil }

// unpack goes on in the stream if the member lies ahead, or begins anew.
func (f *compressed) unpack(m *member, w io.Writer) error {
	f.a.mu.Lock()
	defer f.a.mu.Unlock()
	t := f.from
	f.from = nil
	if t == nil || t.at() > m.data {
		t = newTarStream(f.c.open(f.a.f))
	}
	if _, err := io.CopyN(io.Discard, t.br, m.data-t.at()); err != nil {
		return noEOF(err)
	}
	var err error
	if f.tar {
		err = t.unpack(m, w)
	} else {
		_, err = io.Copy(w, t.br)
	}
	if err == nil {
		f.from = t
	}
	return err
}

var errTooLarge = errors.New("it says that it unpacks to more than 1 GB and 250 times what it is packed")

// errAllTooLarge is that of an archive whose members are too large together.
var errAllTooLarge = errors.New("the archive says that its members unpack to more than 1 GB and 250 times what it is packed, those before this one included")
