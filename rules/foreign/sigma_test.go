package foreign_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/hive/regfile"
	"regvet/internal/shared"
	"regvet/rules"
	"regvet/rules/foreign"
)

// sigmaCorpus returns the rules of the corpus as they are read.
func sigmaCorpus(t *testing.T) (all []*foreign.Source) {
	t.Helper()
	files, err := foreign.Files(&collection.Local{}, shared.Path(t, "corpora/sigma/registry"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		s, err := foreign.Read(&collection.Local{}, name, "")
		if err != nil {
			t.Fatal(err)
		}
		if s.Format != "sigma" || len(s.Rows) != 1 {
			t.Errorf("%s: format %s, %d rows", name, s.Format, len(s.Rows))
		}
		all = append(all, s)
	}
	return all
}

// TestSigmaCorpus holds what becomes of the rules of the corpus: every one that asks for nothing but TargetObject and Details of what is set is whole.
func TestSigmaCorpus(t *testing.T) {
	sources := sigmaCorpus(t)
	if _, _, err := foreign.Pack("sigma", sources...); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	other := regexp.MustCompile(`(?m)^\s+(- )?(Image|User|ParentImage|CommandLine|NewName)\b.*:`)
	for _, s := range sources {
		row := s.Rows[0]
		count[string(row.Outcome())]++
		for _, why := range row.Lacks {
			why, _, _ = strings.Cut(why, " (")
			count[why]++
		}
		text, err := os.ReadFile(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		if needs := other.Match(text); needs == (row.Outcome() == foreign.Whole) {
			t.Errorf("%s is %s, and asks for more than TargetObject and Details: %v", s.File, row.Outcome(), needs)
		}
	}
	want := map[string]int{
		"whole": 45, "part": 12, "none": 3,
		"it asks for Image, which a hive does not tell":                                     4,
		"a filter excludes nothing: it asks for Image, which a hive does not tell":          10,
		"a filter excludes nothing: it asks for Image and User, which a hive does not tell": 1,
		"a hive has the new name of a key, and does not tell that it was renamed":           1,
	}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", count, want)
	}
}

// TestSigmaVerdicts holds that rules of the corpus, as rules here, find what their own semantics find in events: for 40 rules, values are made that
// meet their patterns or just miss them, and each is asked as the event that set it. The reading of Sigma here shares nothing with the other.
func TestSigmaVerdicts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	rulesTried, hits, misses := 0, 0, 0
	for _, s := range sigmaCorpus(t) {
		if s.Rows[0].Outcome() != foreign.Whole || rulesTried == 40 {
			continue
		}
		rulesTried++
		_, pack, err := foreign.Pack("", s)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		var doc sigmaDoc
		if err := yaml.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		paths, details := doc.words("TargetObject"), doc.words("Details")
		for range 60 {
			path := mixed(r, paths)
			if path[0] != 'H' {
				path = []string{`HKLM\SOFTWARE\`, `HKU\S-1-5-21-1-2-3-1001\`, `HKLM\`}[r.IntN(3)] + strings.TrimLeft(path, `\`)
			}
			e := event{path: regexp.MustCompile(`\\+`).ReplaceAllString(strings.TrimRight(path, `\`), `\`)}
			e.data, e.reg = detail(r, details)
			if strings.Count(e.path, `\`) < 2 || strings.HasSuffix(strings.ToLower(e.path), "symboliclinkvalue") {
				continue
			}
			got := finds(t, pack.Rules, e)
			want := doc.fires(t, e)
			if got != want {
				t.Errorf("%s: %s = %s: found %v, and its own semantics say %v", s.File, e.path, e.data, got, want)
			}
			if want {
				hits++
			} else {
				misses++
			}
		}
	}
	if rulesTried < 40 || hits < 200 || misses < 200 {
		t.Errorf("%d rules, %d hits and %d misses: too few to show anything", rulesTried, hits, misses)
	}
}

// event is a value as it was set: its path and data as Sysmon spells them, and the data as .reg text.
type event struct{ path, data, reg string }

// mixed returns a path of words of a rule, whole ones or parts, in changed case.
func mixed(r *rand.Rand, words []string) string {
	var b strings.Builder
	for range 1 + r.IntN(3) {
		w := words[r.IntN(len(words))]
		switch r.IntN(6) {
		case 0:
			w = strings.ToUpper(w)
		case 1:
			w = w[:len(w)-1] + "x"
		case 2:
			w += `\Extra`
		}
		b.WriteString(w)
	}
	return b.String()
}

// detail returns data of a type, as Sysmon shows them and as .reg text.
func detail(r *rand.Rand, words []string) (shown, reg string) {
	switch n := r.IntN(8); {
	case n == 0:
		return "(Empty)", `""`
	case n == 1:
		return "Binary Data", "hex:01,02"
	case n == 2:
		return "QWORD (0x00000000-0x00000001)", "hex(b):01,00,00,00,00,00,00,00"
	case n == 3 || len(words) == 0:
		v := r.IntN(4)
		return fmt.Sprintf("DWORD (0x%08x)", v), fmt.Sprintf("dword:%08x", v)
	default:
		w := mixed(r, words)
		if m := regexp.MustCompile(`^DWORD \(0x([0-9a-f]{8})\)$`).FindStringSubmatch(w); m != nil {
			return w, "dword:" + m[1]
		}
		return w, `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
	}
}

// finds reports whether a rule fails for the value of an event.
func finds(t *testing.T, all []*rules.Rule, e event) bool {
	t.Helper()
	at := strings.LastIndexByte(e.path, '\\')
	name := `"` + strings.ReplaceAll(e.path[at+1:], `"`, `\"`) + `"`
	if strings.EqualFold(e.path[at+1:], "(Default)") {
		name = "@"
	}
	file, err := regfile.Parse("reg", []byte("\ufeffWindows Registry Editor Version 5.00\n\n["+hive.ParsePath(e.path[:at]).String()+"]\n"+name+"="+e.reg+"\n"+
		"[HKEY_LOCAL_MACHINE\\SYSTEM]\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n[HKEY_CURRENT_USER\\Software]\n")) // so that every rule applies
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, file.Tree())
	return slices.ContainsFunc(rules.Evaluate(reg, hive.Windows{}, all), func(f rules.Finding) bool { return f.Status == rules.Fail && !f.AboutKey })
}

// sigmaDoc is a rule for the small reading of Sigma here, which knows what the whole rules of the corpus use.
type sigmaDoc struct {
	Detection map[string]any
}

// words returns the texts of a field in all selections.
func (d sigmaDoc) words(field string) (all []string) {
	var walk func(v any, in bool)
	walk = func(v any, in bool) {
		switch v := v.(type) {
		case map[string]any:
			for name, below := range v {
				walk(below, strings.HasPrefix(name, field))
			}
		case []any:
			for _, below := range v {
				walk(below, in)
			}
		case string:
			if in && v != "" {
				all = append(all, v)
			}
		}
	}
	for name, v := range d.Detection {
		if name != "condition" {
			walk(v, false)
		}
	}
	slices.Sort(all)
	return all
}

// fires evaluates the condition by rewriting it: each name becomes 1 or 0, and what stands between them is worked out from the inside.
func (d sigmaDoc) fires(t *testing.T, e event) bool {
	t.Helper()
	bit := func(b bool) string { return map[bool]string{true: "1", false: "0"}[b] }
	text := d.Detection["condition"].(string)
	text = regexp.MustCompile(`(all|1) of ([\w*]+)`).ReplaceAllStringFunc(text, func(m string) string {
		parts := strings.Fields(m)
		all, any := true, false
		for name, v := range d.Detection {
			if ok, _ := filepath.Match(parts[2], name); ok && name != "condition" || parts[2] == "them" && name != "condition" {
				holds := selected(v, e)
				all, any = all && holds, any || holds
			}
		}
		return bit(parts[0] == "all" && all || parts[0] == "1" && any)
	})
	text = regexp.MustCompile(`[a-zA-Z_]\w*`).ReplaceAllStringFunc(text, func(m string) string {
		if v, ok := d.Detection[m]; ok {
			return bit(selected(v, e))
		}
		return m
	})
	for before := ""; before != text; {
		before = text
		for _, step := range [][2]string{{"not 1", "0"}, {"not 0", "1"}, {"(0)", "0"}, {"(1)", "1"}} {
			text = strings.ReplaceAll(text, step[0], step[1])
		}
		text = regexp.MustCompile(`([01]) and ([01])`).ReplaceAllStringFunc(text, func(m string) string { return bit(m == "1 and 1") })
		if !strings.Contains(text, "and") {
			text = regexp.MustCompile(`([01]) or ([01])`).ReplaceAllStringFunc(text, func(m string) string { return bit(m != "0 or 0") })
		}
	}
	if text != "0" && text != "1" {
		t.Fatalf("the condition %q is left as %q", d.Detection["condition"], text)
	}
	return text == "1"
}

func selected(v any, e event) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(v any) bool { return selected(v, e) })
	}
	for name, want := range v.(map[string]any) {
		words := strings.Split(name, "|")
		text, known := map[string]string{"TargetObject": e.path, "Details": e.data, "EventType": "SetValue", "EventID": "13"}[words[0]]
		if !known {
			return false
		}
		list, ok := want.([]any)
		if !ok {
			list = []any{want}
		}
		one := func(v any) bool { return compares(text, v, words[1:]) }
		if slices.Contains(words, "all") {
			if slices.ContainsFunc(list, func(v any) bool { return !one(v) }) {
				return false
			}
		} else if !slices.ContainsFunc(list, one) {
			return false
		}
	}
	return true
}

func compares(text string, v any, words []string) bool {
	if v == nil {
		return false
	}
	want := fmt.Sprint(v)
	if slices.Contains(words, "re") {
		return regexp.MustCompile(want).MatchString(text)
	}
	text, want = strings.ToLower(text), strings.ToLower(strings.ReplaceAll(want, `\\`, `\`))
	switch {
	case strings.Contains(want, "*"):
		return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, `.*`)).MatchString(text) // between the parts of the corpus only
	case slices.Contains(words, "contains"):
		return strings.Contains(text, want)
	case slices.Contains(words, "startswith"):
		return strings.HasPrefix(text, want)
	case slices.Contains(words, "endswith"):
		return strings.HasSuffix(text, want)
	}
	return text == want
}

// TestSigmaHostile holds that hostile files get an error at a place, or rows that tell what is wrong, in little time.
func TestSigmaHostile(t *testing.T) {
	head := "logsource: {product: windows, category: registry_set}\ndetection:\n"
	for name, c := range map[string]struct{ text, want string }{
		"parentheses":      {head + "  a: {TargetObject: x}\n  condition: " + strings.Repeat("(", 100_000) + "a", "its condition has more than 50 parentheses in one another"},
		"not":              {head + "  a: {TargetObject: x}\n  condition: " + strings.Repeat("not ", 100_000) + "a", "whole"},
		"the same again":   {head + "  a: {TargetObject: [" + strings.Repeat("x,", 1500) + "]}\n  condition: " + strings.Repeat("a and ", 100_000) + "a", "it has more than 2000 tests; write several rules"},
		"deep":             {head + "  a: " + strings.Repeat("[", 10_000), ":3:"},
		"no end":           {head + "  a: {TargetObject: \"x", ":3:"},
		"dashes":           {head + "  a: {'Details|windash': '" + strings.Repeat(" -a", 1000) + "'}\n  condition: a", "it asks for Details with too many options for windash (a)"},
		"documents":        {strings.Repeat("---\ndetection:\nlogsource:\n", 30_000), "holds more than 20000 rules; split it"},
		"stars":            {head + "  a: {TargetObject: '" + strings.Repeat("a*", 50_000) + "'}\n  condition: a", "whole"},
		"two of one name":  {head + "  a: {TargetObject: x}\n  a: {TargetObject: y}\n  condition: a", ":4:3: a stands twice in detection"},
		"a key, no values": {"logsource: {product: windows, category: registry_add}\ndetection:\n  a: {Details: x}\n  condition: a", "the language of regvet cannot say it: a key has no data"},
		"nothing in it":    {"logsource: 1\ndetection: 2\n", "its events () are not those of the registry"},
		"no condition":     {head + "  a: {TargetObject: x}\n", "its detection has no condition"},
		"an expression":    {head + "  a: {'TargetObject|re': '" + strings.Repeat("(a{1,900}){1,900}", 50) + "'}\n  condition: a", "which RE2 does not read"},
	} {
		start := time.Now()
		s, err := foreign.Read(fstest.MapFS{"x.yml": {Data: []byte(c.text)}}, "x.yml", "")
		got := fmt.Sprint(err)
		if err == nil {
			_, _, _ = foreign.Pack("", s)
			got = strings.Join(s.Rows[0].Lacks, "; ")
			if got == "" {
				got = "whole"
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %.300s, want %s", name, got, c.want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}
