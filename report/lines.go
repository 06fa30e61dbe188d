package report

import (
	"bytes"
	"encoding/json"
	"io"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Lines writes a report as lines of JSON while it is made: first the tool, what was asked and the rules, then for each input a line for it and one for
// each of its findings, and last the summary. The objects are those that [Write] makes for the format json, with what more it takes to make the whole
// report of them: see [Read]. Inputs that are read together, the hives of a machine say, are a group: what of it could not be read follows its inputs, and
// then a line that it is done. What else could not be read comes before the summary.
type Lines struct {
	lines
	report Report
	count  tally      // of the group
	total  jsonCounts // of the groups that are done
}

// jsonDone ends a group of inputs that were read together. What an interrupted run wrote behind the last such line is of a group that was not complete.
type jsonDone struct {
	Name   string `json:"name"`   // the path of the first file of the group
	Status int    `json:"status"` // that the command would have exited with, had there been only this group
	jsonCounts
	Turn int `json:"turn,omitempty"` // its place in the order of the whole run, whatever share of it is listed; what lies in one image or archive has the same
}

// NewLines begins a report. Its inputs follow one by one, see [Lines.Input].
func NewLines(w io.Writer, r Report) *Lines {
	l := &Lines{lines: lines{w: w, encoder: safetext.NewEncoder(w)}, report: r}
	l.line(jsonCheckStart{jsonStart{schemaVersion, jsonTool{"regvet", r.Version}, runJSON(r.Run)}, askedJSON(r), recordsOf(r.Rules)})
	return l
}

// Input writes an input and its findings.
func (l *Lines) Input(in Input) {
	l.count.addAll(in)
	l.line(map[string]jsonLineInput{"input": l.report.lineInputJSON(in)})
	for _, f := range in.all() {
		switch {
		case l.report.lists(f):
			l.line(map[string]jsonLineFinding{"finding": l.report.lineFindingJSON(in, f)})
		case l.report.tells(f):
			l.line(map[string]jsonLineFinding{"hidden": l.report.lineFindingJSON(in, f)})
		}
	}
}

// Around writes the images and archives of the report, and what could not be read whatever lies in them.
func (l *Lines) Around(refused []hive.Problem) {
	for _, c := range l.report.containers() {
		l.line(map[string]jsonLineContainer{"container": c})
	}
	l.refused(refused)
}

func (l *Lines) refused(refused []hive.Problem) {
	for _, p := range refused {
		l.line(map[string]jsonLineRefused{"refused": lineRefusedJSON(p)})
	}
}

// Err returns the first error of all writes until now.
func (l *Lines) Err() error { return l.err }

// Done ends the group of the inputs since the last: it has the name of its first file, what it adds to the exit status, and its turn. refused is what of
// it could not be read at all.
func (l *Lines) Done(name string, status, turn int, refused []hive.Problem) {
	l.refused(refused)
	counts := countsJSON(l.report, l.count)
	l.line(map[string]jsonDone{"done": {hive.Printable(name), status, counts, turn}})
	l.total.add(counts)
	l.count = tally{}
	l.flush()
}

// Close writes the images and archives of the report, what else could not be read, the summary, and returns the first error of all writes.
func (l *Lines) Close(refused []hive.Problem) error {
	l.Around(refused)
	err := l.report.Inventory.lines(lineWriter(func(line []byte) error {
		l.line(map[string]json.RawMessage{"listed": bytes.TrimSpace(line)})
		return l.err
	}))
	if l.err == nil {
		l.err = err
	}
	if c := choicesJSON(l.report.Choices); c != nil {
		l.line(map[string]*jsonChoices{"config": c})
	}
	l.total.add(countsJSON(l.report, l.count)) // of what belongs to no group, such as the config
	l.line(map[string]jsonSummary{"summary": {len(l.report.Rules), l.total}})
	return l.err
}

// jsonStart is what the first line of a report in lines has.
type jsonStart struct {
	SchemaVersion string   `json:"schema_version"`
	Tool          jsonTool `json:"tool"`
	Run           jsonRun  `json:"run"`
}

// lines writes lines of JSON, of which the first is about the tool.
type lines struct {
	w       io.Writer
	encoder *json.Encoder
	err     error
}

func newLines(w io.Writer, version string, run Run) lines {
	l := lines{w: w, encoder: safetext.NewEncoder(w)}
	l.line(jsonStart{schemaVersion, jsonTool{"regvet", version}, runJSON(run)})
	return l
}

func (l *lines) line(v any) {
	if l.err == nil {
		l.err = l.encoder.Encode(v)
	}
}

// flush passes on what was written, so that a reader at the other end does not wait.
func (l *lines) flush() {
	if f, ok := l.w.(interface{ Flush() error }); ok && l.err == nil {
		l.err = f.Flush()
	}
}
