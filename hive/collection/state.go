package collection

import (
	"path"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

// State is how the registry of a machine as it was at an earlier time was kept. It is "" for what is not known to be of an earlier time. A hive in
// such a state is not one of another machine.
type State string

const (
	// RegBack is a backup that Windows made: in System32\config\RegBack before Windows 10 1803, or in repair before Vista.
	RegBack State = "regback"
	// Shadow is a shadow copy of a volume, or a restore point of Windows XP.
	Shadow State = "vss"
	// Stored is a dirty hive as it lies, without the logs that were applied to it.
	Stored State = "without-logs"
	// Logged is a dirty hive after an entry of its logs, and not after all of them.
	Logged State = "log-entry"
)

// setAside says of hives that lie in the folders of a machine why they are no part of its registry, and which are of an earlier time.
func setAside(found []File) {
	ofWindows := map[string]string{} // by their folders, folded: the first readable hive under a name that it has in Windows, else the first of all
	readable := map[string]bool{}
	present := map[string]string{} // the paths, by those folded
	anyNow := false                // a hive is of no earlier time
	for _, f := range found {
		if folder := hive.Fold(path.Dir(f.Path)); hive.KnownName(f.Path) != "" && (ofWindows[folder] == "" || f.Err == nil && !readable[folder]) {
			ofWindows[folder], readable[folder] = f.Path, f.Err == nil
		}
		present[hive.Fold(f.Path)] = f.Path
		anyNow = anyNow || !isTextName(f.Path) && !isShadow(f.Path) && !isRestorePoint(f.Path)
	}
	// now returns the path that a file of a shadow copy has in the volume as it is, "" if that is not there, and any other path as it is.
	now := func(name string) string { return present[hive.Fold(evidence.WithoutShadow(name))] }
	for i := range found {
		f := &found[i]
		f.Former = isFormer(f.Path)
		if isTextName(f.Path) {
			continue
		}
		folder := hive.Fold(path.Dir(f.Path))
		parent := path.Dir(folder)
		_, in, user := userOf(f.Path)
		switch {
		case path.Base(folder) == hive.Fold("RegBack") && ofWindows[parent] != "":
			f.State, f.StateOf, f.NotJoined = RegBack, now(ofWindows[parent]), "a backup that Windows made in RegBack, of an earlier time"
		case path.Base(folder) == hive.Fold("repair") && ofWindows[path.Join(parent, hive.Fold("System32/config"))] != "":
			f.State, f.StateOf, f.NotJoined = RegBack, now(ofWindows[path.Join(parent, hive.Fold("System32/config"))]), "a backup that Windows made in repair, of an earlier time"
		case anyNow && isShadow(f.Path):
			f.State, f.StateOf, f.NotJoined = Shadow, now(f.Path), "of a shadow copy, of an earlier time"
		case anyNow && isRestorePoint(f.Path):
			f.State, f.NotJoined = Shadow, "of a restore point, of an earlier time"
		case in != nil && in.noUser != "" && hive.EqualFold(user, in.noUser):
			f.NotJoined = in.why
		case hive.KnownName(f.Path) == "BCD" && path.Base(folder) == hive.Fold("Boot"):
			f.NotJoined = "the boot configuration of the computer, which is of no one installation"
		case hive.EqualFold(path.Base(f.Path), "BCD-Template"):
			f.NotJoined = "the template for boot configurations"
		}
	}
}

// isTextName reports whether a file is found because of the name that .reg text has.
func isTextName(name string) bool { return strings.EqualFold(path.Ext(name), ".reg") }

// ofApplication returns for people which hive of an application is mounted at a path, or "" for any other.
func ofApplication(at hive.Path) string {
	what := hive.Application(at)
	if what == "" {
		return ""
	}
	return what + ", which Windows mounts at no fixed path"
}

// isApart reports whether a file that was found is not to be joined with others by where it lies.
func (f File) isApart() bool { return f.NotJoined != "" || f.CopyOf != "" }

// State returns the state that the files of the group are of.
func (g Group) State() State {
	if i := slices.IndexFunc(g.Files, func(f File) bool { return f.State != "" }); i >= 0 {
		return g.Files[i].State
	}
	return ""
}
