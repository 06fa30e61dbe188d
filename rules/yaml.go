package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// decoder reads YAML nodes and notes every mistake with its place. It goes on after each, so that one run shows them all.
type decoder struct {
	source   string
	mistakes Mistakes
	depth    int // of the condition that is being read in others
}

func (d *decoder) wrong(n *yaml.Node, format string, args ...any) {
	d.wrongAt(locate(n), format, args...)
}

func (d *decoder) wrongAt(at hive.Location, format string, args ...any) {
	problem := hive.Problem{Source: d.source, At: at, Kind: BadRule, Msg: fmt.Sprintf(format, args...)}
	d.mistakes = append(d.mistakes, Mistake{problem, ""})
}

// yamlLine finds the line in an error of the YAML parser, which has no field for it.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): (?s:(.*))$`)

// document gives the root of a file that must hold one YAML document.
func (d *decoder) document(data []byte) *yaml.Node {
	in := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	switch err := in.Decode(&root); {
	case errors.Is(err, io.EOF):
		d.wrongAt(hive.Location{Line: 1, Column: 1}, "the file holds no rules; a rule file starts with \"pack: NAME\"")
		return nil
	case err != nil:
		d.syntax(err)
		return nil
	}
	if err := in.Decode(&second); err == nil {
		d.wrong(&second, "a second YAML document; a rule file is one document")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	if hasAlias(&root) && !d.unfolds(&root) {
		return nil
	}
	return resolved(root.Content[0])
}

// hasAlias tells whether a document holds an alias at all.
func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// unfolds tells whether the aliases of a document can be followed: none leads back into itself, and all of them together do not make a
// large document of a small one, as in a file that is made to exhaust who reads it.
func (d *decoder) unfolds(root *yaml.Node) bool {
	const (
		most = 1 << 20 // nodes, with all aliases followed
		huge = 1 << 40
	)
	size := map[*yaml.Node]int{} // of those visited; 0 while the visit lasts
	nodes := 0
	var alias, circle *yaml.Node
	var measure func(n *yaml.Node) int
	measure = func(n *yaml.Node) int {
		if known, ok := size[n]; ok {
			if known == 0 {
				circle = n
			}
			return known
		}
		nodes++
		if n.Kind == yaml.ScalarNode {
			return 1
		}
		size[n] = 0
		sum := 1
		for _, child := range n.Content {
			sum = min(sum+measure(child), huge)
		}
		if n.Kind == yaml.AliasNode {
			alias = n
			sum = min(sum+measure(n.Alias), huge)
		}
		size[n] = sum
		return sum
	}
	total := measure(root)
	switch {
	case circle != nil:
		d.wrong(circle, "an alias stands for what it is itself a part of")
	case total > most && total > 4*nodes:
		d.wrong(alias, "the aliases of this file make more than %d nodes of %d; write out what they stand for", most, nodes)
	default:
		return true
	}
	return false
}

func (d *decoder) syntax(err error) {
	line, msg := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = m[2]
		if strings.HasPrefix(msg, "did not find expected") {
			line++ // the YAML parser counts the lines of these from 0, of all others from 1
		}
	}
	d.wrongAt(hive.Location{Line: max(line, 1), Column: 1}, "not YAML: %s", strings.ReplaceAll(msg, "\n", " "))
}

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// each calls f for each element of a list.
func (d *decoder) each(n *yaml.Node, what string, f func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, "%s must be a list", what)
		return
	}
	for _, element := range n.Content {
		f(resolved(element))
	}
}

func (d *decoder) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.wrong(n, "%s must be text", what)
		return ""
	}
	return n.Value
}

// line is text that must not be empty; line breaks in it count as blanks.
func (d *decoder) line(n *yaml.Node, what string) string {
	if s := d.text(n, what); n.Kind == yaml.ScalarNode && strings.TrimSpace(s) != "" {
		return strings.Join(strings.Fields(s), " ")
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		d.wrong(n, "%s must not be empty", what)
	}
	return ""
}

func (d *decoder) number(n *yaml.Node, what string) uint64 {
	var v uint64
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&v) != nil {
		d.wrong(n, "%s must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388", what)
		return 0
	}
	return v
}

func (d *decoder) boolean(n *yaml.Node, what string) bool {
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&v) != nil {
		d.wrong(n, "%s must be true or false", what)
	}
	return v
}

// choice reads one of some words.
func (d *decoder) choice(n *yaml.Node, what string, words []string) string {
	s := d.text(n, what)
	if n.Kind != yaml.ScalarNode || slices.Contains(words, s) {
		return s
	}
	d.wrong(n, "%s cannot be %q%s", what, s, oneOf(s, words))
	return ""
}

// oneOf ends a message about a word that is none of those known: with the one that was most likely meant, else with all.
func oneOf(word string, known []string) string {
	if best := Nearest(word, known); best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; it can be " + list(known, "or")
}

// Nearest gives the known word that a misspelt one is most like, for a message that asks "did you mean"; "" when none is like it. Case
// does not count.
func Nearest(word string, known []string) string {
	best, like := "", 0.5 // of 1; below it a suggestion puzzles more than it helps
	for _, k := range known {
		if l := levenshtein.Match(strings.ToLower(word), strings.ToLower(k), nil); l > like || l == like && best == "" {
			best, like = k, l
		}
	}
	return best
}

// list writes words as people do: a, b and c.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
