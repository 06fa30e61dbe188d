package rules_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/memory"
	"regvet/rules"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// randomRule writes a rule with a fix that its own demand takes.
func randomRule(rng *rand.Rand) string {
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	key := pick(`HKLM\SOFTWARE\A`, `HKLM\SOFTWARE\{k}`, `HKLM\SOFTWARE\{k}\B`, `HKLM\SOFTWARE\{k}\{l}`, `HKCU\Software\A`, `HKCU\Software\{k}`,
		`HKLM\SYSTEM\CurrentControlSet\{k}`, `HKLM\SYSTEM\CurrentControlSet\A\B`, `HKLM\SOFTWARE\{k}A`)
	text := fmt.Sprintf("pack: p\ntitle: P\nrules:\n  - id: R\n    title: R\n    severity: low\n    key: '%s'\n", key)
	if rng.IntN(4) == 0 {
		text += "    when: " + pick(`{value: W}`, `{none: [{value: W, expect: {data: {equals: 1}}}]}`, `{windows: ">=6.0"}`, `{any: [{hive: SAM}, {key: 'HKLM\SOFTWARE\*\B'}]}`) + "\n"
	}
	if rng.IntN(5) == 0 {
		return text + "    expect: {exists: false}\n    fix: {delete: key}\n"
	}
	value := pick("V", "W", "(default)", `"{n}"`, `"{n}x"`)
	text += "    value: " + value + "\n"
	if rng.IntN(4) == 0 {
		return text + "    expect: {exists: false}\n    fix: {delete: value}\n"
	}
	c := [][2]string{
		{"{type: REG_DWORD, data: {at_least: 2}}", "{type: REG_DWORD, data: 2}"},
		{"{type: [REG_SZ, REG_DWORD], data: {in: [1, x]}}", "{type: REG_SZ, data: x}"},
		{"{type: REG_DWORD, valid: {between: [1, 3]}, data: {bits_set: 2}}", "{type: REG_DWORD, data: 3}"},
		{"{type: REG_MULTI_SZ, data: {contains_all: [a, b]}}", "{type: REG_MULTI_SZ, data: [b, a]}"},
		{"{data: {matches: '^x', length: {at_most: 4}}}", "{type: REG_EXPAND_SZ, data: xyz}"},
		{"{data: {bytes: '01 02'}}", "{type: REG_BINARY, data: 01 02}"},
		{"{type: REG_QWORD, data: {not_in: [1, 2], above: 4294967295}}", "{type: REG_QWORD, data: 4294967296}"},
	}[rng.IntN(7)]
	if !strings.Contains(value, "{") && strings.Contains(c[0], "REG_DWORD, ") && rng.IntN(3) > 0 {
		text += "    " + randomPolicy(rng, key) + "\n"
	}
	text += "    expect: " + c[0] + "\n    missing: " + pick("fail", "pass") + "\n    fix:\n      - {set: " + c[1] + "}\n"
	if rng.IntN(3) == 0 && strings.Contains(key, "{k}") {
		text += "      - " + pick(`{set: {type: REG_SZ, data: "for {k}"}, key: 'HKLM\SYSTEM\Mark\{k}', value: Mark}`, `{delete: value, value: Old, key: 'HKLM\SYSTEM\Gone\{k}'}`,
			`{delete: key, key: 'HKLM\SYSTEM\Gone\{k}'}`) + "\n"
	}
	return text
}

// randomRegistry writes .reg text of a few keys and values with the names that the rules of randomRule look for.
func randomRegistry(rng *rand.Rand) string {
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	text := "[HKEY_LOCAL_MACHINE\\SOFTWARE]\n"
	for range rng.IntN(12) {
		text += "[" + pick(`HKEY_LOCAL_MACHINE\SOFTWARE`, `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet`, `HKEY_USERS\S-1-5-21-1\Software`,
			`HKEY_USERS\S-1-5-21-2\Software`, `HKEY_LOCAL_MACHINE\SYSTEM\Gone`) + pick("", `\A`, `\a\B`, `\BA`, `\C\B`, `\B`) + "]\n"
		for range rng.IntN(4) {
			text += pick(`"V"`, `"w"`, "@", `"vx"`, `"Old"`, `"x"`) + "=" + pick("dword:1", "dword:2", "dword:7", `"x"`, `"xlong"`, "hex:01,02", "hex(4):01",
				"hex(7):61,00,00,00,62,00,00,00,00,00", "hex(b):00,00,00,00,01,00,00,00", `""`) + "\n"
		}
	}
	return text
}

// TestFixLaw requires for random rules and registries: whatever fails and has a fix passes after it, nothing else fails instead, the undo
// restores the registry, and evaluation does not change it.
func TestFixLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fixed, kinds := 0, map[string]int{}
	for range 2000 {
		text, content := randomRule(rng), randomRegistry(rng)
		p, err := rules.Load("", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		reg := registry(t, content)
		w := hive.Exactly(hive.Version{Major: 6, Minor: rng.IntN(3)})
		findings := rules.Evaluate(reg, w, p.Rules)
		if len(findings) == 0 {
			t.Fatalf("no answer\n%s\n%s", text, content)
		}
		for _, f := range findings {
			kinds[string(f.Status)+" "+string(f.Reason)]++
		}
		plan := rules.NewPlan(reg, findings)
		proof := rules.Prove(reg, w, p.Rules, plan, plan.Edits, plan.Undo)
		if !proof.Holds() {
			t.Fatalf("left %d, new %d, restored %v\n%s\n%s\n%+v", len(proof.Left), len(proof.New), proof.Restored, text, content, plan.Edits)
		}
		for _, u := range plan.Unfixed {
			if u.Fix != nil {
				t.Fatalf("not fixed: %s\n%s\n%s", u.Why, text, content)
			}
		}
		fixed += len(plan.Fixed)
		if again := rules.Evaluate(reg, w, p.Rules); fmt.Sprint(messages(again)) != fmt.Sprint(messages(findings)) {
			t.Fatalf("asked again, it answers otherwise\n%s\n%s", text, content)
		}
	}
	if fixed < 500 || len(kinds) < 8 {
		t.Errorf("the law was tried on too little: %d fixed, %v", fixed, kinds)
	}
}

func messages(findings []rules.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, f.Key.String(), f.Message)
	}
	return all
}
