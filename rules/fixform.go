package rules

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// stepDraft is one change of a fix as it is read.
type stepDraft struct {
	Step
	ops     int
	restart string
	note    string
	safe    *strict.Located[bool]
	because *strict.Located[string]
}

var stepObject = strict.Object[stepDraft]{
	Name: "fix", What: "a fix", Doc: "One change.",
	Also: strict.Schema{
		"allOf": []any{
			oneNeeded("oneOf", []string{"set"}, []string{"delete"}),
			strict.Schema{
				"if":   strict.Schema{"properties": strict.Schema{"safe": strict.Schema{"const": false}}, "required": []string{"safe"}},
				"then": strict.Schema{"required": []string{"because"}},
				"else": strict.Schema{"not": strict.Schema{"required": []string{"because"}}},
			},
		},
	},
	Fields: []strict.Field[stepDraft]{
		strict.May("set", "Sets a value, and makes its key if it is not there.", setForm, func(s *stepDraft, set setDraft) {
			s.Edit.Op, s.Edit.Value, s.data = hive.SetValue, set.value, set.datum
			s.ops++
		}),
		strict.May("delete", "Deletes the value, or the key with all below it.", strict.OneWord("value", "key"), func(s *stepDraft, what string) {
			if s.Edit.Op = hive.DeleteValue; what == "key" {
				s.Edit.Op = hive.DeleteKey
			}
			s.ops++
		}),
		strict.May("key", "The key, where it is not that of the rule. Names that the rule's key binds may be used.", keyForm, func(s *stepDraft, k keyPattern) { s.key = &k }),
		strict.May("value", "The value, where it is not that of the rule.", valueForm, func(s *stepDraft, p pattern) { s.value = &p }),
		strict.May("restart", "What must be started anew before the change counts: computer, none, or service and its name.", restartForm, func(s *stepDraft, text string) { s.restart = text }),
		strict.May("note", "What who makes the change should know.", strict.LineForm, func(s *stepDraft, text string) { s.note = text }),
		strict.May("safe", "Whether the change can be made without a decision, which it is without this field. It is not if it moves what something may rely on, if it cannot be undone on the machine, or if no vendor recommends it for this Windows.",
			strict.Placed(strict.BoolForm), func(s *stepDraft, safe strict.Located[bool]) { s.safe = &safe }),
		strict.May("because", "Of a change with safe: false, what a person must weigh.", strict.Placed(strict.LineForm), func(s *stepDraft, why strict.Located[string]) { s.because = &why }),
	},
}

var restartForm = strict.NewForm(strict.Schema{"type": "string", "pattern": `^\s*(computer|none|service\s+\S.*)\s*$`}, func(d *strict.Decoder, n *yaml.Node, what string) string {
	text := d.Line(n, what)
	if service, ok := strings.CutPrefix(text, "service "); ok && service != "" || text == "computer" || text == "none" || text == "" {
		return text
	}
	d.Wrong(n, "restart cannot be %q; it can be computer, none, or service and its name", text)
	return text
})

var stepForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/fix"}, func(d *strict.Decoder, n *yaml.Node, what string) (s stepDraft) {
	s.at = strict.Locate(n)
	before := d.Mistakes()
	stepObject.Read(d, n, what, &s)
	switch {
	case d.Mistakes() > before:
	case s.ops != 1:
		d.Wrong(n, "a fix needs either the field set or the field delete; for several changes write a list")
	case s.Edit.Op == hive.DeleteKey && s.value != nil:
		d.Wrong(n, "a fix that deletes a key has no value")
	case s.safe != nil && !s.safe.V && s.because == nil:
		d.WrongAt(s.safe.At, "safe: false needs the field because: write {…, safe: false, because: \"what it may break\"}")
	case s.because != nil && (s.safe == nil || s.safe.V):
		d.WrongAt(s.because.At, "because is the reason of an unsafe fix, and this one is safe: write {…, safe: false, because: \"…\"}, or use note")
	}
	return s
})

// fixForm is one change or a list of them. After several, the strongest restart that one of them asks for is needed, and they are safe if each is.
var fixForm = strict.NewForm(strict.OneOrMore(stepForm, "").Schema, func(d *strict.Decoder, n *yaml.Node, what string) *Fix {
	f, before := &Fix{}, d.Mistakes()
	var services, notes, reasons []string
	for _, s := range strict.OneOrMore(stepForm, "names no change").Read(d, n, what) {
		f.Steps = append(f.Steps, s.Step)
		switch {
		case s.restart == "computer":
			f.Restart = s.restart
		case s.restart != "" && s.restart != "none" && !slices.Contains(services, s.restart):
			services = append(services, s.restart)
		}
		if s.note != "" {
			notes = append(notes, s.note)
		}
		if s.because != nil && !slices.Contains(reasons, s.because.V) {
			reasons = append(reasons, s.because.V)
		}
	}
	f.Note, f.Because = strings.Join(notes, " "), strings.Join(reasons, "; ")
	if f.Restart == "" {
		f.Restart = strings.Join(services, " and the ")
	}
	if f.Restart == "" {
		f.Restart = "none"
	}
	f.unsound = d.Mistakes() > before
	return f
})

// setDraft is a value to set.
type setDraft struct {
	typ   hive.Type
	data  *yaml.Node
	datum datum
	value hive.Value
}

var setObject = strict.Object[setDraft]{
	Name: "set", What: "set", Doc: "The type and data to set.",
	Fields: []strict.Field[setDraft]{
		strict.Must("type", "The type.", typeForm, func(s *setDraft, t hive.Type) { s.typ = t }),
		strict.Must("data", "The data: a number, text, a list of texts for a REG_MULTI_SZ, or bytes in hex for all other types. Names that the rule's key binds may be used in text.",
			setDataForm, func(s *setDraft, n *yaml.Node) { s.data = n }),
	},
}

// setDataForm keeps the data unread: their form depends on the type, which may come after them.
var setDataForm = strict.NewForm(textsForm.Schema, func(d *strict.Decoder, n *yaml.Node, what string) *yaml.Node { return n })

var setForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/set"}, func(d *strict.Decoder, n *yaml.Node, what string) (s setDraft) {
	before := d.Mistakes()
	setObject.Read(d, n, what, &s)
	if d.Mistakes() > before {
		return s
	}
	if s.typ == hive.Link {
		d.Wrong(n, "a fix cannot set a REG_LINK: registry editors do not make symbolic links")
		return s
	}
	s.datum.kind = kindOf(s.typ)
	switch s.datum.kind {
	case aNumber:
		s.datum.number = d.Number(s.data, "data")
	case aText:
		s.datum.text = d.Text(s.data, "data")
	case aList:
		s.datum.list = strict.ListOf(strict.TextForm, 0, "").Read(d, s.data, "data")
	default:
		s.datum.bytes = bytesForm.Read(d, s.data, "data")
	}
	if d.Mistakes() > before {
		return s
	}
	v, why := s.datum.as(s.typ)
	if why != "" {
		d.Wrong(s.data, "%s", why)
	}
	s.value, s.data = v, nil
	return s
})
