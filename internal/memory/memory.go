// Package memory sets how a program of this module uses memory: when the garbage collector begins, and in which pages the heap grows.
//
// What a person waits for in a run over a hive of some megabytes is in large part the operating system, which provides memory page by page as
// it is touched first. [Prepare] therefore asks it for pages of 2 MB instead of 4 KB, where it has them and leaves the choice to programs, and
// the collector begins only once the heap is larger than such a run needs.
package memory

import (
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

const (
	slack = 48 << 20  // bytes that count as used, see unused
	large = 192 << 20 // bytes of the heap that get large pages
)

// unused is memory that is allocated but never used. The collector lets the heap grow to twice what is in use. With this counted as used, a run
// over a file or two ends before the first collection, and a run that needs much memory needs no other setting. The operating system provides
// nothing for pages that are never touched.
var unused []byte

// Prepare is called before memory is used; later calls do nothing. Where memory is limited, by the system or by Go (GOMEMLIMIT,
// [debug.SetMemoryLimit]), at most an eighth of that is left unused, and there are large pages only if they are no more than another eighth: Linux
// refuses memory beyond a limit only when more is mapped, so that a process can go beyond it by what was mapped beforehand.
func Prepare() {
	if unused != nil {
		return
	}
	share := min(debug.SetMemoryLimit(-1), limit()) / 8
	percent := debug.SetGCPercent(-1) // else the collector would begin now, and find the heap below in use
	unused = make([]byte, min(slack, share))
	if share >= large {
		grow(large)
	}
	debug.SetGCPercent(percent)
}

// ForTests is called by test processes that make much garbage and hold little of it: with the heap at five times what is in use, they take a fifth to a third
// less time. It does nothing where benchmarks run, which are to show what programs take.
func ForTests() {
	if !slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.bench=") }) {
		debug.SetGCPercent(400)
	}
}
