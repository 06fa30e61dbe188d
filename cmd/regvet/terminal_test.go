//go:build unix

package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

// TestTerminal runs a check with a terminal for standard output: coloured, unless the person there does not want it, and no wider
// than the terminal but for paths and hashes, which are never broken.
func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		name    string
		env     map[string]string
		colours bool
	}{
		{"plain terminal", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		{"dumb terminal", map[string]string{"TERM": "dumb", "NO_COLOR": ""}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			screen, terminal, err := pty.Open()
			if err != nil {
				t.Skipf("there are no pseudo-terminals here: %v", err)
			}
			defer screen.Close()
			const width = 60
			if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: width}); err != nil {
				t.Fatal(err)
			}
			shown := make(chan string)
			go func() {
				var b bytes.Buffer
				io.Copy(&b, screen) // ends with an error when the terminal is closed
				shown <- b.String()
			}()
			if got := run([]string{"check", "../../testdata/SYSTEM"}, nil, terminal, io.Discard); got != statusFindings {
				t.Errorf("exit status %d", got)
			}
			terminal.Close()
			out := <-shown
			if got := strings.Contains(out, "\x1b["); got != c.colours {
				t.Errorf("colours: %v", got)
			}
			if c.colours {
				return // what follows counts columns
			}
			for line := range strings.SplitSeq(out, "\r\n") {
				if n := utf8.RuneCountInString(line); n > width && strings.Contains(strings.TrimSpace(line[min(12, len(line)):]), " ") && !strings.HasPrefix(line, "2 rules") {
					t.Errorf("%d columns in a terminal of %d: %q", n, width, line)
				}
			}
		})
	}
}
