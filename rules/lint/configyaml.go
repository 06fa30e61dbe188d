package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// BadConfig is the kind of a mistake in a config.
const BadConfig hive.Kind = "bad-config"

// LoadConfig reads a config. Everything that is wrong with it is reported at once: the error is [rules.Mistakes].
func LoadConfig(source string, data []byte) (*Config, error) {
	r := &configReader{rules.StrictReader{Source: source, Kind: BadConfig, Whole: "a config", Most: maxConfigNodes}}
	c := &Config{}
	if root := r.Document(data); root != nil && !empty(root) {
		readFields(r, root, "a config", configFields, c)
	}
	if mistakes := r.Mistakes(); mistakes != nil {
		return nil, mistakes
	}
	return c, nil
}

// field is one field of a mapping: how it is read, and what the schema says of it.
type field[T any] struct {
	name     string
	about    string
	schema   map[string]any
	required bool
	read     func(r *configReader, n *yaml.Node, to *T)
}

var configFields = append(within(settingsFields, func(c *Config) *Settings { return &c.Settings }),
	field[Config]{
		name: "exclude", about: "Globs of files that are not linted, relative to the folder of the config. What matches a folder matches all that is in it.",
		schema: globsSchema,
		read:   func(r *configReader, n *yaml.Node, c *Config) { c.Exclude = r.globs(n, "exclude") },
	},
	field[Config]{
		name: "paths", about: "Settings for files by their path. Of several that match, the later goes before the earlier.",
		schema: map[string]any{"type": []string{"array", "null"}, "items": mappingSchema(pathFields)},
		read: func(r *configReader, n *yaml.Node, c *Config) {
			r.each(n, "paths", func(n *yaml.Node) {
				var p PathSettings
				readFields(r, n, "an element of paths", pathFields, &p)
				c.Paths = append(c.Paths, p)
			})
		},
	},
	field[Config]{
		name: "packs", about: "The names of the rule packs that values are held against, or all; where it is not given kb196271 and those of rules. --pack takes its place.",
		schema: textsSchema,
		read:   func(r *configReader, n *yaml.Node, c *Config) { c.Packs = r.references(n, "packs") },
	},
	field[Config]{
		name: "rules", about: "Rule files, or folders of them, beside the built-in packs, relative to the folder of the config. --rules adds to them.",
		schema: textsSchema,
		read:   func(r *configReader, n *yaml.Node, c *Config) { c.Rules = r.references(n, "rules") },
	},
	field[Config]{
		name: "baseline", about: "The file of the findings that are known, relative to the folder of the config. --baseline takes its place.",
		schema: map[string]any{"type": "string", "minLength": 1},
		read: func(r *configReader, n *yaml.Node, c *Config) {
			if name := r.text(n, "baseline"); name != "" {
				c.Baseline = &Reference{name, rules.Locate(n)}
			}
		},
	},
	field[Config]{
		name: "fail_on", about: "The lowest severity that makes the exit status 1. --fail-on takes its place.",
		schema: map[string]any{"enum": failWords},
		read:   func(r *configReader, n *yaml.Node, c *Config) { c.FailOn = r.choice(n, "fail_on", failWords) },
	},
)

var pathFields = append([]field[PathSettings]{{
	name: "match", about: "Globs of the files that these settings are for, relative to the folder of the config.", required: true,
	schema: globsSchema,
	read: func(r *configReader, n *yaml.Node, p *PathSettings) {
		if p.Match = r.globs(n, "match"); n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			r.Wrong(n, "match is empty; settings without a glob are for no file")
		}
	},
}}, within(settingsFields, func(p *PathSettings) *Settings { return &p.Settings })...)

var settingsFields = []field[Settings]{
	{
		name: "checks", about: "Checks by ID, by name or by the start of an ID, such as REG1, or all: off, on, or on with a severity. The more exact word goes before the less exact.",
		schema: map[string]any{"type": []string{"object", "null"}, "additionalProperties": map[string]any{"enum": checkWords}},
		read:   func(r *configReader, n *yaml.Node, s *Settings) { s.Checks = r.choices(n) },
	},
	{
		name: "windows", about: "The Windows version that the files are for, such as \"6.1\" or \"10.0\". --windows takes its place.",
		schema: map[string]any{"type": []string{"string", "number"}},
		read: func(r *configReader, n *yaml.Node, s *Settings) {
			if text := r.text(n, "windows"); text != "" {
				v, err := hive.ParseVersion(text)
				if err != nil {
					r.Wrong(n, "%v", err)
				}
				s.Windows = &v
			}
		},
	},
	{
		name: "codepage", about: "The number of the ANSI code page in which Windows reads files that are not UTF-16. --codepage takes its place.",
		schema: map[string]any{"type": []string{"integer", "string"}},
		read: func(r *configReader, n *yaml.Node, s *Settings) {
			if text := r.text(n, "codepage"); text != "" {
				page, err := regfile.ParseCodePage(text)
				if err != nil {
					r.Wrong(n, "%v", err)
				}
				s.CodePage = page
			}
		},
	},
}

var (
	failWords   = slices.Concat(SeverityNames(), []string{"never"})
	checkWords  = slices.Concat([]string{"off", "on"}, SeverityNames())
	textsSchema = map[string]any{"type": []string{"array", "null"}, "items": map[string]any{"type": "string", "minLength": 1}}
	globsSchema = textsSchema
)

// within makes fields of a part fields of the whole.
func within[Whole, Part any](fields []field[Part], part func(*Whole) *Part) (all []field[Whole]) {
	for _, f := range fields {
		all = append(all, field[Whole]{f.name, f.about, f.schema, f.required, func(r *configReader, n *yaml.Node, to *Whole) { f.read(r, n, part(to)) }})
	}
	return all
}

// maxConfigNodes is how many elements of lists and mappings are read. Aliases can make a small file stand for more than memory holds.
const maxConfigNodes = 100_000

// configReader reads a config.
type configReader struct{ rules.StrictReader }

// empty tells that behind a field stands nothing, as where all of it is commented out.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// pairs calls f for each name of a mapping and what stands behind it.
func (r *configReader) pairs(n *yaml.Node, what string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.Wrong(n, "%s must be a mapping, with lines such as %q", what, "NAME: VALUE")
		return
	}
	seen := map[string]bool{}
	for key, value := range r.Pairs(n) {
		switch {
		case key.Kind != yaml.ScalarNode:
			r.Wrong(key, "a name in %s must be a word", what)
		case seen[key.Value]:
			r.Wrong(key, "%s stands twice in %s", key.Value, what)
		default:
			seen[key.Value] = true
			f(key, value)
		}
	}
}

// readFields reads a mapping whose fields are known.
func readFields[T any](r *configReader, n *yaml.Node, what string, fields []field[T], to *T) {
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
	}
	seen := map[string]bool{}
	r.pairs(n, what, func(key, value *yaml.Node) {
		i := slices.Index(known, key.Value)
		if i < 0 {
			seen[r.NoField(key, what, known)] = true // misspelt is one mistake, not two
			return
		}
		seen[key.Value] = true
		fields[i].read(r, value, to)
	})
	for _, f := range fields {
		if f.required && !seen[f.name] && n.Kind == yaml.MappingNode {
			r.Wrong(n, "%s needs the field %s", what, f.name)
		}
	}
}

// each calls f for each element of a list, of which there may be none.
func (r *configReader) each(n *yaml.Node, what string, f func(*yaml.Node)) {
	if empty(n) {
		return
	}
	for element := range r.Elements(n, what) {
		f(element)
	}
}

// text is a word that must be there; "" when it is not.
func (r *configReader) text(n *yaml.Node, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.Wrong(n, "%s must be text", what)
	case strings.TrimSpace(n.Value) == "" || empty(n):
		r.Wrong(n, "%s must not be empty", what)
	default:
		return n.Value
	}
	return ""
}

// choice reads one of some words.
func (r *configReader) choice(n *yaml.Node, what string, words []string) string {
	s := r.text(n, what)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	r.Wrong(n, "%s cannot be %q%s", what, s, rules.OneOf(s, words))
	return ""
}

func (r *configReader) references(n *yaml.Node, what string) (all []Reference) {
	r.each(n, what, func(n *yaml.Node) {
		if name := r.text(n, "an element of "+what); name != "" {
			all = append(all, Reference{name, rules.Locate(n)})
		}
	})
	return all
}

// maxCommas is how many commas a glob with braces may have: each can double the time that matching takes.
const maxCommas = 10

func (r *configReader) globs(n *yaml.Node, what string) (all []string) {
	r.each(n, what, func(n *yaml.Node) {
		glob := r.text(n, "an element of "+what)
		switch {
		case glob == "":
			return
		case strings.Contains(glob, `\`):
			r.Wrong(n, "\"%s\" has a backslash; between folders stands /", glob)
		case strings.HasPrefix(glob, "/") || glob == ".." || strings.HasPrefix(glob, "../"):
			r.Wrong(n, "%q leads out of the folder of the config, and matches nothing; a glob is relative to that folder", glob)
		case !doublestar.ValidatePattern(glob):
			r.Wrong(n, "%q is no glob: a bracket or a brace is not closed", glob)
		case strings.Contains(glob, "{") && strings.Count(glob, ",") > maxCommas:
			r.Wrong(n, "%q has more than %d commas; write several globs", glob, maxCommas)
		}
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(glob, "./"), "/"))
	})
	return all
}

// choices reads what is said of checks, and puts the more exact behind the less exact, since the later counts.
func (r *configReader) choices(n *yaml.Node) (all []Choice) {
	if empty(n) {
		return nil
	}
	r.pairs(n, "checks", func(key, value *yaml.Node) {
		c := Choice{Name: key.Value, checks: Select(key.Value), exact: len(key.Value)}
		if len(c.checks) == 0 {
			near := ""
			if word := rules.Nearest(key.Value, Words()); word != "" {
				near = "; did you mean " + word + "?"
			}
			r.Wrong(key, "there is no check %q%s", key.Value, near)
		}
		switch one := Lookup(key.Value); {
		case one != nil:
			c.exact = exactly
			if slices.ContainsFunc(all, func(other Choice) bool { return other.exact == exactly && other.checks[0] == one }) {
				r.Wrong(key, "%s stands twice in checks: %s is its ID, %s its name", key.Value, one.ID, one.Name)
			}
		case strings.EqualFold(key.Value, "all"):
			c.exact = 0
		}
		word := r.choice(value, key.Value, checkWords)
		c.On = word != "off"
		c.Severity, _ = ParseSeverity(word)
		all = append(all, c)
	})
	slices.SortStableFunc(all, func(a, b Choice) int { return cmp.Compare(a.exact, b.exact) })
	return all
}
