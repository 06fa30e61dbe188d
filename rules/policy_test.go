package rules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/rules"
)

// answersOf returns what the rules say of .reg text, one line for each finding: status, reason, place, message, notes, and why there is no fix.
func answersOf(reg *hive.Registry, all []*rules.Rule) string {
	var lines []string
	findings := rules.Evaluate(reg, hive.Windows{}, all)
	unfixed := map[string]string{}
	for _, u := range rules.NewPlan(reg, findings).Unfixed {
		unfixed[u.Fingerprint()] = u.Why
	}
	for _, f := range findings {
		line := fmt.Sprintf("%s %s %s %s: %s", f.Status, f.Reason, f.RealKey, f.Value, strings.Join(append([]string{f.Message}, f.Notes...), " | "))
		if why := unfixed[f.Fingerprint()]; why != "" && why != "the rule has no fix" {
			line += " | not fixed: " + why
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

const (
	localKey  = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Example]\n"
	policyKey = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Example]\n"
	byPolicy  = " | this is the value of a policy, which goes before the local setting; it is changed where the policy is made, for it is written again whenever policies are applied" +
		" | not fixed: a policy sets it, which goes before the local setting; it is changed where the policy is made"
)

// TestPolicy tests which value counts, and what is said of it.
func TestPolicy(t *testing.T) {
	const rule = "value: V\nexpect: {type: REG_DWORD, valid: {at_most: 100}, data: {at_least: 5}}\nmissing: {default: 1}\nfix: {set: {type: REG_DWORD, data: 5}}\n"
	const one = rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`
	const two = rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\First', value: P}, {key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`
	const live, here = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example V: `, `HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Example P: `
	const firstOpen = ` | a policy may override it: the input does not cover P of the key HKEY_LOCAL_MACHINE\SOFTWARE\Policies\First`
	for _, c := range []struct{ name, rule, reg, want string }{
		{"both absent", one, localKey + policyKey, "fail missing " + live + "V is not set"},
		{"no policy, weak", one, localKey + "\"V\"=dword:1\n" + policyKey, "fail mismatch " + live + "V is 1; want 5 to 100"},
		{"no policy, strong", one, localKey + "\"V\"=dword:6\n" + policyKey, "pass  " + live + "V is 6"},
		{"strong over weak", one, localKey + "\"V\"=dword:1\n" + policyKey + "\"P\"=dword:7\n", "pass  " + here + "P is 7 (by policy)"},
		{"weak over strong", one, localKey + "\"V\"=dword:7\n" + policyKey + "\"P\"=dword:1\n", "fail mismatch " + here + "P is 1; want 5 to 100 (by policy)" + byPolicy},
		{"policy alone", one, policyKey + "\"p\"=dword:7\n", "pass  " + here + "P is 7 (by policy)"},
		{"another value of the policy's key", one, localKey + "\"V\"=dword:6\n" + policyKey + "\"Q\"=dword:1\n", "pass  " + live + "V is 6"},
		{"a type that the reader does not take", one, localKey + "\"V\"=dword:6\n" + policyKey + "\"P\"=\"7\"\n", "fail wrong-type " + here + "P is REG_SZ, which is ignored (by policy)" + byPolicy},
		{"out of range", one, localKey + policyKey + "\"P\"=dword:65\n", "fail out-of-range " + here + "P is 101, outside the valid range at most 100 (by policy)" + byPolicy},
		{"not covered, strong", one, localKey + "\"V\"=dword:6\n", "pass  " + live + "V is 6; a policy may override this local setting" + strings.ReplaceAll(firstOpen, "First", "Example")},
		{"not covered, weak", one, localKey + "\"V\"=dword:1\n", "fail mismatch " + live + "V is 1; want 5 to 100; a policy may override this local setting" + strings.ReplaceAll(firstOpen, "First", "Example")},
		{"neither covered", one, "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Other]\n", "unknown not-covered " + live + "the input does not cover this key"},
		{"the second place decides, the first is not covered", two, localKey + "\"V\"=dword:1\n" + policyKey + "\"P\"=dword:7\n", "pass  " + here + "P is 7 (by policy)" + firstOpen},
		{"the first place decides", two, localKey + policyKey + "\"P\"=dword:1\n" + strings.Replace(policyKey, "Example", "First", 1) + "\"P\"=dword:8\n",
			`pass  HKEY_LOCAL_MACHINE\SOFTWARE\Policies\First P: P is 8 (by policy)`},
		{"other data", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {1: 9, "on": 8, 0: 0}}]`, localKey + policyKey + "\"P\"=\"on\"\n", "pass  " + here + "P is on, which means 8 (by policy)"},
		{"other data, weak", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {9: 2}}]`, localKey + "\"V\"=dword:9\n" + policyKey + "\"P\"=dword:9\n",
			"fail mismatch " + here + "P is 9, which means 2; want 5 to 100 (by policy)" + byPolicy},
		{"data that are not mapped", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {1: 9}}]`, localKey + policyKey + "\"P\"=dword:6\n", "pass  " + here + "P is 6 (by policy)"},
		{"text is no number", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {1: 9}}]`, localKey + policyKey + "\"P\"=\"1\"\n", "fail wrong-type " + here + "P is REG_SZ, which is ignored (by policy)" + byPolicy},
		{"text that looks like a number", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {"1": 9}}]`, localKey + policyKey + "\"P\"=\"1\"\n", "pass  " + here + "P is 1, which means 9 (by policy)"},
		{"larger units", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, times: 10}]`, localKey + policyKey + "\"P\"=dword:7\n", "pass  " + here + "P is 7, which means 70 (by policy)"},
		{"more than the type can hold", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, times: 1024}]`, localKey + policyKey + "\"P\"=dword:ffffffff\n",
			"fail out-of-range " + here + "P is 4294967295, which means 4398046510080, outside the valid range at most 100 (by policy)" + byPolicy},
		{"units of text", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, times: 10}]`, localKey + policyKey + "\"P\"=\"7\"\n", "fail wrong-type " + here + "P is REG_SZ, which is ignored (by policy)" + byPolicy},
		{"a policy that sets nothing", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, unset: [3, x]}]`, localKey + "\"V\"=dword:6\n" + policyKey + "\"P\"=dword:3\n", "pass  " + live + "V is 6"},
		{"text behind an end that may set something", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, unset: [x]}]`, localKey + "\"V\"=dword:6\n" + policyKey + "\"P\"=hex(1):78,00,00,00,79,00,00,00\n",
			"unknown hidden " + here + `P is x [behind a NUL: y]; the answer hangs on whether its reader goes on behind that end`},
		{"text behind an end that may mean something else", rule + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, map: {x: 9}}]`, localKey + "\"V\"=dword:6\n" + policyKey + "\"P\"=hex(1):78,00,00,00,79,00,00,00\n",
			"unknown hidden " + here + `P is x [behind a NUL: y]; the answer hangs on whether its reader goes on behind that end`},
		{"must not be there, and the policy sets nothing", "value: V\nexpect: {exists: false}\n" + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P, unset: [3]}]`, localKey + policyKey + "\"P\"=dword:3\n",
			"pass  " + live + "V is not set"},
		{"must not be there", "value: V\nexpect: {exists: false}\nfix: {delete: value}\n" + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`, localKey + policyKey + "\"P\"=dword:3\n",
			"fail present " + here + "P is set; it must not be (by policy)" + byPolicy},
		{"must be there", "value: V\nexpect: {exists: true}\n" + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`, localKey + policyKey + "\"P\"=dword:3\n", "pass  " + here + "P is 3 (by policy)"},
		{"must be there, and is nowhere", "value: V\nexpect: {exists: true}\n" + `policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`, localKey + policyKey, "fail missing " + live + "V is not set"},
		{"on some versions only", rule + "overrides: [{when: {windows: \">=6.0\"}, policy: [{key: 'HKLM\\SOFTWARE\\Policies\\Example', value: P}]}]", localKey + "\"V\"=dword:1\n" + policyKey + "\"P\"=dword:7\n",
			"unknown undecided " + live + "it depends on what the input does not tell: the version of Windows is not known (--windows tells it); before Windows Vista or Server 2008 (6.0): fail, medium: V is 1; want 5 to 100; since Windows Vista or Server 2008 (6.0): pass: P is 7 (by policy)"},
		{"a condition", "when: {value: W, expect: {data: {equals: 1}}, policy: [{key: 'HKLM\\SOFTWARE\\Policies\\Example', value: P}]}\n" + rule, localKey + "\"V\"=dword:6\n\"W\"=dword:0\n" + policyKey + "\"P\"=dword:1\n", "pass  " + live + "V is 6"},
		{"a condition that a policy ends", "when: {value: W, expect: {data: {equals: 1}}, policy: [{key: 'HKLM\\SOFTWARE\\Policies\\Example', value: P}]}\n" + rule, localKey + "\"V\"=dword:6\n\"W\"=dword:1\n" + policyKey + "\"P\"=dword:0\n",
			"unknown not-applicable " + live + "the rule is for W (or of its policy) is 1, and P is 0; want 1 (by policy)"},
		{"a rule of conditions", "all: [{value: W, expect: {data: {equals: 1}}, policy: [{key: 'HKLM\\SOFTWARE\\Policies\\Example', value: P}]}]\nfix: {value: W, set: {type: REG_DWORD, data: 1}}", localKey + "\"W\"=dword:1\n" + policyKey + "\"P\"=dword:0\n",
			`fail mismatch HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example : P is 0; want 1 (by policy) | not fixed: a policy sets it, which goes before the local setting; it is changed where the policy is made`},
	} {
		if got := answersOf(registry(t, c.reg), load(t, c.rule)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestPolicyLost requires that what cannot be read of a policy leaves the answer unknown, whatever the local value is.
func TestPolicyLost(t *testing.T) {
	rule := load(t, "value: V\nexpect: {type: REG_DWORD, data: {at_least: 5}}\nmissing: {default: 1}\n"+`policy: [{key: 'HKLM\SOFTWARE\Policies\Example', value: P}]`)
	for _, local := range []string{"1", "6"} {
		for _, content := range []string{"", "\"P\"=dword:1\n", "\"P\"=dword:7\n"} {
			reg := registry(t, localKey+"\"V\"=dword:"+local+"\n"+policyKey+content)
			path := hive.ParsePath(`HKLM\SOFTWARE\Policies\Example`)
			for _, lost := range []hive.Path{path, path[:3]} {
				root := reg.Root()
				if len(lost) < len(path) {
					root = hive.Apply(root, hive.Edit{Op: hive.DeleteKey, Path: path})
				} else {
					root = hive.Apply(root, hive.Edit{Op: hive.DeleteValue, Path: path, Value: hive.Value{Name: "P"}})
				}
				damaged := hive.NewRegistry()
				damaged.Mount(nil, hive.WithProblems(root, hive.Problem{Key: lost, Loss: true, Msg: "lost"}))
				if got := answersOf(damaged, rule); !strings.HasPrefix(got, "unknown damaged "+path.String()+" P: the input is damaged here") {
					t.Errorf("V %s, policy %q, %s is lost: %s", local, content, lost, got)
				}
			}
		}
	}
}

// TestPolicyHidden requires that a policy in a key that Windows may not find leaves the answer unknown.
func TestPolicyHidden(t *testing.T) {
	one := func(name string) *hivetest.Key {
		return &hivetest.Key{Name: name, Values: []hive.Value{hive.DWordValue("V", 1)}}
	}
	data, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Policies", List: "lh", Keys: []*hivetest.Key{one("Example")}}, one("Local")}}, hivetest.Options{})
	data = hivetest.Set32(data, at.Key("Policies").List+hivetest.ListElements+4, 0xDEADBEEF)
	f, err := hive.Read("SOFTWARE", data)
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SOFTWARE`), f.Root())
	p, err := rules.Load("", []byte("pack: p\ntitle: P\nrules:\n  - {id: R, title: R, severity: low, key: HKLM\\SOFTWARE\\Local, value: V, expect: {data: {equals: 1}}, missing: fail, policy: [{key: HKLM\\SOFTWARE\\Policies\\Example, value: V}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := `unknown damaged HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Example V: Windows may not find the key: what the list of subkeys holds of the name "Example" is wrong`
	if got := answersOf(reg, p.Rules); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
}

// TestPolicyLinks has keys of policies that are symbolic links: to a policy, to nothing, and to a hive that is not there.
func TestPolicyLinks(t *testing.T) {
	link := func(name, target string) *hivetest.Key {
		return &hivetest.Key{Name: name, Flags: 0x10, Values: []hive.Value{{Name: "SymbolicLinkValue", Type: hive.Link, Data: hive.EncodeUTF16(target)}}}
	}
	for target, want := range map[string]string{
		`\Registry\Machine\SOFTWARE\There`: `fail mismatch HKEY_LOCAL_MACHINE\SOFTWARE\There V: V is 0; want 1 (by policy)` + strings.Split(byPolicy, " | not fixed")[0],
		`\Registry\Machine\SOFTWARE\Gone`:  `pass  HKEY_LOCAL_MACHINE\SOFTWARE\Local\{app} V: there is no such key`,
		`\Registry\Machine\SYSTEM\Gone`:    `pass  HKEY_LOCAL_MACHINE\SOFTWARE\Local\App V: V is not set; a policy may override this local setting | a policy may override it: the input does not cover V of the key HKEY_LOCAL_MACHINE\SOFTWARE\Policies\App`,
	} {
		f, err := hive.Read("SOFTWARE", hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Local"}, {Name: "Policies", Keys: []*hivetest.Key{link("App", target)}},
			{Name: "There", Values: []hive.Value{hive.DWordValue("V", 0)}}}}, hivetest.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		reg := hive.NewRegistry()
		reg.Mount(hive.ParsePath(`HKLM\SOFTWARE`), f.Root())
		p, err := rules.Load("", []byte("pack: p\ntitle: P\nrules:\n  - {id: R, title: R, severity: low, key: 'HKLM\\SOFTWARE\\Local\\{app}', value: V, expect: {data: {equals: 1}}, missing: pass, policy: [{key: 'HKLM\\SOFTWARE\\Policies\\{app}', value: V}]}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := answersOf(reg, p.Rules); got != want {
			t.Errorf("%s\n got %s\nwant %s", target, got, want)
		}
	}
}

// TestPolicyOfMany tests policies of rules that have many places: profiles, users, control sets.
func TestPolicyOfMany(t *testing.T) {
	profile := func(policy string) []*rules.Rule {
		p, err := rules.Load("", []byte("pack: p\ntitle: P\nrules:\n  - id: R\n    title: R\n    severity: low\n    key: HKLM\\SOFTWARE\\Local\\{profile}Profile\n    value: V\n"+
			"    expect: {type: REG_DWORD, data: {equals: 1}}\n    missing: {default: 1}\n    fix: {set: {type: REG_DWORD, data: 1}}\n    messages: {mismatch: \"{profile} is {actual}\"}\n    policy: ["+policy+"]\n"))
		if err != nil {
			t.Fatal(err)
		}
		return p.Rules
	}
	const both = `{key: 'HKLM\SOFTWARE\Policies\PrivateProfile', value: V, where: {profile: standard}}, {key: 'HKLM\SOFTWARE\Policies\{profile}Profile', value: V}`
	const covered = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Local]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies]\n"
	section := func(key, data string) string {
		return "[HKEY_LOCAL_MACHINE\\SOFTWARE\\" + key + "]\n\"V\"=dword:" + data + "\n"
	}
	const at = `HKEY_LOCAL_MACHINE\SOFTWARE\`
	for _, c := range []struct{ name, reg, want string }{
		{"each its own", covered + section(`Local\DomainProfile`, "0") + section(`Local\PublicProfile`, "1") + section(`Policies\DomainProfile`, "1") + section(`Policies\PublicProfile`, "0"),
			"pass  " + at + `Policies\DomainProfile V: V is 1 (by policy)` + "\nfail mismatch " + at + `Policies\PublicProfile V: Public is 0 (by policy)` + byPolicy},
		{"a policy without a local key", covered + section(`Policies\PublicProfile`, "0"), "fail mismatch " + at + `Policies\PublicProfile V: Public is 0 (by policy)` + byPolicy},
		{"a policy without a local key that is strong", covered + section(`Policies\publicprofile`, "1"), "pass  " + at + `Policies\publicprofile V: V is 1 (by policy)`},
		{"a key of policies without the value", covered + "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\PublicProfile]\n", "pass  " + at + `Local\{profile}Profile V: there is no such key`},
		{"another name for one of them", covered + section(`Local\StandardProfile`, "0") + section(`Policies\PrivateProfile`, "1"), "pass  " + at + `Policies\PrivateProfile V: V is 1 (by policy)`},
		{"another name, and its own", covered + section(`Local\StandardProfile`, "1") + section(`Policies\StandardProfile`, "1") + section(`Policies\PrivateProfile`, "0"),
			"fail mismatch " + at + `Policies\PrivateProfile V: Standard is 0 (by policy)` + byPolicy},
		{"no policy is covered", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Local]\n", "pass  " + at + `Local\{profile}Profile V: there is no such key; a policy may override this local setting | a policy may override it: the input does not cover V of the key ` + at + `Policies\PrivateProfile or V of the key ` + at + `Policies\{profile}Profile`},
	} {
		if got := answersOf(registry(t, c.reg), profile(both)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, got, c.want)
		}
	}

	p, err := rules.Load("", []byte("pack: p\ntitle: P\nrules:\n  - id: R\n    title: R\n    severity: low\n    key: HKCU\\Software\\A\n    value: V\n    expect: {type: REG_DWORD, data: {equals: 1}}\n    missing: pass\n    fix: {set: {type: REG_DWORD, data: 1}}\n"+
		"    policy: [{key: 'HKLM\\SOFTWARE\\Policies\\A', value: V}, {key: 'HKCU\\Software\\Policies\\A', value: V}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	const users = "[HKEY_USERS\\S-1-5-21-1\\Software\\A]\n\"V\"=dword:1\n[HKEY_USERS\\S-1-5-21-1\\Software\\Policies\\A]\n\"V\"=dword:0\n" +
		"[HKEY_USERS\\S-1-5-21-2\\Software\\A]\n\"V\"=dword:0\n[HKEY_USERS\\S-1-5-21-2\\Software\\Policies\\A]\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\A]\n"
	for reg, want := range map[string]string{
		users:                     `fail mismatch HKEY_USERS\S-1-5-21-1\Software\Policies\A V: V is 0; want 1 (by policy)` + byPolicy + "\n" + `fail mismatch HKEY_USERS\S-1-5-21-2\Software\A V: V is 0; want 1`,
		users + "\"V\"=dword:1\n": `pass  HKEY_LOCAL_MACHINE\SOFTWARE\Policies\A V: V is 1 (by policy)`, // once for both
	} {
		if got := answersOf(registry(t, reg), p.Rules); got != want {
			t.Errorf("users\n got %s\nwant %s", got, want)
		}
	}

	sets := registry(t, "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Example]\n\"V\"=dword:1\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Policies]\n\"P\"=dword:0\n"+
		"[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services\\Example]\n\"V\"=dword:0\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Policies]\n\"P\"=dword:1\n")
	rule := load(t, "value: V\nexpect: {type: REG_DWORD, data: {equals: 1}}\nmissing: pass\n"+`policy: [{key: 'HKLM\SYSTEM\CurrentControlSet\Policies', value: P}]`)
	const policies = `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet00`
	if got := answersOf(sets.WithControlSet(hive.AllControlSets), rule); !strings.Contains(got, "fail mismatch "+policies+`1\Policies P: P is 0; want 1 (by policy)`) || !strings.Contains(got, "pass  "+policies+`2\Policies P: P is 1 (by policy)`) {
		t.Errorf("control sets: %s", got)
	}
}

// TestPolicyMistakes tests what does not load.
func TestPolicyMistakes(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no key", "P", "    policy: [{value: V}]", "23:14: a policy needs the field key"},
		{"no value", "P", `    policy: [{key: 'HKLM\SOFTWARE\P'}]`, "23:14: a policy needs the field value"},
		{"no list", "P", `    policy: {key: 'HKLM\SOFTWARE\P', value: V}`, "23:13: policy must be a list"},
		{"no place", "P", `    policy: []`, "23:13: policy names no place; want a list of places, each with key and value"},
		{"unknown field", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, mapp: {1: 2}}]`, `23:49: a policy has no field "mapp"; did you mean map?`},
		{"a map that maps nothing", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, map: {}}]`, "23:54: map maps nothing; want pairs such as 2: 1, data of the policy and what they mean in those of the local setting"},
		{"a map that is none", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, map: 2}]`, `23:54: map must be a mapping, with lines such as "NAME: VALUE"`},
		{"a map to data of another type", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, map: {1: "x"}}]`, `23:55: map turns 1 into "x", which a REG_DWORD cannot hold`},
		{"no unit", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, times: 1}]`, "23:56: times must be 2 or more: the number is multiplied by it"},
		{"a pattern", "P", `    policy: [{key: 'HKLM\SOFTWARE\*', value: V}]`, "23:14: the key of a policy cannot hold *, ? or **: a policy is at one place; names that the key of the rule binds can stand in it"},
		{"a name that nothing binds", "P", `    policy: [{key: 'HKLM\SOFTWARE\{name}', value: V}]`, "23:14: the key of a policy uses the name {name}, which nothing binds"},
		{"where of a name that nothing binds", "P", `    policy: [{key: 'HKLM\SOFTWARE\P', value: V, where: {name: x}}]`, "23:57: the field where of a policy uses the name {name}, which nothing binds"},
		{"no root", "P", `    policy: [{key: 'SOFTWARE\P', value: V}]`, `23:20: key must start with a root of the registry, not with "SOFTWARE"`},
		{"a user's policy of a machine", "P", `    policy: [{key: 'HKCU\SOFTWARE\P', value: V}]`, "23:14: a policy of a user overrides no setting of the machine: want a key below HKEY_LOCAL_MACHINE"},
		{"the place itself", "P", `    policy: [{key: 'HKLM\SYSTEM\CurrentControlSet\Services\example', value: one}]`, "23:14: the policy is at the place of the local setting itself"},
		{"a rule about a key", "    value: One\n    expect:\n      type: REG_DWORD\n      valid: {between: [1, 10]}\n      data: {at_least: 5}\n    missing: {default: 1}\n", "    expect: {exists: true}\n    policy: [{key: 'HKLM\\SOFTWARE\\P', value: V}]\n",
			"policy is for one value: a policy overrides what a value holds; add value, or ask for the key of the policy in a condition"},
		{"a rule of conditions", "    value: One\n    expect:\n      type: REG_DWORD\n      valid: {between: [1, 10]}\n      data: {at_least: 5}\n    missing: {default: 1}\n", "    all: [{value: One}]\n    policy: [{key: 'HKLM\\SOFTWARE\\P', value: V}]\n",
			"a rule of all, any or none has no policy of its own: give it to the condition whose value it overrides"},
		{"many values", "    value: One\n", "    value: One*\n    policy: [{key: 'HKLM\\SOFTWARE\\P', value: V}]\n", "policy is for one value, and One* is a pattern: write its name"},
		{"any depth", `Services\Example`, `Services\**\Example` + "\n    policy: [{key: 'HKLM\\SOFTWARE\\P', value: V}]", "policy cannot be for a key behind **: nothing tells which of them a policy overrides"},
		{"a condition with many keys", `{windows: ">=6.0 <10.0"}`, `{key: 'HKLM\SOFTWARE\*', value: V, policy: [{key: 'HKLM\SOFTWARE\P', value: V}]}`, "policy in a condition is for one key: only names that the key of the rule binds can stand in it"},
		{"a condition about a key", `{windows: ">=6.0 <10.0"}`, `{key: 'HKLM\SOFTWARE\X', policy: [{key: 'HKLM\SOFTWARE\P', value: V}]}`, "policy is for one value: a policy overrides what a value holds; add value, or ask for the key of the policy in a condition"},
		{"unknown edition", `windows: ">=6.0 <10.0"`, "edition: hom", `20:25: edition cannot be "hom"; did you mean home?`},
	} {
		text := strings.Replace(sound, c.old, c.new, 1)
		if c.old == "P" {
			text = strings.Replace(sound, "    tests:", c.new+"\n    tests:", 1)
		}
		_, err := rules.Load("", []byte(text))
		mistakes, _ := errors.AsType[rules.Mistakes](err)
		found := false
		var got []string
		for _, m := range mistakes {
			line := strings.TrimPrefix(m.Error(), ": ")
			found = found || strings.HasPrefix(strings.TrimPrefix(line, "line "), c.want) || strings.Contains(line, c.want)
			got = append(got, line)
		}
		if !found {
			t.Errorf("%s\n got %s\nwant %s", c.name, strings.Join(got, "\n     "), c.want)
		}
	}
}
