package lint

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/glob"
	"regvet/rules"
	"regvet/rules/accept"
	"regvet/rules/strict"
)

// BadConfig is the kind of a mistake in a config.
const BadConfig hive.Kind = "bad-config"

// maxConfigParts is how many names and values a config may hold.
const maxConfigParts = 100_000

// LoadConfig reads a config. Everything that is wrong with it is reported at once: the error is [strict.Mistakes]. Where checks names what is no
// check, refuse says what is wrong, or "" if it stands for rules; it is not asked where the config has rules of its own,
// which are to be loaded first. With a nil refuse, nothing is wrong.
func LoadConfig(source string, data []byte, refuse func(accept.Word) string) (*Config, error) {
	c := &Config{}
	err := strict.Read(configFile(source), data, func(d *strict.Decoder, root *yaml.Node) {
		*c = configForm.Read(d, root, "a config")
		for _, r := range c.RuleWords() {
			if refuse == nil || len(c.Rules) > 0 {
				break
			}
			if why := refuse(accept.Word(r.Name)); why != "" {
				d.WrongAt(r.At, "%s", why)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	c.source, c.data = source, data
	return c, nil
}

func configFile(source string) strict.File {
	return strict.File{Source: source, Kind: BadConfig, Whole: "a config", Most: maxConfigParts}
}

// Mistake returns a mistake that showed after the config was read.
func (c *Config) Mistake(at hive.Location, msg string) error {
	return strict.MistakeAt(configFile(c.source), c.data, at, msg)
}

// ConfigSchema returns the JSON Schema of a config, for editors, which complete and check the file with it.
func ConfigSchema() []byte {
	fillCheckNames()
	return strict.JSONSchema("How regvet looks at the .reg files of a folder, and judges inputs ("+ConfigName+")", configForm.Schema, &configObject, &pathObject, &accept.Object, &accept.WaiverObject)
}

var configForm = strict.Optional(strict.Of(&configObject, "config"))

var configObject = strict.Object[Config]{
	Name: "config", What: "a config", Doc: "How regvet looks at .reg files.",
	Fields: slices.Concat(append(settingsFields(func(c *Config) *Settings { return &c.Settings }),
		strict.May("exclude", "Globs of files that are not linted, relative to the folder of the config. What matches a folder matches all that is in it.",
			globsForm, func(c *Config, globs []string) { c.Exclude = globs }),
		strict.May("paths", "Settings for files by their path. Of several that match, the later goes before the earlier.",
			strict.Optional(strict.ListOf(strict.Of(&pathObject, "path"), 0, "")), func(c *Config, all []PathSettings) { c.Paths = all }),
		strict.May("packs", "The names of the rule packs that values are held against, or all; where it is not given kb196271 and those of rules. --pack takes its place.",
			strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Packs = all }),
		strict.May("rules", "Rule files, or folders of them, beside the built-in packs, relative to the folder of the config. --rules adds to them.",
			strict.ReferencesForm, func(c *Config, all []strict.Reference) { c.Rules = all }),
		strict.May("baseline", "The file of the findings that are known, relative to the folder of the config. --baseline takes its place.",
			strict.ReferenceForm, func(c *Config, r strict.Reference) { c.Baseline = &r }),
		strict.May("check", "The settings of regvet check, fix and apply.", strict.Optional(strict.Of(&accept.Object, "check")), func(c *Config, of accept.Config) { c.Check = of }),
	), strict.FailOn(SeverityNames(), func(c *Config, word string) { c.FailOn = word })),
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
		strict.May("checks", "Checks by ID, by name or by the start of an ID, such as REG1, or all, and rules of packs by ID, by the start of IDs with a * behind it, by level:NAME or tag:NAME: off, on, or on with a severity. The more exact word goes before the less exact.",
			checksForm, func(t *T, all []choice) { of(t).Checks = all }),
		strict.May("windows", "The Windows version that the files are for, such as \"6.1\" or \"10.0\". --windows takes its place.",
			strict.WindowsForm, func(t *T, w hive.Windows) { of(t).Windows = &w }),
		strict.May("codepage", "The number of the ANSI code page in which Windows reads files without a byte order mark, for lint and fmt. --codepage takes its place. Without either, no line that depends on it is changed.",
			strict.Parsed(strict.Schema{"type": []string{"integer", "string"}}, regfile.ParseCodePage), func(t *T, page *regfile.CodePage) { of(t).CodePage = page }),
	}
}

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

// checkNames are the properties of a schema that name each check and each built-in rule, for editors to complete. Other words stay allowed: the
// start of an ID is one, and case does not count. [ConfigSchema] fills it, since little else needs the built-in rules.
var checkNames = strict.Schema{"all": strict.Schema{"description": "All checks.", "enum": checkWords}}

var fillCheckNames = sync.OnceFunc(func() {
	for _, c := range checks {
		for _, word := range []string{c.ID, c.Name} {
			checkNames[word] = strict.Schema{"description": c.ID + ", " + c.Name + ": " + c.Title, "enum": checkWords}
		}
	}
	for _, pack := range rules.BuiltIn() {
		for _, r := range pack.Rules {
			checkNames[r.ID] = strict.Schema{"description": r.ID + ": " + r.Title, "enum": checkWords}
		}
	}
})

// checksForm is what is said of checks, and of rules. The more exact comes behind the less exact, since the later counts. Whether there is a rule
// of a name shows only when the rules that the config names are loaded.
var checksForm = strict.Optional(strict.NewForm(strict.Schema{"type": "object", "properties": checkNames, "additionalProperties": strict.Schema{"enum": checkWords}},
	func(d *strict.Decoder, n *yaml.Node, what string) (all []choice) {
		for name, value := range d.Pairs(n, what) {
			c := choice{Name: name.Value, At: strict.Locate(name), checks: Select(name.Value), exact: len(name.Value)}
			switch one := Lookup(name.Value); {
			case len(c.checks) == 0:
				c.exact = ofRules
				if kind, _ := accept.Word(name.Value).Split(); kind == "" {
					c.exact += len(name.Value)
				}
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
