package hive

import (
	"slices"
	"strings"
)

// Path leads from the root of a tree to a key, with one name for each level. It is a list because a name in a damaged hive may hold a
// backslash. The empty Path is the root itself.
type Path []string

// The roots of the registry by their full and short names. Source: winreg.h.
var rootNames = []struct{ long, short string }{
	{"HKEY_LOCAL_MACHINE", "HKLM"},
	{"HKEY_USERS", "HKU"},
	{"HKEY_CURRENT_USER", "HKCU"},
	{"HKEY_CLASSES_ROOT", "HKCR"},
	{"HKEY_CURRENT_CONFIG", "HKCC"},
}

// RootNames returns the full names of the roots that a path can start with.
func RootNames() []string {
	var names []string
	for _, r := range rootNames {
		names = append(names, r.long)
	}
	return names
}

// ShortRootNames returns the short names of those roots, such as HKLM.
func ShortRootNames() []string {
	var names []string
	for _, r := range rootNames {
		names = append(names, r.short)
	}
	return names
}

// LongRoot returns the full name of a root, as Windows spells it, for its full or short name in any case, and whether there is such a
// root.
func LongRoot(name string) (long string, ok bool) {
	for _, r := range rootNames {
		if EqualFold(name, r.long) || EqualFold(name, r.short) {
			return r.long, true
		}
	}
	return name, false
}

// ParsePath parses a path written with backslashes. A short root (HKLM) becomes the full one; empty names are left out, so that
// backslashes at the start or end do not count.
func ParsePath(s string) Path {
	var p Path
	for name := range strings.SplitSeq(s, `\`) {
		if name != "" {
			p = append(p, name)
		}
	}
	if len(p) > 0 {
		p[0], _ = LongRoot(p[0])
	}
	return p
}

// String returns the path written with backslashes.
func (p Path) String() string { return strings.Join(p, `\`) }

// Join returns the path of a key below p. It never shares memory with p.
func (p Path) Join(names ...string) Path {
	return append(append(make(Path, 0, len(p)+len(names)), p...), names...)
}

// HasRoot reports whether the path starts with the full name of a root of the registry.
func (p Path) HasRoot() bool {
	return len(p) > 0 && slices.ContainsFunc(RootNames(), func(root string) bool { return EqualFold(root, p[0]) })
}

// Equal reports whether both paths lead to the same key.
func (p Path) Equal(q Path) bool { return len(p) == len(q) && p.HasPrefix(q) }

// HasPrefix reports whether p is q or lies below q.
func (p Path) HasPrefix(q Path) bool {
	return len(p) >= len(q) && slices.EqualFunc(p[:len(q)], q, EqualFold)
}
