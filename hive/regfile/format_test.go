package regfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

func formatted(o FormatOptions, data []byte) ([]byte, Formatted, error) {
	var out bytes.Buffer
	done, err := o.Format(&out, bytes.NewReader(data))
	return out.Bytes(), done, err
}

// formats are texts behind the first line of a file of version 5, and what becomes of them. The root HKEY_CURRENT_USER is written ~.
var formats = []struct{ name, in, want string }{
	{"nothing", "", "\n"},
	{"blank lines", "\n\n \t\n[~\\K]\n\n\n\"a\"=\"1\"\n\n\n\"b\"=\"2\"\n\"c\"=\"3\"\n\n\n[~\\L]\n[-~\\M]", `
[~\K]
"a"="1"

"b"="2"
"c"="3"

[~\L]

[-~\M]

`},
	{"keys", `	[hkey_current_user\a B\\]
[-hkey_Current_USER\]x]	  ; gone
[~\Y]junk ;y
`, `
[~\a B]

[-~\]x] ; gone

[~\Y] junk ;y

`},
	{"values", `[~\K]
 "a" = "b\\c\"" ;x
""="d"
@	=	dword:	ABC;y  
 "e"= -  ; z
"f"=hex(3):0A,
"g"=hex(0004):1a,2B,00,00
"h"=hex(4):
"i"=hex(1):41,00,5c,00,00,00
"j"=hex(1):41,00
"k"=hex(1):41,00,0a,00,00,00
"l"=hex(0000000b):01,02
"m"=hex(2):25
`, `
[~\K]
"a"="b\\c\"" ;x
@="d"
@=dword:00000abc ;y
"e"=- ; z
"f"=hex:0a
"g"=dword:00002b1a
"h"=hex(4):
"i"="A\\"
"j"=hex(1):41,00
"k"=hex(1):41,00,0a,00,00,00
"l"=hex(b):01,02
"m"=hex(2):25

`},
	{"wrapping", `[~\K]
"aaaaaaaaaaaaaaaaaaaaaaaaa"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14 ; behind
"b"=hex:01,\
02,03,\

  04,05
`, `
[~\K]
"aaaaaaaaaaaaaaaaaaaaaaaaa"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,\
  0f,10,11,12,13,14 ; behind
"b"=hex:01,02,03,04,05

`},
	{"comments", `; of the file

;of K
	; and this  
[~\K]

; of a group
"a"="1"
; of nothing

;of L
[~\L]

; alone

[~\M]
"b"=hex:01,\  ; first
  02,\
  ; second
  03 ; third
; the end`, `
; of the file

;of K
; and this
[~\K]

; of a group
"a"="1"
; of nothing

;of L
[~\L]

; alone

[~\M]
; first
; second
"b"=hex:01,02,03 ; third
; the end

`},
	{"left as it is", `[~\K]
  # no comment
 "a"  =1
"b"= hex:1,2
"c"=hex:01,\
  "d"="1"
 02,03
[HKCU\K\]
"e"= "f"
[ ~\L]
"g"=  "h"
# of M
[~\M]
`, `
[~\K]
  # no comment
 "a"  =1
"b"= hex:1,2
"c"=hex:01,\
  "d"="1"
 02,03

[HKCU\K\]
"e"="f"

[ ~\L]
"g"="h"

# of M
[~\M]

`},
	{"hex data that wait for a line", "[~\\K]\n\"a\" =hex:01,\\", "\n[~\\K]\n\"a\" =hex:01,\\"},
	{"and have one", "[~\\K]\n\"a\" =hex:01,\\\n;x\n\n", "\n[~\\K]\n\"a\" =hex:01,\\\n;x\n\n"},
}

func TestFormat(t *testing.T) {
	long := strings.NewReplacer("~", "HKEY_CURRENT_USER")
	for _, c := range formats {
		t.Run(c.name, func(t *testing.T) {
			in, want := header5+"\n"+long.Replace(c.in), header5+"\n"+long.Replace(c.want)
			for _, data := range [][]byte{[]byte(in), wide(in), wide(strings.ReplaceAll(in, "\n", "\r\n")), wide(strings.ReplaceAll(in, "\n", "\r"))} {
				out, done, err := formatted(FormatOptions{}, data)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(show(out[2:]), "\r\n", "\n"); got != want || done.To != "UTF-16LE" {
					t.Fatalf("in %s:\n%s\nwant\n%s", done.To, got, want)
				}
			}
			out, done, err := formatted(FormatOptions{UTF8: true}, []byte(in))
			if err != nil || string(out) != want || done.To != "ASCII" {
				t.Fatalf("%v, in %s:\n%s\nwant\n%s", err, done.To, out, want)
			}
			for _, o := range allFormatOptions(t) {
				checkFormat(t, o, []byte(in))
				checkFormat(t, o, wide(in))
			}
		})
	}
}

// TestFormatEncodings shows what becomes of encodings.
func TestFormatEncodings(t *testing.T) {
	const key, crlf = "\r\n\r\n[HKEY_USERS\\\xe9]\r\n\r\n", "\r\n\r\n[HKEY_USERS\\é]\r\n\r\n"
	page1251, err := ParseCodePage("1251")
	if err != nil {
		t.Fatal(err)
	}
	page65001, err := ParseCodePage("65001")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		o        FormatOptions
		in, want string
		from, to string
	}{
		{"8-bit to UTF-16", FormatOptions{}, header5 + key, string(wide(header5 + crlf)), "windows-1252", "UTF-16LE"},
		{"in another code page", FormatOptions{Options: Options{page1251}}, header5 + key,
			string(wide(header5 + strings.ReplaceAll(crlf, "é", "й"))), "windows-1251", "UTF-16LE"},
		{"UTF-8 without mark", FormatOptions{Options: Options{page65001}}, header5 + crlf, string(wide(header5 + crlf)), "code page 65001", "UTF-16LE"},
		{"UTF-8 with mark", FormatOptions{}, "\ufeff" + header5 + crlf, string(wide(header5 + crlf)), "UTF-8", "UTF-16LE"},
		{"to UTF-8", FormatOptions{UTF8: true}, header5 + key, "\ufeff" + header5 + crlf, "windows-1252", "UTF-8"},
		{"to ASCII", FormatOptions{UTF8: true}, string(wide(header5 + "\n;x")), header5 + "\n\n;x\n\n", "UTF-16LE", "ASCII"},
		{"ASCII", FormatOptions{}, header5 + "\n;x", string(wide(header5 + "\r\n\r\n;x\r\n\r\n")), "ASCII", "UTF-16LE"},
		{"hex data stay where text would not be ASCII", FormatOptions{UTF8: true}, header5 + "\n\n[HKEY_USERS\\a]\n@=hex(1):e9,00,00,00\n\n",
			header5 + "\n\n[HKEY_USERS\\a]\n@=hex(1):e9,00,00,00\n\n", "ASCII", "ASCII"},
		{"version 4 stays 8-bit", FormatOptions{}, header4 + "\n[HKEY_USERS\\\xe9]\n@=hex(2):E9,00\n\"a\"=hex(1):41,00\n",
			header4 + "\r\n\r\n[HKEY_USERS\\\xe9]\r\n@=hex(2):e9,00\r\n\"a\"=hex(1):41,00\r\n\r\n", "windows-1252", "windows-1252"},
		{"version 4 in UTF-16", FormatOptions{UTF8: true}, string(wide(header4 + "\n;é")), string(wide(header4 + "\r\n\r\n;é\r\n\r\n")), "UTF-16LE", "UTF-16LE"},
		{"version 4 in a working copy", FormatOptions{UTF8: true}, header4 + "\n;x", header4 + "\n\n;x\n\n", "ASCII", "ASCII"},
	} {
		out, done, err := formatted(c.o, []byte(c.in))
		if err != nil || string(out) != c.want || done.From != c.from || done.To != c.to {
			t.Errorf("%s: %v, from %s to %s\n%q\nwant\n%q", c.name, err, done.From, done.To, out, c.want)
		}
		checkFormat(t, c.o, []byte(c.in))
	}
}

// TestFormatRefuses holds that what cannot be read or written whole is not written at all, or not to its end.
func TestFormatRefuses(t *testing.T) {
	page, err := ParseCodePage("932")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o        FormatOptions
		in, want string
	}{
		{FormatOptions{}, "Windows Registry", "the first line is"},
		{FormatOptions{}, "regf", "registry hive"},
		{FormatOptions{}, "REGEDIT\n", "Windows 3.1"},
		{FormatOptions{}, "REGEDIT5\n", "imports nothing"},
		{FormatOptions{}, "\ufeff" + header5 + "\n;\xff\n", "not valid UTF-8"},
		{FormatOptions{}, string(wide(header5)) + "\n", "ends in the middle of a character"},
		{FormatOptions{Options: Options{page}}, header5 + "\n;\x81\n", "does not define"},
		{FormatOptions{UTF8: true}, string(wide(header5+"\n;")) + "\x00\xd8", "cannot be written as UTF-8"},
	} {
		if _, _, err := formatted(c.o, []byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error is %v", c.in, err)
		}
		checkFormat(t, c.o, []byte(c.in))
	}
	if _, err := (FormatOptions{}).Format(failing{}, strings.NewReader(header5)); err == nil {
		t.Errorf("error is %v", err)
	}
}

// allFormatOptions are the ways in which a file can be formatted.
func allFormatOptions(t testing.TB) []FormatOptions {
	all := []FormatOptions{{}, {UTF8: true}}
	for _, n := range []string{"437", "1251", "932", "936", "65001"} {
		page, err := ParseCodePage(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, FormatOptions{Options{page}, false}, FormatOptions{Options{page}, true})
	}
	return all
}

// checkFormat holds the laws of Format: it changes nothing in what it wrote itself, what Windows does stays the same, what Windows drops
// stays as it is, and so does every comment, in its order.
func checkFormat(t *testing.T, o FormatOptions, data []byte) {
	t.Helper()
	out, done, err := formatted(o, data)
	before, rejected := o.Parse("before", data)
	if err != nil {
		problem, _ := errors.AsType[*hive.Problem](err)
		noForm, _ := errors.AsType[*NoForm](err)
		switch {
		case problem == nil && noForm == nil:
			t.Fatalf("error is %#v", err)
		case rejected != nil && (problem == nil || problem.Kind != hive.BadText):
			t.Fatalf("Windows rejects the file, the error is %v", err)
		}
		return
	}
	if rejected != nil {
		t.Fatalf("a file that Windows rejects was formatted: %v", rejected)
	}
	again, _, err := formatted(o, out)
	if err != nil {
		t.Fatalf("what was formatted is refused: %v\n%q", err, out)
	}
	if !bytes.Equal(again, out) {
		t.Fatalf("formatted twice:\n%s\nonce:\n%s\n%q", shownText(t, o, again), shownText(t, o, out), data)
	}
	after, err := o.Parse("after", out)
	if err != nil {
		t.Fatalf("Windows rejects what was formatted: %v", err)
	}
	if after.Encoding != done.To && !(done.To == "ASCII" && bytes.IndexFunc(out, func(r rune) bool { return r > 127 }) < 0) {
		t.Fatalf("the encoding is %s, not %s", after.Encoding, done.To)
	}
	if diff := diffRead(before.Edits, after.Edits); diff != "" {
		t.Fatalf("%s\n%s\n%q", diff, shownText(t, o, out), data)
	}
	losses := func(f *File) (n int) {
		for _, p := range f.Problems {
			if p.Loss {
				n++
			}
		}
		return n
	}
	if a, b := losses(before), losses(after); a != b {
		t.Fatalf("%d problems with loss before, %d after:\n%s", a, b, shownText(t, o, out))
	}
	if a, b := kept(t, o, data), kept(t, o, out); !slices.Equal(a, b) {
		t.Fatalf("comments and lines that must stay:\n%q\nafter:\n%q", a, b)
	}
}

// diffRead compares edits that were read with those that were read before, but for their places.
func diffRead(before, after []hive.Edit) string {
	same := slices.EqualFunc(before, after, func(a, b hive.Edit) bool {
		return a.Op == b.Op && slices.Equal(a.Path, b.Path) && a.Value.Name == b.Value.Name && a.Value.Type == b.Value.Type &&
			bytes.Equal(a.Value.Data, b.Value.Data)
	})
	if same {
		return ""
	}
	return diffEdits(after, before) + " (or the end of a text)"
}

// kept lists the comments of a file, without the blanks around them, and the lines of what Format leaves as it is.
func kept(t *testing.T, o FormatOptions, data []byte) (all []string) {
	t.Helper()
	comment := func(text []byte) {
		if text = bytes.Trim(text, " \t"); len(text) > 0 {
			all = append(all, string(text))
		}
	}
	for s, err := range o.Scan(bytes.NewReader(data)) {
		if err != nil {
			t.Fatal(err)
		}
		if isLeft(s) {
			for line := range s.lines() {
				all = append(all, "left: "+string(line))
			}
			continue
		}
		switch s.Kind {
		case KeyLine:
			comment(s.Text[s.Name.To+1:])
		case CommentLine, ValueLine:
			comment(s.Comment.In(s.Text))
			for line := range strings.SplitSeq(strings.ReplaceAll(string(s.Raw[len(s.Text):]), "\r", "\n"), "\n") {
				if i := strings.IndexByte(line, ';'); i >= 0 {
					comment([]byte(line[i:]))
				}
			}
		}
	}
	return all
}

// shownText gives the text of a file for a message.
func shownText(t *testing.T, o FormatOptions, data []byte) string {
	t.Helper()
	var text []byte
	for s, err := range o.Scan(bytes.NewReader(data)) {
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, s.Raw...)
	}
	return string(text[:min(len(text), 4000)])
}

func FuzzFormat(f *testing.F) {
	options := allFormatOptions(f)
	for i, c := range cases {
		f.Add([]byte(c.in), uint8(i))
		f.Add(wide(c.in), uint8(i+1))
		f.Add([]byte(strings.Replace(c.in, header4, header5, 1)), uint8(i+2))
	}
	for i, c := range formats {
		f.Add([]byte(header5+"\n"+c.in), uint8(i))
		f.Add([]byte(header4+"\n"+c.in), uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, option uint8) { checkFormat(t, options[int(option)%len(options)], data) })
}

// TestFormatLaws holds the laws for the files that other tests read, in all ways in which they can be formatted.
func TestFormatLaws(t *testing.T) {
	var all [][]byte
	for _, c := range cases {
		all = append(all, []byte(c.in), wide(c.in), []byte(strings.Replace(c.in, header4, header5, 1)))
	}
	for _, c := range rejects {
		all = append(all, []byte(c.in))
	}
	for _, o := range allFormatOptions(t) {
		for _, data := range all {
			checkFormat(t, o, data)
		}
	}
}

// TestFormatShared holds the laws for the files beside the repository.
func TestFormatShared(t *testing.T) {
	var all [][]byte
	names, err := filepath.Glob(filepath.Join(sharedInputs, "real", "*.reg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	lines, err := os.ReadFile(filepath.Join(sharedInputs, "cases.jsonl"))
	if err != nil || len(all) == 0 {
		t.Skip("the published files and conformance cases are not beside the repository")
	}
	for line := range bytes.Lines(lines) {
		var c conformanceCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Input)
	}
	changed, left := 0, 0
	for i, data := range all {
		for _, o := range allFormatOptions(t) {
			checkFormat(t, o, data)
		}
		if out, done, err := formatted(FormatOptions{}, data); err == nil && i < len(names) {
			left += done.Left
			if !bytes.Equal(out, data) {
				changed++
			}
		}
	}
	t.Logf("of %d published files %d change, and %d statements are left as they are", len(names), changed, left)
}

// TestFormatExport holds that what is exported or written is in the form already.
func TestFormatExport(t *testing.T) {
	check := func(text []byte) {
		t.Helper()
		out, _, err := formatted(FormatOptions{}, text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out, text) {
			a, b := strings.Split(show(text), "\r\n"), strings.Split(show(out), "\r\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("line %d is formatted as\n%q, want\n%q", i+1, b[i], a[i])
				}
			}
			t.Fatalf("an export is formatted as\n%s", show(out))
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		a, b := randomTree(r), randomTree(r)
		var exported, written bytes.Buffer
		if err := Export(&exported, Tree{Root: a}); err != nil {
			t.Fatal(err)
		}
		check(exported.Bytes())
		if err := Write(&written, "a\ncomment", hive.Diff(a, b)); err != nil {
			t.Fatal(err)
		}
		check(written.Bytes())
	}
	left := hive.NewKey("", nil, hive.NewKey("HKEY_USERS", []hive.Value{hive.DWordValue("a\nb", 1)}, hive.NewKey("a\x00b", nil), hive.NewKey("c", nil)))
	var out bytes.Buffer
	if err := Export(&out, Tree{Root: left}); err == nil {
		t.Fatal("nothing was left out")
	}
	check(out.Bytes())
}
