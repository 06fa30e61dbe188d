package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// TestUnwritable requires that a finding whose fix or undo cannot be written leaves the fixes of all others as they are: for a value name
// with NUL, for text that lacks its NUL, for a key that goes with such text in it, and for a backslash in the name of a key, which is not
// taken for two keys.
func TestUnwritable(t *testing.T) {
	pack, err := rules.Load("test.yaml", []byte(`
pack: test
title: Test
rules:
  - {id: START, title: Starts, severity: medium, key: 'HKLM\SYSTEM\ControlSet001\Services\{service}', value: Start,
     expect: {type: REG_DWORD, data: {equals: 4}}, missing: pass, fix: {set: {type: REG_DWORD, data: 4}}}
  - {id: NAME, title: Misspelt, severity: medium, key: 'HKLM\SYSTEM\ControlSet001\Services\{service}', misspelt: MaxUserPort,
     expect: {exists: false}, fix: {delete: value}}
  - {id: KEY, title: A key too many, severity: medium, key: 'HKLM\SYSTEM\ControlSet001\Services\gone',
     expect: {exists: false}, fix: {delete: key}}
`))
	if err != nil {
		t.Fatal(err)
	}
	two, text := hive.DWordValue("Start", 2), hive.Value{Name: "Start", Type: hive.SZ, Data: []byte{'2', 0}}
	services := hive.NewKey("Services", nil,
		hive.NewKey(`a\b`, []hive.Value{two}),
		hive.NewKey("gone", nil, hive.NewKey("below", []hive.Value{text})),
		hive.NewKey("good", []hive.Value{two, hive.DWordValue("MaxUserPor\x00", 1), hive.DWordValue("MaxUserPorts", 1)}),
		hive.NewKey("text", []hive.Value{text, hive.DWordValue("MaxUserPorts", 1)}),
	)
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, hive.NewKey("", nil, hive.NewKey("ControlSet001", nil, services)))
	why := func(all []hive.Edit, of string) string {
		for _, e := range all {
			if reason := regfile.Inexact(e); reason != "" {
				return of + ": " + reason
			}
		}
		return ""
	}
	unwritable := func(fix, undo []hive.Edit) string {
		if reason := why(fix, "fix"); reason != "" {
			return reason
		}
		return why(undo, "undo")
	}
	plan := rules.NewPlanAmong(reg, hive.Windows{}, pack.Rules, rules.Evaluate(reg, hive.Windows{}, pack.Rules), unwritable)
	var got []string
	for _, f := range plan.Fixed {
		got = append(got, fmt.Sprintf("%s %s %q", f.Rule.ID, f.Key[4], f.Value))
	}
	for _, f := range plan.Unfixed {
		got = append(got, fmt.Sprintf("not %s %s %q: %s", f.Rule.ID, f.Key[4], f.Value, f.Why))
	}
	slices.Sort(got)
	nul := "undo: Windows adds the NUL that the text lacks when it imports it"
	want := []string{
		`NAME good "MaxUserPorts"`, `NAME text "MaxUserPorts"`, `START good "Start"`,
		`not KEY gone "": ` + nul,
		`not NAME good "MaxUserPor\x00": fix: a name holds a NUL or a line break`,
		`not START a\b "Start": fix: a name holds a backslash`,
		`not START text "Start": ` + nul,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := edits(plan.Edits) + "; " + edits(plan.Undo); got != "Start=4 -MaxUserPorts -MaxUserPorts; Start=2 MaxUserPorts=1 MaxUserPorts=1" {
		t.Errorf("edits %s", got)
	}
	if reason := why(plan.Edits, "fix") + why(plan.Undo, "undo"); reason != "" {
		t.Errorf("the plan cannot be written: %s", reason)
	}
	if proof := rules.Prove(reg, hive.Windows{}, pack.Rules, plan, plan.Edits, plan.Undo); !proof.Holds() {
		t.Errorf("the plan does not hold: %+v", proof)
	}
}
