package report

import (
	"io"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

type jsonLint struct {
	SchemaVersion string            `json:"schema_version"`
	Tool          jsonTool          `json:"tool"`
	Run           jsonRun           `json:"run"`
	Inputs        []jsonLintFile    `json:"inputs"`
	Findings      []jsonLintFinding `json:"findings"`
	Refused       []jsonRefused     `json:"refused,omitempty"` // what could not be read at all
	Summary       jsonLintSummary   `json:"summary"`
}

type jsonLintFile struct {
	Path     string        `json:"path"`
	Format   string        `json:"format"`
	SHA256   string        `json:"sha256"`
	Size     int64         `json:"size"`
	Version  string        `json:"version"`
	Encoding string        `json:"encoding"`
	Problems []jsonProblem `json:"problems"`
	// UncheckedBy is the config that turns all checks off.
	UncheckedBy string `json:"unchecked_by,omitempty"`
}

type jsonLintFinding struct {
	Rule        string           `json:"rule"`
	Name        string           `json:"name"`
	Pack        string           `json:"pack"`
	Title       string           `json:"title"`
	Severity    string           `json:"severity"`
	Status      rules.Status     `json:"status"`
	Input       string           `json:"input"`
	Key         *string          `json:"key"`   // null when the finding is about no key
	Value       *string          `json:"value"` // null when it is about no value; "" for the default value
	Message     string           `json:"message"`
	PackRule    string           `json:"pack_rule,omitempty"` // the rule of a pack that made the finding
	Location    jsonSpan         `json:"location"`
	Source      string           `json:"source"`
	Fixable     bool             `json:"fixable"`
	Fix         *jsonFix         `json:"fix,omitempty"`
	Fingerprint string           `json:"fingerprint"`
	Suppressed  *jsonSuppression `json:"suppressed,omitempty"`
	Rationale   string           `json:"rationale"`  // why the check looks for it
	References  []string         `json:"references"` // where that is written
	Counts      bool             `json:"counts"`     // as a failure of the run: for the exit status, and in every format
}

type jsonSpan struct {
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`
}

// jsonFix has its places in bytes of the text in UTF-8, without byte order mark.
type jsonFix struct {
	Safety  string       `json:"safety"`
	Message string       `json:"message"`
	Changes []jsonChange `json:"changes"`
}

type jsonChange struct {
	From int64  `json:"from"`
	To   int64  `json:"to"`
	New  string `json:"new"`
}

type jsonSuppression struct {
	By     string `json:"by"`
	Reason string `json:"reason"`
}

type jsonLintSummary struct {
	Files      int `json:"files"`
	Error      int `json:"error"`
	Warning    int `json:"warning"`
	Info       int `json:"info"`
	Suppressed int `json:"suppressed"`
	Fixable    int `json:"fixable"`
	Unchecked  int `json:"unchecked"` // files for which a config turns all checks off
}

// lintJSON writes the report as one JSON object. It includes suppressed findings, marked.
func lintJSON(w io.Writer, r LintReport) error {
	out := jsonLint{
		SchemaVersion: schemaVersion, Tool: jsonTool{"regvet", r.Version}, Run: runJSON(r.Run),
		Inputs: []jsonLintFile{}, Findings: []jsonLintFinding{}, Refused: refusedJSON(r.Refused), Summary: lintSummaryJSON(r.tally()),
	}
	for _, file := range r.Files {
		out.Inputs = append(out.Inputs, lintFileJSON(file))
		for _, f := range file.sorted() {
			out.Findings = append(out.Findings, lintFindingJSON(file, f))
		}
	}
	return writeJSON(w, out)
}

func lintSummaryJSON(c lintTally) jsonLintSummary {
	return jsonLintSummary{c.Files, c.Severity[lint.Error], c.Severity[lint.Warning], c.Severity[lint.Info], c.Suppressed, c.Fixable, c.Unchecked}
}

func lintFileJSON(f LintFile) jsonLintFile {
	return jsonLintFile{hive.Printable(f.Path), "reg", f.SHA256, f.Size, f.Version, f.Encoding, problemsJSON(f.Problems), hive.Printable(f.Unchecked)}
}

func lintFindingJSON(file LintFile, f lint.Finding) jsonLintFinding {
	out := jsonLintFinding{
		Rule: f.Check.ID, Name: f.Check.Name, Pack: lintPack, Title: f.Check.Title, Severity: f.Severity.String(), Status: rules.Fail, Counts: file.Counts(f),
		Rationale: unfolded(f.Check.Explanation), References: orEmpty(f.Check.References),
		Input: hive.Printable(file.Path), Message: hive.Printable(f.Message), PackRule: f.Rule,
		Location: jsonSpan{f.At.Line, f.At.Column, f.End.Line, f.End.Column}, Source: hive.Printable(f.Line),
		Fixable: f.Fix != nil, Fingerprint: f.Fingerprint(),
	}
	if f.Key != nil {
		key := hive.Printable(f.Key.String())
		out.Key = &key
	}
	if f.About == lint.AValue {
		value := hive.Printable(f.Value)
		out.Value = &value
	}
	if fix := f.Fix; fix != nil {
		out.Fix = &jsonFix{fix.Safety.String(), fix.Message, []jsonChange{}}
		for _, c := range fix.Changes {
			out.Fix.Changes = append(out.Fix.Changes, jsonChange{c.From, c.To, hive.Printable(c.New)})
		}
	}
	if s := f.Suppressed; s != nil {
		out.Suppressed = &jsonSuppression{s.By, hive.Printable(s.Reason)}
	}
	return out
}

// LintLines writes a report of the linter as lines of JSON while it is made: first the tool, then for each file a line for it and one for
// each of its findings, and last the summary. The objects are those of the format json.
type LintLines struct {
	lines
	count lintTally
}

// NewLintLines begins a report. Its files follow one by one, see [LintLines.File].
func NewLintLines(w io.Writer, r LintReport) *LintLines {
	return &LintLines{newLines(w, r.Version, r.Run), lintTally{Severity: map[lint.Severity]int{}}}
}

// File writes a file and its findings.
func (l *LintLines) File(file LintFile) {
	l.count.add(file)
	l.line(map[string]jsonLintFile{"input": lintFileJSON(file)})
	for _, f := range file.sorted() {
		l.line(map[string]jsonLintFinding{"finding": lintFindingJSON(file, f)})
	}
	l.flush()
}

// Close writes the summary and returns the first error of all writes.
func (l *LintLines) Close(refused []hive.Problem) error {
	for _, r := range refusedJSON(refused) {
		l.line(map[string]jsonRefused{"refused": r})
	}
	l.line(map[string]jsonLintSummary{"summary": lintSummaryJSON(l.count)})
	return l.err
}
