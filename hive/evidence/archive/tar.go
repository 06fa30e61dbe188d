package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"strconv"
	"strings"

	"regvet/hive/evidence/block"
)

const tarBlock = 512 // bytes

// isTar reports whether a block is the header of a member: signed "ustar", or from before that was invented and with a sound checksum, which is
// the sum of all bytes with spaces for its own. Source: POSIX, pax, "ustar Interchange Format".
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	head = head[:tarBlock]
	if string(head[257:262]) == "ustar" {
		return true
	}
	stored, err := strconv.ParseInt(strings.Trim(string(head[148:156]), " \x00"), 8, 64)
	sum := int64(8 * ' ')
	for i, b := range head {
		if i < 148 || i >= 156 {
			sum += int64(b)
		}
	}
	return err == nil && stored == sum && head[0] != 0
}

// tarStream is a tar archive of which it is known how much was read.
type tarStream struct {
	br     *bufio.Reader
	stream *stream           // what is unpacked
	file   *io.SectionReader // or what lies in the file as it is
}

func newTarStream(s *stream) *tarStream {
	return &tarStream{br: bufio.NewReaderSize(s, 32<<10), stream: s}
}

// at returns how many bytes of the archive were read.
func (t *tarStream) at() int64 {
	if t.file != nil {
		at, _ := t.file.Seek(0, io.SeekCurrent)
		return at
	}
	return t.stream.n - int64(t.br.Buffered())
}

// place returns where in the file that is.
func (t *tarStream) place() int64 {
	if t.file != nil {
		return t.at()
	}
	return t.stream.source.at()
}

// reader returns what the archive is read from. That of a file can skip.
func (t *tarStream) reader() io.Reader {
	if t.file != nil {
		return t.file
	}
	return t.br
}

// unpack writes the content of the member whose header comes next.
func (t *tarStream) unpack(m *member, w io.Writer) error {
	r := tar.NewReader(t.reader())
	if _, err := r.Next(); err != nil {
		return noEOF(err)
	}
	_, err := io.Copy(w, r)
	return err
}

// plainTar is the content of a tar archive that is not compressed. It has no checksums.
type plainTar struct{ a *Archive }

// openTar lists the members of a tar archive that is not compressed.
func (a *Archive) openTar() error {
	a.kind, a.name = "a tar archive", "tar"
	a.format = plainTar{a}
	return a.readTar(&tarStream{file: io.NewSectionReader(a.f, 0, a.f.Size())})
}

func (f plainTar) examine(*member) error { return nil }

func (f plainTar) plain(m *member) block.Reader {
	if m.method == sparse {
		return nil
	}
	return block.Section(f.a.f, m.data, m.size)
}

func (f plainTar) unpack(m *member, w io.Writer) error {
	t := &tarStream{file: io.NewSectionReader(f.a.f, m.at, f.a.f.Size()-m.at)}
	return t.unpack(m, w)
}

// sparse is the method of a member whose zeros are left out.
const sparse = 1

// readTar lists the members. Of what is compressed, it reads all, so that the checksums behind it are verified, and keeps what will be asked for.
// A member of which not everything was verified is a gap.
func (a *Archive) readTar(t *tarStream) error {
	l := tarList{a: a, t: t, r: tar.NewReader(t.reader())}
	var err error
	for err == nil {
		err = l.next()
	}
	switch {
	case err == errTooMany:
		return err
	case err != io.EOF:
		a.lacks(t.place(), "cannot be read on, so that what follows is unknown: %v", tarError(err))
	case t.at() < l.end+tarBlock:
		a.lacks(t.place(), "was cut off: the mark at the end of a tar archive is missing, and what came before it is unknown")
	}
	more := zeros(t.reader())
	if t.stream != nil && t.stream.err != io.EOF {
		l.distrust()
	} else if more != nil && err == io.EOF {
		a.lacks(t.place(), "cannot be read on, so that what follows is unknown: %v", more)
	}
	l.resolve()
	return nil
}

func tarError(err error) error {
	switch err {
	case tar.ErrHeader:
		return errors.New("the header of a member is damaged")
	case io.ErrUnexpectedEOF:
		return errors.New("it was cut off")
	}
	return err
}

// zeros reads all that is left, and returns an error if that is not zeros or cannot be read.
func zeros(r io.Reader) (err error) {
	buffer, zero := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		n, readErr := r.Read(buffer)
		if err == nil && !bytes.Equal(buffer[:n], zero[:n]) {
			err = errors.New("something else follows its end mark")
		}
		switch {
		case readErr == io.EOF:
			return err
		case readErr != nil:
			return readErr
		}
	}
}

// tarList is the members of a tar archive that is read once.
type tarList struct {
	a     *Archive
	t     *tarStream
	r     *tar.Reader
	end   int64 // of the last member
	links []hardLink
}

// hardLink is a member that has the content of another one.
type hardLink struct {
	*member
	target string
}

// next lists the next member.
func (l *tarList) next() error {
	start, place := l.end, l.t.place()
	h, err := l.r.Next()
	if err != nil {
		return err
	}
	m := &member{size: h.Size, at: start, data: l.t.at(), state: examined}
	l.end = m.data + (h.Size+tarBlock-1)/tarBlock*tarBlock
	if l.t.stream != nil {
		m.at, m.data = place, start
	}
	m.setTime(h.ModTime)
	if isSparse(h) {
		m.method = sparse
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
	case tar.TypeDir:
		m.kind = directory
	case tar.TypeSymlink:
		m.kind = link
	case tar.TypeLink:
		m.kind = link
		l.links = append(l.links, hardLink{m, h.Linkname})
	case 'M':
		return errors.New("it continues another volume, which is not read; join them")
	default: // devices, and notes of the program that wrote it
		return l.pass(h)
	}
	if err := l.a.add(m, h.Name); err != nil || m.name == "" {
		return cmp.Or(err, l.pass(h))
	}
	return l.content(m)
}

// pass reads over a member.
func (l *tarList) pass(h *tar.Header) error {
	if h.Size < 0 || h.Size > mostUnpacked(l.a.f.Size()) {
		return errTooLarge
	}
	_, err := io.Copy(io.Discard, l.r)
	return err
}

// content reads the content of what is compressed or sparse; other content is found where it lies.
func (l *tarList) content(m *member) error {
	if l.t.stream == nil && m.method != sparse || m.kind != regular {
		return nil
	}
	if m.size > mostUnpacked(l.a.f.Size()) {
		m.err = l.a.gap(m, errTooLarge)
		return errTooLarge
	}
	err := l.a.take(m, l.r)
	l.end = (l.t.at() + tarBlock - 1) / tarBlock * tarBlock
	m.packed = l.t.at()
	if err != nil {
		m.err = l.a.gap(m, tarError(err))
	}
	return err
}

func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// distrust makes gaps of what lies behind the last checksum that matches.
func (l *tarList) distrust() {
	s := l.t.stream
	l.a.lacks(s.source.at(), "is damaged or was cut off, so that what follows is unknown, and of what comes before only the %d bytes that match a checksum are read: %v", s.good, tarError(s.err))
	for _, m := range l.a.members {
		if m.kind == regular && m.err == nil && m.packed > s.good {
			m.err = block.NewGap(l.a.f, m.at, "cannot be verified, because the compressed archive is damaged or was cut off behind it: %v", tarError(s.err))
		}
	}
}

// resolve gives hard links the content of what they lead to, which is the same file by another name.
func (l *tarList) resolve() {
	targets := map[string]*member{}
	for _, link := range l.links {
		if name, err := safeName(link.target); err == nil {
			targets[name] = nil
		}
	}
	if len(targets) == 0 {
		return
	}
	for _, m := range l.a.members {
		if before, ok := targets[m.name]; ok && m.kind == regular {
			if before != nil {
				m = &member{kind: link} // nobody knows which is meant
			}
			targets[m.name] = m
		}
	}
	for _, link := range l.links {
		name, err := safeName(link.target)
		if m := targets[name]; err == nil && m != nil && m.kind == regular {
			own := link.name
			*link.member = *m
			link.name = own
		}
	}
}
