package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

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
	if modes == 0 {
		for _, path := range files {
			if f := c.formatted(path, o); f != nil {
				c.write(func(w io.Writer) error { return c.print(w, f) })
			}
		}
		return
	}
	c.write(func(w io.Writer) error {
		for _, path := range files {
			f := c.formatted(path, o)
			if f == nil || bytes.Equal(f.before, f.after) {
				continue
			}
			if err := c.differs(w, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// formattedFile is a file as it is, and as it would be.
type formattedFile struct {
	regfile.Formatted
	path          string
	options       regfile.FormatOptions
	before, after []byte
}

// formatted reads a file and formats it. Where that cannot be done, it says why, raises the exit status and gives nil.
func (c *cli) formatted(path string, o regfile.FormatOptions) *formattedFile {
	data, err := c.bytes(path)
	if err != nil {
		c.refuse(path, err)
		return nil
	}
	f := &formattedFile{path: path, options: o, before: data}
	var out bytes.Buffer
	f.Formatted, err = o.Format(&out, bytes.NewReader(data))
	if noForm, ok := errors.AsType[*regfile.NoForm](err); ok {
		c.say("%s: %v", displayName(path), noForm)
		f.after = data
		return f
	}
	if err != nil {
		c.refuse(path, err)
		return nil
	}
	f.after = out.Bytes()
	if !c.tellLeft(f) {
		return nil
	}
	return f
}

// print writes a formatted file. A person at a terminal wants to read it, and no program takes UTF-16 from there.
func (c *cli) print(w io.Writer, f *formattedFile) error {
	if c.style().Terminal {
		return report.Plain(w, textOf(f.options, f.after))
	}
	_, err := w.Write(f.after)
	return err
}

// differs does with a file that is not in the form what the flags say.
func (c *cli) differs(w io.Writer, f *formattedFile) error {
	name := displayName(f.path)
	if c.rewrite {
		if !c.replace(f.path, f.after) {
			return nil
		}
	} else {
		c.raise(statusFindings)
	}
	if c.diff {
		return report.Diff(w, name, report.Side{Text: textOf(f.options, f.before), Encoding: shownEncoding(f.From)},
			report.Side{Text: textOf(f.options, f.after), Encoding: shownEncoding(f.To)}, c.style())
	}
	_, err := fmt.Fprintln(w, hive.Visible(name))
	return err
}

// tellLeft says what the user must know of a file that was formatted. It tells whether the result is what its author can have meant.
func (c *cli) tellLeft(f *formattedFile) bool {
	name := displayName(f.path)
	about := "the text is not all ASCII"
	if f.Version == regfile.Version5 && !marked(f.From) && f.From != "ASCII" {
		if c.codePage == "" && utf8.Valid(f.before) {
			c.fail(statusInput, "%s: the text is UTF-8 without a byte order mark, which Windows reads in its ANSI code page; "+
				"give --codepage 65001 for the text that was meant, or --codepage 1252 for what western Windows makes of it", name)
			return false
		}
		about = "the text, read as " + f.From + ", is not all ASCII"
	}
	if c.list || (c.rewrite || c.diff) && bytes.Equal(f.before, f.after) {
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

// textOf gives the text of a file in UTF-8.
func textOf(o regfile.FormatOptions, data []byte) string {
	var text strings.Builder
	for s := range o.Scan(bytes.NewReader(data)) {
		text.Write(s.Raw)
	}
	return text.String()
}

// replace puts a file in the place of an input. No other command does that: here it is what the user asks for.
func (c *cli) replace(name string, data []byte) bool {
	d, err := newDraft(name)
	if err == nil {
		if _, err = d.Write(data); err != nil {
			d.discard()
		} else {
			err = d.commit()
		}
	}
	if err != nil {
		c.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
	}
	return err == nil
}
