package polfile_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/polfile"
	"regvet/internal/shared"
)

func entry(key, value string, typ hive.Type, data ...byte) polfile.Entry {
	return polfile.Entry{Key: key, Value: value, Type: typ, Data: data}
}

func text(s string) []byte { return append(hive.EncodeUTF16(s), 0, 0) }

// checkFile holds the laws of reading: a file that is read without a problem is written again byte for byte, and what is read of any other is
// the start of it.
func checkFile(t *testing.T, data []byte) *polfile.File {
	t.Helper()
	f, err := polfile.Parse("x.pol", data)
	if err != nil {
		if f != nil {
			t.Fatalf("both a file and the error %v", err)
		}
		return nil
	}
	again := polfile.Bytes(f.Entries)
	switch {
	case len(f.Problems) == 0 && !bytes.Equal(again, data):
		t.Fatalf("written again:\n%x\nread:\n%x", again, data)
	case !bytes.HasPrefix(data, again):
		t.Fatalf("not the start of the file:\n%x\n%x", again, data)
	case len(f.Problems) > 0 && (f.Problems[0].At.Offset < int64(len(again)) || f.Problems[0].At.Offset > int64(len(data)) || !f.Problems[0].Loss):
		t.Fatalf("%d bytes were read, and the problem is %+v", len(again), f.Problems[0])
	}
	return f
}

// TestShared compares with what another reader found in the files of real policies.
func TestShared(t *testing.T) {
	for _, path := range shared.Glob(t, "corpora/registry-pol", "*.pol") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := checkFile(t, data)
		if f == nil || len(f.Problems) > 0 {
			t.Fatalf("%s: %+v", path, f)
		}
		listing, err := os.ReadFile(path + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for i, e := range f.Entries {
			fmt.Fprintln(&got, strings.Join([]string{strconv.Itoa(i + 1), fmt.Sprint(e.At.Offset), escaped(e.Key), escaped(e.Value), fmt.Sprint(uint32(e.Type)), e.Type.String(), fmt.Sprint(len(e.Data)), datum(t, e)}, "\t"))
		}
		var want strings.Builder
		for line := range strings.Lines(string(listing)) {
			if fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); fields[0] != "n" {
				fmt.Fprintln(&want, strings.Join(fields[:8], "\t"))
			}
		}
		if got.String() != want.String() {
			t.Errorf("%s: got\n%s\nwant\n%s", path, got.String(), want.String())
		}
		if _, problems := f.Edits(polfile.Machine, nil); len(problems) > 0 {
			t.Errorf("%s: %v", path, problems)
		}
	}
}

// escaped returns text as the listings write it.
func escaped(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\r", `\r`, "\n", `\n`, "\x00", `\0`).Replace(s)
}

func datum(t *testing.T, e polfile.Entry) string {
	switch e.Type {
	case hive.SZ, hive.ExpandSZ:
		return escaped(hive.DecodeUTF16(e.Data[:len(e.Data)-2]))
	case hive.MultiSZ:
		return escaped(hive.DecodeUTF16(e.Data))
	case hive.DWord, hive.QWord:
		n, err := hive.Value{Type: e.Type, Data: e.Data}.Uint64()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(n)
	}
	return hex.EncodeToString(e.Data)
}

// TestBytes holds the layout of an entry: brackets, terminators, sizes and the numbers of the types.
func TestBytes(t *testing.T) {
	edits := []hive.Edit{
		{Op: hive.SetValue, Path: hive.Path{"HKEY_LOCAL_MACHINE", "A", "B"}, Value: hive.Value{Name: "n", Type: hive.DWord, Data: []byte{1, 2, 3, 4}}},
		{Op: hive.DeleteValue, Path: hive.Path{"HKEY_LOCAL_MACHINE", "A"}, Value: hive.Value{Name: "v"}},
		{Op: hive.CreateKey, Path: hive.Path{"HKEY_LOCAL_MACHINE", "A"}},
		{Op: hive.CreateKey, Path: hive.Path{"HKEY_CURRENT_USER", "U"}},
	}
	wide := func(s string) string { return string(hive.EncodeUTF16(s)) }
	want := "PReg\x01\x00\x00\x00" +
		wide("[A\\B\x00;n\x00;") + "\x04\x00\x00\x00" + wide(";") + "\x04\x00\x00\x00" + wide(";") + "\x01\x02\x03\x04" + wide("]") +
		wide("[A\x00;**del.v\x00;") + "\x01\x00\x00\x00" + wide(";") + "\x04\x00\x00\x00" + wide("; \x00]") +
		wide("[A\x00;\x00;") + "\x00\x00\x00\x00" + wide(";") + "\x00\x00\x00\x00" + wide(";]")
	if got := polfile.Bytes(polfile.Entries(polfile.Machine, edits)); string(got) != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := polfile.Entries(polfile.User, edits); len(got) != 1 || got[0].Key != "U" {
		t.Errorf("of the user: %v", got)
	}
}

// TestDamage holds what is said of files that are damaged, with the place.
func TestDamage(t *testing.T) {
	good := polfile.Bytes([]polfile.Entry{entry("A", "n", hive.DWord, 1, 0, 0, 0), entry("B", "m", hive.SZ, text("x")...)})
	second := len(polfile.Bytes([]polfile.Entry{entry("A", "n", hive.DWord, 1, 0, 0, 0)}))
	set := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no header", []byte("REGEDIT4"), "x.pol: is no Registry.pol: it does not begin with PReg"},
		{"empty", nil, "x.pol: is no Registry.pol: it does not begin with PReg"},
		{"cut header", good[:6], "x.pol: has 6 bytes, fewer than the header of a Registry.pol; copy it again"},
		{"version", set(4, 2), "x.pol: is a Registry.pol of version 2, and only version 1 is known"},
		{"no bracket", set(second, 'x'), `x.pol: offset 0x28: 78 00 instead of '['; nothing behind it was read`},
		{"size that lies", set(second+20, 0xff, 0xff, 0xff, 0xff), "x.pol: offset 0x42: the data have 4294967295 bytes by their size, and the file has 6 more, in the entry at offset 0x28; nothing behind it was read"},
		{"size too small", set(second+20, 2), `x.pol: offset 0x44: 00 00 instead of ']', in the entry at offset 0x28; nothing behind it was read`},
		{"cut in data", good[:len(good)-3], "x.pol: offset 0x42: the data have 4 bytes by their size, and the file has 3 more, in the entry at offset 0x28; nothing behind it was read"},
		{"cut before the bracket", good[:len(good)-1], `x.pol: offset 0x46: the file ends where ']' should be, in the entry at offset 0x28; nothing behind it was read`},
		{"cut in key", good[:second+3], "x.pol: offset 0x2a: the key does not end with a NUL, in the entry at offset 0x28; nothing behind it was read"},
		{"cut in type", good[:second+16], "x.pol: offset 0x36: the file ends where the type should be, in the entry at offset 0x28; nothing behind it was read"},
		{"no semicolon", set(second+6, ','), `x.pol: offset 0x2e: 2c 00 instead of ';', in the entry at offset 0x28; nothing behind it was read`},
	} {
		checkFile(t, c.data)
		f, err := polfile.Parse("x.pol", c.data)
		got := ""
		if err != nil {
			got = err.Error()
		} else if _, problems := f.Edits(polfile.Machine, nil); len(problems) == 1 && len(f.Entries) == 1 {
			got = problems[0].Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if _, err := polfile.Parse("x.pol", make([]byte, polfile.MaxSize+1)); err == nil || err.Error() != "x.pol: has 67108865 bytes, and a Registry.pol is read up to 67108864" {
		t.Error(err)
	}
}

// TestEdits holds what the instructions do, to a registry in which the key A\B has the values old and other.
func TestEdits(t *testing.T) {
	names := func(p hive.Path) []string {
		if p.Equal(hive.Path{polfile.Machine, "A", "B"}) {
			return []string{"old", "other"}
		}
		return nil
	}
	one := []byte{1, 0, 0, 0}
	for _, c := range []struct {
		name    string
		entries []polfile.Entry
		want    []string
		problem string
	}{
		{"set", []polfile.Entry{entry(`A\B`, "n", hive.DWord, one...)}, []string{`set A\B n`}, ""},
		{"backslashes around", []polfile.Entry{entry(`\A\B\`, "n", hive.DWord, one...)}, []string{`set A\B n`}, ""},
		{"delete", []polfile.Entry{entry(`A\B`, "**DEL.n", hive.SZ, text(" ")...)}, []string{`delete A\B n`}, ""},
		{"delete all", []polfile.Entry{entry(`A\B`, "new", hive.DWord, one...), entry(`a\b`, "**delvals.", hive.SZ, text(" ")...), entry(`A\B`, "late", hive.DWord, one...)},
			[]string{`set A\B new`, `delete a\b new`, `delete a\b old`, `delete a\b other`, `set A\B late`}, ""},
		{"delete all, without the dot", []polfile.Entry{entry(`A\B`, "**DelVals", hive.SZ, text(" ")...)}, []string{`delete A\B old`, `delete A\B other`}, ""},
		{"delete some", []polfile.Entry{entry(`A\B`, "**DeleteValues", hive.SZ, text("x;;old")...), entry(`A\B`, "**soft.old", hive.DWord, one...)},
			[]string{`delete A\B x`, `delete A\B old`, `set A\B old`}, ""},
		{"delete keys", []polfile.Entry{entry(`A`, "**DeleteKeys", hive.SZ, text("b;c")...), entry(`A\B`, "**soft.OLD", hive.DWord, one...), entry(`A\B`, "**soft.old", hive.DWord, one...)},
			[]string{`delete key A\b`, `delete key A\c`, `set A\B OLD`}, ""},
		{"no subkey", []polfile.Entry{entry(`A`, "**DeleteKeys", hive.SZ, text(`b\c`)...)}, nil, `**DeleteKeys names b\c, which is no subkey; it is left out`},
		{"soft", []polfile.Entry{entry(`A\B`, "**soft.Old", hive.DWord, one...), entry(`A\B`, "**soft.n", hive.DWord, one...), entry(`A\B`, "**soft.n", hive.DWord, one...)}, []string{`set A\B n`}, ""},
		{"make the key", []polfile.Entry{entry(`A\New`, "", hive.None)}, []string{`make A\New`}, ""},
		{"secure", []polfile.Entry{entry(`A`, "**SecureKey", hive.DWord, one...)}, nil, `**SecureKey changes who may write to the key HKEY_LOCAL_MACHINE\A, which is no edit of the registry`},
		{"unknown", []polfile.Entry{entry(`A`, "**new\x1b.x", hive.DWord, one...)}, nil, `the instruction **new\x1b.x is not known; it is left out`},
		{"default value", []polfile.Entry{entry(`A`, "", hive.SZ, text("x")...)}, []string{`set A `}, `an entry without a name or data: by one page of Microsoft it sets the value, by another it only makes the key; it is read as a value of the key HKEY_LOCAL_MACHINE\A`},
		{"no key", []polfile.Entry{entry(`\`, "n", hive.DWord, one...)}, nil, `the entry is of no key that can be: \; it is left out`},
		{"deep", []polfile.Entry{entry(strings.Repeat(`k\`, hive.MaxDepth+1), "n", hive.DWord, one...)}, nil, "the entry is of no key that can be: " + strings.Repeat(`k\`, 100) + "…; it is left out"},
	} {
		f, err := polfile.Parse("", polfile.Bytes(c.entries))
		if err != nil {
			t.Fatal(err)
		}
		edits, problems := f.Edits(polfile.Machine, names)
		var got []string
		for _, e := range edits {
			word := map[hive.Op]string{hive.CreateKey: "make", hive.DeleteKey: "delete key", hive.SetValue: "set", hive.DeleteValue: "delete"}[e.Op]
			line := word + " " + e.Path[1:].String()
			if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
				line += " " + e.Value.Name
			}
			got = append(got, line)
		}
		msg := ""
		for _, p := range problems {
			msg += p.Msg
		}
		if !reflect.DeepEqual(got, c.want) || msg != c.problem {
			t.Errorf("%s: %q, %q", c.name, got, msg)
		}
	}
}

// TestManyProblems holds that a file of nothing but mistakes lists a thousand of them.
func TestManyProblems(t *testing.T) {
	f, err := polfile.Parse("x.pol", polfile.Bytes(make([]polfile.Entry, 3000)))
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := f.Edits(polfile.User, nil); len(problems) != 1001 || problems[1000].Error() != "x.pol: 2000 more problems are not listed" || !problems[1000].Loss {
		t.Error(len(problems), problems[len(problems)-1])
	}
}

func TestUnwritable(t *testing.T) {
	set := func(v hive.Value) hive.Edit {
		return hive.Edit{Op: hive.SetValue, Path: hive.Path{polfile.Machine, "A"}, Value: v}
	}
	at := func(path ...string) hive.Edit { return hive.Edit{Op: hive.CreateKey, Path: path} }
	one := []byte{1, 0, 0, 0}
	for _, c := range []struct {
		edit hive.Edit
		want string
	}{
		{set(hive.Value{Name: "n", Type: hive.DWord, Data: one}), ""},
		{set(hive.Value{Name: strings.Repeat("n", 259), Type: hive.DWord, Data: one}), ""},
		{set(hive.Value{Name: strings.Repeat("n", 260), Type: hive.DWord, Data: one}), "its name would have 260 characters in a policy, which takes 259"},
		{set(hive.Value{Name: "a;b]$(calc)`'\u2018\u00e9", Type: hive.SZ, Data: text("x\n\u2018];[")}), ""},
		{set(hive.Value{Type: hive.SZ, Data: text("x")}), "in a policy, an entry without the name of a value only makes the key"},
		{set(hive.Value{Name: "**del.x", Type: hive.SZ, Data: text("x")}), "a policy takes a value name that begins with two stars for an instruction"},
		{set(hive.Value{Name: "a\nb", Type: hive.SZ, Data: text("x")}), "a name holds a control character, which no policy may"},
		{set(hive.Value{Name: "a\x00b", Type: hive.SZ, Data: text("x")}), "a name holds a control character, which no policy may"},
		{set(hive.Value{Name: "\xED\xA0\x80", Type: hive.SZ, Data: text("x")}), "a name is not text"},
		{set(hive.Value{Name: "n", Type: hive.SZ}), "in a policy, an entry without data may only make the key"},
		{set(hive.Value{Name: "n", Type: hive.SZ, Data: []byte("x\x00")}), "its text does not end with a NUL, as that in a policy does"},
		{set(hive.Value{Name: "n", Type: hive.DWord, Data: []byte{1}}), "REG_DWORD of 1 byte, must be 4"},
		{set(hive.Value{Name: "n", Type: hive.None, Data: one}), "a policy has no values of type REG_NONE"},
		{set(hive.Value{Name: "n", Type: hive.Binary, Data: make([]byte, 65535)}), ""},
		{set(hive.Value{Name: "n", Type: hive.Binary, Data: make([]byte, 65536)}), "it has 65536 bytes of data, and an entry of a policy takes 65535"},
		{hive.Edit{Op: hive.DeleteValue, Path: hive.Path{polfile.User, "A"}, Value: hive.Value{Name: strings.Repeat("n", 254)}}, "its name would have 260 characters in a policy, which takes 259"},
		{hive.Edit{Op: hive.DeleteKey, Path: hive.Path{polfile.User, "A"}}, "Microsoft does not say whether a policy that deletes a key deletes what is below it"},
		{at(polfile.User, "A"), ""},
		{at(polfile.User), "it is a root of the registry"},
		{at(), "no root is named"},
		{at("HKEY_USERS", "A"), "a policy holds keys of HKEY_LOCAL_MACHINE and HKEY_CURRENT_USER only"},
		{at(polfile.User, `a\b`), "the name of a key is empty or holds a backslash"},
		{at(polfile.User, ""), "the name of a key is empty or holds a backslash"},
	} {
		if got := polfile.Unwritable(c.edit); got != c.want {
			t.Errorf("%+v: %q, want %q", c.edit, got, c.want)
		}
	}
}

// TestWriteLaw holds that edits that can be written are read back as they are, whatever their names and data hold.
func TestWriteLaw(t *testing.T) {
	r := rand.New(rand.NewPCG(196271, 17))
	pieces := []string{"a", "B", ";", "[", "]", "*", "**", "**del.", "$(calc)", "'", "\u2018", "\u201c", "`", "\n", "\x00", `\`, "é", "\U0001F600", " ", "\xED\xA0\x80"}
	name := func() (s string) {
		for range r.IntN(5) {
			s += pieces[r.IntN(len(pieces))]
		}
		return s
	}
	written := 0
	for range 20000 {
		e := hive.Edit{Op: hive.Op(r.IntN(4)), Path: hive.Path{polfile.Machine, name()}}
		if r.IntN(2) == 0 {
			e.Path = e.Path.Join(name())
		}
		if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
			e.Value.Name = name()
		}
		if e.Op == hive.SetValue {
			e.Value.Type, e.Value.Data = hive.Type(r.IntN(12)), text(name())
		}
		if polfile.Unwritable(e) != "" {
			continue
		}
		written++
		f, err := polfile.Parse("", polfile.Bytes(polfile.Entries(polfile.Machine, []hive.Edit{e})))
		if err != nil {
			t.Fatal(err)
		}
		back, problems := f.Edits(polfile.Machine, nil)
		if len(problems) > 0 || len(back) != 1 {
			t.Fatalf("%+v: %v, %v", e, back, problems)
		}
		back[0].At, back[0].Value.At = hive.Location{}, hive.Location{}
		if !reflect.DeepEqual(back[0], e) {
			t.Fatalf("%+v read back as %+v", e, back[0])
		}
	}
	if written < 2000 {
		t.Errorf("only %d of 20000 edits could be written", written)
	}
}

// FuzzParse holds the laws of reading, and that what is held is proportional to the file.
func FuzzParse(f *testing.F) {
	f.Add(polfile.Bytes(nil))
	f.Add(polfile.Bytes([]polfile.Entry{
		entry(`A\B`, "n", hive.DWord, 1, 0, 0, 0), entry("A", "**DeleteKeys", hive.SZ, text("B;C")...), entry(`A\B`, "**delvals.", hive.SZ, text(" ")...),
		entry("A", "**soft.x", hive.SZ, text("x")...), entry("A", "**DeleteValues", hive.SZ, text("x;y")...), entry("A", "", hive.None), entry("A", "**SecureKey", hive.DWord, 1, 0, 0, 0),
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := checkFile(t, data)
		if file == nil {
			return
		}
		if most := len(data) / 24; len(file.Entries) > most { // the bytes of an entry without key, name and data
			t.Fatalf("%d entries in %d bytes", len(file.Entries), len(data))
		}
		edits, problems := file.Edits(polfile.User, nil)
		if most := len(data) / 2; len(edits) > most || len(problems) > 1002 { // a name in the data of an instruction takes a semicolon at least
			t.Fatalf("%d edits and %d problems of %d bytes", len(edits), len(problems), len(data))
		}
		for _, e := range edits {
			if len(e.Path) < 2 || e.Path[0] != polfile.User {
				t.Fatalf("an edit outside of the user: %v", e.Path)
			}
		}
	})
}
