//go:build !linux

package hive

// hugePages is for Linux alone.
func hugePages([]byte) {}
