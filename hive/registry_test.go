package hive_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// systemTree makes the content of a SYSTEM hive with control sets of those numbers, each with a value that holds its number.
func systemTree(selected []hive.Value, sets ...int) *hivetest.Key {
	root := &hivetest.Key{Name: "ROOT"}
	if selected != nil {
		root.Keys = append(root.Keys, &hivetest.Key{Name: "Select", Values: selected})
	}
	for _, n := range sets {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("ControlSet%03d", n), Keys: []*hivetest.Key{
			{Name: "Control", Values: []hive.Value{hive.DWordValue("Number", uint32(n))}},
		}})
	}
	return root
}

// registryOf mounts hives.
func registryOf(t testing.TB, hives map[string]*hivetest.Key) *hive.Registry {
	t.Helper()
	r := hive.NewRegistry()
	for at, root := range hives {
		r.Mount(hive.ParsePath(at), hiveOf(t, root).Root())
	}
	return r
}

func describeSets(r *hive.Registry) string {
	var all []string
	for _, s := range r.ControlSets() {
		text := s.Name
		if s.Source != "" {
			text += " by " + s.Source
		}
		if s.Guessed {
			text += ", guessed"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestControlSets(t *testing.T) {
	number := hive.DWordValue
	// selects are the values of Select; nil for no such key.
	type selects = []hive.Value
	guessed := "ControlSet001 by Select does not tell the current control set, guessed; ControlSet002 by Select does not tell the current control set, guessed"
	for _, test := range []struct {
		name   string
		values selects
		sets   []int
		want   string
	}{
		{"Current", selects{number("Current", 2), number("Default", 1), number("LastKnownGood", 1)}, []int{1, 2}, `ControlSet002 by Select\Current`},
		{"in other letters", selects{number("CURRENT", 2)}, []int{1, 2}, `ControlSet002 by Select\Current`},
		{"three digits", selects{number("Current", 999)}, []int{1, 999}, `ControlSet999 by Select\Current`},
		{"no Current", selects{number("Default", 2), number("LastKnownGood", 1)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"only LastKnownGood", selects{number("LastKnownGood", 2)}, []int{1, 2}, `ControlSet002 by Select\LastKnownGood`},
		{"Current is 0", selects{number("Current", 0), number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Current is 0, and so is a set", selects{number("Current", 0), number("Default", 2)}, []int{0, 1, 2}, `ControlSet002 by Select\Default`},
		{"Current is 1000", selects{number("Current", 1000), number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Current is huge", selects{hive.NumberValue("Current", hive.QWord, 1<<32+1), number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Current names no set", selects{number("Current", 3), number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Current is text", selects{hive.StringValue("Current", hive.SZ, "1"), number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Current is short", selects{{Name: "Current", Type: hive.DWord, Data: []byte{1}}, number("Default", 2)}, []int{1, 2}, `ControlSet002 by Select\Default`},
		{"Default names no set", selects{number("Default", 7), number("LastKnownGood", 1)}, []int{1, 2}, `ControlSet001 by Select\LastKnownGood`},
		{"no Select, one set", nil, []int{2}, "ControlSet002 by the only control set there is"},
		{"Select without a set, one set", selects{number("Current", 9)}, []int{2}, "ControlSet002 by the only control set there is"},
		{"no Select, two sets", nil, []int{2, 1}, guessed},
		{"Failed is not asked", selects{number("Failed", 1)}, []int{1, 2}, guessed},
		{"no sets", selects{number("Current", 1)}, nil, "CurrentControlSet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := registryOf(t, map[string]*hivetest.Key{`HKLM\SYSTEM`: systemTree(test.values, test.sets...)})
			if got := describeSets(r); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			matches := r.Find(hive.ParsePath(`HKLM\System\CurrentControlSet\Control`))
			for i, m := range matches {
				set := r.ControlSets()[i]
				if m.Guessed != set.Guessed {
					t.Errorf("guessed %t", m.Guessed)
				}
				if m.Key == nil {
					if len(test.sets) > 0 || m.Known != hive.Whole {
						t.Errorf("%+v", m)
					}
					continue
				}
				if v, _ := m.Key.Value("Number"); set.Name != fmt.Sprintf("ControlSet%03s", v.Display()) {
					t.Errorf("%s is set %s", set.Name, v.Display())
				}
			}
			if len(matches) != len(r.ControlSets()) {
				t.Errorf("%d matches", len(matches))
			}
		})
	}
}

// TestOddSetNames checks which keys are control sets.
func TestOddSetNames(t *testing.T) {
	root := systemTree(nil)
	for _, name := range []string{"ControlSet1", "ControlSet0001", "ControlSetABC", "ControlSet00١", "CurrentControlSet", "CONTROLSET002", "Control\u017Fet001"} {
		root.Keys = append(root.Keys, &hivetest.Key{Name: name})
	}
	if got := describeSets(registryOf(t, map[string]*hivetest.Key{`HKLM\SYSTEM`: root})); got != "CONTROLSET002 by the only control set there is" {
		t.Error(got)
	}
}

// TestDamagedSelect checks that damage on the way to the current control set makes all that follows a guess, and that the set that is named
// but not found is one of those that it may be. A key with a wrong hash is one that Windows does not find.
func TestDamagedSelect(t *testing.T) {
	number := func(name string, n uint32) hive.Value { return hive.DWordValue(name, n) }
	root := systemTree([]hive.Value{number("Current", 2), number("Default", 1), number("LastKnownGood", 1)}, 1, 2)
	one := systemTree([]hive.Value{number("Current", 2), number("Default", 1)}, 1)
	hashed := systemTree([]hive.Value{number("Current", 2), number("Default", 1)}, 1, 2)
	hashed.List = "lh"
	rehash := func(b []byte, at hivetest.Layout, i int) []byte {
		return hivetest.Set32(b, at.Key("").List+hivetest.ListElements+8*i+4, 0xDEADBEEF)
	}
	beyond := func(b []byte, v *hivetest.ValuePlace) []byte { return hivetest.Sign(b, v.Record, "xx") }
	for name, test := range map[string]struct {
		root   *hivetest.Key
		damage func(b []byte, at hivetest.Layout) []byte
		want   string
	}{
		"the set": {root, func(b []byte, at hivetest.Layout) []byte { return hivetest.Free(b, at.Key("ControlSet002").Node) },
			`ControlSet002 by Select\Current names ControlSet002, and not all sets could be read, guessed; ControlSet001 by Select\Current names ControlSet002, and not all sets could be read, guessed`},
		"another set": {root, func(b []byte, at hivetest.Layout) []byte { return hivetest.Free(b, at.Key("ControlSet001").Node) },
			`ControlSet002 by Select\Current`},
		"Select": {root, func(b []byte, at hivetest.Layout) []byte { return hivetest.Free(b, at.Key("Select").Node) },
			`ControlSet001 by Select\Current is damaged, guessed; ControlSet002 by Select\Current is damaged, guessed`},
		"Current": {root, func(b []byte, at hivetest.Layout) []byte { return beyond(b, at.Key("Select").Value("Current")) },
			`ControlSet001 by Select\Current is damaged, guessed; ControlSet002 by Select\Current is damaged, guessed`},
		"Default, which is not asked": {root, func(b []byte, at hivetest.Layout) []byte { return beyond(b, at.Key("Select").Value("Default")) },
			`ControlSet002 by Select\Current`},
		"hash of Select": {hashed, func(b []byte, at hivetest.Layout) []byte { return rehash(b, at, 2) },
			`ControlSet001 by Select\Current is damaged, guessed; ControlSet002 by Select\Current is damaged, guessed`},
		"hash of the set": {hashed, func(b []byte, at hivetest.Layout) []byte { return rehash(b, at, 1) },
			`ControlSet002 by Select\Current names ControlSet002, which Windows may not find by its name, guessed; ControlSet001 by Select\Current names ControlSet002, which Windows may not find by its name, guessed`},
		"hash of another set": {hashed, func(b []byte, at hivetest.Layout) []byte { return rehash(b, at, 0) },
			`ControlSet002 by Select\Current`},
		"Current, of one set": {one, func(b []byte, at hivetest.Layout) []byte { return beyond(b, at.Key("Select").Value("Current")) },
			`ControlSet001 by the only control set there is`},
	} {
		b, at := hivetest.BuildLayout(test.root, hivetest.Options{})
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SYSTEM`), read(t, test.damage(b, at)).Root())
		if got := describeSets(r); got != test.want {
			t.Errorf("%s damaged:\n got %s\nwant %s", name, got, test.want)
		}
	}
}

// TestOnlySetOfDamaged checks that the only set that could be read is a guess if others may be lost.
func TestOnlySetOfDamaged(t *testing.T) {
	b, at := hivetest.BuildLayout(systemTree(nil, 1, 2), hivetest.Options{})
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), read(t, hivetest.Free(b, at.Key("ControlSet001").Node)).Root())
	if got := describeSets(r); got != "ControlSet002 by the only control set there is, guessed" {
		t.Error(got)
	}
	m := r.Find(hive.ParsePath(`HKLM\SYSTEM\ControlSet001\Control`))[0]
	if m.Key != nil || m.Known != hive.Damaged || m.Problem == nil || m.Problem.Kind != hive.BadCell {
		t.Errorf("%+v", m)
	}
}

func TestChosenControlSet(t *testing.T) {
	r := registryOf(t, map[string]*hivetest.Key{`HKLM\SYSTEM`: systemTree([]hive.Value{hive.DWordValue("Current", 1)}, 1, 2)})
	for chosen, want := range map[string]string{
		"":                  `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control at HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control is 1`,
		"controlset002":     `HKEY_LOCAL_MACHINE\SYSTEM\controlset002\Control at HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control is 2`,
		"ControlSet007":     `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet007\Control at HKEY_LOCAL_MACHINE\SYSTEM\ControlSet007\Control is not there`,
		hive.AllControlSets: `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control at HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control is 1; HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control at HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control is 2`,
	} {
		if got := describe(r.WithControlSet(chosen).Find(hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`))); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", chosen, got, want)
		}
		// A path that names a set is not touched by the choice.
		if m := r.WithControlSet(chosen).Find(hive.ParsePath(`HKLM\SYSTEM\ControlSet001\Control`)); len(m) != 1 || m[0].Key == nil {
			t.Errorf("%s: %v", chosen, m)
		}
	}
	if got := describeSets(r.WithControlSet("ControlSet002").WithControlSet("")); got != `ControlSet001 by Select\Current` {
		t.Error(got)
	}
}

// describe writes matches: the live path, the real one, and the number in the key.
func describe(matches []hive.Match) string {
	var all []string
	for _, m := range matches {
		found := "not there"
		if m.Key != nil {
			v, _ := m.Key.Value("Number")
			found = v.Display()
		}
		all = append(all, fmt.Sprintf("%s at %s is %s", m.Live, m.Real, found))
	}
	return strings.Join(all, "; ")
}

// TestManyKeysBesideSets checks that look-ups in CurrentControlSet do not go through all keys of SYSTEM each time.
func TestManyKeysBesideSets(t *testing.T) {
	var keys []*hive.Key
	for i := range 100_000 {
		keys = append(keys, hive.NewKey(fmt.Sprintf("%06d", i), nil))
	}
	keys = append(keys, hive.NewKey("ControlSet001", nil, hive.NewKey("Control", nil)))
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("", nil, keys...))
	path := hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`)
	start := time.Now()
	for range 20_000 {
		if m := reg.WithControlSet("ControlSet001").WithControlSet("").Find(path); len(m) != 1 || m[0].Key == nil {
			t.Fatalf("%+v", m)
		}
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("20,000 look-ups took %v", took)
	}
	// A set that is mounted or made later counts.
	reg.Mount(hive.ParsePath(`HKLM\SYSTEM\ControlSet002\Control`), hive.NewKey("", nil))
	if m := reg.Find(path); len(m) != 2 || !m[0].Guessed {
		t.Errorf("after a second set was mounted: %+v", m)
	}
	third := hive.Edit{Op: hive.CreateKey, Path: hive.ParsePath(`HKLM\SYSTEM\ControlSet003\Control`)}
	if m := reg.Apply(third).Find(path); len(m) != 3 {
		t.Errorf("after a third set was made: %+v", m)
	}
	if m := reg.WithControlSet("ControlSet002").Find(path); len(m) != 1 || m[0].Guessed {
		t.Errorf("with a chosen set: %+v", m)
	}
}

// TestExport checks what a .reg file of a running system says, which holds CurrentControlSet itself and no other set.
func TestExport(t *testing.T) {
	export := hive.NewRegistry()
	export.Mount(nil, hive.Apply(hive.NewImpliedKey(""),
		hive.Edit{Op: hive.SetValue, Path: hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`), Value: hive.DWordValue("Number", 5)}))
	if got := describeSets(export); got != "CurrentControlSet by exported as such" {
		t.Error(got)
	}
	if got, want := describe(export.Find(hive.ParsePath(`HKLM\System\currentcontrolset\Control`))),
		`HKEY_LOCAL_MACHINE\System\currentcontrolset\Control at HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control is 5`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for path, want := range map[string]hive.Known{
		`HKLM\SYSTEM\CurrentControlSet\Control\Lsa`: hive.Whole, // below a key that is listed
		`HKLM\SYSTEM\CurrentControlSet\Services`:    hive.NotCovered,
		`HKLM\SYSTEM\ControlSet001`:                 hive.NotCovered,
		`HKLM\SOFTWARE\X`:                           hive.NotCovered,
		`HKCU\X`:                                    hive.NotCovered,
	} {
		if m := export.Find(hive.ParsePath(path)); len(m) != 1 || m[0].Key != nil || m[0].Known != want {
			t.Errorf("%s: %+v", path, m)
		}
	}
	// In a hive a key of that name means nothing: Windows makes the link when it starts.
	root := systemTree([]hive.Value{hive.DWordValue("Current", 1)}, 1)
	root.Keys = append(root.Keys, &hivetest.Key{Name: "CurrentControlSet", Keys: []*hivetest.Key{{Name: "Control", Values: []hive.Value{hive.DWordValue("Number", 66)}}}})
	r := registryOf(t, map[string]*hivetest.Key{`HKLM\SYSTEM`: root})
	if v, _ := r.Find(hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`))[0].Key.Value("Number"); v.Display() != "1" {
		t.Errorf("the key in the hive was taken: %s", v.Display())
	}
}

func TestFind(t *testing.T) {
	leaf := func(n uint32) *hivetest.Key {
		return &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Software", Values: []hive.Value{hive.DWordValue("Number", n)}}}}
	}
	users := registryOf(t, map[string]*hivetest.Key{
		`HKU\S-1-5-21-1`: leaf(1), `HKU\S-1-5-21-2`: leaf(2), `HKU\S-1-5-21-2_Classes`: leaf(3),
		`HKLM\SOFTWARE`: {Keys: []*hivetest.Key{{Name: "Classes", Keys: []*hivetest.Key{{Name: ".txt", Values: []hive.Value{hive.DWordValue("Number", 4)}}}}}},
	})
	oneUser := registryOf(t, map[string]*hivetest.Key{`HKCU`: leaf(7), `HKU\S-1-5-21-1`: leaf(1), `HKCR`: {Keys: []*hivetest.Key{{Name: ".txt", Values: []hive.Value{hive.DWordValue("Number", 8)}}}},
		`HKLM\SOFTWARE`: {Keys: []*hivetest.Key{{Name: "Classes"}}}})
	for _, test := range []struct {
		r    *hive.Registry
		path string
		want string
	}{
		{users, `HKCU\software`, `HKEY_USERS\S-1-5-21-1\software at HKEY_USERS\S-1-5-21-1\Software is 1; HKEY_USERS\S-1-5-21-2\software at HKEY_USERS\S-1-5-21-2\Software is 2`},
		{users, `HKU\s-1-5-21-2\Software`, `HKEY_USERS\s-1-5-21-2\Software at HKEY_USERS\S-1-5-21-2\Software is 2`},
		{users, `HKCR\.TXT`, `HKEY_CLASSES_ROOT\.TXT at HKEY_LOCAL_MACHINE\SOFTWARE\Classes\.txt is 4`},
		{users, `HKLM\software\classes\.txt\x\y`, `HKEY_LOCAL_MACHINE\software\classes\.txt\x\y at HKEY_LOCAL_MACHINE\SOFTWARE\Classes\.txt\x\y is not there`},
		{oneUser, `HKCU\Software`, `HKEY_CURRENT_USER\Software at HKEY_CURRENT_USER\Software is 7`},
		{oneUser, `HKCR\.txt`, `HKEY_CLASSES_ROOT\.txt at HKEY_CLASSES_ROOT\.txt is 8`},
		{hive.NewRegistry(), `HKCU\Software`, `HKEY_CURRENT_USER\Software at HKEY_CURRENT_USER\Software is not there`},
		{hive.NewRegistry(), `HKLM\SYSTEM\CurrentControlSet\Control`, `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control at HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control is not there`},
	} {
		if got := describe(test.r.Find(hive.ParsePath(test.path))); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.path, got, test.want)
		}
	}
	// A short root that was not parsed leads to the same place.
	if got := describe(users.Find(hive.Path{"hku", "S-1-5-21-1", "Software"})); !strings.HasSuffix(got, " is 1") {
		t.Error(got)
	}
	if m := users.Find(nil); len(m) != 1 || m[0].Key != users.Root() {
		t.Errorf("%v", m)
	}
	if m := users.Find(hive.ParsePath(`HKLM\SYSTEM\Select`))[0]; m.Key != nil || m.Known != hive.NotCovered || m.Problem != nil {
		t.Errorf("what was not mounted is said to be known: %+v", m)
	}
	if m := users.Find(hive.ParsePath(`HKLM\SOFTWARE\Nothing\Here`))[0]; m.Key != nil || m.Known != hive.Whole {
		t.Errorf("what a hive does not hold is said to be unknown: %+v", m)
	}
}

func TestRegistryApply(t *testing.T) {
	r := registryOf(t, map[string]*hivetest.Key{`HKLM\SYSTEM`: systemTree([]hive.Value{hive.DWordValue("Current", 2)}, 1, 2)})
	before := snapshot(r.Root())
	edit := hive.Edit{Op: hive.SetValue, Path: hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`), Value: hive.DWordValue("Number", 9)}
	where := func(r *hive.Registry) string {
		var all []string
		for _, e := range r.Real(edit) {
			all = append(all, e.Path.String())
		}
		return strings.Join(all, " ")
	}
	if got := where(r); got != `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control` {
		t.Error(got)
	}
	every := r.WithControlSet(hive.AllControlSets)
	if got := where(every); got != `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control` {
		t.Error(got)
	}
	if edit.Path[2] != "CurrentControlSet" {
		t.Error("the edit that was given has changed")
	}
	after := r.Apply(edit)
	if got := describe(after.Find(edit.Path)); !strings.HasSuffix(got, "is 9") {
		t.Error(got)
	}
	if got := describe(after.Find(hive.ParsePath(`HKLM\SYSTEM\ControlSet001\Control`))); !strings.HasSuffix(got, "is 1") {
		t.Error(got)
	}
	if got := snapshot(r.Root()); got != before {
		t.Errorf("the registry that was given has changed:\n%s", got)
	}
	// Where the edit leads is decided by the registry before it: an edit of Select does not move those that come with it.
	both := r.Apply(hive.Edit{Op: hive.SetValue, Path: hive.ParsePath(`HKLM\SYSTEM\Select`), Value: hive.DWordValue("Current", 1)}, edit)
	if got := describe(both.Find(hive.ParsePath(`HKLM\SYSTEM\ControlSet002\Control`))); !strings.HasSuffix(got, "is 9") {
		t.Error(got)
	}
	if got := describeSets(both); got != `ControlSet001 by Select\Current` {
		t.Error(got)
	}
}

// TestMountTwice checks that a tree that is mounted later joins those mounted before, and replaces one at the same path.
func TestMountTwice(t *testing.T) {
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("x", nil, hive.NewKey("old", nil)))
	r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), hive.NewKey("x", nil, hive.NewKey("beside", nil)))
	r.Mount(hive.ParsePath(`HKLM\system`), hive.NewKey("x", nil, hive.NewKey("new", nil)))
	r.Mount(nil, hive.NewKey("", nil, hive.NewKey("HKEY_USERS", nil, hive.NewKey("u", nil))))
	var got []string
	for path, k := range r.Root().Walk() {
		got = append(got, fmt.Sprint(path, " ", k.Implied()))
	}
	want := []string{" true", "HKEY_LOCAL_MACHINE true", `HKEY_LOCAL_MACHINE\SOFTWARE false`, `HKEY_LOCAL_MACHINE\SOFTWARE\beside false`,
		`HKEY_LOCAL_MACHINE\system false`, `HKEY_LOCAL_MACHINE\system\new false`, "HKEY_USERS false", `HKEY_USERS\u false`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func ExampleRegistry_Find() {
	system := hive.NewKey("ROOT", nil,
		hive.NewKey("Select", []hive.Value{hive.DWordValue("Current", 2)}),
		hive.NewKey("ControlSet001", nil),
		hive.NewKey("ControlSet002", nil, hive.NewKey("Control", []hive.Value{hive.DWordValue("WaitToKillServiceTimeout", 5000)})))
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), system)
	for _, m := range r.Find(hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Control`)) {
		v, _ := m.Key.Value("waittokillservicetimeout")
		fmt.Println(m.Live)
		fmt.Println(m.Real, v.Display())
	}
	// Output:
	// HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control
	// HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Control 5000
}
