package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// widenPipe lets a pipe hold as much as any user may have in one, where Linux gives 64 KB: who writes an export of some megabytes and who
// reads it then wait for each other less often. What is no pipe, or may not be widened, stays as it is.
func widenPipe(f *os.File) { _, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, 1<<20) }
