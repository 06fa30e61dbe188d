package foreign_test

import (
	"fmt"
	"strings"
	"testing"

	"regvet/rules/foreign"
)

// BenchmarkLoad takes a list of 5,000 rows and a .reg file of 5,000 values as rules.
func BenchmarkLoad(b *testing.B) {
	list, text := []string{"ID,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator,Severity"}, []string{"Windows Registry Editor Version 5.00"}
	for i := range 5000 {
		list = append(list, fmt.Sprintf(`%d,Rule number %d,Registry,HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters%d,Value%d,%d,%d,%s,Medium`, i, i, i%50, i, i%3, i%7, []string{"=", ">=", "<=", "!="}[i%4]))
		text = append(text, fmt.Sprintf("[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters%d]\n\"Value%d\"=dword:%08x", i%50, i, i))
	}
	for name, lines := range map[string][]string{"list.csv": list, "wanted.reg": text} {
		fsys := fsOf(name, []byte(strings.Join(lines, "\n")+"\n"))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := foreign.Load(fsys, name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
