package report

import (
	"encoding/json"
	"io"

	"regvet/rules"
)

// Lines writes a report as lines of JSON while it is made: first what wrote it, then for each input a line for the input and one for
// each finding, at last the summary. The objects are those of [JSON].
type Lines struct {
	w       io.Writer
	encoder *json.Encoder
	report  Report
	count   Count
	err     error
}

// NewLines begins a report; its inputs are given one by one to [Lines.Input].
func NewLines(w io.Writer, r Report) *Lines {
	l := &Lines{w: w, encoder: json.NewEncoder(w), report: r, count: Count{Severity: map[rules.Severity]int{}}}
	l.encoder.SetEscapeHTML(false)
	l.line(struct {
		SchemaVersion string   `json:"schema_version"`
		Tool          jsonTool `json:"tool"`
	}{schemaVersion, jsonTool{"regvet", r.Version}})
	return l
}

func (l *Lines) line(v any) {
	if l.err == nil {
		l.err = l.encoder.Encode(v)
	}
}

// Input writes an input and its findings.
func (l *Lines) Input(in Input) {
	l.count.add(in)
	l.line(map[string]jsonInput{"input": inputJSON(in)})
	for _, f := range l.report.listed(in) {
		l.line(map[string]jsonFinding{"finding": findingJSON(in, f)})
	}
	if f, ok := l.w.(interface{ Flush() error }); ok && l.err == nil {
		l.err = f.Flush() // who reads along does not wait
	}
}

// Close writes the summary, and gives the first error of all.
func (l *Lines) Close() error {
	l.line(map[string]jsonSummary{"summary": {l.report.Rules, l.count.Pass, l.count.Fail, l.count.Unknown}})
	return l.err
}
