package lint

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/glob"
	"regvet/rules"
	"regvet/rules/accept"
	"regvet/rules/strict"
)

// ConfigName is the name of the file that configures how the .reg files in its folder and below are linted.
const ConfigName = ".regvet.yaml"

// Config is the content of such a file. Its globs are relative to its folder and use /: * matches any part of a name, ** matches any folders, and
// a glob that matches a folder matches everything in it.
type Config struct {
	Settings
	Exclude  glob.List // globs of files that are not linted
	Paths    []PathSettings
	Packs    []strict.Reference // names of the packs that values are checked against; none for the default packs
	Rules    []strict.Reference // rule files beside the built-in packs, relative to the folder of the config
	Baseline *strict.Reference  // the baseline file, relative to the folder of the config; nil for none
	FailOn   string             // the lowest severity that counts for the exit status, or "never"; "" if not set
	Check    accept.Config      // of check, fix and apply

	source string // its name
	data   []byte
}

// PathSettings apply to the files that match one of the globs. They win over settings above them.
type PathSettings struct {
	Settings
	Match glob.List
}

// Settings can be made for all files, and for some files by their path.
type Settings struct {
	Checks   []choice          // in order: the later one wins
	Windows  *hive.Windows     // that the files are for; nil if not set
	CodePage *regfile.CodePage // of files that are not UTF-16; nil if not set
}

// choice is what the config says about some checks, or about some rules of packs.
type choice struct {
	Name     string // as written in the config
	At       hive.Location
	On       bool     // whether they run
	Severity Severity // 0 for their own
	checks   []*Check // none if it is about rules
	exact    int      // how exactly the name identifies the checks
}

// exactly is the exactness of the full ID or name of a check; that of the start of an ID is its length. A word for rules is more exact.
const (
	exactly = 1 << 10
	ofRules = 1 << 20
)

// Select returns the checks that a word selects: one by its ID or name, those whose ID starts with it, such as REG1, or all; none for any other
// word. Case does not count.
func Select(word string) []*Check {
	if c := Lookup(word); c != nil {
		return []*Check{c}
	}
	if strings.EqualFold(word, "all") {
		return checks
	}
	var found []*Check
	for _, c := range checks {
		if word != "" && strings.HasPrefix(c.ID, strings.ToUpper(word)) {
			found = append(found, c)
		}
	}
	return found
}

// Words lists the full words that [Select] takes: the IDs and names of all checks.
func Words() (words []string) {
	for _, c := range checks {
		words = append(words, c.ID, c.Name)
	}
	return words
}

// Severity returns the severity of the findings of a check, and whether the check runs.
func (s Settings) Severity(c *Check) (severity Severity, on bool) {
	severity, on = c.Severity, !c.Off
	for _, choice := range s.Checks {
		if !slices.Contains(choice.checks, c) {
			continue
		}
		on = choice.On
		if choice.Severity != 0 {
			severity = choice.Severity
		}
	}
	return severity, on
}

// RuleSeverity returns the severity of the findings of a check by a rule of a pack, and whether they are reported. Without a word for the rule,
// they are those of the check.
func (s Settings) RuleSeverity(c *Check, r *rules.Rule) (severity Severity, on bool) {
	severity, on = s.Severity(c)
	for _, choice := range s.Checks {
		if choice.checks != nil || !accept.Word(choice.Name).Picks(r) {
			continue
		}
		on = choice.On
		if choice.Severity != 0 {
			severity = choice.Severity
		}
	}
	return severity, on
}

// RuleWords returns the words of all settings that are to stand for rules.
func (c *Config) RuleWords() (words []strict.Reference) {
	add := func(s Settings) {
		for _, choice := range s.Checks {
			if choice.checks == nil {
				words = append(words, strict.Reference{Name: choice.Name, At: choice.At})
			}
		}
	}
	add(c.Settings)
	for _, p := range c.Paths {
		add(p.Settings)
	}
	return words
}

// Excludes reports whether a file is not linted. Its path is relative to the folder of the config.
func (c *Config) Excludes(file string) bool { return c.Exclude.Covers(file) }

// Matching returns the indexes of the [Config.Paths] that apply to a file. Its path is relative to the folder of the config.
func (c *Config) Matching(file string) (numbers []int) {
	for i, p := range c.Paths {
		if p.Match.Covers(file) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// With returns the settings of files that the [Config.Paths] with these indexes apply to.
func (c *Config) With(numbers []int) Settings {
	s := c.Settings
	for _, i := range numbers {
		p := c.Paths[i]
		s.Checks = slices.Concat(s.Checks, p.Checks)
		if p.Windows != nil {
			s.Windows = p.Windows
		}
		if p.CodePage != nil {
			s.CodePage = p.CodePage
		}
	}
	return s
}
