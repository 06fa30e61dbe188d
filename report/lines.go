package report

import (
	"encoding/json"
	"io"

	"regvet/internal/safetext"
)

// Lines writes a report as lines of JSON while it is made: first what wrote it, then for each input a line for the input and one for
// each finding, at last the summary. The objects are those of [Write].
type Lines struct {
	lines
	report Report
	count  tally
}

// NewLines begins a report; its inputs are given one by one to [Lines.Input].
func NewLines(w io.Writer, r Report) *Lines {
	return &Lines{newLines(w, r.Version), r, tally{}}
}

// Input writes an input and its findings.
func (l *Lines) Input(in Input) {
	l.count.addAll(in)
	l.line(map[string]jsonInput{"input": inputJSON(in)})
	for _, f := range l.report.listed(in) {
		l.line(map[string]jsonFinding{"finding": findingJSON(in, f)})
	}
	l.flush()
}

// Close writes the summary, and gives the first error of all.
func (l *Lines) Close() error {
	l.line(map[string]jsonSummary{"summary": summaryJSON(l.report.Rules, l.count)})
	return l.err
}

// lines are lines of JSON that begin with what wrote them.
type lines struct {
	w       io.Writer
	encoder *json.Encoder
	err     error
}

func newLines(w io.Writer, version string) lines {
	l := lines{w: w, encoder: safetext.NewEncoder(w)}
	l.line(struct {
		SchemaVersion string   `json:"schema_version"`
		Tool          jsonTool `json:"tool"`
	}{schemaVersion, jsonTool{"regvet", version}})
	return l
}

func (l *lines) line(v any) {
	if l.err == nil {
		l.err = l.encoder.Encode(v)
	}
}

// flush hands over what was written, so that who reads along does not wait.
func (l *lines) flush() {
	if f, ok := l.w.(interface{ Flush() error }); ok && l.err == nil {
		l.err = f.Flush()
	}
}
