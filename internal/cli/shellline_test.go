package cli

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"regvet/internal/safetext"
)

// TestShellLine requires that a shell takes a line for the words that it was made of, and that nothing in it steers a terminal.
func TestShellLine(t *testing.T) {
	if got, want := shellLine([]string{"regvet", "check", "-f", "json", "my hive", "--select=KB*", "it's", ""}), `regvet check -f json 'my hive' '--select=KB*' 'it'\''s' ''`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	words := []string{"a b", "", "it's", `back\slash`, "$HOME `id` $(id)", "*?[a]", "new\nline", "\x1b[31mred", "bad \xff byte", "\uFFFD", "日本 \u202e", "~", "#x", "a=b;c&d|e>f", "'\\\x01"}
	line := shellLine(words)
	if i := strings.IndexFunc(line, safetext.Steers); i >= 0 {
		t.Errorf("%q steers", line[i:])
	}
	out, err := exec.Command(bash, "-c", `printf '%s\0' `+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("%q, want %q", got, words)
	}
}
