package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regvet/report"
	"regvet/rules"
	"regvet/rules/lint"
	"regvet/rules/strict"
)

// schemas are the JSON Schemas of what regvet reads and writes, by the word that names them.
var schemas = []struct {
	name, short string
	text        func() []byte
}{
	{"results", "of what the commands write as JSON, and of each line of jsonl", report.Schema},
	{"rules", "of rule files, for editors", rules.Schema},
	{"config", "of " + lint.ConfigName + ", for editors", lint.ConfigSchema},
}

func schemaNames() (names []string) {
	for _, s := range schemas {
		names = append(names, s.name)
	}
	return names
}

var schemaCommand = command{
	name: "schema", args: strings.Join(schemaNames(), "|"), short: "write the JSON Schema of results, rule files or configs",
	min: 1, max: 1,
	example: `  regvet schema results > results.schema.json
  regvet schema config -o config.schema.json

Schemas:
` + schemaLines(),
	define: func(f *pflag.FlagSet) func(*session, []string) {
		output := new(string)
		outputFlag(f, output)
		return func(s *session, args []string) { writeSchema(s, args[0], *output) }
	},
}

// schemaLines returns the help of the schemas, one line each.
func schemaLines() string {
	var b strings.Builder
	for _, s := range schemas {
		fmt.Fprintf(&b, "  %-7s  %s\n", s.name, s.short)
	}
	return b.String()
}

func writeSchema(s *session, name, output string) {
	i := slices.Index(schemaNames(), name)
	if i < 0 {
		s.fail(statusUsage, "there is no schema %q%s; it is %s", name, suggest(name, schemaNames()), strict.List(schemaNames(), "or"))
		return
	}
	s.write(output, func(w io.Writer, _ report.Style) error { _, err := w.Write(schemas[i].text()); return err })
}
