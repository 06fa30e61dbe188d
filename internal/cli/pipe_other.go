//go:build !linux

package cli

import "os"

// widenPipe does nothing: only Linux can enlarge the buffer of a pipe.
func widenPipe(*os.File) {}
