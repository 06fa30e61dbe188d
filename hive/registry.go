package hive

import (
	"fmt"
	"slices"
	"sync"
)

// Registry is the namespace of one machine: trees mounted where Windows mounts them. It alone knows the paths that no file holds:
// CurrentControlSet, HKEY_CURRENT_USER and HKEY_CLASSES_ROOT. It must not change once it is in use.
type Registry struct {
	root       *Key
	systemHive bool   // the tree at systemPath came from a hive, so a key CurrentControlSet in it means nothing
	controlSet string // the chosen set; "" for the current one, AllControlSets for all
	written    []writtenHive
	sets       *controlSets
}

// controlSets are the names of the control sets of a registry. They are found on first use, because each look-up may need them, and they can
// be among a million other keys. A registry whose tree changes gets another.
type controlSets struct {
	once  sync.Once
	names []string
}

// writtenHive is the time when a hive was last written, and the path at which it is mounted.
type writtenHive struct {
	at   Path
	time Filetime
}

var (
	systemPath  = Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}
	usersPath   = Path{"HKEY_USERS"}
	userPath    = Path{"HKEY_CURRENT_USER"}
	rootPath    = Path{"HKEY_CLASSES_ROOT"}
	classesPath = Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Classes"}
)

const currentControlSet = "CurrentControlSet"

// NewRegistry returns an empty registry, of which nothing is known.
func NewRegistry() *Registry { return &Registry{root: NewImpliedKey(""), sets: new(controlSets)} }

// Mount adds a tree at a path: the root of a hive where Windows mounts it or, at the empty path, a tree whose first level holds the roots
// of the registry, such as that of a .reg file. It must be called before the registry is used.
func (r *Registry) Mount(at Path, tree *Key) {
	r.sets = new(controlSets)
	if len(at) == 0 {
		for _, k := range tree.Keys() {
			r.root = graft(r.root, Path{k.name}, k)
		}
		return
	}
	r.root = graft(r.root, at, tree.rename(at[len(at)-1]))
	r.systemHive = r.systemHive || at.Equal(systemPath)
	if f := tree.file; f != nil && f.base.Checksum == f.base.Computed && f.base.Modified.IsSet() {
		r.SetWritten(at, f.base.Modified)
	}
}

// SetWritten sets when the hive at a path was last written, for a tree that is not from a hive. It must be called before the registry is used.
func (r *Registry) SetWritten(at Path, t Filetime) { r.written = append(r.written, writtenHive{at, t}) }

// Written returns when the hive that holds a place of the input was last written, according to its base block. Up to Windows 7 no key is
// newer. Windows 8.1 changed how hives are written, and since then this time may be years older than the keys. It is not ok if the place
// is in no hive, or if the base block cannot be trusted.
func (r *Registry) Written(real Path) (t Filetime, ok bool) {
	depth := -1
	for _, h := range r.written {
		if real.HasPrefix(h.at) && len(h.at) > depth {
			t, ok, depth = h.time, true, len(h.at)
		}
	}
	return t, ok
}

// graft returns a copy of root with tree at path. Missing keys in between become implied keys.
func graft(root *Key, path Path, tree *Key) *Key {
	c := root.clone()
	child := c.Key(path[0])
	if len(path) == 1 {
		child = tree
	} else {
		if child == nil {
			child = NewImpliedKey(path[0])
		}
		child = graft(child, path[1:], tree)
	}
	keys := slices.DeleteFunc(slices.Clone(c.keys), func(k *Key) bool { return EqualFold(k.name, path[0]) })
	c = c.clone()
	c.keys = append(keys, child)
	return c
}

// Root returns the tree of everything mounted; its first level holds the roots by their full names.
func (r *Registry) Root() *Key { return r.root }

// AllControlSets, given to [Registry.WithControlSet], makes CurrentControlSet lead to every control set.
const AllControlSets = "all"

// WithControlSet returns the same registry with CurrentControlSet leading to the set of that name ("ControlSet002"), to all sets
// ([AllControlSets]), or again to the current one ("").
func (r *Registry) WithControlSet(name string) *Registry {
	c := *r
	c.controlSet = name
	return &c
}

// EachControlSet reports whether CurrentControlSet leads to every control set, see [AllControlSets].
func (r *Registry) EachControlSet() bool { return r.controlSet == AllControlSets }

// Apply returns the registry that results from the edits, whose paths may be those of a running system.
func (r *Registry) Apply(edits ...Edit) *Registry {
	c := *r
	c.root, c.sets = Apply(r.root, r.Real(edits...)...), new(controlSets)
	return &c
}

// Real returns the same edits at their paths in the mounted trees. An edit of a key behind a symbolic link with an unknown target has no
// such path, and is left out.
func (r *Registry) Real(edits ...Edit) []Edit {
	var out []Edit
	for _, e := range edits {
		for _, place := range r.resolve(e.Path) {
			if place.broken == nil {
				e.Path = place.path
				out = append(out, e)
			}
		}
	}
	return out
}

// Match is a place that a path leads to.
type Match struct {
	Live Path // its path on a running system: the path that was asked for, unless that leads to another place there
	Real Path // its path in the input, spelled as there as far as it exists
	Key  *Key // nil if there is none

	// If Key is nil: Whole means that the key does not exist; any other value means that this is unknown.
	Known   Known
	Problem *Problem // the damage, if Known is Damaged
	Guessed bool     // it is unknown which control set is the current one
	Link    Path     // path in the input of the last symbolic link on the way, or nil
}

// Find follows a path, ignoring case. It returns one match for each place that the path leads to, in the order of the mounted trees: usually
// one, but several for HKEY_CURRENT_USER if there are several users, or if all control sets are asked for.
func (r *Registry) Find(path Path) []Match {
	var all []Match
	for _, place := range r.resolve(path) {
		m := Match{Live: place.live, Real: slices.Clone(place.path), Key: r.root, Guessed: place.guessed, Link: place.link}
		if place.broken != nil {
			m.Key = nil
			m.Known, m.Problem = place.broken.linkKnown()
			all = append(all, m)
			continue
		}
		for i, name := range place.path {
			child := m.Key.Key(name)
			if child == nil {
				m.Known = m.Key.KeyKnown(name)
				if m.Known == Damaged {
					m.Problem = m.Key.FirstLoss()
				}
				m.Key = nil
				break
			}
			m.Key, m.Real[i] = child, child.name
		}
		all = append(all, m)
	}
	return all
}

// lookup returns the key at a path of real keys, or nil.
func (r *Registry) lookup(path ...string) *Key {
	k := r.root
	for _, name := range path {
		if k = k.Key(name); k == nil {
			return nil
		}
	}
	return k
}

type place struct {
	path    Path
	live    Path
	guessed bool
	link    Path // see Match
	broken  *Key // the symbolic link at which the path ends, or nil: its target is unknown or too far away, or links lead in circles
}

// maxLinks is the number of symbolic links that Windows follows in a path.
const maxLinks = 64

// follow replaces the symbolic links in the path of a place.
func (r *Registry) follow(p place) place {
	for links := 0; ; links++ {
		link, n := r.firstLink(p.path)
		if link == nil {
			return p
		}
		p.link = p.path[:n:n]
		target, _ := link.Link()
		if target == nil || links == maxLinks || len(target)+len(p.path)-n > maxPath {
			p.broken = link
			return p
		}
		// A link can lead through an alias. If that is a guess, the first place is followed.
		to := r.aliases(target.Join(p.path[n:]...))[0]
		p.path, p.guessed = to.path, p.guessed || to.guessed
	}
}

// firstLink returns the first symbolic link in a path of real keys, or nil, and the number of names that lead to it.
func (r *Registry) firstLink(path Path) (link *Key, n int) {
	k := r.root
	for i, name := range path {
		if k = k.Key(name); k == nil {
			return nil, 0
		}
		if _, ok := k.Link(); ok {
			return k, i + 1
		}
	}
	return nil, 0
}

// resolve replaces the aliases at the start of a path, and the symbolic links in it. The live path keeps an alias only if it leads to the
// same place on the running system: to the current control set, but not to all sets or a chosen one, or to the user who happens to be
// logged on.
func (r *Registry) resolve(path Path) []place {
	places := r.aliases(path)
	for i, p := range places {
		places[i] = r.follow(p)
	}
	return places
}

func (r *Registry) aliases(path Path) []place {
	if len(path) == 0 {
		return []place{{path: path, live: path}}
	}
	if long, _ := LongRoot(path[0]); long != path[0] {
		path = Path{long}.Join(path[1:]...)
	}
	var places []place
	switch {
	case path.HasPrefix(systemPath) && len(path) > 2 && EqualFold(path[2], currentControlSet):
		for _, set := range r.ControlSets() {
			p := place{path: systemPath.Join(set.Name).Join(path[3:]...), guessed: set.Guessed}
			p.live = p.path
			if r.controlSet == "" {
				p.live = path
			}
			places = append(places, p)
		}
	case path.HasPrefix(userPath) && r.lookup(userPath...) == nil:
		if users := r.lookup(usersPath...); users != nil {
			for _, user := range users.Keys() {
				if n := len(user.name) - len(classesSuffix); n < 0 || !EqualFold(user.name[n:], classesSuffix) {
					p := usersPath.Join(user.name).Join(path[1:]...)
					places = append(places, place{path: p, live: p})
				}
			}
		}
	case path.HasPrefix(rootPath) && r.lookup(rootPath...) == nil && r.lookup(classesPath...) != nil:
		places = []place{{path: classesPath.Join(path[1:]...), live: path}}
	}
	if len(places) == 0 {
		return []place{{path: path, live: path}}
	}
	return places
}

// classesSuffix ends the names of the keys below HKEY_USERS that hold the file associations of users.
const classesSuffix = "_Classes"

// ControlSet is a set of services and settings that Windows can start with.
type ControlSet struct {
	Name    string // name of its key, such as ControlSet001
	Source  string // why CurrentControlSet leads to it, such as Select\Current
	Guessed bool   // it is unknown which set is the current one
}

// ControlSets returns the sets that CurrentControlSet leads to. Windows makes that key when it starts, from Select\Current; no hive
// holds it. If Current does not name an existing set, Default and LastKnownGood are tried, then the set if there is only one, and else all
// sets, as a guess. Where damage hides what one of these says, or the set that it names, all sets are a guess, with the one that is named. A
// .reg file that was exported from a running system holds CurrentControlSet itself.
func (r *Registry) ControlSets() []ControlSet {
	system := r.lookup(systemPath...)
	if system == nil {
		return []ControlSet{{Name: currentControlSet}}
	}
	r.sets.once.Do(func() {
		for _, k := range system.Keys() {
			if isControlSet(k.name) {
				r.sets.names = append(r.sets.names, k.name)
			}
		}
	})
	var sets []ControlSet
	for _, name := range r.sets.names {
		sets = append(sets, ControlSet{Name: name})
	}
	switch r.controlSet {
	case "":
	case AllControlSets:
		if len(sets) > 0 {
			return sets
		}
	default:
		return []ControlSet{{Name: r.controlSet, Source: "chosen"}}
	}
	if !r.systemHive && system.Key(currentControlSet) != nil {
		return []ControlSet{{Name: currentControlSet, Source: "exported as such"}}
	}
	why := "Select does not tell the current control set"
	for _, name := range []string{"Current", "Default", "LastKnownGood"} {
		n, known := r.selected(name)
		if known == Damaged {
			why = `Select\` + name + " is damaged"
		}
		if known != Whole {
			break
		}
		if n == 0 {
			continue
		}
		want := fmt.Sprintf("ControlSet%03d", n)
		i := slices.IndexFunc(sets, func(s ControlSet) bool { return EqualFold(s.Name, want) })
		switch {
		case i >= 0 && system.Key(want).Hidden() != nil:
			named := sets[i]
			return guessed(slices.Insert(slices.Delete(sets, i, i+1), 0, named), fmt.Sprintf(`Select\%s names %s, which Windows may not find by its name`, name, want))
		case i >= 0:
			return []ControlSet{{Name: sets[i].Name, Source: `Select\` + name}}
		case system.KeysKnown() != Whole:
			return guessed(slices.Insert(sets, 0, ControlSet{Name: want}), fmt.Sprintf(`Select\%s names %s, and not all sets could be read`, name, want))
		}
	}
	switch len(sets) {
	case 0:
		return []ControlSet{{Name: currentControlSet}}
	case 1:
		sets[0].Source = "the only control set there is"
		sets[0].Guessed = system.KeysKnown() != Whole
		return sets
	}
	return guessed(sets, why)
}

// guessed returns the control sets as a guess for that reason.
func guessed(sets []ControlSet, why string) []ControlSet {
	for i := range sets {
		sets[i].Source, sets[i].Guessed = why, true
	}
	return sets
}

// selected returns the number of a control set in the key Select, or 0 if there is none: they go from 1 to 999. It is known unless the
// input does not cover it, or damage hides the key, the value or its data.
func (r *Registry) selected(name string) (n uint64, known Known) {
	system := r.lookup(systemPath...)
	k := system.Key("Select")
	if k == nil {
		return 0, system.KeysKnown()
	}
	v, ok := k.Value(name)
	if !ok {
		return 0, k.ValuesKnown()
	}
	if v.Short || k.Hidden() != nil {
		return 0, Damaged
	}
	if n, err := v.Uint64(); err == nil && n <= 999 {
		return n, Whole
	}
	return 0, Whole
}

// ControlSetOf returns the name of the control set that holds a key, or "".
func ControlSetOf(p Path) string {
	if len(p) > len(systemPath) && p.HasPrefix(systemPath) && isControlSet(p[len(systemPath)]) {
		return p[len(systemPath)]
	}
	return ""
}

// isControlSet reports whether a key below SYSTEM is a control set: ControlSet and three digits.
func isControlSet(name string) bool {
	const prefix = "ControlSet"
	if len(name) != len(prefix)+3 || !EqualFold(name[:len(prefix)], prefix) {
		return false
	}
	for _, c := range name[len(prefix):] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// AnyName stands for any name in the paths that [Ways] returns.
const AnyName = "*"

// Ways returns the paths at which a file may hold what [Registry.Find] finds at a path, the path itself first: in which control set
// CurrentControlSet is, or with which user HKEY_CURRENT_USER, only the whole registry tells.
func Ways(path Path) []Path {
	ways := []Path{path}
	switch {
	case path.HasPrefix(systemPath) && len(path) > 2:
		ways = append(ways, systemPath.Join(AnyName).Join(path[3:]...))
	case path.HasPrefix(userPath):
		ways = append(ways, usersPath.Join(AnyName).Join(path[1:]...))
	case path.HasPrefix(rootPath):
		ways = append(ways, classesPath.Join(path[1:]...))
	}
	return ways
}
