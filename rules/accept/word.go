// Package accept holds what a project has decided about the answers of rules: which rules it does not ask, which findings it waives and why, and
// which ones a baseline records.
package accept

import (
	"slices"
	"strings"

	"regvet/rules"
)

// Word stands for rules: the ID of one, the start of IDs followed by *, or level: or tag: and a name. Case does not count.
type Word string

// The beginnings of words that stand for the rules with a level or a tag.
const (
	ByLevel = "level:"
	ByTag   = "tag:"
)

// Names reports whether the word is the ID of a rule.
func (w Word) Names(r *rules.Rule) bool { return strings.EqualFold(string(w), r.ID) }

// Picks reports whether the word stands for a rule.
func (w Word) Picks(r *rules.Rule) bool {
	kind, name := w.Split()
	of := []string{r.ID}
	switch start, open := strings.CutSuffix(name, "*"); {
	case kind == ByLevel:
		of = r.Levels
	case kind == ByTag:
		of = r.Tags
	case open:
		return len(r.ID) >= len(start) && strings.EqualFold(r.ID[:len(start)], start)
	}
	return slices.ContainsFunc(of, func(one string) bool { return strings.EqualFold(one, name) })
}

// Split returns the beginning of the word, ByLevel, ByTag or "", and the name that follows it.
func (w Word) Split() (kind, name string) {
	for _, kind := range []string{ByLevel, ByTag} {
		if n := len(kind); len(w) >= n && strings.EqualFold(string(w[:n]), kind) {
			return kind, string(w[n:])
		}
	}
	return "", string(w)
}

// Like returns the names that could have been meant where the word stands for none of the rules: levels, tags or IDs.
func (w Word) Like(all []*rules.Rule) (names []string) {
	kind, _ := w.Split()
	for _, r := range all {
		switch kind {
		case ByLevel:
			names = append(names, r.Levels...)
		case ByTag:
			names = append(names, r.Tags...)
		default:
			names = append(names, r.ID)
		}
	}
	return names
}

// None returns the message that the word stands for none of the rules.
func (w Word) None() string {
	switch kind, name := w.Split(); kind {
	case ByLevel:
		return "no rule has the level " + quoted(name)
	case ByTag:
		return "no rule has the tag " + quoted(name)
	default:
		return "there is no rule " + quoted(name)
	}
}

func quoted(s string) string { return `"` + s + `"` }
