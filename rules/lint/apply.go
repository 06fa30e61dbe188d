package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// Fixed is a file that was put right.
type Fixed struct {
	Data    []byte  // the file
	Before  []byte  // its text in UTF-8 as it was
	After   []byte  // its text now
	Fixes   int     // how many fixes were made
	Remains *Result // what the linter says of the file now
}

// rounds is how often a file is looked at again. A fix may make room for another; two that undo each other must come to an end.
const rounds = 10

// Fix makes the fixes of at least the given safety in a file, until none is left to be made. Suppressed findings are left alone. The
// error is that of a file whose text cannot be changed without loss.
func (l Linter) Fix(name string, data []byte, least Safety) (*Fixed, error) {
	l.Most = 0
	f := &Fixed{Data: data}
	for round := 0; ; round++ {
		r, err := l.Lint(name, bytes.NewReader(f.Data))
		if err != nil {
			return nil, err
		}
		f.Remains = r
		var fixes []*Fix
		for i := range r.Findings {
			if fix := r.Findings[i].Fix; fix != nil && fix.Safety >= least && r.Findings[i].Suppressed == nil {
				fixes = append(fixes, fix)
			}
		}
		if len(fixes) == 0 && round > 0 || round == rounds {
			return f, nil
		}
		text, encoding, loss, err := l.Read.Text(f.Data)
		if err != nil {
			return f, nil // Windows does not read it, and there is no text that could be changed
		}
		if round == 0 {
			f.Before, f.After = text, text
		}
		if len(fixes) == 0 {
			return f, nil
		}
		if loss != "" {
			return nil, fmt.Errorf("is not changed: %s", loss)
		}
		after, encoding, made := apply(text, encoding, fixes)
		changed, err := l.Read.Encode(after, encoding)
		if err != nil {
			return nil, fmt.Errorf("is not changed: %v", err)
		}
		if bytes.Equal(changed, f.Data) {
			return f, nil
		}
		f.Data, f.After = changed, after
		f.Fixes += made
	}
}

// apply makes those changes that do not touch each other. The changes of one fix are made all or none, the earlier fix before the
// later. It tells how many fixes it made.
func apply(text []byte, encoding string, fixes []*Fix) ([]byte, string, int) {
	var all []Change
	made := 0
	for _, fix := range fixes {
		if slices.ContainsFunc(fix.Changes, func(c Change) bool { return c.From > c.To || c.To > int64(len(text)) || touches(all, c) }) {
			continue
		}
		all = append(all, fix.Changes...)
		slices.SortFunc(all, func(a, b Change) int { return cmp.Compare(a.From, b.From) })
		if fix.Encoding != "" {
			encoding = fix.Encoding
		}
		made++
	}
	var out []byte
	done := int64(0)
	for _, c := range all {
		out = append(append(out, text[done:c.From]...), c.New...)
		done = c.To
	}
	return append(out, text[done:]...), encoding, made
}

// touches tells whether a change shares a place with one of those that are sorted.
func touches(sorted []Change, c Change) bool {
	i, _ := slices.BinarySearchFunc(sorted, c.To, func(other Change, to int64) int { return cmp.Compare(other.From, to+1) })
	return i > 0 && sorted[i-1].To >= c.From
}
