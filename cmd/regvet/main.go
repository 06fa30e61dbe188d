// Command regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right.
//
// Each command has a file of its own, with its flags and the way from its arguments to its result. All of them use the [session] for what
// they say and read, the flags that several commands share (flags.go), and the outputs (output.go).
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"regvet/hive/collection"
	"regvet/internal/draft"
)

// slackHeap is never used. The collector lets the heap grow to twice what is in use; with this counted as used, a run over a file or two
// ends before it would look for garbage at all, and no setting has to be turned back for a run that needs much memory. The system gives no
// memory for what is never touched.
const slackHeap = 32 << 20 // bytes

func main() {
	slack := make([]byte, slackHeap)
	defer draft.DiscardOnPanic()
	status := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	runtime.KeepAlive(slack)
	draft.Exit(status)
}

// commands are in the order in which the help lists them.
func commands() []command {
	return []command{checkCommand, fixCommand, applyCommand, lintCommand, fmtCommand, exportCommand, diffCommand, infoCommand, rulesCommand, explainCommand,
		completionCommand(commands), manCommand(commands), versionCommand}
}

// run carries out a command line and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s := &session{files: &collection.Local{Stdin: stdin}, stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, help(commands()))
		return statusUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "--help":
		if len(rest) == 0 {
			fmt.Fprint(stdout, help(commands()))
			return statusDone
		}
		name, rest = rest[0], []string{"--help"}
	case "--version":
		name = "version"
	}
	var names []string
	for _, cmd := range commands() {
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
	s.fail(statusUsage, "there is no %s %q%s; \"regvet --help\" lists the commands", what, name, suggest(name, names))
	return s.status
}
