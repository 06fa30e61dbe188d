package main

import "syscall"

// limit makes the system refuse more memory than this to the process, in bytes. Go ends a process to which that happens.
func limit(memory int64) {
	// Where it cannot be set, it was set lower from outside.
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: uint64(memory), Max: uint64(memory)})
}
