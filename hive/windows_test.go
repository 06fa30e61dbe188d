package hive_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// windowsOf mounts a SYSTEM hive with one control set, which has those keys below Control, and others beside it.
func windowsOf(control []*hive.Key, beside ...*hive.Key) *hive.Registry {
	set := hive.NewKey("ControlSet001", nil, hive.NewKey("Control", nil, control...), hive.NewKey("Services", nil))
	keys := append([]*hive.Key{set}, beside...)
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
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	database := func(v ...hive.Value) *hive.Key { return hive.NewKey("DriverDatabase", v) }
	ten := database(hive.DWordValue("Version", 0x0A000000))
	buildLab := func(values ...hive.Value) *hive.Key {
		return hive.NewKey("Software", nil, hive.NewKey("Microsoft", values))
	}
	setup := func(keys ...*hive.Key) *hive.Key { return hive.NewKey("Setup", nil, keys...) }
	sourceVersion := func(b ...byte) *hive.Key {
		return setup(hive.NewKey("BuildUpdate", []hive.Value{{Name: "SourceOSVersion", Type: hive.QWord, Data: b}}))
	}
	nsi := hive.NewKey("Nsi", nil)
	const byNsi = `6.0 or later because there is a key Control\Nsi`
	const byDatabase = `version 10.0 from DriverDatabase\Version`
	const noDatabase = "before 6.2 because there is no key DriverDatabase"
	for _, test := range []struct {
		name     string
		r        *hive.Registry
		want     string
		evidence string
	}{
		{"nothing", hive.NewRegistry(), "Windows of unknown version", ""},
		{"no Control", func() *hive.Registry {
			r := hive.NewRegistry()
			r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("", nil, hive.NewKey("ControlSet001", nil)))
			return r
		}(), "Windows of unknown version", ""},
		{"10", windowsOf(nil, ten), "Windows 10 or later, or Server 2016 or later (10.0)", byDatabase},
		{"8.1", windowsOf(nil, database(hive.DWordValue("Version", 0x06030000))), "Windows 8.1 or Server 2012 R2 (6.3)", `version 6.3 from DriverDatabase\Version`},
		{"a database without a version", windowsOf(nil, database()), "Windows 8 or later, or Server 2012 or later (6.2 or later)", "6.2 or later because there is a key DriverDatabase"},
		{"a database with an impossible version", windowsOf(nil, database(hive.DWordValue("Version", 7))), "Windows 8 or later, or Server 2012 or later (6.2 or later)", "6.2 or later because there is a key DriverDatabase"},
		{"a database with text as version", windowsOf(nil, database(text("Version", "10"))), "Windows 8 or later, or Server 2012 or later (6.2 or later)", "6.2 or later because there is a key DriverDatabase"},
		{"Nsi", windowsOf([]*hive.Key{nsi}), "Windows Vista or 7, or Server 2008 or Server 2008 R2 (6.0 or later, before 6.2)", byNsi + "; " + noDatabase},
		{"7 by its drivers", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "6.1.7601.17514", "6.1.7601.17577", "6.1.7600.16385", "8.4.1.1", "6.0.6000.2")}),
			"Windows 7 SP1 or Server 2008 R2 SP1 (6.1, build 7601 or later)", byNsi + `; version 6.1, build 7601 or later by the drivers of Windows in Control\Class; ` + noDatabase},
		{"as many drivers of two builds", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "6.1.7601.17514", "6.1.7600.16385")}),
			"Windows 7 or Server 2008 R2 (6.1, build 7600 or later)", byNsi + `; version 6.1, build 7600 or later by the drivers of Windows in Control\Class; ` + noDatabase},
		{"as many drivers of two versions", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "6.1.7601.17514", "6.0.6000.1")}), "Windows Vista or 7, or Server 2008 or Server 2008 R2 (6.0 or later, before 6.2)", byNsi + "; " + noDatabase},
		{"XP by its drivers", windowsOf([]*hive.Key{drivers("Microsoft", "5.1.2600.2180", "5.1.2600.0", "5.1.2535.0", "4.38.0.0")}),
			"Windows XP (5.1, build 2600 or later)", `version 5.1, build 2600 or later by the drivers of Windows in Control\Class; before 6.0 because there is no key Control\Nsi`},
		{"10 by its drivers", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "10.0.16299.15", "10.0.16299.309", "10.0.17763.1")}, ten),
			"Windows 10 1709 or later, or Server 1709 or later (10.0, build 16299 or later)", byDatabase + `; version 10.0, build 16299 or later by the drivers of Windows in Control\Class`},
		{"drivers of a former Windows", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "6.1.7601.17514")}, ten), "Windows 10 or later, or Server 2016 or later (10.0)", byDatabase},
		{"drivers of others", windowsOf([]*hive.Key{nsi, drivers("NVIDIA", "6.1.7600.16385")}), "Windows Vista or 7, or Server 2008 or Server 2008 R2 (6.0 or later, before 6.2)", byNsi + "; " + noDatabase},
		{"drivers without a version", windowsOf([]*hive.Key{nsi, drivers("Microsoft", "x", "", "6.1", "6.9.1.1")}), "Windows Vista or 7, or Server 2008 or Server 2008 R2 (6.0 or later, before 6.2)", byNsi + "; " + noDatabase},
		{"drivers of a later Windows", windowsOf([]*hive.Key{drivers("Microsoft", "10.0.16299.15")}), "Windows 10 1709 or later, or Server 1709 or later (10.0, build 16299 or later)",
			`version 10.0, build 16299 or later by the drivers of Windows in Control\Class`},
		{"BuildLab", windowsOf([]*hive.Key{nsi}, ten, buildLab(text("BuildLab", "19041.vb_release.191206-1406"))),
			"Windows 10 2004 to 22H2, or Server 2004 or Server 20H2 (10.0, build 19041 or later, before 20348)", byDatabase + `; base build 19041 from SYSTEM\Software\Microsoft, BuildLab`},
		{"BuildLabEx alone", windowsOf(nil, buildLab(text("BuildLabEx", "22621.1.amd64fre.ni_release.220506-1250"))),
			"Windows 11 22H2 to 23H2 (10.0, build 22621 or later, before 25398)", `base build 22621 from SYSTEM\Software\Microsoft, BuildLabEx`},
		{"BuildLab of one release", windowsOf(nil, buildLab(text("BuildLab", "16299.rs3_release.170928-1534"))),
			"Windows 10 1709 or Server 1709 (10.0, build 16299 or later, before 17134)", `base build 16299 from SYSTEM\Software\Microsoft, BuildLab`},
		{"BuildLab of the last base", windowsOf(nil, ten, buildLab(text("BuildLab", "26100.ge_release.240331-1435"))),
			"Windows 11 24H2 or later, or Server 2025 or later (10.0, build 26100 or later)", byDatabase + `; base build 26100 from SYSTEM\Software\Microsoft, BuildLab`},
		{"BuildLab of no Windows", windowsOf(nil, ten, buildLab(text("BuildLab", "7.x"), text("BuildLabEx", ""))), "Windows 10 or later, or Server 2016 or later (10.0)", byDatabase},
		{"SourceOSVersion", windowsOf(nil, ten, sourceVersion(8, 5, 0x61, 0x4a, 0, 0, 10, 0)),
			"Windows 10 2004 or later, or Server 2004 or later (10.0, build 19041 or later)", byDatabase + `; 10.0.19041 or later from Setup\BuildUpdate\SourceOSVersion`},
		{"SourceOSVersion of no Windows", windowsOf(nil, ten, sourceVersion(8, 5, 0x61, 0x4a, 0, 0, 0xFF, 0)), "Windows 10 or later, or Server 2016 or later (10.0)", byDatabase},
		{"SourceOSVersion too short", windowsOf(nil, ten, sourceVersion(8, 5, 0x61, 0x4a)), "Windows 10 or later, or Server 2016 or later (10.0)", byDatabase},
		{"a former Windows", windowsOf(nil, ten, setup(
			hive.NewKey("Source OS (Updated on 1/2/2016 01:02:03)", []hive.Value{text("CurrentVersion", "6.1"), text("CurrentBuildNumber", "7601")}),
			hive.NewKey("Source OS (Updated on 5/5/2018 11:11:11)", []hive.Value{text("CurrentVersion", "6.3"), text("CurrentBuildNumber", "16299"),
				hive.DWordValue("CurrentMajorVersionNumber", 10), hive.DWordValue("CurrentMinorVersionNumber", 0)}))),
			"Windows 10 1709 or later, or Server 1709 or later (10.0, build 16299 or later)", byDatabase + `; 10.0.16299 or later because Setup\Source OS (Updated on 5/5/2018 11:11:11) tells of an upgrade from 10.0.16299`},
		{"neither", windowsOf(nil), "Windows before Vista or before Server 2008 (before 6.0)", `before 6.0 because there is no key Control\Nsi`},
		{"neither, but a later build", windowsOf(nil, buildLab(text("BuildLab", "10240.th1"))), "Windows 10 1507 (10.0, build 10240 or later, before 10586)",
			`base build 10240 from SYSTEM\Software\Microsoft, BuildLab`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := test.r.Windows()
			if w.Full() != test.want || len(w.Conflicts) > 0 {
				t.Errorf("got  %s, %q\nwant %s", w.Full(), w.Conflicts, test.want)
			}
			if got := strings.Join(w.Evidence, "; "); got != test.evidence {
				t.Errorf("got  %s\nwant %s", got, test.evidence)
			}
		})
	}
}

// TestWindowsOfDamaged checks that nothing is concluded from what is absent where damage may hide it.
func TestWindowsOfDamaged(t *testing.T) {
	tree := func() *hivetest.Key {
		return &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{
			{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Control", Keys: []*hivetest.Key{{Name: "Lsa"}, {Name: "Other"}}},
				{Name: "Enum"}, {Name: "Services", Keys: []*hivetest.Key{{Name: "Tcpip"}, {Name: "srv"}}}}},
			{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}}, {Name: "Setup"},
		}}
	}
	for lost, want := range map[string]string{
		"": "before 6.0", `ControlSet001\Control\Other`: "unknown version", `ControlSet001\Services\srv`: "unknown version", `ControlSet001\Services`: "unknown version",
		`ControlSet001\Enum`: "unknown version", "Setup": "unknown version", "Select": "unknown version",
	} {
		b, at := hivetest.BuildLayout(tree(), hivetest.Options{})
		if lost != "" {
			b = hivetest.Free(b, at.Key(lost).Node)
		}
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SYSTEM`), read(t, b).Root())
		if got := r.Windows().String(); got != want {
			t.Errorf("without %q: %s, want %s", lost, got, want)
		}
	}
	// Windows 10 alone writes this version of the format.
	b := hivetest.Build(tree(), hivetest.Options{Minor: 6})
	r := hive.NewRegistry()
	r.Mount(hive.ParsePath(`HKLM\SYSTEM`), read(t, b).Root())
	if w := r.Windows(); w.String() != "10.0 or later" || !slices.Equal(w.Evidence, []string{"10.0 or later because SYSTEM has hive format 1.6"}) {
		t.Errorf("of format 1.6: %s, %q", w, w.Evidence)
	}
}

// software mounts a SOFTWARE hive with those values in the key CurrentVersion.
func software(r *hive.Registry, values ...hive.Value) *hive.Registry {
	r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), hive.NewKey("", nil, hive.NewKey("Microsoft", nil, hive.NewKey("Windows NT", nil, hive.NewKey("CurrentVersion", values)))))
	return r
}

// TestStatedWindows checks what a SOFTWARE hive states.
func TestStatedWindows(t *testing.T) {
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	major, minor := hive.DWordValue("CurrentMajorVersionNumber", 10), hive.DWordValue("CurrentMinorVersionNumber", 0)
	const from = `from SOFTWARE\Microsoft\Windows NT\CurrentVersion`
	const numbers = `version 10.0 ` + from + `, CurrentMajorVersionNumber and CurrentMinorVersionNumber`
	for _, test := range []struct {
		name     string
		values   []hive.Value
		want     string
		evidence string
	}{
		{"11", []hive.Value{text("CurrentVersion", "6.3"), major, minor, text("CurrentBuildNumber", "22631"), hive.DWordValue("UBR", 3007), text("EditionID", "Professional"),
			text("InstallationType", "Client"), hive.DWordValue("InstallDate", 1700000000)}, "Windows 11 23H2 (10.0.22631.3007), Professional",
			numbers + "; build 22631, revision 3007 from CurrentBuildNumber and UBR there; edition from EditionID in SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion; " +
				"product from InstallationType in SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"},
		{"10 without a build", []hive.Value{major, minor}, "Windows 10 or later, or Server 2016 or later (10.0)", numbers},
		{"half of a number", []hive.Value{major, text("CurrentVersion", "6.3")}, "Windows 8.1 or later, or Server 2012 R2 or later (6.3 or later)", "version 6.3 or later " + from + ", CurrentVersion"},
		{"8.1", []hive.Value{text("CurrentVersion", "6.3"), text("CurrentBuildNumber", "9600")}, "Windows 8.1 or Server 2012 R2 (6.3.9600)", "version 6.3 " + from + ", CurrentVersion; build 9600 from CurrentBuildNumber there"},
		{"7", []hive.Value{text("CurrentVersion", "6.1"), text("CurrentBuildNumber", "7601")}, "Windows 7 SP1 or Server 2008 R2 SP1 (6.1.7601)", "version 6.1 " + from + ", CurrentVersion; build 7601 from CurrentBuildNumber there"},
		{"XP", []hive.Value{text("CurrentVersion", "5.1"), text("CurrentBuildNumber", "2600"), text("CurrentBuild", "1.511.1 () (Obsolete data)")}, "Windows XP (5.1.2600)",
			"version 5.1 " + from + ", CurrentVersion; build 2600 from CurrentBuildNumber there"},
		{"a build without a name", []hive.Value{major, minor, text("CurrentBuildNumber", "25300")}, "Windows 11 or Server 2022 (10.0.25300)", numbers + "; build 25300 from CurrentBuildNumber there"},
		{"a build without a version", []hive.Value{text("CurrentBuildNumber", "19045")}, "Windows 10 22H2 (10.0.19045)", "build 19045 from CurrentBuildNumber there, which is one of 10.0"},
		{"a number as text", []hive.Value{hive.DWordValue("CurrentVersion", 6)}, "Windows of unknown version", ""},
		{"no version", []hive.Value{text("CurrentVersion", "x"), text("CurrentBuildNumber", "x")}, "Windows of unknown version", ""},
		{"nothing", nil, "Windows of unknown version", ""},
	} {
		w := software(hive.NewRegistry(), test.values...).Windows()
		if got := strings.Join(w.Evidence, "; "); w.Full() != test.want || got != test.evidence || len(w.Conflicts) > 0 {
			t.Errorf("%s: %s, %s, %q", test.name, w.Full(), got, w.Conflicts)
		}
	}
	w := software(hive.NewRegistry(), major, minor, text("CurrentBuildNumber", "22631"), hive.DWordValue("InstallDate", 1700000000)).Windows()
	if want := time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC); !w.Installed.Equal(want) || w.Build() != 22631 {
		t.Errorf("installed %s, build %d", w.Installed, w.Build())
	}

	// Where damage may hide the numbers, 6.3 can be any version since.
	root := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Microsoft", Keys: []*hivetest.Key{{Name: "Windows NT", Keys: []*hivetest.Key{
		{Name: "CurrentVersion", Values: []hive.Value{text("CurrentVersion", "6.3"), major, minor}}}}}}}}
	b, at := hivetest.BuildLayout(root, hivetest.Options{})
	value := at.Key(`Microsoft\Windows NT\CurrentVersion`).Value("CurrentMajorVersionNumber")
	for what, damaged := range map[string][]byte{"a value": hivetest.Sign(b, value.Record, "xx"), "its data": hivetest.Set32(b, value.Record+4, 0x80000008)} {
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), read(t, damaged).Root())
		if w := r.Windows(); w.String() != "6.3 or later" {
			t.Errorf("with %s lost: %s", what, w)
		}
	}
}

// TestContradiction checks that hives that contradict each other tell no version, and say so.
func TestContradiction(t *testing.T) {
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	ten := func(values ...hive.Value) *hive.Registry {
		return windowsOf([]*hive.Key{hive.NewKey("ProductOptions", values)}, hive.NewKey("DriverDatabase", []hive.Value{hive.DWordValue("Version", 0x0A000000)}))
	}
	for _, test := range []struct {
		name      string
		r         *hive.Registry
		want      string
		conflicts []string
	}{
		{"agreement", software(ten(text("ProductType", "WinNT")), hive.DWordValue("CurrentMajorVersionNumber", 10), hive.DWordValue("CurrentMinorVersionNumber", 0),
			text("CurrentBuildNumber", "19045"), text("InstallationType", "Client"), text("EditionID", "Core")), "Windows 10 22H2 (10.0.19045), Core", nil},
		{"versions", software(ten(), text("CurrentVersion", "5.1"), text("CurrentBuildNumber", "2600")), "Windows of unknown version", []string{
			`the version of Windows is unknown, because the registry contradicts itself: 10.0 (version 10.0 from DriverDatabase\Version); ` +
				`5.1.2600 (version 5.1 from SOFTWARE\Microsoft\Windows NT\CurrentVersion, CurrentVersion, build 2600 from CurrentBuildNumber there)`}},
		{"products", software(ten(text("ProductType", "ServerNT")), text("InstallationType", "Client")), "Windows 10 or later, or Server 2016 or later (10.0)",
			[]string{"the product of Windows is unknown, because the registry contradicts itself: it is server (ServerNT), and it is workstation (WinNT)"}},
		{"a version and its build", software(hive.NewRegistry(), text("CurrentVersion", "6.1"), text("CurrentBuildNumber", "19045")), "Windows of unknown version", []string{
			`the version of Windows is unknown, because the registry contradicts itself: 6.1 (version 6.1 from SOFTWARE\Microsoft\Windows NT\CurrentVersion, CurrentVersion); ` +
				`10.0.19045 (build 19045 from CurrentBuildNumber there)`}},
	} {
		if w := test.r.Windows(); w.Full() != test.want || !slices.Equal(w.Conflicts, test.conflicts) {
			t.Errorf("%s: %s\n got %q\nwant %q", test.name, w.Full(), w.Conflicts, test.conflicts)
		}
	}
}

// TestWithLaws checks for many ranges that two facts together are never less certain than one of them, whatever their order, unless they
// contradict each other; nothing is known then, and a third fact does not change that.
func TestWithLaws(t *testing.T) {
	versions := []hive.Version{{}, {Major: 5, Minor: 1}, {Major: 6}, {Major: 6, Minor: 1, Build: 7601}, {Major: 6, Minor: 2}, {Major: 10}, {Major: 10, Build: 19041}, {Major: 10, Build: 19042}}
	var ranges []hive.Windows
	for i, from := range versions {
		ranges = append(ranges, hive.Windows{AtLeast: from})
		for _, below := range versions[i+1:] {
			ranges = append(ranges, hive.Windows{AtLeast: from, Below: below})
		}
	}
	inside := func(v hive.Version, w hive.Windows) bool {
		return v.Compare(w.AtLeast) >= 0 && (w.Below == hive.Version{} || v.Compare(w.Below) < 0)
	}
	for _, a := range ranges {
		for _, b := range ranges {
			both, other := a.With(b), b.With(a)
			if both.AtLeast != other.AtLeast || both.Below != other.Below {
				t.Fatalf("%s and %s: %s in one order, %s in the other", a, b, both, other)
			}
			disputed := len(both.Conflicts) > 0
			if disputed != (a.Contradiction(b) != "") {
				t.Fatalf("%s and %s: conflicts %q, contradiction %q", a, b, both.Conflicts, a.Contradiction(b))
			}
			shared := false
			for _, v := range versions[1:] {
				shared = shared || inside(v, a) && inside(v, b)
				if want := inside(v, a) && inside(v, b); !disputed && inside(v, both) != want {
					t.Fatalf("%s and %s are %s; that %s is one of them is %t", a, b, both, v, want)
				}
			}
			if third := both.With(hive.Exactly(hive.Version{Major: 10})); disputed && (shared || both.String() != "unknown version" || third.String() != "unknown version") {
				t.Fatalf("%s and %s: %s, then %s", a, b, both, third)
			}
		}
	}
}

// TestEdition checks the edition that the product policy states.
func TestEdition(t *testing.T) {
	record := func(name string, kind hive.Type, data []byte) []byte {
		n := hive.EncodeUTF16(name)
		b := binary.LittleEndian.AppendUint16(nil, uint16(16+len(n)+len(data)))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(n)))
		b = binary.LittleEndian.AppendUint16(b, uint16(kind))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
		return slices.Concat(b, make([]byte, 8), n, data)
	}
	name := record("Kernel-EditionName", hive.SZ, hive.EncodeUTF16("Education\x00"))
	seven := record("Kernel-ProductInfo", hive.DWord, []byte{1, 0, 0, 0})
	for _, test := range []struct {
		name   string
		policy []byte
		want   string
	}{
		{"by name", slices.Concat(make([]byte, 20), seven, name), `Education: edition from Control\ProductOptions\ProductPolicy, Kernel-EditionName`},
		{"by number", slices.Concat(make([]byte, 20), record("X", hive.DWord, nil), seven), `Ultimate: edition from Control\ProductOptions\ProductPolicy, Kernel-ProductInfo`},
		{"an unknown number", slices.Concat(make([]byte, 20), record("Kernel-ProductInfo", hive.DWord, []byte{0, 1, 0, 0})), ": "},
		{"cut", slices.Concat(make([]byte, 20), name[:30]), ": "},
		{"a record of no length", make([]byte, 99), ": "},
		{"a name longer than its record", slices.Concat(make([]byte, 20), slices.Concat(name[:2], []byte{99, 9}, name[4:])), ": "},
		{"empty", nil, ": "},
	} {
		w := windowsOf([]*hive.Key{hive.NewKey("ProductOptions", []hive.Value{{Name: "ProductPolicy", Type: hive.Binary, Data: test.policy}}), hive.NewKey("Nsi", nil)}).Windows()
		evidence := ""
		if w.Edition != "" {
			evidence = w.Evidence[0]
		}
		if got := w.Edition + ": " + evidence; got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
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

// TestProfilesOfDamaged checks that no folder is given to a user where damage may hide that another one claims it, too.
func TestProfilesOfDamaged(t *testing.T) {
	at := func(image string) []hive.Value {
		return []hive.Value{hive.StringValue("ProfileImagePath", hive.ExpandSZ, image)}
	}
	const list = `Microsoft\Windows NT\CurrentVersion\ProfileList`
	root := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Microsoft", Keys: []*hivetest.Key{{Name: "Windows NT", Keys: []*hivetest.Key{
		{Name: "CurrentVersion", Keys: []*hivetest.Key{{Name: "ProfileList", Keys: []*hivetest.Key{
			{Name: "S-1-5-21-1-2-3-1001", Values: at(`C:\Users\alice`)}, {Name: "S-1-5-21-1-2-3-1002", Values: at(`D:\Users\alice`)}, {Name: "S-1-5-21-1-2-3-1003", Values: at(`C:\Users\bob`)}}}}}}}}}}}
	b, place := hivetest.BuildLayout(root, hivetest.Options{})
	second := place.Key(list + `\S-1-5-21-1-2-3-1002`)
	value := second.Value("ProfileImagePath").Record
	for what, c := range map[string]struct {
		data []byte
		want int
	}{
		"nothing": {b, 1}, "the key": {hivetest.Free(b, second.Node), 0}, "the value": {hivetest.Sign(b, value, "xx"), 0}, "its data": {hivetest.Set32(b, value+8, 0xFFFFF8), 0},
	} {
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SOFTWARE`), read(t, c.data).Root())
		if got := r.Profiles(); len(got) != c.want {
			t.Errorf("%s damaged: %q", what, got)
		}
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
	if w.Product != "LanmanNT" || !slices.Contains(w.Evidence, `product from Control\ProductOptions\ProductType`) || hostOf(r) != "SRV-Ä" {
		t.Errorf("%+v, host %s", w, hostOf(r))
	}
	if got := hostOf(hive.NewRegistry()); got != "" {
		t.Error(got)
	}
	if r := windowsOf([]*hive.Key{hive.NewKey("ComputerName", nil, hive.NewKey("ComputerName", []hive.Value{hive.DWordValue("ComputerName", 1)}))}); hostOf(r) != "" {
		t.Error(hostOf(r))
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

// TestParseWindows checks the words by which users say which Windows they mean, and that what no Windows has is refused.
func TestParseWindows(t *testing.T) {
	for s, want := range map[string]string{
		"nt4": "Windows NT 4.0 or NT Server 4.0 (4.0)", "2000": "Windows 2000 or 2000 Server (5.0)", "xp": "Windows XP (5.1)", "2003": "Windows XP x64 or Server 2003 (5.2)",
		"vista": "Windows Vista or Server 2008 (6.0)", "2008": "Windows Vista or Server 2008 (6.0)", "7": "Windows 7 or Server 2008 R2 (6.1)", "2008r2": "Windows 7 or Server 2008 R2 (6.1)",
		"8": "Windows 8 or Server 2012 (6.2)", "2012": "Windows 8 or Server 2012 (6.2)", "8.1": "Windows 8.1 or Server 2012 R2 (6.3)", "2012r2": "Windows 8.1 or Server 2012 R2 (6.3)",
		"10": "Windows 10 or Server 2016 to Server 2022 (10.0, before 22000)", "11": "Windows 11 or later, or Server 23H2 or later (10.0, build 22000 or later)",
		"2016": "Windows 10 1607 or Server 2016 (10.0.14393)", "2019": "Windows 10 1809 or Server 2019 (10.0.17763)", "2022": "Windows Server 2022 (10.0.20348)", "2025": "Windows 11 24H2 or Server 2025 (10.0.26100)",
		"5.2": "Windows XP x64 or Server 2003 (5.2)", "6": "Windows Vista or Server 2008 (6.0)", "10.0": "Windows 10 or later, or Server 2016 or later (10.0)", "10.0.19045": "Windows 10 22H2 (10.0.19045)",
		"10.0.26200": "Windows 11 25H2 (10.0.26200)", "6.1.7601": "Windows 7 SP1 or Server 2008 R2 SP1 (6.1.7601)", "6.2.8250": "Windows of 6.2.8250", "3.51": "Windows NT 3.51 or NT Server 3.51 (3.51)",
	} {
		if got, err := hive.ParseWindows(s); got.Full() != want || err != nil {
			t.Errorf("%s is taken for %s, %v; want %s", s, got.Full(), err, want)
		}
	}
	for _, s := range []string{"", "12", "95", "98", "99", "6.9", "6.4", "10.1", "9", "2003.0", "10.0.7601", "6.1.19045", "6.1.6000", "5.1.3790", "win10", "XP", "1", "0", "2004"} {
		want := fmt.Sprintf("%q is not a Windows version: want one such as 6.1 or 10.0.19045, or a name: nt4, 2000, xp, 2003, vista, 2008, 7, 2008r2, 8, 2012, 8.1, 2012r2, 10, 2016, 2019, 2022, 11, 2025", s)
		if got, err := hive.ParseWindows(s); err == nil || err.Error() != want {
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
		{hive.Exactly(hive.Version{Major: 10, Build: 19045}), "10.0", "10.0.19045"},
		{hive.Windows{AtLeast: hive.Version{Major: 10, Build: 19041}, Below: hive.Version{Major: 10, Build: 20348}}, "10.0", "10.0, build 19041 or later, before 20348"},
		{hive.Windows{}, "", "unknown version"},
		{hive.Windows{AtLeast: hive.Version{Major: 6}}, "", "6.0 or later"},
		{hive.Windows{Below: hive.Version{Major: 6}}, "", "before 6.0"},
		{hive.Windows{AtLeast: hive.Version{Major: 6}, Below: hive.Version{Major: 6, Minor: 2}}, "", "6.0 or later, before 6.2"},
		{hive.Windows{AtLeast: hive.Version{Major: 6, Minor: 1, Build: 7601}, Below: hive.Version{Major: 6, Minor: 2}}, "6.1", "6.1, build 7601 or later"},
		// There is a version 6.4 below 10.0, at least in theory.
		{hive.Windows{AtLeast: hive.Version{Major: 6, Minor: 3}, Below: hive.Version{Major: 10}}, "", "6.3 or later, before 10.0"},
	} {
		if test.w.Version() != test.version || test.w.String() != test.described {
			t.Errorf("%+v: %q, %q", test.w, test.w.Version(), test.w.String())
		}
	}
}

func hostOf(r *hive.Registry) string {
	name, _ := r.Host()
	return name
}

// TestHostOfTCPIP takes the name of TCP/IP where ComputerName is not there, and says so; a name that is there goes before it.
func TestHostOfTCPIP(t *testing.T) {
	tcpip := hive.NewKey("Services", nil, hive.NewKey("Tcpip", nil, hive.NewKey("Parameters", []hive.Value{hive.StringValue("Hostname", hive.SZ, "ws01")})))
	registry := func(keys ...*hive.Key) *hive.Registry {
		r := hive.NewRegistry()
		r.Mount(hive.ParsePath(`HKLM\SYSTEM`), hive.NewKey("", nil, hive.NewKey("ControlSet001", nil, keys...)))
		return r.WithControlSet("ControlSet001")
	}
	computer := hive.NewKey("Control", nil, hive.NewKey("ComputerName", nil, hive.NewKey("ComputerName", []hive.Value{hive.StringValue("ComputerName", hive.SZ, "WEB01")})))
	for _, c := range []struct {
		r          *hive.Registry
		name, from string
	}{
		{registry(tcpip), "ws01", `Services\Tcpip\Parameters\Hostname`},
		{registry(computer, tcpip), "WEB01", `Control\ComputerName\ComputerName\ComputerName`},
		{registry(), "", ""},
	} {
		if name, from := c.r.Host(); name != c.name || from != c.from {
			t.Errorf("%q from %q, want %q from %q", name, from, c.name, c.from)
		}
	}
}
