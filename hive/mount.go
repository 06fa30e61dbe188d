package hive

import (
	"slices"
	"strings"
)

// knownHive is a hive that Windows loads at a fixed path.
type knownHive struct {
	file  string // file name in System32\Config or in a user's profile
	mount Path
	// keys below the root that every such hive has, and no other hive has all of
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
	{"DRIVERS", Path{"HKEY_LOCAL_MACHINE", "DRIVERS"}, nil}, // its one key is in SYSTEM, too
	{"BCD", Path{"HKEY_LOCAL_MACHINE", "BCD00000000"}, []string{"Description", "Objects"}},
	{"NTUSER.DAT", Path{"HKEY_CURRENT_USER"}, []string{"Software", "Environment"}},
	{"NTUSER.DAT", Path{"HKEY_CURRENT_USER"}, []string{"Software", "Control Panel"}},
	{"UsrClass.dat", Path{"HKEY_CURRENT_USER", "Software", "Classes"}, []string{"Local Settings"}},
	{"DEFAULT", Path{"HKEY_USERS", ".DEFAULT"}, nil}, // the keys of a user's hive
	{"ELAM", Path{"HKEY_LOCAL_MACHINE", "ELAM"}, nil},
}

// Mount returns where Windows mounts the hive, and what says so: its keys, else the name in its header, else its file name. The path is
// nil if none of them does.
func (f *File) Mount() (at Path, by string) {
	byHeader := mountOf(f.Header.Name)
	if slices.ContainsFunc(f.root.Keys(), func(k *Key) bool { return isControlSet(k.name) }) {
		return systemPath, "keys"
	}
	for _, h := range knownHives {
		if h.keys == nil || slices.ContainsFunc(h.keys, func(name string) bool { return f.root.Key(name) == nil }) {
			continue
		}
		// The default profile has the same keys as those of the users; only its name tells them apart.
		if h.file == "NTUSER.DAT" && byHeader.Equal(Path{"HKEY_USERS", ".DEFAULT"}) {
			return byHeader, "keys and name in its header"
		}
		return h.mount, "keys"
	}
	if byHeader != nil {
		return byHeader, "name in its header"
	}
	if byFile := mountOf(f.Source); byFile != nil {
		return byFile, "file name"
	}
	// A SYSTEM hive has this key, too. It is told by other keys, unless they are lost.
	if f.root.Key("DriverDatabase") != nil && f.root.KeysKnown() == Whole {
		return mountOf("DRIVERS"), "keys"
	}
	return nil, ""
}

// KnownName returns the name that Windows gives a hive file, such as SYSTEM or NTUSER.DAT, for a file name or a path with slashes or
// backslashes in any case. It returns "" for a file that Windows does not mount at a fixed path.
func KnownName(file string) string {
	file = file[strings.LastIndexAny(file, `\/`)+1:]
	for _, h := range knownHives {
		if EqualFold(file, h.file) {
			return h.file
		}
	}
	return ""
}

// mountOf returns where Windows mounts a file of that name, or nil. The name may be a path with slashes or backslashes.
func mountOf(name string) Path {
	name = KnownName(name)
	for _, h := range knownHives {
		if name == h.file {
			return h.mount
		}
	}
	return nil
}
