package lint

import (
	"bytes"
	"strings"
	"testing"

	"regvet/rules/accept"
)

func written(t *testing.T, b *accept.Baseline) string {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// record replaces the findings of a.reg in a baseline.
func record(b *accept.Baseline, findings []Finding) {
	for _, f := range findings {
		b.Record("a.reg", f.Check.ID, f.Fingerprint(), f.Message)
	}
	b.Forget("a.reg", anything)
}

func anything(string) bool { return true }

// TestBaseline tests that the order of sections and lines in between do not matter, and that of equal findings only as many are known as
// there were.
func TestBaseline(t *testing.T) {
	all := checks
	checks = []*Check{everyValue, ignoreReason}
	t.Cleanup(func() { checks = all })
	sections := []string{"[HKEY_USERS\\A]\n\"a\"=dword:1\n\"b\"=dword:1\n", "[HKEY_USERS\\B]\n\"a\"=dword:1\n\"A\"=dword:2\n", "[HKEY_USERS\\C]\n@=\"<&>\"\n"}
	lint := func(known func(string) bool, parts ...string) []Finding {
		r, err := Linter{Known: known}.Lint("a.reg", strings.NewReader("REGEDIT4\n"+strings.Join(parts, "")))
		if err != nil {
			t.Fatal(err)
		}
		return r.Findings
	}
	b := accept.NewBaseline(accept.Checks)
	if record(b, lint(nil, sections...)); b.Size("a.reg") != 5 {
		t.Fatalf("%d findings were taken up, want 5", b.Size("a.reg"))
	}
	first := written(t, b)
	loaded, err := accept.LoadBaseline(accept.Checks, "test.json", []byte(first))
	if err != nil || written(t, loaded) != first {
		t.Fatalf("read again it is another: %v\n%s", err, first)
	}
	known := func(print string) bool { return loaded.Knows("a.reg", print) }
	count := func(findings []Finding) (shown int) {
		for _, f := range findings {
			if f.Suppressed == nil {
				shown++
			}
		}
		return shown
	}
	for _, c := range []struct {
		name        string
		parts       []string
		shown, gone int
	}{
		{"as it was", sections, 0, 0},
		{"in another order", []string{sections[2], "; more\n\n", sections[0], "[HKEY_USERS\\D]\n", sections[1]}, 0, 0},
		{"with one more", append(sections[:2:2], "\"a\"=dword:3\n", sections[2]), 1, 0},
		{"with another", append(sections[:3:3], "[HKEY_USERS\\E]\n\"a\"=dword:1\n"), 1, 0},
		{"with one less", []string{sections[0], "[HKEY_USERS\\B]\n\"A\"=dword:1\n", sections[2]}, 0, 1},
		{"with nothing", nil, 0, 5},
	} {
		findings := lint(known, c.parts...)
		again, err := accept.LoadBaseline(accept.Checks, "test.json", []byte(first))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			again.Meet("a.reg", f.Fingerprint())
		}
		if shown, gone := count(findings), again.Gone("a.reg", anything); shown != c.shown || gone != c.gone {
			t.Errorf("%s: %d are new and %d gone, want %d and %d", c.name, shown, gone, c.shown, c.gone)
		}
		if c.shown == 0 && c.gone == 0 {
			record(again, lint(nil, c.parts...))
			if got := written(t, again); got != first {
				t.Errorf("%s: it is written as\n%swant\n%s", c.name, got, first)
			}
		}
	}
	if n := count(lint(func(print string) bool { return loaded.Knows("b.reg", print) }, sections...)); n != 5 {
		t.Errorf("another file has %d new findings, want 5", n)
	}
}

// TestBaselineAndFix tests that findings of a baseline are not fixed, and of equal ones only as many are left as it has.
func TestBaselineAndFix(t *testing.T) {
	const key = "REGEDIT4\r\n\r\n[HKEY_USERS\\A]\r\n"
	b := accept.NewBaseline(accept.Checks)
	known := func(print string) bool { return b.Knows("a.reg", print) }
	l := Linter{Known: known, Severity: func(c *Check) Severity {
		if c == shortDWord {
			return c.Severity
		}
		return 0
	}}
	r, err := l.Lint("a.reg", strings.NewReader(key+"\"a\"=dword:1\r\n\"a\"=dword:1\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	record(b, r.Findings)
	for _, c := range []struct{ in, want string }{
		{"\"a\"=dword:1\r\n\"a\"=dword:1\r\n", "\"a\"=dword:1\r\n\"a\"=dword:1\r\n"},
		{"\"b\"=dword:1\r\n\"A\"=dword:2\r\n\"a\"=dword:1\r\n\"a\"=dword:3\r\n", "\"b\"=dword:00000001\r\n\"A\"=dword:2\r\n\"a\"=dword:1\r\n\"a\"=dword:00000003\r\n"},
	} {
		fixed, err := l.Fix("a.reg", []byte(key+c.in), Safe)
		if err != nil || string(fixed.Data) != key+c.want || len(fixed.Remains.Findings) != 2 {
			t.Errorf("%q becomes %q with %d findings (%v), want %q with 2", c.in, fixed.Data, len(fixed.Remains.Findings), err, c.want)
		}
	}
}
