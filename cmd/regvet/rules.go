package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
)

var rulesCommand = command{
	name: "rules", args: "list|show|lint|test|docs|new|schema [RULE|PACK|FILE...]",
	short: "the rule packs: list, show, lint and test them, or write one",
	min:   1, max: -1,
	example: `  regvet rules list --tag network --severity high
  regvet rules show KB196271-MaxUserPort
  regvet rules new > mine.yaml
  regvet rules lint mine.yaml && regvet rules test mine.yaml

The verbs:
  list    the rules, one a line          show    all that rules say of themselves
  lint    what is doubtful about rules   test    run the rules' own tests, and prove each fix and undo
  docs    a reference in Markdown        new     a commented rule file to start from
  schema  the JSON Schema of rule files, for editors
`,
	flags: func(f *pflag.FlagSet, o *options) {
		ruleFlags(f, o, "all of them")
		f.StringArrayVarP(&o.tags, "tag", "t", nil, "only rules with this `TAG` (repeatable)")
		f.StringVar(&o.severity, "severity", "", "only rules of at least this `SEVERITY`: info, low, medium, high or critical")
		f.StringVarP(&o.format, "format", "f", "text", "the `FORMAT` of list and show: text or json")
		f.StringVarP(&o.output, "output", "o", "", "write the result to this `FILE`")
	},
	run: (*cli).ruleCommand,
}

// verb is a word after regvet rules.
type verb struct {
	name  string
	short string                    // for who completes it
	rules func(*cli, []*rules.Rule) // for those that are about rules
	text  func() []byte             // of the others
}

var verbs = []verb{
	{"list", "the rules, one a line", (*cli).listRules, nil},
	{"show", "all that rules say of themselves", (*cli).showRules, nil},
	{"lint", "what is doubtful about rules", (*cli).lintRules, nil},
	{"test", "run the rules' own tests, and prove each fix and undo", (*cli).testRules, nil},
	{"docs", "a reference in Markdown", (*cli).documentRules, nil},
	{"new", "a commented rule file to start from", nil, rules.Template},
	{"schema", "the JSON Schema of rule files, for editors", nil, rules.Schema},
}

func (c *cli) ruleCommand() {
	var words []string
	for _, v := range verbs {
		words = append(words, v.name)
	}
	i := slices.Index(words, c.args[0])
	if i < 0 {
		c.fail(statusUsage, "rules has no verb %q%s; it has %s", c.args[0], suggest(c.args[0], words), list(words))
		return
	}
	c.oneOf("--format", c.format, "text", "json")
	least, ok := rules.ParseSeverity(c.severity)
	if !ok && c.severity != "" {
		c.fail(statusUsage, "--severity cannot be %q%s; it is %s", c.severity, suggest(c.severity, rules.SeverityNames()), list(rules.SeverityNames()))
	}
	if text := verbs[i].text; text != nil {
		if len(c.args) > 1 {
			c.fail(statusUsage, "rules %s does not take %q", words[i], c.args[1])
		}
		if c.status < statusUsage {
			c.write(func(w io.Writer) error { _, err := w.Write(text()); return err })
		}
		return
	}
	all := c.chosenRules(least)
	if c.status < statusUsage {
		verbs[i].rules(c, all)
	}
}

// chosenRules gives the rules that the flags and the names behind the verb choose: those of each rule, pack or rule file.
func (c *cli) chosenRules(least rules.Severity) []*rules.Rule {
	wanted := map[string]bool{} // rules and packs
	var names []string
	for _, arg := range c.args[1:] {
		if info, err := os.Stat(arg); err != nil || !info.IsDir() && !isRuleFile(arg) {
			if !isRuleFile(arg) {
				names = append(names, arg)
				continue
			}
		}
		packs, err := rules.LoadFiles(arg)
		if err != nil {
			c.mistakes(err)
			continue
		}
		if !slices.Contains(c.rules, arg) {
			c.rules = append(c.rules, arg)
		}
		for _, p := range packs {
			wanted[p.Name] = true
		}
	}
	if c.status >= statusUsage {
		return nil
	}
	c.showAllPacks()
	all := c.loadRules()
	if all == nil {
		return nil
	}
	var known []string
	for _, r := range all {
		known = append(known, r.ID, r.Pack)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			c.fail(statusUsage, "there is no rule or pack %q%s; \"regvet rules list\" lists them", name, suggest(name, known))
		}
		wanted[name] = true
	}
	var tags []string
	for _, r := range all {
		tags = append(tags, r.Tags...)
	}
	for _, tag := range c.tags {
		if !slices.Contains(tags, tag) {
			c.fail(statusUsage, "no rule has the tag %q%s", tag, suggest(tag, tags))
		}
	}
	return slices.DeleteFunc(all, func(r *rules.Rule) bool {
		return len(wanted) > 0 && !wanted[r.ID] && !wanted[r.Pack] || r.Terms(hive.Windows{}).Severity < least ||
			len(c.tags) > 0 && !slices.ContainsFunc(c.tags, func(tag string) bool { return slices.Contains(r.Tags, tag) })
	})
}

// showAllPacks makes all packs those that are used where the command line names none: to tell of a rule is not to use it.
func (c *cli) showAllPacks() {
	if len(c.packs) == 0 {
		c.packs = []string{allPacks}
	}
}

// isRuleFile tells a rule file by its name.
func isRuleFile(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

func (c *cli) listRules(all []*rules.Rule) {
	c.write(func(w io.Writer) error {
		if c.format == "json" {
			return report.RulesJSON(w, version(), all)
		}
		return report.Rules(w, all)
	})
}

func (c *cli) showRules(all []*rules.Rule) {
	c.write(func(w io.Writer) error {
		if c.format == "json" {
			return report.RulesJSON(w, version(), all)
		}
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

func (c *cli) lintRules(all []*rules.Rule) {
	doubts := rules.Lint(all)
	if len(doubts) > 0 {
		c.raise(statusFindings)
	}
	c.write(func(w io.Writer) error { return report.Doubts(w, all, doubts) })
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

func (c *cli) documentRules(all []*rules.Rule) {
	packs := c.loadPacks()
	c.write(func(w io.Writer) error { return report.Docs(w, packs, all) })
}
