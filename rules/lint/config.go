package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"regvet/hive"
	"regvet/hive/regfile"
)

// ConfigName is how a file is called that tells how the .reg files in its folder, and in those below, are to be looked at.
const ConfigName = ".regvet.yaml"

// Config is what such a file says. Its globs are relative to its folder, with / between the names: * stands for any part of a name, ** for
// any folders, and what matches a folder matches all that is in it.
type Config struct {
	Settings
	Exclude  []string // globs of files that are not looked at
	Paths    []PathSettings
	Packs    []Reference // names of the packs that values are held against; none for those that are used by default
	Rules    []Reference // files of rules beside those that are built in, relative to the folder of the config
	Baseline *Reference  // the file of the baseline, relative to the folder of the config; nil for none
	FailOn   string      // the lowest severity that counts for the exit status, or "never"; "" where nothing is said
}

// Reference is the name of something that the file does not hold itself, and where it stands in the file.
type Reference struct {
	Name string
	At   hive.Location
}

// PathSettings are for the files that match one of the globs. They go before what stands above them.
type PathSettings struct {
	Settings
	Match []string
}

// Settings are what may be told for all files, and for some by their path.
type Settings struct {
	Checks   []Choice          // in the order in which they count: the later one goes before the earlier
	Windows  *hive.Version     // that the files are for; nil where nothing is said
	CodePage *regfile.CodePage // of files that are not UTF-16; nil where nothing is said
}

// Choice is what the file says of some checks.
type Choice struct {
	Name     string   // as it stands in the file
	On       bool     // whether they run
	Severity Severity // 0 for the one that they have
	checks   []*Check
	exact    int // how exactly the name tells which ones are meant
}

// exactly is how exact the full ID or name of a check is; the start of an ID is as exact as it is long.
const exactly = 1 << 10

// Select returns the checks that a word means: one by its ID or its name, those whose ID begins with it, such as REG1, or all. Case does
// not count. There are none when the word means nothing.
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

// Words lists what [Select] takes in full: the IDs and names of all checks.
func Words() (words []string) {
	for _, c := range checks {
		words = append(words, c.ID, c.Name)
	}
	return words
}

// Severity reports whether a check runs, and the severity that its findings have when it does.
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

// Excludes reports whether a file is not to be looked at. Its path is relative to the folder of the config.
func (c *Config) Excludes(file string) bool { return matches(c.Exclude, file) }

// Matching returns the numbers of those [Config.Paths] that are for a file. Its path is relative to the folder of the config.
func (c *Config) Matching(file string) (numbers []int) {
	for i, p := range c.Paths {
		if matches(p.Match, file) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// With returns the settings of the files for which the [Config.Paths] of these numbers are.
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

// matches reports whether a glob is for a file, or for a folder that it is in. A file outside of the folder of the config is matched by none.
func matches(globs []string, file string) bool {
	if file == ".." || strings.HasPrefix(file, "../") {
		return false
	}
	for _, glob := range globs {
		for p := file; p != "." && p != "/"; p = path.Dir(p) {
			if doublestar.MatchUnvalidated(glob, p) {
				return true
			}
		}
	}
	return false
}
