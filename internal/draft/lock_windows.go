package draft

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// Lock keeps other processes that ask for it from a file until it is closed, and returns [ErrLocked] if one has it. What is locked is a byte that no
// file has, because others could not read one that is.
func Lock(f *os.File) error {
	at := &windows.Overlapped{Offset: math.MaxUint32, OffsetHigh: math.MaxInt32}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return nil
}
