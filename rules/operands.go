package rules

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// operand is what stands behind an operator: data, or the name of the value to compare with.
type operand struct {
	Datum
	other string
}

func (o operand) String() string {
	if o.other != "" {
		return "the data of " + ValueName(o.other)
	}
	return o.Datum.String()
}

// demandObject reads operators. Of those that ask how long data are there are fewer, see lengthObject.
var demandObject = strict.Object[Demand]{
	Name: "operators", Doc: "Operators on data, all of which must hold.",
	Empty: noOperator,
	Fields: append(sizes(orOther(numberForm)),
		operator("equals", "The data are this number, text or list. Case counts.", orOther(datumForm), equals),
		operator("not", "The data are anything but this.", orOther(datumForm), not),
		operator("in", "The data are one of these numbers or texts.", datumsForm, in),
		operator("not_in", "The data are none of these numbers or texts.", datumsForm, notIn),
		operator("bits_set", "All of these bits of the number are set.", strict.NumberForm, func(m uint64) Operator {
			return bits(fmt.Sprintf("with the bits %#x set", m), func(n uint64) bool { return n&m == m })
		}),
		operator("bits_clear", "None of these bits of the number is set.", strict.NumberForm, func(m uint64) Operator {
			return bits(fmt.Sprintf("with the bits %#x clear", m), func(n uint64) bool { return n&m == 0 })
		}),
		operator("matches", "The text, or one string of the list, matches this regular expression (RE2). (?i) at its start makes case not count.", regexpForm, func(re *regexp.Regexp) Operator {
			return aString("matching "+quoted(fmt.Sprint(re)), func(s string) bool { return re.MatchString(s) })
		}),
		operator("glob", "The text, or one string of the list, is like this, in which * is any run of characters and ? is one. Case counts.", globForm, func(pattern string) Operator {
			return aString("like "+quoted(pattern), parseGlob(pattern).match)
		}),
		operator("equals_fold", "The data are this text or list. Case does not count.", orOther(textsForm), func(o operand) Operator {
			return comparison(o, o.String()+" in any case", Datum.equalFold, aText, aList)
		}),
		operator("contains", "This stands somewhere in the text, or is a string of the list. Case counts.", orOther(aTextForm), func(o operand) Operator {
			return comparison(o, "with "+o.String(), Datum.contains, aText, aList)
		}),
		operator("contains_all", "Each of these stands somewhere in the text, or is a string of the list. Case counts.", strict.ListOf(strict.TextForm, 1, noStrings), func(all []string) Operator {
			return Operator{text: "with " + strict.List(each(all, quoted), "and"), kinds: []kind{aText, aList}, holds: func(d Datum) bool {
				return !slices.ContainsFunc(all, func(s string) bool { return !d.contains(Datum{kind: aText, text: s}) })
			}}
		}),
		operator("contains_only", "Each string of the list is one of these. Case counts.", strict.ListOf(strict.TextForm, 1, noStrings), func(all []string) Operator {
			return Operator{text: "with nothing but " + strict.List(each(all, quoted), "and"), kinds: []kind{aList}, holds: func(d Datum) bool {
				return !slices.ContainsFunc(d.list, func(s string) bool { return !slices.Contains(all, s) })
			}}
		}),
		operator("ranges", "Each string of the list is a range of numbers such as 4000-4010, and lies within these two.", rangeForm, withinRange),
		operator("apart_from", "No string of the list is a range of numbers such as 4000-4010 that holds one of these two or one between them.", rangeForm, apartFrom),
		operator("length", "How long the data are: characters of text, strings of a list, bytes of all else.", lengthForm, func(q Demand) Operator {
			return Operator{text: "of length " + q.String(), raw: func(v hive.Value) bool {
				answer, _ := q.ask(hive.NumberValue("", hive.QWord, length(v)), nil)
				return answer == yes
			}}
		}),
		operator("bytes", `The data are these bytes, of whatever type, such as "01 00 ff".`, bytesForm, func(b []byte) Operator {
			return Operator{text: "the bytes " + hex.EncodeToString(b), raw: func(v hive.Value) bool { return bytes.Equal(v.Data, b) }}
		}),
	),
}

// lengthObject reads the operators that make sense for a length.
var lengthObject = strict.Object[Demand]{
	Name: "length", Doc: "Operators on a length, all of which must hold.", Empty: noOperator,
	Fields: append([]strict.Field[Demand]{operator("equals", "The length is this.", plain(numberForm), equals)}, sizes(plain(numberForm))...),
}

// sizes are the operators that ask how high a number is.
func sizes(f strict.Form[operand]) []strict.Field[Demand] {
	return []strict.Field[Demand]{
		operator("at_least", "The number is this or higher.", f, limit("at least %s",
			func(a, b uint64) bool { return a >= b }, func(n uint64) numbers { return numbers{{n, math.MaxUint64}} })),
		operator("at_most", "The number is this or lower.", f, limit("at most %s",
			func(a, b uint64) bool { return a <= b }, func(n uint64) numbers { return numbers{{0, n}} })),
		operator("above", "The number is higher than this.", f, limit("above %s",
			func(a, b uint64) bool { return a > b }, func(n uint64) numbers { return numbers{{n, math.MaxUint64}}.and(but(n)) })),
		operator("below", "The number is lower than this.", f, limit("below %s",
			func(a, b uint64) bool { return a < b }, func(n uint64) numbers { return numbers{{0, n}}.and(but(n)) })),
		operator("between", "The number is one of these two or between them.", rangeForm, between),
	}
}

const (
	noOperator = "has no operator; want at_least, at_most, between or equals"
	noStrings  = "names no text"
)

// operator is the field of an operator, which is made of its operand.
func operator[V any](name, doc string, f strict.Form[V], make func(V) Operator) strict.Field[Demand] {
	return strict.May(name, doc, f, func(q *Demand, v V) { *q = append(*q, make(v)) })
}

// comparison is an operator that compares with an operand, of the data of some kinds.
func comparison(o operand, text string, compare func(d, e Datum) bool, kinds ...kind) Operator {
	return Operator{text: text, kinds: kinds, other: o.other, compare: compare, holds: func(d Datum) bool { return compare(d, o.Datum) }}
}

// kindsOf are the kinds of data that an operand can be compared with.
func (o operand) kindsOf() []kind {
	if o.other != "" {
		return []kind{aNumber, aText, aList, someBytes}
	}
	return []kind{o.kind}
}

func equals(o operand) Operator {
	op := comparison(o, o.String(), Datum.equal, o.kindsOf()...)
	if o.other == "" {
		op.datums = []Datum{o.Datum}
		if o.kind == aNumber {
			op.numbers = only(o.number)
		}
	}
	return op
}

func not(o operand) Operator {
	op := comparison(o, "not "+o.String(), func(d, e Datum) bool { return !d.equal(e) }, o.kindsOf()...)
	if o.other == "" && o.kind == aNumber {
		op.numbers = but(o.number)
	}
	return op
}

func in(all []Datum) Operator {
	op := Operator{text: strict.List(each(all, Datum.String), "or"), kinds: kindsIn(all), datums: all}
	op.holds = among(all)
	if slices.Equal(op.kinds, []kind{aNumber}) {
		op.numbers = only(numbersOf(all)...)
	}
	return op
}

func notIn(all []Datum) Operator {
	op := Operator{text: "none of " + strict.List(each(all, Datum.String), "and"), kinds: kindsIn(all)}
	one := among(all)
	op.holds = func(d Datum) bool { return !one(d) }
	if slices.Equal(op.kinds, []kind{aNumber}) {
		op.numbers = but(numbersOf(all)...)
	}
	return op
}

// among returns what reports whether data are one of these numbers and texts.
func among(all []Datum) func(Datum) bool {
	type scalar struct {
		kind   kind
		number uint64
		text   string
	}
	set := make(map[scalar]bool, len(all))
	for _, d := range all {
		set[scalar{d.kind, d.number, d.text}] = true
	}
	return func(d Datum) bool { return set[scalar{d.kind, d.number, d.text}] }
}

// numbersOf gives the numbers of data that are numbers.
func numbersOf(all []Datum) (ns []uint64) {
	for _, d := range all {
		ns = append(ns, d.number)
	}
	return ns
}

// kindsIn gives the kinds of some data.
func kindsIn(all []Datum) (kinds []kind) {
	for _, d := range all {
		if !slices.Contains(kinds, d.kind) {
			kinds = append(kinds, d.kind)
		}
	}
	return kinds
}

// limit makes the operators that compare numbers by size.
func limit(text string, compare func(a, b uint64) bool, set func(n uint64) numbers) func(operand) Operator {
	return func(o operand) Operator {
		op := comparison(o, fmt.Sprintf(text, o), func(d, e Datum) bool { return compare(d.number, e.number) }, aNumber)
		if o.other == "" {
			op.numbers = append(numbers{}, set(o.number)...)
		}
		return op
	}
}

func between(r Range) Operator {
	op := bits(fmt.Sprintf("%d to %d", r.Min, r.Max), func(n uint64) bool { return r.Min <= n && n <= r.Max })
	op.numbers = append(numbers{}, numbers{r}.and(numbers{everything})...)
	return op
}

func bits(text string, holds func(n uint64) bool) Operator {
	return Operator{text: text, kinds: []kind{aNumber}, holds: func(d Datum) bool { return holds(d.number) }}
}

func aString(text string, holds func(s string) bool) Operator {
	return Operator{text: text, kinds: []kind{aText, aList}, holds: func(d Datum) bool {
		return d.kind == aText && holds(d.text) || d.kind == aList && slices.ContainsFunc(d.list, holds)
	}}
}

// contains tells whether text stands in text, or is a string of a list.
func (d Datum) contains(e Datum) bool {
	if d.kind == aList {
		return slices.Contains(d.list, e.text)
	}
	return strings.Contains(d.text, e.text)
}
