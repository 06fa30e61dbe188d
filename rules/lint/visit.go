package lint

import (
	"slices"
	"strings"

	"regvet/hive/regfile"
)

// facts are what few statements have, and some checks look for. A check that says so, in [Check.needs], is spared all others.
type facts uint16

const (
	beyondASCII facts = 1 << iota // there are characters beyond ASCII in its first line
	oldVersion                    // the file is of version 4
	deletes                       // it deletes
	belowSplit                    // a key line above lacks its closing bracket
	atEdge                        // it is one of the first two lines, or the last
	inClasses                     // the current key is below HKEY_CLASSES_ROOT, by any of its names
	ofCommand                     // the current key is named command
	inWow6432                     // the path of the current key has a name that starts with Wow6432Node
	inAccount                     // it has one that starts as the SID of an account does
	allFacts    = iota
)

// formLetters are what forms of data start with. The checks that look at values are told apart by them.
const formLetters = "\"dh-"

// The sorts of statements: their kinds, and for values one for each form of data.
const sorts = int(regfile.StrayLine) + 1 + len(formLetters)

// visits are the checks that are shown the statements of a sort that have certain facts, in the order of the checks. They are looked up
// when the first such statement comes.
type visits struct {
	checks  []*Check                     // those that run and look at statements
	numbers [sorts][1 << allFacts]uint16 // of the list, from 1; 0 where it is not made yet
	lists   [][]*Check
}

// show shows a statement to the checks that look at such statements. Most are of no concern to most checks.
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

// sortOf gives the sort of a statement. Values whose data are in no form have that of their kind.
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
	if s.Deletes {
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

// pathFacts are the facts of the folded path of a key that shares its first bytes with the one before.
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

// visitors are the checks that look at statements of a sort, but for those that look at known values.
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
