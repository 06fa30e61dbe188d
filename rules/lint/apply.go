package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"regvet/hive"
)

// Fixed is a file after its fixes.
type Fixed struct {
	Data    []byte  // the file
	After   []byte  // its text in UTF-8, or nil if it is not text
	Fixes   int     // how many were made
	Remains *Result // what the linter finds in the file now
}

// rounds is how often a file is fixed at most. One fix can make another possible; two that undo each other must not go on forever.
const rounds = 10

// Fix makes all fixes that are at least as safe as least. Suppressed findings are left alone. It returns an error if the text of the file
// cannot be changed without loss.
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
			break // there is no text to change
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

// fixes returns the fixes of a file that are at least as safe as least. The result is nil if there are findings of which only the fix was
// kept, to save memory.
func (l Linter) fixes(name string, data []byte, least Safety) (fixes, *Result, error) {
	p := newPass(l, name)
	p.least = least
	r, err := p.run(bytes.NewReader(data))
	if p.fixes.all != nil {
		r = nil
	}
	return p.fixes, r, err
}

// fixes are the fixes of a file, without their findings.
type fixes struct {
	all     []fixed
	changes []Change
}

// fixed is the fix of one finding.
type fixed struct {
	check    *Check
	rule     string // of the finding
	at       hive.Location
	from, to int // of its changes in fixes.changes
	encoding string
}

// add adds the fix of a finding.
func (x *fixes) add(f *Finding) {
	from := len(x.changes)
	x.changes = append(x.changes, f.Fix.Changes...)
	x.all = append(x.all, fixed{f.Check, f.Rule, f.At, from, len(x.changes), f.Fix.Encoding})
}

// drop removes the fixes of suppressed findings.
func (x *fixes) drop(suppressed func(fixed) bool) {
	x.all = slices.DeleteFunc(x.all, func(f fixed) bool {
		if !suppressed(f) {
			return false
		}
		clear(x.changes[f.from:f.to])
		return true
	})
}

// apply returns the changed text, its encoding and how many fixes were made. A fix is left out if one of its changes touches a change of
// an earlier fix. The fixes cannot be used again.
func (x *fixes) apply(text []byte, encoding string) ([]byte, string, int) {
	taken := make([]bool, len(text)+1) // bytes that changes replace, and the byte after each change
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
