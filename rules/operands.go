package rules

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// operand is what an operator compares with: data, or another value by its name.
type operand struct {
	datum
	other string
}

func (o operand) String() string {
	if o.other != "" {
		return "the data of " + ValueName(o.other)
	}
	return o.datum.String()
}

// demandObject reads operators on data. For lengths there are fewer, see lengthObject.
var demandObject = strict.Object[demandDraft]{
	Name: "operators", Doc: "Operators on data, all of which must hold. In texts case counts, unless fold is beside them.",
	Empty: noOperator,
	Fields: append(sizes(orOther(numberForm)),
		textField("equals", "The data are this number, text or list. Case counts.", orOther(datumForm), equals),
		textField("not", "The data are anything but this.", orOther(datumForm), not),
		textField("in", "The data are one of these numbers or texts, or in this list.", orList(datumsForm), in),
		textField("not_in", "The data are none of these numbers or texts, or not in this list.", orList(datumsForm), notIn),
		operatorField("bits_set", "All of these bits of the number are set.", strict.NumberForm, func(m uint64) operator {
			return bits(fmt.Sprintf("with the bits %#x set", m), func(n uint64) bool { return n&m == m })
		}),
		operatorField("bits_clear", "None of these bits of the number is set.", strict.NumberForm, func(m uint64) operator {
			return bits(fmt.Sprintf("with the bits %#x clear", m), func(n uint64) bool { return n&m == 0 })
		}),
		textField("matches", "The text, or one string of the list, matches this regular expression (RE2).", regexpForm, func(re *regexp.Regexp, fold bool) operator {
			return aString(matching(re, fold, ""), foldRegexp(re, fold).MatchString)
		}),
		textField("any_matches", "One string of the list, at least, matches this regular expression (RE2).", regexpForm, func(re *regexp.Regexp, fold bool) operator {
			folded := foldRegexp(re, fold)
			return aListOf(matching(re, fold, "with one string"), func(list []string) bool { return slices.ContainsFunc(list, folded.MatchString) })
		}),
		textField("all_match", "Each string of the list matches this regular expression (RE2).", regexpForm, func(re *regexp.Regexp, fold bool) operator {
			folded := foldRegexp(re, fold)
			return aListOf(matching(re, fold, "with each string"), func(list []string) bool {
				return !slices.ContainsFunc(list, func(s string) bool { return !folded.MatchString(s) })
			})
		}),
		textField("none_matches", "No string of the list matches this regular expression (RE2).", regexpForm, func(re *regexp.Regexp, fold bool) operator {
			folded := foldRegexp(re, fold)
			return aListOf(matching(re, fold, "with no string"), func(list []string) bool { return !slices.ContainsFunc(list, folded.MatchString) })
		}),
		textField("glob", "The text, or one string of the list, is like this, in which * is any run of characters and ? is one.", globForm, func(pattern string, fold bool) operator {
			g := parseGlob(pattern)
			return aString("like "+quoted(pattern), func(s string) bool { return g.match(s, fold) })
		}),
		operatorField("equals_fold", "The same as equals with fold: true, for texts and lists.", orOther(textsForm), func(o operand) operator {
			op := comparison(o, o.String()+inAnyCase, datum.equalFold, aText, aList)
			op.fold = true
			return op
		}),
		textField("contains", "This stands somewhere in the text, or is a string of the list.", orOther(aTextForm), func(o operand, fold bool) operator {
			return comparison(o, "with "+o.String(), func(d, e datum) bool { return d.contains(e, fold) }, aText, aList)
		}),
		textField("contains_all", "Each of these stands somewhere in the text, or is a string of the list.", strict.ListOf(strict.TextForm, 1, noStrings), func(all []string, fold bool) operator {
			return operator{text: "with " + strict.List(each(all, quoted), "and"), kinds: []kind{aText, aList}, holds: func(d datum) bool {
				return !slices.ContainsFunc(all, func(s string) bool { return !d.contains(datum{kind: aText, text: s}, fold) })
			}}
		}),
		textField("only", "Each string of the list is one of these. With a named list of the pack case does not count, and a text is a list, too, of what stands between its commas.",
			orList(strict.ListOf(strict.TextForm, 1, noStrings)), only),
		textField("contains_only", "The older name of only.", orList(strict.ListOf(strict.TextForm, 1, noStrings)), only),
		operatorField("ranges", "Each string of the list is a range of numbers such as 4000-4010, and lies within these two.", rangeForm, withinRange),
		operatorField("apart_from", "No string of the list is a range of numbers such as 4000-4010 that holds one of these two or one between them.", rangeForm, apartFrom),
		operatorField("program", "What the data, a command line, have Windows start: which program, from which folder, with which arguments.", programForm, func(p programDemand) operator {
			return operator{text: p.String(), kinds: []kind{aText}, program: &p}
		}),
		operatorField("length", "How long the data are: characters of text, strings of a list, bytes of all else.", lengthForm, func(q demand) operator {
			return operator{text: "of length " + q.String(), raw: func(v hive.Value, read reader) bool {
				answer, _ := q.ask(hive.NumberValue("", hive.QWord, length(v, read)), nil)
				return answer == yes
			}}
		}),
		operatorField("bytes", `The data are these bytes, of whatever type, such as "01 00 ff".`, bytesForm, func(b []byte) operator {
			return operator{text: bytesText(b), operand: &datum{kind: someBytes, bytes: b}, raw: func(v hive.Value, _ reader) bool { return bytes.Equal(v.Data, b) }}
		}),
		strict.May("fold", "Whether case does not count in all texts beside it, as in names of the registry. In regular expressions it is (?i).",
			strict.Placed(strict.BoolForm), func(q *demandDraft, fold strict.Located[bool]) { q.fold = &fold }),
		strict.May("words", "What the regular expression beside it asks for, in words that people read in its place and that follow \"is\": the csrss.exe of Windows.",
			strict.Placed(strict.TextForm), func(q *demandDraft, words strict.Located[string]) { q.words = &words }),
		strict.May("at", "The operators beside it are for the number that begins at this byte of a REG_BINARY, counted from 0, with its lowest byte first.",
			strict.Placed(strict.NumberForm), func(q *demandDraft, at strict.Located[uint64]) { q.at = &at }),
		strict.May("width", "How many bytes the number at that place has: 1, unless this says 2, 4 or 8.",
			strict.Placed(widthForm), func(q *demandDraft, width strict.Located[uint64]) { q.width = &width }),
	),
}

// lengthObject reads the operators that make sense for a length.
var lengthObject = strict.Object[demandDraft]{
	Name: "length", Doc: "Operators on a length, all of which must hold.", Empty: noOperator,
	Fields: append([]strict.Field[demandDraft]{textField("equals", "The length is this.", plain(numberForm), equals)}, sizes(plain(numberForm))...),
}

// sizes returns the operators that compare a number by size.
func sizes(f strict.Form[operand]) []strict.Field[demandDraft] {
	return []strict.Field[demandDraft]{
		operatorField("at_least", "The number is this or higher.", f, limit("at least %s",
			func(a, b uint64) bool { return a >= b }, func(n uint64) numbers { return numbers{{n, math.MaxUint64}} })),
		operatorField("at_most", "The number is this or lower.", f, limit("at most %s",
			func(a, b uint64) bool { return a <= b }, func(n uint64) numbers { return numbers{{0, n}} })),
		operatorField("above", "The number is higher than this.", f, limit("above %s",
			func(a, b uint64) bool { return a > b }, func(n uint64) numbers { return numbers{{n, math.MaxUint64}}.and(but(n)) })),
		operatorField("below", "The number is lower than this.", f, limit("below %s",
			func(a, b uint64) bool { return a < b }, func(n uint64) numbers { return numbers{{0, n}}.and(but(n)) })),
		operatorField("between", "The number is one of these two or between them.", rangeForm, between),
	}
}

const (
	noOperator = "has no operator; want at_least, at_most, between or equals"
	noStrings  = "names no text"
)

// operatorField returns the field of an operator, which is made from its operand.
func operatorField[V any](name, doc string, f strict.Form[V], make func(V) operator) strict.Field[demandDraft] {
	return textField(name, doc, f, func(v V, _ bool) operator { return make(v) })
}

// textField returns the field of an operator that may compare texts, with or without case.
func textField[V any](name, doc string, f strict.Form[V], make func(v V, fold bool) operator) strict.Field[demandDraft] {
	return strict.May(name, doc, strict.Placed(f), func(q *demandDraft, v strict.Located[V]) {
		if !v.Sound {
			q.unsound = true
			return
		}
		q.operators = append(q.operators, func(fold bool) operator {
			o := make(v.V, fold)
			if o.name, o.at, o.fold = name, v.At, o.fold || fold; fold && o.takesText() {
				o.text += inAnyCase
			}
			return o
		})
	})
}

// comparison returns an operator that compares data of some kinds with an operand.
func comparison(o operand, text string, compare func(d, e datum) bool, kinds ...kind) operator {
	op := operator{text: text, kinds: kinds, other: o.other, compare: compare, holds: func(d datum) bool { return compare(d, o.datum) }}
	if o.other == "" {
		op.operand = &o.datum
	}
	return op
}

// kindsOf returns the kinds of data that can be compared with the operand.
func (o operand) kindsOf() []kind {
	if o.other != "" {
		return []kind{aNumber, aText, aList, someBytes}
	}
	return []kind{o.kind}
}

func equals(o operand, fold bool) operator {
	op := comparison(o, o.String(), sameness(fold), o.kindsOf()...)
	if o.other == "" {
		if op.datums = []datum{o.datum}; o.kind == aNumber {
			op.numbers = single(o.number)
		}
	}
	return op
}

func not(o operand, fold bool) operator {
	same := sameness(fold)
	op := comparison(o, "not "+o.String(), func(d, e datum) bool { return !same(d, e) }, o.kindsOf()...)
	if o.other == "" && o.kind == aNumber {
		op.numbers = but(o.number)
	}
	return op
}

// sameness returns how data are compared with others.
func sameness(fold bool) func(d, e datum) bool {
	if fold {
		return datum.equalFold
	}
	return datum.equal
}

func in(of textsOrLists[[]datum], fold bool) operator {
	if of.lists != nil {
		return listed(of.lists, "one of ", []kind{aText}, func(d datum, in func(string) bool) bool { return in(d.text) })
	}
	all := of.here
	op := operator{text: strict.List(each(all, datum.String), "or"), kinds: kindsIn(all), datums: all}
	op.holds = among(all, fold)
	if slices.Equal(op.kinds, []kind{aNumber}) {
		op.numbers = single(numbersOf(all)...)
	}
	return op
}

func notIn(of textsOrLists[[]datum], fold bool) operator {
	if of.lists != nil {
		return listed(of.lists, "none of ", []kind{aText}, func(d datum, in func(string) bool) bool { return !in(d.text) })
	}
	all := of.here
	op := operator{text: "none of " + strict.List(each(all, datum.String), "and"), kinds: kindsIn(all)}
	one := among(all, fold)
	op.holds = func(d datum) bool { return !one(d) }
	if slices.Equal(op.kinds, []kind{aNumber}) {
		op.numbers = but(numbersOf(all)...)
	}
	return op
}

// only returns the operator that no item of the data is another than these.
func only(of textsOrLists[[]string], fold bool) operator {
	only := func(d datum, in func(string) bool) bool {
		return !slices.ContainsFunc(d.items(), func(s string) bool { return !in(s) })
	}
	if of.lists != nil {
		return listed(of.lists, "with nothing but ", []kind{aList, aText}, only)
	}
	known := make(map[string]bool, len(of.here))
	for _, s := range of.here {
		known[foldIf(s, fold)] = true
	}
	return aListOf("with nothing but "+strict.List(each(of.here, quoted), "and"), func(list []string) bool {
		return !slices.ContainsFunc(list, func(s string) bool { return !known[foldIf(s, fold)] })
	})
}

// among returns a function that reports whether data are one of these numbers and texts.
func among(all []datum, fold bool) func(datum) bool {
	type scalar struct {
		kind   kind
		number uint64
		text   string
	}
	set := make(map[scalar]bool, len(all))
	for _, d := range all {
		set[scalar{d.kind, d.number, foldIf(d.text, fold)}] = true
	}
	return func(d datum) bool { return set[scalar{d.kind, d.number, foldIf(d.text, fold)}] }
}

// numbersOf returns the numbers of some data, all of which are numbers.
func numbersOf(all []datum) (ns []uint64) {
	for _, d := range all {
		ns = append(ns, d.number)
	}
	return ns
}

// kindsIn returns the kinds of some data.
func kindsIn(all []datum) (kinds []kind) {
	for _, d := range all {
		if !slices.Contains(kinds, d.kind) {
			kinds = append(kinds, d.kind)
		}
	}
	return kinds
}

// limit returns the constructor of an operator that compares numbers by size.
func limit(text string, compare func(a, b uint64) bool, set func(n uint64) numbers) func(operand) operator {
	return func(o operand) operator {
		op := comparison(o, fmt.Sprintf(text, o), func(d, e datum) bool { return compare(d.number, e.number) }, aNumber)
		if o.other == "" {
			op.numbers = append(numbers{}, set(o.number)...)
		}
		return op
	}
}

func between(r interval) operator {
	op := bits(fmt.Sprintf("%d to %d", r.Min, r.Max), func(n uint64) bool { return r.Min <= n && n <= r.Max })
	op.numbers = append(numbers{}, numbers{r}.and(numbers{everything})...)
	return op
}

func bits(text string, holds func(n uint64) bool) operator {
	return operator{text: text, kinds: []kind{aNumber}, holds: func(d datum) bool { return holds(d.number) }}
}

func aString(text string, holds func(s string) bool) operator {
	return operator{text: text, kinds: []kind{aText, aList}, holds: func(d datum) bool {
		return d.kind == aText && holds(d.text) || d.kind == aList && slices.ContainsFunc(d.list, holds)
	}}
}

func aListOf(text string, holds func(list []string) bool) operator {
	return operator{text: text, kinds: []kind{aList}, holds: func(d datum) bool { return holds(d.list) }}
}

// contains reports whether the data, as text, contain the text of e, or as a list have it as a string.
func (d datum) contains(e datum, fold bool) bool {
	part := foldIf(e.text, fold)
	if d.kind == aList {
		return slices.ContainsFunc(d.list, func(s string) bool { return foldIf(s, fold) == part })
	}
	return strings.Contains(foldIf(d.text, fold), part)
}
