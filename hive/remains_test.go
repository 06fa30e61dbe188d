package hive_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// space returns a hive with a free cell of n bytes, which tests fill, and the offset of its content. The root has the key
// Live, with the subkey Longest name here.
func space(n int) (b []byte, at int, live hivetest.Layout) {
	key := func(name string, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, Modified: writtenThen, Keys: keys}
	}
	root := key("", key("Live", key("Longest name here")))
	root.Values = []hive.Value{{Name: "space", Type: hive.Binary, Data: make([]byte, n)}}
	b, layout := hivetest.BuildLayout(root, hivetest.Options{Minor: 3}) // a version that keeps long data in one cell
	at = layout.Key("").Value("space").Data
	b = hivetest.Set32(hivetest.Free(b, at), layout.Key("").Node+hivetest.NodeValues, 0)
	return b, at, layout
}

// cell writes a freed cell with a record, and returns the offset of the record. The size of a cell is a multiple of eight.
func cell(b []byte, at int, record []byte) int {
	binary.LittleEndian.PutUint32(b[at-4:], uint32((4+len(record)+7)&^7))
	copy(b[at:], record)
	return at
}

// formerKey is the record of a key with a parent, and a list of so many values.
func formerKey(name string, parent, values, list int) []byte {
	r := make([]byte, hivetest.NodeName, hivetest.NodeName+len(name))
	copy(r, "nk\x20\x00")
	binary.LittleEndian.PutUint64(r[hivetest.NodeModified:], writtenThen)
	binary.LittleEndian.PutUint32(r[hivetest.NodeParent:], hivetest.Ref(parent))
	binary.LittleEndian.PutUint32(r[hivetest.NodeValues:], uint32(values))
	binary.LittleEndian.PutUint32(r[hivetest.NodeValueList:], hivetest.Ref(list))
	binary.LittleEndian.PutUint32(r[hivetest.NodeMaxValueName:], 100)
	binary.LittleEndian.PutUint32(r[hivetest.NodeMaxData:], 1<<30)
	binary.LittleEndian.PutUint16(r[hivetest.NodeNameLength:], uint16(len(name)))
	return append(r, name...)
}

// formerValue is the record of a value whose data are in a cell.
func formerValue(name string, length, data int) []byte {
	r := make([]byte, hivetest.ValueName, hivetest.ValueName+len(name))
	copy(r, "vk")
	binary.LittleEndian.PutUint16(r[hivetest.ValueNameLength:], uint16(len(name)))
	binary.LittleEndian.PutUint32(r[hivetest.ValueLength:], uint32(length))
	binary.LittleEndian.PutUint32(r[hivetest.ValueData:], hivetest.Ref(data))
	binary.LittleEndian.PutUint32(r[hivetest.ValueType:], uint32(hive.Binary))
	binary.LittleEndian.PutUint16(r[hivetest.ValueFlags:], 1)
	return append(r, name...)
}

func refs(records ...int) (list []byte) {
	for _, r := range records {
		list = binary.LittleEndian.AppendUint32(list, hivetest.Ref(r))
	}
	return list
}

// TestDeletedInside has records inside one large free cell, where many cells grew together.
func TestDeletedInside(t *testing.T) {
	for _, c := range []struct {
		name string
		fill func(b []byte, at int, live hivetest.Layout) []byte
		want []string
	}{
		{"a key below one that is there", func(b []byte, at int, live hivetest.Layout) []byte {
			value := cell(b, at+8, formerValue("v", 3, at+40))
			cell(b, at+40, []byte("abc"))
			list := cell(b, at+48, refs(value))
			cell(b, at+96, formerKey("Gone", live.Key("Live").Node, 1, list))
			return b
		}, []string{`Live\Gone v=616263`}},
		{"a key below one that was never written so late", func(b []byte, at int, live hivetest.Layout) []byte {
			k := formerKey("Gone", live.Key("Live").Node, 0, 0)
			k[hivetest.NodeModified+5]++
			cell(b, at+8, k)
			return b
		}, []string{`?Gone`}},
		{"a key below one that never had so long a name below it", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerKey("A name longer than the longest", live.Key("Live").Node, 0, 0))
			return b
		}, []string{`?A name longer than the longest`}},
		{"a value larger than its key ever had", func(b []byte, at int, live hivetest.Layout) []byte {
			value := cell(b, at+8, formerValue("v", 3, at+40))
			cell(b, at+40, []byte("abc"))
			list := cell(b, at+48, refs(value))
			k := formerKey("Gone", live.Key("Live").Node, 1, list)
			binary.LittleEndian.PutUint32(k[hivetest.NodeMaxData:], 2)
			cell(b, at+96, k)
			return b
		}, []string{`? v=616263`, `Live\Gone`}},
		{"two keys that name one value: the later one has it", func(b []byte, at int, live hivetest.Layout) []byte {
			value := cell(b, at+8, formerValue("v", 3, at+40))
			cell(b, at+40, []byte("abc"))
			list := cell(b, at+48, refs(value))
			early := formerKey("Early", live.Key("Live").Node, 1, list)
			early[hivetest.NodeModified+5]--
			cell(b, at+96, early)
			cell(b, at+192, formerKey("Late", live.Key("Live").Node, 1, list))
			return b
		}, []string{`Live\Early`, `Live\Late v=616263`}},
		{"a value whose data were written over by another record", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerValue("v", 64, at+40))
			cell(b, at+40, make([]byte, 64))
			cell(b, at+64, formerValue("w", 0, 0))
			return b
		}, []string{`? v=…`, `? w=`}},
		{"a key whose name was written over by another record", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerKey("A name of some length it is", live.Key("").Node, 0, 0))
			cell(b, at+96, formerValue("w", 0, 0))
			return b
		}, []string{`? w=`}},
		{"a cell whose size cannot hold the record", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerKey("Gone", live.Key("").Node, 0, 0))
			b[at+4] = 16
			return b
		}, nil},
		{"records where no cell can start", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+4, formerKey("Gone", live.Key("").Node, 0, 0))
			return b
		}, nil},
		{"a name that goes beyond the space", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+512-88, formerKey("Gone", live.Key("").Node, 0, 0))
			b[at+512-88-3] = 16 // a cell of 4 KiB
			b[at+512-88+hivetest.NodeNameLength] = 100
			return b
		}, nil},
		{"the file ends inside a record", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerKey("All", live.Key("").Node, 0, 0))
			cell(b, at+104, formerKey("Half", live.Key("").Node, 0, 0))
			return b[:at+104+60]
		}, []string{`All`}},
		{"parents in a circle", func(b []byte, at int, live hivetest.Layout) []byte {
			cell(b, at+8, formerKey("A", at+104, 0, 0))
			cell(b, at+104, formerKey("B", at+200, 0, 0))
			cell(b, at+200, formerKey("C", at+8, 0, 0))
			return b
		}, []string{`?C`, `?C\B`, `?C\B\A`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, at, live := space(512)
			if diff := cmp.Diff(c.want, salvaged(read(t, c.fill(b, at, live)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDeletedFromLive has a value that was deleted from a key that is there, as Windows does it.
func TestDeletedFromLive(t *testing.T) {
	values := []hive.Value{hive.DWordValue("first", 1), {Name: "middle", Type: hive.Binary, Data: make([]byte, 40_000)}, hive.DWordValue("last", 3)}
	root := &hivetest.Key{Modified: writtenThen, Keys: []*hivetest.Key{{Name: "Key", Modified: writtenThen, Values: values}}}
	b, layout := hivetest.BuildLayout(root, hivetest.Options{})
	k := layout.Key("Key")
	free := func(b []byte, name string) []byte {
		v := k.Value(name)
		for _, record := range append([]int{v.Record, v.Data, v.List}, v.Segments...) {
			if record != 0 {
				b = hivetest.Free(b, record)
			}
		}
		return b
	}
	one := hivetest.Set32(free(b, "last"), k.Node+hivetest.NodeValues, 2)
	two := hivetest.Set32(free(one, "middle"), k.Node+hivetest.NodeValues, 1)
	shifted := hivetest.Refer(hivetest.Set32(free(b, "middle"), k.Node+hivetest.NodeValues, 2), k.ValueList+4, k.Value("last").Record)
	for _, c := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"the last", one, []string{"+Key last=3"}},
		{"two, one of them of big data", two, []string{"+Key middle=" + fmt.Sprintf("%x", make([]byte, 40)) + "… last=3"}},
		{"one in the middle, whose place in the list was taken", shifted, []string{"? middle=" + fmt.Sprintf("%x", make([]byte, 40)) + "…"}},
	} {
		f := read(t, c.b)
		got := salvaged(f)
		for _, d := range f.Deleted() {
			for _, v := range d.Key.Values() {
				if i := slices.IndexFunc(values, func(w hive.Value) bool { return w.Name == v.Name }); !bytes.Equal(v.Data, values[i].Data) || v.Short {
					t.Errorf("%s: %s has other data", c.name, v.Name)
				}
			}
		}
		if len(got) != len(c.want) || len(got[0]) < 10 || got[0][:10] != c.want[0][:10] {
			t.Errorf("%s: %.100q, want %.100q", c.name, got, c.want)
		}
	}
}

func TestBelow(t *testing.T) {
	b, at, live := space(512)
	cell(b, at+8, formerKey("In", live.Key("Live").Node, 0, 0))
	cell(b, at+104, formerKey("Deep", live.Key(`Live\Longest name here`).Node, 0, 0)) // which never had a subkey
	cell(b, at+200, formerKey("Top", live.Key("").Node, 0, 0))
	cell(b, at+304, formerValue("v", 0, 0))
	f := read(t, b)
	all := f.Deleted()
	paths := func(all []hive.Deleted) (paths []string) {
		for _, d := range all {
			paths = append(paths, d.Path.String())
		}
		return paths
	}
	if diff := cmp.Diff([]string{`Live\In`, `Live\Longest name here\Deep`, "Top", ""}, paths(hive.Below(f.Root(), all))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"In", `Longest name here\Deep`}, paths(hive.Below(f.Root().Key("live"), all))); diff != "" {
		t.Error(diff)
	}
}

// TestDeletedHostile fills a hive with what makes a careless reader run for ever or out of memory.
func TestDeletedHostile(t *testing.T) {
	const n, step = 100_000, 96
	for name, fill := range map[string]func(b []byte, at int, live hivetest.Layout){
		"one circle of all": func(b []byte, at int, live hivetest.Layout) {
			for i := range n {
				cell(b, at+i*step, formerKey("k", at+(i+1)%n*step, 0, 0))
			}
		},
		"each below the one before": func(b []byte, at int, live hivetest.Layout) {
			for i := range n {
				parent := at + (i-1)*step
				if i == 0 {
					parent = live.Key("").Node
				}
				cell(b, at+i*step, formerKey("0123456789", parent, 0, 0))
			}
		},
		"all name one list": func(b []byte, at int, live hivetest.Layout) {
			var list []int
			for i := range n / 2 {
				list = append(list, cell(b, at+i*step, formerValue("v", 0, 0)))
			}
			end := cell(b, at+n*step, refs(list...))
			for i := n / 2; i < n; i++ {
				cell(b, at+i*step, formerKey("k", live.Key("").Node, 1<<31-1, end))
			}
		},
		"every word is the head of a list": func(b []byte, at int, live hivetest.Layout) {
			const values, step = n / 2, 32
			for i := range values {
				cell(b, at+i*step, formerValue("v", 0, 0))
			}
			for i := values * step; i < n*96; i += 4 {
				binary.LittleEndian.PutUint32(b[at+i:], hivetest.Ref(at+i/4%values*step))
			}
		},
		"all name the same data": func(b []byte, at int, live hivetest.Layout) {
			data := cell(b, at+n*step, make([]byte, 300_000))
			for i := range n {
				cell(b, at+i*step, formerValue("v", 300_000, data))
			}
		},
	} {
		b, at, live := space(n*step + 400_000)
		fill(b, at+8, live)
		f := read(t, b)
		size, values := 0, map[hive.Location]bool{}
		for _, d := range f.Deleted() {
			size += 16*len(d.Path) + len(d.Path.String())
			for _, v := range d.Key.Values() {
				if size += len(v.Name) + len(v.Data); values[v.At] {
					t.Errorf("%s: value at %s is given twice", name, v.At)
				}
				values[v.At] = true
			}
		}
		if size > 16*len(b) || size == 0 {
			t.Errorf("%s: %d bytes were found in a hive of %d", name, size, len(b))
		}
	}
}

// TestDeletedBehindOneList checks that the search is bounded if many keys name the same list, which names one value over and over: searching all
// of it for each key would take two billion steps.
func TestDeletedBehindOneList(t *testing.T) {
	const keys, elements = 20_000, 100_000
	root := &hivetest.Key{Values: []hive.Value{hive.DWordValue("there", 1), {Name: "list", Type: hive.Binary, Data: make([]byte, 4*elements)}, hive.DWordValue("gone", 1)}}
	for i := range keys {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i)})
	}
	b, at := hivetest.BuildLayout(root, hivetest.Options{Minor: 3})
	b = hivetest.Free(b, at.Key("").Value("gone").Record)
	list := at.Key("").Value("list").Data
	for i := range elements {
		le.PutUint32(b[list+4*i:], hivetest.Ref(at.Key("").Value("there").Record))
	}
	for _, k := range root.Keys {
		node := at.Key(k.Name).Node
		le.PutUint32(b[node+hivetest.NodeValues:], 1)
		le.PutUint32(b[node+hivetest.NodeValueList:], hivetest.Ref(list))
	}
	f := read(t, b)
	start := time.Now()
	deleted := f.Deleted()
	if len(deleted) != 1 || deleted[0].Key.Values()[0].Name != "gone" {
		t.Errorf("%+v", deleted)
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestDeletedChangesNothing checks that a search changes neither the keys of a hive nor its problems.
func TestDeletedChangesNothing(t *testing.T) {
	for name, b := range hivetest.Damages() {
		f, err := hive.Read("test", b)
		if err != nil {
			continue
		}
		again, _ := hive.Read("test", b)
		for _, d := range again.Deleted() {
			if d.Key.Name() == "" && len(d.Key.Values()) != 1 {
				t.Errorf("%s: %+v", name, d)
			}
		}
		if diff := cmp.Diff(f.Problems(), again.Problems()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if content(f.Root()) != content(again.Root()) {
			t.Errorf("%s: the keys differ", name)
		}
		if diff := cmp.Diff(f.Problems(), again.Problems()); diff != "" {
			t.Errorf("%s: read whole: %s", name, diff)
		}
	}
}
