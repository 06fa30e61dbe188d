package collection

import (
	"bytes"
	"encoding/gob"
	"iter"
	"path/filepath"

	"regvet/hive"
	"regvet/hive/evidence"
)

// Unit is what the work of a fleet is dealt out by, as shares are: a machine with its backups and shadow copies, an image or archive with all that it
// holds, or a file that is of no machine. Its binary form is for another process that reads the same files; names of files need not be UTF-8.
type Unit struct {
	Name   string // of the machine or file, or the place of the image or archive
	Of     string // the name that stands for it and others, see [Units]
	closed bool   // an image or archive in a folder, which is yet to be opened
	groups []Group
}

// Units lists what a name stands for as [List] does, and opens no image or archive except to know which files are parts of it.
func Units(l *Local, name string) iter.Seq[Unit] {
	return func(yield func(Unit) bool) {
		info, err := l.Stat(name)
		if err != nil || !info.IsDir() {
			yield(Unit{Name: name, Of: name})
			return
		}
		var all []*Unit
		at := map[string]*Unit{}
		add := func(g Group) bool {
			u := at[g.unit]
			switch {
			case g.unit == "":
				u = &Unit{Name: name, Of: name}
				if len(g.Files) > 0 {
					u.Name = g.Files[0].Path
				}
				all = append(all, u)
			case u == nil:
				u = &Unit{Name: g.unit, Of: name}
				at[g.unit] = u
				all = append(all, u)
			}
			if u.closed = len(g.Files) == 0 && g.Passed == ""; !u.closed {
				u.groups = append(u.groups, g)
			}
			return true
		}
		list := listing{local: l, yield: add, closed: true}
		list.list(l, name)
		for _, u := range all {
			if !yield(*u) {
				return
			}
		}
	}
}

// List returns what [List] returns for the unit among all that its name stood for in [Units].
func (u Unit) List(l *Local) iter.Seq[Group] {
	return func(yield func(Group) bool) {
		list := listing{local: l, yield: yield}
		switch {
		case u.closed:
			same := func(place string) string { return place }
			left := passed{folder: filepath.ToSlash(u.Of), join: fileAt, opens: true, shadows: l.Shadows, told: map[string]bool{}, containers: []container{{name: u.Name}}}
			list.containers(&left, same)
			if text := left.text(); text != "" && !list.ended {
				list.add(Group{Passed: text})
			}
		case u.groups != nil:
			for _, g := range u.groups {
				if list.add(g); list.ended {
					return
				}
			}
		default:
			list.list(l, u.Name)
		}
	}
}

// fileAt returns the name of the file at a place, which is that place if it lies in an image or archive.
func fileAt(place string) string {
	if parts := evidence.Split(place); len(parts) == 1 {
		return parts[0]
	}
	return place
}

// unitForm is the binary form of a unit, and groupForm that of a group.
type (
	unitForm struct {
		Name, Of string
		Closed   bool
		Groups   []groupForm
	}
	groupForm struct {
		Machine, Passed string
		Files           []fileForm
	}
	fileForm struct {
		File File // without its error
		Err  *hive.Problem
	}
)

// MarshalBinary implements [encoding.BinaryMarshaler].
func (u Unit) MarshalBinary() ([]byte, error) {
	form := unitForm{Name: u.Name, Of: u.Of, Closed: u.closed}
	for _, g := range u.groups {
		group := groupForm{Machine: g.Machine, Passed: g.Passed}
		for _, f := range g.Files {
			one := fileForm{File: f}
			if f.Err != nil {
				p := Refusal(f.Path, f.Err)
				one.File.Err, one.Err = nil, &p
			}
			group.Files = append(group.Files, one)
		}
		form.Groups = append(form.Groups, group)
	}
	var to bytes.Buffer
	err := gob.NewEncoder(&to).Encode(form)
	return to.Bytes(), err
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (u *Unit) UnmarshalBinary(data []byte) error {
	var form unitForm
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&form); err != nil {
		return err
	}
	*u = Unit{Name: form.Name, Of: form.Of, closed: form.Closed}
	for _, group := range form.Groups {
		g := Group{Machine: group.Machine, Passed: group.Passed}
		for _, one := range group.Files {
			if one.Err != nil {
				one.File.Err = one.Err
			}
			g.Files = append(g.Files, one.File)
		}
		u.groups = append(u.groups, g)
	}
	return nil
}
