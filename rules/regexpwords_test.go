package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/rules"
)

// TestRegexpWords requires that people read what a regular expression matches where that is a few texts, the words of the author where there are some,
// and the regular expression itself otherwise.
func TestRegexpWords(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{`matches: '^\\\\server'`, `beginning with "\\server"`},
		{`matches: '(?i)\\regsvc\.dll$'`, `ending with "\regsvc.dll" in any case`},
		{`matches: '(?i)-k (localService|regsvc)'`, `with "-k localservice" or "-k regsvc" in any case`},
		{`matches: '(?i)^(rdpclip(\.exe)?)?$'`, `"", "rdpclip" or "rdpclip.exe" in any case`},
		{`matches: '^ab', fold: true`, `beginning with "ab" in any case`},
		{`matches: '[/:]'`, `with "/" or ":"`},
		{`any_matches: '^auto'`, `with one string beginning with "auto"`},
		{`all_match: 'x$'`, `with each string ending with "x"`},
		{`none_matches: evil`, `with no string with "evil"`},
		{`matches: '^a+$'`, `matching "^a+$"`},
		{`none_matches: 'a.c'`, `with no string matching "a.c"`},
		{`matches: 'a|(?i:b)'`, `with "B", "a" or "b"`},
		{`matches: 'ab|(?i:cd)'`, `matching "ab|(?i:cd)"`},
		{`matches: 'a?'`, `matching "a?"`},
		{`matches: '(?m)^a'`, `matching "(?m)^a"`},
		{`matches: '[0-9]'`, `matching "[0-9]"`},
		{`matches: '^[A-Z]:\\', words: "a path on a drive"`, "a path on a drive"},
		{`matches: '^[A-Z]:\\', words: "a path on a drive", contains: x`, `a path on a drive and with "x"`},
		{`program: {name: cmd.exe, arguments: {matches: '^/c\s', words: running a command}}`, "a program named cmd.exe, with arguments running a command"},
	} {
		expected := load(t, "value: V\nexpect: {data: {"+c.data+"}}\nmissing: pass")[0].Terms(hive.Windows{}).Expected()
		got, other := strings.Split(expected, " and "), strings.Split(c.want, " and ")
		if len(got) != len(other) || !sameWords(got, other) {
			t.Errorf("%s\n got %s\nwant %s", c.data, expected, c.want)
		}
	}
}

// sameWords reports whether two lists hold the same, since the operators of a mapping have no order.
func sameWords(a, b []string) bool {
	count := map[string]int{}
	for i := range a {
		count[a[i]]++
		count[b[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestPacksHaveWords requires that no built-in rule shows a regular expression as what it expects.
func TestPacksHaveWords(t *testing.T) {
	checked := 0
	for _, pack := range rules.BuiltIn() {
		for _, r := range pack.Rules {
			text := r.Terms(hive.Windows{}).Expected()
			if r.Conditions != nil {
				text += r.Conditions.String()
			}
			if r.When != nil {
				text += r.When.String()
			}
			for _, v := range r.Variants() {
				text += v.When + v.Terms.Expected()
			}
			if strings.Contains(text, "matching ") || strings.Contains(text, "(?i)") {
				t.Errorf("%s: %s", r.ID, text)
			}
			checked++
		}
	}
	if checked < 100 {
		t.Fatal(fmt.Sprint("only ", checked, " rules"))
	}
}
