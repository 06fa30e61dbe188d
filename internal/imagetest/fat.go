package imagetest

import (
	"encoding/binary"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
)

// FATOptions say how a FAT or exFAT volume is written. The zero options are those of a small one with sectors and clusters of 512 bytes.
type FATOptions struct {
	Sector     int // bytes; 0 for 512
	Cluster    int // bytes; 0 for those of a sector
	Label      string
	Serial     uint32
	Fragmented bool                            // the clusters of files and directories lie scattered
	OneTable   bool                            // FAT has one table instead of two
	Second     bool                            // only the second table is kept: FAT32 and exFAT say so
	Valid      func(name string, size int) int // of exFAT: how many bytes of a file were written; nil for all
}

// fatVolume is a volume that is being written.
type fatVolume struct {
	FATOptions
	disk    []byte
	heap    int      // offset of cluster 2
	next    []uint32 // by cluster
	free    []uint32 // in the order in which they are given out
	bits    int
	modTime time.Time
}

// newFAT returns a volume with so many clusters, the first of which lies at a sector.
func newFAT(o FATOptions, bits, clusters, first int) *fatVolume {
	v := &fatVolume{FATOptions: o, bits: bits, heap: first * o.Sector, next: make([]uint32, clusters+2), modTime: time.Date(2021, 3, 4, 5, 6, 8, 0, time.UTC)}
	v.disk = make([]byte, v.heap+clusters*o.Cluster)
	for i := range clusters {
		v.free = append(v.free, uint32(i+2))
	}
	return v
}

func (o FATOptions) defaults() FATOptions {
	if o.Sector == 0 {
		o.Sector = 512
	}
	if o.Cluster == 0 {
		o.Cluster = o.Sector
	}
	return o
}

const fatEnd = 0xFFFFFFFF

// allocate returns clusters for so many bytes, chained.
func (v *fatVolume) allocate(size int) []uint32 {
	n := (size + v.Cluster - 1) / v.Cluster
	chain := slices.Clone(v.free[:n])
	v.free = v.free[n:]
	for i, c := range chain {
		v.next[c] = fatEnd
		if i+1 < n {
			v.next[c] = chain[i+1]
		}
	}
	return chain
}

// scatter changes the order of the clusters that are not given out yet.
func (v *fatVolume) scatter() {
	if v.Fragmented {
		near := v.free[:min(len(v.free), 3000)]
		rand.New(rand.NewPCG(5, 6)).Shuffle(len(near), func(i, j int) { near[i], near[j] = near[j], near[i] })
	}
}

func (v *fatVolume) write(chain []uint32, data []byte) {
	for _, c := range chain {
		data = data[copy(v.disk[v.heap+int(c-2)*v.Cluster:][:v.Cluster], data):]
	}
}

func fatFirst(chain []uint32) uint32 {
	if len(chain) == 0 {
		return 0
	}
	return chain[0]
}

// writeTables writes the numbers of all clusters to each table. The first one is nonsense if only the second is kept.
func (v *fatVolume) writeTables(at, size, tables int) {
	media := uint32(0xFFFFFFF8)
	v.next[0], v.next[1] = media, fatEnd
	for i := range tables {
		t := v.disk[at+i*size:][:size]
		if v.Second && i == 0 {
			for j := range t {
				t[j] = byte(j * 7)
			}
			continue
		}
		for c, n := range v.next {
			switch v.bits {
			case 12:
				b := t[c*3/2:]
				both := uint16(n&0xFFF) << (4 * (c & 1))
				binary.LittleEndian.PutUint16(b, binary.LittleEndian.Uint16(b)|both)
			case 16:
				binary.LittleEndian.PutUint16(t[2*c:], uint16(n))
			case 32:
				binary.LittleEndian.PutUint32(t[4*c:], n&0x0FFFFFFF)
			default:
				binary.LittleEndian.PutUint32(t[4*c:], n)
			}
		}
	}
}

// FAT returns a volume of FAT12, FAT16 or FAT32, by bits, with the files and folders of a file system. Names that are not of 8.3 capital letters
// get a long name, those of 8.3 small letters the mark of Windows NT. It has 2,000, 4,200 or 65,600 clusters.
func FAT(bits int, files fs.FS, o FATOptions) []byte {
	o = o.defaults()
	clusters := map[int]int{12: 2000, 16: 4200, 32: 65600}[bits]
	tables, reserved, rootEntries := 2, 4, 512
	if o.OneTable {
		tables = 1
	}
	if bits == 32 {
		reserved, rootEntries = 32, 0
	}
	length := (((clusters+2)*bits+7)/8 + o.Sector - 1) / o.Sector
	first := reserved + tables*length + rootEntries*32/o.Sector
	v := newFAT(o, bits, clusters, first)

	b := v.disk
	le := binary.LittleEndian
	copy(b, "\xeb\x58\x90MSWIN4.0")
	le.PutUint16(b[11:], uint16(o.Sector))
	b[13] = byte(o.Cluster / o.Sector)
	le.PutUint16(b[14:], uint16(reserved))
	b[16], b[21], b[24], b[26] = byte(tables), 0xF8, 32, 64 // and a geometry, without which mtools read nothing
	le.PutUint16(b[17:], uint16(rootEntries))
	le.PutUint32(b[32:], uint32(len(v.disk)/o.Sector))
	extra := b[36:]
	if bits == 32 {
		le.PutUint32(b[36:], uint32(length))
		if o.Second {
			le.PutUint16(b[40:], 0x81)
		}
		le.PutUint32(b[44:], 2)
		le.PutUint16(b[48:], 1)
		le.PutUint16(b[50:], 6)
		extra = b[64:]
	} else {
		le.PutUint16(b[22:], uint16(length))
	}
	extra[0], extra[2] = 0x80, 0x29
	le.PutUint32(extra[3:], o.Serial)
	copy(extra[7:], "NO NAME    ")
	if o.Label != "" {
		copy(extra[7:], fatPadded(o.Label, 11))
	}
	copy(extra[18:], map[int]string{12: "FAT12   ", 16: "FAT16   ", 32: "FAT32   "}[bits])
	b[510], b[511] = 0x55, 0xAA
	if bits == 32 {
		info := b[o.Sector:]
		copy(info, "RRaA")
		copy(info[484:], "rrAa\xff\xff\xff\xff\xff\xff\xff\xff")
		info[510], info[511] = 0x55, 0xAA
		copy(b[6*o.Sector:], b[:512])
	}

	var root []byte
	if o.Label != "" {
		e := v.entry(fatPadded(o.Label, 11), 0x08, 0, 0)
		root = append(root, e...)
	}
	if bits == 32 {
		size := len(root) + v.directorySize(files, ".") - 64
		chain := v.allocate(min(size, o.Cluster))
		v.scatter()
		rest := v.allocate(max(size-o.Cluster, 0))
		if len(rest) > 0 {
			v.next[chain[0]] = rest[0]
		}
		root = append(root, v.fatDirectory(files, ".", 0)...)
		v.write(append(chain, rest...), root)
	} else {
		v.scatter()
		root = append(root, v.fatDirectory(files, ".", 0)...)
		copy(b[v.heap-rootEntries*32:], root)
	}
	if bits == 32 {
		le.PutUint32(b[o.Sector+488:], uint32(len(v.free)))
	}
	v.writeTables(reserved*o.Sector, length*o.Sector, tables)
	return v.disk
}

func fatPadded(s string, n int) string { return (s + strings.Repeat(" ", n))[:n] }

// entry returns a short entry.
func (v *fatVolume) entry(name string, attr byte, first uint32, size int) []byte {
	e := make([]byte, 32)
	copy(e, name)
	e[11] = attr
	le := binary.LittleEndian
	t := v.modTime
	le.PutUint16(e[22:], uint16(t.Hour()<<11|t.Minute()<<5|t.Second()/2))
	le.PutUint16(e[24:], uint16((t.Year()-1980)<<9|int(t.Month())<<5|t.Day()))
	le.PutUint16(e[26:], uint16(first))
	if v.bits == 32 {
		le.PutUint16(e[20:], uint16(first>>16))
	}
	le.PutUint32(e[28:], uint32(size))
	return e
}

// directorySize returns the bytes of a directory that is not the root, and at least one for its end.
func (v *fatVolume) directorySize(files fs.FS, dir string) int {
	n := 3
	for i, f := range fatList(files, dir) {
		_, _, parts := fatShortName(f.Name(), i)
		n += 1 + parts
	}
	return 32 * n
}

func fatList(files fs.FS, dir string) []fs.DirEntry {
	list, err := fs.ReadDir(files, dir)
	if err != nil {
		panic(err)
	}
	return list
}

func fatContent(files fs.FS, name string) []byte {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	return data
}

func fatPath(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// fatDirectory writes what is in a directory, and returns its entries. Itself is its first cluster, 0 for the root.
func (v *fatVolume) fatDirectory(files fs.FS, dir string, itself uint32) []byte {
	var entries []byte
	for i, f := range fatList(files, dir) {
		short, lower, parts := fatShortName(f.Name(), i)
		if parts > 0 {
			entries = append(entries, fatLongName(f.Name(), short)...)
		}
		path := fatPath(dir, f.Name())
		var e []byte
		if f.IsDir() {
			chain := v.allocate(v.directorySize(files, path))
			dots := append(v.entry(fatPadded(".", 11), 0x10, chain[0], 0), v.entry(fatPadded("..", 11), 0x10, itself, 0)...)
			v.write(chain, append(dots, v.fatDirectory(files, path, chain[0])...))
			e = v.entry(short, 0x10, chain[0], 0)
		} else {
			data := fatContent(files, path)
			chain := v.allocate(len(data))
			v.write(chain, data)
			e = v.entry(short, 0x20, fatFirst(chain), len(data))
		}
		e[12] = lower
		entries = append(entries, e...)
	}
	return entries
}

// fatShortName returns the short name of a file, the i-th of its directory, the marks of small letters, and the entries of its long name if it
// needs one.
func fatShortName(name string, i int) (short string, lower byte, parts int) {
	base, ext, _ := strings.Cut(name, ".")
	plain := func(s string) bool {
		return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-~$") == ""
	}
	one := func(s string) bool { return s == strings.ToUpper(s) || s == strings.ToLower(s) }
	if base != "" && len(base) <= 8 && len(ext) <= 3 && plain(base) && plain(ext) && one(base) && one(ext) {
		if base != strings.ToUpper(base) {
			lower |= 0x08
		}
		if ext != strings.ToUpper(ext) {
			lower |= 0x10
		}
		return fatPadded(strings.ToUpper(base), 8) + fatPadded(strings.ToUpper(ext), 3), lower, 0
	}
	var letters []rune
	for _, r := range strings.ToUpper(base) {
		if plain(string(r)) && len(letters) < 4 {
			letters = append(letters, r)
		}
	}
	if !plain(ext) {
		ext = ""
	}
	number := string(rune('0'+i/100%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
	return fatPadded(string(letters)+"~"+number, 8) + fatPadded(strings.ToUpper(ext), 3), 0, (len(utf16.Encode([]rune(name))) + 12) / 13
}

func fatLongName(name, short string) []byte {
	var sum byte
	for i := range 11 {
		sum = sum>>1 + sum<<7 + short[i]
	}
	units := utf16.Encode([]rune(name))
	parts := (len(units) + 12) / 13
	if len(units)%13 != 0 {
		units = append(units, 0)
	}
	for len(units)%13 != 0 {
		units = append(units, 0xFFFF)
	}
	var entries []byte
	for part := parts; part > 0; part-- {
		e := make([]byte, 32)
		e[0], e[11], e[13] = byte(part), 0x0F, sum
		if part == parts {
			e[0] |= 0x40
		}
		u := units[13*(part-1):][:13]
		for i, at := range []int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30} {
			binary.LittleEndian.PutUint16(e[at:], u[i])
		}
		entries = append(entries, e...)
	}
	return entries
}
