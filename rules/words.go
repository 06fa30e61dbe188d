package rules

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/rules/strict"
)

// nameSyntax is the syntax of the names of packs and rules, which can be used in command lines and file names.
const nameSyntax = `^[A-Za-z0-9][A-Za-z0-9._-]*$`

var nameRegexp = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(nameSyntax) })

func readName(d *strict.Decoder, n *yaml.Node, what string) string {
	s := d.Line(n, what)
	if s != "" && !nameRegexp().MatchString(s) {
		d.Wrong(n, "%s %q is no name; want letters, digits, dots, hyphens and underscores", what, s)
	}
	return s
}

var nameForm = strict.NewForm(strict.AnyText(strict.Schema{"pattern": nameSyntax}), readName)

var severityForm = strict.NewForm(strict.OneWord(severityNames...).Schema, func(d *strict.Decoder, n *yaml.Node, what string) Severity {
	s, _ := ParseSeverity(d.Choice(n, what, severityNames))
	return s
})

// maxLevels is how deep keys can be. Source: Microsoft, Registry element size limits.
const maxLevels = 512

// keyForm is the path of a key, with any root, long or short.
var keyForm = strict.NewForm(strict.Schema{"type": "string", "pattern": rootSyntax()}, func(d *strict.Decoder, n *yaml.Node, what string) keyPattern {
	if d.Line(n, what) == "" {
		return keyPattern{}
	}
	s := strings.TrimSpace(n.Value)
	if levels := strings.Count(s, `\`); levels > maxLevels {
		d.Wrong(n, "key has %d levels; Windows keeps at most %d", levels, maxLevels)
		return keyPattern{}
	} else if !d.Spend(strict.Locate(n), what, levels+patternCost(s)) {
		return keyPattern{}
	}
	if p := hive.ParsePath(s); !p.HasRoot() {
		root := ""
		if len(p) > 0 {
			root = p[0]
		}
		d.Wrong(n, "key must start with a root of the registry, not with %q%s", root, strict.OneOf(root, append(hive.RootNames(), hive.ShortRootNames()...)))
	}
	if choice := choiceOfNames().FindString(strings.ReplaceAll(s, "[{]", "")); choice != "" {
		d.Wrong(n, "key has %q, which is one name and no choice of names; write a rule for each name, or {name} for any", choice)
	}
	return parseKey(s)
})

// choiceOfNames matches names in braces with bars or commas between them, as other languages write a choice. No key of Windows has such a name:
// between the braces of a class stand digits and hyphens.
var choiceOfNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{[^\\{}]*[|,][^\\{}]*\}`) })

// rootSyntax is the regular expression for a path with a root in any case, as JSON Schema knows them: without flags.
func rootSyntax() string {
	var b strings.Builder
	for i, root := range append(hive.RootNames(), hive.ShortRootNames()...) {
		if i > 0 {
			b.WriteByte('|')
		}
		for _, char := range root {
			if lower := strings.ToLower(string(char)); lower != string(char) {
				b.WriteString("[" + string(char) + lower + "]")
			} else {
				b.WriteRune(char)
			}
		}
	}
	return `^\s*\\*(` + b.String() + `)\s*(\\|$)`
}

// valueForm is the name of a value, or a pattern for names.
var valueForm = strict.NewForm(strict.AnyText(strict.Schema{"minLength": 1}), func(d *strict.Decoder, n *yaml.Node, what string) pattern {
	switch s := d.Text(n, what); {
	case s == "" && n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		d.Wrong(n, "value must not be empty; the default value is written (default)")
		return pattern{}
	case s == defaultValue, !d.Spend(strict.Locate(n), what, patternCost(s)):
		return pattern{}
	default:
		return parsePattern(s)
	}
})

// misspeltForm is a name that is long enough that a similar one is a typing error.
var misspeltForm = strict.NewForm(strict.AnyText(strict.Schema{"minLength": lettersToError}), func(d *strict.Decoder, n *yaml.Node, what string) pattern {
	s := d.Line(n, what)
	if s != "" && utf8.RuneCountInString(s) < lettersToError {
		d.Wrong(n, "%s %q is too short: a name that is close to it is another name; want %d letters at least", what, s, lettersToError)
	}
	return misspelt(s)
})

// otherThanForm is the names of values as they are, without patterns.
var otherThanForm = strict.NewForm(otherNames.Schema, func(d *strict.Decoder, n *yaml.Node, what string) pattern {
	return otherThan(otherNames.Read(d, n, what))
})

var otherNames = strict.ListOf(strict.TextForm, 1, "names no value; where there must be none, write value: '*'")

var typeForm = strict.NewForm(strict.Schema{"anyOf": []any{strict.Schema{"enum": hive.TypeNames()}, strict.Schema{"type": []string{"string", "integer"}, "pattern": "^0x[0-9A-Fa-f]{1,8}$"}}},
	func(d *strict.Decoder, n *yaml.Node, what string) hive.Type {
		s := d.Text(n, "type")
		t, ok := hive.ParseType(s)
		if !ok && n.Kind == yaml.ScalarNode {
			d.Wrong(n, "there is no type %q%s", s, strict.OneOf(s, hive.TypeNames()))
		}
		return t
	})

var versionSyntax = `(\d+(\.\d+){0,2}|` + strings.ReplaceAll(strings.Join(hive.WindowsWords(), "|"), ".", `\.`) + `)`

var versionForm = strict.Parsed(strict.AnyText(strict.Schema{"pattern": `^\s*` + versionSyntax + `\s*$`}), hive.ParseWindows)

var windowsForm = strict.Parsed(strict.AnyText(strict.Schema{"pattern": `^\s*(>=|<|=)?` + versionSyntax + `(\s+(>=|<|=)?` + versionSyntax + `)*\s*$`}), parseVersionRange)
