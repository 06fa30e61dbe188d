package foreign_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/shared"
	"regvet/rules/foreign"
)

func TestHardeningKittyCounts(t *testing.T) {
	testCounts(t, "hardeningkitty.txt", "corpora/hardeningkitty/*.csv")
}

// TestHardeningKittyVerdicts compares each row of each list about the registry with what the list says, read here anew: the value as PowerShell
// shows it, or the default, against the recommendation.
func TestHardeningKittyVerdicts(t *testing.T) {
	for _, path := range shared.Glob(t, "corpora/hardeningkitty", "*.csv") {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r := csv.NewReader(f)
		head, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		var all []setting
		for {
			cells, err := r.Read()
			if err != nil {
				break
			}
			at := func(column string) string { return cells[slices.Index(head, column)] }
			line, _ := r.FieldPos(0)
			want, op, with := at("RecommendedValue"), at("Operator"), at("DefaultValue")
			root, key, _ := strings.Cut(at("RegistryPath"), `:\`)
			s := setting{line: line, name: at("RegistryItem"), texts: around(want, with), asks: strings.Join([]string{at("Method"), want, op, with}, "\n")}
			s.key = map[string]string{"HKLM": `HKEY_LOCAL_MACHINE\`, "HKCU": `HKEY_CURRENT_USER\`}[root] + key
			switch at("Method") {
			case "Registry":
				list := slices.Contains([]string{"Machine", "EccCurves", "NullSessionPipes", "NullSessionShares"}, s.name) && strings.Contains(want, ";")
				if list {
					s.asks += s.name
				}
				hardened := strings.HasSuffix(key, "HardenedPaths")
				if hardened {
					s.texts = append(s.texts, strings.ReplaceAll(want, " ", ""), strings.ReplaceAll(want, "=", " = "))
				}
				s.passes = func(v *hive.Value) bool { return kittyPasses(v, want, op, with, list, hardened) }
			case "RegistryList":
				s.name, s.texts = "1", around(want)
				s.passes = func(v *hive.Value) bool {
					return v != nil && strings.Contains(strings.ToLower(kittyShows(v, " ")), strings.ToLower(want))
				}
			case "service":
				s.key, s.name, s.texts = `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\`+at("MethodArgument"), "Start", around("2", "4")
				s.passes = func(v *hive.Value) bool {
					if v == nil {
						return op == "=|0"
					}
					return v.Type == hive.DWord && len(v.Data) == 4 && map[uint64]string{2: "Automatic", 3: "Manual", 4: "Disabled"}[asNumber(v)] == want
				}
			default:
				continue
			}
			all = append(all, s)
		}
		testVerdicts(t, readShared(t, path), all)
	}
}

// kittyPasses says what HardeningKitty does: PowerShell compares the value as it shows it.
func kittyPasses(v *hive.Value, want, op, with string, list, hardened bool) bool {
	is := with
	switch {
	case v == nil && with == "":
		switch op {
		case "=":
			return want == ""
		case "!=":
			return want != ""
		}
		return op == "=|0"
	case v == nil && list:
		is = strings.ReplaceAll(with, " System", ";System") // as the lists have it
		is = strings.ReplaceAll(is, " Software", ";Software")
	case v == nil:
	case list && v.Type != hive.MultiSZ, v.Type == hive.DWord && len(v.Data) != 4:
		return false
	case list:
		is = kittyShows(v, ";")
	default:
		is = kittyShows(v, " ")
	}
	if hardened {
		is, want = strings.ReplaceAll(is, " ", ""), strings.ReplaceAll(want, " ", "")
	}
	n, isErr := strconv.ParseUint(is, 10, 64)
	m, wantErr := strconv.ParseUint(want, 10, 64)
	sized := isErr == nil && wantErr == nil && (v == nil || v.Type != hive.Binary)
	switch op {
	case "=":
		return strings.EqualFold(is, want)
	case "=|0":
		return strings.EqualFold(is, want) || is == ""
	case "!=":
		return !strings.EqualFold(is, want)
	case ">=":
		return sized && n >= m
	case "<=":
		return sized && n <= m
	case "<=!0":
		return sized && n <= m && n != 0
	}
	panic("the operator " + op)
}

// kittyShows returns a value as PowerShell shows it.
func kittyShows(v *hive.Value, between string) string {
	switch v.Type {
	case hive.DWord, hive.QWord:
		return strconv.FormatUint(asNumber(v), 10)
	case hive.MultiSZ:
		return strings.Join(asList(v), between)
	case hive.Binary:
		return "1 2 3"
	}
	return strings.TrimSuffix(utf16Text(v.Data), "\x00")
}

// TestHardeningKittyTables holds that a list is the same however a spreadsheet saves it, with the lines of its rows.
func TestHardeningKittyTables(t *testing.T) {
	const list = `ID,Category,Name,Method,MethodArgument,RegistryPath,RegistryItem,DefaultValue,RecommendedValue,Operator,Severity
1,System,"Größe, at least",Registry,,HKLM:\SOFTWARE\A,Size,5,10,>=,Low
2,System,A service,service,Spooler,,,,Disabled,=|0,High
3,System,"Two
lines",Registry,,HKLM:\SOFTWARE\A,EccCurves,,a;b,=,Medium
4,System,Last,Registry,,HKLM:\SOFTWARE\A,SDDL,,O:BAG:BAD:(A;;RC;;;BA),=,Medium
`
	table := func(separator rune, change func(rows [][]string) [][]string) string {
		rows, err := csv.NewReader(strings.NewReader(list)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Comma = separator
		if change != nil {
			rows = change(rows)
		}
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	utf16le := func(text string) string {
		b := hive.StringValue("", hive.SZ, "\uFEFF"+text).Data
		return string(b[:len(b)-2])
	}
	type saved struct {
		data  string
		lines []int
	}
	for name, c := range map[string]saved{
		"as it is":                {list, []int{2, 3, 4, 6}},
		"a byte order mark":       {"\uFEFF" + list, []int{2, 3, 4, 6}},
		"UTF-16":                  {utf16le(list), []int{2, 3, 4, 6}},
		"windows-1252":            {strings.NewReplacer("ö", "\xf6", "ß", "\xdf").Replace(list), []int{2, 3, 4, 6}},
		"CRLF":                    {strings.ReplaceAll(list, "\n", "\r\n"), []int{2, 3, 4, 6}},
		"semicolons":              {table(';', nil), []int{2, 3, 4, 6}},
		"tabs":                    {table('\t', nil), []int{2, 3, 4, 6}},
		"semicolons that it told": {"sep=;\r\n" + table(';', nil), []int{3, 4, 5, 7}},
		"empty lines":             {"\n\n" + strings.ReplaceAll(list, "\n2,", "\n\n \n,,,,,,,,,,\n2,") + "\n\n", []int{4, 8, 9, 11}},
		"cells at the end":        {strings.NewReplacer("Low\n", "Low,,,\n", "High\n", "High, \n").Replace(list), []int{2, 3, 4, 6}},
		"other order, other case": {table(',', func(rows [][]string) [][]string {
			for i := range rows {
				slices.Reverse(rows[i])
			}
			for i, name := range rows[0] {
				rows[0][i] = " " + strings.ToUpper(name)
			}
			return rows
		}), []int{2, 3, 4, 6}},
		"no cells that say nothing": {table(',', func(rows [][]string) [][]string {
			for i, row := range rows {
				rows[i] = slices.Delete(row, 1, 2)
			}
			return rows
		}), []int{2, 3, 4, 6}},
	} {
		s, err := foreign.Read(fstest.MapFS{"list.csv": {Data: []byte(c.data)}}, "list.csv", "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		var lines []int
		for _, r := range s.Rows {
			if len(r.Rules) != 1 {
				t.Fatalf("%s: %s is no rule: %v", name, r.ID, r.Lacks)
			}
			got = append(got, strings.ReplaceAll(fmt.Sprint(r.Title, r.Rules[0].Severity, r.Rules[0].Asks), "\r", ""))
			lines = append(lines, r.Line)
		}
		want := []string{
			`Größe, at leastlow[{key HKLM\SOFTWARE\A} {value Size} {expect [{data [{as_number [{at_least 10}]}]}]} {missing [{default 5} {source DefaultValue in the list}]} {fix [{set [{type REG_DWORD} {data 10}]} {safe false} {because the list does not tell the type of the value; numbers are REG_DWORD but for a few}]}]`,
			`A servicehigh[{key HKLM\SYSTEM\CurrentControlSet\Services\Spooler} {value Start} {expect [{type REG_DWORD} {data [{equals 4}]}]} {missing pass} {overrides [[{when [{value Start} {expect [{exists true}]}]} {fix [{set [{type REG_DWORD} {data 4}]}]}]]}]`,
			"Two\nlines" + `medium[{key HKLM\SOFTWARE\A} {value EccCurves} {expect [{data [{equals [a b]} {fold true}]}]} {missing fail}]`,
			`Lastmedium[{key HKLM\SOFTWARE\A} {value SDDL} {expect [{data [{as_text [{equals O:BAG:BAD:(A;;RC;;;BA)} {fold true}]}]}]} {missing fail}]`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if !slices.Equal(lines, c.lines) {
			t.Errorf("%s: the rows are in the lines %v, want %v", name, lines, c.lines)
		}
	}
}
