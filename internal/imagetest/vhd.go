package imagetest

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// VHD is a disk to write as a VHD.
type VHD struct {
	Content []byte // whole sectors of 512 bytes
	Fixed   bool   // not dynamic
	Block   int    // bytes of a block; 0 for 64 KiB
	ID      byte   // makes the identifier
	Parent  *VHD   // what the disk has in common with it is left out, by sectors
	Name    string // the path of the parent
}

const sector = 512

// sparse are the sectors of a block that are not written, because they are zero or the parent has them.
func (v VHD) isWritten(at int) bool {
	was := make([]byte, sector)
	if v.Parent != nil && at+sector <= len(v.Parent.Content) {
		was = v.Parent.Content[at:][:sector]
	}
	return !bytes.Equal(v.Content[at:][:sector], was)
}

// Bytes returns the file.
func (v VHD) Bytes() []byte {
	const headerAt, tableAt = 512, 512 + 1024
	if v.Block == 0 {
		v.Block = 64 << 10
	}
	if v.Fixed {
		return append(bytes.Clone(v.Content), v.footer(2, 1<<64-1)...)
	}
	kind := uint32(3)
	if v.Parent != nil {
		kind = 4
	}
	blocks := (len(v.Content) + v.Block - 1) / v.Block
	table := bytes.Repeat([]byte{0xff}, roundUp(4*blocks, sector))
	locator := utf16le(v.Name)
	data := tableAt + len(table)
	var body []byte
	if v.Parent != nil {
		body = append(body, make([]byte, sector)...)
		copy(body, locator)
	}
	for n := range blocks {
		bitmap := make([]byte, roundUp(v.Block/sector/8, sector))
		block := make([]byte, v.Block)
		used := false
		for i := 0; i < v.Block/sector && n*v.Block+i*sector < len(v.Content); i++ {
			if at := n*v.Block + i*sector; v.isWritten(at) {
				used = true
				bitmap[i/8] |= 0x80 >> (i % 8)
				copy(block[i*sector:], v.Content[at:][:sector])
			}
		}
		if used {
			binary.BigEndian.PutUint32(table[4*n:], uint32((data+len(body))/sector))
			body = append(append(body, bitmap...), block...)
		}
	}
	header := make([]byte, 1024)
	be := binary.BigEndian
	copy(header, "cxsparse")
	be.PutUint64(header[8:], 1<<64-1)
	be.PutUint64(header[16:], tableAt)
	be.PutUint32(header[24:], 0x10000)
	be.PutUint32(header[28:], uint32(blocks))
	be.PutUint32(header[32:], uint32(v.Block))
	if v.Parent != nil {
		copy(header[40:], v.Parent.id())
		for i, unit := range utf16.Encode([]rune(v.Name)) {
			be.PutUint16(header[64+2*i:], unit)
		}
		copy(header[576:], "W2ku")
		be.PutUint32(header[580:], sector)
		be.PutUint32(header[584:], uint32(len(locator)))
		be.PutUint64(header[592:], uint64(data))
	}
	be.PutUint32(header[36:], vhdSum(header))
	footer := v.footer(kind, headerAt)
	return bytes.Join([][]byte{footer, header, table, body, footer}, nil)
}

func (v VHD) id() []byte { return bytes.Repeat([]byte{v.ID + 1}, 16) }

func (v VHD) footer(kind uint32, header uint64) []byte {
	footer := make([]byte, sector)
	be := binary.BigEndian
	copy(footer, "conectix")
	be.PutUint32(footer[8:], 2)
	be.PutUint32(footer[12:], 0x10000)
	be.PutUint64(footer[16:], header)
	be.PutUint32(footer[24:], 86400) // 2000-01-02
	copy(footer[28:], "win ")
	be.PutUint32(footer[32:], 6<<16|1)
	copy(footer[36:], "Wi2k")
	be.PutUint64(footer[40:], uint64(len(v.Content)))
	be.PutUint64(footer[48:], uint64(len(v.Content)))
	be.PutUint32(footer[56:], 0x00200411) // a geometry
	be.PutUint32(footer[60:], kind)
	copy(footer[68:], v.id())
	be.PutUint32(footer[64:], vhdSum(footer))
	return footer
}

// vhdSum is the checksum of a structure whose own is zero yet.
func vhdSum(data []byte) (sum uint32) {
	for _, b := range data {
		sum += uint32(b)
	}
	return ^sum
}

// SealVHD sets the checksums of a file that was changed: of the footer, its copy, and the header behind it.
func SealVHD(file []byte) {
	for _, s := range []struct{ at, size, sum int }{{0, sector, 64}, {sector, 1024, 36}, {len(file) - sector, sector, 64}} {
		if s.at < 0 || s.at+s.size > len(file) || s.size == sector && string(file[s.at:][:8]) != "conectix" || s.size == 1024 && string(file[s.at:][:8]) != "cxsparse" {
			continue
		}
		data := file[s.at:][:s.size]
		clear(data[s.sum:][:4])
		binary.BigEndian.PutUint32(data[s.sum:], vhdSum(data))
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func utf16le(s string) (data []byte) {
	for _, unit := range utf16.Encode([]rune(s)) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
