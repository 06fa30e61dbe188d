package collection

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/hive/evidence/block"
)

// visit calls see for the files of a filesystem as [fs.WalkDir] does: for all of them or, in an image, for those in the folders where Windows
// keeps hives, also in its shadow copies if these are asked for, and as many others as [mostSearched] allows. It reports whether folders were
// left out. see returns no errors.
func visit(fsys fs.FS, shadows bool, see fs.WalkDirFunc) (partly bool) {
	tree := treeOf(fsys)
	if tree == nil || tree.Image == nil {
		_ = fs.WalkDir(fsys, ".", see) // never fails, since see does not
		return false
	}
	s := search{tree: tree, see: see, seen: map[string]bool{}}
	whole := false // or a folder in a volume
	for _, v := range tree.Volumes {
		if _, err := tree.Stat(v.Name); err == nil && v.Opened() {
			whole = true
			s.windows(v.Name)
		}
	}
	if !whole {
		s.windows(".")
	}
	partly = s.others()
	for _, v := range tree.Volumes {
		if shadows {
			stores, _ := v.Shadows() // that they cannot be read is a problem of the image
			for _, store := range stores {
				s.windows(v.ShadowName(store))
			}
		}
	}
	return partly
}

// mostSearched is how many bytes of an image are read to find hives outside of the folders where Windows keeps them. A disk has a hundred
// thousand folders, all over it.
const mostSearched = 8 << 20

// search finds hives in the volumes of an image.
type search struct {
	tree    *evidence.Tree
	see     fs.WalkDirFunc
	seen    map[string]bool // the folders that were listed, folded
	folders []string        // that were met and not listed yet
}

// list calls see for the files in a folder that can be hives or .reg files, and notes its folders. A gap is seen as an error; a folder that is not
// there, or lies behind a link, is not.
func (s *search) list(name string) (folders []string) {
	if folded := hive.Fold(name); s.seen[folded] {
		return nil
	} else {
		s.seen[folded] = true
	}
	entries, err := s.tree.ReadDir(name)
	if block.IsGap(err) {
		_ = s.see(s.known(name), nil, err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		inside := path.Join(name, e.Name())
		switch {
		case e.IsDir():
			folders = append(folders, inside)
		case canBeHive(e):
			_ = s.see(inside, e, nil)
		}
	}
	s.folders = append(s.folders, folders...)
	return folders
}

// known returns the path of a folder, or of the one around it that is known to be there: many are looked for in case that they are.
func (s *search) known(name string) string {
	around := path.Dir(name)
	if around == "." {
		return name
	}
	entries, _ := s.tree.ReadDir(around) // a gap in it is told too
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return hive.EqualFold(e.Name(), path.Base(name)) }) {
		return name
	}
	return s.known(around)
}

// canBeHive reports whether a file is worth a look at its start: by its name, or because its size is that of a hive, whose parts all have
// multiples of 4096 bytes.
func canBeHive(e fs.DirEntry) bool {
	if mattersByName(e.Name()) {
		return true
	}
	info, err := e.Info()
	return err != nil || info.Mode().IsRegular() && info.Size() >= 8192 && info.Size()%4096 == 0
}

// has reports whether a folder is there, or may be.
func (s *search) has(name string) bool {
	info, err := s.tree.Stat(name)
	return err == nil && info.IsDir() || block.IsGap(err)
}

// below returns the path of a file or folder, which may be there, in a folder, with the names as the volume has them.
func (s *search) below(folder, inside string) string {
	for name := range strings.SplitSeq(inside, "/") {
		if info, err := s.tree.Stat(path.Join(folder, name)); err == nil {
			name = info.Name()
		}
		folder = path.Join(folder, name)
	}
	return folder
}

// windows lists the folders of hives of each Windows in a folder, and those of its users: the root of a volume, or Windows.old there.
func (s *search) windows(root string) {
	for _, folder := range append(s.list(root), root) { // the root may be a Windows folder itself
		config := s.below(folder, "System32/config")
		switch {
		case s.has(config):
			s.list(config)
			s.list(s.below(config, "RegBack"))
			s.profile(s.below(config, "systemprofile"))
			s.list(s.below(folder, "AppCompat/Programs")) // Amcache.hve
		case folder != root && !strings.Contains(strings.TrimPrefix(folder, root+"/"), "/") && s.holdsWindows(folder):
			s.windows(folder)
		}
		for _, p := range profileFolders {
			if p.ofServices {
				s.profiles(s.below(folder, p.name))
			}
		}
	}
	for _, p := range profileFolders {
		s.profiles(s.below(root, p.name))
	}
	s.list(s.below(root, "Boot"))
	s.list(s.below(root, "EFI/Microsoft/Boot"))
}

// holdsWindows reports whether a folder holds a Windows folder: Windows.old, or a copy of a drive.
func (s *search) holdsWindows(folder string) bool {
	return slices.ContainsFunc([]string{"Windows", "WINNT"}, func(name string) bool { return s.has(path.Join(folder, name, "System32", "config")) })
}

// profiles lists the profiles in a folder of them.
func (s *search) profiles(folder string) {
	if s.has(folder) {
		for _, user := range s.list(folder) {
			s.profile(user)
		}
	}
}

// profile lists the folders of a profile that have hives.
func (s *search) profile(folder string) {
	s.list(folder)
	for _, p := range profileFolders {
		s.list(s.below(folder, p.classes))
	}
}

// others lists the folders that were not listed yet, those nearest to the root first, and reports whether any were left out.
func (s *search) others() (partly bool) {
	start := s.tree.BytesRead()
	for len(s.folders) > 0 {
		if s.tree.BytesRead()-start > mostSearched {
			return true
		}
		folder := s.folders[0]
		s.folders = s.folders[1:]
		s.list(folder)
	}
	return false
}
