package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// writtenObject reads what a rule asks of the last write of a key.
var writtenObject = strict.Object[lastWritten]{
	Name: "written", What: "written", Doc: "What is asked of the time at which the key was last written. All of it must hold.",
	Empty: "asks nothing; want after, before, not_after, not_before or whole_second",
	Fields: []strict.Field[lastWritten]{
		boundField("after", "The key was last written after this.", bound{text: "after", strict: true}),
		boundField("before", "The key was last written before this.", bound{text: "before", upper: true, strict: true}),
		boundField("not_after", "The key was last written at this time or before it.", bound{text: "not after", upper: true}),
		boundField("not_before", "The key was last written at this time or after it.", bound{text: "not before"}),
		strict.May("tolerance", "By how much the time may be beyond these: a number and s, m, h or d, such as 90s or 2d.", toleranceForm, func(w *lastWritten, t tolerance) { w.tolerance = t }),
		strict.May("whole_second", "Whether the time has no part below a second. With false it must have one.", strict.BoolForm, func(w *lastWritten, b bool) { w.whole = &b }),
	},
}

// boundField returns the field of a bound.
func boundField(name, doc string, b bound) strict.Field[lastWritten] {
	return strict.May(name, doc, momentForm, func(w *lastWritten, m moment) {
		w.bounds = append(w.bounds, bound{b.text, b.upper, b.strict, m})
	})
}

var writtenForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/written"}, func(d *strict.Decoder, n *yaml.Node, what string) *lastWritten {
	w := &lastWritten{at: strict.Locate(n)}
	before := d.Mistakes()
	writtenObject.Read(d, n, what, w)
	switch {
	case d.Mistakes() > before:
	case len(w.bounds) == 0 && w.whole == nil:
		d.Wrong(n, "%s %s", what, writtenObject.Empty)
	case len(w.bounds) == 0 && w.tolerance.length > 0:
		d.Wrong(n, "%s has a tolerance but no time that it applies to", what)
	case w.nothing():
		d.Wrong(n, "%s leaves no time", what)
	}
	return w
})

// momentObject is {key: PATH}.
var momentObject = strict.Object[keyPattern]{
	Name: "moment", Doc: "The last write of another key.",
	Fields: []strict.Field[keyPattern]{strict.Must("key", "The key. {name} in it stands for what the key of the rule has there.", keyForm, func(k *keyPattern, v keyPattern) { *k = v })},
}

const (
	dateSyntax      = `\d{4}-\d{2}-\d{2}`
	timeSyntax      = dateSyntax + `([Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?`
	toleranceSyntax = `^[1-9]\d{0,5}[smhd]$`
)

// momentForm is a moment: a date, a word or a key.
var momentForm = strict.NewForm(strict.Schema{"anyOf": []any{
	strict.Schema{"enum": []string{"hive", "shutdown"}}, strict.Schema{"type": "string", "pattern": `^\s*` + timeSyntax + `\s*$`}, strict.Of(&momentObject, "moment").Schema,
}}, func(d *strict.Decoder, n *yaml.Node, what string) moment {
	if n.Kind == yaml.MappingNode {
		key := strict.Of(&momentObject, "moment").Read(d, n, what)
		return moment{text: key.String(), kind: aKey, key: key, at: strict.Locate(n)}
	}
	text := d.Line(n, what)
	if text == "" {
		return moment{}
	}
	m := moment{text: text, at: strict.Locate(n)}
	if kind, ok := momentWords[text]; ok {
		m.kind = kind
		return m
	}
	t, err := parseTime(text)
	if err != nil {
		meant := strict.Nearest(text, []string{"hive", "shutdown"})
		if meant != "" {
			d.Wrong(n, "%s cannot be %q; did you mean %s?", what, text, meant)
		} else {
			d.Wrong(n, "%s cannot be %q; it can be a date such as 2019-12-31 or 2019-12-31T18:00:00Z, hive, shutdown, or {key: KEY}", what, text)
		}
	}
	m.date = t
	return m
})

// parseTime reads a date, which means its midnight in UTC, or a date with a time and its offset from UTC.
func parseTime(text string) (t time.Time, err error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err = time.Parse(layout, strings.ToUpper(text)); err == nil {
			return t.UTC(), nil
		}
	}
	return t, fmt.Errorf("%q is no time; want a date such as 2019-12-31, or 2019-12-31T18:00:00Z", text)
}

var toleranceForm = strict.Parsed(strict.Schema{"type": "string", "pattern": toleranceSyntax}, func(text string) (tolerance, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	if !regexp.MustCompile(toleranceSyntax).MatchString(text) {
		return tolerance{}, fmt.Errorf("tolerance cannot be %q; want a number and s, m, h or d, such as 90s or 2d", text)
	}
	last := len(text) - 1
	n, err := strconv.Atoi(text[:last])
	return tolerance{text, time.Duration(n) * units[text[last]]}, err
})

// testTimesForm is when the keys of a test were last written: one time for the key of the rule, or a time for each of some keys and for the hive.
var testTimesForm = strict.NewForm(strict.Schema{"anyOf": []any{
	strict.Schema{"type": "string", "pattern": `^\s*` + timeSyntax + `\s*$`},
	strict.Schema{"type": "object", "minProperties": 1, "additionalProperties": strict.Schema{"type": "string", "pattern": `^\s*` + timeSyntax + `\s*$`},
		"propertyNames": strict.Schema{"anyOf": []any{strict.Schema{"const": "hive"}, strict.Schema{"pattern": rootSyntax()}}}},
}}, func(d *strict.Decoder, n *yaml.Node, what string) (all []keyTime) {
	if n.Kind != yaml.MappingNode {
		if text := d.Line(n, what); text != "" {
			all = append(all, readTime(d, n, keyTime{at: strict.Locate(n)}))
		}
		return all
	}
	if len(n.Content) == 0 {
		d.Wrong(n, "%s names no key", what)
	}
	seen := map[string]bool{} // folded paths
	for name, value := range d.Pairs(n, what) {
		s := keyTime{at: strict.Locate(name)}
		if s.hive = name.Value == "hive"; !s.hive {
			key := keyForm.Read(d, name, what)
			if s.key = key.base; key.isPattern() {
				d.Wrong(name, "the key of a time in a test cannot be a pattern: write its name")
			}
		}
		if spelt := hive.Fold(s.key.String()); !seen[spelt] {
			seen[spelt] = true
		} else if !s.hive {
			d.Wrong(name, "%s stands twice in %s", name.Value, what)
		}
		all = append(all, readTime(d, value, s))
	}
	return all
})

// keyTime is when a key of a test was last written, or the whole hive.
type keyTime struct {
	key  hive.Path // nil for that of the rule
	hive bool
	time hive.Filetime
	at   hive.Location
}

// readTime reads the time of a key.
func readTime(d *strict.Decoder, n *yaml.Node, s keyTime) keyTime {
	t, err := parseTime(d.Line(n, "a time"))
	if err != nil {
		d.Wrong(n, "%v", err)
	}
	s.time = hive.FiletimeOf(t)
	return s
}
