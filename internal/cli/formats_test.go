package cli

import (
	"bytes"
	"encoding/csv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestFormats writes reports about the inputs of the scripts, damaged ones among them, and reads each format with a reader of that format.
func TestFormats(t *testing.T) {
	data, err := os.ReadFile("../../report/testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	args := []string{"check", "--all", "-o", "sarif=out.sarif", "-o", "junit=out.xml", "-o", "csv=out.csv"}
	var names []string
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) < 30 {
		t.Fatalf("%d inputs: %v", len(names), err)
	}
	for _, inputs := range append([][]string{names, {"SYSTEM", "SYSTEM"}, {"nothing"}}, single(names)...) {
		run(append(args, inputs...), nil, io.Discard, io.Discard)
		log, err := os.Open("out.sarif")
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(log)
		log.Close()
		if err == nil {
			err = schema.Validate(doc)
		}
		if err != nil {
			t.Errorf("%s: %v", inputs, err)
		}
		if suites, err := junit.IngestFile("out.xml"); err != nil || len(suites) == 0 {
			t.Errorf("%s: %d suites: %v", inputs, len(suites), err)
		}
		table, err := os.ReadFile("out.csv")
		if err != nil {
			t.Fatal(err)
		}
		if rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll(); err != nil || len(rows) == 0 {
			t.Errorf("%s: %d rows: %v", inputs, len(rows), err)
		}
	}
}

// single returns a list of its own for each name.
func single(names []string) (all [][]string) {
	for _, name := range names {
		all = append(all, []string{name})
	}
	return all
}
