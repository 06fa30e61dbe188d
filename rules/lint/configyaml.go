package lint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// BadConfig is the kind of a mistake in a config.
const BadConfig hive.Kind = "bad-config"

// LoadConfig reads a config. Everything that is wrong with it is reported at once: the error is a line for each mistake, with source, line
// and column.
func LoadConfig(source string, data []byte) (*Config, error) {
	r := &configReader{source: source, left: maxConfigNodes}
	c := &Config{}
	if root := r.document(data); root != nil {
		readFields(r, root, "a config", configFields, c)
	}
	if len(r.mistakes) == 0 {
		return c, nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b *hive.Problem) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	var all []error
	for _, p := range r.mistakes {
		all = append(all, p)
	}
	return nil, errors.Join(all...)
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
				c.Baseline = &Reference{name, at(n)}
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
			r.wrong(n, "match is empty; settings without a glob are for no file")
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
					r.wrong(n, "%v", err)
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
					r.wrong(n, "%v", err)
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

// configReader reads YAML nodes and notes every mistake with its place. It goes on after each, so that one run shows them all.
type configReader struct {
	source   string
	mistakes []*hive.Problem
	left     int // of maxConfigNodes
}

func (r *configReader) wrong(n *yaml.Node, format string, args ...any) {
	r.wrongAt(at(n), format, args...)
}

func (r *configReader) wrongAt(at hive.Location, format string, args ...any) {
	r.mistakes = append(r.mistakes, &hive.Problem{Source: r.source, At: at, Kind: BadConfig, Msg: fmt.Sprintf(format, args...)})
}

func at(n *yaml.Node) hive.Location { return hive.Location{Line: n.Line, Column: n.Column} }

// yamlLine finds the line in an error of the YAML parser, which has no field for it.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (?s:(.*))$`)

// document gives the root of a file; nil when it says nothing, which is no mistake.
func (r *configReader) document(data []byte) *yaml.Node {
	in := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	err := in.Decode(&root)
	if err == nil {
		if err = in.Decode(&second); err == nil {
			r.wrong(&second, "a second YAML document; a config is one document")
		}
	} else if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line, msg := 1, strings.TrimPrefix(err.Error(), "yaml: ")
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
			msg = m[2]
			if strings.HasPrefix(msg, "did not find expected") {
				line++ // the YAML parser counts the lines of these from 0, of all others from 1
			}
		}
		r.wrongAt(hive.Location{Line: max(line, 1), Column: 1}, "not YAML: %s", strings.ReplaceAll(msg, "\n", " "))
		return nil
	}
	if n := resolved(root.Content[0]); !empty(n) {
		return n
	}
	return nil
}

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// empty tells that behind a field stands nothing, as where all of it is commented out.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// room tells whether one more element may be read.
func (r *configReader) room(n *yaml.Node) bool {
	if r.left--; r.left == -1 {
		r.wrong(n, "the file says too much, with more than %d elements", maxConfigNodes)
	}
	return r.left >= 0
}

// pairs calls f for each name of a mapping and what stands behind it.
func (r *configReader) pairs(n *yaml.Node, what string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "%s must be a mapping, with lines such as %q", what, "NAME: VALUE")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && r.room(n.Content[i]); i += 2 {
		key := resolved(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			r.wrong(n.Content[i], "a name in %s must be a word", what)
		case seen[key.Value]:
			r.wrong(n.Content[i], "%s stands twice in %s", key.Value, what)
		default:
			seen[key.Value] = true
			f(&yaml.Node{Value: key.Value, Line: n.Content[i].Line, Column: n.Content[i].Column}, resolved(n.Content[i+1]))
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
			r.wrong(key, "%s has no field %q%s", what, key.Value, instead(key.Value, known))
			seen[rules.Nearest(key.Value, known)] = true // misspelt is one mistake, not two
			return
		}
		seen[key.Value] = true
		fields[i].read(r, value, to)
	})
	for _, f := range fields {
		if f.required && !seen[f.name] && n.Kind == yaml.MappingNode {
			r.wrong(n, "%s needs the field %s", what, f.name)
		}
	}
}

// instead ends a message about a word that is none of those known: with the one that was most likely meant, else with all.
func instead(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	last := len(known) - 1
	return "; it can be " + strings.Join(known[:last], ", ") + " or " + known[last]
}

// each calls f for each element of a list, of which there may be none.
func (r *configReader) each(n *yaml.Node, what string, f func(*yaml.Node)) {
	if empty(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.wrong(n, "%s must be a list", what)
		return
	}
	for _, element := range n.Content {
		if !r.room(element) {
			return
		}
		f(resolved(element))
	}
}

// text is a word that must be there; "" when it is not.
func (r *configReader) text(n *yaml.Node, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		r.wrong(n, "%s must be text", what)
	case strings.TrimSpace(n.Value) == "" || empty(n):
		r.wrong(n, "%s must not be empty", what)
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
	r.wrong(n, "%s cannot be %q%s", what, s, instead(s, words))
	return ""
}

func (r *configReader) references(n *yaml.Node, what string) (all []Reference) {
	r.each(n, what, func(n *yaml.Node) {
		if name := r.text(n, "an element of "+what); name != "" {
			all = append(all, Reference{name, at(n)})
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
			r.wrong(n, "\"%s\" has a backslash; between folders stands /", glob)
		case strings.HasPrefix(glob, "/") || glob == ".." || strings.HasPrefix(glob, "../"):
			r.wrong(n, "%q leads out of the folder of the config, and matches nothing; a glob is relative to that folder", glob)
		case !doublestar.ValidatePattern(glob):
			r.wrong(n, "%q is no glob: a bracket or a brace is not closed", glob)
		case strings.Contains(glob, "{") && strings.Count(glob, ",") > maxCommas:
			r.wrong(n, "%q has more than %d commas; write several globs", glob, maxCommas)
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
			r.wrong(key, "there is no check %q%s", key.Value, near)
		}
		switch one := Lookup(key.Value); {
		case one != nil:
			c.exact = exactly
			if slices.ContainsFunc(all, func(other Choice) bool { return other.exact == exactly && other.checks[0] == one }) {
				r.wrong(key, "%s stands twice in checks: %s is its ID, %s its name", key.Value, one.ID, one.Name)
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
