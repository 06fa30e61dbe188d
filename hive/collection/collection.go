// Package collection finds the hives and .reg files in a folder, as it was copied out of a machine or an image, and tells which of the
// hives belong to one machine.
//
// A hive is told by its content, not by its name: copies are called SYSTEM, SYSTEM.bak, or by their hash. The transaction logs of a
// hive start as the hive does; they belong to the hive beside them and are not listed. A .reg file is told by its name, because any text
// could be one; if it is none, whoever reads it will say so.
package collection

import (
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"regvet/hive"
)

// File is a hive or a .reg file. Paths are those of [fs.FS].
type File struct {
	Path string
	Logs []string // of a hive: the paths of its transaction logs, needed or not: LOG, LOG1, LOG2
	User string   // of a hive of a user of a machine: the name of the folder of the profile, "alice" say
}

// Input is what is to be read as one: a file, or the hives of one machine.
type Input struct {
	// Machine is the folder of Windows, or the one in which the hives lie side by side; "" for a file by itself.
	Machine string
	Files   []File
}

// Find walks a folder in the order of its names and gives each hive and .reg file in it. The hives of a machine are given
// together, in place of the first of them. What cannot be looked at is given with the error, and the walk goes on. Links to
// files are followed, links to folders are not, so that it ends.
func Find(fsys fs.FS) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		found, errs := walk(fsys)
		groups := machines(slices.DeleteFunc(slices.Clone(found), func(f File) bool { return errs[f.Path] != nil }))
		given := map[*Input]bool{}
		for _, f := range found {
			in := &Input{Files: []File{f}}
			if g := groups[f.Path]; g != nil {
				in = g
			}
			if given[in] {
				continue
			}
			given[in] = true
			if !yield(*in, errs[f.Path]) {
				return
			}
		}
	}
}

// walk lists the files, and for some of them by their paths why they cannot be looked at.
func walk(fsys fs.FS) (found []File, errs map[string]error) {
	errs = map[string]error{}
	add := func(name string, err error) {
		found = append(found, File{Path: name})
		if err != nil {
			errs[name] = err
		}
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
	return found, errs
}

// start reads the bytes that tell what a file is.
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
