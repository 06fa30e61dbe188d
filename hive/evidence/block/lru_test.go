package block_test

import (
	"testing"

	"regvet/hive/evidence/block"
)

// TestLRU tests that what was used last is kept within the limit, that a key keeps its first value, and that one thing is kept whatever its size.
func TestLRU(t *testing.T) {
	l := block.NewLRU[string, int](10)
	has := func(key string, want int) {
		t.Helper()
		if got, ok := l.Get(key); ok != (want != 0) || got != want {
			t.Errorf("%s: %d, %v, want %d", key, got, ok, want)
		}
	}
	l.Add("a", 1, 4)
	l.Add("b", 2, 4)
	l.Add("a", 9, 4)
	has("a", 1)
	l.Add("c", 3, 4) // b was used least
	has("b", 0)
	has("a", 1)
	has("c", 3)
	l.Add("large", 4, 100)
	has("large", 4)
	has("a", 0)
	has("c", 0)
}
