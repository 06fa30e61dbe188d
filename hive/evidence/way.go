package evidence

import (
	"slices"
	"time"

	"regvet/hive/evidence/image"
)

// Step is one step of the way to a file in the evidence: an image or archive, a partition, a filesystem.
type Step struct {
	Kind string // for programs: "e01", "zip", "partition", "ntfs"

	// Of an image or archive:
	Path     string // its place
	Size     int64  // of the content of an image, or of a partition, in bytes; 0 if not known
	Segments int    // the files of which an image consists
	MD5      string // of the content, as the image stores it; "" if it does not
	SHA1     string // likewise
	Verified *bool  // whether the content has these; nil if that was not asked

	Number  int       // of a partition in its table, or of a shadow copy
	Offset  int64     // of a partition in the image, in bytes
	Created time.Time // of a shadow copy, UTC

	// Of a filesystem:
	Label, Serial string
}

// Way returns the steps to a file of the tree, which was opened at a place.
func (t *Tree) Way(place, name string) []Step {
	first := Step{Kind: t.Format, Path: place}
	if t.Image == nil {
		return []Step{first}
	}
	first.Size, first.Segments = t.Image.Size(), len(t.Image.Files)
	for _, h := range t.Image.Stored {
		switch h.Name {
		case "MD5":
			first.MD5 = h.Sum
		case "SHA1":
			first.SHA1 = h.Sum
		}
	}
	if len(t.Verified) > 0 {
		matches := !slices.ContainsFunc(t.Verified, func(v image.Verified) bool { return !v.Matches() })
		first.Verified = &matches
	}
	way := []Step{first}
	v := t.Volume(name)
	if v == nil {
		return way
	}
	if t.Table != "" {
		way = append(way, Step{Kind: "partition", Number: v.Number, Offset: v.Offset, Size: v.Size()})
	}
	if s := v.shadowOf(name); s != nil {
		way = append(way, Step{Kind: "vss", Number: s.Number, Created: s.Created})
	}
	return append(way, Step{Kind: v.Format, Label: v.Label, Serial: v.Serial})
}
