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
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
	"regvet/rules"
)

// The exit statuses. Of several that apply, the highest is given.
const (
	statusDone     = 0 // done, and nothing to report
	statusFindings = 1 // findings at or above --fail-on, something that could not be fixed or proven, a file that fmt would change, a difference
	statusUsage    = 2 // wrong usage, or a rule file that does not load
	statusInput    = 3 // an input that could not be read, or was read only in part
)

// command is one word after regvet.
type command struct {
	name    string
	args    string // as shown behind the flags
	short   string // one line
	example string
	flags   func(*pflag.FlagSet, *options)
	min     int // arguments that are needed
	max     int // arguments that are taken, -1 for any number
	run     func(*cli)
}

// commands are in the order in which the help lists them.
func commands() []command {
	return []command{checkCommand, fixCommand, applyCommand, lintCommand, fmtCommand, exportCommand, diffCommand, infoCommand, rulesCommand, explainCommand,
		completionCommand, manCommand, versionCommand}
}

// options are the values of all flags; each command reads those that it defines.
type options struct {
	rules, packs     []string
	tags             []string
	severity         string
	format           string
	output           string
	outputs          []string
	failOn           string
	all              bool
	controlSet       string
	mount            string
	windows          string
	undo, root       string
	force            bool
	verify           bool
	full, deleted    bool
	prefix           string
	logs             []string
	noLogs           bool
	selected         []string
	ignored          []string
	makeFixes        bool
	unsafeFixes      bool
	rewrite, list    bool // of fmt
	diff             bool
	dryRun           bool
	encoding         string
	codePage         string
	config           string
	noConfig         bool
	showConfig       bool
	baseline         string
	writeBaseline    bool
	exclude          []string
	allowEmpty       bool
	prefixSet        bool
	formatSet        bool
	parsedWindows    *hive.Version
	read             regfile.Options
	parsedControlSet string // the name of a key, hive.AllControlSets, or "" for the current one
}

// cli is one run of a command.
type cli struct {
	options
	commands       []command // all that there are, for those commands that tell of others
	args           []string
	given          func(flag string) bool // whether the command line has it
	withMD5        bool                   // inputs get this hash too
	withoutHash    bool                   // inputs get no hash at all: the result does not tell it
	mapped         *hive.Mapped           // the input, for a command that needs no copy of it; else nil
	refused        []hive.Problem         // inputs that could not be read at all
	stdin          io.Reader
	stdout, stderr io.Writer
	status         int
}

// run carries out a command line and gives the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{commands: commands(), stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, help())
		return statusUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "--help":
		if len(rest) == 0 {
			fmt.Fprint(stdout, help())
			return statusDone
		}
		name, rest = rest[0], []string{"--help"}
	case "--version":
		name = "version"
	}
	for _, cmd := range commands() {
		if cmd.name == name {
			return c.runCommand(cmd, rest)
		}
	}
	var names []string
	for _, cmd := range commands() {
		names = append(names, cmd.name)
	}
	what := "command"
	if strings.HasPrefix(name, "-") {
		what = "flag before the command"
	}
	c.fail(statusUsage, "there is no %s %q%s; \"regvet --help\" lists what there is", what, name, suggest(name, names))
	return c.status
}

func (c *cli) runCommand(cmd command, args []string) int {
	flags := cmd.flagSet(&c.options)
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(c.stdout, cmd.help(flags))
		return statusDone
	case err != nil:
		hint := ""
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			var names []string
			flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			if near := rules.Nearest(unknown.GetSpecifiedName(), names); near != "" {
				hint = "; did you mean --" + near + "?"
			}
		}
		c.fail(statusUsage, "%s%s; see \"regvet %s --help\"", err, hint, cmd.name)
		return c.status
	}
	c.args = flags.Args()
	c.given = flags.Changed
	c.prefixSet, c.formatSet = flags.Changed("prefix"), flags.Changed("format")
	switch n := len(c.args); {
	case n < cmd.min:
		c.fail(statusUsage, "%s needs %s; see \"regvet %s --help\"", cmd.name, cmd.args, cmd.name)
		return c.status
	case cmd.max >= 0 && n > cmd.max:
		c.fail(statusUsage, "%s does not take %q; see \"regvet %s --help\"", cmd.name, c.args[cmd.max], cmd.name)
		return c.status
	}
	cmd.run(c)
	return c.status
}

// flagSet gives the flags of a command, whose values go to the options.
func (cmd command) flagSet(o *options) *pflag.FlagSet {
	flags := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	if cmd.flags != nil {
		cmd.flags(flags, o)
	}
	return flags
}

// raise lifts the exit status to at least the given one.
func (c *cli) raise(status int) { c.status = max(c.status, status) }

// say writes a message of one line to standard error.
func (c *cli) say(format string, args ...any) {
	fmt.Fprintf(c.stderr, "regvet: %s\n", hive.Visible(fmt.Sprintf(format, args...)))
}

// fail writes a message and raises the exit status.
func (c *cli) fail(status int, format string, args ...any) {
	c.say(format, args...)
	c.raise(status)
}

// What the help and the manual page say of the whole.
const (
	about  = "regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right."
	inputs = "INPUT is a hive file, a .reg file, or - for standard input. Inputs are never changed, but by fmt -w and lint --fix."
)

// meanings are those of the exit statuses.
var meanings = [...]string{
	statusDone:     "done, nothing to report",
	statusFindings: "findings, or something that could not be fixed or proven, a file that fmt would change, a difference",
	statusUsage:    "wrong usage, or a rule file, config or baseline that does not load",
	statusInput:    "an input that could not be read, or only in part",
}

func help() string {
	var b strings.Builder
	b.WriteString(about + "\n\nUsage:\n")
	width := 0
	for _, cmd := range commands() {
		width = max(width, len(cmd.name))
	}
	for _, cmd := range commands() {
		fmt.Fprintf(&b, "  regvet %-*s  %s\n", width, cmd.name, cmd.short)
	}
	fmt.Fprintf(&b, `
%s
"regvet COMMAND --help" tells the flags of a command, with an example.

Exit status: 0 %s; 1 %s;
2 %s; 3 %s.
`, inputs, meanings[0], meanings[1], meanings[2], meanings[3])
	return b.String()
}

// usage is how a command is written.
func (cmd command) usage(flags *pflag.FlagSet) string {
	usage := "regvet " + cmd.name
	if flags.HasFlags() {
		usage += " [flags]"
	}
	if cmd.args != "" {
		usage += " " + cmd.args
	}
	return usage
}

func (cmd command) help(flags *pflag.FlagSet) string {
	text := fmt.Sprintf("regvet %s: %s\n\nUsage:\n  %s\n", cmd.name, cmd.short, cmd.usage(flags))
	if flags.HasFlags() {
		// Everybody knows how a switch is given.
		const values = "[=true|false]"
		text += "\nFlags:\n" + strings.ReplaceAll(flags.FlagUsagesWrapped(100), values, strings.Repeat(" ", len(values)))
	}
	return text + "\nExample:\n" + cmd.example
}

// suggest ends a message about a word that is not known with the one that was most likely meant.
func suggest(word string, known []string) string {
	if near := rules.Nearest(word, known); near != "" {
		return fmt.Sprintf(", did you mean %s?", near)
	}
	return ""
}

// plainStyle is how text goes to a file.
var plainStyle = report.Style{Width: 100}

// style is how text goes to standard output: with colours only where a person looks at it and does not mind, and no wider than
// the terminal.
func (c *cli) style() report.Style {
	s := plainStyle
	f, ok := c.stdout.(*os.File)
	if !ok || c.output != "" || !isatty.IsTerminal(f.Fd()) {
		return s
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.Width = min(width, 120)
	}
	s.Terminal = true
	s.Unicode = os.Getenv("TERM") != "dumb" && showsUnicode()
	s.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// showsUnicode tells whether a terminal shows more than ASCII, by the first of the variables that name its locale. Windows has none of
// them, and its terminals do.
func showsUnicode() bool {
	locale := strings.ToLower(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") || locale == "" && runtime.GOOS == "windows"
}
