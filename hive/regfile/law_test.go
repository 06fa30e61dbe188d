package regfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"regvet/hive"
)

// checkRewrite holds the law of Write: what it writes is read back as the same edits, with the values that Windows stores, and without a
// problem.
func checkRewrite(t *testing.T, edits []hive.Edit) {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, "rewritten\nin a test", edits); err != nil {
		t.Fatalf("Write refuses what Parse read: %v", err)
	}
	f, err := Parse("rewritten", out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Problems) > 0 {
		t.Fatalf("problem in what was written: %v\n%s", f.Problems[0].Error(), show(out.Bytes()))
	}
	if diff := diffEdits(f.Edits, sections(edits)); diff != "" {
		t.Fatalf("%s\n%s", diff, show(out.Bytes()))
	}
}

func show(file []byte) string {
	if len(file) > 4000 {
		file = file[:4000]
	}
	return hive.DecodeUTF16(file)
}

// sections adds the edits that a file makes in passing: a section makes its key.
func sections(edits []hive.Edit) []hive.Edit {
	var all []hive.Edit
	var open hive.Path
	for _, e := range edits {
		switch e.Op {
		case hive.CreateKey:
			open = e.Path
		case hive.DeleteKey:
			open = nil
		default:
			if !reflect.DeepEqual(open, e.Path) {
				open = e.Path
				all = append(all, hive.Edit{Op: hive.CreateKey, Path: e.Path})
			}
		}
		all = append(all, e)
	}
	return all
}

// diffEdits compares edits that were read with those that were written.
func diffEdits(got, written []hive.Edit) string {
	for i := range max(len(got), len(written)) {
		if i >= len(got) || i >= len(written) {
			return fmt.Sprintf("%d edits, want %d", len(got), len(written))
		}
		g, w := got[i], written[i]
		v := Imported(w.Value)
		switch w.Op {
		case hive.DeleteValue:
			v = hive.Value{Name: w.Value.Name}
		case hive.CreateKey, hive.DeleteKey:
			v = hive.Value{}
		}
		if g.Op != w.Op || !reflect.DeepEqual(g.Path, w.Path) || g.Value.Name != v.Name || g.Value.Type != v.Type || !bytes.Equal(g.Value.Data, v.Data) {
			return fmt.Sprintf("edit %d is %+v, want %+v with the value %+v", i, g, w, v)
		}
	}
	return ""
}

func FuzzParse(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.in))
		f.Add(wide(c.in))
		f.Add([]byte(strings.ReplaceAll(c.in, "\n", "\r\n")))
	}
	for _, c := range rejects {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz", data)
		if err != nil {
			var p *hive.Problem
			if !errors.As(err, &p) || p.Kind != hive.BadText || p.Msg == "" {
				t.Fatalf("error is %#v", err)
			}
			checkScan(t, data, nil)
			checkOrdered(t, Options{}, data, nil)
			return
		}
		checkScan(t, data, file)
		if len(data) < 1<<16 {
			checkOrdered(t, Options{}, data, file)
		}
		again, err := Parse("fuzz", data)
		if err != nil || !reflect.DeepEqual(file, again) {
			t.Fatal("reading twice gives two results")
		}
		most := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
		inside := func(at hive.Location) bool { return 1 <= at.Line && at.Line <= most && at.Column >= 1 }
		last := 0
		for _, e := range file.Edits {
			if !inside(e.At) || e.At.Line < last {
				t.Fatalf("edit at %v, behind line %d, of %d lines", e.At, last, most)
			}
			last = e.At.Line
		}
		for i, p := range file.Problems {
			if !inside(p.At) && (i+1 < len(file.Problems) || i < maxProblems) {
				t.Fatalf("problem at %v of %d lines", p.At, most)
			}
			if p.Source != "fuzz" || p.Kind == "" || p.Msg == "" || strings.ContainsAny(p.Msg, "\r\n\x00") {
				t.Fatalf("problem is %+v", p)
			}
		}
		checkRewrite(t, file.Edits)
		tree := file.Tree()
		if len(file.Edits) > 0 && len(file.Edits) < 100 {
			checkExport(t, tree)
		}
	})
}

// checkExport requires that an export is read back as the exported tree, except for what Windows' own form loses.
func checkExport(t *testing.T, tree *hive.Key) {
	t.Helper()
	var out bytes.Buffer
	if err := Export(&out, Tree{Root: tree}); err != nil {
		t.Fatal(err)
	}
	f, err := Parse("export", out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Problems) > 0 {
		t.Fatalf("problem in an export: %v", f.Problems[0].Error())
	}
	if checkOrdered(t, Options{}, out.Bytes(), f) == nil {
		t.Fatalf("an export cannot be read key by key:\n%s", show(out.Bytes()))
	}
	var edits []hive.Edit
	for path, k := range tree.Walk() {
		if k.Implied() {
			continue // it is not written, and may have nothing below it
		}
		edits = append(edits, hive.Edit{Op: hive.CreateKey, Path: path.Join()})
		for _, v := range k.Values() {
			if text, ok := windowsText(v.Data); ok && v.Type == hive.SZ {
				v.Data = append(append([]byte(nil), text.units...), 0, 0)
			}
			edits = append(edits, hive.Edit{Op: hive.SetValue, Path: path.Join(), Value: Imported(v)})
		}
	}
	if d := hive.Diff(hive.Apply(hive.NewImpliedKey(""), edits...), f.Tree()); len(d) > 0 {
		t.Fatalf("the export differs: %+v\n%s", d[0], show(out.Bytes()))
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("Software", "name", uint32(1), []byte("a\x00\x00\x00"), "comment", uint8(2))
	f.Add(`quote " and ]`, `C:\x"y`, uint32(1), []byte("\\\x00\"\x00\x00\x00"), "two\nlines", uint8(2))
	f.Add("a\\b", "line\nbreak", uint32(7), []byte{}, "\x00", uint8(3))
	f.Add("Ключ", "\xed\xa0\x80", uint32(0xFFFFFFFF), bytes.Repeat([]byte{1}, 100), "", uint8(2))
	f.Add("-", "@", uint32(4), []byte{1, 2, 3, 4}, "; x", uint8(1))
	f.Add(" ", "", uint32(2), []byte{1, 0, 2}, "é", uint8(0))
	f.Add("k", "cr", uint32(1), []byte("a\x00\r\x00\x00\x00"), "a\rb", uint8(2))
	f.Fuzz(func(t *testing.T, key, name string, typ uint32, data []byte, comment string, op uint8) {
		path := hive.Path{"HKEY_LOCAL_MACHINE"}
		for part := range strings.SplitSeq(key, "/") {
			path = append(path, part)
		}
		edits := []hive.Edit{
			{Op: hive.CreateKey, Path: path},
			{Op: hive.Op(op % 5), Path: path, Value: hive.Value{Name: name, Type: hive.Type(typ), Data: data}},
			{Op: hive.SetValue, Path: path[:1], Value: hive.Value{Name: name, Type: hive.Type(op), Data: data}},
		}
		var out bytes.Buffer
		if err := Write(&out, comment, edits); err != nil {
			if out.Len() > 0 || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Fatalf("Write failed with %q and wrote %d bytes", err, out.Len())
			}
			return
		}
		parsed, err := Parse("written", out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(parsed.Problems) > 0 {
			t.Fatalf("problem in what was written: %v\n%s", parsed.Problems[0].Error(), show(out.Bytes()))
		}
		if diff := diffEdits(parsed.Edits, sections(edits)); diff != "" {
			t.Fatalf("%s\n%s", diff, show(out.Bytes()))
		}
	})
}

// randomTree returns a tree of the roots with names, types and data of all sorts.
func randomTree(r *rand.Rand) *hive.Key {
	letters := []rune(`ab]["\;@=- 	é€😀` + "\uFFFD\u0085\u2028")
	name := func(but string) string {
		var s strings.Builder
		for range 1 + r.IntN(8) {
			if c := letters[r.IntN(len(letters))]; !strings.ContainsRune(but, c) {
				s.WriteRune(c)
			}
		}
		if s.Len() == 0 || r.IntN(20) == 0 {
			s.WriteString("\xed\xa0\x80")
		}
		return s.String()
	}
	var key func(name string, depth int) *hive.Key
	key = func(keyName string, depth int) *hive.Key {
		var values []hive.Value
		for range r.IntN(6) {
			v := hive.Value{Name: name(""), Type: hive.Type(r.IntN(12)), Data: make([]byte, r.IntN(120))}
			for i := range v.Data {
				v.Data[i] = byte(r.UintN(256)) * byte(r.UintN(2))
			}
			switch r.IntN(5) {
			case 0:
				v = hive.StringValue(v.Name, hive.SZ, name(""))
			case 1:
				v = hive.DWordValue("", r.Uint32())
			case 2:
				v.Type = hive.Type(r.Uint32())
			}
			values = append(values, v)
		}
		var keys []*hive.Key
		for range r.IntN(4) * min(depth, 1) {
			keys = append(keys, key(name(`\`), depth-1))
		}
		return hive.NewKey(keyName, values, keys...)
	}
	var roots []*hive.Key
	for _, root := range hive.RootNames() {
		roots = append(roots, key(root, 3))
	}
	return hive.NewKey("", nil, roots...)
}

func TestLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		a, b := randomTree(r), randomTree(r)
		checkExport(t, a)
		edits := hive.Diff(a, b)
		checkRewrite(t, edits)
	}
}

// TestEveryCharacter compares what is found eight bytes at a time with what is found one by one, for each character at each place.
func TestEveryCharacter(t *testing.T) {
	plain := func(r rune) bool { return ' ' <= r && r <= '~' && r != '"' && r != '\\' }
	stops := func(r rune) bool { return r <= '\r' || r == '"' || r == '\\' }
	for r := rune(0); r < 0x180; r++ {
		for length := range 20 {
			for at := range length {
				text := strings.Repeat("~", at) + string(r) + strings.Repeat("!", length-at-1)
				if got, want := hive.IsPlain(text), plain(r); got != want {
					t.Fatalf("IsPlain(%q) = %v", text, got)
				}
				want := length / 4 * 4 // what is left over is for the caller to look at
				if stops(r) {
					want = min(want, at)
				}
				if i := plainUnits(hive.EncodeUTF16(text), 0); i != 2*want {
					t.Fatalf("plainUnits of %q = %d, want %d", text, i, 2*want)
				}
			}
		}
	}
}
