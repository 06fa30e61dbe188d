package ports_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/hivetest"
	"regvet/rules/ports"
)

const (
	parametersKey = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters]\n"
	nsiKey        = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Nsi\\{eb004a03-9b1a-11d4-9123-0050047759bc}\\29]\n"
	nsiTemplates  = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Nsi\\{eb004a03-9b1a-11d4-9123-0050047759bc}\\26]\n"
	nsiGlobalKey  = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Nsi\\{eb004a03-9b1a-11d4-9123-0050047759bc}\\0]\n"
)

// registry reads .reg text.
func registry(t *testing.T, text string) *hive.Registry {
	t.Helper()
	f, err := regfile.Parse("test.reg", []byte("Windows Registry Editor Version 5.00\n\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, f.Tree())
	return reg
}

// told returns the answers in short, without the notes.
func told(all []ports.Answer) string {
	var lines []string
	for _, p := range all {
		line := p.ControlSet + " " + p.Windows
		if p.Assumed {
			line += "?"
		}
		line += ": "
		if p.Range == nil {
			lines = append(lines, line+p.Why)
			continue
		}
		usable := "?"
		if n, ok := p.Usable(); ok {
			usable = fmt.Sprint(n)
		}
		line += fmt.Sprintf("%d-%d %s of %d by %s, %s", p.Range.From, p.Range.To, usable, p.Range.Size(), p.Source, p.Confidence)
		for _, x := range p.Excluded {
			line += fmt.Sprintf(" -%d-%d", x.From, x.To)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestEphemeral(t *testing.T) {
	const set = "CurrentControlSet "
	multi := func(lines ...string) string {
		data := fmt.Sprintf("% x", hive.EncodeUTF16(strings.Join(lines, "\x00")+"\x00\x00"))
		return `"ReservedPorts"=hex(7):` + strings.ReplaceAll(data, " ", ",")
	}
	for _, c := range []struct{ name, windows, reg, want, note string }{
		{"default of Server 2003", "5.2", parametersKey, set + "before 6.0: 1025-5000 3976 of 3976 by default, medium", "MS08-037"},
		{"default of NT 4.0", "4.0", parametersKey, set + "before 6.0: 1025-5000 3976 of 3976 by default, high", "1024"},
		{"set on Server 2003", "5.2", parametersKey + `"MaxUserPort"=dword:0000fffe`, set + "before 6.0: 1025-65534 64510 of 64510 by MaxUserPort, high", "1024"},
		{"default of Windows 10", "10.0", parametersKey + nsiKey, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "netsh"},
		{"set on Windows 10", "10.0", parametersKey + `"MaxUserPort"=dword:0000fffe` + "\n" + nsiKey, set + "6.0 or later: 1024-65534 64511 of 64511 by MaxUserPort, medium", "measured"},
		{"version unknown", "", parametersKey + nsiKey, set + "before 6.0?: 1025-5000 3976 of 3976 by default, medium\n" +
			set + "6.0 or later?: 49152-65535 16384 of 16384 by default, medium", ""},
		{"exclusions not covered", "10.0", parametersKey, set + "6.0 or later: 49152-65535 ? of 16384 by default, medium", `does not hold Control\Nsi`},
		{"exclusions", "6.1", parametersKey + nsiKey + `"cc570100"=hex:12,00,ff,ff` + "\n" + `"c0000a00"=hex:12,00,ff,ff` + "\n" + `"00500100"=hex:12,00,ff,ff`,
			set + "6.0 or later: 49152-65535 16373 of 16384 by default, medium -80-80 -49152-49161 -52311-52311", "Server 2008 to 2016"},
		{"odd exclusions", "6.1", parametersKey + nsiKey + `"cc570000"=hex:12` + "\n" + `"ffff0200"=hex:12` + "\n" + `@=hex:12` + "\n" + `"cc5801"=hex:12` + "\n" + `"cc570100"="x"`,
			set + "6.0 or later: 49152-65535 ? of 16384 by default, medium", "5 could not be understood"},
		{"netsh may have been used", "10.0", parametersKey + nsiKey + nsiGlobalKey + `"0200"=hex:00`, set + "6.0 or later: 49152-65535 16384 of 16384 by default, low", "may have been changed"},
		{"netsh was not used", "10.0", parametersKey + nsiKey + nsiTemplates + nsiGlobalKey, set + "6.0 or later: 49152-65535 16384 of 16384 by default, high", "are empty"},
		{"a template may have been changed", "6.2", parametersKey + nsiKey + nsiGlobalKey + nsiTemplates + `"00"=hex:00`, set + "6.0 or later: 49152-65535 16384 of 16384 by default, low", `}\26;`},
		{"one table is not there", "10.0", parametersKey + nsiKey + nsiTemplates, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "is not seen"},
		{"one table cannot be read", "10.0", parametersKey + nsiKey + nsiTemplates + nsiGlobalKey + `"02`, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "is not seen"},
		{"set, and netsh was not used", "10.0", parametersKey + `"MaxUserPort"=dword:0000fffe` + "\n" + nsiKey + nsiTemplates + nsiGlobalKey, set + "6.0 or later: 1024-65534 64511 of 64511 by MaxUserPort, medium", "measured"},
		{"set, and netsh may have been used", "10.0", parametersKey + `"MaxUserPort"=dword:0000fffe` + "\n" + nsiKey + nsiTemplates + `@=hex:00`, set + "6.0 or later: 1024-65534 64511 of 64511 by MaxUserPort, low", "may have been changed"},
		{"text, and netsh was not used", "10.0", parametersKey + `"MaxUserPort"="65534"` + "\n" + nsiKey + nsiTemplates + nsiGlobalKey, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "ignores it"},
		{"reserved", "5.2", parametersKey + multi("4000-4010", "1433-1434", "80-80", "4005-4020"),
			set + "before 6.0: 1025-5000 3953 of 3976 by default, medium -80-80 -1433-1434 -4000-4020", ""},
		{"reserved wrongly", "5.2", parametersKey + multi("4010-4000", "80", "70000-70001"), set + "before 6.0: 1025-5000 ? of 3976 by default, medium", "3 could not"},
		{"reserved as text", "5.2", parametersKey + `"ReservedPorts"="80-80"`, set + "before 6.0: 1025-5000 ? of 3976 by default, medium", "REG_SZ, which is no list"},
		{"reserved on NT 4.0", "4.0", parametersKey + multi("2000-2001"), set + "before 6.0: 1025-5000 3976 of 3976 by default, high", ""},
		{"reserved on Windows 10", "10.0", parametersKey + multi("50000-50001") + "\n" + nsiKey, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "do not read it"},
		{"text", "10.0", parametersKey + `"MaxUserPort"="65534"` + "\n" + nsiKey, set + "6.0 or later: 49152-65535 16384 of 16384 by default, medium", "ignores it"},
		{"too high", "10.0", parametersKey + `"MaxUserPort"=dword:0000ffff`, set + "6.0 or later: MaxUserPort is 65535, and what Windows makes of one outside 5000 to 65534 is not documented", ""},
		{"too low", "5.1", parametersKey + `"MaxUserPort"=dword:00001387`, set + "before 6.0: MaxUserPort is 4999, and what Windows makes of one outside 5000 to 65534 is not documented", ""},
		{"no such key", "5.1", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services]", set + `before 6.0: there is no key Services\Tcpip\Parameters`, ""},
		{"another key", "5.1", "[HKEY_LOCAL_MACHINE\\SOFTWARE]", "", ""},
		{"a key below", "5.1", "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces]", "", ""},
		{"two sets", "5.1", "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Tcpip\\Parameters]\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services\\Tcpip\\Parameters]\n\"MaxUserPort\"=dword:0000fffe",
			"ControlSet001 before 6.0: 1025-5000 3976 of 3976 by default, medium\nControlSet002 before 6.0: 1025-65534 64510 of 64510 by MaxUserPort, high", "a guess"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w hive.Windows
			if c.windows != "" {
				v, err := hive.ParseVersion(c.windows)
				if err != nil {
					t.Fatal(err)
				}
				w = hive.Exactly(v)
			}
			all := ports.Ephemeral(registry(t, c.reg), w)
			if diff := cmp.Diff(c.want, told(all)); diff != "" {
				t.Errorf("- want, + got:\n%s", diff)
			}
			if c.note != "" && !slices.ContainsFunc(all[0].Notes, func(note string) bool { return strings.Contains(note, c.note) }) {
				t.Errorf("no note says %q: %q", c.note, all[0].Notes)
			}
		})
	}
}

// FuzzEphemeral gives any type, name and data to the values that decide about ports. Whatever they are, ranges lie within the ports that exist,
// exclusions are sorted and do not overlap, and a range never has more usable ports than ports.
func FuzzEphemeral(f *testing.F) {
	f.Add("cc570100", "c0000a00", []byte{0x12, 0, 0xFF, 0xFF}, uint32(hive.Binary), []byte{0xFE, 0xFF, 0, 0}, uint32(hive.DWord), 6)
	f.Add("ffff0100", "ffff0200", []byte("1\x00-\x002\x00\x00\x00"), uint32(hive.MultiSZ), []byte{}, uint32(hive.SZ), 5)
	f.Add("00000000", "0000ffff", hive.EncodeUTF16("0-65535\x0080-80\x00\x00"), uint32(hive.MultiSZ), []byte{0x88, 0x13, 0, 0}, uint32(hive.DWord), 0)
	f.Fuzz(func(t *testing.T, one, two string, data []byte, kind uint32, port []byte, portKind uint32, major int) {
		reg := hive.NewRegistry()
		key := func(name string, values []hive.Value, keys ...*hive.Key) *hive.Key {
			return hive.NewKey(name, values, keys...)
		}
		nsi := []hive.Value{{Name: one, Type: hive.Type(kind), Data: data}, {Name: two, Type: hive.Binary, Data: data}}
		values := []hive.Value{{Name: "MaxUserPort", Type: hive.Type(portKind), Data: port}, {Name: "ReservedPorts", Type: hive.Type(kind), Data: data}}
		reg.Mount(hive.ParsePath(`HKLM\SYSTEM`), key("", nil, key("ControlSet001", nil,
			key("Control", nil, key("Nsi", nil, key("{eb004a03-9b1a-11d4-9123-0050047759bc}", nil, key("29", nsi)))),
			key("Services", nil, key("Tcpip", nil, key("Parameters", values))))))
		var w hive.Windows
		if major > 0 {
			w = hive.Exactly(hive.Version{Major: major})
		}
		all := ports.Ephemeral(reg, w)
		if want := map[bool]int{true: 1, false: 2}[major > 0]; len(all) != want {
			t.Fatalf("%d answers, want %d", len(all), want)
		}
		for _, p := range all {
			next := 0
			for _, x := range p.Excluded {
				if x.From < next || x.To < x.From || x.To > ports.Max || x.Source == "" {
					t.Fatalf("excluded are %v", p.Excluded)
				}
				next = x.To + 1
			}
			usable, ok := p.Usable()
			if p.Range == nil {
				if p.Why == "" || ok || p.Confidence != "" {
					t.Fatalf("an unknown range: %+v", p)
				}
				continue
			}
			if p.Range.From < 1024 || p.Range.To > ports.Max || p.Range.Size() < 1 || usable < 0 || usable > p.Range.Size() || p.Confidence == "" {
				t.Fatalf("the range is %v, usable %d: %+v", *p.Range, usable, p)
			}
		}
	})
}

// TestHiddenKey checks that the range is unknown where Windows does not find the key that holds it by its name.
func TestHiddenKey(t *testing.T) {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, List: "lh", Keys: keys}
	}
	root := key("", key("ControlSet001", key("Services", key("Tcpip", key("Parameters")))))
	b, at := hivetest.BuildLayout(root, hivetest.Options{})
	b = hivetest.Set32(b, at.Key(`ControlSet001\Services\Tcpip`).List+hivetest.ListElements+4, 0xDEADBEEF)
	f, err := hive.Read("SYSTEM", b)
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SYSTEM`), f.Root())
	want := `ControlSet001 6.0 or later: Windows may not find the key Services\Tcpip\Parameters, whose place in its list has the hash of another name`
	if got := told(ports.Ephemeral(reg, hive.Exactly(hive.Version{Major: 6, Minor: 1}))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
