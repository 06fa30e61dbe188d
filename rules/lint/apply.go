package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"regvet/hive"
	"regvet/hive/regfile"
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

// Fix makes all fixes that are at least as safe as least. Suppressed findings are left alone, and so are all that touch a line of which the
// code page is a guess, or follow from the guess elsewhere. It returns an error if the text of the file cannot be changed without loss.
func (l Linter) Fix(name string, data []byte, least Safety) (*Fixed, error) {
	f, withheld := &Fixed{Data: data}, false
	for round := range rounds {
		p, err := l.fixes(name, f.Data, least)
		if err != nil {
			return nil, err
		}
		fixes := p.fixes
		if f.Remains = &p.result; fixes.all != nil {
			f.Remains = nil // of some findings only the fix was kept
		}
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
		if found := len(fixes.all); p.guessed {
			if err := l.agree(&fixes, text, f.Data, least); err != nil {
				return nil, err
			}
			withheld = withheld || len(fixes.all) < found
		}
		if len(fixes.all) == 0 {
			break
		}
		if loss != "" {
			return nil, fmt.Errorf("is not changed: %s", loss)
		}
		changes, encoding, made := fixes.choose(len(text), encoding)
		after := spliced(text, changes)
		changed := after
		if regfile.InPage(encoding) {
			if changes, err = l.inData(changes, text, f.Data); err != nil {
				return nil, fmt.Errorf("is not changed: %v", err)
			}
			changed = spliced(f.Data, changes)
		} else {
			changed = regfile.Unicode(after, encoding)
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
	for i := range f.Remains.Findings {
		if left := &f.Remains.Findings[i]; withheld && left.Fix != nil && left.Fix.Safety >= least {
			left.Fix = nil
		}
	}
	return f, nil
}

// inData returns changes, in the order of the text, as changes of a file in a code page. Its unchanged bytes stay what they are, whatever their
// text would be written as.
func (l Linter) inData(changes []Change, text, data []byte) ([]Change, error) {
	ends := func(yield func(int64) bool) {
		for _, c := range changes {
			if !yield(c.From) || !yield(c.To) {
				return
			}
		}
	}
	moved, at := slices.Clone(changes), 0
	for place := range l.Read.Places(text, data, ends) {
		if c := &moved[at/2]; at%2 == 0 {
			c.From = place
		} else {
			c.To = place
		}
		at++
	}
	for i := range moved {
		written, err := l.Read.Encode(moved[i].New)
		if err != nil {
			return nil, err
		}
		moved[i].New = written
	}
	return moved, nil
}

// fixes returns a pass that found the fixes of a file that are at least as safe as least. To save memory, it has no findings with one.
func (l Linter) fixes(name string, data []byte, least Safety) (*pass, error) {
	p := newPass(l, name)
	p.least = least
	_, err := p.run(bytes.NewReader(data))
	return p, err
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

// drop removes some of the fixes.
func (x *fixes) drop(which func(fixed) bool) {
	x.all = slices.DeleteFunc(x.all, func(f fixed) bool {
		if !which(f) {
			return false
		}
		clear(x.changes[f.from:f.to])
		return true
	})
}

// choose returns the changes to make in a text of this size, in its order, the encoding afterwards, and how many fixes are made. A fix is left
// out if one of its changes touches a change of an earlier fix. The fixes cannot be used again.
func (x *fixes) choose(size int, encoding string) (chosen []Change, _ string, made int) {
	taken := make([]bool, size+1) // bytes that changes replace, and the byte after each change
	for _, fix := range x.all {
		changes := x.changes[fix.from:fix.to]
		if slices.ContainsFunc(changes, func(c Change) bool {
			return c.From > c.To || c.To > int64(size) || slices.Contains(taken[c.From:c.To+1], true)
		}) {
			clear(changes)
			continue
		}
		for _, c := range changes {
			for i := c.From; i <= c.To; i++ {
				taken[i] = true
			}
		}
		encoding = cmp.Or(fix.encoding, encoding)
		made++
	}
	slices.SortStableFunc(x.changes, func(a, b Change) int { return cmp.Compare(a.From, b.From) })
	return slices.DeleteFunc(x.changes, func(c Change) bool { return c == Change{} }), encoding, made
}

// spliced returns bytes with changes made in them, which come in their order.
func spliced(b []byte, changes []Change) []byte {
	size := len(b)
	for _, c := range changes {
		size += len(c.New) - int(c.To-c.From)
	}
	out, done := make([]byte, 0, size), int64(0)
	for _, c := range changes {
		out = append(append(out, b[done:c.From]...), c.New...)
		done = c.To
	}
	return append(out, b[done:]...)
}
