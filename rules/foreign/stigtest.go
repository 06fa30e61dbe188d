package foreign

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// stigTest is what the test string of a rule asks of a value: clauses which must all hold or, with any, one of which must.
type stigTest struct {
	clauses []stigClause
	any     bool
}

// stigClause compares with an operator of PowerShell.
type stigClause struct{ operator, text string }

// stigClauses matches a comparison such as '{0}' -ge '6', and stigWords one in words, such as "is set to 0x00000006 (6) or greater".
var (
	stigClauses = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)^\(*\s*["']?\{0\}["']?\s+-(c|i)?(eq|ne|ge|gt|le|lt|match|like)\s+(?:'((?:[^']|'')*)'|"([^"]*)"|([^\s'"()]+))\s*\)*\s*(-and|-or|$)\s*`)
	})
	stigWords = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\bset to "?(0x[0-9a-f]+|\d+)"?(?: \("?(\d+)"?\))? or (greater|more|higher|less|lower|fewer)$`)
	})
)

// parseStigTest returns what a test string asks. It is not ok if that is said in other words, which some stand behind -eq: only numbers are
// compared there.
func parseStigTest(text string) (t stigTest, ok bool) {
	if m := stigWords().FindStringSubmatch(text); m != nil {
		n, _ := stigNumber(m[1], 64)
		if in, err := strconv.ParseUint(m[2], 10, 64); m[2] != "" && (err != nil || in != n) {
			return t, false
		}
		operator := "ge"
		if strings.Contains("less lower fewer", strings.ToLower(m[3])) {
			operator = "le"
		}
		return stigTest{clauses: []stigClause{{operator, strconv.FormatUint(n, 10)}}}, true
	}
	joint := ""
	for more := true; more; {
		m := stigClauses().FindStringSubmatch(text)
		if m == nil {
			return t, false
		}
		operator := strings.ToLower(m[2])
		if strings.EqualFold(m[1], "c") {
			operator = "c" + operator
		}
		c := stigClause{operator, strings.ReplaceAll(m[3], "''", "'") + m[4] + m[5]}
		if operator == "eq" && strings.Trim(c.text, "0123456789|") != "" {
			return t, false
		}
		t.clauses = append(t.clauses, c)
		text = text[len(m[0]):]
		next := strings.ToLower(m[6])
		if more = next != ""; more && joint != "" && next != joint { // which goes first is a matter of brackets
			return t, false
		}
		joint, t.any = next, t.any || next == "-or"
	}
	return t, text == ""
}

// choices returns the texts of which a clause allows any, which the rules write as a regular expression. It is not ok for another one.
func (c stigClause) choices() (all []string, ok bool) {
	text := c.text
	if c.operator != "eq" && c.operator != "match" {
		return nil, false
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "^"), "$")
	if inner, ok := strings.CutPrefix(text, "("); ok && strings.HasSuffix(inner, ")") {
		text = inner[:len(inner)-1]
	}
	return strings.Split(text, "|"), !strings.ContainsAny(text, `\.+*?()[]{}^$`)
}

// stigAsked is what a test asks in the language of regvet.
type stigAsked struct {
	demands []Fields // of which one must hold; none if the value must not be there
	absent  bool     // whether the value may be missing
	first   string   // the first value that is allowed, or ""
}

// ask returns what the test asks of a value of some type, or why that cannot be said. Of a text that is compared by size, it asks the number that
// it is.
func (t stigTest) ask(k stigKind) (a stigAsked, why string) {
	asNumber := k.bits == 0 && slices.ContainsFunc(t.clauses, func(c stigClause) bool { return stigSizes[c.operator] != "" })
	if asNumber {
		k.bits = 64
	}
	var both Fields
	for _, c := range t.clauses {
		demand, gone, first, why := c.ask(k)
		if why != "" {
			return a, why
		}
		a.absent = a.absent || gone
		a.first = cmp.Or(a.first, first)
		if demand != nil && t.any {
			a.demands = append(a.demands, demand)
		} else {
			both = append(both, demand...)
		}
	}
	if both != nil {
		a.demands = []Fields{both}
	}
	if asNumber {
		for i, d := range a.demands {
			a.demands[i] = Fields{{"as_number", d}}
		}
	}
	return a, ""
}

// stigSizes are the operators that compare numbers, by those of PowerShell.
var stigSizes = map[string]string{"ge": "at_least", "gt": "above", "le": "at_most", "lt": "below"}

// ask returns the operators for the clause, nil if it allows nothing but that the value is missing.
func (c stigClause) ask(k stigKind) (demand Fields, gone bool, first, why string) {
	if name := stigSizes[c.operator]; name != "" {
		n, ok := stigNumber(c.text, k.bits)
		if !ok {
			return nil, false, "", fmt.Sprintf("it compares sizes with %.100q, which is no number", c.text)
		}
		if c.operator == "ge" || c.operator == "le" {
			first = c.text
		}
		return Fields{{name, n}}, false, first, ""
	}
	if all, ok := c.choices(); ok {
		return stigChoices(all, k)
	}
	as := func(q Fields) Fields {
		if k.bits > 0 {
			return Fields{{"as_text", q}}
		}
		return q
	}
	switch c.operator {
	case "ne":
		if k.bits > 0 {
			if n, ok := stigNumber(c.text, k.bits); ok {
				return Fields{{"not", n}}, false, "", ""
			}
		}
		return as(folded(Fields{{"not", c.text}}, c.text)), false, "", ""
	case "like":
		return as(folded(Fields{{"glob", c.text}}, c.text)), false, "", ""
	case "match":
		return as(Fields{{"matches", "(?i)" + c.text}}), false, "", ""
	case "cmatch":
		return as(Fields{{"matches", c.text}}), false, "", ""
	}
	return nil, false, "", fmt.Sprintf("its test string compares with -%s %.100q, which regvet does not know", c.operator, c.text)
}

// stigChoices asks for one of these values. ShouldBeAbsent among them says that the value may be missing.
func stigChoices(all []string, k stigKind) (demand Fields, gone bool, first, why string) {
	var values []any
	for _, text := range all {
		if strings.EqualFold(strings.TrimSpace(text), absent) {
			gone = true
			continue
		}
		var value any = text
		if k.bits > 0 {
			n, ok := stigNumber(text, k.bits)
			if !ok {
				return nil, false, "", fmt.Sprintf("it allows %.100q, which is no number of a %s", text, k.name)
			}
			value = n
		}
		if values = append(values, value); first == "" {
			first = text
		}
	}
	switch {
	case len(values) == 0:
		return nil, gone, "", ""
	case len(values) == 1:
		demand = Fields{{"equals", values[0]}}
	default:
		demand = Fields{{"in", values}}
	}
	if k.bits == 0 {
		demand = folded(demand, strings.Join(all, ""))
	}
	return demand, gone, first, ""
}

// allows reports whether an organisation can choose a value.
func (t stigTest) allows(chosen string, k stigKind) bool {
	for _, c := range t.clauses {
		if c.allows(chosen, k) == t.any {
			return t.any
		}
	}
	return !t.any
}

func (c stigClause) allows(chosen string, k stigKind) bool {
	if all, ok := c.choices(); ok {
		for _, one := range all {
			if strings.EqualFold(strings.TrimSpace(one), strings.TrimSpace(chosen)) {
				return true
			}
		}
		return false
	}
	bits := k.bits
	if bits == 0 {
		bits = 64
	}
	n, isNumber := stigNumber(chosen, bits)
	limit, sized := stigNumber(c.text, bits)
	sized = sized && isNumber
	switch c.operator {
	case "ge":
		return sized && n >= limit
	case "gt":
		return sized && n > limit
	case "le":
		return sized && n <= limit
	case "lt":
		return sized && n < limit
	case "ne":
		return !strings.EqualFold(c.text, chosen)
	}
	return true // a pattern, which whoever applies the rule tests
}
