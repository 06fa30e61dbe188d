package main

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
	name: "explain", args: "[CHECK|RULE|PACK...]", short: "tell what the checks of lint, and rules, look for and why",
	max: -1,
	example: `  regvet explain
  regvet explain REG214 useless-suppression
  regvet explain --format markdown -o checks.md
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, "all of them")
		f.StringVarP(&o.format, "format", "f", "text", "the `FORMAT` of the result: text, json or markdown")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
	},
	run: (*cli).explain,
}

func (c *cli) explain() {
	c.oneOf("--format", c.format, "text", "json", "markdown")
	c.showAllPacks()
	packs := c.loadRules()
	if c.status >= statusUsage {
		return
	}
	e := report.Explanation{Version: version()}
	for _, name := range c.args {
		check := lint.Lookup(name)
		found := slices.DeleteFunc(slices.Clone(packs), func(r *rules.Rule) bool { return !strings.EqualFold(r.ID, name) && r.Pack != name })
		switch {
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
			c.fail(statusUsage, "there is no check, rule or pack %q%s; \"regvet explain\" lists the checks, \"regvet rules list\" the rules", name, suggest(name, explained(packs)))
		}
	}
	if c.status >= statusUsage {
		return
	}
	if len(c.args) == 0 {
		e.Checks = lint.Checks()
	}
	c.write(func(w io.Writer) error {
		switch {
		case c.format == "json":
			return report.ExplainJSON(w, e)
		case c.format == "markdown":
			return report.ExplainMarkdown(w, e)
		case len(c.args) == 0:
			return report.Checks(w, e.Checks)
		}
		return report.ExplainText(w, e, c.style())
	})
}

// explained lists all that can be explained.
func explained(packs []*rules.Rule) (names []string) {
	for _, check := range lint.Checks() {
		names = append(names, check.ID, check.Name)
	}
	for _, r := range packs {
		names = append(names, r.ID, r.Pack)
	}
	return names
}
