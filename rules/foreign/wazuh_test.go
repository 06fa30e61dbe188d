package foreign_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/shared"
	"regvet/rules"
	"regvet/rules/foreign"
)

// scaPolicy is what an independent reading of a policy needs.
type scaPolicy struct {
	Checks []struct {
		ID        string
		Condition string
		Rules     []string
	}
}

// datum is a value as it is written in .reg text, and as Wazuh shows it.
type datum struct{ reg, shown string }

func dword(n uint64) datum {
	return datum{fmt.Sprintf("dword:%08x", uint32(n)), strconv.FormatUint(uint64(uint32(n)), 10)}
}
func sz(text string) datum {
	return datum{`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`, text}
}
func multi(all ...string) datum {
	return datum{"hex(7):" + commas(hive.EncodeUTF16(strings.Join(all, "\x00")+"\x00\x00")), strings.Join(all, " ")}
}
func binary(b []byte) datum { return datum{"hex:" + commas(b), hex.EncodeToString(b)} }
func qword(n byte) datum {
	b := make([]byte, 8)
	b[0] = n
	return datum{"hex(b):" + commas(b), hex.EncodeToString(b)}
}
func commas(b []byte) string {
	return strings.TrimSuffix(regexp.MustCompile("..").ReplaceAllString(hex.EncodeToString(b), "$0,"), ",")
}

// state is the registry: keys in small letters, and the values in them likewise.
type state map[string]map[string]datum

func (s state) file() string {
	var b strings.Builder
	b.WriteString("\ufeffWindows Registry Editor Version 5.00\n\n")
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "[%s]\n", key)
		for _, name := range slices.Sorted(maps.Keys(s[key])) {
			fmt.Fprintf(&b, "%s=%s\n", sz(name).reg, s[key][name].reg)
		}
	}
	return b.String()
}

type outcome int

const (
	notFound outcome = iota
	found
	invalid
)

// scaMatch is what Wazuh asks of shown data.
func scaMatch(shown, pattern string) bool {
	for _, part := range strings.Split(pattern, " && ") {
		negated := strings.HasPrefix(part, "!")
		part = strings.TrimPrefix(part, "!")
		holds := strings.EqualFold(shown, part)
		if re, ok := strings.CutPrefix(part, "r:"); ok {
			holds = regexp.MustCompile("(?i)" + re).MatchString(shown)
		} else if compare, ok := strings.CutPrefix(part, "n:"); ok {
			words := regexp.MustCompile(`^(.*) compare (\S+) (\d+)$`).FindStringSubmatch(compare)
			holds = false
			if m := regexp.MustCompile("(?i)" + words[1]).FindStringSubmatch(shown); m != nil {
				a, err := strconv.ParseUint(m[1], 10, 64)
				b, _ := strconv.ParseUint(words[3], 10, 64)
				holds = err == nil && map[string]bool{"<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b, "!=": a != b, "==": a == b}[words[2]]
			}
		}
		if holds == negated {
			return false
		}
	}
	return true
}

// scaRule answers a rule in one view of the registry.
func scaRule(s state, parts []string, key string) outcome {
	values, there := s[key]
	switch {
	case len(parts) == 1 && there:
		return found
	case len(parts) == 1:
		return notFound
	case !there:
		return invalid
	}
	v, there := values[strings.ToLower(parts[1])]
	switch {
	case len(parts) == 2 && there, len(parts) == 3 && there && scaMatch(v.shown, parts[2]):
		return found
	case len(parts) == 3 && !there:
		return invalid
	}
	return notFound
}

func scaKey(path string) string {
	return strings.ToLower(strings.Replace(path, `HKLM\`, `HKEY_LOCAL_MACHINE\`, 1))
}

// scaViews returns the keys that stand for one in the two views.
func scaViews(path string) []string {
	key := scaKey(path)
	below, software := strings.CutPrefix(key, `hkey_local_machine\software\`)
	if !software || strings.HasPrefix(below, `policies\`) || strings.HasPrefix(below, `microsoft\windows\currentversion\policies\`) {
		return []string{key}
	}
	return []string{key, `hkey_local_machine\software\wow6432node\` + below}
}

// scaCheck answers a check: pass, fail or not-applicable.
func scaCheck(s state, condition string, all []string) string {
	results := map[outcome]bool{}
	for _, text := range all {
		text, negated := strings.CutPrefix(text, "not ")
		parts := strings.SplitN(strings.TrimPrefix(text, "r:"), " -> ", 3)
		views := map[outcome]bool{}
		for _, key := range scaViews(parts[0]) {
			views[scaRule(s, parts, key)] = true
		}
		one := notFound
		switch {
		case views[found]:
			one = found
		case !views[notFound]:
			one = invalid
		}
		if negated && one != invalid {
			one = found - one
		}
		results[one] = true
	}
	settles, then, otherwise := found, "fail", "pass"
	switch condition {
	case "all":
		settles = notFound
	case "any":
		then, otherwise = "pass", "fail"
	}
	switch {
	case results[settles]:
		return then
	case results[invalid]:
		return "not-applicable"
	}
	return otherwise
}

// scaState returns a registry in which some of what a check asks for is there, right, wrong or of another type.
func scaState(rng *rand.Rand, all []string) state {
	s := state{`hkey_local_machine\system`: {}, `hkey_local_machine\software`: {}}
	for _, text := range all {
		parts := strings.SplitN(strings.TrimPrefix(strings.TrimPrefix(text, "not "), "r:"), " -> ", 3)
		views := scaViews(parts[0])
		key := views[0]
		if rng.IntN(4) == 0 {
			key = views[len(views)-1]
		}
		if rng.IntN(6) == 0 {
			continue
		}
		if s[key] == nil {
			s[key] = map[string]datum{}
		}
		if len(parts) < 2 || rng.IntN(6) == 0 {
			continue
		}
		data := "1"
		if len(parts) == 3 {
			data = parts[2]
		}
		n := uint64(rng.IntN(3))
		if word := regexp.MustCompile(`\d+`).FindAllString(data, -1); word != nil {
			n, _ = strconv.ParseUint(word[rng.IntN(len(word))], 10, 32)
			n += uint64(rng.IntN(3)) - uint64(rng.IntN(2))
		}
		if _, re, ok := strings.Cut(data, "r:"); ok {
			data = strings.NewReplacer(`\\`, `\`, `\.`, ".", "^", "", "$", "", `\(`, "(", `\)`, ")").Replace(re)
		}
		choices := []datum{dword(n), dword(n), dword(1 << 31), sz(data), sz(strings.ToUpper(data)), sz(strconv.FormatUint(n, 10)), sz(strconv.FormatUint(n, 10) + "x"),
			sz(""), multi(data), multi("a", data, "b"), binary([]byte{byte(n)}), binary(nil), qword(byte(n)), sz("x" + data)}
		s[key][strings.ToLower(parts[1])] = choices[rng.IntN(len(choices))]
	}
	for _, key := range slices.Collect(maps.Keys(s)) { // a key is in another
		for i := range key {
			if above := key[:i]; key[i] == '\\' && strings.Contains(above, `\`) && s[above] == nil {
				s[above] = map[string]datum{}
			}
		}
	}
	return s
}

// verdict returns what a rule answers for .reg text.
func verdict(t *testing.T, r *rules.Rule, text string) string {
	t.Helper()
	file, err := regfile.Parse("reg", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	reg := hive.NewRegistry()
	reg.Mount(nil, file.Tree())
	found := rules.Evaluate(reg, hive.Exactly(hive.Version{Major: 10}), []*rules.Rule{r})
	if len(found) != 1 {
		t.Fatalf("%s has %d answers for\n%s", r.ID, len(found), text)
	}
	if !found[0].Applies() {
		return "not-applicable"
	}
	if found[0].Status == rules.Unknown {
		return "unknown: " + found[0].Message
	}
	return string(found[0].Status)
}

// comparePolicy holds the verdicts of each check of a policy that asks the registry alone against the independent reading.
func comparePolicy(t *testing.T, data []byte, pack *rules.Pack, rounds int) (compared map[string]int) {
	t.Helper()
	var policy scaPolicy
	if err := yaml.Unmarshal(data, &policy); err != nil {
		t.Fatal(err)
	}
	byID := map[string]*rules.Rule{}
	for _, r := range pack.Rules {
		byID[r.Sources[0].ID] = r
	}
	rng := rand.New(rand.NewPCG(18, 4))
	compared = map[string]int{}
	for _, c := range policy.Checks {
		r := byID[c.ID]
		if r == nil {
			continue
		}
		for range rounds {
			s := scaState(rng, c.Rules)
			want, got := scaCheck(s, c.Condition, c.Rules), verdict(t, r, s.file())
			if compared[want]++; got != want {
				t.Errorf("check %s (%s of %q) is %s, want %s, for\n%s", c.ID, c.Condition, c.Rules, got, want, s.file())
				break
			}
		}
	}
	return compared
}

// TestWazuhCorpora imports real policies, and compares each check with the independent reading.
func TestWazuhCorpora(t *testing.T) {
	for _, want := range []struct {
		name              string
		whole, part, none int
		why               map[string]int
	}{
		{"cis_win10_enterprise.yml", 385, 0, 39, map[string]int{"it asks what a command prints, which no registry tells": 39}},
		{"cis_win2012r2.yml", 249, 0, 42, map[string]int{"it asks what a command prints, which no registry tells": 42}},
	} {
		path := shared.Path(t, "corpora/wazuh-sca")
		s, err := foreign.Read(os.DirFS(path), want.name, "")
		if err != nil {
			t.Fatal(err)
		}
		_, pack, err := foreign.Pack("", s)
		if err != nil {
			t.Fatal(err)
		}
		why := map[string]int{}
		for _, row := range s.Rows {
			for _, lack := range row.Lacks {
				why[lack]++
			}
		}
		if s.Count(foreign.Whole) != want.whole || s.Count(foreign.Part) != want.part || s.Count(foreign.None) != want.none || !maps.Equal(why, want.why) {
			t.Errorf("%s: %d whole, %d in part, %d none: %v", want.name, s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None), why)
		}
		if compared := comparePolicy(t, shared.Read(t, "corpora/wazuh-sca/"+want.name), pack, 8); min(compared["pass"], compared["fail"], 40*compared["not-applicable"]) < 400 {
			t.Errorf("%s was compared on too little: %v", want.name, compared)
		}
	}
}

// TestWazuhLaw compares random checks with the independent reading.
func TestWazuhLaw(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	keys := []string{`HKLM\SYSTEM\A`, `HKLM\SOFTWARE\Policies\A`, `HKEY_LOCAL_MACHINE\SOFTWARE\A`}
	data := []string{"1", "Yes", "r:^1$|^2$", "!r:^x", "n:^(\\d+) compare <= 30", "n:^(\\d+) compare >= 5 && n:^(\\d+) compare < 14", "!1", "!1 && !2", "01", "n:(\\d+) compare != 0", "a yes b"}
	var b strings.Builder
	b.WriteString("policy:\n  id: law\nchecks:\n")
	for id := range 250 {
		fmt.Fprintf(&b, "- id: %d\n  name: check\n  condition: %s\n  rules:\n", id+1, []string{"all", "any", "none"}[rng.IntN(3)])
		key := keys[rng.IntN(len(keys))]
		for range 1 + rng.IntN(4) {
			rule := "r:" + key
			if rng.IntN(6) == 0 {
				rule = "r:" + keys[rng.IntN(len(keys))]
			}
			if rng.IntN(4) > 0 {
				rule += " -> " + []string{"V", "W"}[min(rng.IntN(4), 1)]
				if rng.IntN(4) > 0 {
					rule += " -> " + data[rng.IntN(len(data))]
				}
			}
			if rng.IntN(3) == 0 {
				rule = "not " + rule
			}
			fmt.Fprintf(&b, "  - '%s'\n", rule)
		}
	}
	s, err := foreign.Read(fstest.MapFS{"law.yml": {Data: []byte(b.String())}}, "law.yml", "")
	if err != nil {
		t.Fatal(err)
	}
	_, pack, err := foreign.Pack("", s)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range s.Rows {
		if len(row.Lacks) > 0 && !strings.HasPrefix(row.Lacks[0], "its rules contradict each other") {
			t.Errorf("check %s: %q", row.ID, row.Lacks)
		}
	}
	if compared := comparePolicy(t, []byte(b.String()), pack, 20); min(compared["pass"], compared["fail"], compared["not-applicable"]) < 300 {
		t.Errorf("the law was tried on too little: %v", compared)
	}
}

// TestWazuhHostile requires an error at its place for policies that are no sound YAML, or too much of it.
func TestWazuhHostile(t *testing.T) {
	head := "policy: {id: a}\nchecks:\n"
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", head + "- id: 1\n  rules: ['r:HKLM\\A\n", "a.yml:4:"},
		{"no mapping", "checks: [\npolicy: x\n]\nchecks: [\npolicy: x\n]", "a.yml:"},
		{"a check that is a text", head + "- r:HKLM\\A\n", "a.yml:3:3: a check must be a mapping"},
		{"checks that are no list", "policy: {id: a}\nchecks: 5\n", "a.yml:2:9: checks must be a list"},
		{"a field twice", head + "- id: 1\n  id: 2\n", "a.yml:4:3: id stands twice in a check"},
		{"aliases in aliases", head + "- &a [x,x,x,x,x,x,x,x,x,x]\n" + bomb(), "a.yml:"},
		{"an alias of itself", head + "- &a {id: *a}\n", "a.yml:3:11: an alias stands for what it is itself a part of"},
		{"too deep", head + "- id: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "a.yml:3:"},
		{"too many checks", head + strings.Repeat("- {id: 1}\n", 20_001), "a.yml:20003:1: holds more than 20000 rules; split it"},
		{"too large", head + strings.Repeat("#", 16<<20), "a.yml: has at least "},
	} {
		s, err := foreign.Read(fstest.MapFS{"a.yml": {Data: []byte(c.text)}}, "a.yml", "wazuh")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the mistake is %v, want %q", c.name, err, c.want)
		}
		if s != nil {
			t.Errorf("%s: there are %d rows", c.name, len(s.Rows))
		}
	}
}

// bomb is a list of aliases of lists of aliases.
func bomb() string {
	var b strings.Builder
	for i := range 9 {
		fmt.Fprintf(&b, "- &%c [%s]\n", 'b'+i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", 'a'+i), 10), ","))
	}
	return b.String()
}

// TestWazuhBounds requires that what a hostile policy says takes little time: many rules in a check, variables in variables, long expressions.
func TestWazuhBounds(t *testing.T) {
	many := strings.Repeat("  - 'r:HKLM\\SYSTEM\\A -> B -> r:(a*)*b'\n", 5000)
	text := "policy: {id: a}\nvariables:\n  $a: $a$a$a$a\n  $b: $a$a\n  $c: " + strings.Repeat("c", 1<<20) + "\nchecks:\n- {id: " + strings.Repeat("$c", 1<<19) + ", condition: all, rules: ['p:a']}\n- id: 1\n  condition: all\n  rules:\n" + many +
		"- {id: 2, condition: any, rules: ['r:HKLM\\SYSTEM\\$b$b$b$b -> $a']}\n- {id: 3, condition: all, rules: ['r:HKLM\\SYSTEM\\A -> B -> r:" + strings.Repeat("(", 3000) + "']}\n"
	s, err := foreign.Read(fstest.MapFS{"a.yml": {Data: []byte(text)}}, "a.yml", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Rows[1].Lacks; fmt.Sprint(got) != "[it has more than 250 rules]" {
		t.Errorf("of too many rules is said %q", got)
	}
	if len(s.Rows) != 4 || s.Rows[3].Outcome() != foreign.None {
		t.Errorf("the rows are %v", s.Rows)
	}
}
