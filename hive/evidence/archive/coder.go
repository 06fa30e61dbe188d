package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/bodgit/sevenzip"
	"github.com/ulikunitz/xz/lzma"

	"regvet/hive/evidence/block"
)

// A folder of a 7z archive is unpacked by a chain of coders: LZMA2 and then a filter for programs, say. The library that has all of them is given
// an archive of one folder, whose database is written here out of numbers that were checked: it never sees the database of the file.

// chain is the coders of a folder. Each has one output, which is the input of another one, except that of the last.
type chain struct {
	coders []coder
	binds  [][2]int // an input, and the output that it reads
	packed []int    // the inputs that read packed streams
}

type coder struct {
	method     string
	inputs     int
	properties []byte
}

const (
	mostCoders     = 8
	mostInputs     = 16
	mostProperties = 64 // bytes
)

// chain reads the description of a folder.
func (f *fields) chain() *chain {
	c := &chain{}
	inputs := 0
	count := f.limited(mostCoders)
	for range count {
		flags := f.byte()
		coder := coder{method: string(f.bytes(uint64(flags & 15))), inputs: 1}
		outputs := 1
		if flags&0x10 != 0 {
			coder.inputs, outputs = f.limited(mostInputs), f.limited(mostInputs)
		}
		if flags&0x20 != 0 {
			coder.properties = f.bytes(uint64(f.limited(mostProperties)))
		}
		if flags&0xC0 != 0 || outputs != 1 {
			f.fail()
		}
		inputs += coder.inputs
		c.coders = append(c.coders, coder)
	}
	if count == 0 || inputs > mostInputs || inputs < count {
		f.fail()
		return c
	}
	used := make([]bool, inputs)
	use := func(input int) int {
		if input >= inputs || used[input] {
			f.fail()
			return 0
		}
		used[input] = true
		return input
	}
	for range count - 1 {
		c.binds = append(c.binds, [2]int{use(f.limited(mostInputs)), f.limited(count - 1)})
	}
	if packed := inputs - len(c.binds); packed > 1 {
		for range packed {
			c.packed = append(c.packed, use(f.limited(mostInputs)))
		}
	} else {
		c.packed = []int{slices.Index(used, false)}
	}
	if c.main() < 0 {
		f.fail()
	}
	return c
}

// limited reads a number that is at most so large.
func (f *fields) limited(most int) int {
	n := f.number()
	if n > uint64(most) {
		f.fail()
		return 0
	}
	return int(n)
}

// main returns the coder whose output is that of the folder, or -1.
func (c *chain) main() int {
	main := -1
	for i := range c.coders {
		if !slices.ContainsFunc(c.binds, func(bind [2]int) bool { return bind[1] == i }) {
			if main >= 0 {
				return -1
			}
			main = i
		}
	}
	return main
}

var errEncrypted = errors.New("it is encrypted")

// sevenMethods are the coders that are read, by their number, and what is done to their properties so that their memory is bounded.
var sevenMethods = map[string]func(c *coder, size int64) (memory int64, err error){
	"\x00":             nil, // copy
	"\x03":             nil, // delta
	"\x0a":             nil, // ARM64
	"\x21":             boundLZMA2,
	"\x03\x01\x01":     boundLZMA,
	"\x03\x03\x01\x03": nil, // BCJ
	"\x03\x03\x01\x1b": nil, // BCJ2
	"\x03\x03\x02\x05": nil, // PPC
	"\x03\x03\x05\x01": nil, // ARM
	"\x03\x03\x08\x05": nil, // SPARC
	"\x03\x04\x01":     boundPPMd,
	"\x04\x01\x08":     nil, // deflate
	"\x04\x02\x02":     nil, // bzip2
	"\x04\xf7\x11\x01": nil, // zstd, see init
	"\x06\xf1\x07\x01": func(*coder, int64) (int64, error) { return 0, errEncrypted },
}

// init gives the library a decoder of zstd that bounds its window.
func init() {
	sevenzip.RegisterDecompressor([]byte("\x04\xf7\x11\x01"), func(_ []byte, _ uint64, readers []io.ReadCloser) (io.ReadCloser, error) {
		r, err := newZstd(readers[0])
		return io.NopCloser(r), err
	})
}

// boundLZMA2 makes the window as large as the content at most.
func boundLZMA2(c *coder, size int64) (int64, error) {
	if len(c.properties) != 1 || c.properties[0] > 40 {
		return 0, errSeven
	}
	for bits := range c.properties[0] {
		if windowSize(bits) >= size {
			c.properties = []byte{bits}
			break
		}
	}
	return windowSize(c.properties[0]), nil
}

func boundLZMA(c *coder, size int64) (int64, error) {
	if len(c.properties) != 5 {
		return 0, errSeven
	}
	window := min(int64(binary.LittleEndian.Uint32(c.properties[1:])), max(size, lzma.MinDictCap))
	c.properties = binary.LittleEndian.AppendUint32([]byte{c.properties[0]}, uint32(window))
	return window, nil
}

// boundPPMd requires what 7-Zip writes: an order of 2 to 64.
func boundPPMd(c *coder, _ int64) (int64, error) {
	if len(c.properties) != 5 || c.properties[0] < 2 || c.properties[0] > 64 {
		return 0, errSeven
	}
	memory := int64(binary.LittleEndian.Uint32(c.properties[1:]))
	if memory < 1<<11 {
		return 0, errSeven
	}
	return memory, nil
}

// bound checks the coders of a folder.
func (c *chain) bound(sizes []int64) error {
	total := int64(0)
	for i := range c.coders {
		bound, known := sevenMethods[c.coders[i].method]
		if !known {
			return fmt.Errorf("it is compressed with the method %x, which is not read", c.coders[i].method)
		}
		if bound == nil {
			continue
		}
		memory, err := bound(&c.coders[i], sizes[i])
		if err != nil {
			return err
		}
		total += memory
	}
	if total > mostWindow {
		return fmt.Errorf("it needs a window of %d bytes to be unpacked, more than %d", total, mostWindow)
	}
	return nil
}

// folder returns the content of a folder from its beginning.
func (s *seven) folder(i int) (io.Reader, error) {
	folder := &s.folders[i]
	c := (&fields{b: s.db[:folder.to], at: folder.from}).chain()
	f := &fields{b: s.db, at: folder.sizes}
	sizes := make([]int64, len(c.coders))
	packs := s.packs[folder.pack:][:len(c.packed)]
	packed := int64(0)
	for _, size := range packs {
		packed += size
	}
	for i := range sizes {
		if sizes[i] = f.size(); sizes[i] > mostUnpacked(packed) {
			return nil, errTooLarge
		}
	}
	if err := c.bound(sizes); err != nil {
		return nil, err
	}
	if c.main() != len(c.coders)-1 {
		return nil, errors.New("its coders are in an order that 7-Zip does not write")
	}
	if packed > s.a.f.Size()-folder.at {
		return nil, io.ErrUnexpectedEOF
	}
	content := block.Section(s.a.f, folder.at, packed)
	return guard(func() (io.Reader, error) { return openFolderOf(c.archive(content, packs, sizes)) })
}

// openFolderOf returns the content of the one folder of an archive.
func openFolderOf(r block.Reader) (io.Reader, error) {
	z, err := sevenzip.NewReader(r, r.Size())
	if err != nil {
		return nil, err
	}
	content, err := z.File[0].Open()
	if err != nil {
		return nil, err
	}
	return guarded{content}, nil
}

// archive returns a 7z archive with one member, whose content is that of the folder.
func (c *chain) archive(content block.Reader, packs, sizes []int64) block.Reader {
	db := database{idHeader, idMainStreams, idPackInfo}
	db.numbers(0, int64(len(packs)))
	db = append(db, idSize)
	db.numbers(packs...)
	db = append(db, idEnd, idUnpackInfo, idFolder)
	db.numbers(1)
	db = append(db, 0)
	db.chain(c)
	db = append(db, idUnpackSizes)
	db.numbers(sizes...)
	db = append(db, idEnd, idEnd, idFiles)
	db.numbers(1)
	db = append(db, idNames)
	db.numbers(5)
	db = append(db, 0, 'a', 0, 0, 0, idEnd, idEnd)

	le := binary.LittleEndian
	place := le.AppendUint64(le.AppendUint64(nil, uint64(content.Size())), uint64(len(db)))
	place = le.AppendUint32(place, crc32.ChecksumIEEE(db))
	start := append([]byte(sevenMagic), 0, 4)
	start = le.AppendUint32(start, crc32.ChecksumIEEE(place))
	return joined{block.Bytes(append(start, place...)), content, block.Bytes(db)}
}

// database is a database of 7z that is written.
type database []byte

// numbers appends numbers in their longest form.
func (d *database) numbers(list ...int64) {
	for _, n := range list {
		*d = binary.LittleEndian.AppendUint64(append(*d, 0xFF), uint64(n))
	}
}

func (d *database) chain(c *chain) {
	d.numbers(int64(len(c.coders)))
	for _, coder := range c.coders {
		*d = append(append(*d, byte(len(coder.method))|0x10|byte(btoi(len(coder.properties) > 0))*0x20), coder.method...)
		d.numbers(int64(coder.inputs), 1)
		if len(coder.properties) > 0 {
			d.numbers(int64(len(coder.properties)))
			*d = append(*d, coder.properties...)
		}
	}
	for _, bind := range c.binds {
		d.numbers(int64(bind[0]), int64(bind[1]))
	}
	if len(c.packed) > 1 {
		for _, input := range c.packed {
			d.numbers(int64(input))
		}
	}
}

// joined is the content of readers one behind the other.
type joined []block.Reader

func (j joined) Size() (size int64) {
	for _, r := range j {
		size += r.Size()
	}
	return size
}

func (j joined) ReadAt(p []byte, at int64) (n int, err error) {
	for _, r := range j {
		if at >= r.Size() {
			at -= r.Size()
			continue
		}
		part := p[n:min(int64(len(p)), int64(n)+r.Size()-at)]
		read, err := r.ReadAt(part, at)
		n += read
		if read < len(part) {
			return n, noEOF(err)
		}
		if at = 0; n == len(p) {
			return n, nil
		}
	}
	return n, io.EOF
}
