package hive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Location is a place in an input: a byte offset in a hive, or a line and column in a .reg file. The zero Location is no place.
type Location struct {
	Offset int64 // bytes from the start of the hive file; 0 for none
	Line   int   // counted from 1; 0 for none
	Column int   // counted from 1, in characters
}

// String returns the place as messages write it: "12:3" for text, "offset 0x1020" for a hive, "" for no place.
func (l Location) String() string {
	switch {
	case l.Line > 0:
		return fmt.Sprintf("%d:%d", l.Line, l.Column)
	case l.Offset > 0:
		return fmt.Sprintf("offset %#x", l.Offset)
	}
	return ""
}

// Kind is what sort of damage or oddity a [Problem] is, for programs.
type Kind string

const (
	// Unreadable is the kind of an input that the operating system cannot read, or that is not one.
	Unreadable Kind = "unreadable"
	// Gap is the kind of bytes of an image or archive that are not there, or do not match their checksum.
	Gap Kind = "gap"
)

// The kinds of problems in hives.
const (
	badHeader    Kind = "bad-header"    // a field of the base block has a value that the format does not allow
	badChecksum  Kind = "bad-checksum"  // the checksum of the base block is wrong
	dirty        Kind = "dirty"         // the hive was being written when it was copied: its latest changes are in its logs
	Truncated    Kind = "truncated"     // the file ends before the hive does
	badBin       Kind = "bad-bin"       // a bin is not signed, placed or sized as it must be
	BadCell      Kind = "bad-cell"      // a cell has an impossible size, or a reference does not lead to a cell in use
	badSignature Kind = "bad-signature" // a cell holds another kind of record than the reference to it says
	badList      Kind = "bad-list"      // a subkey or value list is cut short, nested or repeated
	badName      Kind = "bad-name"      // a name is longer than its cell, or than Windows allows
	badData      Kind = "bad-data"      // the data of a value is incomplete, or not stored as Windows does it
	wrongParent  Kind = "wrong-parent"  // a key is in the list of a key that it does not name as its parent
	wrongCount   Kind = "wrong-count"   // a list holds more or fewer elements than its key says
	wrongOrder   Kind = "wrong-order"   // a subkey list is not sorted, so that Windows may not find all of its keys
	wrongHint    Kind = "wrong-hint"    // a list says of a key that it has another name, so that Windows does not find it
	duplicate    Kind = "duplicate"     // two subkeys or values of a key have the same name, or its list names one twice
	tooDeep      Kind = "too-deep"      // more levels of keys than Windows allows
	badTime      Kind = "bad-time"      // a time is before 1601 or after 9999
	badSecurity  Kind = "bad-security"  // a security descriptor cannot be read
	amplified    Kind = "amplified"     // the hive names the same bytes over and over, so that some are left out
)

// The kinds of problems in .reg text.
const (
	BadText    Kind = "bad-text"     // the encoding or the first line is not that of a .reg file
	BadLine    Kind = "bad-line"     // a line that Windows drops although it looks as if it should set or delete something
	StrayLine  Kind = "stray-line"   // a line that is neither key, value nor comment, which Windows skips
	Doubtful   Kind = "doubtful"     // a form on which Windows versions or tools may disagree
	NoSuchRoot Kind = "no-such-root" // a key line whose root Windows does not know
)

// Problem is damage or bad syntax met in an input. A verdict about the registry is not a problem but a finding, see package rules.
type Problem struct {
	Source string   // the input, as the user named it
	At     Location // where in the input
	Kind   Kind
	Msg    string // what is wrong and what was done about it, without a capital letter or a period
	Key    Path   // the key whose content is in doubt, if known: from the hive's root, or as a .reg file names it
	// Loss means that something in the input could not be read, so that absence proves nothing there. A problem without loss is an
	// oddity that kept nothing from being read.
	Loss bool
}

// Error returns the problem in one line: input, place, message.
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

// mostListed is how many problems of one kind a hive lists, and each key in it; the others are only counted. A hundred thousand lines that
// are alike tell nobody more, and each takes far more memory than the four bytes that can be its cause.
const mostListed = 100

// tally counts the problems of one kind that are not listed.
type tally struct {
	n     int
	first Location // the lowest place of any
	loss  bool     // whether any is a loss
}

// add counts n problems. p is one of them, or the one that stands for all of them.
func (t *tally) add(p Problem, n int) {
	if t.n == 0 || p.At.Offset < t.first.Offset {
		t.first = p.At
	}
	t.n += n
	t.loss = t.loss || p.Loss
}

// problem returns the problem that stands for all that were counted.
func (t tally) problem(kind Kind) Problem {
	return Problem{At: t.first, Kind: kind, Loss: t.loss, Msg: fmt.Sprintf("%d more problems of the kind %s are not listed; the first of them is here", t.n, kind)}
}

// sameKind holds the problems of one kind in a hive: the first ones by their place, in order, and the number of others.
type sameKind struct {
	listed []Problem
	more   tally
}

// byPlace orders problems by place, then by message, so that the order does not depend on which was met first.
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

// reporter notes the problems of one key, for the key and for the hive: the first of each kind, and the number of others. A nil reporter
// notes nothing.
type reporter struct {
	file     *File
	key      *Key
	path     Path // of the key; nil until it has a problem
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

// problemSize is about what a problem takes in memory without its message and path, in bytes.
const problemSize = 150

// report notes a problem. If it has no place, it gets that of the key.
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
	if r.full = !r.file.tell(size); r.full { // not even for the path
		p = Problem{Kind: amplified, Loss: true, Msg: "more is wrong with this hive than can be listed; what else is missing from this key is not known"}
	}
	p.Source = r.file.Source
	p = r.file.place(p, r.key.At())
	r.problems = append(r.problems, p)
	r.file.report(p)
}

// end returns the problems of the key. For each kind, one of them stands for those that are not listed.
func (r *reporter) end() []Problem {
	if len(r.problems) == 0 { // as for nearly all keys: sorting no kinds still allocates
		return nil
	}
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
