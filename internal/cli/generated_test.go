package cli

import (
	"bytes"
	"os"
	"testing"
)

// TestGenerated compares the files in the repository that commands wrote with what the commands write now; with -update it writes them.
func TestGenerated(t *testing.T) {
	for name, args := range map[string][]string{
		"../../rules/rules.schema.json": {"rules", "schema"},
		"../../docs/rules.md":           {"rules", "docs"},

		"../../report/results.schema.json":    {"schema", "results"},
		"../../rules/lint/config.schema.json": {"schema", "config"},
	} {
		var out, messages bytes.Buffer
		if status := run(args, nil, &out, &messages); status != statusDone {
			t.Fatalf("%v: exit status %d: %s", args, status, messages.String())
		}
		if *update {
			if err := os.WriteFile(name, out.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if data, err := os.ReadFile(name); err != nil || !bytes.Equal(data, out.Bytes()) {
			t.Errorf("%s is not what regvet %v writes (%v); run the test with -update", name, args, err)
		}
	}
}
