package collection

import (
	"path"
	"strings"

	"regvet/hive"
)

// machines tells which hives belong together, by the paths of the files. Two kinds of folders hold the hives of one machine: a whole
// system, with the hives of Windows in System32\config and those of its users beside that; and one into which hives were copied side
// by side under the names that they have in Windows. A copy of another name stands by itself, because it may be of another machine.
func machines(found []File) map[string]*Input {
	at := map[string]*Input{}
	var groups []*Input
	join := func(g *Input, f File) {
		g.Files = append(g.Files, f)
		at[f.Path] = g
	}
	// The hives of Windows, and which of the systems lies in a folder beside the users.
	systems, beside := map[string]*Input{}, map[string]*Input{}
	taken := map[string]bool{} // the places of a machine that have their hive
	for _, f := range found {
		windows, ok := windowsOf(f.Path)
		if !ok {
			continue
		}
		g := systems[windows]
		if g == nil {
			g = &Input{Machine: windows}
			systems[windows] = g
			groups = append(groups, g)
			root := hive.Fold(path.Dir(windows))
			if _, second := beside[root]; second {
				g = nil // of two systems on one disk, none is known to be that of the users
			}
			beside[root] = g
			g = systems[windows]
		}
		if place := windows + "\x00" + hive.KnownName(f.Path); !taken[place] {
			taken[place] = true
			join(g, f)
		}
	}
	for _, f := range found {
		root, user, ok := userOf(f.Path)
		g := beside[hive.Fold(root)]
		if !ok || g == nil {
			continue
		}
		if place := g.Machine + "\x00" + hive.Fold(user) + "\x00" + hive.KnownName(f.Path); !taken[place] {
			taken[place] = true
			f.User = user
			join(g, f)
		}
	}
	groups = append(groups, sideBySide(found, at)...)
	for _, g := range groups {
		for _, f := range g.Files {
			if len(g.Files) > 1 {
				at[f.Path] = g
			} else {
				delete(at, f.Path)
			}
		}
	}
	return at
}

// windowsOf gives the folder of Windows for one of its hives: "Windows" for "Windows/System32/config/SYSTEM".
func windowsOf(name string) (string, bool) {
	config := path.Dir(name)
	system32 := path.Dir(config)
	if !hive.EqualFold(path.Base(config), "config") || !hive.EqualFold(path.Base(system32), "System32") || ofUser(name) {
		return "", false
	}
	return path.Dir(system32), hive.KnownName(name) != ""
}

// ofUser tells whether a file has the name of one of the hives that each user has.
func ofUser(name string) bool {
	known := hive.KnownName(name)
	return known == "NTUSER.DAT" || known == "UsrClass.dat"
}

// profiles are the folders of all users beside that of Windows, and where in a profile UsrClass.dat is.
var profiles = []struct{ users, classes string }{
	{"Users", "AppData/Local/Microsoft/Windows"},
	{"Documents and Settings", "Local Settings/Application Data/Microsoft/Windows"},
}

// userOf gives the folder in which Windows lies too, and the name of the profile, for the hive of a user.
func userOf(name string) (root, user string, ok bool) {
	if !ofUser(name) {
		return "", "", false
	}
	parts := strings.Split(path.Dir(name), "/")
	for _, p := range profiles {
		below := 1 // the profile itself
		if hive.KnownName(name) == "UsrClass.dat" {
			below += strings.Count(p.classes, "/") + 1
		}
		i := len(parts) - 1 - below
		if i < 0 || !hive.EqualFold(parts[i], p.users) || below > 1 && !hive.EqualFold(strings.Join(parts[i+2:], "/"), p.classes) {
			continue
		}
		return path.Join(append([]string{"."}, parts[:i]...)...), parts[i+1], true
	}
	return "", "", false
}

// sideBySide finds the folders in which each of the hives that are not yet part of a machine has a name of its own.
func sideBySide(found []File, at map[string]*Input) []*Input {
	var folders []*Input
	byName := map[string]*Input{}
	twice := map[string]bool{}
	names := map[string]bool{}
	for _, f := range found {
		known := hive.KnownName(f.Path)
		if known == "" || at[f.Path] != nil {
			continue
		}
		folder := path.Dir(f.Path)
		g := byName[folder]
		if g == nil {
			g = &Input{Machine: folder}
			byName[folder] = g
			folders = append(folders, g)
		}
		place := folder + "\x00" + known
		twice[folder] = twice[folder] || names[place]
		names[place] = true
		g.Files = append(g.Files, f)
	}
	var groups []*Input
	for _, g := range folders {
		if !twice[g.Machine] {
			groups = append(groups, g)
		}
	}
	return groups
}
