package hive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Location is the place of something in an input: a byte offset in a hive, a line and column in a .reg file. The zero
// Location is no place.
type Location struct {
	Offset int64 // bytes from the start of the hive file; 0 when there is none
	Line   int   // counted from 1; 0 when there is none
	Column int   // counted from 1, in characters
}

// String gives the place as messages write it: "12:3" for text, "offset 0x1020" for a hive, "" for no place.
func (l Location) String() string {
	switch {
	case l.Line > 0:
		return fmt.Sprintf("%d:%d", l.Line, l.Column)
	case l.Offset > 0:
		return fmt.Sprintf("offset %#x", l.Offset)
	}
	return ""
}

// Kind says what sort of damage or oddity a [Problem] is, for programs.
type Kind string

// Unreadable is the kind of an input of which the operating system gives nothing.
const Unreadable Kind = "unreadable"

// The kinds of problems in hives.
const (
	badHeader    Kind = "bad-header"    // a field of the base block is not what the format allows
	badChecksum  Kind = "bad-checksum"  // the base block does not add up
	dirty        Kind = "dirty"         // the hive was being written when it was copied: its latest changes are in its logs
	Truncated    Kind = "truncated"     // the file ends before what it says it holds
	badBin       Kind = "bad-bin"       // a bin is not signed, placed or sized as it must be
	BadCell      Kind = "bad-cell"      // a cell has an impossible size, or a reference does not lead to a cell in use
	badSignature Kind = "bad-signature" // a cell holds another record than the one that was looked for
	badList      Kind = "bad-list"      // a subkey or value list is cut short, nested or repeated
	badName      Kind = "bad-name"      // a name is longer than its cell, or than Windows allows
	badData      Kind = "bad-data"      // the data of a value are not all there
	wrongParent  Kind = "wrong-parent"  // a key stands in the list of another key than the one it names as its parent
	wrongCount   Kind = "wrong-count"   // a list holds more or fewer elements than its key says
	wrongOrder   Kind = "wrong-order"   // a subkey list is not sorted, so that Windows may not find all of its keys
	duplicate    Kind = "duplicate"     // two subkeys or values of one key have the same name, or its list names one twice
	tooDeep      Kind = "too-deep"      // more levels of keys than Windows allows
	badSecurity  Kind = "bad-security"  // a security descriptor cannot be read
	amplified    Kind = "amplified"     // the hive names the same bytes over and over: more is claimed than it can hold
)

// The kinds of problems in .reg text.
const (
	BadText    Kind = "bad-text"     // the encoding or the first line is not that of a .reg file
	BadLine    Kind = "bad-line"     // a line that Windows drops although it looks as if it should set or delete something
	StrayLine  Kind = "stray-line"   // a line that is neither key, value nor comment and that Windows skips
	Doubtful   Kind = "doubtful"     // a form that Windows versions or tools are not known to agree on
	NoSuchRoot Kind = "no-such-root" // a key line whose root Windows does not know
)

// Problem is damage or bad syntax met in an input. It is no verdict about the registry: that is a finding of package rules.
type Problem struct {
	Source string   // the input, as the user named it
	At     Location // where in the input
	Kind   Kind
	Msg    string // what is wrong and what was done about it, without a capital or a full stop
	Key    Path   // the key whose content is in doubt, where that is known: from the hive's root, or as a .reg file names it
	// Loss tells that something that the input holds is missing from what was read of it, so that absence proves nothing
	// there. A problem without loss is an oddity; everything was read in spite of it.
	Loss bool
}

// Error gives the problem in one line: input, place, what.
func (p *Problem) Error() string {
	s := p.Msg
	if place := p.At.String(); place != "" {
		if p.At.Line > 0 {
			if p.Source == "" {
				return place + ": " + s
			}
			return p.Source + ":" + place + ": " + s
		}
		s = place + ": " + s
	}
	if p.Source != "" {
		s = p.Source + ": " + s
	}
	return s
}

// mostListed is how many problems of one kind are listed of a hive, or of one key in it. Of the others it is said how many there are: a
// hundred thousand lines alike tell nobody more, and each line takes more memory than the four bytes that can be the reason for it.
const mostListed = 100

// tally is of the problems of one kind that are not listed.
type tally struct {
	n     int
	first Location // the lowest of their places
	loss  bool     // of any
}

// add counts n problems that are alike in what p says.
func (t *tally) add(p Problem, n int) {
	if t.n == 0 || p.At.Offset < t.first.Offset {
		t.first = p.At
	}
	t.n += n
	t.loss = t.loss || p.Loss
}

// problem returns the one that stands for all of them.
func (t tally) problem(kind Kind) Problem {
	return Problem{At: t.first, Kind: kind, Loss: t.loss, Msg: fmt.Sprintf("%d more problems of the kind %s are not listed; the first of them is here", t.n, kind)}
}

// sameKind is what is known of the problems of one kind in a hive: those with the lowest places, in order, and how many more there are.
type sameKind struct {
	listed []Problem
	more   tally
}

// byPlace orders problems by their place; those of one place by what they say, so that it does not matter which was met first.
func byPlace(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.At.Offset, b.At.Offset), cmp.Compare(a.Msg, b.Msg))
}

func (s *sameKind) add(p Problem) {
	i, _ := slices.BinarySearchFunc(s.listed, p, byPlace)
	if len(s.listed) == mostListed {
		if i == mostListed {
			s.more.add(p, 1)
			return
		}
		s.more.add(s.listed[mostListed-1], 1)
		s.listed = s.listed[:mostListed-1]
	}
	s.listed = slices.Insert(s.listed, i, p)
}

// reporter notes what is wrong with a key, in the key and in the hive: of each kind the problems that are met first, and how many more there are.
// One that is nil notes nothing.
type reporter struct {
	file     *File
	key      *Key
	path     Path // of the key; nil until there is a problem
	full     bool // there is no more room, see [File.tell]
	problems []Problem
	kinds    map[Kind]*ofKey
}

// ofKey counts the problems of one kind in a key.
type ofKey struct {
	listed int
	more   tally
}

func (f *File) reporter(k *Key) *reporter { return &reporter{file: f, key: k} }

// problemSize is about what a problem takes without its message and path, bytes.
const problemSize = 150

// report notes a problem with a place of its own, or else that of the key.
func (r *reporter) report(p Problem, format string, args ...any) {
	if r == nil || r.full {
		return
	}
	if r.kinds == nil {
		r.kinds = map[Kind]*ofKey{}
		r.path = r.key.path()
	}
	kind := r.kinds[p.Kind]
	if kind == nil {
		kind = &ofKey{}
		r.kinds[p.Kind] = kind
	}
	if kind.listed == mostListed {
		kind.more.add(r.file.place(p, r.key.At()), 1)
		return
	}
	kind.listed++
	p.Msg, p.Key = fmt.Sprintf(format, args...), r.path
	size := problemSize + len(p.Msg)
	if len(r.problems) == 0 {
		size += len(r.path) * 16
	}
	if r.full = !r.file.tell(size); r.full { // nor is there room for the path
		p = Problem{Kind: amplified, Loss: true, Msg: "more is wrong with this hive than can be told; what else this key lacks is not told"}
	}
	p.Source = r.file.Source
	p = r.file.place(p, r.key.At())
	r.problems = append(r.problems, p)
	r.file.report(p)
}

// end returns the problems of the key, with one for all those of each kind that are not listed.
func (r *reporter) end() []Problem {
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		if more := r.kinds[kind].more; more.n > 0 {
			p := more.problem(kind)
			p.Source, p.Key = r.file.Source, r.path
			r.problems = append(r.problems, p)
			r.file.count(p, more.n)
		}
	}
	return r.problems
}
