package fat

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// boot are the parameters in the boot sector of FAT.
type boot struct {
	sector, cluster  int64 // bytes
	reserved, length int64 // sectors before the first table, and of each table
	tables           int64
	rootEntries      int64
	total            int64 // sectors
	clusters         int64
	width            int
	media            byte
	active           int // the only table that is kept, or -1
	root             uint32
	backup           int64 // sector of the copy, or 0
	serial           uint32
	label            string
}

// readBoot returns the parameters of a boot sector. Those of FAT32 have a table length of zero where the others have theirs, by which all systems
// tell it; FAT12 and FAT16 differ in the number of clusters.
func readBoot(b []byte) (boot, error) {
	le := binary.LittleEndian
	p := boot{
		sector: int64(le.Uint16(b[11:])), reserved: int64(le.Uint16(b[14:])), tables: int64(b[16]), rootEntries: int64(le.Uint16(b[17:])),
		total: int64(le.Uint16(b[19:])), media: b[21], length: int64(le.Uint16(b[22:])), active: -1,
	}
	p.cluster = p.sector * int64(b[13])
	if p.total == 0 {
		p.total = int64(le.Uint32(b[32:]))
	}
	extra := b[36:] // its serial number and label come at different places
	if p.length == 0 {
		p.width, p.length, p.root, p.backup = 32, int64(le.Uint32(b[36:])), le.Uint32(b[44:]), int64(le.Uint16(b[50:]))
		if flags := le.Uint16(b[40:]); flags&0x80 != 0 {
			p.active = int(flags & 0xF)
		}
		extra = b[64:]
	}
	if extra[2] == 0x29 {
		p.serial, p.label = le.Uint32(extra[3:]), text(extra[7:18])
	}
	wrong := func(format string, args ...any) (boot, error) {
		return boot{}, fmt.Errorf("the boot sector "+format, args...)
	}
	power := func(n int64) bool { return n&(n-1) == 0 }
	rootSectors := int64(0)
	if p.sector != 0 {
		rootSectors = (p.rootEntries*entrySize + p.sector - 1) / p.sector
	}
	before := p.reserved + p.tables*p.length + rootSectors
	switch {
	case b[510] != 0x55 || b[511] != 0xAA:
		return wrong("does not end in 55 AA")
	case b[0] != 0xEB && b[0] != 0xE9:
		return wrong("does not begin with a jump")
	case p.sector < 512 || p.sector > 4096 || !power(p.sector):
		return wrong("says that a sector has %d bytes", p.sector)
	case b[13] == 0 || !power(int64(b[13])):
		return wrong("says that a cluster has %d sectors", b[13])
	case p.reserved == 0 || p.length == 0 || p.tables == 0 || p.tables > 4:
		return wrong("says that %d FATs of %d sectors begin at sector %d", p.tables, p.length, p.reserved)
	case p.media != 0xF0 && p.media < 0xF8:
		return wrong("has the medium %#x", p.media)
	case p.active >= int(p.tables):
		return wrong("says that the FAT %d of %d is kept", p.active+1, p.tables)
	case before >= p.total:
		return wrong("says that the volume has %d sectors, of which %d come before the files", p.total, before)
	case (p.width == 32) != (p.rootEntries == 0) || p.rootEntries*entrySize%p.sector != 0:
		return wrong("says that the root has %d entries", p.rootEntries)
	case p.width == 32 && le.Uint16(b[42:]) != 0:
		return wrong("has the version %#x", le.Uint16(b[42:]))
	}
	p.clusters = (p.total - before) * p.sector / p.cluster
	switch {
	case p.width == 32 && p.clusters >= bad&0x0FFFFFFF-2 || p.width == 0 && p.clusters >= 65525:
		return wrong("makes %d clusters, which are too many", p.clusters)
	case p.width == 0 && p.clusters < 4085:
		p.width = 12
	case p.width == 0:
		p.width = 16
	}
	if (p.clusters+2)*int64(p.width) > p.length*p.sector*8 {
		return wrong("makes %d clusters, but a FAT of %d sectors", p.clusters, p.length)
	}
	return p, nil
}

// backupSector is where the copy of the boot sector of FAT32 lies, if the boot sector does not say it.
const backupSector = 6

// openFAT opens a FAT volume. Head is its first sector, unless it could not be read.
func openFAT(r block.Reader, head []byte, unread error) (*Volume, error) {
	p, err := boot{}, unread
	if err == nil {
		p, err = readBoot(head)
	}
	var told error
	if err != nil {
		wrong := err
		if p, err = backup(r); err != nil {
			if v, err := openEx(r); err == nil { // by the copy of its boot sectors
				return v, nil
			}
			if unread != nil {
				return nil, unread
			}
			return nil, block.NewGap(r, 0, "no FAT or exFAT volume: %s", message(wrong))
		}
		told = block.NewGap(r, 0, "the boot sector cannot be used (%s); its copy is read instead", message(wrong))
	} else if p.width == 32 && p.backup > 0 && p.backup < p.reserved {
		b, err := block.Read(r, p.backup*p.sector, 512)
		if err == nil && !sameGeometry(head, b) {
			return nil, block.NewGap(r, p.backup*p.sector, "the boot sector and its copy differ in where the files lie, and nobody can say which is right")
		}
	}
	return newVolume(r, p, told)
}

// backup returns the parameters of the copy of the boot sector that FAT32 has.
func backup(r block.Reader) (boot, error) {
	err := error(nil)
	for sector := int64(512); sector <= 4096; sector *= 2 {
		var b []byte
		if b, err = block.Read(r, backupSector*sector, 512); err != nil {
			continue
		}
		var p boot
		if p, err = readBoot(b); err == nil && p.width == 32 && p.sector == sector && p.backup == backupSector {
			return p, nil
		}
	}
	if err == nil {
		err = block.NewGap(r, backupSector*512, "no copy of a boot sector is here")
	}
	return boot{}, err
}

// sameGeometry reports whether two boot sectors of FAT32 place everything alike. What a program changes in one of them alone is left out.
func sameGeometry(a, b []byte) bool {
	for _, span := range [][2]int{{11, 21}, {22, 24}, {32, 42}, {44, 48}} {
		if !bytes.Equal(a[span[0]:span[1]], b[span[0]:span[1]]) {
			return false
		}
	}
	return true
}

func newVolume(r block.Reader, p boot, told error) (*Volume, error) {
	r, cut := whole(r, p.total*p.sector)
	v := &Volume{r: r, clusterSize: p.cluster, clusters: uint32(p.clusters), width: p.width, serial: serial(p.serial), parse: parseFAT, fold: hive.Fold}
	v.kind, v.format = fmt.Sprintf("a FAT%d volume", p.width), fmt.Sprintf("fat%d", p.width)
	v.mask = map[int]uint32{12: 0xFFF, 16: 0xFFFF, 32: 0x0FFFFFFF}[p.width]
	for i := range p.tables {
		if p.active < 0 || int64(p.active) == i {
			v.tables = append(v.tables, table{(p.reserved + i*p.length) * p.sector, p.length * p.sector})
		}
	}
	after := (p.reserved + p.tables*p.length) * p.sector
	v.root = node{name: ".", root: true, dir: true, size: -1, first: p.root}
	if p.width != 32 {
		v.root.fixed = table{after, p.rootEntries * entrySize}
	}
	v.heap = after + p.rootEntries*entrySize
	l, err := v.begin(told, cut)
	if err != nil {
		return nil, err
	}
	if v.label = l.label; v.label == "" && p.label != "NO NAME" {
		v.label = p.label
	}
	return v, nil
}

// checkTables requires that a table begins as one does, with the medium and ones: otherwise it is not where the boot sector says.
func (v *Volume) checkTables() error {
	w := walker{v: v, pieces: make([]piece, len(v.tables))}
	var wrong error
	for i, t := range v.tables {
		b, err := w.bytes(i, 0, 4)
		if err == nil {
			n := binary.LittleEndian.Uint32(b) & v.mask
			if n|0xFF == v.mask && (n&0xFF >= 0xF8 || n&0xFF == 0xF0) {
				return nil
			}
			err = v.gap(t.at, "no FAT begins here, though the boot sector says so")
		}
		wrong = err
	}
	return wrong
}

// The attributes of an entry.
const (
	attrLabel    = 0x08
	attrDir      = 0x10
	attrLong     = 0x0F // all of read-only, hidden, system and label
	attrReserved = 0xC0
)

// fatParser reads the entries of a FAT directory.
type fatParser struct {
	v   *Volume
	dir node
	listing
	long    longName
	entries int // that were read, with those of files
	ended   bool
}

// longName are the entries of a long name that were read so far, the last part first.
type longName struct {
	at       int64 // of the first; 0 if there is none
	missing  int   // how many are to come
	checksum byte  // of the short name
	units    []uint16
}

func parseFAT(v *Volume, d *directory) listing {
	p := fatParser{v: v, dir: d.node}
	if len(d.pieces) == 0 || d.pieces[0].at[0] != v.place(d.node.first) {
		p.entries = 2 // the first cannot be read
	}
	for _, piece := range d.pieces {
		for i := range piece.count() {
			p.entry(piece.entry(i), piece.place(i))
		}
		p.orphan()
	}
	if p.entries < 2 && !p.dir.root {
		p.lose(v.gap(p.dir.at, "the directory %q does not begin with itself and its parent", p.dir.name))
	}
	return p.listing
}

// wrong notes that an entry is none.
func (p *fatParser) wrong(at int64, what string) {
	p.lose(p.v.gap(at, "an entry of the directory %q %s; what it was cannot be said", p.dir.name, what))
}

// orphan ends a long name that belongs to no file.
func (p *fatParser) orphan() {
	if p.long.at != 0 {
		p.lose(p.v.gap(p.long.at, "a long name in the directory %q belongs to no file", p.dir.name))
	}
	p.long = longName{}
}

func (p *fatParser) entry(b []byte, at int64) {
	switch {
	case p.ended:
		if b[0] != 0 && b[0] != 0xE5 {
			p.wrong(at, "comes after its end")
		}
		return
	case b[0] == 0:
		p.orphan()
		p.ended = true
		return
	case b[0] == 0xE5:
		p.orphan()
		return
	case b[11]&attrReserved != 0:
		p.orphan()
		p.wrong(at, "has attributes that do not exist")
		return
	case b[11] == attrLong:
		p.part(b, at)
		return
	}
	long, ok := p.long, p.long.at != 0 && p.long.missing == 0 && p.long.checksum == shortChecksum(b[:11])
	if ok {
		p.long = longName{}
	} else {
		p.orphan()
	}
	p.entries++
	if !p.dir.root && p.entries <= 2 {
		p.dots(b, at)
		return
	}
	p.file(b, at, long.units, ok)
}

// part adds an entry of a long name.
func (p *fatParser) part(b []byte, at int64) {
	ordinal := int(b[0] & 0x3F)
	if b[0]&0x40 != 0 {
		p.orphan()
		if ordinal >= 1 && ordinal <= 20 {
			p.long = longName{at: at, missing: ordinal, checksum: b[13]}
		}
	}
	if p.long.at == 0 || p.long.missing != ordinal || p.long.checksum != b[13] || b[12] != 0 || b[26] != 0 || b[27] != 0 {
		p.orphan()
		p.wrong(at, "is no part of the long name around it")
		return
	}
	p.long.missing--
	var units []uint16
	for _, span := range [][2]int{{1, 11}, {14, 26}, {28, 32}} {
		for i := span[0]; i < span[1]; i += 2 {
			units = append(units, binary.LittleEndian.Uint16(b[i:]))
		}
	}
	p.long.units = append(units, p.long.units...)
}

// dots holds the first two entries of a directory, which are itself and its parent, against where the directory was found.
func (p *fatParser) dots(b []byte, at int64) {
	name, first := string(b[:11]), p.v.first(b)
	switch {
	case p.entries == 1 && (name != ".          " || first != p.dir.first || b[11]&attrDir == 0):
		p.ended = true // it is another directory, or none
		p.lose(p.v.gap(at, "the directory %q does not begin with itself, so it is another one, or none", p.dir.name))
	case p.entries == 2 && (name != "..         " || first != p.dir.parent && (p.dir.parent != 0 || first != p.v.root.first)):
		p.wrong(at, "is not that of its parent")
	}
}

// first returns the first cluster of an entry.
func (v *Volume) first(b []byte) uint32 {
	n := uint32(binary.LittleEndian.Uint16(b[26:]))
	if v.width == 32 {
		n |= uint32(binary.LittleEndian.Uint16(b[20:])) << 16
	}
	return n
}

// file adds a file or directory, or takes the label.
func (p *fatParser) file(b []byte, at int64, units []uint16, long bool) {
	short, ok := shortName(b)
	n := node{
		name: short, short: short, dir: b[11]&attrDir != 0, size: int64(binary.LittleEndian.Uint32(b[28:])), first: p.v.first(b), parent: p.dir.first, at: at,
		modified: dosTime(binary.LittleEndian.Uint16(b[24:]), binary.LittleEndian.Uint16(b[22:])),
	}
	n.valid = n.size
	if p.dir.root {
		n.parent = 0
	}
	switch {
	case b[11]&attrLabel != 0:
		if n.dir || n.size != 0 || n.first != 0 || !p.dir.root {
			p.wrong(at, "is a label, and something else too")
			return
		}
		p.label = text(b[:11])
		return
	case !ok:
		p.wrong(at, "has a name that none has")
		return
	case n.dir:
		n.size = -1
	case (n.size == 0) != (n.first == 0):
		n.wrong = p.v.gap(at, "the entry of %q says that it has %d bytes and begins at cluster %d, which cannot both be", short, n.size, n.first)
	}
	if long {
		if n.name, ok = longText(units); !ok {
			p.wrong(at, "has a long name that none has")
			n.name = short
		}
	}
	p.nodes = append(p.nodes, n)
}

// longText returns a long name: up to 255 units, then a zero, then ones.
func longText(units []uint16) (string, bool) {
	n := 0
	for n < len(units) && units[n] != 0 {
		n++
	}
	for _, u := range units[min(n+1, len(units)):] {
		if u != 0xFFFF {
			return "", false
		}
	}
	for _, u := range units[:n] {
		if u < 0x20 || u < 0x80 && strings.ContainsRune(`"*/:<>?\|`, rune(u)) || u == 0xFFFF {
			return "", false
		}
	}
	return string(utf16.Decode(units[:n])), n > 0 && n <= 255 && len(units)-n <= 13
}

// shortName returns a name of 8.3 characters, and whether it can be one. Windows NT notes in it which part was in lower case.
func shortName(b []byte) (string, bool) {
	raw := bytes.Clone(b[:11])
	if raw[0] == 0x05 { // because E5 is the mark of a deleted entry
		raw[0] = 0xE5
	}
	for _, c := range raw {
		if c < 0x20 || strings.IndexByte("\"*+,./:;<=>?[\\]|\x7F", c) >= 0 {
			return "", false
		}
	}
	base, ext := text(raw[:8]), text(raw[8:])
	if b[12]&0x08 != 0 {
		base = strings.ToLower(base)
	}
	if b[12]&0x10 != 0 {
		ext = strings.ToLower(ext)
	}
	if ext != "" {
		base += "." + ext
	}
	return base, raw[0] != ' '
}

// text returns the text of a field that is filled up with spaces.
func text(b []byte) string {
	s, err := charmap.CodePage437.NewDecoder().Bytes(bytes.TrimRight(b, " "))
	if err != nil {
		return ""
	}
	return string(s)
}

// shortChecksum returns the checksum of a short name in the entries of its long one.
func shortChecksum(b []byte) byte {
	var sum byte
	for _, c := range b {
		sum = sum>>1 + sum<<7 + c
	}
	return sum
}

// dosTime returns a time of FAT, in steps of two seconds since 1980, or the zero time if there is none.
func dosTime(date, clock uint16) time.Time {
	month, day := time.Month(date>>5&15), int(date&31)
	t := time.Date(1980+int(date>>9), month, day, int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
	if t.Month() != month || t.Day() != day {
		return time.Time{}
	}
	return t
}
