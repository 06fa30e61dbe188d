package lint

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"regvet/rules"
	"regvet/rules/strict"
)

var update = flag.Bool("update", false, "write what the tests compare with anew")

// TestConfigSchema compares the schema in the repository with the fields that are read.
func TestConfigSchema(t *testing.T) {
	const name = "config.schema.json"
	if *update {
		if err := os.WriteFile(name, ConfigSchema(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, ConfigSchema()) {
		t.Errorf("%s is not the schema of a config (%v); run the test with -update", name, err)
	}
}

// TestConfigs compares the reader with the schema: what one takes or refuses, the other does too. The schema takes what depends on words that
// only the program knows.
func TestConfigs(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(ConfigSchema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("config.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text   string
		loads  bool
		schema bool
	}{
		{string(example), true, true},
		{"", true, true},
		{"# nothing\n", true, true},
		{"checks:\nexclude:\npaths:\n", true, true},
		{"checks: {REG5: on, all: off, against-rule: info}", true, true},
		{"checks: {reg505: on, REG5: off}\npaths: [{match: [a], checks: {REG505: info}}]", true, true},
		{"checks: {against-rule: of}", false, false},
		{"paths: [{match: [a], checks: {REG505: of}}]", false, false},
		{"windows: 6.1\ncodepage: \"1250\"", true, true},
		{"paths: [{match: [a], windows: 10.0.19045}]", true, true},
		{"a: &a [x]\nexclude: *a", false, false},
		{"exclude: &a [x]\npacks: *a", true, true},
		{"check: {}\nfail-on: error", true, true},
		{"check:", true, true},
		{"check: {packs: [all], rules: [a.yaml], select: [KB*, 'tag:cis'], ignore: [A-1], severity: low, fail-on: high, baseline: a.json, windows: 2008r2}", true, true},
		{"check: {waivers: [{rule: A-1, key: 'HKLM\\SYSTEM\\*', host: 'WEB-?', reason: it is old, until: '2026-06-30'}, {rule: '*'}, {rule: a, reason: }]}", true, true},
		{"check: {waivers: [{key: HKLM\\SYSTEM, reason: x}]}", false, false},
		{"check: {waivers: [{rule: a, reson: x}]}", false, false},
		{"check: {waivers: [{rule: a, until: '30.06.2026'}]}", false, false},
		{"check: {waivers: [{rule: a, until: '2026-02-30'}]}", false, true},
		{"check: {waivers: [{rule: a, key: '\\'}]}", false, true},
		{"check: {waivers: {rule: a}}", false, false},
		{"check: {severity: warning}", false, false},
		{"check: {fail_on: error}", false, false},
		{"check: {checks: {REG5: off}}", false, false},
		{"checks: [REG505]", false, false},
		{"checks: {REG505: of}", false, false},
		{"checks: {REG505: }", false, false},
		{"exclude: vendor", false, false},
		{"exclude: ['']", false, false},
		{"paths: [{checks: {}}]", false, false},
		{"paths: [{match: [a], packs: [b]}]", false, false},
		{"fail_on: high", false, false},
		{"baseline: ''", false, false},
		{"windows: [6.1]", false, false},
		{"- checks", false, false},
		{"windows: XP", false, true},
		{"codepage: 1", false, true},
		{"exclude: ['a\\b']", false, true},
		{"checks: {KB196271-MaxUserPort: off, 'tag:cis': error}", true, true},
	} {
		_, err := LoadConfig("test.yaml", []byte(c.text), nil)
		if (err == nil) != c.loads {
			t.Errorf("%q: %v", c.text, err)
		}
		var value any
		if err := yaml.Unmarshal([]byte(c.text), &value); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); (err == nil) != c.schema {
			t.Errorf("%q against the schema: %v", c.text, err)
		}
	}
}

// TestConfigCompletion requires that an editor can complete each check by its ID and its name, says what it looks for, and completes its states.
func TestConfigCompletion(t *testing.T) {
	type object struct {
		Properties map[string]struct {
			AnyOf []struct {
				Properties map[string]struct {
					Description string
					Enum        []string
				}
			}
		}
	}
	var schema struct{ Definitions map[string]object }
	if err := json.Unmarshal(ConfigSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config", "path"} {
		offered := schema.Definitions[name].Properties["checks"].AnyOf[0].Properties
		want := len(Words()) + 1 // for all
		for _, pack := range rules.BuiltIn() {
			for _, r := range pack.Rules {
				if want++; !strings.Contains(offered[r.ID].Description, r.Title) {
					t.Errorf("%s: an editor offers for %s %+v", name, r.ID, offered[r.ID])
				}
			}
		}
		if len(offered) != want {
			t.Errorf("%s: %d words for checks, want %d", name, len(offered), want)
		}
		for _, word := range Words() {
			if c := Lookup(word); !strings.Contains(offered[word].Description, c.Title) || !slices.Contains(offered[word].Enum, "off") {
				t.Errorf("%s: an editor offers for %s %+v", name, word, offered[word])
			}
		}
	}
}

// TestAliases requires that aliases cannot make a small file stand for more than memory holds.
func TestAliases(t *testing.T) {
	text := "paths:\n- &a\n  match: &b [" + strings.Repeat("x,", 2000) + "x]\n" + strings.Repeat("- *a\n", 2000)
	if _, err := LoadConfig("test.yaml", []byte(text), nil); err == nil || !strings.Contains(err.Error(), "says too much") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%d bytes that stand for 4 million globs: %v", len(text), err)
	}
}

// FuzzConfig requires that every mistake has its place, and that a config without mistakes can be used.
func FuzzConfig(f *testing.F) {
	example, err := os.ReadFile("../../testdata/config.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("checks: {all: off, REG505: [x]}\nexclude: ['{a,b}*/**/[!c]', ../x]\npaths: [{match: [&a a, *a]}, *a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := LoadConfig("test.yaml", data, nil)
		if err != nil {
			for _, one := range err.(strict.Mistakes) {
				if one.At.Line < 1 || one.At.Column < 1 || one.Msg == "" {
					t.Errorf("a mistake without its place: %v", one)
				}
			}
			return
		}
		for _, path := range []string{"a", "legacy/a/b/c.reg", "../a.reg", "/a/b.reg"} {
			c.Excludes(path)
			s := c.With(c.Matching(path))
			for _, check := range Checks() {
				if severity, _ := s.Severity(check); severity < Info || severity > Error {
					t.Errorf("%s has the severity %d", check.ID, severity)
				}
			}
		}
	})
}
