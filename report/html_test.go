package report

import (
	"fmt"
	"strings"
	"testing"

	"regvet/hive/collection"
	"regvet/rules"
)

// TestBreakable requires that long names can be broken between their parts and nowhere in a number, and that nothing in a name is read as HTML.
func TestBreakable(t *testing.T) {
	for text, want := range map[string]string{
		`HKLM\SYSTEM`:                            `HKLM\<wbr>SYSTEM`,
		"a/b":                                    "a/<wbr>b",
		"<b>&\"'#":                               "&lt;b&gt;&amp;<wbr>&#34;&#39;#<wbr>",
		"at 2005-11-11T00:00:00.1Z.":             `at <span class="keep">2005-11-11T00:00:00.1Z</span>.`,
		"built-in":                               "built-in",
		"MS08-037":                               `<span class="keep">MS08-037</span>`,
		"{4d36e972-e325-11ce-bfc1-08002be10318}": `{<span class="keep">4d36e972-e325-11ce-bfc1-08002be10318</span>}<wbr>`,
		strings.Repeat("1-", 40) + "1":           strings.Repeat("1-<wbr>", 40) + "1",
		"\x1b[31m\u202e":                         `\<wbr>x1b[31m\<wbr>u202e`,
		"e\u0301\u0301\u0301\u0301\u0301\u0489x": "e\u0301\u0301\u0301\u0301" + `\<wbr>u0301\<wbr>u0489x`,
	} {
		if got := breakable(text); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
	if got, want := hash(strings.Repeat("0123456789abcdef", 2)+"12"), `<data value="0123456789abcdef0123456789abcdef12"><code>0123456789abcdef<wbr>0123456789abcdef<wbr>12</code></data>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := anchorOf("A-1.b c\"é"), "A-1.b_20c_22_c3_a9"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestManyMachines requires that the page about a fleet does not grow with it beyond what a reader looks at, and that it counts what it leaves out.
func TestManyMachines(t *testing.T) {
	var r Report
	for i := range 20 {
		r.Rules = append(r.Rules, &rules.Rule{ID: fmt.Sprint("R-", i), Title: "a title", Rationale: "a reason"})
	}
	for i := range 2000 {
		in := Input{Input: collection.Input{Path: fmt.Sprintf("m%d/SYSTEM", i), Host: fmt.Sprint("WS", i), Format: "regf", SHA256: strings.Repeat("0", 64)}}
		for _, rule := range r.Rules {
			in.Findings = append(in.Findings, rules.Finding{Rule: rule, Status: rules.Fail, Severity: rules.High, Message: fmt.Sprint("the message ", i%100)})
		}
		r.Inputs = append(r.Inputs, in)
	}
	page := written(t, r, Write, "html")
	if most := 12 << 20; len(page) > most {
		t.Errorf("the page has %d bytes, more than %d", len(page), most)
	}
	for _, want := range []string{"1,000 more entries", "1,950 more machines", "1,976 machines with findings", "40,000 high"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := articles(t, page); n != mostEntries {
		t.Errorf("%d entries", n)
	}
}
