package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/rules"
)

// selection is the value of --select, or of another flag, for rules: each word is the ID of a rule, or level: or tag: and a name. Without words it is every rule.
type selection struct {
	flag  string // its name, for messages
	words []string
}

// The beginnings of words that stand for more than one rule.
const (
	byLevel = "level:"
	byTag   = "tag:"
)

// define defines --select. The usage begins with what the command does with the rules.
func (c *selection) define(f *pflag.FlagSet, does string) {
	c.defineAs(f, "select", does+" rules with these `IDS`, in any pack; "+byLevel+"NAME is those that a published baseline asks for, "+byTag+"NAME those with a tag (repeatable)")
}

// defineAs defines the selection under another name.
func (c *selection) defineAs(f *pflag.FlagSet, flag, usage string) {
	c.flag = flag
	f.StringSliceVar(&c.words, flag, nil, usage)
}

// restricts reports whether the selection leaves rules out.
func (c *selection) restricts() bool { return len(c.words) > 0 }

// names reports whether the selection names a rule by its own ID.
func (c *selection) names(r *rules.Rule) bool {
	return slices.ContainsFunc(c.words, func(word string) bool { return strings.EqualFold(word, r.ID) })
}

// picks reports whether a rule is selected.
func (c *selection) picks(r *rules.Rule) bool {
	has := func(word, kind string, of []string) bool {
		name, ok := strings.CutPrefix(word, kind)
		return ok && slices.ContainsFunc(of, func(one string) bool { return strings.EqualFold(one, name) })
	}
	return !c.restricts() || c.names(r) || slices.ContainsFunc(c.words, func(word string) bool { return has(word, byLevel, r.Levels) || has(word, byTag, r.Tags) })
}

// load returns the rules of the chosen packs or, if the command line chooses none and the selection restricts, of all packs. If something is
// wrong with them, or a word selects none of them, it writes what and returns false.
func (c *selection) load(s *session, of *ruleFlags) ([]*rules.Rule, bool) {
	if c.restricts() {
		of.defaultToAll()
	}
	all, ok := of.load(s)
	if !ok {
		return nil, false
	}
	for _, word := range c.words {
		if one := (&selection{c.flag, []string{word}}); !slices.ContainsFunc(all, one.picks) {
			c.noSuch(s, word, all)
			ok = false
		}
	}
	return all, ok
}

// chosen reports whether a rule is selected where not all are.
func (c *selection) chosen(r *rules.Rule) bool { return c.restricts() && c.picks(r) }

// loadPicked returns the selected rules to run, without those that others of them cover. If something is wrong with the flags, it writes what and
// returns false.
func (c *selection) loadPicked(s *session, of *ruleFlags) ([]*rules.Rule, bool) {
	all, ok := c.load(s, of)
	all = slices.DeleteFunc(all, func(r *rules.Rule) bool { return !c.picks(r) })
	return rules.Distinct(all, c.names), ok
}

// noSuch writes that a word of a selection stands for none of the rules.
func (c *selection) noSuch(s *session, word string, all []*rules.Rule) {
	what, kind, known := "there is no rule", "", []string{}
	for _, of := range []string{byLevel, byTag} {
		if strings.HasPrefix(word, of) {
			what, kind = "no rule has the "+strings.TrimSuffix(of, ":"), of
		}
	}
	for _, r := range all {
		switch kind {
		case byLevel:
			known = append(known, r.Levels...)
		case byTag:
			known = append(known, r.Tags...)
		default:
			known = append(known, r.ID)
		}
	}
	name := strings.TrimPrefix(word, kind)
	s.fail(statusUsage, "--%s: %s %q%s; \"regvet rules list\" lists them", c.flag, what, name, suggest(name, known))
}
