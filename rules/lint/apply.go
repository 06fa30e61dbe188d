package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"regvet/hive"
)

// Fixed is a file that was put right.
type Fixed struct {
	Data    []byte  // the file
	After   []byte  // its text in UTF-8; nil where Windows reads none
	Fixes   int     // how many fixes were made
	Remains *Result // what the linter says of the file now
}

// rounds is how often a file is looked at again. A fix may make room for another; two that undo each other must come to an end.
const rounds = 10

// Fix makes the fixes of at least the given safety in a file, until none is left to be made. Suppressed findings are left alone. The
// error is that of a file whose text cannot be changed without loss.
func (l Linter) Fix(name string, data []byte, least Safety) (*Fixed, error) {
	f := &Fixed{Data: data}
	for round := range rounds {
		fixes, remains, err := l.fixes(name, f.Data, least)
		if err != nil {
			return nil, err
		}
		f.Remains = remains
		if len(fixes.all) == 0 && round > 0 {
			break
		}
		text, encoding, loss, err := l.Read.Text(f.Data)
		if err != nil {
			break // Windows does not read it, and there is no text that could be changed
		}
		if round == 0 {
			f.After = text
		}
		if len(fixes.all) == 0 {
			break
		}
		if loss != "" {
			return nil, fmt.Errorf("is not changed: %s", loss)
		}
		after, encoding, made := fixes.apply(text, encoding)
		changed, err := l.Read.Encode(after, encoding)
		if err != nil {
			return nil, fmt.Errorf("is not changed: %v", err)
		}
		if bytes.Equal(changed, f.Data) {
			break
		}
		f.Data, f.After, f.Remains = changed, after, nil
		f.Fixes += made
	}
	if f.Remains == nil {
		var err error
		f.Remains, err = l.Lint(name, bytes.NewReader(f.Data))
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// fixes returns the fixes of at least the given safety that a file needs, and what the linter says of it, or nil where that is more
// than the pass has kept: of a finding that will be gone it keeps the fix alone.
func (l Linter) fixes(name string, data []byte, least Safety) (fixes, *Result, error) {
	p := newPass(l, name)
	if p.least = least; l.Known != nil {
		p.least, p.Most = NoFix, 0 // a baseline knows a finding by all that is said of it
	}
	r, err := p.run(bytes.NewReader(data))
	if err != nil {
		return fixes{}, nil, err
	}
	whole := p.fixes.all == nil && l.Most == p.Most
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Fix != nil && f.Fix.Safety >= least && f.Suppressed == nil {
			p.fixes.add(f)
		}
	}
	if !whole {
		r = nil
	}
	return p.fixes, r, nil
}

// fixes are the fixes of a file, without what the findings say.
type fixes struct {
	all     []fixed
	changes []Change
}

// fixed is a finding of which only the fix is kept.
type fixed struct {
	check    *Check
	at       hive.Location
	from, to int // its changes among those of all
	encoding string
}

// add takes up the fix of a finding.
func (x *fixes) add(f *Finding) {
	from := len(x.changes)
	x.changes = append(x.changes, f.Fix.Changes...)
	x.all = append(x.all, fixed{f.Check, f.At, from, len(x.changes), f.Fix.Encoding})
}

// drop leaves out the fixes of suppressed findings.
func (x *fixes) drop(suppressed func(c *Check, line int) bool) {
	x.all = slices.DeleteFunc(x.all, func(f fixed) bool {
		if !suppressed(f.check, f.at.Line) {
			return false
		}
		clear(x.changes[f.from:f.to])
		return true
	})
}

// apply makes those changes that do not touch each other, and returns how many fixes it made. The changes of one fix are made all or
// none, the earlier fix before the later. The fixes are used up.
func (x *fixes) apply(text []byte, encoding string) ([]byte, string, int) {
	taken := make([]bool, len(text)+1) // the places of the changes that are made, with the one behind each
	size, made := len(text), 0
	for _, fix := range x.all {
		changes := x.changes[fix.from:fix.to]
		if slices.ContainsFunc(changes, func(c Change) bool {
			return c.From > c.To || c.To > int64(len(text)) || slices.Contains(taken[c.From:c.To+1], true)
		}) {
			clear(changes)
			continue
		}
		for _, c := range changes {
			for i := c.From; i <= c.To; i++ {
				taken[i] = true
			}
			size += len(c.New) - int(c.To-c.From)
		}
		encoding = cmp.Or(fix.encoding, encoding)
		made++
	}
	slices.SortStableFunc(x.changes, func(a, b Change) int { return cmp.Compare(a.From, b.From) })
	out, done := make([]byte, 0, size), int64(0)
	for _, c := range x.changes {
		if c != (Change{}) {
			out = append(append(out, text[done:c.From]...), c.New...)
			done = c.To
		}
	}
	return append(out, text[done:]...), encoding, made
}
