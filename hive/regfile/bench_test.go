package regfile

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"regvet/hive"
)

// systemLike is a tree that exports to about 50 MB of UTF-16LE, with names and data as in a SYSTEM hive.
var systemLike = sync.OnceValue(func() *hive.Key {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		return b
	}
	var groups, services []*hive.Key
	for i := range 16500 {
		name := fmt.Sprintf("Service%05d", i)
		parameters := hive.NewKey("Parameters", []hive.Value{
			hive.StringValue("ServiceDll", hive.ExpandSZ, `%SystemRoot%\System32\`+name+".dll"),
			hive.DWordValue("ServiceDllUnloadOnStop", 1),
			{Name: "Blob", Type: hive.Binary, Data: random(r.IntN(150))},
		})
		values := []hive.Value{
			hive.StringValue("DisplayName", hive.SZ, "@%SystemRoot%\\System32\\"+name+".dll,-100"),
			hive.DWordValue("ErrorControl", 1),
			hive.StringValue("ImagePath", hive.ExpandSZ, `%SystemRoot%\system32\svchost.exe -k LocalService`),
			hive.DWordValue("Start", 3),
			hive.DWordValue("Type", 32),
			hive.StringValue("ObjectName", hive.SZ, `NT AUTHORITY\LocalService`),
			hive.StringValue("Description", hive.SZ, "Provides what "+name+" promises to those who ask for it."),
		}
		if i%100 == 0 {
			values = append(values, hive.Value{Name: "Cache", Type: hive.ResourceList, Data: random(8000)})
		}
		services = append(services, hive.NewKey(name, values, parameters))
		if len(services) == 500 {
			groups = append(groups, hive.NewKey("Group"+name, nil, services...))
			services = nil
		}
	}
	return hive.NewKey("Services", nil, groups...)
})

var systemPath = hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM", "ControlSet001", "Services"}

var systemText = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	if err := Export(&out, Tree{systemLike(), systemPath}); err != nil {
		panic(err)
	}
	return out.Bytes()
})

func BenchmarkParse(b *testing.B) { benchmarkParse(b, systemText()) }

func BenchmarkParse8bit(b *testing.B) { benchmarkParse(b, []byte(hive.DecodeUTF16(systemText()[2:]))) }

// BenchmarkParsePage parses the same text with the descriptions of services in the language of a code page.
func BenchmarkParsePage(b *testing.B) {
	narrow := []byte(hive.DecodeUTF16(systemText()[2:]))
	for _, n := range []int{932, 936, 949, 950, 1251, 65001} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			page := codePages[n]()
			text, ok := page.encode(nil, []byte(strings.Repeat(pageTexts[n][0], 5)))
			if !ok {
				b.Fatal("the code page does not have the text")
			}
			data := bytes.ReplaceAll(narrow, []byte("promises to those who ask for it."), text)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if f, err := (Options{page}).Parse("SYSTEM.reg", data); err != nil || len(f.Problems) != 1 { // it says that the page matters
					b.Fatal(err, f.Problems)
				}
			}
		})
	}
}

// BenchmarkDecodePage decodes text of nothing but characters of two bytes, as no file is.
func BenchmarkDecodePage(b *testing.B) {
	for _, n := range []int{932, 936, 949, 950} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			page := codePages[n]()
			data, _ := page.encode(nil, []byte(strings.Repeat(pageTexts[n][0], 100_000)))
			var text []byte
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				text, _ = page.decode(text[:0], data, true, nil)
			}
		})
	}
}

func benchmarkParse(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := Parse("SYSTEM.reg", data)
		if err != nil || len(f.Problems) > 0 {
			b.Fatal(err, f.Problems)
		}
	}
}

func BenchmarkExport(b *testing.B) {
	root := systemLike()
	b.SetBytes(int64(len(systemText())))
	b.ReportAllocs()
	for b.Loop() {
		if err := Export(io.Discard, Tree{root, systemPath}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFormat formats an export, which already has the form, and the same text as people keep it: 8-bit, without wrapped lines.
func BenchmarkFormat(b *testing.B) {
	narrow := []byte(hive.DecodeUTF16(systemText()[2:]))
	long := bytes.ReplaceAll(narrow, []byte("\\\r\n  "), nil)
	for _, c := range []struct {
		name string
		o    FormatOptions
		data []byte
	}{{"export", FormatOptions{}, systemText()}, {"long lines", FormatOptions{}, long}, {"UTF8", FormatOptions{UTF8: true}, narrow}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.o.Format(io.Discard, bytes.NewReader(c.data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExportOrdered exports a file key by key, including the check of its order, and by way of its tree.
func BenchmarkExportOrdered(b *testing.B) {
	data := systemText()
	b.Run("ordered", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			text := io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
			_, x, err := Options{}.ParseOrdered("SYSTEM.reg", text, func(*hive.Stretch) {})
			if err != nil {
				b.Fatal(err)
			}
			if err := ExportOrdered(io.Discard, Stream{Keys: x.Walk()}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			f, err := Parse("SYSTEM.reg", data)
			if err != nil {
				b.Fatal(err)
			}
			if err := Export(io.Discard, Tree{Root: f.Tree()}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
