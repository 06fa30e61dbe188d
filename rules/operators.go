package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// demand is what a rule asks of data: operators that must all hold. An empty one asks for nothing.
type demand []operator

// operator is one test of data.
type operator struct {
	name  string        // as a rule writes it
	at    hive.Location // its place in the file
	text  string        // for people: "at least 50"
	kinds []kind        // of data that it can be applied to
	holds func(d datum) bool
	raw   func(v hive.Value, read reader) bool // instead of both, for a test of data of any type

	numbers numbers // the numbers that it holds for, if it tests numbers and they can be listed
	datums  []datum // the only data that it can hold for, if they can be listed
	operand *datum  // what it compares with, if that is one thing of the rule
	fold    bool    // whether case does not count
	shown   demand  // of as_text and as_number: what is asked of what the data become

	listing *listing // the named lists that it compares with, or nil; it may hold for other data on another Windows

	other   string // name of the value to compare with, if it is not compared with data of the rule
	compare func(d, other datum) bool

	part    *slot          // of the bytes, if it tests a number in them
	program *programDemand // instead of holds, for a test of the program of a command line
}

// reader decodes the data of a value: [read] or [readOn].
type reader func(v hive.Value, k kind) (datum, error)

// String returns the demand for people: "at least 50", "30 to 300".
func (q demand) String() string {
	set, ok := q.numbers()
	switch {
	case len(q) == 0:
		return "anything"
	case ok && len(set) == 1:
		return set[0].String()
	}
	return strings.Join(each(q, func(o operator) string { return o.text }), " and ")
}

// numbers returns the numbers that meet the demand. It is not ok if they cannot be listed, or if the demand is not about numbers.
func (q demand) numbers() (set numbers, ok bool) {
	set = numbers{everything}
	for _, o := range q {
		if o.numbers == nil {
			return nil, false
		}
		set = set.and(o.numbers)
	}
	return set, len(q) > 0
}

// nothing reports whether no data can meet the demand, as far as the demand itself shows that.
func (q demand) nothing() bool {
	set := numbers{everything}
	for _, o := range q {
		if o.numbers != nil {
			set = set.and(o.numbers)
		}
	}
	if len(set) == 0 {
		return true
	}
	common := []kind{aNumber, aText, aList, someBytes}
	for _, o := range q {
		if o.raw == nil {
			common = slices.DeleteFunc(common, func(k kind) bool { return !slices.Contains(o.kinds, k) })
		}
	}
	if len(common) == 0 {
		return true
	}
	for _, o := range q {
		if o.datums != nil && !slices.ContainsFunc(o.datums, func(d datum) bool { return q.mayHold(d, nil) }) {
			return true
		}
	}
	return false
}

// mayHold reports whether data meet the demand or might: what depends on other values is left open.
func (q demand) mayHold(d datum, types []hive.Type) bool {
	answer, err := q.ask(d.value(types), nil)
	return err == nil && answer != no
}

// ask returns whether the data of a value meet the demand. It fails if the demand is not for their type, or if they do not fit their type.
// What is beside the value may be nil: nothing is known of that then.
func (q demand) ask(v hive.Value, beside *neighbours) (truth, error) {
	return q.askAs(read, v, beside)
}

// askAs is ask for one way to read the data.
func (q demand) askAs(read reader, v hive.Value, beside *neighbours) (truth, error) {
	answer := yes
	for _, o := range q {
		t, err := o.ask(read, v, beside)
		if err != nil {
			return no, err
		}
		answer = min(answer, t)
	}
	return answer, nil
}

func (o operator) ask(read reader, v hive.Value, beside *neighbours) (truth, error) {
	if o.raw != nil {
		return toTruth(o.raw(v, read)), nil
	}
	k := kindOf(v.Type)
	if !slices.Contains(o.kinds, k) {
		return no, fmt.Errorf("%s is not %s", v.Type, plainKinds[o.kinds[0]])
	}
	d, err := read(v, k)
	if err == nil && o.part != nil {
		d, err = o.part.number(d)
	}
	if err != nil {
		return no, err
	}
	switch {
	case o.program != nil:
		return o.program.ask(d.text, beside), nil
	case o.other == "":
		return toTruth(o.holds(d)), nil
	}
	other, known := beside.value(o.other)
	if known != yes {
		return known, nil
	}
	e, err := read(other, kindOf(other.Type))
	return toTruth(err == nil && e.kind == k && o.compare(d, e)), nil
}

// plainKinds are the names of the kinds of data in messages about values.
var plainKinds = [...]string{aNumber: "a number", aText: "text", aList: "a list of strings", someBytes: "bytes"}

// length returns how long the data of a value are: in characters without the NUL for text, in strings for a list, else in bytes.
func length(v hive.Value, read reader) uint64 {
	d, _ := read(v, kindOf(v.Type))
	switch d.kind {
	case aText:
		return uint64(len(hive.EncodeUTF16(d.text)) / 2)
	case aList:
		return uint64(len(d.list))
	}
	return uint64(len(v.Data))
}
