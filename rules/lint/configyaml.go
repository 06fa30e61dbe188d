package lint

import (
	"cmp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/glob"
	"regvet/rules/strict"
)

// BadConfig is the kind of a mistake in a config.
const BadConfig hive.Kind = "bad-config"

// maxConfigParts is how many names and values a config may hold.
const maxConfigParts = 100_000

// LoadConfig reads a config. Everything that is wrong with it is reported at once: the error is [strict.Mistakes].
func LoadConfig(source string, data []byte) (*Config, error) {
	c := &Config{}
	file := strict.File{Source: source, Kind: BadConfig, Whole: "a config", Most: maxConfigParts}
	err := strict.Read(file, data, func(d *strict.Decoder, root *yaml.Node) { *c = configForm.Read(d, root, "a config") })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// configSchema returns the JSON Schema of a config, for editors, which complete and check the file with it.
func configSchema() []byte {
	return strict.JSONSchema("How regvet looks at the .reg files of a folder ("+ConfigName+")", configForm.Schema, &configObject, &pathObject)
}

var configForm = strict.Optional(strict.Of(&configObject, "config"))

var configObject = strict.Object[Config]{
	Name: "config", What: "a config", Doc: "How regvet looks at .reg files.",
	Fields: append(settingsFields(func(c *Config) *Settings { return &c.Settings }),
		strict.May("exclude", "Globs of files that are not linted, relative to the folder of the config. What matches a folder matches all that is in it.",
			globsForm, func(c *Config, globs []string) { c.Exclude = globs }),
		strict.May("paths", "Settings for files by their path. Of several that match, the later goes before the earlier.",
			strict.Optional(strict.ListOf(strict.Of(&pathObject, "path"), 0, "")), func(c *Config, all []PathSettings) { c.Paths = all }),
		strict.May("packs", "The names of the rule packs that values are held against, or all; where it is not given kb196271 and those of rules. --pack takes its place.",
			referencesForm, func(c *Config, all []Reference) { c.Packs = all }),
		strict.May("rules", "Rule files, or folders of them, beside the built-in packs, relative to the folder of the config. --rules adds to them.",
			referencesForm, func(c *Config, all []Reference) { c.Rules = all }),
		strict.May("baseline", "The file of the findings that are known, relative to the folder of the config. --baseline takes its place.",
			referenceForm, func(c *Config, r Reference) { c.Baseline = &r }),
		strict.May("fail_on", "The lowest severity that makes the exit status 1. --fail-on takes its place.",
			strict.OneWord(slices.Concat(SeverityNames(), []string{"never"})...), func(c *Config, word string) { c.FailOn = word }),
	),
}

var pathObject = strict.Object[PathSettings]{
	Name: "path", What: "an element of paths", Doc: "Settings for some files.",
	Fields: append(settingsFields(func(p *PathSettings) *Settings { return &p.Settings }),
		strict.Must("match", "Globs of the files that these settings are for, relative to the folder of the config.",
			strict.ListOf(globForm, 1, "is empty; settings without a glob are for no file"), func(p *PathSettings, globs []string) { p.Match = globs }),
	),
}

// settingsFields are what all files and some files have in common.
func settingsFields[T any](of func(*T) *Settings) []strict.Field[T] {
	return []strict.Field[T]{
		strict.May("checks", "Checks by ID, by name or by the start of an ID, such as REG1, or all: off, on, or on with a severity. The more exact word goes before the less exact.",
			checksForm, func(t *T, all []choice) { of(t).Checks = all }),
		strict.May("windows", "The Windows version that the files are for, such as \"6.1\" or \"10.0\". --windows takes its place.",
			strict.Parsed(strict.Schema{"type": []string{"string", "number"}}, hive.ParseWindows), func(t *T, w hive.Windows) { of(t).Windows = &w }),
		strict.May("codepage", "The number of the ANSI code page in which Windows reads files without a byte order mark, for lint and fmt. --codepage takes its place. Without either, no line that depends on it is changed.",
			strict.Parsed(strict.Schema{"type": []string{"integer", "string"}}, regfile.ParseCodePage), func(t *T, page *regfile.CodePage) { of(t).CodePage = page }),
	}
}

// referenceForm is the name of something that is not in the config.
var referenceForm = strict.NewForm(strict.WordForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) Reference {
	return Reference{d.Word(n, what), strict.Locate(n)}
})

var referencesForm = strict.Optional(strict.ListOf(referenceForm, 0, ""))

var globForm = strict.NewForm(strict.WordForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) string {
	text := d.Word(n, what)
	if text == "" {
		return ""
	}
	text, err := glob.Parse(text, "the folder of the config")
	if err != nil {
		d.Wrong(n, "%v", err)
	}
	return text
})

var globsForm = strict.Optional(strict.ListOf(globForm, 0, ""))

var checkWords = slices.Concat([]string{"off", "on"}, SeverityNames())

// checksSchema names each check by its ID and by its name, for editors to complete. Other words stay allowed: the start of an ID is one, and case
// does not count.
func checksSchema() strict.Schema {
	state := strict.Schema{"enum": checkWords}
	properties := strict.Schema{"all": strict.Schema{"description": "All checks.", "enum": checkWords}}
	for _, c := range checks {
		for _, word := range []string{c.ID, c.Name} {
			properties[word] = strict.Schema{"description": c.ID + ", " + c.Name + ": " + c.Title, "enum": checkWords}
		}
	}
	return strict.Schema{"type": "object", "properties": properties, "additionalProperties": state}
}

// checksForm is what is said of checks. The more exact comes behind the less exact, since the later counts.
var checksForm = strict.Optional(strict.NewForm(checksSchema(),
	func(d *strict.Decoder, n *yaml.Node, what string) (all []choice) {
		for name, value := range d.Pairs(n, what) {
			c := choice{Name: name.Value, checks: Select(name.Value), exact: len(name.Value)}
			if len(c.checks) == 0 {
				near := ""
				if word := strict.Nearest(name.Value, Words()); word != "" {
					near = "; did you mean " + word + "?"
				}
				d.Wrong(name, "there is no check %q%s", name.Value, near)
			}
			switch one := Lookup(name.Value); {
			case one != nil:
				c.exact = exactly
				if slices.ContainsFunc(all, func(other choice) bool { return other.exact == exactly && other.checks[0] == one }) {
					d.Wrong(name, "%s stands twice in checks: %s is its ID, %s its name", name.Value, one.ID, one.Name)
				}
			case strings.EqualFold(name.Value, "all"):
				c.exact = 0
			}
			word := d.Choice(value, name.Value, checkWords)
			c.On = word != "off"
			c.Severity, _ = ParseSeverity(word)
			all = append(all, c)
		}
		slices.SortStableFunc(all, func(a, b choice) int { return cmp.Compare(a.exact, b.exact) })
		return all
	}))
