//go:build !linux

package memory

// grow does nothing: other systems choose the size of pages themselves.
func grow(int) {}
