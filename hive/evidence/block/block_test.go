package block_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/internal/evidencetest"
)

// TestReads holds the law of the package for every wrapper: a read returns the bytes that are there, or an error, and a gap stays one.
func TestReads(t *testing.T) {
	content := make([]byte, 300<<10)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	const from, to = 100 << 10, 101 << 10
	damaged := evidencetest.Gap(block.Bytes(content), from, to)
	for name, r := range map[string]block.Reader{
		"cached":  block.Cached(damaged),
		"section": block.Section(damaged, 0, int64(len(content))),
		"both":    block.Cached(block.Section(damaged, 0, int64(len(content)))),
		"cut off": block.Section(damaged, 0, int64(len(content)+5000)),
	} {
		for range 20000 {
			at := rng.Int64N(r.Size() + 10)
			p := make([]byte, rng.IntN(300))
			n, err := r.ReadAt(p, at)
			end := at + int64(n)
			if n > 0 && (end > int64(len(content)) || !bytes.Equal(p[:n], content[at:end])) {
				t.Fatalf("%s: %d bytes at %d are not those that are there", name, n, at)
			}
			if n > 0 && at < to && end > from {
				t.Fatalf("%s: %d bytes at %d are of a gap", name, n, at)
			}
			touches := at < to && at+int64(len(p)) > from || at < r.Size() && at+int64(len(p)) > int64(len(content)) && r.Size() > int64(len(content))
			switch {
			case n == len(p) && (err == nil || err == io.EOF):
			case touches && len(p) > 0 && !block.IsGap(err):
				t.Fatalf("%s: %d bytes at %d: %v, want a gap", name, len(p), at, err)
			case !touches && !errors.Is(err, io.EOF):
				t.Fatalf("%s: %d bytes at %d: %v", name, len(p), at, err)
			}
		}
	}
}

// TestReadIsHeldAgainstTheSize holds that a size in a file allocates nothing before it was checked.
func TestReadIsHeldAgainstTheSize(t *testing.T) {
	r := block.Bytes(make([]byte, 10))
	for _, c := range []struct {
		at   int64
		size int
	}{{0, 11}, {11, 0}, {5, 1 << 40}, {-1, 1}, {1<<63 - 1, 5}, {0, -1}} {
		if _, err := block.Read(r, c.at, c.size); err == nil {
			t.Errorf("%d bytes at %d are read", c.size, c.at)
		}
	}
	if data, err := block.Read(r, 10, 0); err != nil || len(data) != 0 {
		t.Errorf("nothing at the end: %v", err)
	}
}
