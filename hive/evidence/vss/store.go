package vss

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"regvet/hive/evidence/block"
)

const (
	descriptorSize = 32
	rangeSize      = 24
	bitsPerBlock   = (blockSize - headerSize) * 8 // of a bitmap, each for a block of the volume

	// mostEntries is how many entries the lists of all stores may have, enough for 48 GB that changed. One takes 8 bytes of memory.
	mostEntries = 3 << 20
	costOfRare  = 5 // as how many one counts that takes more: a range, a forwarder, an overlay
)

// The flags of a descriptor.
const (
	forwarder = 1 << iota
	overlaid
	notUsed
)

// descriptor tells where the old content of a block is.
type descriptor struct {
	original int64 // the place of the block in the volume
	relative int64 // of the data in the store; of a forwarder, in the volume
	absolute int64 // of the data in the volume; 0 of a forwarder
	flags    uint32
	sectors  uint32 // those that an overlay has; the lowest bit is the first one
}

// kept is that a block of the store has the content of a block of the volume.
type kept struct{ block, in uint32 }

// overlay is sectors of a block that were changed in the shadow copy itself.
type overlay struct {
	at      int64 // where their block lies in the volume
	sectors uint32
}

// span is a part of the volume that the store occupies.
type span struct{ at, relative, size int64 }

// view is the volume as seen through a store and all newer ones.
type view struct {
	*Shadows
	index int
	views []*view
	size  int64 // bytes of the volume, as the catalog tells it

	ranges   []span            // by their place in the store
	blocks   []kept            // by block of the volume
	forwards map[uint32]uint32 // where the content of blocks is in what lies under the store; a block that was moved away and back leads to itself
	targets  map[uint32]uint32 // the blocks to which forwarders lead, and from where, until something was written there
	overlays map[uint32]overlay
	damage   error // why nothing of the store can be used

	unused     [2][]int64 // where the blocks of the current and of the previous bitmap lie; the newest store alone has them
	bitsDamage error
}

// open reads the lists of a store.
func (v *view) open(e *entry) Store {
	s := Store{Reader: v, Number: v.index + 1, Created: e.created.Time(), ID: e.id}
	if e.created.Time().IsZero() {
		s.Problems = addProblem(s.Problems, block.NewGap(v.r, e.at, "the catalog does not tell when shadow copy %d was created: %d is no time", s.Number, e.created))
	}
	if err := v.readHeader(e, &s); err != nil {
		s.Problems = addProblem(s.Problems, err)
	}
	if v.damage = cmp.Or(v.checkSize(e), v.readRanges(e.rangesAt)); v.damage == nil {
		v.damage = v.readBlocks(e.listAt)
	}
	if v.damage != nil {
		s.Problems = addProblem(s.Problems, v.damage)
		v.blocks, v.forwards, v.targets, v.overlays = nil, nil, nil, nil
		return s
	}
	if v.size > v.r.Size() {
		s.Problems = addProblem(s.Problems, block.NewGap(v.r, e.at, "shadow copy %d is of a volume of %d bytes, but this one has %d", s.Number, v.size, v.r.Size()))
	}
	if v.isNewest() {
		if v.bitsDamage = cmp.Or(v.readBitmap(0, e.bitmapAt), v.readBitmap(1, e.previousAt)); v.bitsDamage != nil {
			s.Problems = addProblem(s.Problems, v.bitsDamage)
		}
	}
	return s
}

func (v *view) isNewest() bool { return v.index == len(v.views)-1 }

func (v *view) what(part string) string {
	return fmt.Sprintf("the %s of shadow copy %d", part, v.index+1)
}

func (v *view) checkSize(e *entry) error {
	if e.size > 0 && e.size%512 == 0 && e.size/blockSize <= math.MaxUint32 {
		return nil
	}
	v.size = v.r.Size()
	return block.NewGap(v.r, e.at, "the catalog of shadow copies is damaged: shadow copy %d would be of %d bytes", v.index+1, e.size)
}

// readHeader reads the names of a store. Its content does not depend on them.
func (v *view) readHeader(e *entry, s *Store) error {
	c := chain{r: v.r, kind: storeHeader, what: v.what("header"), next: e.headerAt, place: func(at int64) int64 {
		if at == 0 {
			return e.headerAt
		}
		return -1
	}}
	raw, err := c.read()
	if err != nil {
		return err
	}
	const least = 68 // with the lengths of two empty names of computers
	if size := le.Uint64(raw[48:]); size < least || size > blockSize-headerSize {
		return c.damaged(48, fmt.Sprintf("it tells %d bytes of information", size))
	}
	info := raw[headerSize:]
	s.CopyID, s.Attributes = guid(info[16:]), le.Uint32(info[56:])
	return nil
}

// address returns where in the volume a place of the store lies, or -1.
func (v *view) address(relative int64) int64 {
	i, found := slices.BinarySearchFunc(v.ranges, relative, func(s span, at int64) int { return cmp.Compare(s.relative, at) })
	if !found {
		i--
	}
	if i < 0 || relative-v.ranges[i].relative >= v.ranges[i].size {
		return -1
	}
	return v.ranges[i].at + relative - v.ranges[i].relative
}

// from returns the address of blocks of a chain. The first blocks of a store are not in its ranges: the catalog alone tells where they lie.
func (v *view) from(first int64) func(int64) int64 {
	return func(relative int64) int64 {
		if relative >= 0 && (len(v.ranges) == 0 || relative < v.ranges[0].relative) {
			return first
		}
		return v.address(relative)
	}
}

// readRanges reads which parts of the volume the store occupies, in the order of the store.
func (v *view) readRanges(at int64) error {
	c := chain{r: v.r, kind: rangeList, what: v.what("list of ranges"), next: at}
	var own []span // of the list itself, which may be in ranges that it tells later
	c.place = func(relative int64) int64 {
		own = append(own, span{at: c.at, relative: relative})
		return c.at
	}
	ended := false
	for more := true; more; more = c.next != 0 {
		raw, err := c.read()
		if err != nil {
			return err
		}
		for i := headerSize; i+rangeSize <= blockSize; i += rangeSize {
			if err := v.spend(&c, 1); err != nil {
				return err
			}
			s := span{int64(le.Uint64(raw[i:])), int64(le.Uint64(raw[i+8:])), int64(le.Uint64(raw[i+16:]))}
			if ended = ended || s == (span{}); ended {
				if s != (span{}) {
					return c.damaged(i, "a range follows where it ends")
				}
				continue
			}
			end := int64(0)
			if n := len(v.ranges); n > 0 {
				end = v.ranges[n-1].relative + v.ranges[n-1].size
			}
			if s.relative < end || s.relative%blockSize != 0 || s.size%blockSize != 0 || s.size == 0 || s.relative > math.MaxUint32*blockSize-s.size || !holds(v.r, s.at, s.size) {
				return c.damaged(i, fmt.Sprintf("%#x bytes at %#x of the store would lie at %#x of the volume", s.size, s.relative, s.at))
			}
			v.ranges = append(v.ranges, s)
			if err := v.spend(&c, costOfRare); err != nil {
				return err
			}
		}
	}
	for _, s := range own {
		if v.from(at)(s.relative) != s.at {
			return block.NewGap(v.r, s.at, "%s is damaged: a block would be at %#x of the store, which lies elsewhere", c.what, s.relative)
		}
	}
	return nil
}

// readBlocks reads the list of blocks.
func (v *view) readBlocks(at int64) error {
	v.forwards, v.targets, v.overlays = map[uint32]uint32{}, map[uint32]uint32{}, map[uint32]overlay{}
	c := chain{r: v.r, kind: blockList, what: v.what("list of blocks"), next: at, place: v.from(at)}
	ended := false
	for more := true; more; more = c.next != 0 {
		raw, err := c.read()
		if err != nil {
			return err
		}
		for i := headerSize; i+descriptorSize <= blockSize; i += descriptorSize {
			if err := v.spend(&c, 1); err != nil {
				return err
			}
			d := descriptor{int64(le.Uint64(raw[i:])), int64(le.Uint64(raw[i+8:])), int64(le.Uint64(raw[i+16:])), le.Uint32(raw[i+24:]), le.Uint32(raw[i+28:])}
			if ended = ended || d == (descriptor{}); ended {
				if d != (descriptor{}) {
					return c.damaged(i, "a descriptor follows where it ends")
				}
				continue
			}
			if err := v.add(d); err != nil {
				return c.damaged(i, err.Error())
			}
			if d.flags&(forwarder|overlaid) != 0 {
				if err := v.spend(&c, costOfRare); err != nil {
					return err
				}
			}
		}
	}
	return v.sort(at)
}

// spend counts entries of lists against the most that are read.
func (v *view) spend(c *chain, entries int) error {
	if v.left -= entries; v.left < 0 {
		return block.NewGap(v.r, c.at, "%s is not read: with those of newer ones it has more entries than are read here, %d", c.what, mostEntries)
	}
	return nil
}

// verify holds a descriptor against the volume and the ranges of the store.
func (v *view) verify(d descriptor) error {
	switch {
	case d.flags > 0xFF || d.flags&forwarder != 0 && d.flags&0x1A != 0 || d.flags&overlaid != 0 && d.flags&0x19 != 0:
		return fmt.Errorf("a descriptor has the flags %#x, which exclude each other", d.flags)
	case d.flags&notUsed != 0:
		return nil
	case !v.isBlock(d.original):
		return fmt.Errorf("a descriptor is for a block at %#x, where there is none", d.original)
	case (d.flags&overlaid == 0) != (d.sectors == 0):
		return fmt.Errorf("a descriptor with the flags %#x tells the sectors %#x", d.flags, d.sectors)
	case d.flags&forwarder != 0:
		if !v.isBlock(d.relative) || d.absolute != 0 {
			return fmt.Errorf("a forwarder leads to %#x and %#x", d.relative, d.absolute)
		}
		return nil
	case d.flags&overlaid != 0 && d.relative == 1: // more sectors of a block that has an overlay
		return nil
	case d.relative < 0 || v.address(d.relative&^(blockSize-1)) != d.absolute: // what the lower bits mean is not known
		return fmt.Errorf("the block at %#x would be at %#x of the store and at %#x of the volume, which are not the same place", d.original, d.relative, d.absolute)
	}
	return nil
}

// isBlock reports whether a block of the volume is at a place.
func (v *view) isBlock(at int64) bool { return at >= 0 && at < v.size && at%blockSize == 0 }

// add verifies and notes a descriptor. They come in the order in which Windows wrote them.
func (v *view) add(d descriptor) error {
	if err := v.verify(d); err != nil {
		return err
	}
	number, to := uint32(d.original/blockSize), uint32(d.relative/blockSize)
	switch {
	case d.flags&notUsed != 0:
		return nil
	case d.flags&overlaid != 0:
		o, ok := v.overlays[number]
		if d.relative == 1 && !ok || ok && o.at != d.absolute {
			return fmt.Errorf("the block at %#x has an overlay at %#x without a beginning", d.original, d.absolute)
		}
		v.overlays[number] = overlay{d.absolute, o.sectors | d.sectors}
		return nil
	}
	if from, ok := v.targets[number]; ok { // what is written over here was moved from there
		delete(v.targets, number)
		number = from
	}
	if d.flags&forwarder == 0 {
		delete(v.forwards, number)
		v.blocks = append(v.blocks, kept{number, to})
		return nil
	}
	v.forwards[number] = to
	if to != number {
		v.targets[to] = number
	}
	return nil
}

// sort orders the blocks. Of several descriptors of a block the last one holds.
func (v *view) sort(at int64) error {
	data := make([]uint32, len(v.blocks))
	for i, k := range v.blocks {
		data[i] = k.in
	}
	slices.Sort(data)
	if len(slices.Compact(data)) != len(data) {
		return block.NewGap(v.r, at, "%s is damaged: two blocks would have the same old content", v.what("list of blocks"))
	}
	slices.SortStableFunc(v.blocks, func(a, b kept) int { return cmp.Compare(a.block, b.block) })
	last := v.blocks[:0]
	for i, k := range v.blocks {
		if i+1 == len(v.blocks) || v.blocks[i+1].block != k.block {
			last = append(last, k)
		}
	}
	v.blocks = slices.Clip(last)
	return nil
}

// readBitmap reads where the blocks of a bitmap lie. There need not be the second one, of what the store before did not need either.
func (v *view) readBitmap(which int, at int64) error {
	if at == 0 && which == 1 {
		return nil
	}
	c := chain{r: v.r, kind: bitmapBlock, what: v.what("bitmap"), next: at, place: v.from(at)}
	for blocks := (v.size + blockSize - 1) / blockSize; blocks > 0; blocks -= bitsPerBlock {
		if c.next == 0 {
			return block.NewGap(v.r, c.at, "%s is damaged: it ends too early", c.what)
		}
		if _, err := c.read(); err != nil {
			return err
		}
		v.unused[which] = append(v.unused[which], c.at)
	}
	return nil
}

// isUnused reports whether a block was not in use when the newest shadow copy was created, nor by the one before.
func (v *view) isUnused(number int64) (bool, error) {
	if v.bitsDamage != nil {
		return false, v.bitsDamage
	}
	for _, at := range v.unused {
		if at == nil {
			continue
		}
		bit := number % bitsPerBlock
		b, err := block.Read(v.r, at[number/bitsPerBlock]+headerSize+bit/8, 1)
		if err != nil {
			return false, err
		}
		if b[0]>>(bit%8)&1 == 0 {
			return false, nil
		}
	}
	return true, nil
}
