package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/shared"
)

// TestEveryFaultHasACheck tests that every fault of package regfile is reported by some check.
func TestEveryFaultHasACheck(t *testing.T) {
	claimed := map[regfile.Code]bool{
		regfile.KeyBackslashes: true, // REG024 looks for them itself
	}
	for _, c := range Checks() {
		for _, code := range c.codes {
			claimed[code] = true
		}
	}
	for _, codes := range [][2]regfile.Code{
		{regfile.EmptyFile, regfile.NotInCodePage}, {regfile.NULInText, regfile.KeyDeletesRoot}, {regfile.NoKeyOpen, regfile.SwallowedValue},
	} {
		for code := codes[0]; code <= codes[1]; code++ {
			if !claimed[code] {
				t.Errorf("no check speaks of fault %d", code)
			}
		}
	}
}

// TestEveryFaultIsShown tests that every fault that a check reports is in one of its examples, and reported there.
func TestEveryFaultIsShown(t *testing.T) {
	for _, c := range Checks() {
		shown := map[regfile.Code]bool{}
		for _, e := range append([]Example{c.Bad}, Variants[c.ID]...) {
			lines := map[int]bool{}
			for _, f := range by(c, found(t, examplesLinter, e.Bytes())) {
				lines[f.At.Line] = true
			}
			for s, err := range (regfile.Options{}).Scan(bytes.NewReader(e.Bytes())) {
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range s.Faults {
					shown[f.Code] = shown[f.Code] || lines[f.At.Line]
				}
			}
		}
		for _, code := range c.codes {
			if !shown[code] && code != regfile.NotInCodePage { // windows-1252 defines all bytes
				t.Errorf("no example of %s shows the fault %d", c.ID, code)
			}
		}
	}
}

// TestChecks tests that the checks are sorted and have different names.
func TestChecks(t *testing.T) {
	names := map[string]bool{}
	for i, c := range Checks() {
		if i > 0 && Checks()[i-1].ID >= c.ID || names[c.Name] || Lookup(c.ID) != c || Lookup(strings.ToUpper(c.Name)) != c {
			t.Errorf("%s %s is out of order or named twice", c.ID, c.Name)
		}
		names[c.Name] = true
		if strings.HasSuffix(c.Title, ".") || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s: title %q, name %q", c.ID, c.Title, c.Name)
		}
	}
}

// checkLint tests the laws of the linter on a file:
//
//   - what Windows does not import is found, on its line;
//   - every place and every change is inside of the file, and the changes of one fix do not overlap;
//   - after the safe fixes Windows imports the same, and no safe fix is left.
func checkLint(t *testing.T, data []byte) {
	t.Helper()
	l := examplesLinter
	result, err := l.Lint("law.reg", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[int]bool{}
	for _, f := range result.Findings {
		lines[f.At.Line] = true
		if f.At.Line < 1 || f.At.Column < 1 || f.End.Line < f.At.Line || f.End.Line == f.At.Line && f.End.Column < f.At.Column {
			t.Fatalf("%s is from %v to %v", f.Check.ID, f.At, f.End)
		}
		if f.Fix == nil {
			continue
		}
		last := int64(0)
		for _, c := range f.Fix.Changes {
			if c.From < last || c.To < c.From || c.From == c.To && c.New == "" || f.Check.Fix == NoFix {
				t.Fatalf("the fix of %s makes the change %+v behind %d", f.Check.ID, c, last)
			}
			last = c.To
		}
		if len(f.Fix.Changes) == 0 && f.Fix.Encoding == "" {
			t.Fatalf("the fix of %s in %v changes nothing", f.Check.ID, f.At)
		}
	}
	before, err := regfile.Parse("law.reg", data)
	if err != nil {
		if len(result.Findings) == 0 || !slices.ContainsFunc(result.Findings, func(f Finding) bool { return f.At.Line == 1 && f.Severity >= Warning }) {
			t.Fatalf("a file that is rejected (%v) has the findings %v", err, result.Findings)
		}
		fixed, err := l.Fix("law.reg", data, Safe)
		if err == nil && fixed.Fixes > 0 {
			if _, err := regfile.Parse("law.reg", fixed.Data); err == nil {
				t.Fatalf("Windows rejects\n%q, and after the safe fixes reads\n%q", data, fixed.Data)
			}
		}
		return
	}
	for _, p := range before.Problems {
		if p.Loss && !lines[p.At.Line] {
			t.Fatalf("not found: %v", &p)
		}
	}
	// The end of a list is put right by a byte that Windows did not store.
	l.Severity = func(c *Check) Severity {
		if c == unterminated {
			return 0
		}
		return c.Severity
	}
	fixed, err := l.Fix("law.reg", data, Safe)
	if err != nil {
		return
	}
	after, err := regfile.Parse("law.reg", fixed.Data)
	if err != nil || !slices.EqualFunc(before.Edits, after.Edits, sameEdit) {
		t.Fatalf("the safe fixes make of\n%q\nthe file\n%q (%v)", data, fixed.Data, err)
	}
	for _, f := range fixed.Remains.Findings {
		if f.Fix != nil && f.Fix.Safety >= Safe && f.Suppressed == nil {
			t.Fatalf("the safe fixes make of\n%q\nthe file\n%q, where %s in %v is still to be fixed", data, fixed.Data, f.Check.ID, f.At)
		}
	}
}

func sameEdit(a, b hive.Edit) bool {
	return a.Op == b.Op && a.Path.Equal(b.Path) && a.Value.Name == b.Value.Name && a.Value.Type == b.Value.Type && bytes.Equal(a.Value.Data, b.Value.Data)
}

// TestFixed tests fixes that are in no example, and that one run makes all of them.
func TestFixed(t *testing.T) {
	const key = "[HKEY_USERS\\A]\r\n"
	for _, c := range []struct{ name, in, want string }{
		{"a file that imports nothing", "REGEDIT5\r\n" + key, "REGEDIT5\r\n" + key},
		{"deletions below a deleted key", "REGEDIT4\r\n\r\n[-HKEY_USERS\\A\\B]\r\n\"a\"=-\r\n; why\r\n\"b\"=\"x\"\r\n@=-", "REGEDIT4\r\n\r\n[-HKEY_USERS\\A\\B]\r\n; why\r\n\"b\"=\"x\"\r\n"},
		{"an empty line in one", "REGEDIT5\r\n\r\n" + key, "REGEDIT5\r\n\r\n" + key},
		{"a semicolon in the name of hex data", "REGEDIT4\r\n\r\n" + key + "\"a;b\"=hex:1, 02 ; c, 3\r\n", "REGEDIT4\r\n\r\n" + key + "\"a;b\"=hex:01,02 ; c, 3\r\n"},
		{"an old file with a mark", "\xEF\xBB\xBFREGEDIT4\r\n\r\n" + key, "Windows Registry Editor Version 5.00\r\n\r\n" + key},
		{"an old file with a mark and text in hex data", "\xEF\xBB\xBFREGEDIT4\r\n\r\n" + key + "@=hex(2):41,00\r\n", "REGEDIT4\r\n\r\n" + key + "@=hex(2):41,00\r\n"},
	} {
		fixed, err := Linter{}.Fix("test.reg", []byte(c.in), Safe)
		if err != nil || string(fixed.After) != c.want {
			t.Errorf("%s: %q becomes %q (%v), want %q", c.name, c.in, fixed.After, err, c.want)
			continue
		}
		for _, f := range fixed.Remains.Findings {
			if f.Fix != nil && f.Fix.Safety >= Safe {
				t.Errorf("%s: %s is still to be fixed in %q", c.name, f.Check.ID, fixed.After)
			}
		}
	}
}

// TestLeftOver tests that what is left over below deleted keys is removed, in any number of sections, and that no key is made.
func TestLeftOver(t *testing.T) {
	const head = "REGEDIT4\r\n\r\n"
	var in, want strings.Builder
	for i := range 100 {
		key := fmt.Sprintf("[-HKEY_CURRENT_USER\\Software\\A%d]\r\n", i)
		in.WriteString(key + "@=\"x\"\r\n; why\r\n\"B\"=hex:01,\\\r\n  02\r\n\"C\"=-\r\n\"D\"=\"C:\\x\"\r\n\r\n")
		want.WriteString(key + "; why\r\n\r\n")
	}
	fixed, err := Linter{}.Fix("test.reg", []byte(head+in.String()), Unsafe)
	if err != nil || string(fixed.Data) != head+want.String() {
		t.Fatalf("got %q (%v)", fixed.Data, err)
	}
	before, _ := regfile.Parse("test.reg", []byte(head+in.String()))
	after, err := regfile.Parse("test.reg", fixed.Data)
	if err != nil || !slices.EqualFunc(before.Edits, after.Edits, sameEdit) || len(after.Problems) > 0 {
		t.Errorf("the fixed file makes %d edits, the file %d (%v)", len(after.Edits), len(before.Edits), err)
	}
}

// TestFixedAtNUL tests that nothing is written after a NUL, where it would not be read.
func TestFixedAtNUL(t *testing.T) {
	const in = "REGEDIT4\r\n\r\n[HKEY_USERS\\A]\r\n\"a\"=hex:01,\x0002\r\n03\r\n"
	if fixed, err := (Linter{}).Fix("test.reg", []byte(in), Unsafe); err != nil || string(fixed.Data) != in {
		t.Errorf("%q becomes %q (%v)", in, fixed.Data, err)
	}
}

func FuzzLint(f *testing.F) {
	for _, c := range Checks() {
		for _, e := range append([]Example{c.Bad}, Variants[c.ID]...) {
			f.Add(e.Bytes())
			f.Add([]byte(e.Text))
		}
	}
	f.Add([]byte("Windows Registry Editor Version 5.00\n[HKEY_USERS\\A]\n\"a\"=hex: 00 "))
	f.Add(append([]byte{0xFF, 0xFE}, hive.EncodeUTF16("Windows Registry Editor Version 5.00\n[HKEY_USERS\\A]\n\"a\xed\xbf\xbf\"=\"\xed\xa0\x80\"\n")...))
	f.Add([]byte("Windows Registry Editor Version 5.00\n\n[\n[0"))
	f.Fuzz(func(t *testing.T, data []byte) { checkLint(t, data) })
}

// TestLawsOnFiles holds the laws for the shared .reg files; see the conformance tests of package regfile.
func TestLawsOnFiles(t *testing.T) {
	for line := range bytes.Lines(shared.Read(t, "regfile/cases.jsonl")) {
		var c struct {
			ID    string `json:"id"`
			Input []byte `json:"input_b64"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.ID, func(t *testing.T) { checkLint(t, c.Input) })
	}
	for _, name := range shared.Glob(t, "regfile/real", "*.reg") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			checkLint(t, data)
		})
	}
}
