package collection

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
)

// Ordered is a large .reg file that is not held in memory. It is read again, key by key, for each walk through its keys.
type Ordered struct {
	*regfile.Ordered
	close func() error
	err   error // of the last walk
}

// SmallText is the size in bytes up to which a .reg file is better read whole: that is faster, and takes no more memory than reading a larger
// file key by key.
const SmallText = 4 << 20

// OpenOrdered opens a .reg file of more than least bytes whose order allows reading it key by key. The input is for a walk through its keys:
// its registry holds only what leads to the given key, in the control set named set unless that is "". With stored, the order must also allow a
// walk in the order of the file. If the file must be read whole, by [Open], both results are nil. The caller must close the input's Ordered.
func OpenOrdered(fsys fs.FS, name string, key hive.Path, set string, stored bool, least int64, o Options) (in *Opened, refused []hive.Problem) {
	text, close := section(fsys, name)
	if text == nil {
		return nil, nil
	}
	defer func() {
		if in == nil {
			close()
		}
	}()
	head := make([]byte, hive.HeadSize)
	n, _ := text.ReadAt(head, 0)
	if n < 4 || hive.IsHive(head[:n]) || polfile.Is(head[:n]) || [4]byte(head) == [4]byte{} || text.Size() <= least {
		return nil, nil
	}
	if evidence.KindOf(head[:n], nil) != nil {
		return nil, nil // opening it says what it is
	}
	asked := []hive.Path{key}
	if set != "" && set != hive.AllControlSets {
		asked = append(asked, systemPath.Join(set))
	}
	frame := newFrame(asked)
	file, found, err := o.Text.ParseOrdered(DisplayName(name), text, frame.see)
	if rejected, ok := errors.AsType[*hive.Problem](err); ok {
		return nil, []hive.Problem{Refusal(name, rejected)}
	}
	if err == nil && stored && found.WalkStored() == nil {
		err = regfile.ErrOrder
	}
	if err != nil || frame.full {
		return nil, nil
	}
	if in = frame.input(file, set); in == nil {
		return nil, nil
	}
	in.Path, in.Size = name, text.Size()
	in.Ordered = &Ordered{Ordered: found, close: close}
	return in, nil
}

// section opens a regular file that can be read at any offset. For any other file it returns nil; reading that whole reports what is wrong
// with it.
func section(fsys fs.FS, name string) (text *io.SectionReader, close func() error) {
	if info, err := fs.Stat(fsys, name); err != nil || !info.Mode().IsRegular() {
		return nil, nil // do not open a pipe here, because it can be opened only once
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil
	}
	info, err := f.Stat()
	at, ok := f.(io.ReaderAt)
	if err == nil && ok && info.Mode().IsRegular() && info.Size() <= maxText {
		start := int64(0)
		if s, ok := f.(io.Seeker); ok { // standard input can be a file that was already read in part
			start, err = s.Seek(0, io.SeekCurrent)
		}
		if err == nil && start <= info.Size() {
			return io.NewSectionReader(at, start, info.Size()-start), f.Close
		}
	}
	f.Close()
	return nil, nil
}

// OpenText opens a .reg file that can be read in pieces, and more than once. If it is not a regular file, it is read into memory. The error
// is a [*hive.Problem].
func OpenText(fsys fs.FS, name string) (text *io.SectionReader, close func() error, err error) {
	if text, close = section(fsys, name); text != nil {
		head := make([]byte, hive.HeadSize)
		n, _ := text.ReadAt(head, 0)
		if kind := evidence.KindOf(head[:n], evidence.Tail(text, text.Size(), head[:n])); kind != nil {
			close()
			return nil, nil, refusalOf(kind, name)
		}
		return text, close, nil
	}
	data, err := ReadFile(fsys, name)
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), func() error { return nil }, err
}

// Close closes the file.
func (o *Ordered) Close() { o.close() }

// Keys returns walk, a walk through the keys of the file, and keeps the error that ends it for [Ordered.Err].
func (o *Ordered) Keys(walk iter.Seq2[*hive.Stretch, error]) iter.Seq2[*hive.Stretch, error] {
	return func(yield func(*hive.Stretch, error) bool) {
		for s, err := range walk {
			o.err = err
			if !yield(s, err) {
				return
			}
		}
	}
}

// Err returns why the last walk through the keys ended before its end, or nil.
func (o *Ordered) Err() error {
	switch {
	case o.err == nil:
		return nil
	case errors.Is(o.err, regfile.ErrOrder):
		return errors.New("was changed while it was read, so the output is not complete; run the command again")
	}
	return fmt.Errorf("cannot be read to its end, so the output is not complete: %v", hive.Cause(o.err))
}

// frame is the part of a file that finding some keys depends on: the keys on the path to each, and on the paths that Windows may take
// instead.
type frame struct {
	asked   []hive.Path
	ways    []hive.Path // the paths to these keys; see [hive.Ways]
	edits   []hive.Edit
	pending bool // an implied key is part of the frame, and no key below it was recorded yet
	full    bool // the frame has more than mostFrame keys
}

const mostFrame = 50_000 // keys, and values of Select

func newFrame(asked []hive.Path) *frame {
	f := &frame{asked: asked, ways: []hive.Path{systemPath.Join(hive.AnyName)}}
	for _, path := range asked {
		f.ways = append(f.ways, hive.Ways(path)...)
	}
	return f
}

// see records a key if it is part of the frame. nil means that the file is read again from its start.
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
			return want == hive.AnyName || hive.EqualFold(name, want)
		})
	})
	f.pending = f.pending || onWay
	if !f.pending || s.Implied {
		return // the key below it follows, and creating that creates this one
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

// input returns a file with the frame as its registry. It returns nil if a key that was asked for is absent and may have been lost: what that
// means can only be seen in the whole file.
func (f *frame) input(file *regfile.File, set string) *Opened {
	// In reverse, so that a key created for one below it stays implied until an edit names it.
	slices.Reverse(f.edits)
	file.Edits = f.edits
	in := &Opened{}
	in.setText(file)
	if !slices.ContainsFunc(file.Problems, func(p hive.Problem) bool { return p.Loss }) {
		return in
	}
	reg := in.Registry.WithControlSet(set)
	for _, path := range f.asked {
		if len(path) > 0 && !slices.ContainsFunc(reg.Find(path), func(m hive.Match) bool { return m.Key != nil }) {
			return nil
		}
	}
	return in
}
