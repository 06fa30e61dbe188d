package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestManual requires that the manual page names every command and flag, and that roff takes no text in it for a request.
func TestManual(t *testing.T) {
	page := manual(commands())
	for _, cmd := range commands() {
		if !strings.Contains(page, "\n.SS \"regvet "+cmd.name) {
			t.Errorf("nothing of the command %s", cmd.name)
		}
		flags, _ := cmd.parser()
		flags.VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, escapedRoff("--"+f.Name)) {
				t.Errorf("nothing of --%s", f.Name)
			}
		})
	}
	for line := range strings.Lines(page) {
		request, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		known := []string{".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".br", ".EX", ".EE"}
		if strings.HasPrefix(line, ".") && !slices.Contains(known, request) || strings.HasPrefix(line, "'") {
			t.Errorf("taken for a request: %s", line)
		}
	}
	var m roff
	m.text(".reg isn't\n'x' ~\\-")
	if want := "\\&.reg isn\\(aqt\n\\&\\(aqx\\(aq \\(ti\\e\\-\n"; m.String() != want {
		t.Errorf("%q, want %q", m.String(), want)
	}
	var out bytes.Buffer
	if status := run([]string{"man"}, nil, &out, nil); status != statusDone || out.String() != page {
		t.Errorf("status %d; it prints something else", status)
	}
}
