package foreign_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"regvet/hive"
	"regvet/internal/shared"
	"regvet/rules/foreign"
)

func TestPowerSTIGCounts(t *testing.T) {
	testCounts(t, "powerstig.txt", "corpora/powerstig/*[0-9].xml")
}

// TestPowerSTIGVerdicts compares each RegistryRule with what its file says, read here anew: the type and data must be the same, or among those
// that the organisation can choose.
func TestPowerSTIGVerdicts(t *testing.T) {
	for _, path := range shared.Glob(t, "corpora/powerstig", "*[0-9].xml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var stig struct {
			Rules []struct {
				ID   string `xml:"id,attr"`
				Key  string
				Name string `xml:"ValueName"`
				Type string `xml:"ValueType"`
				Data string `xml:"ValueData"`
				Org  string `xml:"OrganizationValueRequired"`
				Test string `xml:"OrganizationValueTestString"`
			} `xml:"RegistryRule>Rule"`
		}
		if err := xml.Unmarshal(data, &stig); err != nil {
			t.Fatal(err)
		}
		org, err := os.ReadFile(strings.TrimSuffix(path, ".xml") + ".org.default.xml")
		if err != nil {
			t.Fatal(err)
		}
		s := readShared(t, path)
		line := map[string]int{}
		for _, r := range s.Rows {
			line[r.ID] = r.Line
		}
		types := map[string]hive.Type{"dword": hive.DWord, "string": hive.SZ, "multistring": hive.MultiSZ}
		var all []setting
		for _, r := range stig.Rules {
			typ, ok := types[strings.ToLower(r.Type)]
			if !ok {
				t.Fatalf("%s is of type %q", r.ID, r.Type)
			}
			r.Test = strings.TrimSpace(r.Test)
			one := setting{line: line[r.ID], key: r.Key, name: r.Name, texts: around(strings.TrimSpace(r.Data)), asks: r.Type + r.Data + r.Test}
			one.passes = func(v *hive.Value) bool { return v != nil && v.Type == typ && strings.EqualFold(stigShows(v), r.Data) }
			if r.Org == "True" {
				chosen := regexp.MustCompile(`(?s)id="` + regexp.QuoteMeta(r.ID) + `" ValueData="([^"]*)"`).FindSubmatch(org)
				if chosen == nil {
					t.Fatalf("the organisation says nothing of %s", r.ID)
				}
				text := string(chosen[1])
				one.texts = around(append(regexp.MustCompile(`\d+|[A-Z][\w ]+`).FindAllString(r.Test, -1), text, strings.ReplaceAll(text, "\n", "\r\n"))...)
				one.passes = func(v *hive.Value) bool {
					if v == nil {
						return strings.Contains(r.Test, "ShouldBeAbsent")
					}
					return v.Type == typ && (typ != hive.DWord || len(v.Data) == 4) && stigAllows(r.Test, stigShows(v), text)
				}
			}
			all = append(all, one)
		}
		testVerdicts(t, s, all)
	}
}

// stigShows returns a value as PowerSTIG writes it, or "?" if it has no such type.
func stigShows(v *hive.Value) string {
	switch {
	case v.Type == hive.DWord && len(v.Data) == 4:
		return strconv.FormatUint(asNumber(v), 10)
	case v.Type == hive.MultiSZ:
		return strings.Join(asList(v), ";")
	case v.Type == hive.SZ:
		return strings.TrimSuffix(utf16Text(v.Data), "\x00")
	}
	return "?"
}

// stigAllows reports whether a test string allows a value; for one in words, whether it is what the organisation chose.
func stigAllows(test, is, chosen string) bool {
	switch test {
	case "ValueData is set to 0x00000006 (6) or greater":
		test = "'{0}' -ge '6'"
	case "{0} is set to the required legal notice before logon":
		return slices.Equal(strings.Fields(strings.ToLower(is)), strings.Fields(strings.ToLower(chosen)))
	}
	n, err := strconv.ParseUint(is, 10, 64)
	for _, clause := range strings.Split(test, " -and ") {
		words := strings.SplitN(clause, " ", 3)
		text := strings.Trim(words[2], "'")
		m, _ := strconv.ParseUint(text, 10, 64)
		ok := err == nil
		switch words[1] {
		case "-ge":
			ok = ok && n >= m
		case "-gt":
			ok = ok && n > m
		case "-le":
			ok = ok && n <= m
		case "-match":
			ok = slices.ContainsFunc(strings.Split(strings.Trim(text, "^()$"), "|"), func(one string) bool { return strings.EqualFold(one, is) })
		default:
			panic(test)
		}
		if !ok {
			return false
		}
	}
	return true
}

// stigXML returns a STIG with one RegistryRule that has these elements.
func stigXML(elements string) string {
	return `<DISASTIG stigid="Example" title="Example STIG" fullversion="1.1" releaseinfo="Release: 1">
  <RegistryRule dscresourcemodule="PSDscResources">
    <Rule id="V-1" severity="low" conversionstatus="pass" title="SRG-1" dscresource="Registry">` + elements + `</Rule>
  </RegistryRule>
</DISASTIG>
`
}

// TestPowerSTIGHostile holds the place and the words of mistakes, and that none takes long.
func TestPowerSTIGHostile(t *testing.T) {
	laughs := "<!DOCTYPE x [\n<!ENTITY a0 \"ha\">\n"
	for i := range 30 {
		laughs += fmt.Sprintf("<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;\">\n", i+1, i, i, i, i)
	}
	good := stigXML(`<Key>HKEY_LOCAL_MACHINE\SOFTWARE\A</Key><ValueName>B</ValueName><ValueType>Dword</ValueType><ValueData>1</ValueData>`)
	for _, c := range []struct{ name, stig, org, want string }{
		{"a bomb", laughs + "]>\n" + stigXML("<Key>&a30;</Key>"), "", "a.xml:1:1: declares a type of document, as no rule file does; take the declaration out"},
		{"an entity that nobody declared", stigXML("\n<Key>&file;</Key>"), "", "a.xml:4:12: is no XML from here on: invalid character entity &file;"},
		{"truncated", good[:len(good)-30], "", "a.xml:4:1: is no XML from here on: unexpected EOF"},
		{"nested", stigXML(strings.Repeat("<a>", 100)), "", "a.xml:3:183: nests elements in more than 32 levels"},
		{"crossed", stigXML("<a><b></a></b>"), "", "a.xml:3:106: is no XML from here on: element <b> closed by </a>"},
		{"values of an organisation", `<OrganizationalSettings fullversion="1.1"/>`, "", "a.xml: holds what an organisation chose for a STIG, and no rules; import NAME.xml, and NAME.org.default.xml beside it is read too"},
		{"a bomb beside it", good, laughs + "]>\n<OrganizationalSettings/>", "a.org.default.xml:1:1: declares a type of document, as no rule file does; take the declaration out"},
		{"another file beside it", good, "<DISASTIG/>", "a.org.default.xml:1:1: begins with <DISASTIG>; what an organisation chose begins with <OrganizationalSettings>"},
		{"nothing beside it", good, "\n", "a.org.default.xml:2:1: holds no element of XML"},
	} {
		fsys := fstest.MapFS{"a.xml": {Data: []byte(c.stig)}}
		if c.org != "" {
			fsys["a.org.default.xml"] = &fstest.MapFile{Data: []byte(c.org)}
		}
		began := time.Now()
		_, err := foreign.Read(fsys, "a.xml", "powerstig")
		if fmt.Sprint(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", c.name, took)
		}
	}
}

// TestPowerSTIGRules holds what the elements of a RegistryRule become: what is asked, or why nothing is. There is no file of an organisation.
func TestPowerSTIGRules(t *testing.T) {
	const value = `<Key>HKLM:\A</Key><ValueName>B</ValueName>`
	of := func(typ, data string) string {
		return value + "<ValueType>" + typ + "</ValueType><ValueData>" + data + "</ValueData>"
	}
	test := func(typ, test string) string {
		return value + "<ValueType>" + typ + "</ValueType><OrganizationValueRequired>True</OrganizationValueRequired><OrganizationValueTestString>" + test + "</OrganizationValueTestString>"
	}
	for _, c := range []struct{ elements, want string }{
		{of("Qword", "0xFFFFFFFFFF"), `HKLM\A B {expect [{type REG_QWORD} {data [{equals 1099511627775}]}]} {missing fail} {fix [{set [{type REG_QWORD} {data 1099511627775}]}]}`},
		{of("Dword", "-1"), `HKLM\A B {expect [{type REG_DWORD} {data [{equals 4294967295}]}]} {missing fail} {fix [{set [{type REG_DWORD} {data 4294967295}]}]}`},
		{of("Dword", "4294967296"), `its data "4294967296" are no number of a REG_DWORD`},
		{of("Dword", ""), `its data "" are no number of a REG_DWORD`},
		{of("ExpandString", "%SystemRoot%"), `HKLM\A B {expect [{type REG_EXPAND_SZ} {data [{equals %SystemRoot%} {fold true}]}]} {missing fail} {fix [{set [{type REG_EXPAND_SZ} {data %SystemRoot%}]}]}`},
		{of("String", "\n      "), `HKLM\A B {expect [{type REG_SZ} {data [{equals }]}]} {missing fail} {fix [{set [{type REG_SZ} {data }]}]}`},
		{of("MultiString", ""), `HKLM\A B {expect [{type REG_MULTI_SZ} {data [{equals []}]}]} {missing fail} {fix [{set [{type REG_MULTI_SZ} {data []}]}]}`},
		{of("Binary", "0x1ff"), `HKLM\A B {expect [{type REG_BINARY} {data [{bytes 01ff}]}]} {missing fail} {fix [{set [{type REG_BINARY} {data 01ff}]}]}`},
		{of("Binary", "xx"), `its data "xx" are no bytes in hexadecimal`},
		{of("Word", "1"), `its ValueType "Word" is no type of the registry`},
		{of("Dword", "ShouldBeAbsent"), `HKLM\A B {expect [{exists false}]} {fix [{delete value}]}`},
		{`<Key>C:\A</Key>`, `its key "C:\\A" is not one of the registry`},
		{`<Key /><DuplicateOf>V-7</DuplicateOf>`, `it is the same as V-7, which asks for it`},
		{`<Key>HKCU\A\B</Key>`, `HKCU\A\B {expect [{exists true}]}`},
		{`<Key>HKCU\A\B</Key><ValueName>(Default)</ValueName><ValueType>String</ValueType><ValueData>1</ValueData>`, `HKCU\A\B (default) {expect [{type REG_SZ} {data [{equals 1}]}]} {missing fail} {fix [{set [{type REG_SZ} {data 1}]}]}`},
		{`<Key>HKLM\A</Key><ValueName>{a}*</ValueName><ValueType>String</ValueType>`, `HKLM\A [{]a}[*] {expect [{type REG_SZ} {data [{equals }]}]} {missing fail} {fix [{set [{type REG_SZ} {data }]}]}`},
		{test("Dword", "'{0}' -match '^(1|3)$'"), `HKLM\A B {expect [{type REG_DWORD} {data [{in [1 3]}]}]} {missing fail} {fix [{set [{type REG_DWORD} {data 1}]} {safe false} {because the organisation can choose another value, in a.org.default.xml}]}`},
		{test("Dword", "{0} -eq '1|2'"), `HKLM\A B {expect [{type REG_DWORD} {data [{in [1 2]}]}]} {missing fail} {fix [{set [{type REG_DWORD} {data 1}]} {safe false} {because the organisation can choose another value, in a.org.default.xml}]}`},
		{test("Dword", "'{0}' -ne '0' -and '{0}' -lt '5'"), `HKLM\A B {expect [{type REG_DWORD} {data [{not 0} {below 5}]}]} {missing fail}`},
		{test("Dword", "'{0}' -ge 'many'"), `it compares sizes with "many", which is no number`},
		{test("Dword", "'{0}' -match '1|x'"), `it allows "x", which is no number of a REG_DWORD`},
		{test("Dword", "'{0}' -match 'ShouldBeAbsent'"), `HKLM\A B {expect [{exists false}]} {fix [{delete value}]}`},
		{test("Dword", "'{0}' -ge '15' -or '{0}' -match '0|ShouldBeAbsent'"), `HKLM\A {any [[{value B} {expect [{type REG_DWORD} {data [{at_least 15}]}]}] [{value B} {expect [{type REG_DWORD} {data [{equals 0}]}]}] [{value B} {expect [{exists false}]}]]}`},
		{test("String", "'{0}' -like 'a*'"), `HKLM\A B {expect [{type REG_SZ} {data [{glob a*} {fold true}]}]} {missing fail}`},
		{test("String", `'{0}' -match "^[a-c]+$"`), `HKLM\A B {expect [{type REG_SZ} {data [{matches (?i)^[a-c]+$}]}]} {missing fail}`},
		{test("String", "'{0}' -cmatch '^(Full|High)$'"), `HKLM\A B {expect [{type REG_SZ} {data [{matches ^(Full|High)$}]}]} {missing fail}`},
		{test("String", "'{0}' -ne 'Guest''s'"), `HKLM\A B {expect [{type REG_SZ} {data [{not Guest's} {fold true}]}]} {missing fail}`},
		{test("String", "'{0}' -eq 'a list of approved hosts'"), `its value is for the organisation to choose, in a.org.default.xml, which is not beside it`},
		{test("Dword", "'{0}' -ge '1' -or '{0}' -eq '0' -and '{0}' -le '5'"), `its value is for the organisation to choose, in a.org.default.xml, which is not beside it`},
		{test("Dword", "ValueData is set to 0x00000006 (6) or greater"), `HKLM\A B {expect [{type REG_DWORD} {data [{at_least 6}]}]} {missing fail} {fix [{set [{type REG_DWORD} {data 6}]} {safe false} {because the organisation can choose another value, in a.org.default.xml}]}`},
		{test("Dword", "ValueData is set to 0x00000010 (6) or less"), `its value is for the organisation to choose, in a.org.default.xml, which is not beside it`},
		{`</Rule><Rule conversionstatus="fail">`, `PowerSTIG could not convert it (conversionstatus fail)`},
		{`</Rule><Rule conversionstatus="warning">` + of("String", "x"), `HKLM\A B {expect [{type REG_SZ} {data [{equals x} {fold true}]}]} {missing fail} {fix [{set [{type REG_SZ} {data x}]}]}; PowerSTIG converted it with a warning`},
	} {
		s, err := foreign.Read(fstest.MapFS{"a.xml": {Data: []byte(stigXML(c.elements))}}, "a.xml", "")
		if err != nil {
			t.Errorf("%s: %v", c.elements, err)
			continue
		}
		row := s.Rows[len(s.Rows)-1]
		var said []string
		if len(row.Rules) > 0 {
			var asks []string
			for _, f := range row.Rules[0].Asks {
				if f.Name == "key" || f.Name == "value" {
					asks = append(asks, fmt.Sprint(f.Value))
				} else {
					asks = append(asks, fmt.Sprint(f))
				}
			}
			said = append(said, strings.Join(asks, " "))
			if _, _, err := foreign.Pack("", s); err != nil {
				t.Errorf("%s: %v", c.elements, err)
			}
		}
		for _, why := range row.Lacks {
			if !strings.HasPrefix(why, "what the organisation chose is in") {
				said = append(said, why)
			}
		}
		if got := strings.Join(said, "; "); got != c.want {
			t.Errorf("%s becomes\n%s, want\n%s", c.elements, got, c.want)
		}
		if row = s.Rows[len(s.Rows)-1]; len(row.Rules) == 0 && len(said) == 1 && strings.HasPrefix(said[0], "HK") {
			t.Errorf("%s: the language cannot say it: %v", c.elements, row.Lacks)
		}
	}
}
