package rules

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"regvet/hive"
	"regvet/rules/strict"
)

// datum is decoded data: a number, text, a list of strings, or bytes that are none of these.
type datum struct {
	kind   kind
	number uint64
	text   string
	list   []string
	bytes  []byte
}

type kind uint8

const (
	aNumber kind = iota
	aText
	aList
	someBytes
)

// read decodes the data of a value as one kind of data. It fails if the type is for another kind, or if the bytes do not fit it.
func read(v hive.Value, k kind) (d datum, err error) {
	d.kind = k
	switch k {
	case aNumber:
		d.number, err = v.Uint64()
	case aText:
		d.text, err = v.Text()
	case aList:
		d.list, err = v.Strings()
	case someBytes:
		d.bytes = v.Data
	}
	return d, err
}

// readOn is read for a reader that goes by the length of the data, and not only to where text or a list ends: it sees what is hidden there.
func readOn(v hive.Value, k kind) (datum, error) {
	d, err := read(v, k)
	if hidden := v.Hidden(); hidden != nil && k == aText {
		d.text += "\x00" + strings.Join(hidden, "\x00")
	} else if k == aList {
		d.list = append(d.list, hidden...)
	}
	return d, err
}

// kindOf returns the kind of data that a type is for.
func kindOf(t hive.Type) kind {
	switch t {
	case hive.DWord, hive.DWordBigEndian, hive.QWord:
		return aNumber
	case hive.SZ, hive.ExpandSZ, hive.Link:
		return aText
	case hive.MultiSZ:
		return aList
	}
	return someBytes
}

// String writes the data for people.
func (d datum) String() string {
	switch d.kind {
	case aNumber:
		return fmt.Sprint(d.number)
	case aText:
		return quoted(d.text)
	case aList:
		return cmp.Or(strict.List(each(d.list, quoted), "and"), "an empty list")
	}
	return hex.EncodeToString(d.bytes)
}

// plain returns the data as [hive.Value.Display] writes them.
func (d datum) plain() string { return d.value(nil).Display() }

// quoted returns text in quotes, which show where it ends.
func quoted(s string) string { return `"` + hive.Visible(hive.Printable(s)) + `"` }

// bytesText returns bytes for people.
func bytesText(b []byte) string {
	if len(b) == 0 {
		return "no bytes"
	}
	return "the bytes " + hex.EncodeToString(b)
}

// each returns the results of f for all elements.
func each[T any](all []T, f func(T) string) []string {
	out := make([]string, 0, len(all))
	for _, e := range all {
		out = append(out, f(e))
	}
	return out
}

func (d datum) equal(e datum) bool {
	return d.kind == e.kind && d.number == e.number && d.text == e.text && slices.Equal(d.list, e.list) && bytes.Equal(d.bytes, e.bytes)
}

// equalFold is equal with the case of text ignored.
func (d datum) equalFold(e datum) bool {
	return d.kind == e.kind && hive.EqualFold(d.text, e.text) && slices.EqualFunc(d.list, e.list, hive.EqualFold)
}

// value returns a value with the data, of the first of the types that can hold them. For a type that holds no text, text is read as hex.
func (d datum) value(types []hive.Type) hive.Value {
	for _, t := range types {
		if v, why := d.written(t).as(t); why == "" {
			return v
		}
	}
	for _, t := range []hive.Type{hive.DWord, hive.QWord, hive.SZ, hive.MultiSZ, hive.Binary} {
		if v, why := d.as(t); why == "" {
			return v
		}
	}
	return hive.Value{Type: hive.Binary, Data: d.bytes}
}

// written returns the data as they are meant for a type: if that holds bytes, text is read as hex.
func (d datum) written(t hive.Type) datum {
	if d.kind == aText && kindOf(t) == someBytes {
		if b, err := parseBytes(d.text); err == nil {
			return datum{kind: someBytes, bytes: b}
		}
	}
	return d
}

// as returns a value of a type with the data, or the reason why that type cannot hold them.
func (d datum) as(t hive.Type) (v hive.Value, why string) {
	if kindOf(t) != d.kind {
		return v, fmt.Sprintf("data of a %s must be %s", t, kindNames[kindOf(t)])
	}
	v.Type = t
	switch t {
	case hive.DWord, hive.DWordBigEndian:
		if d.number > math.MaxUint32 {
			return v, fmt.Sprintf("data of a %s must be at most %d", t, uint32(math.MaxUint32))
		}
		v = hive.NumberValue("", hive.DWord, d.number)
		if v.Type = t; t == hive.DWordBigEndian {
			slices.Reverse(v.Data)
		}
	case hive.QWord:
		v = hive.NumberValue("", t, d.number)
	case hive.SZ, hive.ExpandSZ, hive.Link:
		if strings.ContainsRune(d.text, 0) {
			return v, "text in the registry ends at a NUL; the data hold one"
		}
		v = hive.StringValue("", t, d.text)
	case hive.MultiSZ:
		for _, s := range d.list {
			if s == "" || strings.ContainsRune(s, 0) {
				return v, "a string of a REG_MULTI_SZ cannot be empty or hold a NUL: the list ends there"
			}
			v.Data = append(hive.AppendUTF16(v.Data, s), 0, 0)
		}
		v.Data = append(v.Data, 0, 0)
	default:
		v.Data = d.bytes
	}
	return v, ""
}

// kindNames are how a rule writes each kind of data.
var kindNames = [...]string{
	aNumber:   strict.NumberSyntax,
	aText:     "text",
	aList:     "a list of texts",
	someBytes: `bytes in hex, such as "01 ff"`,
}
