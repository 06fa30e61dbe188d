package rules

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// decoder reads a rule file.
type decoder struct {
	StrictReader
	depth int // of the condition that is being read in others
}

// document gives the root of a file that must hold rules.
func (d *decoder) document(data []byte) *yaml.Node {
	root := d.Document(data)
	switch {
	case root == nil && len(d.mistakes) == 0:
		d.WrongAt(hive.Location{Line: 1, Column: 1}, "the file holds no rules; a rule file starts with \"pack: NAME\"")
	case root != nil && hasAlias(root) && !d.unfolds(root):
		return nil
	}
	return root
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
		d.Wrong(circle, "an alias stands for what it is itself a part of")
	case total > most && total > 4*nodes:
		d.Wrong(alias, "the aliases of this file make more than %d nodes of %d; write out what they stand for", most, nodes)
	default:
		return true
	}
	return false
}

func (d *decoder) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.Wrong(n, "%s must be text", what)
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
		d.Wrong(n, "%s must not be empty", what)
	}
	return ""
}

// wholeNumber is how numbers are written that all readers of YAML understand alike. With a zero before it one is octal for some.
var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|0x[0-9A-Fa-f]+|0o[0-7]+)$`)
	zeroBefore  = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

func (d *decoder) number(n *yaml.Node, what string) uint64 {
	var v uint64
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!int" && zeroBefore.MatchString(n.Value):
		d.Wrong(n, "the number %s has a zero before it, which readers of YAML do not understand alike; write it without, or in hex such as 0x1388", n.Value)
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int" || !wholeNumber.MatchString(n.Value) || n.Decode(&v) != nil:
		d.Wrong(n, "%s must be %s", what, kindNames[aNumber])
	default:
		return v
	}
	return 0
}

func (d *decoder) boolean(n *yaml.Node, what string) bool {
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&v) != nil {
		d.Wrong(n, "%s must be true or false", what)
	}
	return v
}

// choice reads one of some words.
func (d *decoder) choice(n *yaml.Node, what string, words []string) string {
	s := d.text(n, what)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || slices.Contains(words, s) {
		return s
	}
	d.Wrong(n, "%s cannot be %q%s", what, s, OneOf(s, words))
	return ""
}
