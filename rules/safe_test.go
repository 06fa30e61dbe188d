package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestSafeFixesAgree makes each safe fix of the built-in packs in the registry of each test of its rule, and asks the rules of all packs: the
// rule passes then, the undo restores the registry, and no rule fails that did not fail before.
func TestSafeFixesAgree(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	safe, unsafe := map[string]bool{}, map[string]bool{}
	for _, r := range all {
		for _, test := range r.Tests {
			reg, w, err := r.Scene(test)
			if err != nil {
				t.Fatalf("%s, %s: %v", r.ID, test.Name, err)
			}
			for _, f := range rules.Evaluate(reg, w, []*rules.Rule{r}) {
				switch {
				case f.NeedsDecision():
					unsafe[r.ID] = true
					continue
				case !f.Fixable():
					continue
				}
				safe[r.ID] = true
				plan := rules.NewPlan(reg, []rules.Finding{f})
				proof := rules.Prove(reg, w, all, plan, plan.Edits, plan.Undo)
				if len(proof.Fixed) != 1 || !proof.Restored {
					t.Errorf("%s, %s: the safe fix does not do, or its undo: %+v", r.ID, test.Name, proof)
				}
				for _, other := range proof.New {
					t.Errorf("%s, %s: after its safe fix %s fails: %s", r.ID, test.Name, other.Rule.ID, other.Message)
				}
			}
		}
	}
	if len(safe) < 60 || len(unsafe) < 60 {
		t.Errorf("it was tried on too little: %d rules with a safe fix, %d with an unsafe one", len(safe), len(unsafe))
	}
	t.Logf("%d rules with a safe fix, %d with an unsafe one", len(safe), len(unsafe))
}

// TestSafeFixesTogether is [TestSafeFixesAgree] for random registries, each made of the tests of some rules, with all safe fixes made at once.
func TestSafeFixesTogether(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(13, 5))
	made := 0
	for range 60 {
		var b strings.Builder
		b.WriteString("[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services]\n")
		for range 1 + rng.IntN(25) {
			r := all[rng.IntN(len(all))]
			test := r.Tests[rng.IntN(len(r.Tests))]
			if !strings.HasPrefix(strings.TrimSpace(test.Reg), "[") {
				fmt.Fprintf(&b, "[%s]\n", r.Key)
			}
			b.WriteString(test.Reg + "\n")
		}
		w := hive.Windows{}
		if known := rng.IntN(8); known > 0 {
			w = hive.Exactly([]hive.Version{{Major: 4}, {Major: 5, Minor: 1}, {Major: 5, Minor: 2}, {Major: 6, Minor: 1}, {Major: 6, Minor: 3}, {Major: 10, Build: 17763}, {Major: 10, Build: 26100}}[known-1])
			w.Product = []string{"", "WinNT", "ServerNT", "LanmanNT"}[rng.IntN(4)]
		}
		reg := registry(t, b.String())
		var safe []rules.Finding
		for _, f := range rules.Evaluate(reg, w, all) {
			if f.Fixable() && !f.NeedsDecision() {
				safe = append(safe, f)
			}
		}
		plan := rules.NewPlan(reg, safe)
		for _, u := range plan.Unfixed {
			if u.Rival != nil {
				t.Errorf("%s: the safe fix of %s is not made: %s\n%s", w, u.Rule.ID, u.Why, b.String())
			}
		}
		proof := rules.Prove(reg, w, all, plan, plan.Edits, plan.Undo)
		if !proof.Holds() {
			t.Errorf("%s: %d left, %d new, restored %v\n%s", w, len(proof.Left), len(proof.New), proof.Restored, b.String())
		}
		for _, f := range append(proof.New, proof.Left...) {
			t.Errorf("%s fails after the safe fixes: %s", f.Rule.ID, f.Message)
		}
		made += len(plan.Fixed)
	}
	if made < 120 {
		t.Errorf("only %d safe fixes were made", made)
	}
}

// TestHealthyWindows requires that on what Windows 11 sets by itself, and on an empty export of the keys that rules ask for, no safe fix turns
// anything off that other machines, devices or services may need: such fixes are unsafe. What is named here is what an administrator fears most.
func TestHealthyWindows(t *testing.T) {
	all, err := rules.Rules(rules.BuiltIn()...)
	if err != nil {
		t.Fatal(err)
	}
	reg := registry(t, `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services]
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\USBSTOR]
"Start"=dword:00000003
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\RemoteRegistry]
"Start"=dword:00000003
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Spooler]
"Start"=dword:00000002
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"IPEnableRouter"=dword:00000000
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control]
`)
	feared := []string{"Start", "MaxUserPort", "RequireSecuritySignature", "LmCompatibilityLevel", "LDAPServerIntegrity", "LdapEnforceChannelBinding", "RestrictAnonymous", "UserAuthentication"}
	for _, w := range []hive.Windows{
		{AtLeast: hive.Version{Major: 10, Build: 22631}, Below: hive.Version{Major: 10, Build: 22632}, Product: "WinNT"},
		{AtLeast: hive.Version{Major: 10, Build: 20348}, Below: hive.Version{Major: 10, Build: 20349}, Product: "LanmanNT"},
		{AtLeast: hive.Version{Major: 6, Minor: 1}, Below: hive.Version{Major: 6, Minor: 2}, Product: "ServerNT"},
	} {
		made := 0
		for _, f := range rules.Evaluate(reg, w, all) {
			if !f.Fixable() || f.NeedsDecision() {
				continue
			}
			made++
			for _, e := range f.Edits() {
				n, _ := e.Value.Uint64()
				off := n == 0 && (hive.EqualFold(e.Value.Name, "Enabled") || hive.EqualFold(e.Value.Name, "SMB1"))
				if e.Op == hive.DeleteKey || off || slices.ContainsFunc(feared, func(name string) bool { return hive.EqualFold(name, e.Value.Name) }) {
					t.Errorf("%s: the fix of %s is safe and would %s", w, f.Rule.ID, f.Fix)
				}
			}
		}
		if made == 0 {
			t.Errorf("%s: there is no safe fix at all", w)
		}
	}
}
