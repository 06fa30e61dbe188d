package strict

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// OneOf is the end of a message about a word that is none of those known: it names the one that was most likely meant, else all. It is
// made when it is written, for not all mistakes are.
func OneOf(word string, known []string) fmt.Stringer { return suggestion{word, known} }

type suggestion struct {
	word  string
	known []string
}

func (s suggestion) String() string {
	if best := Nearest(s.word, s.known); best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; it can be " + List(s.known, "or")
}

// Nearest returns the known word that a misspelt one is most like, for a message that asks "did you mean", or "" if none is like it. Case
// does not count, and two letters the wrong way round are one error. A word that says not is not like one that does not.
func Nearest(word string, known []string) string {
	best, like := "", 0.5 // of 1; below it a suggestion puzzles more than it helps
	word = strings.ToLower(word)
	for _, k := range known {
		folded := strings.ToLower(k)
		if utf8.RuneCountInString(word) > 2*utf8.RuneCountInString(k) {
			continue // less than half of it is alike, and it may be too long to compare
		}
		if negated(word) != negated(folded) {
			continue // it would be the opposite
		}
		l := levenshtein.Match(word, folded, nil)
		if swapped(word, folded) {
			l = 1 - 1/float64(len(k))
		}
		if l > like || l == like && best == "" {
			best, like = k, l
		}
	}
	return best
}

// Misspelt reports whether a word is a known one with one slip of the keyboard, or two in a long one. Case does not count. A word that holds
// the known one was made from it on purpose.
func Misspelt(word, known string) bool {
	const long = 12 // letters
	word, known = strings.ToLower(word), strings.ToLower(known)
	slips := 1
	if len(known) >= long {
		slips = 2
	}
	if d := len(word) - len(known); d > slips || d < -slips || strings.Contains(word, known) {
		return false
	}
	return swapped(word, known) || levenshtein.Distance(word, known, nil) <= slips
}

// negated reports whether a word in small letters says not.
func negated(word string) bool {
	return slices.ContainsFunc([]string{"not_", "not-", "no_", "no-"}, func(not string) bool { return strings.HasPrefix(word, not) })
}

// swapped reports whether two words differ by two neighbours that changed places.
func swapped(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// List writes words as people do: a, b and c.
func List(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
