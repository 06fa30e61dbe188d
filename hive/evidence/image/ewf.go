package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"path/filepath"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// The Expert Witness Compression Format, version 1: images of EnCase, FTK Imager, SMART, linen, Guymager and others. A file of the set, a segment,
// is a header of 13 bytes and a chain of sections, each with a descriptor in front. The content of the disk is cut into chunks, each with a
// checksum; tables of offsets tell where they lie, in the order of the disk. Numbers are little-endian, and checksums are Adler-32.
//
// Source: libewf's documentation, "Expert Witness Compression Format (EWF)".

var (
	ewfSignature     = []byte("EVF\t\r\n\xff\x00")
	logicalSignature = []byte("LVF\t\r\n\xff\x00") // of L01, which holds files and no disk
)

const (
	ewfHeader     = 13 // bytes: the signature, 1, the number of the segment in two bytes, 0, 0
	ewfDescriptor = 76
)

// mostSections is how many sections an image may have, so that small ones do not take more memory than they have content. EnCase writes three
// for each 16375 chunks, which are 2 TB of disk in 12,000 sections.
const mostSections = 1 << 18

// mostProblems is how many problems of an image are listed. Each section of a hostile one could be one.
const mostProblems = 100

// isEWF also knows an image by its first section if the signature is damaged.
func isEWF(head, _ []byte) bool {
	if bytes.HasPrefix(head, ewfSignature) {
		return true
	}
	if len(head) < ewfHeader+ewfDescriptor || bytes.HasPrefix(head, logicalSignature) {
		return false
	}
	d := parseDescriptor(head[ewfHeader:])
	return d.verified && (strings.HasSuffix(d.kind, "header") || d.kind == "header2")
}

// descriptor is what stands in front of a section.
type descriptor struct {
	kind       string
	next, size int64 // the offset of the next descriptor in the file, and bytes with the descriptor
	verified   bool
}

func parseDescriptor(d []byte) descriptor {
	kind, _, _ := bytes.Cut(d[:16], []byte{0})
	return descriptor{
		kind:     string(kind),
		next:     int64(binary.LittleEndian.Uint64(d[16:])),
		size:     int64(binary.LittleEndian.Uint64(d[24:])),
		verified: checked(d[:ewfDescriptor]),
	}
}

// checked reports whether data end with the checksum of what is before it.
func checked(data []byte) bool {
	n := len(data) - 4
	return adler32.Checksum(data[:n]) == binary.LittleEndian.Uint32(data[n:])
}

// section is the content of a section, as far as the file reaches.
type section struct {
	file    block.File
	kind    string
	at, end int64 // in the file
}

// read returns bytes from the start of the content.
func (s section) read(size int) ([]byte, error) {
	if int64(size) > s.end-s.at {
		return nil, fmt.Errorf("the section has %d bytes, and %d are needed", s.end-s.at, size)
	}
	return block.Read(s.file, s.at, size)
}

// ewfOpener puts an image together from its segments.
type ewfOpener struct {
	image    *Image
	disk     *ewf
	names    segments
	shape    *ewfShape // nil until it is known
	runs     []run     // of chunks, in the order of the disk
	copied   bool      // the last run is of the section before, a table, of which a copy may follow
	foreign  bool      // the segment is one of another set
	done     bool      // the last section of the last segment was seen
	sections int
	texts    int // compressed ones that were read
	untold   int // problems that are not listed
	unread   []sectors
	facts    map[string][]Fact // by the kind of the section
}

// openEWF reads the chain of sections of each segment, and the tables, but no chunk. The image caches chunks itself, 16 MB at most: it need not
// be read through [block.Cached].
func openEWF(f block.File, beside Beside) (*Image, error) {
	o := &ewfOpener{image: &Image{Kind: "an E01 image"}, disk: newEWF(), facts: map[string][]Fact{}}
	o.image.add(f)
	if err := o.open(f, beside); err != nil {
		o.image.Close()
		return nil, err
	}
	return o.image, nil
}

func (o *ewfOpener) open(f block.File, beside Beside) error {
	o.names = ewfNames(f.Name(), beside)
	head, err := block.Read(f, 0, ewfHeader)
	if err != nil {
		return refusal(f.Name(), 0, "the image cannot be read: %v", err)
	}
	if !bytes.HasPrefix(head, ewfSignature) {
		o.tell(f.Name(), 0, false, "the signature of the image is damaged; its sections are read nevertheless")
	}
	o.walk(f)
	if o.foreign {
		o.foreign = false
		o.hole(f.Name(), 0, "the volume section and its copy, the data section, contradict each other")
	}
	switch number := binary.LittleEndian.Uint16(head[9:]); {
	case number == 1:
	case o.shape != nil && o.shape.first:
		o.tell(f.Name(), 9, false, "the image says that it is segment %d, but holds what only the first does, and is taken for that", number)
	case o.names.name(1) == "" || o.names.name(1) == filepath.Base(f.Name()):
		return refusal(f.Name(), 0, "is segment %d of an image, but is not named so: give the files the names that they had", number)
	default:
		return o.notFirst(f, int(number))
	}
	o.gather()
	if o.shape == nil {
		return refusal(f.Name(), 0, "the size of the disk cannot be told, because the image has no volume section that matches its checksum")
	}
	if o.shape.logical {
		return refusal(f.Name(), 0, "is an L01 image, which holds files and no disk")
	}
	o.resolve()
	o.finish()
	return nil
}

// notFirst is the error that a file is a later segment.
func (o *ewfOpener) notFirst(f block.File, number int) error {
	first, err := o.names.beside(o.names.name(1))
	if err != nil {
		return refusal(f.Name(), 0, "is segment %d of an image, whose first, %s, is not beside it: bring all segments into one folder, and name the first", number, o.names.name(1))
	}
	defer first.Close()
	return refusal(f.Name(), 0, "is segment %d of an image: name the first, %s", number, first.Name())
}

// tell adds a problem of the image; loss is whether content of the disk is lost by it.
func (o *ewfOpener) tell(file string, at int64, loss bool, format string, args ...any) {
	if len(o.image.Problems) >= mostProblems {
		o.untold++
		return
	}
	p := lost(file, at, format, args...)
	p.Loss = loss
	o.image.Problems = append(o.image.Problems, p)
}

// hole notes that an unknown number of chunks may be lost here.
func (o *ewfOpener) hole(file string, at int64, format string, args ...any) {
	o.runs = append(o.runs, run{count: unknown, name: file, at: at, lost: fmt.Sprintf(format, args...)})
	o.copied = false
}

// gather reads the later segments.
func (o *ewfOpener) gather() {
	for n := 2; !o.done; n++ {
		if o.names.name(n) == "" {
			last := o.image.Files[len(o.image.Files)-1]
			o.hole(last.Name, last.Size, "the end of the image is missing, and the name of the file does not tell that of the next segment: give the files the names that they had")
			return
		}
		f, found, err := o.names.find(n)
		if found == 0 {
			o.hole(o.names.path(n), 0, "the segment is missing, and perhaps later ones")
			return
		}
		if found > n {
			o.hole(o.names.path(n), 0, "the segment is missing, although %s is there", o.names.name(found))
		}
		if n = found; err != nil {
			o.hole(o.names.path(n), 0, "the segment cannot be opened: %v", hive.Cause(err))
			continue
		}
		o.later(f, n)
	}
}

// later reads a later segment, if it is one of this image.
func (o *ewfOpener) later(f block.File, number int) {
	runs := len(o.runs)
	head, err := block.Read(f, 0, int(min(f.Size(), ewfHeader+ewfDescriptor)))
	switch {
	case err != nil:
		o.hole(f.Name(), 0, "the segment cannot be read: %v", err)
	case len(head) < ewfHeader || !isEWF(head, nil):
		o.hole(f.Name(), 0, "the file is not taken, because it is no segment of an E01 image")
	case int(binary.LittleEndian.Uint16(head[9:])) != number:
		o.hole(f.Name(), 0, "the file is not taken, because it is not segment %d: it says that it is segment %d", number, binary.LittleEndian.Uint16(head[9:]))
	default:
		o.walk(f)
		if !o.foreign {
			o.image.add(f)
			return
		}
		o.runs, o.foreign, o.done = o.runs[:runs], false, false
		o.hole(f.Name(), 0, "the file is not taken, because it is a segment of another image")
	}
	f.Close()
}

// finish makes the image of what was gathered.
func (o *ewfOpener) finish() {
	i := o.image
	i.Reader, i.Sector = o.disk, int(o.shape.sector)
	if a := newAcquired(o.disk, o.shape.sector, o.unread); a != nil {
		i.Reader, i.hashed = a, o.disk
	}
	for _, kind := range []string{"header2", "header"} {
		if i.Facts == nil {
			i.Facts = o.facts[kind]
		}
	}
	if !o.done {
		last := i.Files[len(i.Files)-1]
		o.tell(last.Name, last.Size, true, "the end of the image was not found: its hashes, and which sectors could not be read when it was made, may be missing")
	}
	if o.untold > 0 {
		i.Problems = append(i.Problems, hive.Problem{Source: i.Files[0].Name, Kind: block.Gap, Msg: fmt.Sprintf("%d more problems of the image are not listed", o.untold), Loss: true})
	}
}

// ewfNames returns the names of the segments of which one is given: disk.E01 to disk.E99, then disk.EAA to disk.ZZZ; SMART begins with disk.s01,
// and continues after disk.s99 with disk.saa. A name of another kind has no others.
func ewfNames(path string, beside Beside) segments {
	base := filepath.Base(path)
	s := segments{first: path, beside: beside, name: func(int) string { return "" }}
	stem, suffix := base[:max(0, len(base)-3)], base[max(0, len(base)-3):]
	if !strings.HasSuffix(stem, ".") {
		return s
	}
	letter := suffix[0] &^ 0x20
	switch {
	case letter < 'A' || letter > 'Z':
		return s
	case suffix[1] > '9' && letter >= 'S': // .SAA comes after .S99, .FAA after .EZZ
		letter = 'S'
	case suffix[1] > '9':
		letter = 'E'
	}
	s.name = func(n int) string {
		next := ewfSuffix(letter, n)
		if next != "" && suffix[0] >= 'a' {
			next = strings.ToLower(next)
		}
		if next == "" {
			return ""
		}
		return stem + next
	}
	return s
}

// ewfSuffix returns the end of the name of a segment, "" if there is none for its number.
func ewfSuffix(letter byte, number int) string {
	if number < 100 {
		return fmt.Sprintf("%c%02d", letter, number)
	}
	number -= 100
	first := int(letter) + number/(26*26)
	if first > 'Z' {
		return ""
	}
	return string([]byte{byte(first), byte('A' + number/26%26), byte('A' + number%26)})
}
