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
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
)

// File is a hive or .reg file to open.
type File struct {
	Path string
	Logs []string // of a hive: the paths of its transaction logs, needed or not: LOG, LOG1, LOG2
	User string   // of a hive of a user of a machine: the name of the folder of the profile, "alice" say
	// NotJoined is why a hive that lies in the folders of a machine is no part of its registry, see [Input.NotJoined].
	NotJoined string
	State     State  // of a hive that is of an earlier time than its machine
	StateOf   string // likewise, the path of a hive of that machine; "" if it is not known which machine that is
	Former    bool   // it is of a Windows that another one replaced, see [Input.Former]
	CopyOf    string // the path of an earlier file of the same group, of which it is another copy
	Err       error  // why it cannot be read, when that is known already
}

// Group holds the files to read together: a single file, or the hives of one machine.
type Group struct {
	// Machine is the Windows folder, or the folder that holds the hives side by side; "" for a single file.
	Machine string
	Files   []File
	// Passed is what in a folder was passed over although it may hold or be a hive, in one line; such a group has no files, and is the last of its
	// folder.
	Passed string
	// Container is an image or archive that was opened; such a group has no files, and stands before those of what lies in it.
	Container *Container
	// Turn is the place of the group in the order of all that a [Local] lists, from 1, whatever [Share] of it is listed. What lies in a container has the
	// turn of the container. It is 0 in other filesystems.
	Turn int

	unit string // of what lies in a folder: the name of the [Unit] that it is in
}

// Container is an image or archive, with the place at which it lies. The files of an archive cannot be read through it, see [evidence.Tree.Facts].
type Container struct {
	Place string
	*evidence.Tree
	Problems []hive.Problem // with it, and with the shadow copies in it if these are read
	Turn     int            // see [Group]
}

// Apart returns one group for each file of the group.
func (g Group) Apart() (all []Group) {
	for _, f := range g.Files {
		all = append(all, Group{Files: []File{f}, Turn: g.Turn})
	}
	return all
}

// find walks a folder in the order of its names and returns each hive and .reg file in it, with [fs.FS] paths. The hives of a machine are
// returned together, in place of the first of them. A file that cannot be examined is returned with its error, and the walk goes on. Links
// to files are followed. Links to folders are not, so that the walk ends. What is passed over is added to left.
func find(fsys fs.FS, left *passed) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		found := walk(fsys, left)
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

// walk lists the hives and .reg files in a folder and below, and adds what it passes over to left.
func walk(fsys fs.FS, left *passed) (found []File) {
	buffer := make([]byte, hive.HeadSize)
	var unread unread
	add := func(name string, err error) {
		if err != nil {
			if gap, ok := errors.AsType[*hive.Problem](err); ok {
				left.told[gap.Error()] = true
			}
			unread.add(name, err)
			err = fmt.Errorf("cannot be read: %v", hive.Cause(err))
		}
		found = append(found, File{Path: name, Err: err})
	}
	isHive := map[string]bool{}
	lost := map[string]bool{} // files that cannot be looked at; a folder may hold more than a log
	all := logs{}
	same := map[string]int{} // gaps, and where in found the first file is that one keeps from being looked at
	more := map[int]int{}    // how many others there are that are not named as hives: a missing segment takes thousands
	unseen := func(name string, err error) {
		lost[name] = true
		if gap, ok := errors.AsType[*hive.Problem](err); ok && !mattersByName(name) {
			if i, known := same[gap.Error()]; known {
				more[i]++
				return
			}
			same[gap.Error()] = len(found)
		}
		add(name, err)
	}
	// Each error is recorded with its file.
	left.partly = visit(fsys, left.shadows, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if gap, ok := errors.AsType[*hive.Problem](err); !ok || !left.told[gap.Error()] {
				add(name, err)
				unread.matters(name) // a folder can hold any number of hives
			}
			return nil
		}
		all.add(name)
		if entry.IsDir() {
			return nil
		}
		if !entry.Type().IsRegular() { // else it is what its folder says
			info, err := fs.Stat(fsys, name) // follows links
			switch {
			case err != nil && entry.Type()&fs.ModeSymlink != 0 && !mattersByName(name):
				left.add(leadsNowhere, name) // a mounted volume has many: links of Windows that only Windows can follow
				return nil
			case err != nil:
				unseen(name, err)
				return nil
			case info.Mode()&fs.ModeIrregular != 0 && mattersByName(name):
				unseen(name, errors.New("its content is not here: Windows keeps it in a cloud or, without duplicates, elsewhere on the volume"))
				return nil
			case info.Mode().Type() == fs.ModeSymlink && hive.KnownName(path.Base(name)) != "": // in an archive or image, where links are not followed
			case !info.Mode().IsRegular():
				left.addOther(name, info)
				return nil
			}
		}
		head, err := startInto(buffer, fs.FS.Open, fsys, name)
		switch {
		case err != nil:
			unseen(name, err)
		case len(head) == 0 && left.addEmpty(name):
		case hive.IsHive(head) && !hive.IsLog(head):
			isHive[name] = true
			add(name, nil)
		case strings.EqualFold(path.Ext(name), ".reg"):
			add(name, nil)
		default:
			left.addContainer(head, name)
		}
		return nil
	})
	for i, n := range more {
		found[i].Err = fmt.Errorf("%w; the same keeps %d more from being looked at, none of which is named as a hive", found[i].Err, n)
	}
	// As [fs.WalkDir] lists them, wherever they were found.
	slices.SortStableFunc(found, func(a, b File) int { return comparePaths(a.Path, b.Path) })
	told := map[string]bool{} // by the hive, if it needs the log
	for i, f := range found {
		if isHive[f.Path] {
			found[i].Logs = all.of(f.Path)
		}
		for _, log := range found[i].Logs {
			told[log] = lost[log]
		}
	}
	found = slices.DeleteFunc(found, func(f File) bool { return told[f.Path] })
	return unread.sumUp(found)
}

// comparePaths compares paths name by name.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1 // a name ends, which is shorter than the other
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// start returns the start of a file, up to [hive.HeadSize] bytes: they show what it is and, of a hive, in which state.
func start(fsys fs.FS, name string) ([]byte, error) {
	return startInto(make([]byte, hive.HeadSize), openFound, fsys, name)
}

// startInto is start for one who looks at a million files, with a slice of that size for all of them, and knows that they are no pipes.
func startInto(head []byte, open func(fs.FS, string) (fs.File, error), fsys fs.FS, name string) ([]byte, error) {
	f, err := open(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF && !hive.IsHive(head[:n]) {
		return nil, err
	}
	return head[:n], nil // the file may be shorter: what is there decides
}
