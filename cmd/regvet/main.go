// Command regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right.
package main

import (
	"os"
	"runtime/debug"

	"regvet/cmd/regvet/internal/draft"
)

func main() {
	// A run over one hive is over in a few hundredths of a second and needs little more memory than the file. To look for garbage
	// whenever the heap has doubled would take as long again.
	debug.SetGCPercent(400)
	defer draft.DiscardOnPanic()
	draft.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
