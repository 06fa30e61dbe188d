package report

import (
	"bytes"
	"io"
	"strings"

	"regvet/internal/safetext"
)

// firstError is a writer that keeps the first error, and writes nothing after it.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(b []byte) (n int, err error) {
	if f.err == nil {
		n, f.err = f.w.Write(b)
	}
	return n, f.err
}

// list writes a list in JSON, indented as [writeJSON] does, one element at a time.
type list struct {
	io.Writer
	indent string // of the elements
	before string // what stands before the next
	line   bytes.Buffer
}

// newList begins a list that is so many levels deep.
func newList(w io.Writer, depth int) *list {
	indent := strings.Repeat("  ", depth+1)
	return &list{Writer: &firstError{w: w}, indent: indent, before: "[\n" + indent}
}

func (l *list) add(v any) error {
	l.line.Reset()
	l.line.WriteString(l.before)
	l.before = ",\n" + l.indent
	e := safetext.NewEncoder(&l.line)
	e.SetIndent(l.indent, "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := l.Write(bytes.TrimSuffix(l.line.Bytes(), []byte("\n")))
	return err
}

// close ends the list.
func (l *list) close() {
	end := "\n" + l.indent[2:] + "]"
	if l.before[0] == '[' {
		end = "[]"
	}
	io.WriteString(l, end)
}
