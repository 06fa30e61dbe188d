package imagetest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"
)

// VHDX is a disk to write as a VHDX.
type VHDX struct {
	Content []byte      // whole sectors
	Sector  int         // bytes; 0 for 512
	Block   int         // bytes of a block; 0 for 1 MB
	ID      byte        // makes the identifiers
	Parent  *VHDX       // what the disk has in common with it is left out, by sectors
	Name    string      // the path of the parent
	States  map[int]int // of blocks, in the BAT, if they are other than the content needs: the block is not written
	Log     VHDXLog
}

// VHDXLog is what of the file is left to the log.
type VHDXLog int

const (
	Closed   VHDXLog = iota // nothing: the log is empty
	Unclosed                // the BAT: the log changes it in three entries, of which the second and the third are in use
	Torn                    // and a fourth entry was not written to its end
)

const (
	mb           = 1 << 20
	vhdxLogAt    = 1 * mb
	vhdxMetaAt   = 2 * mb
	vhdxBATAt    = 3 * mb
	vhdxBlocksAt = 4 * mb
)

// Offsets of the structures in the file, for tests that damage them.
const (
	VHDXHeaders = 64 << 10
	VHDXRegions = 192 << 10
	VHDXLogRing = vhdxLogAt
	VHDXMeta    = vhdxMetaAt
	VHDXBAT     = vhdxBATAt
	VHDXBlocks  = vhdxBlocksAt
)

var le = binary.LittleEndian

func (v VHDX) dataWrite() string { return fmt.Sprintf("%08x-0000-0000-0000-0000000000dd", int(v.ID)+1) }

// Bytes returns the file.
func (v VHDX) Bytes() []byte {
	if v.Sector == 0 {
		v.Sector = sector
	}
	if v.Block == 0 {
		v.Block = mb
	}
	bat, blocks := v.blocks()
	file := make([]byte, vhdxBlocksAt, vhdxBlocksAt+len(blocks))
	file = append(file, blocks...)
	copy(file, "vhdxfile")
	copy(file[8:], utf16le("imagetest"))
	copy(file[vhdxMetaAt:], v.metadata())
	copy(file[VHDXRegions:], vhdxRegions())
	copy(file[VHDXRegions+64<<10:], vhdxRegions())
	logID := ""
	if v.Log == Closed {
		copy(file[vhdxBATAt:], bat)
	} else {
		logID = fmt.Sprintf("%08x-0000-0000-0000-000000000106", int(v.ID)+1)
		copy(file[vhdxBATAt:], bytes.Repeat([]byte{0x5a}, len(bat))) // what a change was half made of
		v.writeLog(file, bat, logID)
	}
	for i := range 2 {
		copy(file[VHDXHeaders+i<<16:], v.header(uint64(7+i), logID))
	}
	return file
}

// blocks returns the BAT, and what follows in the file from vhdxBlocksAt on.
func (v VHDX) blocks() (bat, data []byte) {
	n := (len(v.Content) + v.Block - 1) / v.Block
	ratio := v.Sector << 23 / v.Block
	chunks := (n + ratio - 1) / ratio
	bat = make([]byte, roundUp(8*chunks*(ratio+1), 4096))
	place := func() uint64 { return uint64(vhdxBlocksAt+len(data)) / mb << 20 }
	var bitmaps [][]byte
	if v.Parent != nil {
		for c := range chunks {
			le.PutUint64(bat[8*(c*(ratio+1)+ratio):], place()|6)
			bitmaps = append(bitmaps, make([]byte, mb))
			data = append(data, bitmaps[c]...)
		}
	}
	for b := range n {
		content := v.Content[b*v.Block : min(len(v.Content), (b+1)*v.Block)]
		entry := bat[8*(b+b/ratio):]
		written := 0
		for i := 0; i < len(content); i += v.Sector {
			was := make([]byte, v.Sector)
			if at := b*v.Block + i; v.Parent != nil && at+v.Sector <= len(v.Parent.Content) {
				was = v.Parent.Content[at:][:v.Sector]
			}
			if !bytes.Equal(content[i:][:v.Sector], was) {
				written++
				if v.Parent != nil {
					s := (b%ratio*v.Block + i) / v.Sector
					data[b/ratio*mb+s/8] |= 1 << (s % 8)
				}
			}
		}
		state, given := v.States[b]
		switch {
		case given:
			le.PutUint64(entry, uint64(state))
			continue
		case written == 0:
			continue
		case v.Parent != nil && written < len(content)/v.Sector:
			state = 7
		default:
			state = 6
		}
		le.PutUint64(entry, place()|uint64(state))
		data = append(data, content...)
		data = append(data, make([]byte, v.Block-len(content))...)
	}
	return bat, data
}

func (v VHDX) header(sequence uint64, logID string) []byte {
	h := make([]byte, 4096)
	copy(h, "head")
	le.PutUint64(h[8:], sequence)
	copy(h[16:], guid(fmt.Sprintf("%08x-0000-0000-0000-0000000000ff", int(v.ID)+1)))
	copy(h[32:], guid(v.dataWrite()))
	if logID != "" {
		copy(h[48:], guid(logID))
	}
	le.PutUint16(h[66:], 1)
	le.PutUint32(h[68:], mb)
	le.PutUint64(h[72:], vhdxLogAt)
	return sum32c(h)
}

func vhdxRegions() []byte {
	t := make([]byte, 64<<10)
	copy(t, "regi")
	le.PutUint32(t[8:], 2)
	for i, r := range []struct {
		id string
		at int
	}{{"2dc27766-f623-4200-9d64-115e9bfd4a08", vhdxBATAt}, {"8b7ca206-4790-4b9a-b8fe-575f050f886e", vhdxMetaAt}} {
		e := t[16+32*i:]
		copy(e, guid(r.id))
		le.PutUint64(e[16:], uint64(r.at))
		le.PutUint32(e[24:], mb)
		le.PutUint32(e[28:], 1)
	}
	return sum32c(t)
}

func (v VHDX) metadata() []byte {
	const isDisk, isRequired = 2, 4
	u32, u64 := le.AppendUint32, le.AppendUint64
	parameters := u32(nil, uint32(v.Block))
	if v.Parent != nil {
		parameters = u32(parameters, 2)
	} else {
		parameters = u32(parameters, 0)
	}
	items := []struct {
		id    string
		flags uint32
		data  []byte
	}{
		{"caa16737-fa36-4d43-b3b6-33f0aa44e76b", isRequired, parameters},
		{"2fa54224-cd1b-4876-b211-5dbed83bf4b8", isRequired | isDisk, u64(nil, uint64(len(v.Content)))},
		{"beca12ab-b2e6-4523-93ef-c309e000c746", isRequired | isDisk, guid("00000000-0000-0000-0000-0000000000d1")},
		{"8141bf1d-a96f-4709-ba47-f233a8faab5f", isRequired | isDisk, u32(nil, uint32(v.Sector))},
		{"cda348c7-445d-4471-9cc9-e9885251c556", isRequired | isDisk, u32(nil, 4096)},
	}
	if v.Parent != nil {
		items = append(items, items[0])
		last := &items[len(items)-1]
		last.id, last.data = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c", v.locator()
	}
	m := make([]byte, 128<<10)
	copy(m, "metadata")
	le.PutUint16(m[10:], uint16(len(items)))
	at := 64 << 10
	for i, item := range items {
		e := m[32+32*i:]
		copy(e, guid(item.id))
		le.PutUint32(e[16:], uint32(at))
		le.PutUint32(e[20:], uint32(len(item.data)))
		le.PutUint32(e[24:], item.flags)
		at += copy(m[at:], item.data)
	}
	return m
}

func (v VHDX) locator() []byte {
	pairs := [][2]string{{"parent_linkage", "{" + v.Parent.dataWrite() + "}"}, {"relative_path", `.\` + v.Name}, {"absolute_win32_path", `C:\vm\` + v.Name}}
	l := append(guid("b04aefb7-d19e-4a81-b789-25b8e9445913"), 0, 0, byte(len(pairs)), 0)
	texts := make([]byte, 0, 512)
	for _, p := range pairs {
		key, value := utf16le(p[0]), utf16le(p[1])
		at := uint32(20 + 12*len(pairs) + len(texts))
		l = le.AppendUint32(l, at)
		l = le.AppendUint32(l, at+uint32(len(key)))
		l = le.AppendUint16(l, uint16(len(key)))
		l = le.AppendUint16(l, uint16(len(value)))
		texts = append(append(texts, key...), value...)
	}
	return append(l, texts...)
}

// writeLog writes entries into the ring, so that they go over its end: one that is done; one with a run of zeros over the place of the BAT, and
// one with its sectors; and perhaps one of which only the first sector was written.
func (v VHDX) writeLog(file, bat []byte, id string) {
	const first = 100
	place := mb - 3*4096 // in the ring
	tail := place
	for i, e := range []struct {
		zero bool
		data []byte
	}{{true, bat[:4096]}, {true, nil}, {false, bat}, {true, bytes.Repeat([]byte{0xee}, 4096)}} {
		entry := logEntry(id, uint64(first+i), tail, len(file), e.zero, e.data)
		if i == 0 {
			tail = place + len(entry)
		}
		if i == 3 {
			if v.Log != Torn {
				break
			}
			entry = entry[:4096]
		}
		for n := 0; n < len(entry); n += 4096 {
			copy(file[vhdxLogAt+(place+n)%mb:], entry[n:][:4096])
		}
		place = (place + len(entry)) % mb
		tail %= mb
	}
}

// logEntry returns an entry that makes the place of the BAT zero, and then writes data there.
func logEntry(id string, sequence uint64, tail, size int, zero bool, data []byte) []byte {
	e := make([]byte, 4096)
	n := 0
	descriptor := func() []byte {
		d := e[64+32*n:]
		n++
		le.PutUint64(d[16:], vhdxBATAt)
		le.PutUint64(d[24:], sequence)
		return d
	}
	if zero {
		d := descriptor()
		copy(d, "zero")
		le.PutUint64(d[8:], mb)
	}
	for at := 0; at < len(data); at += 4096 {
		d, page := descriptor(), bytes.Clone(data[at:][:4096])
		copy(d, "desc")
		copy(d[4:8], page[4092:])
		copy(d[8:16], page)
		le.PutUint64(d[16:], uint64(vhdxBATAt+at))
		copy(page, "data")
		le.PutUint32(page[4:], uint32(sequence>>32))
		le.PutUint32(page[4092:], uint32(sequence))
		e = append(e, page...)
	}
	copy(e, "loge")
	le.PutUint32(e[8:], uint32(len(e)))
	le.PutUint32(e[12:], uint32(tail))
	le.PutUint64(e[16:], sequence)
	le.PutUint32(e[24:], uint32(n))
	copy(e[32:], guid(id))
	le.PutUint64(e[48:], uint64(size))
	le.PutUint64(e[56:], uint64(size))
	return sum32c(e)
}

// sum32c sets the checksum of a structure behind its signature.
func sum32c(data []byte) []byte {
	le.PutUint32(data[4:], crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	return data
}

// SealVHDX sets the checksums of a file that was changed: of the headers, the tables of regions, and what is signed as an entry of the log.
func SealVHDX(file []byte) {
	for i := range 2 {
		reseal(file[VHDXHeaders+i<<16:][:4096])
		reseal(file[VHDXRegions+i<<16:][:64<<10])
	}
	ring := file[vhdxLogAt:][:mb]
	for at := 0; at < mb; at += 4096 {
		if size := int(le.Uint32(ring[at+8:])); string(ring[at:][:4]) == "loge" && size >= 64 && size <= mb {
			entry := append(bytes.Clone(ring[at:]), ring[:at]...)[:size]
			reseal(entry)
			copy(ring[at+4:][:4], entry[4:])
		}
	}
}

func reseal(data []byte) {
	clear(data[4:8])
	sum32c(data)
}

// guid returns a GUID as it is stored.
func guid(s string) []byte {
	b, _ := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	le.PutUint32(b, binary.BigEndian.Uint32(b))
	le.PutUint16(b[4:], binary.BigEndian.Uint16(b[4:]))
	le.PutUint16(b[6:], binary.BigEndian.Uint16(b[6:]))
	return b
}
