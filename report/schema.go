package report

import (
	"bytes"
	_ "embed"
)

// The schema is made of the types that the results are written from, and of their comments.
//go:generate go test -run ^TestSchema$ -update .

//go:embed results.schema.json
var schema []byte

// Schema returns the JSON Schema of the results of all commands, one definition for each.
func Schema() []byte { return bytes.Clone(schema) }
