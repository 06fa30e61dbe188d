package ntfs

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"

	"regvet/hive/evidence/block"
)

// The flags of an attribute. Source: libyal, libfsntfs, "New Technologies File System (NTFS)", attribute data flags.
const (
	compressed = 0x00FF // the method; 1 is LZNT1
	encrypted  = 0x4000
	sparse     = 0x8000
)

// stream is the content of an attribute as a [block.Reader].
type stream struct {
	v        *Volume
	at       int64 // of the attribute in the MFT
	resident []byte
	runs     []run // in order, without a gap
	size     int64
	valid    int64
	unit     int64 // bytes that are compressed together; 0 if none are
	rest     error // what reading beyond the runs fails with
	refused  error // what reading anything fails with: that it is encrypted, say

	mu       sync.Mutex
	unpacked []byte // the unit that was read last
	number   int64  // of it
}

// run is a number of clusters that follow each other on the volume.
type run struct {
	vcn, count int64 // which clusters of the attribute
	lcn        int64 // the first on the volume, or hole
}

const hole = -1 // clusters that are not on the volume and read as zeros

// mostRuns is how many pieces of an attribute are read: a million take 24 MB of memory.
const mostRuns = 1 << 20

// assemble makes the content of an attribute from its pieces, in order.
func (v *Volume) assemble(pieces []attribute) (*stream, error) {
	first := pieces[0]
	s := &stream{v: v, at: first.at, number: -1}
	if first.resident {
		if len(pieces) > 1 {
			return nil, errors.New("is in its record, but more than once")
		}
		s.resident, s.size, s.valid = first.value, int64(len(first.value)), int64(len(first.value))
		return s, nil
	}
	s.size, s.valid = first.size, first.valid
	for _, a := range pieces {
		if err := s.extend(a, first.flags); err != nil {
			return nil, err
		}
	}
	if s.clusters() != first.allocated/v.cluster || first.allocated%v.cluster != 0 {
		return nil, fmt.Errorf("has runs of %d clusters, but is of %d bytes", s.clusters(), first.allocated)
	}
	switch method := first.flags & compressed; {
	case first.flags&encrypted != 0:
		s.refused = s.gap("is encrypted by Windows (EFS); only the user's key opens it")
	case method > 1:
		s.refused = s.gap("is compressed by the method %d, which is not known here", method)
	case method == 1:
		if first.unit == 0 || first.unit > 16 || v.cluster<<first.unit > 1<<20 {
			return nil, fmt.Errorf("is compressed in units of 2^%d clusters", first.unit)
		}
		s.unit = v.cluster << first.unit
	}
	return s, nil
}

func (s *stream) gap(format string, args ...any) error {
	return block.NewGap(s.v.mft, s.at, format, args...)
}

// clusters returns how many clusters of the attribute have a run.
func (s *stream) clusters() int64 {
	if len(s.runs) == 0 {
		return 0
	}
	last := s.runs[len(s.runs)-1]
	return last.vcn + last.count
}

// extend appends the runs of a piece, which must follow those that are there. Clusters beyond the end of the volume are told when they are read.
func (s *stream) extend(a attribute, flags uint16) error {
	vcn, lcn, end := s.clusters(), int64(0), a.last+1
	if a.resident || a.start != vcn {
		return fmt.Errorf("lacks its cluster %d", vcn)
	}
	raw := a.runs
	for len(raw) > 0 && raw[0] != 0 {
		sizes, wide := int64(raw[0]&15), int64(raw[0]>>4)
		number, ok := part(raw, 1, sizes)
		delta, ok2 := part(raw, 1+sizes, wide)
		count := signed(number)
		if !ok || !ok2 || sizes > 8 || wide > 8 || count <= 0 || count > end-vcn || len(s.runs) == mostRuns {
			return errors.New("has an impossible run")
		}
		r := run{vcn, count, hole}
		if wide > 0 {
			lcn += signed(delta)
			if lcn < 0 || lcn > 1<<55 {
				return errors.New("has a run before the volume or far beyond it")
			}
			r.lcn = lcn
		} else if flags&(compressed|sparse) == 0 {
			return errors.New("has a hole, although it is neither sparse nor compressed")
		}
		s.runs = append(s.runs, r)
		vcn += count
		raw = raw[1+sizes+wide:]
	}
	if vcn != end || len(raw) == 0 {
		return fmt.Errorf("has runs up to cluster %d, which should end at %d", vcn, end)
	}
	if flags&(compressed|sparse) == 0 && vcn > s.v.clusters {
		return errors.New("claims more clusters than the volume has")
	}
	return nil
}

// signed returns a little-endian number of up to 8 bytes.
func signed(raw []byte) int64 {
	var n int64
	for i, b := range raw {
		n |= int64(b) << (8 * i)
	}
	if len(raw) > 0 && len(raw) < 8 && raw[len(raw)-1] >= 0x80 {
		n -= 1 << (8 * len(raw))
	}
	return n
}

// find returns the run that holds a cluster of the attribute, or nil.
func (s *stream) find(vcn int64) *run {
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].vcn+s.runs[i].count > vcn })
	if i == len(s.runs) {
		return nil
	}
	return &s.runs[i]
}

func (s *stream) Size() int64 { return s.size }

func (s *stream) Locate(at int64) (string, int64) { return block.Locate(s.v.r, s.place(at)) }

// place returns where the byte at an offset lies on the volume, or, of one that lies nowhere, the attribute.
func (s *stream) place(at int64) int64 {
	if s.resident == nil && at >= 0 {
		if s.unit > 0 {
			at -= at % s.unit
		}
		if r := s.find(at / s.v.cluster); r != nil && r.lcn != hole {
			return (r.lcn-r.vcn)*s.v.cluster + at
		}
		if s == s.v.mft || s == s.v.mirror {
			return s.v.mftAt * s.v.cluster
		}
		at = 0
	}
	return s.v.mft.place(s.at + at)
}

func (s *stream) ReadAt(p []byte, at int64) (n int, err error) {
	switch {
	case at < 0:
		return 0, fmt.Errorf("read at the negative offset %d", at)
	case s.refused != nil:
		return 0, s.refused
	case at >= s.size:
		return 0, io.EOF
	}
	if int64(len(p)) > s.size-at {
		p, err = p[:s.size-at], io.EOF
	}
	for n < len(p) {
		m, failed := s.some(p[n:], at+int64(n))
		n += m
		if failed != nil {
			return n, failed
		}
	}
	return n, err
}

// some reads at least one byte of what is wanted, all within the size, or fails.
func (s *stream) some(p []byte, at int64) (int, error) {
	switch {
	case at >= s.valid:
		clear(p)
		return len(p), nil
	case int64(len(p)) > s.valid-at:
		p = p[:s.valid-at]
	}
	switch {
	case s.resident != nil:
		return copy(p, s.resident[at:]), nil
	case s.unit > 0:
		return s.unpack(p, at)
	}
	return s.raw(p, at)
}

// raw reads what the clusters hold, up to the end of a run.
func (s *stream) raw(p []byte, at int64) (int, error) {
	r := s.find(at / s.v.cluster)
	if r == nil {
		if s.rest != nil {
			return 0, s.rest
		}
		return 0, s.gap("has no cluster for its offset %#x", at)
	}
	if left := (r.vcn+r.count)*s.v.cluster - at; int64(len(p)) > left {
		p = p[:left]
	}
	if r.lcn == hole {
		clear(p)
		return len(p), nil
	}
	place := (r.lcn-r.vcn)*s.v.cluster + at
	switch end := place + int64(len(p)); {
	case end > s.v.clusters*s.v.cluster:
		return 0, s.gap("has clusters beyond the end of its volume")
	case end > s.v.r.Size():
		return 0, block.NewGap(s.v.r, place, "lies beyond the end of the image, which was cut off")
	}
	n, err := s.v.r.ReadAt(p, place)
	if n == len(p) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = block.NewGap(s.v.r, place+int64(n), "lies beyond the end of the image, which was cut off")
	}
	return n, err
}

// unpack reads from the compressed unit that holds an offset.
func (s *stream) unpack(p []byte, at int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number := at / s.unit; number != s.number {
		unpacked, err := s.readUnit(number)
		if err != nil {
			return 0, err
		}
		s.unpacked, s.number = unpacked, number
	}
	return copy(p, s.unpacked[at%s.unit:]), nil
}

// readUnit returns what was written of a unit. Its clusters tell how it is stored: all there, it is plain; none, it is zeros; else those that are
// there, which come first, hold it compressed.
func (s *stream) readUnit(number int64) ([]byte, error) {
	start := number * s.unit
	want := min(s.unit, s.valid-start)
	first, there, holes := start/s.v.cluster, int64(0), false
	count := s.unit / s.v.cluster
	for vcn := first; vcn < first+count; {
		r := s.find(vcn)
		if r == nil {
			return nil, s.gap("lacks clusters of the compressed unit at %#x", start)
		}
		n := min(r.vcn+r.count, first+count) - vcn
		if r.lcn == hole {
			holes = true
		} else if there += n; holes {
			return nil, s.gap("has a hole in the middle of the compressed unit at %#x", start)
		}
		vcn += n
	}
	if there == 0 {
		return make([]byte, want), nil
	}
	raw := make([]byte, min(there*s.v.cluster, s.unit))
	if there == count {
		raw = raw[:want]
	}
	for n := 0; n < len(raw); {
		m, err := s.raw(raw[n:], start+int64(n))
		if err != nil {
			return nil, err
		}
		n += m
	}
	if there == count {
		return raw, nil
	}
	unpacked, err := lznt1(raw, int(want))
	if err != nil {
		return nil, block.NewGap(s, start, "the compressed unit at %#x of the file %v", start, err)
	}
	return unpacked, nil
}
