package rules

import (
	"slices"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// The objects of a rule file. Their order here is that of the documentation.

var packObject = object[Pack]{
	name: "pack", what: "a pack", doc: "A pack: rules on one topic.",
	fields: []field[Pack]{
		must("pack", "The name of the pack, as --pack takes it.", nameForm, func(p *Pack, s string) { p.Name = s }),
		must("title", "What the pack is about, in one line.", lineForm, func(p *Pack, s string) { p.Title = s }),
		may("references", "Where what all rules of the pack rest on is written.", linesForm, func(p *Pack, all []string) { p.References = all }),
		must("rules", "The rules.", listOf(ruleForm, 1, "is empty; a pack without rules checks nothing"), func(p *Pack, all []*Rule) { p.Rules = all }),
	},
}

// draft is a rule as it is read, before what hangs together in it is checked.
type draft struct {
	Rule
	conditions  Condition
	key, value  *hive.Location // where they stand, nil when they do not
	conditional bool           // it has conditions in place of value and expect
}

var ruleForm = form[*Rule]{schema{"$ref": "#/definitions/rule"}, func(d *decoder, n *yaml.Node, what string) *Rule {
	var r draft
	r.At = Locate(n)
	before := len(d.mistakes)
	ruleObject.read(d, n, what, &r)
	d.check(n, &r, len(d.mistakes) == before)
	return &r.Rule
}}

var ruleObject object[draft]

// changeFields are what a rule and its overrides have in common.
func changeFields[T any](of func(*T) *change) []field[T] {
	return []field[T]{
		may("severity", "What a finding costs who ignores it.", severityForm, func(t *T, s Severity) { of(t).severity = s }),
		may("expect", "What must be there: whether anything, of which type, with which data.", expectForm, func(t *T, e expectation) {
			c := of(t)
			c.exists, c.types, c.valid, c.data, c.written = e.exists, e.types, e.valid, e.data, e.written
		}),
		may("missing", "What it means that the value is not there.", missingForm, func(t *T, m missingDraft) {
			of(t).missing, of(t).missingSev = m.missing, m.severity
		}),
		may("messages", "What a finding says, by its reason. {value}, {key}, {actual}, {type}, {want}, {valid}, {default}, {written}, {limit} and the names that the key binds stand for what was found.",
			messagesForm, func(t *T, m map[Reason]located[string]) { of(t).messages = m }),
		may("fix", "What puts it right: one change, or a list of them.", fixForm, func(t *T, f *Fix) { of(t).fix = f }),
	}
}

func init() {
	ruleObject = object[draft]{
		name: "rule", what: "a rule", doc: "A rule: where it looks, what must be there, and what it means that it is not.",
		fields: append([]field[draft]{
			must("id", "The name of the rule. It is never used again for another.", nameForm, func(r *draft, s string) { r.ID = s }),
			must("title", "What is wrong where the rule fails, in one line.", lineForm, func(r *draft, s string) { r.Title = s }),
			may("rationale", "Why that matters.", lineForm, func(r *draft, s string) { r.Rationale = s }),
			may("references", "Where what the rule rests on is written.", linesForm, func(r *draft, all []string) { r.References = all }),
			may("tags", "Words by which rules can be chosen.", linesForm, func(r *draft, all []string) { r.Tags = all }),
			may("when", "Where the rule applies.", conditionForm, func(r *draft, c *Condition) { r.When = c }),
			{"key", "The key: any root, long or short; * and ? stand for characters of a name, {name} for a name that is then known by it, ** for any number of levels.",
				false, keyForm.schema, func(d *decoder, n *yaml.Node, r *draft) {
					at := Locate(n)
					r.Key, r.key, r.hasKey = keyForm.read(d, n, "key"), &at, true
				}},
			{"value", "The value: a name, a pattern as in a key, or (default). Without it the rule is about the key itself.",
				false, valueForm.schema, func(d *decoder, n *yaml.Node, r *draft) {
					at := Locate(n)
					r.Value, r.value = valueForm.read(d, n, "value"), &at
				}},
			{"misspelt", "In place of value: any value whose name differs from this one by a typing error, at most one for every five letters.",
				false, misspeltForm.schema, func(d *decoder, n *yaml.Node, r *draft) {
					at := Locate(n)
					r.Value, r.value = misspeltForm.read(d, n, "misspelt"), &at
				}},
			may("all", "Conditions that must all hold, in place of value and expect.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.all, r.conditional = all, true }),
			may("any", "Conditions of which one must hold.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.any, r.conditional = all, true }),
			may("none", "Conditions none of which may hold.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.none, r.conditional = all, true }),
			may("overrides", "What differs on other versions of Windows.", listOf(of(&overrideObject, "override"), 0, ""), func(r *draft, all []override) { r.overrides = all }),
			may("tests", "Examples that show what the rule does.", listOf(testForm, 0, ""), func(r *draft, all []Test) { r.Tests = all }),
		}, changeFields(func(r *draft) *change { return &r.base })...),
	}
	for i, f := range ruleObject.fields {
		ruleObject.fields[i].required = f.required || f.name == "severity"
	}
	overrideObject = object[override]{
		name: "override", what: "an override", doc: "What differs where a condition holds; what it does not name stays. Of several that count, the later wins.",
		fields: append([]field[override]{must("when", "Where the override counts.", conditionForm, func(o *override, c *Condition) { o.when, o.at = c, c.At })},
			changeFields(func(o *override) *change { return &o.change })...),
	}
	conditionObject = object[Condition]{
		name: "condition", doc: "A condition. All that it holds must hold. One with a key, value or expect holds where what it asks for is there, with a pattern at one key at least.",
		empty: "asks nothing; want windows, product, hive, key, value, expect, all, any or none",
		fields: []field[Condition]{
			may("windows", "Versions of Windows, such as >=6.0 or >=5.1 <6.0.", windowsForm, func(c *Condition, r versionRange) { c.windows = &r }),
			may("product", "The product: one, or a list of which one must do.", oneOrMore(choice(productWords()...), "names no product"), func(c *Condition, all []string) { c.products = all }),
			may("hive", "A hive that the input must hold: one, or a list of which one must do.", oneOrMore(choice(hiveNames()...), "names no hive"), func(c *Condition, all []string) { c.hives = all }),
			may("all", "Conditions that must all hold.", conditionsForm, func(c *Condition, all []*Condition) { c.all = all }),
			may("any", "Conditions of which one must hold.", conditionsForm, func(c *Condition, all []*Condition) { c.any = all }),
			may("none", "Conditions none of which may hold.", conditionsForm, func(c *Condition, all []*Condition) { c.none = all }),
			may("key", "The key; without it that of the rule.", keyForm, func(c *Condition, k KeyPattern) { c.question.Key, c.question.hasKey, c.asks = k, true, true }),
			may("value", "The value; without it the condition is about the key itself.", valueForm, func(c *Condition, p Pattern) { c.question.Value, c.question.AboutKey, c.asks = p, false, true }),
			may("expect", "What must be there.", expectForm, func(c *Condition, e expectation) {
				c.terms.Exists, c.terms.Types, c.terms.Valid, c.terms.Data, c.terms.Written, c.asks = e.exists, e.types, e.valid, e.data, e.written, true
			}),
			may("missing", "Whether the condition holds where the value is not there: it does not, unless this says so.", missingForm, func(c *Condition, m missingDraft) {
				if m.missing != nil {
					c.terms.Missing = *m.missing
				}
				c.asks = true
			}),
		},
	}
}

var (
	overrideObject  object[override]
	conditionObject object[Condition]
)

// maxConditions is how deep conditions may be nested: deeper than anybody reads.
const maxConditions = 100

var conditionForm = form[*Condition]{schema{"$ref": "#/definitions/condition"}, func(d *decoder, n *yaml.Node, what string) *Condition {
	c, before := &Condition{At: Locate(n), question: Question{AboutKey: true}}, len(d.mistakes)
	if d.depth++; d.depth > maxConditions {
		d.Wrong(n, "conditions are nested in more than %d levels", maxConditions)
	} else {
		conditionObject.read(d, n, what, c)
	}
	d.depth--
	t := &c.terms
	if why := t.mistyped("the condition"); why != "" && len(d.mistakes) == before {
		d.Wrong(n, "%s", why)
	}
	switch exists := true; {
	case !c.asks:
	case c.question.AboutKey && (len(t.Types) > 0 || len(t.Valid) > 0 || len(t.Data) > 0):
		d.Wrong(n, "a condition without value is about the key itself: of that, expect can only say exists or written")
	case t.Written != nil && !c.question.AboutKey:
		d.WrongAt(t.Written.at, "%s", noTime)
	case t.Written != nil && t.Exists != nil && !*t.Exists:
		d.WrongAt(t.Written.at, "expect wants that the key is not there, and asks when it was last written")
	case t.Written != nil && has(n, "missing"):
	case t.Exists == nil && (c.question.AboutKey || len(t.Types) == 0 && len(t.Valid) == 0 && len(t.Data) == 0):
		t.Exists = &exists
	}
	return c
}}

var conditionsForm = listOf(conditionForm, 1, "is empty; want a list of conditions")

// expectation is what a rule or condition expects.
type expectation struct {
	exists      *bool
	types       []hive.Type
	valid, data Demand
	written     *Written
}

var expectObject = object[expectation]{
	name: "expect", what: "expect", doc: "What must be there.",
	fields: []field[expectation]{
		may("exists", "Whether it must be there at all. With false it must not.", boolForm, func(e *expectation, b bool) { e.exists = &b }),
		may("type", "The type that the reader of the value takes: one, or a list of which one must do.", oneOrMore(typeForm, "names no type"), func(e *expectation, all []hive.Type) { e.types = all }),
		may("valid", "Data that the reader of the value takes. Others are out of range.", demandForm, func(e *expectation, q Demand) { e.valid = q }),
		may("data", "Data that the rule wants. Others are a mismatch.", demandForm, func(e *expectation, q Demand) { e.data = q }),
		may("written", "When the key was last written. Only of a key: of values there is no time.", writtenForm, func(e *expectation, w *Written) { e.written = w }),
	},
}

var expectForm = of(&expectObject, "expect")

var demandForm = form[Demand]{schema{"$ref": "#/definitions/operators"}, func(d *decoder, n *yaml.Node, what string) Demand {
	before := len(d.mistakes)
	q := of(&demandObject, "operators").read(d, n, what)
	if len(d.mistakes) == before && q.nothing() {
		noun := "data"
		if slices.ContainsFunc(q, func(o Operator) bool { return o.numbers != nil }) {
			noun = "number"
		}
		d.Wrong(n, "%s leaves no %s", what, noun)
	}
	return q
}}

// missingDraft is what a rule says of absence; an override may change only the severity.
type missingDraft struct {
	missing  *Missing
	severity Severity
}

var missingObject = object[missingDraft]{
	name: "missing", what: "missing", doc: "What it means that the value is not there.",
	fields: []field[missingDraft]{
		may("default", "The data that Windows uses instead, bytes in hex where the type has no text; they are held against data.", datumForm, func(m *missingDraft, v Datum) { m.missing = &Missing{Default: &v} }),
		may("severity", "What a finding for that reason costs, where that differs.", severityForm, func(m *missingDraft, s Severity) { m.severity = s }),
	},
}

var missingForm = form[missingDraft]{schema{"anyOf": []any{choice("fail", "pass").schema, schema{"$ref": "#/definitions/missing"}}},
	func(d *decoder, n *yaml.Node, what string) (m missingDraft) {
		if n.Kind == yaml.MappingNode {
			missingObject.read(d, n, what, &m)
			return m
		}
		m.missing = &Missing{Pass: d.choice(n, what, []string{"fail", "pass"}) == "pass"}
		return m
	}}

var messagesObject = object[map[Reason]located[string]]{name: "messages", what: "messages", doc: "What a finding says, by its reason."}

func init() {
	for _, reason := range failReasons {
		messagesObject.fields = append(messagesObject.fields, may(string(reason), "The message for the reason "+string(reason)+".", placed(lineForm),
			func(m *map[Reason]located[string], text located[string]) {
				if *m == nil {
					*m = map[Reason]located[string]{}
				}
				(*m)[reason] = text
			}))
	}
}

var messagesForm = of(&messagesObject, "messages")

var testObject = object[Test]{
	name: "test", what: "a test", doc: "An example: what the rule answers for some .reg text or a hive.",
	fields: []field[Test]{
		must("name", "What the test shows.", lineForm, func(t *Test, s string) { t.Name = s }),
		may("reg", "Lines of .reg text below the key of the rule, or whole sections.", textForm, func(t *Test, s string) { t.Reg = s }),
		may("hive", "In place of reg a hive: a file in the folder of the pack.", lineForm, func(t *Test, s string) { t.Hive = s }),
		may("written", "When the key of the rule was last written, or a mapping of keys to times, with hive for the hive. A .reg file has no times.", stampsForm, func(t *Test, all []stampedKey) { t.written = all }),
		may("windows", "The version of Windows, where it matters.", versionForm, func(t *Test, v hive.Version) { t.Windows = v }),
		may("product", "The product, where it matters.", choice(productWords()...), func(t *Test, s string) { t.Product = s }),
		must("want", "What the rule answers: pass, or the reason of a failure or of an unknown.", choice(testWants()...), func(t *Test, s string) { t.Want = Reason(s) }),
		may("severity", "The severity of the finding, where the test is about it.", severityForm, func(t *Test, s Severity) { t.Severity = s }),
	},
}

func testWants() []string {
	wants := []string{string(Pass)}
	for _, reason := range slices.Concat(failReasons, unknownReasons) {
		wants = append(wants, string(reason))
	}
	return wants
}

var testForm = form[Test]{schema{"$ref": "#/definitions/test"}, func(d *decoder, n *yaml.Node, what string) Test {
	t := Test{At: Locate(n)}
	before := len(d.mistakes)
	testObject.read(d, n, what, &t)
	if len(d.mistakes) == before && has(n, "reg") == has(n, "hive") {
		d.Wrong(n, "a test needs either the field reg or the field hive")
	}
	if len(d.mistakes) == before && t.written != nil && t.Hive != "" {
		d.Wrong(n, "a test with a hive has no field written: the hive has the times of its keys")
	}
	return t
}}
