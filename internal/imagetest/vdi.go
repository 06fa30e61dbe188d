package imagetest

import "bytes"

// VDI is a disk to write as a VDI.
type VDI struct {
	Content []byte
	Static  bool // not dynamic: all blocks are written
	Block   int  // bytes of a block; 0 for 64 KiB
	Extra   int  // bytes before those of a block
	Trimmed bool // blocks of zeros were trimmed, not never written
	Child   bool // it is a differencing disk: blocks of zeros are those of the parent
}

// VDIMap is the offset of the map in the file, for tests that damage it.
const VDIMap = 512

// Bytes returns the file.
func (v VDI) Bytes() []byte {
	if v.Block == 0 {
		v.Block = 64 << 10
	}
	blocks := (len(v.Content) + v.Block - 1) / v.Block
	table := make([]byte, roundUp(4*blocks, sector))
	var data []byte
	used := uint32(0)
	for n := range blocks {
		block := make([]byte, v.Block)
		copy(block, v.Content[n*v.Block:])
		entry := ^uint32(0)
		if v.Trimmed {
			entry--
		}
		if v.Static || len(bytes.Trim(block, "\x00")) > 0 {
			entry = used
			used++
			data = append(data, bytes.Repeat([]byte{0xe7}, v.Extra)...)
			data = append(data, block...)
		}
		le.PutUint32(table[4*n:], entry)
	}
	h := make([]byte, VDIMap)
	copy(h, "<<< imagetest >>>\n")
	copy(h[0x40:], []byte{0x7f, 0x10, 0xda, 0xbe, 1, 0, 1, 0})
	kind := uint32(1)
	switch {
	case v.Static:
		kind = 2
	case v.Child:
		kind = 4
		copy(h[0x1a8:], bytes.Repeat([]byte{9}, 32))
	}
	for at, n := range map[int]uint32{
		0x48: 0x190, 0x4c: kind, 0x154: VDIMap, 0x158: uint32(VDIMap + len(table)), 0x168: sector,
		0x170: uint32(len(v.Content)), 0x178: uint32(v.Block), 0x17c: uint32(v.Extra), 0x180: uint32(blocks), 0x184: used,
	} {
		le.PutUint32(h[at:], n)
	}
	copy(h[0x188:], bytes.Repeat([]byte{7}, 16))
	return bytes.Join([][]byte{h, table, data}, nil)
}
