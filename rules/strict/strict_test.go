package strict

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// person is what the tests read.
type person struct {
	name    string
	age     uint64
	words   []string
	parents []person
}

var personObject Object[person]

func init() {
	personObject = Object[person]{
		Name: "person", What: "a person", Doc: "A person.", Empty: "says nothing",
		Fields: []Field[person]{
			Must("name", "The name.", LineForm, func(p *person, s string) { p.name = s }),
			May("age", "The age.", NumberForm, func(p *person, n uint64) { p.age = n }),
			May("words", "Words.", Optional(OneOrMore(WordForm, "names no word")), func(p *person, all []string) { p.words = all }),
			May("parents", "The parents.", ListOf(Of(&personObject, "person"), 0, ""), func(p *person, all []person) { p.parents = all }),
		},
	}
}

func readPerson(text string) (p person, err error) {
	f := File{Source: "f", Kind: "bad", Whole: "a file", Most: 10_000, Empty: "nobody is here"}
	err = Read(f, []byte(text), func(d *Decoder, root *yaml.Node) { personObject.Read(d, root, "", &p) })
	return p, err
}

func TestRead(t *testing.T) {
	p, err := readPerson("name: &a\n  A\n  B\nage: 0x10\nwords: *a\nparents: [{name: C, words: [d, e]}, {name: *a, words: }]\n")
	if got, want := fmt.Sprint(p, err), "{A B 16 [A B] [{C 0 [d e] []} {A B 0 [] []}]} <nil>"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestReadMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "f:1:1: nobody is here"},
		{"# nothing\n", "f:1:1: nobody is here"},
		{"{}", "f:1:1: a person needs the field name\nf:1:1: a person says nothing"},
		{"[]", "f:1:1: a person must be a mapping with the fields age, name, parents and words"},
		{"nmae: a\nname: b\nname: c", "f:1:1: a person has no field \"nmae\"; did you mean name?\nf:3:1: name stands twice in a person"},
		{"? [name]\n: b", "f:1:1: a person needs the field name\nf:1:3: a name in a person must be a word"},
		{"name:\nage: 07", "f:1:6: name must not be empty\nf:2:6: the number 07 has a zero before it, which readers of YAML do not understand alike; write it without, or in hex such as 0x1388"},
		{"name: {}\nwords: []\nparents: a", "f:1:7: name must be text\nf:2:8: words names no word\nf:3:10: parents must be a list"},
		{"name: &a [*a]", "f:1:11: an alias stands for what it is itself a part of"},
		{"name: \u202ea\n---\nname: b", "f:2:1: a second YAML document; a file is one document"},
		{"\u202e: a\nname: b", "f:1:1: a person has no field \"\\u202e\"; it can be age, name, parents or words"},
		{"name: a\nname: b\x9b", "f:2:8: not YAML: it is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8"},
		{"name: a\nage: '\u009b'", "f:2:7: not YAML: control characters are not allowed; in double quotes they can be written as \\x1b"},
		{"name: a\nparents: " + strings.Repeat("[", 300) + strings.Repeat("]", 300), "f:2:59: lists and mappings are nested in more than 250 levels"},
		{"name: a\nage: " + strings.Repeat("x", 600), "f:2:6: age must be a whole number from 0 to 18446744073709551615, such as 5000 or 0x1388"},
		{"name: a\n" + strings.Repeat("x", 600) + ": 1", "f:2:1: a person has no field \"" + strings.Repeat("x", 500) + "…\"; it can be age, name, parents or words"},
		{"words: [" + strings.Repeat("a,", 6000) + "]", "f:1:1: the file says too much: about 12003 names and values, and it may have 10750; write several files"},
	} {
		if _, err := readPerson(c.text); fmt.Sprint(err) != c.want {
			t.Errorf("%.80q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

// TestManyMistakes holds that the reader stops after many mistakes, and says so.
func TestManyMistakes(t *testing.T) {
	_, err := readPerson("name: a\n" + strings.Repeat("x: 1\n", 300))
	all, _ := errors.AsType[Mistakes](err)
	if len(all) != maxMistakes+1 {
		t.Fatalf("%d mistakes", len(all))
	}
	if got, want := all[maxMistakes].Error(), "f:202:1: there are more mistakes than 200; mend the others first"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestExcerptIsVisible holds that what an excerpt shows of a file cannot move the cursor of a terminal or turn its text.
func TestExcerptIsVisible(t *testing.T) {
	_, err := readPerson("name: a\n\u202e\u200f\tx: 1\n")
	all, _ := errors.AsType[Mistakes](err)
	if got, want := all[0].Excerpt(), "  2 | \\u202e\\u200f\tx: 1\n    | ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzParts holds that the parts of a text are never fewer than the nodes that it is parsed into, so that memory is bounded before it is
// spent, and that each mistake has its place in the text.
func FuzzParts(f *testing.F) {
	for _, text := range []string{"{a,b,c}", "[{a}: b @c]: d", "{{{{a}}}}", "[[[a: b]: c]: d]", "[[{a}: b, {c}: d], [{e}: f]]", "- {a}: b\n- [c: d]: e\n", "[{},{},a: b]", "- ? a\n- :\n", "{? a, ? b}", "[:,:,:]", "{{a}: b, [c]: d}", "- - - a\n-\n", "a:\n b:\n c: &x d\ne: *x", "\"a\":\"b\"", "{\"a\":1,\"b\":2}", "%TAG ! x\n--- a", "[[[],[]],[]]", "- {\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := toUTF8(data)
		root, _, err := parseYAML(text)
		if err == nil && root != nil {
			var count func(n *yaml.Node) int
			count = func(n *yaml.Node) int {
				sum := 1
				for _, child := range n.Content {
					sum += count(child)
				}
				return sum
			}
			const first = 3 // a mapping, its first name and value
			if nodes := count(root); nodes > parts(text)+first {
				t.Errorf("%d nodes, and %d parts", nodes, parts(text))
			}
		}
		_, err = readPerson(string(data))
		all, _ := errors.AsType[Mistakes](err)
		lines := strings.Split(lineBreak().ReplaceAllString(text, "\n"), "\n")
		if !slices.IsSortedFunc(all, func(a, b Mistake) int { return a.At.Line - b.At.Line }) {
			t.Errorf("the places are not in order: %v", all)
		}
		for _, m := range all {
			if m.At.Line < 1 || m.At.Column < 1 || m.At.Line > len(lines)+1 || m.Msg == "" || hive.Visible(m.Msg) != m.Msg || hive.Visible(strings.NewReplacer("\n", "", "\t", "").Replace(m.Excerpt())) != strings.NewReplacer("\n", "", "\t", "").Replace(m.Excerpt()) {
				t.Errorf("a mistake without its place, or with what a terminal would act on: %q %q", m.Error(), m.Excerpt())
			}
		}
	})
}
