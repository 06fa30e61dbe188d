package main

import (
	"bufio"
	"cmp"
	"errors"
	"io"
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

// save writes a file whole or not at all. It says what went wrong, and reports whether all went well.
func (s *session) save(name string, result func(io.Writer) error) bool {
	k := s.begin(output{file: name})
	return k != nil && k.end(result(k))
}

// write sends a result to a file, or to standard output where the name is "" or "-". It says what went wrong.
func (s *session) write(name string, result func(io.Writer, report.Style) error) {
	if name == "-" {
		name = ""
	}
	s.save(name, func(w io.Writer) error { return result(w, s.style(name)) })
}

// output is a form of the result, and where it goes: to a file, or to standard output where file is "".
type output struct{ format, file string }

// sink takes a result while it is made.
type sink struct {
	*bufio.Writer
	format  string
	style   report.Style
	draft   *draft.File // nil for standard output
	name    string
	session *session
}

// begin begins an output. It says why it cannot be written, and returns nil then.
func (s *session) begin(o output) *sink {
	if o.file == "" {
		if out, ok := s.stdout.(*os.File); ok {
			widenPipe(out)
		}
		return &sink{bufio.NewWriterSize(s.stdout, 1<<14), o.format, s.style(""), nil, "standard output", s}
	}
	if s.protects(o.file) {
		return nil
	}
	d, err := draft.Create(o.file)
	if err != nil {
		s.fail(statusUsage, "%s cannot be written: %v", o.file, hive.Cause(err))
		return nil
	}
	return &sink{d.Writer, o.format, plainStyle, d, o.file, s}
}

// protects reports whether an output would replace a file that the run reads, and says so.
func (s *session) protects(name string) bool {
	if !s.files.Protects(name) {
		return false
	}
	s.fail(statusUsage, "%s is read by this command, and what was read is never changed; choose another name for the output", name)
	return true
}

// end ends an output with the error that making the result ended with. It says what went wrong, and reports whether all went well.
func (k *sink) end(err error) bool {
	switch {
	case k.draft == nil:
		if e := k.Flush(); err == nil {
			err = e
		}
	case err != nil:
		k.draft.Discard()
	case k.session.protects(k.name): // all that was read is known only now
		k.draft.Discard()
		return false
	default:
		err = k.draft.Commit()
	}
	if err != nil && err != errUnread {
		k.session.fail(statusUsage, "%s cannot be written: %v", k.name, hive.Cause(err))
	}
	return err == nil
}

// errUnread is the error of a result that ends early because its input does, which was said.
var errUnread = errors.New("the input could not be read to its end")

// discard gives an output up.
func (k *sink) discard() {
	if k.draft != nil {
		k.draft.Discard()
	}
}

// resultFlags say in which forms a report is written, and where each goes.
type resultFlags struct {
	format  choice
	outputs []string
	flags   *pflag.FlagSet
}

func (r *resultFlags) define(f *pflag.FlagSet) {
	r.flags = f
	choose(f, &r.format, "format", "f", "text", "output `FORMAT`: %s; in GitHub Actions the default is github", report.FormatNames()...)
	f.StringArrayVarP(&r.outputs, "output", "o", nil, "write the result to `[FORMAT=]FILE` instead of standard output, or with a FORMAT in addition to it (repeatable)")
}

// choose returns the outputs that the flags choose: the result itself, and what -o FORMAT=FILE adds. It says what is wrong with them, and
// returns nil then.
func (r *resultFlags) choose(s *session) []output {
	formats := r.format.words
	var all []output
	main := output{format: r.format.value}
	if !r.flags.Changed("format") && os.Getenv("GITHUB_ACTIONS") == "true" {
		main.format = "github"
	}
	chosen, wrong := false, false // chosen: where the result itself goes
	refuse := func(format string, args ...any) {
		s.fail(statusUsage, format, args...)
		wrong = true
	}
	for _, o := range r.outputs {
		format, file, ok := strings.Cut(o, "=")
		switch {
		case ok && slices.Contains(formats, format):
		case ok && !strings.ContainsAny(format, `/\.`) && strict.Nearest(format, formats) != "":
			refuse("-o cannot have the format %q%s; for a file of that name write ./%s", format, suggest(format, formats), o)
			continue
		default:
			format, file, chosen = r.format.value, o, true
		}
		if file == "" {
			refuse("-o %q names no file", o)
			continue
		}
		if file == "-" {
			file, chosen = "", true
		}
		if slices.ContainsFunc(all, func(other output) bool { return sameFile(other.file, file) }) {
			refuse("two results cannot go to %s; choose another name for one", cmp.Or(file, "standard output"))
		}
		all = append(all, output{format, file})
	}
	if wrong {
		return nil
	}
	if !chosen {
		all = append(all, main)
	}
	return all
}

// beginAll begins outputs, before there is a result, so that nobody waits for one that cannot be written. It says what is wrong, and returns
// nil then.
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

// sameFile reports whether two outputs would be one file.
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

// replace puts a file in the place of one that was read. That is what the user asks for with fmt -w, lint --fix and --write-baseline, and nothing
// else does it. read closes what was read of the file, if it is open still. It says what went wrong, and reports whether all went well.
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
