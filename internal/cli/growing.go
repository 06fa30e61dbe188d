package cli

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"regvet/hive"
	"regvet/internal/draft"
	"regvet/report"
)

// growing is an output that holds what is done of a long run: FILE.partial, which gets the name FILE once the run is complete. Unlike a draft it stays
// when the process ends before that, so that a run with --resume can go on with it.
type growing struct {
	file   *os.File
	target string // the path to rename to, links resolved
}

// grow opens an output as FILE.partial. With resume, it goes on with what is there, and returns that. If it cannot be written, or there is nothing left
// to do, it writes why and returns nil.
func (s *session) grow(o output, resume bool, r report.Report) (*sink, report.Part) {
	var part report.Part
	fail := func(name string, err error) (*sink, report.Part) {
		s.fail(statusUsage, "%s cannot be written: %v", name, hive.Cause(err))
		return nil, part
	}
	target := o.file
	switch info, err := os.Stat(o.file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fail(o.file, err)
	case !info.Mode().IsRegular():
		return fail(o.file, errors.New("it is no regular file, and what is done of a share is kept in one"))
	default:
		if target, err = filepath.EvalSymlinks(o.file); err != nil {
			return fail(o.file, err)
		}
	}
	name := target + ".partial"
	if s.protects(o.file) || s.protects(name) {
		return nil, part
	}
	flags := os.O_RDWR | os.O_CREATE | os.O_EXCL // follows no link
	info, err := os.Lstat(name)
	switch there := err == nil; {
	case there && !info.Mode().IsRegular():
		return fail(name, errors.New("it is no regular file"))
	case there && !resume && info.Size() > 0:
		s.fail(statusUsage, "%s holds what an earlier run has done; --resume goes on with it, and without the file a run begins anew", name)
		return nil, part
	case there:
		flags = os.O_RDWR
	case resume && s.isComplete(o.file, r):
		return nil, part
	}
	file, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return fail(name, err)
	}
	if err := locked(file); err != nil {
		file.Close()
		return fail(name, err)
	}
	k := &sink{Writer: bufio.NewWriterSize(file, 1<<14), format: o.format, style: plainStyle, growing: &growing{file, target}, output: o, session: s}
	if part, err = report.ReadPart(file); err == nil {
		if part.Size > 0 {
			if why := part.Differs(r); why != "" {
				s.fail(statusUsage, "%s %s; without the file a run begins anew", name, why)
				file.Close()
				return nil, part
			}
		}
		if err = file.Truncate(part.Size); err == nil {
			_, err = file.Seek(part.Size, io.SeekStart)
		}
	}
	if err != nil {
		file.Close()
		return fail(name, err)
	}
	for _, status := range part.Done {
		s.raise(status)
	}
	return k, part
}

// locked keeps other runs from an open FILE.partial. It may have got its name FILE since it was opened, by a run that has ended just now.
func locked(file *os.File) error {
	if err := draft.Lock(file); err != nil {
		return err
	}
	is, err := file.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Lstat(file.Name()); err != nil || !os.SameFile(is, named) {
		return draft.ErrLocked
	}
	return nil
}

// isComplete reports whether a file is the complete result of the run that would make the report. If so, or if it is of another run, isComplete
// writes that, and raises the exit status to that of the run.
func (s *session) isComplete(name string, r report.Report) bool {
	file, err := os.Open(name)
	if err != nil {
		return false // there is none, or writing it tells why not
	}
	defer file.Close()
	part, err := report.ReadPart(file)
	if err != nil || !part.Complete {
		return false
	}
	if why := part.Differs(r); why != "" {
		s.fail(statusUsage, "%s %s; choose another name, or leave out --resume", name, why)
		return true
	}
	s.say("%s is complete, and nothing is left to do", name)
	for _, status := range part.Done {
		s.raise(status)
	}
	return true
}

// end gives the file its name. What cannot be completed stays as it is. The file is closed only then, so that no other run goes on with it before
// that; Windows cannot rename an open one.
func (g *growing) end() error {
	if runtime.GOOS == "windows" {
		if err := g.file.Close(); err != nil {
			return err
		}
		return os.Rename(g.file.Name(), g.target)
	}
	if err := os.Rename(g.file.Name(), g.target); err != nil {
		g.file.Close()
		return err
	}
	return g.file.Close()
}
