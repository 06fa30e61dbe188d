package cli

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChecksPage compares docs/checks.md with the documentation of the checks; with -update it writes the page.
func TestChecksPage(t *testing.T) {
	const name = "../../docs/checks.md"
	var page, messages bytes.Buffer
	if status := run([]string{"explain", "--format", "markdown"}, nil, &page, &messages); status != statusDone {
		t.Fatalf("status %d: %s", status, &messages)
	}
	if *update {
		if err := os.WriteFile(name, page.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), page.String()); diff != "" {
		t.Errorf("docs/checks.md is not what the checks say of themselves (- there, + said); run the test with -update:\n%s", diff)
	}
}
