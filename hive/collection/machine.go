package collection

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"regvet/hive"
)

var (
	systemPath   = hive.ParsePath(`HKLM\SYSTEM`)
	softwarePath = hive.ParsePath(`HKLM\SOFTWARE`)
	userPath     = hive.ParsePath("HKCU")
)

// Joined are inputs that are judged together, as one registry: the hives of a machine, or one input by itself.
type Joined []*Opened

// Open opens the files of a group. It returns what is to be judged together: usually all of it, and nothing when nothing could be read. A
// hive whose content says that it is another one than its name says, of which the machine has one already, is by itself, and so are all if
// they contradict each other. What could not be read is listed as by [Open].
func (g Group) Open(fsys fs.FS, o Options) (all []Joined, refused []hive.Problem) {
	var machine Joined
	room := o.Memory
	for _, f := range g.Files {
		if size := f.size(fsys); o.Memory > 0 && len(machine) > 0 && size > room {
			f.Err = fmt.Errorf("has %d bytes, and the hives of a machine may have %d together; read it by itself", size, o.Memory)
		} else {
			room -= size
		}
		in, more := f.Open(fsys, o)
		refused = append(refused, more...)
		if in == nil {
			continue
		}
		if g.Machine != "" && hive.KnownName(f.Path) == "DEFAULT" && in.Mount.Equal(userPath) {
			// It has the keys of a user's hive, and only its name says that it belongs to no user.
			in.Mount, in.MountBy = hive.ParsePath(`HKU\.DEFAULT`), "keys and file name"
		}
		if g.Machine != "" && !slices.ContainsFunc(machine, func(other *Opened) bool { return other.Mount.Equal(in.Mount) && other.user == in.user }) {
			machine = append(machine, in)
		} else {
			all = append(all, Joined{in})
		}
	}
	switch {
	case len(machine) == 0:
	case machine.contradict():
		for i, in := range machine {
			all = slices.Insert(all, i, Joined{in})
		}
	default:
		machine.join(g.Machine)
		all = slices.Insert(all, 0, machine)
	}
	return all, refused
}

// contradict reports whether the SYSTEM and SOFTWARE hives cannot be of one Windows. If so, both tell it as a problem.
func (j Joined) contradict() bool {
	system := slices.IndexFunc(j, func(in *Opened) bool { return in.Mount.Equal(systemPath) })
	software := slices.IndexFunc(j, func(in *Opened) bool { return in.Mount.Equal(softwarePath) })
	if system < 0 || software < 0 {
		return false
	}
	one, other := j[system], j[software]
	why := one.Registry.Windows().Contradiction(other.Registry.Windows())
	if why == "" {
		return false
	}
	tell := func(in, other *Opened) {
		in.told = append(in.told, hive.Problem{Source: in.Name(), Kind: hive.Contradictory, Msg: fmt.Sprintf(
			"contradicts %s, so that the two are of different machines or states, and the hives of this folder are judged each by itself: %s", baseName(other.Path), why)})
	}
	tell(one, other)
	tell(other, one)
	return true
}

// Size returns how many bytes the files of a group have together with their logs, and -1 where that is not known before they are read.
func (g Group) Size(fsys fs.FS) (total int64) {
	for _, f := range g.Files {
		size := f.size(fsys)
		if size < 0 {
			return -1
		}
		total += size
	}
	return total
}

func (f File) size(fsys fs.FS) (total int64) {
	for _, name := range append([]string{f.Path}, f.Logs...) {
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil: // opening it will tell
		case !info.Mode().IsRegular():
			return -1
		default:
			total += info.Size()
		}
	}
	return total
}

// join gives hives of one machine one registry, with the users below HKEY_USERS: under their SIDs where the SOFTWARE hive tells
// them, else under the names of the folders of their profiles.
func (j Joined) join(machine string) {
	profiles := hive.NewRegistry()
	for _, in := range j {
		if in.user == "" {
			profiles.Mount(in.Mount, in.Root)
		}
	}
	sids := profiles.Profiles()
	reg := hive.NewRegistry()
	for _, in := range j {
		if in.user != "" && in.Mount.HasPrefix(userPath) {
			in.Mount = hive.ParsePath("HKU").Join(cmp.Or(sids[hive.Fold(in.user)], in.user)).Join(in.Mount[len(userPath):]...)
			in.MountBy += " and the folder of the profile"
		}
	}
	// UsrClass.dat goes below NTUSER.DAT, where Windows has a link to it.
	for _, in := range slices.SortedStableFunc(slices.Values(j), func(a, b *Opened) int { return cmp.Compare(len(a.Mount), len(b.Mount)) }) {
		reg.Mount(in.Mount, in.Root)
		// Without UsrClass.dat nothing is known of what is behind that link, which no file holds.
		if software := in.Root.Key("Software"); in.user != "" && len(in.Mount) == 2 && software != nil && software.Key("Classes") == nil {
			reg.Mount(in.Mount.Join("Software", "Classes"), hive.NewImpliedKey("Classes"))
		}
	}
	j.Holder(systemPath).spokesman = true
	name := &Machine{Name: machine, Hives: len(j)}
	for _, in := range j {
		in.Registry, in.Machine = reg, name
	}
}

// ChooseControlSet makes CurrentControlSet the set of that name, or each set for [hive.AllControlSets]. The error says which sets there are
// when there is no such set.
func (j Joined) ChooseControlSet(name string) error {
	reg := j[0].Registry.WithControlSet(name)
	for _, in := range j {
		in.Registry = reg
	}
	if name == hive.AllControlSets {
		return nil
	}
	in := j.Holder(systemPath)
	if m := reg.Find(systemPath.Join(name))[0]; m.Key != nil || m.Known != hive.Whole {
		return nil
	}
	var names []string
	for _, s := range reg.WithControlSet(hive.AllControlSets).ControlSets() {
		names = append(names, s.Name)
	}
	return fmt.Errorf("%s: there is no %s; there is %s", in.Name(), name, strings.Join(names, ", "))
}

// Holder returns the input that holds a key, or would hold it; the first one when none does.
func (j Joined) Holder(key hive.Path) *Opened {
	best := j[0]
	for _, in := range j {
		if key.HasPrefix(in.Mount) && (!key.HasPrefix(best.Mount) || len(in.Mount) > len(best.Mount)) {
			best = in
		}
	}
	return best
}

// HoldsSystem reports whether the input is the one of its machine that holds the SYSTEM hive, or would hold it.
func (j Joined) HoldsSystem(in *Opened) bool { return in == j.Holder(systemPath) }

// machines tells which hives belong together, by the paths of the files. Two kinds of folders hold the hives of one machine: a whole
// system, with the hives of Windows in System32\config and those of its users beside that; and one into which hives were copied side
// by side under the names that they have in Windows. A copy of another name stands by itself, because it may be of another machine.
func machines(found []File) map[string]*Group {
	at := map[string]*Group{}
	var groups []*Group
	join := func(g *Group, f File) {
		g.Files = append(g.Files, f)
		at[f.Path] = g
	}
	// The hives of Windows, and which of the systems lies in a folder beside the users.
	systems, beside := map[string]*Group{}, map[string]*Group{}
	taken := map[string]bool{} // the places of a machine that have their hive
	for _, f := range found {
		windows, ok := windowsOf(f.Path)
		if !ok {
			continue
		}
		g := systems[windows]
		if g == nil {
			g = &Group{Machine: windows}
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
func sideBySide(found []File, at map[string]*Group) []*Group {
	var folders []*Group
	byName := map[string]*Group{}
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
			g = &Group{Machine: folder}
			byName[folder] = g
			folders = append(folders, g)
		}
		place := folder + "\x00" + known
		twice[folder] = twice[folder] || names[place]
		names[place] = true
		g.Files = append(g.Files, f)
	}
	var groups []*Group
	for _, g := range folders {
		if !twice[g.Machine] {
			groups = append(groups, g)
		}
	}
	return groups
}
