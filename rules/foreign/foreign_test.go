package foreign_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"regvet/rules"
	"regvet/rules/foreign"
)

// FuzzRead holds the laws of an import: what can be read becomes a pack that loads, or none at all, and the same pack each time.
func FuzzRead(f *testing.F) {
	f.Add("list.csv", []byte("ID,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator\n1,A,Registry,HKLM:\\SOFTWARE\\A,B,0,1,=\n2,\"b\n{c}*\",Registry,HKCU:\\a\\{b|c}\\?,*,x,y,contains\n"))
	for _, condition := range []string{"all", "any", "none"} {
		f.Add(".yml", []byte("policy: {id: a, regex_type: pcre2}\nvariables: {$v: A}\nrequirements: {condition: all, rules: ['r:HKLM\\SOFTWARE\\A -> B -> r:^x']}\nchecks:\n  # (L1)\n  - id: 1\n    title: a\n    compliance: [{cis: [1]}]\n    condition: "+
			condition+"\n    rules: ['not r:HKLM\\SYSTEM\\$v', 'r:HKCU\\A -> {b|c}* -> n:(\\d+) compare <= 5 && !r:(?i)x && 1', 'c:x -> y']\n"))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		fsys := fstest.MapFS{"folder/file" + name: {Data: data}}
		read := func() ([]byte, *rules.Pack) {
			s, err := foreign.Read(fsys, "folder/file"+name, "")
			if err != nil {
				return nil, nil
			}
			text, pack, _ := foreign.Pack("", s)
			return text, pack
		}
		text, pack := read()
		if pack == nil {
			return
		}
		again, err := rules.Load("again.yaml", text)
		if err != nil {
			t.Fatalf("the pack does not load: %v\n%s", err, text)
		}
		if len(again.Rules) != len(pack.Rules) {
			t.Fatalf("the pack has %d rules, and %d when it is read again", len(pack.Rules), len(again.Rules))
		}
		if more, _ := read(); !bytes.Equal(text, more) {
			t.Fatalf("two imports differ:\n%s\n%s", text, more)
		}
	})
}
