package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"regvet/hive/evidence/block"
)

const (
	localSize, centralSize, endSize, end64Size, locator64Size = 30, 46, 22, 56, 20 // bytes of records, without what varies

	flagEncrypted, flagDescriptor, flagUTF8, flagMasked = 1 << 0, 1 << 3, 1 << 11, 1 << 13
)

// zipEnd is what the end of a zip archive says about its directory.
type zipEnd struct {
	count, size, offset int64
	at                  int64 // where the record of the end begins, which is where the directory ends
	prefix              int64 // bytes before the archive: a program that unpacks it
	disk                bool  // it is one of several files
	wide                bool  // zip64
}

// errNoEnd is that a file has no record of the end of a zip archive.
var errNoEnd = errors.New("the directory at its end is missing: it was cut off, or something else follows it")

// findEnd returns the last record of an end that a directory lies before, of the last 64 KiB.
func (a *Archive) findEnd() (*zipEnd, error) {
	size := min(a.f.Size(), endSize+1<<16)
	start := a.f.Size() - size
	tail, err := block.Read(a.f, start, int(size))
	if err != nil {
		return nil, err
	}
	for i := len(tail) - endSize; i >= 0; i-- {
		if string(tail[i:i+4]) != "PK\x05\x06" || int(binary.LittleEndian.Uint16(tail[i+20:])) > len(tail)-i-endSize {
			continue
		}
		if e := a.readEnd(tail[i:], start+int64(i)); e != nil {
			return e, nil
		}
	}
	return nil, errNoEnd
}

// readEnd returns the end that a record at an offset describes, or nil if it cannot be one.
func (a *Archive) readEnd(b []byte, at int64) *zipEnd {
	le := binary.LittleEndian
	e := &zipEnd{count: int64(le.Uint16(b[10:])), size: int64(le.Uint32(b[12:])), offset: int64(le.Uint32(b[16:])), at: at}
	e.disk = le.Uint16(b[4:]) != 0 && le.Uint16(b[4:]) != 0xFFFF
	a.readEnd64(e)
	if e.disk {
		return e
	}
	if e.size < 0 || e.offset < 0 || e.size > e.at || e.offset > e.at-e.size {
		return nil
	}
	e.prefix = e.at - e.size - e.offset
	if e.size == 0 && e.count == 0 {
		return e
	}
	for _, prefix := range []int64{e.prefix, 0} { // something may lie between the directory and its end
		sign, err := block.Read(a.f, prefix+e.offset, 4)
		if err == nil && string(sign) == "PK\x01\x02" {
			e.prefix = prefix
			return e
		}
	}
	return nil
}

// readEnd64 reads the record for large archives, if there is one. Its place is counted without what stands before the archive.
func (a *Archive) readEnd64(e *zipEnd) {
	le := binary.LittleEndian
	locator, err := block.Read(a.f, e.at-locator64Size, locator64Size)
	if err != nil || string(locator[:4]) != "PK\x06\x07" {
		return
	}
	for _, at := range []int64{int64(le.Uint64(locator[8:])), e.at - locator64Size - end64Size} {
		b, err := block.Read(a.f, at, end64Size)
		if err != nil || string(b[:4]) != "PK\x06\x06" {
			continue
		}
		e.count, e.size, e.offset = int64(le.Uint64(b[32:])), int64(le.Uint64(b[40:])), int64(le.Uint64(b[48:]))
		e.disk = le.Uint32(b[16:]) != 0
		e.at, e.wide = at, true
		return
	}
}

// readDirectory lists what the directory holds.
func (a *Archive) readDirectory(e *zipEnd) error {
	start := e.prefix + e.offset
	r := bufio.NewReaderSize(io.NewSectionReader(a.f, start, e.size), 64<<10)
	var h [centralSize]byte
	n, at := int64(0), start
	for ; at < start+e.size; n++ {
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return noEOF(err)
		}
		if string(h[:4]) == "PK\x05\x05" { // a signature of the directory
			break
		}
		if string(h[:4]) != "PK\x01\x02" {
			return fmt.Errorf("its directory is damaged at %#x", at)
		}
		le := binary.LittleEndian
		rest := make([]byte, int(le.Uint16(h[28:]))+int(le.Uint16(h[30:]))+int(le.Uint16(h[32:])))
		if _, err := io.ReadFull(r, rest); err != nil {
			return noEOF(err)
		}
		name := rest[:le.Uint16(h[28:])]
		extra := rest[len(name):][:le.Uint16(h[30:])]
		if err := a.addZip(h[:], name, extra, e.prefix); err != nil {
			return err
		}
		at += centralSize + int64(len(rest))
	}
	if e.wide && n != e.count || uint16(n) != uint16(e.count) {
		return fmt.Errorf("its directory holds %d members instead of %d", n, e.count)
	}
	return nil
}

// addZip lists a member of the directory.
func (a *Archive) addZip(h, name, extra []byte, prefix int64) error {
	le := binary.LittleEndian
	flags := le.Uint16(h[8:])
	m := &member{method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]), packed: int64(le.Uint32(h[20:])), size: int64(le.Uint32(h[24:])), at: int64(le.Uint32(h[42:]))}
	m.setTime(dosTime(le.Uint16(h[12:]), le.Uint16(h[14:])))
	wide := []*int64{&m.size, &m.packed, &m.at}
	m.readExtra(extra, slices.DeleteFunc(wide, func(n *int64) bool { return *n != 0xFFFFFFFF }))
	if m.at += prefix; m.at < 0 || m.packed < 0 || m.size < 0 {
		return fmt.Errorf("its directory is damaged: the member %q has impossible sizes", shorten(string(name)))
	}
	attributes, host := le.Uint32(h[38:]), h[5]
	if bytes.HasSuffix(name, []byte("/")) || host != 3 && attributes&0x10 != 0 {
		m.kind = directory
	}
	if unix := attributes >> 16 & 0xF000; host == 3 && m.kind == regular && unix != 0 && unix != 0x8000 {
		switch unix {
		case 0xA000:
			m.kind = link
		case 0x4000:
			m.kind = directory
		default: // what is piped into zip is noted as a pipe and has content; a device has none
			if m.size == 0 {
				return nil
			}
		}
	}
	a.checkZip(m, flags)
	decoded := zipName(name, extra, flags, host)
	a.checkLocal(m, h, decoded)
	return a.add(m, decoded)
}

// checkZip notes why a member cannot be read.
func (a *Archive) checkZip(m *member, flags uint16) {
	method, known := zipMethods[m.method]
	switch {
	case m.kind != regular:
	case flags&flagEncrypted != 0:
		m.err = block.NewGap(a.f, m.at, "is encrypted; %s", passwordAdvice)
	case !known:
		m.err = block.NewGap(a.f, m.at, "is compressed with the method %d, which is not read; %s", m.method, unpackAdvice)
	case method.open == nil:
		m.err = block.NewGap(a.f, m.at, "is compressed with %s, which is not read; %s", method.name, unpackAdvice)
	case m.size > mostUnpacked(m.packed):
		m.err = a.gap(m, errTooLarge)
	case m.method == stored && m.size != m.packed:
		m.err = a.gap(m, errors.New("its sizes contradict each other"))
	}
}

// checkLocal holds the directory against the header before a member, and finds its content behind that. Names that differ mean that one of them is
// damaged: nobody knows then what the archive holds under a name.
func (a *Archive) checkLocal(m *member, h []byte, name string) {
	le := binary.LittleEndian
	local, err := block.Read(a.f, m.at, localSize)
	var rest []byte
	if err == nil {
		rest, err = block.Read(a.f, m.at+localSize, int(le.Uint16(local[26:]))+int(le.Uint16(local[28:])))
	}
	if err != nil || string(local[:4]) != "PK\x03\x04" || le.Uint16(local[8:]) != m.method || (local[6]^h[8])&flagEncrypted != 0 {
		m.err = a.gap(m, cmp.Or(err, errors.New("its header is damaged")))
		return
	}
	m.data = m.at + localSize + int64(len(rest))
	raw, extra := rest[:le.Uint16(local[26:])], rest[le.Uint16(local[26:]):]
	switch {
	case le.Uint16(h[8:])&flagMasked == 0 && zipName(raw, extra, le.Uint16(local[6:]), h[5]) != name:
		a.doubtName(m, "the member that the directory calls %q has another name before its content, so that its true name is unknown", shorten(name))
	case local[6]&flagDescriptor == 0 && (!bytes.Equal(local[14:18], h[16:20]) || !sameSize(local[18:], h[20:]) || !sameSize(local[22:], h[24:])):
		m.err = block.NewGap(a.f, m.at, "its header and the directory contradict each other")
	}
}

// sameSize compares sizes, of which either can be elsewhere.
func sameSize(a, b []byte) bool {
	const elsewhere = "\xff\xff\xff\xff"
	return bytes.Equal(a[:4], b[:4]) || string(a[:4]) == elsewhere || string(b[:4]) == elsewhere
}

// checkLayout refuses members whose content is that of another one too, or that make the archive too large: a bomb is made so.
func (a *Archive) checkLayout() {
	order := slices.Clone(a.members)
	slices.SortStableFunc(order, func(x, y *member) int { return cmp.Compare(x.at, y.at) })
	end, left := int64(0), mostUnpacked(a.f.Size())
	for _, m := range order {
		if m.at < end && m.err == nil {
			m.err = block.NewGap(a.f, m.at, "lies in the content of another member; %s", unpackAdvice)
		}
		if m.packed > a.f.Size()-m.data && m.err == nil {
			m.err = a.gap(m, io.ErrUnexpectedEOF)
		}
		if m.err != nil {
			continue
		}
		end = m.data + m.packed
		if left -= m.size; left < 0 {
			m.err = a.gap(m, errAllTooLarge)
		}
	}
}

// salvage lists the members by the headers before them, as far as these follow each other.
func (a *Archive) salvage(why error) error {
	a.lacks(a.f.Size(), "is damaged, so that what it held is unknown, and only members at its beginning can be read: %v", why)
	for at := int64(0); ; {
		h, err := block.Read(a.f, at, localSize)
		if err != nil || string(h[:4]) != "PK\x03\x04" {
			return nil
		}
		le := binary.LittleEndian
		n := int(le.Uint16(h[26:]))
		rest, err := block.Read(a.f, at+localSize, n+int(le.Uint16(h[28:])))
		if err != nil {
			return nil
		}
		name, extra, flags := rest[:n], rest[n:], le.Uint16(h[6:])
		m := &member{at: at, data: at + localSize + int64(len(rest)), method: le.Uint16(h[8:]), crc: le.Uint32(h[14:]), packed: int64(le.Uint32(h[18:])), size: int64(le.Uint32(h[22:]))}
		m.setTime(dosTime(le.Uint16(h[10:]), le.Uint16(h[12:])))
		m.readExtra(extra, slices.DeleteFunc([]*int64{&m.size, &m.packed}, func(n *int64) bool { return *n != 0xFFFFFFFF }))
		if bytes.HasSuffix(name, []byte("/")) {
			m.kind = directory
		}
		at = m.data + m.packed
		if flags&flagDescriptor != 0 && m.kind == regular {
			at = a.measure(m, flags)
		}
		if m.packed < 0 || m.size < 0 || at < m.data || at > a.f.Size() {
			return nil
		}
		a.checkZip(m, flags)
		if err := a.add(m, zipName(name, extra, flags, 0)); err != nil {
			return err
		}
	}
}

// measure finds the end of a member that has its sizes behind its content, by unpacking it, and returns where they end; -1 if it cannot.
func (a *Archive) measure(m *member, flags uint16) int64 {
	if m.method != deflated || flags&flagEncrypted != 0 {
		return -1
	}
	s := newSource(a.f, m.data, a.f.Size()-m.data)
	sum := crc32.NewIEEE()
	size, err := io.Copy(sum, io.LimitReader(flate.NewReader(s), mostUnpacked(a.f.Size())))
	if err != nil {
		return -1
	}
	m.size, m.packed, m.crc = size, s.at(), sum.Sum32()
	le := binary.LittleEndian
	short := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, m.crc), uint32(m.packed)), uint32(m.size))
	long := le.AppendUint64(le.AppendUint64(le.AppendUint32(nil, m.crc), uint64(m.packed)), uint64(m.size))
	for _, want := range [][]byte{short, long, append([]byte("PK\x07\x08"), short...), append([]byte("PK\x07\x08"), long...)} {
		if got, err := s.Peek(len(want)); err == nil && bytes.Equal(got, want) {
			return m.data + m.packed + int64(len(want))
		}
	}
	return -1
}

// readExtra reads the fields behind a name: the sizes that have no room in 4 bytes, and times.
func (m *member) readExtra(extra []byte, wide []*int64) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, size := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if size > len(extra)-4 {
			return
		}
		field := extra[4 : 4+size]
		extra = extra[4+size:]
		switch {
		case id == 1:
			for _, n := range wide {
				if len(field) < 8 {
					*n = -1
					break
				}
				*n = int64(le.Uint64(field))
				field = field[8:]
			}
		case id == 10 && len(field) >= 16 && le.Uint16(field[4:]) == 1: // NTFS
			if ticks := le.Uint64(field[8:]); ticks < 1<<62 {
				m.setTime(time.Unix(int64(ticks/1e7)-11644473600, int64(ticks%1e7)*100))
			}
		case id == 0x5455 && len(field) >= 5 && field[0]&1 != 0: // Unix
			m.setTime(time.Unix(int64(int32(le.Uint32(field[1:]))), 0))
		}
	}
}

// dosTime returns a time of a zone that nobody knows as if it was UTC.
func dosTime(clock, date uint16) time.Time {
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}

// zipName decodes a name: it is UTF-8 where the flag says so, a field with a checksum has it so, or a Unix wrote it; else it is of code page 437.
func zipName(raw, extra []byte, flags uint16, host byte) string {
	if isASCII(raw) {
		return string(raw)
	}
	le := binary.LittleEndian
	for rest := extra; len(rest) >= 4 && int(le.Uint16(rest[2:])) <= len(rest)-4; rest = rest[4+int(le.Uint16(rest[2:])):] {
		field := rest[4:][:le.Uint16(rest[2:])]
		if le.Uint16(rest) == 0x7075 && len(field) > 5 && field[0] == 1 && le.Uint32(field[1:]) == crc32.ChecksumIEEE(raw) && utf8.Valid(field[5:]) {
			return string(field[5:])
		}
	}
	if (flags&flagUTF8 != 0 || host == 3 || host == 19) && utf8.Valid(raw) {
		return string(raw)
	}
	decoded, _ := charmap.CodePage437.NewDecoder().Bytes(raw)
	return string(decoded)
}

func isASCII(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
