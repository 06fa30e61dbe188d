package hive_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// systemHive is a hive of the size and shape of a SYSTEM hive: 11 MB, 24,000 keys of which most have a few values, in two control
// sets with many small keys and a few wide ones.
var systemHive = sync.OnceValue(func() []byte {
	noise := rand.New(rand.NewPCG(1, 2))
	values := func(n int) []hive.Value {
		all := make([]hive.Value, n)
		for i := range all {
			name := fmt.Sprintf("%s%d", []string{"Start", "ImagePath", "DriverDesc", "Capabilities", "DeviceClass"}[i%5], i)
			switch i % 5 {
			case 0, 3:
				all[i] = hive.DWordValue(name, noise.Uint32())
			case 1, 2:
				all[i] = hive.StringValue(name, hive.ExpandSZ, fmt.Sprintf(`\SystemRoot\system32\drivers\%x.sys`, noise.Uint64()))
			default:
				all[i] = hive.Value{Name: name, Type: hive.Binary, Data: make([]byte, 16+noise.IntN(700))}
			}
		}
		return all
	}
	group := func(name string, n, most int, below ...string) *hivetest.Key {
		g := &hivetest.Key{Name: name}
		for i := range n {
			k := &hivetest.Key{Name: fmt.Sprintf("%s %04d", name, i), Values: values(noise.IntN(2 * most))}
			for _, sub := range below {
				k.Keys = append(k.Keys, &hivetest.Key{Name: sub, Values: values(noise.IntN(2 * most))})
			}
			g.Keys = append(g.Keys, k)
		}
		return g
	}
	root := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}}}}
	for _, set := range []string{"ControlSet001", "ControlSet002"} {
		services := group("Services", 700, 2, "Parameters", "Security", "Enum")
		services.Keys = append(services.Keys, &hivetest.Key{Name: "Tcpip", Keys: []*hivetest.Key{
			{Name: "Parameters", Values: []hive.Value{hive.DWordValue("EnableSecurityFilters", 1)}},
		}})
		root.Keys = append(root.Keys, &hivetest.Key{Name: set, Keys: []*hivetest.Key{
			group("Control", 1500, 3), group("Class", 1500, 4, "0000", "0001"), group("Enum", 1000, 4, "Device Parameters", "LogConf"), services,
		}})
	}
	return hivetest.Build(dated(root), hivetest.Options{Name: "SYSTEM"})
})

func BenchmarkOpen(b *testing.B) {
	data := systemHive()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		k := read(b, data).Root()
		for _, name := range []string{"ControlSet001", "Services", "Tcpip", "Parameters"} {
			k = k.Key(name)
		}
		if v, _ := k.Value("EnableSecurityFilters"); v.Display() != "1" {
			b.Fatal("another value was found")
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	data := systemHive()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	keys, values := 0, 0
	for b.Loop() {
		keys, values = 0, 0
		for _, k := range read(b, data).Root().Walk() {
			keys++
			values += len(k.Values())
		}
	}
	b.ReportMetric(float64(keys), "keys")
	b.ReportMetric(float64(values), "values")
}
