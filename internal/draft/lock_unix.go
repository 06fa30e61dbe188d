//go:build linux || darwin

package draft

import (
	"errors"
	"os"
	"syscall"
)

// Lock keeps other processes that ask for it from a file until it is closed, and returns [ErrLocked] if one has it. A filesystem without locks keeps
// nobody from anything.
func Lock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return nil
}
