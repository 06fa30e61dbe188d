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

// mounted reads a hive and mounts it.
func mounted(t *testing.T, reg *hive.Registry, at string, data []byte) *hive.File {
	t.Helper()
	f, err := hive.Read("test", data)
	if err != nil {
		t.Fatal(err)
	}
	reg.Mount(hive.ParsePath(at), f.Root())
	return f
}

// TestLinksAcrossHives follows a link into another hive, of which nothing is known until it is mounted.
func TestLinksAcrossHives(t *testing.T) {
	software := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{
		link("Wow", `\Registry\User\S-1-5-21-1_Classes\There`), link("System", `\registry\machine\SYSTEM`),
	}}, hivetest.Options{})
	user := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "There", Keys: []*hivetest.Key{{Name: "Below"}}}}}, hivetest.Options{})
	path := hive.ParsePath(`HKLM\SOFTWARE\Wow\Below`)

	reg := hive.NewRegistry()
	mounted(t, reg, `HKLM\SOFTWARE`, software)
	m := reg.Find(path)[0]
	if m.Key != nil || m.Known != hive.NotCovered || m.Real.String() != `HKEY_USERS\S-1-5-21-1_Classes\There\Below` ||
		m.Link.String() != `HKEY_LOCAL_MACHINE\SOFTWARE\Wow` {
		t.Errorf("where the target is not mounted: %+v", m)
	}
	mounted(t, reg, `HKU\S-1-5-21-1_Classes`, user)
	if m = reg.Find(path)[0]; m.Key == nil || m.Key.Name() != "Below" {
		t.Errorf("where it is mounted: %+v", m)
	}
	if m = reg.Find(hive.ParsePath(`HKLM\SOFTWARE\System\Select`))[0]; m.Known != hive.NotCovered || m.Real.String() != `HKEY_LOCAL_MACHINE\SYSTEM\Select` {
		t.Errorf("a root: %+v", m)
	}
	if m = reg.Find(hive.ParsePath(`HKLM\SOFTWARE\Other`))[0]; m.Link != nil {
		t.Errorf("without a link: %+v", m)
	}
}

// TestLinkLimit follows as many links as Windows does, and none more.
func TestLinkLimit(t *testing.T) {
	root := &hivetest.Key{Keys: []*hivetest.Key{{Name: "L000"}}}
	for i := range 65 {
		root.Keys = append(root.Keys, link(fmt.Sprintf("L%03d", i+1), fmt.Sprintf(`\Registry\Machine\SYSTEM\L%03d`, i)))
	}
	reg := hive.NewRegistry()
	mounted(t, reg, `HKLM\SYSTEM`, hivetest.Build(root, hivetest.Options{}))
	if m := reg.Find(hive.ParsePath(`HKLM\SYSTEM\L064`))[0]; m.Key == nil || m.Key.Name() != "L000" {
		t.Errorf("over 64 links: %+v", m)
	}
	if m := reg.Find(hive.ParsePath(`HKLM\SYSTEM\L065`))[0]; m.Key != nil || m.Known != hive.NotCovered {
		t.Errorf("over 65 links: %+v", m)
	}
}

// TestLongLinks checks that a path that links make longer than any path of a key is not followed, and that this takes little time.
func TestLongLinks(t *testing.T) {
	long := strings.Repeat(`\a`, 15_000)
	root := &hivetest.Key{}
	for i := range 64 {
		target := fmt.Sprintf(`\Registry\Machine\SYSTEM\L%03d`, i+1)
		root.Keys = append(root.Keys, link(fmt.Sprintf("L%03d", i), target+long), link(fmt.Sprintf("M%03d", i), strings.Replace(target, "L", "M", 1)+long[:1000]))
	}
	reg := hive.NewRegistry()
	mounted(t, reg, `HKLM\SYSTEM`, hivetest.Build(root, hivetest.Options{}))
	start := time.Now()
	for range 100 {
		for _, name := range []string{"L000", "M000"} {
			if m := reg.Find(hive.ParsePath(`HKLM\SYSTEM\` + name + `\Below`))[0]; m.Key != nil || m.Known != hive.NotCovered || len(m.Real) > 1000 {
				t.Fatalf("%s: %+v", name, m)
			}
		}
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestDamagedLink checks that keys behind a link with a damaged target are unknown.
func TestDamagedLink(t *testing.T) {
	root := &hivetest.Key{Keys: []*hivetest.Key{link("Link", `\Registry\Machine\SYSTEM\There`), {Name: "There"}}}
	data, at := hivetest.BuildLayout(root, hivetest.Options{})
	place := at.Key("Link").Value("SymbolicLinkValue")
	for name, damaged := range map[string][]byte{
		"data too long":   hivetest.Set32(data, place.Record+hivetest.ValueLength, 5000),
		"data lost":       hivetest.Free(data, place.Data),
		"value lost":      hivetest.Free(data, place.Record),
		"value list gone": hivetest.Free(data, at.Key("Link").ValueList),
	} {
		reg := hive.NewRegistry()
		f := mounted(t, reg, `HKLM\SYSTEM`, damaged)
		for _, path := range []string{`HKLM\SYSTEM\Link`, `HKLM\SYSTEM\Link\Below`} {
			if m := reg.Find(hive.ParsePath(path))[0]; m.Key != nil || m.Known != hive.Damaged || m.Problem == nil {
				t.Errorf("%s: %s: %+v", name, path, m)
			}
		}
		if real := reg.Real(hive.Edit{Op: hive.DeleteKey, Path: hive.ParsePath(`HKLM\SYSTEM\Link\Below`)}); len(real) > 0 {
			t.Errorf("%s: an edit goes to %v", name, real)
		}
		// The key itself is there as it lies.
		if target, ok := f.Root().Key("Link").Link(); !ok || target != nil {
			t.Errorf("%s: leads to %v, %v", name, target, ok)
		}
	}
	reg := hive.NewRegistry()
	f := mounted(t, reg, `HKLM\SYSTEM`, data)
	var names []string
	for path := range f.Root().Walk() {
		names = append(names, path.String())
	}
	if want := []string{"", "Link", "There"}; !slices.Equal(names, want) {
		t.Errorf("a walk gives %q, want %q", names, want)
	}
}
