package rules

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"regvet/hive"
)

// stepDraft is one change of a fix as it is read.
type stepDraft struct {
	Step
	ops     int
	restart string
	note    string
}

var stepObject = object[stepDraft]{
	name: "fix", what: "a fix", doc: "One change.",
	fields: []field[stepDraft]{
		may("set", "Sets a value, and makes its key if it is not there.", setForm, func(s *stepDraft, set setDraft) {
			s.Edit.Op, s.Edit.Value, s.data = hive.SetValue, set.value, set.datum
			s.ops++
		}),
		may("delete", "Deletes the value, or the key with all below it.", choice("value", "key"), func(s *stepDraft, what string) {
			if s.Edit.Op = hive.DeleteValue; what == "key" {
				s.Edit.Op = hive.DeleteKey
			}
			s.ops++
		}),
		may("key", "The key, where it is not that of the rule. Names that the rule's key binds may be used.", keyForm, func(s *stepDraft, k KeyPattern) { s.key = &k }),
		may("value", "The value, where it is not that of the rule.", valueForm, func(s *stepDraft, p Pattern) { s.value = &p }),
		may("restart", "What must be started anew before the change counts: computer, none, or service and its name.", restartForm, func(s *stepDraft, text string) { s.restart = text }),
		may("note", "What who makes the change should know.", lineForm, func(s *stepDraft, text string) { s.note = text }),
	},
}

var restartForm = form[string]{schema{"type": "string", "pattern": `^\s*(computer|none|service\s+\S.*)\s*$`}, func(d *decoder, n *yaml.Node, what string) string {
	text := d.line(n, what)
	if service, ok := strings.CutPrefix(text, "service "); ok && service != "" || text == "computer" || text == "none" || text == "" {
		return text
	}
	d.Wrong(n, "restart cannot be %q; it can be computer, none, or service and its name", text)
	return text
}}

var stepForm = form[stepDraft]{schema{"$ref": "#/definitions/fix"}, func(d *decoder, n *yaml.Node, what string) (s stepDraft) {
	s.at = Locate(n)
	before := len(d.mistakes)
	stepObject.read(d, n, what, &s)
	switch {
	case len(d.mistakes) > before:
	case s.ops != 1:
		d.Wrong(n, "a fix needs either the field set or the field delete; for several changes write a list")
	case s.Edit.Op == hive.DeleteKey && s.value != nil:
		d.Wrong(n, "a fix that deletes a key has no value")
	}
	return s
}}

// fixForm is one change or a list of them. What must be started anew after several is what the strongest asks for.
var fixForm = form[*Fix]{oneOrMore(stepForm, "").schema, func(d *decoder, n *yaml.Node, what string) *Fix {
	f, before := &Fix{}, len(d.mistakes)
	var services, notes []string
	for _, s := range oneOrMore(stepForm, "names no change").read(d, n, what) {
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
	}
	f.Note = strings.Join(notes, " ")
	if f.Restart == "" {
		f.Restart = strings.Join(services, " and the ")
	}
	if f.Restart == "" {
		f.Restart = "none"
	}
	f.unsound = len(d.mistakes) > before
	return f
}}

// setDraft is a value to set.
type setDraft struct {
	typ   hive.Type
	data  *yaml.Node
	datum Datum
	value hive.Value
}

var setObject = object[setDraft]{
	name: "set", what: "set", doc: "The type and data to set.",
	fields: []field[setDraft]{
		must("type", "The type.", typeForm, func(s *setDraft, t hive.Type) { s.typ = t }),
		{"data", "The data: a number, text, a list of texts for a REG_MULTI_SZ, or bytes in hex for all other types. Names that the rule's key binds may be used in text.", true,
			schema{"anyOf": []any{schema{"type": scalar}, schema{"type": "array", "items": textForm.schema}}},
			func(d *decoder, n *yaml.Node, s *setDraft) { s.data = n }},
	},
}

var setForm = form[setDraft]{schema{"$ref": "#/definitions/set"}, func(d *decoder, n *yaml.Node, what string) (s setDraft) {
	before := len(d.mistakes)
	setObject.read(d, n, what, &s)
	if len(d.mistakes) > before {
		return s
	}
	if s.typ == hive.Link {
		d.Wrong(n, "a fix cannot set a REG_LINK: registry editors do not make symbolic links")
		return s
	}
	s.datum.kind = kindOf(s.typ)
	switch s.datum.kind {
	case aNumber:
		s.datum.number = d.number(s.data, "data")
	case aText:
		s.datum.text = d.text(s.data, "data")
	case aList:
		s.datum.list = listOf(textForm, 0, "").read(d, s.data, "data")
	default:
		s.datum.bytes = bytesForm.read(d, s.data, "data")
	}
	if len(d.mistakes) > before {
		return s
	}
	v, why := s.datum.as(s.typ)
	if why != "" {
		d.Wrong(s.data, "%s", why)
	}
	s.value, s.data = v, nil
	return s
}}
