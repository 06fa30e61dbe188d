package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/rules"
)

// largeSystem is a SYSTEM hive of about 12 MB, shaped as a real one: some hundred services with parameters, and the many small keys of
// devices.
func largeSystem() []byte {
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	key := func(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: 129000000000000000, Values: values, Keys: keys}
	}
	services, devices := key("Services", nil), key("Enum", nil)
	for i := range 600 {
		services.Keys = append(services.Keys, key(fmt.Sprintf("Service%03d", i), []hive.Value{
			text("DisplayName", "A service of the system"), text("ImagePath", `system32\drivers\example.sys`), hive.DWordValue("Start", 3),
		}, key("Parameters", []hive.Value{text("ServiceDll", `%SystemRoot%\System32\example.dll`)}), key("Enum", nil)))
	}
	for i := range 300 {
		bus := key(fmt.Sprintf("ROOT%04d", i), nil)
		for j := range 95 {
			bus.Keys = append(bus.Keys, key(fmt.Sprintf("{%08x-0000-0000-0000-000000000000}", j), []hive.Value{
				text("DeviceDesc", "@machine.inf,%devicedesc%;A device of some kind"), hive.DWordValue("Capabilities", 0),
				{Name: "HardwareID", Type: hive.MultiSZ, Data: append(hive.EncodeUTF16("ROOT\\LEGACY\x00ROOT\\OTHER\x00"), 0, 0)},
			}))
		}
		devices.Keys = append(devices.Keys, bus)
	}
	root := key("", nil, key("ControlSet001", nil, services, key("Control", nil), devices), key("Select", []hive.Value{hive.DWordValue("Current", 1)}))
	return hivetest.Build(root, hivetest.Options{})
}

// pack writes a pack of n rules; f returns the key and other fields of the i-th.
func pack(n int, f func(i int) string) string {
	var b strings.Builder
	b.WriteString("pack: many\ntitle: Many\nrules:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - id: MANY-%d\n    title: Rule\n    severity: low\n    rationale: It matters to somebody, somewhere.\n    tags: [many]\n%s", i, f(i))
	}
	return b.String()
}

func exactRule(i int) string {
	return fmt.Sprintf("    key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\Service%03d\\Parameters\n    value: Port%d\n"+
		"    expect: {type: REG_DWORD, valid: {between: [1, 65535]}, data: {at_least: 100}}\n    missing: {default: %d}\n"+
		"    fix: {set: {type: REG_DWORD, data: 100}, restart: computer}\n", i%600, i, i)
}

// importedRule is one of an imported list: values as text and as numbers, with and without defaults, conditions, keys that are not there, values of
// users, lists, and what a policy wants.
func importedRule(i int) string {
	from := fmt.Sprintf("    levels: [L1]\n    source: {file: list.csv, line: %d, id: \"%d\"}\n", i+2, i)
	service := fmt.Sprintf("    key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\Service%03d\\Parameters\n", i%600)
	switch i % 10 {
	case 0, 1:
		return from + service + fmt.Sprintf("    value: Port%d\n    expect: {data: {as_text: {equals: \"%d\"}}}\n    missing: fail\n"+
			"    fix: {set: {type: REG_DWORD, data: %d}, safe: false, because: the list does not tell the type}\n", i, i%7, i%7)
	case 2:
		return from + service + "    value: ServiceDll\n    expect: {data: {as_text: {in: [\"Yes\", \"\"], fold: true}}}\n    missing: pass\n"
	case 3:
		return from + service + fmt.Sprintf("    value: Size%d\n    expect: {data: {as_number: {at_least: %d}}}\n    missing: {default: 5, source: DefaultValue in the list}\n", i, i%9)
	case 4:
		return from + service + fmt.Sprintf("    value: Port%d\n    when: {key: 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Service%03d', value: Start, expect: {data: {below: 4}}}\n"+
			"    expect: {type: REG_DWORD, data: {equals: 1}}\n    missing: fail\n", i, (i+1)%600)
	case 5:
		return from + fmt.Sprintf("    key: HKLM\\SYSTEM\\CurrentControlSet\\Control\\Missing%d\\Sub\n    expect: {exists: false}\n", i)
	case 6:
		return from + fmt.Sprintf("    key: HKCU\\Software\\Policies\\Thing%d\n    value: On\n    expect: {type: REG_DWORD, data: {equals: 1}}\n    missing: fail\n", i)
	case 7:
		return from + service + fmt.Sprintf("    any: [{value: '*', expect: {data: {as_text: {contains: evil%d, fold: true}}}}]\n", i)
	case 8:
		return from + service + fmt.Sprintf("    other_than: [ServiceDll, Port%d]\n    expect: {exists: false}\n", i)
	}
	return from + service + fmt.Sprintf("    value: Text%d\n    when: {windows: \">=6.0\"}\n    expect: {type: REG_SZ, data: {matches: '^a[0-9]+x%d'}}\n    missing: pass\n", i, i)
}

func starRule(i int) string {
	return fmt.Sprintf("    key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\{service}\\Parameters\n    value: Port%d\n    expect: {exists: false}\n", i)
}

func deepRule(i int) string {
	return fmt.Sprintf("    key: HKLM\\SYSTEM\\CurrentControlSet\\**\n    value: Password%d\n    expect: {exists: false}\n", i)
}

// BenchmarkEvaluate evaluates rules on a SYSTEM hive of 12 MB that was just opened; "walk" reads all of its keys and values without rules.
func BenchmarkEvaluate(b *testing.B) {
	data := largeSystem()
	open := func(b *testing.B) *hive.Registry {
		f, err := hive.Read("SYSTEM", data)
		if err != nil {
			b.Fatal(err)
		}
		reg := hive.NewRegistry()
		reg.Mount(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, f.Root())
		return reg
	}
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			reg := open(b)
			b.StartTimer()
			for _, k := range reg.Root().Walk() {
				k.Values()
			}
		}
	})
	imported, err := rules.Load("imported.yaml", []byte(pack(5000, importedRule)))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("5000 imported", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			reg := open(b)
			b.StartTimer()
			if found := rules.Evaluate(reg, hive.Windows{}, imported.Rules); len(found) < len(imported.Rules) {
				b.Fatalf("%d findings", len(found))
			}
		}
	})
	for _, c := range []struct {
		name              string
		exact, star, deep int
	}{{"1000 exact", 1000, 0, 0}, {"980 exact, 20 star", 980, 20, 0}, {"1 deep", 0, 0, 1}, {"1000 deep", 0, 0, 1000}, {"950 exact, 25 star, 25 deep", 950, 25, 25}} {
		text := pack(c.exact+c.star+c.deep, func(i int) string {
			switch {
			case i < c.exact:
				return exactRule(i)
			case i < c.exact+c.star:
				return starRule(i)
			}
			return deepRule(i)
		})
		p, err := rules.Load("many.yaml", []byte(text))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				reg := open(b)
				b.StartTimer()
				if found := rules.Evaluate(reg, hive.Windows{}, p.Rules); len(found) < len(p.Rules) {
					b.Fatalf("%d findings", len(found))
				}
			}
		})
	}
}

// BenchmarkLoad reads a file of 10,000 rules, and one of 5,000 that were imported.
func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int
		rule func(int) string
	}{{"exact", 10000, exactRule}, {"imported", 5000, importedRule}} {
		b.Run(c.name, func(b *testing.B) {
			data := []byte(pack(c.n, c.rule))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rules.Load("many.yaml", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
