//go:build unix

package cli

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestBar runs a check of many inputs with a terminal as standard error. It requires a bar, messages on lines of their own, and nothing left of
// the bar at the end. With few inputs, or if standard error is not a terminal, there must be no bar.
func TestBar(t *testing.T) {
	dir := t.TempDir()
	if err := layOut(dir); err != nil {
		t.Fatal(err)
	}
	input := func(name string) string { return filepath.Join(dir, name) }
	many := append(slices.Repeat([]string{input("SYSTEM")}, 2*mostWithoutBar), input("nothing"), input("SYSTEM"))
	t.Setenv("TERM", "xterm")
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	defer screen.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		var b bytes.Buffer
		io.Copy(&b, screen) // ends with an error when the terminal is closed
		shown <- b.String()
	}()
	var files, screened bytes.Buffer
	if got := run([]string{"check", input("SYSTEM")}, nil, io.Discard, terminal); got != statusFindings {
		t.Errorf("exit status %d", got)
	}
	terminal.WriteString("few\n")
	for out, messages := range map[*bytes.Buffer]io.Writer{&files: &bytes.Buffer{}, &screened: terminal} {
		if got := run(append([]string{"check"}, many...), nil, out, messages); got != statusInput {
			t.Errorf("exit status %d", got)
		}
		if b, ok := messages.(*bytes.Buffer); ok && strings.Contains(b.String(), "%") {
			t.Errorf("a bar in a file: %q", b)
		}
	}
	terminal.Close()
	text := <-shown
	after, ok := strings.CutPrefix(text, "few\r\n")
	if !ok {
		t.Errorf("for few inputs: %q", text)
	}
	if !strings.Contains(after, "% ") || !strings.Contains(after, "/18") {
		t.Errorf("no bar: %q", after)
	}
	if !strings.Contains(after, "\rregvet: "+input("nothing")+": cannot be opened: no such file or directory\r\n") {
		t.Errorf("the message does not stand on a line of its own: %q", after)
	}
	if i := strings.LastIndexByte(strings.TrimSuffix(after, "\r"), '\r'); strings.TrimSpace(after[i+1:]) != "" {
		t.Errorf("the bar stays: %q", after)
	}
	if files.String() != screened.String() {
		t.Error("the bar changes the result")
	}
}
