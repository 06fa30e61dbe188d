package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

// The exit statuses. Of several that apply, the highest is returned.
const (
	statusDone     = 0 // done, and nothing to report
	statusFindings = 1 // findings at or above --fail-on, something that could not be fixed or proven, a file that fmt would change, a difference
	statusUsage    = 2 // wrong usage, or a rule file that does not load
	statusInput    = 3 // an input that could not be read, or was read only in part
)

// session is one run of a command: the files it may read, where its result and messages go, and the exit status so far.
type session struct {
	files          *collection.Local // which know what was read, so that no output replaces it
	stdout, stderr io.Writer
	status         int
	refused        []hive.Problem // inputs that could not be read at all
}

// raise lifts the exit status to at least the given one.
func (s *session) raise(status int) { s.status = max(s.status, status) }

// failed reports whether the command cannot go on, which was said.
func (s *session) failed() bool { return s.status >= statusUsage }

// say writes a message of one line to standard error.
func (s *session) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, "regvet: %s\n", hive.Visible(fmt.Sprintf(format, args...)))
}

// fail writes a message and raises the exit status.
func (s *session) fail(status int, format string, args ...any) {
	s.say(format, args...)
	s.raise(status)
}

// refuse says why an input cannot be read.
func (s *session) refuse(path string, err error) {
	s.refuseAll([]hive.Problem{collection.Refusal(path, err)})
}

// refuseAll says which inputs cannot be read, and why.
func (s *session) refuseAll(refused []hive.Problem) {
	for _, p := range refused {
		s.refused = append(s.refused, p)
		p.Source = collection.DisplayName(p.Source)
		s.fail(statusInput, "%v", &p)
	}
}

// facts completes the facts of an input and says all problems that were met in it, a line each.
func (s *session) facts(in *collection.Opened) collection.Input {
	facts := in.Facts()
	if facts.Overruled != "" {
		s.say("%s: %s", facts.Name(), facts.Overruled)
	}
	for _, p := range facts.Problems {
		s.say("%v", &p)
		if p.Loss {
			s.raise(statusInput)
		}
	}
	return facts
}

// mistakes says what is wrong with rule files or with a config: a line for each mistake, and below it the line of the file with a caret at
// the place.
func (s *session) mistakes(err error) {
	all, ok := errors.AsType[rules.Mistakes](err)
	if !ok {
		s.fail(statusUsage, "%v", err)
	}
	for _, m := range all {
		s.fail(statusUsage, "%v", m.Error())
		if excerpt := m.Excerpt(); excerpt != "" {
			fmt.Fprintln(s.stderr, excerpt)
		}
	}
}

// plainStyle is how text goes to a file.
var plainStyle = report.Style{Width: 100}

// style returns how text goes to an output: plain to a file, and to standard output with colours only where a person looks at it and does
// not mind, no wider than the terminal.
func (s *session) style(file string) report.Style {
	style := plainStyle
	f, ok := s.stdout.(*os.File)
	if !ok || file != "" || !isatty.IsTerminal(f.Fd()) {
		return style
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		style.Width = min(width, 120)
	}
	style.Terminal = true
	style.Unicode = os.Getenv("TERM") != "dumb" && showsUnicode()
	style.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return style
}

// showsUnicode reports whether a terminal shows more than ASCII, by the first of the variables that name its locale. Windows has none of
// them, and its terminals do.
func showsUnicode() bool {
	locale := strings.ToLower(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") || locale == "" && runtime.GOOS == "windows"
}
