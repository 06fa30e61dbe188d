package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/report"
)

var fmtCommand = command{
	name: "fmt", args: "FILE.reg|FOLDER...", short: "format .reg files as regedit writes them",
	min: 1, max: -1, files: true, colours: true,
	example: `  regvet fmt tweaks.reg > formatted.reg
  regvet fmt -w --encoding utf-8 .
  regvet fmt --check --encoding utf-8 .
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(fmtOptions)
		f.BoolVarP(&o.rewrite, "write", "w", false, "rewrite the files that are not formatted, and list them")
		f.BoolVar(&o.list, "check", false, "list the files that are not formatted, and exit with 1 if there are any")
		f.BoolVar(&o.diff, "diff", false, "show what would change as a unified diff, and exit with 1 if anything would")
		choose(f, &o.encoding, "encoding", "", "utf-16le", "output `ENCODING` of version 5.00: %s; regedit writes UTF-16LE, git can compare UTF-8; "+
			"with utf-8, a file that is not all ASCII gets a byte order mark, because Windows would misread it without one, "+
			"and line ends stay LF if the first line ends in LF", "utf-16le", "utf-8")
		o.regFiles.define(f)
		codePageFlag(f, &o.codePage)
		o.configFlags.define(f, "the code page", "the folder of each file")
		outputFlag(f, &o.output)
		return o.run
	},
}

type fmtOptions struct {
	rewrite, list, diff bool
	encoding            choice
	regFiles            regFileFlags
	codePage            parsed[*regfile.CodePage]
	configFlags
	output string
}

// codePages returns the code page of each file, nil if neither the flag nor a config names one. If a config has mistakes, it writes them and
// returns false.
func (o *fmtOptions) codePages(s *session, files []string) (pages map[string]*regfile.CodePage, ok bool) {
	configs := newConfigs(s, &o.configFlags)
	if configs == nil {
		return nil, false
	}
	pages = map[string]*regfile.CodePage{}
	for _, name := range files {
		scope, paths, _ := configs.of(name)
		pages[name] = cmp.Or(o.codePage.value, scope.config.With(paths).CodePage)
	}
	return pages, !configs.broken
}

func (o *fmtOptions) run(s *session, args []string) {
	modes := 0
	for _, mode := range []bool{o.rewrite, o.list, o.diff} {
		if mode {
			modes++
		}
	}
	if modes > 1 {
		s.fail(statusUsage, "-w, --check and --diff exclude each other; give one of them")
	}
	if o.rewrite && slices.Contains(args, collection.StandardInput) {
		s.fail(statusUsage, "-w rewrites files, and standard input is not a file; leave -w out")
	} else {
		onlyOnce(s, args)
	}
	if s.failed() {
		return
	}
	files := o.regFiles.find(s, args)
	if modes == 0 && len(files) > 1 {
		s.fail(statusUsage, "only one file can be printed, and these are %d; -w rewrites them, --check lists those that would change, --diff shows how", len(files))
		return
	}
	pages, ok := o.codePages(s, files)
	if !ok {
		return
	}
	s.files.Protect(files...)
	if modes == 0 {
		for _, path := range files {
			if f := o.formatted(s, path, pages[path]); f != nil {
				s.write(o.output, func(w io.Writer, style report.Style) error { return f.print(s, w, style) })
				f.Close()
			}
		}
		return
	}
	s.write(o.output, func(w io.Writer, style report.Style) error {
		for _, path := range files {
			f := o.formatted(s, path, pages[path])
			if f == nil {
				continue
			}
			if !f.same {
				if err := o.differs(s, w, style, f); err != nil {
					f.Close()
					return err
				}
			}
			f.Close()
		}
		return nil
	})
}

// formattedFile is a file and what formatting it would do. The result is not held in memory: the file is formatted once to see whether it
// changes, and again to write it.
type formattedFile struct {
	regfile.Formatted
	path    string
	options regfile.FormatOptions
	text    *io.SectionReader
	close   func() error
	noForm  bool // it has no form that could be written, and stays as it is
	same    bool // formatting it changes nothing
}

// Close closes the file.
func (f *formattedFile) Close() error { return f.close() }

// formatted reads and formats a file. If that fails, it writes why and returns nil.
func (o *fmtOptions) formatted(s *session, path string, page *regfile.CodePage) *formattedFile {
	text, close, err := collection.OpenText(s.files, path)
	if err != nil {
		s.refuse(path, err)
		return nil
	}
	form := regfile.FormatOptions{UTF8: o.encoding.value == "utf-8"}
	form.CodePage = page
	f := &formattedFile{path: path, options: form, text: text, close: close}
	same := comparison{with: io.NewSectionReader(text, 0, text.Size())}
	f.Formatted, err = form.Format(&same, text)
	if noForm, ok := errors.AsType[*regfile.NoForm](err); ok {
		s.say("%s: %v", collection.DisplayName(path), noForm)
		f.noForm, f.same = true, true
		return f
	}
	if err == nil {
		f.same, err = same.end()
	}
	if err != nil {
		refuseText(s, path, err)
		close()
		return nil
	}
	o.tellLeft(s, f)
	return f
}

// refuseText writes why a file that was opened cannot be formatted.
func refuseText(s *session, path string, err error) {
	if _, ok := errors.AsType[*hive.Problem](err); !ok {
		err = fmt.Errorf("cannot be read to its end: %v", hive.Cause(err))
	}
	s.refuse(path, err)
}

// comparison compares what is written to it with a file. A write returns the error of reading the file.
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

// end reports whether what was written equals the whole file.
func (c *comparison) end() (same bool, err error) {
	at, err := c.with.Seek(0, io.SeekCurrent) // never fails
	return !c.differs && at == c.with.Size(), err
}

// write writes the formatted file. If the file cannot be read again, write writes why and returns errUnread.
func (f *formattedFile) write(s *session, w io.Writer) error {
	if f.noForm {
		_, err := io.Copy(w, io.NewSectionReader(f.text, 0, f.text.Size()))
		return err
	}
	out := &watched{w: w}
	if _, err := f.options.Format(out, f.text); err != nil && out.err == nil {
		refuseText(s, f.path, err)
		return errUnread
	}
	return out.err
}

// watched keeps the error of a writer, to distinguish it from that of a reader.
type watched struct {
	w   io.Writer
	err error
}

func (w *watched) Write(b []byte) (n int, err error) {
	n, w.err = w.w.Write(b)
	return n, w.err
}

// print writes a formatted file. To a terminal it writes plain text, because a person wants to read it there, not UTF-16.
func (f *formattedFile) print(s *session, w io.Writer, style report.Style) error {
	if !style.Terminal {
		return f.write(s, w)
	}
	var after bytes.Buffer
	if err := f.write(s, &after); err != nil {
		return err
	}
	return report.Plain(w, textOf(f.options, &after))
}

// differs rewrites, lists or compares a file that is not formatted, as the flags say.
func (o *fmtOptions) differs(s *session, w io.Writer, style report.Style, f *formattedFile) error {
	name := collection.DisplayName(f.path)
	if o.rewrite {
		if !s.replace(f.path, f, func(w io.Writer) error { return f.write(s, w) }) {
			return nil
		}
	} else {
		s.raise(statusFindings)
	}
	if o.diff {
		var after bytes.Buffer
		if err := f.write(s, &after); err != nil {
			return err
		}
		return report.Diff(w, name, report.Side{Text: textOf(f.options, io.NewSectionReader(f.text, 0, f.text.Size())), Encoding: shownEncoding(f.From)},
			report.Side{Text: textOf(f.options, &after), Encoding: shownEncoding(f.To)}, style)
	}
	_, err := fmt.Fprintln(w, hive.Visible(name))
	return err
}

// tellLeft writes what the user must know about a file that was formatted.
func (o *fmtOptions) tellLeft(s *session, f *formattedFile) {
	name := collection.DisplayName(f.path)
	about := "the text is not all ASCII"
	if f.Version == regfile.Version5 && !marked(f.From) && f.From != "ASCII" {
		about = "the text, read as " + f.From + ", is not all ASCII"
	}
	if o.list || (o.rewrite || o.diff) && f.same {
		return // there is no new result to explain
	}
	switch {
	case f.Version != regfile.Version5:
	case f.To == "UTF-8":
		s.say("%s: %s, so the file starts with a UTF-8 byte order mark, which not every Windows accepts; import what --encoding utf-16le makes of it", name, about)
	case !marked(f.From) && f.From != "ASCII":
		s.say("%s: %s; in UTF-16LE every Windows reads it the same", name, about)
	}
	if f.Left > 0 {
		left := f.First
		which := "this line is left as it is"
		if more := f.Left - 1; more > 0 {
			which = fmt.Sprintf("this line and %d more are left as they are", more)
		}
		left.Source, left.Msg = name, which+": "+left.Msg
		s.say("%v", &left)
	}
}

// marked reports whether a file in this encoding starts with a byte order mark, so that its text does not depend on a code page.
func marked(encoding string) bool { return encoding == "UTF-16LE" || encoding == "UTF-8" }

// shownEncoding returns what messages call an encoding.
func shownEncoding(name string) string {
	if marked(name) {
		return name + " with a byte order mark"
	}
	return name
}

// textOf returns the text of a file as UTF-8.
func textOf(o regfile.FormatOptions, r io.Reader) string {
	var text strings.Builder
	for s, err := range o.Scan(r) {
		if err == nil { // errors were reported when it was read before
			text.Write(s.Raw)
		}
	}
	return text.String()
}
