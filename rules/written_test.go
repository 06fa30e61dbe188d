package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/rules"
)

// at returns a time as hives store it.
func at(t *testing.T, text string) hive.Filetime {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return hive.FiletimeOf(parsed)
}

// stampedSystem is a SYSTEM hive with two control sets, of which the first is the current one. Alpha was written later in the first, Beta in
// the second, Gamma is in the second alone; Zero has the time zero, and Whole one of a whole second.
func stampedSystem(t *testing.T) *hive.Registry {
	t.Helper()
	key := func(name, when string, keys ...*hivetest.Key) *hivetest.Key {
		k := &hivetest.Key{Name: name, Keys: keys}
		if when != "" {
			k.Modified = at(t, when)
		}
		return k
	}
	const old, late = "2020-01-01T00:00:00.5Z", "2020-03-01T00:00:00.25Z"
	windows := key("Windows", old)
	shutdown := at(t, "2020-02-01T00:00:00Z")
	windows.Values = []hive.Value{hive.NumberValue("ShutdownTime", hive.Binary, uint64(shutdown))}
	selected := key("Select", old)
	selected.Values = []hive.Value{hive.DWordValue("Current", 1)}
	root := key("", old,
		key("ControlSet001", old, key("Control", old, windows), key("Services", old, key("Alpha", late), key("Beta", old), key("Whole", "2020-01-01T00:00:00Z"), key("Zero", ""))),
		key("ControlSet002", old, key("Control", old), key("Services", old, key("Alpha", old), key("Beta", late), key("Gamma", late))),
		selected)
	f, err := hive.Read("SYSTEM", hivetest.Build(root, hivetest.Options{Modified: at(t, "2020-02-15T00:00:00Z")}))
	if err != nil {
		t.Fatal(err)
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{"HKEY_LOCAL_MACHINE", "SYSTEM"}, f.Root())
	return reg
}

// timeRule loads a rule about the last write of a key.
func timeRule(t *testing.T, key, rest string) []*rules.Rule {
	t.Helper()
	p, err := rules.Load("", []byte(fmt.Sprintf("{pack: p, title: P, rules: [{id: R, title: R, severity: low, key: '%s', %s}]}", key, rest)))
	if err != nil {
		t.Fatal(err)
	}
	return p.Rules
}

// outcomes returns the answers of a rule at each key, without passes unless all is set.
func outcomes(reg *hive.Registry, all []*rules.Rule, passes bool) (got []string) {
	for _, f := range rules.Evaluate(reg, hive.Windows{}, all) {
		if f.Status != rules.Pass || passes {
			line := fmt.Sprintf("%s %s", f.Status, f.Message)
			for _, note := range f.Notes {
				line += "; " + note
			}
			got = append(got, line)
		}
	}
	return got
}

func TestWritten(t *testing.T) {
	const alpha, services = `HKLM\SYSTEM\CurrentControlSet\Services\Alpha`, `HKLM\SYSTEM\CurrentControlSet\Services\{name}`
	const written = "the key was last written 2020-03-01T00:00:00.2500000Z"
	for _, c := range []struct {
		name, key, ask string
		want           []string // for the keys of a {name}, without those that pass
	}{
		{"after a date", alpha, "{after: 2020-02-29}", []string{"pass " + written + ", after 2020-02-29T00:00:00.0000000Z"}},
		{"not after a date", alpha, "{not_after: 2020-02-29}", []string{"fail " + written + "; want it not after 2020-02-29T00:00:00.0000000Z"}},
		{"the moment itself", alpha, `{before: "2020-03-01T00:00:00.25Z"}`, []string{"fail " + written + "; want it before 2020-03-01T00:00:00.2500000Z"}},
		{"the moment itself is let pass", alpha, `{not_before: "2020-03-01 01:00:00.25+01:00"}`, []string{"pass " + written + ", not before 2020-03-01T00:00:00.2500000Z"}},
		{"within the tolerance", alpha, "{not_after: 2020-02-29, tolerance: 2d}", []string{"pass " + written + ", not after 2020-02-29T00:00:00.0000000Z, give or take 2d"}},
		{"beyond the tolerance", alpha, "{not_after: 2020-02-29, tolerance: 24h}", []string{"fail " + written + "; want it not after 2020-02-29T00:00:00.0000000Z, give or take 24h"}},
		{"after its hive", alpha, "{not_after: hive}", []string{"fail " + written + "; want it not after its hive, which was last written 2020-02-15T00:00:00.0000000Z"}},
		{"after the shutdown", alpha, "{not_after: shutdown}", []string{"fail " + written + "; want it not after the last shutdown, 2020-02-01T00:00:00.0000000Z"}},
		{"with no shutdown in its set", `HKLM\SYSTEM\ControlSet002\Services\Beta`, "{not_after: shutdown}", []string{"unknown the input does not tell of the last shutdown"}},
		{"a bound that is not kept beside an open one", `HKLM\SYSTEM\ControlSet002\Services\Beta`, "{not_after: shutdown, before: 2019-01-01}",
			[]string{"fail " + written + "; want it before 2019-01-01T00:00:00.0000000Z"}},
		{"another key", alpha, `{before: {key: 'HKLM\SYSTEM\Select'}}`,
			[]string{"fail " + written + `; want it before HKEY_LOCAL_MACHINE\SYSTEM\Select, which was last written 2020-01-01T00:00:00.5000000Z`}},
		{"a key that is not there", alpha, `{before: {key: 'HKLM\SYSTEM\Selct'}}`,
			[]string{"pass " + written + `; HKEY_LOCAL_MACHINE\SYSTEM\Selct, with whose last write it is compared, is not there`}},
		{"a key of which nothing is known", alpha, `{before: {key: 'HKLM\SOFTWARE'}}`,
			[]string{`unknown it is compared with HKEY_LOCAL_MACHINE\SOFTWARE, and the input does not tell when that was last written`}},
		{"not a whole second", alpha, "{whole_second: true}", []string{"fail " + written + "; want it at a whole second"}},
		{"the time zero", `HKLM\SYSTEM\CurrentControlSet\Services\Zero`, "{after: 1993-07-27}",
			[]string{"unknown the time at which the key was last written is not set"}},
		{"no key", `HKLM\SYSTEM\CurrentControlSet\Services\Delta`, "{after: 1993-07-27}", []string{"fail the key is not there"}},
		{"each of some keys", services, "{whole_second: false}", []string{
			"fail the key was last written 2020-01-01T00:00:00.0000000Z; want it not at a whole second",
			"unknown the time at which the key was last written is not set"}},
		{"the same key of the current set", `HKLM\SYSTEM\ControlSet*\Services\{name}`, `{not_after: {key: 'HKLM\SYSTEM\CurrentControlSet\Services\{name}'}}`, []string{
			"fail " + written + `; want it not after HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Beta, which was last written 2020-01-01T00:00:00.5000000Z`, `unknown the time at which the key was last written is not set`}},
		{"all keys", `HKLM\SYSTEM\**`, "{after: 1970-01-01, before: 2020-02-01}", []string{
			"fail " + written + "; want it before 2020-02-01T00:00:00.0000000Z",
			"fail " + written + "; want it before 2020-02-01T00:00:00.0000000Z",
			"fail " + written + "; want it before 2020-02-01T00:00:00.0000000Z",
			"unknown the time at which the key was last written is not set"}},
		{"all keys, all well", `HKLM\SYSTEM\**`, "{before: 2021-01-01}", []string{"pass each of 15 keys was last written before 2021-01-01", "unknown the time at which the key was last written is not set"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := timeRule(t, c.key, "expect: {written: "+c.ask+"}, missing: fail")
			if got := outcomes(stampedSystem(t), all, !strings.HasSuffix(c.key, "{name}")); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestWrittenInEachControlSet evaluates the same rules for each control set: one about CurrentControlSet compares within a set, one that names
// the sets compares with the set that the computer runs with.
func TestWrittenInEachControlSet(t *testing.T) {
	reg := stampedSystem(t)
	const ask = `expect: {written: {not_after: {key: 'HKLM\SYSTEM\CurrentControlSet\Services\%s'}}}, missing: pass`
	within := timeRule(t, `HKLM\SYSTEM\CurrentControlSet\Services\{name}`, fmt.Sprintf(ask, "Alpha"))
	across := timeRule(t, `HKLM\SYSTEM\ControlSet*\Services\{name}`, fmt.Sprintf(ask, "{name}"))
	const second = `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet002\Services\Alpha, which was last written 2020-01-01T00:00:00.5000000Z`
	const unset = "unknown the time at which the key was last written is not set"
	const late = "fail the key was last written 2020-03-01T00:00:00.2500000Z; want it not after "
	const beta = late + `HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Beta, which was last written 2020-01-01T00:00:00.5000000Z`
	for _, c := range []struct {
		set            string
		within, across []string
	}{
		{"", []string{unset}, []string{beta, unset}},
		{hive.AllControlSets, []string{late + second, late + second, unset}, []string{beta, unset}},
		{"ControlSet002", []string{late + second, late + second}, []string{beta, unset}},
	} {
		reg := reg.WithControlSet(c.set)
		for _, test := range []struct {
			name      string
			all       []*rules.Rule
			want, got []string
		}{{"within", within, c.within, nil}, {"across", across, c.across, nil}} {
			for _, line := range outcomes(reg, test.all, false) {
				line, _, _ = strings.Cut(line, "; the control sets differ")
				test.got = append(test.got, line)
			}
			if !slices.Equal(test.got, test.want) {
				t.Errorf("%s, %q: got\n%s\nwant\n%s", test.name, c.set, strings.Join(test.got, "\n"), strings.Join(test.want, "\n"))
			}
		}
	}
}

// TestWrittenOfText requires that a source without times leaves questions about times open, and says so once for a pattern.
func TestWrittenOfText(t *testing.T) {
	text := `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services]
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Alpha]
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Beta]
`
	const why = "unknown the input does not tell when the key was last written"
	for _, ask := range []string{"{after: 1990-01-01}", "{not_after: 1990-01-01}", "{whole_second: true}", "{whole_second: false}", "{after: hive}", "{before: shutdown}",
		`{not_before: {key: 'HKLM\SYSTEM\CurrentControlSet\Services\Beta'}}`} {
		for key, want := range map[string]string{
			`HKLM\SYSTEM\CurrentControlSet\Services\Alpha`:  why,
			`HKLM\SYSTEM\CurrentControlSet\Services\{name}`: why + "; so it is at 1 more places",
			`HKLM\SYSTEM\CurrentControlSet\Services\**`:     why + "; so it is at 2 more places",
		} {
			got := outcomes(registry(t, text), timeRule(t, key, "expect: {written: "+ask+"}, missing: fail"), true)
			if !slices.Equal(got, []string{want}) {
				t.Errorf("%s %s: %q", key, ask, got)
			}
		}
		// Neither may a condition hold, nor the opposite of it.
		for _, word := range []string{"all", "any", "none"} {
			rule := timeRule(t, `HKLM\SYSTEM\CurrentControlSet\Services\Alpha`, word+": [{expect: {written: "+ask+"}}]")
			if got := outcomes(registry(t, text), rule, true); !slices.Equal(got, []string{why}) {
				t.Errorf("%s %s: %q", word, ask, got)
			}
		}
	}
}

// TestWrittenConditions tests times in conditions, whose keys may bind names of their own.
func TestWrittenConditions(t *testing.T) {
	for _, c := range []struct{ conditions, want string }{
		{`none: [{key: 'HKLM\SYSTEM\ControlSet002\Services\{name}', expect: {written: {after: {key: 'HKLM\SYSTEM\ControlSet001\Services\{name}'}}}}]`,
			"fail the key was last written 2020-03-01T00:00:00.2500000Z, after HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Beta, which was last written 2020-01-01T00:00:00.5000000Z"},
		{`all: [{key: 'HKLM\SYSTEM\Nothing', expect: {written: {after: 1990-01-01}}}]`, "fail the key is not there"},
		{`all: [{key: 'HKLM\SYSTEM\Nothing', expect: {written: {after: 1990-01-01}}, missing: pass}]`, "pass the key is not there"},
	} {
		p, err := rules.Load("", []byte("{pack: p, title: P, rules: [{id: R, title: R, severity: low, "+c.conditions+"}]}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := outcomes(stampedSystem(t), p.Rules, true); len(got) != 1 || got[0] != c.want && !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%s\n got %q\nwant %s", c.conditions, got, c.want)
		}
	}
}
