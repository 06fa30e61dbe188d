package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
)

// TestNowhere holds what rules find that say what must be nowhere: by which names places are known, and what their data are as text.
func TestNowhere(t *testing.T) {
	const input = "\ufeffWindows Registry Editor Version 5.00\n\n" + `[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000002
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\A]
"Start"=dword:00000004
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services\A]
"Start"=dword:00000004
"Big"=hex(b):01,00,00,00,02,00,00,00
"Many"=hex(7):61,00,00,00,62,00,00,00,00,00
"Bytes"=hex:01,02
"None"=hex(0):
"Empty"=""
"Torn"=hex(4):01
@="Text*"
[HKEY_LOCAL_MACHINE\SOFTWARE\Classes\.x]
"C"="1"
[HKEY_USERS\S-1-5-21-1\Software\Run]
"U"="1"
[HKEY_USERS\S-1-5-21-1_Classes\.y]
"D"="1"
[HKEY_CURRENT_USER\Software\Classes\.z]
"E"="1"
`
	file, err := regfile.Parse("reg", []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, file.Tree())
	for _, c := range []struct{ nowhere, want string }{
		{`path: 'hklm\system\currentcontrolset\services\a\start'`, `ControlSet002\Services\A:Start`},
		{`path: 'HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services\A'`, `ControlSet002\Services\A`},
		{`path: 'HKLM\SYSTEM\ControlSet001\*'`, ``},
		{`path: '*\A*', is: key`, `ControlSet002\Services\A`},
		{`path: '*\A\(default)'`, `ControlSet002\Services\A:`},
		{`path: '*\A\*', cased: true, data: 'text[*]'`, `?ControlSet002\Services\A:Torn`},
		{`path: '*\A\*', cased: true, data: 'Text[*]', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:`},
		{`data: 'text?', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:`},
		{`data: 'DWORD (0x00000004)'`, `ControlSet002\Services\A:Start ?ControlSet002\Services\A:Torn`},
		{`path: '*\A\*', data_matches: '^DWORD', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:Start`},
		{`data: 'QWORD (0x00000002-0x00000001)', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:Big`},
		{`data: 'a b', path: '*\M*'`, `ControlSet002\Services\A:Many`},
		{`data: 'binary data', path: '*\A\?*', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:Many ControlSet002\Services\A:Bytes`},
		{`data: '(empty)', path: '*\A\*', none: [{path: '*\Torn'}]`, `ControlSet002\Services\A:None ControlSet002\Services\A:Empty`},
		{`path: 'HKCR\.*', is: value`, `Classes\.x:C S-1-5-21-1_Classes\.y:D Classes\.z:E`},
		{`path: 'HKU\*_classes\.*', is: value`, `S-1-5-21-1_Classes\.y:D Classes\.z:E`},
		{`path: '*\Software\Classes\.?\*'`, `Classes\.x:C S-1-5-21-1_Classes\.y:D Classes\.z:E`},
		{`path: 'HKCU\Software\Run\U'`, `Run:U`},
		{`path: 'HKU\S-1-5-*\Run\U'`, `Run:U`},
		{`path_matches: '\\run'`, ``},
		{`path_matches: ['\\Run$', '\\.x$']`, `Run Classes\.x`},
		{`any: [{path: '*\U'}, {all: [{path: '*\.x\*'}, {data: '1'}]}]`, `Run:U Classes\.x:C`},
		{`none: [{path: '*'}]`, ``},
	} {
		pack, err := Load("p.yaml", []byte("pack: p\ntitle: t\nrules:\n  - {id: R-1, title: t, severity: low, nowhere: {"+c.nowhere+"}}\n"))
		if err != nil {
			t.Errorf("%s: %v", c.nowhere, err)
			continue
		}
		var got []string
		for _, f := range Evaluate(reg, hive.Windows{}, pack.Rules) {
			if f.Status == Pass {
				continue
			}
			text := f.RealKey.String()
			for _, known := range []string{`ControlSet002\Services\A`, `S-1-5-21-1_Classes\.y`, `Classes\.x`, `Classes\.z`, `Run`} {
				if strings.HasSuffix(text, known) {
					text = known
					break
				}
			}
			if !f.AboutKey {
				text += ":" + f.Value
			}
			if f.Status == Unknown {
				text = "?" + text
			}
			got = append(got, text)
		}
		want := strings.Fields(c.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %q, want %q", c.nowhere, got, want)
		}
	}
}

// TestNowhereMistakes holds what is said of a field nowhere that cannot be meant.
func TestNowhereMistakes(t *testing.T) {
	for rule, want := range map[string]string{
		`nowhere: {is: key, data: x}`:                      "a key has no data: leave out is: key, or data",
		`nowhere: {cased: true, is: key}`:                  "cased is for path and data beside it, and there are none",
		`nowhere: {}`:                                      "nowhere asks nothing; want path, data, path_matches, data_matches, is, all, any or none",
		`nowhere: {path: x}, key: HKLM\A`:                  "a rule with the field nowhere has no field key: it is about what is found",
		`nowhere: {path: x}, fix: {delete: key}`:           "a rule with the field nowhere has no field fix: it is about what is found",
		`nowhere: {path_matches: "("}`:                     "path_matches is no regular expression (RE2): missing closing ): `(`",
		`nowhere: {any: [` + many("{path: x}", 501) + `]}`: "a rule has at most 500 traits, and this one has 502; write several rules",
	} {
		_, err := Load("p.yaml", []byte("pack: p\ntitle: t\nrules:\n  - {id: R-1, title: t, severity: low, "+rule+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", rule, err, want)
		}
	}
}

func many(text string, n int) string { return strings.Repeat(text+", ", n-1) + text }

// TestNowherePlaces holds that a rule tells a thousand places and counts the others.
func TestNowherePlaces(t *testing.T) {
	key := hive.NewImpliedKey("HKEY_LOCAL_MACHINE")
	var text strings.Builder
	text.WriteString("\ufeffWindows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\A]\n")
	for i := range 1005 {
		fmt.Fprintf(&text, "\"%d\"=\"x\"\n", i)
	}
	file, err := regfile.Parse("reg", []byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{key.Name()}, key)
	reg.Mount(nil, file.Tree())
	pack, err := Load("p.yaml", []byte("pack: p\ntitle: t\nrules:\n  - {id: R-1, title: t, severity: low, nowhere: {data: x}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	found := Evaluate(reg, hive.Windows{}, pack.Rules)
	if last := found[len(found)-1].Message; len(found) != 1000 || last != "999 is x; so it is at 5 more places" {
		t.Errorf("%d findings, the last: %s", len(found), last)
	}
}

// TestFinder holds that a finder finds what [strings.Contains] does, wherever the text is cut into parts.
func TestFinder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(most int) string {
		b := make([]byte, 1+r.IntN(most))
		for i := range b {
			b[i] = "ab\\"[r.IntN(3)]
		}
		return string(b)
	}
	for range 2000 {
		var words []string
		f := newFinder()
		for i := range 1 + r.IntN(6) {
			words = append(words, word(5))
			f.add(words[i], i)
		}
		f.complete()
		text, found := word(20), map[int]bool{}
		cut := r.IntN(len(text) + 1)
		state := f.read(0, text[:cut], func(n int) { found[n] = true })
		f.read(state, text[cut:], func(n int) { found[n] = true })
		for i, w := range words {
			if found[i] != strings.Contains(text, w) {
				t.Fatalf("of %q in %q, cut at %d, it found %v", words, text, cut, found)
			}
		}
	}
}

// TestLike holds that patterns match what globs do, and that what is like one holds its longest text.
func TestLike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	word := func(signs string, most int) string {
		b := make([]byte, r.IntN(most))
		for i := range b {
			b[i] = signs[r.IntN(len(signs))]
		}
		return string(b)
	}
	matched := 0
	for range 20_000 {
		l := like{text: word("aAb*?", 6)}
		text := word("aAb", 6)
		cased := r.IntN(2) == 0
		l.complete(cased)
		got, want := l.match(compared(text, cased), cased), parseGlob(l.text).match(text, !cased)
		if got != want {
			t.Fatalf("%q like %q, cased %v: %v", text, l.text, cased, got)
		}
		if got {
			matched++
			if !strings.Contains(hive.Fold(text), l.longest()) {
				t.Fatalf("%q is like %q, and does not hold %q", text, l.text, l.longest())
			}
		}
	}
	if matched < 1000 {
		t.Errorf("only %d texts matched", matched)
	}
}
