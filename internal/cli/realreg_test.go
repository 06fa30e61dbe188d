package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/internal/shared"
)

// realFindings is the file that lists the findings in real files, one per line: file, place, severity and check. A person compared each finding
// with its file. Do the same with a new finding before you record it with -update.
const realFindings = "testdata/real-findings.txt"

// realFiles returns .reg files that people published.
func realFiles(t *testing.T) []string {
	t.Helper()
	return shared.Glob(t, "regfile/real", "*.reg")
}

// TestRealFindings compares what the linter finds in real files with the findings that a person found right.
func TestRealFindings(t *testing.T) {
	files := realFiles(t)
	var out, messages bytes.Buffer
	run(append([]string{"lint", "--no-config", "--severity", "info", "--all", "--format", "compact", "--fail-on", "never"}, files...), nil, &out, &messages)
	var got strings.Builder
	for line := range strings.Lines(out.String()) {
		place, rest, _ := strings.Cut(strings.TrimPrefix(line, filepath.Dir(files[0])+string(filepath.Separator)), ": ")
		severity, _, _ := strings.Cut(rest, ":")
		check := rest[strings.LastIndexByte(rest, '[')+1 : strings.LastIndexByte(rest, ']')]
		fmt.Fprintf(&got, "%s %s %s\n", place, severity, check)
	}
	if messages.Len() > 0 {
		t.Errorf("messages are %s", messages.String())
	}
	if *update {
		if err := os.WriteFile(realFindings, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(realFindings)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(string(want), "\n")
	after := strings.Split(got.String(), "\n")
	for _, line := range after {
		if !slices.Contains(before, line) {
			t.Errorf("new: %s", line)
		}
	}
	for _, line := range before {
		if !slices.Contains(after, line) {
			t.Errorf("gone: %s", line)
		}
	}
}

// TestRealFixes requires that --fix leaves no finding that it could fix and does not change what a file does, and that fmt does not change that
// either and has nothing to change the second time.
func TestRealFixes(t *testing.T) {
	for _, file := range realFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			edits := func(name string) string {
				var out, messages bytes.Buffer
				run([]string{"export", "--format", "jsonl", name}, nil, &out, &messages)
				return out.String()
			}
			fixed := filepath.Join(t.TempDir(), "fixed.reg")
			if err := os.WriteFile(fixed, data, fs.FileMode(0o644)); err != nil {
				t.Fatal(err)
			}
			before := edits(fixed)
			var out, messages bytes.Buffer
			if status := run([]string{"lint", "--no-config", "--fix", "--fail-on", "never", fixed}, nil, &out, &messages); status != statusDone {
				t.Fatalf("lint --fix: status %d, %s", status, messages.String())
			}
			if strings.Contains(out.String(), "can be fixed with --fix") {
				t.Errorf("not all safe fixes were made:\n%s", out.String())
			}
			if after := edits(fixed); after != before {
				t.Errorf("after --fix it does\n%s\nand before\n%s", after, before)
			}
			out.Reset()
			switch status := run([]string{"fmt", "-w", "--codepage", "1252", fixed}, nil, &out, &messages); status {
			case statusDone:
				if after := edits(fixed); after != before {
					t.Errorf("after fmt it does\n%s\nand before\n%s", after, before)
				}
				if status := run([]string{"fmt", "--check", "--codepage", "1252", fixed}, nil, &out, &messages); status != statusDone {
					t.Errorf("fmt would change what it wrote: status %d", status)
				}
			case statusInput: // Windows rejects it
			default:
				t.Errorf("fmt: status %d, %s", status, messages.String())
			}
		})
	}
}
