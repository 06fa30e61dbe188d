// Package collection is the reading room: it opens what is to be examined, wherever that is, and says what it is.
//
// [List] finds the hives and .reg files in a folder, as it was copied out of a machine or an image, and knows which of the hives belong to
// one machine. [Open] and [Group.Open] read them from any [fs.FS]: with the transaction logs that a dirty hive needs, with the hives of one
// machine joined as Windows mounts them, and with the facts of each, its [Input]. [Local] is the file system of this computer; it knows all
// that was read, so that nothing of that is ever overwritten.
//
// A hive is told by its content, not by its name: copies are called SYSTEM, SYSTEM.bak, or by their hash. The transaction logs of a
// hive start as the hive does; they belong to the hive beside them and are not listed. A .reg file is told by its name, because any text
// could be one; if it is none, whoever reads it will say so.
package collection

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
)

// File is a hive or a .reg file that is to be opened.
type File struct {
	Path string
	Logs []string // of a hive: the paths of its transaction logs, needed or not: LOG, LOG1, LOG2
	User string   // of a hive of a user of a machine: the name of the folder of the profile, "alice" say
	// NotJoined is why a hive that lies in the folders of a machine is no part of its registry, see [Input.NotJoined].
	NotJoined string
	Err       error // why it cannot be read, when that is known already
}

// Group is what is to be read together: a file, or the hives of one machine.
type Group struct {
	// Machine is the folder of Windows, or the one in which the hives lie side by side; "" for a file by itself.
	Machine string
	Files   []File
}

// List returns what is to be read for a name: the file itself, or in place of a folder what [Find] finds in it.
func List(fsys fs.FS, name string) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		info, err := fs.Stat(fsys, name)
		if err != nil || !info.IsDir() {
			yield(Group{Files: []File{Locate(fsys, name)}})
			return
		}
		join := func(inside string) string { return path.Join(name, inside) }
		folder, err := fs.Sub(fsys, name)
		if _, ok := fsys.(*Local); ok {
			join = func(inside string) string { return filepath.Join(name, filepath.FromSlash(inside)) }
			folder, err = os.DirFS(name), nil
		}
		if err != nil {
			yield(Group{Files: []File{{Path: name, Err: err}}})
			return
		}
		found := false
		for g := range Find(folder) {
			found = true
			if g.Machine != "" {
				g.Machine = join(g.Machine)
			}
			for i, f := range g.Files {
				f.Path = join(f.Path)
				for n, log := range f.Logs {
					f.Logs[n] = join(log)
				}
				g.Files[i] = f
			}
			if !yield(g) {
				return
			}
		}
		if !found {
			yield(Group{Files: []File{{Path: name, Err: errors.New("the folder holds no hive and no .reg file")}}})
		}
	}
}

// Apart returns the files of the group as groups of their own.
func (g Group) Apart() (all []Group) {
	for _, f := range g.Files {
		all = append(all, Group{Files: []File{f}})
	}
	return all
}

// Find walks a folder in the order of its names and returns each hive and .reg file in it, by paths as [fs.FS] has them. The hives of a
// machine come together, in place of the first of them. A file that cannot be looked at has the error, and the walk goes on. Links to
// files are followed, links to folders are not, so that it ends.
func Find(fsys fs.FS) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		found := walk(fsys)
		setAside(found)
		groups := machines(slices.DeleteFunc(slices.Clone(found), func(f File) bool { return f.Err != nil }))
		returned := map[*Group]bool{}
		for _, f := range found {
			g := groups[f.Path]
			if g == nil {
				g = &Group{Files: []File{f}}
			}
			if returned[g] {
				continue
			}
			returned[g] = true
			if !yield(*g) {
				return
			}
		}
	}
}

// walk lists the files of a folder and of those in it.
func walk(fsys fs.FS) (found []File) {
	add := func(name string, err error) {
		if err != nil {
			err = fmt.Errorf("cannot be read: %v", hive.Cause(err))
		}
		found = append(found, File{Path: name, Err: err})
	}
	var hives []int
	logs := map[string][]string{} // of a folded path
	// The walk never fails: what goes wrong is noted.
	_ = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			add(name, err)
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		ext := strings.ToLower(path.Ext(name))
		switch ext {
		case ".log", ".log1", ".log2":
			of := hive.Fold(name[:len(name)-len(ext)])
			logs[of] = append(logs[of], name)
		}
		info, err := fs.Stat(fsys, name) // of what a link leads to
		switch {
		case err != nil:
			add(name, err)
			return nil
		case !info.Mode().IsRegular():
			return nil
		}
		head, err := start(fsys, name)
		switch {
		case err != nil:
			add(name, err)
		case hive.IsHive(head) && !hive.IsLog(head):
			hives = append(hives, len(found))
			add(name, nil)
		case ext == ".reg":
			add(name, nil)
		}
		return nil
	})
	for _, i := range hives {
		found[i].Logs = logs[hive.Fold(found[i].Path)]
		slices.SortStableFunc(found[i].Logs, func(a, b string) int { // as Windows numbers them, in whatever case
			return strings.Compare(strings.ToLower(path.Ext(a)), strings.ToLower(path.Ext(b)))
		})
	}
	return found
}

// start returns the bytes that tell what a file is.
func start(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, hive.HeadSize)
	n := 0
	for n < len(head) {
		m, err := f.Read(head[n:])
		n += m
		if err != nil {
			break // the file is shorter, or cannot be read further: what is there decides
		}
	}
	return head[:n], nil
}
