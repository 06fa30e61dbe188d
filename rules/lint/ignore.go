package lint

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// ignores are the comments of a file that suppress findings:
//
//	; regvet:ignore REG205 -- the program expands it itself
//	; regvet:ignore-file REG301, REG302 -- for this machine only
//
// The first is for the statement on whose lines it stands or, on a line of its own, for the next statement. The second is for the whole
// file. The word all stands for all checks, and the ID of a rule for what the linter finds by that rule.
type ignores struct {
	all    []*ignore
	next   []*ignore // for the statement that follows
	ranges []lines   // of the statements with comments, in order
	first  map[target]*ignore
}

// ignore is one comment and one check that it names.
type ignore struct {
	target
	reason  string
	number  int // among all
	at, end hive.Location
	line    string
	removal Change // of the comment
	used    bool   // set for the first with a target, and counts for all of them
}

// target is which findings a comment suppresses.
type target struct {
	check *Check // nil for all
	rule  string // the ID of a rule of a pack, whose findings alone are meant; "" for those of any rule, and of none
	from  int    // the first line of a statement; 0 for the whole file, -1 if there is no statement yet
}

// lines are the lines of a statement.
type lines struct{ from, to int }

const (
	ignoreMark     = "regvet:ignore"
	ignoreFileMark = "regvet:ignore-file"
)

// see reads the comments of a statement. To Windows the text after a key, or in a line that it drops, is no comment. It is read as one here,
// because the fault of the line may be just what the comment suppresses.
func (g *ignores) see(p *pass, s *regfile.Statement) {
	if s.Kind != regfile.CommentLine && s.Kind != regfile.BlankLine {
		for _, one := range g.next {
			g.suppressIn(s, one)
		}
		g.next = nil
	}
	line := lineOf{number: s.Line, offset: s.Offset, text: s.Text, raw: s.Raw}
	switch {
	case !s.Comment.Empty():
		g.read(p, s, line, s.Comment)
	case s.Kind == regfile.KeyLine && s.Name.To+1 < len(s.Text):
		g.find(p, s, line, s.Name.To+1)
	case s.Kind == regfile.StrayLine, s.Kind == regfile.ValueLine && len(s.Edits) == 0 && isBroken(s):
		g.find(p, s, line, 0)
	}
	if len(s.Raw) <= len(s.Text)+2 || !bytes.Contains(s.Raw[len(s.Text):], []byte(ignoreMark)) {
		return
	}
	line.number--
	for raw := range linesOf(s.Raw) {
		line.number++
		line.text, line.raw = trimLineEnd(raw), raw
		if line.number > s.Line {
			g.find(p, s, line, 0)
		}
		line.offset += int64(len(raw))
	}
}

// isBroken reports whether a value is dropped because of its own text, and not because of the key lines above it.
func isBroken(s *regfile.Statement) bool {
	return slices.ContainsFunc(s.Faults, func(f regfile.Fault) bool { return f.Code > regfile.Misplaced })
}

// lineOf is a line of a statement.
type lineOf struct {
	number int
	offset int64 // in the text of the file
	text   []byte
	raw    []byte // with its line end
}

// find reads the suppression comment that starts at or after byte i of a line, if there is one.
func (g *ignores) find(p *pass, s *regfile.Statement, line lineOf, i int) {
	mark := bytes.Index(line.text[i:], []byte(ignoreMark))
	if mark < 0 {
		return
	}
	from := len(bytes.TrimRight(line.text[:i+mark], " \t")) - 1
	if from >= i && line.text[from] == ';' {
		g.read(p, s, line, regfile.Span{From: from, To: len(line.text)})
	}
}

// read reads a comment, which may be a suppression.
func (g *ignores) read(p *pass, s *regfile.Statement, line lineOf, at regfile.Span) {
	comment := at.In(line.text)
	i := len(comment) - len(bytes.TrimLeft(comment, "; \t"))
	if !bytes.HasPrefix(comment[i:], []byte(ignoreMark)) {
		g.nearMiss(p, s, line, at.From+i)
		return
	}
	words, reason, _ := strings.Cut(string(comment[i:]), "--")
	mark, names := words, ""
	if i := strings.IndexAny(words, " \t"); i >= 0 {
		mark, names = words[:i], words[i:]
	}
	from := position(line.number, regfile.Column(line.text, at.From+i))
	to := position(line.number, regfile.Column(line.text, len(line.text)))
	if mark != ignoreMark && mark != ignoreFileMark {
		p.reportAt(ignoreUnused, s, from, to, line.text,
			"%s is not known; write %s or %s, then the checks, then -- and the reason", mark, ignoreMark, ignoreFileMark)
		return
	}
	fields := strings.FieldsFunc(names, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	if len(fields) == 0 {
		p.reportAt(ignoreUnused, s, from, to, line.text,
			"this names no check, so it suppresses nothing; write %s, the ID of a check, -- and the reason", mark)
		return
	}
	reason = strings.TrimSpace(reason)
	if reason == "" {
		p.reportAt(ignoreReason, s, from, to, line.text, "this suppresses findings without saying why; write -- and the reason behind it")
	}
	// The blanks before the comment are removed too, or the whole line if there is nothing else on it.
	before := bytes.TrimRight(line.text[:at.From], " \t")
	removal := Change{From: line.offset + int64(len(before)), To: line.offset + int64(len(line.text))}
	if len(before) == 0 {
		removal.To = line.offset + int64(len(line.raw))
	}
	text := excerpt(line.text)
	for _, name := range fields {
		check, rule := p.named(name)
		one := &ignore{target: target{check: check, rule: rule}, reason: reason, number: len(g.all), line: text, at: from, end: to, removal: removal}
		if check == nil && rule == "" && !strings.EqualFold(name, "all") {
			p.reportAt(ignoreUnused, s, from, to, line.text, "there is no check %s, so this suppresses nothing; \"regvet explain\" lists the checks", name)
			continue
		}
		g.all = append(g.all, one)
		switch {
		case mark == ignoreFileMark:
			g.suppress(one)
		case s.Kind == regfile.CommentLine:
			one.from = -1
			g.next = append(g.next, one)
		default:
			g.suppressIn(s, one)
		}
	}
}

// nearMark is a mark that someone may take for that of a suppression, written as other linters have theirs.
var nearMark = regexp.MustCompile(`(?i)^regvet[ \t]*[:-]?[ \t]*(?:ignore|disable|suppress|off|skip|noqa|nolint)(?:[-_][a-z]+)*(?:[ \t:,]|$)`)

// nearMiss reports a comment that almost suppresses something. Its text starts at byte i of the line.
func (g *ignores) nearMiss(p *pass, s *regfile.Statement, line lineOf, i int) {
	const name = "regvet"
	text := line.text[i:]
	if len(text) < len(name) || !bytes.EqualFold(text[:len(name)], []byte(name)) {
		return
	}
	mark := bytes.TrimRight(nearMark.Find(text[:min(len(text), 64)]), " \t:,")
	if mark == nil {
		return
	}
	from := regfile.Column(line.text, i)
	p.reportAt(ignoreUnused, s, position(line.number, from), position(line.number, from+len(mark)), line.text,
		"%s suppresses nothing; write %s or %s, then the checks, then -- and the reason", mark, ignoreMark, ignoreFileMark)
}

// suppressIn applies a comment to a statement.
func (g *ignores) suppressIn(s *regfile.Statement, one *ignore) {
	if n := len(g.ranges); n == 0 || g.ranges[n-1].from != s.Line {
		g.ranges = append(g.ranges, lines{s.Line, s.Line + s.Lines() - 1})
	}
	one.from = s.Line
	g.suppress(one)
}

// suppress applies a comment.
func (g *ignores) suppress(one *ignore) {
	if g.first == nil {
		g.first = map[target]*ignore{}
	}
	if first := g.first[one.target]; first == nil || one.number < first.number {
		g.first[one.target] = one
	}
}

// named returns the check of that ID or name, or the ID of the rule of that ID.
func (p *pass) named(name string) (c *Check, rule string) {
	if c = Lookup(name); c != nil {
		return c, ""
	}
	if r := p.ruleOf(name); r != nil {
		return nil, r.ID
	}
	if p.RuleExists != nil && p.RuleExists(name) {
		return nil, name
	}
	return nil, ""
}

// ruleOf returns the rule of that ID among those that run, or nil.
func (p *pass) ruleOf(id string) *rules.Rule {
	for _, r := range p.Rules {
		if strings.EqualFold(r.ID, id) {
			return r
		}
	}
	return nil
}

// ran reports whether what a rule finds would have been reported.
func (p *pass) ran(rule string) bool {
	r := p.ruleOf(rule)
	return r != nil && slices.ContainsFunc(OfRules(), func(c *Check) bool { return p.ruleSeverity(c, r) > 0 })
}

// of returns the first comment that suppresses the findings of a check on a line, or nil, and marks all such comments as used. A finding may be by
// a rule.
func (g *ignores) of(c *Check, rule string, line int) (by *ignore) {
	if len(g.first) == 0 || !c.Suppressible() {
		return nil
	}
	targets := []target{{c, "", 0}, {nil, "", 0}}
	if rule != "" {
		targets = append(targets, target{nil, rule, 0})
	}
	i, exact := slices.BinarySearchFunc(g.ranges, line, func(r lines, line int) int { return cmp.Compare(r.from, line) })
	if !exact {
		i--
	}
	if i >= 0 && line <= g.ranges[i].to {
		for _, t := range targets {
			t.from = g.ranges[i].from
			targets = append(targets, t)
		}
	}
	for _, t := range targets {
		if one := g.first[t]; one != nil {
			one.used = true
			if by == nil || one.number < by.number {
				by = one
			}
		}
	}
	return by
}

// apply suppresses findings, and reports the comments that suppressed none.
func (g *ignores) apply(p *pass) {
	for i := range p.result.Findings {
		f := &p.result.Findings[i]
		if one := g.of(f.Check, f.Rule, f.At.Line); one != nil {
			f.Suppressed = &Suppression{By: "comment", Reason: one.reason}
		}
	}
	p.fixes.drop(func(f fixed) bool { return g.of(f.check, f.rule, f.at.Line) != nil })
	for c := range p.left {
		if g.of(c, "", 0) != nil {
			delete(p.left, c)
		}
	}
	shared := map[Change]int{} // how many checks each comment names
	for _, one := range g.all {
		shared[one.removal]++
	}
	for _, one := range g.all {
		if first := g.first[one.target]; first != nil && first.used || one.check != nil && p.on[one.check] == 0 ||
			one.rule != "" && !p.ran(one.rule) {
			continue // a check that did not run might have found something
		}
		name := "any check"
		switch {
		case one.check != nil:
			name = one.check.ID
		case one.rule != "":
			name = one.rule
		}
		f := p.reportAt(ignoreUnused, nil, one.at, one.end, []byte(one.line), "this suppresses %s, which finds nothing here; remove it", name)
		if shared[one.removal] == 1 {
			f.fix("remove the comment", one.removal)
		}
	}
}

// Suppressible reports whether comments can suppress the findings of a check. The checks of these comments are not suppressible.
func (c *Check) Suppressible() bool { return c != ignoreUnused && c != ignoreReason }

var (
	ignoreUnused = &Check{
		ID: "REG504", Name: "useless-suppression", Title: "A suppression comment that suppresses nothing", Severity: Warning, Fix: Safe,
		Explanation: `A comment "; regvet:ignore" tells the linter not to report something, here or in the whole file (";
regvet:ignore-file"). This one names a check that does not exist, or one that no longer finds anything here. If it stayed, it would hide the
next finding of that check, which nobody has looked at. Remove it.`,
		Bad: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_CURRENT_USER\Software\Example]
"Timeout"=dword:0000001e ; regvet:ignore REG011 -- the old form is wanted
`},
		Good: Example{Text: `Windows Registry Editor Version 5.00

[HKEY_CURRENT_USER\Software\Example]
"Timeout"=dword:0000001e
`},
	}
	ignoreReason = &Check{
		ID: "REG505", Name: "suppression-without-reason", Title: "A suppression comment without a reason", Severity: Info,
		Explanation: `Someone who reads the file later must be able to see whether a suppression is still right. Write two hyphens and the
reason after the checks: "; regvet:ignore REG301 -- this machine boots from ControlSet001".`,
		Bad: Example{Text: `Windows Registry Editor Version 5.00

; regvet:ignore REG301
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`},
		Good: Example{Text: `Windows Registry Editor Version 5.00

; regvet:ignore REG301 -- this machine always boots from the first set
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters]
"MaxUserPort"=dword:0000fffe
`},
	}
)
