package collection

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"regvet/hive"
)

// Velociraptor percent-encodes the names of what it collects, all but ASCII letters, digits and a few signs: the drive C: lies in a folder C%3A, and
// \\.\C: in %5C%5C.%5CC%3A. Such a folder and all below it are shown by the names that they had on the computer, and can be opened by these.
// Elsewhere a % in a name is nothing but that. Source: utils/sanitize.go of Velociraptor.

// decoded is a file system with the names that files had before a collector encoded them. Files can be opened by their stored names, too.
type decoded struct {
	fs.FS
	names storedNames
}

// decode returns a file system with decoded names. inside is set if it begins below the folder of a drive.
func decode(fsys fs.FS, inside bool) fs.FS {
	return &decoded{FS: fsys, names: storedNames{inside: inside}}
}

func (d *decoded) Open(name string) (fs.File, error) { return d.FS.Open(d.names.of(d.list, name)) }

func (d *decoded) Stat(name string) (fs.FileInfo, error) {
	return fs.Stat(d.FS, d.names.of(d.list, name))
}

func (d *decoded) ReadDir(name string) ([]fs.DirEntry, error) {
	stored := d.names.of(d.list, name)
	entries, err := d.list(stored)
	changed := d.names.in(func(folder string) ([]fs.DirEntry, error) {
		if folder == stored {
			return entries, nil
		}
		return d.list(folder)
	}, name)
	if len(changed) == 0 {
		return entries, err
	}
	shown := map[string]string{}
	for show, stored := range changed {
		shown[stored] = show
	}
	for i, e := range entries {
		if name, ok := shown[e.Name()]; ok {
			entries[i] = renamed{e, name}
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

func (d *decoded) list(folder string) ([]fs.DirEntry, error) { return fs.ReadDir(d.FS, folder) }

// renamed is an entry of a folder under its decoded name.
type renamed struct {
	fs.DirEntry
	name string
}

func (r renamed) Name() string { return r.name }

// storedNames finds the stored names of files by decoded ones. It lists each folder once.
type storedNames struct {
	inside bool // names begin below the folder of a drive

	mu      sync.Mutex
	folders map[string]map[string]string // by folder: the stored names that differ, by their decoded ones
}

// lister lists a folder of a file system.
type lister func(folder string) ([]fs.DirEntry, error)

// of returns the stored name of a file, with slashes. A name that is not a decoded one is returned as it is.
func (s *storedNames) of(list lister, name string) string {
	stored, _ := s.find(list, name)
	return stored
}

// in returns the stored names in a folder that differ from the decoded ones, by these.
func (s *storedNames) in(list lister, folder string) map[string]string {
	if folder == "." {
		return s.encoded(list, "", s.inside)
	}
	stored, inside := s.find(list, folder)
	return s.encoded(list, stored+"/", inside)
}

// find returns the stored name, and whether it is that of a drive or of something on it.
func (s *storedNames) find(list lister, name string) (stored string, inside bool) {
	inside = s.inside
	if !inside && !strings.ContainsAny(name, `:\%`) {
		return name, false // what a walk through a large folder has most
	}
	parts := strings.Split(name, "/")
	if !inside && !slices.ContainsFunc(parts, func(part string) bool { return isDrive(decodeName(part)) }) {
		return name, false
	}
	for i, part := range parts {
		onDrive := inside || isDrive(decodeName(part))
		if real, ok := s.encoded(list, stored, inside)[part]; ok && onDrive {
			part = real
		}
		inside = onDrive
		if stored += part; i < len(parts)-1 {
			stored += "/"
		}
	}
	return stored, inside
}

// encoded returns the stored names in a folder that differ from the decoded ones, by these. A decoded name that another entry has is none. The folder
// ends with a slash, or is "" for the one in which relative names begin.
func (s *storedNames) encoded(list lister, folder string, inside bool) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all, ok := s.folders[folder]; ok {
		return all
	}
	all := map[string]string{}
	name := path.Clean(folder) // "." for ""
	entries, _ := list(name)   // what cannot be listed is opened by the name that was given
	count := map[string]int{}
	isEncoded := func(e fs.DirEntry) bool { return strings.Contains(e.Name(), "%") }
	if !slices.ContainsFunc(entries, isEncoded) {
		entries = nil // as in nearly every folder, and one can hold a million files
	}
	for _, e := range entries {
		count[decodeName(e.Name())]++
	}
	for _, e := range entries {
		if shown := decodeName(e.Name()); shown != e.Name() && count[shown] == 1 && (inside || isDrive(shown)) {
			all[shown] = e.Name()
		}
	}
	if s.folders == nil {
		s.folders = map[string]map[string]string{}
	}
	s.folders[folder] = all
	return all
}

// decodeName returns a name without its percent-encoding, if the result is a name that can be shown and typed.
func decodeName(name string) string {
	if !strings.Contains(name, "%") {
		return name
	}
	shown, err := url.PathUnescape(name)
	switch {
	case err != nil, shown == "", shown == ".", shown == "..", strings.ContainsRune(shown, '/'), strings.ContainsRune(shown, os.PathSeparator):
		return name
	case !utf8.ValidString(shown), hive.Visible(shown) != shown:
		return name
	}
	return shown
}

// isDrive reports whether a name is that of a drive or another device of Windows: C:, \\.\C:, \\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1.
func isDrive(name string) bool { return driveLetter(name) != "" || isDevice(name) }

func isDevice(name string) bool {
	return strings.HasPrefix(name, `\\.\`) || strings.HasPrefix(name, `\\?\`)
}

// driveLetter returns the folded letter of a drive, with its colon, or "".
func driveLetter(name string) string {
	if isDevice(name) {
		name = name[len(`\\.\`):]
	}
	if len(name) != len("C:") || name[1] != ':' || !('a' <= name[0]|0x20 && name[0]|0x20 <= 'z') {
		return ""
	}
	return hive.Fold(name)
}

// isOnDrive reports whether a name is that of the folder of a drive, or of something below it.
func isOnDrive(name string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(name), "/"), func(part string) bool { return isDrive(decodeName(part)) && part != filepath.VolumeName(name) })
}
