package main

import (
	"io"
	"slices"
	"strings"

	"regvet/report"
	"regvet/rules"
)

var rulesCommand = command{
	name: "rules", args: "list|show|test [RULE|PACK...]", short: "the rule packs: list them, show a rule, run their tests",
	min: 1, max: -1,
	example: `  regvet rules list
  regvet rules show KB196271-MaxUserPort
  regvet rules test --rules mine.yaml
`,
	flags: ruleFlags,
	run:   (*cli).ruleCommand,
}

func (c *cli) ruleCommand() {
	verbs := map[string]func([]*rules.Rule){"list": c.listRules, "show": c.showRules, "test": c.testRules}
	verb, ok := verbs[c.args[0]]
	if !ok {
		words := []string{"list", "show", "test"}
		c.fail(statusUsage, "rules has no verb %q%s; it has %s", c.args[0], suggest(c.args[0], words), strings.Join(words, ", "))
		return
	}
	all := c.loadRules()
	if all == nil {
		return
	}
	if wanted := c.args[1:]; len(wanted) > 0 {
		var names []string
		for _, r := range all {
			names = append(names, r.ID, r.Pack)
		}
		for _, name := range wanted {
			if !slices.Contains(names, name) {
				c.fail(statusUsage, "there is no rule or pack %q%s; \"regvet rules list\" lists them", name, suggest(name, names))
			}
		}
		if c.status >= statusUsage {
			return
		}
		all = slices.DeleteFunc(all, func(r *rules.Rule) bool { return !slices.Contains(wanted, r.ID) && !slices.Contains(wanted, r.Pack) })
	}
	verb(all)
}

func (c *cli) listRules(all []*rules.Rule) {
	c.write(func(w io.Writer) error { return report.Rules(w, all) })
}

func (c *cli) showRules(all []*rules.Rule) {
	c.write(func(w io.Writer) error {
		for i, r := range all {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := report.Rule(w, r, c.style()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *cli) testRules(all []*rules.Rule) {
	var results []rules.TestResult
	for _, r := range all {
		results = append(results, r.RunTests()...)
	}
	for _, t := range results {
		if t.Err != nil {
			c.raise(statusFindings)
		}
	}
	c.write(func(w io.Writer) error { return report.Tests(w, all, results) })
}
