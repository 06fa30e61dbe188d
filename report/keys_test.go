package report

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"regvet/hive"
)

// TestAppendKey tells that a path is read from JSON again as it was, but for what is no text.
func TestAppendKey(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	alphabet := []string{"a", "B", "7", " ", `\`, `"`, "/", "<", "&", "\x00", "\n", "\x1f", "\x7f", "~", "é", "€", "\u2028", "😀", "\xed\xa0\x80", "\xff"}
	word := func() (s string) {
		letters := alphabet[:4]
		if noise.IntN(3) == 0 {
			letters = alphabet
		}
		for range noise.IntN(5) {
			s += letters[noise.IntN(len(letters))]
		}
		return s
	}
	for range 20_000 {
		prefix := word()
		var path hive.Path
		for range noise.IntN(4) {
			path = append(path, word())
		}
		want := joined(prefix, path)
		b := appendKey([]byte("before"), prefix, path)
		var got string
		if err := json.Unmarshal(b[len("before"):], &got); err != nil || got != hive.Printable(want) || string(b[:6]) != "before" {
			t.Fatalf("%q %q: %s, which is %q, error %v; want %q", prefix, path, b, got, err, want)
		}
	}
}
