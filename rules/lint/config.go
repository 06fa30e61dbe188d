package lint

import (
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/glob"
)

// ConfigName is the name of the file that configures how the .reg files in its folder and below are linted.
const ConfigName = ".regvet.yaml"

// Config is the content of such a file. Its globs are relative to its folder and use /: * matches any part of a name, ** matches any folders, and
// a glob that matches a folder matches everything in it.
type Config struct {
	Settings
	Exclude  glob.List // globs of files that are not linted
	Paths    []PathSettings
	Packs    []Reference // names of the packs that values are checked against; none for the default packs
	Rules    []Reference // rule files beside the built-in packs, relative to the folder of the config
	Baseline *Reference  // the baseline file, relative to the folder of the config; nil for none
	FailOn   string      // the lowest severity that counts for the exit status, or "never"; "" if not set
}

// Reference is the name of something outside of the config, and the place of the name in it.
type Reference struct {
	Name string
	At   hive.Location
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

// choice is what the config says about some checks.
type choice struct {
	Name     string   // as written in the config
	On       bool     // whether they run
	Severity Severity // 0 for their own
	checks   []*Check
	exact    int // how exactly the name identifies the checks
}

// exactly is the exactness of the full ID or name of a check; that of the start of an ID is its length.
const exactly = 1 << 10

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
