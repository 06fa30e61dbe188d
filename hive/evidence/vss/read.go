package vss

import (
	"cmp"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"regvet/hive/evidence/block"
)

const sectorSize = blockSize / 32 // bytes, for each of which an overlay has a bit

// Size returns the bytes of the volume when the shadow copy was created.
func (v *view) Size() int64 { return v.size }

// Locate returns where a byte of the shadow copy lies now, or its own place if that cannot be told.
func (v *view) Locate(at int64) (string, int64) {
	if now, _, _, err := v.find(at); err == nil {
		at = now
	}
	return block.Locate(v.r, at)
}

// ReadAt reads the volume as it was.
func (v *view) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("read at the negative offset %d", at)
	}
	for n < len(p) {
		if at >= v.size {
			return n, io.EOF
		}
		now, size, empty, err := v.find(at)
		if err != nil {
			return n, err
		}
		part := p[n:min(int64(len(p)), int64(n)+min(size, v.size-at))]
		if empty {
			clear(part)
		} else if read, err := block.Section(v.r, now, int64(len(part))).ReadAt(part, 0); read < len(part) {
			if err == nil || err == io.EOF { // what lies below is shorter than it told
				err = io.ErrUnexpectedEOF
			}
			return n + read, err
		}
		n, at = n+len(part), at+int64(len(part))
	}
	return n, nil
}

// find returns where the content from a place on is now in the volume and how much of it there is, to the end of its block at most; or that
// it is empty, because it was not in use.
func (v *view) find(at int64) (now, size int64, empty bool, err error) {
	number, within := at/blockSize, at%blockSize
	size = blockSize - within
	if v.damage != nil {
		return 0, 0, false, v.damage
	}
	if o, ok := v.overlays[uint32(number)]; ok {
		sector := int(within / sectorSize)
		changed := o.sectors>>sector&1 == 1
		rest := o.sectors >> sector
		if changed {
			rest = ^rest
		}
		size = min(size, int64(sector+bits.TrailingZeros32(rest))*sectorSize-within)
		if changed {
			return o.at + within, size, false, nil
		}
	}
	for _, w := range v.views[v.index:] {
		if w.damage != nil {
			return 0, 0, false, w.damage
		}
		i, found := slices.BinarySearchFunc(w.blocks, number, func(m moved, n int64) int { return cmp.Compare(int64(m.block), n) })
		if found && !w.blocks[i].forward {
			return w.address(int64(w.blocks[i].to)*blockSize) + within, size, false, nil
		}
		if v.lost != nil {
			return 0, 0, false, v.lost
		}
		if _, target := w.targets[uint32(number)]; !found && !target && w == v && w.isNewest() {
			empty, err = w.isUnused(number)
			return number*blockSize + within, size, empty, err
		}
		if found {
			if w.blocks[i].to == w.blocks[i].block {
				return 0, 0, false, block.NewGap(v.r, number*blockSize, "shadow copy %d tells that this block was moved away and back, and it is not known where Windows reads it then", w.index+1)
			}
			number = int64(w.blocks[i].to)
		}
	}
	return number*blockSize + within, size, false, nil
}
