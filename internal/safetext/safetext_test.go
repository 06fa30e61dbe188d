package safetext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestEveryCharacter writes JSON with every character in both ways, and compares what a decoder reads.
func TestEveryCharacter(t *testing.T) {
	steering := 0
	for r := range rune(utf8.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		if Steers(r) {
			steering++
		}
		text := "a" + string(r) + `"b`
		var out bytes.Buffer
		if err := NewEncoder(&out).Encode(text); err != nil {
			t.Fatal(err)
		}
		for _, written := range []string{strings.TrimSuffix(out.String(), "\n"), `"` + string(AppendJSON(nil, text)) + `"`} {
			var back string
			if err := json.Unmarshal([]byte(written), &back); err != nil || back != text {
				t.Fatalf("%U is written as %q and read as %q: %v", r, written, back, err)
			}
			if strings.ContainsFunc(written, Steers) {
				t.Fatalf("%U is written as it is: %q", r, written)
			}
		}
	}
	// C0, DEL and C1; the marks and separators; the noncharacters: 32 in a row, and two at the end of each plane.
	if want := 32 + 33 + 3 + 7 + 4 + 32 + 34; steering != want {
		t.Errorf("%d characters steer, want %d", steering, want)
	}
}

func TestEscapes(t *testing.T) {
	const text = "\x00\t\n\r\x1b \x7f\u009b\u061c\u200e\u2028\u202e\u2069\ufdd0\uffff\U0010fffe é<&日😀"
	const want = `\u0000\t\n\r\u001b \u007f\u009b\u061c\u200e\u2028\u202e\u2069\ufdd0\uffff\udbff\udffe é<&日😀`
	if got := string(AppendJSON(nil, text)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var out bytes.Buffer
	e := NewEncoder(&out)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]string{"a\u0085": text}); err != nil || out.String() != fmt.Sprintf("{\n \"a\\u0085\": \"%s\"\n}\n", want) {
		t.Errorf("%s, error %v", &out, err)
	}
}
