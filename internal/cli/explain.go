package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/report"
	"regvet/rules"
	"regvet/rules/lint"
)

var explainCommand = command{
	name: "explain", args: "[CHECK|RULE|PACK...]", short: "explain what the checks of lint and the rules look for, and why",
	max: -1, colours: true,
	example: `  regvet explain
  regvet explain REG214 useless-suppression
  regvet explain --format markdown -o checks.md
`,
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(explainOptions)
		o.rules.define(f, allPacks)
		formatFlag(f, &o.format, "text", "json", "markdown")
		outputFlag(f, &o.output)
		return o.run
	},
}

type explainOptions struct {
	rules  ruleFlags
	format choice
	output string
}

func (o *explainOptions) run(s *session, args []string) {
	o.format.follow(s, o.output)
	o.rules.defaultToAll()
	packs, ok := o.rules.load(s)
	if !ok {
		return
	}
	packs = append(packs, rules.OwnRules()...)
	e := report.Explanation{Version: version()}
	list := len(args) == 0
	for _, name := range args {
		check := lint.Lookup(name)
		found := slices.DeleteFunc(slices.Clone(packs), func(r *rules.Rule) bool { return !strings.EqualFold(r.ID, name) && !strings.EqualFold(r.Pack, name) })
		group := beginning(name)
		switch {
		case check == nil && len(found) == 0 && len(args) == 1 && len(group) > 0:
			e.Checks, list = group, true
		case check != nil && slices.Contains(e.Checks, check):
		case check != nil:
			e.Checks = append(e.Checks, check)
		case len(found) > 0:
			for _, r := range found {
				if !slices.Contains(e.Rules, r) {
					e.Rules = append(e.Rules, r)
				}
			}
		default:
			s.fail(statusUsage, "there is no check, rule or pack %q%s; \"regvet explain\" lists the checks, \"regvet rules list\" the rules", name, suggest(name, explained(packs)))
		}
	}
	if s.failed() {
		return
	}
	if len(args) == 0 {
		e.Checks = lint.Checks()
	}
	s.write(o.output, func(w io.Writer, style report.Style) error {
		switch {
		case o.format.value == "json":
			return report.ExplainJSON(w, e)
		case o.format.value == "markdown":
			return report.ExplainMarkdown(w, e)
		case list:
			return report.Checks(w, e.Checks)
		}
		return report.ExplainText(w, e, style)
	})
}

// beginning returns the checks whose IDs begin with a name, such as REG5.
func beginning(name string) []*lint.Check {
	return slices.DeleteFunc(slices.Clone(lint.Checks()), func(c *lint.Check) bool { return len(c.ID) < len(name) || !strings.EqualFold(c.ID[:len(name)], name) })
}

// explained returns the names of everything that can be explained.
func explained(packs []*rules.Rule) (names []string) {
	for _, check := range lint.Checks() {
		names = append(names, check.ID, check.Name)
	}
	for _, r := range packs {
		names = append(names, r.ID, r.Pack)
	}
	return names
}
