package hive

import (
	"fmt"
	"slices"
)

// Registry is the namespace of one machine: trees mounted where Windows mounts them. It alone knows the paths that no file holds:
// CurrentControlSet, HKEY_CURRENT_USER and HKEY_CLASSES_ROOT. It is never changed once it is in use.
type Registry struct {
	root       *Key
	systemHive bool   // the tree at systemPath came from a hive, so a key CurrentControlSet in it means nothing
	controlSet string // the set that was chosen; "" for the current one, AllControlSets for each
	written    []writtenHive
}

// writtenHive is a hive of which it is known when it was last written, by the path at which it is mounted.
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

// NewRegistry gives a registry of which nothing is known.
func NewRegistry() *Registry { return &Registry{root: NewImpliedKey("")} }

// Mount puts a tree at a path: the root of a hive where Windows mounts it, or, at the empty path, a tree whose first level are
// the roots of the registry, as [NewImpliedKey] and a .reg file give it. It belongs to the making of a registry, before any use.
func (r *Registry) Mount(at Path, tree *Key) {
	if len(at) == 0 {
		for _, k := range tree.Keys() {
			r.root = graft(r.root, Path{k.name}, k)
		}
		return
	}
	r.root = graft(r.root, at, tree.rename(at[len(at)-1]))
	r.systemHive = r.systemHive || at.Equal(systemPath)
	if f := tree.file; f != nil && f.base.Checksum == f.base.Computed {
		r.SetWritten(at, f.base.Modified)
	}
}

// SetWritten tells when the hive at a path was last written, for a tree that came from none. It belongs to the making of a registry.
func (r *Registry) SetWritten(at Path, t Filetime) { r.written = append(r.written, writtenHive{at, t}) }

// Written gives when the hive in which a place of the input lies was last written, as its base block tells. It bounds the times of the
// keys up to Windows 7. Windows 8.1 changed how hives are written, and since then it may be years older than the keys. It is not ok where
// the place lies in no hive, or where the base block cannot be trusted.
func (r *Registry) Written(real Path) (t Filetime, ok bool) {
	depth := -1
	for _, h := range r.written {
		if real.HasPrefix(h.at) && len(h.at) > depth {
			t, ok, depth = h.time, true, len(h.at)
		}
	}
	return t, ok
}

// graft gives a copy of root with tree at path. Keys in between that were not there are implied.
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

// Root is the tree of everything mounted; below it are the roots by their full names.
func (r *Registry) Root() *Key { return r.root }

// AllControlSets, given to [Registry.WithControlSet], makes CurrentControlSet lead to every control set.
const AllControlSets = "all"

// WithControlSet gives the same registry in which CurrentControlSet leads to the set of that name ("ControlSet002"), to all of them
// ([AllControlSets]), or again to the current one ("").
func (r *Registry) WithControlSet(name string) *Registry {
	c := *r
	c.controlSet = name
	return &c
}

// EachControlSet tells that CurrentControlSet was made to lead to every control set, see [AllControlSets].
func (r *Registry) EachControlSet() bool { return r.controlSet == AllControlSets }

// Apply gives the registry that results from the edits, whose paths may be those of a running system.
func (r *Registry) Apply(edits ...Edit) *Registry {
	c := *r
	c.root = Apply(r.root, r.Real(edits...)...)
	return &c
}

// Real gives the same edits at the paths where the mounted trees have them. One of a key that lies behind a symbolic link of which it
// cannot be told where it leads has no such path, and is left out.
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
	Live Path // how the running system is asked for it: as it was asked for here, unless that would be another place there
	Real Path // where it is in the input, as spelled there as far as it exists
	Key  *Key // nil when there is none

	// Known tells what it means that Key is nil: Whole that the key does not exist, else that this cannot be said.
	Known   Known
	Problem *Problem // the damage, when Known is Damaged
	Guessed bool     // the input does not tell which control set is the current one
	Link    Path     // the last symbolic link on the way, where it lies in the input; nil when there is none
}

// Find follows a path, without regard to case. There is one match for each place that the path leads to, in the order of the
// mounted trees: usually one, several for HKEY_CURRENT_USER with several users, or where each control set is asked for.
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
				m.Known = m.Key.KeysKnown()
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

// lookup follows a path of real keys.
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
	broken  *Key // the symbolic link at which the way ends: its target cannot be told, or links go round in circles
}

// maxLinks is the number of symbolic links that Windows follows on the way to a key.
const maxLinks = 64

// follow replaces the symbolic links on the way to a place.
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
		// A link can lead through an alias. Where that is a guess, the first one is followed.
		to := r.aliases(target.Join(p.path[n:]...))[0]
		p.path, p.guessed = to.path, p.guessed || to.guessed
	}
}

// firstLink gives the first symbolic link on a path of real keys, and how many names lead to it; nil when there is none.
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

// resolve replaces the aliases at the start of a path, and symbolic links on its way. An alias stays in the live path only where it
// leads to one place on any system: to the current control set, not to each of them or a chosen one, nor to the user who happens to be
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

// classesSuffix ends the names of the keys below HKEY_USERS that hold the file associations of a user.
const classesSuffix = "_Classes"

// ControlSet is a set of the services and settings that Windows starts with.
type ControlSet struct {
	Name    string // of its key, for instance ControlSet001
	Source  string // how it is known that CurrentControlSet is this one, for instance Select\Current
	Guessed bool   // nothing tells which set is the current one
}

// ControlSets gives the sets that CurrentControlSet leads to. Windows makes that key when it starts, from Select\Current; no
// hive holds it. Where Current does not name a set that exists, Default and LastKnownGood are asked, then the only set there is
// counts, and else each of them, as a guess. A .reg file that was exported from a running system holds CurrentControlSet itself.
func (r *Registry) ControlSets() []ControlSet {
	system := r.lookup(systemPath...)
	if system == nil {
		return []ControlSet{{Name: currentControlSet}}
	}
	var sets []ControlSet
	for _, k := range system.Keys() {
		if isControlSet(k.name) {
			sets = append(sets, ControlSet{Name: k.name})
		}
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
	for _, name := range []string{"Current", "Default", "LastKnownGood"} {
		n, ok := r.selected(name)
		want := fmt.Sprintf("ControlSet%03d", n)
		i := slices.IndexFunc(sets, func(s ControlSet) bool { return EqualFold(s.Name, want) })
		if ok && i >= 0 {
			return []ControlSet{{Name: sets[i].Name, Source: `Select\` + name}}
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
	for i := range sets {
		sets[i].Source, sets[i].Guessed = "Select does not tell the current control set", true
	}
	return sets
}

// selected reads a number of a control set from the key Select; the sets are numbered from 1 to 999.
func (r *Registry) selected(name string) (uint64, bool) {
	k := r.lookup(systemPath.Join("Select")...)
	if k == nil {
		return 0, false
	}
	v, ok := k.Value(name)
	if !ok {
		return 0, false
	}
	n, err := v.Uint64()
	return n, err == nil && 1 <= n && n <= 999
}

// ControlSetOf names the control set in which a key lies; "" when it lies in none.
func ControlSetOf(p Path) string {
	if len(p) > len(systemPath) && p.HasPrefix(systemPath) && isControlSet(p[len(systemPath)]) {
		return p[len(systemPath)]
	}
	return ""
}

// isControlSet tells whether a key below SYSTEM is a control set: ControlSet and three digits.
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
