package cli

import (
	"fmt"
	"strings"
)

// What the help and the manual page say about regvet as a whole.
const (
	about  = "regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right."
	inputs = "INPUT is a hive, a .reg file, a disk image or archive, a place in one such as disk.E01!/p2/Windows, or - for standard input.\nOnly fmt -w and lint --fix change their inputs."
)

// meanings are what the exit statuses mean.
var meanings = [...]string{
	statusDone:     "success, nothing to report",
	statusFindings: "findings, hits of a search, a difference, a file that fmt would change, or a fix that could not be made or proven",
	statusUsage:    "wrong usage, or a rule file, config or baseline that does not load",
	statusInput:    "an input that could not be read, or only in part",
}

// highest says which exit status is returned if several apply.
const highest = "If several apply, the highest is returned."

// help returns the help of regvet as a whole.
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
Run "regvet COMMAND --help" for the flags of a command and examples.

Exit status:
`, inputs)
	for status, meaning := range meanings {
		fmt.Fprintf(&b, "  %d  %s\n", status, meaning)
	}
	b.WriteString(highest + "\n")
	return b.String()
}
