package rules

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

func (d *decoder) pack(n *yaml.Node, p *Pack) {
	d.fields(n, "a pack", []string{"pack", "title", "rules"}, map[string]func(*yaml.Node){
		"pack":       func(n *yaml.Node) { p.Name = d.name(n, "pack") },
		"title":      func(n *yaml.Node) { p.Title = d.line(n, "title") },
		"references": func(n *yaml.Node) { p.References = d.texts(n, "references") },
		"rules": func(n *yaml.Node) {
			ids := map[string]bool{}
			d.each(n, "rules", func(n *yaml.Node) {
				r := d.rule(n)
				if r.ID != "" && ids[r.ID] {
					d.wrong(n, "rule %s stands twice; an id names one rule", r.ID)
				}
				ids[r.ID] = true
				p.Rules = append(p.Rules, r)
			})
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				d.wrong(n, "rules is empty; a pack without rules checks nothing")
			}
		},
	})
	for _, r := range p.Rules {
		r.Pack = p.Name
		r.References = append(slices.Clone(p.References), r.References...)
	}
}

// nameForm is how packs and rules are called, so that a name can stand in a command line and in a file name.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (d *decoder) name(n *yaml.Node, what string) string {
	s := d.line(n, what)
	if s != "" && !nameForm.MatchString(s) {
		d.wrong(n, "%s %q is no name; want letters, digits, dots, hyphens and underscores", what, s)
	}
	return s
}

func (d *decoder) rule(n *yaml.Node) *Rule {
	r := &Rule{At: hive.Location{Line: n.Line, Column: n.Column}}
	fields := map[string]func(*yaml.Node){
		"id":         func(n *yaml.Node) { r.ID = d.name(n, "id") },
		"title":      func(n *yaml.Node) { r.Title = d.line(n, "title") },
		"rationale":  func(n *yaml.Node) { r.Rationale = d.line(n, "rationale") },
		"references": func(n *yaml.Node) { r.References = d.texts(n, "references") },
		"tags":       func(n *yaml.Node) { r.Tags = d.texts(n, "tags") },
		"key":        func(n *yaml.Node) { r.Key = d.key(n) },
		"value":      func(n *yaml.Node) { r.Value = d.valueName(n) },
		"overrides": func(n *yaml.Node) {
			d.each(n, "overrides", func(n *yaml.Node) { r.overrides = append(r.overrides, d.override(n)) })
		},
		"tests": func(n *yaml.Node) { d.each(n, "tests", func(n *yaml.Node) { r.Tests = append(r.Tests, d.test(n)) }) },
	}
	d.changes(fields, &r.base)
	before := len(d.mistakes)
	d.fields(n, "a rule", []string{"id", "title", "severity", "key", "value", "expect", "missing"}, fields)
	if len(d.mistakes) > before {
		return r
	}
	if r.base.missing == nil {
		d.wrong(n, "missing must say what it means that the value is not there: fail, pass, or {default: NUMBER}")
	}
	if r.base.types == nil && r.base.data == nil && r.base.valid == nil {
		d.wrong(n, "expect asks for nothing; want type, valid or data")
	}
	d.consistent(n, r)
	return r
}

// consistent checks that the terms of a rule agree with each other: on no Windows may it ask for what cannot be.
func (d *decoder) consistent(n *yaml.Node, r *Rule) {
	for i, v := range r.Variants() {
		t, where := v.Terms, ""
		if i > 0 {
			if o := r.overrides[i-1]; o.types == nil && o.valid == nil && o.data == nil && o.fix == nil {
				continue
			}
			where = " on Windows " + v.When
		}
		if want := t.want(); want.Min > want.Max {
			d.wrong(n, "data and valid of rule %s%s have no number in common", r.ID, where)
			continue
		}
		if t.Fix == nil {
			continue
		}
		if len(t.Types) > 0 && !slices.Contains(t.Types, t.Fix.Set.Type) {
			d.wrong(n, "the fix of rule %s%s sets a %s; the rule wants %s", r.ID, where, t.Fix.Set.Type, t.Expected())
		} else if v, err := t.Fix.Set.Uint64(); t.want() != everything && (err != nil || !t.want().has(v)) {
			d.wrong(n, "the fix of rule %s%s sets %s; the rule wants %s", r.ID, where, t.Fix.Set.Display(), t.want())
		}
	}
	if r.base.fix != nil {
		r.base.fix.Set.Name = r.Value
	}
	for _, o := range r.overrides {
		if o.fix != nil {
			o.fix.Set.Name = r.Value
		}
	}
}

// changes adds the fields that a rule and its overrides have in common.
func (d *decoder) changes(fields map[string]func(*yaml.Node), c *change) {
	fields["severity"] = func(n *yaml.Node) { c.severity = d.severity(n) }
	fields["expect"] = func(n *yaml.Node) {
		d.fields(n, "expect", nil, map[string]func(*yaml.Node){
			"type":  func(n *yaml.Node) { c.types = d.types(n) },
			"valid": func(n *yaml.Node) { c.valid = d.numbers(n, "valid") },
			"data":  func(n *yaml.Node) { c.data = d.numbers(n, "data") },
		})
	}
	fields["missing"] = func(n *yaml.Node) { d.missing(n, c) }
	fields["messages"] = func(n *yaml.Node) { c.messages = d.messages(n) }
	fields["fix"] = func(n *yaml.Node) { c.fix = d.fix(n) }
}

func (d *decoder) override(n *yaml.Node) override {
	var o override
	fields := map[string]func(*yaml.Node){
		"when": func(n *yaml.Node) {
			d.fields(n, "when", []string{"windows"}, map[string]func(*yaml.Node){
				"windows": func(n *yaml.Node) {
					s := d.line(n, "windows")
					when, err := parseVersionRange(s)
					if s != "" && err != nil {
						d.wrong(n, "%v", err)
					}
					o.when = when
				},
			})
		},
	}
	d.changes(fields, &o.change)
	d.fields(n, "an override", []string{"when"}, fields)
	return o
}

func (d *decoder) severity(n *yaml.Node) Severity {
	s, _ := ParseSeverity(d.choice(n, "severity", severityNames))
	return s
}

// key reads the path of a rule's key. Any root, long or short; no wildcards.
func (d *decoder) key(n *yaml.Node) hive.Path {
	s := d.line(n, "key")
	if s == "" {
		return nil
	}
	if i := strings.IndexAny(s, "*?{"); i >= 0 {
		d.wrong(n, "key holds %q; patterns in keys are not part of this version of the language", s[i:i+1])
	}
	p := hive.ParsePath(s)
	if !p.HasRoot() {
		root := ""
		if len(p) > 0 {
			root = p[0]
		}
		d.wrong(n, "key must start with a root of the registry, not with %q%s", root, oneOf(root, append(hive.RootNames(), hive.ShortRootNames()...)))
		return nil
	}
	return p
}

func (d *decoder) valueName(n *yaml.Node) string {
	s := d.text(n, "value")
	switch {
	case s == "" && n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		d.wrong(n, "value must not be empty; the default value is written (default)")
	case s == "(default)":
		return ""
	case strings.ContainsAny(s, "*?{"):
		d.wrong(n, "value %q holds a pattern; patterns are not part of this version of the language", s)
	}
	return s
}

func (d *decoder) types(n *yaml.Node) []hive.Type {
	if n.Kind != yaml.SequenceNode {
		return []hive.Type{d.typ(n)}
	}
	types := []hive.Type{}
	d.each(n, "type", func(n *yaml.Node) { types = append(types, d.typ(n)) })
	if len(types) == 0 {
		d.wrong(n, "type names no type")
	}
	return types
}

func (d *decoder) typ(n *yaml.Node) hive.Type {
	s := d.text(n, "type")
	t, ok := hive.ParseType(s)
	if !ok && n.Kind == yaml.ScalarNode {
		d.wrong(n, "there is no type %q%s", s, oneOf(s, hive.TypeNames()))
	}
	return t
}

// numbers reads operators on numbers, all of which must hold.
func (d *decoder) numbers(n *yaml.Node, what string) *Range {
	r := everything
	limit := func(name string, f func(uint64) Range) func(*yaml.Node) {
		return func(n *yaml.Node) { r = r.and(f(d.number(n, name))) }
	}
	before := len(d.mistakes)
	d.fields(n, what, nil, map[string]func(*yaml.Node){
		"equals":   limit("equals", func(v uint64) Range { return Range{v, v} }),
		"at_least": limit("at_least", func(v uint64) Range { return Range{v, math.MaxUint64} }),
		"at_most":  limit("at_most", func(v uint64) Range { return Range{0, v} }),
		"between": func(n *yaml.Node) {
			var ends []uint64
			d.each(n, "between", func(n *yaml.Node) { ends = append(ends, d.number(n, "an end of between")) })
			switch {
			case n.Kind != yaml.SequenceNode:
			case len(ends) != 2:
				d.wrong(n, "between needs two numbers, the lowest and the highest")
			default:
				r = r.and(Range{ends[0], ends[1]})
			}
		},
	})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		d.wrong(n, "%s has no operator; want at_least, at_most, between or equals", what)
	} else if r.Min > r.Max && len(d.mistakes) == before {
		d.wrong(n, "%s leaves no number", what)
	}
	return &r
}

func (d *decoder) missing(n *yaml.Node, c *change) {
	if n.Kind != yaml.MappingNode {
		c.missing = &Missing{Pass: d.choice(n, "missing", []string{"fail", "pass"}) == "pass"}
		return
	}
	d.fields(n, "missing", nil, map[string]func(*yaml.Node){
		"default": func(n *yaml.Node) {
			v := d.number(n, "default")
			c.missing = &Missing{Default: &v}
		},
		"severity": func(n *yaml.Node) { c.missingSev = d.severity(n) },
	})
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func (d *decoder) messages(n *yaml.Node) map[Reason]string {
	messages := map[Reason]string{}
	fields := map[string]func(*yaml.Node){}
	for _, reason := range failReasons {
		fields[string(reason)] = func(n *yaml.Node) {
			text := d.line(n, "a message")
			for _, m := range placeholder.FindAllString(text, -1) {
				if !slices.Contains(placeholders, m) {
					d.wrong(n, "there is no placeholder %s%s", m, oneOf(m, placeholders))
				}
			}
			messages[reason] = text
		}
	}
	d.fields(n, "messages", nil, fields)
	return messages
}

func (d *decoder) fix(n *yaml.Node) *Fix {
	f := &Fix{Restart: "none"}
	d.fields(n, "a fix", []string{"set"}, map[string]func(*yaml.Node){
		"set": func(n *yaml.Node) { f.Set = d.fixValue(n) },
		"restart": func(n *yaml.Node) {
			f.Restart = d.line(n, "restart")
			if service, ok := strings.CutPrefix(f.Restart, "service "); ok && service != "" || f.Restart == "computer" || f.Restart == "none" || f.Restart == "" {
				return
			}
			d.wrong(n, "restart cannot be %q; it can be computer, none, or service and its name", f.Restart)
		},
		"note": func(n *yaml.Node) { f.Note = d.line(n, "note") },
	})
	return f
}

func (d *decoder) fixValue(n *yaml.Node) hive.Value {
	var v hive.Value
	var data *yaml.Node
	d.fields(n, "set", []string{"type", "data"}, map[string]func(*yaml.Node){
		"type": func(n *yaml.Node) { v.Type = d.typ(n) },
		"data": func(n *yaml.Node) { data = n },
	})
	if data == nil {
		return v
	}
	switch v.Type {
	case hive.DWord, hive.QWord:
		number := d.number(data, "data")
		if v.Type == hive.DWord && number > math.MaxUint32 {
			d.wrong(data, "data of a REG_DWORD must be at most %d", uint32(math.MaxUint32))
		}
		return hive.NumberValue("", v.Type, number)
	case hive.SZ, hive.ExpandSZ:
		return hive.StringValue("", v.Type, d.text(data, "data"))
	}
	d.wrong(n, "a fix cannot set a %s; it can set REG_DWORD, REG_QWORD, REG_SZ or REG_EXPAND_SZ", v.Type)
	return v
}

func (d *decoder) test(n *yaml.Node) Test {
	t := Test{At: hive.Location{Line: n.Line, Column: n.Column}}
	wants := []string{string(Pass), string(NotCovered), string(Damaged)}
	for _, reason := range failReasons {
		wants = append(wants, string(reason))
	}
	d.fields(n, "a test", []string{"name", "reg", "want"}, map[string]func(*yaml.Node){
		"name": func(n *yaml.Node) { t.Name = d.line(n, "name") },
		"reg":  func(n *yaml.Node) { t.Reg = d.text(n, "reg") },
		"windows": func(n *yaml.Node) {
			v, err := hive.ParseVersion(d.text(n, "windows"))
			if err != nil {
				d.wrong(n, "%v", err)
			}
			t.Windows = v
		},
		"want":     func(n *yaml.Node) { t.Want = Reason(d.choice(n, "want", wants)) },
		"severity": func(n *yaml.Node) { t.Severity = d.severity(n) },
	})
	if t.Name == "" {
		t.Name = fmt.Sprintf("test in line %d", n.Line)
	}
	return t
}
