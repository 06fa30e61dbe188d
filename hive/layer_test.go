package hive_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/hivetest"
)

// layer returns a hive that is a layer: it deletes the key Gone and the value w of Part, hides the values below Local, and all below Tree.
func layer(flags byte, minor uint32) []byte {
	values := []hive.Value{hive.DWordValue("v", 1), {Name: "w", Type: hive.None, Data: []byte{}}}
	data, at := hivetest.BuildLayout(&hivetest.Key{Keys: []*hivetest.Key{
		{Name: "Gone"}, {Name: "Local", Values: values[:1]}, {Name: "Part", Values: values},
		{Name: "Tree", Keys: []*hivetest.Key{{Name: "Below"}}},
	}}, hivetest.Options{Minor: minor})
	for name, bits := range map[string]byte{"Gone": 0x01, "Local": 0x02, "Tree": 0x83} {
		data[at.Key(name).Node+hivetest.NodeAccessBits+1] = bits
	}
	data[at.Key("Part").Values["w"].Record+hivetest.ValueFlags] |= 0x02
	data[144] = flags
	hivetest.Seal(data)
	return data
}

// TestLayer tests what a layer proves: what it holds and what it deletes, but not what it lacks.
func TestLayer(t *testing.T) {
	f := read(t, layer(0x02, 6))
	root := f.Root()
	if !f.Header.Layered() {
		t.Error("not taken for a layer")
	}
	known := map[hive.Known]string{hive.Whole: "whole", hive.Partial: "partial"}
	var got []string
	for path, k := range root.Walk() {
		got = append(got, fmt.Sprintf("%s keys %s, values %s", path, known[k.KeysKnown()], known[k.ValuesKnown()]))
	}
	want := []string{" keys partial, values partial", "Local keys partial, values whole", "Part keys partial, values partial", "Tree keys whole, values whole", `Tree\Below keys whole, values whole`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	part := root.Key("Part")
	if _, ok := part.Value("w"); ok || root.Key("Gone") != nil {
		t.Error("what is deleted is there")
	}
	if root.KeyKnown("GONE") != hive.Whole || root.KeyKnown("Other") != hive.Partial || part.ValueKnown("W") != hive.Whole || part.ValueKnown("x") != hive.Partial {
		t.Error("deletions are no facts, or gaps are")
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.ParsePath(`HKLM\SYSTEM`), root)
	for path, want := range map[string]hive.Known{`HKLM\SYSTEM\Gone\X`: hive.Whole, `HKLM\SYSTEM\Other`: hive.Partial, `HKLM\SYSTEM\Tree\Other`: hive.Whole} {
		if m := reg.Find(hive.ParsePath(path))[0]; m.Key != nil || m.Known != want {
			t.Errorf("%s: %v, want %v", path, m.Known, want)
		}
	}
	if v := reg.Windows(); v.Below != (hive.Version{}) {
		t.Errorf("what a layer lacks proves a version: %v", v)
	}
	var text bytes.Buffer
	if err := regfile.Export(&text, regfile.Tree{Root: root, At: hive.ParsePath(`HKLM\SYSTEM`)}); err != nil {
		t.Error(err)
	}
	lines := strings.Fields(hive.DecodeUTF16(text.Bytes())[len("\ufeffWindows Registry Editor Version 5.00"):])
	const system = `HKEY_LOCAL_MACHINE\SYSTEM`
	if diff := cmp.Diff([]string{"[" + system + "]", "[-" + system + `\Gone]`, "[" + system + `\Local]`, `"v"=dword:00000001`, "[" + system + `\Part]`, `"v"=dword:00000001`, `"w"=-`,
		"[" + system + `\Tree]`, "[" + system + `\Tree\Below]`}, lines); diff != "" {
		t.Error(diff)
	}
}

// TestNoLayer requires that the flag and the bits count only together, and only since the version that has layers: in Windows 8 the flag means
// something else, and NT 4 leaves anything in that place.
func TestNoLayer(t *testing.T) {
	for _, c := range []struct {
		flags byte
		minor uint32
	}{{0, 6}, {0x01, 6}, {0x02, 5}} {
		root := read(t, layer(c.flags, c.minor)).Root()
		if root.Key("Gone") == nil || root.KeysKnown() != hive.Whole || len(root.Key("Part").Values()) != 2 {
			t.Errorf("flags %d, version 1.%d: taken for a layer", c.flags, c.minor)
		}
	}
}

// TestDiffOfLayers tests which differences a layer proves.
func TestDiffOfLayers(t *testing.T) {
	root := read(t, layer(0x02, 6)).Root()
	host := hive.NewKey("", nil, hive.NewKey("Gone", nil), hive.NewKey("Other", nil), hive.NewKey("Part", []hive.Value{hive.DWordValue("v", 1), hive.DWordValue("w", 2), hive.DWordValue("x", 3)}))
	ops := []string{"create key", "delete key", "set value", "delete value"}
	say := func(edits []hive.Edit) (all []string) {
		for _, e := range edits {
			all = append(all, strings.TrimSpace(fmt.Sprint(ops[e.Op], " ", e.Path, " ", e.Value.Name)))
		}
		return all
	}
	proven, open := hive.DiffKnown(host, root)
	var unproven []hive.Edit
	for _, u := range open {
		if u.Known != hive.Partial {
			t.Errorf("%v: known %v", u.Edit, u.Known)
		}
		unproven = append(unproven, u.Edit)
	}
	if edits := say(proven); !slices.Contains(edits, "delete key Gone") || !slices.Contains(edits, "delete value Part w") || slices.Contains(edits, "delete key Other") {
		t.Errorf("proven: %q", edits)
	}
	if diff := cmp.Diff([]string{"delete key Other", "delete value Part x"}, say(unproven)); diff != "" {
		t.Error(diff)
	}

	other := hive.Apply(read(t, layer(0x02, 6)).Root())
	if edits, open := hive.DiffKnown(other, root); len(edits) != 0 || len(open) != 0 {
		t.Errorf("a layer differs from itself: %v, %v", edits, open)
	}
}
