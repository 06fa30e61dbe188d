package cli

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

var reportCommand = command{
	name: "report", args: "FILE.jsonl...", short: "make any format of check from JSON lines of one or many runs",
	min: 1, max: -1, files: true, colours: true,
	example: `  regvet report result.jsonl
  regvet report -o fleet.html -o csv=fleet.csv part-*.jsonl
  regvet report --fail-on high part-3.jsonl.partial
  zcat results/*.gz | regvet report --format sarif -
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(reportOptions)
		o.result.define(f, append(report.FormatNames(), report.Parquet)...)
		failFlag(f, &o.failOn, "findings")
		o.list.define(f)
		return o.run
	},
}

type reportOptions struct {
	result resultFlags
	failOn choice
	list   listFlags
}

// run reads the lines, which shows whether they are what check writes, and then writes each format, which reads the findings again.
func (o *reportOptions) run(s *session, args []string) {
	outputs := o.result.choose(s)
	onlyOnce(s, args)
	s.files.Protect(args...)
	if s.failed() {
		return
	}
	sinks := s.beginAll(outputs)
	if sinks == nil {
		return
	}
	r := o.read(s, args, slices.ContainsFunc(outputs, func(o output) bool { return report.ListsPasses(o.format) }))
	if r == nil {
		for _, k := range sinks {
			k.discard()
		}
		return
	}
	defer r.close()
	for _, k := range sinks {
		err := o.write(k, r.Recorded)
		if unread := r.Err(); unread != nil {
			s.fail(statusUsage, "%v", unread)
			err = errUnread
		}
		k.end(err)
	}
}

// recorded is a report with the files that it is read from.
type recorded struct {
	*report.Recorded
	files []io.Closer
}

func (r *recorded) close() {
	if r.Recorded != nil {
		r.Close()
	}
	for _, f := range r.files {
		f.Close()
	}
}

// read reads the lines of all files, says what of them is not as it should be, and raises the exit status to that of the runs. If they cannot be read,
// read writes why and returns nil. each is set if every answer is needed.
func (o *reportOptions) read(s *session, names []string, each bool) *recorded {
	r := &recorded{}
	var sources []report.Source
	for _, name := range names {
		file, size, err := s.openAgain(name)
		if err != nil {
			s.fail(statusUsage, "%s: cannot be read: %v", collection.DisplayName(name), hive.Cause(err))
			r.close()
			return nil
		}
		r.files = append(r.files, file)
		sources = append(sources, report.Source{Name: name, ReaderAt: file, Size: size})
	}
	how := report.Reading{Version: version(), All: o.list.all, Quiet: o.list.quiet, Statistics: o.list.statistics, Each: each, Budget: memoryForLines}
	if o.failOn.given {
		how.FailOn = o.failOn.least()
	}
	var err error
	if r.Recorded, err = report.Read(sources, how); err != nil {
		s.fail(statusUsage, "%v", err)
		r.close()
		return nil
	}
	for _, text := range r.Remarks {
		s.say("%s", text)
	}
	for _, name := range r.Unfinished {
		s.fail(statusInput, "%s: has no end: the run was interrupted or goes on, and what it has not done is not in the report", name)
	}
	for _, text := range r.Missing {
		s.fail(statusInput, "%s", text)
	}
	for _, g := range r.Groups {
		s.raise(g.Status)
	}
	if len(r.Refused) > 0 {
		s.raise(statusInput)
	}
	return r
}

// write writes a format.
func (o *reportOptions) write(k *sink, r *report.Recorded) error {
	switch {
	case k.format == "jsonl":
		return r.Write(report.NewLines(k, r.Report))
	case k.format == report.Parquet:
		return r.Write(report.NewTables(k.drafts[0], k.drafts[1], r.Report))
	}
	return report.Write(k, k.format, r.Report, k.style)
}

// lineFile is a file that is read more than once.
type lineFile interface {
	io.ReaderAt
	io.Closer
}

// openAgain opens a file to be read more than once, and returns its size in bytes. Of what can be read only once, as standard input, it makes a temporary
// file. The caller must close it.
func (s *session) openAgain(name string) (lineFile, int64, error) {
	from, err := s.files.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := from.Stat()
	if file, ok := from.(*os.File); ok && err == nil && info.Mode().IsRegular() {
		return file, info.Size(), nil
	}
	defer from.Close()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder; name the files in it")
	}
	if err != nil {
		return nil, 0, err
	}
	to, err := os.CreateTemp("", "regvet-*.tmp")
	if err != nil {
		return nil, 0, err
	}
	copied := temporary{to, os.Remove(to.Name()) != nil}
	size, err := io.Copy(to, from)
	if err != nil {
		copied.Close()
		return nil, 0, err
	}
	return copied, size, nil
}

// temporary is a file that is gone once it is closed.
type temporary struct {
	*os.File
	named bool // it still has a name, as on Windows, where an open file keeps it
}

func (t temporary) Close() error {
	err := t.File.Close()
	if t.named {
		os.Remove(t.Name())
	}
	return err
}
