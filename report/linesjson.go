package report

import (
	"slices"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/rules"
)

// jsonCheckStart is the first line of a check in lines.
type jsonCheckStart struct {
	jsonStart
	Asked jsonAsked    `json:"asked"` // what the run was asked for, and what it left out
	Rules []jsonRecord `json:"rules"` // those that ran
}

// jsonAsked is what a run was asked for, as far as a report shows it or depends on it.
type jsonAsked struct {
	All          bool         `json:"all,omitempty"`           // every answer has a line, those that are no findings, too
	FailOn       string       `json:"fail_on"`                 // findings below this severity do not count
	Severity     string       `json:"severity,omitempty"`      // findings below it are hidden
	AllInstalls  bool         `json:"all_installs,omitempty"`  // those of a former Windows count
	Deleted      bool         `json:"deleted,omitempty"`       // what was deleted was looked for
	MoreRules    int          `json:"more_rules,omitempty"`    // how many more would run with all packs
	Unselected   int          `json:"unselected,omitempty"`    // how many rules a selection leaves out
	Config       *jsonChoices `json:"config,omitempty"`        // what a config leaves out
	Baseline     string       `json:"baseline,omitempty"`      // the file
	PassedOver   []string     `json:"passed_over,omitempty"`   // for people, what may be a hive and was not looked into
	LeftOut      []jsonUnread `json:"left_out,omitempty"`      // what is of an earlier time, and was not asked for
	ShadowCopies int          `json:"shadow_copies,omitempty"` // how many in images were not looked into
	Share        *jsonShare   `json:"share,omitempty"`         // of a run over a share of the machines
}

// jsonUnread is what is of an earlier time.
type jsonUnread struct {
	State string `json:"state"`          // as of an input
	Files int    `json:"files"`          // how many there are
	First string `json:"first"`          // the path of the first
	Turn  int    `json:"turn,omitempty"` // of that one, as of what is done
}

// jsonShare is one of several shares, which together are everything.
type jsonShare struct {
	Number int `json:"number"` // from 1
	Of     int `json:"of"`
}

// jsonRecord is a rule as reports show it.
type jsonRecord struct {
	ID         string       `json:"id"`
	Pack       string       `json:"pack"`
	Title      string       `json:"title"`
	Severity   string       `json:"severity"` // without a Windows; that of a finding may differ
	Rationale  string       `json:"rationale,omitempty"`
	References []string     `json:"references,omitempty"`
	Tags       []string     `json:"tags,omitempty"`
	Sources    []jsonSource `json:"sources,omitempty"`  // of a rule for another program
	File       string       `json:"file,omitempty"`     // that it was read from; none for a built-in rule
	Category   string       `json:"category,omitempty"` // of an inventory, which lists what is there
}

// jsonLineInput is an input with what of it only the whole report shows. What is absent is empty, or not known.
type jsonLineInput struct {
	jsonInput
	AtLeast  string `json:"windows_at_least,omitempty"` // the lowest version that Windows may be
	Below    string `json:"windows_below,omitempty"`    // the version is lower
	Listed   int    `json:"listed,omitempty"`           // by inventories
	Baseline int    `json:"baseline,omitempty"`         // findings that a baseline has
	// Counted has how many answers of which rules have no line: by "pass" or the reason, and by the ID of the rule.
	Counted map[string]map[string]int `json:"counted,omitempty"`
	Lacking map[string]int            `json:"lacking,omitempty"` // how many of them each hive would decide
	Raw     *jsonRawInput             `json:"raw,omitempty"`
}

// jsonRawInput has names of an input that are not Unicode, or that are keys with a backslash, in base64. Lone surrogates are three bytes, as if UTF-8 had them.
type jsonRawInput struct {
	Path    []byte   `json:"path,omitempty"`
	Machine []byte   `json:"machine,omitempty"`
	Mount   [][]byte `json:"mount,omitempty"` // each key of it
}

// jsonLineFinding is a finding with what of it only the whole report shows.
type jsonLineFinding struct {
	jsonFinding
	Raw *jsonRawFinding `json:"raw,omitempty"`
}

// jsonRawFinding is for a finding what [jsonRawInput] is for an input.
type jsonRawFinding struct {
	Key     [][]byte `json:"key,omitempty"`      // each key of it
	RealKey [][]byte `json:"real_key,omitempty"` // likewise
	Value   []byte   `json:"value,omitempty"`
}

// jsonLineRefused is what could not be read.
type jsonLineRefused struct {
	jsonRefused
	Raw []byte `json:"raw,omitempty"` // the path, if it is not Unicode, in base64
}

// jsonLineContainer is an image or archive.
type jsonLineContainer struct {
	jsonContainer
	Turn int `json:"turn,omitempty"` // as of what is done
}

// neverCounts is what stands for a severity that is above all others.
const neverCounts = "never"

func askedJSON(r Report) jsonAsked {
	c := r.Choices
	out := jsonAsked{
		All: r.All, FailOn: r.FailOn.String(), AllInstalls: r.AllInstalls, Deleted: r.Deleted, MoreRules: r.More, Unselected: r.Unselected,
		Config: choicesJSON(c), Baseline: hive.Printable(c.Baseline), PassedOver: printables(r.PassedOver), ShadowCopies: r.Shadows,
	}
	if r.FailOn > rules.Critical {
		out.FailOn = neverCounts
	}
	if c.Least > 0 {
		out.Severity = c.Least.String()
	}
	for _, left := range r.LeftOut {
		out.LeftOut = append(out.LeftOut, jsonUnread{string(left.State), left.Files, hive.Printable(left.First), left.Turn})
	}
	if r.Share.Of > 0 {
		out.Share = &jsonShare{r.Share.Number, r.Share.Of}
	}
	return out
}

func recordsOf(all []*rules.Rule) []jsonRecord {
	out := []jsonRecord{}
	for _, r := range all {
		one := jsonRecord{ID: r.ID, Pack: r.Pack, Title: r.Title, Severity: r.Terms(hive.Windows{}).Severity.String(), Rationale: r.Rationale, References: r.References,
			Tags: r.Tags, Sources: sourcesJSON(r), File: hive.Printable(r.File())}
		if r.Inventory != nil {
			one.Category = r.Inventory.Category
		}
		out = append(out, one)
	}
	return out
}

// lineInputJSON returns an input with the counts of the answers that have no line.
func (r Report) lineInputJSON(in Input) jsonLineInput {
	out := jsonLineInput{jsonInput: inputJSON(in), Listed: in.Listed, Baseline: in.Known, Counted: map[string]map[string]int{}, Lacking: map[string]int{}}
	if v := in.Windows.AtLeast; v != (hive.Version{}) {
		out.AtLeast = v.String()
	}
	if v := in.Windows.Below; v != (hive.Version{}) {
		out.Below = v.String()
	}
	count := func(a Answer, n int) {
		reason := string(a.Reason)
		if a.Reason == "" {
			reason = string(rules.Pass)
		}
		if out.Counted[reason] == nil {
			out.Counted[reason] = map[string]int{}
		}
		out.Counted[reason][a.Rule.ID] += n
	}
	counted, lacking := in.counted()
	for a, n := range counted {
		count(a, n)
	}
	for name, n := range lacking {
		out.Lacking[name] += n
	}
	for _, f := range in.all() {
		if !r.tells(f) {
			count(Answer{f.Rule, f.Reason}, 1)
			if f.Reason == rules.NotCovered {
				out.Lacking[hiveOf(f.Key)]++
			}
		}
	}
	raw := jsonRawInput{Path: rawText(in.Path), Mount: rawPath(in.Mount)}
	if in.Machine != nil {
		raw.Machine = rawText(in.Machine.Name)
	}
	if raw.Path != nil || raw.Machine != nil || raw.Mount != nil {
		out.Raw = &raw
	}
	return out
}

func (r Report) lineFindingJSON(in Input, f rules.Finding) jsonLineFinding {
	out := jsonLineFinding{jsonFinding: r.findingJSON(in, f)}
	raw := jsonRawFinding{rawPath(f.Key), rawPath(f.RealKey), rawText(f.Value)}
	if f.AboutKey && f.Value != "" { // which tells findings about the config apart
		raw.Value = []byte(f.Value)
	}
	if raw.Key != nil || raw.RealKey != nil || raw.Value != nil {
		out.Raw = &raw
	}
	return out
}

func lineRefusedJSON(p hive.Problem) jsonLineRefused {
	return jsonLineRefused{refusedJSON([]hive.Problem{p})[0], rawText(p.Source)}
}

func lineContainersJSON(all []*collection.Container) (out []jsonLineContainer) {
	for _, c := range all {
		out = append(out, jsonLineContainer{identityJSON(c), c.Turn})
	}
	return out
}

// rawText returns nil for text that JSON can hold.
func rawText(s string) []byte {
	if hive.Printable(s) == s {
		return nil
	}
	return []byte(s)
}

// rawPath returns nil for a path that its text tells.
func rawPath(p hive.Path) (raw [][]byte) {
	if text := p.String(); hive.Printable(text) == text && slices.Equal(splitPath(text), p) {
		return nil
	}
	for _, name := range p {
		raw = append(raw, []byte(name))
	}
	return raw
}
