package foreign_test

import (
	"bytes"
	"os"
	"testing"
	"testing/fstest"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/internal/memory"
	"regvet/rules"
	"regvet/rules/foreign"
)

func TestMain(m *testing.M) {
	memory.ForTests()
	os.Exit(m.Run())
}

// FuzzRead holds the laws of an import: what can be read becomes a pack that loads, or none at all, and the same pack each time.
func FuzzRead(f *testing.F) {
	f.Add("list.csv", []byte("ID,Name,Method,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator\n1,A,Registry,HKLM:\\SOFTWARE\\A,B,0,1,=\n2,\"b\n{c}*\",Registry,HKCU:\\a\\{b|c}\\?,*,x,y,contains\n"))
	f.Add("stig.xml", []byte(stigXML(`<Key>HKLM:\SOFTWARE\A</Key><ValueName>B</ValueName><ValueType>Dword</ValueType><OrganizationValueRequired>True</OrganizationValueRequired><OrganizationValueTestString>'{0}' -ge '1' -and '{0}' -le '900'</OrganizationValueTestString>`)))
	f.Add("stig.xml", []byte(stigXML(`<Key>HKEY_CURRENT_USER\A</Key><ValueName>{B}*</ValueName><ValueType>MultiString</ValueType><ValueData>a;b</ValueData>`)))
	f.Add("list.csv", []byte("sep=;\r\nOperator;ID;Name;Method;MethodArgument;RegistryPath;RegistryItem;RecommendedValue\r\n;;\r\n=;1;A;service;X;;;Disabled\r\n=;2;A;Registry;;HKLM:\\A;EccCurves;\"a;b\"\r\n"))
	f.Add(".reb", []byte("Description: A\nKeys:\n  -\n    Description: B\n    HiveType: NtUser\n    Category: C\n    KeyPath: \\Software\\*\\{a}[?]**\\\n    ValueName: (default)\n    Recursive: true\n    BinaryConvert: SID\n    Comment:\n"))
	f.Add("", []byte("Keys:\n- {HiveType: SYSTEM, KeyPath: '*', x: &a y, Description: *a}\n- {HiveType: SAM, KeyPath: 'SAM\\Domains\\Account\\Users'}\n-   HiveType: SAM\n    KeyPath: a\n"))
	for _, condition := range []string{"all", "any", "none"} {
		f.Add(".yml", []byte("policy: {id: a, regex_type: pcre2}\nvariables: {$v: A}\nrequirements: {condition: all, rules: ['r:HKLM\\SOFTWARE\\A -> B -> r:^x']}\nchecks:\n  # (L1)\n  - id: 1\n    title: a\n    compliance: [{cis: [1]}]\n    condition: "+
			condition+"\n    rules: ['not r:HKLM\\SYSTEM\\$v', 'r:HKCU\\A -> {b|c}* -> n:(\\d+) compare <= 5 && !r:(?i)x && 1', 'c:x -> y']\n"))
	}
	f.Add("sigma.yml", []byte("title: A\nlogsource: {product: windows, category: registry_event}\ndetection:\n  a: {'TargetObject|contains|all': ['\\Run\\', 'x[*]{a|b}\\*'], EventType: SetValue}\n  b: [{'Details|re|i': 'x+', 'NewName|windash': ' -a'}, {Image: null}]\n  condition: a and not (1 of b* or b)\n--- # two\naction: global\ndetection:\n"))
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
