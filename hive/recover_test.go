package hive_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

const writtenThen = 131_000_000_000_000_000 // 2016, a time at which a key can have been written

// salvaged lists what was deleted: path, values, ? for what is unknown, + for a key that still exists.
func salvaged(f *hive.File) (all []string) {
	for _, d := range f.Deleted() {
		s := d.Path.String()
		if d.Orphan {
			s = "?" + s
		}
		if d.Live {
			s = "+" + s
		}
		for _, v := range d.Key.Values() {
			s += fmt.Sprintf(" %s=%s", v.Name, v.Display())
			if v.Short {
				s += "…"
			}
		}
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

func TestDeleted(t *testing.T) {
	key := func(name string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: writtenThen, Values: values, Keys: keys}
	}
	text := func(name, s string) hive.Value { return hive.StringValue(name, hive.SZ, s) }
	root := key("", nil,
		key("A", []hive.Value{text("text", "a text of some length"), hive.DWordValue("number", 7)}, key("Below", []hive.Value{hive.DWordValue("n", 1)})),
		key("B", []hive.Value{hive.DWordValue("kept", 1), text("lost", "a lost text")}),
	)
	data, at := hivetest.BuildLayout(root, hivetest.Options{})
	a, below, b := at.Key("A"), at.Key(`A\Below`), at.Key("B")
	free := func(data []byte, records ...int) []byte {
		for _, r := range records {
			data = hivetest.Free(data, r)
		}
		return data
	}
	all := func(p *hivetest.KeyPlace, names ...string) []int {
		records := []int{p.Node, p.ValueList}
		for _, name := range names {
			if records = append(records, p.Value(name).Record); p.Value(name).Data != 0 {
				records = append(records, p.Value(name).Data)
			}
		}
		return records
	}
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{"nothing", data, nil},
		{"a key with its values", free(data, all(below, "n")...), []string{`A\Below n=1`}},
		{"a tree", free(data, append(all(below, "n"), all(a, "text", "number")...)...), []string{`A text=a text of some length number=7`, `A\Below n=1`}},
		{"a value of a key that is there", free(data, b.Value("lost").Record, b.Value("lost").Data), []string{"? lost=a lost text"}},
		{"data that are used again", free(data, b.Value("lost").Record), []string{"? lost=…"}},
		{"a list that is used again", free(data, below.Node, below.Value("n").Record), []string{"? n=1", `A\Below`}},
		{"a parent that is no key any more", hivetest.Sign(free(data, below.Node, a.Node), a.Node, "xx"), []string{"?Below"}},
		{"a time that cannot be", hivetest.Set32(free(data, below.Node), below.Node+8, 0x7F000000), nil},
		{"a name longer than the space", hivetest.Set16(free(data, below.Node), below.Node+hivetest.NodeNameLength, 600), nil},
		{"a parent that is the key itself", hivetest.Refer(free(data, below.Node), below.Node+hivetest.NodeParent, below.Node),
			[]string{"?Below"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := hive.Read("test", c.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, salvaged(f)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDeletedOfRealHives checks what is found in real hives; nobody knows what should be. Some made for it are known.
func TestDeletedOfRealHives(t *testing.T) {
	for name, want := range map[string][]string{
		"DeletedDataHive":  {"456 v=123456", "+123 v2=456"},
		"ReallocValueHive": {"2", "? =2222"},
		"RemnantsHive":     nil,
		"DeletedTreeHive":  {`1\2\3`, `1\2\3\4`, `1\2\3\4\5`, `1\2\3\4\New Key #1`},
	} {
		f, err := hive.Open(shared.Path(t, "hives/yarp/"+name))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, salvaged(f)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzDeleted checks that the search ends, that its results lie in the file and outside of all existing keys, each record once, and that their
// size is in proportion to that of the hive.
func FuzzDeleted(f *testing.F) {
	f.Add(hivetest.Build(hivetest.Specimen(), hivetest.Options{}))
	for _, data := range hivetest.Damages() {
		f.Add(data)
	}
	b, at, layout := space(512)
	list := cell(b, at+40, refs(cell(b, at+8, formerValue("v", 0, 0))))
	cell(b, at+96, formerKey("A", at+200, 1, list))
	cell(b, at+200, formerKey("B", layout.Key("").Node, 0, 0))
	f.Add(b)
	b, layout = reused()
	gone, there := layout.Key("Gone"), layout.Key("There")
	b = hivetest.Move(b, there.Node+hivetest.NodeValueList, gone.Node)
	f.Add(b)
	there.ValueList = gone.Node
	f.Add(hivetest.DeleteValue(b, there, "two"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := hive.Read("fuzz", b)
		if err != nil {
			return
		}
		live := map[int64]bool{}
		for _, k := range h.Root().Walk() {
			live[k.At().Offset] = true
			for _, v := range k.Values() {
				live[v.At.Offset] = true
			}
		}
		size := 0
		for _, d := range h.Deleted() {
			if d.At.Offset <= 0 || d.At.Offset >= int64(len(b)) || live[d.At.Offset] != d.Live {
				t.Fatalf("%+v is in use, or deleted twice", d)
			}
			size += 16*len(d.Path) + len(d.Path.String())
			if !d.Live && !d.Key.Implied() {
				live[d.At.Offset] = true
			}
			for _, v := range d.Key.Values() {
				if size += len(v.Data); live[v.At.Offset] {
					t.Fatalf("value %q is there and deleted, or deleted twice", v.Name)
				}
				live[v.At.Offset] = true
			}
		}
		if size > 16*len(b) {
			t.Fatalf("%d bytes were found in a hive of %d", size, len(b))
		}
	})
}
