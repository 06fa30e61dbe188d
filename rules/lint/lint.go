package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// Linter holds the options of a run. The zero Linter runs all checks that are not [Check.Off], and has no rules.
type Linter struct {
	Read   regfile.Options
	Target hive.Windows  // that the files are for; the zero Windows if unknown
	Rules  []*rules.Rule // to check values against

	// Severity returns the severity of a check, or 0 if it does not run. If nil, all checks that are not [Check.Off] run, with their own severity.
	Severity func(*Check) Severity

	// RuleSeverity returns the severity of the findings of a check by a rule, or 0 if they are not reported. If nil, it is that of the check.
	RuleSeverity func(*Check, *rules.Rule) Severity

	// RuleExists reports whether there is a rule of that ID which is not among Rules, so that a comment may name it. If nil, there is none.
	RuleExists func(id string) bool

	// Known reports whether a baseline has a finding of this file, by its fingerprint. Such findings are suppressed. Nil without a baseline.
	Known func(fingerprint string) bool

	// Most is how many findings of one check are listed per file; 0 for no limit.
	Most int
}

// Result is what the linter found in one file.
type Result struct {
	Version  regfile.Version
	Encoding string         // such as "UTF-16LE"; "" if Windows rejects the file before it decodes it
	Findings []Finding      // in the order of the file
	Problems []hive.Problem // why the linter did not see, or list, everything
}

// Lint checks one file, holding one statement of it in memory at a time. The name is used in messages, and to find the other files in the
// folder. The error is one of r.
func (l Linter) Lint(name string, r io.Reader) (*Result, error) {
	return newPass(l, name).run(r)
}

// pass is one run over one file.
type pass struct {
	Linter
	file   string
	result Result
	on     map[*Check]Severity // the checks that run
	visits visits
	codes  map[regfile.Code][]*Check
	listed map[tally]int
	left   map[*Check]int // findings that count but are not listed

	now   Finding // the last one reported, which may still get a fix; its Check is nil if there is none
	least Safety  // of findings with a fix that is at least this safe only the fix is kept; NoFix to keep all
	fixes fixes

	rejected bool // by Windows, and nothing more is read
	past     bool // Windows imports nothing of the file for its first line, but it is checked as if that were right

	unknown bool     // the file is in a code page, and it is not known in which
	guessed bool     // something in it depends on that
	frozen  []frozen // what no fix may touch, in the order of the text
	judged  int      // statements that were read in other code pages

	seed  maphash.Seed
	alike map[uint64]int // the number of findings, by the hash of their likeness

	section section
	ignores ignores
	watch   watch
	notes
}

// section is a key line and the lines below it.
type section struct {
	path    hive.Path // nil if Windows drops the values
	folded  string    // path, as names are compared
	deletes bool      // the key line is [-KEY]
	line    int       // of the key line; 0 above the first
	watched bool      // rules of packs look at this key
	facts   facts     // of all its statements
}

func newPass(l Linter, name string) *pass {
	p := &pass{
		Linter: l, file: name, on: map[*Check]Severity{}, codes: map[regfile.Code][]*Check{}, watch: newWatch(l.Rules),
		listed: map[tally]int{}, left: map[*Check]int{}, seed: maphash.MakeSeed(), alike: map[uint64]int{},
	}
	p.patterns = patterns()
	for _, c := range checks {
		severity := c.Severity
		if c.Off {
			severity = 0
		}
		if l.Severity != nil {
			severity = l.Severity(c)
		}
		if severity == 0 {
			continue
		}
		p.on[c] = severity
		if c.visit != nil {
			p.visits.checks = append(p.visits.checks, c)
		}
		for _, code := range c.codes {
			p.codes[code] = append(p.codes[code], c)
		}
	}
	return p
}

// run checks all statements of a file.
func (p *pass) run(r io.Reader) (*Result, error) {
	for s, err := range p.Read.ScanPastHeader(r) {
		if err != nil {
			return nil, err
		}
		p.statement(s)
	}
	return p.end(), nil
}

// checksOf returns the checks that report a fault. A comment that starts with # or // after data, and a character that cannot be seen, are
// reported by one check only.
func (p *pass) checksOf(s *regfile.Statement, f *regfile.Fault) []*Check {
	if f.Code == regfile.StrayText {
		switch {
		case headerIn(s.Text) != "" && p.past && !p.metHeader:
			p.metHeader = true // it is below what REG001 reports
			return nil
		case headerIn(s.Text) != "" && p.on[secondHeader] > 0:
			return []*Check{secondHeader}
		case s.Version == regfile.Windows31 && p.on[header] > 0 && strings.IndexByte("[\"@", bytes.TrimLeft(s.Text, " \t")[0]) >= 0:
			p.brackets++
			p.typedText = p.typedText || bytes.Contains(s.Text, []byte("=hex("))
			return nil // it is below a header of Windows 3.1, which is told once
		}
	}
	if p.on[invisibleInLine] > 0 {
		if _, span, _ := p.hiddenFault(s, f); !span.Empty() {
			return []*Check{invisibleInLine}
		}
	}
	if f.Code == regfile.NoEquals && p.on[slashComment] > 0 && regfile.ForeignComment(bytes.TrimLeft(s.Text, " \t")) != "" {
		return []*Check{slashComment} // @rem and @echo
	}
	switch {
	case !slices.Contains(behindData, f.Code) || foreignComment(s, f) == "":
		return p.codes[f.Code]
	case p.on[commentBehindData] == 0:
		return nil
	}
	return []*Check{commentBehindData}
}

// statement runs the checks on a statement.
func (p *pass) statement(s *regfile.Statement) {
	if s.Frozen {
		p.settle()
		defer p.freeze(s, len(p.result.Findings))
	}
	if s.Kind == regfile.HeaderLine {
		p.result.Version = s.Version
		p.result.Encoding = s.Encoding
		p.unknown = p.Read.CodePage == nil && regfile.InPage(s.Encoding)
	}
	if s.Kind == regfile.KeyLine || s.Kind == regfile.ValueLine && s.Version == regfile.Windows31 {
		p.enter(s)
	}
	p.ignores.see(p, s)
	for i := range s.Faults {
		f := &s.Faults[i]
		for _, c := range p.checksOf(s, f) {
			if c.say != nil {
				c.say(p, c, s, f)
			} else {
				p.fault(c, s, f)
			}
		}
	}
	if len(s.Faults) > 0 && s.Faults[0].Code.Rejects() {
		p.rejected, p.changes = true, true
		return
	}
	if p.rejected {
		p.rejected, p.past = false, true
	}
	p.past = p.past || hasFault(s, regfile.HeaderUnsupported)
	p.changes = p.changes || len(s.Edits) > 0 || s.Kind == regfile.HeaderLine && hasFault(s, regfile.HeaderUnsupported)
	p.show(s)
	p.ending = s.Ending
	p.watch.see(p, s)
}

// enter begins a section.
func (p *pass) enter(s *regfile.Statement) {
	if hasFault(s, regfile.KeyBracket, regfile.KeyBlank) {
		return // Windows ignores the line
	}
	p.section = section{deletes: s.Deletes, line: s.Line}
	p.pathNames, p.matched = p.pathNames[:0], p.matched[:0]
	if len(s.Edits) > 0 {
		p.section.path = s.Path
		folded, same := p.fold(s.Path)
		p.section.folded = folded
		p.section.facts = p.pathFacts(folded, same)
		p.section.watched = p.watch.watches(p.section.folded)
		p.seen.enterKey(p)
		p.enterPatterns()
	}
}

// end returns the result. It is called after the last statement.
func (p *pass) end() *Result {
	for _, c := range checks {
		if _, on := p.on[c]; on && c.finish != nil && !p.rejected {
			c.finish(p, c)
		}
	}
	p.watch.judge(p)
	p.settle()
	p.ignores.apply(p)
	p.settle()
	p.leaveFrozen()
	r := &p.result
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return inFile(a.At, a.Check, b.At, b.Check) })
	slices.SortStableFunc(p.fixes.all, func(a, b fixed) int { return inFile(a.at, a.check, b.at, b.check) })
	for _, c := range checks {
		if n := p.left[c]; n > 0 {
			p.problem(hive.Location{}, fmt.Sprintf("findings of %s that are not listed: %d", c.ID, n))
		}
	}
	return r
}

// inFile compares two findings by place, then by check.
func inFile(a hive.Location, of *Check, b hive.Location, other *Check) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(of.ID, other.ID))
}

// problem notes what the linter could not see, or does not list.
func (p *pass) problem(at hive.Location, msg string) {
	p.result.Problems = append(p.result.Problems, hive.Problem{Source: p.file, At: at, Kind: limit, Msg: msg})
}

// limit is the kind of a problem with a file that has more of something than the linter keeps.
const limit hive.Kind = "limit"

// report adds a finding about a part of the first line of a statement. It returns nil if the check does not run. The finding can get a
// fix until the next one is reported.
func (p *pass) report(c *Check, s *regfile.Statement, span regfile.Span, format string, args ...any) *Finding {
	at := hive.Location{Line: s.Line, Column: regfile.Column(s.Text, span.From)}
	end := hive.Location{Line: s.Line, Column: at.Column + regfile.Column(s.Text[span.From:], span.To-span.From) - 1}
	return p.reportAt(c, s, at, end, s.Text, format, args...)
}

// reportAt is report for any place; line is the line of at.
func (p *pass) reportAt(c *Check, s *regfile.Statement, at, end hive.Location, line []byte, format string, args ...any) *Finding {
	severity, on := p.on[c]
	if !on {
		return nil
	}
	p.settle()
	if p.least == NoFix && !p.hasRoom(c, at.Line) {
		return nil
	}
	p.now = Finding{Check: c, Severity: severity, At: at, End: end, Line: excerpt(line), Message: fmt.Sprintf(format, args...), About: AFile}
	if s != nil && s.Path != nil {
		p.now.About, p.now.Key = AKey, s.Path
		if here := p.section.path; len(here) > 0 && &here[0] == &s.Path[0] {
			p.now.folded = p.section.folded
		}
		if s.Kind == regfile.ValueLine {
			p.now.About, p.now.Value = AValue, s.ValueName()
		}
	}
	return &p.now
}

// settle keeps the last finding that was reported, which gets no fix from here on.
func (p *pass) settle() {
	f := &p.now
	if f.Check == nil {
		return
	}
	if p.past && f.At.Line > 1 {
		f.Fix = nil // it would be a guess as long as Windows imports nothing
	}
	fixable := p.least > NoFix && f.Fix != nil && f.Fix.Safety >= p.least
	if !fixable || p.Known != nil {
		like := maphash.Comparable(p.seed, f.likeness())
		f.repeat = p.alike[like]
		p.alike[like]++
		if p.Known != nil && p.Known(f.Fingerprint()) {
			f.Suppressed = &Suppression{By: "baseline"}
		}
	}
	switch {
	case fixable && f.Suppressed == nil:
		p.fixes.add(f)
	case p.least == NoFix || p.hasRoom(f.Check, f.At.Line):
		p.result.Findings = append(p.result.Findings, *f)
	}
	*f = Finding{}
}

// tally separates the counts of listed findings: suppressed ones must not use up the room of the others.
type tally struct {
	check      *Check
	suppressed bool
}

// hasRoom reports whether another finding of a check is to be listed, and counts it.
func (p *pass) hasRoom(c *Check, line int) bool {
	t := tally{c, p.ignores.of(c, "", line) != nil}
	if p.Most == 0 || p.listed[t] < p.Most {
		p.listed[t]++
		return true
	}
	if !t.suppressed {
		p.left[c]++
	}
	return false
}

// fault reports a fault in the words of the parser. The finding spans the text up to the next blank.
func (p *pass) fault(c *Check, s *regfile.Statement, f *regfile.Fault) *Finding {
	return p.faultAs(c, s, f, "%s", f.Msg)
}

// faultAs reports a fault in other words.
func (p *pass) faultAs(c *Check, s *regfile.Statement, f *regfile.Fault, format string, args ...any) *Finding {
	line, span := faultSpan(s, f)
	if f.Code.Rejects() && !isReadable(s.Raw) {
		line, span = nil, regfile.Span{} // it is not text
	}
	end := f.At
	end.Column += regfile.Column(line[span.From:], span.To-span.From) - 1
	return p.reportAt(c, s, f.At, end, line, format, args...)
}

// isReadable reports whether the start of a rejected file is text.
func isReadable(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) < 0
}

// faultSpan returns the line of a fault and the word in it that is at fault.
func faultSpan(s *regfile.Statement, f *regfile.Fault) (line []byte, span regfile.Span) {
	at := min(int(f.Offset-s.Offset), len(s.Raw))
	start := bytes.LastIndexAny(s.Raw[:at], "\r\n") + 1
	line = s.Raw[start:]
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	from := min(at-start, len(line))
	to := len(line)
	if i := bytes.IndexAny(line[from:], " \t"); i > 0 {
		to = from + i
	}
	return line, regfile.Span{From: from, To: to}
}

// excerpt returns a line as [Finding.Line] holds it.
func excerpt(line []byte) string {
	const most = 400 // characters
	text := strings.ToValidUTF8(string(line[:min(len(line), 4*most)]), "\uFFFD")
	n := 0
	for i := range text {
		if n == most {
			return text[:i]
		}
		n++
	}
	return text
}

// change returns the change that replaces a part of the first line of a statement.
func change(s *regfile.Statement, span regfile.Span, text string) Change {
	return Change{From: s.Offset + int64(span.From), To: s.Offset + int64(span.To), New: text}
}

// fix sets the fix of a finding, with the safety of its check. The finding may be nil.
func (f *Finding) fix(message string, changes ...Change) {
	if f != nil {
		f.Fix = &Fix{Safety: f.Check.Fix, Message: message, Changes: changes}
	}
}

// insert returns the change that inserts text before byte i of the first line of a statement.
func insert(s *regfile.Statement, i int, text string) Change {
	return change(s, regfile.Span{From: i, To: i}, text)
}

// rewrite makes one change of all those of a line, of which there may be millions.
type rewrite struct {
	text        []byte
	new         []byte // of text from first to done
	first, done int
	changed     bool
}

// replace replaces a part of the line. The parts come in the order of the line.
func (r *rewrite) replace(from, to int, with string) {
	if !r.changed {
		r.first, r.done, r.changed = from, from, true
	}
	r.new = append(append(r.new, r.text[r.done:from]...), with...)
	r.done = to
}

// changes returns the change, if there is one. The offset is the one of the line in the text of the file.
func (r *rewrite) changes(offset int64) []Change {
	if !r.changed {
		return nil
	}
	return []Change{{From: offset + int64(r.first), To: offset + int64(r.done), New: string(r.new)}}
}

// position returns the location of a column of a line, both counted from 1.
func position(line, column int) hive.Location {
	return hive.Location{Line: line, Column: column}
}
