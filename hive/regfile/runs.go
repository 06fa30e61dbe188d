package regfile

import (
	"encoding/binary"
	"slices"
	"sort"

	"regvet/hive"
)

// A file that is not sorted may consist of a few lists of keys that are: Key1 to Key9, Key10 to Key99 and so on in numeric order; and an
// export of a running Windows has the volatile keys after the stored ones. Such a list is called a run. It may lie in several segments of
// the file, with segments of other runs between them.

// runs is the division of the keys of a file into runs.
type runs struct {
	others  []*run // all but the current one, sorted by their last keys, the last first
	current *run   // the run of the last segment; nil before the first key
	cut     bool   // there are several segments
	longest int    // bytes of text of a statement that names a key
	listed  int    // bytes of the lists of segments
}

// spot is the start of a line.
type spot struct {
	offset int64 // in the file
	line   int
}

// run is a list of keys in the order of a walk.
type run struct {
	segments []byte    // the start and the end of each, as the difference from the spot before
	end      spot      // of the last of these
	last     hive.Path // its last key; not kept for the current run
}

// segments are the segments of a run that were not read yet.
type segments struct {
	list []byte
	end  spot // of the one before
}

// next returns the start and the end of the next segment. There must be one.
func (s *segments) next() (from, to spot) {
	from = s.spot()
	return from, s.spot()
}

func (s *segments) spot() spot {
	offset, n := binary.Uvarint(s.list)
	line, m := binary.Uvarint(s.list[n:])
	s.list = s.list[n+m:]
	s.end = spot{s.end.offset + int64(offset), s.end.line + int(line)}
	return s.end
}

// begin begins a segment with a key, in the run that ends nearest before it, or in a new one. This makes the fewest runs possible.
func (r *runs) begin(last, first hive.Path, at spot) {
	if r.current != nil {
		r.add(at)
		r.cut = true
		r.current.last = append(r.current.last[:0], last...)
		r.others = slices.Insert(r.others, r.behind(last), r.current)
	}
	r.current = new(run)
	if i := r.behind(first); i < len(r.others) {
		r.current = r.others[i]
		r.others = slices.Delete(r.others, i, i+1)
	}
	r.add(at)
}

// add adds the start or the end of a segment to the current run.
func (r *runs) add(s spot) {
	c := r.current
	r.listed -= len(c.segments)
	c.segments = binary.AppendUvarint(c.segments, uint64(s.offset-c.end.offset))
	c.segments = binary.AppendUvarint(c.segments, uint64(s.line-c.end.line))
	c.end = s
	r.listed += len(c.segments)
}

// behind returns the number of runs, without the current one, whose last key comes after another.
func (r *runs) behind(path hive.Path) int {
	return sort.Search(len(r.others), func(i int) bool {
		_, order := compare(path, r.others[i].last)
		return order >= 0
	})
}

// reached reports whether the last key of a run, without the current one, is a key or comes after it.
func (r *runs) reached(path hive.Path) bool {
	if len(r.others) == 0 {
		return false
	}
	_, order := compare(path, r.others[0].last) // which comes after all others
	return order <= 0
}

// survey is the first pass over a file, which divides it into runs. As long as there is only one, it is also the walk.
type survey struct {
	walker
	runs
	keys    int  // entered; a key counts each time
	returns bool // to a key above the last one
}

// take takes a statement and reports whether to go on.
func (s *survey) take(p *parser) bool {
	for _, e := range p.st.Edits {
		switch e.Op {
		case hive.CreateKey:
			s.key(p, e)
		case hive.DeleteKey:
			if _, order := compare(e.Path, s.path); order <= 0 || s.reached(e.Path) {
				s.err = ErrOrder
			}
		default:
			if !s.cut {
				s.value(e)
			}
		}
	}
	return s.err == nil
}

func (s *survey) key(p *parser, e hive.Edit) {
	shared, order := compare(e.Path, s.path)
	s.longest = max(s.longest, len(p.st.Raw))
	if order == 0 {
		return
	}
	if order < 0 && shared == len(e.Path) {
		s.returns = true
	}
	if s.current == nil || order < 0 || len(s.others) > 0 && s.endsBetween(e.Path) {
		s.begin(s.path, e.Path, spot{p.locate(), p.st.Line})
		if s.cut {
			s.yield = func(*hive.Stretch) bool { return true }
		}
		if len(s.others) >= s.mostRuns || s.listed > s.segments {
			s.err = ErrOrder
		}
	}
	s.keys += len(e.Path) - shared
	s.enter(e, shared)
}

// endsBetween reports whether a run ends between the last key and one after it.
func (s *survey) endsBetween(path hive.Path) bool {
	i := s.behind(path)
	if i == len(s.others) {
		return false
	}
	_, order := compare(s.others[i].last, s.path)
	return order > 0
}

// fit reports whether all runs can be read at once. A line of a Windows 3.1 file is a key and its value, and may be long.
func (s *survey) fit(f *File) bool {
	return !s.cut || (len(s.others)+1)*s.longest <= s.buffers && f.Version != Windows31
}
