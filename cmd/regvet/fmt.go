package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"regvet/cmd/regvet/internal/draft"
	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
)

var fmtCommand = command{
	name: "fmt", args: "FILE.reg|FOLDER...", short: "print or rewrite .reg files in regedit's own form",
	min: 1, max: -1,
	example: `  regvet fmt tweaks.reg > formatted.reg
  regvet fmt -w --encoding utf-8 .
  regvet fmt --check --encoding utf-8 .
`,
	flags: func(f *pflag.FlagSet, o *options) {
		f.BoolVarP(&o.rewrite, "write", "w", false, "rewrite the files that are not in this form, and list them")
		f.BoolVar(&o.list, "check", false, "list the files that are not in this form, and exit with 1 if there are any")
		f.BoolVar(&o.diff, "diff", false, "show what would change, and exit with 1 if anything would")
		f.StringVar(&o.encoding, "encoding", "utf-16le", "the `ENCODING` of version 5.00: utf-16le, as regedit writes, or utf-8, which git can compare; "+
			"with utf-8, a file that is not all ASCII gets a byte order mark, because without one Windows takes its characters for others, "+
			"and line ends stay LF where the first line has it")
		regFileFlags(f, o)
		f.StringVar(&o.codePage, "codepage", "", "the `NUMBER` of the code page that files without a byte order mark are in (default 1252; 65001 is UTF-8)")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
	},
	run: (*cli).formatAll,
}

func (c *cli) formatAll() {
	c.oneOf("--encoding", c.encoding, "utf-16le", "utf-8")
	modes := 0
	for _, mode := range []bool{c.rewrite, c.list, c.diff} {
		if mode {
			modes++
		}
	}
	if modes > 1 {
		c.fail(statusUsage, "-w, --check and --diff exclude each other")
	}
	o := regfile.FormatOptions{UTF8: c.encoding == "utf-8"}
	if c.codePage != "" {
		page, err := regfile.ParseCodePage(c.codePage)
		if err != nil {
			c.fail(statusUsage, "--codepage: %v", err)
		}
		o.CodePage = page
	}
	switch first := slices.Index(c.args, "-"); {
	case first < 0:
	case c.rewrite:
		c.fail(statusUsage, "-w rewrites files, and standard input is none; leave -w out")
	case slices.Contains(c.args[first+1:], "-"):
		c.fail(statusUsage, "standard input can be read only once")
	}
	if c.status >= statusUsage {
		return
	}
	files := c.regFiles()
	if modes == 0 && len(files) > 1 {
		c.fail(statusUsage, "these are %d files, and one at a time can be printed; -w rewrites them, --check lists those that would change, --diff shows how", len(files))
		return
	}
	if !c.diff { // which holds the text of a file twice
		sparing()
	}
	if modes == 0 {
		for _, path := range files {
			if f := c.formatted(path, o); f != nil {
				c.write(func(w io.Writer) error { return c.print(w, f) })
				f.close()
			}
		}
		return
	}
	c.write(func(w io.Writer) error {
		for _, path := range files {
			f := c.formatted(path, o)
			if f == nil {
				continue
			}
			if !f.same {
				if err := c.differs(w, f); err != nil {
					f.close()
					return err
				}
			}
			f.close()
		}
		return nil
	})
}

// formattedFile is a file and what formatting it would do. It is not held: it is formatted once to see that, and again to write it.
type formattedFile struct {
	regfile.Formatted
	path    string
	options regfile.FormatOptions
	text    *io.SectionReader
	close   func() error
	noForm  bool // it is not formatted
	same    bool // formatting it changes nothing
}

// formatted reads a file and formats it. Where that cannot be done, it says why, raises the exit status and gives nil.
func (c *cli) formatted(path string, o regfile.FormatOptions) *formattedFile {
	text, close, err := c.open(path)
	if err != nil {
		c.refuse(path, err)
		return nil
	}
	f := &formattedFile{path: path, options: o, text: text, close: close}
	same := comparison{with: io.NewSectionReader(text, 0, text.Size())}
	f.Formatted, err = o.Format(&same, text)
	if noForm, ok := errors.AsType[*regfile.NoForm](err); ok {
		c.say("%s: %v", displayName(path), noForm)
		f.noForm, f.same = true, true
		return f
	}
	if err == nil {
		f.same, err = same.end()
	}
	if err != nil {
		c.refuseText(path, err)
	} else if c.tellLeft(f) {
		return f
	}
	close()
	return nil
}

// refuseText says why a file that was opened cannot be formatted.
func (c *cli) refuseText(path string, err error) {
	if _, ok := errors.AsType[*hive.Problem](err); !ok {
		err = fmt.Errorf("cannot be read to its end: %v", hive.Cause(err))
	}
	c.refuse(path, err)
}

// comparison compares what is written to it with a file. An error is one of the file.
type comparison struct {
	with    *io.SectionReader
	buf     []byte
	differs bool
}

func (c *comparison) Write(b []byte) (int, error) {
	if c.differs {
		return len(b), nil
	}
	c.buf = slices.Grow(c.buf[:0], len(b))[:len(b)]
	switch _, err := io.ReadFull(c.with, c.buf); err {
	case nil:
		c.differs = !bytes.Equal(b, c.buf)
	case io.EOF, io.ErrUnexpectedEOF:
		c.differs = len(b) > 0
	default:
		return 0, err
	}
	return len(b), nil
}

// end tells whether what was written is the file, all of it.
func (c *comparison) end() (same bool, err error) {
	at, err := c.with.Seek(0, io.SeekCurrent) // never fails
	return !c.differs && at == c.with.Size(), err
}

// writeFormatted writes the file as it would be. Where it cannot be read again, it says so.
func (c *cli) writeFormatted(w io.Writer, f *formattedFile) error {
	if f.noForm {
		_, err := io.Copy(w, io.NewSectionReader(f.text, 0, f.text.Size()))
		return err
	}
	out := &watched{w: w}
	if _, err := f.options.Format(out, f.text); err != nil && out.err == nil {
		c.refuseText(f.path, err)
		return errUnread
	}
	return out.err
}

// watched keeps the error of a writer, to be told from that of a reader.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(b []byte) (n int, err error) {
	n, w.err = w.w.Write(b)
	return n, w.err
}

// print writes a formatted file. A person at a terminal wants to read it, and no program takes UTF-16 from there.
func (c *cli) print(w io.Writer, f *formattedFile) error {
	if !c.style().Terminal {
		return c.writeFormatted(w, f)
	}
	var after bytes.Buffer
	if err := c.writeFormatted(&after, f); err != nil {
		return err
	}
	return report.Plain(w, textOf(f.options, &after))
}

// differs does with a file that is not in the form what the flags say.
func (c *cli) differs(w io.Writer, f *formattedFile) error {
	name := displayName(f.path)
	if c.rewrite {
		if !c.replace(f.path, f.close, func(w io.Writer) error { return c.writeFormatted(w, f) }) {
			return nil
		}
	} else {
		c.raise(statusFindings)
	}
	if c.diff {
		var after bytes.Buffer
		if err := c.writeFormatted(&after, f); err != nil {
			return err
		}
		return report.Diff(w, name, report.Side{Text: textOf(f.options, io.NewSectionReader(f.text, 0, f.text.Size())), Encoding: shownEncoding(f.From)},
			report.Side{Text: textOf(f.options, &after), Encoding: shownEncoding(f.To)}, c.style())
	}
	_, err := fmt.Fprintln(w, hive.Visible(name))
	return err
}

// tellLeft says what the user must know of a file that was formatted. It tells whether the result is what its author can have meant.
func (c *cli) tellLeft(f *formattedFile) bool {
	name := displayName(f.path)
	about := "the text is not all ASCII"
	if f.Version == regfile.Version5 && !marked(f.From) && f.From != "ASCII" {
		if c.codePage == "" && f.isUTF8() {
			c.fail(statusInput, "%s: the text is UTF-8 without a byte order mark, which Windows reads in its ANSI code page; "+
				"give --codepage 65001 for the text that was meant, or --codepage 1252 for what western Windows makes of it", name)
			return false
		}
		about = "the text, read as " + f.From + ", is not all ASCII"
	}
	if c.list || (c.rewrite || c.diff) && f.same {
		return true // nobody sees the result, and whoever runs this every day knows the rest
	}
	switch {
	case f.Version != regfile.Version5:
	case f.To == "UTF-8":
		c.say("%s: %s, so the file starts with a UTF-8 byte order mark, which not every Windows accepts; import what --encoding utf-16le makes of it", name, about)
	case !marked(f.From) && f.From != "ASCII":
		c.say("%s: %s; in UTF-16LE every Windows reads it the same", name, about)
	}
	if f.Left > 0 {
		left := f.First
		which := "this line is left as it is"
		if more := f.Left - 1; more > 0 {
			which = fmt.Sprintf("this line and %d more are left as they are", more)
		}
		left.Source, left.Msg = name, which+": "+left.Msg
		c.say("%v", &left)
	}
	return true
}

// marked tells that a file in an encoding starts with a byte order mark, so that no code page decides what its text is.
func marked(encoding string) bool { return encoding == "UTF-16LE" || encoding == "UTF-8" }

// shownEncoding names an encoding in messages.
func shownEncoding(name string) string {
	if marked(name) {
		return name + " with a byte order mark"
	}
	return name
}

// isUTF8 tells whether the bytes of the file, all of which were read before, are UTF-8.
func (f *formattedFile) isUTF8() bool {
	_, err := io.Copy(io.Discard, transform.NewReader(io.NewSectionReader(f.text, 0, f.text.Size()), encoding.UTF8Validator))
	return err == nil
}

// textOf gives the text of a file in UTF-8.
func textOf(o regfile.FormatOptions, r io.Reader) string {
	var text strings.Builder
	for s, err := range o.Scan(r) {
		if err == nil { // it was read before
			text.Write(s.Raw)
		}
	}
	return text.String()
}

// replace puts a file in the place of an input, which is closed before. No other command does that: here it is what the user asks for.
func (c *cli) replace(name string, close func() error, write func(io.Writer) error) bool {
	d, err := draft.Create(name)
	if err == nil {
		defer d.Discard()
		if err = write(d); err == nil {
			close() // it was only read
			err = d.Commit()
		}
	}
	if err != nil && err != errUnread {
		c.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
	}
	return err == nil
}
