package regfile

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"regvet/hive"
)

// Parse is [Options.Parse] with the zero Options.
func Parse(source string, data []byte) (*File, error) { return Options{}.Parse(source, data) }

// Parse reads a .reg file as Windows imports it. The source is the name of the file for messages. The error is a [*hive.Problem] of kind
// [hive.BadText] for a file that Windows rejects as a whole: with an unknown first line, in UTF-16 without byte order mark or in the wrong
// byte order, empty, or something other than text. Whatever else is wrong with a file, Windows imports the rest, and so does Parse.
func (o Options) Parse(source string, data []byte) (*File, error) {
	r := bytes.NewReader(data)
	var edits []hive.Edit
	f, err := o.collect(source, r, func(p *parser) bool {
		for _, e := range p.st.Edits {
			// Grow the list to what the rest of the file needs if it is like the part already read.
			if n := len(edits); n == cap(edits) && n >= 1024 {
				size := float64(r.Size())
				all := float64(n) * size / (size - float64(r.Len()))
				edits = slices.Grow(edits, max(n/4, int(1.05*all)-n))
			}
			edits = append(edits, e)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	f.Edits = edits
	return f, nil
}

// collect reads a file and passes the parser to take at each statement, which handles the edits and reports whether to go on. The error is
// that of Parse, or that of r.
func (o Options) collect(source string, r io.Reader, take func(*parser) bool) (*File, error) {
	c := collector{file: &File{}, lossyKey: map[string]bool{}}
	var rejected *hive.Problem
	var p *parser
	p = newParser(o, r, func(s *Statement) bool {
		if len(s.Faults) > 0 && s.Faults[0].Code.Rejects() {
			rejected = &s.Faults[0].Problem
			rejected.Source = source
			return false
		}
		for _, f := range s.Faults {
			c.file.Problems = append(c.file.Problems, f.Problem)
		}
		return take(p)
	})
	p.tells = c.lists
	p.scan()
	switch {
	case rejected != nil:
		return nil, rejected
	case p.err != nil:
		return nil, p.err
	}
	c.file.Version, c.file.Encoding = p.st.Version, p.encoding
	return c.finish(source), nil
}

// collector turns the faults of statements into the problems of a [File].
type collector struct {
	file      *File
	lossyKey  map[string]bool // folded paths of the keys that have a problem with loss
	lossyLast hive.Path       // the last one that was added
	listed    int             // problems that are listed
	left      int             // problems that are not listed
}

// maxProblems is how many problems are listed unconditionally.
const maxProblems = 1000

// lists reports whether to list a problem, and counts those not listed.
func (c *collector) lists(key hive.Path, loss bool) bool {
	first := loss && c.firstLoss(key)
	if c.listed < maxProblems || first {
		c.listed++
		return true
	}
	c.left++
	return false
}

// firstLoss reports whether key had no problem with loss yet, and notes that it has one now.
func (c *collector) firstLoss(key hive.Path) bool {
	if len(key) == 0 || len(key) == len(c.lossyLast) && &key[0] == &c.lossyLast[0] {
		return false
	}
	c.lossyLast = key
	fold := hive.Fold(key.String())
	if c.lossyKey[fold] {
		return false
	}
	c.lossyKey[fold] = true
	return true
}

func (c *collector) finish(source string) *File {
	f := c.file
	slices.SortStableFunc(f.Problems, func(a, b hive.Problem) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	if c.left > 0 {
		f.Problems = append(f.Problems, hive.Problem{Kind: hive.BadLine, Msg: fmt.Sprintf("%d more problems are not listed", c.left)})
	}
	for i := range f.Problems {
		f.Problems[i].Source = source
	}
	return f
}
