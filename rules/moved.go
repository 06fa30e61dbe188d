package rules

import "regvet/rules/strict"

// The names by which cmd/regvet and rules/lint still call what has moved.

// Nearest is [strict.Nearest].
func Nearest(word string, known []string) string { return strict.Nearest(word, known) }

// Lint is [Doubts].
func Lint(all []*Rule) []Mistake { return Doubts(all) }
