package lint

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// export is about 20 MB of UTF-16LE, with names and data as in a SYSTEM hive.
var export = sync.OnceValue(func() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var services []*hive.Key
	for i := range 7000 {
		blob := make([]byte, r.IntN(150))
		for i := range blob {
			blob[i] = byte(r.UintN(256))
		}
		name := fmt.Sprintf("Service%05d", i)
		services = append(services, hive.NewKey(name, []hive.Value{
			hive.StringValue("DisplayName", hive.SZ, "@%SystemRoot%\\System32\\"+name+".dll,-100"),
			hive.DWordValue("ErrorControl", 1),
			hive.StringValue("ImagePath", hive.ExpandSZ, `%SystemRoot%\system32\svchost.exe -k LocalService`),
			hive.DWordValue("Start", 3),
			hive.DWordValue("Type", 32),
			hive.StringValue("ObjectName", hive.SZ, `NT AUTHORITY\LocalService`),
			hive.StringValue("Description", hive.SZ, "Provides what "+name+" promises to those who ask for it."),
		}, hive.NewKey("Parameters", []hive.Value{
			hive.StringValue("ServiceDll", hive.ExpandSZ, `%SystemRoot%\System32\`+name+".dll"),
			hive.DWordValue("ServiceDllUnloadOnStop", 1),
			{Name: "Blob", Type: hive.Binary, Data: blob},
		})))
	}
	var out bytes.Buffer
	path := hive.ParsePath(`HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services`)
	if err := regfile.Export(&out, regfile.Tree{Root: hive.NewKey("Services", nil, services...), At: path}); err != nil {
		panic(err)
	}
	return out.Bytes()
})

// BenchmarkScan measures the part of [BenchmarkLint] that reads the text.
func BenchmarkScan(b *testing.B) {
	data := export()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for range (regfile.Options{}).Scan(bytes.NewReader(data)) {
		}
	}
}

// BenchmarkLint runs the default checks, all checks, all checks with the default pack, and all checks with all packs. Some rules of those
// look at every service, so they see nearly every line.
func BenchmarkLint(b *testing.B) {
	all := func(c *Check) Severity { return c.Severity }
	of := func(packs ...*rules.Pack) []*rules.Rule {
		all, err := rules.Rules(packs...)
		if err != nil {
			b.Fatal(err)
		}
		return all
	}
	for _, run := range []struct {
		name   string
		linter Linter
	}{
		{"default", Linter{}},
		{"all", Linter{Severity: all}},
		{"pack", Linter{Severity: all, Rules: of(rules.BuiltIn(rules.DefaultPack)...)}},
		{"packs", Linter{Severity: all, Rules: of(rules.BuiltIn()...)}},
	} {
		b.Run(run.name, func(b *testing.B) {
			data := export()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := run.linter.Lint("SYSTEM.reg", bytes.NewReader(data))
				if err != nil || len(r.Findings) > 0 {
					b.Fatal(err, r.Findings[0])
				}
			}
		})
	}
}
