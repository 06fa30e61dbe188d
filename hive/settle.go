package hive

import (
	"bytes"
	"fmt"
)

// A copy of a damaged disk can lack sectors, or have some that belong elsewhere. Everything behind them then stands in another place of the
// file than in the hive. Each bin says where it belongs.

// stretch is a run of bytes of a file that belong together at another place of the hive.
type stretch struct{ from, to, place int }

// settle puts bins that stand elsewhere in the file to where they say that they belong. What is only damaged stays where it is.
func (f *File) settle() {
	end := len(f.data)
	if h := f.Header; h.Checksum == h.Computed {
		end = baseBlockSize + int(min(h.Length, maxBins)) // what is behind it is of no meaning, wherever it belongs
	}
	all := stretches(f.data, end)
	if len(all) == 1 {
		return
	}
	last := all[len(all)-1]
	data := make([]byte, last.place+last.to-last.from)
	for i, s := range all {
		copy(data[s.place:], f.data[s.from:s.to])
		if i == 0 {
			continue
		}
		how := "behind"
		by := s.from - s.place
		if by < 0 {
			how, by = "before", -by
		}
		f.report(Problem{At: Location{Offset: int64(s.place)}, Kind: badBin, Loss: s.place > s.from,
			Msg: fmt.Sprintf("the bin that belongs here stands %d bytes %s, at %#x of the file; it and those that follow it are read as if they stood where they say, and offsets count so", by, how, s.from)})
	}
	f.data = data
}

// stretches cuts a file into what belongs together. The result is no longer than the file, and the place of no stretch lies further from
// where it stands than the file is long.
func stretches(data []byte, end int) []stretch {
	all := []stretch{{to: len(data)}}
	shift := 0 // from where a bin stands to its place
	last := 0  // the last bin that stands where it should, or the base block
	for at := baseBlockSize; at < len(data) && at+shift < end; {
		if place, size, ok := binAt(data, at); ok && place == at+shift {
			last = at
			at += size
			continue
		}
		next, place := nextBin(data, last, at, at+shift)
		if next < 0 {
			break
		}
		if place != next+shift {
			before := &all[len(all)-1]
			before.to = min(next, before.from+place-before.place)
			if next > at && place == at+shift {
				before.to = at // what stands between belongs nowhere
			}
			all = append(all, stretch{next, len(data), place})
			shift = place - next
		}
		at = next
	}
	return all
}

// nextBin looks for the next bin where the one that belongs at place does not stand at an offset. It returns the bin's offset and place, or
// -1. The header of a bin may be left over, or data. So one that is not what is looked for counts only if the bin behind it moved with it.
func nextBin(data []byte, last, at, place int) (next, itsPlace int) {
	for next := last + sectorSize; next < at; next += sectorSize { // sectors before it may be lost
		belongs, size, ok := binAt(data, next)
		if ok && belongs == place && (next+size >= len(data) || isBinOf(data, next+size, belongs+size)) {
			return next, belongs
		}
	}
	for next := at; next < len(data); next += sectorSize {
		belongs, size, ok := binAt(data, next)
		switch {
		case !ok || belongs < place || belongs > next+len(data):
		case belongs-next == place-at, belongs == place, isBinOf(data, next+size, belongs+size):
			return next, belongs
		}
	}
	return -1, 0
}

// isBinOf reports whether the bin of a place stands at an offset.
func isBinOf(data []byte, at, place int) bool {
	belongs, _, ok := binAt(data, at)
	return ok && belongs == place
}

// binAt reads the header of a bin: the place where it says that it stands, from the start of the file, and its size.
func binAt(data []byte, at int) (place, size int, ok bool) {
	if at > len(data)-binHeaderSize || !bytes.HasPrefix(data[at:], []byte("hbin")) {
		return 0, 0, false
	}
	b := binHeader(data[at:])
	offset, n := int64(b.offset()), int64(b.size())
	if offset%baseBlockSize != 0 || n == 0 || n%baseBlockSize != 0 || offset+n > maxBins {
		return 0, 0, false
	}
	return int(offset) + baseBlockSize, int(n), true
}
