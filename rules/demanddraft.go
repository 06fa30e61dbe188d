package rules

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// demandDraft is a demand while it is read: its operators, and what is said beside them of all of them.
type demandDraft struct {
	operators []func(fold bool) operator
	unsound   bool // there are more operators, with mistakes
	fold      *strict.Located[bool]
	words     *strict.Located[string]
	at, width *strict.Located[uint64]
}

// inAnyCase is the end of the text of an operator for which case does not count.
const inAnyCase = " in any case"

// demand completes the demand, and notes where its parts do not go together.
func (q demandDraft) demand(d *strict.Decoder, what string) (all demand) {
	fold := q.fold != nil && q.fold.V
	for _, make := range q.operators {
		all = append(all, make(fold))
	}
	if q.words != nil {
		q.say(d, all)
	}
	switch {
	case q.unsound && q.at == nil:
	case q.fold != nil && len(all) == 0:
		d.WrongAt(q.fold.At, "fold is for the texts beside it, and there are none; write equals, in, contains or matches as well")
	case q.fold != nil && !slices.ContainsFunc(all, operator.takesText):
		d.WrongAt(q.fold.At, "fold is for texts, and %s compares none; leave it out", what)
	case q.width != nil && q.at == nil:
		d.WrongAt(q.width.At, "width is of the number at a byte of a REG_BINARY; write at beside it, such as at: 0")
	case q.at != nil && len(all) == 0 && !q.unsound:
		d.WrongAt(q.at.At, "at names a number in bytes; say what it must be, such as at: 8, width: 4, equals: 1")
	case q.at != nil:
		part := slot{at: q.at.V, width: 1}
		if q.width != nil {
			part.width = q.width.V
		}
		for i, o := range all {
			switch {
			case !slices.Equal(o.kinds, []kind{aNumber}) || o.other != "":
				d.WrongAt(o.at, "at names a number in bytes, and %s is for something else; write equals, in, at_least, at_most, between or bits_set with numbers", o.name)
			case o.numbers != nil && len(o.numbers.and(part.numbers())) == 0:
				d.WrongAt(o.at, "no number of %s is %s; write a greater width, such as width: 4", byteCount(part.width), o.text)
			}
			o.text += " " + part.String()
			o.part, o.kinds, o.numbers, o.datums = &part, []kind{someBytes}, nil, nil
			all[i] = o
		}
	}
	return all
}

// say has people read words in place of the regular expression among the operators.
func (q demandDraft) say(d *strict.Decoder, all demand) {
	i := slices.IndexFunc(all, operator.isRegexp)
	switch {
	case i < 0 && q.unsound:
	case i < 0:
		d.WrongAt(q.words.At, "words say what a regular expression asks for, and there is none; write matches beside them, or leave them out")
	case slices.ContainsFunc(all[i+1:], operator.isRegexp):
		d.WrongAt(q.words.At, "words say what one regular expression asks for, and there are several; write conditions of their own")
	default:
		all[i].text = q.words.V
	}
}

// takesText reports whether the operator compares texts, so that case may count or not.
func (o operator) takesText() bool {
	return o.program == nil && (slices.Contains(o.kinds, aText) || slices.Contains(o.kinds, aList)) && o.name != "ranges" && o.name != "apart_from"
}

// slot is where in some bytes a number is, with its lowest byte first.
type slot struct{ at, width uint64 }

// widths are how many bytes a number can have.
var widths = []uint64{1, 2, 4, 8}

var widthForm = strict.NewForm(strict.Schema{"enum": widths}, func(d *strict.Decoder, n *yaml.Node, what string) uint64 {
	width := d.Number(n, what)
	if !slices.Contains(widths, width) {
		d.Wrong(n, "a number in bytes has 1, 2, 4 or 8 of them")
		return 1
	}
	return width
})

func byteCount(n uint64) string {
	if n == 1 {
		return "one byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// String returns the place for people.
func (s slot) String() string {
	if s.width == 1 {
		return fmt.Sprintf("in byte %d", s.at)
	}
	return fmt.Sprintf("in bytes %d to %d", s.at, s.at+s.width-1)
}

// numbers returns the numbers that the bytes can hold.
func (s slot) numbers() numbers { return numbers{{0, 1<<(8*s.width) - 1}} }

// number reads the number out of bytes. It fails if they end before it does.
func (s slot) number(d datum) (datum, error) {
	if uint64(len(d.bytes)) < s.width || uint64(len(d.bytes))-s.width < s.at {
		return datum{}, fmt.Errorf("the data have %s; want a number %s", byteCount(uint64(len(d.bytes))), s)
	}
	var eight [8]byte
	copy(eight[:], d.bytes[s.at:s.at+s.width])
	return datum{kind: aNumber, number: binary.LittleEndian.Uint64(eight[:])}, nil
}

// foldIf returns a text as it is compared.
func foldIf(text string, fold bool) string {
	if fold {
		return hive.Fold(text)
	}
	return text
}

// foldRegexp returns a regular expression for which case does not count, if it should not.
func foldRegexp(re *regexp.Regexp, fold bool) *regexp.Regexp {
	if fold {
		return regexp.MustCompile("(?i)" + re.String()) // it was parsed without
	}
	return re
}
