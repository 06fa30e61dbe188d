package rules_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestWalkLaw looks for many random patterns at once and requires that each finds the keys, in the order of the registry, that match a regular
// expression made from it.
func TestWalkLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	found := 0
	for range 100 {
		content := "[HKEY_LOCAL_MACHINE\\SOFTWARE]\n"
		for range 15 {
			content += `[HKEY_LOCAL_MACHINE\SOFTWARE`
			for range 1 + rng.IntN(5) {
				content += `\` + pick("a", "A", "b", "ab", "ba", "aab")
			}
			content += "]\n"
		}
		reg := registry(t, content)
		var all []*rules.Rule
		text := "pack: p\ntitle: P\nrules:\n"
		for i := range 20 {
			key := `HKLM\SOFTWARE`
			for range 1 + rng.IntN(5) {
				key += `\` + pick("a", "b", "*", "**", "a*", "*b", "?", "{x"+fmt.Sprint(strings.Count(key, `\`))+"}", "a?*")
			}
			text += fmt.Sprintf("  - {id: R%d, title: R, severity: low, key: '%s', expect: {exists: false}}\n", i, key)
		}
		p, err := rules.Load("", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all = p.Rules
		got := map[*rules.Rule][]string{}
		for _, f := range rules.Evaluate(reg, hive.Windows{}, all) {
			if f.Status == rules.Fail {
				got[f.Rule] = append(got[f.Rule], f.RealKey.String())
			}
		}
		for _, r := range all {
			expression := "(?i)^"
			for segment := range strings.SplitSeq(r.Key.String(), `\`) {
				switch {
				case segment == "**":
					expression += `(\\[^\\]+)*`
					continue
				case strings.HasPrefix(segment, "{"):
					segment = "*"
				}
				expression += `\\` + strings.NewReplacer("*", `[^\\]*`, "?", `[^\\]`).Replace(segment)
			}
			re := regexp.MustCompile(expression + "$")
			var want []string
			for path := range reg.Root().Walk() {
				if re.MatchString(`\` + path.String()) {
					want = append(want, path.String())
				}
			}
			found += len(want)
			if !slices.Equal(got[r], want) {
				t.Fatalf("%s leads to\n  %s\nwant\n  %s\nin\n%s", r.Key, strings.Join(got[r], "\n  "), strings.Join(want, "\n  "), content)
			}
		}
	}
	if found < 1500 {
		t.Errorf("only %d keys were to be found", found)
	}
}

// TestWalkLoss requires that a pattern never takes a lost key for one that does not exist.
func TestWalkLoss(t *testing.T) {
	const content = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Some]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Some\\One]\n\"X\"=dword:1\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Some\\Two]\n\"X\"=dword:xyz\n"
	lost := content + "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Some\\" + strings.Repeat("x", 300) + "]\n"
	for _, c := range []struct{ key, reg, want string }{
		{`**`, content, "fail present, unknown damaged"},
		{`*`, content, "fail present, unknown damaged"},
		{`*`, lost, "fail present, unknown damaged, unknown damaged"},
		{`**`, lost, "fail present, unknown damaged"},
		{`**\One`, lost, "fail present, unknown damaged"},
	} {
		p, err := rules.Load("", []byte(`{pack: p, title: P, rules: [{id: R, title: R, severity: low, key: 'HKLM\SOFTWARE\Some\`+c.key+`', value: X, expect: {exists: false}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range rules.Evaluate(registry(t, c.reg), hive.Windows{}, p.Rules) {
			got = append(got, fmt.Sprintf("%s %s", f.Status, f.Reason))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %s, want %s", c.key, strings.Join(got, ", "), c.want)
		}
	}
}
