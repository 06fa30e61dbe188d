package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Part is what a run wrote with [Lines] before it ended, or was ended.
type Part struct {
	Size     int64          // in bytes, of the lines up to the last group of inputs that is complete; 0 if not even the first line is
	Done     map[string]int // the exit status of each of these groups, by name, see [Part.Holds]
	Complete bool           // the run came to its end

	start  jsonStart
	counts jsonCounts // of these groups
}

// MostLine is the length in bytes of the longest line that [ReadPart] takes for one: that of a finding about the largest value with its data twice.
const MostLine = 256 << 20

// ReadPart reads what a run wrote. What follows the last complete group is passed over: it is what the end of a process, or of a computer, left. The
// error is one of reading.
func ReadPart(from io.Reader) (Part, error) {
	p := Part{Done: map[string]int{}}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, MostLine)
	lines.Split(wholeLines)
	for at := int64(0); lines.Scan(); {
		line := lines.Bytes()
		at += int64(len(line))
		switch {
		case p.Size == 0:
			if json.Unmarshal(line, &p.start) != nil || p.start.SchemaVersion == "" {
				return p, nil
			}
			p.Size = at
		case bytes.HasPrefix(line, []byte(`{"done":`)):
			var read struct{ Done *jsonDone }
			if json.Unmarshal(line, &read) != nil || read.Done == nil {
				return p, nil
			}
			p.Done[read.Done.Name] = read.Done.Status
			p.counts.add(read.Done.jsonCounts)
			p.Size = at
		case bytes.HasPrefix(line, []byte(`{"summary":`)):
			p.Complete = json.Valid(line)
		}
	}
	if err := lines.Err(); err != bufio.ErrTooLong { // what is longer was not written by a run
		return p, err
	}
	return p, nil
}

// wholeLines splits text into lines with their ends, and leaves out what follows the last.
func wholeLines(data []byte, _ bool) (advance int, line []byte, err error) {
	end := bytes.IndexByte(data, '\n') + 1
	if end == 0 {
		return 0, nil, nil
	}
	return end, data[:end], nil
}

// Holds reports whether a group is complete, by the path of its first file.
func (p Part) Holds(name string) bool {
	_, done := p.Done[hive.Printable(name)]
	return done
}

// resumeFlag is the flag that goes on with a part, which is no part of the run that both make.
var resumeFlag = regexp.MustCompile(` --resume(=\S*)?`)

// Differs says in which way a report is of another run than the part, so that the two do not make one; "" if it is of the same.
func (p Part) Differs(r Report) string {
	was, is := p.start.Run, runJSON(r.Run)
	switch {
	case p.start.SchemaVersion != schemaVersion || p.start.Tool.Version != r.Version:
		return "is of regvet " + hive.Visible(p.start.Tool.Version)
	case resumeFlag.ReplaceAllString(was.Command, "") != resumeFlag.ReplaceAllString(is.Command, ""):
		return "is of another command, " + hive.Visible(was.Command)
	case !slices.Equal(was.Packs, is.Packs):
		return "is of other rules"
	}
	return ""
}

// ResumeLines goes on with a report after a part of it, to which w appends.
func ResumeLines(w io.Writer, r Report, p Part) *Lines {
	return &Lines{lines: lines{w: w, encoder: safetext.NewEncoder(w)}, report: r, total: p.counts}
}
