// Package evidencetest is what tests of images, volumes and filesystems have in common.
package evidencetest

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
)

// Gap returns a reader of which the bytes from one offset up to another cannot be read.
func Gap(r block.Reader, from, to int64) block.Reader { return gap{r, from, to} }

type gap struct {
	block.Reader
	from, to int64
}

func (g gap) ReadAt(p []byte, at int64) (int, error) {
	if at < g.to && at+int64(len(p)) > g.from {
		return 0, block.NewGap(g.Reader, g.from, "missing")
	}
	return g.Reader.ReadAt(p, at)
}

// Sums reads what sha256sum wrote: the hash of each file by its path.
func Sums(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, path, _ := strings.Cut(lines.Text(), "  ")
		list[strings.TrimPrefix(path, "./")] = sum
	}
	return list
}
