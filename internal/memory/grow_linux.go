package memory

import (
	"math"
	"runtime"
	"syscall"
)

// limit returns how many bytes the system lets this process have, or [math.MaxInt64] if it sets no limit.
func limit() int64 {
	least := uint64(math.MaxInt64) // no limit is a larger number
	for _, resource := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		var is syscall.Rlimit
		if syscall.Getrlimit(resource, &is) == nil {
			least = min(least, is.Cur)
		}
	}
	return int64(least)
}

// grow lets the heap grow by size bytes in large pages, and leaves them free. Nothing is provided for them until they are used. It does nothing if
// the system would not give so much.
func grow(size int) {
	given, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil || syscall.Munmap(given) != nil {
		return // Go would end the process
	}
	heap := make([]byte, size)
	_ = syscall.Madvise(heap, syscall.MADV_HUGEPAGE) // a kernel without them refuses
	runtime.KeepAlive(heap)
}
