package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
)

// ignores are the comments of a file that suppress findings:
//
//	; regvet:ignore REG205 -- the program expands it itself
//	; regvet:ignore-file REG301, REG302 -- for this machine only
//
// The first stands behind a statement or in one of its lines and is for it, or in a line of its own and is for the next statement. The
// second is for the whole file. In place of checks may stand the word all.
type ignores struct {
	all    []*ignore
	next   []*ignore // for the statement that follows
	ranges []lines   // of the statements that there are comments for, in order
	first  map[target]*ignore
}

// ignore is what one comment says of one check.
type ignore struct {
	target
	reason  string
	number  int // among all
	at, end hive.Location
	line    string
	removal Change // of the comment
	used    bool   // of the first with its target; the others are as useful as that one
}

// target is what a comment suppresses.
type target struct {
	check *Check // nil for all
	from  int    // the first line of a statement; 0 for all of the file, -1 while there is none
}

// lines are those of a statement.
type lines struct{ from, to int }

const (
	ignoreMark     = "regvet:ignore"
	ignoreFileMark = "regvet:ignore-file"
)

// see looks at the comments of a statement. What stands behind a key or a line that Windows drops is no comment for Windows, but the
// line may be wrong in the very way that is not to be reported.
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

// isBroken tells that a value is dropped for what is written in it, and not for the key lines above it.
func isBroken(s *regfile.Statement) bool {
	return slices.ContainsFunc(s.Faults, func(f regfile.Fault) bool { return f.Code > regfile.Misplaced })
}

// lineOf is a line of a statement, and its place.
type lineOf struct {
	number int
	offset int64 // in the text of the file
	text   []byte
	raw    []byte // with what ends it
}

// find reads the comment that starts with the mark, where there is one at or behind byte i of the line.
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

// read looks at the comment of a line.
func (g *ignores) read(p *pass, s *regfile.Statement, line lineOf, at regfile.Span) {
	comment := at.In(line.text)
	i := bytes.Index(comment, []byte(ignoreMark))
	if i < 0 || len(bytes.Trim(comment[:i], "; \t")) > 0 {
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
	// The comment goes with the blanks before it, or with its line where it has one of its own.
	before := bytes.TrimRight(line.text[:at.From], " \t")
	removal := Change{From: line.offset + int64(len(before)), To: line.offset + int64(len(line.text))}
	if len(before) == 0 {
		removal.To = line.offset + int64(len(line.raw))
	}
	text := excerpt(line.text)
	for _, name := range fields {
		one := &ignore{target: target{check: Lookup(name)}, reason: reason, number: len(g.all), line: text, at: from, end: to, removal: removal}
		if one.check == nil && !strings.EqualFold(name, "all") {
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

// suppressIn makes a comment count for a statement.
func (g *ignores) suppressIn(s *regfile.Statement, one *ignore) {
	if n := len(g.ranges); n == 0 || g.ranges[n-1].from != s.Line {
		g.ranges = append(g.ranges, lines{s.Line, s.Line + s.Lines() - 1})
	}
	one.from = s.Line
	g.suppress(one)
}

// suppress makes a comment count.
func (g *ignores) suppress(one *ignore) {
	if g.first == nil {
		g.first = map[target]*ignore{}
	}
	if first := g.first[one.target]; first == nil || one.number < first.number {
		g.first[one.target] = one
	}
}

// of returns the first comment that suppresses the findings of a check in a line, or nil. All that do so are used then.
func (g *ignores) of(c *Check, line int) (by *ignore) {
	if len(g.first) == 0 || !c.Suppressible() {
		return nil
	}
	targets := []target{{c, 0}, {nil, 0}}
	i, exact := slices.BinarySearchFunc(g.ranges, line, func(r lines, line int) int { return cmp.Compare(r.from, line) })
	if !exact {
		i--
	}
	if i >= 0 && line <= g.ranges[i].to {
		targets = append(targets, target{c, g.ranges[i].from}, target{nil, g.ranges[i].from})
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

// apply suppresses the findings that a comment is for, and reports the comments that were for none.
func (g *ignores) apply(p *pass) {
	for i := range p.result.Findings {
		f := &p.result.Findings[i]
		if one := g.of(f.Check, f.At.Line); one != nil {
			f.Suppressed = &Suppression{By: "comment", Reason: one.reason}
		}
	}
	p.fixes.drop(func(c *Check, line int) bool { return g.of(c, line) != nil })
	for c := range p.left {
		if g.of(c, 0) != nil {
			delete(p.left, c)
		}
	}
	shared := map[Change]int{} // how many checks a comment names
	for _, one := range g.all {
		shared[one.removal]++
	}
	for _, one := range g.all {
		if first := g.first[one.target]; first != nil && first.used || one.check != nil && p.on[one.check] == 0 {
			continue // a check that does not run might have found something
		}
		name := "any check"
		if one.check != nil {
			name = one.check.ID
		}
		f := p.reportAt(ignoreUnused, nil, one.at, one.end, []byte(one.line), "this suppresses %s, which finds nothing here; remove it", name)
		if shared[one.removal] == 1 {
			f.fix("remove the comment", one.removal)
		}
	}
}

// Suppressible tells whether a comment can suppress the findings of a check. Those on such comments it cannot.
func (c *Check) Suppressible() bool { return c != ignoreUnused && c != ignoreReason }

var (
	ignoreUnused = &Check{
		ID: "REG504", Name: "useless-suppression", Title: "A suppression comment that suppresses nothing", Severity: Warning, Fix: Safe,
		Explanation: `A comment "; regvet:ignore" tells the linter not to report something, here or in the whole file ("; regvet:ignore-file"). This one
names a check that does not exist, or one that finds nothing at this place any more. Left in the file it would hide the next finding of
that check, which nobody has looked at. Remove it.`,
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
		Explanation: `Whoever reads the file later must be able to tell whether a suppression is still right. Write two hyphens and the reason behind the
checks: "; regvet:ignore REG301 -- this machine boots from ControlSet001".`,
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
