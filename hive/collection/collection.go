// Package collection finds registry hives and .reg files, opens them, and collects the facts about each.
//
// [List] finds the hives and .reg files in a folder that was copied from a machine or an image, and groups the hives of one machine. [Open]
// and [Group.Open] read them from any [fs.FS]. They apply the transaction logs that a dirty hive needs, join the hives of one machine as
// Windows mounts them, and fill in the facts of each file, its [Input]. [Local] is the file system of this computer. It records every file
// that was read, so that no output overwrites one.
//
// A hive is recognized by its content, because copies have names such as SYSTEM.bak, or a hash for a name. A transaction log begins like its
// hive; it belongs to the hive beside it and is not listed. A .reg file is recognized by its name, because any text could be one; opening it
// reports text that is not.
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

// File is a hive or .reg file to open.
type File struct {
	Path string
	Logs []string // of a hive: the paths of its transaction logs (LOG, LOG1, LOG2), needed or not
	User string   // of a user's hive: the name of the profile folder, such as "alice"
	Err  error    // why the file cannot be read, if that is already known
}

// Group holds the files to read together: a single file, or the hives of one machine.
type Group struct {
	// Machine is the Windows folder, or the folder that holds the hives side by side; "" for a single file.
	Machine string
	Files   []File
}

// List returns what to read for a name: the file itself, or for a folder what [Find] finds in it.
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

// Apart returns one group for each file of the group.
func (g Group) Apart() (all []Group) {
	for _, f := range g.Files {
		all = append(all, Group{Files: []File{f}})
	}
	return all
}

// Find walks a folder in the order of its names and returns each hive and .reg file in it, with [fs.FS] paths. The hives of a machine are
// returned together, in place of the first of them. A file that cannot be examined is returned with its error, and the walk goes on. Links
// to files are followed. Links to folders are not, so that the walk ends.
func Find(fsys fs.FS) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		found := walk(fsys)
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

// walk lists the hives and .reg files in a folder and below.
func walk(fsys fs.FS) (found []File) {
	add := func(name string, err error) {
		if err != nil {
			err = fmt.Errorf("cannot be read: %v", hive.Cause(err))
		}
		found = append(found, File{Path: name, Err: err})
	}
	var hives []int
	logs := map[string][]string{} // by the folded path of the hive
	// The walk never fails: each error is recorded with its file.
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
		info, err := fs.Stat(fsys, name) // follows links
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
		slices.SortStableFunc(found[i].Logs, func(a, b string) int { // as Windows numbers them, in any case
			return strings.Compare(strings.ToLower(path.Ext(a)), strings.ToLower(path.Ext(b)))
		})
	}
	return found
}

// start returns the first bytes of a file, which show what it is.
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
			break // the file ends or cannot be read further: the bytes so far decide
		}
	}
	return head[:n], nil
}
