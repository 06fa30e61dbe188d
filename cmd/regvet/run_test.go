package main

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzRun gives the commands that write no files any words for arguments: the exit status is one of the four, a failure is
// explained, and every message is a line that says who speaks.
func FuzzRun(f *testing.F) {
	for _, line := range []string{
		"check ../../testdata/SYSTEM", "check --all --format json ../../testdata/SYSTEM.reg", `check --mount \ ../../testdata/SYSTEM`,
		"info --verify ../../testdata/SYSTEM-dirty", "info --log ../../testdata/SYSTEM ../../testdata/SYSTEM", "rules list", "rules show x",
		"check --control-set all --windows 6.1 ../../testdata/SYSTEM-10", `export --prefix \ ../../testdata/SYSTEM HKLM`,
		`export --format jsonl ../../testdata/SYSTEM HKLM\SYSTEM\CurrentControlSet`, "help check", "--version", "check", "", "check -",
		"rules test --rules ../../testdata/example.yaml --pack example", "check --fail-on never --no-logs ../../testdata/SYSTEM",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		for _, arg := range args {
			if arg == "fix" || strings.HasPrefix(arg, "--o") || strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(arg, "o") {
				return // these write files
			}
		}
		var out, messages bytes.Buffer
		status := run(args, strings.NewReader(line), &out, &messages)
		if status < statusDone || status > statusInput {
			t.Fatalf("exit status %d", status)
		}
		if status >= statusUsage && messages.Len() == 0 {
			t.Fatalf("exit status %d without a word", status)
		}
		if len(args) == 1 && args[0] == "" {
			return
		}
		for message := range strings.Lines(messages.String()) {
			if !strings.HasPrefix(message, "regvet: ") || strings.ContainsAny(message, "\x00\x1b\r") {
				t.Fatalf("a message is %q", message)
			}
		}
	})
}
