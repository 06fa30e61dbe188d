package rules_test

import (
	"fmt"

	"regvet/hive"
	"regvet/rules"
)

// A pack is loaded, its rules are asked of a registry, and what fails is fixed in memory, with the proof that it is fixed and can be undone.
func Example() {
	pack, err := rules.Load("mine.yaml", []byte(`pack: mine
title: What we want
rules:
  - id: MINE-1
    title: The host name is short
    rationale: Long names are cut.
    severity: medium
    key: HKLM\SYSTEM\Setup
    value: Limit
    expect: {type: REG_DWORD, data: {equals: 15}}
    missing: fail
    fix: {set: {type: REG_DWORD, data: 15}, safe: true}
    tests:
      - {name: short, reg: '"Limit"=dword:0000000f', want: pass}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, hive.NewKey("", nil, hive.NewKey("Setup", []hive.Value{hive.DWordValue("Limit", 63)})))
	findings := rules.Evaluate(reg, reg.Windows(), pack.Rules)
	for _, f := range findings {
		fmt.Println(f.Rule.ID, f.Status, f.Reason, f.Message)
	}
	plan := rules.NewPlan(reg, findings)
	fmt.Println(rules.Prove(reg, reg.Windows(), pack.Rules, plan, plan.Edits, plan.Undo).Holds())
	// Output:
	// MINE-1 fail mismatch Limit is 63; want 15
	// true
}
