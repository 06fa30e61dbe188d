package hive_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"regvet/hive"
)

// choices makes random trees and edits. It returns a number from 0 to n-1: from a random source in the tests, from the input in the fuzz
// targets.
type choices func(n int) int

func seeded(seed uint64) choices { return rand.New(rand.NewPCG(seed, 0)).IntN }

// choicesFrom takes the numbers from bytes, and returns 0 after their end.
func choicesFrom(b []byte) choices {
	return func(n int) int {
		if len(b) == 0 {
			return 0
		}
		c := int(b[0]) % n
		b = b[1:]
		return c
	}
}

func one[T any](c choices, of []T) T { return of[c(len(of))] }

// someNames are few, so that random edits meet each other; most have a variant that Windows takes for the same or only nearly so.
var someNames = []string{
	"a", "A", "b", "ab", "AB", "aB", "Ä", "ä", "ÿ", "Ÿ", "s", "ſ", "µ", "Μ", "ß", "日本",
	"\xED\xA0\x80", "\xED\xA0\x81", "x\xED\xBF\xBF", "X\xED\xBF\xBF", "\U0001F600", "\U00010428", "a\x00b", `back\slash`, "\n",
}

func (c choices) value() hive.Value {
	v := hive.Value{Name: one(c, append(someNames, "")), Type: hive.Type(c(12))}
	if c(8) == 0 {
		v.Type = 0xFFFF0012
	}
	for n := c(6); n > 0; n-- {
		v.Data = append(v.Data, byte(c(3)))
	}
	return v
}

// tree returns a tree of at most so many levels below its root. Some of its keys are implied.
func (c choices) tree(levels int) *hive.Key {
	if c(4) == 0 {
		return hive.Apply(hive.NewImpliedKey("r"), c.edits(c(8))...)
	}
	return c.key("r", levels)
}

func (c choices) key(name string, levels int) *hive.Key {
	var values []hive.Value
	for n := c(4); n > 0; n-- {
		values = append(values, c.value())
	}
	var keys []*hive.Key
	if levels > 0 {
		for n := c(4); n > 0; n-- {
			keys = append(keys, c.key(one(c, someNames), levels-1))
		}
	}
	if values == nil && keys == nil && c(2) == 0 {
		return hive.NewImpliedKey(name)
	}
	return hive.NewKey(name, values, keys...)
}

func (c choices) edits(n int) []hive.Edit {
	var edits []hive.Edit
	for ; n > 0; n-- {
		e := hive.Edit{Op: hive.Op(c(4)), Value: c.value(), At: hive.Location{Line: n, Column: 1}}
		for levels := c(4); levels > 0; levels-- {
			e.Path = append(e.Path, one(c, someNames))
		}
		edits = append(edits, e)
	}
	return edits
}

// snapshot returns all that can be seen of a tree: names as spelled, the order of the file, what is known.
func snapshot(root *hive.Key) string {
	var b strings.Builder
	for path, k := range root.WalkStored() {
		fmt.Fprintf(&b, "%q %q %d %v implied=%t %v %v %v\n", []string(path), k.Name(), k.Filetime(), k.At(), k.Implied(), k.KeysKnown(), k.ValuesKnown(), k.Problems())
		for _, v := range k.Values() {
			fmt.Fprintf(&b, "\t%q %v %x %v %t\n", v.Name, v.Type, v.Data, v.At, v.Short)
		}
	}
	return b.String()
}

// model is a tree as plain maps, with the simplest possible implementation of edits, to compare with Apply.
type model struct {
	implied bool
	keys    map[string]*model
	values  map[string]hive.Value
}

func newModel(implied bool) *model {
	return &model{implied: implied, keys: map[string]*model{}, values: map[string]hive.Value{}}
}

func modelOf(k *hive.Key) *model {
	m := newModel(k.Implied())
	for _, v := range k.Values() {
		if _, twice := m.values[hive.Fold(v.Name)]; !twice {
			m.values[hive.Fold(v.Name)] = v
		}
	}
	for _, child := range k.Stored() {
		if m.keys[hive.Fold(child.Name())] == nil {
			m.keys[hive.Fold(child.Name())] = modelOf(child)
		}
	}
	return m
}

func (m *model) apply(e hive.Edit) {
	if e.Op == hive.DeleteKey && len(e.Path) == 0 {
		return
	}
	create := e.Op == hive.CreateKey || e.Op == hive.SetValue
	for i, name := range e.Path {
		name = hive.Fold(name)
		if e.Op == hive.DeleteKey && i == len(e.Path)-1 {
			delete(m.keys, name)
			return
		}
		if m.keys[name] == nil {
			if !create {
				return
			}
			m.keys[name] = newModel(m.implied)
		}
		m = m.keys[name]
	}
	if create {
		m.implied = false
	}
	switch e.Op {
	case hive.SetValue:
		m.values[hive.Fold(e.Value.Name)] = e.Value
	case hive.DeleteValue:
		delete(m.values, hive.Fold(e.Value.Name))
	}
}

// lines returns the content, one line for each key and value.
func (m *model) lines(withImplied bool) []string {
	var all []string
	if withImplied {
		all = append(all, fmt.Sprint("implied ", m.implied))
	}
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		v := m.values[name]
		all = append(all, fmt.Sprintf("%q = %v %x", name, v.Type, v.Data))
	}
	for _, name := range slices.Sorted(maps.Keys(m.keys)) {
		all = append(all, fmt.Sprintf("%q", name))
		for _, line := range m.keys[name].lines(withImplied) {
			all = append(all, "\t"+line)
		}
	}
	return all
}

func content(k *hive.Key) string { return strings.Join(modelOf(k).lines(false), "\n") }

// algebra checks the laws of edits for one pair of trees and one list of edits.
func algebra(t *testing.T, from, to *hive.Key, edits []hive.Edit) {
	t.Helper()
	before := snapshot(from)

	diff := hive.Diff(from, to)
	if got := hive.Apply(from, diff...); content(got) != content(to) {
		t.Fatalf("the difference does not lead there: %+v\nfrom\n%s\nto\n%s\ngot\n%s", diff, content(from), content(to), content(got))
	}
	if same := content(from) == content(to); (len(diff) == 0) != same || hive.Equal(from, to) != same || hive.Equal(to, from) != same {
		t.Fatalf("equal is %t, but the difference is %+v\n%s\n--\n%s", same, diff, content(from), content(to))
	}
	inOrder(t, diff)
	if d := hive.Diff(from, hive.Apply(from)); len(d) > 0 {
		t.Fatalf("no edits make a difference: %+v", d)
	}

	after := hive.Apply(from, edits...)
	want := modelOf(from)
	step := from
	for _, e := range edits {
		want.apply(e)
		step = hive.Apply(step, e)
	}
	if got, want := modelOf(after).lines(true), want.lines(true); !slices.Equal(got, want) {
		t.Fatalf("edits %+v of\n%s\ngive\n%s\nwant\n%s", edits, content(from), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := snapshot(step), snapshot(after); got != want {
		t.Fatalf("one by one:\n%s\nall at once:\n%s", got, want)
	}
	undo := hive.Undo(from, edits...)
	if got := hive.Apply(after, undo...); content(got) != content(from) {
		t.Fatalf("edits %+v, taken back by %+v:\n%s\nwant\n%s", edits, undo, content(got), content(from))
	}
	for _, k := range after.Walk() {
		known := hive.Whole
		if k.Implied() {
			known = hive.NotCovered
		}
		if k.KeysKnown() != known || k.ValuesKnown() != known {
			t.Fatalf("key %q, implied %t: known %v, %v", k.Name(), k.Implied(), k.KeysKnown(), k.ValuesKnown())
		}
	}
	if got := snapshot(from); got != before {
		t.Fatalf("the tree that was given has changed from\n%s\nto\n%s", before, got)
	}
}

// inOrder checks that no edit of a difference comes after an edit below its key, and that in each key no value or subkey is deleted after one was
// made.
func inOrder(t *testing.T, diff []hive.Edit) {
	t.Helper()
	made := map[string]bool{} // keys with a value set, or a subkey made
	seen := map[string]bool{}
	for _, e := range diff {
		at := fmt.Sprintf("%q", []string(e.Path))
		above := ""
		if len(e.Path) > 0 {
			above = fmt.Sprintf("%q", []string(e.Path[:len(e.Path)-1]))
		}
		switch e.Op {
		case hive.SetValue:
			made["value in "+at] = true
		case hive.CreateKey:
			made["key in "+above] = true
		case hive.DeleteValue:
			if made["value in "+at] {
				t.Fatalf("a value of %s is deleted after one was set: %+v", at, diff)
			}
		case hive.DeleteKey:
			if made["key in "+above] {
				t.Fatalf("%s is deleted after a key beside it was made: %+v", at, diff)
			}
		}
		if seen[at] && e.Op != hive.SetValue && e.Op != hive.DeleteValue {
			t.Fatalf("%s comes after what is below it: %+v", at, diff)
		}
		for i := range e.Path {
			seen[fmt.Sprintf("%q", []string(e.Path[:i]))] = true
		}
	}
}

func TestAlgebra(t *testing.T) {
	for seed := range uint64(1000) {
		c := seeded(seed)
		algebra(t, c.tree(3), c.tree(3), c.edits(c(12)))
		// A tree and what became of it have more in common than two random trees.
		from := c.tree(4)
		algebra(t, from, hive.Apply(from, c.edits(3)...), hive.Diff(from, c.tree(2)))
	}
}

func FuzzEdits(f *testing.F) {
	for seed := range uint64(8) {
		b := make([]byte, 200)
		for i := range b {
			b[i] = byte(seeded(seed + uint64(i)<<8)(256))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			t.Skip("more choices than a small tree needs")
		}
		c := choicesFrom(b)
		algebra(t, c.tree(3), c.tree(3), c.edits(c(12)))
	})
}

// TestAlgebraOfDamage checks the laws for a tree in which names stand twice, as only a damaged hive has them: the first counts.
func TestAlgebraOfDamage(t *testing.T) {
	double := hiveOf(t, doubleNames).Root()
	for seed := range uint64(50) {
		c := seeded(seed)
		to := c.tree(2)
		for _, pair := range [][2]*hive.Key{{double, to}, {to, double}, {double, double}} {
			if got := hive.Apply(pair[0], hive.Diff(pair[0], pair[1])...); content(got) != content(pair[1]) {
				t.Fatalf("got\n%s\nwant\n%s", content(got), content(pair[1]))
			}
		}
	}
	v, _ := hive.Apply(double, hive.Edit{Op: hive.SetValue, Path: hive.Path{"a"}, Value: hive.DWordValue("new", 1)}).Key("A").Value("which")
	if v.Display() != "1" {
		t.Errorf("the edit went to another of the two keys: %s", v.Display())
	}
}

func TestApply(t *testing.T) {
	set := func(path string, v hive.Value) hive.Edit {
		return hive.Edit{Op: hive.SetValue, Path: pathOf(path), Value: v}
	}
	create := func(path string) hive.Edit { return hive.Edit{Op: hive.CreateKey, Path: pathOf(path)} }
	remove := func(path string) hive.Edit { return hive.Edit{Op: hive.DeleteKey, Path: pathOf(path)} }
	unset := func(path, name string) hive.Edit {
		return hive.Edit{Op: hive.DeleteValue, Path: pathOf(path), Value: hive.Value{Name: name}}
	}
	one, two := hive.DWordValue("v", 1), hive.DWordValue("V", 2)
	tests := []struct {
		name  string
		edits []hive.Edit
		want  string // names as spelled, in the order of the tree
	}{
		{"a value keeps its place and takes the new spelling", []hive.Edit{set("K", one), set("K", hive.DWordValue("w", 3)), set("k", two)}, "K(V=2 w=3)"},
		{"a value that was deleted is the last one", []hive.Edit{set("K", one), set("K", hive.DWordValue("w", 3)), unset("K", "V"), set("K", two)}, "K(w=3 V=2)"},
		{"a key keeps its spelling", []hive.Edit{create("Key"), create("KEY"), create(`kEY\Sub`)}, "Key() Key\\Sub()"},
		{"a key that was deleted is empty and takes the new spelling", []hive.Edit{set(`K\L`, one), set("K", one), remove("k"), create("k")}, "k()"},
		{"delete, then set", []hive.Edit{set("K", one), remove("K"), set("K", two)}, "K(V=2)"},
		{"set, then delete", []hive.Edit{set("K", one), set(`K\L`, one), remove("K")}, ""},
		{"deleting what is not there makes nothing", []hive.Edit{remove(`A\B`), unset(`A\B`, "v")}, ""},
		{"deleting the root does nothing", []hive.Edit{create("K"), remove("")}, "K()"},
		{"an edit of the root", []hive.Edit{set("", one)}, "(v=1)"},
		{"letters that Windows tells apart", []hive.Edit{create("s"), create("ſ"), create("Ä"), create("ä")}, "s() ſ() Ä()"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for path, k := range hive.Apply(hive.NewKey("", nil), test.edits...).WalkStored() {
				var values []string
				for _, v := range k.Values() {
					values = append(values, v.Name+"="+v.Display())
				}
				if len(path) > 0 || values != nil {
					got = append(got, path.String()+"("+strings.Join(values, " ")+")")
				}
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("got  %s\nwant %s", s, test.want)
			}
		})
	}
}

func pathOf(s string) hive.Path { return hive.ParsePath(s) }

// TestApplyShares checks that keys that no edit names are not copied.
func TestApplyShares(t *testing.T) {
	root := hive.NewKey("", nil, hive.NewKey("a", nil, hive.NewKey("b", nil)), hive.NewKey("c", nil, hive.NewKey("d", nil)))
	after := hive.Apply(root, hive.Edit{Op: hive.CreateKey, Path: hive.Path{"A", "new"}})
	if after.Key("c") != root.Key("c") || after.Key("a").Key("b") != root.Key("a").Key("b") {
		t.Error("a key that no edit names was copied")
	}
	if after.Key("a") == root.Key("a") || root.Key("a").Key("new") != nil {
		t.Error("the edited key is the one that was given")
	}
}

// TestApplyImplied checks what is known of keys that edits make, when the tree is a .reg file: nothing but what it names.
func TestApplyImplied(t *testing.T) {
	edits := []hive.Edit{
		{Op: hive.CreateKey, Path: hive.Path{"HKLM", "A", "B"}, At: hive.Location{Line: 3}},
		{Op: hive.SetValue, Path: hive.Path{"HKLM", "A", "B", "C", "D"}, Value: hive.DWordValue("v", 1)},
		{Op: hive.CreateKey, Path: hive.Path{"HKLM", "A", "B"}, At: hive.Location{Line: 9}},
	}
	root := hive.Apply(hive.NewImpliedKey(""), edits...)
	want := map[string]hive.Known{
		"": hive.NotCovered, "HKLM": hive.NotCovered, `HKLM\A`: hive.NotCovered,
		`HKLM\A\B`: hive.Whole, `HKLM\A\B\C`: hive.Whole, `HKLM\A\B\C\D`: hive.Whole,
	}
	for path, k := range root.Walk() {
		if k.KeysKnown() != want[path.String()] || k.ValuesKnown() != want[path.String()] {
			t.Errorf("%s: %v, %v", path, k.KeysKnown(), k.ValuesKnown())
		}
		delete(want, path.String())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if at := root.Key("HKLM").Key("A").Key("B").At(); at.Line != 3 {
		t.Errorf("the key is at line %d, want the first that names it", at.Line)
	}
}

// TestApplyDamaged checks that a damaged key stays damaged if it is edited, but not if it is deleted and made again.
func TestApplyDamaged(t *testing.T) {
	root := hive.WithProblems(hive.NewKey("", nil, hive.NewKey("k", nil)),
		hive.Problem{Kind: hive.BadLine, Loss: true, Key: hive.Path{"K"}, Msg: "m"},
		hive.Problem{Kind: hive.BadLine, Loss: true, Key: hive.Path{"not", "there"}},
		hive.Problem{Kind: hive.BadText, Loss: true})
	if got := root.Problems(); len(got) != 1 || got[0].Key.String() != `not\there` {
		t.Errorf("problems at the root are %v; it has that of the key that is not there, whose nearest key it is", got)
	}
	set := hive.Edit{Op: hive.SetValue, Path: hive.Path{"k"}, Value: hive.DWordValue("v", 1)}
	edited := hive.Apply(root, set).Key("k")
	if edited.ValuesKnown() != hive.Damaged || edited.KeysKnown() != hive.Damaged || edited.FirstLoss().Msg != "m" {
		t.Error("the damage is forgotten")
	}
	anew := hive.Apply(root, hive.Edit{Op: hive.DeleteKey, Path: hive.Path{"k"}}, set).Key("k")
	if anew.ValuesKnown() != hive.Whole || anew.FirstLoss() != nil {
		t.Error("a key that was made anew is damaged")
	}
}

// TestManyEdits checks that the cost of an edit does not grow with their number in a key: ten times as many must not allocate much more than
// ten times as much.
func TestManyEdits(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("name %d", i) }
	wide := func(n int) *hive.Key {
		var edits []hive.Edit
		for i := range n {
			edits = append(edits, hive.Edit{Op: hive.SetValue, Path: hive.Path{"k"}, Value: hive.DWordValue(name(i), uint32(i))},
				hive.Edit{Op: hive.CreateKey, Path: hive.Path{"k", name(i)}})
		}
		return hive.Apply(hive.NewKey("", nil), edits...)
	}
	kinds := map[string]func(i int) []hive.Edit{
		"set": func(i int) []hive.Edit {
			return []hive.Edit{{Op: hive.SetValue, Path: hive.Path{"k"}, Value: hive.DWordValue(name(i), 7)}}
		},
		"add": func(i int) []hive.Edit { return []hive.Edit{{Op: hive.CreateKey, Path: hive.Path{"k", "x" + name(i)}}} },
		"delete": func(i int) []hive.Edit {
			return []hive.Edit{{Op: hive.DeleteKey, Path: hive.Path{"K", name(i)}}, {Op: hive.DeleteValue, Path: hive.Path{"K"}, Value: hive.Value{Name: name(i)}}}
		},
		"delete and set": func(int) []hive.Edit {
			return []hive.Edit{{Op: hive.DeleteValue, Path: hive.Path{"k"}, Value: hive.Value{Name: "NAME 0"}}, {Op: hive.SetValue, Path: hive.Path{"k"}, Value: hive.DWordValue("name 0", 1)}}
		},
	}
	// cost is what n of those edits allocate, in a key that has so many values and subkeys.
	cost := func(width, n int, kind func(int) []hive.Edit) uint64 {
		root := wide(width)
		var edits []hive.Edit
		for i := range n {
			edits = append(edits, kind(i)...)
		}
		before := allocated()
		after := hive.Apply(root, edits...)
		if d := len(hive.Undo(root, edits...)); d > 2*n {
			t.Errorf("%d edits are taken back by %d", len(edits), d)
		}
		if got := len(after.Key("k").Values()); got > width {
			t.Errorf("%d values, there were only %d", got, width)
		}
		return allocated() - before
	}
	for what, kind := range kinds {
		few, many := cost(1_500, 1_500, kind), cost(15_000, 15_000, kind)
		if many > 15*few {
			t.Errorf("%s: ten times as many edits allocate %d bytes, not %d", what, many, few)
		}
	}
	few, many := cost(1, 5_000, kinds["delete and set"]), cost(1, 50_000, kinds["delete and set"])
	if many > 15*few {
		t.Errorf("100,000 edits of one value allocate %d bytes, 10,000 only %d", many, few)
	}
}

// allocated is the number of bytes allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func ExampleApply() {
	root := hive.NewKey("", nil, hive.NewKey("Tcpip", []hive.Value{hive.DWordValue("EnableSecurityFilters", 0)}))
	fixed := hive.Apply(root,
		hive.Edit{Op: hive.SetValue, Path: hive.Path{"tcpip"}, Value: hive.DWordValue("EnableSecurityFilters", 1)},
		hive.Edit{Op: hive.CreateKey, Path: hive.Path{"Tcpip", "Parameters"}})
	for path, k := range fixed.Walk() {
		fmt.Println(path, k.Values())
	}
	v, _ := root.Key("Tcpip").Value("EnableSecurityFilters")
	fmt.Println("before:", v.Display())
	// Output:
	//  []
	// Tcpip [{EnableSecurityFilters REG_DWORD [1 0 0 0]  false}]
	// Tcpip\Parameters []
	// before: 0
}

func ExampleDiff() {
	old := hive.NewKey("", nil, hive.NewKey("A", []hive.Value{hive.DWordValue("n", 1)}), hive.NewKey("B", nil))
	now := hive.NewKey("", nil, hive.NewKey("A", []hive.Value{hive.DWordValue("N", 2)}), hive.NewKey("C", nil))
	ops := []string{"create key", "delete key", "set value", "delete value"}
	for _, e := range hive.Diff(old, now) {
		fmt.Println(strings.TrimSpace(ops[e.Op] + " " + e.Path.String() + " " + e.Value.Name + " " + e.Value.Display()))
	}
	// Output:
	// delete key B
	// set value A N 2
	// create key C
}

// le is the byte order of all numbers in a hive.
var le = binary.LittleEndian

// TestApplyPartly holds that edits of a registry of which nothing is known make nothing else known: a key with a value stays implied.
func TestApplyPartly(t *testing.T) {
	at := hive.Path{"A", "B"}
	for _, e := range []hive.Edit{{Op: hive.CreateKey, Path: at}, {Op: hive.SetValue, Path: at, Value: hive.DWordValue("n", 1)}} {
		partly := hive.ApplyPartly(hive.NewImpliedKey(""), e, e)
		whole := hive.Apply(hive.NewImpliedKey(""), e, e)
		for _, k := range []*hive.Key{partly, partly.Key("A"), partly.Key("A").Key("B")} {
			if !k.Implied() || k.ValuesKnown() != hive.NotCovered {
				t.Errorf("%v: the key %q is known", e.Op, k.Name())
			}
		}
		if whole.Key("A").Key("B").Implied() || !hive.Equal(whole, partly) {
			t.Errorf("%v: the trees differ", e.Op)
		}
		if known := hive.ApplyPartly(hive.NewKey("", nil), e); known.Key("A").Implied() {
			t.Errorf("%v: a key that is made in a known one is known", e.Op)
		}
	}
}
