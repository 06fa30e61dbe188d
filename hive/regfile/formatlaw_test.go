package regfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/internal/shared"
)

// checkFormat holds the laws of Format: it changes nothing in its own output, Windows does the same as before, what Windows drops stays as
// it is, and so does every comment, in its order. In a code page, the bytes of every character beyond ASCII stay as they are; without one, a
// file that has any is refused.
func checkFormat(t *testing.T, o FormatOptions, data []byte) {
	t.Helper()
	out, done, err := formatted(o, data)
	before, rejected := o.Parse("before", data)
	if err == nil && InPage(done.From) && done.From != "ASCII" {
		if o.CodePage == nil {
			t.Fatalf("a file in an unknown code page was formatted:\n%q\n%q", data, out)
		}
		if a, b := characters(o.CodePage, data), characters(o.CodePage, out); done.To == done.From && !slices.Equal(a, b) {
			t.Fatalf("the characters beyond ASCII were\n%q\nand are\n%q", a, b)
		}
	}
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

// characters returns the bytes of the characters beyond ASCII in a file in a code page, sorted, because a comment may move.
func characters(page *CodePage, data []byte) (all []string) {
	for len(data) > 0 {
		n := asciiPrefix(data)
		if data = data[n:]; len(data) == 0 {
			break
		}
		n = 1
		for n < min(len(data), 4) {
			text, rest := page.decode(nil, data[:n], false, nil)
			if len(rest) == 0 && len(text) > 0 {
				break
			}
			n++
		}
		all = append(all, string(data[:n]))
		data = data[n:]
	}
	slices.Sort(all)
	return all
}

// diffRead compares two lists of edits that were read, except their places.
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

// kept returns the comments of a file, without the blanks around them, and the lines that Format leaves as they are.
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

// shownText returns the text of a file for a message.
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
	for i, o := range options {
		for _, data := range inPage(o.CodePage) {
			f.Add(data, uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, option uint8) { checkFormat(t, options[int(option)%len(options)], data) })
}

// pageTexts are texts in code pages: letters of their languages, the first and last of their tables, and what has two codes or ends with the
// byte of a backslash or a bracket.
var pageTexts = map[int][]string{
	866: {"Открыть окно", "рёшк№"}, 932: {"表示ソフト能力", "予定表", "ゾー―ﾊﾝｶｸ", "\xed\x40\xfa\x5c\x81\xe6\x87\x9a\xf0\x40\xf9\xfc"},
	936: {"在此处打开命令行", "€覽誠", "\xaa\xa1\x81\x40\xfe\xfe\xa2\xe3"}, 949: {"명령 프롬프트", "\x81\x41\xc6\x52\xc9\xa1"},
	950: {"在此處開啟命令", "功許蓋", "\xa2\xcc\xa4\x51\xf9\xfe\x81\x40\xc6\xa1"}, 1250: {"žluťoučký kůň", "\xff"}, 1251: {"Открыть окно", "Їжак\x98"},
	1252: {"Größe“", "naïve\xa0\x81\xff"}, 1253: {"Άνοιγμα"}, 1254: {"ışık ĞÜŞİÖÇ"}, 1255: {"פתח חלון"}, 1256: {"فتح نافذة"}, 1257: {"ķirši"},
	1258: {"Tiếng", "\xd2\xcc"}, 65001: {"Grüße 表 🔒", "\xc3"},
}

// inPage returns files in a code page; in all of them if it is nil.
func inPage(page *CodePage) (files [][]byte) {
	for n, texts := range pageTexts {
		if page != nil && page.number != n {
			continue
		}
		for _, text := range texts {
			in := text
			if data, ok := codePages[n]().encode(nil, []byte(text)); ok {
				in = string(data)
			}
			for _, header := range []string{header4, header5} {
				files = append(files, []byte(fmt.Sprintf("%[1]s\r\n; %[2]s\r\n[HKEY_CURRENT_USER\\%[2]s]\r\n\"%[2]s\"=\"%[2]s\" ;%[2]s\r\n\"a\"=dword:1 ;%[2]s\r\n"+
					"\"%[2]s\"=hex:01,\\\r\n ;%[2]s\r\n 02;%[2]s\r\n@=\"%[2]s\\\"\r\n[-HKEY_CURRENT_USER\\a\\%[2]s\\b] %[2]s\r\n%[2]s", header, in)))
			}
		}
	}
	return files
}

// TestFormatLaws holds the laws for the files of other tests, in all ways to format them.
func TestFormatLaws(t *testing.T) {
	var all [][]byte
	for _, c := range cases {
		all = append(all, []byte(c.in), wide(c.in), []byte(strings.Replace(c.in, header4, header5, 1)))
	}
	for _, c := range rejects {
		all = append(all, []byte(c.in))
	}
	for _, o := range allFormatOptions(t) {
		for _, data := range slices.Concat(all, inPage(nil)) {
			checkFormat(t, o, data)
		}
	}
}

// TestFormatShared holds the laws for the files beside the repository.
func TestFormatShared(t *testing.T) {
	var all [][]byte
	names := shared.Glob(t, "regfile/real", "*.reg")
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	for line := range bytes.Lines(shared.Read(t, "regfile/cases.jsonl")) {
		var c conformanceCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Input)
	}
	changed, left := 0, 0
	for i, data := range all {
		for _, o := range allFormatOptions(t) {
			if o.CodePage == nil || !bytes.HasPrefix(data, []byte{0xFF, 0xFE}) && asciiPrefix(data) < len(data) {
				checkFormat(t, o, data)
			}
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

// TestFormatExport requires that what is exported or written already has the form.
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
