package collection

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"regvet/hive"
	"regvet/hive/evidence"
)

// trees are the images and archives that were opened last, by their places.
type trees struct {
	mu    sync.Mutex
	last  []string // the places, that of the one last used first
	known map[string]*opening
}

// opening is what becomes of opening an image or archive: its tree, or nil if the file is none.
type opening struct {
	once sync.Once
	tree *evidence.Tree
	err  error
}

// mostTrees is how many images and archives are kept open. Each holds up to 16 MB of what was read last. Files of one that is dropped can still
// be read.
const mostTrees = 4

// mostNested is how many containers may lie in each other: an archive of images.
const mostNested = 2

// open returns the tree of a container, which open opens if it was not kept.
func (t *trees) open(place string, open func() (*evidence.Tree, error)) (*evidence.Tree, error) {
	o := t.opening(place)
	o.once.Do(func() { o.tree, o.err = open() })
	if o.tree == nil {
		t.forget(place) // there is nothing to keep, and much else to be looked at
	}
	return o.tree, o.err
}

func (t *trees) forget(place string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.last, place); i >= 0 {
		t.last = slices.Delete(t.last, i, i+1)
		delete(t.known, place)
	}
}

func (t *trees) opening(place string) *opening {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.last, place); i >= 0 {
		t.last = slices.Delete(t.last, i, i+1)
	} else if len(t.last) == mostTrees {
		delete(t.known, t.last[mostTrees-1])
		t.last = t.last[:mostTrees-1]
	}
	t.last = slices.Insert(t.last, 0, place)
	if t.known == nil {
		t.known = map[string]*opening{}
	}
	if t.known[place] == nil {
		t.known[place] = &opening{}
	}
	return t.known[place]
}

// tree returns the content of an image or archive of this computer, or in one, by its place. It is nil if the file is neither.
func (l *Local) tree(place string) (*evidence.Tree, error) {
	return l.nested(evidence.Split(place))
}

// nested opens a container in a container. parts are the paths of each in the one around it.
func (l *Local) nested(parts []string) (tree *evidence.Tree, err error) {
	place := ""
	for i, part := range parts {
		if i == mostNested {
			if head, err := start(contents(tree), part); err != nil || evidence.KindOf(head, nil) == nil {
				return nil, nil // what lies in the innermost one; reading it tells what is wrong with it
			}
			return nil, fmt.Errorf("%s: images and archives are opened %d deep; copy this one out, and name the copy", place, mostNested)
		}
		around := fs.FS(l)
		if i > 0 {
			around = contents(tree)
			place = evidence.Place(place, part)
		} else {
			place = evidence.Escape(part)
		}
		tree, err = l.trees.open(place, func() (*evidence.Tree, error) { return evidence.Open(around, part, place) })
		if tree == nil || err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// inside calls ask for what a place inside of an image or archive leads to. If the name is no such place, the error is the one that the file
// system gave for it.
func inside[T any](l *Local, name string, outside error, ask func(fs.FS, string) (T, error)) (result T, err error) {
	parts := evidence.Split(name)
	inner := len(parts) - 1
	if inner == 0 {
		return result, outside
	}
	fsys, stored, err := l.outside(parts[0])
	if err != nil {
		return result, outside
	}
	if info, err := fs.Stat(fsys, stored); err != nil || !info.Mode().IsRegular() {
		return result, outside
	}
	tree, err := l.nested(parts[:inner])
	switch {
	case err != nil:
		return result, err
	case tree == nil:
		return result, &hive.Problem{Kind: hive.Unreadable, Msg: "leads into a file that is no image and no archive", Loss: true}
	}
	return ask(contents(tree), cmp.Or(parts[inner], "."))
}

// way returns how a file lies in images and archives; nil for one that lies in none.
func (l *Local) way(name string) (way []evidence.Step) {
	if !l.isPlace(name) {
		return nil
	}
	parts := evidence.Split(name)
	place := evidence.Escape(parts[0])
	for i := range parts[:len(parts)-1] {
		if i > 0 {
			place = evidence.Place(place, parts[i])
		}
		tree, err := l.nested(parts[:i+1])
		if tree == nil || err != nil {
			return way
		}
		way = append(way, tree.Way(place, parts[i+1])...)
	}
	return way
}

// contents returns the files of an image or archive, those of an archive by the names that they had before a collector encoded them. visit tells an
// image by its type.
func contents(tree *evidence.Tree) fs.FS {
	if tree.Image != nil {
		return tree
	}
	return decode(tree, false)
}

// treeOf returns the image or archive that contents shows, or nil for another filesystem.
func treeOf(fsys fs.FS) *evidence.Tree {
	if d, ok := fsys.(*decoded); ok {
		fsys = d.FS
	}
	tree, _ := fsys.(*evidence.Tree)
	return tree
}

// below returns a folder in an image or archive by its place.
func (l *Local) below(place string) (fs.FS, error) {
	return inside(l, place, fs.ErrNotExist, func(fsys fs.FS, name string) (fs.FS, error) {
		d, ok := fsys.(*decoded)
		if !ok {
			return fs.Sub(fsys, name)
		}
		folder, err := fs.Sub(d.FS, d.names.of(d.list, name))
		if err != nil {
			return nil, err
		}
		return decode(folder, isOnDrive(name)), nil
	})
}

// placeOf returns a name as a place.
func (l *Local) placeOf(name string) string {
	if l.isPlace(name) {
		return name
	}
	return evidence.Escape(name)
}

// isPlace reports whether a name leads into an image or archive.
func (l *Local) isPlace(name string) bool {
	if len(evidence.Split(name)) == 1 {
		return false
	}
	_, err := l.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}
