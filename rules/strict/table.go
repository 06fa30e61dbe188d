package strict

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// Schema is a JSON Schema of draft 7, or a part of one.
type Schema = map[string]any

// Form is how one thing is written in a file: how it is read, and its JSON Schema for editors. In Read, what names the thing in messages.
type Form[V any] struct {
	Schema Schema
	Read   func(d *Decoder, n *yaml.Node, what string) V
}

// NewForm returns the form of a schema and a reader.
func NewForm[V any](s Schema, read func(d *Decoder, n *yaml.Node, what string) V) Form[V] {
	return Form[V]{s, read}
}

// Field is a field of a mapping that is read into a T.
type Field[T any] struct {
	Name, Doc string
	Required  bool
	schema    Schema
	read      func(d *Decoder, n *yaml.Node, to *T)
}

// May returns a field that can be left out.
func May[T, V any](name, doc string, f Form[V], set func(to *T, v V)) Field[T] {
	return Field[T]{Name: name, Doc: doc, schema: f.Schema, read: func(d *Decoder, n *yaml.Node, to *T) { set(to, f.Read(d, n, name)) }}
}

// Must returns a field that cannot be left out.
func Must[T, V any](name, doc string, f Form[V], set func(to *T, v V)) Field[T] {
	m := May(name, doc, f, set)
	m.Required = true
	return m
}

// Others are fields of a mapping whose names are free within a syntax.
type Others[T any] struct {
	names  *regexp.Regexp
	doc    string
	schema Schema
	read   func(d *Decoder, name, n *yaml.Node, to *T)
}

// NewOthers returns the fields whose names match a regular expression; set is told the name of each and its place.
func NewOthers[T, V any](names, doc string, f Form[V], set func(to *T, name string, v V, at hive.Location)) *Others[T] {
	return &Others[T]{names: regexp.MustCompile(names), doc: doc, schema: f.Schema, read: func(d *Decoder, name, n *yaml.Node, to *T) {
		set(to, name.Value, f.Read(d, n, name.Value), Locate(name))
	}}
}

// Object is a mapping whose fields are known.
type Object[T any] struct {
	Name   string // of its definition in the JSON Schema
	What   string // in messages; "" for the name of the field that holds it
	Doc    string
	Fields []Field[T]
	Others *Others[T] // fields whose names are free; nil if there are none
	Empty  string     // the message for a mapping without fields; "" if that is allowed
	Also   Schema     // rules about several fields, as far as a JSON Schema can express them
}

// Read reads a mapping: each field by its own form. Unknown, repeated and missing fields are mistakes.
func (o *Object[T]) Read(d *Decoder, n *yaml.Node, what string, to *T) {
	if o.What != "" {
		what = o.What
	}
	if n.Kind != yaml.MappingNode {
		d.Wrong(n, "%s must be a mapping with the fields %s", what, List(o.names(), "and"))
		return
	}
	seen := make([]bool, len(o.Fields))
	for name, value := range d.Pairs(n, what) {
		at := o.index(name.Value)
		if at < 0 && o.Others != nil && o.Others.names.MatchString(name.Value) {
			o.Others.read(d, name, value, to)
			continue
		}
		if at >= 0 {
			o.Fields[at].read(d, value, to)
		} else {
			at = o.index(d.noField(name, what, o.names()))
		}
		if at >= 0 {
			seen[at] = true // a misspelt field is one mistake, not two
		}
	}
	for i, f := range o.Fields {
		if f.Required && !seen[i] {
			d.Wrong(n, "%s needs the field %s", what, f.Name)
		}
	}
	if o.Empty != "" && len(n.Content) == 0 {
		d.Wrong(n, "%s %s", what, o.Empty)
	}
}

// index returns the place of a field in the object, or -1.
func (o *Object[T]) index(name string) int {
	return slices.IndexFunc(o.Fields, func(f Field[T]) bool { return f.Name == name })
}

func (o *Object[T]) names() []string {
	var names []string
	for _, f := range o.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

// define adds the object to the definitions of a JSON Schema.
func (o *Object[T]) define(definitions Schema) {
	properties := Schema{}
	required := []string{}
	for _, f := range o.Fields {
		property := maps.Clone(f.schema)
		if property["$ref"] != nil {
			property = Schema{"allOf": []any{property}} // draft 7 ignores everything beside a $ref
		}
		property["description"] = f.Doc
		properties[f.Name] = property
		if f.Required {
			required = append(required, f.Name)
		}
	}
	s := Schema{"type": "object", "description": o.Doc, "properties": properties, "additionalProperties": false}
	if o.Others != nil {
		s["patternProperties"] = Schema{o.Others.names.String(): Schema{"allOf": []any{o.Others.schema}, "description": o.Others.doc}}
	}
	if len(required) > 0 {
		s["required"] = required
	}
	if o.Empty != "" {
		s["minProperties"] = 1
	}
	maps.Copy(s, o.Also)
	definitions[o.Name] = s
}

// definition is an [Object] of any type.
type definition interface{ define(definitions Schema) }

// JSONSchema returns the JSON Schema of a file for editors, as indented text, from the schema of its root and the objects that it refers to.
func JSONSchema(title string, root Schema, objects ...definition) []byte {
	definitions := Schema{}
	for _, o := range objects {
		o.define(definitions)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(Schema{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": title, "allOf": []any{root}, "definitions": definitions,
	}); err != nil {
		panic(err) // it holds maps, lists, text and numbers only
	}
	return b.Bytes()
}

// Of returns the form of a mapping that is read into a T. The object may be filled in later, so that objects can refer to each other.
func Of[T any](o *Object[T], name string) Form[T] {
	return NewForm(Schema{"$ref": "#/definitions/" + name}, func(d *Decoder, n *yaml.Node, what string) (to T) {
		o.Read(d, n, what, &to)
		return to
	})
}

// ListOf returns the form of a list with at least some elements; empty is the message for a shorter one.
func ListOf[V any](f Form[V], least int, empty string) Form[[]V] {
	s := Schema{"type": "array", "items": f.Schema}
	if least > 0 {
		s["minItems"] = least
	}
	return NewForm(s, func(d *Decoder, n *yaml.Node, what string) (all []V) {
		one := "an element of " + what
		for element := range d.Elements(n, what) {
			all = append(all, f.Read(d, element, one))
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) < least {
			d.Wrong(n, "%s %s", what, empty)
		}
		return all
	})
}

// OneOrMore returns the form of one thing or a list of them.
func OneOrMore[V any](f Form[V], empty string) Form[[]V] {
	many := ListOf(f, 1, empty)
	return NewForm(Schema{"anyOf": []any{f.Schema, many.Schema}}, func(d *Decoder, n *yaml.Node, what string) []V {
		if n.Kind == yaml.SequenceNode {
			return many.Read(d, n, what)
		}
		return []V{f.Read(d, n, what)}
	})
}

// Optional returns the form of a thing that may be null, for example because all of it is commented out.
func Optional[V any](f Form[V]) Form[V] {
	return NewForm(Schema{"anyOf": []any{f.Schema, Schema{"type": "null"}}}, func(d *Decoder, n *yaml.Node, what string) V {
		if isNull(n) {
			return *new(V)
		}
		return f.Read(d, n, what)
	})
}

// OneWord returns the form of one of some words.
func OneWord(words ...string) Form[string] {
	return NewForm(Schema{"enum": words}, func(d *Decoder, n *yaml.Node, what string) string { return d.Choice(n, what, words) })
}

// scalar is what text may be: text that YAML takes for something else need not be in quotes.
var scalar = []string{"string", "number", "boolean"}

// AnyText returns the schema of text, with more constraints.
func AnyText(more Schema) Schema {
	s := Schema{"type": scalar}
	maps.Copy(s, more)
	return s
}

// The forms of text and numbers.
var (
	TextForm   = NewForm(AnyText(nil), (*Decoder).Text)
	LineForm   = NewForm(AnyText(Schema{"pattern": `\S`}), (*Decoder).Line)
	LinesForm  = ListOf(LineForm, 0, "")
	WordForm   = NewForm(Schema{"type": "string", "minLength": 1}, (*Decoder).Word)
	NumberForm = NewForm(Schema{"type": "integer", "minimum": 0, "maximum": uint64(1<<64 - 1)}, (*Decoder).Number)
	BoolForm   = NewForm(Schema{"type": "boolean"}, (*Decoder).boolean)
)

// Parsed returns the form of text that a function parses; its error is the message.
func Parsed[V any](s Schema, parse func(string) (V, error)) Form[V] {
	return NewForm(s, func(d *Decoder, n *yaml.Node, what string) V {
		text := d.Line(n, what)
		if text == "" {
			return *new(V)
		}
		v, err := parse(text)
		if err != nil {
			d.Wrong(n, "%v", err)
		}
		return v
	})
}

// Located is something with its place in the file, and whether it was read without a mistake.
type Located[V any] struct {
	V     V
	At    hive.Location
	Sound bool
}

// Placed returns a form that keeps the place of what it reads, for later checks against the rest of the file.
func Placed[V any](f Form[V]) Form[Located[V]] {
	return NewForm(f.Schema, func(d *Decoder, n *yaml.Node, what string) Located[V] {
		before := d.Mistakes()
		v := f.Read(d, n, what)
		return Located[V]{v, Locate(n), d.Mistakes() == before}
	})
}
