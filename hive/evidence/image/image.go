// Package image reads images of disks and volumes: files that hold the content of a disk, plain or in a format of their own.
//
// [Open] tells the format by its signature and returns the content as a [block.Reader], which keeps the law of package block: bytes that the
// image lacks, or that do not match their checksum, are a gap. No field of a header sizes an allocation before it was held against the size of
// the file.
package image

import (
	"io"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Image is the content of a disk or a volume, and what its file tells about it.
type Image struct {
	block.Reader
	Kind     string // "an E01 image"
	Format   string // for programs: "e01", "raw"
	Files    []File // of which the image consists, the one that was opened first
	Sector   int    // bytes in a sector, as the format tells it; 0 if it does not
	Stored   []Hash // of the whole content, as the format stores them
	Facts    []Fact // what whoever made the image wrote into it: the number of the case, say
	Problems []hive.Problem
	close    []io.Closer
	hashed   block.Reader // of what the stored hashes are, if not of the content
}

// File is one of the files of an image.
type File struct {
	Name string // as the user named the image, or the path beside it
	Size int64  // bytes
}

// Hash is a hash of the whole content that is stored in an image.
type Hash struct {
	Name string // "MD5" or "SHA1"
	Sum  string // in hex
}

// Fact is what an image says about itself.
type Fact struct{ Name, Value string }

// Beside opens a file beside the image, by a plain name that the image gives: one that does not lead out of its folder, of a regular file, no
// link. If there is none, the error is [io/fs.ErrNotExist].
type Beside func(name string) (block.File, error)

// Close closes the files of the image.
func (i *Image) Close() error {
	var first error
	for _, c := range i.close {
		if err := c.Close(); first == nil {
			first = err
		}
	}
	return first
}

// Locate returns where the byte at an offset of the content lies, see [block.Locator].
func (i *Image) Locate(at int64) (file string, offset int64) { return block.Locate(i.Reader, at) }

// format is a kind of image.
type format struct {
	name string                       // for programs
	is   func(head, tail []byte) bool // told by the first 4096 bytes of the file and its last sector of 512, or what there is of them
	open func(f block.File, beside Beside) (*Image, error)
}

// formats are tried in this order.
var formats = []format{
	{"e01", isEWF, openEWF},
	{"vhdx", isVHDX, openVHDX},
	{"vdi", isVDI, openVDI},
	{"vmdk", isVMDK, openVMDK},
	{"qcow2", isQCOW2, openQCOW2},
	{"vhd", isVHD, openVHD}, // the last: it is told by the last sector, too
}

// Open returns the content of an image, or nil if the file is of no format that is known here; it may be plain then, see [Raw]. f is
// closed with the image; where there is none, it is the caller's. An error is a [*hive.Problem].
func Open(f block.File, beside Beside) (*Image, error) {
	head, tail := make([]byte, min(4096, f.Size())), make([]byte, min(512, f.Size()))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if _, err := f.ReadAt(tail, f.Size()-int64(len(tail))); err != nil && err != io.EOF {
		return nil, err
	}
	for _, format := range formats {
		if format.is(head, tail) {
			image, err := format.open(f, beside)
			if image != nil {
				image.Format = format.name
			}
			return image, err
		}
	}
	return nil, nil
}
