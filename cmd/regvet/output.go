package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/cmd/regvet/internal/draft"
	"regvet/hive"
	"regvet/report"
	"regvet/rules"
)

// save writes a file whole or not at all. It says what went wrong, and tells whether all went well.
func (c *cli) save(name string, result func(io.Writer) error) bool {
	s := c.begin(output{file: name})
	return s != nil && s.end(result(s))
}

// isInput tells whether a name leads to one of the inputs.
func (c *cli) isInput(name string) bool {
	out, err := os.Stat(name)
	if err != nil {
		return false
	}
	for _, arg := range c.args {
		if in, err := os.Stat(arg); err == nil && os.SameFile(in, out) {
			return true
		}
	}
	return false
}

// write sends the result to the file of -o, or to standard output. It says what went wrong.
func (c *cli) write(result func(io.Writer) error) {
	if c.output == "-" {
		c.output = ""
	}
	c.save(c.output, result)
}

// output is a form of the result, and where it goes: to a file, or to standard output where file is "".
type output struct{ format, file string }

// sink takes a result while it is made.
type sink struct {
	*bufio.Writer
	format string
	style  report.Style
	draft  *draft.File // nil for standard output
	name   string
	cli    *cli
}

// begin begins an output. It says why it cannot be written, and gives nil then.
func (c *cli) begin(o output) *sink {
	if o.file == "" {
		if out, ok := c.stdout.(*os.File); ok {
			widenPipe(out)
		}
		return &sink{bufio.NewWriterSize(c.stdout, 1<<14), o.format, c.style(), nil, "standard output", c}
	}
	if c.isInput(o.file) {
		c.fail(statusUsage, "%s is an input, and inputs are never changed; choose another name for the output", o.file)
		return nil
	}
	d, err := draft.Create(o.file)
	if err != nil {
		c.fail(statusUsage, "%s cannot be written: %v", o.file, hive.Cause(err))
		return nil
	}
	return &sink{d.Writer, o.format, plainStyle, d, o.file, c}
}

// end ends an output with the error that making the result ended with. It says what went wrong, and tells whether all went well.
func (s *sink) end(err error) bool {
	switch {
	case s.draft == nil:
		if e := s.Flush(); err == nil {
			err = e
		}
	case err != nil:
		s.draft.Discard()
	default:
		err = s.draft.Commit()
	}
	if err != nil && err != errUnread {
		s.cli.fail(statusUsage, "%s cannot be written: %v", s.name, hive.Cause(err))
	}
	return err == nil
}

// errUnread is the error of a result that ends early because its input does, which was said.
var errUnread = errors.New("the input could not be read to its end")

// discard gives an output up.
func (s *sink) discard() {
	if s.draft != nil {
		s.draft.Discard()
	}
}

// outputFlags are those that say in which form the result is given, and where it goes.
func outputFlags(f *pflag.FlagSet, o *options) {
	f.StringVarP(&o.format, "format", "f", "text", "the `FORMAT` of the result: "+list(report.FormatNames())+"; in GitHub Actions it is github where it is not given")
	f.StringArrayVarP(&o.outputs, "output", "o", nil, "write the result to a file, `[FORMAT=]FILE`: instead of to standard output, or with FORMAT beside it (repeatable)")
}

// chooseOutputs gives the outputs that the flags choose: the result itself, and what -o FORMAT=FILE adds. It says what is wrong with
// them, and gives nil then.
func (c *cli) chooseOutputs() []output {
	formats := report.FormatNames()
	c.oneOf("--format", c.format, formats...)
	var all []output
	main := output{format: c.format}
	if !c.formatSet && os.Getenv("GITHUB_ACTIONS") == "true" {
		main.format = "github"
	}
	chosen := false // where the result itself goes
	for _, o := range c.outputs {
		format, file, ok := strings.Cut(o, "=")
		switch {
		case ok && slices.Contains(formats, format):
		case ok && !strings.ContainsAny(format, `/\.`) && rules.Nearest(format, formats) != "":
			c.fail(statusUsage, "-o cannot have the format %q%s; for a file of that name write ./%s", format, suggest(format, formats), o)
			continue
		default:
			format, file, chosen = c.format, o, true
		}
		if file == "" {
			c.fail(statusUsage, "-o %q names no file", o)
			continue
		}
		if file == "-" {
			file, chosen = "", true
		}
		if slices.ContainsFunc(all, func(other output) bool { return sameFile(other.file, file) }) {
			name := "standard output"
			if file != "" {
				name = file
			}
			c.fail(statusUsage, "two results cannot go to %s; choose another name for one", name)
		}
		all = append(all, output{format, file})
	}
	if c.status >= statusUsage {
		return nil
	}
	if !chosen {
		all = append(all, main)
	}
	return all
}

// beginAll begins outputs, before there is a result, so that nobody waits for one that cannot be written. It says what is wrong, and
// gives nil then.
func (c *cli) beginAll(all []output) (sinks []*sink) {
	for _, o := range all {
		s := c.begin(o)
		if s == nil {
			for _, begun := range sinks {
				begun.discard()
			}
			return nil
		}
		sinks = append(sinks, s)
	}
	return sinks
}

// sameFile tells whether two outputs would be one file.
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
