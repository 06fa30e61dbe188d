package main

import (
	"fmt"
	"runtime/debug"
)

var versionCommand = command{
	name: "version", short: "print the version", max: 0,
	example: "  regvet version\n",
	define:  noFlags(func(s *session, _ []string) { fmt.Fprintf(s.stdout, "regvet %s\n", version()) }),
}

// version returns that of the module as Go built it: a tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
