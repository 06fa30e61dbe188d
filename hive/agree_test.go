package hive_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/report"
)

// agree checks that a walk of a hive, lookups by path and both forms of an export say the same.
func agree(t testing.TB, root *hive.Key) {
	t.Helper()
	at := hive.Path{"HKEY_LOCAL_MACHINE", "FUZZ"}
	found(t, root, at)
	sameLines(t, root, at)
	sameText(t, root, at)
}

// found looks up each key by its path from the root of the registry. Lookups find the first of several keys of one name, and follow links.
func found(t testing.TB, root *hive.Key, at hive.Path) {
	t.Helper()
	reg := hive.NewRegistry()
	reg.Mount(at, root)
	hidden := func(k *hive.Key, path hive.Path) bool { // by a key of the same name, or by a link
		for _, name := range path {
			if _, link := k.Link(); link {
				return true
			}
			if k = k.Key(name); k == nil {
				return twice(root, path)
			}
		}
		_, link := k.Link()
		return link
	}
	for path, k := range root.Walk() {
		if len(path) == 0 || len(path) > 32 || hidden(root, path) { // of deep paths each costs what all of them together should
			continue
		}
		want := root
		for _, name := range path {
			want = want.Key(name)
		}
		all := reg.Find(at.Join(path...))
		if len(all) != 1 || all[0].Key != want {
			t.Fatalf("%q is not found by its path: %.300v", path, all)
		}
		if first := want == k; !first && !hive.EqualFold(want.Name(), k.Name()) {
			t.Fatalf("%q leads to %q", path, want.Name())
		}
	}
}

// twice reports whether two keys of one parent have the same name on the way along a path: then the first of them hides what is below the other.
func twice(k *hive.Key, path hive.Path) bool {
	for _, name := range path {
		n := 0
		for _, c := range k.Keys() {
			if hive.EqualFold(c.Name(), name) {
				n++
			}
		}
		if n > 1 {
			return true
		}
		if k = k.Key(name); k == nil {
			return false
		}
	}
	return false
}

// sameLines compares the lines of JSON with the walk in the order of the file.
func sameLines(t testing.TB, root *hive.Key, at hive.Path) {
	t.Helper()
	var out bytes.Buffer
	if err := report.Keys(&out, root, at, report.KeyFields{Times: true, Full: true}); err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(&out)
	lines.DisallowUnknownFields()
	for path, k := range root.WalkStored() {
		var line struct {
			Key, Modified string
			Offset        int64
			Values        []struct {
				Name, Type string
				TypeID     uint32 `json:"type_id"`
				Data       *string
				Short      bool
				Offset     int64
			}
			Flags, Layer    []string
			Access          int `json:"access_bits"`
			Class, Security *string
			Tombstones      struct{ Keys, Values []string }
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatalf("no line for %q: %v", path, err)
		}
		if line.Key != hive.Printable(at.Join(path...).String()) || line.Offset != k.At().Offset || len(line.Values) != len(k.Values()) {
			t.Fatalf("the line of %q at %v, which has %d values, is %+v", path, k.At(), len(k.Values()), line)
		}
		var gone, goneValues []string
		keys, values := k.Tombstones()
		for _, k := range keys {
			gone = append(gone, hive.Printable(k.Name()))
		}
		for _, v := range values {
			goneValues = append(goneValues, hive.Printable(v.Name))
		}
		if !slices.Equal(line.Tombstones.Keys, gone) || !slices.Equal(line.Tombstones.Values, goneValues) {
			t.Fatalf("%q deletes %q and %q, and its line says %+v", path, gone, goneValues, line.Tombstones)
		}
		for i, v := range k.Values() {
			l := line.Values[i]
			none := v.Short && v.Data == nil
			if l.Name != hive.Printable(v.Name) || l.TypeID != uint32(v.Type) || l.Type != v.Type.String() || l.Short != v.Short || l.Offset != v.At.Offset ||
				(l.Data == nil) != none || !none && *l.Data != hex.EncodeToString(v.Data) {
				t.Fatalf("value %q of %q is written as %+v", v.Name, path, l)
			}
		}
	}
	if lines.More() {
		t.Fatal("there are more lines than keys")
	}
}

// sameText exports a tree as .reg text and reads that. What the text cannot express must be left out, and reported.
func sameText(t testing.TB, root *hive.Key, at hive.Path) {
	t.Helper()
	var out bytes.Buffer
	err := regfile.Export(&out, regfile.Tree{Root: root, At: at})
	left, ok := errors.AsType[regfile.LeftOut](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	f, err := regfile.Parse("export", out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Problems) > 0 {
		t.Fatalf("the export has a problem: %.300s", f.Problems[0].Error())
	}
	cannot := func(e hive.Edit) bool { return regfile.Write(io.Discard, "", []hive.Edit{e}) != nil }
	var edits []hive.Edit
	skip, lost := -1, 0 // the depth of a key that is left out
	for path, k := range root.Walk() {
		if skip >= 0 && len(path) > skip {
			continue
		}
		skip = -1
		make := hive.Edit{Op: hive.CreateKey, Path: at.Join(path...)}
		if len(path) > 0 && cannot(hive.Edit{Op: hive.CreateKey, Path: at.Join(k.Name())}) || len(make.Path) > hive.MaxDepth && cannot(make) {
			skip = len(path)
			lost++
			continue
		}
		edits = append(edits, make)
		for _, v := range k.Values() {
			set := hive.Edit{Op: hive.SetValue, Path: make.Path, Value: exported(v)}
			if v.Short || cannot(hive.Edit{Op: hive.SetValue, Path: at, Value: set.Value}) {
				lost++
				continue
			}
			edits = append(edits, set)
		}
		keys, values := k.Tombstones()
		for _, c := range keys {
			gone := hive.Edit{Op: hive.DeleteKey, Path: make.Path.Join(c.Name())}
			if cannot(hive.Edit{Op: hive.DeleteKey, Path: at.Join(c.Name())}) || len(gone.Path) > hive.MaxDepth && cannot(gone) {
				lost++
			}
		}
		for _, v := range values {
			if cannot(hive.Edit{Op: hive.DeleteValue, Path: at, Value: v}) {
				lost++
			}
		}
	}
	if lost != len(left) {
		t.Fatalf("%d keys and values cannot be written as .reg text, the export tells of %d: %v", lost, len(left), left)
	}
	if d := hive.Diff(hive.Apply(hive.NewImpliedKey(""), edits...), f.Tree()); len(d) > 0 {
		t.Fatalf("the export differs from the walk: %.300v", d[0])
	}
}

// exported returns what is left of a value after an export and an import by Windows: a REG_SZ ends at its first NUL.
func exported(v hive.Value) hive.Value {
	if v.Type == hive.SZ {
		end := len(v.Data) &^ 1
		plain := true
		for i := 0; i < end; i += 2 {
			switch c := le.Uint16(v.Data[i:]); c {
			case 0:
				end = i
			case '\r', '\n':
				plain = false
			}
		}
		if plain {
			v.Data = append(bytes.Clone(v.Data[:end]), 0, 0)
		}
	}
	return regfile.Imported(v)
}
