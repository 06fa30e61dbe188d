package regfile

import (
	"cmp"
	"errors"
	"io"
	"iter"
	"math"

	"regvet/hive"
)

// ErrOrder is the error for a file that cannot be read key by key, because its keys are too far from the order of an export.
var ErrOrder = errors.New("the file is too far from the order of an export")

// Ordered is a file that can be read key by key.
type Ordered struct {
	text *io.SectionReader
	read Options
	limits
	runs     runs
	version  Version
	encoding string
	stored   bool // the keys below each key follow it in the file
}

// ParseOrdered reads a file as [Options.Parse] does, without keeping edits: it passes each key in turn to see, in the order of
// [hive.Key.Walk]; if it has to begin again with the first key, it passes nil before. So memory does not grow with the number of keys and
// values. The error is [ErrOrder] if that is impossible. It is possible for the following files, among them all that [Export] writes:
//
// The keys form up to a thousand lists, each in the order of a walk, which alternate no more than a million or two times: a sorted file is
// one list, Key1 to Key1000 are four. Deleted keys stand after all named keys, so that nothing is really deleted. Values may be set and
// deleted in any way, except that a key with more than a few megabytes sets each once.
//
// The file is read once; once more if it is not sorted; and once more if that is needed to be certain about the last point.
func (o Options) ParseOrdered(source string, text *io.SectionReader, see func(*hive.Stretch)) (*File, *Ordered, error) {
	return o.parseOrdered(source, text, see, usual)
}

func (o Options) parseOrdered(source string, text *io.SectionReader, see func(*hive.Stretch), l limits) (*File, *Ordered, error) {
	keys := 0
	give := func(s *hive.Stretch) bool {
		if s.Begins {
			keys++
		}
		see(s)
		return true
	}
	w := walker{limits: l, yield: give, names: newNameFilter(l.filter)}
	s := survey{walker: w}
	x := &Ordered{text: text, read: o, limits: l}
	f, err := o.collect(source, x.start(), s.take)
	if err != nil {
		return nil, nil, err
	}
	s.end()
	if s.cut {
		s.add(spot{text.Size(), never})
	}
	if s.err != nil || !s.fit(f) {
		return f, nil, ErrOrder
	}
	x.runs, x.version, x.encoding = s.runs, f.Version, f.Encoding
	if s.cut {
		keys = 0
		see(nil)
		w.names = newNameFilter(l.filter)
		if err := x.walk(&w); err != nil {
			return f, nil, err
		}
	}
	x.stored = !s.returns && s.keys == keys
	if len(w.names.suspects) > 0 {
		w.names.verify()
		if err := x.walk(&walker{limits: l, yield: func(*hive.Stretch) bool { return true }, names: w.names}); err != nil {
			return f, nil, err
		}
	}
	return f, x, nil
}

// Walk returns the keys of [File.Tree], without the root, in the order of [hive.Key.Walk]. An error ends the sequence: [ErrOrder] if the
// file was found to have changed.
func (x *Ordered) Walk() iter.Seq2[*hive.Stretch, error] { return x.stretches((*Ordered).walk) }

// WalkStored is Walk in the order of [hive.Key.WalkStored], or nil for a file that returns to a key after others.
func (x *Ordered) WalkStored() iter.Seq2[*hive.Stretch, error] {
	if !x.stored {
		return nil
	}
	return x.stretches((*Ordered).walkStored)
}

func (x *Ordered) stretches(walk func(*Ordered, *walker) error) iter.Seq2[*hive.Stretch, error] {
	return func(yield func(*hive.Stretch, error) bool) {
		w := walker{limits: x.limits, yield: func(s *hive.Stretch) bool { return yield(s, nil) }}
		if err := walk(x, &w); err != nil && !w.stopped {
			yield(nil, err)
		}
	}
}

// start returns a reader of the file from its start.
func (x *Ordered) start() io.Reader { return io.NewSectionReader(x.text, 0, x.text.Size()) }

// walk takes a walker through the file in the order of a walk.
func (x *Ordered) walk(w *walker) error {
	if x.runs.cut {
		return x.merge(w)
	}
	return x.walkStored(w)
}

// walkStored takes a walker through the file in its own order.
func (x *Ordered) walkStored(w *walker) error {
	w.anyOrder = x.runs.cut
	p := newParser(x.read, x.start(), w.statement)
	p.tells = tellsNothing
	p.scan()
	if w.err == nil {
		w.err = p.err
	}
	w.end()
	return w.err
}

func tellsNothing(hive.Path, bool) bool { return false }

// StretchesBelow returns the stretches of a key and of all keys below it, with their paths from that key on.
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
				return // all after it is elsewhere
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
	key      int    // of a key, all of which may still change
	piece    int    // of a larger one
	filter   uint64 // for the names of its values
	buffers  int    // for what is read of all runs at once
	mostRuns int    // a count
	segments int    // for the lists of where their segments are
}

// usual suits a filter that suspects hundreds of six million names, and reads runs at least 4 KB at a time.
var usual = limits{4 << 20, 256 << 10, 16 << 20, 4 << 20, 1 << 10, 12 << 20}

// sizeOfOne is what one edit takes, without its name and data.
const sizeOfOne = 256

// walker turns edits into stretches.
type walker struct {
	limits
	yield    func(*hive.Stretch) bool
	names    *nameFilter // of the values of a large key; nil if they were checked before
	anyOrder bool        // a key may come before the last one, but must not be it or above it
	err      error
	stopped  bool // by yield

	// The current key. There is none if its path is empty.
	path  hive.Path
	known []int // for each name of the path: the line from which on all of the key is known; never if it is implied
	at    hive.Location
	held  []hive.Edit // of its values
	size  int         // of what is held, in bytes
	large bool        // a part of it was yielded already

	out     hive.Stretch
	settled []hive.Value
	folder
}

// never comes after all lines.
const never = math.MaxInt

// statement takes the edits of a statement and reports whether to go on.
func (w *walker) statement(s *Statement) bool {
	for _, e := range s.Edits {
		switch e.Op {
		case hive.CreateKey:
			shared, order := compare(e.Path, w.path)
			if order < 0 && (!w.anyOrder || shared == len(e.Path)) {
				w.err = ErrOrder
			} else if order != 0 {
				w.enter(e, shared)
			}
		case hive.DeleteKey: // there is none
		default: // the path is that of the key
			w.value(e)
		}
	}
	return w.err == nil && !w.stopped
}

// compare returns how many names two paths share, and whether the first comes before (-1), with (0) or after (1) the second in the order of
// a walk.
func compare(a, b hive.Path) (shared, order int) {
	for shared < min(len(a), len(b)) {
		if a, b := a[shared], b[shared]; a != b {
			if order = hive.CompareFold(a, b); order != 0 {
				return shared, order
			}
		}
		shared++
	}
	return shared, cmp.Compare(len(a), len(b))
}

// enter goes to a key, through those above it that were not named yet. Its path shares some names with the current one.
func (w *walker) enter(e hive.Edit, shared int) {
	for i := shared; i < len(e.Path); i++ {
		w.open(i, e.Path[i], e.At.Line)
	}
	w.name(e.At)
}

// open enters a key at a depth below the current path, which the file first passes through in a line. A key made this way is known if the
// key above it was known at that line.
func (w *walker) open(depth int, name string, line int) {
	w.end()
	known := never
	if depth > 0 && w.known[depth-1] <= line {
		known = line
	}
	w.path, w.known, w.at = append(w.path[:depth], name), append(w.known[:depth], known), hive.Location{}
}

// name notes that a line names the current key.
func (w *walker) name(at hive.Location) {
	if w.at == (hive.Location{}) {
		w.at = at
	}
	last := &w.known[len(w.known)-1]
	*last = min(*last, at.Line)
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

// part yields what is held of the current key, and drops it.
func (w *walker) part(ends bool) {
	values := w.settle()
	if !w.large && !ends && w.names != nil {
		w.names.enter()
		for _, v := range values {
			w.names.repeats(v.Name, true)
		}
	}
	implied := w.known[len(w.known)-1] == never
	w.give(hive.Stretch{Path: w.path, At: w.at, Implied: implied, Values: values, Begins: !w.large, Ends: ends})
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

// settle returns the values that result from the held edits.
func (w *walker) settle() []hive.Value {
	w.settled = w.settled[:0]
	plain := true
	for _, e := range w.held {
		plain = plain && e.Op == hive.SetValue
		w.settled = append(w.settled, e.Value)
	}
	if w.large || plain && w.unique(w.settled) { // in a large key, each is set once
		return w.settled
	}
	return hive.Apply(hive.NewImpliedKey(""), w.held...).Values()
}
