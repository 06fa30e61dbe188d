package regfile

import (
	"cmp"
	"container/heap"
	"io"

	"regvet/hive"
)

// merge walks through all runs at once. Where several have the same key, their statements are taken in the order of the file.
func (x *Ordered) merge(w *walker) error {
	all := x.cursors()
	for _, c := range all {
		if more, err := c.next(w); err != nil {
			return err
		} else if !more {
			return ErrOrder
		}
	}
	heap.Init(&all)
	for len(all) > 0 && w.err == nil && !w.stopped {
		c := all[0]
		above := c.depth - 1
		shared, order := compare(c.key[:c.depth], w.path)
		switch {
		case order > 0 && shared == above:
			w.open(above, c.key[above], c.named.Line)
		case order != 0:
			return ErrOrder
		}
		more := true
		if c.depth < len(c.key) {
			c.depth++
		} else {
			w.name(c.named)
			var err error
			if more, err = c.next(w); err != nil {
				return err
			}
		}
		if more {
			heap.Fix(&all, 0)
		} else {
			heap.Pop(&all)
		}
	}
	w.end()
	return w.err
}

// cursor is a place in a run: at a key that a statement names, or at one above it that is entered on the way there.
type cursor struct {
	*parser
	runReader
	from, to spot     // the segment that is read
	behind   segments // the segments after it
	key      hive.Path
	named    hive.Location
	depth    int // of the key that the cursor is at, on the way to key
}

// cursors returns a cursor for each run, before its first key. They share what is read.
func (x *Ordered) cursors() (all cursors) {
	kept := newMemory()
	piece := min(pieceSize, x.buffers/(len(x.runs.others)+1))
	for _, r := range append(x.runs.others[:len(x.runs.others):len(x.runs.others)], x.runs.current) {
		c := &cursor{runReader: runReader{file: x.text, left: segments{list: r.segments}}, behind: segments{list: r.segments}}
		c.parser = &parser{lines: newLines(x.read, &c.runReader), tells: tellsNothing, memory: kept}
		c.piece, c.encoding, c.st.Version = make([]byte, piece), x.encoding, x.version
		c.from, c.to = c.behind.next()
		c.number = c.from.line - 1
		all = append(all, c)
	}
	return all
}

// next takes a walker through the values of the current key, and goes to the next key that is named, or to the first key on the way there.
// It reports whether there is one.
func (c *cursor) next(w *walker) (more bool, err error) {
	for w.err == nil && !w.stopped {
		begins := c.beginsSegment()
		if !c.begin() {
			if c.err == nil && (begins || len(c.behind.list) > 0) {
				return false, ErrOrder
			}
			return false, c.err
		}
		c.read()
		for _, e := range c.st.Edits {
			switch e.Op {
			case hive.CreateKey:
				shared, order := compare(e.Path, c.key)
				if order < 0 {
					return false, ErrOrder
				}
				c.key = append(c.key[:0], e.Path...)
				c.named, c.depth = e.At, min(shared+1, len(c.key))
				c.spare()
				return true, nil
			case hive.DeleteKey: // there is none
			default:
				w.value(e)
			}
		}
		if begins {
			return false, ErrOrder
		}
	}
	return false, nil
}

// beginsSegment reports whether the next line is the first of a segment. It names a key, unless the file has changed.
func (c *cursor) beginsSegment() bool {
	if len(c.behind.list) > 0 && c.number+1 == c.to.line {
		c.from, c.to = c.behind.next()
		c.number = c.from.line - 1
	}
	return c.number+1 == c.from.line
}

// spare drops what a cursor does not need while it waits at a key, because there may be thousands.
func (c *cursor) spare() {
	c.parser.path, c.last, c.st.Path = c.key, c.key, nil // instead of a part of a large piece of memory
	clear(c.st.Edits)
	if cap(c.text) > 8*len(c.piece) {
		c.forget()
		c.text = append(make([]byte, 0, len(c.text)+len(c.piece)), c.text...)
		c.parser.line = nil
	}
}

// runReader reads the segments of a run as one text.
type runReader struct {
	file    io.ReaderAt
	left    segments
	at, end int64 // of the segment that is read
}

// Read implements [io.Reader].
func (r *runReader) Read(b []byte) (int, error) {
	for r.at == r.end {
		if len(r.left.list) == 0 {
			return 0, io.EOF
		}
		from, to := r.left.next()
		r.at, r.end = from.offset, to.offset
	}
	n, err := r.file.ReadAt(b[:min(int64(len(b)), r.end-r.at)], r.at)
	if r.at += int64(n); n > 0 {
		err = nil // the next read returns it again
	}
	return n, err
}

// cursors is a [heap.Interface]. The first cursor is at the first key; of several at the same key, it is at the first line.
type cursors []*cursor

func (all cursors) Len() int { return len(all) }

func (all cursors) Less(i, j int) bool {
	a, b := all[i], all[j]
	_, order := compare(a.key[:a.depth], b.key[:b.depth])
	return cmp.Or(order, a.named.Line-b.named.Line) < 0
}

func (all cursors) Swap(i, j int) { all[i], all[j] = all[j], all[i] }

// Push implements [heap.Interface].
func (all *cursors) Push(c any) { *all = append(*all, c.(*cursor)) }

// Pop implements [heap.Interface].
func (all *cursors) Pop() any {
	last := len(*all) - 1
	c := (*all)[last]
	*all = (*all)[:last]
	return c
}
