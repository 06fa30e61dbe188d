package hive_test

import (
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
)

func TestMount(t *testing.T) {
	for _, test := range []struct {
		keys   []string // of the root
		header string
		source string
		at, by string
	}{
		// By its keys, whatever the names say.
		{[]string{"Select"}, "SOFTWARE", "SAM", `HKEY_LOCAL_MACHINE\SYSTEM`, "keys"},
		{[]string{"controlset002"}, "", "x", `HKEY_LOCAL_MACHINE\SYSTEM`, "keys"},
		{[]string{"Classes", "Microsoft"}, "", "x", `HKEY_LOCAL_MACHINE\SOFTWARE`, "keys"},
		{[]string{"SAM"}, "", "x", `HKEY_LOCAL_MACHINE\SAM`, "keys"},
		{[]string{"Policy", "RXACT"}, "", "x", `HKEY_LOCAL_MACHINE\SECURITY`, "keys"},
		{[]string{"DerivedData"}, "", "x", `HKEY_LOCAL_MACHINE\COMPONENTS`, "keys"},
		{[]string{"DriverDatabase"}, "", "x", `HKEY_LOCAL_MACHINE\DRIVERS`, "keys"},
		{[]string{"DriverDatabase", "Select"}, "", "x", `HKEY_LOCAL_MACHINE\SYSTEM`, "keys"},
		// Control sets are in no other hive; the driver database is in two.
		{[]string{"Classes", "ControlSet001", "Microsoft"}, "SOFTWARE", "SOFTWARE", `HKEY_LOCAL_MACHINE\SYSTEM`, "keys"},
		{[]string{"DriverDatabase"}, "SYSTEM", "x", `HKEY_LOCAL_MACHINE\SYSTEM`, "name in its header"},
		{[]string{"DriverDatabase"}, "", "SYSTEM", `HKEY_LOCAL_MACHINE\SYSTEM`, "file name"},
		{[]string{"Description", "Objects"}, "", "x", `HKEY_LOCAL_MACHINE\BCD00000000`, "keys"},
		{[]string{"Software", "Environment"}, `\??\C:\Users\u\ntuser.dat`, "x", `HKEY_CURRENT_USER`, "keys"},
		{[]string{"SOFTWARE", "control panel"}, "", "x", `HKEY_CURRENT_USER`, "keys"},
		{[]string{"Local Settings"}, "", "x", `HKEY_CURRENT_USER\Software\Classes`, "keys"},
		// The profile of no user has the keys of a user's.
		{[]string{"Software", "Environment"}, `emRoot\System32\Config\DEFAULT`, "x", `HKEY_USERS\.DEFAULT`, "keys and name in its header"},
		// One key of two is not enough.
		{[]string{"Classes"}, "", "x", "", ""},
		{[]string{"Software"}, "", "/evidence/NTUSER.DAT", `HKEY_CURRENT_USER`, "file name"},
		// By the name in its header.
		{nil, `emRoot\System32\Config\SOFTWARE`, "SAM", `HKEY_LOCAL_MACHINE\SOFTWARE`, "name in its header"},
		{nil, `\SystemRoot\System32\Config\default`, "x", `HKEY_USERS\.DEFAULT`, "name in its header"},
		{nil, "ELAM", "x", `HKEY_LOCAL_MACHINE\ELAM`, "name in its header"},
		{nil, `C:\Users\u\AppData\Local\Microsoft\Windows\UsrClass.dat`, "x", `HKEY_CURRENT_USER\Software\Classes`, "name in its header"},
		// By the name of the file.
		{nil, "", `C:\evidence\system`, `HKEY_LOCAL_MACHINE\SYSTEM`, "file name"},
		{nil, `\SystemRoot\System32\Config\OTHER`, "/mnt/Windows/System32/config/SECURITY", `HKEY_LOCAL_MACHINE\SECURITY`, "file name"},
		{nil, "", "SYSTEM.bak", "", ""},
		// Hives of applications have roots of their own.
		{nil, "", "/mnt/Windows/AppCompat/Programs/Amcache.hve", `HKEY_LOCAL_MACHINE\AMCACHE`, "file name"},
		{nil, `ram Files\x\SYSCACHE.HVE`, "x", `HKEY_LOCAL_MACHINE\SYSCACHE`, "name in its header"},
		{nil, "", "BBI", `HKEY_LOCAL_MACHINE\BBI`, "file name"},
		{[]string{"Select"}, "", "Amcache.hve", `HKEY_LOCAL_MACHINE\SYSTEM`, "keys"},
		{[]string{"Root"}, "", "x", "", ""},
		{[]string{`Root\InventoryApplicationFile`}, "", "x", `HKEY_LOCAL_MACHINE\AMCACHE`, "keys"},
		{nil, "", "-", "", ""},
	} {
		root := &hivetest.Key{Name: "ROOT"}
		for _, name := range test.keys {
			name, below, more := strings.Cut(name, `\`)
			key := &hivetest.Key{Name: name}
			if more {
				key.Keys = []*hivetest.Key{{Name: below}}
			}
			root.Keys = append(root.Keys, key)
		}
		f, err := hive.Read(test.source, hivetest.Build(root, hivetest.Options{Name: test.header}))
		if err != nil {
			t.Fatal(err)
		}
		at, by := f.Mount()
		if at.String() != test.at || by != test.by {
			t.Errorf("%q, header %q, file %q: %s by %s, want %s by %s", test.keys, test.header, test.source, at, by, test.at, test.by)
		}
		if test.at == "" && at != nil {
			t.Errorf("%q: an empty path, want nil", test.keys)
		}
	}
}

// TestMountOfDamaged checks that a driver database does not make DRIVERS of a hive that may have lost the keys of SYSTEM.
func TestMountOfDamaged(t *testing.T) {
	root := &hivetest.Key{Name: "ROOT", Keys: []*hivetest.Key{{Name: "DriverDatabase"}, {Name: "Select"}}}
	for name, want := range map[string]string{"SYSTEM": `HKEY_LOCAL_MACHINE\SYSTEM by file name`, "-": " by "} {
		b, at := hivetest.BuildLayout(root, hivetest.Options{})
		f, err := hive.Read(name, hivetest.Free(b, at.Key("Select").Node))
		if err != nil {
			t.Fatal(err)
		}
		if at, by := f.Mount(); at.String()+" by "+by != want {
			t.Errorf("%s: %s by %s, want %s", name, at, by, want)
		}
	}
}
