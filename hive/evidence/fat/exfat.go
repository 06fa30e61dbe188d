package fat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

const exSignature = "EXFAT   "

// exBoot are the parameters in the boot sector of exFAT.
type exBoot struct {
	sector, cluster int64 // bytes
	total           int64 // sectors
	fat, length     int64 // sectors
	tables          int
	heap            int64 // sector
	clusters        uint32
	root            uint32
	serial          uint32
	second          bool // the second table is the one that is kept
}

func readExBoot(b []byte) (exBoot, error) {
	le := binary.LittleEndian
	if string(b[3:11]) != exSignature || b[510] != 0x55 || b[511] != 0xAA {
		return exBoot{}, errors.New("no boot sector of exFAT is here")
	}
	if b[108] < 9 || b[108] > 12 || b[109] > 25-b[108] {
		return exBoot{}, fmt.Errorf("the boot sector says that sectors have 2^%d bytes, and clusters 2^%d sectors", b[108], b[109])
	}
	p := exBoot{
		sector: 1 << b[108], cluster: 1 << (b[108] + b[109]), total: int64(le.Uint64(b[72:])), fat: int64(le.Uint32(b[80:])), length: int64(le.Uint32(b[84:])),
		heap: int64(le.Uint32(b[88:])), clusters: le.Uint32(b[92:]), root: le.Uint32(b[96:]), serial: le.Uint32(b[100:]), tables: int(b[110]),
	}
	p.second = p.tables == 2 && b[106]&1 != 0
	after := p.fat + int64(p.tables)*p.length
	switch {
	case p.total <= 0 || p.total > 1<<62/p.sector || p.tables < 1 || p.tables > 2 || p.fat < 24 || after > p.heap || p.heap+int64(p.clusters)*(p.cluster/p.sector) > p.total:
		return exBoot{}, fmt.Errorf("the boot sector says that %d FATs of %d sectors are at %d, and %d clusters at %d of %d sectors", p.tables, p.length, p.fat, p.clusters, p.heap, p.total)
	case p.clusters > bad-2 || (int64(p.clusters)+2)*4 > p.length*p.sector:
		return exBoot{}, fmt.Errorf("the boot sector says that there are %d clusters, but a FAT of %d sectors", p.clusters, p.length)
	}
	return p, nil
}

var errOtherSector = errors.New("the boot sector says that a sector has another size")

// readExRegion reads the boot sectors at an offset: eleven, and one with their checksum.
func readExRegion(r block.Reader, at, sector int64) (exBoot, error) {
	b, err := block.Read(r, at, int(12*sector))
	if err != nil {
		return exBoot{}, err
	}
	p, err := readExBoot(b)
	if err != nil {
		return exBoot{}, err
	}
	if p.sector != sector {
		return exBoot{}, errOtherSector
	}
	var sum uint32
	for i, c := range b[:11*sector] {
		if i != 106 && i != 107 && i != 112 { // flags and percentage, which change
			sum = sum<<31 + sum>>1 + uint32(c)
		}
	}
	for i := 11 * sector; i < 12*sector; i += 4 {
		if binary.LittleEndian.Uint32(b[i:]) != sum {
			return exBoot{}, errors.New("the boot sectors do not match their checksum")
		}
	}
	return p, nil
}

// exRegion reads the boot sectors, or else their copy, which lies behind them. Told says that it was the copy.
func exRegion(r block.Reader) (p exBoot, told, err error) {
	wrong := errOtherSector
	for _, copies := range []int64{0, 1} {
		for sector := int64(512); sector <= 4096; sector *= 2 {
			at := copies * 12 * sector
			p, err := readExRegion(r, at, sector)
			if err == nil {
				if copies > 0 {
					told = block.NewGap(r, 0, "the boot sectors cannot be used (%s); their copy is read instead", message(wrong))
				}
				return p, told, nil
			}
			if copies == 0 && err != errOtherSector {
				wrong = err
			}
		}
	}
	return exBoot{}, nil, block.NewGap(r, 0, "no exFAT volume: %s, and neither can the copy of the boot sectors be used", message(wrong))
}

// message returns what an error says without its place.
func message(err error) string {
	if p, ok := errors.AsType[*hive.Problem](err); ok {
		return p.Msg
	}
	return err.Error()
}

func openEx(r block.Reader) (*Volume, error) {
	p, told, err := exRegion(r)
	if err != nil {
		return nil, err
	}
	r, cut := whole(r, p.total*p.sector)
	v := &Volume{
		r: r, kind: "an exFAT volume", format: "exfat", serial: serial(p.serial), clusterSize: p.cluster, clusters: p.clusters, heap: p.heap * p.sector, width: 32, mask: end,
		parse: parseEx, fold: hive.Fold, root: node{name: ".", root: true, dir: true, size: -1, first: p.root},
	}
	active := p.fat
	if p.second {
		active += p.length
	}
	v.tables = []table{{active * p.sector, p.length * p.sector}}
	l, err := v.begin(told, cut)
	if err != nil {
		return nil, err
	}
	v.label = l.label
	if err := v.readUpcase(l); err != nil {
		v.tell(err, false)
	}
	return v, nil
}

// readUpcase reads the table by which names are compared: the capital of each UTF-16 unit. Without it, that of Windows stands in.
func (v *Volume) readUpcase(l listing) error {
	if l.upcase == nil {
		return v.gap(v.place(2), "the table of capital letters is missing; names are compared as Windows does it")
	}
	c, err := v.content(*l.upcase)
	if err != nil {
		return err
	}
	if c.size > 2*65536 || c.size%2 != 0 {
		return v.gap(l.upcase.at, "the table of capital letters has %d bytes; names are compared as Windows does it", c.size)
	}
	b, err := block.Read(c, 0, int(c.size))
	if err != nil {
		return err
	}
	var sum uint32
	for _, x := range b {
		sum = sum<<31 + sum>>1 + uint32(x)
	}
	if sum != l.sum {
		return v.gap(l.upcase.at, "the table of capital letters does not match its checksum; names are compared as Windows does it")
	}
	v.fold = folder(b)
	return nil
}

// folder returns what folds names by a table in which FFFF and a number stand for so many units without another capital.
func folder(b []byte) func(string) string {
	upper := make([]uint16, 65536)
	for i := range upper {
		upper[i] = uint16(i)
	}
	for i, u := 0, 0; i+1 < len(b) && u < len(upper); i += 2 {
		n := binary.LittleEndian.Uint16(b[i:])
		if n == 0xFFFF && i+3 < len(b) {
			i += 2
			u += int(binary.LittleEndian.Uint16(b[i:]))
			continue
		}
		upper[u] = n
		u++
	}
	return func(s string) string {
		units := utf16.Encode([]rune(s))
		for i, u := range units {
			units[i] = upper[u]
		}
		return string(utf16.Decode(units))
	}
}

// The types of entries of exFAT.
const (
	exInUse  = 0x80 // the bit says that an entry is not that of a deleted file
	exBenign = 0x20 // the bit says that who does not know the type can pass over it
	exBitmap = 0x81
	exUpcase = 0x82
	exLabel  = 0x83
	exFile   = 0x85
	exStream = 0xC0
	exName   = 0xC1
)

// exParser reads the entries of an exFAT directory.
type exParser struct {
	v   *Volume
	dir node
	listing
	ended bool
}

func parseEx(v *Volume, d *directory) listing {
	p := exParser{v: v, dir: d.node}
	for _, piece := range d.pieces {
		for i := 0; i < piece.count(); {
			i += p.entry(piece, i)
		}
	}
	return p.listing
}

func (p *exParser) wrong(at int64, what string) {
	p.lose(p.v.gap(at, "an entry of the directory %q %s; what it was cannot be said", p.dir.name, what))
}

// entry reads an entry, and returns how many it is with those that belong to it.
func (p *exParser) entry(e entries, i int) int {
	b, at := e.entry(i), e.place(i)
	kind, root := b[0], p.dir.root
	switch {
	case p.ended:
		if kind&exInUse != 0 {
			p.wrong(at, "comes after its end")
		}
	case kind == 0:
		p.ended = true
	case kind&exInUse == 0: // of a deleted file
	case kind == exFile:
		n, wrong := p.file(e, i)
		if wrong == "" {
			return n
		}
		p.wrong(at, wrong)
	case kind == exUpcase && root && p.upcase == nil:
		size := int64(binary.LittleEndian.Uint64(b[24:]))
		p.upcase = &node{name: "the table of capital letters", size: size, valid: size, first: binary.LittleEndian.Uint32(b[20:]), at: at}
		p.sum = binary.LittleEndian.Uint32(b[4:])
		if size < 0 {
			p.upcase.wrong = p.v.gap(at, "the table of capital letters has %d bytes", size)
		}
	case kind == exLabel && root && b[1] <= 11:
		p.label = units(b[2:][:2*b[1]])
	case kind == exBitmap && root:
	case kind == exStream || kind == exName:
		p.wrong(at, "belongs to no file")
	case kind&exBenign == 0:
		p.wrong(at, fmt.Sprintf("has the type %#x, which is not known", kind))
	}
	return 1
}

// file adds the file or directory of a set of entries, and returns how many those are, or what is wrong with them.
func (p *exParser) file(e entries, i int) (n int, wrong string) {
	first := e.entry(i)
	n = 1 + int(first[1])
	if n < 3 || n > 19 || i+n > e.count() {
		return 0, fmt.Sprintf("says that %d others belong to it", n-1)
	}
	set := e.data[i*entrySize:][:n*entrySize]
	var sum uint16
	for j, c := range set {
		if j != 2 && j != 3 {
			sum = sum<<15 + sum>>1 + uint16(c)
		}
	}
	le := binary.LittleEndian
	if le.Uint16(set[2:]) != sum {
		return 0, "does not match its checksum"
	}
	stream := set[entrySize:]
	letters := int(stream[3])
	if stream[0] != exStream || letters == 0 || 2+(letters+14)/15 > n {
		return 0, "does not say where its file is and what its name"
	}
	var name []byte
	for part := set[2*entrySize:]; len(name) < 2*letters; part = part[entrySize:] {
		if part[0] != exName {
			return 0, "has a part of its name missing"
		}
		name = append(name, part[2:entrySize]...)
	}
	at := e.place(i)
	f := node{
		name: units(name[:2*letters]), dir: le.Uint16(set[4:])&attrDir != 0, first: le.Uint32(stream[20:]), size: int64(le.Uint64(stream[24:])),
		valid: int64(le.Uint64(stream[8:])), contiguous: stream[1]&2 != 0, at: at, modified: exTime(le.Uint32(set[12:]), set[21], set[23]),
	}
	f.short = f.name
	if f.size < 0 || f.valid < 0 || f.valid > f.size || f.size > int64(p.v.clusters)*p.v.clusterSize || (f.size == 0) != (f.first == 0) || f.dir && f.size%p.v.clusterSize != 0 {
		f.wrong = p.v.gap(at, "the entry of %q says that %d of its %d bytes are written, from cluster %d on, which cannot be", f.name, f.valid, f.size, f.first)
	}
	p.nodes = append(p.nodes, f)
	return n, ""
}

// units returns text in UTF-16.
func units(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// exTime returns a time of exFAT: as that of FAT, with hundredths, and its zone in quarters of an hour from UTC if the highest bit is set.
func exTime(stamp uint32, hundredths, zone byte) time.Time {
	t := dosTime(uint16(stamp>>16), uint16(stamp))
	if t.IsZero() {
		return t
	}
	t = t.Add(time.Duration(hundredths) * 10 * time.Millisecond)
	if zone&0x80 != 0 {
		t = t.Add(-time.Duration(int8(zone<<1)>>1) * 15 * time.Minute)
	}
	return t
}
