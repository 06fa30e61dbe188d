package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// isZero returns an error if the first bytes of a reader are not zero, as many as there is room for.
func isZero(r block.Reader, room []byte) error {
	n, err := r.ReadAt(room, 0)
	switch used := len(bytes.TrimLeft(room[:n], "\x00")); {
	case used > 0:
		return block.NewGap(r, int64(n-used), "holds data where the bitmap of the block says that there is none: one of them is damaged")
	case n < len(room):
		return err
	}
	return nil
}

// fieldAt returns n bytes of a structure, which have a name for messages. What lies beyond the end is a gap.
func fieldAt(r block.Reader, at int64, n int, name string) ([]byte, error) {
	if at < 0 || at > r.Size()-int64(n) {
		return nil, block.NewGap(r, min(max(at, 0), r.Size()), "%s lies beyond the end of the file, which was cut off or is damaged", name)
	}
	return block.Read(r, at, n)
}

// remark adds a problem without loss.
func (i *Image) remark(r block.Reader, at int64, format string, args ...any) {
	file, offset := block.Locate(r, at)
	i.Problems = append(i.Problems, hive.Problem{Source: file, At: hive.Location{Offset: offset}, Kind: odd, Msg: fmt.Sprintf(format, args...)})
}

// lost adds a problem because of which something cannot be read.
func (i *Image) lost(r block.Reader, at int64, format string, args ...any) {
	p, _ := errors.AsType[*hive.Problem](block.NewGap(r, at, format, args...))
	i.Problems = append(i.Problems, *p)
}

// claim is a part of a file that a table gives to a block of the disk, or that the format takes for itself, in units of the table.
type claim struct{ start, length uint32 }

// mostClaims bounds the memory that the blocks of a file need, 32 MB: a VHD of 2 TB has a million.
const mostClaims = 1 << 22

// settle returns the starts of the claims that overlap another one, sorted, the largest room between claims up to an end, and how far they
// reach. Blocks never share a place: at least one of the entries that say so is damaged, and none says which.
func settle(claims []claim, end int64) (disputed []uint32, room, reach int64) {
	slices.SortFunc(claims, func(a, b claim) int { return int(int64(a.start) - int64(b.start)) })
	var last claim // of those before, the one that reaches furthest
	for _, c := range claims {
		if int64(c.start) < reach {
			disputed = append(disputed, last.start, c.start)
		}
		room = max(room, int64(c.start)-reach)
		if to := int64(c.start) + int64(c.length); to > reach {
			last, reach = c, to
		}
	}
	slices.Sort(disputed)
	return slices.Compact(disputed), max(room, end-reach), reach
}

// tellReach adds a problem if the blocks of a file of some size reach beyond its end.
func (i *Image) tellReach(f block.Reader, reach, size int64) {
	if reach > size {
		i.lost(f, f.Size(), "the file was cut off, or its tables are damaged: they name blocks up to %#x, and it ends at %#x", reach, size)
	}
}

// isDisputed reports whether a claim was.
func isDisputed(disputed []uint32, start uint32) bool {
	_, found := slices.BinarySearch(disputed, start)
	return found
}

// eachEntry calls each with the entries of a table of n entries of size bytes, as far as they can be read; it ends if that returns false.
func eachEntry(r block.Reader, at, n, size int64, each func(number int64, entry []byte) bool) {
	const chunk = 64 << 10
	data := make([]byte, chunk)
	n = min(n, (r.Size()-at)/size)
	for done := int64(0); done < n; {
		part := data[:min(chunk, (n-done)*size)]
		if read, err := r.ReadAt(part, at+done*size); read < len(part) && err != nil {
			part = part[:0] // they are gaps when they are asked for
		}
		for i := int64(0); i < int64(len(part)); i += size {
			if !each(done+i/size, part[i:][:size]) {
				return
			}
		}
		done += chunk / size
	}
}

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
