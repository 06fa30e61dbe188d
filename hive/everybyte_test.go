package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// smallest is a hive of 8 KiB, the least that there is, with each form of list, a class, names and data of each kind that fit, a deleted
// key with a value, records in the slack of a cell, and a value that was deleted from a list.
func smallest(t testing.TB) []byte {
	t.Helper()
	key := func(name, list string, values []hive.Value, keys ...*hivetest.Key) *hivetest.Key {
		return &hivetest.Key{Name: name, List: list, Modified: writtenThen, Values: values, Keys: keys}
	}
	one := []hive.Value{hive.DWordValue("n", 1)}
	a := key("A", "", []hive.Value{hive.DWordValue("", 1), hive.StringValue("text", hive.SZ, "some text"), hive.StringValue("日", hive.SZ, "")}, key("deep", "", nil))
	a.Class = "class"
	link := key("Link", "", []hive.Value{{Name: "SymbolicLinkValue", Type: hive.Link, Data: hive.EncodeUTF16(`\Registry\Machine\X`)}})
	link.Flags = 0x10
	b, at := hivetest.BuildLayout(key("r", "", nil,
		key("0 gone", "", one, key("below", "", one), key("beside", "", nil)),
		a,
		key("B", "ri", nil, key("1", "", nil), key("2", "", nil), key("3", "", nil)),
		key("C", "lf", nil, key("日本", "", nil)),
		key("D", "li", []hive.Value{hive.DWordValue("kept", 1), hive.DWordValue("lost", 2)}, key("x", "", nil)),
		link,
	), hivetest.Options{ListMax: 3})
	gone, below, root := at.Key("0 gone"), at.Key(`0 gone\below`), at.Key("")
	freed := []int{gone.Node, gone.Value("n").Record, gone.ValueList, below.Node, below.Value("n").Record, below.ValueList, at.Key(`0 gone\beside`).Node, gone.List}
	for _, record := range freed {
		b = hivetest.Free(b, record)
	}
	first := root.Leaves[0]
	copy(b[first+hivetest.ListElements:], b[first+hivetest.ListElements+8:][:16])
	b = hivetest.Set32(hivetest.Set16(b, first+hivetest.ListCount, 2), root.Node+hivetest.NodeKeys, 5)
	b = hivetest.Move(hivetest.Join(b, gone.Node, 4), at.Key("B").Node+hivetest.NodeList, gone.Node)
	b = hivetest.DeleteValue(b, at.Key("D"), "lost")
	if f := read(t, b); len(b) != 8192 || len(f.Deleted()) < 3 || len(f.Problems()) > 0 {
		t.Fatalf("the hive is not as it should be: %d bytes, %q deleted, problems %v", len(b), salvaged(f), f.Problems())
	}
	return b
}

// readAll reads everything in a hive, and returns how much that is.
func readAll(f *hive.File) string {
	var keys, values, data, records int
	for _, k := range f.Root().Walk() {
		keys++
		for _, v := range k.Values() {
			values++
			data += len(v.Data)
		}
		r := k.Record()
		records += len(r.Class) + len(r.Security) + len(r.SDDL)
		k.Link()
		k.Problems()
		k.Key("a")
		k.Value("text")
	}
	gone := 0
	for _, d := range f.Deleted() {
		gone += 1 + len(d.Key.Values())
	}
	return fmt.Sprintf("%d keys, %d values, %d bytes of data, %d of records, %d deleted", keys, values, data, records, gone)
}

// TestEveryByte sets every byte of a small hive to several other values, and has two readers read all of each such hive at the same time:
// they must come to an end within a second, in little memory, and see the same.
func TestEveryByte(t *testing.T) {
	const most = 1 << 20 // bytes of memory for all that two readers make of 8 KiB
	sound := smallest(t)
	b := bytes.Clone(sound)
	readers := func(at int) (took time.Duration) {
		start, before := time.Now(), allocated()
		f, err := hive.Read("TEST", b)
		if err != nil {
			sane(t, b, *must(errors.AsType[*hive.Problem](err)))
		} else {
			var other string
			var reader sync.WaitGroup
			reader.Go(func() { other = readAll(f) })
			this := readAll(f)
			reader.Wait()
			if this != other {
				t.Fatalf("byte %#x from %#x to %#x: one reader sees %s, another %s", at, sound[at], b[at], this, other)
			}
			for _, p := range f.Problems() {
				sane(t, b, p)
			}
		}
		took = time.Since(start)
		if made := allocated() - before; made > most {
			t.Errorf("byte %#x from %#x to %#x: %d bytes of memory", at, sound[at], b[at], made)
		}
		return took
	}
	check := func(at int) {
		for try := 1; ; try++ { // a machine with more to do can be late by itself
			took := readers(at)
			if took < time.Second {
				return
			}
			if try == 3 {
				t.Fatalf("byte %#x from %#x to %#x: %v", at, sound[at], b[at], took)
			}
		}
	}
	for at, was := range sound {
		for i, to := range []byte{0, 0xFF, 0x7F, was + 1, was ^ 0x80} {
			if to == was || i > 0 && to == 0 {
				continue
			}
			b[at] = to
			check(at)
			if at < hivetest.BaseChecksum {
				hivetest.Seal(b) // so that the field is believed
				check(at)
				copy(b[hivetest.BaseChecksum:], sound[hivetest.BaseChecksum:512])
			}
		}
		b[at] = was
	}
	if !bytes.Equal(b, sound) {
		t.Error("the test did not put all bytes back")
	}
}
