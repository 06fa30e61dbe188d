package archive

import (
	"encoding/binary"
	"math"
	"slices"
)

// fields reads the database. The first error stays, and everything is zero from there on.
type fields struct {
	b   []byte
	at  int
	err error
}

func (f *fields) fail() { f.err = errSeven; f.at = len(f.b) }

// bytes returns the next n bytes, or nil.
func (f *fields) bytes(n uint64) []byte {
	if n > uint64(len(f.b)-f.at) {
		f.fail()
		return nil
	}
	f.at += int(n)
	return f.b[f.at-int(n) : f.at : f.at]
}

func (f *fields) byte() byte {
	if b := f.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads a number of 1 to 9 bytes: the ones at the top of the first say how many follow.
func (f *fields) number() uint64 {
	first := f.byte()
	var n uint64
	for i := range 8 {
		mask := byte(0x80) >> i
		if first&mask == 0 {
			return n | uint64(first&(mask-1))<<(8*i)
		}
		n |= uint64(f.byte()) << (8 * i)
	}
	return n
}

// size reads a number of bytes.
func (f *fields) size() int64 {
	n := f.number()
	if n > math.MaxInt64/4 {
		f.fail()
		return 0
	}
	return int64(n)
}

// count reads how many of what has at least one byte, or one bit, follow.
func (f *fields) count(bits int) int {
	n := f.number()
	if n > uint64(len(f.b)-f.at)*uint64(bits) {
		f.fail()
		return 0
	}
	return int(n)
}

func (f *fields) want(id byte) {
	if f.byte() != id {
		f.fail()
	}
}

// bits reads n bits, the highest of each byte first.
func (f *fields) bits(n int) []bool {
	packed := f.bytes(uint64(n+7) / 8)
	if packed == nil {
		return nil
	}
	list := make([]bool, n)
	for i := range list {
		list[i] = packed[i/8]&(0x80>>(i%8)) != 0
	}
	return list
}

// defined reads which of n have a value: all, or those whose bit is set.
func (f *fields) defined(n int) []bool {
	if f.byte() == 0 {
		return f.bits(n)
	}
	if n > (len(f.b)-f.at)/4 { // the least that each has
		f.fail()
		return nil
	}
	return slices.Repeat([]bool{true}, n)
}

// sums reads checksums; those that are not there are nil.
func (f *fields) sums(n int) []sum {
	list := make([]sum, n)
	for i, there := range f.defined(n) {
		if there {
			if b := f.bytes(4); b != nil {
				list[i] = sum{true, binary.LittleEndian.Uint32(b)}
			}
		}
	}
	return list
}

// sum is a CRC-32 that may be missing.
type sum struct {
	there bool
	crc   uint32
}

func isSet(list []bool, i int) bool { return i < len(list) && list[i] }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
