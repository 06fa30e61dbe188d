package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// copies writes a folder with so many copies of a file, and returns its name.
func copies(t *testing.T, file string, n int) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("m%03d", i)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestManyAlike requires that the text and Markdown about many machines that are alike are short, say how many there are, and say how to list all.
func TestManyAlike(t *testing.T) {
	const many = 60
	found, clean := copies(t, "SYSTEM", many), copies(t, "SYSTEM-good", many)
	for _, c := range []struct {
		args  []string
		lines int // at most
		want  map[string]int
	}{
		{[]string{found}, 90, map[string]int{
			`^HIGH  KB196271-MaxUserPort \(missing\), on 60 machines$`:          1,
			`^MEDIUM  KB196271-TcpTimedWaitDelay \(mismatch\), on 60 machines$`: 1,
			`^ {12}55 more: --all, or --format csv, lists them$`:                2,
			`^50 more with findings: --all lists them$`:                         1,
			`^  sha256 `: 0,
			`^17 rules, 60 inputs: 120 failed \(60 high, 60 medium\), 900 passed`: 1,
		}},
		{[]string{"--all", found}, 100000, map[string]int{
			`^  sha256 `:                         many,
			`^ +2 +1 +1 +WEB01 +.*m0[0-9][0-9]$`: many,
			`more: --all|more with findings`:     0,
		}},
		{[]string{clean}, 10, map[string]int{`^60 inputs have no findings; --all lists them$`: 1, `^  nothing   every input was read whole`: 1}},
		{[]string{"--format", "markdown", found}, 40, map[string]int{`<br>55 more: --all lists them \|`: 2}},
		{[]string{"--format", "markdown", clean}, 20, map[string]int{`^60 inputs have no findings; --all lists them$`: 1, `^No findings\.$`: 1}},
	} {
		var out bytes.Buffer
		run(append([]string{"check"}, c.args...), nil, &out, io.Discard)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) > c.lines {
			t.Errorf("%v: %d lines, at most %d wanted", c.args, len(lines), c.lines)
		}
		for pattern, want := range c.want {
			n := 0
			for _, line := range lines {
				if regexp.MustCompile(pattern).MatchString(line) {
					n++
				}
			}
			if n != want {
				t.Errorf("%v: %d lines match %s, want %d:\n%s", c.args, n, pattern, want, out.String())
			}
		}
	}
}
