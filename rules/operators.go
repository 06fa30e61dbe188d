package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// demand is what is asked of data: operators, all of which must hold. An empty one asks for nothing.
type demand []operator

// operator is one question to data.
type operator struct {
	text  string // for people: "at least 50"
	kinds []kind // of data that it can be asked
	holds func(d datum) bool
	raw   func(v hive.Value) bool // in place of both, for a question to the data of any type

	numbers numbers // what it holds for, where it is a question to numbers and these can be listed
	datums  []datum // the only data that it can hold for, where these are few

	other   string // name of the value whose data it compares with, where the rule has none
	compare func(d, other datum) bool
}

// String says for people what is asked: "at least 50", "30 to 300".
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

// numbers gives what the demand leaves of all numbers; not ok where that cannot be told, or where it asks for no number.
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

// nothing tells that no data at all can do, as far as that can be seen from the demand itself.
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

// mayHold tells whether data do, or might: what other values hold is left open.
func (q demand) mayHold(d datum, types []hive.Type) bool {
	answer, err := q.ask(d.value(types), func(string) (hive.Value, truth) { return hive.Value{}, perhaps })
	return err == nil && answer != no
}

// ask holds the data of a value against the demand. It fails where they are of a type that the demand cannot be asked, or do not fit
// their type. The values beside it are given by others, with no for one that is not there.
func (q demand) ask(v hive.Value, others func(name string) (hive.Value, truth)) (truth, error) {
	answer := yes
	for _, o := range q {
		t, err := o.ask(v, others)
		if err != nil {
			return no, err
		}
		answer = min(answer, t)
	}
	return answer, nil
}

func (o operator) ask(v hive.Value, others func(name string) (hive.Value, truth)) (truth, error) {
	if o.raw != nil {
		return toTruth(o.raw(v)), nil
	}
	k := kindOf(v.Type)
	if !slices.Contains(o.kinds, k) {
		return no, fmt.Errorf("%s is not %s", v.Type, plainKinds[o.kinds[0]])
	}
	d, err := read(v, k)
	if err != nil {
		return no, err
	}
	if o.other == "" {
		return toTruth(o.holds(d)), nil
	}
	other, known := others(o.other)
	if known != yes {
		return known, nil
	}
	e, err := read(other, kindOf(other.Type))
	return toTruth(err == nil && e.kind == k && o.compare(d, e)), nil
}

// plainKinds names the kinds of data in messages about values.
var plainKinds = [...]string{aNumber: "a number", aText: "text", aList: "a list of strings", someBytes: "bytes"}

// length is how long the data of a value are: the characters of text without its NUL, the strings of a list, the bytes of all else.
func length(v hive.Value) uint64 {
	d, _ := read(v, kindOf(v.Type))
	switch d.kind {
	case aText:
		return uint64(len(hive.EncodeUTF16(d.text)) / 2)
	case aList:
		return uint64(len(d.list))
	}
	return uint64(len(v.Data))
}
