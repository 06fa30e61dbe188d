package image

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"hash/adler32"
	"io"
	"slices"

	"regvet/hive/evidence/block"
)

// walk reads the chain of sections of a segment, which only leads forward.
func (o *ewfOpener) walk(f block.File) {
	for at := int64(ewfHeader); ; {
		data, err := block.Read(f, at, ewfDescriptor)
		if err != nil {
			o.hole(f.Name(), at, "the segment ends where a section should begin: %v", err)
			return
		}
		o.sections++
		d := parseDescriptor(data)
		switch {
		case o.sections > mostSections:
			o.hole(f.Name(), at, "the image has more than %d sections; the others are not read", mostSections)
			return
		case !d.verified:
			if d = mended(f, at, d); d.next == 0 {
				o.hole(f.Name(), at, "the descriptor of a section does not match its checksum, and where the next section begins cannot be told")
				return
			}
			o.tell(f.Name(), at, false, "the descriptor of a section does not match its checksum; the next section was found nevertheless")
		case d.kind == "next" || d.kind == "done": // what they lead to differs between programs
			o.done = d.kind == "done"
			return
		case d.next < at+ewfDescriptor:
			o.hole(f.Name(), at, "the chain of sections leads back, to %#x", d.next)
			return
		case !slices.Contains([]int64{0, d.next - at, d.next - at - ewfDescriptor}, d.size): // 0: Expert Witness 1.35
			o.hole(f.Name(), at, "the descriptor of a section contradicts itself: it has %d bytes, and the next begins %d bytes after it", d.size, d.next-at)
			return
		}
		o.section(section{f, d.kind, at + ewfDescriptor, min(d.next, f.Size())}, d.verified)
		if o.foreign {
			return
		}
		if d.next > f.Size() {
			o.hole(f.Name(), at, "the segment was cut off at %#x, and a section should reach to %#x", f.Size(), d.next)
			return
		}
		at = d.next
	}
}

// mended returns a descriptor that does not match its checksum, with the place of the next one if that can be told: where both numbers lead, or
// the one that leads to a descriptor that does match. Of what kind the section is cannot be told then for those that count chunks.
func mended(f block.File, at int64, d descriptor) descriptor {
	candidates := []int64{d.next, at + d.size}
	d.next = 0
	for _, next := range candidates {
		if next < at+ewfDescriptor {
			continue
		}
		data, err := block.Read(f, next, ewfDescriptor)
		if err == nil && (candidates[0] == candidates[1] || parseDescriptor(data).verified) {
			d.next = next
			break
		}
	}
	if d.kind == "table" || d.kind == "table2" {
		d.kind = ""
	}
	return d
}

// section takes what a section tells. Each kind has checksums of its own, so that a damaged descriptor (verified is false) is not trusted further
// than to which kind to try.
func (o *ewfOpener) section(s section, verified bool) {
	copied := o.copied
	o.copied = false
	switch s.kind {
	case "table", "table2":
		o.table(s, copied)
	case "volume", "disk", "data":
		o.volume(s)
	case "header", "header2": // xheader is of libewf only, which writes these two as well
		o.header(s)
	case "hash":
		o.hash(s, 36, Hash{"MD5", ""}, Hash{})
	case "digest":
		o.hash(s, 80, Hash{"MD5", ""}, Hash{"SHA1", ""})
	case "xhash":
		o.xhash(s)
	case "error2":
		o.errors(s)
	case "incomplete":
		o.tell(s.file.Name(), s.at-ewfDescriptor, true, "the program that made the image marked it as incomplete")
	case "sectors", "session", "xheader":
	default:
		if verified {
			o.tell(s.file.Name(), s.at-ewfDescriptor, false, "a section of the kind %q is not known and was passed over", s.kind)
		} else if !o.errors(s) {
			o.hole(s.file.Name(), s.at-ewfDescriptor, "the descriptor of a section does not match its checksum, and it may be one of chunks")
		}
	}
}

// ewfShape is what the volume section tells, and the data section repeats.
type ewfShape struct {
	first    bool // it is of a volume section, which only the first segment has
	small    bool // of the older kind, which SMART writes
	chunks   int64
	perChunk int64 // sectors in a chunk
	sector   int64 // bytes in a sector
	sectors  int64
	logical  bool
	set      [16]byte // the identifier of the image in all of its segments; zeros if the program does not write one
}

// volume takes the shape of the disk from the volume section, or from its copy, the data section.
func (o *ewfOpener) volume(s section) {
	shape := readShape(s)
	at := s.at - ewfDescriptor
	switch {
	case shape == nil:
		o.tell(s.file.Name(), at, false, "the %s section does not match its checksum", s.kind)
	case o.shape == nil:
		if !shape.sane() {
			o.tell(s.file.Name(), at, true, "the %s section tells of %d sectors of %d bytes, and of %d sectors in a chunk, which is not possible", s.kind, shape.sectors, shape.sector, shape.perChunk)
			return
		}
		o.shape = shape
	default:
		o.foreign = !shape.same(o.shape)
	}
}

// same reports whether two shapes can be of one image. Without an identifier, which EnCase 4 and libewf do not always write, the size of the disk
// must do.
func (s *ewfShape) same(other *ewfShape) bool {
	return s.set == other.set && s.perChunk == other.perChunk && s.sector == other.sector &&
		(s.set != [16]byte{} || s.sectors == other.sectors || s.sectors == 0)
}

// readShape returns nil if the section does not match its checksum. The newer kind has 1052 bytes, and the older 94.
func readShape(s section) *ewfShape {
	data, err := s.read(1052)
	small := err != nil
	if small {
		data, err = s.read(94)
	}
	if err != nil || !checked(data) {
		return nil
	}
	number := func(at int) int64 { return int64(binary.LittleEndian.Uint32(data[at:])) }
	shape := &ewfShape{first: s.kind != "data", small: small, chunks: number(4), perChunk: number(8), sector: number(12), sectors: number(16)}
	if !small {
		shape.sectors |= number(20) << 32
		shape.logical = data[0] == 0x0e
		copy(shape.set[:], data[64:])
	}
	return shape
}

// The largest chunk that any program writes is one of 32768 sectors (EnCase, libewf) of 4096 bytes.
const mostChunk = 32768 * 4096

// sane reports whether the sizes are possible: chunks of at least the smallest sector there is, and a disk that has a size in 63 bits.
func (s *ewfShape) sane() bool {
	return s.sector > 0 && s.sector <= mostChunk && s.perChunk > 0 && s.perChunk <= mostChunk/s.sector && s.perChunk*s.sector >= 512 &&
		s.sectors >= 0 && s.sectors < 1<<62/s.sector
}

// hash takes the stored hashes: the MD5 in front, a SHA1 after it. All zeros is none.
func (o *ewfOpener) hash(s section, size int, kinds ...Hash) {
	data, err := s.read(size)
	if err != nil || !checked(data) {
		o.tell(s.file.Name(), s.at-ewfDescriptor, false, "the %s section does not match its checksum, so that the hash that it stores is not known", s.kind)
		return
	}
	for _, kind := range kinds {
		length := map[string]int{"MD5": 16, "SHA1": 20}[kind.Name]
		if sum := data[:length]; !bytes.Equal(sum, make([]byte, length)) {
			o.stored(Hash{kind.Name, hex.EncodeToString(sum)})
		}
		data = data[length:]
	}
}

// mostStored is how many hashes are kept. There is one of each kind, and more only in images that were put together from several.
const mostStored = 8

func (o *ewfOpener) stored(h Hash) {
	if !slices.Contains(o.image.Stored, h) && len(o.image.Stored) < mostStored {
		o.image.Stored = append(o.image.Stored, h)
	}
}

// xhash takes the hashes of libewf's own kind of image, as XML.
func (o *ewfOpener) xhash(s section) {
	var sums struct{ MD5, SHA1 string }
	text, err := o.inflate(s)
	if err == nil {
		err = xml.Unmarshal(text, &sums)
	}
	if err != nil {
		o.tell(s.file.Name(), s.at-ewfDescriptor, false, "the xhash section cannot be read: %v", err)
	}
	for _, h := range []Hash{{"MD5", sums.MD5}, {"SHA1", sums.SHA1}} {
		if _, err := hex.DecodeString(h.Sum); err == nil && h.Sum != "" {
			o.stored(h)
		}
	}
}

// sectors are some in a row, of which the first has a number.
type sectors struct{ first, count int64 }

// mostUnread is how many runs of sectors that could not be read are kept.
const mostUnread = 1 << 20

// errors takes the sectors that the program could not read when it made the image, and reports whether the section is one of them at all: 520
// bytes, of which the first four are the number of entries, the entries of eight bytes, each part with a checksum. In the image they are zeros.
func (o *ewfOpener) errors(s section) bool {
	head, err := s.read(520)
	whole := err == nil && checked(head)
	if s.kind != "error2" && !whole {
		return false
	}
	var entries []byte
	if whole {
		count := int64(binary.LittleEndian.Uint32(head))
		if whole = count <= mostUnread-int64(len(o.unread)); whole {
			entries, err = section{s.file, s.kind, s.at + 520, s.end}.read(int(count)*8 + 4)
			whole = err == nil && checked(entries)
		}
	}
	if !whole {
		o.unread = append(o.unread, sectors{0, unknown})
		o.tell(s.file.Name(), s.at-ewfDescriptor, true, "the list of sectors that could not be read when the image was made is damaged; all sectors of zeros are taken for such")
		return true
	}
	n := int64(0)
	for e := entries; len(e) > 4; e = e[8:] {
		run := sectors{int64(binary.LittleEndian.Uint32(e)), int64(binary.LittleEndian.Uint32(e[4:]))}
		o.unread = append(o.unread, run)
		n += run.count
	}
	if n > 0 {
		o.tell(s.file.Name(), s.at-ewfDescriptor, true, "%d sectors could not be read when the image was made, the first of them %d", n, o.unread[len(o.unread)-len(entries)/8].first)
	}
	return true
}

// table takes the chunks of a table section, or of its copy, if one comes right after the other.
func (o *ewfOpener) table(s section, copied bool) {
	r := readTable(s, o.shape != nil && o.shape.small)
	if s.kind == "table" || !copied {
		o.runs = append(o.runs, r)
		o.copied = s.kind == "table"
		return
	}
	first := &o.runs[len(o.runs)-1]
	switch {
	case first.lost == "" && r.lost == "":
		if r.count != first.count || r.base != first.base || r.sum != first.sum {
			first.lost, first.count = "the table of chunks and its copy contradict each other", unknown
		}
	case first.lost == "":
		o.tell(s.file.Name(), s.at-ewfDescriptor, false, "the copy of a table of chunks is damaged; the table is whole")
	case r.lost == "":
		o.tell(first.name, first.at-ewfDescriptor, false, "%s; its copy is whole and was read", first.lost)
		*first = r
	case first.count == unknown:
		first.count = r.count
	case r.count != unknown && r.count != first.count:
		first.count = unknown
	}
}

// tableHeader is the size of what is before the entries: their number in four bytes, four of nothing, eight of an offset that is added to each,
// four of nothing, the checksum.
const tableHeader = 24

// readTable reads a table and holds its entries against their checksum. They are not kept: those of a large disk take much memory.
func readTable(s section, small bool) run {
	r := run{count: unknown, file: s.file, name: s.file.Name(), at: s.at, end: s.at - ewfDescriptor, turn: unknown}
	head, err := s.read(tableHeader)
	if err != nil || !checked(head) {
		r.lost = "the header of a table of chunks does not match its checksum"
		return r
	}
	r.count, r.base = int64(binary.LittleEndian.Uint32(head)), int64(binary.LittleEndian.Uint64(head[8:]))
	entries := s.at + tableHeader
	after := entries + 4*r.count
	if after > s.end || r.base < 0 || r.base > s.file.Size() {
		r.lost = "a table of chunks reaches beyond the end of its section or of the file"
		return r
	}
	if r.count == 0 {
		return r
	}
	first, err := r.scan(s, entries)
	if err != nil {
		r.lost = "a table of chunks cannot be read: " + err.Error()
		return r
	}
	// EnCase 1 and SMART have the chunks in the table section. Then the entries have no checksum, or the chunks begin after it.
	sum, err := block.Read(s.file, after, 4)
	r.sure = err == nil && after+4 <= s.end && binary.LittleEndian.Uint32(sum) == r.sum
	switch {
	case r.sure:
	case after+4 == s.end || first == after+4 || first != after && !small:
		r.lost = "a table of chunks does not match its checksum"
	default:
		r.end = s.end
	}
	return r
}

// scan reads the entries for their checksum, and returns the offset of the first chunk. It also finds the turn: EnCase 6.7 used the full 32 bits
// for the chunks after 2 GiB of a segment, which are not compressed then.
func (r *run) scan(s section, entries int64) (first int64, err error) {
	in := io.NewSectionReader(s.file, entries, 4*r.count)
	sum := adler32.New()
	buffer := make([]byte, min(64<<10, 4*r.count))
	previous := int64(-1)
	for i := int64(0); i < r.count; {
		part := buffer[:min(int64(len(buffer)), 4*(r.count-i))]
		if _, err := io.ReadFull(in, part); err != nil {
			return 0, err
		}
		sum.Write(part)
		for ; len(part) > 0; part = part[4:] {
			raw := int64(binary.LittleEndian.Uint32(part))
			offset := raw & mostOffset
			if i == 0 {
				if first = offset + r.base; first >= entries {
					r.end = s.end
				}
			}
			if r.turn == unknown && r.base == 0 && offset < previous && raw > mostOffset && raw < r.end {
				r.turn = i
			}
			previous = offset
			i++
		}
	}
	r.sum = sum.Sum32()
	return first, nil
}
