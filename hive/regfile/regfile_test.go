package regfile

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"regvet/hive"
)

// describe returns what was read in short: one edit a line, its place first, and then the problems, each with a !.
func describe(f *File) string {
	var s strings.Builder
	for _, e := range f.Edits {
		fmt.Fprintf(&s, "%s ", e.At)
		path := strings.Replace(hive.Printable(e.Path.String()), "HKEY_CURRENT_USER", "~", 1)
		switch e.Op {
		case hive.CreateKey:
			fmt.Fprintf(&s, "[%s]", path)
		case hive.DeleteKey:
			fmt.Fprintf(&s, "[-%s]", path)
		case hive.DeleteValue:
			fmt.Fprintf(&s, "%q=-", e.Value.Name)
		case hive.SetValue:
			fmt.Fprintf(&s, "%q=%s", e.Value.Name, strings.TrimPrefix(e.Value.Type.String(), "REG_"))
			if text, err := e.Value.Text(); err == nil && string(hive.EncodeUTF16(text))+"\x00\x00" == string(e.Value.Data) {
				fmt.Fprintf(&s, " %q", text)
			} else {
				fmt.Fprintf(&s, " %x", e.Value.Data)
			}
		}
		s.WriteByte('\n')
	}
	for _, p := range f.Problems {
		fmt.Fprintf(&s, "! %s %s", p.At, p.Kind)
		if p.Loss {
			fmt.Fprintf(&s, " loss %s", strings.Replace(p.Key.String(), "HKEY_CURRENT_USER", "~", 1))
		}
		s.WriteByte('\n')
	}
	return s.String()
}

// wide returns s as a UTF-16LE file with byte order mark.
func wide(s string) []byte { return append([]byte{0xFF, 0xFE}, hive.EncodeUTF16(s)...) }

func TestParse(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := Parse("test.reg", []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(describe(f)); got != strings.TrimSpace(c.want) {
				t.Errorf("%s\nis read as\n%s\nwant\n%s", c.in, got, c.want)
				for _, p := range f.Problems {
					t.Log(p.Error())
				}
			}
			if asciiPrefix([]byte(c.in)) < len(c.in) {
				return
			}
			w, err := Parse("test.reg", wide(c.in))
			if err != nil || w.Encoding != utf16LE || !reflect.DeepEqual(f.Edits, w.Edits) {
				t.Errorf("%s\nis read otherwise in UTF-16: %v", c.in, err)
			}
		})
	}
}

func TestRejected(t *testing.T) {
	for _, c := range rejects {
		_, err := Parse("test.reg", []byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %s", c.name, err, c.want)
		}
	}
}

func TestUTF16Survives(t *testing.T) {
	// A lone surrogate in a name and in text, a pair, and an odd last byte.
	in := append(wide(header5+"\n[HKEY_USERS\\\xed\xa0\x80]\n\"😀\"=\"\xed\xb0\x80\"\n"), 'x')
	f, err := Parse("test.reg", in)
	if err != nil {
		t.Fatal(err)
	}
	want := []hive.Edit{
		{Op: hive.CreateKey, Path: hive.Path{"HKEY_USERS", "\xed\xa0\x80"}},
		{Op: hive.SetValue, Path: hive.Path{"HKEY_USERS", "\xed\xa0\x80"}, Value: hive.StringValue("😀", hive.SZ, "\xed\xb0\x80")},
	}
	if diff := diffEdits(f.Edits, want); diff != "" {
		t.Error(diff)
	}
	if len(f.Problems) != 1 || f.Problems[0].Kind != hive.Doubtful || f.Problems[0].At.Line != 4 {
		t.Errorf("problems are %v", f.Problems)
	}
	checkRewrite(t, f.Edits)
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat(`\k`, hive.MaxDepth)
	long := strings.Repeat("€", maxValueName)
	in := header5 + "\n[HKEY_USERS" + deep + "]\n[HKEY_USERS" + deep + "\\x]\n\"a\"=\"1\"\n[HKEY_USERS\\K]\n" +
		`"` + long + "\"=\"1\"\n\"" + long + "x\"=hex:01,\\\n  02\n\"b\"=\"2\"\n"
	f, err := Parse("test.reg", wide(in))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range f.Edits {
		got = append(got, e.At.String())
	}
	for _, p := range f.Problems {
		got = append(got, fmt.Sprintf("! %s %s %v %d", p.At, p.Kind, p.Loss, len(p.Key)))
	}
	want := []string{"2:1", "5:1", "6:1", "9:1", "! 3:1 bad-line true 513", "! 8:1 bad-line true 2"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("limits give %q, want %q", got, want)
	}
	checkRewrite(t, f.Edits)
}

func TestTree(t *testing.T) {
	f, err := Parse("test.reg", []byte(header5+`
[HKEY_LOCAL_MACHINE\SOFTWARE\A]
"x"="1"
"y"=dword:zz
[HKEY_LOCAL_MACHINE\SOFTWARE\A\B
[HKEY_LOCAL_MACHINE\SOFTWARE\C]
[HKEY_LOCAL_MACHINE\SOFTWARE\C\D\E]
[-HKEY_LOCAL_MACHINE\SOFTWARE\C\D\E]
`))
	if err != nil {
		t.Fatal(err)
	}
	tree := f.Tree()
	for _, c := range []struct {
		path         string
		implied      bool
		keys, values hive.Known
	}{
		{`HKEY_LOCAL_MACHINE`, true, hive.NotCovered, hive.NotCovered},
		{`HKEY_LOCAL_MACHINE\SOFTWARE`, true, hive.NotCovered, hive.NotCovered},
		{`HKEY_LOCAL_MACHINE\SOFTWARE\A`, false, hive.Damaged, hive.Damaged}, // y, and B whose line is broken
		{`HKEY_LOCAL_MACHINE\SOFTWARE\C`, false, hive.Whole, hive.Whole},
	} {
		k := find(tree, hive.ParsePath(c.path))
		if k == nil {
			t.Errorf("there is no key %s", c.path)
			continue
		}
		if k.Implied() != c.implied || k.KeysKnown() != c.keys || k.ValuesKnown() != c.values {
			t.Errorf("%s: implied %v, keys %v, values %v, want %+v", c.path, k.Implied(), k.KeysKnown(), k.ValuesKnown(), c)
		}
	}
	if problems := find(tree, hive.ParsePath(`HKLM\SOFTWARE\A`)).Problems(); len(problems) != 2 {
		t.Errorf("problems of A are %v, want those of lines 4 and 5", problems)
	}
}

// TestHostile reads files made to be expensive.
func TestHostile(t *testing.T) {
	const key = "[HKEY_USERS\\K]\n"
	deep := "[HKEY_USERS" + strings.Repeat(`\k`, hive.MaxDepth) + "]\n"
	const size = 4 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for _, c := range []struct {
		name, in string
		edits    int
	}{
		{"stray lines", key + fill("x\n"), 1},
		{"bad values", key + fill("\"\n"), 1},
		{"bad values in a deep key", deep + fill("\"\n"), 1},
		{"values without a key", fill("@=-\n"), 0},
		{"unknown roots", fill("[a]\n"), 0},
		{"key lines without bracket", fill("[HKEY_USERS\\k\n"), 0},
		{"CR only", key + fill("\r"), 1},
		{"no line end", key + fill("["), 1},
		{"backslashes", key + "[HKEY_USERS" + fill("\\") + "a]", 2},
		{"levels", key + "[HKEY_USERS" + fill("\\a") + "]", 1},
		{"brackets", key + "[" + fill("]"), 1},
		{"escapes", key + `"` + fill(`\\`), 1},
		{"quotes", key + fill(`"`), 1},
		{"a value of many lines", key + "@=hex:" + fill("1,\\\n"), 2},
		{"a value of many blank lines", key + "@=hex:1,\\\n" + fill("\n"), 2},
		{"single digits", key + "@=hex:" + fill("1,"), 2},
		{"broken values", key + fill("@=hex:1,\\\n@\n"), 1},
		{"NUL in each line", key + fill("\x00x\n"), 1},
		{"one long NUL line", key + fill("\x00"), 1},
	} {
		start := time.Now()
		f, err := Parse("test.reg", []byte(header5+"\n"+c.in))
		if err != nil {
			t.Fatal(c.name, err)
		}
		if len(f.Edits) != c.edits || len(f.Problems) > maxProblems+2 {
			t.Errorf("%s: %d edits and %d problems, want %d edits", c.name, len(f.Edits), len(f.Problems), c.edits)
		}
		if d := time.Since(start); d > 60*time.Second {
			t.Errorf("%s: reading took %v", c.name, d)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var in strings.Builder
	in.WriteString(header5 + "\n[HKEY_USERS\\A]\n")
	for range 1500 {
		in.WriteString("x\n")
	}
	in.WriteString("@=x\n@=x\n[HKEY_USERS\\B]\n@=x\n@=x\n")
	f, err := Parse("test.reg", []byte(in.String()))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range f.Problems[maxProblems:] {
		got = append(got, fmt.Sprintf("%s %v %s", p.At, p.Loss, p.Key))
	}
	want := []string{`1503:3 true HKEY_USERS\A`, `1506:3 true HKEY_USERS\B`, " false "}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the problems beyond %d are %q, want %q", maxProblems, got, want)
	}
	if last := f.Problems[len(f.Problems)-1].Error(); last != "test.reg: 502 more problems are not listed" {
		t.Errorf("the last problem is %s", last)
	}
}

func TestWriteText(t *testing.T) {
	k := hive.Path{"hklm", "K"}
	set := func(v hive.Value) hive.Edit { return hive.Edit{Op: hive.SetValue, Path: k, Value: v} }
	sz := func(name, units string) hive.Edit {
		return set(hive.Value{Name: name, Type: hive.SZ, Data: hive.EncodeUTF16(units)})
	}
	var out bytes.Buffer
	err := Write(&out, "made by a test\r\n\nto be read", []hive.Edit{
		{Op: hive.DeleteKey, Path: k},
		sz("", "a\"\\\x00"), sz(`n"\`, ""), sz("open", "a"), sz("two", "a\x00b\x00"), sz("lines", "a\r\nb\x00"), sz("none", "\x00"),
		set(hive.DWordValue("d", 0xABCD)), set(hive.Value{Name: "short", Type: hive.DWord, Data: []byte{1}}),
		set(hive.Value{Name: "b", Type: hive.Binary}), set(hive.Value{Name: "q", Type: hive.QWord, Data: []byte{1, 2}}),
		set(hive.Value{Name: "x", Type: 0x12345678, Data: []byte{0xAB}}), set(hive.Value{Name: "z", Type: hive.None}),
		{Op: hive.DeleteValue, Path: k, Value: hive.Value{Name: "gone"}},
		{Op: hive.CreateKey, Path: hive.Path{"HKEY_USERS"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Windows Registry Editor Version 5.00

; made by a test
;
; to be read

[-HKEY_LOCAL_MACHINE\K]

[HKEY_LOCAL_MACHINE\K]
@="a\"\\"
"n\"\\"=hex(1):
"open"=hex(1):61,00
"two"=hex(1):61,00,00,00,62,00,00,00
"lines"=hex(1):61,00,0d,00,0a,00,62,00,00,00
"none"=""
"d"=dword:0000abcd
"short"=hex(4):01
"b"=hex:
"q"=hex(b):01,02
"x"=hex(12345678):ab
"z"=hex(0):
"gone"=-

[HKEY_USERS]

`
	if got := hive.DecodeUTF16(out.Bytes()); got != "\uFEFF"+strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("written is\n%s\nwant\n%s", got, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	value := func(name string) hive.Edit {
		return hive.Edit{Op: hive.SetValue, Path: hive.Path{"HKEY_USERS", "K"}, Value: hive.Value{Name: name}}
	}
	create := func(path ...string) hive.Edit { return hive.Edit{Path: path} }
	tooDeep := append(hive.Path{"HKEY_USERS"}, strings.Split(strings.Repeat("k", hive.MaxDepth+1), "")...)
	for _, c := range []struct {
		edit hive.Edit
		want string
	}{
		{create(), `key "" cannot be written as .reg text: no root is named`},
		{create("SYSTEM"), `it is not below a root such as HKEY_LOCAL_MACHINE`},
		{create("HKEY_USERS", ""), `a name is empty`},
		{create("HKEY_USERS", `a\b`), `a name holds a backslash`},
		{create("HKEY_USERS", "a\nb"), `key "HKEY_USERS\\a\nb" cannot be written as .reg text: a name holds a NUL or a line break`},
		{create("HKEY_USERS", strings.Repeat("é", maxKeyName+1)), "a name has 256 characters, at most 255 are allowed"},
		{create(tooDeep...), "more than 512 levels"},
		{create("HKEY_USERS", "\xff"), "a name is not text"},
		{create("HKEY_USERS", "\xed\xa0\xbd\xed\xb8\x80"), "a name is not text"}, // a pair that is kept as two
		{hive.Edit{Op: hive.DeleteKey, Path: hive.Path{"HKEY_USERS"}}, "a root cannot be deleted"},
		{hive.Edit{Op: 9, Path: hive.Path{"HKEY_USERS"}}, "there is no operation 9"},
		{value("a\x00"), `value "a\x00" of key "HKEY_USERS\\K" cannot be written as .reg text: a name holds a NUL or a line break`},
		{value("a\r"), "a line break"},
		{value(strings.Repeat("x", maxValueName+1)), "a name has 16384 characters"},
	} {
		var out bytes.Buffer
		err := Write(&out, "", []hive.Edit{create("HKEY_USERS", "K"), c.edit})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error is %v, want %s", err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%s, and %d bytes are written", c.want, out.Len())
		}
	}
}

// TestWrap holds the rule for the end of a line of hex data, for every length of what precedes the data.
func TestWrap(t *testing.T) {
	for n := 1; n < 100; n++ {
		v := hive.Value{Name: strings.Repeat("n", n), Type: hive.Binary, Data: bytes.Repeat([]byte{0xAB}, 100)}
		var want strings.Builder
		line := `"` + v.Name + `"=hex:`
		for i := range v.Data {
			line += "ab"
			if i+1 < len(v.Data) {
				if line += ","; len(line) >= 77 {
					want.WriteString(line + "\\\r\n")
					line = "  "
				}
			}
		}
		want.WriteString(line + "\r\n\r\n")
		var out bytes.Buffer
		if err := Export(&out, Tree{hive.NewKey("K", []hive.Value{v}), hive.Path{"HKEY_USERS", "K"}}); err != nil {
			t.Fatal(err)
		}
		if got := hive.DecodeUTF16(out.Bytes()); got != "\uFEFF"+header5+"\r\n\r\n[HKEY_USERS\\K]\r\n"+want.String() {
			t.Fatalf("written is\n%s\nwant\n%s", got, want.String())
		}
	}
}

func TestExportLosesAsWindowsDoes(t *testing.T) {
	sz := func(name, units string) hive.Value {
		return hive.Value{Name: name, Type: hive.SZ, Data: hive.EncodeUTF16(units)}
	}
	damaged := sz("damaged", "a")
	damaged.Short = true
	root := hive.NewKey("K", []hive.Value{sz("nul", "a\x00b\x00"), sz("", ""), sz("open", "a"), sz("lines", "a\nb"), sz("bad\nname", "a"), damaged},
		hive.NewKey("b", nil), hive.NewKey(`a\b`, nil, hive.NewKey("below", nil)), hive.NewKey("A", nil))
	var out bytes.Buffer
	err := Export(&out, Tree{root, hive.Path{"HKEY_USERS", "K"}})
	left := []string{
		`value "bad\nname" of key "HKEY_USERS\\K": a name holds a NUL or a line break; it is left out`,
		`value "damaged" of key "HKEY_USERS\\K": its data could not be read whole; it is left out`,
		`key "HKEY_USERS\\K\\a\\b": a name holds a backslash; it is left out with all below it`,
	}
	if err == nil || err.Error() != strings.Join(left, "\n") {
		t.Errorf("error is %v", err)
	}
	want := `Windows Registry Editor Version 5.00

[HKEY_USERS\K]
"nul"="a"
@=""
"open"="a"
"lines"=hex(1):61,00,0a,00,62,00
; ` + left[0] + `
; ` + left[1] + `

[HKEY_USERS\K\A]

; ` + left[2] + `

[HKEY_USERS\K\b]

`
	if got := hive.DecodeUTF16(out.Bytes()); got != "\uFEFF"+strings.ReplaceAll(want, "\n", "\r\n") {
		t.Errorf("written is\n%s\nwant\n%s", got, want)
	}
}

// failing is a full disk.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("the disk is full") }

func TestWriteErrors(t *testing.T) {
	if err := Write(failing{}, "", nil); err == nil {
		t.Error("Write does not pass on the error")
	}
	if err := Export(failing{}, Tree{hive.NewKey("K", nil), hive.Path{"HKEY_USERS"}}); err == nil {
		t.Error("Export does not pass on the error")
	}
}

func TestImported(t *testing.T) {
	for _, c := range []struct {
		t        hive.Type
		in, want string
	}{
		{hive.SZ, "", ""}, {hive.SZ, "a\x00", "a\x00\x00\x00"}, {hive.SZ, "a\x00\x00\x00", "a\x00\x00\x00"},
		{hive.MultiSZ, "a\x00\x00\x00", "a\x00\x00\x00"}, {hive.MultiSZ, "a\x00", "a\x00\x00\x00"}, {hive.ExpandSZ, "a", "a\x00\x00"},
		{hive.SZ, "a\x00b", "a\x00b\x00\x00"}, {hive.SZ, "\x00\x00b", "\x00\x00b"}, {hive.Binary, "a\x00", "a\x00"}, {hive.Link, "a\x00", "a\x00"},
	} {
		in := append(make([]byte, 0, 100), c.in...)
		if got := Imported(hive.Value{Type: c.t, Data: in}); string(got.Data) != c.want {
			t.Errorf("%s %q is imported as %q, want %q", c.t, c.in, got.Data, c.want)
		}
		if rest := in[len(in) : len(in)+2]; rest[0] != 0 || rest[1] != 0 || string(in) != c.in {
			t.Errorf("%q was written to", c.in)
		}
	}
}

// TestExportOfImpliedKeys requires that a key that was only passed through is not exported, and that several trees make one file.
func TestExportOfImpliedKeys(t *testing.T) {
	f, err := Parse("test", []byte(header5+"\r\n[HKEY_USERS\\A\\B]\r\n[HKEY_USERS\\C]\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		trees []Tree
		want  string
	}{
		{[]Tree{{Root: f.Tree()}}, "[HKEY_USERS\\A\\B]\r\n\r\n[HKEY_USERS\\C]\r\n"},
		{[]Tree{{hive.NewKey("", nil), hive.Path{"X"}}, {hive.NewKey("", nil), hive.Path{"Y", "Z"}}}, "[X]\r\n\r\n[Y\\Z]\r\n"},
	} {
		var out bytes.Buffer
		if err := Export(&out, c.trees...); err != nil {
			t.Fatal(err)
		}
		if got := hive.DecodeUTF16(out.Bytes()); got != "\uFEFF"+header5+"\r\n\r\n"+c.want+"\r\n" {
			t.Errorf("written is\n%s\nwant\n%s", got, c.want)
		}
	}
}
