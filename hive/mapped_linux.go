package hive

import (
	"os"
	"syscall"
)

// mapFile maps a file. All of it is wanted at once: to map it page by page takes longer.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
}

func unmapFile(data []byte) { _ = syscall.Munmap(data) }
