//go:build unix

package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

// TestTerminal runs a check with a terminal as standard output. The text must have colours unless they are turned off, and be no wider than the
// terminal, except for paths and hashes, which are never broken.
func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		name    string
		env     map[string]string
		colours bool
		bar     string // the beginning of the bar of ports, if it has no colours
	}{
		{"plain terminal", map[string]string{"TERM": "xterm", "NO_COLOR": "", "LC_ALL": "C.UTF-8"}, true, ""},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "de_DE.utf8"}, false, "0 ████─"},
		{"no UTF-8", map[string]string{"TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C"}, false, "0 ####."},
		{"dumb terminal", map[string]string{"TERM": "dumb", "NO_COLOR": "", "LC_ALL": "C.UTF-8"}, false, "0 ####."},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			const width = 60
			out := onTerminal(t, width, func(terminal io.Writer) {
				if got := run([]string{"check", "../../testdata/SYSTEM"}, nil, terminal, io.Discard); got != statusFindings {
					t.Errorf("exit status %d", got)
				}
			})
			if got := strings.Contains(out, "\x1b["); got != c.colours {
				t.Errorf("colours: %v", got)
			}
			if !strings.Contains(out, c.bar) {
				t.Errorf("no bar begins with %q: %s", c.bar, out)
			}
			if c.colours {
				return // the rest counts columns
			}
			for line := range strings.SplitSeq(out, "\r\n") {
				if n := utf8.RuneCountInString(line); n > width && strings.Contains(strings.TrimSpace(line[min(12, len(line)):]), " ") && !strings.HasPrefix(line, "17 rules") {
					t.Errorf("%d columns in a terminal of %d: %q", n, width, line)
				}
			}
		})
	}
}

// TestTerminalMarks requires that on a terminal what a search found is in colour, and nothing else.
func TestTerminalMarks(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	out := onTerminal(t, 80, func(terminal io.Writer) {
		run([]string{"search", "--names", "--key", "ControlSet001", "CPI", "../../testdata/SYSTEM"}, nil, terminal, io.Discard)
	})
	before, rest, _ := strings.Cut(out, "\x1b[31;1m")
	match, after, _ := strings.Cut(rest, "\x1b[")
	_, after, _ = strings.Cut(after, "m")
	want := "../../testdata/SYSTEM: offset 0x1728: HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\T|cpi|p (written 2005-11-11T00:00:00.1234567Z)\r\n"
	if got := before + "|" + match + "|" + after; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// onTerminal returns what a function writes to a terminal.
func onTerminal(t *testing.T, width int, write func(terminal io.Writer)) string {
	t.Helper()
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	defer screen.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: uint16(width)}); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string)
	go func() {
		var b bytes.Buffer
		io.Copy(&b, screen) // ends with an error when the terminal is closed
		shown <- b.String()
	}()
	write(terminal)
	terminal.Close()
	return <-shown
}

// TestTerminalFormat requires that fmt shows readable text on a terminal, whatever the encoding of the file, and that the file cannot move the
// cursor.
func TestTerminalFormat(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	const hostile = "Windows Registry Editor Version 5.00\n;\ta\x1b[31mb\u202e\n"
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"fmt", "-"}, statusDone, "Windows Registry Editor Version 5.00\r\n\r\n;\ta\\x1b[31mb\\u202e\r\n\r\n"},
		{[]string{"fmt", "--diff", "-"}, statusFindings, "\r\n+\r\n ;\ta\\x1b[31mb\\u202e\r\n+\r\n"},
	} {
		out := onTerminal(t, 80, func(terminal io.Writer) {
			if got := run(c.args, strings.NewReader("\ufeff"+hostile), terminal, io.Discard); got != c.status {
				t.Errorf("%v: exit status %d", c.args, got)
			}
		})
		if !strings.HasSuffix(out, c.want) {
			t.Errorf("%v shows %q, want %q", c.args, out, c.want)
		}
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	out := onTerminal(t, 80, func(terminal io.Writer) {
		run([]string{"fmt", "--diff", "-"}, strings.NewReader("\ufeff"+hostile), terminal, io.Discard)
	})
	if !strings.Contains(out, "\x1b[32m+") || strings.Contains(out, "a\x1b") {
		t.Errorf("in colours the diff is %q", out)
	}
}

// TestTerminalMachines requires that the text about many machines is no wider than the terminal, except for what is never broken.
func TestTerminalMachines(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	t.Setenv("LC_ALL", "C")
	for _, width := range []int{40, 80} {
		for _, dir := range []string{copies(t, "SYSTEM", 25), "../../testdata"} {
			out := onTerminal(t, width, func(terminal io.Writer) {
				run([]string{"check", dir}, nil, terminal, io.Discard)
			})
			for line := range strings.SplitSeq(out, "\r\n") {
				text := line[min(len(line), 12):] // behind the label
				if utf8.RuneCountInString(line) > width && strings.Contains(strings.TrimSpace(text), " ") && !strings.Contains(text, "/") {
					t.Errorf("%d columns in a terminal of %d: %q", utf8.RuneCountInString(line), width, line)
				}
			}
			if !strings.Contains(out, "Not examined\r\n") {
				t.Errorf("nothing is said of what was not examined: %s", out)
			}
		}
	}
}
