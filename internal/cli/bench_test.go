package cli

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// largeSystem writes a SYSTEM hive of about 12 MB that is shaped like a real one: a few hundred services with parameters, and many small keys
// of devices.
func largeSystem(b testing.TB) string {
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	key := func(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: 129000000000000000, Values: values, Keys: keys}
	}
	services := key("Services", nil)
	for i := range 600 {
		services.Keys = append(services.Keys, key(fmt.Sprintf("Service%03d", i), []hive.Value{
			text("DisplayName", "A service of the system"), text("ImagePath", `system32\drivers\example.sys`),
			hive.DWordValue("Start", 3), hive.DWordValue("Type", 1),
		}, key("Parameters", []hive.Value{text("ServiceDll", `%SystemRoot%\System32\example.dll`)}), key("Enum", nil)))
	}
	services.Keys = append(services.Keys, key("Tcpip", nil, key("Parameters", []hive.Value{hive.DWordValue("MaxUserPort", 5000)})))
	class := key("Enum", nil)
	for i := range 300 {
		bus := key(fmt.Sprintf("ROOT%04d", i), nil)
		for j := range 95 {
			bus.Keys = append(bus.Keys, key(fmt.Sprintf("{%08x-0000-0000-0000-000000000000}", j), []hive.Value{
				text("DeviceDesc", "@machine.inf,%devicedesc%;A device of some kind"), hive.DWordValue("Capabilities", 0),
				{Name: "HardwareID", Type: hive.MultiSZ, Data: append(hive.EncodeUTF16("ROOT\\LEGACY\x00ROOT\\OTHER\x00"), 0, 0)},
			}))
		}
		class.Keys = append(class.Keys, bus)
	}
	root := key("", nil, key("ControlSet001", nil, services, key("Control", nil, key("Nsi", nil)), class),
		key("Select", []hive.Value{hive.DWordValue("Current", 1)}))
	data := hivetest.Build(root, hivetest.Options{})
	name := filepath.Join(b.TempDir(), "SYSTEM")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		b.Fatal(err)
	}
	return name
}

// These benchmarks run commands on a SYSTEM hive of 12 MB, from opening the file to the last byte of the result.
func BenchmarkCheck(b *testing.B)       { benchmark(b, statusFindings, "check") }
func BenchmarkExportReg(b *testing.B)   { benchmark(b, statusDone, "export") }
func BenchmarkExportJSONL(b *testing.B) { benchmark(b, statusDone, "export", "--format", "jsonl") }

// BenchmarkHistory tells the past of a value in 20 states of such a hive, which may take no longer than 20 times [BenchmarkCheck].
func BenchmarkHistory(b *testing.B) {
	name := largeSystem(b)
	state, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	f, err := hive.Read(name, state)
	if err != nil {
		b.Fatal(err)
	}
	current, _ := f.Root().Key("Select").Value("Current")
	at := int(current.At.Offset) + 4 + hivetest.ValueData
	const first = 2
	var entries [][]byte
	for i := range uint32(19) {
		after := hivetest.Set32(state, at, i+2)
		entries = append(entries, hivetest.Entries(first+i, 1, state, after)...)
		state = after
	}
	dirty := hivetest.Dirty(hivetest.Set32(state, at, 1), first+19, first)
	for name, data := range map[string][]byte{name: dirty, name + ".LOG1": hivetest.Log(dirty, first, entries...)} {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := run([]string{"history", name, `HKLM\SYSTEM\Select`, "Current"}, nil, io.Discard, io.Discard); got != statusDone {
			b.Fatalf("exit status %d", got)
		}
	}
}

func benchmark(b *testing.B, want int, args ...string) {
	name := largeSystem(b)
	if info, err := os.Stat(name); err == nil {
		b.SetBytes(info.Size())
	}
	args = append(args, name)
	b.ReportAllocs()
	for b.Loop() {
		if got := run(args, nil, io.Discard, io.Discard); got != want {
			b.Fatalf("exit status %d", got)
		}
	}
}

// BenchmarkCheckFolder checks a folder with 200 links to a SYSTEM hive of 12 MB.
func BenchmarkCheckFolder(b *testing.B) {
	const inputs = 200
	name, folder := largeSystem(b), b.TempDir()
	for i := range inputs {
		if err := os.Symlink(name, filepath.Join(folder, fmt.Sprintf("%03d", i))); err != nil {
			b.Skipf("there are no symbolic links here: %v", err)
		}
	}
	for b.Loop() {
		if got := run([]string{"check", "--format", "jsonl", folder}, nil, io.Discard, io.Discard); got != statusFindings {
			b.Fatalf("exit status %d", got)
		}
	}
	b.ReportMetric(float64(inputs*b.N)/b.Elapsed().Seconds(), "inputs/s")
}

// BenchmarkCheckMachine checks a machine of 200 MB, about as much as the hives of a Windows in use have: what docs/fleets.md counts with.
func BenchmarkCheckMachine(b *testing.B) {
	classes := func(n int) *hivetest.Key {
		all := &hivetest.Key{Name: "Classes"}
		for i := range n {
			id := &hivetest.Key{Name: fmt.Sprintf("{%08X-0000-0000-C000-000000000046}", i), Values: []hive.Value{hive.StringValue("", hive.SZ, "An interface of a program")}}
			for _, name := range []string{"InprocServer32", "ProgID", "TypeLib", "Version"} {
				id.Keys = append(id.Keys, &hivetest.Key{Name: name, Values: []hive.Value{hive.StringValue("", hive.ExpandSZ, `%SystemRoot%\System32\example.dll`)}})
			}
			all.Keys = append(all.Keys, id)
		}
		return all
	}
	system, err := os.ReadFile(largeSystem(b))
	if err != nil {
		b.Fatal(err)
	}
	software := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{classes(150_000)}}, hivetest.Options{})
	user := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Software", Keys: []*hivetest.Key{classes(13_500)}}}}, hivetest.Options{})
	dir := b.TempDir()
	var size int64
	for name, data := range map[string][]byte{
		"Windows/System32/config/SYSTEM": system, "Windows/System32/config/SOFTWARE": software, "Users/a/NTUSER.DAT": user, "Users/b/NTUSER.DAT": user,
	} {
		size += int64(len(data))
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(size)
	var used time.Duration // by all processors
	for b.Loop() {
		cmd := exec.Command("regvet", "check", "--pack", "all", "--format", "jsonl", dir)
		if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != statusFindings {
			b.Fatal(err)
		}
		used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(used.Seconds()/float64(b.N), "processor-s/op")
}
