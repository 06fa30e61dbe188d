package runs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"regvet/internal/runs"
)

// TestSorter checks that lines come out in order and whole, whatever fits in memory, and that no file is left.
func TestSorter(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	random := rand.New(rand.NewPCG(1, 2))
	type line struct {
		key  int64
		text string
	}
	var lines []line
	for i := range 700 {
		lines = append(lines, line{random.Int64N(40) - 20, strings.Repeat("x", random.IntN(50)) + fmt.Sprint(i%337, "\n")})
	}
	lines = append(lines, line{-3, strings.Repeat("long", 1<<17) + "\n"}, line{7, ""})
	sorted := slices.SortedFunc(slices.Values(lines), func(a, b line) int {
		if a.key != b.key {
			return int(a.key - b.key)
		}
		return strings.Compare(a.text, b.text)
	})
	var want bytes.Buffer
	for _, l := range sorted {
		want.WriteString(l.text)
	}
	for _, budget := range []int{0, 100, 2000, 100_000, 64 << 20} { // the first make more runs than are merged at a time
		s := runs.NewSorter(budget)
		var adders sync.WaitGroup
		for i := range 3 {
			adders.Go(func() {
				for j := i; j < len(lines); j += 3 {
					if err := s.Add(lines[j].key, []byte(lines[j].text)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		adders.Wait()
		var got bytes.Buffer
		if err := s.Write(&got); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("with %d bytes in memory: error %v, or another order", budget, err)
		}
		s.Close()
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Fatalf("with %d bytes in memory: %v are left", budget, left)
		}
	}
}

// TestSorterFails checks that the error of a temporary file is told from that of the output.
func TestSorterFails(t *testing.T) {
	s := runs.NewSorter(0)
	defer s.Close()
	for range 3 {
		if err := s.Add(1, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(full{}); !errors.Is(err, errFull) || s.Err() != nil {
		t.Errorf("a full disk: %v, of a temporary file: %v", err, s.Err())
	}
	if os.Getuid() < 0 {
		t.Skip("Windows has another variable for the folder")
	}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	lost := runs.NewSorter(0)
	defer lost.Close()
	if err := lost.Add(1, []byte("x")); err != nil {
		t.Errorf("the first line needs no file: %v", err)
	}
	for range 2 {
		if err := lost.Add(1, []byte("x")); err == nil || lost.Err() != err {
			t.Errorf("without a folder for temporary files: %v, %v", err, lost.Err())
		}
	}
	if err := lost.Write(&bytes.Buffer{}); err == nil || err != lost.Err() {
		t.Errorf("written: %v, %v", err, lost.Err())
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
