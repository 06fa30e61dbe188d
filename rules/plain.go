package rules

import (
	"slices"
	"strings"

	"regvet/hive"
)

// Plain is what a rule asks, if it is of the kind that other programs have: always the same of one value, or of one key.
type Plain struct {
	Key      hive.Path
	Value    string // the name, unless the rule is about the key itself
	AboutKey bool
	AnyValue bool // the rule asks whether any value of the key has the data

	Exists  *bool // nil if Missing says what absence means
	Types   []hive.Type
	Data    *Comparison // nil for anything, and for what is no one test
	Asked   string      // of the data, for people; "" for nothing
	Missing Missing
	Default string // of Missing, as programs show it

	// Edits bring the registry to what the rule wants, or are none: nothing says what that is.
	Edits []hive.Edit
}

// Comparison is one test of data. It has Numbers, one text at least, or bytes.
type Comparison struct {
	Shown    bool // the test is of what a program shows of the data, whatever their type
	Numbers  bool // the number is Min, Max or one between them
	Min, Max uint64
	Texts    []string // the text is one of these
	List     []string // the list is this
	Bytes    []byte   // the data are these
	Not      *string  // the text, or the number in decimal, is another
	Contains *string  // the text has this in it
	Fold     bool     // case does not count
}

// Plain returns what the rule asks on a Windows, or why it is not of that kind. On the zero Windows, it must ask the same on all.
func (r *Rule) Plain(w hive.Windows) (p Plain, why string) {
	terms := r.Terms(w)
	data := slices.Concat(terms.Valid, terms.Data)
	for _, o := range r.overrides {
		if o.when.onWindows(w) == perhaps {
			return p, "what it asks differs where " + o.when.String()
		}
	}
	switch one := r.anyValue(); {
	case r.When != nil && r.When.onWindows(w) == no:
		return p, "it is for another Windows: " + r.When.String()
	case r.When != nil && r.When.onWindows(w) == perhaps:
		return p, "it applies only where " + r.When.String()
	case r.Key.isPattern():
		return p, "it asks of each key that matches a pattern"
	case one != nil:
		p.AnyValue, data = true, one.terms.Data
	case r.Conditions != nil:
		return p, "it asks conditions, not one value"
	case r.Value.open:
		return p, "it asks of each value that matches a pattern"
	case len(terms.Policies) > 0:
		return p, "a group policy goes before its value"
	case terms.Written != nil:
		return p, "it asks when the key was last written"
	}
	p.Key, p.Value, p.AboutKey, p.Exists, p.Types, p.Missing = r.Key.base, r.Value.name(), r.AboutKey, terms.Exists, terms.Types, terms.Missing
	if m := p.Missing; m.windows != nil && m.windows.holds(w) == yes {
		p.Missing.windows = nil
	}
	if d := p.Missing.Default; d != nil {
		p.Default, _ = shown(d.value(p.Types), read)
	}
	if len(data) > 0 {
		p.Data, p.Asked = data.comparison(), data.String()
	}
	p.Edits = wantedEdits(terms, p)
	return p, ""
}

// anyValue returns the condition of a rule that asks nothing but whether any value of its key has some data, or nil.
func (r *Rule) anyValue() *Condition {
	if r.Conditions == nil || len(r.Conditions.any) != 1 || r.Conditions.all != nil || r.Conditions.none != nil {
		return nil
	}
	c := r.Conditions.any[0]
	q, t := c.question, c.terms
	if q.hasKey || q.AboutKey || q.Value.text != "*" || len(t.Valid) > 0 || len(t.Types) > 0 || t.Missing.Pass || t.Policies != nil || c.asksElsewhere() {
		return nil
	}
	return c
}

// asksElsewhere reports whether the condition asks more than its question.
func (c *Condition) asksElsewhere() bool {
	return c.windows != nil || c.products != nil || c.editions != nil || c.hives != nil || c.bound != nil || c.all != nil || c.any != nil || c.none != nil
}

// wantedEdits returns what makes what a rule wants: its fix, or what follows from the terms.
func wantedEdits(t Terms, p Plain) (edits []hive.Edit) {
	switch {
	case t.Fix != nil:
		for _, s := range t.Fix.Steps {
			e := s.Edit
			if e.Path = p.Key; s.key != nil {
				e.Path = s.key.base
			}
			if e.Op != hive.DeleteKey {
				if e.Value.Name = p.Value; s.value != nil {
					e.Value.Name = s.value.name()
				}
			}
			edits = append(edits, e)
		}
	case t.Exists != nil && !*t.Exists && p.AboutKey:
		edits = []hive.Edit{{Op: hive.DeleteKey, Path: p.Key}}
	case t.Exists != nil && !*t.Exists:
		edits = []hive.Edit{{Op: hive.DeleteValue, Path: p.Key, Value: hive.Value{Name: p.Value}}}
	case p.AboutKey && !p.AnyValue:
		edits = []hive.Edit{{Op: hive.CreateKey, Path: p.Key}}
	case len(t.Types) == 1 && p.Data != nil:
		if v, ok := p.Data.only(t.Types[0]); ok {
			v.Name = p.Value
			edits = []hive.Edit{{Op: hive.SetValue, Path: p.Key, Value: v}}
		}
	}
	return edits
}

// only returns the value of a type that a test leaves. It is not ok if there are several, or none.
func (c *Comparison) only(t hive.Type) (v hive.Value, ok bool) {
	var d datum
	switch {
	case c.Shown:
		return v, false
	case c.Numbers && c.Min == c.Max:
		d = datum{number: c.Min}
	case len(c.Texts) == 1:
		d = datum{kind: aText, text: c.Texts[0]}
	case c.List != nil:
		d = datum{kind: aList, list: c.List}
	case c.Bytes != nil:
		return hive.Value{Type: t, Data: c.Bytes}, true
	default:
		return v, false
	}
	v, why := d.as(t)
	return v, why == ""
}

// comparison returns the one test that a demand is, or nil.
func (q demand) comparison() *Comparison {
	set, numeric := q.numbers()
	switch {
	case numeric && len(set) == 1:
		return &Comparison{Numbers: true, Min: set[0].Min, Max: set[0].Max}
	case len(q) != 1:
		return nil
	}
	o := q[0]
	if o.shown != nil {
		c := o.shown.comparison()
		if c != nil {
			c.Shown = true
		}
		return c
	}
	c := &Comparison{Fold: o.fold}
	switch d := o.operand; {
	case o.name == "in" && len(o.kinds) == 1 && o.kinds[0] == aText && o.listing == nil:
		for _, d := range o.datums {
			c.Texts = append(c.Texts, d.text)
		}
	case d == nil || o.part != nil:
		return nil
	case o.name == "bytes":
		c.Bytes = append([]byte{}, d.bytes...)
	case o.name == "not" && (d.kind == aText || d.kind == aNumber):
		text, _ := shown(d.value(nil), read)
		c.Not = &text
	case o.name == "contains" && d.kind == aText:
		c.Contains = &d.text
	case strings.HasPrefix(o.name, "equals") && d.kind == aText:
		c.Texts = []string{d.text}
	case strings.HasPrefix(o.name, "equals") && d.kind == aList:
		c.List = append([]string{}, d.list...)
	default:
		return nil
	}
	return c
}
