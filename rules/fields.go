package rules

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// The objects of a rule file. Their order here is that of the documentation.

var packObject = strict.Object[Pack]{
	Name: "pack", What: "a pack", Doc: "A pack: rules on one topic.",
	Fields: []strict.Field[Pack]{
		strict.Must("pack", "The name of the pack, as --pack takes it.", nameForm, func(p *Pack, s string) { p.Name = s }),
		strict.Must("title", "What the pack is about, in one line.", strict.LineForm, func(p *Pack, s string) { p.Title = s }),
		strict.May("references", "Where what all rules of the pack rest on is written.", strict.LinesForm, func(p *Pack, all []string) { p.References = all }),
		strict.May("lists", "Named lists that the rules compare with.", strict.ListOf(listForm, 0, ""), func(p *Pack, all []*List) { p.Lists = all }),
		strict.Must("rules", "The rules.", strict.ListOf(ruleForm, 1, "is empty; a pack without rules checks nothing"), func(p *Pack, all []*Rule) { p.Rules = all }),
	},
}

// draft is a rule while it is read, before its fields are checked against each other.
type draft struct {
	Rule
	conditions  Condition
	key, value  *hive.Location // their places, or nil
	assumed     *hive.Location // likewise
	conditional bool           // whether it has conditions instead of value and expect
}

var ruleForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/rule"}, func(d *strict.Decoder, n *yaml.Node, what string) *Rule {
	var r draft
	r.At = strict.Locate(n)
	before := d.Mistakes()
	ruleObject.Read(d, n, what, &r)
	if len(r.Sources) > 0 {
		r.asks = asked(n)
	}
	completeRule(d, n, &r, d.Mistakes() == before)
	return &r.Rule
})

var ruleObject strict.Object[draft]

// changeFields are what a rule and its overrides have in common.
func changeFields[T any](of func(*T) *change) []strict.Field[T] {
	return []strict.Field[T]{
		strict.May("severity", "What a finding costs who ignores it.", severityForm, func(t *T, s Severity) { of(t).severity = s }),
		strict.May("expect", "What must be there: whether anything, of which type, with which data.", expectForm, func(t *T, e expectation) {
			c := of(t)
			c.exists, c.types, c.valid, c.data, c.written = e.exists, e.types, e.valid, e.data, e.written
		}),
		strict.May("missing", "What it means that the value is not there.", missingForm, func(t *T, m missingDraft) {
			of(t).missing, of(t).missingSev = m.missing, m.severity
		}),
		strict.May("messages", "What a finding says, by its reason. {value}, {key}, {actual}, {type}, {want}, {valid}, {default}, {written}, {limit}, {renames}, {about LIST} and the names that the key binds stand for what was found.",
			messagesForm, func(t *T, m map[Reason]strict.Located[string]) { of(t).messages = m }),
		strict.May("fix", "What puts it right: one change, or a list of them.", fixForm, func(t *T, f *Fix) { of(t).fix = f }),
		strict.May("policy", "The places that go before the value, the first before the second: where group policy sets it.", policiesForm, func(t *T, all []Policy) { of(t).policies = all }),
		strict.May("alternative", "A remedy that is no change of the registry: a command, or what to do in words.", strict.LineForm, func(t *T, s string) { of(t).alternative = s }),
	}
}

func init() {
	ruleObject = strict.Object[draft]{
		Name: "rule", What: "a rule", Doc: "A rule: where it looks, what must be there, and what it means that it is not.",
		Also: oneNeeded("anyOf", []string{"key", "expect"}, []string{"key", "inventory"}, []string{"all"}, []string{"any"}, []string{"none"}, []string{"nowhere"}),
		Fields: append([]strict.Field[draft]{
			strict.Must("id", "The name of the rule. It is never used again for another.", nameForm, func(r *draft, s string) { r.ID = s }),
			strict.Must("title", "What is wrong where the rule fails, in one line.", strict.LineForm, func(r *draft, s string) { r.Title = s }),
			strict.May("rationale", "Why that matters.", strict.LineForm, func(r *draft, s string) { r.Rationale = s }),
			strict.May("references", "Where what the rule rests on is written.", strict.LinesForm, func(r *draft, all []string) { r.References = all }),
			strict.May("tags", "Words by which rules can be chosen.", strict.LinesForm, func(r *draft, all []string) { r.Tags = all }),
			strict.May("covered_by", "The rule, perhaps of another pack, that asks the same and more of the same value. Where both are chosen, that one runs alone.", nameForm, func(r *draft, s string) { r.CoveredBy = s }),
			strict.May("levels", "The published baselines that ask for it, such as stig-win11, by which rules can be chosen.", strict.ListOf(nameForm, 1, "is empty; want the names of baselines"), func(r *draft, all []string) { r.Levels = all }),
			strict.May("source", "Where the rule stands in a file for another program from which it was made: one place, or a list of them. Rules with a source that ask the same are one.", sourcesForm, func(r *draft, all []Source) { r.Sources = all }),
			strict.May("when", "Where the rule applies.", conditionForm, func(r *draft, c *Condition) { r.When = c }),
			strict.May("assume", "The versions of Windows, such as <6.0, whose answer stands where the input tells nothing of the version and the rule fails on each. A note has the answers of the others.",
				strict.Placed(windowsForm), func(r *draft, v strict.Located[versionRange]) { r.assume, r.assumed = &v.V, &v.At }),
			strict.May("key", "The key: any root, long or short; * and ? stand for characters of a name, {name} for a name that is then known by it, ** for any number of levels.",
				strict.Placed(keyForm), func(r *draft, k strict.Located[keyPattern]) { r.Key, r.key, r.hasKey = k.V, &k.At, true }),
			strict.May("value", "The value: a name, a pattern as in a key, or (default). Without it the rule is about the key itself.",
				strict.Placed(valueForm), func(r *draft, p strict.Located[pattern]) { r.Value, r.value = p.V, &p.At }),
			strict.May("misspelt", "In place of value: any value whose name differs from this one by a typing error, at most one for every five letters.",
				strict.Placed(misspeltForm), func(r *draft, p strict.Located[pattern]) { r.Value, r.value = p.V, &p.At }),
			strict.May("inventory", "In place of a verdict: what is at the places of the rule is listed.", strict.Of(&inventoryObject, "inventory"), func(r *draft, i Inventory) { r.Inventory = &i }),
			strict.May("other_than", "In place of value: any value that has none of these names, which are no patterns; (default) is the value without a name.",
				strict.Placed(otherThanForm), func(r *draft, p strict.Located[pattern]) { r.Value, r.value = p.V, &p.At }),
			strict.May("all", "Conditions that must all hold, in place of value and expect.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.all, r.conditional = all, true }),
			strict.May("any", "Conditions of which one must hold.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.any, r.conditional = all, true }),
			strict.May("none", "Conditions none of which may hold.", conditionsForm, func(r *draft, all []*Condition) { r.conditions.none, r.conditional = all, true }),
			strict.May("nowhere", "In place of key, value and expect: what no key and no value of the input may be like.", traitsForm, func(r *draft, t *traits) { r.Nowhere = t }),
			strict.May("caveat", "What a failure of the rule does not tell. It stands with each.", strict.LineForm, func(r *draft, s string) { r.Caveat = s }),
			strict.May("overrides", "What differs on other versions of Windows.", overridesForm, func(r *draft, all []override) { r.overrides = all }),
			strict.May("tests", "Examples that show what the rule does.", strict.ListOf(testForm, 0, ""), func(r *draft, all []Test) { r.Tests = all }),
		}, changeFields(func(r *draft) *change { return &r.base })...),
	}
	for i, f := range ruleObject.Fields {
		ruleObject.Fields[i].Required = f.Required || f.Name == "severity"
	}
	overrideObject = strict.Object[override]{
		Name: "override", What: "an override", Doc: "What differs where a condition holds; what it does not name stays. Of several that count, the later wins.",
		Fields: append([]strict.Field[override]{strict.Must("when", "Where the override counts.", conditionForm, func(o *override, c *Condition) { o.when, o.at = c, c.At })},
			changeFields(func(o *override) *change { return &o.change })...),
	}
	conditionObject = strict.Object[Condition]{
		Name: "condition", Doc: "A condition. All that it holds must hold. One with a key, value or expect holds where what it asks for is there, with a pattern at one key at least.",
		Empty: "asks nothing; want windows, product, edition, hive, elsewhere, key, value, expect, all, any or none",
		Others: strict.NewOthers(boundNameSyntax, "What is asked of a name that the key of the rule binds: operators on its text.", demandForm, func(c *Condition, name string, q demand, at hive.Location) {
			c.bound = append(c.bound, boundDemand{strings.Trim(name, "{}"), q, at})
		}),
		Fields: []strict.Field[Condition]{
			strict.May("windows", "Versions of Windows, such as >=6.0 or >=5.1 <6.0.", windowsForm, func(c *Condition, r versionRange) { c.windows = &r }),
			strict.May("product", "The product: one, or a list of which one must do.", strict.OneOrMore(strict.OneWord(productWords()...), "names no product"), func(c *Condition, all []string) { c.products = all }),
			strict.May("edition", "The edition: one, or a list of which one must do.", strict.OneOrMore(strict.OneWord(editionWords()...), "names no edition"), func(c *Condition, all []string) { c.editions = all }),
			strict.May("hive", "A hive that the input must hold: one, or a list of which one must do.", strict.OneOrMore(strict.OneWord(hiveNames()...), "names no hive"), func(c *Condition, all []string) { c.hives = all }),
			strict.May("elsewhere", "What must hold that no registry tells, such as what a command prints. It leaves the answer open.", strict.LineForm, func(c *Condition, s string) { c.elsewhere = s }),
			strict.May("all", "Conditions that must all hold.", conditionsForm, func(c *Condition, all []*Condition) { c.all = all }),
			strict.May("any", "Conditions of which one must hold.", conditionsForm, func(c *Condition, all []*Condition) { c.any = all }),
			strict.May("none", "Conditions none of which may hold.", conditionsForm, func(c *Condition, all []*Condition) { c.none = all }),
			strict.May("key", "The key; without it that of the rule.", keyForm, func(c *Condition, k keyPattern) { c.question.Key, c.question.hasKey, c.asks = k, true, true }),
			strict.May("value", "The value; without it the condition is about the key itself.", valueForm, func(c *Condition, p pattern) { c.question.Value, c.question.AboutKey, c.asks = p, false, true }),
			strict.May("expect", "What must be there.", expectForm, func(c *Condition, e expectation) {
				c.terms.Exists, c.terms.Types, c.terms.Valid, c.terms.Data, c.terms.Written, c.asks = e.exists, e.types, e.valid, e.data, e.written, true
			}),
			strict.May("missing", "Whether the condition holds where the value is not there: it does not, unless this says so.", missingForm, func(c *Condition, m missingDraft) {
				if m.missing != nil {
					c.terms.Missing = *m.missing
				}
				c.asks = true
			}),
			strict.May("policy", "The places that go before the value, as in a rule.", policiesForm, func(c *Condition, all []Policy) { c.terms.Policies, c.asks = all, true }),
		},
	}
}

// maxOverrides is how many overrides a rule can have. Its terms are worked out for each override together with all others.
const maxOverrides = 100

var overridesForm = strict.NewForm(manyOverrides.Schema, func(d *strict.Decoder, n *yaml.Node, what string) []override {
	if len(n.Content) > maxOverrides {
		d.Wrong(n, "a rule has at most %d overrides; write several rules", maxOverrides)
		return nil
	}
	return manyOverrides.Read(d, n, what)
})

var manyOverrides = strict.ListOf(strict.Of(&overrideObject, "override"), 0, "")

var (
	overrideObject  strict.Object[override]
	conditionObject strict.Object[Condition]
)

var conditionForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/condition"}, func(d *strict.Decoder, n *yaml.Node, what string) *Condition {
	c := &Condition{At: strict.Locate(n), question: question{AboutKey: true}}
	conditionObject.Read(d, n, what, c)
	t := &c.terms
	if o, why := t.mistyped("the condition"); why != "" {
		d.WrongAt(o.at, "%s", why)
	}
	switch exists := true; {
	case !c.asks:
	case c.question.AboutKey && (len(t.Types) > 0 || len(t.Valid) > 0 || len(t.Data) > 0):
		d.Wrong(n, "a condition without value is about the key itself: its expect can only say exists or written")
	case t.Written != nil && !c.question.AboutKey:
		d.WrongAt(t.Written.at, "%s", noTime)
	case t.Written != nil && t.Exists != nil && !*t.Exists:
		d.WrongAt(t.Written.at, "expect wants the key not to exist, and asks when it was last written")
	case t.Written != nil && strict.Has(n, "missing"):
	case t.Exists == nil && (c.question.AboutKey || len(t.Types) == 0 && len(t.Valid) == 0 && len(t.Data) == 0):
		t.Exists = &exists
	}
	return c
})

var conditionsForm = strict.ListOf(conditionForm, 1, "is empty; want a list of conditions")

// expectation is what a rule or condition expects.
type expectation struct {
	exists      *bool
	types       []hive.Type
	valid, data demand
	written     *lastWritten
}

var expectObject = strict.Object[expectation]{
	Name: "expect", What: "expect", Doc: "What must be there.",
	Fields: []strict.Field[expectation]{
		strict.May("exists", "Whether it must be there at all. With false it must not.", strict.BoolForm, func(e *expectation, b bool) { e.exists = &b }),
		strict.May("type", "The type that the reader of the value takes: one, or a list of which one must do.", strict.Placed(strict.OneOrMore(typeForm, "names no type")), func(e *expectation, all strict.Located[[]hive.Type]) {
			if all.Sound {
				e.types = all.V
			}
		}),
		strict.May("valid", "Data that the reader of the value takes. Others are out of range.", demandForm, func(e *expectation, q demand) { e.valid = q }),
		strict.May("data", "Data that the rule wants. Others are a mismatch.", demandForm, func(e *expectation, q demand) { e.data = q }),
		strict.May("written", "When the key was last written. Only of a key: of values there is no time.", writtenForm, func(e *expectation, w *lastWritten) { e.written = w }),
	},
}

var expectForm = strict.Of(&expectObject, "expect")

var demandForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/operators"}, func(d *strict.Decoder, n *yaml.Node, what string) demand {
	before := d.Mistakes()
	q := strict.Of(&demandObject, "operators").Read(d, n, what).demand(d, what)
	if d.Mistakes() == before && q.nothing() {
		noun := "data"
		if slices.ContainsFunc(q, func(o operator) bool { return o.numbers != nil }) {
			noun = "number"
		}
		d.Wrong(n, "%s leaves no %s", what, noun)
	}
	return q
})

// missingDraft is what a rule says about absence; an override may change the severity alone.
type missingDraft struct {
	missing  *Missing
	severity Severity
}

// of returns what is said about absence beside the severity.
func (m *missingDraft) of() *Missing {
	if m.missing == nil {
		m.missing = &Missing{}
	}
	return m.missing
}

var missingObject = strict.Object[missingDraft]{
	Name: "missing", What: "missing", Doc: "What it means that the value is not there.",
	Fields: []strict.Field[missingDraft]{
		strict.May("default", "The data that Windows uses instead, bytes in hex where the type has no text; they are held against data.", datumForm, func(m *missingDraft, v datum) { m.of().Default = &v }),
		strict.May("source", "Where it is written that Windows uses these data: the title of a document, or several.", strict.OneOrMore(strict.LineForm, "names no document"), func(m *missingDraft, all []string) { m.of().Source = all }),
		strict.May("windows", "The versions of Windows of which it is written. On others nobody knows what Windows uses, and the answer is unknown.", windowsForm, func(m *missingDraft, r versionRange) { m.of().windows = &r }),
		strict.May("severity", "What a finding for that reason costs, where that differs.", severityForm, func(m *missingDraft, s Severity) { m.severity = s }),
	},
}

var missingForm = strict.NewForm(strict.Schema{"anyOf": []any{strict.OneWord("fail", "pass").Schema, strict.Schema{"$ref": "#/definitions/missing"}}},
	func(d *strict.Decoder, n *yaml.Node, what string) (m missingDraft) {
		if n.Kind == yaml.MappingNode {
			missingObject.Read(d, n, what, &m)
			if !strict.Has(n, "default") && (strict.Has(n, "source") || strict.Has(n, "windows")) {
				d.Wrong(n, "%s has a source or windows, and no default that they are about", what)
			}
			return m
		}
		m.missing = &Missing{Pass: d.Choice(n, what, []string{"fail", "pass"}) == "pass"}
		return m
	})

var messagesObject = strict.Object[map[Reason]strict.Located[string]]{Name: "messages", What: "messages", Doc: "What a finding says, by its reason."}

func init() {
	for _, reason := range failReasons {
		messagesObject.Fields = append(messagesObject.Fields, strict.May(string(reason), "The message for the reason "+string(reason)+".", strict.Placed(strict.LineForm),
			func(m *map[Reason]strict.Located[string], text strict.Located[string]) {
				if *m == nil {
					*m = map[Reason]strict.Located[string]{}
				}
				(*m)[reason] = text
			}))
	}
}

var messagesForm = strict.Of(&messagesObject, "messages")

var testObject = strict.Object[Test]{
	Name: "test", What: "a test", Doc: "An example: what the rule answers for some .reg text or a hive.",
	Also: oneNeeded("oneOf", []string{"reg"}, []string{"hive"}),
	Fields: []strict.Field[Test]{
		strict.Must("name", "What the test shows.", strict.LineForm, func(t *Test, s string) { t.Name = s }),
		strict.May("reg", "Lines of .reg text below the key of the rule, or whole sections.", strict.TextForm, func(t *Test, s string) { t.Reg = s }),
		strict.May("hive", "In place of reg a hive: a file in the folder of the pack.", strict.LineForm, func(t *Test, s string) { t.Hive = s }),
		strict.May("written", "When the key of the rule was last written, or a mapping of keys to times, with hive for the hive. A .reg file has no times.", testTimesForm, func(t *Test, all []keyTime) { t.written = all }),
		strict.May("windows", "The version of Windows, where it matters; without it, one that the rule is for.", versionForm, func(t *Test, v hive.Windows) { t.Windows = v }),
		strict.May("product", "The product, where it matters; without it, one that the rule is for.", strict.OneWord(productWords()...), func(t *Test, s string) { t.Product = s }),
		strict.May("edition", "The edition, where it matters; without it, one that the rule is for.", strict.OneWord(editionWords()...), func(t *Test, s string) { t.Edition = s }),
		strict.Must("want", "What the rule answers: pass, or the reason of a failure or of an unknown.", strict.OneWord(testWants()...), func(t *Test, s string) { t.Want = Reason(s) }),
		strict.May("severity", "The severity of the finding, where the test is about it.", severityForm, func(t *Test, s Severity) { t.Severity = s }),
	},
}

func testWants() []string {
	wants := []string{string(Pass)}
	for _, reason := range slices.Concat(failReasons, unknownReasons) {
		wants = append(wants, string(reason))
	}
	return wants
}

var testForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/test"}, func(d *strict.Decoder, n *yaml.Node, what string) Test {
	t := Test{At: strict.Locate(n)}
	before := d.Mistakes()
	testObject.Read(d, n, what, &t)
	if d.Mistakes() == before && strict.Has(n, "reg") == strict.Has(n, "hive") {
		d.Wrong(n, "a test needs either the field reg or the field hive")
	}
	if d.Mistakes() == before && t.written != nil && t.Hive != "" {
		d.Wrong(n, "a test with a hive has no field written: the hive has the times of its keys")
	}
	return t
})
