package foreign_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/rules"
	"regvet/rules/foreign"
)

// FuzzRead holds the laws of an import: what can be read becomes a pack that loads, or none at all, and the same pack each time.
func FuzzRead(f *testing.F) {
	f.Add("list.csv", []byte("ID,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator\n1,A,Registry,HKLM:\\SOFTWARE\\A,B,0,1,=\n2,\"b\n{c}*\",Registry,HKCU:\\a\\{b|c}\\?,*,x,y,contains\n"))
	f.Add("wanted.reg", []byte(wantedText))
	f.Add("user.pol", polfile.Bytes([]polfile.Entry{
		{Key: `A\B`, Value: "x", Type: hive.DWord, Data: []byte{1, 0, 0, 0}}, {Key: `A\B`, Value: "**delvals.", Type: hive.SZ, Data: []byte{' ', 0, 0, 0}},
		{Key: "A", Value: "**DeleteKeys", Type: hive.SZ, Data: append(hive.EncodeUTF16("B;C"), 0, 0)}, {Key: `A\B`, Value: "**soft.y", Type: hive.SZ, Data: []byte{'x', 0, 0, 0}}, {Key: "A"},
		{Key: "A", Value: "**DeleteValues", Type: hive.SZ, Data: append(hive.EncodeUTF16("b;c"), 0, 0)}, {Key: "A", Value: "**SecureKey", Type: hive.DWord, Data: []byte{1, 0, 0, 0}},
	}))
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
