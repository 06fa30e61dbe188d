package rules

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"regvet/rules/strict"
)

// mostTexts is how many texts are listed for people in place of a regular expression.
const mostTexts = 8

// textsOf returns for people what a regular expression matches, as what follows "text" or "string": beginning with "a" or "b". It is not ok if that
// is more than a few texts at one place; then only the author of the rule can say it in words.
func textsOf(re *regexp.Regexp) (words string, ok bool) {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return "", false
	}
	parts := []*syntax.Regexp{tree}
	if parts[0].Op == syntax.OpConcat {
		parts = parts[0].Sub
	}
	begins := len(parts) > 0 && parts[0].Op == syntax.OpBeginText
	if begins {
		parts = parts[1:]
	}
	ends := len(parts) > 0 && parts[len(parts)-1].Op == syntax.OpEndText
	if ends {
		parts = parts[:len(parts)-1]
	}
	l := literals{folded: map[bool]bool{}}
	all := l.ofAll(parts)
	if len(all) == 0 || len(all) > mostTexts || len(l.folded) > 1 || slices.Contains(all, "") && !(begins && ends) {
		return "", false
	}
	words = map[[2]bool]string{{true, true}: "", {true, false}: "beginning with ", {false, true}: "ending with ", {false, false}: "with "}[[2]bool{begins, ends}]
	words += strict.List(each(all, quoted), "or")
	if l.folded[true] {
		words += inAnyCase
	}
	return words, true
}

// literals lists the texts that a regular expression matches.
type literals struct {
	folded map[bool]bool // whether letters were met for which case does not count, and for which it does
}

// ofAll returns the texts that some expressions match one behind the other, or nil if these are no few texts.
func (l literals) ofAll(parts []*syntax.Regexp) []string {
	all := []string{""}
	for _, part := range parts {
		var longer []string
		for _, end := range l.of(part) {
			for _, start := range all {
				longer = append(longer, start+end)
			}
		}
		if all = longer; len(all) > mostTexts {
			return nil
		}
	}
	return all
}

// of is ofAll for one expression.
func (l literals) of(re *syntax.Regexp) (all []string) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpLiteral:
		text := string(re.Rune)
		if strings.ToLower(text) != strings.ToUpper(text) {
			l.folded[re.Flags&syntax.FoldCase != 0] = true
		}
		if re.Flags&syntax.FoldCase != 0 {
			text = strings.ToLower(text)
		}
		return []string{text}
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if all = append(all, string(r)); len(all) > mostTexts {
					return nil
				}
			}
		}
		return all
	case syntax.OpCapture, syntax.OpConcat:
		return l.ofAll(re.Sub)
	case syntax.OpQuest:
		return append([]string{""}, l.of(re.Sub[0])...)
	case syntax.OpAlternate:
		for _, one := range re.Sub {
			some := l.of(one)
			if some == nil {
				return nil
			}
			all = append(all, some...)
		}
		return all
	}
	return nil
}

// matching returns for people what a regular expression asks for: of a text, or of so many strings of a list.
func matching(re *regexp.Regexp, fold bool, of string) string {
	words, ok := textsOf(foldRegexp(re, fold))
	switch {
	case !ok:
		words = "matching " + quoted(re.String())
	case fold:
		words = strings.TrimSuffix(words, inAnyCase) // it is said of all operators with fold
	}
	if of != "" {
		words = of + " " + words
	}
	return words
}

// isRegexp reports whether the operator compares with a regular expression.
func (o operator) isRegexp() bool {
	return slices.Contains([]string{"matches", "any_matches", "all_match", "none_matches"}, o.name)
}
