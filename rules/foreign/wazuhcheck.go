package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// wazuhCheck is a check, or the requirements.
type wazuhCheck struct {
	line                                            int
	id, title, rationale, remediation, word, engine string
	references, tags, levels                        []string
	rules                                           []wazuhRule
	tooMany                                         bool
}

// maxWazuhRules is how many rules a check may have: the language takes no more conditions.
const maxWazuhRules = 250

// check reads a check.
func (w *wazuh) check(n *yaml.Node) *wazuhCheck {
	parts := w.mapping(n, "a check")
	c := &wazuhCheck{line: n.Line, id: w.text(parts["id"]), title: w.text(parts["title"]), word: w.text(parts["condition"]), engine: w.engine}
	if own := w.text(parts["regex_type"]); own != "" {
		c.engine = own
	}
	switch {
	case c.engine == "pcre2":
	case c.engine == "" && c.title == "" && parts["name"] != nil:
		c.engine = "pcre2 of 5.0"
	default:
		c.engine = "osregex"
	}
	if c.title == "" {
		c.title = w.text(parts["name"])
	}
	c.rationale, c.remediation, c.references = w.text(parts["rationale"]), w.text(parts["remediation"]), w.texts(parts["references"])
	c.levels = cisLevels(n.HeadComment + " " + c.title)
	c.tags = append([]string{"wazuh"}, w.compliance(parts["compliance"])...)
	if m := parts["mitre"]; m != nil && m.Kind == yaml.MappingNode {
		mitre := w.mapping(m, "mitre")
		for _, kind := range []string{"technique", "subtechnique"} {
			if t := mitre[kind]; t != nil && t.Kind == yaml.MappingNode {
				for _, id := range w.texts(w.mapping(t, kind)["id"]) {
					c.tag("attack", id)
				}
			}
		}
	}
	c.word = strings.TrimSuffix(c.word, " required")
	written := w.texts(parts["rules"])
	c.tooMany = len(written) > maxWazuhRules
	for _, text := range written[:min(len(written), maxWazuhRules)] {
		c.rules = append(c.rules, parseWazuh(text, c.engine))
	}
	return c
}

func (c *wazuhCheck) tag(of, name string) {
	if tag := word(of, "") + "-" + word(name, ""); !slices.Contains(c.tags, tag) {
		c.tags = append(c.tags, tag)
	}
}

// compliance returns what a check complies with, as tags: pci_dss-2.2. It is a mapping of lists or, in 4.x, a list of such mappings.
func (w *wazuh) compliance(n *yaml.Node) []string {
	var c wazuhCheck
	one := func(n *yaml.Node) {
		for name, all := range w.pairs(n, "compliance") {
			for _, item := range w.texts(all) {
				c.tag(name.Value, item)
			}
		}
	}
	switch {
	case n == nil:
	case n.Kind == yaml.SequenceNode:
		for e := range w.d.Elements(n, "compliance") {
			one(e)
		}
	default:
		one(n)
	}
	return c.tags
}

var cisLevel = regexp.MustCompile(`\((L1|L2|BL|NG)\)`)

// cisLevels returns the levels of the CIS that a comment or title names.
func cisLevels(text string) (levels []string) {
	for _, found := range cisLevel.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(levels, found[1]) {
			levels = append(levels, found[1])
		}
	}
	return levels
}

// lacks returns what of the check cannot be said.
func (c *wazuhCheck) lacks() (lacks []string) {
	if !slices.Contains([]string{"all", "any", "none"}, c.word) {
		return []string{fmt.Sprintf("its condition %q is none of all, any and none", c.word)}
	}
	if c.tooMany {
		return []string{fmt.Sprintf("it has more than %d rules", maxWazuhRules)}
	}
	if len(c.rules) == 0 {
		return []string{"it has no rules"}
	}
	for _, r := range c.rules {
		if r.why != "" && !slices.Contains(lacks, r.why) {
			lacks = append(lacks, r.why)
		}
	}
	return lacks
}

// row returns the row of a check.
func (c *wazuhCheck) row(w *wazuh) Row {
	row := Row{ID: c.id, Title: c.title, Line: c.line, Lacks: c.lacks()}
	if c.tooMany || !slices.ContainsFunc(c.rules, func(r wazuhRule) bool { return r.why == "" }) || !slices.Contains([]string{"all", "any", "none"}, c.word) {
		return row
	}
	asks, why := c.asks(w.when)
	if why != "" {
		row.Lacks = append(row.Lacks, why)
		return row
	}
	r := Rule{ID: "WAZUH-" + word(c.id, "check"), Title: c.title, Severity: "medium", Why: c.rationale, References: c.references, Tags: c.tags, Levels: c.levels, Asks: asks}
	if fix := line(c.remediation); fix != "" {
		r.Asks = r.Asks.With("alternative", fix)
	}
	row.Rules = []Rule{r}
	return row
}

// settles returns when a rule settles the check whatever the others are: not found for all, found for any and none.
func (c *wazuhCheck) settles(r wazuhRule) logic {
	if c.word == "all" {
		return r.notFound()
	}
	return r.found()
}

// passes returns when a check passes that is applicable.
func (c *wazuhCheck) passes() logic {
	var of []logic
	for _, r := range c.rules {
		of = append(of, r.says())
	}
	return joined(c.word, of)
}

// applies returns when the check is applicable.
func (c *wazuhCheck) applies() logic {
	var settle, invalid []logic
	for _, r := range c.rules {
		settle = append(settle, c.settles(r))
		if i := r.invalid(); !i.never() && !c.settled(r) {
			invalid = append(invalid, i)
		}
	}
	if len(invalid) == 0 {
		return allOf()
	}
	return anyOf(append(settle, noneOf(invalid...))...).simpler()
}

// settled reports whether the check is settled wherever the rule is invalid, by rules about the same key and value.
func (c *wazuhCheck) settled(r wazuhRule) bool {
	var near []logic
	for _, other := range c.rules {
		if other.why == "" && strings.EqualFold(other.key, r.key) && (other.value == "" || strings.EqualFold(other.value, r.value)) {
			near = append(near, c.settles(other))
		}
	}
	open := allOf(r.invalid(), noneOf(near...))
	all, ok := states(open)
	return ok && !slices.ContainsFunc(all, open.holds)
}

// asks returns the fields that say what a check asks where a requirement is met.
func (c *wazuhCheck) asks(when logic) (asks Fields, why string) {
	passes, applies := c.passes(), c.applies()
	if passes.always() || passes.never() {
		return nil, "its rules contradict each other: its answer is always the same"
	}
	if asks := c.single(when, passes, applies); asks != nil {
		return asks, ""
	}
	if when = allOf(when, applies); !when.always() {
		asks = Fields{{"when", when.fields()}}
	}
	if slices.ContainsFunc(c.rules, func(r wazuhRule) bool { return strings.HasPrefix(r.key+`\`, `HKCU\`) }) {
		asks = asks.With("key", "HKCU") // an answer for each user
	}
	if passes.word == "fact" {
		passes = logic{word: "all", of: []logic{passes}}
	}
	return asks.With(passes.word, passes.list()), ""
}

// single returns what asks returns for a check of one key or value, in the simplest form: what is expected of it, and what it means that it is
// missing. For other checks it returns nil.
func (c *wazuhCheck) single(when, passes, applies logic) Fields {
	of := c.rules[0]
	for _, r := range c.rules {
		if r.why != "" || r.key32 != "" || !strings.EqualFold(r.key, of.key) || of.value != "" && r.value != "" && !strings.EqualFold(r.value, of.value) {
			return nil
		}
		if of.value == "" {
			of.value = r.value
		}
	}
	noKey, noValue := map[string]bool{}, map[string]bool{fact{key: of.key}.id(): true}
	if of.value == "" { // then the key is what may be missing
		noValue = noKey
	}
	needsKey, needsValue := !applies.holds(noKey), !applies.holds(noValue)
	switch {
	case !applies.given().always() || needsValue && !needsKey:
		return nil
	case needsValue:
		when = allOf(when, is(fact{value: of.value}))
	case needsKey:
		when = allOf(when, is(fact{}))
	case passes.holds(noKey) != passes.holds(noValue):
		return nil
	}
	missing := !needsValue && passes.holds(noValue)
	expect, ok := expected(passes.given(), missing)
	if !ok {
		return nil
	}
	var asks Fields
	if !when.always() {
		asks = Fields{{"when", when.fields()}}
	}
	asks = asks.With("key", of.key)
	if of.value != "" {
		asks = asks.With("value", of.value)
	}
	asks = asks.With("expect", expect)
	if expect[0].Name != "exists" {
		asks = asks.With("missing", map[bool]string{true: "pass", false: "fail"}[missing])
		asks = append(asks, numberFix(expect)...)
	}
	return asks
}

// expected returns what is expected of a value of which a statement must hold. It is not ok if that takes conditions.
func expected(l logic, missing bool) (Fields, bool) {
	if l.always() || l.never() {
		return Fields{{"exists", l.always()}}, l.always() != missing
	}
	parts := []logic{l}
	if l.word == "all" {
		parts = l.of
	}
	var all []minterm
	for _, part := range parts {
		m, ok := part.minterm()
		if !ok {
			return nil, false
		}
		if merged, ok := together(all, m); ok {
			all = merged
		} else {
			all = append(all, m)
		}
	}
	var operators Fields
	folds := 0
	for _, m := range all {
		q := m.operators()
		if slices.ContainsFunc(operators, func(f Field) bool { return f.Name == q[0].Name }) {
			return nil, false
		}
		if operators = append(operators, q[0]); len(q) > 1 || !hasLetters(escapes.ReplaceAllString(fmt.Sprint(q[0].Value), "")) {
			folds++ // or case says nothing
		}
	}
	fold := slices.ContainsFunc(all, func(m minterm) bool { return len(m.operators()) > 1 })
	return Fields{{"data", Fields{{"as_hex_text", foldedIf(operators, fold)}}}}, !fold || folds == len(all)
}

// minterm returns the statement as operators on one text, if it can be said so.
func (l logic) minterm() (m minterm, ok bool) {
	if l.word == "fact" {
		return minterm{data: l.fact.data}, true
	}
	operator := map[string]string{"any": "in", "none": "not_in"}[l.word]
	if operator == "" {
		return m, false
	}
	var texts []any
	fold := false
	for _, below := range l.of {
		if below.word != "fact" || below.fact.data[0].Value.(Fields)[0].Name != "equals" {
			return m, false
		}
		q := below.fact.data[0].Value.(Fields)
		texts, fold = append(texts, q[0].Value), fold || len(q) > 1 // texts without letters have no case
	}
	q := Fields{{operator, texts}}
	if operator == "not_in" && len(texts) == 1 {
		q = Fields{{"not", texts[0]}}
	}
	return minterm{data: Fields{{"as_hex_text", foldedIf(q, fold)}}}, true
}

// numberFix returns the fix that sets a number of 32 bits that is expected, if the policy names one.
func numberFix(expect Fields) Fields {
	q := expect[0].Value.(Fields)[0].Value.(Fields)
	for _, f := range q {
		named := []any{f.Value}
		switch v := f.Value.(type) {
		case []any:
			named = v
		case Fields: // the comparisons of captures
			named = nil
			for _, compare := range v[0].Value.(Fields) {
				named = append(named, compare.Value)
			}
		}
		for _, one := range named {
			n, err := strconv.ParseUint(fmt.Sprint(one), 10, 32)
			if err == nil && meets(q, n) {
				return Fields{{"fix", Fields{{"set", Fields{{"type", "REG_DWORD"}, {"data", n}}}, {"safe", false}, {"because", "the policy does not tell the type of the value; numbers are REG_DWORD but for a few"}}}}
			}
		}
	}
	return nil
}

// meets reports whether a number in decimal is seen to meet operators on text.
func meets(operators Fields, n uint64) bool {
	text := strconv.FormatUint(n, 10)
	return !slices.ContainsFunc(operators, func(f Field) bool {
		switch v := f.Value.(type) {
		case string:
			return f.Name == "equals" && v != text || f.Name == "not" && v == text || f.Name == "matches"
		case []any:
			return slices.Contains(v, any(text)) != (f.Name == "in")
		case Fields:
			found := regexp.MustCompile(v[0].Name).FindStringSubmatch(text)
			return len(found) < 2 || found[1] != text || slices.ContainsFunc(v[0].Value.(Fields), func(compare Field) bool { return !compares(compare.Name, n, compare.Value.(uint64)) })
		}
		return false // fold, which digits do not have
	})
}

func compares(operator string, a, b uint64) bool {
	return map[string]bool{"equals": a == b, "not": a != b, "at_most": a <= b, "at_least": a >= b, "below": a < b, "above": a > b}[operator]
}
