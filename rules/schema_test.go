package rules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"regvet/rules"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(rules.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("rules.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// named returns YAML data with the names of mappings as text, as JSON has them: those of a map of policies may be numbers.
func named(v any) any {
	switch v := v.(type) {
	case map[any]any:
		all := map[string]any{}
		for name, value := range v {
			all[fmt.Sprint(name)] = named(value)
		}
		return all
	case map[string]any:
		for name, value := range v {
			v[name] = named(value)
		}
	case []any:
		for i, value := range v {
			v[i] = named(value)
		}
	}
	return v
}

// validate validates a rule file against the schema as an editor does.
func validate(s *jsonschema.Schema, text string) error {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	data, err := json.Marshal(named(v))
	if err != nil {
		return err
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// TestSchema compares the JSON Schema with the decoder: what loads is valid, and what a schema can find wrong is wrong for both.
func TestSchema(t *testing.T) {
	s := compileSchema(t)
	packs, err := filepath.Glob("packs/*.yaml")
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	sounds := []string{sound, string(rules.Template()), everything}
	for _, name := range append(packs, "../testdata/example.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sounds = append(sounds, string(data))
	}
	for _, text := range sounds {
		if _, err := rules.Load("", []byte(text)); err != nil {
			t.Errorf("it does not load: %v\n%s", err, text)
		}
		if err := validate(s, text); err != nil {
			t.Errorf("it loads, and the schema says %v\n%s", err, text)
		}
	}
	for _, c := range mistakes {
		text := strings.Replace(sound, c.old, c.new, 1)
		if _, err := rules.Load("", []byte(text)); err == nil {
			t.Errorf("%s: it loads", c.name)
		}
		var v any
		if yaml.Unmarshal([]byte(text), &v) != nil {
			continue
		}
		if err := validate(s, text); (err != nil) == c.whole {
			t.Errorf("%s: the schema says %v", c.name, err)
		}
	}
}

// everything is a pack that uses all of the language.
const everything = `pack: everything
title: Everything
rules:
  - id: E-1
    title: One
    severity: info
    key: HKCU\Software\{vendor}\*\[*]
    value: "{name}Port"
    when: {windows: "10.0", product: [server, domain-controller], edition: [home, server-standard], hive: NTUSER.DAT, none: [{key: 'HKLM\SOFTWARE\{vendor}'}]}
    expect:
      type: [REG_DWORD, REG_SZ, 0x99]
      valid: {not: 7, not_in: [8, 9], length: {equals: 4}}
      data: {equals: {value: $Other}}
    missing: pass
    messages: {mismatch: "{vendor} {name}"}
    levels: [stig-win11, cis-win11-l1]
    assume: ">=10.0.19041"
    alternative: Ask somebody.
    tests:
      - {name: one, reg: '[HKEY_USERS]', want: not-applicable}
  - id: E-2
    title: Two
    severity: critical
    key: hklm\software\**\Two
    expect: {exists: false}
    overrides: [{when: {any: [{windows: "<6.0"}, {product: workstation}]}, severity: low}]
  - id: E-3
    title: Three
    severity: low
    key: HKEY_LOCAL_MACHINE\SOFTWARE\{name}
    all:
      - {value: A, expect: {data: {in: ["x", "y"]}}, missing: {default: x}}
      - any: [{value: (default), expect: {type: REG_MULTI_SZ, data: {contains_all: [a], contains_only: [a, b], only: [a, b], any_matches: a, all_match: a, none_matches: c, fold: true, contains: a, ranges: [1, 9], apart_from: [2, 3]}}}]
      - {value: B, expect: {data: {bytes: "01 02", length: {between: [1, 2]}}}}
      - {value: C, expect: {data: {matches: "^x", glob: "x*", equals_fold: X}}, missing: fail}
      - {value: E, expect: {type: REG_BINARY, data: {at: 4, width: 2, bits_set: 1}}}
      - {value: F, expect: {data: {program: {in_folder: [temp, '%ProgramData%\A'], not_in_folder: windows, tries_in_folder: root_of_drive, name: [a, b.exe], arguments: {matches: x, fold: true}}}}}
      - {value: D, expect: {data: {above: 1, below: 9, at_most: 8, at_least: 2, bits_set: 1, bits_clear: 2, between: [1, 9]}}}
    fix:
      - {set: {type: REG_MULTI_SZ, data: [a, b]}, value: "{name}", restart: service Example}
      - {set: {type: REG_BINARY, data: 01 02}, key: 'HKLM\SOFTWARE\Other\{name}', value: X}
      - {delete: value, value: Y, note: Careful., safe: true}
      - {delete: key, key: 'HKLM\SOFTWARE\{name}\Old', safe: false, because: Something may be in it.}
  - id: E-5
    title: Five
    severity: low
    key: HKLM\SYSTEM\{set}\Services\{service}
    when: {key: HKLM\SYSTEM, expect: {exists: true, written: {after: hive}}}
    expect: {written: {not_after: {key: 'HKLM\SYSTEM\CurrentControlSet\Services\{service}'}, not_before: 1993-07-27, before: "2100-01-01T10:00:00.5+01:00", after: shutdown, tolerance: 90s, whole_second: false}}
    missing: pass
    overrides: [{when: {windows: "<6.0"}, expect: {written: {whole_second: true}}}]
    messages: {mismatch: "{written} {limit}"}
    tests:
      - {name: a time, reg: '[HKEY_LOCAL_MACHINE\SYSTEM]', written: {HKLM\SYSTEM: 2019-12-31, hive: 2020-01-01 10:00:00Z}, want: not-covered}
  - id: E-4
    title: Four
    severity: low
    key: HKLM\SOFTWARE\Example
    misspelt: Fourteen
    expect: {exists: false}
    fix: {delete: value}
  - id: E-8
    title: Eight
    severity: low
    key: HKLM\SOFTWARE\Example
    other_than: [One, (default)]
    expect: {exists: false}
  - id: E-6
    title: Six
    severity: low
    when: {key: HKLM\SOFTWARE\Example, value: On, expect: {data: {equals: 1}}, policy: [{key: HKLM\SOFTWARE\Policies\Example, value: On}]}
    key: HKCU\Software\{app}
    value: Six
    expect: {type: REG_DWORD, data: {equals: 1}}
    missing: pass
    policy:
      - {key: 'HKCU\Software\Policies\{app}', value: Six, map: {2: 1, 0x10: 0, "on": 1}, unset: [3, none]}
      - {key: HKLM\SOFTWARE\Policies\Six, value: "{app}", times: 1024, where: {app: Editor}}
    overrides: [{when: {edition: education}, policy: [{key: HKLM\SOFTWARE\Policies\Other, value: Six}]}]
    tests:
      - {name: an edition, reg: '[HKEY_USERS]', edition: home, want: not-covered}
`
