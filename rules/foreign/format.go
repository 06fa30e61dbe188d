package foreign

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/strict"
)

// BadForeign is the kind of a mistake in a rule file of another program.
const BadForeign hive.Kind = "bad-foreign-rule"

const maxRows = 20_000 // of a file; a run takes no more rules

// format is one kind of rule file.
type format struct {
	name string                              // as --from has it
	what string                              // for people, in the plural
	is   func(name string, data []byte) bool // tells by the content; the name decides only what content leaves open
	read func(f *file) error                 // adds the rows; the error is a *hive.Problem where it has a place
}

var formats []format

// FormatNames returns the names of the formats.
func FormatNames() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// file is a file while it is read.
type file struct {
	*Source
	data []byte
	// beside returns a file of the same folder, or fs.ErrNotExist.
	beside func(name string) ([]byte, error)
}

// add adds a row. The error is that there are too many.
func (f *file) add(r Row) error {
	if len(f.Rows) == maxRows {
		return f.wrong(r.Line, min(r.Line, 1), "holds more than %d rules; split it", maxRows)
	}
	f.Rows = append(f.Rows, r)
	return nil
}

// wrong returns a mistake at a line and column of the file, both of which begin at 1; 0 and 0 for the file as a whole.
func (f *file) wrong(line, column int, format string, args ...any) error {
	return &hive.Problem{Source: f.Path, At: hive.Location{Line: line, Column: column}, Kind: BadForeign, Msg: fmt.Sprintf(format, args...)}
}

func formatOf(name string, data []byte) *format {
	for i, f := range formats {
		if f.is(name, data) {
			return &formats[i]
		}
	}
	return nil
}

// Read reads a file in the format of that name or, without one, in that which its content tells.
func Read(fsys fs.FS, path, from string) (*Source, error) {
	data, err := rules.ReadFile(fsys, path)
	if err != nil {
		return nil, &hive.Problem{Source: path, Kind: BadForeign, Msg: err.Error()}
	}
	return parse(fsys, path, data, from)
}

func parse(fsys fs.FS, path string, data []byte, from string) (*Source, error) {
	chosen := formatOf(path, data)
	if from != "" {
		chosen = &formats[slices.IndexFunc(formats, func(f format) bool { return f.name == from })]
	}
	s := &Source{Path: path, File: filepath.Base(path), Unit: "line"}
	f := &file{Source: s, data: data, beside: func(name string) ([]byte, error) { return readBeside(fsys, filepath.Join(filepath.Dir(path), name)) }}
	if chosen == nil {
		known := []string{"packs of its own"}
		for _, f := range formats {
			known = append(known, f.what)
		}
		return nil, f.wrong(0, 0, "is no rule file that regvet knows; it knows %s", strict.List(known, "and"))
	}
	s.Format = chosen.name
	if err := chosen.read(f); err != nil {
		return nil, err
	}
	return s, nil
}

// readBeside returns the bytes of a file that was found beside another, and that nobody named: only a regular one is opened.
func readBeside(fsys fs.FS, path string) ([]byte, error) {
	info, err := fs.Stat(fsys, path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is no regular file, so it was not opened; put the file there")
	}
	return rules.ReadFile(fsys, path)
}

// text returns the text of a file in UTF-8, with or without a mark, or in UTF-16 with a mark. Other bytes are taken for windows-1252.
func text(data []byte) string {
	decoder := charmap.Windows1252.NewDecoder()
	if utf8.Valid(data) {
		decoder = encoding.Nop.NewDecoder()
	}
	decoded, _, err := transform.Bytes(unicode.BOMOverride(decoder), data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	return string(decoded)
}

// packName returns the name of a pack for a file: its own without ending, in the letters that a name can have.
func packName(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return word(name, "imported")
}

// word returns a text as a name of a rule or pack can be written, or another one if nothing is left of it.
func word(text, instead string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c < 0x80 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", c):
			b.WriteRune(c)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 100 {
			break
		}
	}
	if w := strings.Trim(b.String(), "-._"); w != "" {
		return w
	}
	return instead
}
