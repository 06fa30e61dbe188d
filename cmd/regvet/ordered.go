package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
)

// smallText is the size in bytes up to which a .reg file is read whole: the fastest way, and no more memory than reading a larger one
// piece by piece takes.
var smallText int64 = 4 << 20

// ordered is a large .reg file that is read key by key, each time that its keys are asked for.
type ordered struct {
	*regfile.Ordered
	close func() error
	err   error // of the reading
}

// loadOrdered reads a large .reg file that can be read key by key, without keeping what it holds. It is for those who go through its
// keys, and ask its registry for no key but the one of the given path. Where the file is to be read in another way, it gives false.
func (c *cli) loadOrdered(path string, key hive.Path) (in *input, done bool) {
	text, close := c.openText(path)
	if text == nil {
		return nil, false
	}
	head := make([]byte, 4)
	_, err := text.ReadAt(head, 0)
	if err != nil || hive.IsHive(head) || [4]byte(head) == [4]byte{} || text.Size() <= smallText {
		close()
		return nil, false
	}
	end := sparing()
	asked := []hive.Path{key}
	if set := c.parsedControlSet; set != "" && set != hive.AllControlSets {
		asked = append(asked, systemPath.Join(set))
	}
	frame := newFrame(asked)
	file, found, err := c.read.ParseOrdered(displayName(path), text, frame.see)
	if rejected, ok := errors.AsType[*hive.Problem](err); ok {
		close()
		c.refuse(path, rejected)
		return nil, true
	}
	if err == nil && c.format == "jsonl" && found.WalkStored() == nil {
		err = regfile.ErrOrder // for lines, which stand in the order of the file
	}
	if err == nil && !frame.full {
		in = frame.input(file, c.parsedControlSet)
	}
	if in == nil {
		end()
		close()
		return nil, false
	}
	in.Path, in.Size = path, text.Size()
	in.ordered = &ordered{Ordered: found, close: close}
	if !c.choose([]*input{in}) {
		close()
		return nil, true
	}
	return in, true
}

// keys gives a walk through all keys of the file in which an error is kept. It is the last that is given.
func (o *ordered) keys(walk iter.Seq2[*hive.Stretch, error]) iter.Seq2[*hive.Stretch, error] {
	return func(yield func(*hive.Stretch, error) bool) {
		for s, err := range walk {
			o.err = err
			if !yield(s, err) {
				return
			}
		}
	}
}

// exportOrdered writes trees of a file that is read while they are written. Where that fails half way, it says so.
func (c *cli) exportOrdered(w io.Writer, in *input, trees []subtree) error {
	err := c.writeOrdered(w, in.ordered, trees)
	switch failed := in.ordered.err; {
	case failed == nil:
		return err
	case errors.Is(failed, regfile.ErrOrder):
		c.refuse(in.Path, errors.New("was changed while it was read; what was written is not all of it, start again"))
	default:
		c.refuse(in.Path, fmt.Errorf("cannot be read to its end, what was written is not all of it: %v", hive.Cause(failed)))
	}
	return errUnread
}

func (c *cli) writeOrdered(w io.Writer, o *ordered, trees []subtree) error {
	walk := o.Walk
	if c.format == "jsonl" {
		walk = o.WalkStored
	}
	var streams []regfile.Stream
	for _, t := range trees {
		streams = append(streams, regfile.Stream{Keys: regfile.StretchesBelow(t.real, o.keys(walk())), At: t.At})
	}
	if c.format == "reg" {
		return regfile.ExportOrdered(w, streams...)
	}
	for _, s := range streams {
		if err := report.OrderedKeys(w, s.Keys, s.At, c.full); err != nil {
			return err
		}
	}
	return nil
}

// frame is the part of a file that the way to some keys depends on: the keys on that way, and on those that Windows may take instead.
type frame struct {
	asked   []hive.Path
	ways    []hive.Path // to these keys; the name * stands for any
	edits   []hive.Edit
	pending bool // a key was noted that is only implied, and none below it yet
	full    bool // there are more than mostFrame
}

const (
	anyName   = "*"
	mostFrame = 50_000 // keys
)

func newFrame(asked []hive.Path) *frame {
	f := &frame{asked: asked, ways: []hive.Path{systemPath.Join(anyName)}}
	for _, path := range asked {
		f.ways = append(f.ways, path)
		switch {
		case path.HasPrefix(systemPath) && len(path) > 2:
			f.ways = append(f.ways, systemPath.Join(anyName).Join(path[3:]...))
		case path.HasPrefix(userPath):
			f.ways = append(f.ways, hive.Path{"HKEY_USERS", anyName}.Join(path[1:]...))
		case path.HasPrefix(hive.Path{"HKEY_CLASSES_ROOT"}):
			f.ways = append(f.ways, hive.Path{"HKEY_LOCAL_MACHINE", "SOFTWARE", "Classes"}.Join(path[1:]...))
		}
	}
	return f
}

// see notes a key, if it is part of the frame. It begins again where it gets nil.
func (f *frame) see(s *hive.Stretch) {
	if s == nil {
		f.edits, f.pending, f.full = nil, false, false
		return
	}
	if f.full || !s.Begins {
		return
	}
	onWay := len(s.Path) == 1 || slices.ContainsFunc(f.ways, func(way hive.Path) bool {
		return len(s.Path) <= len(way) && slices.EqualFunc(s.Path, way[:len(s.Path)], func(name, want string) bool {
			return want == anyName || hive.EqualFold(name, want)
		})
	})
	f.pending = f.pending || onWay
	if !f.pending || s.Implied {
		return // a key that is implied has another below it, the next, and is made on the way to that
	}
	f.pending = false
	path := s.Path.Join()
	f.edits = append(f.edits, hive.Edit{Op: hive.CreateKey, Path: path, At: s.At})
	if path.Equal(systemPath.Join("Select")) {
		for _, v := range s.Values {
			f.edits = append(f.edits, hive.Edit{Op: hive.SetValue, Path: path, Value: v, At: v.At})
		}
	}
	f.full = len(f.edits) > mostFrame
}

// input gives a file with the frame as its registry. It gives nil where a key that is asked for is not there, and may have been lost: what
// that means, only the whole file tells.
func (f *frame) input(file *regfile.File, set string) *input {
	// From behind, so that a key which is made on the way to one below it is implied until an edit names it.
	slices.Reverse(f.edits)
	file.Edits = f.edits
	in := &input{text: file, root: file.Tree(), reg: hive.NewRegistry()}
	in.Format = "reg"
	in.reg.Mount(nil, in.root)
	if !slices.ContainsFunc(file.Problems, func(p hive.Problem) bool { return p.Loss }) {
		return in
	}
	reg := in.reg.WithControlSet(set)
	for _, path := range f.asked {
		if len(path) > 0 && !slices.ContainsFunc(reg.Find(path), func(m hive.Match) bool { return m.Key != nil }) {
			return nil
		}
	}
	return in
}
