package hive_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// TestFiletimeOf takes times there and back, those before 1601 and 1970 among them.
func TestFiletimeOf(t *testing.T) {
	for _, f := range []hive.Filetime{-1, 0, 1, 9_999_999, 116444735999999999, 116444736000000000, 129779783208392499, 1<<62 + 1} {
		if got := hive.FiletimeOf(f.UTC()); got != f {
			t.Errorf("%d became %d", f, got)
		}
	}
	if got := hive.FiletimeOf(time.Date(1601, 1, 1, 1, 0, 0, 199, time.FixedZone("", 3600))); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
}

// TestStamp requires that a time goes to the key alone that it is for, and into a copy.
func TestStamp(t *testing.T) {
	root := hive.NewKey("", nil, hive.NewKey("A", nil, hive.NewKey("B", nil)), hive.NewKey("C", nil))
	stamped, ok := hive.Stamp(root, hive.Path{"a", "b"}, 7)
	if !ok {
		t.Fatal("there is no such key")
	}
	for path, k := range stamped.Walk() {
		want := hive.Filetime(0)
		if path.Equal(hive.Path{"A", "B"}) {
			want = 7
		}
		if k.Filetime() != want || k.Dated() != (want != 0) {
			t.Errorf("%s: %d, dated %v", path, k.Filetime(), k.Dated())
		}
	}
	if root.Key("A").Key("B").Dated() {
		t.Error("the tree itself was changed")
	}
	if _, ok := hive.Stamp(root, hive.Path{"A", "C"}, 7); ok {
		t.Error("a key that is not there has a time")
	}
}

// TestWritten asks when the hives were last written in which some places lie.
func TestWritten(t *testing.T) {
	tree := &hivetest.Key{Keys: []*hivetest.Key{{Name: "Software"}}}
	open := func(o hivetest.Options, sound bool) *hive.Key {
		data := hivetest.Build(tree, o)
		if !sound {
			data[hivetest.BaseModified]++ // the checksum does not hold any more
		}
		f, err := hive.Read("hive", data)
		if err != nil {
			t.Fatal(err)
		}
		return f.Root()
	}
	reg := hive.NewRegistry()
	reg.Mount(hive.Path{"HKEY_USERS", "A"}, open(hivetest.Options{Modified: 1}, true))
	reg.Mount(hive.Path{"HKEY_USERS", "A", "Software", "Classes"}, open(hivetest.Options{Modified: 2}, true))
	reg.Mount(hive.Path{"HKEY_USERS", "B"}, open(hivetest.Options{Modified: 3}, false))
	reg.Mount(nil, hive.NewKey("", nil, hive.NewKey("HKEY_LOCAL_MACHINE", nil)))
	for _, c := range []struct {
		path string
		want hive.Filetime
	}{{`HKU\A`, 1}, {`HKU\a\SOFTWARE`, 1}, {`HKU\A\Software\Classes\x`, 2}, {`HKU\B`, 0}, {`HKU`, 0}, {`HKLM\SYSTEM`, 0}} {
		got, ok := reg.Apply().Written(hive.ParsePath(c.path))
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %d %v", c.path, got, ok)
		}
	}
	for _, none := range []hive.Filetime{0, -1, 1 << 62} {
		reg.Mount(hive.Path{"HKEY_USERS", "C"}, open(hivetest.Options{Modified: none}, true))
		if got, ok := reg.Written(hive.ParsePath(`HKU\C`)); ok {
			t.Errorf("%d is a time: %d", none, got)
		}
	}
	if k := reg.Find(hive.ParsePath(`HKU\A`))[0].Key; !k.Dated() || k.Filetime() != 0 {
		t.Error("the time zero of a hive is no time")
	}
}

// TestNoTimes checks that times that are none are told, and that zero, which means that there is none, is not.
func TestNoTimes(t *testing.T) {
	none := []hive.Filetime{0, 1, 1<<63 - 1, -1 << 63, -1, 2650467743999999999, 2650467744000000000}
	root := &hivetest.Key{Name: "root", Modified: -2}
	for i, at := range none {
		root.Keys = append(root.Keys, &hivetest.Key{Name: fmt.Sprint(i), Modified: at})
	}
	b, at := hivetest.BuildLayout(root, hivetest.Options{Modified: -1})
	line := "TEST: offset %#x: the last write of %s, 0x%016x, is not a time from 1601 to 9999; it is left out"
	want := []string{fmt.Sprintf(line, 12, "the hive", uint64(math.MaxUint64)), fmt.Sprintf(line, 0x1020, "the root key", uint64(math.MaxUint64-1))}
	for i, time := range none {
		if i >= 2 && i != 5 {
			want = append(want, fmt.Sprintf(line, at.Key(fmt.Sprint(i)).Node-4, fmt.Sprintf("key %q", fmt.Sprint(i)), uint64(time)))
		}
	}
	f := read(t, b)
	if diff := cmp.Diff(want, told(f)); diff != "" {
		t.Error(diff)
	}
	for i, k := range f.Root().Keys() {
		if k.Modified().IsZero() != (i != 1 && i != 5) || k.Filetime() != none[i] {
			t.Errorf("%d: %v", none[i], k.Modified())
		}
	}
}
