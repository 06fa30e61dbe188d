package rules

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// datumForm is a number, text or a list of texts. YAML tells which by the quotes.
var datumForm = form[Datum]{schema{"anyOf": []any{wholeForm.schema, schema{"type": "string"}, schema{"type": "array", "items": textForm.schema}}},
	func(d *decoder, n *yaml.Node, what string) Datum {
		switch {
		case n.Kind == yaml.SequenceNode:
			return Datum{kind: aList, list: listOf(textForm, 0, "").read(d, n, what)}
		case n.Kind == yaml.ScalarNode && n.Tag == "!!str" && !tooLarge(n):
			return Datum{kind: aText, text: n.Value}
		case n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || tooLarge(n)):
			return Datum{number: d.number(n, what)}
		}
		d.Wrong(n, `%s must be a number, text in quotes or a list of texts`, what)
		return Datum{}
	}}

// tooLarge tells that a number in hex was taken for text, because it has more than 64 bits.
func tooLarge(n *yaml.Node) bool {
	return n.Style == 0 && n.Tag == "!!str" && wholeNumber.MatchString(n.Value)
}

// scalarForm is a number or text.
var scalarForm = form[Datum]{schema{"anyOf": []any{wholeForm.schema, schema{"type": "string"}}},
	func(d *decoder, n *yaml.Node, what string) Datum {
		if n.Kind == yaml.SequenceNode {
			d.Wrong(n, "%s must be a number or text in quotes", what)
			return Datum{}
		}
		return datumForm.read(d, n, what)
	}}

var datumsForm = listOf(scalarForm, 1, "names no data")

var numberForm = form[Datum]{wholeForm.schema, func(d *decoder, n *yaml.Node, what string) Datum { return Datum{number: d.number(n, what)} }}

var aTextForm = form[Datum]{textForm.schema, func(d *decoder, n *yaml.Node, what string) Datum { return Datum{kind: aText, text: d.text(n, what)} }}

// textsForm is text or a list of texts.
var textsForm = form[Datum]{schema{"anyOf": []any{textForm.schema, schema{"type": "array", "items": textForm.schema}}},
	func(d *decoder, n *yaml.Node, what string) Datum {
		if n.Kind == yaml.SequenceNode {
			return datumForm.read(d, n, what)
		}
		return aTextForm.read(d, n, what)
	}}

// otherObject is {value: $NAME}.
var otherObject = object[string]{
	name: "other", doc: "Another value of the same key, in place of data.",
	fields: []field[string]{must("value", "The name of the value, with a dollar sign before it.",
		form[string]{schema{"type": "string", "pattern": `^\$.`}, func(d *decoder, n *yaml.Node, what string) string {
			name, ok := strings.CutPrefix(d.text(n, what), "$")
			if !ok || name == "" {
				d.Wrong(n, "the value to compare with is written with a dollar sign before its name, such as $MaxUserPort")
			}
			return name
		}}, func(to *string, name string) { *to = name })},
}

// orOther is data, or another value of the same key in their place.
func orOther(f form[Datum]) form[operand] {
	other := of(&otherObject, "other")
	return form[operand]{schema{"anyOf": []any{f.schema, other.schema}}, func(d *decoder, n *yaml.Node, what string) operand {
		if n.Kind == yaml.MappingNode {
			return operand{other: other.read(d, n, what)}
		}
		return operand{Datum: f.read(d, n, what)}
	}}
}

var rangeForm = form[Range]{schema{"type": "array", "items": wholeForm.schema, "minItems": 2, "maxItems": 2},
	func(d *decoder, n *yaml.Node, what string) Range {
		var ends []uint64
		for n := range d.Elements(n, what) {
			ends = append(ends, d.number(n, "an end of "+what))
		}
		if len(ends) == 2 {
			return Range{ends[0], ends[1]}
		}
		if n.Kind == yaml.SequenceNode {
			d.Wrong(n, "%s needs two numbers, the lowest and the highest", what)
		}
		return everything
	}}

var regexpForm = form[*regexp.Regexp]{schema{"type": scalar, "format": "regex"}, func(d *decoder, n *yaml.Node, what string) *regexp.Regexp {
	re, err := regexp.Compile(d.text(n, what))
	if err != nil {
		d.Wrong(n, "%s is no regular expression (RE2): %s", what, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return regexp.MustCompile("")
	}
	return re
}}

// bytesForm is bytes in hex. Blanks and commas may stand between them, as in .reg files.
var bytesForm = form[[]byte]{schema{"type": scalar, "pattern": `^[\s,]*([0-9A-Fa-f]{2}[\s,]*)*$`}, func(d *decoder, n *yaml.Node, what string) []byte {
	b, err := parseBytes(d.text(n, what))
	if err != nil {
		d.Wrong(n, "%s must be %s", what, kindNames[someBytes])
	}
	return b
}}

func parseBytes(text string) ([]byte, error) {
	var b []byte
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,\t\r\n", r) }) {
		some, err := hex.DecodeString(part)
		if err != nil {
			return nil, errors.New("not hex")
		}
		b = append(b, some...)
	}
	return b, nil
}

var lengthForm = of(&lengthObject, "length")

// plain is data only.
func plain(f form[Datum]) form[operand] {
	return form[operand]{f.schema, func(d *decoder, n *yaml.Node, what string) operand { return operand{Datum: f.read(d, n, what)} }}
}
