package hive_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// reused is a hive whose key Gone was deleted with all it had, and whose cells grew together; and the layout from before.
func reused() ([]byte, hivetest.Layout) {
	key := func(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: writtenThen, Values: values, Keys: keys}
	}
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	sub := key("Sub", nil)
	sub.Modified-- // so that it is not taken for the parent of what was below Gone
	b, at := hivetest.BuildLayout(key("", nil,
		key("Gone", []hive.Value{text("text", "a text that is still there"), hive.DWordValue("number", 7)}, key("Below", []hive.Value{hive.DWordValue("n", 1)})),
		key("There", []hive.Value{text("one", "first text"), hive.DWordValue("two", 2), hive.DWordValue("three", 3), hive.DWordValue("four", 4)}, sub),
		key("Other", []hive.Value{hive.DWordValue("v", 1)}),
	), hivetest.Options{})
	gone, below := at.Key("Gone"), at.Key(`Gone\Below`)
	records := []int{gone.Node, gone.Value("text").Record, gone.Value("text").Data, gone.Value("number").Record, gone.ValueList,
		below.Node, below.Value("n").Record, below.ValueList, gone.List}
	for _, r := range records {
		b = hivetest.Free(b, r)
	}
	list := at.Key("").List // Gone stands before Other and There
	copy(b[list+hivetest.ListElements:], b[list+hivetest.ListElements+8:][:16])
	b = hivetest.Set16(b, list+hivetest.ListCount, 2)
	b = hivetest.Set32(b, at.Key("").Node+hivetest.NodeKeys, 2)
	return hivetest.Join(b, gone.Node, len(records)), at
}

// TestDeletedInSlack has records of each kind in use put over the first of several that were deleted: the others stand in the slack.
func TestDeletedInSlack(t *testing.T) {
	b, at := reused()
	gone, there := at.Key("Gone"), at.Key("There")
	one := there.Value("one")
	free := []string{`Gone text=a text that is still there number=7`, `Gone\Below n=1`}
	slack := []string{"? number=7", "? text=a text that is still there", `?Below n=1`}
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"free", b, free},
		{"list of subkeys", hivetest.Move(b, at.Key("").Node+hivetest.NodeList, gone.Node), slack},
		{"list of values", hivetest.Move(b, there.Node+hivetest.NodeValueList, gone.Node), slack},
		{"value", hivetest.Move(b, there.ValueList+4, gone.Node), append([]string{"? two=2"}, slack...)},
		{"data", hivetest.Move(b, one.Record+hivetest.ValueData, gone.Node), slack},
		{"key", func() []byte {
			b := hivetest.Move(b, there.List+hivetest.ListElements, gone.Node)
			return hivetest.Set32(b, at.Key(`There\Sub`).Node, 0) // its former record, which would be found, too
		}(), slack},
		{"security descriptor", func() []byte {
			b := hivetest.Move(b, at.Key("").Node+hivetest.NodeSecurity, gone.Node)
			for _, path := range []string{"Other", "There", `There\Sub`} {
				b = hivetest.Refer(b, at.Key(path).Node+hivetest.NodeSecurity, gone.Node)
			}
			return b
		}(), []string{"? number=7", `?Below n=1`}}, // it is longer than the record of the first value
	} {
		t.Run(c.name, func(t *testing.T) {
			f := read(t, c.b)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, salvaged(f)); diff != "" {
				t.Error(diff)
			}
			if p := f.Problems(); len(p) > 0 || content(f.Root()) != content(read(t, b).Root()) {
				t.Errorf("the keys that are there differ, or are damaged: %v", p)
			}
		})
	}
}

// TestDeletedFromTheMiddle has a value that only a former list of its key's values names.
func TestDeletedFromTheMiddle(t *testing.T) {
	b, at := reused()
	gone, there := at.Key("Gone"), at.Key("There")
	grown := hivetest.Move(hivetest.Set32(b, gone.Node, 0), there.Node+hivetest.NodeValueList, gone.Node) // what was deleted before does not matter here
	list := *there
	list.ValueList = gone.Node
	lost := hivetest.DeleteValue(grown, &list, "two")
	orphan := []string{"? two=2"}
	with := func(want ...string) []string {
		return append(want, "? number=7", "? text=a text that is still there", "?Below n=1")
	}
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"the list was never moved", hivetest.DeleteValue(hivetest.Set32(b, gone.Node, 0), there, "two"), orphan},
		{"the first", hivetest.DeleteValue(grown, &list, "one"), []string{"+There one=first text"}},
		{"in the middle", lost, []string{"+There two=2"}},
		{"two", hivetest.DeleteValue(lost, &list, "one"), []string{"+There one=first text two=2"}},
		{"three, so that one value is left", hivetest.DeleteValue(hivetest.DeleteValue(lost, &list, "one"), &list, "three"), []string{"? one=first text", "? three=3", "? two=2"}},
		{"the order is another", hivetest.Refer(hivetest.Refer(lost, gone.Node, there.Value("three").Record), gone.Node+4, there.Value("one").Record), orphan},
		{"the former list names a value of another key", hivetest.Refer(lost, there.ValueList, at.Key("Other").Value("v").Record), orphan},
		{"the former list does not begin as that of the key", hivetest.Refer(lost, there.ValueList, there.Value("four").Record), orphan},
		{"it was used again", hivetest.Set32(lost, there.ValueList, 7), orphan},
		{"its cell is too small", hivetest.Set32(hivetest.CellSize(lost, there.ValueList, 8), there.ValueList+4, 16), orphan},
		{"a name longer than any in the key", hivetest.Set32(lost, there.Node+hivetest.NodeMaxValueName, 4), orphan},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := with(c.want...)
			slices.Sort(want)
			f := read(t, c.b)
			if diff := cmp.Diff(want, salvaged(f)); diff != "" {
				t.Error(diff)
			}
			if p := f.Problems(); len(p) > 0 {
				t.Errorf("the hive is not sound: %v", p)
			}
		})
	}
}
