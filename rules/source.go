package rules

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// Source is where a rule stands that was written for another program.
type Source struct {
	ID   string // as that program has it; "" for none
	File string // its name without folders
	Line int    // the first is 1; 0 for a file without lines
}

// String returns the place for people: list.csv:12 (1300).
func (s Source) String() string {
	text := s.File
	if s.Line > 0 {
		text += ":" + strconv.Itoa(s.Line)
	}
	if s.ID != "" {
		text += " (" + s.ID + ")"
	}
	return text
}

var sourceObject = strict.Object[Source]{
	Name: "source", What: "a source", Doc: "Where a rule stands that was written for another program.",
	Fields: []strict.Field[Source]{
		strict.May("id", "What that program calls the rule.", strict.LineForm, func(s *Source, id string) { s.ID = id }),
		strict.Must("file", "The name of the file.", strict.LineForm, func(s *Source, name string) { s.File = name }),
		strict.May("line", "The line in it; the first is 1.", strict.NumberForm, func(s *Source, n uint64) { s.Line = int(min(n, 1<<31-1)) }),
	},
}

var sourcesForm = strict.OneOrMore(strict.Of(&sourceObject, "source"), "names no source")

// questionFields are the fields that decide what a rule asks.
var questionFields = []string{"key", "value", "misspelt", "other_than", "expect", "missing", "when", "all", "any", "none", "policy", "overrides", "assume", "inventory", "nowhere", "caveat"}

// asked returns what a rule asks as text: two rules with the same text ask the same.
func asked(n *yaml.Node) string {
	var b strings.Builder
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.Contains(questionFields, n.Content[i].Value) {
			writeNode(&b, n.Content[i])
			writeNode(&b, n.Content[i+1])
		}
	}
	return b.String()
}

func writeNode(b *strings.Builder, n *yaml.Node) {
	b.WriteString(n.Tag)
	if n.Kind == yaml.ScalarNode {
		b.WriteString(strings.ReplaceAll(n.Value, "\x00", "\x00\x00"))
	}
	for _, c := range n.Content {
		writeNode(b, c)
	}
	b.WriteByte(0)
}

// merged returns the rules with one in place of those that were written for other programs and ask the same. It has the sources, levels and tags
// of all, and the highest severity. Rules for which keep is true stay as they are.
func merged(all []*Rule, keep func(*Rule) bool) []*Rule {
	var out []*Rule
	first := map[string]int{} // what is asked → index in out
	for _, r := range all {
		if len(r.Sources) == 0 || keep != nil && keep(r) {
			out = append(out, r)
			continue
		}
		i, there := first[r.asks]
		if !there {
			first[r.asks] = len(out)
			out = append(out, r)
			continue
		}
		one := *out[i]
		one.Sources = slices.Concat(one.Sources, r.Sources)
		one.Levels = union(one.Levels, r.Levels)
		one.Tags = union(one.Tags, r.Tags)
		one.base.severity = max(one.base.severity, r.base.severity)
		out[i] = &one
	}
	return out
}

// union returns the words of both lists, each once.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, word := range b {
		if !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return all
}
