package image

import (
	"errors"
	"io/fs"
	"path/filepath"

	"regvet/hive/evidence/block"
)

// mostMissing is how many segments in a row are looked past for a later one. Each costs an attempt to open a file that is not there.
const mostMissing = 200

// segments are the files of an image that was cut into several, numbered from 1 and named by a rule.
type segments struct {
	first  string                  // as the user named it
	beside Beside                  // opens the others
	name   func(number int) string // of a segment, in the folder of the first; "" if the rule has none for a number
}

// find returns the next segment that is there, beginning with a number, which is 0 if none is. The error is that of opening it.
func (s segments) find(number int) (block.File, int, error) {
	for n := number; n <= number+mostMissing; n++ {
		name := s.name(n)
		if name == "" {
			break
		}
		f, err := s.beside(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return f, n, err
	}
	return nil, 0, nil
}

// path returns the name of a segment as the user would have written it.
func (s segments) path(number int) string { return besideOf(s.first, s.name(number)) }

// besideOf returns the name of a file beside another, in the folder as that has it.
func besideOf(other, name string) string { return other[:len(other)-len(filepath.Base(other))] + name }
