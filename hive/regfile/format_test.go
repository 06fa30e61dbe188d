package regfile

import (
	"bytes"
	"strings"
	"testing"
)

func formatted(o FormatOptions, data []byte) ([]byte, Formatted, error) {
	var out bytes.Buffer
	done, err := o.Format(&out, bytes.NewReader(data))
	return out.Bytes(), done, err
}

// formats are texts that follow the first line of a file of version 5, and what becomes of them. The root HKEY_CURRENT_USER is written ~.
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
	page1252, err := ParseCodePage("1252")
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
		{"8-bit to UTF-16", FormatOptions{Options: Options{page1252}}, header5 + key, string(wide(header5 + crlf)), "windows-1252", "UTF-16LE"},
		{"in another code page", FormatOptions{Options: Options{page1251}}, header5 + key,
			string(wide(header5 + strings.ReplaceAll(crlf, "é", "й"))), "windows-1251", "UTF-16LE"},
		{"UTF-8 without mark", FormatOptions{Options: Options{page65001}}, header5 + crlf, string(wide(header5 + crlf)), "code page 65001", "UTF-16LE"},
		{"UTF-8 with mark", FormatOptions{}, "\ufeff" + header5 + crlf, string(wide(header5 + crlf)), "UTF-8", "UTF-16LE"},
		{"to UTF-8", FormatOptions{Options: Options{page1252}, UTF8: true}, header5 + key, "\ufeff" + header5 + crlf, "windows-1252", "UTF-8"},
		{"to ASCII", FormatOptions{UTF8: true}, string(wide(header5 + "\n;x")), header5 + "\n\n;x\n\n", "UTF-16LE", "ASCII"},
		{"ASCII", FormatOptions{}, header5 + "\n;x", string(wide(header5 + "\r\n\r\n;x\r\n\r\n")), "ASCII", "UTF-16LE"},
		{"hex data stay where text would not be ASCII", FormatOptions{UTF8: true}, header5 + "\n\n[HKEY_USERS\\a]\n@=hex(1):e9,00,00,00\n\n",
			header5 + "\n\n[HKEY_USERS\\a]\n@=hex(1):e9,00,00,00\n\n", "ASCII", "ASCII"},
		{"version 4 stays 8-bit", FormatOptions{Options: Options{page1252}}, header4 + "\n[HKEY_USERS\\\xe9]\n@=hex(2):E9,00\n\"a\"=hex(1):41,00\n",
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

// TestFormatRefuses requires that what cannot be read or written whole is not written, or not to its end.
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
		{FormatOptions{Options: Options{page}}, header4 + "\n;\x81\n", "does not define"},
		{FormatOptions{Options: Options{page}}, header4 + "\n;\xed\x40\n", "has twice"},
		{FormatOptions{}, header5 + "\n\n;\xe9\n", "3:2: the byte e9 is not ASCII, and its code page is not given"},
		{FormatOptions{}, header4 + "\n;\xe9\n", "give --codepage"},
		{FormatOptions{}, "REGEDIT\nHKEY_CLASSES_ROOT\\\xe9\n", "give --codepage"},
		{FormatOptions{}, "REGEDIT5\n;\xe9\n", "give --codepage"},
		{FormatOptions{UTF8: true}, header5 + "\n;\xe9\n", "give --codepage"},
		{FormatOptions{}, "REGEDYT4\n;\xe9\n", "the first line is"},
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

// allFormatOptions are all ways to format a file.
func allFormatOptions(t testing.TB) []FormatOptions {
	all := []FormatOptions{{}, {UTF8: true}}
	for _, n := range []string{"437", "866", "932", "936", "949", "950", "1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258", "65001"} {
		page, err := ParseCodePage(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, FormatOptions{Options{page}, false}, FormatOptions{Options{page}, true})
	}
	return all
}
