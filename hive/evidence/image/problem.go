package image

import (
	"fmt"

	"regvet/hive"
	"regvet/hive/evidence/block"
)

// odd is the kind of something that an image should not have, but that kept nothing from being read.
const odd hive.Kind = "odd-image"

// problem returns what is wrong at an offset of a file. All but what is odd is a loss.
func problem(kind hive.Kind, file string, at int64, format string, args ...any) hive.Problem {
	return hive.Problem{Source: file, At: hive.Location{Offset: at}, Kind: kind, Msg: fmt.Sprintf(format, args...), Loss: kind != odd}
}

// lost is the problem of content that cannot be read.
func lost(file string, at int64, format string, args ...any) hive.Problem {
	return problem(block.Gap, file, at, format, args...)
}

// refusal is the error of an image that is not read at all.
func refusal(file string, at int64, format string, args ...any) error {
	p := problem(hive.Unreadable, file, at, format, args...)
	return &p
}

// told returns a problem at an offset of a reader. With loss, it is that of a gap.
func told(r block.Reader, at int64, loss bool, format string, args ...any) hive.Problem {
	kind := odd
	if loss {
		kind = block.Gap
	}
	file, offset := block.Locate(r, at)
	return problem(kind, file, offset, format, args...)
}

// refuse returns the error that an image cannot be read at all, because of what is at an offset of a reader.
func refuse(r block.Reader, at int64, format string, args ...any) error {
	file, offset := block.Locate(r, at)
	return refusal(file, offset, format, args...)
}

// remark adds a problem without loss.
func (i *Image) remark(r block.Reader, at int64, format string, args ...any) {
	i.Problems = append(i.Problems, told(r, at, false, format, args...))
}

// lost adds a problem because of which something cannot be read.
func (i *Image) lost(r block.Reader, at int64, format string, args ...any) {
	i.Problems = append(i.Problems, told(r, at, true, format, args...))
}
