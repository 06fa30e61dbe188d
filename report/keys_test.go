package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"regvet/hive"
)

// TestPath requires that JSON gives a path back as it was, except what is not text.
func TestPath(t *testing.T) {
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
	p := jsonPath
	for range 2_000 {
		prefix := word()
		p.begin(prefix)
		var path hive.Path
		for range 20 { // keys of a walk
			path = append(path[:noise.IntN(len(path)+1)], word())
			p.enter(len(path), path[len(path)-1])
			want := joined(prefix, path)
			var got string
			if err := json.Unmarshal([]byte(`"`+string(p.text)+`"`), &got); err != nil || got != hive.Printable(want) {
				t.Fatalf("%q %q: %s, which is %q, error %v; want %q", prefix, path, p.text, got, err, want)
			}
		}
	}
}

// TestLongData requires that data written in pieces are complete.
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

// TestAppendHex compares data of every length with package hex.
func TestAppendHex(t *testing.T) {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	for n := range data {
		if got, want := string(appendHex([]byte("before"), data[n:])), "before"+hex.EncodeToString(data[n:]); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
}

// TestClock requires that times are formatted as package time does it, whatever was formatted before.
func TestClock(t *testing.T) {
	noise := rand.New(rand.NewPCG(5, 6))
	times := []hive.Filetime{0, 1, 9_999_999, 10_000_000, -1, -10_000_000, 1<<63 - 1, -1 << 63, 129_000_000_000_000_000}
	for range 1000 {
		times = append(times, hive.Filetime(noise.Uint64()), times[len(times)-1]+hive.Filetime(noise.IntN(20_000_000)))
	}
	var c clock
	for _, at := range times {
		want := "null"
		if at > 0 && at.UTC().Year() < 10000 {
			want = `"` + timestamp(at.UTC()) + `"`
		}
		if got := string(c.append(nil, at)); got != want {
			t.Fatalf("%d: %s, want %s", at, got, want)
		}
	}
}
