package cli

import (
	"slices"

	"github.com/spf13/pflag"

	"regvet/rules"
	"regvet/rules/accept"
)

// selection is the value of --select, or of another flag, for rules. Without words it is every rule.
type selection struct {
	flag  string // its name, for messages
	words []string
}

// define defines --select. The usage begins with what the command does with the rules.
func (c *selection) define(f *pflag.FlagSet, does string) {
	c.defineAs(f, "select", does+" rules with these `IDS`, in any pack; START* is those whose ID starts so, "+accept.ByLevel+"NAME those that a published baseline asks for, "+
		accept.ByTag+"NAME those with a tag (repeatable)")
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
	return slices.ContainsFunc(c.words, func(word string) bool { return accept.Word(word).Names(r) })
}

// picks reports whether a rule is selected.
func (c *selection) picks(r *rules.Rule) bool { return !c.restricts() || c.has(r) }

// has reports whether one of the words stands for a rule.
func (c *selection) has(r *rules.Rule) bool {
	return slices.ContainsFunc(c.words, func(word string) bool { return accept.Word(word).Picks(r) })
}

// load returns the rules of the chosen packs or, if the command line chooses none and the selection restricts, of all packs. If something is
// wrong with them, or a word selects none of them, it writes what and returns false.
func (c *selection) load(s *session, of *ruleFlags) ([]*rules.Rule, bool) {
	if c.restricts() {
		of.defaultToAll()
	}
	all, ok := of.load(s)
	return all, ok && c.check(s, all)
}

// check writes which words stand for none of the rules, and reports whether there is none such.
func (c *selection) check(s *session, all []*rules.Rule) bool {
	ok := true
	for _, word := range c.words {
		if word := accept.Word(word); !slices.ContainsFunc(all, word.Picks) {
			s.fail(statusUsage, "--%s: %s; \"regvet rules list\" lists them", c.flag, noSuch(word, all))
			ok = false
		}
	}
	return ok
}

// chosen reports whether a rule is selected where not all are.
func (c *selection) chosen(r *rules.Rule) bool { return c.restricts() && c.picks(r) }

// noSuch returns the message that a word stands for none of the rules.
func noSuch(word accept.Word, all []*rules.Rule) string {
	_, name := word.Split()
	return word.None() + suggest(name, word.Like(all))
}
