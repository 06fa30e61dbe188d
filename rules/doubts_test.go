package rules_test

import (
	"strings"
	"testing"

	"regvet/rules"
)

// TestDoubts changes one thing in a rule without doubts, and requires the doubt that this causes.
func TestDoubts(t *testing.T) {
	const clean = `pack: p
title: P
references: [A page]
rules:
  - id: L
    title: L
    rationale: Because.
    severity: high
    when: {windows: ">=5.0"}
    key: HKLM\SOFTWARE\Example
    value: One
    expect: {type: REG_DWORD, valid: {between: [1, 10]}, data: {at_least: 5}}
    missing: {default: 1}
    messages: {mismatch: "{actual}"}
    overrides:
      - {when: {windows: ">=6.0"}, severity: low}
      - {when: {windows: ">=6.1"}, messages: {missing: "{default}"}}
    tests:
      - {name: good, reg: '"One"=dword:5', want: pass}
      - {name: bad, reg: '"One"=dword:1', want: mismatch}
`
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "L", "L", ""},
		{"a policy without a test", "missing: {default: 1}", "missing: {default: 1}\n    policy: [{key: HKLM\\SOFTWARE\\Policies\\Example, value: One}]", "14:14: rule L: no test shows what its policy does"},
		{"a policy with a test", "tests:", "policy: [{key: HKLM\\SOFTWARE\\Policies\\Example, value: One}]\n    tests:\n      - {name: policy, reg: '[HKEY_LOCAL_MACHINE\\SOFTWARE\\policies\\Example]', want: missing}", ""},
		{"no edition of a server", `when: {windows: ">=5.0"}`, `when: {edition: home, product: server}`, "9:11: rule L: the condition never holds on any Windows: product server, edition home"},
		{"an override for other versions", `">=6.0"`, `"<5.0"`, "16:16: rule L: the override never counts: it is for Windows before 2000 or before 2000 Server (<5.0), and the rule only for Windows 2000 or later, or 2000 Server or later (>=5.0)"},
		{"an override that another one wins over", `messages: {missing: "{default}"}`, "severity: info", ""},
		{"an override that another one always wins over", `{windows: ">=6.1"}, messages: {missing: "{default}"}`, `{windows: ">=5.2"}, severity: info`, "16:16: rule L: the override never counts: the one in line 17 is for Windows Vista or later, or Server 2008 or later (>=6.0) too, and changes all that this one does"},
		{"conditions at odds", `when: {windows: ">=5.0"}`, `when: {windows: ">=5.0", all: [{windows: "<5.0"}]}`, "9:11: rule L: the condition never holds: no Windows is <5.0 and >=5.0"},
		{"conditions at odds with none", `when: {windows: ">=5.0"}`, `when: {windows: "6.1", none: [{windows: ">=6.0"}]}`, "9:11: rule L: the condition never holds on any Windows: Windows 7 or Server 2008 R2 (>=6.1 <6.2), none of (Windows Vista or later, or Server 2008 or later (>=6.0))"},
		{"two products at once", `when: {windows: ">=5.0"}`, `when: {any: [{windows: "5.0"}, {all: [{product: server}, {product: [workstation, domain-controller]}]}]}`, "9:36: rule L: the condition never holds on any Windows: all of (product server; product workstation or domain-controller)"},
		{"an override for another product", `when: {windows: ">=5.0"}`, `when: {product: server}`, ""},
		{"an override for a product that the rule is not for", `when: {windows: ">=6.0"}, severity`, `when: {windows: "<5.2", none: [{windows: "<5.2"}]}, severity`, "16:16: rule L: the condition never holds on any Windows"},
		{"an override where the rule does not apply", `- {when: {windows: ">=6.0"}, severity: low}`, `- {when: {any: [{windows: "<4.0"}, {windows: "4.0"}]}, severity: low}`, "16:16: rule L: the override never counts: it is for any of (Windows before NT 4.0 or before NT Server 4.0 (<4.0); Windows NT 4.0 or NT Server 4.0 (>=4.0 <4.1)), and the rule only for Windows 2000 or later, or 2000 Server or later (>=5.0)"},
		{"a name in data that nothing binds", `missing: {default: 1}`, `missing: {default: 1}
    fix: [{set: {type: REG_DWORD, data: 5}}, {set: {type: REG_SZ, data: "{servce} and {0}"}, value: Two}]`, "14:46: rule L: the fix sets {servce} as it stands, for nothing binds that name"},
		{"a type that data cannot be asked of", "type: REG_DWORD", "type: [REG_DWORD, REG_SZ]", "5:5: rule L: a REG_SZ is always of the wrong type: data ask for a number"},
		{"a condition twice", `when: {windows: ">=5.0"}`, `when: {any: [{product: server}, {product: server}]}`, "9:37: rule L: the condition is in line 9 already"},
		{"a message that is never given", "messages: {mismatch", "messages: {present", `14:25: rule L: the message for present is never used: the rule cannot fail for that reason`},
		{"nothing to put", "messages: {mismatch", "messages: {missing", "14:25: rule L: {actual} is always empty in the message for missing"},
		{"no default to put", "missing: {default: 1}", "missing: fail", "17:56: rule L: {default} is always empty in the message for missing"},
		{"data that ask for nothing", "at_least: 5", "at_least: 1", "5:5: rule L: data are never a mismatch: all that is valid, 1 to 10, does"},
		{"the time of a hive that no Windows keeps up", ` when: {windows: ">=5.0"}`, ` when: {windows: ">=5.0", key: HKLM, expect: {written: {before: hive}}}`, `9:68: rule L: Windows 8.1 and later do not update the time of a hive: the rule is for when: {windows: "<6.3"} or older`},
		{"the time of a hive that Windows keeps up", `when: {windows: ">=5.0"}`, `when: {windows: "<6.3", key: HKLM, expect: {written: {before: hive}}}`, ""},
		{"a time compared with itself", `when: {windows: ">=5.0"}`, `when: {key: HKLM\SYSTEM, expect: {written: {before: {key: HKEY_LOCAL_MACHINE\system}}}}`, "9:57: rule L: the time of the key is compared with itself"},
		{"no time to put", "messages: {mismatch: \"{actual}\"", "messages: {mismatch: \"{actual} {limit}\"", "14:26: rule L: {limit} is always empty in the message for mismatch"},
		{"no passing test", "want: pass", "want: missing", "5:5: rule L: it has no test that passes"},
		{"no failing test", "want: mismatch", "want: pass", "5:5: rule L: it has no test that fails"},
		{"no reason", "    rationale: Because.\n", "", "5:5: rule L: it does not say why it matters (rationale)"},
		{"no source", "references: [A page]\n", "", "4:5: rule L: it does not name its sources (references)"},
	} {
		p, err := rules.Load("", []byte(strings.Replace(clean, c.old, c.new, 1)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := rules.Mistakes(rules.Doubts(p.Rules)).Error()
		if c.want == "" && got != "" {
			t.Errorf("%s: got %s", c.name, got)
		}
		for want := range strings.SplitSeq(c.want, "\n") {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", c.name, got, want)
			}
		}
	}
	for _, p := range rules.BuiltIn() {
		for _, d := range rules.Doubts(p.Rules) {
			t.Error(d.Error())
		}
	}
}
