package imagetest

import (
	"bytes"
	"math/bits"
	"unicode"
	"unicode/utf16"
)

// upcase makes the table of upper-case letters: that of Unicode, not that of any Windows.
func (w *ntfsWriter) upcase() {
	for i := range w.up {
		w.up[i] = uint16(i)
		u := unicode.ToUpper(rune(i))
		if u < 1<<16 && (i < 0x80) == (u < 0x80) && unicode.ToUpper(u) == u && !utf16.IsSurrogate(rune(i)) {
			w.up[i] = uint16(u)
		}
	}
}

// system makes the files of the volume itself.
func (w *ntfsWriter) system() {
	const root = 5
	names := []string{"$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus", "$Secure", "$UpCase", "$Extend"}
	for i := range 24 {
		w.add(nil, i == root || i == 11)
	}
	for i, e := range w.entries {
		e.parent = w.entries[root]
		switch {
		case i < len(names):
			e.standard()
			e.name(w.entries[root], names[i], 3)
		case i < 16:
			e.standard()
			e.attributes = append(e.attributes, ntfsAttribute{kind: ntfsData})
		default:
			e.unused = true
		}
	}
	give := func(number int, a ...ntfsAttribute) {
		w.entries[number].attributes = append(w.entries[number].attributes, a...)
	}
	give(7, w.mapped(ntfsData, "", w.take(w.clusters(8192), 1), 8192))
	mirror := 4 * w.Record
	give(1, w.mapped(ntfsData, "", w.take(w.clusters(mirror), 1), mirror))
	give(2, w.outside(ntfsData, "", w.log(), 1))
	info := []byte{8: 3, 9: 1, 10: 0, 11: 0}
	if w.Dirty {
		info[10] = 1
	}
	give(3, ntfsAttribute{kind: ntfsVolumeName, value: ntfsText(w.Label)}, ntfsAttribute{kind: ntfsVolumeInfo, value: info}, ntfsAttribute{kind: ntfsData})
	give(4, w.outside(ntfsData, "", ntfsDefinitions(), 1))
	give(6, w.mapped(ntfsData, "", w.take(w.clusters((len(w.used)+63)/64*8), 1), (len(w.used)+63)/64*8))
	bad := w.mapped(ntfsData, "$Bad", []ntfsRun{{len(w.used), -1}}, len(w.used)*w.Cluster)
	bad.valid = 0
	give(8, ntfsAttribute{kind: ntfsData}, bad)
	give(9, ntfsAttribute{kind: ntfsData, name: "$SDS"}, w.viewIndex("$SDH", 0x12), w.viewIndex("$SII", 0x10))
	var table []byte
	for _, u := range w.up {
		table = ntfsLE.AppendUint16(table, u)
	}
	give(10, w.outside(ntfsData, "", table, 1))
}

// log returns $LogFile: one that was never used, or one of two restart pages, of which the second is newer and tells that it is in use.
func (w *ntfsWriter) log() []byte {
	const page = 4096
	raw := bytes.Repeat([]byte{0xFF}, 64<<10)
	if !w.LogInUse {
		return raw
	}
	for i, client := range []uint16{0xFFFF, 0} {
		restart := raw[i*page : (i+1)*page]
		clear(restart)
		copy(restart, "RSTR")
		ntfsLE.PutUint32(restart[0x10:], page)
		ntfsLE.PutUint32(restart[0x14:], page)
		ntfsLE.PutUint16(restart[0x18:], 0x30)
		ntfsLE.PutUint16(restart[0x1C:], 1)
		area := restart[0x30:]
		ntfsLE.PutUint64(area, uint64(1000+i))
		ntfsLE.PutUint16(area[8:], 1)
		ntfsLE.PutUint16(area[10:], 0xFFFF)
		ntfsLE.PutUint16(area[12:], client)
		ntfsProtect(restart, 0x1E)
	}
	return raw
}

// ntfsDefinitions returns $AttrDef: names, types and limits of attributes.
func ntfsDefinitions() []byte {
	var raw []byte
	for _, d := range []struct {
		name                 string
		kind, collate, flags uint32
		least, most          uint64
	}{
		{"$STANDARD_INFORMATION", 0x10, 0, 0x40, 48, 72}, {"$ATTRIBUTE_LIST", 0x20, 0, 0x80, 0, 1<<64 - 1}, {"$FILE_NAME", 0x30, 1, 0x42, 68, 578},
		{"$OBJECT_ID", 0x40, 0, 0x40, 0, 256}, {"$SECURITY_DESCRIPTOR", 0x50, 0, 0x80, 0, 1<<64 - 1}, {"$VOLUME_NAME", 0x60, 0, 0x40, 2, 256},
		{"$VOLUME_INFORMATION", 0x70, 0, 0x40, 12, 12}, {"$DATA", 0x80, 0, 0, 0, 1<<64 - 1}, {"$INDEX_ROOT", 0x90, 0, 0x40, 0, 1<<64 - 1},
		{"$INDEX_ALLOCATION", 0xA0, 0, 0x80, 0, 1<<64 - 1}, {"$BITMAP", 0xB0, 0, 0x80, 0, 1<<64 - 1}, {"$REPARSE_POINT", 0xC0, 0, 0x80, 0, 16 << 10},
		{"$EA_INFORMATION", 0xD0, 0, 0x40, 8, 8}, {"$EA", 0xE0, 0, 0, 0, 64 << 10}, {"$LOGGED_UTILITY_STREAM", 0x100, 0, 0x80, 0, 64 << 10},
	} {
		entry := make([]byte, 160)
		copy(entry, ntfsText(d.name))
		ntfsLE.PutUint32(entry[128:], d.kind)
		ntfsLE.PutUint32(entry[136:], d.collate)
		ntfsLE.PutUint32(entry[140:], d.flags)
		ntfsLE.PutUint64(entry[144:], d.least)
		ntfsLE.PutUint64(entry[152:], d.most)
		raw = append(raw, entry...)
	}
	return append(raw, make([]byte, 160)...)
}

// writeBitmap writes $Bitmap: which clusters are in use. Those behind the volume are.
func (w *ntfsWriter) writeBitmap() {
	raw := make([]byte, (len(w.used)+63)/64*8)
	for i := range 8 * len(raw) {
		if i >= len(w.used) || w.used[i] {
			raw[i/8] |= 1 << (i % 8)
		}
	}
	w.put(w.runsOf(6), raw)
}

// writeBoot writes the boot sector, and its copy behind the volume.
func (w *ntfsWriter) writeBoot(mft int) {
	raw := w.image[:w.Sector]
	copy(raw, "\xEB\x52\x90NTFS    ")
	ntfsLE.PutUint16(raw[0x0B:], uint16(w.Sector))
	raw[0x0D] = ntfsClusters(w.Cluster, w.Sector, 128)
	raw[0x15] = 0xF8
	ntfsLE.PutUint32(raw[0x24:], 0x00800080)
	ntfsLE.PutUint64(raw[0x28:], uint64(w.Size/w.Sector))
	ntfsLE.PutUint64(raw[0x30:], uint64(mft))
	ntfsLE.PutUint64(raw[0x38:], uint64(w.runsOf(1)[0].lcn))
	raw[0x40], raw[0x44] = ntfsPower(w.Record, w.Cluster), ntfsPower(w.Index, w.Cluster)
	ntfsLE.PutUint64(raw[0x48:], w.Serial)
	raw[510], raw[511] = 0x55, 0xAA
	copy(w.image[w.Size:], raw)
}

// ntfsClusters returns how many sectors a cluster has; if more than most, as a negative power of two.
func ntfsClusters(size, unit, most int) byte {
	n := size / unit
	if n <= most {
		return byte(n)
	}
	return byte(256 - bits.Len(uint(n)) + 1)
}

// ntfsPower returns the size of a record in clusters, or, if it is smaller than one, as a negative power of two.
func ntfsPower(size, cluster int) byte {
	if size >= cluster {
		return byte(size / cluster)
	}
	return byte(256 - bits.Len(uint(size)) + 1)
}
