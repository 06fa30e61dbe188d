package report

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/evidence"
	"regvet/rules"
	"regvet/rules/ports"
)

// mostCount is the largest number that is taken for a count of what a run found. Sums of them cannot overflow.
const mostCount = 1 << 40

// checker keeps the first thing that is wrong with a line.
type checker struct{ err error }

func (c *checker) wrong(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checker) count(name string, n int) int {
	if n < 0 || int64(n) > mostCount {
		c.wrong("%s is %d, which is no count", name, n)
	}
	return n
}

func (c *checker) port(name string, n *int) int {
	if n == nil || *n < 0 || *n > ports.Max {
		c.wrong("%s is no port from 0 to %d", name, ports.Max)
		return 0
	}
	return *n
}

func (c *checker) severity(name, word string) rules.Severity {
	severity, ok := rules.ParseSeverity(word)
	if !ok && word != "" && word != rules.Severity(0).String() {
		c.wrong("%s is %q, want one of %s", name, word, strings.Join(rules.SeverityNames(), ", "))
	}
	return severity
}

// time reads what timestamp wrote. A hive can hold times whose year has five digits.
func (c *checker) time(name, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	year, rest, _ := strings.Cut(text, "-")
	n, err := strconv.Atoi(year)
	const leap = 2000
	if err == nil && n >= 0 && n < 100000 {
		at := time.Date(leap+n%400, 1, 1, 0, 0, 0, 0, time.UTC)
		if at, err = time.Parse(hive.TimeLayout, fmt.Sprintf("%04d-%s", at.Year(), rest)); err == nil {
			return at.AddDate(n-at.Year(), 0, 0)
		}
	}
	c.wrong("%s is %q, want a time like %s", name, text, hive.TimeLayout)
	return time.Time{}
}

func (c *checker) version(name, text string) hive.Version {
	if text == "" {
		return hive.Version{}
	}
	v, err := hive.ParseVersion(text)
	if err != nil {
		c.wrong("%s: %v", name, err)
	}
	return v
}

func (c *checker) valueType(name, text string) hive.Type {
	kind, ok := hive.ParseType(text)
	if !ok {
		c.wrong("%s is %q, want the type of a value, such as REG_DWORD", name, text)
	}
	return kind
}

func (c *checker) data(name, text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		c.wrong("%s is not in hex", name)
	}
	return data
}

func (c *checker) location(at *jsonLocation) (l hive.Location) {
	if at == nil {
		return l
	}
	l.Line, l.Column = at.Line, at.Column
	if at.Offset != nil {
		l.Offset = *at.Offset
	}
	if l.Line < 0 || l.Column < 0 || l.Offset < 0 {
		c.wrong("location is before the beginning")
	}
	return l
}

// splitPath returns the path that a text without raw names stands for.
func splitPath(text string) hive.Path {
	if text == "" {
		return nil
	}
	return strings.Split(text, `\`)
}

func pathOf(text string, raw [][]byte) (p hive.Path) {
	if raw == nil {
		return splitPath(text)
	}
	for _, name := range raw {
		p = append(p, string(name))
	}
	return p
}

func textOr[T []byte | string](text string, raw T) string {
	if len(raw) == 0 {
		return text
	}
	return string(raw)
}

func (c *checker) problem(source string, j jsonProblem) hive.Problem {
	return hive.Problem{Source: source, At: c.location(j.Location), Kind: j.Kind, Msg: j.Message, Key: splitPath(j.Key), Loss: j.Loss}
}

func (c *checker) refused(j jsonLineRefused) hive.Problem {
	return c.problem(textOr(j.Path, j.Raw), j.jsonProblem)
}

// rule returns a rule that the first line of a run has.
func (c *checker) rule(j jsonRecord) *rules.Rule {
	if j.ID == "" {
		c.wrong("a rule has no id")
	}
	r := rules.Rule{ID: j.ID, Pack: j.Pack, Title: j.Title, Rationale: j.Rationale, References: j.References, Tags: j.Tags}
	for _, s := range j.Sources {
		r.Sources = append(r.Sources, rules.Source{ID: s.ID, File: s.File, Line: s.Line})
	}
	if j.Category != "" {
		r.Inventory = &rules.Inventory{Category: j.Category}
	}
	return rules.Recorded(r, c.severity("severity of a rule", j.Severity), j.File)
}

// report returns what a run says of itself.
func (c *checker) report(j jsonCheckStart) (r Report) {
	a := j.Asked
	r.All, r.AllInstalls, r.Deleted = a.All, a.AllInstalls, a.Deleted
	r.More, r.Unselected, r.Shadows = c.count("more_rules", a.MoreRules), c.count("unselected", a.Unselected), c.count("shadow_copies", a.ShadowCopies)
	if r.FailOn = rules.Critical + 1; a.FailOn != neverCounts {
		r.FailOn = c.severity("fail_on", a.FailOn)
	}
	r.Choices = Choices{Baseline: a.Baseline, Least: c.severity("severity", a.Severity)}
	if a.Config != nil {
		r.Choices.Config, r.Choices.Only, r.Choices.Off = a.Config.Path, a.Config.Select, a.Config.Ignored
	}
	r.PassedOver = a.PassedOver
	for _, left := range a.LeftOut {
		r.LeftOut = append(r.LeftOut, LeftOut{collection.State(left.State), c.count("files", left.Files), left.First, c.count("turn", left.Turn)})
	}
	if s := a.Share; s != nil {
		if r.Share = (collection.Share{Number: s.Number, Of: s.Of}); s.Number < 1 || s.Of < s.Number {
			c.wrong("share %d of %d is none", s.Number, s.Of)
		}
	}
	r.Run.Command = j.Run.Command
	if j.Run.Date != "" {
		date, err := time.Parse(time.RFC3339, j.Run.Date)
		if err != nil {
			c.wrong("date is %q, want a time like %s", j.Run.Date, time.RFC3339)
		}
		r.Run.Date = date.UTC()
	}
	for _, p := range j.Run.Packs {
		r.Run.Packs = append(r.Run.Packs, RunPack{p.Name, p.SHA256, c.count("rules", p.Rules)})
	}
	return r
}

// input returns an input without findings. rule returns the rule of an ID, or nil.
func (c *checker) input(j jsonLineInput, rule func(id string) *rules.Rule) Input {
	raw := jsonRawInput{}
	if j.Raw != nil {
		raw = *j.Raw
	}
	in := Input{Listed: c.count("listed", j.Listed), Unasked: j.Unasked, Known: c.count("baseline", j.Baseline), Counted: map[Answer]int{}, Lacking: j.Lacking}
	in.Path = textOr(j.Path, raw.Path)
	in.Format, in.SHA256, in.Size = j.Format, j.SHA256, j.Size
	if j.Size < 0 {
		c.wrong("size is %d, which is no size", j.Size)
	}
	if j.Machine != "" {
		in.Machine = &collection.Machine{Name: textOr(j.Machine, raw.Machine), Former: j.Former}
	}
	in.NotJoined, in.State, in.User, in.Former, in.SameAs = j.NotJoined, collection.State(j.State), j.User, j.Former, j.SameAs
	in.Mount, in.Host, in.HostBy, in.TimeZone = pathOf(j.Mount, raw.Mount), j.Host, j.HostBy, j.TimeZone
	in.Shutdown, in.Text, in.Dirty, in.OtherSets = c.time("last_shutdown", j.Shutdown), j.Text, j.Dirty, j.OtherSets
	for _, s := range j.ControlSets {
		in.ControlSets = append(in.ControlSets, hive.ControlSet(s))
	}
	in.Windows = hive.Windows{
		AtLeast: c.version("windows_at_least", j.AtLeast), Below: c.version("windows_below", j.Below), Revision: c.count("revision", j.Windows.Revision), Product: j.Windows.Product,
		Edition: j.Windows.Edition, Installed: c.time("installed", j.Windows.Installed), Evidence: j.Windows.Evidence,
	}
	in.Overruled = j.Windows.Conflict
	for _, l := range j.Logs {
		in.Logs = append(in.Logs, collection.Log{SHA256: l.SHA256,
			LogUse: hive.LogUse{Name: l.Name, Entries: c.count("entries", l.Entries), First: l.First, Last: l.Last, Why: l.Why, Later: l.Later, Foreign: l.Foreign}})
	}
	for _, p := range j.Problems {
		in.Problems = append(in.Problems, c.problem(in.Path, p))
	}
	for _, step := range j.Evidence {
		in.Evidence = append(in.Evidence, c.step(step))
	}
	for _, p := range j.Ports {
		in.Ports = append(in.Ports, c.answer(p))
	}
	for reason, counts := range j.Counted {
		a := Answer{Reason: rules.Reason(reason)}
		switch {
		case reason == string(rules.Pass):
			a.Reason = ""
		case !leavesOpen(a.Reason):
			c.wrong("counted has %q, want pass or why an answer is unknown", reason)
		}
		for id, n := range counts {
			if a.Rule = rule(id); a.Rule == nil {
				c.wrong("counted has a rule %q, which the first line of the run does not have", id)
			}
			in.Counted[a] = c.count("counted", n)
		}
	}
	for name, n := range j.Lacking {
		c.count("lacking "+name, n)
	}
	return in
}

// leavesOpen reports whether a reason is one of an unknown.
func leavesOpen(r rules.Reason) bool {
	switch r {
	case rules.NotCovered, rules.Damaged, rules.Partial, rules.Hidden, rules.Undecided, rules.NotApplicable:
		return true
	}
	return false
}

func (c *checker) step(j jsonStep) evidence.Step {
	s := evidence.Step{Kind: j.Kind, Path: j.Path, Size: j.Size, Segments: c.count("segments", j.Segments), MD5: j.MD5, SHA1: j.SHA1, Verified: j.Verified, Created: c.time("created", j.Created), Serial: j.Serial}
	if j.Number != nil {
		s.Number = *j.Number
	}
	if j.Offset != nil {
		s.Offset = *j.Offset
	}
	if j.Label != nil {
		s.Label = *j.Label
	}
	return s
}

// answer returns the ephemeral ports of a control set.
func (c *checker) answer(j jsonPorts) ports.Answer {
	p := ports.Answer{ControlSet: j.ControlSet, Windows: j.Windows, Assumed: j.Assumed, Why: j.Unknown, Source: j.Source, AllKnown: j.Usable != nil, Notes: j.Notes}
	setText(&p.Confidence, j.Confidence)
	ordered := func(from, to *int) ports.Range {
		r := ports.Range{From: c.port("start", from), To: c.port("end", to)}
		if r.From > r.To {
			c.wrong("ports from %d to %d are none", r.From, r.To)
		}
		return r
	}
	if j.Start != nil || j.End != nil {
		p.Range = new(ordered(j.Start, j.End))
	}
	for _, x := range j.Excluded {
		p.Excluded = append(p.Excluded, ports.Exclusion{Range: ordered(&x.From, &x.To), Source: x.Source})
	}
	for _, u := range j.Used {
		p.Used = append(p.Used, ports.Use{Port: c.port("port", &u.Port), Service: u.Service, Key: u.Key, Value: u.Value})
	}
	return p
}

// setText sets a text whose type has no name outside of its package.
func setText[T ~string](to *T, text string) { *to = T(text) }

// finding returns a finding of a rule.
func (c *checker) finding(j jsonLineFinding, rule *rules.Rule) rules.Finding {
	raw := jsonRawFinding{}
	if j.Raw != nil {
		raw = *j.Raw
	}
	f := rules.Finding{
		Rule: rule, Status: j.Status, Reason: j.Reason, Severity: c.severity("severity", j.Severity), Key: pathOf(j.Key, raw.Key), RealKey: pathOf(j.RealKey, raw.RealKey),
		AboutKey: j.Value == nil, Modified: c.time("modified", j.Modified), At: c.location(j.Location), Expected: j.Expected, Message: j.Message, Notes: j.Notes, Alternative: j.Alternative,
	}
	switch {
	case j.Status == rules.Pass && j.Reason == "", j.Status == rules.Unknown && leavesOpen(j.Reason), j.Status == rules.Fail && j.Reason != "" && !leavesOpen(j.Reason):
	default:
		c.wrong("status %q does not go with the reason %q", j.Status, j.Reason)
	}
	if j.Value != nil {
		f.Value = *j.Value
	}
	if len(raw.Value) > 0 {
		f.Value = string(raw.Value)
	}
	if o := j.Observed; o != nil {
		f.Observed = &hive.Value{Name: f.Value, Type: c.valueType("type", o.Type), Data: c.data("data", o.Data)}
	}
	for _, past := range j.History {
		one := rules.Past{Value: hive.Value{Name: f.Value, Type: c.valueType("type", past.Type), At: hive.Location{Offset: past.Offset}, Short: past.Data == nil},
			Modified: c.time("modified", past.Modified), KeyGone: past.KeyDeleted}
		if past.Data != nil {
			one.Value.Data = c.data("data", *past.Data)
		}
		f.History = append(f.History, one)
	}
	if fix := j.Fix; fix != nil {
		if fix.Text == "" {
			c.wrong("fix has no text")
		}
		f.Fix = rules.RecordedFix(fix.Text, rules.Fix{Because: fix.Because, Restart: fix.Restart, Note: fix.Note})
	}
	if w := j.Waived; w != nil {
		f.Waived = &rules.Waiver{Reason: w.Reason}
		if w.Until != "" {
			until, err := time.Parse(time.DateOnly, w.Until)
			if err != nil {
				c.wrong("until is %q, want a day like %s", w.Until, time.DateOnly)
			}
			f.Waived.Until = until
		}
	}
	return f
}

// container returns an image or archive.
func (c *checker) container(j jsonLineContainer) jsonLineContainer {
	if j.Size < 0 {
		c.wrong("size is %d, which is no size", j.Size)
	}
	c.count("turn", j.Turn)
	for _, p := range j.Problems {
		c.problem(j.Path, p)
	}
	return j
}
