package report

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/internal/safetext"
	"regvet/rules"
)

// Lines that are written without a type for their sake, since there are millions of them. The tests of the command hold them against what is written.
type (
	// exportLine is a key of "regvet export --format jsonl".
	exportLine struct {
		Key        string            `json:"key"`
		Orphan     bool              `json:"orphan,omitempty"`      // of a deleted key: only the names of its path that are known are there
		Live       bool              `json:"live,omitempty"`        // deleted values of a key that is still there
		Deleted    bool              `json:"deleted,omitempty"`     // the key, or these values of it, were deleted
		Modified   nullString        `json:"modified,omitempty"`    // last write of the key; null if it is no time
		Line       int               `json:"line,omitempty"`        // in a .reg file
		Offset     int64             `json:"offset,omitempty"`      // in a hive
		Flags      []string          `json:"flags,omitempty"`       // of the record
		AccessBits *uint32           `json:"access_bits,omitempty"` // of the record
		Layer      []string          `json:"layer,omitempty"`       // of a layered key
		Class      nullString        `json:"class,omitempty"`       // null if it cannot be read
		Security   nullString        `json:"security,omitempty"`    // as SDDL; null if it cannot be read
		Values     []exportValue     `json:"values"`
		Tombstones *exportTombstones `json:"tombstones,omitempty"` // what a layer of a hive deletes of those below
	}
	exportValue struct {
		Name   string  `json:"name"` // "" for the default value
		Type   string  `json:"type"`
		TypeID uint32  `json:"type_id"`
		Data   *string `json:"data"` // in hex; null if they could not be read
		Short  bool    `json:"short,omitempty"`
		Line   int     `json:"line,omitempty"`
		Offset int64   `json:"offset,omitempty"`
	}
	exportTombstones struct {
		Keys   []string `json:"keys"`
		Values []string `json:"values"`
	}
	// searchLine is a hit of "regvet search --format jsonl".
	searchLine struct {
		Input      string     `json:"input"`
		Line       int        `json:"line,omitempty"`   // in a .reg file
		Offset     int64      `json:"offset,omitempty"` // in a hive
		Place      string     `json:"place"`
		Key        *string    `json:"key,omitempty"`
		Value      *string    `json:"value,omitempty"`
		Type       string     `json:"type,omitempty"`
		Text       string     `json:"text"`  // around the match
		Match      string     `json:"match"` // what matched
		Shortened  bool       `json:"shortened,omitempty"`
		Encoding   string     `json:"encoding,omitempty"`
		DataOffset int64      `json:"data_offset,omitempty"` // in the data of the value
		Length     int64      `json:"length,omitempty"`      // bytes
		Modified   nullString `json:"modified,omitempty"`    // last write of the key; null if it is no time
		State      string     `json:"state"`
		Orphan     bool       `json:"orphan,omitempty"`
		InputState string     `json:"input_state,omitempty"`
	}
	// nullString is text, or null, in a field that may be absent.
	nullString string
)

// documents are the results, by the name that the schema has for them: each a type, or a line that is one of some objects with one field.
var documents = []struct {
	name, title string
	whole       any
	lines       map[string]any
}{
	{"check", "regvet check --format json", jsonReport{}, nil},
	{"check_line", "a line of regvet check --format jsonl", jsonCheckStart{}, map[string]any{"input": jsonLineInput{}, "finding": jsonLineFinding{}, "hidden": jsonLineFinding{}, "done": jsonDone{}, "refused": jsonLineRefused{}, "container": jsonLineContainer{}, "listed": jsonListed{}, "config": jsonChoices{}, "summary": jsonSummary{}}},
	{"lint", "regvet lint --format json", jsonLint{}, nil},
	{"lint_line", "a line of regvet lint --format jsonl", jsonStart{}, map[string]any{"input": jsonLintFile{}, "finding": jsonLintFinding{}, "refused": jsonRefused{}, "summary": jsonLintSummary{}}},
	{"info", "regvet info --format json", jsonInfo{}, nil},
	{"rules", "regvet rules list --format json, and show", jsonRules{}, nil},
	{"explain", "regvet explain --format json", jsonExplanation{}, nil},
	{"history", "regvet history --format json", jsonHistory{}, nil},
	{"diff", "regvet diff --format json", jsonDifference{}, nil},
	{"apply", "regvet apply --format json", jsonWhatIf{}, nil},
	{"fix", "regvet fix --format json", jsonPatch{}, nil},
	{"export_line", "a line of regvet export --format jsonl", exportLine{}, nil},
	{"search_line", "a line of regvet search --format jsonl", searchLine{}, nil},
	{"timeline_line", "a line of regvet timeline --format jsonl", timelineLine{}, nil},
}

// words are the types whose values are words of a list.
var words = map[reflect.Type][]any{
	reflect.TypeFor[rules.Status](): {rules.Pass, rules.Fail, rules.Unknown},
	reflect.TypeFor[rules.Reason](): {rules.NoValue, rules.WrongType, rules.OutOfRange, rules.Mismatch, rules.Present,
		rules.NotCovered, rules.Damaged, rules.Partial, rules.Hidden, rules.Undecided, rules.NotApplicable},
}

// TestSchema requires that the schema in the repository is what the types say now; with -update it writes it.
func TestSchema(t *testing.T) {
	s := schemaMaker{docs: fieldDocs(t), definitions: map[string]any{}}
	var root []any
	for _, d := range documents {
		name := "#/definitions/" + d.name
		root = append(root, object{"$ref": name})
		if d.lines == nil {
			s.definitions[d.name] = s.structure(reflect.TypeOf(d.whole))
			s.definitions[d.name].(object)["title"] = d.title
			continue
		}
		kinds := []any{s.of(reflect.TypeOf(d.whole))}
		for _, field := range slices.Sorted(maps.Keys(d.lines)) {
			kinds = append(kinds, object{"type": "object", "properties": object{field: s.of(reflect.TypeOf(d.lines[field]))}, "required": []string{field}})
		}
		s.definitions[d.name] = object{"title": d.title, "anyOf": kinds}
	}
	var b bytes.Buffer
	e := safetext.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(object{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "Results of regvet, version " + schemaVersion,
		"description": "Fields may be added within a version, and none is renamed. Each definition with a title is the result of a command, or a line of one.",
		"anyOf":       root, "definitions": s.definitions,
	}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("results.schema.json", b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(Schema()), b.String()); diff != "" {
		t.Errorf("the schema is not what the types say; run go generate ./report (- schema, + types):\n%s", diff)
	}
}

type object = map[string]any

// schemaMaker makes the schema of types.
type schemaMaker struct {
	docs        map[string]string // the comments of fields, by type and field
	definitions object
}

// of returns the schema of a type. That of a struct is a definition, to which it refers.
func (s schemaMaker) of(t reflect.Type) object {
	if all, ok := words[t]; ok {
		return object{"type": "string", "enum": all}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		name := snake(strings.TrimPrefix(t.Name(), "json"))
		if s.definitions[name] == nil {
			s.definitions[name] = object{} // it may hold itself
			s.definitions[name] = s.structure(t)
		}
		return object{"$ref": "#/definitions/" + name}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		if t == reflect.TypeFor[nullString]() {
			return object{"type": []string{"string", "null"}}
		}
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	}
	panic("results have no " + t.String())
}

func (s schemaMaker) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	var add func(t reflect.Type)
	add = func(t reflect.Type) {
		for f := range t.Fields() {
			if f.Anonymous {
				add(f.Type)
				continue
			}
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			one := s.of(f.Type)
			if option == "" {
				required = append(required, name)
			}
			if mayBeNull := f.Type.Kind() == reflect.Pointer && option == ""; mayBeNull {
				one = object{"anyOf": []any{one, object{"type": "null"}}}
			}
			if doc := s.docs[t.Name()+"."+f.Name]; doc != "" {
				if one["$ref"] != nil { // beside which draft 7 allows nothing
					one = object{"allOf": []any{one}}
				}
				one["description"] = doc
			}
			properties[name] = one
		}
	}
	add(t)
	return object{"type": "object", "properties": properties, "required": required}
}

// snake returns a name of Go as results have names.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String() + "_object"
}

// fieldDocs returns the comments of the fields of this package, by type and field.
func fieldDocs(t *testing.T) map[string]string {
	docs := map[string]string{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				text := f.Comment.Text()
				if text == "" {
					text = f.Doc.Text()
				}
				for _, one := range f.Names {
					docs[spec.Name.Name+"."+one.Name] = strings.Join(strings.Fields(text), " ")
				}
			}
			return true
		})
	}
	return docs
}
