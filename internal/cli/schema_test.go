package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"regvet/internal/shared"
)

// resultSchemas compiles the schema that "regvet schema results" prints, with one thing more than it says: that there are no other fields.
func resultSchemas(t *testing.T) func(definition string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(regvet(t, statusDone, "schema", "results")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///open.json", doc); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("mem:///open.json"); err != nil {
		t.Fatal(err)
	}
	doc, _ = jsonschema.UnmarshalJSON(bytes.NewReader(regvet(t, statusDone, "schema", "results")))
	if n := closeObjects(doc); n < 30 {
		t.Fatalf("%d objects", n)
	}
	if err := c.AddResource("mem:///results.json", doc); err != nil {
		t.Fatal(err)
	}
	return func(definition string) *jsonschema.Schema {
		s, err := c.Compile("mem:///results.json" + definition)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// closeObjects adds to the schemas of objects that they have no other properties, and returns how many there are.
func closeObjects(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			n += closeObjects(inner)
		}
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			v["additionalProperties"] = false
			n++
		}
	case []any:
		for _, inner := range v {
			n += closeObjects(inner)
		}
	}
	return n
}

// valid requires that a text is one or more JSON documents that a schema allows, and returns how many.
func valid(t *testing.T, s *jsonschema.Schema, name string, text []byte) (n int) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(text)); ; n++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return n
		}
		if err == nil {
			var doc any
			if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err == nil {
				err = s.Validate(doc)
			}
		}
		if err != nil {
			t.Errorf("%s: document %d: %v\n%.600s", name, n+1, err, raw)
			return n
		}
	}
}

// TestResultsSchema validates what the commands write of the inputs of the scripts, damaged ones among them, and of the real hives.
func TestResultsSchema(t *testing.T) {
	of := resultSchemas(t)
	real := ""
	if _, err := os.Stat("../../../shared/hives"); err == nil {
		real, _ = filepath.Abs(shared.Path(t, "hives"))
	}
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	patch, err := filepath.Abs("../../testdata/SYSTEM-10.reg")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	inputs := []string{"."}
	if real != "" && !testing.Short() {
		inputs = append(inputs, real)
	}
	for _, c := range []struct {
		definition, command string
		once                bool // only of what is named
		real                bool // of the real hives, too: for all it would take long
	}{
		{"check", "check --pack all --all --deleted --regback --format json", false, false},
		{"check_line", "check --pack all --deleted --format jsonl", false, true},
		{"lint", "lint --no-config --format json", false, false},
		{"lint_line", "lint --no-config --format jsonl", false, true},
		{"info", "info --verify --format json", false, true},
		{"rules", "rules list --format json", true, false},
		{"explain", "explain --format json REG011 KB196271-MaxUserPort", true, false},
		{"history", "history --format json dirty-system HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters MaxUserPort", true, false},
		{"diff", "diff --format json SYSTEM dirty-system", true, false},
		{"apply", "apply --all --format json " + patch + " SYSTEM", true, false},
		{"export_line", "export --format jsonl --deleted --full SYSTEM", true, false},
		{"export_line", "export --format jsonl --deleted deleted", true, false},
		{"export_line", "export --format jsonl " + patch, true, false},
		{"search_line", "search --deleted --slack --format jsonl port", false, false},
		{"timeline_line", "timeline --format jsonl", false, false},
	} {
		of := of("#/definitions/" + c.definition)
		places := inputs
		switch {
		case c.once:
			places = []string{""}
		case real != "" && !c.real:
			places = inputs[:1]
		}
		for _, place := range places {
			var out, messages bytes.Buffer
			run(strings.Fields(c.command+" "+place), nil, &out, &messages)
			if n := valid(t, of, c.command+" "+place, out.Bytes()); n == 0 && place != real {
				t.Errorf("%s %s writes nothing: %s", c.command, place, messages.String())
			}
		}
	}
	run([]string{"fix", "--format", "json", "-o", "fix.json", "--undo", "undo.json", "SYSTEM"}, nil, io.Discard, io.Discard)
	for _, name := range []string{"fix.json", "undo.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		valid(t, of("#/definitions/fix"), name, data)
	}
}

// TestGoldensFollowSchema validates the results in the repository.
func TestGoldensFollowSchema(t *testing.T) {
	s := resultSchemas(t)("")
	n := 0
	one := func(name string, text []byte) {
		if bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text[:min(len(text), 100)], []byte(`"tool": {`)) {
			n += valid(t, s, name, text)
		}
	}
	for _, folder := range []string{"testdata/script", "../../report/testdata"} {
		err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			one(name, text)
			if filepath.Ext(name) == ".txtar" {
				for _, f := range txtar.Parse(text).Files {
					one(name+": "+f.Name, f.Data)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 5 {
		t.Errorf("only %d results were validated", n)
	}
}
