package lint

import (
	"bytes"
	"slices"
	"strings"

	"regvet/hive/regfile"
)

// facts are properties that few statements have. A check with [Check.needs] is run only on statements with one of them.
type facts uint16

const (
	beyondASCII facts = 1 << iota // its first line has characters beyond ASCII
	oldVersion                    // the file is of version 4
	deletes                       // it deletes a key or value, or stands below a line that deletes its key
	belowSplit                    // it follows a key line without closing bracket
	withTab                       // its first line has a tab
	atEdge                        // it is one of the first two lines, or the last
	inClasses                     // the current key is below HKEY_CLASSES_ROOT, or where that is a view of
	ofCommand                     // the current key is named command
	inWow6432                     // a name in the path of the current key starts with Wow6432Node
	inAccount                     // a name in that path starts like the SID of an account
	allFacts    = iota
)

// formLetters are the first letters of the forms of data, by which checks choose values.
const formLetters = "\"dh-"

// sorts is the number of sorts of statements: the kinds, and for values one more for each form of data.
const sorts = int(regfile.StrayLine) + 1 + len(formLetters)

// visits are the lists of the checks to run on a statement, by its sort and facts. A list is made when the first such statement comes.
type visits struct {
	checks  []*Check                     // the ones that run and have a visit
	numbers [sorts][1 << allFacts]uint16 // of the list, from 1; 0 if it is not made yet
	lists   [][]*Check
}

// show runs the checks for a statement. Most statements concern few checks.
func (p *pass) show(s *regfile.Statement) {
	sort, facts := sortOf(s), p.factsOf(s)
	number := &p.visits.numbers[sort][facts]
	if *number == 0 {
		p.visits.lists = append(p.visits.lists, p.visitors(s.Kind, sort, facts))
		*number = uint16(len(p.visits.lists))
	}
	for _, c := range p.visits.lists[*number-1] {
		c.visit(p, c, s)
	}
	if n := len(s.Edits); n == 0 || s.Kind != regfile.ValueLine || !p.hit(s.Edits[n-1].Value.Name) {
		return
	}
	for i, w := range p.hits {
		shown := slices.ContainsFunc(p.hits[:i], func(other *pattern) bool { return other.check == w.check })
		if c := w.check; !shown && c.known && p.on[c] > 0 {
			c.visit(p, c, s)
		}
	}
}

// sortOf returns the sort of a statement. Values whose data have no known form have the sort of their kind.
func sortOf(s *regfile.Statement) int {
	if s.Kind == regfile.ValueLine && !s.Data.Empty() && s.Version != regfile.Windows31 {
		if form := strings.IndexByte(formLetters, s.Text[s.Data.From]); form >= 0 {
			return int(regfile.StrayLine) + 1 + form
		}
	}
	return int(s.Kind)
}

func (p *pass) factsOf(s *regfile.Statement) facts {
	f := p.section.facts
	if firstBeyondASCII(s.Text) >= 0 {
		f |= beyondASCII
	}
	if s.Version == regfile.Version4 {
		f |= oldVersion
	}
	if bytes.IndexByte(s.Text, '\t') >= 0 {
		f |= withTab
	}
	if s.Deletes || p.section.deletes {
		f |= deletes
	}
	if p.split != nil {
		f |= belowSplit
	}
	if s.Line <= 2 || s.Ending == regfile.NoEnding {
		f |= atEdge
	}
	return f
}

// pathFacts returns the facts of a folded path, of which the first bytes are the same as in the path before.
func (p *pass) pathFacts(folded string, same int) (has facts) {
	for _, part := range []struct {
		fact facts
		text string
	}{{inWow6432, wowPart}, {inAccount, accountPart}} {
		from := 0
		if p.aboveHas&part.fact == 0 {
			from = max(0, same-len(part.text))
		}
		if strings.Contains(folded[from:], part.text) {
			has |= part.fact
		}
	}
	p.aboveHas = has
	return has
}

// visitors returns the checks for statements of a sort, without those for known values.
func (p *pass) visitors(kind regfile.Kind, sort int, has facts) (all []*Check) {
	for _, c := range p.visits.checks {
		if c.kinds != nil && !slices.Contains(c.kinds, kind) || c.needs != 0 && c.needs&has == 0 {
			continue
		}
		if kind == regfile.ValueLine {
			form := sort - int(regfile.StrayLine) - 1
			if c.known || c.data != "" && form >= 0 && strings.IndexByte(c.data, formLetters[form]) < 0 {
				continue
			}
		}
		all = append(all, c)
	}
	return all
}
