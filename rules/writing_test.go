package rules_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regvet/hive/command"
	"regvet/rules"
)

// TestWritingRules tries all that docs/writing-rules.md shows: each pack loads and its tests pass, each operator holds for the data that are said to
// pass and for no others, and no field of the language is left out.
func TestWritingRules(t *testing.T) {
	page, err := os.ReadFile("../docs/writing-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	packs, operators := 0, map[string]bool{}
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch text := block[1]; {
		case strings.HasPrefix(text, "pack: "):
			packs++
			testPack(t, text)
		case strings.HasPrefix(text, "expect: "):
			testPack(t, operatorPack(t, text))
		default:
			t.Errorf("neither a pack nor an operator, so nothing tries it:\n%s", text)
		}
	}
	for _, heading := range regexp.MustCompile("(?m)^#### `([a-z_]+)`$").FindAllStringSubmatch(string(page), -1) {
		operators[heading[1]] = true
	}
	var schema struct {
		Definitions map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(rules.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for object, definition := range schema.Definitions {
		for _, name := range slices.Sorted(maps.Keys(definition.Properties)) {
			if object == "operators" && !operators[name] {
				t.Errorf("the operator %s has no example on the page", name)
			}
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("the page says nothing of %s of %s", name, object)
			}
		}
	}
	for _, class := range command.Classes() {
		if !strings.Contains(string(page), "| `"+class.Name+"` |") {
			t.Errorf("the page says nothing of the folders %s", class.Name)
		}
	}
	if packs < 4 {
		t.Errorf("the page has %d packs", packs)
	}
}

// operatorPack returns a pack of the example of an operator: what is expected, and lines of data that pass or fail.
func operatorPack(t *testing.T, text string) string {
	t.Helper()
	expect, _, _ := strings.Cut(text, "#")
	pack := "pack: example\ntitle: An example\nreferences: [none]\nrules:\n  - id: EXAMPLE-1\n    title: An example\n    severity: info\n" +
		"    key: HKLM\\SOFTWARE\\Example\n    value: V\n    missing: fail\n    " + expect + "\n    tests:\n"
	lines := regexp.MustCompile(`(?m)^# (passes|fails): (.*)$`).FindAllStringSubmatch(text, -1)
	if len(lines) < 2 {
		t.Errorf("an operator needs data that pass and data that fail:\n%s", text)
	}
	for i, line := range lines {
		want := map[string]string{"passes": "pass", "fails": "mismatch"}[line[1]]
		pack += fmt.Sprintf("      - {name: \"%d\", reg: '\"V\"=%s', want: %s}\n", i, strings.ReplaceAll(line[2], "'", "''"), want)
	}
	return pack
}

func testPack(t *testing.T, text string) {
	t.Helper()
	p, err := rules.Load("writing-rules.md", []byte(text))
	if err != nil {
		t.Errorf("%v\n%s", err, text)
		return
	}
	for _, rule := range p.Rules {
		results := rule.RunTests()
		if len(results) == 0 && rule.Inventory == nil {
			t.Errorf("%s has no tests", rule.ID)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Errorf("%s, %s: %v", rule.ID, r.Test.Name, r.Err)
			}
		}
	}
}
