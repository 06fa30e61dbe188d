// Package memory sets how a program of this module uses memory: when the garbage collector begins, and in which pages the heap grows.
//
// What a person waits for in a run over a hive of some megabytes is in large part the operating system, which provides memory page by page as
// it is touched first. [Prepare] therefore asks it for pages of 2 MB instead of 4 KB, where it has them and leaves the choice to programs, and
// the collector begins only once the heap is larger than such a run needs.
package memory

import "runtime/debug"

const (
	slack = 48 << 20  // bytes that count as used, see unused
	large = 256 << 20 // bytes of the heap that get large pages
)

// unused is memory that is allocated but never used. The collector lets the heap grow to twice what is in use. With this counted as used, a run
// over a file or two ends before the first collection, and a run that needs much memory needs no other setting. The operating system provides
// nothing for pages that are never touched.
var unused []byte

// Prepare is called before memory is used; later calls do nothing. most is what the process may use, in bytes; 0 says that nothing limits it. A
// process with a limit gets no large pages: Linux refuses memory beyond a limit only when more is mapped, so that what was mapped beforehand would
// let it go far beyond.
func Prepare(most int64) {
	if unused != nil {
		return
	}
	percent := debug.SetGCPercent(-1) // else the collector would begin now, and find the heap below in use
	if most > 0 {
		unused = make([]byte, min(slack, most/8))
	} else {
		unused = make([]byte, slack)
		grow(large)
	}
	debug.SetGCPercent(percent)
}
