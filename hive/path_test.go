package hive_test

import (
	"slices"
	"testing"

	"regvet/hive"
)

func TestParsePath(t *testing.T) {
	for _, test := range []struct {
		s    string
		want hive.Path
	}{
		{"", nil},
		{`\`, nil},
		{`HKLM`, hive.Path{"HKEY_LOCAL_MACHINE"}},
		{`hklm\System\\Select\`, hive.Path{"HKEY_LOCAL_MACHINE", "System", "Select"}},
		{`\hkey_users\S-1-5-18`, hive.Path{"HKEY_USERS", "S-1-5-18"}},
		{`HKCU\a/b`, hive.Path{"HKEY_CURRENT_USER", "a/b"}},
		{`HKCR\.txt`, hive.Path{"HKEY_CLASSES_ROOT", ".txt"}},
		{`HKCC\x`, hive.Path{"HKEY_CURRENT_CONFIG", "x"}},
		{`HKU`, hive.Path{"HKEY_USERS"}},
		{`SYSTEM\HKLM`, hive.Path{"SYSTEM", "HKLM"}}, // a root is the first name only
		{`HKLM2\x`, hive.Path{"HKLM2", "x"}},
	} {
		if got := hive.ParsePath(test.s); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.s, got, test.want)
		}
	}
}

func TestRoots(t *testing.T) {
	for i, long := range hive.RootNames() {
		short := hive.ShortRootNames()[i]
		for _, name := range []string{long, short, hive.Fold(long), string(append([]byte(nil), short...))} {
			if got, ok := hive.LongRoot(name); !ok || got != long {
				t.Errorf("%s: %s, %t", name, got, ok)
			}
		}
	}
	if got, ok := hive.LongRoot("HKEY_DYN_DATA"); ok || got != "HKEY_DYN_DATA" {
		t.Errorf("%s, %t", got, ok)
	}
}

func TestPath(t *testing.T) {
	p := hive.Path{"a", "B"}
	if s := p.String(); s != `a\B` {
		t.Error(s)
	}
	if s := hive.Path(nil).String(); s != "" {
		t.Error(s)
	}
	// Two paths joined to the same one must not write over each other.
	base := append(make(hive.Path, 0, 8), "a")
	one, two := base.Join("x"), base.Join("y")
	if one.String() != `a\x` || two.String() != `a\y` || base.Join().String() != "a" {
		t.Errorf("%s and %s", one, two)
	}
	for _, test := range []struct {
		p, q          hive.Path
		equal, prefix bool
	}{
		{hive.Path{"A", "b"}, p, true, true},
		{hive.Path{"a", "B", "c"}, p, false, true},
		{hive.Path{"a"}, p, false, false},
		{hive.Path{"a", "Bc"}, p, false, false},
		{p, nil, false, true},
		{nil, nil, true, true},
		{hive.Path{`a\B`}, p, false, false},
	} {
		if test.p.Equal(test.q) != test.equal || test.p.HasPrefix(test.q) != test.prefix {
			t.Errorf("%q and %q: equal %t, prefix %t", test.p, test.q, test.p.Equal(test.q), test.p.HasPrefix(test.q))
		}
	}
}

func TestLocation(t *testing.T) {
	for _, test := range []struct {
		p    hive.Problem
		want string
	}{
		{hive.Problem{Msg: "m"}, "m"},
		{hive.Problem{Source: "S", Msg: "m"}, "S: m"},
		{hive.Problem{Source: "S", At: hive.Location{Offset: 0x1020}, Msg: "m"}, "S: offset 0x1020: m"},
		{hive.Problem{At: hive.Location{Offset: 0x1020}, Msg: "m"}, "offset 0x1020: m"},
		{hive.Problem{Source: "S", At: hive.Location{Line: 3, Column: 7}, Msg: "m"}, "S:3:7: m"},
		{hive.Problem{At: hive.Location{Line: 3, Column: 7}, Msg: "m"}, "3:7: m"},
	} {
		if got := test.p.Error(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
