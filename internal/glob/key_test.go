package glob_test

import (
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/glob"
)

func TestKey(t *testing.T) {
	for _, c := range []struct{ glob, covers, not string }{
		{`HKLM\SYSTEM`, `HKLM\SYSTEM HKLM\system\Select`, `HKLM HKLM\SYSTEM2 HKU\SYSTEM`},
		{`hklm\system\*\services`, `HKLM\SYSTEM\ControlSet001\Services\Tcpip`, `HKLM\SYSTEM\ControlSet001 HKLM\SYSTEM\Services HKLM\SYSTEM\a\b\Services`},
		{`HKEY_LOCAL_MACHINE\SYSTEM\ControlSet00?`, `HKLM\SYSTEM\CONTROLSET001\x`, `HKLM\SYSTEM\ControlSet01 HKLM\SYSTEM\ControlSet0010`},
		{`HKLM\**\Run*`, `HKLM\Run HKLM\a\b\RunOnce\c`, `HKLM\a\b HKCU\a\Run HKLM`},
		{`HKLM\**`, `HKLM HKLM\a`, `HKU\a`},
		{`Tcpip\Para**ers`, `HKLM\Tcpip\Parameters Tcpip\Parameters\x`, `HKLM\Tcpip\x\Parameters`},
		{`**\a\**\b\c`, `a\b\c x\a\a\y\b\b\c`, `a\b b\c a\b\x\c`},
		{`*\{0-1}\[a]`, `HKCR\{0-1}\[A] a\b\{0-1}\[a]`, `HKCR\0-1\a`},
		{`HKCR\*/a?b/*`, `HKCR\text/a/b/c HKCR\/A.B/`, `HKCR\x\a\b HKCR\text/ab/c`},
		{`HKU\*\ÄÖ*`, `HKU\S-1\äöü`, `HKU\S-1\ao`},
	} {
		k, err := glob.ParseKey(c.glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range strings.Fields(c.covers) {
			if !k.Covers(k.Follow(hive.ParsePath(path))) {
				t.Errorf("%s does not cover %s", c.glob, path)
			}
		}
		for _, path := range strings.Fields(c.not) {
			if k.Covers(k.Follow(hive.ParsePath(path))) {
				t.Errorf("%s covers %s", c.glob, path)
			}
		}
	}
	if all := (glob.Key{}); !all.Covers(all.Start()) || !all.Covers(all.Follow(hive.ParsePath(`HKLM\a`))) {
		t.Error("the zero Key does not cover every key")
	}
	for text, want := range map[string]string{
		"":                             `it names no key; want one such as HKLM\SYSTEM\CurrentControlSet\Services\*`,
		`\\`:                           `it names no key; want one such as HKLM\SYSTEM\CurrentControlSet\Services\*`,
		strings.Repeat(`HKLM\`, 64):    "it has more than 63 names; ** stands for any number of them",
		`a` + strings.Repeat(`\a`, 62): "it has more than 63 names; ** stands for any number of them",
	} {
		if _, err := glob.ParseKey(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	// All levels have a bit.
	longest, err := glob.ParseKey(strings.Repeat(`HKLM\`, 63))
	if err != nil {
		t.Fatal(err)
	}
	if path := hive.ParsePath(strings.Repeat(`HKLM\`, 63)); !longest.Covers(longest.Follow(path)) || longest.Covers(longest.Follow(path[1:])) {
		t.Error("the longest glob covers something else")
	}
}
