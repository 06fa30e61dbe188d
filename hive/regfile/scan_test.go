package regfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"regvet/hive"
)

// scanAll reads a file with [Options.Scan] and copies the statements.
func scanAll(t *testing.T, r io.Reader) []Statement {
	t.Helper()
	var all []Statement
	for s, err := range (Options{}).Scan(r) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, clone(s))
	}
	return all
}

// checkScan requires that the statements of a file, put together, are its text, that they hold what Parse returns, and that the pieces in
// which the file is read do not matter.
func checkScan(t *testing.T, data []byte, file *File) {
	t.Helper()
	all := scanAll(t, bytes.NewReader(data))
	var edits []hive.Edit
	var offset int64
	line := 1
	for i, s := range all {
		if s.Offset != offset || s.Line != line {
			t.Fatalf("statement %d is at byte %d in line %d, want byte %d in line %d", i, s.Offset, s.Line, offset, line)
		}
		offset += int64(len(s.Raw))
		line += max(1, s.Lines())
		for _, span := range []Span{s.Name, s.Equals, s.Data, s.Comment} {
			if span.From < 0 || span.From > span.To || span.To > len(s.Text) {
				t.Fatalf("statement %d: span %v of %q", i, span, s.Text)
			}
		}
		if !s.Comment.Empty() && s.Comment.In(s.Text)[0] != ';' {
			t.Fatalf("the comment of %q is %q", s.Text, s.Comment.In(s.Text))
		}
		if (s.Ending == NoEnding) != !bytes.HasSuffix(bytes.ReplaceAll(s.Raw, []byte("\r"), []byte("\n")), []byte("\n")) {
			t.Fatalf("the ending of %q is %v", s.Raw, s.Ending)
		}
		for _, f := range s.Faults {
			if f.Code == 0 || f.Offset < s.Offset || f.Offset > s.Offset+int64(len(s.Raw)) {
				t.Fatalf("fault %+v is not in the statement at %d", f, s.Offset)
			}
		}
		edits = append(edits, s.Edits...)
	}
	if file == nil {
		if len(all) != 1 || !all[0].Faults[0].Code.Rejects() {
			t.Fatalf("a file that is rejected has the statements %+v", all)
		}
		return
	}
	if !reflect.DeepEqual(edits, file.Edits) {
		t.Fatalf("the edits of the statements are %+v, want %+v", edits, file.Edits)
	}
	checkText(t, data, all)
	if len(data) > 1<<12 {
		return
	}
	var pieces []Statement
	p := newParser(Options{}, iotest.HalfReader(bytes.NewReader(data)), func(s *Statement) bool {
		pieces = append(pieces, clone(s))
		return true
	})
	p.piece = make([]byte, 7)
	p.scan()
	for i := range min(len(all), len(pieces)) {
		for k, f := range all[i].Faults {
			if f.Code == NotASCII && k < len(pieces[i].Faults) {
				pieces[i].Faults[k].Msg = f.Msg // whether it seems to be UTF-8 is told by what lies behind it in the piece
			}
		}
		if !reflect.DeepEqual(pieces[i], all[i]) {
			t.Fatalf("read in small pieces, a statement is %+v, want %+v", pieces[i], all[i])
		}
	}
	if len(pieces) != len(all) {
		t.Fatalf("read in small pieces, there are %d statements, want %d", len(pieces), len(all))
	}
}

// checkText requires that the statements are the text, and that encoding the text returns the file.
func checkText(t *testing.T, data []byte, all []Statement) {
	t.Helper()
	text, encoding, loss, err := Options{}.Text(data)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for _, s := range all {
		raw = append(raw, s.Raw...)
	}
	if !bytes.Equal(raw, text) {
		t.Fatalf("the text is %q, want %q", text, raw)
	}
	back, ok := Unicode(text, encoding), true
	if InPage(encoding) {
		back, ok = western().encode(nil, text)
	}
	if loss == "" && (!ok || !bytes.Equal(back, data)) {
		t.Fatalf("%q became %q by way of its text", data, back)
	}
}

func clone(s *Statement) Statement {
	c := *s
	c.Text, c.Raw = bytes.Clone(c.Text), bytes.Clone(c.Raw)
	c.Edits, c.Faults = append([]hive.Edit(nil), c.Edits...), append([]Fault(nil), c.Faults...)
	return c
}

// TestSpans shows the parts of statements: the name, the data and the comment of each between bars.
func TestSpans(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`[HKEY_USERS\A] ; x`, `HKEY_USERS\A||`},
		{"\t[-HKEY_USERS\\A]", `HKEY_USERS\A||`},
		{`"a" = "b;c" ;d`, `"a"|"b;c"|;d`},
		{`@=dword:1`, `@|dword:1|`},
		{`@=dword:1 ; x`, `@|dword:1|; x`},
		{`"a"=hex:01,02,\  ;x`, `"a"|hex:01,02,\|;x`},
		{`"a"=hex:01,;x`, `"a"|hex:01,|;x`},
		{`"a"=- ;x`, `"a"|-|;x`},
		{`"a"=dword:1#`, `"a"|dword:1#|`},
		{`  ; x`, `||; x`},
	} {
		all := scanAll(t, strings.NewReader(header5+"\n"+c.in+"\n"))
		s := all[1]
		if got := fmt.Sprintf("%s|%s|%s", s.Name.In(s.Text), s.Data.In(s.Text), s.Comment.In(s.Text)); got != c.want {
			t.Errorf("%s has the parts %s, want %s", c.in, got, c.want)
		}
	}
}

// TestScanFails requires that what was read before an error is yielded, and then the error.
func TestScanFails(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader(header5+"\n[HKEY_USERS\\A]\n"), iotest.ErrReader(broken))
	keys, last := 0, error(nil)
	for s, err := range (Options{}).Scan(r) {
		if last = err; err == nil && s.Kind == KeyLine {
			keys++
		}
	}
	if keys != 1 || last != broken {
		t.Errorf("%d keys, then %v", keys, last)
	}
	for range (Options{}).Scan(strings.NewReader(header5 + "\n;\n;\n")) {
		break // and nothing panics
	}
}

func TestCodePages(t *testing.T) {
	for _, c := range []struct{ page, bytes, want string }{
		{"1252", "\x80\xe9\x81", "€é\u0081"},
		{"1251", "\xcf\xf0", "Пр"},
		{"437", "\x81", "ü"},
		{"932", "\x93\xfa\x96\x7b\\", "日本\\"},
		{"936", "\xd6\xd0", "中"},
		{"949", "\xb0\xa1", "가"},
		{"950", "\xa4\xa4", "中"},
	} {
		page, err := ParseCodePage(c.page)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(header5 + "\n[HKEY_USERS\\" + c.bytes + "]\n")
		for _, r := range []io.Reader{bytes.NewReader(text), iotest.OneByteReader(bytes.NewReader(text))} {
			for s, err := range (Options{page}).Scan(r) {
				if err == nil && s.Kind == KeyLine && (len(s.Path) < 2 || s.Path[1] != strings.TrimRight(c.want, `\`)) {
					t.Errorf("code page %s: %x is read as %q, want %q", c.page, c.bytes, s.Path, c.want)
				}
			}
		}
		if back, ok := page.encode(nil, []byte(c.want)); !ok || string(back) != c.bytes {
			t.Errorf("code page %s: %q is written as %x, want %x", c.page, c.want, back, c.bytes)
		}
	}
	// What Windows has and the library has not, and where they differ. The bytes of an odd character are written otherwise, or have no meaning.
	for _, c := range []struct {
		page             int
		bytes, want, odd string
	}{
		{932, "\xf0\x40\xf9\xfc", "\ue000\ue757", ""},
		{932, "\xed\x40\xfa\x5c", "纊纊", "纊"},
		{932, "\x81\xe6\x87\x9a\x81\xe6\x87\x54\xfa\x4a", "∵∵∵ⅠⅠ", "∵"}, // in a row, the first is told
		{932, "\x81\x22\xa0\xfd\x81\xad\x95", "\ufffd\"\ufffd\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd\ufffd\ufffd"},
		{936, "\x80\xa1\x40\xaa\xa1\xfe\xfe", "€\ue4c6\ue000\ue4c5", ""},
		{936, "\xa2\xe3\xff", "\ufffd\ufffd", "\ufffd\ufffd"},
		{949, "\x80\xc9\xa1\xfe\xfe\xc6\x52", "\u0080\ue000\ue0bb힣", ""},
		{950, "\x80\xfa\x40\x8e\x40\x81\x40\xc6\xa1\xc7\x40\xc8\xfe\xf9\xfe", "\u0080\ue000\ue311\ueeb8\uf6b1\uf70f\uf848▓", ""},
		{950, "\xa2\xcc\xa4\x51\xa3\xc0\x81\x7f", "十十\ufffd\ufffd\x7f", "十\ufffd\ufffd"},
		{1253, "\xaa\xe1", "\ufffdα", "\ufffd"},
		{65001, "\xe8\xa1\xa8\xe8\xa1", "表\ufffd\ufffd", "\ufffd\ufffd"},
	} {
		odd := []int{}
		page := codePages[c.page]()
		text, rest := page.decode(nil, []byte(c.bytes), true, func(i int, _ bool) { odd = append(odd, i) })
		var oddText string
		for _, i := range odd {
			r, _ := utf8.DecodeRune(text[i:])
			oddText += string(r)
		}
		if string(text) != c.want || oddText != c.odd || len(rest) > 0 {
			t.Errorf("%s: %x is read as %q with %q odd, want %q with %q", page, c.bytes, text, oddText, c.want, c.odd)
		}
		if back, ok := page.encode(nil, text); c.odd == "" && (!ok || string(back) != c.bytes) {
			t.Errorf("%s: %q is written as %x, want %x", page, text, back, c.bytes)
		}
	}
	if _, err := ParseCodePage("1234"); err == nil || !strings.Contains(err.Error(), "1252") {
		t.Errorf("error is %v", err)
	}
}
