package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The condition of a rule of Sigma: names of selections with and, or, not, parentheses, "1 of" and "all of".

var sigmaTokens = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[()|]|[^\s()|]+`) })

// sigmaParser reads a condition.
type sigmaParser struct {
	*sigma
	tokens []string
	depth  int
}

// combined returns what all conditions of the rule ask together; each alone makes the rule fire.
func (s *sigma) combined() sigmaTest {
	var all []sigmaTest
	if len(s.conditions) == 0 {
		s.refuse("its detection has no condition")
	}
	for _, text := range s.conditions {
		p := &sigmaParser{sigma: s, tokens: sigmaTokens().FindAllString(text, -1)}
		if slices.Contains(p.tokens, "|") {
			s.refuse("its condition counts events (|), and a hive has no events")
			break
		}
		all = append(all, p.or(false))
		if len(p.tokens) > 0 {
			s.refuse("its condition cannot be read at %q", p.tokens[0])
		}
	}
	return sigmaAny(all...)
}

// refuse records why there is no rule, unless that is known.
func (s *sigma) refuse(format string, args ...any) {
	if s.why == "" {
		s.why = fmt.Sprintf(format, args...)
	}
}

// next reports whether the next token is a word, and if so goes beyond it.
func (p *sigmaParser) next(word string) bool {
	if len(p.tokens) > 0 && strings.EqualFold(p.tokens[0], word) {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

// The argument negated says whether that it does not hold is what makes the rule fire.

func (p *sigmaParser) or(negated bool) sigmaTest {
	all := []sigmaTest{p.and(negated)}
	for p.next("or") {
		all = append(all, p.and(negated))
	}
	return sigmaAny(all...)
}

func (p *sigmaParser) and(negated bool) sigmaTest {
	all := []sigmaTest{p.not(negated)}
	for p.next("and") {
		all = append(all, p.not(negated))
	}
	return sigmaAll(all...)
}

func (p *sigmaParser) not(negated bool) sigmaTest {
	odd := false
	for p.next("not") {
		odd = !odd
	}
	t := p.one(negated != odd)
	if odd {
		return sigmaNot(t)
	}
	return t
}

func (p *sigmaParser) one(negated bool) sigmaTest {
	switch {
	case len(p.tokens) == 0:
		p.refuse("its condition ends too early")
		return sigmaFalse
	case p.next("("):
		if p.depth++; p.depth > maxSigmaDepth {
			p.refuse("its condition has more than %d parentheses in one another", maxSigmaDepth)
			p.tokens = nil
			return sigmaFalse
		}
		t := p.or(negated)
		if !p.next(")") {
			p.refuse("a parenthesis of its condition is not closed")
		}
		p.depth--
		return t
	case len(p.tokens) > 2 && strings.EqualFold(p.tokens[1], "of"):
		many, of := strings.ToLower(p.tokens[0]), p.tokens[2]
		p.tokens = p.tokens[3:]
		var all []sigmaTest
		for _, name := range p.named(of) {
			all = append(all, p.selection(name, negated))
		}
		switch many {
		case "1", "any":
			return sigmaAny(all...)
		case "all":
			return sigmaAll(all...)
		}
		p.refuse("its condition asks for %q of its selections; it can ask for 1 or all", many)
		return sigmaFalse
	}
	name := p.tokens[0]
	p.tokens = p.tokens[1:]
	return p.selection(name, negated)
}

// named returns the names of the selections that a name with * stands for; those that begin with _ are not among them.
func (p *sigmaParser) named(pattern string) (all []string) {
	like := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
	for _, name := range p.names {
		if strings.EqualFold(pattern, "them") && !strings.HasPrefix(name, "_") || like.MatchString(name) {
			all = append(all, name)
		}
	}
	if all == nil {
		p.refuse("its condition names %q, and it has no such selection", pattern)
	}
	return all
}

func (p *sigmaParser) selection(name string, negated bool) sigmaTest {
	n := p.selections[name]
	if n == nil {
		p.refuse("its condition names %q, and it has no such selection", name)
		return sigmaFalse
	}
	if p.tests > maxSigmaTests {
		p.refuse("it has more than %d tests; write several rules", maxSigmaTests)
		return sigmaFalse
	}
	r := &sigmaSelection{sigma: p.sigma, name: name, negated: negated}
	t := r.read(n)
	r.report()
	return t
}
