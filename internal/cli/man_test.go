package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"regvet/report"
)

// TestManual requires that the manual page names every command and flag, and that roff takes no text in it for a request.
func TestManual(t *testing.T) {
	page := manual(commands(), thisBuild())
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
	const head = ".TH REGVET 1 \"2026-11-30\" \"regvet v1.0.0\\-rc\" \"User Commands\"\n" // mandoc knows no date with escapes
	if dated := manual(nil, report.Build{Version: "v1.0.0-rc", Date: "2026-11-30T05:12:16Z"}); !strings.HasPrefix(dated, head) {
		t.Errorf("the page begins with %.80q, want %q", dated, head)
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
