package rules

import (
	"encoding/hex"
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

// datumForm is a number, text or a list of texts. Quotes make it text.
var datumForm = strict.NewForm(strict.Schema{"anyOf": []any{strict.NumberForm.Schema, strict.Schema{"type": "string"}, strict.Schema{"type": "array", "items": strict.TextForm.Schema}}},
	func(d *strict.Decoder, n *yaml.Node, what string) datum {
		switch {
		case n.Kind == yaml.SequenceNode:
			return datum{kind: aList, list: strict.ListOf(strict.TextForm, 0, "").Read(d, n, what)}
		case strict.IsNumber(n):
			return datum{number: d.Number(n, what)}
		case n.Kind == yaml.ScalarNode && n.Tag == "!!str":
			return datum{kind: aText, text: n.Value}
		}
		d.Wrong(n, `%s must be a number, text in quotes or a list of texts`, what)
		return datum{}
	})

// scalarForm is a number or text.
var scalarForm = strict.NewForm(strict.Schema{"anyOf": []any{strict.NumberForm.Schema, strict.Schema{"type": "string"}}},
	func(d *strict.Decoder, n *yaml.Node, what string) datum {
		if n.Kind == yaml.SequenceNode {
			d.Wrong(n, "%s must be a number or text in quotes", what)
			return datum{}
		}
		return datumForm.Read(d, n, what)
	})

var datumsForm = strict.ListOf(scalarForm, 1, "names no data")

var numberForm = strict.NewForm(strict.NumberForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) datum { return datum{number: d.Number(n, what)} })

var aTextForm = strict.NewForm(strict.TextForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) datum {
	return datum{kind: aText, text: d.Text(n, what)}
})

// textsForm is text or a list of texts.
var textsForm = strict.NewForm(strict.Schema{"anyOf": []any{strict.TextForm.Schema, strict.Schema{"type": "array", "items": strict.TextForm.Schema}}},
	func(d *strict.Decoder, n *yaml.Node, what string) datum {
		if n.Kind == yaml.SequenceNode {
			return datumForm.Read(d, n, what)
		}
		return aTextForm.Read(d, n, what)
	})

// otherObject is {value: $NAME}.
var otherObject = strict.Object[string]{
	Name: "other", Doc: "Another value of the same key, in place of data.",
	Fields: []strict.Field[string]{strict.Must("value", "The name of the value, with a dollar sign before it.",
		strict.NewForm(strict.Schema{"type": "string", "pattern": `^\$.`}, func(d *strict.Decoder, n *yaml.Node, what string) string {
			name, ok := strings.CutPrefix(d.Text(n, what), "$")
			if !ok || name == "" {
				d.Wrong(n, "the value to compare with is written with a dollar sign before its name, such as $MaxUserPort")
			}
			return name
		}), func(to *string, name string) { *to = name })},
}

// orOther is data, or the name of another value of the same key to compare with.
func orOther(f strict.Form[datum]) strict.Form[operand] {
	other := strict.Of(&otherObject, "other")
	return strict.NewForm(strict.Schema{"anyOf": []any{f.Schema, other.Schema}}, func(d *strict.Decoder, n *yaml.Node, what string) operand {
		if n.Kind == yaml.MappingNode {
			return operand{other: other.Read(d, n, what)}
		}
		return operand{datum: f.Read(d, n, what)}
	})
}

var rangeForm = strict.NewForm(strict.Schema{"type": "array", "items": strict.NumberForm.Schema, "minItems": 2, "maxItems": 2},
	func(d *strict.Decoder, n *yaml.Node, what string) interval {
		var ends []uint64
		for n := range d.Elements(n, what) {
			ends = append(ends, d.Number(n, "an end of "+what))
		}
		if len(ends) == 2 {
			return interval{ends[0], ends[1]}
		}
		if n.Kind == yaml.SequenceNode {
			d.Wrong(n, "%s needs two numbers, the lowest and the highest", what)
		}
		return everything
	})

var regexpForm = strict.NewForm(strict.AnyText(strict.Schema{"format": "regex"}), func(d *strict.Decoder, n *yaml.Node, what string) *regexp.Regexp {
	text := d.Text(n, what)
	tree, err := syntax.Parse(text[:min(len(text), maxRegexp)], syntax.Perl)
	switch {
	case len(text) > maxRegexp:
		d.Wrong(n, "%s is a regular expression of %d bytes; want at most %d", what, len(text), maxRegexp)
	case err != nil:
		d.Wrong(n, "%s is no regular expression (RE2): %s", what, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	case d.Spend(strict.Locate(n), what, regexpCost(tree)/2):
		return regexp.MustCompile(text) // it was parsed
	}
	return regexp.MustCompile("")
})

// maxRegexp is how long a regular expression may be in bytes.
const maxRegexp = 10_000

// regexpCost returns about how many instructions of 40 bytes a regular expression takes once it is compiled.
func regexpCost(re *syntax.Regexp) int {
	const huge = 1 << 40
	cost := 1 + len(re.Rune)/8 // the bounds of its ranges
	if re.Op == syntax.OpLiteral {
		cost = len(re.Rune)
	}
	for _, sub := range re.Sub {
		cost += regexpCost(sub)
	}
	if re.Op == syntax.OpRepeat {
		cost *= max(re.Min, re.Max, 1)
	}
	return min(cost, huge)
}

// bytesForm is bytes in hex. Blanks and commas may stand between them, as in .reg files.
var bytesForm = strict.NewForm(strict.AnyText(strict.Schema{"pattern": `^[\s,]*([0-9A-Fa-f]{2}[\s,]*)*$`}), func(d *strict.Decoder, n *yaml.Node, what string) []byte {
	b, err := parseBytes(d.Text(n, what))
	if err != nil {
		d.Wrong(n, "%s must be %s", what, kindNames[someBytes])
	}
	return b
})

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

var lengthForm = strict.NewForm(strict.Of(&lengthObject, "length").Schema, func(d *strict.Decoder, n *yaml.Node, what string) demand {
	return strict.Of(&lengthObject, "length").Read(d, n, what).demand(d, what)
})

// plain is data, never another value.
func plain(f strict.Form[datum]) strict.Form[operand] {
	return strict.NewForm(f.Schema, func(d *strict.Decoder, n *yaml.Node, what string) operand { return operand{datum: f.Read(d, n, what)} })
}

// globForm is a pattern for text of data.
var globForm = strict.NewForm(strict.TextForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) string {
	text := d.Text(n, what)
	if !d.Spend(strict.Locate(n), what, len(text)/2) {
		return ""
	}
	return text
})
