package rules_test

import (
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestWhen tests where a rule applies, by what is known of Windows and what is not.
func TestWhen(t *testing.T) {
	seven := hive.Exactly(hive.Version{Major: 6, Minor: 1})
	server := seven
	server.Product = "ServerNT"
	controller := hive.Windows{Product: "LANMANNT"}
	for _, c := range []struct {
		when string
		w    hive.Windows
		want string // status, reason: message; then the notes
	}{
		{`{windows: ">=6.0"}`, seven, "pass : V is 1"},
		{`{windows: ">=6.2"}`, seven, "unknown not-applicable: the rule is for Windows 8 or later, or Server 2012 or later (>=6.2), and this is Windows 7 or Server 2008 R2 (6.1)"},
		{`{windows: ">=6.0"}`, hive.Windows{}, "pass : V is 1; it cannot be told whether the rule applies here: it is for Windows Vista or later, or Server 2008 or later (>=6.0), and the version of Windows is not known (--windows tells it)"},
		{`{product: server}`, server, "pass : V is 1"},
		{`{product: [workstation, domain-controller]}`, server, "unknown not-applicable: the rule is for product workstation or domain-controller, and the product is server"},
		{`{product: domain-controller}`, controller, "pass : V is 1"},
		{`{product: server}`, seven, "pass : V is 1; it cannot be told whether the rule applies here: it is for product server, and the product is not known"},
		{`{any: [{windows: ">=6.2"}, {product: server}]}`, server, "pass : V is 1"},
		{`{none: [{product: server}]}`, server, "unknown not-applicable: the rule is for none of (product server), and the product is server"},
		{`{value: W}`, seven, "unknown not-applicable: the rule is for W is present, and W is not set"},
		{`{value: W, expect: {exists: false}}`, seven, "pass : V is 1"},
		{`{value: W, expect: {data: {equals: 1}}, missing: {default: 1}}`, seven, "pass : V is 1"},
		{`{key: 'HKLM\SOFTWARE\*'}`, seven, `pass : V is 1; it cannot be told whether the rule applies here: it is for the key HKEY_LOCAL_MACHINE\SOFTWARE\* is present, and the input does not cover all keys below this one`},
		{`{hive: [SAM, SYSTEM]}`, seven, "pass : V is 1"},
	} {
		all := load(t, "value: V\nwhen: "+c.when+"\nexpect: {data: {equals: 1}}\nmissing: fail")
		var got []string
		for _, f := range rules.Evaluate(registry(t, `"V"=dword:1`), c.w, all) {
			got = append(got, string(f.Status)+" "+string(f.Reason)+": "+f.Message)
			got = append(got, f.Notes...)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.when, strings.Join(got, "; "), c.want)
		}
	}
}
