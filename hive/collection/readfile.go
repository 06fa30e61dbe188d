package collection

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence"
	"regvet/hive/evidence/block"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
)

// maxText is the largest size of a .reg file, in bytes. Windows has no limit of its own; offsets fit in 32 bits.
const maxText = 1 << 32

// ReadFile returns the bytes of a hive, .reg file or Registry.pol. A file that is too large to be one is not read. The error is a [*hive.Problem].
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := openFile(fs.FS.Open, fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	most := int64(maxText)
	head, f := peek(f)
	if err := overgrown(fsys, f, name, head); err != nil {
		return nil, err
	}
	if hive.IsHive(head) {
		most = hive.MaxSize
	} else if kind := evidence.KindOf(head, evidence.TailOfFile(f, head)); kind != nil {
		return nil, refusalOf(kind, name)
	} else if polfile.Is(head) {
		most = polfile.MaxSize
	} else if err := noText(f, name, head); err != nil {
		return nil, err
	}
	return hive.ReadFile(f, DisplayName(name), most)
}

const (
	// mostBehind is how many bytes a file in an image or archive may have behind the end of the hive in it. Windows lets a file grow ahead of its hive
	// by much less.
	mostBehind = 64 << 20
	// mostTextInside is how many bytes .reg text may have there. It takes three times as many to hold all of its keys.
	mostTextInside = 64 << 20
)

// overgrown returns the error that a file in an image or archive is far larger than its hive, or than .reg text that can be held, or nil. A file of
// zeros without end takes nothing there, and as much memory as it says here.
func overgrown(fsys fs.FS, f fs.File, name string, head []byte) error {
	if l, ok := fsys.(*Local); !ok || !l.isPlace(name) {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil // reading it says so
	}
	why := ""
	switch claimed := hive.Claimed(head); {
	case claimed != 0 && info.Size() > claimed+mostBehind:
		why = fmt.Sprintf("has %d bytes, of which the hive in it has %d by its base block; copy as many out, and give the copy", info.Size(), claimed)
	case !hive.IsHive(head) && info.Size() > mostTextInside:
		why = fmt.Sprintf("has %d bytes, and of .reg text in an image or archive at most %d are held; copy it out, and give the copy", info.Size(), mostTextInside)
	default:
		return nil
	}
	return &hive.Problem{Kind: hive.Unreadable, Msg: why, Loss: true}
}

// refusalOf returns the problem that a file is an image or archive. Of standard input none is read: its parts are read in any order.
func refusalOf(kind *evidence.Kind, name string) error {
	if name == StandardInput && kind.Class != evidence.Foreign {
		return &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf("is %s, which is not read from there; save it as a file, and give the name of that", kind.Name), Loss: true}
	}
	return kind.Refusal()
}

// mostZeros is how many bytes of a file that begins with zeros are read to see whether it has others.
const mostZeros = 16 << 20

// noText returns the error that a file that begins like this can be no .reg text, or nil. Without it, an image of a kind that is not
// known would be read into memory.
func noText(f fs.File, name string, head []byte) error {
	unknown := func(format string, args ...any) error {
		return &hive.Problem{Kind: hive.Unreadable, Msg: fmt.Sprintf(format, args...), Loss: true}
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		if info, err := f.Stat(); len(head) < hive.HeadSize || err != nil || info.Size() <= mostZeros {
			return nil
		}
		return unknown("begins with %d zeros, so that it is no hive, no .reg text, and no image or archive that can be read", len(head))
	}
	wide := len(head) < 4 || head[0] == 0 && head[2] == 0 || head[1] == 0 && head[3] == 0 // UTF-16 without its mark, which can be mended
	if wide || bytes.IndexByte(head, 0) < 0 || strings.EqualFold(path.Ext(name), ".reg") {
		return nil
	}
	if _, err := (regfile.Options{}).Parse(DisplayName(name), head); err != nil { // the first line decides
		return unknown("is neither a hive nor .reg text, and no image or archive that is known; of an image in several files, name the first")
	}
	return nil
}

// NoContainer returns the file, which is still to be read from its start, or the error that it is an image or an archive, which is not read.
func NoContainer(f fs.File, name string) (fs.File, error) {
	head, f := peek(f)
	if kind := evidence.KindOf(head, evidence.TailOfFile(f, head)); kind != nil {
		return nil, refusalOf(kind, name)
	}
	return f, nil
}

// peek returns the first bytes of a file, and the file with these bytes still in it.
func peek(f fs.File) ([]byte, fs.File) {
	head := make([]byte, hive.HeadSize)
	if at, ok := f.(io.ReaderAt); ok {
		if n, err := at.ReadAt(head, 0); n > 0 || err == io.EOF {
			return head[:n], f
		}
	}
	n, _ := io.ReadFull(f, head) // an error comes again when the rest is read
	return head[:n], peeked{f, io.MultiReader(bytes.NewReader(head[:n]), f)}
}

// peeked is a pipe, or a file of an archive, of which the first bytes were read.
type peeked struct {
	fs.File
	whole io.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.whole.Read(b) }

// openFile opens a file. The error is a [*hive.Problem].
func openFile(open func(fs.FS, string) (fs.File, error), fsys fs.FS, name string) (fs.File, error) {
	f, err := open(fsys, name)
	if err == nil {
		return f, nil
	}
	if p, ok := errors.AsType[*hive.Problem](err); ok && p.Kind == block.Gap {
		err = &hive.Problem{Source: DisplayName(name), Kind: block.Gap, Msg: fmt.Sprintf("cannot be opened: %v", p), Loss: true}
	} else if !ok {
		err = &hive.Problem{Source: DisplayName(name), Kind: hive.Unreadable, Msg: fmt.Sprintf("cannot be opened: %v", hive.Cause(err)), Loss: true}
	}
	return nil, err
}

// openFound opens a file that was found and not named by the user, such as a log beside a hive. It refuses what is not a regular file,
// because opening a pipe would wait. A link that is not followed, in an archive or image, says so itself.
func openFound(fsys fs.FS, name string) (fs.File, error) {
	if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink {
		return nil, refused(name, "it is not a regular file")
	}
	return fsys.Open(name)
}
