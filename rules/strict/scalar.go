package strict

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// isNull reports whether a node is null, for example because all of it is commented out.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Text reads text, which may be empty if it is in quotes.
func (d *Decoder) Text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.Wrong(n, "%s must be text", what)
		return ""
	}
	return n.Value
}

// Word reads text that holds more than blanks, as it stands.
func (d *Decoder) Word(n *yaml.Node, what string) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.Wrong(n, "%s must be text", what)
	case isNull(n) || strings.TrimSpace(n.Value) == "":
		d.Wrong(n, "%s must not be empty", what)
	default:
		return n.Value
	}
	return ""
}

// Line is [Decoder.Word] with each run of blanks and line breaks made one blank.
func (d *Decoder) Line(n *yaml.Node, what string) string {
	text := d.Word(n, what)
	if isLine(text) {
		return text
	}
	return OneLine(text)
}

// isLine reports whether text is surely as [Decoder.Line] leaves it.
func isLine(text string) bool {
	blank := true
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf || c < ' ' || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return !blank
}

// NumberSyntax says how [Decoder.Number] wants a number.
const NumberSyntax = "a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388"

// The numbers that all readers of YAML understand alike. One with a zero before it is octal for some.
var (
	wholeNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|0x[0-9A-Fa-f]+|0o[0-7]+)$`) })
	zeroBefore  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[-+]?0[0-9_]+$`) })
)

// Number reads a whole number of 64 bits without a sign.
func (d *Decoder) Number(n *yaml.Node, what string) uint64 {
	var v uint64
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!int" && zeroBefore().MatchString(n.Value):
		d.Wrong(n, "the number %s has a zero before it, which readers of YAML do not understand alike; write it without, or in hex such as 0x1388", n.Value)
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int" || !wholeNumber().MatchString(n.Value) || n.Decode(&v) != nil:
		d.Wrong(n, "%s must be %s", what, NumberSyntax)
	default:
		return v
	}
	return 0
}

// IsNumber reports whether a node is meant as a whole number. YAML takes one of more than 64 bits for text.
func IsNumber(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!str" && n.Style == 0 && wholeNumber().MatchString(n.Value))
}

// boolean reads true or false.
func (d *Decoder) boolean(n *yaml.Node, what string) bool {
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(&v) != nil {
		d.Wrong(n, "%s must be true or false", what)
	}
	return v
}

// Choice reads one of some words.
func (d *Decoder) Choice(n *yaml.Node, what string, words []string) string {
	s := d.Word(n, what)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	d.Wrong(n, "%s cannot be %q%s", what, s, OneOf(s, words))
	return ""
}
