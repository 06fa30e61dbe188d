package memory

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// A process prepares its memory once, so each case has one of its own: this binary, to which the variable tells the limit.
const limitVariable = "REGVET_TEST_MEMORY"

func TestMain(m *testing.M) {
	if most, err := strconv.ParseInt(os.Getenv(limitVariable), 10, 64); err == nil {
		tell(most)
		return
	}
	os.Exit(m.Run())
}

// tell prepares memory, and prints how many bytes are in use then, and what the system says of the memory of a new slice.
func tell(most int64) {
	Prepare(most)
	runtime.GC() // the one that Prepare leaves to begin by itself
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	data := make([]byte, 4<<20)
	fmt.Println(m.HeapAlloc, flagsAt(uintptr(unsafe.Pointer(&data[len(data)/2]))))
	runtime.KeepAlive(data)
}

// flagsAt returns the flags of the memory at an address.
func flagsAt(at uintptr) string {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	here := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			here = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && here {
			return flags
		}
	}
	return "none"
}

// What is allocated after Prepare lies in memory for which large pages were asked unless there is a limit, what Prepare took for that is free again,
// and what counts as used is an eighth of a limit at most.
func TestPrepare(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no large pages:", err)
	}
	if limited() {
		t.Skip("something limits the memory of this process")
	}
	for _, c := range []struct{ most, unused uint64 }{{0, slack}, {1 << 40, slack}, {64 << 20, 8 << 20}} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", limitVariable, c.most))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		used, flags, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if n, err := strconv.ParseUint(used, 10, 64); err != nil || n < c.unused || n > c.unused+4<<20 {
			t.Errorf("limit %d: %q bytes of the heap are in use, not %d and a little", c.most, used, c.unused)
		}
		if strings.Contains(flags+" ", " hg ") != (c.most == 0) {
			t.Errorf("limit %d: new memory has the flags %q, of which hg says that large pages were asked for", c.most, flags)
		}
	}
}

// A process whose memory is limited starts all the same, with nothing prepared that it could need.
func TestLimits(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes more memory than that")
	}
	for _, limit := range []string{"ulimit -v 1500000", "ulimit -d 300000"} {
		cmd := exec.Command("sh", "-c", limit+` && exec "$0"`, os.Args[0])
		cmd.Env = append(os.Environ(), limitVariable+"=0")
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out)+" ", " hg ") {
			t.Errorf("%s: %v: %.200s", limit, err, out)
		}
	}
}
