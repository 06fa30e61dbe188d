package hive_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// windowsOf mounts a SYSTEM hive with one control set that has those keys below Control, and others beside it.
func windowsOf(control []*hive.Key, beside ...*hive.Key) *hive.Registry {
	keys := append([]*hive.Key{hive.NewKey("ControlSet001", nil, hive.NewKey("Control", nil, control...))}, beside...)
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("ROOT", nil, keys...))
	return r
}

// drivers makes the key Class with one driver for each version.
func drivers(provider string, versions ...string) *hive.Key {
	var all []*hive.Key
	for i, v := range versions {
		all = append(all, hive.NewKey(fmt.Sprintf("%04d", i), []hive.Value{
			hive.StringValue("ProviderName", hive.SZ, provider), hive.StringValue("DriverVersion", hive.SZ, v)}))
	}
	return hive.NewKey("Class", nil, hive.NewKey("{4D36E968-E325-11CE-BFC1-08002BE10318}", nil, all...))
}

func TestWindows(t *testing.T) {
	database := func(v ...hive.Value) *hive.Key { return hive.NewKey("DriverDatabase", v) }
	nsi := hive.NewKey("Nsi", nil)
	for _, test := range []struct {
		name     string
		r        *hive.Registry
		want     string
		exact    string
		evidence string
	}{
		{"nothing", hive.NewRegistry(), "unknown version", "", ""},
		{"no Control", func() *hive.Registry {
			r := hive.NewRegistry()
			r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("", nil, hive.NewKey("ControlSet001", nil)))
			return r
		}(), "unknown version", "", ""},
		{"10", windowsOf(nil, database(hive.DWordValue("Version", 0x0A000000))), "10.0", "10.0", `version 10.0 from DriverDatabase\Version`},
		{"8.1", windowsOf(nil, database(hive.DWordValue("Version", 0x06030000))), "6.3", "6.3", `version 6.3 from DriverDatabase\Version`},
		{"a database without a version", windowsOf(nil, database()), "6.2 or later", "", "6.2 or later because there is a key DriverDatabase"},
		{"a database with an impossible version", windowsOf(nil, database(hive.DWordValue("Version", 7))), "6.2 or later", "", "6.2 or later because there is a key DriverDatabase"},
		{"a database with text as version", windowsOf(nil, database(hive.StringValue("Version", hive.SZ, "10"))), "6.2 or later", "", "6.2 or later because there is a key DriverDatabase"},
		{"Nsi", windowsOf([]*hive.Key{nsi}), "6.0 or later, before 6.2", "",
			`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase`},
		{"7 by its drivers", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "6.1.7600.16385", "6.1.7601.17514", "6.0.1.2")}), "6.1", "6.1",
			`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase; version 6.1.7601 from the drivers of Windows in Control\Class`},
		{"drivers of others", windowsOf([]*hive.Key{nsi, drivers("NVIDIA", "6.1.7600.16385")}), "6.0 or later, before 6.2", "",
			`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase`},
		{"drivers of a later Windows", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "10.0.1.1", "10.0.1.2", "6.1.1.1")}), "6.0 or later, before 6.2", "",
			`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase`},
		{"drivers without a version", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "x", "")}), "6.0 or later, before 6.2", "",
			`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase`},
		{"neither", windowsOf(nil), "before 6.0", "", `before 6.0 because there is no key Control\Nsi`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := test.r.Windows()
			if w.String() != test.want || w.Version() != test.exact {
				t.Errorf("%s, exactly %q, want %s, %q", w, w.Version(), test.want, test.exact)
			}
			if got := strings.Join(w.Evidence, "; "); got != test.evidence {
				t.Errorf("got  %s\nwant %s", got, test.evidence)
			}
		})
	}
}

// TestStatedWindows checks what a SOFTWARE hive states, alone and with a SYSTEM hive that says less.
func TestStatedWindows(t *testing.T) {
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	major, minor := hive.DWordValue("CurrentMajorVersionNumber", 10), hive.DWordValue("CurrentMinorVersionNumber", 0)
	const from = `from SOFTWARE\Microsoft\Windows NT\CurrentVersion, `
	const numbers = `version 10.0 ` + from + `CurrentMajorVersionNumber and CurrentMinorVersionNumber`
	for _, test := range []struct {
		name     string
		values   []hive.Value
		want     string
		atLeast  string
		evidence string
	}{
		{"11", []hive.Value{text("CurrentVersion", "6.3"), major, minor, text("CurrentBuildNumber", "22631")}, "10.0", "10.0.22631", numbers + "; build 22631 from CurrentBuildNumber there"},
		{"10 without a build", []hive.Value{major, minor}, "10.0", "10.0", numbers},
		{"half of a number", []hive.Value{major, text("CurrentVersion", "6.3")}, "6.3", "6.3", "version 6.3 " + from + "CurrentVersion"},
		{"7", []hive.Value{text("CurrentVersion", "6.1"), text("CurrentBuildNumber", "7601")}, "6.1", "6.1.7601", "version 6.1 " + from + "CurrentVersion; build 7601 from CurrentBuildNumber there"},
		{"XP", []hive.Value{text("CurrentVersion", "5.1"), text("CurrentBuildNumber", "2600"), text("CurrentBuild", "1.511.1 () (Obsolete data)")}, "5.1", "5.1.2600",
			"version 5.1 " + from + "CurrentVersion; build 2600 from CurrentBuildNumber there"},
		{"a number as text", []hive.Value{hive.DWordValue("CurrentVersion", 6)}, "unknown version", "0.0", ""},
		{"no version", []hive.Value{text("CurrentVersion", "x")}, "unknown version", "0.0", ""},
		{"nothing", nil, "unknown version", "0.0", ""},
	} {
		key := hive.NewKey("Microsoft", nil, hive.NewKey("Windows NT", nil, hive.NewKey("CurrentVersion", test.values)))
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), hive.NewKey("", nil, key))
		w := r.Windows()
		if got := strings.Join(w.Evidence, "; "); w.String() != test.want || w.AtLeast.String() != test.atLeast || got != test.evidence {
			t.Errorf("%s: %s, at least %s, %s", test.name, w, w.AtLeast, got)
		}
		both := windowsOf([]*hive.Key{hive.NewKey("ProductOptions", []hive.Value{text("ProductType", "ServerNT")}), hive.NewKey("Nsi", nil)})
		both.Mount(hive.ParsePath(`HKLM\SOFTWARE`), hive.NewKey("", nil, key))
		w = both.Windows()
		want, evidence := test.want, `product from Control\ProductOptions\ProductType; `+test.evidence
		if test.evidence == "" {
			want, evidence = "6.0 or later, before 6.2", evidence+`6.0 or later because there is a key Control\Nsi; before 6.2 because there is no key DriverDatabase`
		}
		if got := strings.Join(w.Evidence, "; "); w.String() != want || w.Product != "ServerNT" || got != evidence {
			t.Errorf("%s, beside SYSTEM: %s, %s, %s", test.name, w, w.Product, got)
		}
	}

	// Where damage may hide the numbers, 6.3 can be any version since.
	root := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Microsoft", Keys: []*hivetest.Key{{Name: "Windows NT", Keys: []*hivetest.Key{
		{Name: "CurrentVersion", Values: []hive.Value{text("CurrentVersion", "6.3"), major, minor}}}}}}}}
	b, at := hivetest.BuildLayout(root, hivetest.Options{})
	b = hivetest.Sign(b, at.Key(`Microsoft\Windows NT\CurrentVersion`).Value("CurrentMajorVersionNumber").Record, "xx")
	f, err := hive.Read("SOFTWARE", b)
	if err != nil {
		t.Fatal(err)
	}
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), f.Root())
	if w := r.Windows(); w.String() != "6.3 or later" {
		t.Errorf("of a damaged key: %s", w)
	}
}

func TestProfiles(t *testing.T) {
	profile := func(sid string, image hive.Value) *hive.Key {
		image.Name = "ProfileImagePath"
		return hive.NewKey(sid, []hive.Value{image})
	}
	path := func(s string) hive.Value { return hive.StringValue("", hive.ExpandSZ, s) }
	list := hive.NewKey("ProfileList", nil,
		profile("S-1-5-18", path(`%systemroot%\system32\config\systemprofile`)),
		profile("S-1-5-21-1-2-3-1001", path(`C:\Users\Alice`)),
		profile("S-1-5-21-1-2-3-1002", path(`C:\Users\bob`)),
		profile("S-1-5-21-1-2-3-1002.bak", path(`C:\Users\bob`)),
		profile("S-1-5-21-1-2-3-1003", path(`C:\Users\twice`)),
		profile("S-1-5-21-1-2-3-1004", path(`D:\Users\TWICE`)),
		profile("S-1-5-21-1-2-3-1005", path(`D:\old\Twice`)),
		profile("S-1-5-21-1-2-3-1006", hive.DWordValue("", 1)),
		hive.NewKey("S-1-5-21-1-2-3-1007", nil),
	)
	r := hive.NewRegistry()
	if got := r.Profiles(); len(got) != 0 {
		t.Error(got)
	}
	r.Mount(hive.ParsePath(`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion`), hive.NewKey("", nil, list))
	want := map[string]string{hive.Fold("systemprofile"): "S-1-5-18", hive.Fold("alice"): "S-1-5-21-1-2-3-1001", hive.Fold("bob"): "S-1-5-21-1-2-3-1002"}
	if got := r.Profiles(); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWindowsOfPart checks that absence proves nothing in an input that covers only a part.
func TestWindowsOfPart(t *testing.T) {
	export := func(paths ...string) string {
		var edits []hive.Edit
		for _, p := range paths {
			edits = append(edits, hive.Edit{Op: hive.CreateKey, Path: hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\` + p)})
		}
		r := hive.NewRegistry()
		r.Mount(nil, hive.Apply(hive.NewImpliedKey(""), edits...))
		return r.Windows().String()
	}
	for want, paths := range map[string][]string{
		"unknown version": {`Control\Lsa`, `Services\Tcpip`},
		"6.0 or later":    {`Control\Nsi`},
	} {
		if got := export(paths...); got != want {
			t.Errorf("%q: %s, want %s", paths, got, want)
		}
	}
}

func TestProductAndHost(t *testing.T) {
	text := func(key, value, s string) *hive.Key {
		return hive.NewKey(key, []hive.Value{hive.StringValue(value, hive.SZ, s)})
	}
	r := windowsOf([]*hive.Key{text("ProductOptions", "ProductType", "LanmanNT"), hive.NewKey("ComputerName", nil, text("ComputerName", "ComputerName", "SRV-Ä"))})
	w := r.Windows()
	if w.Product != "LanmanNT" || !slices.Contains(w.Evidence, `product from Control\ProductOptions\ProductType`) || r.Host() != "SRV-Ä" {
		t.Errorf("%+v, host %s", w, r.Host())
	}
	if got := hive.NewRegistry().Host(); got != "" {
		t.Error(got)
	}
	if r := windowsOf([]*hive.Key{hive.NewKey("ComputerName", nil, hive.NewKey("ComputerName", []hive.Value{hive.DWordValue("ComputerName", 1)}))}); r.Host() != "" {
		t.Error(r.Host())
	}
}

func TestParseVersion(t *testing.T) {
	for s, want := range map[string]hive.Version{
		"10": {Major: 10}, "6.1": {Major: 6, Minor: 1}, "10.0.19045": {Major: 10, Build: 19045}, "0": {}, "5.02": {Major: 5, Minor: 2},
	} {
		if got, err := hive.ParseVersion(s); got != want || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", ".", "6.", ".1", "6.1.7601.1", "-6.1", "+6", "6,1", "6.x", " 6.1", "99999999999", "0x6"} {
		if got, err := hive.ParseVersion(s); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is not a Windows version", s)) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func TestVersion(t *testing.T) {
	sorted := []hive.Version{{}, {Major: 5, Minor: 2}, {Major: 6}, {Major: 6, Build: 6002}, {Major: 6, Minor: 1}, {Major: 10}, {Major: 10, Build: 19045}}
	for i, v := range sorted {
		for j, w := range sorted {
			if got, want := v.Compare(w), sign(i-j); got != want {
				t.Errorf("%s and %s: %d", v, w, got)
			}
		}
		back, err := hive.ParseVersion(v.String())
		if back != v || err != nil {
			t.Errorf("%s is read as %s", v, back)
		}
	}
	for _, test := range []struct {
		w         hive.Windows
		version   string
		described string
	}{
		{hive.Exactly(hive.Version{Major: 6, Minor: 1}), "6.1", "6.1"},
		{hive.Exactly(hive.Version{Major: 10}), "10.0", "10.0"},
		{hive.Exactly(hive.Version{Major: 10, Build: 19045}), "10.0", "10.0"},
		{hive.Windows{}, "", "unknown version"},
		{hive.Windows{AtLeast: hive.Version{Major: 6}}, "", "6.0 or later"},
		{hive.Windows{Below: hive.Version{Major: 6}}, "", "before 6.0"},
		{hive.Windows{AtLeast: hive.Version{Major: 6}, Below: hive.Version{Major: 6, Minor: 2}}, "", "6.0 or later, before 6.2"},
		{hive.Windows{AtLeast: hive.Version{Major: 6, Minor: 1, Build: 7601}, Below: hive.Version{Major: 6, Minor: 2}}, "6.1", "6.1"},
		// There is a version 6.4 below 10.0, at least in theory.
		{hive.Windows{AtLeast: hive.Version{Major: 6, Minor: 3}, Below: hive.Version{Major: 10}}, "", "6.3 or later, before 10.0"},
	} {
		if test.w.Version() != test.version || test.w.String() != test.described {
			t.Errorf("%+v: %q, %q", test.w, test.w.Version(), test.w.String())
		}
	}
}
