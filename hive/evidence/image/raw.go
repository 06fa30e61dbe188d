package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// Raw returns the content of a plain image, which dd and FTK Imager write. If the file is named as the first of several (disk.001, disk.raw.000,
// disk.dd.00, disk.aa: the names of FTK Imager and of split), the others are looked for beside it. All but the last have one size: where one is
// missing or has another size, nothing tells where the content of those after it belongs, and all from there is a gap.
//
// It closes f when the image is closed, or if there is none. An error is a [*hive.Problem].
func Raw(f block.File, beside Beside) (*Image, error) {
	s := &split{}
	i := &Image{Reader: s, Kind: "a raw image", Format: "raw"}
	i.add(f)
	s.add(f)
	base := filepath.Base(f.Name())
	suffix, ok := splitSuffix(base)
	if !ok {
		return i, nil
	}
	stem, number := base[:len(base)-len(suffix)], suffixNumber(suffix)
	first, there := firstOfSplit(beside, stem, suffix)
	switch {
	case there:
		i.Close()
		return nil, refusal(f.Name(), 0, "is not the first segment of its image: name %s", besideOf(f.Name(), first))
	case number > 1 && suffix[0] == '0':
		i.Close()
		return nil, refusal(f.Name(), 0, "is named as a later segment of an image, of which the first is not beside it: bring all of them into one folder and name the first, or give the file another name if it is whole")
	case number > 1 || number == 1 && suffix[0] > '9': // disk.2024, disk.dd
		return i, nil
	}
	s.gather(i, segments{first: f.Name(), beside: beside, name: func(n int) string {
		if next := suffixOf(suffix, number+n-1); next != "" {
			return stem + next
		}
		return ""
	}})
	return i, nil
}

// FirstOfSplit returns the name of the file that is the first of an image in several, of which f is named as a later one, or "".
func FirstOfSplit(f block.File, beside Beside) string {
	base := filepath.Base(f.Name())
	suffix, ok := splitSuffix(base)
	if !ok {
		return ""
	}
	first, _ := firstOfSplit(beside, base[:len(base)-len(suffix)], suffix)
	return first
}

// add makes f a file of the image.
func (i *Image) add(f block.File) {
	i.Files = append(i.Files, File{f.Name(), f.Size()})
	i.close = append(i.close, f)
}

// splitSuffix returns the end of a name that can be the number of a segment: two to four digits or small letters after a point.
func splitSuffix(name string) (string, bool) {
	suffix := name[strings.LastIndexByte(name, '.')+1:]
	if len(suffix) == len(name) || len(suffix) < 2 || len(suffix) > 4 {
		return "", false
	}
	from, to := suffixDigits(suffix)
	return suffix, strings.Trim(suffix, digits[from:to]) == ""
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// suffixDigits returns which of digits a suffix counts with.
func suffixDigits(suffix string) (from, to int) {
	if suffix[0] <= '9' {
		return 0, 10
	}
	return 10, 36
}

func suffixNumber(suffix string) int {
	from, to := suffixDigits(suffix)
	number := 0
	for _, c := range []byte(suffix) {
		number = number*(to-from) + strings.IndexByte(digits[from:to], c)
	}
	return number
}

// suffixOf returns a number in the manner of a suffix, or "" if it is too large for that.
func suffixOf(suffix string, number int) string {
	from, to := suffixDigits(suffix)
	written := make([]byte, len(suffix))
	for i := len(written) - 1; i >= 0; i-- {
		written[i] = digits[from+number%(to-from)]
		number /= to - from
	}
	if number > 0 {
		return ""
	}
	return string(written)
}

// firstOfSplit returns the name of the file that comes first in a split image, if it is there and is not the one with the suffix.
func firstOfSplit(beside Beside, stem, suffix string) (string, bool) {
	for number := range min(2, suffixNumber(suffix)) {
		if suffix[0] > '9' && number > 0 { // letters begin with aa
			break
		}
		name := stem + suffixOf(suffix, number)
		f, err := beside(name)
		if err == nil {
			f.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return name, true
		}
	}
	return "", false
}

// split is the content of files, one after the other.
type split struct {
	parts []part
	size  int64
	gap   *missing // nil if all is there
}

type part struct {
	file block.File
	at   int64 // in the content
}

// missing says from where on it is not known what belongs where.
type missing struct {
	at   int64
	file string // that is missing, or that has another size than the first
	why  string
}

func (s *split) add(f block.File) {
	s.parts = append(s.parts, part{f, s.size})
	s.size += f.Size()
}

// gather adds the later segments. After a gap they only count for the size, so that what lies there is not "beyond the end".
func (s *split) gather(i *Image, names segments) {
	length := s.size // of each segment but the last
	before := s.parts[0].file
	for n := 2; ; n++ {
		f, found, err := names.find(n)
		switch {
		case found == 0:
			return
		case err != nil:
			s.lose(i, names.path(found), fmt.Sprintf("a segment of the image cannot be opened: %v", hive.Cause(err)))
			s.size += length
		case found > n:
			s.lose(i, names.path(n), fmt.Sprintf("a segment of the image is missing, although %s is there", filepath.Base(f.Name())))
			s.size += int64(found-n) * length
		case before.Size() != length:
			s.lose(i, before.Name(), fmt.Sprintf("the segment has %d bytes and the first has %d: where those after it belong is not known; if all are whole, join them with cat", before.Size(), length))
		case f.Size() > length:
			s.lose(i, f.Name(), fmt.Sprintf("the segment has %d bytes and the first has %d: where it belongs is not known; if all are whole, join them with cat", f.Size(), length))
		}
		n = found
		if err != nil {
			continue
		}
		i.add(f)
		s.add(f)
		before = f
	}
}

func (s *split) lose(i *Image, file, why string) {
	if s.gap == nil {
		s.gap = &missing{s.size, file, why}
		i.Problems = append(i.Problems, lost(file, 0, "%s; what the image holds from %#x on cannot be read", why, s.size))
	}
}

func (s *split) Size() int64 { return s.size }

// partOf returns the part of a byte, or nil if it lies in the gap.
func (s *split) partOf(at int64) *part {
	if s.gap != nil && at >= s.gap.at {
		return nil
	}
	return &s.parts[sort.Search(len(s.parts), func(i int) bool { return s.parts[i].at > at })-1]
}

func (s *split) Locate(at int64) (string, int64) {
	p := s.partOf(max(0, at))
	if p == nil {
		return s.gap.file, 0
	}
	return p.file.Name(), at - p.at
}

func (s *split) ReadAt(data []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("read at the negative offset %d", at)
	}
	for n < len(data) {
		here := at + int64(n)
		if here >= s.size {
			return n, io.EOF
		}
		p := s.partOf(here)
		if p == nil {
			return n, block.NewGap(s, here, "%s", s.gap.why)
		}
		want := data[n:min(int64(len(data)), int64(n)+p.at+p.file.Size()-here)]
		got, err := p.file.ReadAt(want, here-p.at)
		n += got
		if got < len(want) {
			return n, block.NewGap(s, here+int64(got), "cannot be read: %v", err)
		}
	}
	return n, nil
}
