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

// TestUndecided tests what is said where the input leaves the version, the product or a condition open.
func TestUndecided(t *testing.T) {
	const rule = "value: V\nexpect: {type: REG_DWORD, data: {equals: 1}}\n"
	const six = "missing: fail\noverrides: [{when: {windows: \">=6.0\"}, missing: {default: 1}}]"
	const server = "missing: fail\noverrides: [{when: {windows: \">=10.0.17763\", product: [server, domain-controller]}, missing: pass}]"
	const other = "missing: {default: 1}\nwhen: {key: 'HKLM\\SOFTWARE\\X', value: W, expect: {data: {equals: 1}}}"
	const set = "fix: {set: {type: REG_DWORD, data: 1}"
	const assuming = rule + "assume: \"<6.0\"\nmissing: fail\n" + set +
		"}\noverrides: [{when: {windows: \">=6.0\"}, severity: low, missing: pass, alternative: ask, " + set + ", safe: false, because: Who knows.}}]"
	ten := hive.Exactly(hive.Version{Major: 10})
	for _, c := range []struct {
		name, rule, reg string
		w               hive.Windows
		want            string // status, reason, severity: message; then the notes
	}{
		{"all versions agree", rule + six, `"V"=dword:1`, hive.Windows{}, "pass  medium: V is 1"},
		{"the versions differ", rule + six, ``, hive.Windows{},
			"unknown undecided medium: it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): fail, medium: V is not set; since Windows Vista or Server 2008 (6.0): pass: V is not set; Windows uses 1"},
		{"the version is known as far as it matters", rule + six, ``, hive.Windows{AtLeast: hive.Version{Major: 6}}, "pass  medium: V is not set; Windows uses 1"},
		{"version and product", rule + server, ``, ten,
			"unknown undecided medium: it depends on what the input does not tell: this is Windows 10 or later, or Server 2016 or later (10.0), and --windows tells more; " +
				`the product is not known (Control\ProductOptions of the SYSTEM hive tells it); ` +
				"before Windows 10 1809 or Server 2019 (10.0.17763), or since Windows 10 1809 or Server 2019 (10.0.17763) on a workstation: fail, medium: V is not set; since Windows 10 1809 or Server 2019 (10.0.17763) on a server or domain-controller: pass: V is not set"},
		{"the product is no such", rule + server, ``, hive.Windows{AtLeast: ten.AtLeast, Product: "WinNT"}, "fail missing medium: V is not set"},
		{"the edition", rule + "missing: fail\noverrides: [{when: {edition: [home, server-standard], product: workstation}, missing: pass}]", ``, ten,
			`unknown undecided medium: it depends on what the input does not tell: the product is not known (Control\ProductOptions of the SYSTEM hive tells it); ` +
				`the edition is not known (Control\ProductOptions of the SYSTEM hive tells it); on a workstation of the edition home: pass: V is not set; ` +
				"of any other edition, or on a server or domain-controller of the edition server-standard: fail, medium: V is not set"},
		{"the edition of a workstation", rule + "missing: fail\noverrides: [{when: {edition: [home, education]}, missing: pass}]", ``, hive.Windows{AtLeast: ten.AtLeast, Product: "WinNT"},
			`unknown undecided medium: it depends on what the input does not tell: the edition is not known (Control\ProductOptions of the SYSTEM hive tells it); ` +
				"of the edition home or education: pass: V is not set; of any other edition: fail, medium: V is not set"},
		{"the edition is known", rule + "missing: fail\noverrides: [{when: {edition: home}, missing: pass}]", ``, hive.Windows{Edition: "corecountryspecific"}, "pass  medium: V is not set"},
		{"the edition is another", rule + "missing: fail\noverrides: [{when: {edition: home}, missing: pass}]", ``, hive.Windows{Edition: "EnterpriseS"}, "fail missing medium: V is not set"},
		{"the edition is one that nobody knows", rule + "missing: fail\noverrides: [{when: {edition: home}, missing: pass}]", ``, hive.Windows{Edition: "Clippy"},
			`unknown undecided medium: it depends on what the input does not tell: the edition is Clippy; of the edition home: pass: V is not set; of any other edition: fail, medium: V is not set`},
		{"the severities differ", rule + "missing: fail\noverrides: [{when: {windows: \">=6.0\"}, severity: high}]", ``, hive.Windows{},
			"fail missing high: V is not set; it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): fail, medium: V is not set; since Windows Vista or Server 2008 (6.0): fail, high: V is not set"},
		{"the rule may not apply", "when: {windows: \"<6.0\"}\n" + rule + "missing: fail", `"V"=dword:2`, hive.Windows{},
			"unknown undecided medium: it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): fail, medium: V is 2; want 1; since Windows Vista or Server 2008 (6.0): the rule does not apply"},
		{"a condition is not covered", rule + other, `"V"=dword:2`, ten,
			`unknown undecided medium: it depends on what the input does not tell: whether this holds: W of the key HKEY_LOCAL_MACHINE\SOFTWARE\X is 1 (the input does not cover this key); ` +
				`if not W of the key HKEY_LOCAL_MACHINE\SOFTWARE\X is 1: the rule does not apply; if W of the key HKEY_LOCAL_MACHINE\SOFTWARE\X is 1: fail, medium: V is 2; want 1`},
		{"what the open condition guards is not read", rule + other, `[HKEY_LOCAL_MACHINE\SYSTEM\Y]`, ten,
			`unknown not-covered medium: the input does not cover this key`},
		{"conditions that hold on all versions", "any: [{windows: \"<6.0\"}, {windows: \">=5.0\"}]", ``, hive.Windows{}, "pass  medium: this is Windows before 2000 or before 2000 Server (before 5.0)"},
		{"the rule assumes a version", assuming, `"V"=dword:2`, hive.Windows{}, "fail mismatch medium: V is 2; want 1; it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
			"this answer and its fix hold before Windows Vista or Server 2008 (6.0); since Windows Vista or Server 2008 (6.0): fail, low: V is 2; want 1; the fix is unsafe there: Who knows.; instead: ask"},
		{"a version that is known is not assumed", assuming, `"V"=dword:2`, hive.Windows{AtLeast: hive.Version{Major: 5}}, "fail mismatch medium: V is 2; want 1; it depends on what the input does not tell: " +
			"this is Windows 2000 or later, or 2000 Server or later (5.0 or later), and --windows tells more; before Windows Vista or Server 2008 (6.0): fail, medium: V is 2; want 1; since Windows Vista or Server 2008 (6.0): fail, low: V is 2; want 1; needs a decision: Who knows."},
		{"a fix that is unsafe on some Windows", rule + "missing: fail\n" + set + "}\noverrides: [{when: {windows: \">=6.0\"}, " + set + ", safe: false, because: Who knows.}}]", `"V"=dword:2`, hive.Windows{},
			"fail mismatch medium: V is 2; want 1; needs a decision: Who knows."},
		{"an alternative of some Windows", rule + "missing: fail\nalternative: ask\noverrides: [{when: {windows: \"<6.0\"}, alternative: do not ask}]", `"V"=dword:2`, hive.Windows{}, "fail mismatch medium: V is 2; want 1"},
		{"a later Windows", assuming, `"V"=dword:2`, ten, "fail mismatch low: V is 2; want 1; needs a decision: Who knows.; instead: ask"},
		{"an older Windows", assuming, `"V"=dword:2`, hive.Exactly(hive.Version{Major: 5, Minor: 1}), "fail mismatch medium: V is 2; want 1"},
		{"nothing is assumed where only some fail", assuming, ``, hive.Windows{}, "unknown undecided medium: it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
			"before Windows Vista or Server 2008 (6.0): fail, medium: V is not set; since Windows Vista or Server 2008 (6.0): pass: V is not set"},
		{"the fixes differ", rule + "missing: fail\nfix: {set: {type: REG_DWORD, data: 1}}\noverrides: [{when: {windows: \">=6.0\"}, expect: {data: {equals: 2}}, fix: {set: {type: REG_DWORD, data: 2}}}]",
			`"V"=dword:3`, hive.Windows{}, "fail mismatch medium: V is 3; want 1; it depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): fail, medium: V is 3; want 1; since Windows Vista or Server 2008 (6.0): fail, medium: V is 3; want 2; not fixed: the fix depends on what the input does not tell"},
		{"nothing but the fixes differ", rule + "missing: fail\n" + set + "}\noverrides: [{when: {windows: \">=6.0\"}, fix: [{set: {type: REG_DWORD, data: 1}}, {value: W, delete: value, restart: computer}]}]",
			`"V"=dword:2`, hive.Windows{}, "fail mismatch medium: V is 2; want 1; the fix depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): set V to REG_DWORD 1; since Windows Vista or Server 2008 (6.0): set V to REG_DWORD 1, then delete W, then restart the computer; " +
				"not fixed: the fix depends on what the input does not tell"},
		{"some have no fix", rule + "missing: fail\noverrides: [{when: {windows: \">=6.0\"}, " + set + "}}]", `"V"=dword:2`, hive.Windows{},
			"fail mismatch medium: V is 2; want 1; the fix depends on what the input does not tell: the version of Windows is not known (--windows tells it); " +
				"before Windows Vista or Server 2008 (6.0): there is no fix; since Windows Vista or Server 2008 (6.0): set V to REG_DWORD 1; not fixed: the fix depends on what the input does not tell"},
	} {
		reg := registry(t, c.reg)
		findings := rules.Evaluate(reg, c.w, load(t, c.rule))
		var got []string
		for _, f := range findings {
			got = append(got, fmt.Sprintf("%s %s %s: %s", f.Status, f.Reason, f.Severity, f.Message))
			got = append(got, f.Notes...)
		}
		for _, f := range findings {
			if f.NeedsDecision() {
				got = append(got, "needs a decision: "+f.Fix.Because)
			}
			if f.Alternative != "" {
				got = append(got, "instead: "+f.Alternative)
			}
		}
		for _, u := range rules.NewPlan(reg, findings).Unfixed {
			got = append(got, "not fixed: "+u.Why)
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.name, text, c.want)
		}
	}
}

// TestManyOpen requires that a rule with more open conditions than can be answered one by one is unknown.
func TestManyOpen(t *testing.T) {
	rule := "value: V\nexpect: {data: {equals: 1}}\nmissing: fail\noverrides:\n"
	for i := range 9 {
		rule += fmt.Sprintf("  - {when: {key: 'HKLM\\SOFTWARE\\K%d'}, severity: low}\n", i)
	}
	f := rules.Evaluate(registry(t, ``), hive.Windows{}, load(t, rule))[0]
	if f.Reason != rules.Undecided || !strings.HasPrefix(f.Message, "it depends on what the input does not tell, in too many cases to list them: whether this holds: the key HKEY_LOCAL_MACHINE\\SOFTWARE\\K0 is present (") {
		t.Errorf("%s: %s", f.Reason, f.Message)
	}
}

// openRule writes a rule whose answer depends on the version, the product and a value beside it.
func openRule(rng *rand.Rand) string {
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	when := func() string {
		return pick(`{windows: ">=6.0"}`, `{windows: "<6.2"}`, `{windows: ">=5.1 <10.0.17763"}`, `{product: server}`, `{product: [workstation, server], windows: ">=6.2"}`,
			`{value: W, windows: ">=6.1"}`, `{edition: [home, server-web]}`, `{edition: enterprise, product: workstation}`, `{none: [{windows: "6.1"}, {product: workstation}]}`, `{any: [{windows: ">=10.0"}, {key: 'HKLM\SOFTWARE\A', value: V}]}`)
	}
	key := pick(`HKLM\SOFTWARE\A`, `HKLM\SOFTWARE\{k}\B`, `HKLM\SYSTEM\CurrentControlSet\{k}`, `HKCU\Software\A`, `HKLM\SOFTWARE\**`)
	text := "pack: p\ntitle: P\nrules:\n  - id: R\n    title: R\n    severity: low\n    key: '" + key + "'\n"
	if rng.IntN(2) == 0 {
		text += "    when: " + when() + "\n"
	}
	if rng.IntN(4) == 0 {
		text += "    all: [" + when() + ", {value: V, expect: {data: {equals: 1}}" + pick("", ", "+randomPolicy(rng, key)) + "}]\n"
	} else {
		text += "    value: V\n    expect: {type: REG_DWORD, data: {at_least: 2}}\n    missing: " + pick("fail", "pass", "{default: 1}", "{default: 2}") + "\n"
		if rng.IntN(2) == 0 {
			text += "    " + randomPolicy(rng, key) + "\n"
		}
	}
	if n := rng.IntN(3); n > 0 {
		text += "    overrides:\n"
		for range n {
			text += "      - {when: " + when() + ", " + pick(`severity: high`, `missing: {severity: info}`, `messages: {mismatch: other}`, `severity: medium`) + "}\n"
			if !strings.Contains(text, " all: ") && rng.IntN(2) == 0 {
				text += "      - {when: " + when() + ", " + pick(`missing: pass`, `missing: fail`, `expect: {data: {at_most: 1}}`) + "}\n"
			}
		}
	}
	return text
}

// randomPolicy writes a field policy for a rule on a key.
func randomPolicy(rng *rand.Rand, key string) string {
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	place := func() string {
		at := []string{`HKLM\SYSTEM\Gone`, `HKLM\SYSTEM\Gone\A`, `HKLM\SYSTEM\Gone\B`}
		if strings.HasPrefix(key, "HKCU") {
			at = append(at, `HKCU\Software\C\B`)
		}
		if strings.Contains(key, "{k}") {
			at = append(at, `HKLM\SYSTEM\Gone\{k}`, `HKLM\SYSTEM\Gone\{k}A`)
		}
		return "{key: '" + pick(at...) + "', value: V" + pick("", ", map: {1: 2}", ", times: 3", ", unset: [2, 7]", ", map: {x: 7}, unset: [1]") + "}"
	}
	if rng.IntN(2) == 0 {
		return "policy: [" + place() + "]"
	}
	return "policy: [" + place() + ", " + place() + "]"
}

// TestDecidedLaw requires: what becomes known of Windows turns an undecided answer into one of those that were told to be possible, and leaves a
// pass a pass and a failure a failure, unless the rule does not apply to that Windows.
func TestDecidedLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	versions := []hive.Version{{Major: 4}, {Major: 5}, {Major: 5, Minor: 1}, {Major: 6}, {Major: 6, Minor: 1}, {Major: 6, Minor: 2}, {Major: 10}, {Major: 10, Build: 17763}, {Major: 10, Build: 19045}}
	undecided, decided, same := 0, 0, 0
	for range 3000 {
		text, content := openRule(rng), randomRegistry(rng)
		p, err := rules.Load("", []byte(text))
		if err != nil {
			continue // its parts contradict each other
		}
		reg := registry(t, content)
		from, below := rng.IntN(len(versions)), rng.IntN(len(versions)+4)
		w := hive.Windows{AtLeast: versions[from]}
		if from == 0 {
			w.AtLeast = hive.Version{}
		}
		exact := hive.Exactly(versions[from+rng.IntN(len(versions)-from)])
		if below > from && below < len(versions) {
			w.Below = versions[below]
			exact = hive.Exactly(versions[from+rng.IntN(below-from)])
		}
		exact.Below = hive.Version{Major: exact.AtLeast.Major, Minor: exact.AtLeast.Minor, Build: exact.AtLeast.Build + 1}
		computer := [][2]string{{"WinNT", "Core"}, {"WinNT", "EnterpriseS"}, {"WinNT", "Professional"}, {"ServerNT", "ServerWeb"}, {"LanmanNT", "ServerStandard"}}[rng.IntN(5)]
		exact.Product, exact.Edition = computer[0], computer[1]
		after := map[string]rules.Finding{}
		for _, f := range rules.Evaluate(reg, exact, p.Rules) {
			after[f.Key.String()] = f // one for each key; a condition decides which value it is about
		}
		for _, f := range rules.Evaluate(reg, w, p.Rules) {
			g, ok := after[f.Key.String()]
			if !ok {
				g = rules.Finding{Status: rules.Unknown, Reason: rules.NotApplicable} // it is told once for all keys
			}
			fine := false
			switch {
			case !ok && strings.Contains(text, "**"): // passes below it are counted
				fine = true
			case f.Reason == rules.Undecided:
				undecided++
				told := func(g rules.Finding) bool {
					return slices.ContainsFunc(f.Possible(), func(p rules.Finding) bool {
						conditions := strings.Contains(text, " all: ") // tell the version
						return p.Status == g.Status && p.Reason == g.Reason && (!g.Applies() || p.Severity == g.Severity && (p.Message == g.Message || conditions))
					})
				}
				if fine = told(g); g.Reason == rules.Undecided { // by what the registry does not tell
					fine = !slices.ContainsFunc(g.Possible(), func(p rules.Finding) bool { return !told(p) })
				}
				if g.Status != rules.Unknown {
					decided++
				}
			case f.Status == rules.Fail:
				same++
				fine = g.Status == rules.Fail && g.Severity <= f.Severity
			case f.Status == rules.Pass:
				fine = g.Status == rules.Pass || !g.Applies()
			default:
				fine = true
			}
			if !fine {
				t.Fatalf("%s %s on %v, %s %s on %v\n%s\n%s\n%s\n%s", f.Status, f.Reason, w, g.Status, g.Reason, exact, f.Message, g.Message, text, content)
			}
		}
	}
	if undecided < 300 || decided < 200 || same < 200 {
		t.Errorf("the law was tried on too little: %d undecided, %d of them decided, %d failures", undecided, decided, same)
	}
}

// TestDamageLaw requires: where a value or a key can no longer be read, no failure and no unknown becomes a pass, and no pass a failure.
func TestDamageLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	changed := 0
	for range 3000 {
		text, content := openRule(rng), randomRegistry(rng)
		p, err := rules.Load("", []byte(text))
		if err != nil {
			continue
		}
		reg := registry(t, content)
		w := hive.Windows{AtLeast: hive.Version{Major: 6}}
		var lost []hive.Edit // each with the key that then lacks something
		for path, k := range reg.Root().Walk() {
			if len(path) > 1 {
				lost = append(lost, hive.Edit{Op: hive.DeleteKey, Path: path.Join()})
			}
			for _, v := range k.Values() {
				lost = append(lost, hive.Edit{Op: hive.DeleteValue, Path: path.Join(), Value: hive.Value{Name: v.Name}})
			}
		}
		if len(lost) == 0 {
			continue
		}
		e := lost[rng.IntN(len(lost))]
		place := e.Path
		if e.Op == hive.DeleteKey {
			place = place[:len(place)-1]
		}
		damaged := hive.NewRegistry()
		damaged.Mount(nil, hive.WithProblems(hive.Apply(reg.Root(), e), hive.Problem{Key: place, Loss: true, Msg: "lost"}))
		after := map[string]rules.Finding{}
		worst, failed := rules.Pass, false
		for _, f := range rules.Evaluate(damaged, w, p.Rules) {
			after[f.Fingerprint()] = f
			failed = failed || f.Status == rules.Fail
			if f.Status != rules.Pass && f.Applies() {
				worst = rules.Unknown
			}
		}
		before := rules.Evaluate(reg, w, p.Rules)
		sound := !slices.ContainsFunc(before, func(f rules.Finding) bool { return f.Status != rules.Pass })
		for _, f := range before {
			g, ok := after[f.Fingerprint()]
			bad := ok && (f.Status == rules.Pass && g.Status == rules.Fail || f.Applies() && f.Status != rules.Pass && g.Status == rules.Pass)
			bad = bad || !ok && f.Status == rules.Fail && worst == rules.Pass
			if ok && g.Status != f.Status {
				changed++
			}
			bad = bad || sound && failed
			if bad {
				t.Fatalf("%v is lost, and %s %s becomes %s %s: %s\n%s\n%s\n%s", e, f.Status, f.Reason, g.Status, g.Reason, f.Message, g.Message, text, content)
			}
		}
	}
	if changed < 100 {
		t.Errorf("the law was tried on too little: %d answers changed", changed)
	}
}
