package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"regvet/rules"
)

// lineFile is a file whose findings are read again.
type lineFile struct {
	Source
	err error
}

// fail keeps the first error, after which the findings of the file are empty.
func (f *lineFile) fail(err error) rules.Finding {
	f.err = cmp.Or(f.err, err)
	return rules.Finding{Rule: &rules.Rule{}, Status: rules.Unknown, Reason: rules.Damaged}
}

// stored is where an input is, and its findings, one in a line.
type stored struct {
	file     *lineFile
	rule     func(id string) *rules.Rule
	at       int64 // of the line of the input
	from, to int64 // of those of the findings
}

// counted returns the answers about the input that have no line, and what would decide them: see [Input].
func (s *stored) counted() (map[Answer]int, map[string]int) {
	line, err := bufio.NewReaderSize(io.NewSectionReader(s.file, s.at, s.from-s.at), 1<<12).ReadBytes('\n')
	var j struct{ Input *jsonLineInput }
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	var c checker
	if err == nil && j.Input == nil {
		err = errChanged
	}
	if err != nil {
		s.file.fail(err)
		return nil, nil
	}
	in := c.input(*j.Input, s.rule)
	if c.err != nil {
		s.file.fail(c.err)
		return nil, nil
	}
	return in.Counted, in.Lacking
}

// errChanged is the error of a file that has another line than before.
var errChanged = errors.New("it was changed meanwhile")

func (s *stored) all() iter.Seq2[int64, rules.Finding] {
	return func(yield func(int64, rules.Finding) bool) {
		lines := bufio.NewReaderSize(io.NewSectionReader(s.file, s.from, s.to-s.from), int(min(s.to-s.from, 1<<16)))
		for at := s.from; at < s.to && s.file.err == nil; {
			line, err := lines.ReadBytes('\n')
			if err != nil && err != io.EOF {
				s.file.fail(err)
				return
			}
			if f := s.parse(line); s.file.err != nil || !yield(at, f) {
				return
			}
			at += int64(max(len(line), 1))
		}
	}
}

func (s *stored) finding(at int64) rules.Finding {
	line, err := bufio.NewReaderSize(io.NewSectionReader(s.file, at, s.to-at), 1<<12).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return s.file.fail(err)
	}
	return s.parse(line)
}

// parse reads a line that was read before.
func (s *stored) parse(line []byte) rules.Finding {
	var j struct{ Finding, Hidden *jsonLineFinding }
	if err := json.Unmarshal(line, &j); err != nil {
		return s.file.fail(err)
	}
	one := cmp.Or(j.Finding, j.Hidden)
	if one == nil || s.rule(one.Rule) == nil {
		return s.file.fail(errChanged)
	}
	var c checker
	f := c.finding(*one, s.rule(one.Rule))
	if c.err != nil {
		return s.file.fail(c.err)
	}
	return f
}
