package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

// batch entries as RECmd reads them, for an evaluation that shares nothing with that of regvet.
type rebEntry struct {
	HiveType, Category, KeyPath, ValueName string
	Recursive                              bool

	root string         // of its hive
	keys *regexp.Regexp // matches the paths below it
}

// key matches the paths of the keys that an entry is about, below the root of their hive.
func (e rebEntry) key() *regexp.Regexp {
	var names []string
	for name := range strings.SplitSeq(strings.Trim(e.KeyPath, `\`), `\`) {
		names = append(names, strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, `[^\\]*`))
	}
	pattern := strings.Join(names, `\\`)
	switch below := `(\\.*)?`; {
	case e.KeyPath == "*" && e.Recursive:
		pattern = `.*`
	case e.KeyPath == "*":
		pattern = ``
	case e.Recursive:
		pattern += below
	}
	return regexp.MustCompile(`(?is)^` + pattern + `$`)
}

// row is what is listed of a value, or of a key without values.
func row(category, key, modified string, value *string, kind string, data *string) string {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return fmt.Sprintf("%q", *s)
	}
	return strings.Join([]string{category, key, modified, text(value), kind, text(data)}, " | ")
}

// rows returns what RECmd lists by a batch file, from an export.
func rows(t *testing.T, batch []byte, root string, export []byte) (all []string) {
	roots := map[string]string{"NTUSER": `HKEY_CURRENT_USER`, "USRCLASS": `HKEY_CURRENT_USER\Software\Classes`}
	var entries []rebEntry
	var document struct {
		Keys []map[string]any `yaml:"Keys"`
	}
	if err := yaml.Unmarshal(batch, &document); err != nil {
		t.Fatal(err)
	}
	for _, k := range document.Keys {
		text := func(name string) string {
			if k[name] == nil {
				return ""
			}
			return fmt.Sprint(k[name])
		}
		e := rebEntry{HiveType: strings.ToUpper(text("HiveType")), Category: text("Category"), KeyPath: text("KeyPath"), ValueName: text("ValueName"), Recursive: k["Recursive"] == true}
		e.keys = e.key()
		if e.root = roots[e.HiveType]; e.root == "" {
			e.root = `HKEY_LOCAL_MACHINE\` + e.HiveType
		}
		entries = append(entries, e)
	}
	entries = slices.DeleteFunc(entries, func(e rebEntry) bool { return e.root != root })
	lines := bufio.NewScanner(bytes.NewReader(export))
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		var key struct {
			Key, Modified string
			Values        []struct {
				Name, Type string
				Data       *string
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &key); err != nil {
			t.Fatal(err)
		}
		below := strings.TrimPrefix(strings.TrimPrefix(key.Key, root), `\`)
		for _, e := range entries {
			if !e.keys.MatchString(below) {
				continue
			}
			if e.ValueName == "" && len(key.Values) == 0 {
				all = append(all, row(e.Category, key.Key, key.Modified, nil, "", nil))
			}
			for _, v := range key.Values {
				if e.ValueName == "" || strings.EqualFold(e.ValueName, v.Name) || v.Name == "" && strings.EqualFold(e.ValueName, "(default)") {
					all = append(all, row(e.Category, key.Key, key.Modified, &v.Name, v.Type, v.Data))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// testSurvey compares what regvet lists of a hive by a batch file with what an export of the hive shows.
func testSurvey(t *testing.T, batch []byte, root, input string) int {
	t.Helper()
	name := filepath.Join(t.TempDir(), "batch.reb")
	if err := os.WriteFile(name, batch, 0o666); err != nil {
		t.Fatal(err)
	}
	output := func(args ...string) []byte {
		var out, messages bytes.Buffer
		run(args, nil, &out, &messages)
		return out.Bytes()
	}
	var got []string
	lines := bufio.NewScanner(bytes.NewReader(output("check", "--rules", name, "--pack", "batch", "--all", "-f", "jsonl", input)))
	lines.Buffer(nil, 1<<30)
	for lines.Scan() {
		var line struct {
			Listed *struct {
				Category, Modified, Type string
				Real                     string `json:"real_key"`
				Value, Data              *string
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if l := line.Listed; l != nil {
			got = append(got, row(l.Category, l.Real, l.Modified, l.Value, l.Type, l.Data))
		}
	}
	slices.Sort(got)
	got = slices.Compact(got)
	want := rows(t, batch, root, output("export", "--format", "jsonl", input))
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (- in the export, + listed):\n%.4000s", input, diff)
	}
	return len(got)
}

// TestSurveyOfMadeHive lists a hive with each kind of entry, and names that mean something to a pattern.
func TestSurveyOfMadeHive(t *testing.T) {
	key := func(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Values: values, Keys: keys}
	}
	v := func(name, text string) []hive.Value { return []hive.Value{hive.StringValue(name, hive.SZ, text)} }
	set := func(name string) *hivetest.Key {
		return key(name, nil, key("Services", v("", "default"), key("A", v("Start", "1")), key("B", nil, key("{x}", v("start", "2")), key("[a]?", v("*", "star")))))
	}
	root := key("ROOT", nil, key("Select", []hive.Value{hive.DWordValue("Current", 1)}), set("ControlSet001"), set("ControlSet002"), key("Setup", nil))
	input := filepath.Join(t.TempDir(), "SYSTEM")
	if err := os.WriteFile(input, hivetest.Build(root, hivetest.Options{}), 0o666); err != nil {
		t.Fatal(err)
	}
	batch := "Description: x\nAuthor: x\nVersion: 1\nId: x\nKeys:\n"
	for i, e := range []string{
		`{KeyPath: '*', Recursive: true}`, `{KeyPath: '*', Recursive: false}`, `{KeyPath: Select, Recursive: false}`, `{KeyPath: '\Select\', ValueName: current, Recursive: false}`,
		`{KeyPath: 'ControlSet00*\Services', Recursive: false}`, `{KeyPath: 'controlset*\services\*', Recursive: true, ValueName: START}`, `{KeyPath: 'ControlSet002\Services\B\{x}', Recursive: false}`,
		`{KeyPath: 'ControlSet002\Services\*\[a]?', Recursive: false, ValueName: '*'}`, `{KeyPath: 'ControlSet00*\Services', ValueName: (default), Recursive: true}`,
		`{KeyPath: Setup, Recursive: false}`, `{KeyPath: Nothing, Recursive: true}`, `{KeyPath: 'Control*1\*', Recursive: false}`, `{KeyPath: 'ControlSet001\Serv?ces', Recursive: true}`,
	} {
		batch += "  - " + strings.Replace(e, "{", fmt.Sprintf("{Description: e%d, HiveType: SYSTEM, Category: c%d, DisablePlugin: true, Comment: null, ", i, i), 1) + "\n"
	}
	defer func(n int) { memoryForLines = n }(memoryForLines)
	memoryForLines = 1000 // so that it is sorted in files
	if n := testSurvey(t, []byte(batch), `HKEY_LOCAL_MACHINE\SYSTEM`, input); n < 25 {
		t.Errorf("only %d rows are listed", n)
	}
}

// TestSurveyOfRealHives lists real hives by the batch files of RECmd itself, without its plugins.
func TestSurveyOfRealHives(t *testing.T) {
	total := 0
	recursive := regexp.MustCompile(`(?m)^( +)Recursive:`)
	for _, file := range shared.Glob(t, "corpora/recmd", "*.reb") {
		batch, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		batch = regexp.MustCompile(`(?m)^ +DisablePlugin:.*\n`).ReplaceAll(batch, nil)
		batch = recursive.ReplaceAll(batch, []byte("${1}DisablePlugin: true\n${1}Recursive:"))
		for _, in := range [][2]string{
			{"real/win10-1709-build16299/SYSTEM", `HKEY_LOCAL_MACHINE\SYSTEM`}, {"real/xp-fresh/SYSTEM", `HKEY_LOCAL_MACHINE\SYSTEM`}, {"real/reactos-0.4.13/SOFTWARE", `HKEY_LOCAL_MACHINE\SOFTWARE`},
			{"real/server2022/SAM", `HKEY_LOCAL_MACHINE\SAM`}, {"real/server2022/SECURITY", `HKEY_LOCAL_MACHINE\SECURITY`}, {"regipy/NTUSER.DAT", `HKEY_CURRENT_USER`},
			{"real/usrclass/UsrClass.dat", `HKEY_CURRENT_USER\Software\Classes`},
		} {
			total += testSurvey(t, batch, in[1], shared.Path(t, "hives/"+in[0]))
		}
	}
	amcache := "Description: x\nAuthor: x\nVersion: 1\nId: x\nKeys:\n  - {Description: a, HiveType: AMCACHE, Category: all, KeyPath: '*', Recursive: true}\n"
	total += testSurvey(t, []byte(amcache), `HKEY_LOCAL_MACHINE\AMCACHE`, shared.Path(t, "hives/real/amcache/Amcache.hve"))
	if total < 20_000 {
		t.Errorf("only %d rows are listed", total)
	}
	t.Logf("%d rows", total)
}

// TestSurveyLimit requires that the listing of a small hive, whose keys all share a long path, ends and says so.
func TestSurveyLimit(t *testing.T) {
	const keys, levels = 1_500, 100
	deep := &hivetest.Key{Name: strings.Repeat("x", 250)}
	for i := range keys {
		deep.Keys = append(deep.Keys, &hivetest.Key{Name: fmt.Sprint(i)})
	}
	for range levels {
		deep = &hivetest.Key{Name: strings.Repeat("x", 250), Keys: []*hivetest.Key{deep}}
	}
	data := hivetest.Build(&hivetest.Key{Keys: []*hivetest.Key{{Name: "Select"}, deep}}, hivetest.Options{})
	if 100*len(data) > 64<<20 {
		t.Fatalf("the hive has %d bytes, so that the limit is another", len(data))
	}
	dir := t.TempDir()
	input, list := filepath.Join(dir, "SYSTEM"), filepath.Join(dir, "list.yaml")
	pack := "pack: list\ntitle: All\nrules:\n  - {id: ALL-1, title: All, severity: info, key: 'HKLM\\SYSTEM\\**', inventory: {category: All}}\n" +
		"  - {id: ALL-2, title: Two, severity: info, key: 'HKLM\\SYSTEM\\*', inventory: {category: All}}\n"
	for name, text := range map[string][]byte{input: data, list: []byte(pack)} {
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out tally
	var messages bytes.Buffer
	status := run([]string{"check", "--rules", list, "--pack", "list", "--all", "-f", "jsonl", input}, nil, &out, &messages)
	want := "regvet: " + input + ": what is listed of it is more than 100 times as long as the hives and ends here, because many keys share what is written with each; list some rules alone with --select\n"
	if status != statusInput || messages.String() != want {
		t.Errorf("exit status %d, %s", status, messages.String())
	}
	if out.bytes < 60<<20 || out.bytes > 70<<20 {
		t.Errorf("%d bytes in %d lines", out.bytes, out.lines)
	}
	var counted bytes.Buffer
	if status := run([]string{"check", "--rules", list, "--pack", "list", input}, nil, &counted, io.Discard); status != 0 || !strings.Contains(counted.String(), "\n1,605 listed (--all shows them)\n") {
		t.Errorf("exit status %d:\n%s", status, counted.String())
	}
}
