package cli

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"regvet/report"
)

// TestColours requires for each command with colours that they are all that --color always adds to the text of a pipe.
func TestColours(t *testing.T) {
	examples := map[string][]string{
		"apply":   {"testdata/SYSTEM-good.reg", "testdata/SYSTEM"},
		"check":   {"testdata/SYSTEM"},
		"diff":    {"testdata/SYSTEM-good", "testdata/SYSTEM"},
		"explain": {"REG214"},
		"fix":     {"--force", "-o", "OUT/fix.reg", "testdata/SYSTEM-10"},
		"fmt":     {"--diff", "testdata/untidy.reg"},
		"history": {"testdata/SYSTEM", `HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`, "MaxUserPort"},
		"info":    {"testdata/SYSTEM"},
		"lint":    {"testdata/untidy.reg"},
		"report":  {"OUT/lines.jsonl"},
		"rules":   {"show", "KB196271-MaxUserPort"},
		"search":  {"--names", "Tcpip", "testdata/SYSTEM"},
	}
	out := t.TempDir()
	run([]string{"check", "-o", filepath.Join(out, "lines.jsonl"), "../../testdata/SYSTEM"}, nil, io.Discard, io.Discard)
	for _, cmd := range commands() {
		if !cmd.colours {
			continue
		}
		args, ok := examples[cmd.name]
		if !ok {
			t.Errorf("no example for %s", cmd.name)
		}
		text := func(color string) string {
			line := []string{cmd.name, "--color", color}
			for _, arg := range args {
				line = append(line, strings.NewReplacer("testdata/", "../../testdata/", "OUT", out).Replace(arg))
			}
			var b, messages bytes.Buffer
			if status := run(line, nil, &b, &messages); status >= statusUsage {
				t.Errorf("%v: exit status %d: %s", line, status, messages.String())
			}
			return b.String()
		}
		always, never := text("always"), text("never")
		if strings.Contains(never, "\x1b") || !strings.Contains(always, "\x1b[") {
			t.Errorf("%s: never gives %q, always %q", cmd.name, never, always)
		}
		if bare := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(always, ""); bare != never {
			t.Errorf("%s: without its colours the text is %q, want %q", cmd.name, bare, never)
		}
	}
}

// TestColourOfFormats requires that only text has colours, whatever asks for them.
func TestColourOfFormats(t *testing.T) {
	t.Setenv("FORCE_COLOR", "1")
	for _, format := range report.FormatNames() {
		for _, args := range [][]string{{"check", "../../testdata/SYSTEM"}, {"lint", "../../testdata/untidy.reg"}} {
			var out bytes.Buffer
			run(append(args, "--color", "always", "--format", format), nil, &out, io.Discard)
			if got := strings.Contains(out.String(), "\x1b"); got != (format == "text") || out.Len() == 0 {
				t.Errorf("%v as %s has colours: %v", args, format, got)
			}
		}
	}
}

// TestColourChoice holds what decides about colours, where standard output is no terminal.
func TestColourChoice(t *testing.T) {
	for _, c := range []struct {
		flag, no, force, term string
		want                  bool
	}{
		{"", "", "", "xterm", false},
		{"", "", "1", "xterm", true},
		{"", "", "3", "dumb", true},
		{"", "", "true", "", true},
		{"", "", "0", "xterm", false},
		{"", "", "false", "xterm", false},
		{"", "1", "1", "xterm", false},
		{"", "0", "1", "xterm", false},
		{"auto", "", "1", "xterm", true},
		{"auto", "", "", "xterm", false},
		{"always", "1", "0", "dumb", true},
		{"never", "", "1", "xterm", false},
	} {
		t.Setenv("NO_COLOR", c.no)
		t.Setenv("FORCE_COLOR", c.force)
		t.Setenv("TERM", c.term)
		args := []string{"check", "../../testdata/SYSTEM"}
		if c.flag != "" {
			args = append(args, "--color="+c.flag)
		}
		var out bytes.Buffer
		run(args, nil, &out, io.Discard)
		if got := strings.Contains(out.String(), "\x1b["); got != c.want {
			t.Errorf("%+v: colours %v", c, got)
		}
	}
}

// TestColourOfData requires that colours leave the result of fmt as it is, since it is a file, and that a diff with them moves no cursor.
func TestColourOfData(t *testing.T) {
	const hostile = "\ufeffWindows Registry Editor Version 5.00\n;a\x1b[31mb\n"
	var plain, coloured, diff bytes.Buffer
	run([]string{"fmt", "-"}, strings.NewReader(hostile), &plain, io.Discard)
	run([]string{"fmt", "--color", "always", "-"}, strings.NewReader(hostile), &coloured, io.Discard)
	if plain.Len() == 0 || !bytes.Equal(plain.Bytes(), coloured.Bytes()) {
		t.Errorf("fmt writes %q, with colours %q", plain.Bytes(), coloured.Bytes())
	}
	run([]string{"fmt", "--diff", "--color", "always", "-"}, strings.NewReader(hostile), &diff, io.Discard)
	if text := diff.String(); !strings.Contains(text, "\x1b[32m+") || !strings.Contains(text, `;a\x1b[31mb`) {
		t.Errorf("the diff is %q", text)
	}
	var messages bytes.Buffer
	if status := run([]string{"check", "--color", "alway", "x"}, nil, io.Discard, &messages); status != statusUsage ||
		messages.String() != "regvet: --color cannot be \"alway\", did you mean always?; it is auto, always or never\n" {
		t.Errorf("exit status %d: %s", status, messages.String())
	}
}
