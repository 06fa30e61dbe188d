package foreign_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/rules"
	"regvet/rules/foreign"
)

// question is what a rule asks, apart from its fix: a format may have none.
func question(t *testing.T, r *rules.Rule) string {
	t.Helper()
	p, why := r.Plain(hive.Windows{})
	p.Edits, p.Missing.Source = nil, nil
	text, err := json.Marshal(p)
	if err != nil || why != "" {
		t.Fatal(err, why)
	}
	return string(text)
}

// again returns the rules that those of an export become.
func again(t *testing.T, format string, all []*rules.Rule) (x *foreign.Exported, back []*rules.Rule) {
	t.Helper()
	x, err := foreign.Export(format, all, hive.Windows{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range x.Files {
		name := "machine." + format
		if f.User {
			name = "user." + format
		}
		s, err := foreign.Read(fsOf(name, f.Data), name, format)
		if err != nil {
			t.Fatalf("%v\n%s", err, f.Data)
		}
		if n := s.Count(foreign.Whole); n != len(s.Rows) {
			t.Fatalf("of %d rows, %d are whole: %+v\n%q", len(s.Rows), n, s.Rows, f.Data)
		}
		if len(s.Rows) == 0 {
			continue
		}
		_, pack, err := foreign.Pack("", s)
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, pack.Rules...)
	}
	return x, back
}

// checkAgain holds the laws of an export: what is said whole is read back as the same question, and what is read back is said whole, and is the
// same when it is written again.
func checkAgain(t *testing.T, format string, all []*rules.Rule) (whole int) {
	t.Helper()
	x, back := again(t, format, all)
	if len(x.Rows) != len(all) || x.Count(foreign.Whole)+x.Count(foreign.Part) != len(back) {
		t.Fatalf("%s: of %d rules %d were told, and %d are read back", format, len(all), len(x.Rows), len(back))
	}
	read := map[string]bool{}
	for _, r := range back {
		read[question(t, r)] = true
	}
	for _, row := range x.Rows {
		if row.Outcome == foreign.Whole && !read[question(t, row.Rule)] {
			t.Fatalf("%s: %s is said whole, and is not among what is read back:\n%s\n%s", format, row.Rule.ID, question(t, row.Rule), strings.Join(each(back, func(r *rules.Rule) string { return question(t, r) }), "\n"))
		}
	}
	y, twice := again(t, format, back)
	if y.Count(foreign.Whole) != len(back) {
		for _, row := range y.Rows {
			if row.Outcome != foreign.Whole && !strings.Contains(strings.Join(row.Lacks, ""), "needs a decision") {
				t.Fatalf("%s: what was read back is not said whole: %+v", format, row)
			}
		}
	}
	if len(twice) != len(back) {
		t.Fatalf("%s: %d rules become %d", format, len(back), len(twice))
	}
	for i := range twice {
		if question(t, twice[i]) != question(t, back[i]) {
			t.Fatalf("%s: %s becomes %s", format, question(t, back[i]), question(t, twice[i]))
		}
	}
	return x.Count(foreign.Whole)
}

func each[T any](all []T, f func(T) string) (out []string) {
	for _, one := range all {
		out = append(out, f(one))
	}
	return out
}

// TestExportLaw holds the laws for policies drawn at random.
func TestExportLaw(t *testing.T) {
	w := world{rand.New(rand.NewPCG(18, 196271))}
	whole := map[string]int{}
	for range 500 {
		_, all := imported(t, "machine.pol", polfile.Bytes(w.policy()), "")
		for _, format := range []string{"pol", "reg"} {
			whole[format] += checkAgain(t, format, all)
		}
	}
	if whole["pol"] < 300 || whole["reg"] < 200 {
		t.Errorf("only %v rules were said whole", whole)
	}
}

// TestExportOperators holds the laws for lists of HardeningKitty drawn at random, in all of which each row is said whole.
func TestExportOperators(t *testing.T) {
	w := world{rand.New(rand.NewPCG(18, 18))}
	for range 300 {
		var b strings.Builder
		b.WriteString("ID,Category,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator,Severity,Filter\n")
		for i := range 1 + w.IntN(5) {
			want, op := w.pick("0", "1", "5", "18446744073709551615", "Yes", "", "a;b", "05"), w.pick("=", "=|0", "!=", "contains", "<=", ">=", "<=!0")
			if strings.ContainsAny(op, "<>") {
				want = w.pick("1", "5", "2147483647")
			}
			if op == "contains" {
				want = w.pick("x", "1")
			}
			method, item := "Registry", w.pick("x", "Machine", "(Default)", `a*b{c}`)
			if w.IntN(8) == 0 {
				method, op, want = "RegistryList", "=", item
			}
			fmt.Fprintf(&b, "%d,C,N,%s,%s,%s,%s,%s,%s,Medium,L1\n", i, method, w.pick(`HKLM:\SOFTWARE\A`, `HKCU:\Software\{a|b}`, `Registry::HKEY_USERS\S-1`), item, w.pick("", "", "0", "1", "Yes", "a b", want), want, op)
		}
		_, all := imported(t, "list.csv", []byte(b.String()), "")
		if whole := checkAgain(t, "hardeningkitty", all); whole != len(all) {
			t.Fatalf("of %d rules %d are said whole:\n%s", len(all), whole, b.String())
		}
	}
}

// TestExportReasons holds what is said of rules that a format has no words for.
func TestExportReasons(t *testing.T) {
	for _, c := range []struct{ fields, kitty, pol, reg string }{
		{`value: V, expect: {type: REG_DWORD, data: {at_least: 5}}, missing: fail`, "part: the type of the value", "none: it does not say what to set", "none: it does not say what to set"},
		{`value: V, expect: {type: REG_DWORD, data: {at_least: 5}}, missing: fail, fix: {set: {type: REG_DWORD, data: 7}}`, "part: the type of the value", "whole", "whole"},
		{`value: V, expect: {type: REG_DWORD, data: {equals: 5}}, missing: fail`, "part: the type of the value", "whole", "whole"},
		{`value: V, expect: {data: {as_text: {equals: "a"}}}, missing: pass`, "part: that case counts", "none: it does not say what to set", "none: it does not say what to set"},
		{`value: V, expect: {data: {as_text: {equals: "1"}}}, missing: {default: 1, windows: ">=6.0"}`, "part: of which Windows the default is known", "none: it does not say what to set", "none: it does not say what to set"},
		{`value: V, expect: {data: {as_number: {between: [3, 5]}}}, missing: fail`, "none: no operator of a list asks this: 3 to 5 as a number", "none: it does not say what to set", "none: it does not say what to set"},
		{`value: V, expect: {data: {matches: "^a"}}, missing: fail`, `none: no operator of a list asks this: beginning with "a"`, "none: it does not say what to set", "none: it does not say what to set"},
		{`value: V, expect: {exists: false}`, "none: it wants that there is no such value, which no operator of a list says", "whole", "whole"},
		{`value: V, expect: {exists: true}, fix: {set: {type: REG_SZ, data: x}}`, "none: it does not ask the data", "whole", "part: that other data are as good"},
		{`expect: {exists: false}`, "none: it asks of a key, and a list asks of values", "none: Microsoft does not say whether a policy that deletes a key deletes what is below it", "whole"},
		{`value: V*, expect: {exists: false}`, "none: it asks of each value that matches a pattern", "none: it asks of each value that matches a pattern", "none: it asks of each value that matches a pattern"},
		{`when: {windows: ">=6.0"}, value: V, expect: {exists: false}`, "none: it applies only where Windows Vista or later, or Server 2008 or later (>=6.0)", "none: it applies only where Windows Vista or later, or Server 2008 or later (>=6.0)", "none: it applies only where Windows Vista or later, or Server 2008 or later (>=6.0)"},
		{`value: V, expect: {exists: false}, fix: {delete: value, safe: false, because: it may be needed}`, "none: it wants that there is no such value, which no operator of a list says",
			"part: that the change needs a decision: it may be needed", "part: that the change needs a decision: it may be needed"},
		{`value: "(default)", expect: {type: REG_SZ, data: {equals: "a\nb", fold: true}}, missing: fail`, "none: its RecommendedValue holds a character that no list has", "none: in a policy, an entry without the name of a value only makes the key", "whole"},
	} {
		pack, err := rules.Load("x.yaml", []byte("pack: x\ntitle: X\nrules:\n- {id: X, title: X, severity: low, key: 'HKLM\\SOFTWARE\\A', "+c.fields+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		for format, want := range map[string]string{"hardeningkitty": c.kitty, "pol": c.pol, "reg": c.reg} {
			x, err := foreign.Export(format, pack.Rules, hive.Windows{})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSuffix(string(x.Rows[0].Outcome)+": "+strings.Join(x.Rows[0].Lacks, "; "), ": ")
			if got != want {
				t.Errorf("%s, %s: got %s, want %s", c.fields, format, got, want)
			}
		}
	}
}

// TestExportContradictions holds that no file says two things of one place.
func TestExportContradictions(t *testing.T) {
	rule := func(id, fields string) string {
		return "- {id: " + id + ", title: X, severity: low, " + fields + "}\n"
	}
	one := func(n int) string {
		return fmt.Sprintf(`key: 'HKLM\SOFTWARE\A\B', value: V, expect: {type: REG_DWORD, data: {equals: %d}}, missing: fail`, n)
	}
	for _, c := range []struct{ first, second, want string }{
		{one(1), one(1), "whole whole"},
		{one(1), one(2), "whole none ONE wants the same otherwise"},
		{one(1), `key: 'HKLM\SOFTWARE\a\b', value: v, expect: {exists: false}`, "whole none ONE wants the same otherwise"},
		{one(1), `key: 'HKLM\SOFTWARE\A', expect: {exists: false}`, "whole none ONE sets something in the key that it deletes"},
		{`key: 'HKLM\SOFTWARE\A', expect: {exists: false}`, one(1), "whole none ONE deletes the key"},
		{`key: 'HKLM\SOFTWARE\A\B', expect: {exists: true}`, one(1), "whole whole"},
	} {
		pack, err := rules.Load("x.yaml", []byte("pack: x\ntitle: X\nrules:\n"+rule("ONE", c.first)+rule("TWO", c.second)))
		if err != nil {
			t.Fatal(err)
		}
		x, err := foreign.Export("reg", pack.Rules, hive.Windows{})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(fmt.Sprint(x.Rows[0].Outcome, " ", x.Rows[1].Outcome, " ", strings.Join(x.Rows[1].Lacks, "")))
		if got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.first, c.second, got, c.want)
		}
	}
}

// TestExportWindows holds that a rule is said as it is for the Windows that is named.
func TestExportWindows(t *testing.T) {
	const text = `pack: x
title: X
rules:
- {id: X, title: X, severity: low, key: 'HKLM\SOFTWARE\A', value: V, when: {windows: ">=6.0"}, expect: {type: REG_DWORD, data: {equals: 1}}, missing: fail,
   overrides: [{when: {windows: ">=10.0"}, expect: {type: REG_DWORD, data: {equals: 2}}}]}
`
	pack, err := rules.Load("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		"": "none", "5.1": "none", "6.1": `whole [HKEY_LOCAL_MACHINE\SOFTWARE\A] "V"=dword:00000001`, "10.0": `whole [HKEY_LOCAL_MACHINE\SOFTWARE\A] "V"=dword:00000002`,
	} {
		w := hive.Windows{}
		if version != "" {
			if w, err = hive.ParseWindows(version); err != nil {
				t.Fatal(err)
			}
		}
		x, err := foreign.Export("reg", pack.Rules, w)
		if err != nil {
			t.Fatal(err)
		}
		got := string(x.Rows[0].Outcome)
		if x.Count(foreign.None) == 0 {
			_, said, _ := strings.Cut(strings.ReplaceAll(hive.DecodeUTF16(x.Files[0].Data), "\r\n", " "), "; X: X ")
			got += " " + strings.TrimSpace(said)
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", version, got, want)
		}
	}
}

// FuzzExport holds the laws of an export for the rules of any file.
func FuzzExport(f *testing.F) {
	f.Add("wanted.reg", []byte(wantedText))
	f.Add("list.csv", []byte("ID,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator\n1,A,Registry,HKLM:\\SOFTWARE\\A,B,0,1,=\n2,B,Registry,HKCU:\\a,,x,y,contains\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		s, err := foreign.Read(fsOf("x"+name, data), "x"+name, "")
		if err != nil {
			return
		}
		_, pack, err := foreign.Pack("", s)
		if err != nil {
			return
		}
		for _, format := range []string{"pol", "reg", "hardeningkitty"} {
			checkAgain(t, format, pack.Rules)
		}
	})
}
