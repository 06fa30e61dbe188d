package report

import (
	"bytes"
	"encoding/hex"
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

// TestLongData tells that data which are written in pieces are whole.
func TestLongData(t *testing.T) {
	data := make([]byte, 3*hive.FullBuffer+1)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	root := hive.NewKey("", []hive.Value{{Name: "a", Type: hive.Binary, Data: data}, {Name: "b", Type: hive.Binary, Data: data[:1]}})
	var out bytes.Buffer
	if err := Keys(&out, root, hive.Path{"HKEY_USERS"}, KeyFields{}); err != nil {
		t.Fatal(err)
	}
	var got struct{ Values []struct{ Name, Data string } }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Values) != 2 {
		t.Fatal(err, got)
	}
	if got.Values[0].Data != hex.EncodeToString(data) || got.Values[1].Data != hex.EncodeToString(data[:1]) {
		t.Error("the data are not those of the value")
	}
}
