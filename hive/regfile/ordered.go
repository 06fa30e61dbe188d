package regfile

import (
	"errors"
	"io"
	"iter"

	"regvet/hive"
)

// ErrOrder is the error for a file that cannot be read key by key, because what it says of one stands in several places.
var ErrOrder = errors.New("the file is not in the order of an export")

// ParseOrdered reads a file as [Options.Parse] does, but keeps no edits: it gives see each key in its turn. So it needs no memory for the
// number of keys and values. The error is [ErrOrder] where that cannot be done, at the place where that is seen. These files can be read
// so, among them all that [Export] writes:
//
// Each key stands behind the one before in the order of [hive.Key.Walk], or is the same. Keys that are deleted stand behind all that were
// named, so that nothing is deleted. Values are set and deleted in any way, but in a key with more than a few megabytes each is
// set once.
//
// The file is read from its start, twice where that is needed to be sure of the last point.
func (o Options) ParseOrdered(source string, r io.ReadSeeker, see func(*hive.Stretch)) (*File, error) {
	return o.parseOrdered(source, r, see, usual)
}

func (o Options) parseOrdered(source string, r io.ReadSeeker, see func(*hive.Stretch), l limits) (*File, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	w := walker{limits: l, yield: func(s *hive.Stretch) bool { see(s); return true }, names: newNameFilter(l.filter)}
	f, err := o.collect(source, r, w.statement)
	if err != nil {
		return nil, err
	}
	w.end()
	if w.err != nil || len(w.names.suspects) == 0 {
		return f, w.err
	}
	w.names.verify()
	again := walker{limits: l, yield: func(*hive.Stretch) bool { return true }, names: w.names}
	return f, again.all(o, r)
}

// WalkOrdered goes through a file of which [Options.ParseOrdered] has found that this can be done. It gives the keys of [File.Tree]
// but for the root, in the order of [hive.Key.Walk] and of [hive.Key.WalkStored], which are the same. The file is read from its start. An
// error is the last that is given, [ErrOrder] where the file has changed.
func (o Options) WalkOrdered(r io.ReadSeeker) iter.Seq2[*hive.Stretch, error] {
	return o.walkOrdered(r, usual)
}

func (o Options) walkOrdered(r io.ReadSeeker, l limits) iter.Seq2[*hive.Stretch, error] {
	return func(yield func(*hive.Stretch, error) bool) {
		w := walker{limits: l, yield: func(s *hive.Stretch) bool { return yield(s, nil) }}
		if err := w.all(o, r); err != nil && !w.stopped {
			yield(nil, err)
		}
	}
}

// StretchesBelow gives those of a key and of all below it, with their paths from there on.
func StretchesBelow(root hive.Path, all iter.Seq2[*hive.Stretch, error]) iter.Seq2[*hive.Stretch, error] {
	return func(yield func(*hive.Stretch, error) bool) {
		inside := false
		for s, err := range all {
			switch {
			case err != nil:
			case s.Path.HasPrefix(root):
				inside = true
				s.Path = s.Path[len(root):]
			case inside:
				return // all behind it is elsewhere
			default:
				continue
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// limits are how much of a file is held, in bytes.
type limits struct {
	key    int    // of a key, all of which may still change
	piece  int    // of a larger one
	filter uint64 // for the names of its values
}

// usual is for a filter that suspects hundreds of six million names.
var usual = limits{4 << 20, 256 << 10, 16 << 20}

// sizeOfOne is what is held of one edit, without its name and data.
const sizeOfOne = 256

// walker makes stretches of edits.
type walker struct {
	limits
	yield   func(*hive.Stretch) bool
	names   *nameFilter // of the values of a large key; nil where they were looked at before
	err     error
	stopped bool // by yield

	// The key that is being read. It is none where its path is empty.
	path    hive.Path
	implied []bool // of each name of the path
	at      hive.Location
	held    []hive.Edit // of its values
	size    int         // of what is held, in bytes
	large   bool        // a part of it was given already

	out     hive.Stretch
	settled []hive.Value
	folder
}

// all reads a file from its start to the end.
func (w *walker) all(o Options, r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p := newParser(o, r, w.statement)
	p.tells = func(hive.Path, bool) bool { return false }
	p.scan()
	if w.err == nil {
		w.err = p.err
	}
	w.end()
	return w.err
}

// statement takes the edits of a statement and tells whether to go on.
func (w *walker) statement(s *Statement) bool {
	for _, e := range s.Edits {
		switch e.Op {
		case hive.CreateKey:
			w.enter(e)
		case hive.DeleteKey:
			if _, order := w.compare(e.Path); order <= 0 {
				w.err = ErrOrder
			}
		default: // the path is that of the key
			w.value(e)
		}
	}
	return w.err == nil && !w.stopped
}

// compare tells how many names a path shares with that of the current key, and whether it stands before (-1), with (0) or behind it (1)
// in the order of a walk.
func (w *walker) compare(path hive.Path) (shared, order int) {
	for shared < min(len(path), len(w.path)) {
		if a, b := path[shared], w.path[shared]; a != b {
			if order = hive.CompareFold(a, b); order != 0 {
				return shared, order
			}
		}
		shared++
	}
	switch {
	case len(path) < len(w.path):
		order = -1
	case len(path) > len(w.path):
		order = 1
	}
	return shared, order
}

// enter goes to a key, by way of those above it that were not named yet.
func (w *walker) enter(e hive.Edit) {
	shared, order := w.compare(e.Path)
	switch {
	case order < 0:
		w.err = ErrOrder
		return
	case order == 0:
		return
	}
	w.end()
	w.path, w.implied = w.path[:shared], w.implied[:shared]
	for _, name := range e.Path[shared : len(e.Path)-1] {
		implied := len(w.implied) == 0 || w.implied[len(w.implied)-1]
		w.path, w.implied = append(w.path, name), append(w.implied, implied)
		w.give(hive.Stretch{Path: w.path, Implied: implied, Begins: true, Ends: true})
	}
	w.path, w.implied, w.at = append(w.path, e.Path[len(e.Path)-1]), append(w.implied, false), e.At
}

// value takes an edit of a value of the current key.
func (w *walker) value(e hive.Edit) {
	if w.large {
		if w.names != nil && w.names.repeats(e.Value.Name, e.Op == hive.SetValue) {
			w.err = ErrOrder
		}
		if e.Op == hive.DeleteValue {
			return // there is none
		}
	}
	e.Path = nil
	w.held = append(w.held, e)
	w.size += sizeOfOne + len(e.Value.Name) + len(e.Value.Data)
	if w.size > w.limits.key || w.large && w.size > w.limits.piece {
		w.part(false)
	}
}

// end ends the current key.
func (w *walker) end() {
	if len(w.path) > 0 {
		w.part(true)
	}
}

// part gives what is held of the current key, and holds it no more.
func (w *walker) part(ends bool) {
	values := w.settle()
	if !w.large && !ends && w.names != nil {
		w.names.enter()
		for _, v := range values {
			w.names.repeats(v.Name, true)
		}
	}
	w.give(hive.Stretch{Path: w.path, At: w.at, Values: values, Begins: !w.large, Ends: ends})
	w.large = !ends
	clear(w.held)
	clear(w.settled)
	w.held, w.settled, w.size, w.out.Values = w.held[:0], w.settled[:0], 0, nil
}

func (w *walker) give(s hive.Stretch) {
	if w.err == nil && !w.stopped {
		w.out = s
		w.stopped = !w.yield(&w.out)
	}
}

// settle gives the values that the edits that are held come to.
func (w *walker) settle() []hive.Value {
	w.settled = w.settled[:0]
	plain := true
	for _, e := range w.held {
		plain = plain && e.Op == hive.SetValue
		w.settled = append(w.settled, e.Value)
	}
	if w.large || plain && w.unique(w.settled) { // of a large key, each is set once
		return w.settled
	}
	return hive.Apply(hive.NewImpliedKey(""), w.held...).Values()
}
