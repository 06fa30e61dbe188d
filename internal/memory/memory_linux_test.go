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

// A process prepares its memory once, so each case has one of its own: this binary, with this variable.
const telling = "REGVET_TEST_MEMORY"

func TestMain(m *testing.M) {
	if os.Getenv(telling) != "" {
		tell()
		return
	}
	os.Exit(m.Run())
}

// tell prepares memory, and prints how many bytes are in use then, and what the system says of the memory of a new slice.
func tell() {
	Prepare()
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

// What is allocated after Prepare lies in memory for which large pages were asked unless a limit is low, what Prepare took for that is free again, and
// what counts as used is an eighth of a limit at most. A process with little memory starts.
func TestPrepare(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("this kernel has no large pages:", err)
	}
	info, _ := debug.ReadBuildInfo()
	detector := info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
	for _, c := range []struct {
		limit  string // a command for sh
		unused uint64
		large  bool
	}{
		{"unset GOMEMLIMIT", slack, limit()/8 >= large},
		{"export GOMEMLIMIT=2GiB", slack, limit()/8 >= large},
		{"export GOMEMLIMIT=1GiB", slack, false},
		{"export GOMEMLIMIT=64MiB", 8 << 20, false},
		{"ulimit -v 1500000", slack, false},
		{"ulimit -d 300000", 300_000 << 10 / 8, false},
	} {
		ulimit := strings.HasPrefix(c.limit, "ulimit")
		if ulimit && detector {
			continue // it takes more memory than that
		}
		cmd := exec.Command("sh", "-c", c.limit+` && exec "$0"`, os.Args[0])
		cmd.Env = append(os.Environ(), telling+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %.300s", c.limit, err, out)
			continue
		}
		used, flags, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if n, err := strconv.ParseUint(used, 10, 64); err != nil || n < c.unused || n > c.unused+4<<20 {
			t.Errorf("%s: %q bytes of the heap are in use, not %d and a little", c.limit, used, c.unused)
		}
		if strings.Contains(flags+" ", " hg ") != c.large {
			t.Errorf("%s: new memory has the flags %q, of which hg says that large pages were asked for", c.limit, flags)
		}
	}
}
