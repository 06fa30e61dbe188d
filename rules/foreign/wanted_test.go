package foreign_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/hive/regfile"
	"regvet/internal/shared"
	"regvet/rules"
	"regvet/rules/foreign"
)

func fsOf(name string, data []byte) fstest.MapFS { return fstest.MapFS{name: {Data: data}} }

// imported returns what a file became, and its rules, none of which is a surprise: a pack that would not load is an error.
func imported(t *testing.T, name string, data []byte, from string) (*foreign.Source, []*rules.Rule) {
	t.Helper()
	s, err := foreign.Read(fsOf(name, data), name, from)
	if err != nil {
		t.Fatal(err)
	}
	_, pack, err := foreign.Pack("", s)
	if s.Count(foreign.None) == len(s.Rows) {
		return s, nil
	}
	if err != nil {
		t.Fatalf("%v\n%+v", err, s.Rows)
	}
	return s, pack.Rules
}

// applied returns a registry with the hives of a computer's software and of a user, to which edits were made.
func applied(edits ...hive.Edit) *hive.Registry {
	reg := hive.NewRegistry()
	for _, root := range []hive.Path{{"HKEY_LOCAL_MACHINE", "SOFTWARE"}, {"HKEY_CURRENT_USER"}} {
		var here []hive.Edit
		for _, e := range edits {
			if len(e.Path) > len(root) && e.Path[:len(root)].Equal(root) {
				e.Path = e.Path[len(root):]
				here = append(here, e)
			}
		}
		reg.Mount(root, hive.Apply(hive.NewKey("", nil), here...))
	}
	return reg
}

// failures lists the lines of a file whose rules fail.
func failures(reg *hive.Registry, all []*rules.Rule) (lines []int) {
	for _, f := range rules.Evaluate(reg, hive.Windows{}, all) {
		if f.Status == rules.Fail {
			lines = append(lines, f.Rule.Sources[0].Line)
		}
	}
	return lines
}

const wantedText = `Windows Registry Editor Version 5.00

[-HKEY_LOCAL_MACHINE\SOFTWARE\Gone]

[-HKEY_LOCAL_MACHINE\SOFTWARE\Only]

[HKEY_LOCAL_MACHINE\SOFTWARE\Only]
"One"=dword:00000001
"Two"=-

[HKEY_LOCAL_MACHINE\SOFTWARE\Only\Sub ]
@="x"

[HKEY_CURRENT_USER\Empty]

[HKEY_LOCAL_MACHINE\SOFTWARE\A*\{b|c}]
"(default)"="1"
"list"=hex(7):61,00,00,00,00,00
"none"=hex(7):
"bin"=hex:01,02
"odd"=hex(4):01,02
"link"=hex(6):61,00
"hidden"=hex(1):61,00,00,00,62,00,00,00
"big"=hex(b):ff,ff,ff,ff,ff,ff,ff,ff
"what"=hex(12345):01
"once"="1"
"once"="2"
"never"="1"
"never"=-
`

// TestWantedText holds that a registry to which a file was just applied has what the file wants, and what each change of it is found by.
func TestWantedText(t *testing.T) {
	s, all := imported(t, "wanted.reg", []byte(wantedText), "")
	if got := fmt.Sprint(s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None)); got != "17 0 2" {
		t.Errorf("%s\n%+v", got, s.Rows)
	}
	parse := func(text string) []hive.Edit {
		f, err := regfile.Parse("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return f.Edits
	}
	edits := parse(wantedText)
	for _, c := range []struct {
		change string
		want   []int
	}{
		{"", nil},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Gone]", []int{3}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only]\n\"one\"=dword:1\n\"Other\"=dword:1", []int{5}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only]\n\"two\"=dword:1", []int{5, 9}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only]\n\"One\"=hex(4):02,00,00,00", []int{8}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only]\n\"One\"=hex(b):01,00,00,00,00,00,00,00", []int{8}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only\\More]", []int{5}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only\\Sub \\More]", []int{5}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only\\sub ]\n\"x\"=\"\"", []int{5}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Only\\sub ]\n@=-", []int{12}},
		{"[-HKEY_CURRENT_USER\\Empty]", []int{14}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Ab\\{b|c}]\n\"(default)\"=\"2\"", nil},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\A*\\{b|c}]\n\"(Default)\"=\"2\"\n@=\"1\"", []int{17}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\A*\\{b|c}]\n\"list\"=hex(7):62,00,00,00,00,00\n\"none\"=hex(7):62,00,00,00,00,00", []int{18, 19}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\A*\\{b|c}]\n\"bin\"=hex:01,02,00\n\"odd\"=hex(4):01,03\n\"link\"=hex(6):62,00", []int{20, 21, 22}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\A*\\{b|c}]\n\"hidden\"=\"a\"\n\"big\"=hex(b):ff,ff,ff,ff,ff,ff,ff,7f\n\"what\"=hex(12346):01", []int{23, 24, 25}},
		{"[HKEY_LOCAL_MACHINE\\SOFTWARE\\A*\\{b|c}]\n\"once\"=\"1\"\n\"never\"=\"1\"", []int{27, 29}},
	} {
		changed := edits
		if c.change != "" {
			changed = append(edits[:len(edits):len(edits)], parse("Windows Registry Editor Version 5.00\n\n"+c.change)...)
		}
		if got := failures(applied(changed...), all); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: rules of the lines %v fail, want %v", c.change, got, c.want)
		}
	}
}

// world is a small registry below HKLM\SOFTWARE, or a policy or .reg file about it, drawn at random.
type world struct{ *rand.Rand }

func (w world) pick(words ...string) string { return words[w.IntN(len(words))] }

func (w world) key() string    { return w.pick("A", `A\B`, `a\B\C`, "D", `D\B`) }
func (w world) name() string   { return w.pick("x", "X", "y", "z", "") }
func (w world) number() []byte { return []byte{byte(w.IntN(2)), 0, 0, 0} }
func (w world) typ() hive.Type { return []hive.Type{hive.DWord, hive.Binary}[w.IntN(2)] }
func (w world) path() hive.Path {
	return append(hive.Path{}, hive.ParsePath(`HKLM\SOFTWARE\`+w.key())...)
}

// before returns what makes a registry.
func (w world) before() (edits []hive.Edit) {
	for range w.IntN(8) {
		e := hive.Edit{Op: hive.SetValue, Path: w.path(), Value: hive.Value{Name: w.name(), Type: w.typ(), Data: w.number()}}
		if w.IntN(4) == 0 {
			e.Op = hive.CreateKey
		}
		edits = append(edits, e)
	}
	return edits
}

// policy returns entries of all kinds.
func (w world) policy() (all []polfile.Entry) {
	for range 1 + w.IntN(6) {
		e := polfile.Entry{Key: `SOFTWARE\` + w.key(), Value: w.name(), Type: w.typ(), Data: w.number()}
		text := func(s string) { e.Type, e.Data = hive.SZ, append(hive.EncodeUTF16(s), 0, 0) }
		switch w.IntN(8) {
		case 0:
			e.Value = "**soft." + e.Value
		case 1:
			e.Value = "**del." + e.Value
			text(" ")
		case 2:
			e.Value = "**delvals."
			text(" ")
		case 3:
			e.Value = "**DeleteValues"
			text(w.pick("x", "y", "x;Y;z"))
		case 4:
			e.Value = "**DeleteKeys"
			text(w.pick("B", "C", "B;C"))
		case 5:
			e.Value, e.Type, e.Data = "", hive.None, nil
		}
		all = append(all, e)
	}
	return all
}

// text returns a .reg file. Each section that deletes a value sets one, too: the line of a section makes its key, which is not what one wants who
// deletes a value of it.
func (w world) text() string {
	var b strings.Builder
	b.WriteString("Windows Registry Editor Version 5.00\n\n")
	for range 1 + w.IntN(4) {
		if w.IntN(4) == 0 {
			fmt.Fprintf(&b, "[-HKEY_LOCAL_MACHINE\\SOFTWARE\\%s]\n", w.key())
			continue
		}
		fmt.Fprintf(&b, "[HKEY_LOCAL_MACHINE\\SOFTWARE\\%s]\n", w.key())
		for range w.IntN(3) {
			fmt.Fprintf(&b, "\"x\"=dword:%d\n\"y\"=-\n\"%s\"=hex:0%d\n", w.IntN(2), w.pick("x", "y", "Z"), w.IntN(2))
		}
	}
	return b.String()
}

// names lists the values of a key.
func names(reg *hive.Registry, p hive.Path) (all []string) {
	for _, m := range reg.Find(p) {
		if m.Key == nil {
			continue
		}
		for _, v := range m.Key.Values() {
			all = append(all, v.Name)
		}
	}
	return all
}

// TestWantedLaw holds, for files and registries drawn at random, that the rules of a file fail if and only if applying the file would change the
// registry, and that none fails in what that makes.
func TestWantedLaw(t *testing.T) {
	w := world{rand.New(rand.NewPCG(196271, 18))}
	met := 0
	for range 1500 {
		before := applied(w.before()...)
		var file string
		var edits []hive.Edit
		var all []*rules.Rule
		var s *foreign.Source
		if w.IntN(2) == 0 {
			entries := w.policy()
			data := polfile.Bytes(entries)
			parsed, err := polfile.Parse("", data)
			if err != nil {
				t.Fatal(err)
			}
			file = fmt.Sprintf("%q", entries)
			edits, _ = parsed.Edits(polfile.Machine, func(p hive.Path) []string { return names(before, p) })
			s, all = imported(t, "machine.pol", data, "")
		} else {
			file = w.text()
			parsed, err := regfile.Parse("", []byte(file))
			if err != nil {
				t.Fatal(err)
			}
			edits = parsed.Edits
			s, all = imported(t, "wanted.reg", []byte(file), "")
		}
		after := before.Apply(edits...)
		if lines := failures(after, all); lines != nil {
			t.Fatalf("of the registry that was just made, the lines %v fail\n%s\n%+v", lines, file, s.Rows)
		}
		diff := hive.Diff(before.Root(), after.Root())
		changed := slices.ContainsFunc(diff, func(e hive.Edit) bool { return e.Op != hive.CreateKey })
		if lines := failures(before, all); changed && lines == nil || len(diff) == 0 && lines != nil { // an empty key may be on the way to one that goes again
			t.Fatalf("the lines %v fail\n%s\n%+v\n%+v", lines, file, diff, s.Rows)
		}
		if len(diff) == 0 {
			met++
		}
	}
	if met < 50 {
		t.Errorf("only %d registries had what was wanted", met)
	}
}

// TestPolicies imports the policies of the corpora: each entry is a rule.
func TestPolicies(t *testing.T) {
	var got strings.Builder
	for _, path := range shared.Glob(t, "corpora/registry-pol", "*.pol") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := foreign.Read(fstest.MapFS{filepath.Base(path): {Data: data}}, filepath.Base(path), "")
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		if _, pack, err := foreign.Pack("", s); err == nil {
			rows = len(pack.Rules)
		}
		fmt.Fprintln(&got, s.File, len(s.Rows), s.Count(foreign.Whole), s.Count(foreign.Part), s.Count(foreign.None), rows)
	}
	const want = `activclient-computer-machine.pol 4 4 0 0 4
adobe-reader-computer-machine.pol 25 25 0 0 25
applocker-computer-audit-machine.pol 24 24 0 0 24
certificates-computer-machine.pol 65 65 0 0 65
internet-explorer-user-user.pol 5 5 0 0 5
office-2013-user.pol 244 244 0 0 244
office-2016-computer-user.pol 0 0 0 0 0
windows-computer-machine.pol 87 87 0 0 87
`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}

// TestHostileWanted holds what is said of files that lie, and that one with as many deletions in each other as there can be takes no more than its
// size: each rule of what else must not be there is told once.
func TestHostileWanted(t *testing.T) {
	good := polfile.Bytes([]polfile.Entry{{Key: "A", Value: "x", Type: hive.DWord, Data: []byte{1, 0, 0, 0}}})
	lying := slices.Clone(good)
	lying[len(lying)-10] = 0xFF // the size of the data
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut.pol", good[:len(good)-3], `cut.pol: offset 0x22: the data have 4 bytes by their size, and the file has 3 more, in the entry at offset 0x8; nothing behind it was read`},
		{"lies.pol", lying, "lies.pol: offset 0x22: the data have 16711684 bytes by their size, and the file has 6 more, in the entry at offset 0x8; nothing behind it was read"},
		{"new.pol", []byte("PReg\x02\x00\x00\x00"), "new.pol: is a Registry.pol of version 2, and only version 1 is known"},
		{"short.pol", []byte("PReg"), "short.pol: has 4 bytes, fewer than the header of a Registry.pol; copy it again"},
		{"many.pol", polfile.Bytes(make([]polfile.Entry, 20_001)), "many.pol:20001:1: holds more than 20000 rules; split it"},
	} {
		if _, err := foreign.Read(fsOf(c.name, c.data), c.name, ""); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	var text strings.Builder
	text.WriteString("Windows Registry Editor Version 5.00\n")
	key := `HKEY_LOCAL_MACHINE\SOFTWARE`
	for range 200 {
		key += `\k`
		fmt.Fprintf(&text, "[-%s]\n", key)
	}
	fmt.Fprintf(&text, "[%s]\n", key)
	for i := range 2000 {
		fmt.Fprintf(&text, "\"%d\"=\"\"\n", i)
	}
	s, all := imported(t, "deep.reg", []byte(text.String()), "")
	if got := fmt.Sprint(s.Count(foreign.Whole), s.Count(foreign.None), len(all)); got != "2200 0 2400" {
		t.Error(got)
	}
}
