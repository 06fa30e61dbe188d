package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// widenPipe enlarges the buffer of a pipe from 64 KB to 1 MB, which Linux permits every user by default. The writer and the reader of an export
// then wait for each other less often. If f is not a pipe or cannot be enlarged, nothing changes.
func widenPipe(f *os.File) { _, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, 1<<20) }
