package collection

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/hive/evidence/block"
)

// List returns what to read for a name: the file itself, or for a folder, an image or an archive each hive and .reg file in it, in the order of
// their names. The hives of one machine are returned together, in place of the first of them. Images and archives in a folder come after its own
// files; only those of this computer, of a [Local], are opened, and of what lies there only the [Share] of the Local is listed. What was passed over comes last.
func List(fsys fs.FS, name string) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		l := listing{yield: yield}
		l.local, _ = fsys.(*Local)
		l.list(fsys, name)
	}
}

// listing lists what to read for one name of the user.
type listing struct {
	local  *Local // nil for another filesystem, whose containers are not opened
	yield  func(Group) bool
	ended  bool
	found  bool // whether there was any file, in whatever share
	within bool // of a container
	closed bool // images and archives in a folder are returned as they lie, see [Units]
}

// add yields a group unless the caller has enough.
func (l *listing) add(g Group) {
	l.found = l.found || len(g.Files) > 0
	if l.local != nil {
		g.Turn = l.local.turn
	}
	if g.Container != nil {
		g.Container.Turn = g.Turn
	}
	l.ended = l.ended || !l.yield(g)
}

func (l *listing) list(fsys fs.FS, name string) {
	info, err := fs.Stat(fsys, name)
	isThere := err == nil && name != StandardInput
	switch {
	case isThere && info.IsDir():
		l.folder(fsys, name)
	case !l.takes(name):
		l.local.Protect(name) // another run reads it
	case isThere && l.local != nil && info.Mode().IsRegular():
		if is, none, err := l.container(l.local.placeOf(name), nil); is {
			if err != nil {
				l.add(Group{Files: []File{{Path: l.local.placeOf(name), Err: err}}})
			}
			if none != "" {
				l.add(Group{Files: []File{{Path: name, Err: errors.New("is " + none)}}})
			}
			break
		}
		fallthrough
	default:
		l.add(Group{Files: []File{Locate(fsys, name)}})
	}
}

// folder lists a folder of the filesystem.
func (l *listing) folder(fsys fs.FS, name string) {
	join := func(inside string) string { return path.Join(name, inside) }
	place := join
	var folder fs.FS
	var err error
	switch {
	case l.local == nil:
		folder, err = fs.Sub(fsys, name)
	case l.local.isPlace(name):
		join = func(inside string) string { return below(name, evidence.Escape(inside)) }
		place = join
		folder, err = l.local.below(name)
	default:
		folder, err = l.local.decodedFolder(name)
		join = func(inside string) string { return filepath.Join(name, filepath.FromSlash(inside)) }
		if _, _, is := l.local.object(name); is {
			join = func(inside string) string { return below(name, inside) }
		}
		place = func(inside string) string { return evidence.Escape(join(inside)) }
	}
	if err != nil {
		if l.takes(name) {
			l.add(Group{Files: []File{{Path: name, Err: err}}})
		}
		return
	}
	l.walk(folder, name, join, place, nil)
	if !l.found && !l.ended && l.takes(name) {
		l.add(Group{Files: []File{{Path: name, Err: errors.New("the folder holds no hive and no .reg file")}}})
	}
}

// below returns a path in a folder whose name is not to be changed, "." being the folder.
func below(name, inside string) string {
	if inside == "." {
		return name
	}
	return strings.TrimSuffix(name, "/") + "/" + inside
}

// walk lists what lies in a folder, or in the tree of a container, and then in the containers that lie in it. The names of files are made by join
// of those in the folder, and the places of containers by place. What is passed over is told with that of the folder around a container, or by itself if
// that is nil.
func (l *listing) walk(folder fs.FS, name string, join, place func(string) string, around *passed) {
	left := passed{folder: filepath.ToSlash(name), join: join, opens: l.local != nil, shadows: l.local != nil && l.local.Shadows, told: map[string]bool{}}
	if tree := treeOf(folder); tree != nil {
		left.opens = left.opens && tree.Image == nil
		for _, p := range tree.Problems {
			left.told[p.Error()] = true
		}
	} else if l.local != nil {
		left.protect = func(name string) { l.local.Protect(join(name)) }
	}
	groups := slices.Collect(find(folder, &left))
	for i, at := range places(groups) {
		g := groups[i]
		l.found = true
		if !l.takes(join(at)) {
			for _, f := range g.Files {
				l.local.Protect(join(f.Path)) // another run reads it
			}
			continue
		}
		g.unit = join(at)
		if g.Machine != "" {
			g.Machine = join(g.Machine)
		}
		for i, f := range g.Files {
			f.Path = join(f.Path)
			if f.CopyOf != "" {
				f.CopyOf = join(f.CopyOf)
			}
			if f.StateOf != "" {
				f.StateOf = join(f.StateOf)
			}
			for n, log := range f.Logs {
				f.Logs[n] = join(log)
			}
			g.Files[i] = f
		}
		if l.add(g); l.ended {
			return
		}
	}
	l.containers(&left, place)
	if around != nil {
		around.merge(&left)
	} else if text := left.text(); text != "" && !l.ended {
		l.add(Group{Passed: text})
	}
}

// containers lists what lies in the containers that were met. One that is a part of another, as a segment or an extent, is not listed by itself.
func (l *listing) containers(left *passed, place func(string) string) {
	parts := map[string]bool{}
	for _, c := range left.containers {
		if c.class != evidence.Image {
			continue
		}
		if tree, _ := l.local.tree(place(c.name)); tree != nil && tree.Image != nil {
			for _, f := range tree.Image.Files[1:] {
				parts[f.Name] = true
			}
		}
	}
	var lost []File
	var unread unread
	for _, c := range left.containers {
		at := place(c.name)
		if parts[at] || l.ended {
			continue
		}
		if !l.takes(at) {
			l.found = true
			l.local.Protect(at) // another run reads it
			continue
		}
		if l.closed {
			l.found = true
			l.add(Group{unit: at})
			continue
		}
		switch is, none, err := l.container(at, left); {
		case !is: // it began as one, and now is gone or, by its end, of a kind that is not read: reading it tells
			l.add(Group{Files: []File{{Path: left.join(c.name)}}})
		case err != nil:
			lost = append(lost, File{Path: at, Err: err})
			unread.add(at, err)
			unread.matters(at)
		case none != "":
			left.add(none, c.name)
		}
	}
	for _, name := range left.unknown {
		if !parts[place(name)] {
			left.add(unknownImage, name)
		}
	}
	if l.local != nil && !l.within {
		l.local.turn++ // after all that could be opened
	}
	for _, f := range unread.sumUp(lost) {
		if !l.ended {
			l.add(Group{Files: []File{f}})
		}
	}
}

// container lists what lies in an image or archive, and reports whether the file is one. If nothing was found in it, none says so, with what it
// is. The error is that it cannot be opened.
func (l *listing) container(place string, around *passed) (is bool, none string, err error) {
	tree, err := l.local.tree(place)
	if tree == nil || err != nil {
		return err != nil, "", err
	}
	before, within := l.found, l.within
	l.found, l.within = false, true
	defer func() { l.within = within }()
	problems := tree.Problems
	if l.local.Shadows {
		for _, v := range tree.Volumes {
			problems = slices.Concat(problems, v.ShadowProblems())
		}
	}
	l.add(Group{Container: &Container{Place: place, Tree: tree.Facts(), Problems: problems}})
	for _, v := range tree.Volumes {
		if err := v.Err; err != nil {
			if block.IsGap(err) {
				err = fmt.Errorf("cannot be opened: %v", err)
			}
			l.add(Group{Files: []File{{Path: evidence.Place(place, v.Name), Err: err}}})
		}
	}
	inside := func(name string) string { return evidence.Place(place, name) }
	if !l.ended {
		l.walk(contents(tree), place, inside, inside, around)
	}
	if !l.found {
		none = tree.Kind + " without hives and .reg files"
		if slices.ContainsFunc(problems, func(p hive.Problem) bool { return p.Loss }) {
			none += ", in what could be read of it"
		}
	}
	l.found = l.found || before
	return true, none, nil
}
