package script_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/hive/script"
)

// psTest is a line of a detection.
var psTest = regexp.MustCompile(`^if \((-not \()?Test-(Key|Value) \$([A-Z]+) `)

// detects runs a detection over a registry, as far as it consists of tests, and returns how many of them find something to fix.
func detects(t *testing.T, text string, root *hive.Key) (tests, missing int) {
	if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' || r < ' ' && r != '\r' && r != '\n' }); i >= 0 {
		t.Fatalf("a script for Intune is not ASCII: %q", text[i:])
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		m := psTest.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		r := &psReader{t, line, line[len(m[0]):]}
		path := hive.ParsePath(m[3]).Join(strings.Split(r.text(), `\`)...)
		k := root
		for _, name := range path {
			if k = k.Key(name); k == nil {
				break
			}
		}
		holds := k != nil
		if m[2] == "Value" {
			r.need(" ")
			name := r.text()
			var v hive.Value
			ok := false
			if k != nil {
				v, ok = k.Value(name)
			}
			holds = ok
			if r.skip(" '") { // of the value to set, the type and the data
				kind, rest, _ := strings.Cut(r.rest, "' (")
				r.rest = rest
				want := r.data()
				r.need(")")
				holds = ok && v.Type == psTypes[kind] && string(v.Data) == string(want)
			}
		}
		if m[1] != "" {
			r.need(")")
			holds = !holds
		}
		r.need(") { $missing.Add(")
		r.text()
		r.need(") }")
		if r.rest != "" {
			t.Fatalf("%q is behind the test %q", r.rest, line)
		}
		tests++
		if holds {
			missing++
		}
	}
	return tests, missing
}

// TestDetection holds that a detection finds nothing to fix after the edits, and something if one of them changes anything; whatever names and
// data hold.
func TestDetection(t *testing.T) {
	tried, fixed := 0, 0
	for seed := range uint64(20000) {
		c := choices(rand.New(rand.NewPCG(seed, 3)).IntN)
		blocks := c.blocks()
		var edits []hive.Edit
		for i := range blocks {
			for j, e := range blocks[i].Edits {
				if root := e.Path[0]; root == "HKEY_CURRENT_USER" || root == "HKEY_CLASSES_ROOT" || root == "HKEY_USERS" {
					blocks[i].Edits[j].Path = hive.Path{"HKEY_LOCAL_MACHINE"}.Join(e.Path[1:]...)
				}
			}
			edits = append(edits, blocks[i].Edits...)
		}
		if slices.ContainsFunc(edits, func(e hive.Edit) bool { return overwritten(e, edits) }) {
			continue
		}
		text, err := script.Detection(c.text(), blocks)
		if err != nil {
			continue
		}
		var before []hive.Edit
		for _, e := range edits {
			if c(2) == 0 {
				before = append(before, hive.Edit{Op: hive.SetValue, Path: e.Path, Value: hive.DWordValue(e.Value.Name, 7)})
			}
		}
		base := hive.Apply(hive.NewKey("", nil), before...)
		after := hive.Apply(base, edits...)
		tests, missing := detects(t, string(text), base)
		if tests != len(edits) {
			t.Fatalf("%d tests for %d edits\n%s", tests, len(edits), text)
		}
		if changed := !hive.Equal(base, after); changed != (missing > 0) {
			t.Fatalf("the edits change something: %v; %d are missing\n%+v\n%s", changed, missing, edits, text)
		}
		if _, missing := detects(t, string(text), after); missing > 0 {
			t.Fatalf("after the fix, %d are missing\n%+v\n%s", missing, edits, text)
		}
		tried++
		if missing > 0 {
			fixed++
		}
	}
	if tried < 500 || fixed < 500 {
		t.Errorf("tried on too little: %d, %d of them to be fixed", tried, fixed)
	}
}

// overwritten reports whether two of the edits are about the same thing, which no fix does.
func overwritten(e hive.Edit, all []hive.Edit) bool {
	n := 0
	for _, other := range all {
		aboutKey := e.Op <= hive.DeleteKey || other.Op <= hive.DeleteKey
		if e.Path.HasPrefix(other.Path) && (aboutKey || len(e.Path) == len(other.Path) && hive.EqualFold(e.Value.Name, other.Value.Name)) {
			n++
		}
	}
	return n > 1
}

// TestIntuneRefuses holds which edits no remediation can make.
func TestIntuneRefuses(t *testing.T) {
	set := func(path ...string) hive.Edit {
		return hive.Edit{Op: hive.SetValue, Path: path, Value: hive.DWordValue("n", 1)}
	}
	form := script.Forms()[slices.IndexFunc(script.Forms(), func(f script.Form) bool { return f.Name == "intune" })]
	for _, c := range []struct {
		edit hive.Edit
		want string
	}{
		{set("HKEY_LOCAL_MACHINE", "A"), ""},
		{set("HKEY_USERS", ".default", "A"), ""},
		{set("HKEY_CURRENT_USER", "A"), "a remediation runs as SYSTEM, whose HKEY_CURRENT_USER is not that of the user"},
		{set("HKEY_CLASSES_ROOT", "A"), "a remediation runs as SYSTEM, whose HKEY_CLASSES_ROOT is not that of the user"},
		{set("HKEY_USERS", "S-1-5-21-1-2-3-1001", "A"), "a remediation runs also while this user is not signed in, and then Windows has not loaded the hive"},
	} {
		if got := form.Unwritable(c.edit); got != c.want {
			t.Errorf("%v: %q, want %q", c.edit.Path, got, c.want)
		}
		if _, err := script.Detection("", []regfile.Block{{Edits: []hive.Edit{c.edit}}}); (err != nil) != (c.want != "") {
			t.Errorf("%v: the detection: %v", c.edit.Path, err)
		}
	}
	again := []hive.Edit{{Op: hive.DeleteKey, Path: hive.Path{"HKEY_LOCAL_MACHINE", "A"}}, set("HKEY_LOCAL_MACHINE", "a", "B")}
	want := `the detection could not tell the key HKEY_LOCAL_MACHINE\A, which is deleted and made again, from the one before`
	if got := script.Undetectable(again); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if _, err := script.Detection("", []regfile.Block{{Edits: again}}); err == nil || err.Error() != want {
		t.Error(err)
	}
	slices.Reverse(again)
	if got := script.Undetectable(again); got != "" {
		t.Error(got)
	}
}
