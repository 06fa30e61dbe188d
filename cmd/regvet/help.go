package main

import (
	"fmt"
	"strings"
)

// What the help and the manual page say about the whole.
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

// help returns what regvet says without a command.
func help(commands []command) string {
	var b strings.Builder
	b.WriteString(about + "\n\nUsage:\n")
	width := 0
	for _, cmd := range commands {
		width = max(width, len(cmd.name))
	}
	for _, cmd := range commands {
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
