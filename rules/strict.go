package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// StrictReader walks the YAML of a file that people write, a rule file or a config, and notes every mistake with its place. It goes on
// after each, so that one run shows them all.
type StrictReader struct {
	Source string    // the file, as it is named in the mistakes
	Kind   hive.Kind // of the mistakes
	Whole  string    // what the file is, such as "a config"
	Most   int       // how many elements of lists and mappings are walked; 0 for all. Aliases can make many of few

	text     string // of the file
	mistakes Mistakes
	walked   int // elements so far
}

// Wrong notes a mistake at a node.
func (r *StrictReader) Wrong(n *yaml.Node, format string, args ...any) {
	r.WrongAt(Locate(n), format, args...)
}

// WrongAt notes a mistake at a place.
func (r *StrictReader) WrongAt(at hive.Location, format string, args ...any) {
	problem := hive.Problem{Source: r.Source, At: at, Kind: r.Kind, Msg: fmt.Sprintf(format, args...)}
	r.mistakes = append(r.mistakes, Mistake{problem, ""})
}

// NoField notes that a mapping has no field of a name, and gives the known one that was most likely meant; "" for none.
func (r *StrictReader) NoField(key *yaml.Node, what string, known []string) (meant string) {
	if key.Value == "<<" {
		r.Wrong(key, "%s has no field \"<<\": merge keys are not for %s; write out what it stands for", what, strings.TrimPrefix(r.Whole, "a ")+"s")
		return ""
	}
	r.Wrong(key, "%s has no field %q%s", what, key.Value, OneOf(key.Value, known))
	return Nearest(key.Value, known)
}

// Mistakes gives what was wrong in the order of the places, each with its line of the file, after it was read as a [StrictReader.Document].
func (r *StrictReader) Mistakes() Mistakes {
	if len(r.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int {
		return slices.Compare([]int{a.At.Line, a.At.Column}, []int{b.At.Line, b.At.Column})
	})
	lines := lineBreak().Split(r.text, -1)
	for i, m := range r.mistakes {
		if m.At.Line <= len(lines) {
			r.mistakes[i].Text = lines[m.At.Line-1]
		}
	}
	return r.mistakes
}

// Document gives the root of a file, which may hold one YAML document; nil for a file that is no YAML, or that holds none, which is no
// mistake here.
func (r *StrictReader) Document(data []byte) *yaml.Node {
	r.text = toUTF8(data)
	if offset, why := notYAML(r.text); why != "" {
		r.WrongAt(placeOf(r.text, offset), "not YAML: %s", why)
		return nil
	}
	root, second, err := parseYAML(r.text)
	switch {
	case err != nil:
		r.WrongAt(breaksAt(r.text, err), "not YAML: %s%s", complaint(err), advice(err))
	case second != nil:
		r.Wrong(second, "a second YAML document; %s is one document", r.Whole)
	}
	return root
}

// Locate gives the place of a node in its file.
func Locate(n *yaml.Node) hive.Location { return hive.Location{Line: n.Line, Column: n.Column} }

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// room tells whether one more element may be walked.
func (r *StrictReader) room(n *yaml.Node) bool {
	if r.Most == 0 {
		return true
	}
	if r.walked++; r.walked == r.Most+1 {
		r.Wrong(n, "the file says too much, with more than %d elements", r.Most)
	}
	return r.walked <= r.Most
}

// Elements walks a list; anything else is a mistake. An alias is what it stands for.
func (r *StrictReader) Elements(n *yaml.Node, what string) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n.Kind != yaml.SequenceNode {
			r.Wrong(n, "%s must be a list", what)
			return
		}
		for _, element := range n.Content {
			if !r.room(element) || !yield(resolved(element)) {
				return
			}
		}
	}
}

// Pairs walks the names of a mapping with what stands behind each. A name is where it stands and what it says, though an alias says it;
// it need not be a scalar, nor the first of its kind.
func (r *StrictReader) Pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(name, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content) && r.room(n.Content[i]); i += 2 {
			at, says := n.Content[i], resolved(n.Content[i])
			name := &yaml.Node{Kind: says.Kind, Value: says.Value, Line: at.Line, Column: at.Column}
			if !yield(name, resolved(n.Content[i+1])) {
				return
			}
		}
	}
}

// OneOf ends a message about a word that is none of those known: with the one that was most likely meant, else with all.
func OneOf(word string, known []string) string {
	if best := Nearest(word, known); best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; it can be " + list(known, "or")
}

// Nearest gives the known word that a misspelt one is most like, for a message that asks "did you mean"; "" when none is like it. Case
// does not count, and two letters the wrong way round are one error.
func Nearest(word string, known []string) string {
	best, like := "", 0.5 // of 1; below it a suggestion puzzles more than it helps
	for _, k := range known {
		l := levenshtein.Match(strings.ToLower(word), strings.ToLower(k), nil)
		if swapped(strings.ToLower(word), strings.ToLower(k)) {
			l = 1 - 1/float64(len(k))
		}
		if l > like || l == like && best == "" {
			best, like = k, l
		}
	}
	return best
}

// swapped tells that two words differ by two neighbours that changed places.
func swapped(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// list writes words as people do: a, b and c.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
