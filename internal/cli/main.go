// Package cli is the command line of regvet: its commands, flags, messages and exit statuses.
//
// Each command has its own file, which defines its flags and turns its arguments into its result. All commands share the [session] for
// messages and reading, the flags in flags.go, and the outputs in output.go.
package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"regvet/hive/collection"
	"regvet/internal/draft"
	"regvet/internal/memory"
)

// Main runs the command line of this process, and exits with its status.
func Main() {
	memory.Prepare()
	defer draft.DiscardOnPanic()
	status := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	draft.Exit(status)
}

// commands returns the commands in the order of the help.
func commands() []command {
	return []command{checkCommand, reportCommand, fixCommand, applyCommand, lintCommand, fmtCommand, exportCommand, diffCommand, searchCommand, infoCommand, historyCommand, timelineCommand, rulesCommand,
		explainCommand, schemaCommand, completionCommand(commands), manCommand(commands), versionCommand}
}

// run runs a command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return runCommands("regvet", commands(), args, stdin, stdout, stderr)
}

// runCommands runs a command line of a program with these commands.
func runCommands(program string, commands []command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := &session{command: shellLine(append([]string{program}, args...)), files: &collection.Local{Stdin: stdin}, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, help(commands))
		return statusUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "--help":
		if len(rest) == 0 {
			fmt.Fprint(stdout, help(commands))
			return statusDone
		}
		name, rest = rest[0], []string{"--help"}
	case "--version":
		name = "version"
	}
	var names []string
	for _, cmd := range commands {
		if cmd.name == name {
			cmd.run(s, rest)
			return s.status
		}
		names = append(names, cmd.name)
	}
	what := "command"
	if strings.HasPrefix(name, "-") {
		what = "command or flag"
	}
	s.fail(statusUsage, "there is no %s %q%s; \"%s --help\" lists the commands", what, name, suggest(name, names), program)
	return s.status
}
