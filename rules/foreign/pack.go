package foreign

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/strict"
)

// Pack returns what the rows of some files became as the text of a rule pack, and the pack. The pack has the given name or, without one, that
// of the first file. A rule that the language refuses is taken out, and its row tells why, so the text always loads.
func Pack(name string, sources ...*Source) ([]byte, *rules.Pack, error) {
	if name == "" {
		name = packName(sources[0].File)
	}
	for tries := 0; ; tries++ {
		text, origins := write(name, sources)
		if len(origins) == 0 {
			return nil, nil, fmt.Errorf("%s: none of its %d rules can be said in a pack, so there is none", sources[0].Path, len(sources[0].Rows))
		}
		pack, err := rules.Load(sources[0].Path, text)
		mistakes, ok := errors.AsType[rules.Mistakes](err)
		switch {
		case err == nil:
			return text, pack, nil
		case !ok || tries == maxTries || !drop(text, mistakes, origins):
			return nil, nil, err
		}
	}
}

// maxTries is how often rules are taken out that the language refuses, many at a time. A pack that is too large loses one each time: it is split.
const maxTries = 10

// origin is where a rule of a pack comes from.
type origin struct {
	row  *Row
	rule int // index in the row
}

// drop takes the rules out in which there are mistakes, and reports whether there were any. The rules of the text have these origins.
func drop(text []byte, mistakes rules.Mistakes, origins []origin) bool {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil {
		return false
	}
	pack := document.Content[0].Content
	var begins []int // the lines on which the rules begin
	for _, rule := range pack[len(pack)-1].Content {
		begins = append(begins, rule.Line)
	}
	wrong := map[origin]string{}
	for _, m := range mistakes {
		i, found := slices.BinarySearch(begins, m.At.Line)
		if !found {
			i--
		}
		if i < 0 {
			return false
		}
		wrong[origins[i]] = m.Msg
	}
	for _, o := range slices.Backward(origins) { // so that the indexes of those before stay
		if why, ok := wrong[o]; ok {
			o.row.Rules = slices.Delete(slices.Clone(o.row.Rules), o.rule, o.rule+1)
			o.row.Lacks = append(o.row.Lacks, "the language of regvet cannot say it: "+why)
		}
	}
	return len(wrong) > 0
}

// maxTitles is how many files the title of a pack names.
const maxTitles = 4

// write returns the text of a pack, and where each of its rules comes from.
func write(name string, sources []*Source) (text []byte, origins []origin) {
	var titles, references []string
	var all []any
	taken := map[string]bool{}
	for _, s := range sources {
		titles = append(titles, cmp.Or(line(s.Title), line(s.File)))
		for _, r := range s.References {
			if !slices.Contains(references, r) {
				references = append(references, r)
			}
		}
		for i := range s.Rows {
			row := &s.Rows[i]
			for n, r := range row.Rules {
				all = append(all, r.fields(free(r.ID, taken), s, row))
				origins = append(origins, origin{row, n})
			}
		}
	}
	if n := len(titles) - maxTitles; n > 0 {
		titles = append(titles[:maxTitles], fmt.Sprintf("%d more files", n))
	}
	var b bytes.Buffer
	pack := Fields{{"pack", name}, {"title", strict.List(titles, "and")}}
	if len(references) > 0 {
		pack = pack.With("references", list(references))
	}
	b.WriteString("# Made by regvet rules import, which told what of the source could not be said here.\n")
	for some := range slices.Chunk(all, inDocument) {
		part := encoded(pack.With("rules", some))
		if len(pack) == 0 {
			part = bytes.TrimPrefix(part, []byte("rules:\n"))
		}
		b.Write(part)
		pack = nil
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("\n  - id: "), []byte("\n\n  - id: ")), origins
}

// inDocument is how many rules are encoded at a time: the encoder keeps all that it has written of a document.
const inDocument = 200

// encoded returns the text of a pack.
func encoded(pack Fields) []byte {
	document := node(pack)
	for _, rule := range document.Content[len(document.Content)-1].Content {
		for i, field := range rule.Content {
			if flow(field); i > 0 && rule.Content[i-1].Value == "tags" {
				field.Style = yaml.FlowStyle // many words, which read better side by side
			}
		}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(document); err != nil {
		panic(err) // the nodes are of our making, and a buffer takes everything
	}
	return b.Bytes()
}

// free returns an ID that is not taken, and takes it: the one that is asked for, or that with a number.
func free(id string, taken map[string]bool) string {
	one := id
	for n := 2; taken[one]; n++ {
		one = id + "-" + strconv.Itoa(n)
	}
	taken[one] = true
	return one
}

// fields returns the rule with all its fields.
func (r Rule) fields(id string, s *Source, row *Row) Fields {
	source := Fields{{"file", s.File}}
	if row.Line > 0 {
		source = source.With("line", row.Line)
	}
	if row.ID != "" {
		source = source.With("id", line(row.ID))
	}
	all := Fields{{"id", id}, {"title", cmp.Or(line(r.Title), id)}, {"severity", r.Severity}}
	if why := line(r.Why); why != "" {
		all = all.With("rationale", why)
	}
	for _, f := range []struct {
		name string
		all  []string
	}{{"references", r.References}, {"tags", r.Tags}, {"levels", r.Levels}} {
		if len(f.all) > 0 {
			all = all.With(f.name, list(f.all))
		}
	}
	return append(all.With("source", source), r.Asks...)
}

// line returns a text in one line without what a pack cannot hold.
func line(text string) string { return strings.Join(strings.Fields(hive.Printable(text)), " ") }

func list(texts []string) []any {
	var all []any
	for _, t := range texts {
		all = append(all, line(t))
	}
	return all
}

// mostInLine is how long a mapping or list is that stands in one line.
const mostInLine = 120

// flow writes what is short in one line.
func flow(n *yaml.Node) {
	if size(n) <= mostInLine {
		n.Style = yaml.FlowStyle
		if n.Kind == yaml.ScalarNode {
			n.Style = 0
		}
		return
	}
	for _, c := range n.Content {
		flow(c)
	}
}

func size(n *yaml.Node) int {
	total := len(n.Value) + 2
	for _, c := range n.Content {
		total += size(c)
	}
	return total
}

// node returns a value of [Field] as a node.
func node(v any) *yaml.Node {
	n := &yaml.Node{}
	switch v := v.(type) {
	case Fields:
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		for _, f := range v {
			n.Content = append(n.Content, node(f.Name), node(f.Value))
		}
	case []any:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		for _, e := range v {
			n.Content = append(n.Content, node(e))
		}
	case string:
		if !utf8.ValidString(v) {
			encode(n, v)
			break
		}
		n.SetString(v)
		if otherYAML().MatchString(v) {
			n.Style = yaml.DoubleQuotedStyle
		}
	case int:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!int", strconv.Itoa(v)
	case uint64:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!int", strconv.FormatUint(v, 10)
	case bool:
		n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!bool", strconv.FormatBool(v)
	default:
		encode(n, v)
	}
	return n
}

// encode lets the library make a node. For each it starts a writer and a reader with buffers of their own, which is slow.
func encode(n *yaml.Node, v any) {
	if err := n.Encode(v); err != nil {
		panic(err) // texts, numbers and truth values
	}
}

// otherYAML matches texts that are truth values or numbers to readers of older YAML, so that they need quotes.
var otherYAML = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$`)
})
