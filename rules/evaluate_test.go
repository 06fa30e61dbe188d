package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/rules"
)

// load makes a pack of rules from the fields that matter to a test; the rest is filled in.
func load(t *testing.T, fields ...string) []*rules.Rule {
	t.Helper()
	text := "pack: test\ntitle: Test\nrules:\n"
	for i, f := range fields {
		text += fmt.Sprintf("  - id: R%d\n    title: Rule\n    severity: medium\n    key: HKLM\\SYSTEM\\CurrentControlSet\\Services\\Example\n", i+1)
		for line := range strings.SplitSeq(strings.TrimSpace(f), "\n") {
			text += "    " + strings.TrimSpace(line) + "\n"
		}
	}
	p, err := rules.Load("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p.Rules
}

// registry reads .reg text; lines without a section stand in the key of the rules.
func registry(t *testing.T, text string) *hive.Registry {
	t.Helper()
	if !strings.HasPrefix(text, "[") {
		text = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Example]\n" + text
	}
	f, err := regfile.Parse("test.reg", []byte("Windows Registry Editor Version 5.00\n\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, f.Tree())
	return reg
}

func TestEvaluate(t *testing.T) {
	const rule = `
		value: Limit
		expect: {type: REG_DWORD, valid: {between: [1, 100]}, data: {at_least: 50}}
		missing: {default: 10}`
	for _, c := range []struct{ name, rule, reg, want string }{
		{"pass", rule, `"Limit"=dword:00000040`, "pass : Limit is 64"},
		{"case of the name", rule, `"LIMIT"=dword:00000040`, "pass : Limit is 64"},
		{"missing", rule, ``, "fail missing: Limit is not set"},
		{"mismatch", rule, `"Limit"=dword:00000005`, "fail mismatch: Limit is 5; want 50 to 100"},
		{"out of range", rule, `"Limit"=dword:000000ff`, "fail out-of-range: Limit is 255, outside the valid range 1 to 100"},
		{"wrong type", rule, `"Limit"="64"`, "fail wrong-type: Limit is REG_SZ, which is ignored"},
		{"type before data", rule, `"Limit"=hex(b):ff,00,00,00,00,00,00,00`, "fail wrong-type: Limit is REG_QWORD, which is ignored"},
		{"bytes that do not fit the type", rule, `"Limit"=hex(4):40,00`, "fail wrong-type: Limit is REG_DWORD of 2 bytes, which is ignored"},
		{"key not there", rule, `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services]`, "fail missing: Limit is not set"},
		{"key not covered", rule, `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Other]`, "unknown not-covered: the input does not cover this key"},
		{"key only on the way to another", rule, `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example\Below]`, "unknown not-covered: the input does not cover this key"},
		{"value deleted", rule, `"Limit"=-`, "fail missing: Limit is not set"},
		{"a line that Windows drops", rule, `"Limit"=dword:xyz`, "unknown damaged: "},
		{"default that does", strings.Replace(rule, "10}", "60}", 1), ``, "pass : Limit is not set; Windows uses 60"},
		{"missing passes", strings.Replace(rule, "{default: 10}", "pass", 1), ``, "pass : Limit is not set"},
		{"missing fails", strings.Replace(rule, "{default: 10}", "fail", 1), ``, "fail missing: Limit is not set"},
		{"any type", strings.Replace(rule, "type: REG_DWORD, ", "", 1), `"Limit"=hex(b):40,00,00,00,00,00,00,00`, "pass : Limit is 64"},
		{"text where a number is wanted", strings.Replace(rule, "type: REG_DWORD, ", "", 1), `"Limit"="64"`, "fail wrong-type: Limit is REG_SZ, which is ignored"},
		{"several types", "value: Name\nexpect: {type: [REG_SZ, REG_EXPAND_SZ]}\nmissing: fail", `"Name"="x"`, "pass : Name is x"},
		{"the default value", "value: (default)\nexpect: {type: REG_SZ}\nmissing: fail", `@="x"`, "pass : (default) is x"},
		{"control characters in data", "value: Name\nexpect: {type: REG_DWORD}\nmissing: fail\nmessages: {wrong-type: \"{actual}\"}", "\"Name\"=hex(1):1b,00,5b,00,00,00", `fail wrong-type: \x1b[`},
	} {
		t.Run(c.name, func(t *testing.T) {
			findings := rules.Evaluate(registry(t, c.reg), hive.Windows{}, load(t, c.rule))
			if len(findings) != 1 {
				t.Fatalf("%d findings", len(findings))
			}
			f := findings[0]
			if got := fmt.Sprintf("%s %s: %s", f.Status, f.Reason, f.Message); !strings.HasPrefix(got, c.want) || f.Status == rules.Fail && got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestDecimal tests what is said of numbers that are what the rule takes if their hex digits are read as decimal; in a hive, where nobody
// wrote digits, it is said only of those out of range.
func TestDecimal(t *testing.T) {
	const ranged = "value: Limit\nmissing: pass\nexpect: {type: REG_DWORD, valid: {between: [10, 300]}, data: {equals: 50}}"
	for _, c := range []struct {
		rule, reg  string
		text, hive uint32 // what is said of a text and of a hive; 0 for nothing
	}{
		{ranged, `"Limit"=dword:00000300`, 300, 300},
		{ranged, `"Limit"=dword:00000299`, 299, 299},
		{ranged, `"Limit"=dword:00000050`, 50, 0},
		{ranged, `"Limit"=dword:00000051`, 0, 0}, // 81 and 51 are both in the range
		{ranged, `"Limit"=dword:00000301`, 0, 0},
		{ranged, `"Limit"=dword:0000012d`, 0, 0},
		{ranged, `"Limit"=dword:00000009`, 0, 0},
		{ranged, `"Limit"=hex(b):00,03,00,00,00,00,00,00`, 0, 0},
		{ranged, `"Limit"="300"`, 0, 0},
		{ranged, `"Limit"=dword:00000032`, 0, 0}, // 50
		{"any: [{value: Limit, expect: {type: REG_DWORD, data: {equals: 50}}}]", `"Limit"=dword:00000050`, 50, 0},
		{"none: [{value: Limit, expect: {type: REG_DWORD, data: {equals: 50}}}]", `"Limit"=dword:00000032`, 0, 0},
	} {
		for _, where := range []struct {
			reg  *hive.Registry
			want uint32
		}{{registry(t, c.reg), c.text}, {withoutPlaces(t, c.reg), c.hive}} {
			f := rules.Evaluate(where.reg, hive.Windows{}, load(t, c.rule))[0]
			got, _ := f.Decimal()
			said := strings.Contains(f.Message, fmt.Sprintf(", and %d is %08x", where.want, where.want))
			if got != where.want || said != (where.want > 0) {
				t.Errorf("%s, %s: got %d, want %d: %s", c.rule, c.reg, got, where.want, f.Message)
			}
		}
	}
}

// withoutPlaces is [registry] without lines and columns, as if the keys were those of a hive.
func withoutPlaces(t *testing.T, text string) *hive.Registry {
	t.Helper()
	f, err := regfile.Parse("test.reg", []byte("REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Example]\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Edits {
		f.Edits[i].At, f.Edits[i].Value.At = hive.Location{}, hive.Location{}
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, f.Tree())
	return reg
}

// TestVersionNotKnown requires a note if the answer depends on a version that is not known, and none otherwise.
func TestVersionNotKnown(t *testing.T) {
	all := load(t, `
		value: Limit
		expect: {type: REG_DWORD, data: {at_least: 50}}
		missing: fail
		overrides: [{when: {windows: ">=6.0"}, missing: {severity: low}}]`)
	if f := rules.Evaluate(registry(t, ``), hive.Windows{}, all)[0]; len(f.Notes) != 1 || f.Severity != rules.Medium {
		t.Errorf("severity %s, notes %q", f.Severity, f.Notes)
	}
	if f := rules.Evaluate(registry(t, `"Limit"=dword:00000001`), hive.Windows{}, all)[0]; len(f.Notes) != 0 {
		t.Errorf("notes %q", f.Notes)
	}
	seven := hive.Exactly(hive.Version{Major: 6, Minor: 1})
	if f := rules.Evaluate(registry(t, ``), seven, all)[0]; len(f.Notes) != 0 || f.Severity != rules.Low {
		t.Errorf("severity %s, notes %q", f.Severity, f.Notes)
	}
}

const withFix = `
	value: Limit
	expect: {type: REG_DWORD, data: {at_least: 50}}
	missing: fail
	fix: {set: {type: REG_DWORD, data: 50}}`

func TestPlan(t *testing.T) {
	higher := strings.NewReplacer("50", "60").Replace(withFix)
	other := strings.ReplaceAll(withFix, "Limit", "Other")
	const absent = "\n\t\tvalue: Limit\n\t\texpect: {exists: false}\n\t\tfix: {delete: value}"
	const noKey = "\n\t\texpect: {exists: false}\n\t\tfix: {delete: key}"
	without := withFix[:strings.Index(withFix, "fix:")]
	for _, c := range []struct {
		name, reg      string
		rules          []string
		fixed, unfixed string // rules, and for the unfixed why
		edits, undo    string
	}{
		{"set what is missing", ``, []string{withFix}, "R1", "", `Limit=50`, `-Limit`},
		{"set what is low", `"Limit"=dword:00000001`, []string{withFix}, "R1", "", `Limit=50`, `Limit=1`},
		{"make the key", `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services]`, []string{withFix}, "R1", "", `Limit=50`, `-Example`},
		{"nothing wrong", `"Limit"=dword:00000050`, []string{withFix}, "", "", ``, ``},
		{"two rules agree", ``, []string{withFix, withFix}, "R1 R2", "", `Limit=50`, `-Limit`},
		{"two rules conflict", ``, []string{withFix, higher}, "", "R1 rule R2 would set Limit to REG_DWORD 60, and this one would set Limit to REG_DWORD 50, " +
			"R2 rule R1 would set Limit to REG_DWORD 50, and this one would set Limit to REG_DWORD 60", ``, ``},
		{"a rule that conflicts with none", ``, []string{withFix, higher, other}, "R3", "R1 rule R2 would set Limit to REG_DWORD 60, and this one would set Limit to REG_DWORD 50, " +
			"R2 rule R1 would set Limit to REG_DWORD 50, and this one would set Limit to REG_DWORD 60", `Other=50`, `-Other`},
		{"one sets what another deletes", `"Limit"=dword:00000001`, []string{withFix, absent}, "", "R1 rule R2 would delete Limit, and this one would set Limit to REG_DWORD 50, " +
			"R2 rule R1 would set Limit to REG_DWORD 50, and this one would delete Limit", ``, ``},
		{"one sets a value of a key that another deletes", `"Limit"=dword:00000001`, []string{noKey, withFix}, "",
			`R1 rule R2 would set Limit to REG_DWORD 50, and this one would delete the key HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example, ` +
				`R2 rule R1 would delete the key HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example, and this one would set Limit to REG_DWORD 50`, ``, ``},
		{"a value goes with its key", `"Limit"=dword:00000001`, []string{noKey, absent}, "R1 R2", "", `-Example`, `+Example Limit=1`},

		{"no fix", ``, []string{without}, "", "", ``, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg, all := registry(t, c.reg), load(t, c.rules...)
			plan := rules.NewPlan(reg, rules.Evaluate(reg, hive.Windows{}, all))
			var fixed, unfixed []string
			for _, f := range plan.Fixed {
				fixed = append(fixed, f.Rule.ID)
			}
			for _, f := range plan.Unfixed {
				unfixed = append(unfixed, f.Rule.ID+" "+f.Why)
			}
			got := []string{strings.Join(fixed, " "), strings.Join(unfixed, ", "), edits(plan.Edits), edits(plan.Undo)}
			if diff := cmp.Diff([]string{c.fixed, c.unfixed, c.edits, c.undo}, got); diff != "" {
				t.Error(diff)
			}
			proof := rules.Prove(reg, hive.Windows{}, all, plan, plan.Edits, plan.Undo)
			if wantLeft := 0; len(proof.Left) != wantLeft || len(proof.New) != 0 || !proof.Restored {
				t.Errorf("proof: %+v", proof)
			}
		})
	}
}

// edits writes edits for a test to compare.
func edits(all []hive.Edit) string {
	var out []string
	for _, e := range all {
		switch e.Op {
		case hive.SetValue:
			out = append(out, e.Value.Name+"="+e.Value.Display())
		case hive.DeleteValue:
			out = append(out, "-"+e.Value.Name)
		case hive.DeleteKey:
			out = append(out, "-"+e.Path[len(e.Path)-1])
		case hive.CreateKey:
			out = append(out, "+"+e.Path[len(e.Path)-1])
		}
	}
	return strings.Join(out, " ")
}

// TestProveFails shows that the proof finds an edit that is lost, an edit that harms, and an undo that does not restore.
func TestProveFails(t *testing.T) {
	reg := registry(t, `"Other"=dword:00000001`)
	all := load(t, withFix, strings.NewReplacer("Limit", "Other", "at_least: 50", "at_most: 1", "data: 50}", "data: 1}").Replace(withFix))
	plan := rules.NewPlan(reg, rules.Evaluate(reg, hive.Windows{}, all))
	set := plan.Edits[0]
	harm := set
	harm.Value = hive.DWordValue("Other", 2)

	if p := rules.Prove(reg, hive.Windows{}, all, plan, nil, nil); p.Holds() || len(p.Left) != 1 || len(p.Fixed) != 0 {
		t.Errorf("nothing was done: %+v", p)
	}
	if p := rules.Prove(reg, hive.Windows{}, all, plan, []hive.Edit{set, harm}, nil); p.Holds() || len(p.New) != 1 || len(p.Fixed) != 1 {
		t.Errorf("something else was harmed: %+v", p)
	}
	if p := rules.Prove(reg, hive.Windows{}, all, plan, plan.Edits, nil); p.Holds() || p.Restored || len(p.Remains) != 1 {
		t.Errorf("nothing was undone: %+v", p)
	}
}

// TestUndoOfAGuess requires that no fix is planned if the current control set is not known.
func TestUndoOfAGuess(t *testing.T) {
	reg := registry(t, "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Example]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services\\Example]\n")
	all := load(t, withFix)
	findings := rules.Evaluate(reg, hive.Windows{}, all)
	if len(findings) != 2 || len(findings[0].Notes) != 1 {
		t.Fatalf("%+v", findings)
	}
	if plan := rules.NewPlan(reg, findings); len(plan.Edits) != 0 || len(plan.Unfixed) != 2 {
		t.Errorf("%+v", plan)
	}
	chosen := reg.WithControlSet("ControlSet002")
	plan := rules.NewPlan(chosen, rules.Evaluate(chosen, hive.Windows{}, all))
	if len(plan.Edits) != 1 || plan.Edits[0].Path[2] != "ControlSet002" || plan.Undo[0].Path[2] != "ControlSet002" {
		t.Errorf("%+v", plan)
	}
}

// TestMisspelt looks for names that are close to another one: not the name itself in any case, nor names that differ in more than one letter
// of five.
func TestMisspelt(t *testing.T) {
	rule := load(t, "misspelt: MaxUserPort\nexpect: {exists: false}\nfix: {delete: value}")
	for name, want := range map[string]string{
		"MaxUserPort": "", "maxuserport": "", "MaxUserPorts": "MaxUserPorts", "MAXUSEPORT": "MAXUSEPORT", "Max User Port": "Max User Port",
		"MaxUsreport": "MaxUsreport", "Max-User--Port": "", "MaxFreeTcbs": "", "": "",
	} {
		reg := registry(t, fmt.Sprintf("%q=dword:0000fffe", name))
		found := rules.Evaluate(reg, hive.Windows{}, rule)
		got := ""
		for _, f := range found {
			if f.Status == rules.Fail {
				got = f.Value
				if edits := f.Fix.Edits(); len(edits) != 1 || edits[0].Op != hive.DeleteValue || edits[0].Value.Name != name {
					t.Errorf("%q: the fix is %v", name, edits)
				}
			}
		}
		if len(found) != 1 || got != want {
			t.Errorf("%q: got %q of %d findings, want %q", name, got, len(found), want)
		}
	}
}

// TestOtherThan looks for values that have none of some names, and (default) is the one without a name.
func TestOtherThan(t *testing.T) {
	for names, want := range map[string]string{`[One, "t*o", "{x}"]`: "(default),two", `["(default)"]`: "One,T*O,one,two,{X}"} {
		rule := load(t, "other_than: "+names+"\nexpect: {exists: false}\nfix: {delete: value}")
		var got []string
		for _, name := range []string{"One", "one", "T*O", "two", "{X}", ""} {
			text := fmt.Sprintf("%q=dword:00000001", name)
			if name == "" {
				text = "@=dword:00000001"
			}
			for _, f := range rules.Evaluate(registry(t, text), hive.Windows{}, rule) {
				if f.Status != rules.Fail {
					continue
				}
				got = append(got, rules.ValueName(name))
				if edits := f.Fix.Edits(); f.Value != name || len(edits) != 1 || edits[0].Value.Name != name {
					t.Errorf("%q: found %q, and the fix is %v", name, f.Value, edits)
				}
			}
		}
		if slices.Sort(got); strings.Join(got, ",") != want {
			t.Errorf("%s: got %q, want %s", names, got, want)
		}
	}
}
