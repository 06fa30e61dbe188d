package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

// The exit statuses. If several apply, the highest is returned.
const (
	statusDone     = 0 // done, and nothing to report
	statusFindings = 1 // findings at or above --fail-on, hits of a search, a difference, a file that fmt would change, or a fix that could not be made or proven
	statusUsage    = 2 // wrong usage, or a rule file, config or baseline that does not load
	statusInput    = 3 // an input that could not be read, or was read only in part
)

// session is one run of a command: what it reads through, where its result and messages go, and the exit status so far.
type session struct {
	command        string            // the command line, quoted as a shell takes it
	files          *collection.Local // records what is read, so that no output replaces it
	stdout, stderr io.Writer
	status         int
	color          string                  // --color: auto, always or never; "" counts as auto
	refused        []hive.Problem          // inputs that could not be read at all
	lost           []hive.Problem          // what could not be read of images and archives, whatever lies there
	containers     []*collection.Container // the images and archives that were opened for the inputs
	passedOver     []string                // for people, what in a folder may hold or be a hive, and is not looked into
	leftOut        []report.LeftOut        // what is of an earlier time, and was not asked for
}

// raise makes the exit status at least the given one.
func (s *session) raise(status int) { s.status = max(s.status, status) }

// failed reports whether an error was written after which the command cannot go on.
func (s *session) failed() bool { return s.status >= statusUsage }

// say writes a one-line message to standard error.
func (s *session) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, "regvet: %s\n", hive.Visible(fmt.Sprintf(format, args...)))
}

// fail writes a message and raises the exit status.
func (s *session) fail(status int, format string, args ...any) {
	s.say(format, args...)
	s.raise(status)
}

// refuse writes why an input cannot be read.
func (s *session) refuse(path string, err error) {
	s.refuseAll([]hive.Problem{collection.Refusal(path, err)})
}

// refuseAll writes which inputs cannot be read, and why.
func (s *session) refuseAll(refused []hive.Problem) {
	for _, p := range refused {
		s.refused = append(s.refused, p)
		p.Source = collection.DisplayName(p.Source)
		s.fail(statusInput, "%v", &p)
	}
}

// unread returns all that could not be read at all.
func (s *session) unread() []hive.Problem { return slices.Concat(s.lost, s.refused) }

// facts returns the facts about an input, and writes the problems that were found in it.
func (s *session) facts(in *collection.Opened) collection.Input {
	facts := in.Facts()
	if facts.Overruled != "" {
		s.say("%s: %s", facts.Name(), facts.Overruled)
	}
	s.problems(facts.Problems)
	return facts
}

// problems writes problems that were found in an input, one line each.
func (s *session) problems(found []hive.Problem) {
	for _, p := range found {
		s.say("%v", &p)
		if p.Loss {
			s.raise(statusInput)
		}
	}
}

// mistakes writes what is wrong with rule files or a config: one line for each mistake, followed by an excerpt of the file with a caret.
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

// plainStyle is the style of text in a file, and on standard output that is no terminal.
var plainStyle = report.Style{Width: 100}

// style returns the style of text on standard output. On a terminal, text is no wider than that.
func (s *session) style() report.Style {
	style := plainStyle
	f, ok := s.stdout.(*os.File)
	style.Terminal = ok && isatty.IsTerminal(f.Fd())
	style.Color = s.colours(style.Terminal)
	if !style.Terminal {
		return style
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		style.Width = min(width, 120)
	}
	style.Unicode = os.Getenv("TERM") != "dumb" && showsUnicode()
	return style
}

// colours reports whether text on standard output has colours. The flag wins over the environment, and NO_COLOR over FORCE_COLOR. An empty
// variable counts as not set, and a FORCE_COLOR of 0 or false turns colours off, as it does for programs on Node.js.
func (s *session) colours(terminal bool) bool {
	if s.color == "always" || s.color == "never" {
		return s.color == "always"
	}
	force := os.Getenv("FORCE_COLOR")
	switch {
	case os.Getenv("NO_COLOR") != "" || force == "0" || force == "false":
		return false
	case force != "":
		return true
	}
	return terminal && os.Getenv("TERM") != "dumb"
}

// showsUnicode reports whether a terminal shows more than ASCII. The first variable that names a locale decides. Windows sets none of them,
// and its terminals show Unicode.
func showsUnicode() bool {
	locale := strings.ToLower(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") || locale == "" && runtime.GOOS == "windows"
}
