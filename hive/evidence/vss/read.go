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
	if now, err := v.find(at); err == nil {
		at = now.at
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
		now, err := v.find(at)
		if err != nil {
			return n, err
		}
		part := p[n:min(int64(len(p)), int64(n)+min(now.size, v.size-at))]
		if now.empty {
			clear(part)
		} else if read, err := block.Section(v.r, now.at, int64(len(part))).ReadAt(part, 0); read < len(part) {
			if err == nil || err == io.EOF { // what lies below is shorter than it told
				err = io.ErrUnexpectedEOF
			}
			return n + read, err
		}
		n, at = n+len(part), at+int64(len(part))
	}
	return n, nil
}

// piece is where in the volume a part of a block is now.
type piece struct {
	at, size int64
	empty    bool // it was not in use, and is zeros
}

// find returns where what is at a place of the shadow copy is now, to the end of its block at most.
func (v *view) find(at int64) (piece, error) {
	number, within := at/blockSize, at%blockSize
	p := piece{size: blockSize - within}
	if v.damage != nil {
		return p, v.damage
	}
	if o, ok := v.overlays[uint32(number)]; ok {
		changed, end := o.sector(int(within / sectorSize))
		p.size = int64(end)*sectorSize - within
		if changed {
			p.at = o.at + within
			return p, nil
		}
	}
	now, empty, err := v.under(number)
	p.at, p.empty = now+within, empty
	return p, err
}

// sector reports whether the overlay has a sector of its block, and the number of the first behind it of which that is not so.
func (o overlay) sector(number int) (changed bool, end int) {
	rest := o.sectors >> number
	if changed = rest&1 == 1; changed {
		rest = ^rest
	}
	return changed, min(32, number+bits.TrailingZeros32(rest))
}

// under returns where in the volume a block is now, without the overlay: in the store, in a newer one, or where it always was.
func (v *view) under(number int64) (at int64, empty bool, err error) {
	for _, w := range v.views[v.index:] {
		if w.damage != nil {
			return 0, false, w.damage
		}
		to, forwarded := w.forwards[uint32(number)]
		if !forwarded {
			if in, ok := w.kept(number); ok {
				return w.address(in), false, nil
			}
		}
		switch {
		case v.lost != nil:
			return 0, false, v.lost
		case forwarded && int64(to) == number:
			return 0, false, block.NewGap(v.r, number*blockSize, "shadow copy %d tells that this block was moved away and back, and it is not known where Windows reads it then", w.index+1)
		case forwarded:
			number = int64(to)
		case w == v && w.isNewest():
			if _, target := w.targets[uint32(number)]; !target {
				empty, err = w.isUnused(number)
			}
		}
	}
	return number * blockSize, empty, err
}

// kept returns where in the store the old content of a block is.
func (v *view) kept(number int64) (relative int64, ok bool) {
	i, ok := slices.BinarySearchFunc(v.blocks, number, func(k kept, n int64) int { return cmp.Compare(int64(k.block), n) })
	if !ok {
		return 0, false
	}
	return int64(v.blocks[i].in) * blockSize, true
}
