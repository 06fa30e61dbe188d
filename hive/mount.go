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

// application is a hive that programs load for themselves, at no fixed path. It has one here all the same, so that its keys can be asked for:
// a root of its own below HKEY_LOCAL_MACHINE, called after its file.
type application struct {
	file string
	root string
	what string     // for people
	keys [][]string // paths below the root of which such a hive has one at least, and no other hive has any
}

// Sources: Microsoft, "RegLoadAppKey function" and "Prepare to package a desktop application"; github.com/libyal/winreg-kb.
var applications = []application{
	{"Amcache.hve", "AMCACHE", "the inventory of programs and drivers (Amcache)", [][]string{{"Root", "InventoryApplicationFile"}, {"Root", "File"}}},
	{"Syscache.hve", "SYSCACHE", "the cache of the hashes of programs (Syscache)", [][]string{{"DefaultObjectStore", "ObjectTable"}}},
	{"BBI", "BBI", "the state of the brokers of apps (BBI)", nil},
	{"settings.dat", "SETTINGS", "the settings of an app", nil},
	{"ActivationStore.dat", "ACTIVATIONSTORE", "the classes of an app", nil},
	{"Registry.dat", "REGISTRY", "the registry of an app package", nil},
	{"User.dat", "USER", "the registry of an app package", nil},
	{"UserClasses.dat", "USERCLASSES", "the registry of an app package", nil},
	{"userdiff", "USERDIFF", "what Setup changes in profiles (userdiff)", nil},
	{"VSMIDK", "VSMIDK", "the keys of virtual secure mode (VSMIDK)", nil},
}

func (a application) mount() Path { return Path{"HKEY_LOCAL_MACHINE", a.root} }

// Application returns for people which hive it is whose root is at a path, if Windows mounts it at no fixed path, and "" for any other.
func Application(at Path) (what string) {
	for _, a := range applications {
		if at.Equal(a.mount()) {
			return a.what
		}
	}
	return ""
}

// Mount returns where Windows mounts the hive, and what says so: its keys, else the name in its header, else its file name. The path is
// nil if none of them does. A hive that programs load for themselves has a path of its own, see [Application].
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
	for _, a := range applications {
		if slices.ContainsFunc(a.keys, func(path []string) bool { return f.has(path) }) {
			return a.mount(), "keys"
		}
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

// has reports whether the hive has a key at a path from its root.
func (f *File) has(path []string) bool {
	k := f.root
	for _, name := range path {
		if k = k.Key(name); k == nil {
			return false
		}
	}
	return true
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

// mountOf returns the root of a file of that name, or nil. The name may be a path with slashes or backslashes.
func mountOf(name string) Path {
	known := KnownName(name)
	for _, h := range knownHives {
		if known == h.file {
			return h.mount
		}
	}
	name = name[strings.LastIndexAny(name, `\/`)+1:]
	for _, a := range applications {
		if EqualFold(name, a.file) {
			return a.mount()
		}
	}
	return nil
}
