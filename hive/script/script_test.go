package script_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/hive/script"
	"regvet/internal/safetext"
)

// readers take the text of a form apart as its tool does, by rules of quoting written anew for the tests, and return the edits that the
// tool would make. They know no more than what the forms write.
var readers = map[string]func(t *testing.T, text string) []hive.Edit{
	"powershell": readPowerShell, "intune": readIntune, "reg-cmd": readRegCmd, "ansible": readAnsible,
}

// choices returns numbers from 0 to n-1: from a random source in the test, from the input in the fuzz target.
type choices func(n int) int

// signs are what has a meaning in one of the forms, and what looks like it.
var signs = []string{
	"a", "B", " ", "'", `"`, `\`, "%", "%%", "%PATH%", "^", "&", "|", "<", ">", "(", ")", "!", "`", "$", "$x", "$(", "{", "}", "{{", "}}", "{%", "{#", "[", "]",
	"#", "~", ";", ",", ":", "=", "*", "?", "/", "-", "@", "+", `\0`, "\u2018", "\u2019", "\u201a", "\u201b", "\u201c", "\u201d", "\u201e", "é", "日本", "\U0001F600", "\t", "\n", "\r\n",
	"\x01", "\x7f", "\u0085", "\u2028", "\ufeff", "\u202e", "\u0090", "\uffff", "\U0003fffe", "yes", "null", "0x1", "!unsafe ", "---", ": ", " #", "\xED\xA0\x80",
}

func (c choices) text() string {
	var b strings.Builder
	for n := c(8); n > 0; n-- {
		b.WriteString(signs[c(len(signs))])
	}
	return b.String()
}

func (c choices) name() string {
	return strings.NewReplacer(`\`, "", "\n", "", "\r", "").Replace(c.text())
}

func (c choices) value() hive.Value {
	v := hive.Value{Name: strings.NewReplacer("\n", "", "\r", "").Replace(c.text()), Type: hive.Type(c(12))}
	switch v.Type {
	case hive.SZ, hive.ExpandSZ:
		v.Data = append(hive.EncodeUTF16(c.text()), 0, 0)
	case hive.MultiSZ:
		for n := c(4); n > 0; n-- {
			v.Data = append(append(v.Data, hive.EncodeUTF16(c.text())...), 0, 0)
		}
		v.Data = append(v.Data, 0, 0)
	case hive.DWord:
		v.Data = binary.LittleEndian.AppendUint32(nil, uint32(c(256))<<24|uint32(c(256)))
	case hive.QWord:
		v.Data = binary.LittleEndian.AppendUint64(nil, uint64(c(256))<<56|uint64(c(256)))
	default:
		for n := c(4); n > 0; n-- {
			v.Data = append(v.Data, byte(c(256)))
		}
	}
	if c(16) == 0 {
		v.Data = append(v.Data, byte(c(2)))
	}
	return v
}

func (c choices) blocks() (blocks []regfile.Block) {
	for n := 1 + c(3); n > 0; n-- {
		path := hive.Path{hive.RootNames()[c(5)], "k" + c.name()}
		if c(2) == 0 {
			path = path.Join("k" + c.name())
		}
		p := regfile.Block{Comment: c.text() + "\n" + c.text()}
		for n := 1 + c(3); n > 0; n-- {
			e := hive.Edit{Op: hive.Op(c(4)), Path: path}
			switch e.Op {
			case hive.SetValue:
				e.Value = c.value()
			case hive.DeleteValue:
				e.Value.Name = strings.NewReplacer("\n", "", "\r", "").Replace(c.text())
			}
			p.Edits = append(p.Edits, e)
		}
		blocks = append(blocks, p)
	}
	return blocks
}

// law requires of each form that its text changes a registry as the edits do, and holds no character that steers; or that it refuses an
// edit.
func law(t *testing.T, c choices, count map[string]int) {
	blocks := c.blocks()
	head := c.text() + "\n" + c.text()
	var edits, before []hive.Edit
	for _, p := range blocks {
		edits = append(edits, p.Edits...)
		for _, e := range p.Edits {
			if c(2) == 0 { // what is there already, with a value that is deleted and one that is not
				before = append(before, hive.Edit{Op: hive.SetValue, Path: e.Path, Value: hive.DWordValue(e.Value.Name, 7)},
					hive.Edit{Op: hive.SetValue, Path: e.Path, Value: hive.DWordValue("other", 7)})
			}
		}
	}
	base := hive.Apply(hive.NewKey("", nil), before...)
	want := hive.Apply(base, edits...)
	restart := c(2) == 0
	for _, f := range script.Forms() {
		text, err := f.Text(head, restart, blocks)
		refuses := slices.ContainsFunc(edits, func(e hive.Edit) bool { return f.Unwritable(e) != "" })
		if refuses != (err != nil) {
			t.Fatalf("%s: it refuses an edit: %v; error %v", f.Name, refuses, err)
		}
		if refuses {
			continue
		}
		count[f.Name]++
		plain := strings.TrimPrefix(string(text), "\ufeff")
		if i := strings.IndexFunc(plain, func(r rune) bool { return safetext.Steers(r) && !strings.ContainsRune("\t\r\n", r) }); i >= 0 {
			t.Fatalf("%s has a character that steers: %q", f.Name, plain[i:min(i+10, len(plain))])
		}
		got := hive.Apply(base, readers[f.Name](t, string(text))...)
		if d := hive.Diff(got, want); len(d) > 0 {
			t.Fatalf("%s does something else; what is lacking: %+v\nedits: %+v\n%s", f.Name, d, edits, text)
		}
	}
}

func TestForms(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(5000) {
		law(t, rand.New(rand.NewPCG(seed, 1)).IntN, count)
	}
	for _, f := range script.Forms() {
		if count[f.Name] < 125 {
			t.Errorf("%s: the law was tried on too little: %d", f.Name, count[f.Name])
		}
	}
}

func FuzzForms(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"))
	f.Add([]byte("\x01\x01\x05\x03\x07\x02\x03\x09\x02\x01\x01\x05\x08\x22\x33\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		law(t, func(n int) int {
			if len(b) == 0 {
				return 0
			}
			c := int(b[0]) % n
			b = b[1:]
			return c
		}, map[string]int{})
	})
}

// TestUnwritable requires of each form that it returns why it cannot express an edit, and of the error that it names the edit.
func TestUnwritable(t *testing.T) {
	key := hive.ParsePath(`HKLM\SOFTWARE\Example`)
	set := func(v hive.Value) hive.Edit { return hive.Edit{Op: hive.SetValue, Path: key, Value: v} }
	for _, f := range script.Forms() {
		for _, e := range []hive.Edit{
			set(hive.Value{Name: "link", Type: hive.Link, Data: hive.EncodeUTF16("x")}),
			set(hive.Value{Name: "unterminated", Type: hive.SZ, Data: hive.EncodeUTF16("x")}),
			set(hive.DWordValue("with\x00NUL", 1)),
			{Op: hive.SetValue, Path: key[:1], Value: hive.DWordValue("of a root", 1)},
			{Op: hive.SetValue, Path: key.Join(`back\slash`), Value: hive.DWordValue("", 1)},
		} {
			_, err := f.Text("", false, []regfile.Block{{Edits: []hive.Edit{set(hive.DWordValue("fine", 1)), e}}})
			want := fmt.Sprintf("value %q of the key %s cannot be written for ", hive.Visible(e.Value.Name), e.Path)
			if reason := f.Unwritable(e); reason == "" || err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ": "+reason) {
				t.Errorf("%s: %v: %v", f.Name, e, err)
			}
		}
	}
}

// TestPlayIsNarrow requires of long paths, names and data that no line of a play is wider than ansible-lint accepts, and that they stay the same.
func TestPlayIsNarrow(t *testing.T) {
	long := strings.Repeat("a long name 'of' \"many\" \\ words  ", 6)
	key := hive.ParsePath(`HKLM\SOFTWARE`).Join(strings.ReplaceAll(long, `\`, "{{ x }}"), strings.Repeat("é", 200))
	edits := []hive.Edit{
		{Op: hive.SetValue, Path: key, Value: hive.Value{Name: long, Type: hive.SZ, Data: append(hive.EncodeUTF16(long+"\u202e\n\x01"+long), 0, 0)}},
		{Op: hive.SetValue, Path: key, Value: hive.Value{Name: "b", Type: hive.Binary, Data: []byte(long)}},
		{Op: hive.SetValue, Path: key, Value: hive.Value{Name: "m", Type: hive.MultiSZ, Data: append(hive.EncodeUTF16(long+"\x00"+long+"\x00"), 0, 0)}},
	}
	text, err := script.Forms()[slices.IndexFunc(script.Forms(), func(f script.Form) bool { return f.Name == "ansible" })].Text("head", true, []regfile.Block{{Comment: "why", Edits: edits}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if n := len([]rune(line)); n > 160 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	base := hive.NewKey("", nil)
	if d := hive.Diff(hive.Apply(base, readAnsible(t, string(text))...), hive.Apply(base, edits...)); len(d) > 0 {
		t.Errorf("%+v\n%s", d, text)
	}
}

// TestPowerShellParses has a real PowerShell parse scripts, if there is one.
func TestPowerShellParses(t *testing.T) {
	pwsh, err := exec.LookPath("pwsh")
	if err != nil {
		t.Skip("there is no PowerShell here; only the reader of these tests, which has the rules of quoting, reads the scripts")
	}
	parsed := 0
	for seed := uint64(0); parsed < 20 && seed < 2000; seed++ {
		text, err := script.Forms()[0].Text("head", true, choices(rand.New(rand.NewPCG(seed, 2)).IntN).blocks())
		if err != nil {
			continue
		}
		parsed++
		file := filepath.Join(t.TempDir(), "fix.ps1")
		if err := os.WriteFile(file, text, 0o666); err != nil {
			t.Fatal(err)
		}
		parse := `$e = $null; [void][System.Management.Automation.Language.Parser]::ParseFile('` + file + `', [ref]$null, [ref]$e); $e; exit $e.Count`
		if out, err := exec.Command(pwsh, "-NoProfile", "-Command", parse).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, text)
		}
	}
}
