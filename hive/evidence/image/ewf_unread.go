package image

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"regvet/hive/evidence/block"
)

// acquired is the content of a disk of which some sectors could not be read when the image was made. The image has zeros there, which the stored
// hashes include, and which are a gap.
type acquired struct {
	block.Reader
	sector int64
	spans  []sectors // in order, apart from each other
	zeros  bool      // the list is damaged, so that any sector of zeros may be one of them
}

// newAcquired returns nil if all sectors could be read.
func newAcquired(r block.Reader, sector int64, unread []sectors) *acquired {
	if len(unread) == 0 {
		return nil
	}
	a := &acquired{Reader: r, sector: sector}
	slices.SortFunc(unread, func(x, y sectors) int { return cmp.Compare(x.first, y.first) })
	for _, s := range unread {
		last := len(a.spans) - 1
		switch {
		case s.count == unknown:
			a.zeros = true
		case s.count == 0:
		case last >= 0 && s.first <= a.spans[last].first+a.spans[last].count:
			a.spans[last].count = max(a.spans[last].count, s.first+s.count-a.spans[last].first)
		default:
			a.spans = append(a.spans, s)
		}
	}
	return a
}

func (a *acquired) Locate(at int64) (string, int64) { return block.Locate(a.Reader, at) }

func (a *acquired) ReadAt(p []byte, at int64) (int, error) {
	n, err := a.Reader.ReadAt(p, at)
	if gap := a.gap(p[:n], at); gap < int64(n) {
		return int(gap), block.NewGap(a, at+gap, "the sector could not be read when the image was made")
	}
	return n, err
}

// gap returns how many bytes that were read at an offset are before the first sector that could not be read.
func (a *acquired) gap(p []byte, at int64) int64 {
	end := at + int64(len(p))
	i := sort.Search(len(a.spans), func(i int) bool { return (a.spans[i].first+a.spans[i].count)*a.sector > at })
	if i < len(a.spans) {
		end = max(at, min(end, a.spans[i].first*a.sector))
	}
	if !a.zeros {
		return end - at
	}
	for s := at / a.sector; s*a.sector < end; s++ {
		from, to := max(at, s*a.sector), min(end, (s+1)*a.sector)
		if empty(p[from-at:to-at]) && (to-from == a.sector || a.empty(s)) {
			return from - at
		}
	}
	return end - at
}

// empty reports whether a whole sector is zeros. One that cannot be read is taken for empty.
func (a *acquired) empty(sector int64) bool {
	at := sector * a.sector
	data, err := block.Read(a.Reader, at, int(min(a.sector, a.Size()-at)))
	return err != nil || empty(data)
}

func empty(data []byte) bool { return len(bytes.TrimLeft(data, "\x00")) == 0 }
