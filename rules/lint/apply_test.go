package lint

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestApply compares the choice of fixes with its definition: a fix is made if none of its changes touches a change of a fix made before it.
func TestApply(t *testing.T) {
	const text = "0123456789"
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var x fixes
		var made []Change
		count := 0
		for range r.IntN(6) {
			var fix Fix
			for from := r.Int64N(4); from <= int64(len(text)) && len(fix.Changes) < 3; from += 1 + r.Int64N(4) {
				c := Change{From: from, To: min(from+r.Int64N(3), int64(len(text))), New: strings.Repeat("x", r.IntN(3))}
				fix.Changes = append(fix.Changes, c)
				from = c.To
			}
			x.add(&Finding{Fix: &fix})
			touches := func(c Change) bool {
				return slices.ContainsFunc(made, func(o Change) bool { return c.From <= o.To && o.From <= c.To })
			}
			if !slices.ContainsFunc(fix.Changes, touches) {
				made = append(made, fix.Changes...)
				count++
			}
		}
		slices.SortFunc(made, func(a, b Change) int { return cmp.Compare(b.From, a.From) })
		want := text
		for _, c := range made {
			want = want[:c.From] + c.New + want[c.To:]
		}
		changes, _, n := x.choose(len(text), "")
		if got := spliced([]byte(text), changes); string(got) != want || n != count {
			t.Fatalf("%v make %d changes and %q, want %d and %q", x, n, got, count, want)
		}
	}
}

// TestLinear tests that time does not grow with the square of what a file has many of. Each of these took minutes.
func TestLinear(t *testing.T) {
	const many = 200_000
	const key = "REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\Software\\Example]\r\n"
	values := func(line string) string {
		var b strings.Builder
		for i := range many {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, in string
		fixes    int
	}{
		{"fixes", values("\"a%d\"=dword:1\r\n"), many},
		{"comments for a line", values("\"a%d\"=dword:1 ; regvet:ignore REG012 -- why\r\n"), 0},
		{"comments for the file", values("\"a%d\"=dword:1\r\n; regvet:ignore-file REG012 -- why\r\n"), 0},
		{"comments in one value", "\"b\"=hex:01,\\\r\n" + strings.Repeat("; regvet:ignore REG013 -- why\r\n01,\\\r\n", many) + "02\r\n", many},
		{"checks in one comment", "; regvet:ignore" + strings.Repeat(" REG013", many) + "\r\n", 0},
	} {
		start := time.Now()
		f, err := Linter{Most: 1000}.Fix("test.reg", []byte(key+c.in), Safe)
		if err != nil || f.Fixes != c.fixes {
			t.Errorf("%s: %d were fixed (%v), want %d", c.name, f.Fixes, err, c.fixes)
		}
		took := time.Since(start)
		t.Log(c.name, took)
		if took > 60*time.Second {
			t.Errorf("%s: %d take %v", c.name, many, took)
		}
	}
}
