package report

import (
	"encoding/hex"
	"iter"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

// sheet is the common form of the two kinds of reports, for formats that other programs read. All text in it is valid UTF-8, with U+FFFD
// for a lone surrogate, except paths, which are as the file system has them.
type sheet struct {
	command string // "check" or "lint"
	version string
	run     Run
	totals  string // in words
	more    string // of what was not asked, in words; "" for nothing
	all     bool   // list what did not fail, too
	topics  []topic
	files   []file
	tables  []table        // the summary of several machines
	refused []hive.Problem // inputs that could not be read at all
	left    []string       // what config and baseline leave out, in words

	unlisted              string // how many inputs have no findings, in words
	notExamined, notAsked []remark

	inventory *Inventory // see Report
}

// topic is what a result is about: a rule, or a check of the linter.
type topic struct {
	id, name, pack, title string
	severity              string // info to critical for a check, info to error for a lint
	level                 string // see result
	score                 string // by which GitHub orders security alerts, "0.0" to "10.0"; "" if it is not about security
	why                   string // paragraphs with an empty line between
	bad, good             string // examples
	tags                  []string
	references            []string
}

// file is an input.
type file struct {
	path, format, sha256 string
	size                 int64
	about                string   // for people
	logs                 []string // likewise, what became of the logs of a dirty hive, with their hashes
	unasked              string   // likewise, that no rule is about it; "" if one is
	facts                []fact   // likewise, what else is known of it
	copy                 bool     // of another input, which has its findings
	problems             []hive.Problem
	of                   findings
	text                 []byte // see LintFile
}

// findings are the results of a file, which may be made one by one of what is not in memory.
type findings struct {
	all func() iter.Seq2[int64, result] // with what at takes for each
	at  func(int64) result
}

// resultsOf returns results that are in memory.
func resultsOf(all []result) findings {
	return findings{
		func() iter.Seq2[int64, result] {
			return func(yield func(int64, result) bool) {
				for i, r := range all {
					if !yield(int64(i), r) {
						return
					}
				}
			}
		},
		func(at int64) result { return all[at] },
	}
}

func (f file) all() iter.Seq2[int64, result] { return f.of.all() }

// result returns the result that a spot names.
func (s sheet) result(at spot) result { return s.files[at.input].of.at(at.finding) }

// result is a finding.
type result struct {
	group      group
	topic      int // in the sheet
	id         string
	severity   string
	level      string // of the severity, as other programs know it: "error", "warning", "note", and "none" for no failure
	status     rules.Status
	counts     bool // as a failure of the run: see Report.Counts and LintFile.Counts
	reason     string
	message    string
	path       string // of the input, or the folder of the machine if none of its hives holds the place
	at, end    hive.Location
	line       string
	key, value string     // as the running system has it, or as the file names it
	realKey    string     // where the key is in the input
	about      lint.About // whether it is about key, value, or neither
	kind       string     // REG_DWORD
	observed   string
	data       string // observed, in hex
	expected   string
	notes      []string
	history    []string // what was once set here, for people
	modified   string
	fix        string // what to do, for people
	changes    []lint.Change
	safety     string // of the fix: "safe", "unsafe" or, of the linter, another; "" without a fix
	because    string // of a rule's fix, why it is unsafe; "" for a safe one
	restart    string // of a rule's fix, what must be restarted; "" for nothing
	fixNote    string // of a rule's fix
	instead    string // a remedy that is no change of the registry
	print      string // fingerprint
	suppressed *lint.Suppression
	waived     *rules.Waiver // of a rule, why the failure is accepted; it is suppressed then
	hidden     bool          // only counted, except in the formats by which servers judge
	baseline   string        // "unchanged" if it is in the baseline, "new" if not; "" without a baseline
}

// byWaiver is what suppresses a finding that is waived.
const byWaiver = "waiver"

// accepted returns for people why a result is suppressed, or "" if it is not.
func (r result) accepted() string {
	switch {
	case r.waived != nil:
		return hive.Printable(r.waived.String())
	case r.suppressed != nil:
		return strings.TrimSuffix("suppressed by "+r.suppressed.By+": "+hive.Printable(r.suppressed.Reason), ": ")
	}
	return ""
}

// failed reports whether the result is a failure that is not suppressed.
func (r result) failed() bool { return r.status == rules.Fail && r.suppressed == nil }

// alert returns the level at which programs that know only levels are to show the result. A failure of the run is an error or a warning, and what
// is none is a note at most, so that they fail a job when the exit status does.
func (r result) alert() string {
	switch {
	case r.counts && r.level == "note":
		return "warning"
	case !r.counts && r.level != "none":
		return "note"
	}
	return r.level
}

// remedy returns in one line what to do, for people.
func (r result) remedy() string {
	text := r.fix
	if r.because != "" {
		text += " (unsafe: " + r.because + ")"
	}
	if r.instead != "" {
		text = strings.TrimPrefix(text+"; instead: "+r.instead, "; ")
	}
	return text
}

// place returns the key and the value for people.
func (r result) place() string {
	switch r.about {
	case lint.AKey:
		return hive.Visible(r.realKey)
	case lint.AValue:
		return hive.Visible(r.realKey) + ": " + rules.ValueName(r.value)
	}
	return ""
}

// sentence returns the message, complete for a reader who sees only a file and a line. A hive has no lines, so the key and the offset are
// added; the message names the value.
func (r result) sentence() string {
	if r.at.Line > 0 || r.realKey == "" {
		return hive.Visible(r.message)
	}
	s := hive.Visible(r.realKey) + ": " + hive.Visible(r.message)
	if at := r.at.String(); at != "" {
		s += " (" + at + ")"
	}
	return s
}

// listed returns the results of a file to show in formats that say of each result whether it counts.
func (s sheet) listed(f file) iter.Seq[result] { return f.some(s.lists) }

// judged is [sheet.listed] for a format by which servers judge, which hides nothing.
func (s sheet) judged(f file) iter.Seq[result] { return f.some(s.tells) }

// some returns the results of a file that are to be shown.
func (f file) some(shown func(result) bool) iter.Seq[result] {
	return func(yield func(result) bool) {
		for _, r := range f.all() {
			if shown(r) && !yield(r) {
				return
			}
		}
	}
}

// asked reports whether a rule is about an input at least.
func (s sheet) asked() bool {
	return slices.ContainsFunc(s.files, func(f file) bool { return f.unasked == "" && !f.copy })
}

// lists and tells are those of [Report].
func (s sheet) lists(r result) bool { return !r.hidden && s.tells(r) }

func (s sheet) tells(r result) bool {
	return s.all || r.status == rules.Fail || open(rules.Reason(r.reason))
}

// fact returns what is known of an input by its name, or "".
func (f file) fact(name string) string {
	for _, one := range f.facts {
		if one.name == name {
			return one.text
		}
	}
	return ""
}

// gaps returns what could not be read: inputs, and parts of them. The exit status counts these, too.
func (s sheet) gaps() []hive.Problem {
	all := slices.Clone(s.refused)
	for _, f := range s.files {
		for _, p := range f.problems {
			if p.Loss {
				p.Source = f.path
				all = append(all, p)
			}
		}
	}
	return all
}

// found returns the results of a file to show in formats that have a severity for each: failures, and as notes what may be one and what is waived.
func (f file) found() iter.Seq[result] {
	return func(yield func(result) bool) {
		for _, r := range f.all() {
			switch {
			case r.waived != nil:
				r.message = r.accepted() + ": " + r.message
			case r.failed():
			case open(rules.Reason(r.reason)):
				r.severity, r.level, r.message = rules.Info.String(), "note", r.reason+": "+r.message
			default:
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// levels are what other programs call the severities of a check.
var levels = map[rules.Severity]string{rules.Info: "note", rules.Low: "note", rules.Medium: "warning", rules.High: "error", rules.Critical: "error"}

// scores are in the middle of the ranges that GitHub calls low, medium, high and critical.
var scores = map[rules.Severity]string{rules.Low: "2.0", rules.Medium: "5.5", rules.High: "8.0", rules.Critical: "9.5"}

// checkSheet returns the sheet of a check. It always includes what did not fail, as far as the report has it one by one.
func checkSheet(r Report) sheet {
	r = r.digested()
	s := sheet{command: "check", version: r.Version, run: r.Run, totals: strings.Join(r.summary(), "; "), left: r.Choices.lines(r.tally()), more: r.more(), all: r.All, refused: r.Refused, inventory: r.Inventory,
		tables: r.digest().fleet.tables(func(table) bool { return true }), unlisted: r.unlisted(), notExamined: r.notExamined(), notAsked: r.notAsked()}
	index := map[*rules.Rule]int{}
	for i, rule := range r.digest().rules {
		index[rule] = i
		severity := rule.Terms(hive.Windows{}).Severity
		s.topics = append(s.topics, topic{id: rule.ID, name: rule.ID, pack: rule.Pack, title: rule.Title, severity: severity.String(), level: levels[severity],
			score: scores[severity], why: unfolded(rule.Rationale), tags: tags(rule), references: slices.Concat(sourceTexts(rule), rule.References)})
	}
	for _, in := range r.Inputs {
		out := file{path: in.Path, format: in.Format, sha256: in.SHA256, size: in.Size, about: hive.Printable(in.about()), unasked: in.unasked(), problems: in.Problems}
		if in.Dirty {
			out.logs = logs(in)
		}
		out.facts, out.copy = in.facts(), in.SameAs != ""
		of := func(f rules.Finding) result { return checkResult(in, f, index[f.Rule], r) }
		out.of = findings{
			func() iter.Seq2[int64, result] {
				return func(yield func(int64, result) bool) {
					for at, f := range in.all() {
						if !yield(at, of(f)) {
							return
						}
					}
				}
			},
			func(at int64) result { return of(in.finding(at)) },
		}
		s.files = append(s.files, out)
	}
	return s
}

// tags returns the tags of a rule and the name of its pack, without duplicates.
func tags(r *rules.Rule) []string {
	all := []string{r.Pack}
	for _, tag := range r.Tags {
		if !slices.Contains(all, tag) {
			all = append(all, tag)
		}
	}
	return all
}

func checkResult(in Input, f rules.Finding, topic int, of Report) result {
	r := result{
		group: groupOf(in, f), topic: topic, id: f.Rule.ID, severity: f.Severity.String(), level: "none", status: f.Status, reason: string(f.Reason), message: hive.Printable(f.Message),
		path: in.holds(f), at: f.At, key: hive.Printable(f.Key.String()), realKey: hive.Printable(f.RealKey.String()),
		value: hive.Printable(f.Value), about: lint.AValue, expected: f.Expected, notes: f.Notes, print: f.Fingerprint(),
	}
	switch {
	case in.Format == ConfigFormat:
		r.about, r.value = lint.AFile, ""
	case f.AboutKey:
		r.about = lint.AKey
	}
	r.hidden = of.Choices.hides(f)
	if w := f.Waived; w != nil {
		r.waived, r.suppressed = w, &lint.Suppression{By: byWaiver, Reason: hive.Printable(w.Reason)}
	}
	if f.Status == rules.Fail {
		r.level, r.counts = levels[f.Severity], of.Counts(in, f)
	}
	if v := f.Observed; v != nil {
		r.kind, r.observed, r.data = v.Type.String(), hive.Printable(v.Display()), hex.EncodeToString(v.Data)
	}
	if !f.Modified.IsZero() {
		r.modified = timestamp(f.Modified)
	}
	if f.Fixable() {
		r.fix, r.because, r.fixNote, r.safety = f.Fix.String(), f.Fix.Because, f.Fix.Note, lint.Unsafe.String()
		if f.Fix.Safe() {
			r.safety = lint.Safe.String()
		}
		if f.Fix.Restart != "none" {
			r.restart = f.Fix.Restart
		}
	}
	for _, past := range f.History {
		r.history = append(r.history, pastWords(past))
	}
	r.instead = f.Alternative
	return r
}

// lintLevels are what other programs call the severities of the linter.
var lintLevels = map[lint.Severity]string{lint.Info: "note", lint.Warning: "warning", lint.Error: "error"}

// lintScores are for checks about what weakens a computer. The others have none: for GitHub, they are about quality.
var lintScores = map[lint.Severity]string{lint.Info: "2.0", lint.Warning: "5.5", lint.Error: "8.0"}

// lintSheet returns the sheet of a lint.
func lintSheet(r LintReport) sheet {
	s := sheet{command: "lint", version: r.Version, run: r.Run, totals: r.tally().String(), all: r.Listing.All, refused: r.Refused, notExamined: r.notExamined()}
	index := map[*lint.Check]int{}
	topicOf := func(c *lint.Check) int {
		i, ok := index[c]
		if !ok {
			i = len(s.topics)
			index[c] = i
			t := topic{id: c.ID, name: c.Name, pack: lintPack, title: c.Title, severity: c.Severity.String(), level: lintLevels[c.Severity],
				why: unfolded(c.Explanation), bad: exampleText(c.Bad), good: exampleText(c.Good), references: c.References}
			if strings.HasPrefix(c.ID, "REG4") {
				t.score, t.tags = lintScores[c.Severity], []string{"security"}
			}
			s.topics = append(s.topics, t)
		}
		return i
	}
	for _, c := range r.Checks {
		topicOf(c)
	}
	for _, in := range r.Files {
		out := file{path: in.Path, format: "reg", sha256: in.SHA256, size: in.Size, about: ".reg file, " + in.Version + ", " + in.Encoding,
			problems: in.Problems, text: in.Text}
		var all []result
		for _, f := range in.sorted() {
			one := lintResult(in, f, topicOf(f.Check))
			switch {
			case f.Suppressed != nil && f.Suppressed.By == "baseline":
				one.baseline = "unchanged"
			case r.Baseline:
				one.baseline = "new"
			}
			all = append(all, one)
		}
		out.of = resultsOf(all)
		s.files = append(s.files, out)
	}
	return s
}

func lintResult(in LintFile, f lint.Finding, topic int) result {
	r := result{
		group: lintGroupOf(f), topic: topic, id: f.Check.ID, severity: f.Severity.String(), level: lintLevels[f.Severity], status: rules.Fail, message: hive.Printable(f.Message),
		path: in.Path, at: f.At, end: f.End, line: hive.Printable(f.Line), about: f.About, print: f.Fingerprint(), suppressed: f.Suppressed, counts: in.Counts(f),
	}
	if f.Key != nil {
		r.key = hive.Printable(f.Key.String())
		r.realKey = r.key
	}
	if f.About == lint.AValue {
		r.value = hive.Printable(f.Value)
	}
	if f.Fix != nil {
		r.fix, r.changes, r.safety = hive.Printable(f.Fix.Message), f.Fix.Changes, f.Fix.Safety.String()
	}
	return r
}

// exampleText returns an example for people, or "" if its point is in its bytes, where there is nothing to see.
func exampleText(e lint.Example) string {
	if e.Encoding == lint.Raw {
		return ""
	}
	return e.Text
}
