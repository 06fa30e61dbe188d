package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"regvet/hive"
	"regvet/hive/regfile"
)

// If the code page of a file is not known, its lines with bytes beyond ASCII are read in one that is a guess. What follows from the guess is
// neither reported nor made a reason to change the file.

// frozen is a part of the text of a file that stays as it is.
type frozen struct{ from, to int64 }

// freeze notes a statement that no fix may touch, and drops those of its findings, from index first on, that follow from the guess.
func (p *pass) freeze(s *regfile.Statement, first int) {
	span := frozen{s.Offset, s.Offset + int64(len(s.Raw))}
	if s.Ending == regfile.NoEnding {
		span.to++ // nothing may be written behind it, either
	}
	if n := len(p.frozen); n > 0 && p.frozen[n-1].to == span.from {
		p.frozen[n-1].to = span.to
	} else {
		p.frozen = append(p.frozen, span)
	}
	if p.unknown {
		p.guessed = true
		p.settle()
		p.dropArtefacts(s, min(first, len(p.result.Findings)))
	}
}

// touches reports whether one of the changes is in a frozen part, or writes before it into its line.
func (p *pass) touches(changes []Change) bool {
	return slices.ContainsFunc(changes, func(c Change) bool {
		i, _ := slices.BinarySearchFunc(p.frozen, c.From, func(f frozen, at int64) int {
			if f.to <= at {
				return -1
			}
			return 1
		})
		if i == len(p.frozen) {
			return false
		}
		from := p.frozen[i].from
		return from < c.To || from <= c.From || from == c.To && c.New != "" && !strings.HasSuffix(c.New, "\n")
	})
}

// leaveFrozen drops the fixes that would touch a frozen part.
func (p *pass) leaveFrozen() {
	if len(p.frozen) == 0 {
		return
	}
	for i := range p.result.Findings {
		if f := &p.result.Findings[i]; f.Fix != nil && f.Fix.Encoding == "" && p.touches(f.Fix.Changes) {
			f.Fix = nil
		}
	}
	p.fixes.drop(func(f fixed) bool { return f.encoding == "" && p.touches(p.fixes.changes[f.from:f.to]) })
}

// foldName is [hive.Fold] of a name. In an unknown code page, the case of a character beyond ASCII is not known.
func (p *pass) foldName(name string) string {
	if !p.unknown {
		return hive.Fold(name)
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - ('a' - 'A')
		}
		return r
	}, name)
}

// mostJudged is how many statements of a file are read in other code pages to see what follows from the guess. Of the others, all that may
// follow from it is dropped.
const mostJudged = 200

// dropArtefacts drops the findings about a statement, from index first on, that are not found if its bytes are read in another code page
// that they can be in.
func (p *pass) dropArtefacts(s *regfile.Statement, first int) {
	structure := halfStructure(s.Raw)
	doubtful := func(f *Finding) bool { return f.Check != codePage && (structure || beyondASCIIAt(f)) }
	var readings []map[*Check]bool
	all := &p.result.Findings
	for i := first; i < len(*all); i++ {
		f := &(*all)[i]
		if !doubtful(f) {
			continue
		}
		if readings == nil && p.judged < mostJudged {
			p.judged++
			readings = p.readings(s)
		}
		if readings != nil && (!readings[0][f.Check] || !slices.ContainsFunc(readings, func(found map[*Check]bool) bool { return !found[f.Check] })) {
			continue // it is found in all of them, or does not follow from the statement alone
		}
		p.listed[tally{f.Check, p.ignores.of(f.Check, "", f.At.Line) != nil}]--
		*all = slices.Delete(*all, i, i+1)
		i--
	}
}

// readings returns which checks find something about a statement alone, in each code page that its bytes can be in. The first is the guess.
func (p *pass) readings(s *regfile.Statement) (found []map[*Check]bool) {
	raw, err := p.Read.Encode(string(s.Raw))
	if err != nil {
		return nil
	}
	var above strings.Builder
	fmt.Fprintf(&above, "%s\r\n", s.Version)
	if s.Kind == regfile.ValueLine && s.Path != nil && s.Version != regfile.Windows31 {
		fmt.Fprintf(&above, "[%s]\r\n", strings.Map(func(r rune) rune {
			if r >= utf8.RuneSelf {
				return 'x' // which letter it is matters to no check of the value
			}
			return r
		}, s.Path.String()))
	}
	for _, page := range regfile.Readings() {
		if !page.Defines([]byte(raw)) {
			continue
		}
		one := newPass(Linter{Read: regfile.Options{CodePage: page}, Target: p.Target, Severity: func(c *Check) Severity { return p.on[c] }}, p.file)
		result, err := one.run(strings.NewReader(above.String() + raw))
		if err != nil {
			return nil
		}
		checks := map[*Check]bool{}
		for _, f := range result.Findings {
			if f.At.Line > strings.Count(above.String(), "\n") {
				checks[f.Check] = true
			}
		}
		found = append(found, checks)
	}
	return found
}

// halfStructure reports whether a character that means something in a line of a .reg file comes behind one beyond ASCII. In some code pages it
// is the second half of that.
func halfStructure(raw []byte) bool {
	for i := 1; i < len(raw); i++ {
		if raw[i-1] >= utf8.RuneSelf && (raw[i] == '\\' || raw[i] == '[' || raw[i] == ']') {
			return true
		}
	}
	return false
}

// beyondASCIIAt reports whether the text that a finding points at, or the character before it, is not ASCII, or is not known.
func beyondASCIIAt(f *Finding) bool {
	line := []rune(f.Line)
	if f.At.Line != f.End.Line || f.End.Column-1 > len(line) {
		return true
	}
	return slices.ContainsFunc(line[max(0, f.At.Column-2):max(f.At.Column-1, f.End.Column-1)], func(r rune) bool { return r >= utf8.RuneSelf })
}

// agree drops the fixes of a file in an unknown code page that would not be made if the code page were another.
func (l Linter) agree(x *fixes, text, data []byte, least Safety) error {
	known := l.located(x, text, data)
	for _, page := range regfile.Readings() {
		if len(x.all) == 0 {
			break
		}
		other := l
		other.Read.CodePage = page
		p, err := other.fixes("", data, least)
		if err != nil {
			return err
		}
		there, _, _, err := other.Read.Text(data)
		if err != nil {
			return err
		}
		made := map[string]bool{}
		for _, f := range other.located(&p.fixes, there, data) {
			made[f] = true
		}
		x.drop(func(f fixed) bool { return !made[known[f.from]] })
	}
	return nil
}

// located returns each fix as text that does not depend on the code page: its check and the changes of the data of the file. The fixes are
// identified by the index of their first change.
func (l Linter) located(x *fixes, text, data []byte) map[int]string {
	var places []int64
	for _, c := range x.changes {
		places = append(places, c.From, c.To)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	at := make(map[int64]int64, len(places))
	i := 0
	for place := range l.Read.Places(text, data, slices.Values(places)) {
		at[places[i]] = place
		i++
	}
	all := make(map[int]string, len(x.all))
	for _, f := range x.all {
		var b bytes.Buffer
		b.WriteString(f.check.ID)
		for _, c := range x.changes[f.from:f.to] {
			fmt.Fprintf(&b, " %d-%d %q", at[c.From], at[c.To], c.New)
		}
		all[f.from] = b.String()
	}
	return all
}
