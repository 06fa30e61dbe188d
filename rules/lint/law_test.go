package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
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
//   - what Windows does not import is found, on its line, unless it follows from a guess of the code page;
//   - every place and every change is inside of the file, and the changes of one fix do not overlap;
//   - after the safe fixes Windows imports the same, whatever the code page if it is not known, and no safe fix is left;
//   - no fix changes a byte of a line that is frozen.
func checkLint(t *testing.T, page *regfile.CodePage, data []byte) {
	t.Helper()
	l := examplesLinter
	l.Read.CodePage = page
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
	before, err := l.Read.Parse("law.reg", data)
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
	frozen := frozenLines(t, l.Read, data)
	for _, p := range before.Problems {
		if _, is := frozen[p.At.Line]; p.Loss && !lines[p.At.Line] && !(page == nil && is) {
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
	for _, least := range []Safety{Unsafe, Safe} {
		fixed, err := l.Fix("law.reg", data, least)
		if err != nil {
			continue
		}
		if text, _, _, err := l.Read.Text(fixed.Data); err == nil && !bytes.Equal(text, fixed.After) {
			t.Fatalf("the fixes make of\n%q\nthe file\n%q, whose text is\n%q, not\n%q", data, fixed.Data, text, fixed.After)
		}
		if a, b := inOrder(frozen), inOrder(frozenLines(t, l.Read, fixed.Data)); regfile.InPage(before.Encoding) && !slices.Equal(a, b) {
			t.Fatalf("the fixes make of\n%q\nthe file\n%q, which has the frozen lines\n%q, not\n%q", data, fixed.Data, b, a)
		}
		if least == Unsafe {
			continue
		}
		pages := []*regfile.CodePage{page}
		if page == nil && len(frozen) > 0 {
			pages = regfile.Readings()
		}
		for _, page := range pages {
			o := regfile.Options{CodePage: page}
			before, errBefore := o.Parse("law.reg", data)
			after, err := o.Parse("law.reg", fixed.Data)
			if errBefore != nil || err != nil || !slices.EqualFunc(before.Edits, after.Edits, sameEdit) {
				t.Fatalf("read in %v, the safe fixes make of\n%q\nthe file\n%q (%v)", page, data, fixed.Data, err)
			}
		}
		for _, f := range fixed.Remains.Findings {
			if f.Fix != nil && f.Fix.Safety >= Safe && f.Suppressed == nil {
				t.Fatalf("the safe fixes make of\n%q\nthe file\n%q, where %s in %v is still to be fixed", data, fixed.Data, f.Check.ID, f.At)
			}
		}
	}
}

// frozenLines returns the lines that no fix may change, by their numbers, as they are in a file in a code page.
func frozenLines(t *testing.T, o regfile.Options, data []byte) map[int]string {
	t.Helper()
	lines := regexp.MustCompile("[^\r\n]*(\r\n|\r|\n|$)").FindAllString(string(data), -1)
	frozen := map[int]string{}
	for s, err := range o.Scan(bytes.NewReader(data)) {
		if err != nil {
			t.Fatal(err)
		}
		for n := s.Line; s.Frozen && n < s.Line+s.Lines(); n++ {
			frozen[n] = strings.TrimRight(lines[n-1], "\r\n")
		}
	}
	return frozen
}

// inOrder returns lines by their numbers.
func inOrder(lines map[int]string) (all []string) {
	for _, n := range slices.Sorted(maps.Keys(lines)) {
		all = append(all, lines[n])
	}
	return all
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

// lawPages are the code pages for which the laws are tested. The first stands for an unknown one.
func lawPages(t testing.TB) []*regfile.CodePage {
	pages := []*regfile.CodePage{nil}
	for _, n := range []string{"866", "932", "936", "949", "950", "1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258", "65001"} {
		page, err := regfile.ParseCodePage(n)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	return pages
}

// pageFiles are files with bytes that are letters in some code pages, half letters in others and nothing in the rest, beside lines that have
// fixes.
func pageFiles() (files [][]byte) {
	for _, text := range []string{
		"\x95\x5c\x8e\xa6\x83\x5c", "\x83\x5b\x81\x5d", "\xed\x40\x87\x9a", // 932
		"\xd4\xda\xb4\xcb\x81\x5c", "\xa1\xb0", // 936
		"\xb8\xed\xb7\xc9\xc6\x52", "\xa6\x62\xa6\xb9\xa5\x5c", "\xa2\xcc\x81\x40", // 949, 950
		"\xce\xf2\xea", "\x8e\xe2\xaa", "\x93caf\xe9\x94", "\xa0x\xff", // 1251, 866, 1252
		"\xe8\xa1\xa8\xe6\x89\x93", // UTF-8
	} {
		for _, header := range []string{"REGEDIT4", "Windows Registry Editor Version 5.00"} {
			files = append(files, []byte(strings.ReplaceAll(header+`
; ?
[HKLM\Software\A] ?
"a"=dword:1
"A"=dword:1
"?"=dword:2 ; ?
"?"="C:\?\x"
"b"="?"
"b"=hex:1, 2,\
  03
[HKEY_CURRENT_USER\?\]
"c"=dword:3
"c"=dword:3
[HKEY_CURRENT_USER\?]
"?"=hex:01,\
 ;?
 02 ;?
"d"=DWORD:4
? "e"=dword:5
[-HKEY_CURRENT_USER\?\?]
"f"=dword:00000006
"f"=dword:6 ; regvet:ignore REG013 -- ?
"g"="?`, "?", text)))
		}
	}
	return files
}

// TestLawsInPages holds the laws in every code page for lines in each.
func TestLawsInPages(t *testing.T) {
	for _, page := range lawPages(t) {
		for _, data := range pageFiles() {
			checkLint(t, page, data)
		}
	}
}

func FuzzLint(f *testing.F) {
	pages := lawPages(f)
	for _, c := range Checks() {
		for _, e := range append([]Example{c.Bad}, Variants[c.ID]...) {
			f.Add(e.Bytes(), uint8(0))
			f.Add([]byte(e.Text), uint8(7))
		}
	}
	f.Add([]byte("Windows Registry Editor Version 5.00\n[HKEY_USERS\\A]\n\"a\"=hex: 00 "), uint8(0))
	f.Add(append([]byte{0xFF, 0xFE}, hive.EncodeUTF16("Windows Registry Editor Version 5.00\n[HKEY_USERS\\A]\n\"a\xed\xbf\xbf\"=\"\xed\xa0\x80\"\n")...), uint8(0))
	f.Add([]byte("Windows Registry Editor Version 5.00\n\n[\n[0"), uint8(0))
	f.Add([]byte("Windows Registry Editor Version 5.00\n\n[HKEY_USERS\\SYS\nEM\\\x97\x97]\n\"a\"=dword:0"), uint8('e')) // the rest of a key that no fix may change
	for i, data := range pageFiles() {
		f.Add(data, uint8(0))
		f.Add(data, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, page uint8) { checkLint(t, pages[int(page)%len(pages)], data) })
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
		t.Run(c.ID, func(t *testing.T) { checkLint(t, nil, c.Input) })
	}
	for _, name := range shared.Glob(t, "regfile/real", "*.reg") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			checkLint(t, nil, data)
		})
	}
}
