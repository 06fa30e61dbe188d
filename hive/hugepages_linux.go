package hive

import "syscall"

// hugePages asks for memory in pages of 2 MB: a file is read into new memory, and to get that page by page takes longer than to copy
// the file. Where the system has none, nothing is lost.
func hugePages(b []byte) { _ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) }
