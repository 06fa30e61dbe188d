package archive

import (
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"

	"regvet/hive/evidence/block"
)

// A zip archive has a header before the content of each member and a directory of all members at its end. The directory is what programs read; it
// has no checksum, so it is held against the headers here. archive/zip of the standard library does not do that, cannot open names with backslashes
// or what two members have as a name, and takes several times the memory for a million members.
// Source: PKWARE, APPNOTE.TXT 6.3.10.

const (
	stored   = 0
	deflated = 8
)

// zipMethods are the methods of compression by name; open is nil for those that are not read.
var zipMethods = map[uint16]struct {
	name string
	open func(m *member, s *source) (io.Reader, error)
}{
	stored:   {"store", func(_ *member, s *source) (io.Reader, error) { return s, nil }},
	1:        {"shrink", nil},
	2:        {"reduce", nil},
	3:        {"reduce", nil},
	4:        {"reduce", nil},
	5:        {"reduce", nil},
	6:        {"implode", nil},
	deflated: {"deflate", func(_ *member, s *source) (io.Reader, error) { return flate.NewReader(s), nil }},
	9:        {"deflate64", nil},
	12:       {"bzip2", func(_ *member, s *source) (io.Reader, error) { return bzip2.NewReader(s), nil }},
	14:       {"LZMA", openZipLZMA},
	93:       {"zstd", func(_ *member, s *source) (io.Reader, error) { return newZstd(s) }},
	95: {"xz", func(_ *member, s *source) (io.Reader, error) {
		return &stream{source: s, next: xzBlocks(s), most: mostUnpacked(s.from.Size())}, nil
	}},
	96: {"JPEG", nil},
	97: {"WavPack", nil},
	98: {"PPMd", nil},
}

// openZipLZMA reads the header of LZMA in zip: a version, the size of the properties, and these. Source: APPNOTE, 5.8.
func openZipLZMA(m *member, s *source) (io.Reader, error) {
	var h [9]byte
	if _, err := io.ReadFull(s, h[:]); err != nil {
		return nil, noEOF(err)
	}
	le := binary.LittleEndian
	if le.Uint16(h[2:]) != 5 {
		return nil, errors.New("its LZMA header is damaged")
	}
	window := min(int64(le.Uint32(h[5:])), max(m.size, lzma.MinDictCap))
	if window > mostWindow {
		return nil, fmt.Errorf("it needs a window of %d bytes to be unpacked, more than %d", window, mostWindow)
	}
	classic := le.AppendUint32([]byte{h[4]}, uint32(window))
	classic = le.AppendUint64(classic, uint64(m.size))
	return lzma.NewReader(io.MultiReader(bytes.NewReader(classic), s))
}

func isZip(head []byte) bool {
	return len(head) > 4 && slices.Contains([]string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "PK00"}, string(head[:4]))
}

// zipFile is the content of a zip archive.
type zipFile struct{ a *Archive }

// openZip lists the members of the directory. If that is damaged, the headers before the members are taken.
func (a *Archive) openZip() error {
	a.kind, a.name = "a zip archive", "zip"
	a.format = zipFile{a}
	head, _ := block.Read(a.f, 0, 8)
	if len(head) == 8 && string(head) == "PK\x07\x08PK\x03\x04" {
		a.kind = "a part of a zip archive"
		return errors.New(`it lies in several files; join them with "zip -s 0 ARCHIVE --out WHOLE.zip"`)
	}
	e, err := a.findEnd()
	switch {
	case err == errNoEnd:
	case err != nil:
		return err
	case e.disk:
		a.kind = "a part of a zip archive"
		return errors.New(`it lies in several files; join them with "zip -s 0 ARCHIVE --out WHOLE.zip"`)
	default:
		if e.prefix > 0 && isZip(head) {
			a.tell(0, true, "is several archives in one file, of which the last is read; what the first %d bytes hold is unknown; %s", e.prefix, unpackAdvice)
		}
		err = a.readDirectory(e)
	}
	if err == errTooMany {
		return err
	}
	if err != nil {
		a.members, a.names, a.doubts, a.doubt = nil, 0, 0, nil
		err = a.salvage(err)
	}
	a.checkLayout()
	return err
}

// open returns the content of a member.
func (z zipFile) open(m *member) (io.Reader, error) {
	s := newSource(z.a.f, m.data, m.packed)
	r, err := guard(func() (io.Reader, error) { return zipMethods[m.method].open(m, s) })
	if err != nil {
		return nil, err
	}
	return guarded{r}, nil
}

func (z zipFile) examine(m *member) error {
	r, err := z.open(m)
	if err != nil {
		return err
	}
	want := m.crc
	if err := z.a.take(m, r); err != nil {
		return err
	}
	if m.crc != want {
		return errChecksum
	}
	return atEnd(r)
}

func (z zipFile) unpack(m *member, w io.Writer) error {
	r, err := z.open(m)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(r, m.size))
	return err
}

func (z zipFile) plain(m *member) block.Reader {
	if m.method != stored {
		return nil
	}
	return block.Section(z.a.f, m.data, m.size)
}
