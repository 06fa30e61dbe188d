package rules

import (
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// Other scripts show bytes in hex, and compare a number that they find in a text. So do the operators as_hex_text and captures.

// The operators hold operators themselves, which only an init function can say.
func init() {
	beforeFold := slices.IndexFunc(demandObject.Fields, func(f strict.Field[demandDraft]) bool { return f.Name == "fold" })
	demandObject.Fields = slices.Insert(demandObject.Fields, beforeFold,
		operatorField("as_hex_text", "The data, of whatever type, as text: as as_text has it, but what is neither text, a list nor a REG_DWORD as hexadecimal digits, two small ones for each byte. It takes the operators on text.",
			textDemandForm, func(q demand) operator { return converted(q, " as text", asHexText) }),
		textField("captures", "The number, in decimal, that the first group of a regular expression (RE2) finds in the text: the expression, and operators on that number. It does not hold where nothing is found.",
			capturesForm, captures))
}

// asHexText returns the data as text. It is not ok for data that do not fit their type.
func asHexText(v hive.Value, read reader) (hive.Value, bool) {
	if k := kindOf(v.Type); k != aText && k != aList && v.Type != hive.DWord {
		return hive.StringValue(v.Name, hive.SZ, hex.EncodeToString(v.Data)), true
	}
	return asText(v, read)
}

var capturesForm = strict.NewForm(strict.Schema{"type": "object", "minProperties": 1, "additionalProperties": demandForm.Schema},
	func(d *strict.Decoder, n *yaml.Node, what string) map[*regexp.Regexp]demand {
		all := map[*regexp.Regexp]demand{}
		for name, value := range d.Pairs(n, what) {
			before := d.Mistakes()
			re := regexpForm.Read(d, name, "an expression of "+what)
			if re.NumSubexp() == 0 && d.Mistakes() == before {
				d.Wrong(name, `an expression of %s has no group; put parentheses around the number, such as ^(\d+)`, what)
			}
			all[re] = numberDemandForm.Read(d, value, "the number in "+what)
		}
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			d.Wrong(n, `%s has no expression; write one with operators, such as '^(\d+)': {at_least: 5}`, what)
		}
		return all
	})

// captures returns the operator that asks what numbers some expressions find.
func captures(all map[*regexp.Regexp]demand, fold bool) operator {
	numbers := map[*regexp.Regexp]demand{}
	var texts []string
	for re, q := range all {
		texts = append(texts, fmt.Sprintf("with %s in %s", q, quoted(re.String())))
		numbers[foldRegexp(re, fold)] = q
	}
	slices.Sort(texts)
	res := slices.Collect(maps.Keys(numbers))
	return aString(strings.Join(texts, " and "), func(s string) bool {
		return !slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return !finds(re, numbers[re], s) })
	})
}

// finds reports whether the first group of an expression finds a number in a text that meets a demand.
func finds(re *regexp.Regexp, q demand, text string) bool {
	found := re.FindStringSubmatch(text)
	if len(found) < 2 {
		return false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(found[1]), 10, 64)
	if err != nil {
		return false
	}
	answer, err := q.ask(hive.NumberValue("", hive.QWord, n), nil)
	return err == nil && answer == yes
}
