// Package evidence opens what an examiner is handed: images of disks and volumes, and archives. Each becomes a tree of folders and files, a
// [Tree], from which hives are read as from any other [fs.FS].
//
// An image is opened by package image, its partitions are listed by package volume, and their filesystems read by packages ntfs and fat. An
// archive is opened by package archive. All of them keep the law of package block: what could not be read or verified is a gap, which is an
// error, and never zeros, "not found" or "missing". Everything is opened for reading only.
package evidence

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"regvet/hive"
	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
	"regvet/hive/evidence/fat"
	"regvet/hive/evidence/image"
	"regvet/hive/evidence/ntfs"
	"regvet/hive/evidence/volume"
)

// Tree is the content of an image or of an archive. Below the root of an image there is a folder for each volume that could be opened, named
// as [Volume.Name] says; an archive is shown as it is.
type Tree struct {
	Kind     string       // "an E01 image", "a zip archive"
	Format   string       // for programs: "e01", "zip"
	Image    *image.Image // nil for an archive
	Table    string       // of an image: "GPT", "MBR", or "" without a partition table
	Volumes  []*Volume    // of an image, in the order of their place; nil for an archive
	Problems []hive.Problem
	Verified []image.Verified // the stored hashes of an image, if [Tree.Verify] was called
	files    files
	read     *counter // nil for an archive
}

// Verify reads the whole of an image and compares it with the hashes that are stored in it. A problem is that it has another hash, or that a gap
// keeps it from being verified; it is nil for an image that stores no hash, and for an archive.
func (t *Tree) Verify() *hive.Problem {
	if t.Image == nil || len(t.Image.Stored) == 0 {
		return nil
	}
	verified, err := t.Image.Verify()
	if err != nil {
		p := *problem(t.Image.Files[0].Name, err)
		p.Msg = "the stored hashes cannot be verified: " + p.Msg
		return &p
	}
	t.Verified = verified
	for _, v := range verified {
		if !v.Matches() {
			return &hive.Problem{Source: t.Image.Files[0].Name, Kind: hive.Gap, Loss: true,
				Msg: fmt.Sprintf("the content has the %s %s, and the image stores %s: the one or the other was changed", v.Name, v.Computed, v.Sum)}
		}
	}
	return nil
}

// counter counts the bytes that are read.
type counter struct {
	block.Reader
	n atomic.Int64
}

func (c *counter) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.Reader.ReadAt(p, at)
	c.n.Add(int64(n))
	return n, err
}

func (c *counter) Locate(at int64) (string, int64) { return block.Locate(c.Reader, at) }

// BytesRead returns how many bytes of the content of an image were read until now.
func (t *Tree) BytesRead() int64 { return t.read.n.Load() }

// Volume is a partition, or the whole of an image that has no partition table.
type Volume struct {
	volume.Part
	Name   string // "p2" for the second entry of the partition table, "v0" for a volume without one
	Kind   string // of its content: "an NTFS volume", "encrypted with BitLocker"; "" if that is not known
	Format string // of a volume that was opened, for programs: "ntfs"
	Label  string
	Serial string
	Err    error // why it could not be opened although it may hold a Windows; nil if it was, or if it can hold none
	files  files // nil if it was not opened

	shadows *shadows
}

// files is a filesystem.
type files interface {
	fs.ReadDirFS
	fs.StatFS
}

// Opened reports whether the files of the volume can be read.
func (v *Volume) Opened() bool { return v.files != nil }

// Open opens an image or an archive in a filesystem, or returns nil if the file is neither, or of a kind that is not read. The files beside it of
// which an image consists are opened too, and no others. shown is what messages call the file, see [Place]. An error is a [*hive.Problem].
func Open(fsys fs.FS, name, shown string) (*Tree, error) {
	f, err := openFile(fsys, name, shown)
	if f == nil || err != nil {
		return nil, nil // reading it as a hive tells why it cannot be opened
	}
	beside := (&siblings{fsys: fsys, name: name, shown: shown}).open
	kind, head, err := kindOfFile(f)
	if err == nil && kind == nil && !archive.IsProgram(head) {
		err = laterOfSplit(f, beside)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	var t *Tree
	switch {
	case kind == nil && archive.IsProgram(head):
		t, err = openArchive(f)
	case kind == nil || kind.Class == Foreign:
	case kind.Class == Image:
		t, err = openImage(f, beside)
	default:
		if t, err = openArchive(f); t == nil && err == nil {
			err = errors.New("begins as an archive does, and is none that can be read; unpack it, and name the folder")
		}
	}
	if err != nil {
		err = problem(shown, err)
	}
	if t == nil {
		f.Close()
	}
	return t, err
}

// laterOfSplit returns the error that a file, which begins as nothing that is known, is a later one of an image in several files, or nil.
func laterOfSplit(f block.File, beside image.Beside) error {
	head, err := block.Read(f, 0, int(min(hive.HeadSize, f.Size())))
	if err != nil || hive.IsHive(head) || len(head) == 0 {
		return nil
	}
	name := image.FirstOfSplit(f, beside)
	if name == "" {
		return nil
	}
	first, err := beside(name)
	if err != nil {
		return nil
	}
	defer first.Close()
	if kind, _, err := kindOfFile(first); err != nil || kind == nil || kind.Class != Image {
		return nil
	}
	return &hive.Problem{Source: f.Name(), Kind: hive.Unreadable, Msg: "is not the first segment of its image: name " + first.Name(), Loss: true}
}

// problem returns an error about a file as a [*hive.Problem] that names it.
func problem(name string, err error) *hive.Problem {
	p, ok := errors.AsType[*hive.Problem](err)
	if !ok {
		return &hive.Problem{Source: name, Kind: hive.Unreadable, Msg: err.Error(), Loss: true}
	}
	known := *p
	known.Source = cmp.Or(known.Source, name)
	return &known
}

// openArchive opens an archive, or returns nil if the file is none.
func openArchive(f block.File) (*Tree, error) {
	a, err := archive.Open(f, archive.Options{})
	if a == nil || err != nil {
		return nil, err
	}
	return &Tree{Kind: a.Kind(), Format: a.Format(), Problems: a.Problems(), files: a}, nil
}

func openImage(f block.File, beside image.Beside) (*Tree, error) {
	img, err := image.Open(f, beside)
	if err == nil && img == nil {
		img, err = image.Raw(f, beside)
	}
	if err != nil {
		return nil, err
	}
	t := &Tree{Kind: img.Kind, Format: img.Format, Image: img, Problems: img.Problems, read: &counter{Reader: img}}
	table, err := volume.List(block.Cached(t.read), img.Sector)
	if err != nil {
		p := *problem(f.Name(), err)
		p.Msg = "which volumes the disk has cannot be said: " + p.Msg
		t.Problems = append(t.Problems, p)
	}
	t.Table = table.Kind
	t.Problems = append(t.Problems, table.Problems...)
	for _, part := range table.Parts {
		v := &Volume{Part: part, Name: "v0", shadows: &shadows{}}
		if table.Kind != "" {
			v.Name = fmt.Sprintf("p%d", part.Number)
		}
		if f := v.open(); f != nil {
			v.files, v.Kind, v.Format, v.Label, v.Serial = f, f.Kind(), f.Format(), f.Label(), f.Serial()
			t.Problems = append(t.Problems, f.Problems()...)
		}
		t.Volumes = append(t.Volumes, v)
	}
	t.files = folder(t.Volumes)
	return t, nil
}

// filesystem is what an opened volume has in common, whatever its format.
type filesystem interface {
	files
	Kind() string
	Format() string
	Label() string
	Serial() string
	Problems() []hive.Problem
}

// open opens the filesystem of the volume, if it is one that can hold a Windows. Else it notes what the volume is, or why it cannot be opened.
func (v *Volume) open() filesystem {
	kind, err := volume.KindOf(v.Part)
	v.Kind = string(kind)
	var f filesystem
	switch kind {
	case volume.NTFS:
		f, err = ntfs.Open(v.Part)
	case volume.FAT, volume.ExFAT:
		f, err = fat.Open(v.Part)
	case volume.BitLocker:
		err = v.locked()
	case volume.LUKS:
		err = refusal("a volume encrypted with LUKS", unlock)
	case volume.ReFS:
		err = refusal("a ReFS volume", mountImage)
	case "":
		if err == nil && v.IsOfWindows() && !v.isBlank() {
			err = block.NewGap(v.Part, 0, "the table calls the partition %s, and no volume that is known starts in it: it is damaged, or encrypted without a sign; what it holds cannot be said", v.Type)
		}
	}
	if err != nil {
		v.Err = err
		return nil
	}
	return f
}

// isBlank reports whether a partition was never formatted: where a volume has its boot sector and the copies of it, there are zeros.
func (v *Volume) isBlank() bool {
	const beginning, end = 64 << 10, 4 << 10
	for _, part := range []struct{ at, size int64 }{{0, min(beginning, v.Size())}, {max(0, v.Size()-end), min(end, v.Size())}} {
		data, err := block.Read(v.Part, part.at, int(part.size))
		if err != nil || len(bytes.Trim(data, "\x00")) > 0 {
			return false
		}
	}
	return true
}

// locked returns the error that a BitLocker volume is encrypted, with what unlocks it.
func (v *Volume) locked() error {
	protectors, err := volume.Protectors(v.Part)
	by := "by " + strings.Join(protectors, " or ")
	switch {
	case err != nil:
		by = "by what, its damaged metadata does not tell"
	case len(protectors) == 0:
		by = "without a protector"
	}
	return &hive.Problem{Kind: hive.Unreadable, Loss: true,
		Msg: fmt.Sprintf("is encrypted with BitLocker, and is not read; unlock it (%s), mount it read-only, and name the folder", by)}
}

// Facts returns what is known about a tree, without the files of an archive: what was unpacked of them takes 16 MB of memory, and a folder can hold
// a thousand archives.
func (t *Tree) Facts() *Tree {
	facts := *t
	if t.Image == nil {
		facts.files = nil
	}
	return &facts
}

// Open implements [fs.FS]. A file in an image that says it is larger than the image is a gap.
func (t *Tree) Open(name string) (fs.File, error) {
	f, err := t.files.Open(name)
	if err != nil || t.Image == nil {
		return f, err
	}
	if info, err := f.Stat(); err == nil && info.Size() > t.Image.Size() {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: block.NewGap(t.Image, 0, "a file says that it has %d bytes, more than the image", info.Size())}
	}
	return f, nil
}

// ReadDir implements [fs.ReadDirFS].
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) { return t.files.ReadDir(name) }

// Stat implements [fs.StatFS].
func (t *Tree) Stat(name string) (fs.FileInfo, error) { return t.files.Stat(name) }

// Sub implements [fs.SubFS]. The tree of a folder has the facts of the whole.
func (t *Tree) Sub(name string) (fs.FS, error) {
	if name == "." {
		return t, nil
	}
	info, err := t.Stat(name)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("is no folder")}
	}
	if err != nil {
		return nil, err
	}
	sub := *t
	sub.files = below{t.files, name}
	return &sub, nil
}

// Volume returns the volume in which a path of an image lies, or nil; a shadow copy lies in its volume.
func (t *Tree) Volume(name string) *Volume {
	first, _, _ := strings.Cut(name, "/")
	first, _, _ = strings.Cut(first, shadowSign)
	for _, v := range t.Volumes {
		if v.Name == first {
			return v
		}
	}
	return nil
}
