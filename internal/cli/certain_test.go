package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/hivetest"
)

// machineText is a SYSTEM hive in which rules of all packs find something: failures, passes and what is left open.
const machineText = `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="WS01"
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Lsa]
"Authentication Packages"=hex(7):6d,00,73,00,76,00,31,00,5f,00,30,00,00,00,00,00
"Notification Packages"=hex(7):73,00,63,00,65,00,63,00,6c,00,69,00,00,00,65,00,76,00,69,00,6c,00,00,00,00,00
"LmCompatibilityLevel"=dword:00000005
"RestrictAnonymous"=dword:00000000
"RunAsPPL"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Nsi]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\ProductOptions]
"ProductType"="WinNT"
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Client]
"Enabled"=dword:00000000
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols\SSL 3.0\Server]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Session Manager]
"BootExecute"=hex(7):65,00,76,00,69,00,6c,00,00,00,00,00
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Terminal Server]
"fDenyTSConnections"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\EvilSvc]
"ImagePath"="C:\\Users\\Public\\evil.exe"
"Start"=dword:00000002
"Type"=dword:00000010
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\LanmanServer\Parameters]
"RequireSecuritySignature"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters]
"MaxUserPort"=dword:00001388
"TcpTimedWaitDelay"=dword:0000001e
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\srv]
"Start"=dword:00000003
"Type"=dword:00000002
[HKEY_LOCAL_MACHINE\SYSTEM\DriverDatabase]
"Version"=dword:0a000000
[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000001
"Default"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\Software\Microsoft]
"BuildLab"="10240.th1_st1.150930-1750"
`

// machineTree returns the tree of machineText, which a hive is made of.
func machineTree(t *testing.T) *hivetest.Key {
	t.Helper()
	f, err := regfile.Parse("SYSTEM.reg", []byte(machineText))
	if err != nil {
		t.Fatal(err)
	}
	k := f.Tree()
	for _, name := range hive.ParsePath(`HKLM\SYSTEM`) {
		k = k.Key(name)
	}
	return hivetest.FromTree(k)
}

// answer is what a check says of one place.
type answer struct {
	Rule, Key, Status, Reason, Message string
	Value                              *string
}

// answers checks files that lie in one folder by all packs, and returns the answers by their place.
func answers(t *testing.T, files map[string][]byte) map[string]answer {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, messages bytes.Buffer
	run([]string{"check", "--pack", "all", "--all", "--format", "jsonl", dir}, nil, &out, &messages)
	all := map[string]answer{}
	for line := range strings.Lines(out.String()) {
		var one struct{ Finding *answer }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		if f := one.Finding; f != nil {
			value := ""
			if f.Value != nil {
				value = *f.Value
			}
			all[f.Rule+" "+f.Key+" "+value] = *f
		}
	}
	if len(all) < 100 {
		t.Fatalf("%d answers: %s", len(all), &messages)
	}
	return all
}

// TestDamagedRecords requires: where any one record of a hive can no longer be read, no failure and no unknown becomes a pass, and no pass a
// failure.
func TestDamagedRecords(t *testing.T) {
	b, layout := hivetest.BuildLayout(machineTree(t), hivetest.Options{Name: "SYSTEM"})
	records := map[int]string{}
	for path, k := range layout.Keys {
		for what, at := range map[string]int{"key": k.Node, "subkeys of": k.List, "values of": k.ValueList} {
			records[at] = what + " " + path
		}
		for name, v := range k.Values {
			records[v.Record], records[v.Data] = "value "+name+" of "+path, "data of "+name+" of "+path
		}
	}
	delete(records, 0)
	delete(records, layout.Key("").Node) // the root is found by its flags
	sound := answers(t, map[string][]byte{"SYSTEM": b})
	changed := 0
	for _, at := range slices.Sorted(maps.Keys(records)) {
		damaged := answers(t, map[string][]byte{"SYSTEM": hivetest.Free(b, at)})
		for place, f := range sound {
			g, ok := damaged[place]
			if !ok || f.Reason == "not-applicable" {
				continue
			}
			if g.Status != f.Status {
				changed++
			}
			if f.Status == "pass" && g.Status == "fail" || f.Status != "pass" && g.Status == "pass" {
				t.Errorf("without the %s, %s: %s %s %q becomes %s %s %q", records[at], place, f.Status, f.Reason, f.Message, g.Status, g.Reason, g.Message)
			}
		}
	}
	if changed < 1000 {
		t.Errorf("the law was tried on too little: %d answers changed", changed)
	}
}

// TestSoftwareBeside requires: what SOFTWARE beside SYSTEM tells makes no answer less certain, turns none round, and decides some, unless the
// two contradict each other.
func TestSoftwareBeside(t *testing.T) {
	system := hivetest.Build(machineTree(t), hivetest.Options{Name: "SYSTEM"})
	alone := answers(t, map[string][]byte{"SYSTEM": system})
	text, number := func(name, text string) hive.Value { return hive.StringValue(name, hive.SZ, text) }, hive.DWordValue
	ten := []hive.Value{text("CurrentVersion", "6.3"), number("CurrentMajorVersionNumber", 10), number("CurrentMinorVersionNumber", 0)}
	for name, values := range map[string][]hive.Value{
		"nothing":     nil,
		"8.1 or 10":   {text("CurrentVersion", "6.3")},
		"10":          ten,
		"10240":       append(slices.Clone(ten), text("CurrentBuildNumber", "10240"), text("EditionID", "Core"), text("InstallationType", "Client")),
		"contradicts": {text("CurrentVersion", "5.1"), text("CurrentBuildNumber", "2600")},
	} {
		current := &hivetest.Key{Name: "CurrentVersion", Values: values}
		software := hivetest.Build(&hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Classes"}, {Name: "Microsoft", Keys: []*hivetest.Key{
			{Name: "Windows NT", Keys: []*hivetest.Key{current}}}}}}, hivetest.Options{Name: "SOFTWARE"})
		decided := 0
		for place, g := range answers(t, map[string][]byte{"SYSTEM": system, "SOFTWARE": software}) {
			f, ok := alone[place]
			if !ok || f.Status == g.Status {
				continue
			}
			if f.Status != "unknown" && g.Reason != "not-applicable" {
				t.Errorf("beside SOFTWARE that says %s, %s: %s %q becomes %s %s %q", name, place, f.Status, f.Message, g.Status, g.Reason, g.Message)
			}
			decided++
		}
		if name == "10240" && decided == 0 {
			t.Errorf("SOFTWARE that says %s decides nothing", name)
		}
	}
}
