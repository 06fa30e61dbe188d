package main

import (
	"os"
	"syscall"
)

// openWriter opens a pipe for writing. It is an error if nobody reads it.
func openWriter(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}
