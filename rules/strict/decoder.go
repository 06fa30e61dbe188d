// Package strict reads YAML files that people write, rule files and configs, by tables of fields. It notes every mistake with its file, line and
// column and reads on, so that one run shows them all. The JSON Schema for editors is made from the same tables.
//
// A file may be hostile. [Read] limits its names and values before it parses them, and then what they are with aliases followed and how deep they
// are nested. Readers of its parts account for more memory with [Decoder.Spend].
package strict

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// File is what [Read] must know of a file.
type File struct {
	Source string    // its name in the mistakes
	Kind   hive.Kind // of the mistakes
	Whole  string    // what the file is, such as "a config"
	Most   int       // how many parts a small file may have, see [parts]
	Empty  string    // the message for an empty file; "" if that is no mistake
}

// Decoder walks the YAML of a file and notes the mistakes in it.
type Decoder struct {
	File
	text     string // of the file
	mistakes Mistakes
	left     int  // parts that Spend may still take
	full     bool // nothing more is read
}

// Read reads a file that holds one YAML document. It calls read with the root if there is one that can be read: the file is YAML, not empty, and
// costs no more than it may. The error is [Mistakes], sorted by place, or nil.
func Read(f File, data []byte, read func(d *Decoder, root *yaml.Node)) error {
	d := &Decoder{File: f, left: f.Most}
	return d.finish(d.document(data), read)
}

// finish reads from the root, which is nil if the file cannot be read, and returns the mistakes.
func (d *Decoder) finish(root *yaml.Node, read func(d *Decoder, root *yaml.Node)) error {
	switch {
	case root != nil:
		read(d, root)
	case len(d.mistakes) == 0 && d.Empty != "":
		d.WrongAt(start, "%s", d.Empty)
	}
	if len(d.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int {
		return slices.Compare([]int{a.At.Line, a.At.Column}, []int{b.At.Line, b.At.Column})
	})
	d.mistakes.quote(d.text)
	return d.mistakes
}

const (
	maxMistakes = 200 // of a file
	maxQuoted   = 500 // bytes of each text in a message
)

// Wrong notes a mistake at a node, as [Decoder.WrongAt] does.
func (d *Decoder) Wrong(n *yaml.Node, format string, args ...any) {
	d.WrongAt(Locate(n), format, args...)
}

// WrongAt notes a mistake at a place. It shortens long texts among args, and after too many mistakes it notes no more and reading stops.
func (d *Decoder) WrongAt(at hive.Location, format string, args ...any) {
	switch {
	case d.full:
		return
	case len(d.mistakes) == maxMistakes:
		d.full = true
		format, args = "there are more mistakes than %d; mend the others first", []any{maxMistakes}
	}
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = short(arg)
		case error:
			args[i] = short(arg.Error())
		}
	}
	msg := hive.Visible(fmt.Sprintf(format, args...))
	d.mistakes = append(d.mistakes, Mistake{Problem: hive.Problem{Source: d.Source, At: at, Kind: d.Kind, Msg: msg}})
}

func short(text string) string {
	if len(text) <= maxQuoted {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuoted], "") + "…"
}

// Mistakes returns how many mistakes were noted so far.
func (d *Decoder) Mistakes() int { return len(d.mistakes) }

// noField notes that a mapping has no field of a name. It returns the known name that was most likely meant, or "".
func (d *Decoder) noField(key *yaml.Node, what string, known []string) (meant string) {
	if key.Value == "<<" {
		d.Wrong(key, "%s has no field \"<<\": merge keys are not for %s; write out what it stands for", what, strings.TrimPrefix(d.Whole, "a ")+"s")
		return ""
	}
	d.Wrong(key, "%s has no field %q%s", what, key.Value, OneOf(key.Value, known))
	return Nearest(key.Value, known)
}

// start is the beginning of a file.
var start = hive.Location{Line: 1, Column: 1}

// Locate returns the place of a node in its file.
func Locate(n *yaml.Node) hive.Location { return hive.Location{Line: n.Line, Column: n.Column} }

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Elements walks a list; anything else is a mistake. Aliases are followed.
func (d *Decoder) Elements(n *yaml.Node, what string) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n.Kind != yaml.SequenceNode {
			d.Wrong(n, "%s must be a list", what)
			return
		}
		for _, element := range n.Content {
			if d.full || !yield(resolved(element)) {
				return
			}
		}
	}
}

// Pairs walks the names and values of a mapping whose names are free; anything else is a mistake, and so is a name that stands twice.
// Aliases are followed; the place of a name is that of its alias.
func (d *Decoder) Pairs(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(name, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			d.Wrong(n, "%s must be a mapping, with lines such as %q", what, "NAME: VALUE")
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content) && !d.full; i += 2 {
			name := n.Content[i]
			switch says := resolved(name); {
			case says.Kind == yaml.MappingNode && len(says.Content) == 2 && isNull(says.Content[1]): // a name in braces without quotes
				name = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: says.Style, Value: "{" + says.Content[0].Value + "}", Line: name.Line, Column: name.Column}
			case says != name:
				name = &yaml.Node{Kind: says.Kind, Tag: says.Tag, Style: says.Style, Value: says.Value, Line: name.Line, Column: name.Column}
			}
			switch {
			case name.Kind != yaml.ScalarNode:
				d.Wrong(name, "a name in %s must be a word", what)
				continue
			case seen[name.Value]:
				d.Wrong(name, "%s stands twice in %s", name.Value, what)
				continue
			}
			seen[name.Value] = true
			if !yield(name, resolved(n.Content[i+1])) {
				return
			}
		}
	}
}

// Has reports whether a mapping has a field.
func Has(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if resolved(n.Content[i]).Value == name {
			return true
		}
	}
	return false
}
