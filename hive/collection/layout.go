package collection

import (
	"path"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

// Collectors lay out what they copied in ways of their own. Most have a folder for each drive, and below it the folders of the drive: KAPE and CyLR
// C/Windows, acquire and UAC fs/C:/Windows. Velociraptor has above the drive the accessor by which it read it, uploads/ntfs/\\.\C:/Windows, and
// GRR likewise, fs/os/C:/Windows; the same file may be there by several. Sources: docs.velociraptor.app, "Accessors"; github.com/fox-it/acquire;
// github.com/google/grr.

// accessors are the folders between that of a collector and that of a drive, by the name of the former. All are folded.
var accessors = map[string][]string{
	hive.Fold("uploads"): folded("auto", "file", "ntfs", "lazy_ntfs", "raw_ntfs", "ntfs_vss", "mft", "fat", "raw_file"),
	hive.Fold("fs"):      folded("os", "tsk", "ntfs"),
}

// systemVolume is what acquire calls the drive that Windows is on. It is C: where a letter is needed, as on all but a few computers.
var systemVolume = hive.Fold("sysvol")

func folded(names ...string) []string {
	for i, name := range names {
		names[i] = hive.Fold(name)
	}
	return names
}

// originOf returns, folded, the path of a file with the part left out that tells only by which way a collector read it: files of one origin are
// copies of one. by is that part, or "".
func originOf(name string) (origin, by string) {
	parts := strings.Split(hive.Fold(name), "/")
	for i, part := range parts {
		letter := driveLetter(part)
		if part == systemVolume && i > 0 && parts[i-1] == hive.Fold("fs") {
			letter = hive.Fold("C:")
		}
		if letter == "" {
			continue
		}
		first := i
		if isAccessor(parts[:i]) {
			first--
		}
		return path.Join(append(append(slices.Clone(parts[:first]), letter), parts[i+1:]...)...), path.Join(parts[first : i+1]...)
	}
	return path.Join(parts...), ""
}

// isAccessor reports whether the last of these folders is the accessor of a collector. The folder of the collector may be the one that is searched.
func isAccessor(folders []string) bool {
	n := len(folders)
	if n == 0 {
		return false
	}
	for collector, names := range accessors {
		if slices.Contains(names, folders[n-1]) && (n == 1 || folders[n-2] == collector) {
			return true
		}
	}
	return false
}

// isShadow reports whether a file lies in a shadow copy: of an image, p2@vss1; on its device, \\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1; or where
// KAPE puts what it reads from one, in a folder VSS1 in place of that of the drive.
func isShadow(name string) bool {
	parts := strings.Split(hive.Fold(name), "/")
	if evidence.IsShadowName(strings.SplitN(name, "/", 2)[0]) {
		return true
	}
	for i, part := range parts[:len(parts)-1] {
		if isDevice(part) && strings.Contains(part, shadowDevice) || isNumbered(part, shadowFolder) && slices.Contains(onDrive, parts[i+1]) {
			return true
		}
	}
	return false
}

var (
	shadowDevice = hive.Fold("HarddiskVolumeShadowCopy")
	shadowFolder = hive.Fold("VSS")
	// onDrive are folders at the top of a drive that have hives below them.
	onDrive = folded("Windows", "WINNT", "Users", "Documents and Settings", "Windows.old")
)

// isRestorePoint reports whether a file lies in a restore point of Windows XP: _restore{...}/RP1/snapshot/_REGISTRY_MACHINE_SYSTEM.
func isRestorePoint(name string) bool {
	return strings.Contains("/"+hive.Fold(name), restoreFolder) && hive.EqualFold(path.Base(path.Dir(name)), "snapshot")
}

var restoreFolder = hive.Fold("/_restore{")

// isNumbered reports whether a folded name is a word and a number.
func isNumbered(name, word string) bool {
	number, ok := strings.CutPrefix(name, word)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

// isFormer reports whether a file lies in the folder into which Setup moves the Windows that it replaces: Windows.old, or Windows.old.000 where
// there is one already. Source: Microsoft, "Delete your previous version of Windows".
func isFormer(name string) bool {
	parts := strings.Split(hive.Fold(name), "/")
	return slices.ContainsFunc(parts[:len(parts)-1], func(part string) bool {
		return part == formerFolder || isNumbered(part, formerFolder+".")
	})
}

var formerFolder = hive.Fold("Windows.old")
