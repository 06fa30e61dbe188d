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
	systemPath = hive.ParsePath(`HKLM\SYSTEM`)
	userPath   = hive.ParsePath("HKCU")
)

// Joined holds the inputs that are read as one registry: the hives of a machine, or a single input.
type Joined []*Opened

// Open opens the files of a group and returns those that can be read, joined into registries. Usually that is one registry. A hive is apart
// if its content shows that it is another hive than its name says, and the machine already has that one; if hives contradict each other, all
// are. Copies of a file that are equal follow the hives that they are joined with; one that differs is apart. What could not be read is listed as by
// [File.Open].
func (g Group) Open(fsys fs.FS, o Options) (all []Joined, refused []hive.Problem) {
	var machine Joined
	first := map[string]*Opened{} // of the copies of a file, by its path
	copies := map[*Opened]Joined{}
	o.SHA256 = o.SHA256 || slices.ContainsFunc(g.Files, func(f File) bool { return f.CopyOf != "" })
	room := o.Memory
	for _, f := range g.Files {
		size := f.size(fsys, o)
		if o.Memory > 0 && len(machine) > 0 && size > room {
			f.Err = fmt.Errorf("%d bytes are to be read for it, and for the hives of a machine at most %d together; read it by itself", size, o.Memory)
		}
		in, more := f.Open(fsys, o)
		refused = append(refused, more...)
		if in == nil {
			continue
		}
		if one := first[f.CopyOf]; one != nil && in.equals(one) {
			in.isCopy(one)
			copies[one] = append(copies[one], in)
			continue
		} else if one != nil {
			in.differs(one)
		}
		room -= max(size, 0)
		if g.Machine != "" && hive.KnownName(f.Path) == "DEFAULT" && in.Mount.Equal(userPath) {
			// It has the keys of a user's hive. Only its name shows that it belongs to no user.
			in.Mount, in.MountBy = hive.ParsePath(`HKU\.DEFAULT`), "keys and file name"
		}
		isThere := slices.ContainsFunc(machine, func(other *Opened) bool { return other.Mount.Equal(in.Mount) && other.User == in.User })
		if g.Machine != "" && in.NotJoined == "" && !isThere {
			machine = append(machine, in)
		} else {
			all = append(all, Joined{in})
		}
		if name := cmp.Or(f.CopyOf, f.Path); first[name] == nil {
			first[name] = in
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
	for i, j := range all {
		all[i] = j.with(copies)
	}
	return all, refused
}

// contradict reports whether two hives cannot be of one Windows. If so, both tell it as a problem.
func (j Joined) contradict() bool {
	system, software := j.at(`HKLM\SYSTEM`), j.at(`HKLM\SOFTWARE`)
	sam, security := j.at(`HKLM\SAM`), j.at(`HKLM\SECURITY`)
	var whole hive.Windows
	if system != nil {
		whole = system.Registry.Windows()
	}
	found := false
	if system != nil && software != nil {
		if why := whole.Contradiction(software.Registry.Windows()); why != "" {
			found = true
			contradict(system, software, why)
		}
	}
	// On a domain controller, SECURITY has the SID and the name of the domain, and SAM and SYSTEM have those of the computer.
	if security == nil || !whole.IsNoController() {
		return found
	}
	if sam != nil {
		one, other := sam.Registry.SIDInSAM(), security.Registry.SIDInSecurity()
		if one != "" && other != "" && one != other {
			found = true
			contradict(sam, security, fmt.Sprintf(`the SID of the computer is %s in SAM\Domains\Account, and %s in Policy\PolAcDmS`, one, other))
		}
	}
	names, name := system.Registry.Names(), security.Registry.NameInSecurity()
	if name != "" && len(names) > 0 && !slices.ContainsFunc(names, func(computer string) bool { return hive.IsNetBIOSName(name, computer) }) {
		found = true
		contradict(system, security, fmt.Sprintf(`the computer is called %s, and by Policy\PolAcDmN it is %s`, hive.Printable(names[0]), hive.Printable(name)))
	}
	return found
}

// at returns the input that is mounted at a path, or nil.
func (j Joined) at(path string) *Opened {
	at := hive.ParsePath(path)
	if i := slices.IndexFunc(j, func(in *Opened) bool { return in.Mount.Equal(at) }); i >= 0 {
		return j[i]
	}
	return nil
}

// contradict notes with two inputs that they contradict each other.
func contradict(one, other *Opened, why string) {
	tell := func(in, other *Opened) {
		in.told = append(in.told, hive.Problem{Source: in.Name(), Kind: hive.Contradictory, Msg: fmt.Sprintf(
			"contradicts %s, so that the two are of different machines or states, and the hives of this folder are judged each by itself: %s", baseName(other.Path), why)})
	}
	tell(one, other)
	tell(other, one)
}

// Size returns how many bytes are read to open the files of a group, and -1 where that is not known before they are read.
func (g Group) Size(fsys fs.FS, o Options) (total int64) {
	for _, f := range g.Files {
		size := f.size(fsys, o)
		if size < 0 {
			return -1
		}
		total += size
	}
	return total
}

func (f File) size(fsys fs.FS, o Options) (total int64) {
	logs := o.Logs
	if len(logs) == 0 && len(f.Logs) > 0 { // a clean hive does not need those beside it
		if head, err := start(fsys, f.Path); err == nil && hive.IsDirty(head) {
			logs = f.Logs
		}
	}
	if o.NoLogs {
		logs = nil
	}
	for _, name := range append([]string{f.Path}, logs...) {
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil: // opening it reports the error
		case !info.Mode().IsRegular():
			return -1
		default:
			total += info.Size()
		}
	}
	return total
}

// serviceSIDs are the SIDs of the users as which Windows runs its services, which are the same on every computer, by the folded names of the
// folders of their profiles: https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers.
var serviceSIDs = map[string]string{hive.Fold("LocalService"): "S-1-5-19", hive.Fold("NetworkService"): "S-1-5-20"}

// join gives hives of one machine one registry, with the users below HKEY_USERS: under their SIDs where the SOFTWARE hive tells
// them, else under the names of the folders of their profiles.
func (j Joined) join(machine string) {
	profiles := hive.NewRegistry()
	for _, in := range j {
		if in.User == "" {
			profiles.Mount(in.Mount, in.Root)
		}
	}
	sids := profiles.Profiles()
	reg := hive.NewRegistry()
	for _, in := range j {
		if in.User != "" && in.Mount.HasPrefix(userPath) {
			in.Mount = hive.ParsePath("HKU").Join(cmp.Or(sids[hive.Fold(in.User)], serviceSIDs[hive.Fold(in.User)], in.User)).Join(in.Mount[len(userPath):]...)
			in.MountBy += " and the folder of the profile"
		}
	}
	// UsrClass.dat is mounted below NTUSER.DAT, where Windows has a link to it.
	for _, in := range slices.SortedStableFunc(slices.Values(j), func(a, b *Opened) int { return cmp.Compare(len(a.Mount), len(b.Mount)) }) {
		reg.Mount(in.Mount, in.Root)
		// No file holds that link. Without UsrClass.dat nothing is known about its target.
		if software := in.Root.Key("Software"); in.User != "" && len(in.Mount) == 2 && software != nil && software.Key("Classes") == nil {
			reg.Mount(in.Mount.Join("Software", "Classes"), hive.NewImpliedKey("Classes"))
		}
	}
	j.Holder(systemPath).spokesman = true
	name := &Machine{Name: machine, Hives: len(j), Former: j[0].Former}
	for _, in := range j {
		in.Registry, in.Machine = reg, name
	}
}

// ChooseControlSet makes CurrentControlSet stand for the control set with this name, or for every set if the name is [hive.AllControlSets].
// If there is no such set, the error lists those that there are.
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
	all := reg.WithControlSet(hive.AllControlSets)
	for _, s := range all.ControlSets() {
		if all.Find(systemPath.Join(s.Name))[0].Key != nil { // without any set, CurrentControlSet is listed
			names = append(names, s.Name)
		}
	}
	return fmt.Errorf("%s: there is no %s; the input has %s", in.Name(), name, cmp.Or(strings.Join(names, ", "), "no control set"))
}

// Holder returns the input that holds a key or, if the key does not exist, would hold it. If there is none, it returns the first input.
func (j Joined) Holder(key hive.Path) *Opened {
	best := j[0]
	for _, in := range j {
		if key.HasPrefix(in.Mount) && (!key.HasPrefix(best.Mount) || len(in.Mount) > len(best.Mount)) {
			best = in
		}
	}
	return best
}

// Covers reports whether the inputs tell anything of a key: that it is there, that it is not, or that it was damaged.
func (j Joined) Covers(key hive.Path) bool {
	m := j[0].Registry.Find(key)[0]
	if m.Key != nil {
		return !m.Key.Implied() || len(m.Key.Values()) > 0 // a policy tells of values, and nothing else of their key
	}
	return m.Known != hive.NotCovered
}

// HoldsSystem reports whether the input is the one of its machine that holds the SYSTEM hive, or would hold it.
func (j Joined) HoldsSystem(in *Opened) bool { return in == j.Holder(systemPath) }

// machines groups hives by machine, each with its copies, and returns the group of each path. Two kinds of folders hold the hives of one machine: a
// whole system, with the hives of Windows in System32\config and those of its users beside the Windows folder; and a folder into which hives were
// copied side by side under their own names. A copy with another name is left out, because it may come from another machine.
func machines(found []File) map[string]*Group {
	markCopies(found)
	at := map[string]*Group{}
	groups := systems(found, at)
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
	addCopies(found, at)
	return at
}

// systems groups the hives of whole systems and of their users. It notes the group of each in at.
func systems(found []File, at map[string]*Group) (groups []*Group) {
	join := func(g *Group, f File) {
		g.Files = append(g.Files, f)
		at[f.Path] = g
	}
	// The machines by their Windows folder, and by the folder that holds both Windows and the profiles of the users.
	systems, beside := map[string]*Group{}, map[string]*Group{}
	taken := map[string]bool{} // the places of a machine that already have their hive
	for _, f := range found {
		windows, ok := windowsOf(f.Path)
		if !ok || f.isApart() {
			continue
		}
		place, _ := originOf(windows)
		g := systems[place]
		if g == nil {
			g = &Group{Machine: windows}
			systems[place] = g
			groups = append(groups, g)
			root, _ := originOf(path.Dir(windows))
			if _, second := beside[root]; second {
				beside[root] = nil // with two systems on one disk, nobody knows whose users these are
			} else {
				beside[root] = g
			}
		}
		if place += "\x00" + hive.KnownName(f.Path); !taken[place] {
			taken[place] = true
			join(g, f)
		}
	}
	for _, f := range found {
		root, in, user := userOf(f.Path)
		if in == nil || f.isApart() {
			continue
		}
		place, _ := originOf(root)
		g := beside[place]
		if in.ofServices {
			g = systems[place]
		}
		if g == nil {
			continue
		}
		if place := g.Machine + "\x00" + hive.Fold(user) + "\x00" + hive.KnownName(f.Path); !taken[place] {
			taken[place] = true
			f.User = user
			join(g, f)
		}
	}
	return groups
}

// windowsOf returns the Windows folder for one of its hives: "Windows" for "Windows/System32/config/SYSTEM".
func windowsOf(name string) (string, bool) {
	config := path.Dir(name)
	system32 := path.Dir(config)
	if !hive.EqualFold(path.Base(config), "config") || !hive.EqualFold(path.Base(system32), "System32") || ofUser(name) {
		return "", false
	}
	return path.Dir(system32), hive.KnownName(name) != ""
}

// ofUser reports whether a file has the name of one of the hives that each user has.
func ofUser(name string) bool {
	known := hive.KnownName(name)
	return known == "NTUSER.DAT" || known == "UsrClass.dat"
}

// profiles is a folder of the profiles of users.
type profiles struct {
	name       string
	classes    string // where in a profile UsrClass.dat is
	noUser     string // the profile in it that is no user's own
	why        string // what that is, for people
	ofServices bool   // it lies in the folder of Windows, and not beside it
}

const (
	template = "the template for new users, which is no user's own"
	// HKEY_USERS\S-1-5-18 is another name of HKEY_USERS\.DEFAULT. Source: Raymond Chen, "The .Default user is not the default user".
	localSystem = "of the folder of LocalSystem, for which Windows mounts DEFAULT instead"
)

var profileFolders = []profiles{
	{name: "Users", classes: "AppData/Local/Microsoft/Windows", noUser: "Default", why: template},
	{name: "Documents and Settings", classes: "Local Settings/Application Data/Microsoft/Windows", noUser: "Default User", why: template},
	{name: "ServiceProfiles", classes: "AppData/Local/Microsoft/Windows", ofServices: true},
	{name: "config", classes: "AppData/Local/Microsoft/Windows", noUser: "systemprofile", why: localSystem, ofServices: true},
}

// userOf returns for the hive of a user the folder that holds the folder of profiles, that folder, and the name of the profile. For all else
// the folder of profiles is nil.
func userOf(name string) (root string, in *profiles, user string) {
	if !ofUser(name) {
		return "", nil, ""
	}
	parts := strings.Split(path.Dir(name), "/")
	for n, p := range profileFolders {
		below := 1 // the profile itself
		if hive.KnownName(name) == "UsrClass.dat" {
			below += strings.Count(p.classes, "/") + 1
		}
		i := len(parts) - 1 - below
		if i < 0 || !hive.EqualFold(parts[i], p.name) || below > 1 && !hive.EqualFold(strings.Join(parts[i+2:], "/"), p.classes) {
			continue
		}
		return path.Join(append([]string{"."}, parts[:i]...)...), &profileFolders[n], parts[i+1]
	}
	return "", nil, ""
}

// sideBySide groups the hives that belong to no machine yet by their folder. It leaves out a folder with two hives of one name.
func sideBySide(found []File, at map[string]*Group) []*Group {
	var folders []*Group
	byName := map[string]*Group{}
	twice := map[string]bool{}
	names := map[string]bool{}
	for _, f := range found {
		known := hive.KnownName(f.Path)
		if known == "" || at[f.Path] != nil || f.isApart() {
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
