package image

import (
	"slices"

	"regvet/hive/evidence/block"
)

// fieldAt returns n bytes of a structure, which have a name for messages. What lies beyond the end is a gap.
func fieldAt(r block.Reader, at int64, n int, name string) ([]byte, error) {
	if at < 0 || at > r.Size()-int64(n) {
		return nil, block.NewGap(r, min(max(at, 0), r.Size()), "%s lies beyond the end of the file, which was cut off or is damaged", name)
	}
	return block.Read(r, at, n)
}

// claim is a part of a file that a table gives to a block of the disk, or that the format takes for itself, in units of the table.
type claim struct{ start, length uint32 }

// mostClaims bounds the memory that the blocks of a file need, 32 MB: a VHD of 2 TB has a million.
const mostClaims = 1 << 22

// settle returns the starts of the claims that overlap another one, sorted, the largest room between claims up to an end, and how far they
// reach. Blocks never share a place: at least one of the entries that say so is damaged, and none says which.
func settle(claims []claim, end int64) (disputed []uint32, room, reach int64) {
	slices.SortFunc(claims, func(a, b claim) int { return int(int64(a.start) - int64(b.start)) })
	var last claim // of those before, the one that reaches furthest
	for _, c := range claims {
		if int64(c.start) < reach {
			disputed = append(disputed, last.start, c.start)
		}
		room = max(room, int64(c.start)-reach)
		if to := int64(c.start) + int64(c.length); to > reach {
			last, reach = c, to
		}
	}
	slices.Sort(disputed)
	return slices.Compact(disputed), max(room, end-reach), reach
}

// tellReach adds a problem if the blocks of a file of some size reach beyond its end.
func (i *Image) tellReach(f block.Reader, reach, size int64) {
	if reach > size {
		i.lost(f, f.Size(), "the file was cut off, or its tables are damaged: they name blocks up to %#x, and it ends at %#x", reach, size)
	}
}

// isDisputed reports whether a claim was.
func isDisputed(disputed []uint32, start uint32) bool {
	_, found := slices.BinarySearch(disputed, start)
	return found
}

// eachEntry calls each with the entries of a table of n entries of size bytes, as far as they can be read; it ends if that returns false.
func eachEntry(r block.Reader, at, n, size int64, each func(number int64, entry []byte) bool) {
	const chunk = 64 << 10
	data := make([]byte, chunk)
	n = min(n, (r.Size()-at)/size)
	for done := int64(0); done < n; {
		part := data[:min(chunk, (n-done)*size)]
		if read, err := r.ReadAt(part, at+done*size); read < len(part) && err != nil {
			part = part[:0] // they are gaps when they are asked for
		}
		for i := int64(0); i < int64(len(part)); i += size {
			if !each(done+i/size, part[i:][:size]) {
				return
			}
		}
		done += chunk / size
	}
}
