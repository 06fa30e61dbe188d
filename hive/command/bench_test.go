package command_test

import (
	"testing"

	"regvet/hive/command"
)

// BenchmarkWritable asks of the program of a service whether users can write to its folder: a rule asks that of each service.
func BenchmarkWritable(b *testing.B) {
	m := new(command.Machine)
	f, err := command.ParseFolder("user_writable")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.In(m.Resolve(m.Read(`%SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted -p`).Program), f)
	}
}
