package imagetest

import (
	"encoding/binary"
	"io/fs"
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf16"
)

// ExFAT returns an exFAT volume of 2,000 clusters with the files and folders of a file system. Those that are not fragmented are in one piece and
// need no table. The table of capital letters knows those of Latin-1.
func ExFAT(files fs.FS, o FATOptions) []byte {
	o = o.defaults()
	const clusters = 2000
	tables := 1
	if o.Second {
		tables = 2
	}
	length := ((clusters+2)*4 + o.Sector - 1) / o.Sector
	heap := 24 + tables*length
	v := newFAT(o, 64, clusters, heap)
	le := binary.LittleEndian

	bitmap := v.allocate((clusters + 7) / 8)
	upcase := exUpcase()
	letters := v.allocate(len(upcase))
	v.write(letters, upcase)
	root := make([]byte, 96)
	root[0] = 0x83
	root[1] = byte(exText(root[2:], o.Label))
	root[32] = 0x81
	le.PutUint32(root[32+20:], bitmap[0])
	le.PutUint64(root[32+24:], (clusters+7)/8)
	root[64] = 0x82
	le.PutUint32(root[64+4:], exChecksum(upcase, nil))
	le.PutUint32(root[64+20:], letters[0])
	le.PutUint64(root[64+24:], uint64(len(upcase)))
	v.scatter()
	chain := v.allocate(len(root) + exDirectorySize(files, ".") + 32)
	v.write(chain, append(root, v.exDirectory(files, ".")...))

	used := make([]byte, (clusters+7)/8)
	for c, next := range v.next[2:] {
		if next != 0 {
			used[c/8] |= 1 << (c % 8)
		}
	}
	v.write(bitmap, used)
	if !o.Fragmented { // pieces without a table are only in the bitmap
		for c := range v.next {
			if !slices.Contains(slices.Concat(bitmap, letters, chain), uint32(c)) {
				v.next[c] = 0
			}
		}
	}
	v.writeTables(24*o.Sector, length*o.Sector, tables)

	b := v.disk
	copy(b, "\xeb\x76\x90EXFAT   ")
	le.PutUint64(b[72:], uint64(len(v.disk)/o.Sector))
	le.PutUint32(b[80:], 24)
	le.PutUint32(b[84:], uint32(length))
	le.PutUint32(b[88:], uint32(heap))
	le.PutUint32(b[92:], clusters)
	le.PutUint32(b[96:], chain[0])
	le.PutUint32(b[100:], o.Serial)
	b[105] = 1
	if o.Second {
		b[106] = 1
	}
	b[108], b[109] = byte(bits.TrailingZeros(uint(o.Sector))), byte(bits.TrailingZeros(uint(o.Cluster/o.Sector)))
	b[110], b[111], b[112] = byte(tables), 0x80, 0xFF
	b[510], b[511] = 0x55, 0xAA
	for i := 1; i <= 8; i++ {
		copy(b[(i+1)*o.Sector-2:], "\x55\xaa")
	}
	sum := exChecksum(b[:11*o.Sector], func(i int) bool { return i == 106 || i == 107 || i == 112 })
	for i := 11 * o.Sector; i < 12*o.Sector; i += 4 {
		le.PutUint32(b[i:], sum)
	}
	copy(b[12*o.Sector:], b[:12*o.Sector])
	return v.disk
}

// exUpcase returns the capital of each UTF-16 unit, with FFFF and a number for so many that are their own.
func exUpcase() []byte {
	var t []byte
	same := 0
	flush := func() {
		if same > 0 {
			t = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(t, 0xFFFF), uint16(same))
		}
		same = 0
	}
	for u := range rune(0xFFFF) {
		if upper := unicode.ToUpper(u); u < 0x100 && upper < 0x100 && upper != u {
			flush()
			t = binary.LittleEndian.AppendUint16(t, uint16(upper))
			continue
		}
		same++
	}
	same++ // FFFF itself
	flush()
	return t
}

func exChecksum(b []byte, skip func(i int) bool) uint32 {
	var sum uint32
	for i, c := range b {
		if skip == nil || !skip(i) {
			sum = sum<<31 + sum>>1 + uint32(c)
		}
	}
	return sum
}

// exText writes text in UTF-16 and returns its units.
func exText(b []byte, s string) int {
	units := utf16.Encode([]rune(s))
	for i, u := range units {
		binary.LittleEndian.PutUint16(b[2*i:], u)
	}
	return len(units)
}

// exDirectorySize returns the bytes of the sets of entries in a directory.
func exDirectorySize(files fs.FS, dir string) int {
	n := 0
	for _, f := range fatList(files, dir) {
		n += 2 + (len(utf16.Encode([]rune(f.Name())))+14)/15
	}
	return 32 * n
}

// exDirectory writes what is in a directory, and returns its entries.
func (v *fatVolume) exDirectory(files fs.FS, dir string) []byte {
	var entries []byte
	for _, f := range fatList(files, dir) {
		path := fatPath(dir, f.Name())
		if !f.IsDir() {
			data := fatContent(files, path)
			chain := v.allocate(len(data))
			v.write(chain, data)
			valid := len(data)
			if v.Valid != nil {
				valid = v.Valid(path, len(data))
			}
			entries = append(entries, v.exSet(f.Name(), 0x20, fatFirst(chain), len(data), valid)...)
			continue
		}
		chain := v.allocate(exDirectorySize(files, path) + 32)
		v.write(chain, v.exDirectory(files, path))
		size := len(chain) * v.Cluster
		entries = append(entries, v.exSet(f.Name(), 0x10, chain[0], size, size)...)
	}
	return entries
}

// exSet returns the set of entries of a file or directory.
func (v *fatVolume) exSet(name string, attr uint16, first uint32, size, valid int) []byte {
	units := utf16.Encode([]rune(name))
	parts := (len(units) + 14) / 15
	set := make([]byte, 32*(2+parts))
	le := binary.LittleEndian
	set[0], set[1] = 0x85, byte(1+parts)
	le.PutUint16(set[4:], attr)
	t := v.modTime
	stamp := uint32(t.Year()-1980)<<25 | uint32(t.Month())<<21 | uint32(t.Day())<<16 | uint32(t.Hour())<<11 | uint32(t.Minute())<<5 | uint32(t.Second()/2)
	for _, at := range []int{8, 12, 16} {
		le.PutUint32(set[at:], stamp)
	}
	set[22], set[23], set[24] = 0x80, 0x80, 0x80
	stream := set[32:]
	stream[0], stream[1], stream[3] = 0xC0, 1, byte(len(units))
	if !v.Fragmented {
		stream[1] |= 2
	}
	if size == 0 {
		stream[1] = 1
	}
	var hash uint16
	for _, u := range units {
		if upper := unicode.ToUpper(rune(u)); u < 0x100 && upper < 0x100 {
			u = uint16(upper)
		}
		hash = hash<<15 + hash>>1 + u&0xFF
		hash = hash<<15 + hash>>1 + u>>8
	}
	le.PutUint16(stream[4:], hash)
	le.PutUint64(stream[8:], uint64(valid))
	le.PutUint32(stream[20:], first)
	le.PutUint64(stream[24:], uint64(size))
	for i := range parts {
		e := set[64+32*i:]
		e[0] = 0xC1
		for j, u := range units[15*i : min(15*i+15, len(units))] {
			le.PutUint16(e[2+2*j:], u)
		}
	}
	var sum uint16
	for i, c := range set {
		if i != 2 && i != 3 {
			sum = sum<<15 + sum>>1 + uint16(c)
		}
	}
	le.PutUint16(set[2:], sum)
	return set
}
