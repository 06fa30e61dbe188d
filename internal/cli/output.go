package cli

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/internal/draft"
	"regvet/report"
	"regvet/rules/strict"
)

// write writes a result to a file, or to standard output if the name is "" or "-". It writes what went wrong.
func (s *session) write(name string, result func(io.Writer, report.Style) error) {
	if name == "-" {
		name = ""
	}
	if k := s.begin(output{file: name}); k != nil {
		k.end(result(k, k.style))
	}
}

// output is a format of the result, and the file that it goes to, or "" for standard output. A report in tables goes to a folder.
type output struct {
	format, file string
	noMark       bool // CSV does not begin with a byte order mark
}

// files returns the names of the files that an output writes, or that of standard output.
func (o output) files() (names []string) {
	if o.format != report.Parquet || o.file == "" {
		return []string{o.file}
	}
	for _, name := range report.TableFiles {
		names = append(names, filepath.Join(o.file, name))
	}
	return names
}

// sink is an output that is open for writing.
type sink struct {
	*bufio.Writer // of the first file
	format        string
	style         report.Style
	drafts        []*draft.File // one for each file; none for standard output
	growing       *growing      // instead of a draft, or nil
	output        output
	session       *session
}

// begin opens an output. If it cannot be written, begin writes why and returns nil.
func (s *session) begin(o output) *sink {
	if o.file == "" {
		if out, ok := s.stdout.(*os.File); ok {
			widenPipe(out)
		}
		style := s.style()
		style.NoMark = o.noMark
		return &sink{Writer: bufio.NewWriterSize(s.stdout, 1<<14), format: o.format, style: style, output: o, session: s}
	}
	if slices.ContainsFunc(o.files(), s.protects) {
		return nil
	}
	if o.format == report.Parquet {
		folder := s.openFolder(o.file, report.TableFiles)
		if folder == nil {
			return nil
		}
		folder.Close()
	}
	style := plainStyle
	style.NoMark = o.noMark
	k := &sink{format: o.format, style: style, output: o, session: s}
	for _, name := range o.files() {
		d, err := draft.Create(name)
		if err != nil {
			s.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
			k.discard()
			return nil
		}
		k.drafts = append(k.drafts, d)
	}
	k.Writer = k.drafts[0].Writer
	return k
}

// openFolder opens a folder for files of these names, and makes it if it is not there. If it cannot be had, or one of the files is a link, openFolder
// writes why and returns nil.
func (s *session) openFolder(folder string, names []string) *os.Root {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		s.fail(statusUsage, "%s cannot be made: %v", folder, hive.Cause(err))
		return nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		s.fail(statusUsage, "%s cannot be opened: %v", folder, hive.Cause(err))
		return nil
	}
	for _, name := range names {
		if isLink(root, name) {
			s.fail(statusUsage, "%s is a link, and links in the folder for the output are not followed; remove it", filepath.Join(folder, name))
			root.Close()
			return nil
		}
	}
	return root
}

// protects reports whether an output would replace a file that the run reads, and writes an error if so.
func (s *session) protects(name string) bool {
	if !s.files.Protects(name) {
		return false
	}
	s.fail(statusUsage, "%s is read by this command, and what was read is never changed; choose another name for the output", name)
	return true
}

// end completes an output. err is the error from making the result; if there is one, a file is not written. end writes what went wrong, and
// reports whether the output is complete.
func (k *sink) end(err error) bool {
	name := cmp.Or(k.output.file, "standard output")
	switch {
	case k.drafts == nil && k.growing == nil:
		if e := k.Flush(); err == nil {
			err = e
		}
	case err != nil:
		k.discard()
	case slices.ContainsFunc(k.output.files(), k.session.protects): // again, because files were read since
		k.discard()
		return false
	case k.growing != nil:
		if err = k.Flush(); err == nil {
			err = k.growing.end()
		}
	default:
		err = draft.CommitAll(k.drafts...)
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			name = e.Path // one of several
		}
	}
	if err != nil && err != errUnread {
		k.session.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
	}
	return err == nil
}

// errUnread is the error of a result that ends early because its input cannot be read. It was written already.
var errUnread = errors.New("the input could not be read to its end")

// discard abandons an output, of which only what grows keeps what is there.
func (k *sink) discard() {
	for _, d := range k.drafts {
		d.Discard()
	}
	if k.growing != nil {
		k.growing.file.Close()
	}
}

// resultFlags say in which formats a report is written, and to which files.
type resultFlags struct {
	format  choice
	outputs []string
	noMark  bool
}

// define defines the flags for a command that has these formats.
func (r *resultFlags) define(f *pflag.FlagSet, formats ...string) {
	choose(f, &r.format, "format", "f", "text", "output `FORMAT`: %s; in GitHub Actions the default is github", formats...)
	folder := ""
	if slices.Contains(formats, report.Parquet) {
		folder = "; for parquet a FILE is a folder"
	}
	f.StringArrayVarP(&r.outputs, "output", "o", nil, "write the result to `[FORMAT=]FILE` instead of standard output, or with a FORMAT in addition to it (repeatable); without --format the ending of a FILE such as out.html chooses the format"+folder)
	noMarkFlag(f, &r.noMark)
}

// choose returns the outputs that the flags choose: the result itself, and what -o FORMAT=FILE adds. If something is wrong with them, choose
// writes what and returns nil.
func (r *resultFlags) choose(s *session) []output {
	formats := r.format.words
	var all []output
	main := output{format: r.format.value, noMark: r.noMark}
	if !r.format.given && os.Getenv("GITHUB_ACTIONS") == "true" {
		main.format = "github"
	}
	chosen, wrong := false, false // chosen: a flag says where the result itself goes
	refuse := func(format string, args ...any) {
		s.fail(statusUsage, format, args...)
		wrong = true
	}
	for _, o := range r.outputs {
		format, file, ok := strings.Cut(o, "=")
		switch {
		case ok && slices.Contains(formats, format):
		case ok && format != "" && !strings.ContainsAny(format, `/\.`):
			refuse("-o cannot have the format %q%s; it is %s; for a file of that name write ./%s", format, suggest(format, formats), strict.List(formats, "or"), o)
			continue
		default:
			of := r.format
			of.follow(s, o)
			format, file, chosen = of.value, o, true
			if format == report.Parquet && !r.format.given {
				refuse("-o %s is the name of one file, and a report in Parquet is several, in a folder; write -o parquet=FOLDER", o)
				continue
			}
		}
		if file == "" {
			refuse("-o %q names no file", o)
			continue
		}
		if file == "-" {
			file, chosen = "", true
		}
		next := output{format, file, r.noMark}
		if slices.ContainsFunc(all, next.meets) {
			refuse("two results cannot go to %s; choose another name for one", cmp.Or(file, "standard output"))
		}
		all = append(all, next)
	}
	if !chosen {
		all = append(all, main)
	}
	if slices.Contains(all, output{report.Parquet, "", r.noMark}) {
		refuse("standard output cannot take a report in Parquet, which is several files; write -o parquet=FOLDER")
	}
	if wrong {
		return nil
	}
	return all
}

// meets reports whether two outputs have a file in common.
func (o output) meets(other output) bool {
	return slices.ContainsFunc(o.files(), func(a string) bool {
		return slices.ContainsFunc(other.files(), func(b string) bool { return sameFile(a, b) })
	})
}

// beginAll opens outputs. It is called before the result is made, so that nobody waits for one that cannot be written. If one cannot, beginAll
// writes why and returns nil.
func (s *session) beginAll(all []output) (sinks []*sink) {
	for _, o := range all {
		k := s.begin(o)
		if k == nil {
			for _, begun := range sinks {
				begun.discard()
			}
			return nil
		}
		sinks = append(sinks, k)
	}
	return sinks
}

// sameFile reports whether two outputs are the same file.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	x, err := os.Stat(a)
	if err != nil {
		a, errA := filepath.Abs(a)
		b, errB := filepath.Abs(b)
		return errA == nil && errB == nil && a == b
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y) && x.Mode().IsRegular()
}

// live reports whether the result goes to standard output line by line, while the inputs are read.
func (r *resultFlags) live() bool { return r.format.value == "jsonl" && len(r.outputs) == 0 }

// replace replaces a file that was read. Only fmt -w, lint --fix and --write-baseline do that, because the user asks for it. read is the open
// file, which is closed first, or nil. replace writes what went wrong, and reports whether the file is complete.
func (s *session) replace(name string, read io.Closer, write func(io.Writer) error) bool {
	d, err := draft.Create(name)
	if err == nil {
		defer d.Discard()
		if err = write(d); err == nil {
			if read != nil {
				read.Close() // an open file cannot be replaced everywhere
			}
			err = d.Commit()
		}
	}
	if err != nil && err != errUnread {
		s.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
	}
	return err == nil
}
