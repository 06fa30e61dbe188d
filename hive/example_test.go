package hive_test

import (
	"fmt"

	"regvet/hive"
)

// A hive is read, mounted where Windows mounts it, and asked as the running system would be. What the file does not tell is a problem of the file.
func Example() {
	f, err := hive.Open("../testdata/SYSTEM")
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, f.Root())
	fmt.Println(reg.Windows().Full())
	for _, m := range reg.Find(hive.ParsePath(`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`)) {
		fmt.Println(m.Real)
		if v, ok := m.Key.Value("TcpTimedWaitDelay"); ok {
			fmt.Println(v.Name, v.Type, v.Display())
		}
	}
	for _, p := range f.Problems() {
		fmt.Println(p.Error())
	}
	// Output:
	// Windows before Server 2008 (before 6.0)
	// HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Tcpip\Parameters
	// TcpTimedWaitDelay REG_DWORD 240
}
