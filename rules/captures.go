package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// Some rules of other projects compare a number that they find in a text. So does the operator captures.

// capture is an expression, and what is asked of the number that its first group finds.
type capture struct {
	re   *regexp.Regexp
	want demand
}

var capturesForm = strict.NewForm(strict.Schema{"type": "object", "minProperties": 1, "additionalProperties": demandForm.Schema},
	func(d *strict.Decoder, n *yaml.Node, what string) (all []capture) {
		for name, value := range d.Pairs(n, what) {
			before := d.Mistakes()
			re := regexpForm.Read(d, name, "an expression of "+what)
			if re.NumSubexp() == 0 && d.Mistakes() == before {
				d.Wrong(name, `an expression of %s has no group; put parentheses around the number, such as ^(\d+)`, what)
			}
			all = append(all, capture{re, numberDemandForm.Read(d, value, "the number in "+what)})
		}
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			d.Wrong(n, `%s has no expression; write one with operators, such as '^(\d+)': {at_least: 5}`, what)
		}
		return all
	})

// captures returns the operator that asks what numbers some expressions find.
func captures(all []capture, fold bool) operator {
	texts := each(all, func(c capture) string { return fmt.Sprintf("with %s in %s", c.want, quoted(c.re.String())) })
	all = slices.Clone(all)
	for i, c := range all {
		all[i].re = foldRegexp(c.re, fold)
	}
	return aString(strings.Join(texts, " and "), func(s string) bool {
		return !slices.ContainsFunc(all, func(c capture) bool { return !c.finds(s) })
	})
}

// finds reports whether the first group finds a number in a text that meets the demand.
func (c capture) finds(text string) bool {
	found := c.re.FindStringSubmatch(text)
	if len(found) < 2 {
		return false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(found[1]), 10, 64)
	if err != nil {
		return false
	}
	answer, err := c.want.ask(hive.NumberValue("", hive.QWord, n), nil)
	return err == nil && answer == yes
}
