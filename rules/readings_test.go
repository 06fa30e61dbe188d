package rules_test

import (
	"fmt"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/rules"
)

// TestHiddenData tests data that can be read in two ways: only what passes in both passes.
func TestHiddenData(t *testing.T) {
	const ask = "; the answer hangs on whether its reader goes on behind that end"
	only := "value: V\nexpect: {data: {contains_only: [good, fine]}}\nmissing: pass"
	text := "value: V\nexpect: {data: {matches: '^go+d$'}}\nmissing: pass"
	short := "value: V\nexpect: {data: {length: {at_most: 2}}}\nmissing: pass"
	none := "none: [{value: V, expect: {data: {contains: evil}}}]"
	list := func(all ...string) hive.Value {
		v := hive.Value{Name: "V", Type: hive.MultiSZ}
		for _, s := range append(all, "") {
			v.Data = append(hive.AppendUTF16(v.Data, s), 0, 0)
		}
		return v
	}
	for _, c := range []struct {
		rule string
		v    hive.Value
		want string
	}{
		{only, list("good"), "pass : V is good"},
		{only, list("good", "", "fine"), "pass : V is good [behind an empty string: fine]"},
		{only, list("good", "", "evil"), "unknown hidden: V is good [behind an empty string: evil]" + ask},
		{only, list("", "evil"), "unknown hidden: V is  [behind an empty string: evil]" + ask},
		{only, list("evil", "", "good"), `fail mismatch: V is evil [behind an empty string: good]; want with nothing but "good" and "fine"`},
		{text, hive.StringValue("V", hive.SZ, "good"), "pass : V is good"},
		{text, hive.StringValue("V", hive.SZ, "good\x00evil"), "unknown hidden: V is good [behind a NUL: evil]" + ask},
		{text, hive.StringValue("V", hive.SZ, "evil\x00good"), "fail mismatch: V is evil [behind a NUL: good]; want matching \"^go+d$\""},
		{short, list("a", "b", "", "c"), "unknown hidden: V is a, b [behind an empty string: c]" + ask},
		{none, list("good", "", "fine"), "pass : V is good [behind an empty string: fine]; want with \"evil\""},
		{none, list("good", "", "evil"), "unknown hidden: V is good [behind an empty string: evil]" + ask},
		{none, list("evil"), "fail mismatch: V is evil"},
	} {
		reg := registry(t, ``)
		reg = reg.Apply(hive.Edit{Op: hive.SetValue, Path: hive.ParsePath(`HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Example`), Value: c.v})
		f := rules.Evaluate(reg, hive.Windows{}, load(t, c.rule))[0]
		if got := fmt.Sprintf("%s %s: %s", f.Status, f.Reason, f.Message); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.rule, got, c.want)
		}
	}
}

// TestPartial tests rules on a layer of a hive: what it holds and what it deletes are facts, what it lacks is unknown.
func TestPartial(t *testing.T) {
	data, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Gone"}, {Name: "Part", Values: []hive.Value{hive.DWordValue("v", 1), {Name: "w", Type: hive.None, Data: []byte{}}}}}}, hivetest.Options{Minor: 6})
	data[at.Key("Gone").Node+hivetest.NodeAccessBits+1] = 0x01
	data[at.Key("Part").Values["w"].Record+hivetest.ValueFlags] |= 0x02
	data[144] = 0x02
	hivetest.Seal(data)
	f, err := hive.Read("test", data)
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SOFTWARE`), f.Root())
	const lacks = "unknown partial: the input is a layer of a hive; the layers below may hold what it lacks"
	const more = "unknown partial: the input is a layer of a hive; the layers below may hold more keys below this one"
	for _, c := range []struct{ rule, want string }{
		{`{key: 'HKLM\SOFTWARE\Part', value: v, expect: {data: {equals: 1}}, missing: fail}`, "pass : v is 1"},
		{`{key: 'HKLM\SOFTWARE\Part', value: w, expect: {data: {equals: 1}}, missing: fail}`, "fail missing: w is not set"},
		{`{key: 'HKLM\SOFTWARE\Part', value: w, expect: {exists: false}}`, "pass : w is not set"},
		{`{key: 'HKLM\SOFTWARE\Part', value: x, expect: {data: {equals: 1}}, missing: fail}`, lacks},
		{`{key: 'HKLM\SOFTWARE\Part', value: x, expect: {exists: false}}`, lacks},
		{`{key: 'HKLM\SOFTWARE\Gone', expect: {exists: true}}`, "fail missing: the key is not there"},
		{`{key: 'HKLM\SOFTWARE\Other', expect: {exists: false}}`, lacks},
		{`{key: 'HKLM\SOFTWARE\{k}', value: v, expect: {data: {equals: 1}}, missing: pass}`, "pass : v is 1; " + more},
		{`{key: 'HKLM\SOFTWARE\Gone\{k}', value: v, expect: {data: {equals: 1}}, missing: pass}`, "pass : there is no such key"},
		{`{key: 'HKLM\SOFTWARE\Part', value: v, expect: {data: {equals: 1}}, missing: fail, policy: [{key: 'HKLM\SOFTWARE\Part', value: x}]}`, lacks},
		{`{key: 'HKLM\SOFTWARE\Part', value: v, expect: {data: {equals: 1}}, missing: fail, policy: [{key: 'HKLM\SOFTWARE\Other', value: x}]}`, lacks},
		{`{key: 'HKLM\SOFTWARE\Part', value: v, expect: {data: {equals: 1}}, missing: fail, policy: [{key: 'HKLM\SOFTWARE\Part', value: w}, {key: 'HKLM\SOFTWARE\Gone', value: x}]}`, "pass : v is 1"},
		{`{key: 'HKLM\SOFTWARE\Other', value: v, expect: {data: {equals: 1}}, missing: fail, policy: [{key: 'HKLM\SOFTWARE\Part', value: v}]}`, "pass : v is 1 (by policy)"},
	} {
		p, err := rules.Load("", []byte("pack: p\ntitle: P\nrules:\n  - {id: R, title: R, severity: low, "+c.rule[1:]+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, f := range rules.Evaluate(reg, hive.Windows{}, p.Rules) {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprintf("%s %s: %s", f.Status, f.Reason, f.Message)
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.rule, got, c.want)
		}
	}
}
