package cli

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWidenPipe requires that a pipe is enlarged, and that a file stays as it is.
func TestWidenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	before, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 64<<10)
	if err != nil {
		t.Skip("this system does not set the size of a pipe:", err)
	}
	widenPipe(w)
	if after, err := unix.FcntlInt(w.Fd(), unix.F_GETPIPE_SZ, 0); err != nil || after == before {
		t.Errorf("a pipe of %d bytes holds %d after it was widened, %v", before, after, err)
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	widenPipe(file)
	if _, err := file.WriteString("x"); err != nil {
		t.Error(err)
	}
}
