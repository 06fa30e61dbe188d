package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"regvet/hive"
	"regvet/internal/safetext"
	"regvet/rules"
)

// schemaVersion is the version of the JSON form. Fields may be added to it, and are never renamed.
const schemaVersion = "1"

type jsonReport struct {
	SchemaVersion string        `json:"schema_version"`
	Tool          jsonTool      `json:"tool"`
	Run           jsonRun       `json:"run"`
	Inputs        []jsonInput   `json:"inputs"`
	Findings      []jsonFinding `json:"findings"`
	Refused       []jsonRefused `json:"refused,omitempty"` // what could not be read at all, and what is lost of images and archives
	Config        *jsonChoices  `json:"config,omitempty"`  // what a config leaves out
	Summary       jsonSummary   `json:"summary"`
	Listed        []jsonListed  `json:"listed,omitempty"` // what inventories list; see [Inventory], which writes it, since it may not fit in memory
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// jsonRun is what it takes to repeat a run.
type jsonRun struct {
	Date    string        `json:"date"`    // of its start, RFC 3339; SOURCE_DATE_EPOCH sets it
	Command string        `json:"command"` // the command line, quoted as a shell takes it
	Packs   []jsonRunPack `json:"packs"`   // whose rules ran
}

type jsonRunPack struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of its file
	Rules  int    `json:"rules"`  // how many of its rules ran
}

func runJSON(r Run) jsonRun {
	out := jsonRun{r.date(), hive.Printable(r.Command), []jsonRunPack{}}
	for _, p := range r.Packs {
		out.Packs = append(out.Packs, jsonRunPack(p))
	}
	return out
}

type jsonInput struct {
	Path              string           `json:"path"`
	Evidence          []jsonStep       `json:"evidence,omitempty"` // the way to an input in an image or archive
	Format            string           `json:"format"`
	SHA256            string           `json:"sha256"`
	Size              int64            `json:"size"`
	Text              string           `json:"text,omitempty"`       // of a .reg file or Registry.pol: version and encoding
	Machine           string           `json:"machine,omitempty"`    // for one of several hives of one machine
	User              string           `json:"user,omitempty"`       // whose hive it is: the folder of the profile
	NotJoined         string           `json:"not_joined,omitempty"` // why a hive in the folders of a machine is no part of its registry
	State             string           `json:"state,omitempty"`      // "regback" or "vss" for a hive of an earlier time
	Former            bool             `json:"former,omitempty"`     // of a Windows that another one replaced
	SameAs            string           `json:"same_as,omitempty"`    // the input of which this is another copy, with the same bytes; that one has the findings
	Mount             string           `json:"mount"`
	ControlSet        string           `json:"control_set"`
	ControlSetGuessed bool             `json:"control_set_guessed,omitempty"`
	Dirty             bool             `json:"dirty"`
	LogsApplied       []string         `json:"logs_applied"`
	Logs              []jsonLog        `json:"logs"`
	Host              string           `json:"host"`
	HostBy            string           `json:"host_by,omitempty"` // the value that names it, if that is not the one that Windows asks first
	TimeZone          string           `json:"time_zone"`
	Shutdown          string           `json:"last_shutdown,omitempty"`
	ControlSets       []jsonControlSet `json:"control_sets"`       // those that are current
	OtherSets         []string         `json:"other_control_sets"` // that are there, too
	Windows           jsonWindows      `json:"windows"`
	Ports             []jsonPorts      `json:"ports,omitempty"`
	Problems          []jsonProblem    `json:"problems"`
	Unasked           bool             `json:"unasked,omitempty"` // no rule is about it
}

type jsonWindows struct {
	Version   string   `json:"version"`            // "6.1"; "" if not known exactly
	Known     string   `json:"known"`              // what is known of it, for people
	Name      string   `json:"name,omitempty"`     // "Windows 10 22H2", as far as it is known
	Build     int      `json:"build,omitempty"`    // only if it is known exactly
	Revision  int      `json:"revision,omitempty"` // of the build
	Product   string   `json:"product"`
	Edition   string   `json:"edition,omitempty"`
	Installed string   `json:"installed,omitempty"`
	Evidence  []string `json:"evidence"`
	Conflict  string   `json:"conflict,omitempty"` // what the registry says against --windows
}

type jsonProblem struct {
	Kind     hive.Kind     `json:"kind"`
	Message  string        `json:"message"`
	Key      string        `json:"key,omitempty"`
	Loss     bool          `json:"loss"`
	Location *jsonLocation `json:"location"`
}

type jsonRefused struct {
	Path string `json:"path"`
	jsonProblem
}

type jsonLocation struct {
	Offset *int64 `json:"offset,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type jsonFinding struct {
	Rule        string        `json:"rule"`
	Pack        string        `json:"pack"`
	Title       string        `json:"title"`
	Sources     []jsonSource  `json:"sources,omitempty"` // of a rule for another program
	Severity    string        `json:"severity"`
	Status      rules.Status  `json:"status"`
	Reason      rules.Reason  `json:"reason,omitempty"`
	Input       string        `json:"input"`
	Machine     string        `json:"machine,omitempty"` // as of the input
	Host        string        `json:"host,omitempty"`    // as of the input
	Former      bool          `json:"former,omitempty"`  // of an input of a former Windows; such a finding does not count for the exit status, unless --all-installs is set
	Key         string        `json:"key"`
	RealKey     string        `json:"real_key"`
	Value       *string       `json:"value"` // null where the finding is about the key itself
	Observed    *jsonData     `json:"observed"`
	Expected    string        `json:"expected"`
	Message     string        `json:"message"`
	Notes       []string      `json:"notes,omitempty"`
	History     []jsonPast    `json:"history,omitempty"`
	Modified    string        `json:"modified,omitempty"`
	Location    *jsonLocation `json:"location"`
	Fixable     bool          `json:"fixable"`
	Fix         *jsonRemedy   `json:"fix,omitempty"`
	Alternative string        `json:"alternative,omitempty"` // a remedy that is no change of the registry
	Fingerprint string        `json:"fingerprint"`
	Rationale   string        `json:"rationale"`  // why the rule asks
	References  []string      `json:"references"` // where that is written
	Tags        []string      `json:"tags"`
	Counts      *bool         `json:"counts,omitempty"` // of a check, as a failure of the run: for the exit status, and in every format
	Waived      *jsonWaiver   `json:"waived,omitempty"` // why the failure is accepted
}

type jsonWaiver struct {
	Reason string `json:"reason"`
	Until  string `json:"until,omitempty"` // the last day
}

func waiverJSON(w *rules.Waiver) *jsonWaiver {
	if w == nil {
		return nil
	}
	out := &jsonWaiver{Reason: hive.Printable(w.Reason)}
	if !w.Until.IsZero() {
		out.Until = w.Until.Format(time.DateOnly)
	}
	return out
}

type jsonSource struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	ID   string `json:"id,omitempty"`
}

type jsonData struct {
	Type string `json:"type"`
	Data string `json:"data"`
	Text string `json:"text"`
}

type jsonSummary struct {
	Rules int `json:"rules"`
	jsonCounts
}

type jsonCounts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	Unknown       int `json:"unknown"`
	NotApplicable int `json:"not_applicable"`        // findings with that reason; not counted as unknown
	UnaskedInputs int `json:"unasked_inputs"`        // those that no rule is about
	FormerFail    int `json:"former_fail,omitempty"` // of fail, the findings of a former Windows
	Listed        int `json:"listed,omitempty"`      // what inventories list
	Waived        int `json:"waived,omitempty"`      // findings that a config waives; not counted as fail
	Baseline      int `json:"baseline,omitempty"`    // findings that a baseline has; not listed, and not counted as fail
	NotListed     int `json:"not_listed,omitempty"`  // of fail, the findings below --severity
}

// jsonChoices is what a config leaves out.
type jsonChoices struct {
	Path    string   `json:"path"`
	Select  []string `json:"select,omitempty"`
	Ignored []string `json:"ignored,omitempty"` // the IDs of the rules that it does not ask
}

// add adds the counts of other inputs.
func (c *jsonCounts) add(o jsonCounts) {
	c.Pass += o.Pass
	c.Fail += o.Fail
	c.Unknown += o.Unknown
	c.NotApplicable += o.NotApplicable
	c.UnaskedInputs += o.UnaskedInputs
	c.FormerFail += o.FormerFail
	c.Listed += o.Listed
	c.Waived += o.Waived
	c.Baseline += o.Baseline
	c.NotListed += o.NotListed
}

func summaryJSON(r Report, t tally) jsonSummary { return jsonSummary{len(r.Rules), countsJSON(r, t)} }

func countsJSON(r Report, t tally) jsonCounts {
	return jsonCounts{t.pass, t.failed(), t.unknown, t.notApplicable, t.unasked, t.former, t.listed, t.waived, t.known, t.under(r.Choices.Least).failed()}
}

// choicesJSON returns nil without a config.
func choicesJSON(c Choices) *jsonChoices {
	if c.Config == "" {
		return nil
	}
	return &jsonChoices{hive.Printable(c.Config), printables(c.Only), c.Off}
}

func printables(all []string) (out []string) {
	for _, s := range all {
		out = append(out, hive.Printable(s))
	}
	return out
}

// checkJSON writes the report of a check as one JSON object.
func checkJSON(w io.Writer, r Report) error {
	out := jsonReport{
		SchemaVersion: schemaVersion, Tool: jsonTool{"regvet", r.Version}, Run: runJSON(r.Run),
		Inputs: []jsonInput{}, Findings: []jsonFinding{},
		Refused: refusedJSON(r.Refused), Summary: summaryJSON(r, r.tally()), Config: choicesJSON(r.Choices),
	}
	for _, in := range r.Inputs {
		out.Inputs = append(out.Inputs, inputJSON(in))
	}
	var whole bytes.Buffer
	if err := writeJSON(&whole, out); err != nil {
		return err
	}
	const name, end = "\n  \"findings\": ", "\n}\n"
	head, rest, _ := bytes.Cut(whole.Bytes(), []byte(name+"[]")) // no line break is in text of JSON
	rest = bytes.TrimSuffix(rest, []byte(end))
	w = &firstError{w: w}
	w.Write(head)
	io.WriteString(w, name)
	findings := newList(w, 1)
	for _, in := range r.Inputs {
		for _, f := range in.all() {
			if r.lists(f) {
				findings.add(r.findingJSON(in, f))
			}
		}
	}
	findings.close()
	w.Write(rest)
	if r.Inventory != nil {
		io.WriteString(w, ",\n  \"listed\": ")
		listed := newList(w, 1)
		if err := r.Inventory.lines(lineWriter(func(line []byte) error { return listed.add(json.RawMessage(bytes.TrimSpace(line))) })); err != nil {
			return err
		}
		listed.close()
	}
	_, err := io.WriteString(w, end)
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := safetext.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func inputJSON(in Input) jsonInput {
	out := jsonInput{
		Path: hive.Printable(in.Path), Format: in.Format, SHA256: in.SHA256, Size: in.Size,
		Mount: hive.Printable(in.Mount.String()), Dirty: in.Dirty, LogsApplied: applied(in.Input), Host: hive.Printable(in.Host),
		Windows: windowsJSON(in), Text: in.Text, User: hive.Printable(in.User), HostBy: hive.Printable(in.HostBy), TimeZone: hive.Printable(in.TimeZone), OtherSets: listOf(in.OtherSets), ControlSets: []jsonControlSet{},
		Ports: portsJSON(in.Ports), Problems: problemsJSON(in.Problems), Logs: []jsonLog{},
	}
	for _, u := range in.Logs {
		out.Logs = append(out.Logs, jsonLog{hive.Printable(u.Name), u.SHA256, u.Entries > 0, u.Entries, u.First, u.Last, u.Why, u.Later, u.Foreign})
	}
	out.ControlSet, out.ControlSetGuessed = controlSet(in)
	for _, set := range in.ControlSets {
		out.ControlSets = append(out.ControlSets, jsonControlSet{hive.Printable(set.Name), hive.Printable(set.Source), set.Guessed})
	}
	if !in.Shutdown.IsZero() {
		out.Shutdown = timestamp(in.Shutdown)
	}
	out.Evidence = wayJSON(in.Evidence)
	out.NotJoined, out.Unasked = hive.Printable(in.NotJoined), in.Unasked
	out.State, out.Former, out.SameAs = string(in.State), in.Former, hive.Printable(in.SameAs)
	if in.Machine != nil {
		out.Machine = hive.Printable(in.Machine.Name)
	}
	return out
}

func windowsJSON(in Input) jsonWindows {
	w := in.Windows
	out := jsonWindows{
		Version: w.Version(), Known: w.String(), Name: w.Name(), Build: w.Build(), Revision: w.Revision,
		Product: hive.Printable(w.Product), Edition: hive.Printable(w.Edition), Evidence: []string{}, Conflict: hive.Printable(in.Overruled),
	}
	if !w.Installed.IsZero() {
		out.Installed = timestamp(w.Installed)
	}
	for _, e := range w.Evidence {
		out.Evidence = append(out.Evidence, hive.Printable(e))
	}
	return out
}

func sourcesJSON(r *rules.Rule) (out []jsonSource) {
	for _, s := range r.Sources {
		out = append(out, jsonSource{hive.Printable(s.File), s.Line, hive.Printable(s.ID)})
	}
	return out
}

func refusedJSON(refused []hive.Problem) (out []jsonRefused) {
	for _, p := range refused {
		out = append(out, jsonRefused{hive.Printable(p.Source), problemsJSON([]hive.Problem{p})[0]})
	}
	return out
}

func problemsJSON(problems []hive.Problem) []jsonProblem {
	out := []jsonProblem{}
	for _, p := range problems {
		out = append(out, jsonProblem{p.Kind, hive.Printable(p.Msg), hive.Printable(p.Key.String()), p.Loss, locationJSON(p.At)})
	}
	return out
}

// findingJSON returns a finding with whether it counts as a failure of the run.
func (r Report) findingJSON(in Input, f rules.Finding) jsonFinding {
	out := findingJSON(in, f)
	out.Counts = new(r.Counts(in, f))
	return out
}

func findingJSON(in Input, f rules.Finding) jsonFinding {
	out := jsonFinding{
		Rule: f.Rule.ID, Sources: sourcesJSON(f.Rule), Pack: f.Rule.Pack, Title: f.Rule.Title, Rationale: f.Rule.Rationale, References: orEmpty(f.Rule.References), Tags: orEmpty(f.Rule.Tags),
		Waived: waiverJSON(f.Waived), Severity: f.Severity.String(), Status: f.Status, Reason: f.Reason,
		Input: hive.Printable(in.holds(f)), Key: hive.Printable(f.Key.String()), RealKey: hive.Printable(f.RealKey.String()),
		Expected: f.Expected, Message: f.Message, Notes: f.Notes, History: historyJSON(f.History), Location: locationJSON(f.At),
		Fixable: f.Fixable(), Alternative: f.Alternative, Fingerprint: f.Fingerprint(),
	}
	if f.Fixable() {
		out.Fix = remedyJSON(f.Fix)
	}
	out.Host, out.Former = hive.Printable(in.Host), in.Former
	if in.Machine != nil {
		out.Machine = hive.Printable(in.Machine.Name)
	}
	if !f.AboutKey {
		name := hive.Printable(f.Value)
		out.Value = &name
	}
	if v := f.Observed; v != nil {
		out.Observed = &jsonData{v.Type.String(), hex.EncodeToString(v.Data), v.Display()}
	}
	if !f.Modified.IsZero() {
		out.Modified = timestamp(f.Modified)
	}
	return out
}

// locationJSON returns nil for no place.
func locationJSON(at hive.Location) *jsonLocation {
	switch {
	case at.Line > 0:
		return &jsonLocation{Line: at.Line, Column: at.Column}
	case at.Offset > 0:
		return &jsonLocation{Offset: &at.Offset}
	}
	return nil
}
