package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/memory"
	"regvet/rules"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// shown returns the findings in a file, one per line: place, check, and an s if suppressed.
func shown(t *testing.T, l Linter, text string) string {
	t.Helper()
	r, err := l.Lint("test.reg", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s", f.At, f.Check.ID)
		if f.Suppressed != nil {
			fmt.Fprintf(&b, " s (%s)", f.Suppressed.Reason)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// everyValue is a check that reports every value.
var everyValue = &Check{ID: "REG999", Name: "every-value", Severity: Warning, visit: func(p *pass, c *Check, s *regfile.Statement) {
	if s.Kind == regfile.ValueLine {
		p.report(c, s, s.Name, "a value")
	}
}}

func TestIgnore(t *testing.T) {
	all := checks
	checks = []*Check{ignoreUnused, ignoreReason, everyValue}
	t.Cleanup(func() { checks = all })
	const head = "Windows Registry Editor Version 5.00\n[HKEY_USERS\\A]\n"
	for _, c := range []struct{ name, in, want string }{
		{"none", "\"a\"=dword:1\n", "3:1 REG999\n"},
		{"behind the value", "\"a\"=dword:1 ; regvet:ignore REG999 -- why\n\"b\"=dword:1\n", "3:1 REG999 s (why)\n4:1 REG999\n"},
		{"above the value", "; regvet:ignore every-value -- why\n\n; more\n\"a\"=dword:1\n\"b\"=dword:1\n", "6:1 REG999 s (why)\n7:1 REG999\n"},
		{"in the file", "\"a\"=dword:1\n;regvet:ignore-file all -- why\n", "3:1 REG999 s (why)\n"},
		{"in hex data", "\"a\"=hex:1,\\ ; regvet:ignore REG999 -- why\n  2\n", "3:1 REG999 s (why)\n"},
		{"in a later line of hex data", "\"a\"=hex:1,\\\n  2,\\\n ; regvet:ignore REG999 -- why\n  3\n", "3:1 REG999 s (why)\n"},
		{"behind the last line of hex data", "\"a\"=hex:1,\\\n  2 ; regvet:ignore REG999 -- why\n", "3:1 REG999 s (why)\n"},
		{"unused in hex data", "\"a\"=hex:1,\\\r\n  2 ; regvet:ignore REG505 -- why\r\n", "3:1 REG999\n4:7 REG504\n"},
		{"behind a value that is dropped", "\"a\"=dword:0x1 ; regvet:ignore REG999 -- why\n\"b\"=\"C:\\Temp\" ; regvet:ignore REG999 -- why\n",
			"3:1 REG999 s (why)\n4:1 REG999 s (why)\n"},
		{"in a text", "\"a\"=\"; regvet:ignore REG999 -- why\"\n", "3:1 REG999\n"},
		{"in a text without a key", "[-HKEY_USERS\\A]\n\"a\"=\"; regvet:ignore REG999 -- why\"\n", "4:1 REG999\n"},
		{"unused behind a key", "[HKEY_USERS\\B] ; regvet:ignore REG999 -- why\n", "3:18 REG504\n"},
		{"without reason", "\"a\"=dword:1 ; regvet:ignore REG999\n", "3:1 REG999 s ()\n3:15 REG505\n"},
		{"unused", "; regvet:ignore REG999 -- why\n", "3:3 REG504\n"},
		{"no such check", "\"a\"=dword:1 ; regvet:ignore REG998 -- why\n", "3:1 REG999\n3:15 REG504\n"},
		{"no check", "\"a\"=dword:1 ; regvet:ignore -- why\n", "3:1 REG999\n3:15 REG504\n"},
		{"no such word", "\"a\"=dword:1 ; regvet:ignored REG999 -- why\n", "3:1 REG999\n3:15 REG504\n"},
		{"almost", "\"a\"=dword:1 ; regvet: ignore REG999 -- why\n", "3:1 REG999\n3:15 REG504\n"},
		{"almost, in other letters", "; Regvet:Ignore REG999 -- why\n\"a\"=dword:1\n", "3:3 REG504\n4:1 REG999\n"},
		{"as another linter has it", ";regvet-disable-next-line REG999\n\"a\"=dword:1\n", "3:2 REG504\n4:1 REG999\n"},
		{"spoken of by name", "; regvet ignores REG999\n; regvet: the linter\n; see regvet: ignore\n\"a\"=dword:1\n", "6:1 REG999\n"},
		{"with a tab", "\"a\"=dword:1\t;\tregvet:ignore\tREG999\t--\twhy\n", "3:1 REG999 s (why)\n"},
		{"only spoken of", "\"a\"=dword:1 ; write regvet:ignore REG999\n", "3:1 REG999\n"},
	} {
		if got := shown(t, Linter{}, head+c.in); got != c.want {
			t.Errorf("%s: found\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// TestIgnoreBehind tests comments after a key line and after a stray line.
func TestIgnoreBehind(t *testing.T) {
	all := checks
	checks = []*Check{ignoreUnused, strayLine, numberedControlSet}
	t.Cleanup(func() { checks = all })
	const in = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\A] ; regvet:ignore REG301 -- why\nsee above ; regvet:ignore REG007 -- too\nand below\n"
	if got, want := shown(t, Linter{}, in), "2:28 REG301 s (why)\n3:1 REG007 s (too)\n4:1 REG007\n"; got != want {
		t.Errorf("found\n%swant\n%s", got, want)
	}
}

// TestMost tests that findings that are not listed are counted.
func TestMost(t *testing.T) {
	all := checks
	checks = []*Check{everyValue}
	t.Cleanup(func() { checks = all })
	r, err := Linter{Most: 3}.Lint("test.reg", strings.NewReader("REGEDIT4\n[HKEY_USERS\\A]\n"+strings.Repeat("\"a\"=dword:1\n", 5)))
	if err != nil || len(r.Findings) != 3 || len(r.Problems) != 1 || r.Problems[0].Error() != "test.reg: findings of REG999 that are not listed: 2" {
		t.Errorf("%d findings, problems %v, error %v", len(r.Findings), r.Problems, err)
	}
	prints := map[string]bool{}
	for _, f := range r.Findings {
		prints[f.Fingerprint()] = true
	}
	if len(prints) != 3 {
		t.Errorf("3 findings that are alike have %d fingerprints", len(prints))
	}
}

// TestMostAndSuppressed tests that suppressed findings do not use up the room of others, and that a comment is not useless because the
// finding that it suppresses is not listed.
func TestMostAndSuppressed(t *testing.T) {
	all := checks
	checks = []*Check{everyValue, ignoreUnused}
	t.Cleanup(func() { checks = all })
	const (
		value = "\"a\"=dword:1\n"
		above = "; regvet:ignore REG999 -- why\n" + value
		file  = "; regvet:ignore-file REG999 -- why\n"
	)
	for _, c := range []struct{ name, in, want, left string }{
		{"behind suppressed ones", above + above + value, "4:1 REG999 s (why)\n7:1 REG999\n", ""},
		{"above a suppressed one", value + value + above, "3:1 REG999\n6:1 REG999 s (why)\n", "test.reg: findings of REG999 that are not listed: 1"},
		{"below a comment for the file", file + value + value, "4:1 REG999 s (why)\n", ""},
		{"above a comment for the file", value + value + file, "3:1 REG999 s (why)\n", ""},
	} {
		const head = "REGEDIT4\n[HKEY_USERS\\A]\n"
		l := Linter{Most: 1}
		if got := shown(t, l, head+c.in); got != c.want {
			t.Errorf("%s: found\n%swant\n%s", c.name, got, c.want)
		}
		r, err := l.Lint("test.reg", strings.NewReader(head+c.in))
		left := ""
		for _, p := range r.Problems {
			left += p.Error()
		}
		if err != nil || left != c.left {
			t.Errorf("%s: problems %q (%v), want %q", c.name, left, err, c.left)
		}
		fixed, err := l.Fix("test.reg", []byte(head+c.in), Safe)
		if err != nil || fixed.Fixes != 0 {
			t.Errorf("%s: there are %d fixes (%v), want none", c.name, fixed.Fixes, err)
		}
	}
}

// TestPacksAndTarget tests that a value that Windows does not read is reported once: by the check or, if that is off, by the rule.
func TestPacksAndTarget(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	everything := checks
	t.Cleanup(func() { checks = everything })
	const in = "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\n\"SynAttackProtect\"=dword:00000001\n\"MaxUserPorts\"=dword:0000fffe\n"
	vista := hive.Exactly(hive.Version{Major: 6})
	for _, c := range []struct {
		on   []*Check
		want string
	}{
		{[]*Check{packMismatch, unusedValue}, "3:1 REG309\n4:1 REG214\n"}, {[]*Check{packMismatch}, "3:1 REG214\n4:1 REG214\n"},
	} {
		checks = c.on
		if got := shown(t, Linter{Rules: all, Target: vista}, in); got != c.want {
			t.Errorf("found\n%swant\n%s", got, c.want)
		}
	}
}

// TestPacks checks values against the built-in rules. Only what a file sets last is judged, and not what it does not set.
func TestPacks(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	everything := checks
	checks = []*Check{packInvalid, packMismatch}
	t.Cleanup(func() { checks = everything })
	const key = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]` + "\n"
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "[" + key, ""},
		{"too low", "[" + key + "\"maxuserport\"=dword:1388\n", "3:1 REG214\n"},
		{"out of range", "[" + key + "\"MaxUserPort\"=dword:10000\n", "3:1 REG210\n"},
		{"wrong type", "[" + key + "\"MaxUserPort\"=\"65534\"\n", "3:1 REG210\n"},
		{"good", "[" + key + "\"MaxUserPort\"=dword:fffe\n", ""},
		{"deleted", "[" + key + "\"MaxUserPort\"=-\n", ""},
		{"put right below", "[" + key + "\"MaxUserPort\"=dword:1\n[" + key + "\"MaxUserPort\"=dword:fffe\n", ""},
		{"by number", "[" + strings.Replace(key, "CurrentControlSet", "ControlSet002", 1) + "\"MaxUserPort\"=\"1\"\n", "3:1 REG210\n"},
		{"elsewhere", "[" + strings.Replace(key, "Tcpip", "Example", 1) + "\"MaxUserPort\"=\"1\"\n", ""},
	} {
		if got := shown(t, Linter{Rules: all}, "REGEDIT4\n"+c.in); got != c.want {
			t.Errorf("%s: found\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// TestDecimalAsHex tests which numbers are taken for decimal ones in hexadecimal digits, and that the fix leaves nothing to find there.
func TestDecimalAsHex(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	everything := checks
	t.Cleanup(func() { checks = everything })
	const tcpip = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]` + "\n"
	const rdp = `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp]` + "\n"
	for _, c := range []struct{ name, in, want, fixed string }{
		{"out of range", tcpip + "\"MaxUserPort\"=dword:00065534\n", "3:1 REG216\n", tcpip + "\"MaxUserPort\"=dword:0000fffe\n"},
		{"without zeros", tcpip + "\"maxuserport\" = dword: 65534 ; ports\n", "3:1 REG216\n", tcpip + "\"maxuserport\" = dword: 0000fffe ; ports\n"},
		{"in the range, but not wanted", tcpip + "\"MaxUserPort\"=dword:00020000\n", "3:1 REG216\n", tcpip + "\"MaxUserPort\"=dword:00004e20\n"},
		{"not wanted", tcpip + "\"TcpTimedWaitDelay\"=dword:00000030\n", "3:1 REG216\n", tcpip + "\"TcpTimedWaitDelay\"=dword:0000001e\n"},
		{"in a numbered control set", strings.Replace(tcpip, "CurrentControlSet", "ControlSet001", 1) + "\"MaxUserPort\"=dword:00065534\n", "3:1 REG216\n",
			strings.Replace(tcpip, "CurrentControlSet", "ControlSet001", 1) + "\"MaxUserPort\"=dword:0000fffe\n"},
		{"of another pack", rdp + "\"PortNumber\"=dword:00003389\n", "3:1 REG216\n", rdp + "\"PortNumber\"=dword:00000d3d\n"},
		{"neither is right", tcpip + "\"MaxUserPort\"=dword:00099999\n", "3:1 REG210\n", ""},
		{"the range holds both", tcpip + "\"MaxUserPort\"=dword:00006000\n", "3:1 REG214\n", ""},
		{"no decimal digits", tcpip + "\"MaxUserPort\"=dword:000fffe0\n", "3:1 REG210\n", ""},
		{"one digit", tcpip + "\"TcpTimedWaitDelay\"=dword:00000009\n", "3:1 REG210\n", ""},
		{"not in digits", tcpip + "\"MaxUserPort\"=hex(4):34,55,06,00\n", "3:1 REG210\n", ""},
		{"right", tcpip + "\"MaxUserPort\"=dword:0000fffe\n", "", ""},
	} {
		checks = []*Check{packInvalid, packMismatch, decimalAsHex}
		l := Linter{Rules: all, Target: hive.Exactly(hive.Version{Major: 6})}
		if got := shown(t, l, "REGEDIT4\n"+c.in); got != c.want {
			t.Errorf("%s: found\n%swant\n%s", c.name, got, c.want)
		}
		if c.fixed == "" {
			continue
		}
		fixed, err := l.Fix("test.reg", []byte("REGEDIT4\n"+c.in), Unsafe)
		if err != nil || string(fixed.After) != "REGEDIT4\n"+c.fixed {
			t.Errorf("%s: %q becomes %q (%v)", c.name, c.in, fixed.After, err)
		}
		if fixed, err = l.Fix("test.reg", []byte("REGEDIT4\n"+c.in), Safe); err != nil || fixed.Fixes > 0 {
			t.Errorf("%s: a safe fix makes %q of %q (%v)", c.name, fixed.After, c.in, err)
		}
		checks = checks[:2]
		if got := shown(t, l, "REGEDIT4\n"+c.in); !strings.HasPrefix(got, "3:1 REG21") {
			t.Errorf("%s: without REG216, found\n%s", c.name, got)
		}
		if got := shown(t, l, "REGEDIT4\n"+c.fixed); strings.Contains(got, "REG210") {
			t.Errorf("%s: fixed, found\n%s", c.name, got)
		}
	}
}
