package hive

import (
	"slices"
	"strings"
)

// knownHive is a hive that Windows loads at a fixed path.
type knownHive struct {
	file  string // name of the file in System32\Config or in a user's profile
	mount Path
	// keys that the root has in every such hive and, all of them together, in no other
	keys []string
}

// The hives that Windows mounts at a fixed path. Sources: Microsoft, "Registry Hives" (HKLM\SYSTEM\CurrentControlSet\Control\hivelist
// on a running system); the keys from the hives of Windows 7 to 10.
var knownHives = []knownHive{
	{"SYSTEM", Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, []string{"Select"}},
	{"SOFTWARE", Path{"HKEY_LOCAL_MACHINE", "SOFTWARE"}, []string{"Classes", "Microsoft"}},
	{"SAM", Path{"HKEY_LOCAL_MACHINE", "SAM"}, []string{"SAM"}},
	{"SECURITY", Path{"HKEY_LOCAL_MACHINE", "SECURITY"}, []string{"Policy"}},
	{"COMPONENTS", Path{"HKEY_LOCAL_MACHINE", "COMPONENTS"}, []string{"DerivedData"}},
	{"DRIVERS", Path{"HKEY_LOCAL_MACHINE", "DRIVERS"}, []string{"DriverDatabase"}},
	{"BCD", Path{"HKEY_LOCAL_MACHINE", "BCD00000000"}, []string{"Description", "Objects"}},
	{"NTUSER.DAT", Path{"HKEY_CURRENT_USER"}, []string{"Software", "Environment"}},
	{"NTUSER.DAT", Path{"HKEY_CURRENT_USER"}, []string{"Software", "Control Panel"}},
	{"UsrClass.dat", Path{"HKEY_CURRENT_USER", "Software", "Classes"}, []string{"Local Settings"}},
	{"DEFAULT", Path{"HKEY_USERS", ".DEFAULT"}, nil}, // the keys of a user's hive
	{"ELAM", Path{"HKEY_LOCAL_MACHINE", "ELAM"}, nil},
}

// Mount tells where Windows mounts the hive, and how that is known: by its keys, else by the name in its header, else by its
// file's name. The path is nil when none of them tells.
func (f *File) Mount() (at Path, by string) {
	byHeader := mountOf(f.Header.Name)
	for _, h := range knownHives {
		if h.keys == nil || slices.ContainsFunc(h.keys, func(name string) bool { return f.root.Key(name) == nil }) {
			continue
		}
		// The profile of no user has the same keys as those of the users; only its name tells.
		if h.file == "NTUSER.DAT" && byHeader.Equal(Path{"HKEY_USERS", ".DEFAULT"}) {
			return byHeader, "keys and name in its header"
		}
		return h.mount, "keys"
	}
	if slices.ContainsFunc(f.root.Keys(), func(k *Key) bool { return isControlSet(k.name) }) {
		return systemPath, "keys"
	}
	if byHeader != nil {
		return byHeader, "name in its header"
	}
	return mountOf(f.Source), "file name"
}

// KnownName gives the name under which Windows keeps a hive, SYSTEM or NTUSER.DAT say, for the name of a file, or a path of either kind,
// in any case; "" for a file that Windows does not mount at a fixed path.
func KnownName(file string) string {
	file = file[strings.LastIndexAny(file, `\/`)+1:]
	for _, h := range knownHives {
		if EqualFold(file, h.file) {
			return h.file
		}
	}
	return ""
}

// mountOf finds the hive of that file name; the name may be a path of either kind.
func mountOf(name string) Path {
	name = KnownName(name)
	for _, h := range knownHives {
		if name == h.file {
			return h.mount
		}
	}
	return nil
}
