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
