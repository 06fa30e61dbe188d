// Package collection finds the hives and .reg files in a folder, as it was copied out of a machine or an image.
//
// A hive is told by its content, not by its name: copies are called SYSTEM, SYSTEM.bak, or by their hash. The transaction logs of a
// hive start as the hive does; they belong to it and are not listed. A .reg file is told by its name, because any text could be
// one.
package collection

import (
	"io/fs"
	"iter"
	"path"
	"strings"

	"regvet/hive"
)

// Find walks a folder in the order of its names and gives the path of each hive and .reg file in it. What cannot be looked at is
// given with the error, and the walk goes on. Links to files are followed, links to folders are not, so that it ends.
func Find(fsys fs.FS) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		// The function never fails: what goes wrong is given to the caller.
		_ = fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return next(yield(name, err))
			}
			if entry.IsDir() {
				return nil
			}
			info, err := fs.Stat(fsys, name) // of what a link leads to
			switch {
			case err != nil:
				return next(yield(name, err))
			case !info.Mode().IsRegular():
				return nil
			case strings.EqualFold(path.Ext(name), ".reg"):
				return next(yield(name, nil))
			}
			is, err := isHive(fsys, name)
			if is || err != nil {
				return next(yield(name, err))
			}
			return nil
		})
	}
}

// next ends the walk when the caller wants no more.
func next(more bool) error {
	if more {
		return nil
	}
	return fs.SkipAll
}

// isHive looks at the start of a file.
func isHive(fsys fs.FS, name string) (bool, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return false, err
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
	return hive.IsHive(head[:n]) && !hive.IsLog(head[:n]), nil
}
