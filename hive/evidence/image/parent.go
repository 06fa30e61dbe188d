package image

import (
	"errors"
	"io/fs"
	"slices"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// kin is what is known of an image from those that build on it.
type kin struct {
	beside Beside
	want   []string // the identifiers of which it must have one, or nil
	seen   []string // the identifiers of those that build on it
}

const mostKin = 64 // images that build on one another; Hyper-V allows 50 checkpoints

// admit returns why the image with an identifier cannot be the one that is wanted.
func (k kin) admit(f block.Reader, id string) error {
	switch {
	case k.want != nil && !slices.Contains(k.want, id):
		return block.NewGap(f, 0, "has the identifier %s, but the image that builds on it wants %s", id, k.want[0])
	case slices.Contains(k.seen, id):
		return block.NewGap(f, 0, "builds on itself")
	case len(k.seen) >= mostKin:
		return block.NewGap(f, 0, "more than %d images build on one another", mostKin)
	}
	return nil
}

// parent opens the image that another builds on: the first of some names beside it that has one of the wanted identifiers. If there is none,
// it is nil and that is told.
func (k kin) parent(i *Image, f block.Reader, names []string, open func(block.File, kin) (*Image, error)) *Image {
	var failed error
	for _, name := range names {
		file, err := k.beside(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			failed = hive.Cause(err)
			continue
		}
		parent, err := open(file, k)
		if err == nil {
			i.Files = append(i.Files, parent.Files...)
			i.Problems = append(i.Problems, parent.Problems...)
			i.close = append(i.close, parent.close...)
			return parent
		}
		file.Close()
		failed = err
	}
	if failed != nil {
		i.lost(f, 0, "is a differencing disk, whose parent cannot be used: %v: what is not in this file cannot be read", failed)
	} else {
		i.lost(f, 0, "is a differencing disk, but its parent %q is not beside it: what is not in this file cannot be read", names)
	}
	return nil
}

// inherited returns what the parent has, if there is one. The entry of the table at an offset says that it has it.
func inherited(parent *Image, f block.Reader, entry, at, size int64) (mappedRun, error) {
	switch {
	case parent == nil:
		return mappedRun{}, block.NewGap(f, entry, "is in the parent of this differencing disk, which is not there")
	case at >= parent.Size():
		return mappedRun{}, block.NewGap(f, entry, "is in the parent of this differencing disk, which ends before")
	}
	return mappedRun{n: min(size, parent.Size()-at), in: parent.Reader, at: at}, nil
}
