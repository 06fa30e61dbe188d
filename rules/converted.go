package rules

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// Rules of other projects often compare what a script shows of a value, whatever its type. So do the operators as_text,
// as_number and as_hex_text.

// The operators hold operators themselves, which only an init function can say.
func init() {
	beforeFold := slices.IndexFunc(demandObject.Fields, func(f strict.Field[demandDraft]) bool { return f.Name == "fold" })
	demandObject.Fields = slices.Insert(demandObject.Fields, beforeFold,
		operatorField("as_text", "The data, of whatever type, as PowerShell shows them: numbers in decimal, a list as its strings with blanks between them, bytes as decimal numbers with blanks between them. It takes the operators on text.",
			textDemandForm, func(q demand) operator { return converted(q, " as text", asText) }),
		operatorField("as_number", "The number that the data are, or that they are in decimal as text. It takes the operators on numbers, and does not hold for other data.",
			numberDemandForm, func(q demand) operator { return converted(q, " as a number", asNumber) }),
		operatorField("as_hex_text", "The data, of whatever type, as text: as as_text has it, but what is neither text, a list nor a REG_DWORD as hexadecimal digits, two small ones for each byte. It takes the operators on text.",
			textDemandForm, func(q demand) operator { return converted(q, " as text", asHexText) }),
		textField("captures", "The number, in decimal, that the first group of a regular expression (RE2) finds in the text: the expression, and operators on that number. It does not hold where nothing is found.",
			capturesForm, captures))
}

// converted returns the operator that asks what the data of a value become. Data that become nothing do not hold.
func converted(q demand, how string, become func(hive.Value, reader) (hive.Value, bool)) operator {
	return operator{text: q.String() + how, shown: q, raw: func(v hive.Value, read reader) bool {
		other, ok := become(v, read)
		if !ok {
			return false
		}
		answer, err := q.ask(other, nil)
		return err == nil && answer == yes
	}}
}

// asText returns the data as text. It is not ok for data that do not fit their type.
func asText(v hive.Value, read reader) (hive.Value, bool) {
	text, ok := shown(v, read)
	return hive.StringValue(v.Name, hive.SZ, text), ok
}

// shown returns the data as PowerShell shows them, but for REG_DWORD from 80000000 on, which it shows with a sign.
func shown(v hive.Value, read reader) (text string, ok bool) {
	d, err := read(v, kindOf(v.Type))
	if err != nil {
		return "", false
	}
	switch d.kind {
	case aNumber:
		return strconv.FormatUint(d.number, 10), true
	case aText:
		return d.text, true
	case aList:
		return strings.Join(d.list, " "), true
	}
	return strings.Join(each(d.bytes, func(b byte) string { return strconv.Itoa(int(b)) }), " "), true
}

// asNumber returns the data as a number. It is not ok where they are none.
func asNumber(v hive.Value, read reader) (hive.Value, bool) {
	text, ok := shown(v, read)
	if !ok || kindOf(v.Type) == someBytes {
		return hive.Value{}, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	return hive.NumberValue(v.Name, hive.QWord, n), err == nil
}

// asHexText returns the data as text. It is not ok for data that do not fit their type.
func asHexText(v hive.Value, read reader) (hive.Value, bool) {
	if k := kindOf(v.Type); k != aText && k != aList && v.Type != hive.DWord {
		return hive.StringValue(v.Name, hive.SZ, hex.EncodeToString(v.Data)), true
	}
	return asText(v, read)
}

// numberDemandForm is operators on a number.
var numberDemandForm = strict.NewForm(demandForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) demand {
	q := demandForm.Read(d, n, what)
	if o, why := (Terms{Types: []hive.Type{hive.QWord}, Data: q}).mistyped(what); why != "" {
		d.WrongAt(o.at, "%s is a number, and %s asks for %s%s", what, o.name, plainKinds[o.kinds[0]], o.instead(aNumber))
	}
	return q
})
