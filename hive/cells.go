package hive

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// binHeader is the header of a bin, signed "hbin", read straight from the bytes as [keyNode] is.
type binHeader []byte

const (
	binHeaderSize = 32
	binSignature  = 0x6E696268 // "hbin"
)

func (b binHeader) offset() uint32 { return binary.LittleEndian.Uint32(b[4:]) } // of this bin, from the first bin
func (b binHeader) size() uint32   { return binary.LittleEndian.Uint32(b[8:]) }

// cellMap knows which offsets are the start of a cell in use, so that no reference into a free cell or into the middle of a cell is
// followed. One pass over the bins makes it when the hive is opened.
type cellMap struct {
	cellHeader int      // bytes before a cell's content: 4, and 8 up to version 1.1 of the format
	inUse      []uint64 // one bit for each 8 bytes of the bins
	isKey      []uint64 // the same for the cells that were read as keys
	unmapped   []span   // where a damaged bin or cell hides which cells there are
	free       []span   // free cells; adjacent ones are one span
}

// span is a range of offsets from the first bin.
type span struct{ from, to int }

// offsetOf returns the place of a cell in the file, or no place for the offset that stands for no cell.
func offsetOf(cell uint32) Location {
	if cell == nilCell {
		return Location{}
	}
	return Location{Offset: int64(cell) + baseBlockSize}
}

// cellAt names a cell in a message.
func cellAt(cell uint32) string {
	if cell == nilCell {
		return "cell"
	}
	return "cell at " + offsetOf(cell).String()
}

// mapCells walks the bins and their cells. Where one is damaged, everything up to the next sound bin is unmapped: a cell there counts as
// in use if it looks like it.
func (f *File) mapCells() {
	all := f.data[baseBlockSize:]
	f.inUse = make([]uint64, len(all)/(8*64)+1)
	f.isKey = make([]uint64, len(f.inUse))
	for at := 0; at < len(f.bins); {
		size, fault := f.bin(at)
		if fault != "" {
			at = f.skipDamage(at, badBin, "bin "+fault)
			continue
		}
		if end := at + size; end > len(f.bins) && end <= len(all) && !f.isBin(len(f.bins)) {
			f.reportTooShort()
			f.bins, f.ends = all[:end:end], int64(end)
		}
		at = f.mapBin(at, size)
	}
	f.mapBehind()
}

// mapBehind notes the cells of sound bins behind the end of the hive. Nearly always they are left over from when the hive was longer, and
// nothing refers to them.
func (f *File) mapBehind() {
	at := (len(f.bins) + baseBlockSize - 1) &^ (baseBlockSize - 1)
	for at < len(f.data)-baseBlockSize {
		next := at + baseBlockSize
		if size, fault := f.bin(at); fault == "" {
			next = max(next, f.mapWhole(at, size)&^(baseBlockSize-1))
		}
		at = next
	}
}

// mapWhole notes the cells of a bin, if all of them are sound. It returns the end of the bin, or the offset of the cell that is not sound.
func (f *File) mapWhole(bin, size int) int {
	end := bin + size
	words := f.inUse[bin/512 : end/512]
	for at := bin + binHeaderSize; at < end; {
		cell := f.data[baseBlockSize+at : baseBlockSize+end]
		n := sizeOf(cell)
		if n < 2*f.cellHeader || n%(2*f.cellHeader) != 0 || n > len(cell) {
			clear(words)
			return at
		}
		if int32(binary.LittleEndian.Uint32(cell)) < 0 {
			words[(at-bin)/512] |= 1 << (at / 8 % 64)
		}
		at += n
	}
	return end
}

// behind returns the content of a cell in use behind the end of the hive, or why there is none. A record leads there, so the end is wrong.
func (f *File) behind(at int) (content []byte, fault string) {
	if bins := f.data[baseBlockSize:]; at%8 == 0 && at < len(bins) && f.inUse[at/512]&(1<<(at/8%64)) != 0 {
		f.reportTooShort()
		return bins[at+f.cellHeader : at+sizeOf(bins[at:])], ""
	}
	return nil, "lies beyond the end of the hive"
}

func (f *File) reportTooShort() {
	f.tooShort.Do(func() {
		f.report(Problem{At: Location{Offset: lengthField}, Kind: badHeader, Loss: true, // which bins are left over is not known
			Msg: fmt.Sprintf("the length of the bins is %d bytes, and records lead to sound bins behind that; they are read", f.base.Length)})
	})
}

// mapBin notes the cells of the bin at an offset, and returns the offset at which to continue.
func (f *File) mapBin(bin, binSize int) int {
	end := min(bin+binSize, len(f.bins)) // the file may have been cut off
	unit := 2 * f.cellHeader
	at := bin + binHeaderSize
	// The bits are collected before they are written: for new memory that is first read and then written, the system works twice.
	var bits uint64
	word := at / 512
	defer func() { f.inUse[word] = bits }()
	for at+4 <= end {
		size := int(int32(binary.LittleEndian.Uint32(f.bins[at:])))
		used := size < 0
		if used {
			size = -size
		}
		if size == binSignature && f.isBin(at) {
			f.report(Problem{At: offsetOf(uint32(bin)), Kind: badBin,
				Msg: fmt.Sprintf("bin is said to have %d bytes, but the next one begins after %d", binSize, at-bin)})
			return at
		}
		if size < unit || size%unit != 0 || size > bin+binSize-at {
			return f.skipDamage(at, BadCell, fmt.Sprintf("cell has an impossible size of %d bytes", size))
		}
		if at/512 != word {
			f.inUse[word] = bits
			word, bits = at/512, 0
		}
		if used {
			bits |= 1 << (at / 8 % 64)
		} else {
			f.addFree(at, min(at+size, end))
		}
		if size > end-at { // this cell is cut off with the file
			return end
		}
		at += size
	}
	return end
}

func (f *File) addFree(from, to int) {
	if last := len(f.free) - 1; last >= 0 && f.free[last].to == from {
		f.free[last].to = to
		return
	}
	f.free = append(f.free, span{from, to})
}

// bin checks the header of a bin and returns its size, or what is wrong with it.
func (f *File) bin(at int) (size int, fault string) {
	bins := f.data[baseBlockSize:]
	if len(bins)-at < binHeaderSize {
		return 0, "is cut off"
	}
	if !bytes.HasPrefix(bins[at:], []byte("hbin")) { // first, because damage is skipped in steps of a page
		return 0, `is not signed "hbin"`
	}
	b := binHeader(bins[at:])
	switch size := b.size(); {
	case int64(b.offset()) != int64(at):
		return 0, fmt.Sprintf("says that it stands at %#x", int64(b.offset())+baseBlockSize)
	case size == 0 || size%baseBlockSize != 0 || int64(at)+int64(size) > max(f.ends, int64(len(bins))):
		return 0, fmt.Sprintf("has an impossible size of %d bytes", size)
	default:
		return int(size), ""
	}
}

// isBin reports whether a sound bin begins at an offset.
func (f *File) isBin(at int) bool {
	_, fault := f.bin(at)
	return at%baseBlockSize == 0 && fault == ""
}

// skipDamage reports damage at an offset and returns the offset of the next sound bin.
func (f *File) skipDamage(at int, kind Kind, what string) int {
	next := (at/baseBlockSize + 1) * baseBlockSize
	for next < len(f.bins) && !f.isBin(next) {
		next += baseBlockSize
	}
	next = min(next, len(f.bins))
	f.unmapped = append(f.unmapped, span{at, next})
	f.report(Problem{At: offsetOf(uint32(at)), Kind: kind,
		Msg: fmt.Sprintf("%s; cells up to offset %#x are taken as they look", what, int64(next)+baseBlockSize)})
	return next
}

// isNew reports whether a cell is read as a key for the first time. The caller holds loading.
func (f *File) isNew(cell uint32) bool {
	bit := uint64(1) << (cell / 8 % 64)
	before := f.isKey[cell/512]
	f.isKey[cell/512] = before | bit
	return before&bit == 0
}

// cell returns the content of the cell in use at an offset from the first bin, as far as the file holds it, or why there is none.
func (f *File) cell(offset uint32) (content []byte, fault string) {
	if f.remains != nil {
		return f.remains.cell(offset)
	}
	at := int(offset)
	switch {
	case offset == nilCell:
		return nil, "is not named"
	case int64(offset)+int64(f.cellHeader) > int64(len(f.bins)):
		return f.behind(at)
	case at%8 != 0:
		return nil, "is not at the start of a cell"
	}
	size := sizeOf(f.bins[at:])
	if f.inUse[at/512]&(1<<(at/8%64)) == 0 {
		i, damaged := spanAt(f.unmapped, at)
		if !damaged || size < f.cellHeader || int32(binary.LittleEndian.Uint32(f.bins[at:])) > 0 {
			return nil, "is not at the start of a cell in use"
		}
		size = min(size, f.unmapped[i].to-at) // the size may be what is damaged; the record in the cell says how long it is
	}
	return f.bins[at+f.cellHeader : min(at+size, len(f.bins))], ""
}

// sizeOf returns the size of a cell, in use or not.
func sizeOf(cell []byte) int {
	if len(cell) < 4 {
		return 0
	}
	size := int(int32(binary.LittleEndian.Uint32(cell)))
	return max(size, -size)
}
