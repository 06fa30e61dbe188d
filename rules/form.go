package rules

import (
	"maps"
	"slices"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

// form is how one thing is written in a rule file. The decoder reads it so, and the JSON Schema tells editors the same: what a rule file
// may hold stands in one place, in the tables of objects.
type form[V any] struct {
	schema schema
	read   func(d *decoder, n *yaml.Node, what string) V
}

// field is a field of an object that is read into a T.
type field[T any] struct {
	name, doc string
	required  bool
	schema    schema
	read      func(d *decoder, n *yaml.Node, to *T)
}

// may is a field that can be left out.
func may[T, V any](name, doc string, f form[V], set func(to *T, v V)) field[T] {
	return field[T]{name: name, doc: doc, schema: f.schema, read: func(d *decoder, n *yaml.Node, to *T) { set(to, f.read(d, n, name)) }}
}

// must is a field that cannot.
func must[T, V any](name, doc string, f form[V], set func(to *T, v V)) field[T] {
	m := may(name, doc, f, set)
	m.required = true
	return m
}

// object is a mapping whose fields are known.
type object[T any] struct {
	name   string // of its definition in the JSON Schema
	what   string // in messages; "" for the name of the field that holds it
	doc    string
	fields []field[T]
	empty  string // the message where it has no field; "" where that is allowed
}

// read reads a mapping: each field by its own form. Unknown, repeated and missing fields are mistakes.
func (o *object[T]) read(d *decoder, n *yaml.Node, what string, to *T) {
	n = resolved(n)
	if o.what != "" {
		what = o.what
	}
	if n.Kind != yaml.MappingNode {
		d.Wrong(n, "%s must be a mapping with the fields %s", what, list(o.names(), "and"))
		return
	}
	seen := make([]bool, len(o.fields))
	for key, value := range d.Pairs(n) {
		at := o.index(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode || at < 0:
			if at = o.index(d.NoField(key, what, o.names())); at >= 0 {
				seen[at] = true // misspelt is one mistake, not two
			}
		case seen[at]:
			d.Wrong(key, "field %s stands twice in %s", key.Value, what)
		default:
			seen[at] = true
			o.fields[at].read(d, value, to)
		}
	}
	for i, f := range o.fields {
		if f.required && !seen[i] {
			d.Wrong(n, "%s needs the field %s", what, f.name)
		}
	}
	if o.empty != "" && len(n.Content) == 0 {
		d.Wrong(n, "%s %s", what, o.empty)
	}
}

// index gives the place of a field in the object; -1 for none.
func (o *object[T]) index(name string) int {
	return slices.IndexFunc(o.fields, func(f field[T]) bool { return f.name == name })
}

func (o *object[T]) names() []string {
	names := each(o.fields, func(f field[T]) string { return f.name })
	slices.Sort(names)
	return names
}

// define adds the object to the definitions of a JSON Schema.
func (o *object[T]) define(definitions schema) {
	properties := schema{}
	required := []string{}
	for _, f := range o.fields {
		property := maps.Clone(f.schema)
		if property["$ref"] != nil {
			property = schema{"allOf": []any{property}} // what stands beside a $ref counts for nothing in draft 7
		}
		property["description"] = f.doc
		properties[f.name] = property
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "description": o.doc, "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if o.empty != "" {
		s["minProperties"] = 1
	}
	definitions[o.name] = s
}

// of is the form of a mapping that is read into a T. The object may be filled in later, so that objects can hold each other.
func of[T any](o *object[T], name string) form[T] {
	return form[T]{schema{"$ref": "#/definitions/" + name}, func(d *decoder, n *yaml.Node, what string) (to T) {
		o.read(d, n, what, &to)
		return to
	}}
}

// listOf is a list of things of one form, with at least some of them.
func listOf[V any](f form[V], least int, empty string) form[[]V] {
	s := schema{"type": "array", "items": f.schema}
	if least > 0 {
		s["minItems"] = least
	}
	return form[[]V]{s, func(d *decoder, n *yaml.Node, what string) (all []V) {
		for element := range d.Elements(n, what) {
			all = append(all, f.read(d, element, "an element of "+what))
		}
		if n.Kind == yaml.SequenceNode && len(all) < least {
			d.Wrong(n, "%s %s", what, empty)
		}
		return all
	}}
}

// oneOrMore is one thing of a form, or a list of them.
func oneOrMore[V any](f form[V], empty string) form[[]V] {
	many := listOf(f, 1, empty)
	return form[[]V]{schema{"anyOf": []any{f.schema, many.schema}}, func(d *decoder, n *yaml.Node, what string) []V {
		if n.Kind == yaml.SequenceNode {
			return many.read(d, n, what)
		}
		return []V{f.read(d, n, what)}
	}}
}

// choice is one of some words.
func choice(words ...string) form[string] {
	return form[string]{schema{"enum": words}, func(d *decoder, n *yaml.Node, what string) string { return d.choice(n, what, words) }}
}

// The forms of text and numbers. Text need not be in quotes where YAML takes it for something else.
var (
	scalar    = []string{"string", "number", "boolean"}
	textForm  = form[string]{schema{"type": scalar}, (*decoder).text}
	lineForm  = form[string]{schema{"type": scalar, "pattern": `\S`}, (*decoder).line}
	linesForm = listOf(lineForm, 0, "")
	nameForm  = form[string]{schema{"type": scalar, "pattern": nameSyntax}, (*decoder).name}
	wholeForm = form[uint64]{schema{"type": "integer", "minimum": 0, "maximum": uint64(1<<64 - 1)}, (*decoder).number}
	boolForm  = form[bool]{schema{"type": "boolean"}, (*decoder).boolean}
)

// parsed is text that a function understands; its error says why it does not.
func parsed[V any](s schema, parse func(string) (V, error)) form[V] {
	return form[V]{s, func(d *decoder, n *yaml.Node, what string) V {
		text := d.line(n, what)
		if text == "" {
			return *new(V)
		}
		v, err := parse(text)
		if err != nil {
			d.Wrong(n, "%v", err)
		}
		return v
	}}
}

// located is something with its place in the file.
type located[V any] struct {
	V  V
	at hive.Location
}

// placed keeps the place of what a form reads, for what can be judged only with the rest of the rule.
func placed[V any](f form[V]) form[located[V]] {
	return form[located[V]]{f.schema, func(d *decoder, n *yaml.Node, what string) located[V] {
		return located[V]{f.read(d, n, what), Locate(n)}
	}}
}
