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

// version returns the version of the module as Go recorded it: a tag, or a pseudo-version with the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
