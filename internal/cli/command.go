package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"regvet/internal/glob"
	"regvet/rules/strict"
)

// command is one word after regvet.
type command struct {
	program string // "" for regvet
	name    string
	args    string // as the usage shows them
	short   string // what it does, in one line
	example string
	min     int  // the least number of arguments
	max     int  // the largest number of arguments, or -1 for any number
	files   bool // the arguments are files and folders, any number of them
	colours bool // the text of the result has colours on a terminal
	// define defines the flags of the command and returns the function that runs it, which uses their values.
	define func(*pflag.FlagSet) func(*session, []string)
}

// line returns the words of a command line that run the command.
func (cmd command) line() string { return cmp.Or(cmd.program, "regvet") + " " + cmd.name }

// parser returns the flags of a command, and the function that runs it once they are parsed.
func (cmd command) parser() (*pflag.FlagSet, func(*session, []string)) {
	flags := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	run := cmd.define(flags)
	if !cmd.colours {
		return flags, run
	}
	var color choice
	choose(flags, &color, "color", "", "auto", "`WHEN` text on standard output has colours: %s; auto means on a terminal, unless NO_COLOR or FORCE_COLOR is set",
		"auto", "always", "never")
	return flags, func(s *session, args []string) {
		s.color = color.value
		run(s, args)
	}
}

// run parses the arguments of a command and runs it.
func (cmd command) run(s *session, args []string) {
	flags, run := cmd.parser()
	if err := flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
		fmt.Fprint(s.stdout, cmd.help(flags))
		return
	} else if err != nil {
		s.fail(statusUsage, "%s", cmd.wrongFlag(flags, err))
		return
	}
	switch n := flags.NArg(); {
	case n < cmd.min:
		s.fail(statusUsage, "%s needs %s; see \"%s --help\"", cmd.name, cmd.args, cmd.line())
	case cmd.max >= 0 && n > cmd.max:
		s.fail(statusUsage, "%s does not take %q; see \"%s --help\"", cmd.name, flags.Arg(cmd.max), cmd.line())
	default:
		args := flags.Args()
		if cmd.files && runtime.GOOS == "windows" {
			args = glob.Expand(args) // no shell has done it
		}
		run(s, args)
	}
}

// wrongFlag returns the message about an error in the flags.
func (cmd command) wrongFlag(flags *pflag.FlagSet, err error) string {
	if wrong, ok := errors.AsType[wrongValue](err); ok {
		return wrong.Error()
	}
	hint := ""
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := strict.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = "; did you mean --" + near + "?"
		}
	}
	return fmt.Sprintf("%s%s; see \"%s --help\"", err, hint, cmd.line())
}

// usage returns the usage line of a command.
func (cmd command) usage(flags *pflag.FlagSet) string {
	usage := cmd.line()
	if flags.HasFlags() {
		usage += " [flags]"
	}
	if cmd.args != "" {
		usage += " " + cmd.args
	}
	return usage
}

func (cmd command) help(flags *pflag.FlagSet) string {
	text := fmt.Sprintf("%s: %s\n\nUsage:\n  %s\n", cmd.line(), cmd.short, cmd.usage(flags))
	if flags.HasFlags() {
		// pflag writes this behind switches, which only takes room.
		const values = "[=true|false]"
		text += "\nFlags:\n" + strings.ReplaceAll(flags.FlagUsagesWrapped(100), values, strings.Repeat(" ", len(values)))
	}
	return text + "\nExamples:\n" + cmd.example
}

// noFlags defines a command without flags.
func noFlags(run func(*session, []string)) func(*pflag.FlagSet) func(*session, []string) {
	return func(*pflag.FlagSet) func(*session, []string) { return run }
}

// suggest returns the end of a message about an unknown word: a question for the known word that was most likely meant, or "".
func suggest(word string, known []string) string {
	if near := strict.Nearest(word, known); near != "" {
		return fmt.Sprintf(", did you mean %s?", near)
	}
	return ""
}
