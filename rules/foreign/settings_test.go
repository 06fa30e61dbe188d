package foreign_test

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/shared"
	"regvet/rules"
	"regvet/rules/foreign"
)

var updateCounts = flag.Bool("update", false, "write what the tests compare with anew")

// readShared reads a rule file of another program.
func readShared(t *testing.T, path string) *foreign.Source {
	t.Helper()
	s, err := foreign.Read(os.DirFS(filepath.Dir(path)), filepath.Base(path), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testCounts holds what became of the rows of the shared files of a format, with each reason and its number.
func testCounts(t *testing.T, golden, pattern string) {
	t.Helper()
	var b strings.Builder
	for _, path := range shared.Glob(t, filepath.Dir(pattern), filepath.Base(pattern)) {
		s := readShared(t, path)
		fmt.Fprintf(&b, "%s: %d rows, %d whole, %d in part, %d none\n", s.File, len(s.Rows), s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None))
		reasons := map[string]int{}
		for _, r := range s.Rows {
			for _, why := range r.Lacks {
				reasons[why]++
			}
		}
		for _, why := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
			return cmp.Or(reasons[b]-reasons[a], strings.Compare(a, b))
		}) {
			fmt.Fprintf(&b, "  %3d %s\n", reasons[why], why)
		}
	}
	golden = filepath.Join("testdata", golden)
	if *updateCounts {
		if err := os.WriteFile(golden, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, []byte(b.String())) {
		t.Errorf("the counts of %s are not those of %s:\n%s", pattern, golden, b.String())
	}
}

// setting is a value of the registry about which a row of a list asks.
type setting struct {
	line      int    // of the row
	asks      string // what it asks, without the place
	key, name string
	texts     []string                 // of which data are made that matter
	passes    func(v *hive.Value) bool // what the list says of a value, nil for one that is missing
}

// where names the value in whatever case.
func (s setting) where() string { return strings.ToLower(s.key + "\n" + s.name) }

// tries returns the values to try: the texts in each type that can hold them, data that do not fit their type, and none at all.
func (s setting) tries() (all []*hive.Value) {
	for _, text := range s.texts {
		for _, typ := range []hive.Type{hive.SZ, hive.ExpandSZ} {
			v := hive.StringValue(s.name, typ, text)
			all = append(all, &v)
		}
		var list []byte
		for _, one := range strings.Split(text, ";") {
			list = append(list, hive.StringValue("", hive.SZ, one).Data...)
		}
		all = append(all, &hive.Value{Name: s.name, Type: hive.MultiSZ, Data: append(list, 0, 0)})
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			if n < 1<<32 {
				v := hive.NumberValue(s.name, hive.DWord, n)
				all = append(all, &v, &hive.Value{Name: s.name, Type: hive.DWord, Data: v.Data[:2]})
			}
			v := hive.NumberValue(s.name, hive.QWord, n)
			all = append(all, &v)
		}
	}
	return append(all, &hive.Value{Name: s.name, Type: hive.Binary, Data: []byte{1, 2, 3}}, nil)
}

// around returns texts and what is near them: the numbers beside a number, other case, more and less text.
func around(texts ...string) (all []string) {
	for _, text := range append(texts, "", "0", "4294967295", "zzz") {
		all = append(all, text)
		if n, err := strconv.ParseUint(text, 10, 63); err == nil {
			all = append(all, strconv.FormatUint(n+1, 10))
			if n > 0 {
				all = append(all, strconv.FormatUint(n-1, 10))
			}
		} else if text != "" {
			all = append(all, strings.ToUpper(text), strings.ToLower(text), text+"x", text[1:])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// testVerdicts holds what regvet says of a setting with each value that is tried against what its list says, once for each that asks another thing.
func testVerdicts(t *testing.T, s *foreign.Source, all []setting) {
	t.Helper()
	asked := map[string]bool{}
	all = slices.DeleteFunc(all, func(one setting) bool {
		again := asked[one.asks]
		asked[one.asks] = true
		return again
	})
	if len(all) < 5 {
		t.Fatalf("%s has %d settings; want those of the list", s.File, len(all))
	}
	_, pack, err := foreign.Pack("", s)
	if err != nil {
		t.Fatal(err)
	}
	tries, most := map[string][]*hive.Value{}, 0 // by place, for rows that ask about the same value
	for _, one := range all {
		tries[one.where()] = append(tries[one.where()], one.tries()...)
		most = max(most, len(tries[one.where()]))
	}
	judged := slices.DeleteFunc(slices.Clone(pack.Rules), func(r *rules.Rule) bool {
		return !slices.ContainsFunc(all, func(one setting) bool { return one.line == r.Sources[0].Line })
	})
	compared := 0
	for i := range most {
		text := "Windows Registry Editor Version 5.00\n"
		is := map[string]*hive.Value{}
		for _, one := range all {
			text += "\n[" + one.key + "]\n"
			if mine := tries[one.where()]; i < len(mine) && is[one.where()] == nil && mine[i] != nil {
				v := mine[i]
				is[one.where()] = v
				text += fmt.Sprintf("%s=hex(%x):%s\n", regName(v.Name), uint32(v.Type), regBytes(v.Data))
			}
		}
		f, err := regfile.Parse("try.reg", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		reg := hive.NewRegistry()
		reg.Mount(nil, f.Tree())
		answers := map[int]rules.Finding{} // by line
		for _, f := range rules.Evaluate(reg, hive.Windows{}, judged) {
			answers[f.Rule.Sources[0].Line] = f
		}
		for _, one := range all {
			v := is[one.where()]
			want := rules.Fail
			if one.passes(v) {
				want = rules.Pass
			}
			if got, ok := answers[one.line]; !ok || got.Status != want {
				t.Errorf("%s:%d, %s of %s, is %v: got %v %s %s, want %v", s.File, one.line, one.name, one.key, v, got.Status, got.Reason, got.Message, want)
			}
			compared++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%s: %d settings, %d verdicts", s.File, len(all), compared)
}

func regName(name string) string {
	if name == "" {
		return "@"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

func regBytes(b []byte) string {
	var all []string
	for _, one := range b {
		all = append(all, hex.EncodeToString([]byte{one}))
	}
	return strings.Join(all, ",")
}

// asList returns the strings of a value in REG_MULTI_SZ.
func asList(v *hive.Value) []string {
	return strings.Split(strings.TrimSuffix(utf16Text(v.Data), "\x00\x00"), "\x00")
}

// utf16Text returns the text of data without the zero that ends them.
func utf16Text(data []byte) string {
	var b strings.Builder
	for i := 0; i+1 < len(data); i += 2 {
		b.WriteRune(rune(data[i]) | rune(data[i+1])<<8) // the lists hold no pairs of surrogates
	}
	return b.String()
}

// asNumber returns the number of a value of 4 or 8 bytes.
func asNumber(v *hive.Value) (n uint64) {
	for i, b := range v.Data {
		n |= uint64(b) << (8 * i)
	}
	return n
}
