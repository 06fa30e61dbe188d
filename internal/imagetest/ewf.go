package imagetest

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"sync"
	"unicode/utf16"
)

// EWF is how an E01 image is written. The zero EWF is one segment of chunks of 64 sectors of 512 bytes, not compressed, as EnCase 6 does it.
type EWF struct {
	Style       EWFStyle
	Sector      int         // bytes; 0 is 512
	PerChunk    int         // sectors in a chunk; 0 is 64
	PerTable    int         // chunks in a table; 0 is 16375
	PerSegment  int         // chunks in a segment; 0 is all
	Compressed  bool        // each chunk that becomes smaller by it, and all of SMART and EnCase 1
	FilledUp    bool        // the last chunk has the length of the others
	Case        [][2]string // fields of the header and their values
	Unread      [][2]uint32 // the first and the number of sectors that could not be read
	Set         [16]byte    // the identifier of the image
	MD5         []byte      // that is stored, if not that of the content
	NoHash      bool
	CountChunks uint32 // that the volume section tells, if not 0
}

// EWFStyle is the program whose images are written.
type EWFStyle int

// The styles.
const (
	EnCase6 EWFStyle = iota // tables with a base offset, a copy of each, a checksum of the entries
	EnCase1                 // tables without a checksum of the entries, which hold the chunks; sections have no size
	SMART                   // the same, with a small volume section
)

// EWFSuffix returns the end of the name of a segment: E01, of which the first is number 1.
func EWFSuffix(number int) string {
	if number < 100 {
		return fmt.Sprintf("E%02d", number)
	}
	number -= 100
	return string([]byte{byte('E' + number/676), byte('A' + number/26%26), byte('A' + number%26)})
}

// EWFSection is where a section lies in a segment.
type EWFSection struct {
	Kind     string
	At, Size int // of the descriptor, and bytes with it
}

// EWFSections returns the sections of an intact segment.
func EWFSections(segment []byte) []EWFSection {
	var sections []EWFSection
	for at := 13; ; {
		kind, _, _ := bytes.Cut(segment[at:at+16], []byte{0})
		next := int(binary.LittleEndian.Uint64(segment[at+16:]))
		if next == at {
			return append(sections, EWFSection{string(kind), at, 76})
		}
		sections = append(sections, EWFSection{string(kind), at, next - at})
		at = next
	}
}

// Reseal writes the checksum at the end of data again, after a change before it.
func Reseal(data []byte) {
	n := len(data) - 4
	binary.LittleEndian.PutUint32(data[n:], adler32.Checksum(data[:n]))
}

// Write returns the segments of an image.
func (e EWF) Write(content []byte) [][]byte {
	e.Sector, e.PerChunk, e.PerTable = or(e.Sector, 512), or(e.PerChunk, 64), or(e.PerTable, 16375)
	w := &ewfWriter{EWF: e, size: len(content), content: content}
	chunks := w.cut(content)
	perSegment := or(e.PerSegment, len(chunks))
	for len(w.segments) == 0 || len(chunks) > 0 {
		n := min(perSegment, len(chunks))
		w.segment(chunks[:n], n == len(chunks))
		chunks = chunks[n:]
	}
	return w.segments
}

func or(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

type ewfWriter struct {
	EWF
	size     int
	content  []byte
	segments [][]byte
	out      []byte // of the segment that is written
}

// ewfChunk is a chunk as it is stored.
type ewfChunk struct {
	stored []byte
	packed bool
}

func (w *ewfWriter) cut(content []byte) []ewfChunk {
	length := w.PerChunk * w.Sector
	var chunks []ewfChunk
	for len(content) > 0 {
		plain := content[:min(length, len(content))]
		content = content[len(plain):]
		if w.FilledUp {
			plain = append(plain[:len(plain):len(plain)], make([]byte, length-len(plain))...)
		}
		c := ewfChunk{packed: true, stored: Deflated(plain)}
		if w.Style == EnCase6 && (!w.Compressed || len(c.stored) >= len(plain)) {
			c = ewfChunk{stored: binary.LittleEndian.AppendUint32(bytes.Clone(plain), adler32.Checksum(plain))}
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// deflaters are kept because each takes 800 KB.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// Deflated returns data compressed by zlib.
func Deflated(data []byte) []byte {
	var b bytes.Buffer
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(&b)
	z.Write(data) // to memory, so that it cannot fail
	z.Close()
	return b.Bytes()
}

func (w *ewfWriter) segment(chunks []ewfChunk, last bool) {
	number := len(w.segments) + 1
	w.out = append([]byte("EVF\t\r\n\xff\x00\x01"), byte(number), byte(number>>8), 0, 0)
	if number == 1 {
		w.headers()
		w.section("volume", w.volume())
	} else if w.Style == EnCase6 {
		w.section("data", w.volume())
	}
	for len(chunks) > 0 {
		n := min(w.PerTable, len(chunks))
		w.table(chunks[:n])
		chunks = chunks[n:]
	}
	if last {
		w.end()
	} else {
		w.descriptor("next", 0)
	}
	w.segments = append(w.segments, w.out)
}

// descriptor begins a section with a content of that size.
func (w *ewfWriter) descriptor(kind string, size int) {
	d := make([]byte, 76)
	at, length := len(w.out), 76+size
	copy(d, kind)
	next := at + length
	if kind == "next" || kind == "done" {
		next, length = at, 0
	}
	binary.LittleEndian.PutUint64(d[16:], uint64(next))
	if w.Style != EnCase1 {
		binary.LittleEndian.PutUint64(d[24:], uint64(length))
	}
	Reseal(d)
	w.out = append(w.out, d...)
}

func (w *ewfWriter) section(kind string, content []byte) {
	w.descriptor(kind, len(content))
	w.out = append(w.out, content...)
}

// sealed is the same for content that ends with its checksum.
func (w *ewfWriter) sealed(kind string, content []byte) {
	w.section(kind, binary.LittleEndian.AppendUint32(content, adler32.Checksum(content)))
}

func (w *ewfWriter) headers() {
	fields, values := "", ""
	for i, f := range w.Case {
		if i > 0 {
			fields, values = fields+"\t", values+"\t"
		}
		fields, values = fields+f[0], values+f[1]
	}
	if w.Style == EnCase6 {
		text := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune("3\nmain\n" + fields + "\n" + values + "\n\nsrce\n0\t1\n")) {
			text = binary.LittleEndian.AppendUint16(text, u)
		}
		w.section("header2", Deflated(text))
		w.section("header2", Deflated(text))
	}
	w.section("header", Deflated([]byte("1\r\nmain\r\n"+fields+"\r\n"+values+"\r\n\r\n")))
}

func (w *ewfWriter) volume() []byte {
	v := make([]byte, 1052)
	if w.Style == SMART {
		v = v[:94]
		copy(v[85:], "SMART")
	} else {
		copy(v[64:], w.Set[:])
	}
	length := w.PerChunk * w.Sector
	v[0] = 1
	binary.LittleEndian.PutUint32(v[4:], uint32((w.size+length-1)/length))
	if w.CountChunks != 0 {
		binary.LittleEndian.PutUint32(v[4:], w.CountChunks)
	}
	binary.LittleEndian.PutUint32(v[8:], uint32(w.PerChunk))
	binary.LittleEndian.PutUint32(v[12:], uint32(w.Sector))
	binary.LittleEndian.PutUint32(v[16:], uint32(w.size/w.Sector))
	Reseal(v)
	return v
}

func (w *ewfWriter) table(chunks []ewfChunk) {
	size := 0
	for _, c := range chunks {
		size += len(c.stored)
	}
	base, at := 0, len(w.out)+76
	if w.Style == EnCase6 {
		w.descriptor("sectors", size)
		base = at
	} else {
		at += 24 + 4*len(chunks)
		w.descriptor("table", 24+4*len(chunks)+size)
	}
	header, entries := make([]byte, 24), []byte(nil)
	binary.LittleEndian.PutUint32(header, uint32(len(chunks)))
	binary.LittleEndian.PutUint64(header[8:], uint64(base))
	Reseal(header)
	var stored []byte
	for _, c := range chunks {
		entry := uint32(at + len(stored) - base)
		if c.packed {
			entry |= 1 << 31
		}
		entries = binary.LittleEndian.AppendUint32(entries, entry)
		stored = append(stored, c.stored...)
	}
	if w.Style != EnCase6 {
		w.out = append(append(append(w.out, header...), entries...), stored...)
		return
	}
	w.out = append(w.out, stored...)
	entries = binary.LittleEndian.AppendUint32(entries, adler32.Checksum(entries))
	w.section("table", append(header, entries...))
	w.section("table2", append(header, entries...))
}

func (w *ewfWriter) end() {
	if w.Style == EnCase6 && len(w.segments) == 0 {
		w.section("data", w.volume())
	}
	if len(w.Unread) > 0 {
		head, entries := make([]byte, 520), []byte(nil)
		binary.LittleEndian.PutUint32(head, uint32(len(w.Unread)))
		Reseal(head)
		for _, u := range w.Unread {
			entries = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(entries, u[0]), u[1])
		}
		entries = binary.LittleEndian.AppendUint32(entries, adler32.Checksum(entries))
		w.section("error2", append(head, entries...))
	}
	if !w.NoHash {
		sum := md5.Sum(w.content)
		if w.MD5 != nil {
			copy(sum[:], w.MD5)
		}
		sha := sha1.Sum(w.content)
		if w.Style == EnCase6 {
			w.sealed("digest", append(append(sum[:16:16], sha[:]...), make([]byte, 40)...))
		}
		w.sealed("hash", append(sum[:16:16], make([]byte, 16)...))
	}
	w.descriptor("done", 0)
}
