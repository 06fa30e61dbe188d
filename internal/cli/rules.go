package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/hive"
	"regvet/report"
	"regvet/rules"
	"regvet/rules/foreign"
	"regvet/rules/strict"
)

var rulesCommand = command{
	name: "rules", args: "list|show|lint|test|docs|new|schema|import|export [RULE|PACK|FILE...]",
	short: "list, show, lint, test, write, import or export rules",
	min:   1, max: -1, colours: true,
	example: `  regvet rules list --tag network --severity high
  regvet rules show KB196271-MaxUserPort
  regvet rules new > mine.yaml
  regvet rules lint mine.yaml && regvet rules test mine.yaml
  regvet rules import finding_list.csv -o pack.yaml
  regvet rules export pack.yaml -o pack.reg

Verbs:
` + verbLines(),
	define: func(f *pflag.FlagSet) func(*session, []string) {
		o := new(rulesOptions)
		o.rules.define(f, allPacks)
		o.selected.define(f, "only these rules:")
		f.StringArrayVarP(&o.tags, "tag", "t", nil, "only rules with this `TAG` (repeatable)")
		choose(f, &o.severity, "severity", "", "", "only rules of at least this `SEVERITY`: %s", severityWords()...)
		exports, _ := foreign.ExportNames()
		choose(f, &o.format, "format", "f", "text", "output `FORMAT` of list and show, and of what import tells, or what export writes, which is else that of the ending of -o: %s", append([]string{"text", "json"}, exports...)...)
		choose(f, &o.report, "report", "", "text", "`FORMAT` of what export tells: %s", "text", "json")
		choose(f, &o.from, "from", "", "", "what import reads: files in this `FORMAT`, which the content tells as a rule: %s", foreign.FormatNames()...)
		versionFlag(f, &o.windows, "what export writes is for this Windows `VERSION`, such as 6.1 or 10.0.19045, or a product such as "+hive.WindowsWords()[0]+"; else rules that differ by it are left out")
		f.BoolVar(&o.strict, "strict", false, "let import and export exit with 1 if anything was left out")
		outputFlag(f, &o.output)
		return o.run
	},
}

type rulesOptions struct {
	rules            ruleFlags
	selected         selection
	tags             []string
	severity, format choice
	from, report     choice
	windows          parsed[*hive.Windows]
	strict           bool
	output           string
	many             bool // an argument is the start of the IDs of several rules
}

// verb is a word after regvet rules.
type verb struct {
	name  string
	short string                                       // one line
	rules func(*rulesOptions, *session, []*rules.Rule) // what to do with the chosen rules, or nil
	text  func() []byte                                // the result of a verb that takes no rules
	files func(*rulesOptions, *session, []string)      // what to do with files that are no rule packs
}

var verbs = []verb{
	{"list", "list the rules, one per line", (*rulesOptions).listRules, nil, nil},
	{"show", "show everything that rules say; of the start of several IDs, which ones there are", (*rulesOptions).showRules, nil, nil},
	{"lint", "report what is doubtful about rules", (*rulesOptions).lintRules, nil, nil},
	{"test", "run the rules' own tests, and prove each fix and undo", (*rulesOptions).testRules, nil, nil},
	{"docs", "write a reference in Markdown", (*rulesOptions).documentRules, nil, nil},
	{"new", "write a commented rule file to start from", nil, rules.Template, nil},
	{"schema", "write the JSON Schema of rule files, for editors", nil, rules.Schema, nil},
	{"export", "write rules as the rule file of another program, and tell what cannot be said there", (*rulesOptions).exportRules, nil, nil},
	{"import", "make a rule pack of files of other programs", nil, nil, (*rulesOptions).importRules},
}

// verbLines returns the help of the verbs, one line each.
func verbLines() string {
	var b strings.Builder
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %-6s  %s\n", v.name, v.short)
	}
	return b.String()
}

func (o *rulesOptions) run(s *session, args []string) {
	var words []string
	for _, v := range verbs {
		words = append(words, v.name)
	}
	i := slices.Index(words, args[0])
	exports, _ := foreign.ExportNames()
	switch {
	case i < 0:
		s.fail(statusUsage, "rules has no verb %q%s; it has %s", args[0], suggest(args[0], words), strict.List(words, "or"))
	case args[0] != "export" && slices.Contains(exports, o.format.value):
		s.fail(statusUsage, "rules %s has no format %s, which is one of rules export", args[0], o.format.value)
	case verbs[i].files != nil && len(args) == 1:
		s.fail(statusUsage, "rules %s needs a FILE at least", words[i])
	case verbs[i].files != nil:
		verbs[i].files(o, s, args[1:])
	case verbs[i].text == nil:
		if all, ok := o.choose(s, args[1:]); ok {
			verbs[i].rules(o, s, all)
		}
	case len(args) > 1:
		s.fail(statusUsage, "rules %s does not take %q", words[i], args[1])
	default:
		s.write(o.output, func(w io.Writer, _ report.Style) error { _, err := w.Write(verbs[i].text()); return err })
	}
}

// choose returns the rules that the flags and the arguments after the verb choose. An argument is a rule, the start of several, a pack, a
// rule file or a folder. If something is wrong, choose writes what and returns false.
func (o *rulesOptions) choose(s *session, args []string) ([]*rules.Rule, bool) {
	wanted := map[string]bool{} // rules and packs
	var names []string
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil && !isRuleFile(arg) {
			names = append(names, arg)
			continue
		}
		packs, err := loadRules(s, s.files, arg)
		if err != nil {
			s.mistakes(err)
			continue
		}
		if !slices.Contains(o.rules.files, arg) {
			o.rules.files = append(o.rules.files, arg)
		}
		for _, p := range packs {
			wanted[p.Name] = true
		}
	}
	if s.failed() {
		return nil, false
	}
	o.rules.defaultToAll()
	all, ok := o.selected.load(s, &o.rules)
	if !ok {
		return nil, false
	}
	if len(names) > 0 { // those about the config are shown to who asks for them
		all = append(slices.Clip(all), rules.OwnRules()...)
	}
	var known []string
	for _, r := range all {
		known = append(known, r.ID, r.Pack)
	}
	for _, name := range names {
		if i := slices.IndexFunc(known, func(one string) bool { return strings.EqualFold(one, name) }); i >= 0 {
			wanted[known[i]] = true
			continue
		}
		begun := 0
		for _, r := range all {
			if len(r.ID) > len(name) && strings.EqualFold(r.ID[:len(name)], name) {
				wanted[r.ID] = true
				begun++
			}
		}
		o.many = o.many || begun > 1
		if begun == 0 {
			s.fail(statusUsage, "there is no rule or pack %q%s; \"regvet rules list\" lists them", name, suggest(name, known))
		}
	}
	var tags []string
	for _, r := range all {
		tags = append(tags, r.Tags...)
	}
	for _, tag := range o.tags {
		if !slices.Contains(tags, tag) {
			s.fail(statusUsage, "no rule has the tag %q%s", tag, suggest(tag, tags))
		}
	}
	least, _ := rules.ParseSeverity(o.severity.value)
	return slices.DeleteFunc(all, func(r *rules.Rule) bool {
		return !o.selected.picks(r) || len(wanted) > 0 && !wanted[r.ID] && !wanted[r.Pack] || r.Terms(hive.Windows{}).Severity < least ||
			len(o.tags) > 0 && !slices.ContainsFunc(o.tags, func(tag string) bool { return slices.Contains(r.Tags, tag) })
	}), !s.failed()
}

// isRuleFile reports whether a file, which need not be there, has the name of a rule file.
func isRuleFile(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

func (o *rulesOptions) listRules(s *session, all []*rules.Rule) {
	s.write(o.output, func(w io.Writer, style report.Style) error {
		if o.format.value == "json" {
			return report.RulesJSON(w, version(), all)
		}
		return report.Rules(w, all)
	})
}

func (o *rulesOptions) showRules(s *session, all []*rules.Rule) {
	if o.many {
		o.listRules(s, all)
		return
	}
	s.write(o.output, func(w io.Writer, style report.Style) error {
		if o.format.value == "json" {
			return report.RulesJSON(w, version(), all)
		}
		for i, r := range all {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := report.Rule(w, r, style); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o *rulesOptions) lintRules(s *session, all []*rules.Rule) {
	doubts := rules.Doubts(all)
	if len(doubts) > 0 {
		s.raise(statusFindings)
	}
	s.write(o.output, func(w io.Writer, style report.Style) error { return report.Doubts(w, all, doubts) })
}

func (o *rulesOptions) testRules(s *session, all []*rules.Rule) {
	var results []rules.TestResult
	for _, r := range all {
		results = append(results, r.RunTests()...)
	}
	for _, t := range results {
		if t.Err != nil {
			s.raise(statusFindings)
		}
	}
	s.write(o.output, func(w io.Writer, style report.Style) error { return report.Tests(w, all, results) })
}

func (o *rulesOptions) documentRules(s *session, all []*rules.Rule) {
	packs, ok := o.rules.loadPacks(s)
	if !ok {
		return
	}
	s.write(o.output, func(w io.Writer, style report.Style) error { return report.Docs(w, packs, all) })
}
