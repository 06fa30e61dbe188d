package memory

import (
	"runtime"
	"syscall"
)

// grow lets the heap grow by size bytes in large pages, and leaves them free. Nothing is provided for them until they are used. A process whose
// memory is limited gets none, nor does one to which the system would not give so much.
func grow(size int) {
	if limited() {
		return
	}
	given, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil || syscall.Munmap(given) != nil {
		return // Go would end the process
	}
	heap := make([]byte, size)
	_ = syscall.Madvise(heap, syscall.MADV_HUGEPAGE) // a kernel without them refuses
	runtime.KeepAlive(heap)
}

// limited reports whether something limits the memory of this process.
func limited() bool {
	const unlimited = ^uint64(0)
	for _, resource := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		var limit syscall.Rlimit
		if syscall.Getrlimit(resource, &limit) != nil || limit.Cur != unlimited {
			return true
		}
	}
	return false
}
