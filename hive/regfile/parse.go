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
//
// There is no public test on Windows for the following. This package reads it in the most plausible way, and reports it as [hive.Doubtful]
// or as a dropped line:
//
//   - A file in UTF-8 with a byte order mark is read; there are reports of a Windows that rejects it. Windows does not write it, and
//     neither does this package.
//   - Text in hex(1), hex(2) and hex(7) is UTF-16 in a file of version 5 and in the ANSI code page in one of version 4, whatever the
//     encoding of the file. An odd last byte is kept, and a NUL is added if the last whole character is not one.
//   - The code page of 8-bit text is windows-1252 unless [Options] has another. Nothing is written that depends on this guess. In 932, 936,
//     949 and 950, a first byte without a fitting second one is read as U+FFFD; an ASCII character behind it is read as itself.
//   - A short root such as HKLM is read as the long one; several backslashes in a row are read as one.
//   - After a key line that is dropped for its brackets, the key above it stays open.
//   - In quotes, a backslash before anything but a backslash or a quote makes the line invalid, and so does a line break. Keywords
//     (dword, hex) are in lowercase.
//   - Hex data may have single digits, and blanks between elements. hex(): without a number is invalid.
//   - A NUL ends its line. UTF-16 that ends in the middle of a unit lacks that unit.
//   - REGEDIT4 with blanks after it is a version that imports nothing.
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
