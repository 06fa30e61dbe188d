package hive_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"www.velocidex.com/golang/regparser"

	"regvet/hive"
	"regvet/internal/hivetest"
	"regvet/internal/shared"
)

var profile = regparser.NewRegistryProfile()

// nodeByAccessors is [hive.ReadNode] with the accessors of regparser, which drop fractions of a second.
func nodeByAccessors(r io.ReaderAt, at int64) (hive.NodeFields, int64) {
	n := profile.CM_KEY_NODE(r, at)
	return hive.NodeFields{
		Flags: n.Flags(), Parent: n.Parent(), Subkeys: n.SubKeyCounts()[0], SubkeyList: n.SubKeyLists()[0],
		Values: n.ValueList().Count(), ValueList: n.ValueList().List(), Security: n.Security(), Class: n.Class(),
		NameLength: int(n.NameLength()), ClassLength: int(n.ClassLength()),
	}, n.LastWriteTime().Unix()
}

func valueByAccessors(r io.ReaderAt, at int64) hive.ValueFields {
	v := profile.CM_KEY_VALUE(r, at)
	return hive.ValueFields{NameLength: int(v.NameLength()), Length: v.DataLength(), Data: v.Data(), Type: hive.Type(v.Type()), Flags: v.Flags()}
}

// sameReadings compares both readings of each record of a hive, and returns the number of records.
func sameReadings(t *testing.T, b []byte) int {
	t.Helper()
	f, err := hive.Read("TEST", b)
	if err != nil {
		return 0
	}
	r := bytes.NewReader(b)
	n := 0
	for at := int64(4096); at+32 <= int64(len(b)); at += 4096 {
		if string(b[at:at+4]) == "hbin" {
			n++
			want := profile.HBIN(r, at)
			if offset, size := hive.ReadBin(b[at:]); offset != want.FileOffset() || size != want.HbinSize() {
				t.Fatalf("bin at %#x: at %#x, %d bytes, regparser reads %#x, %d", at, offset, size, want.FileOffset(), want.HbinSize())
			}
		}
	}
	for path, k := range f.Root().Walk() {
		n++
		at := k.At().Offset + 4
		got := hive.ReadNode(b[at:])
		want, seconds := nodeByAccessors(r, at)
		// Before 1970 the accessor overflows.
		if got.Modified.Time().Unix() >= 0 && got.Modified.Time().Unix() != seconds {
			t.Fatalf("time of %q at %#x: %v, regparser reads %d", path, at, got.Modified.Time(), seconds)
		}
		if got.Modified != k.Filetime() {
			t.Fatalf("time of %q at %#x: %v, the key has %v", path, at, got.Modified, k.Filetime())
		}
		if got.Modified = 0; got != want {
			t.Fatalf("key %q at %#x: %+v, regparser reads %+v", path, at, got, want)
		}
		for _, v := range k.Values() {
			n++
			at := v.At.Offset + 4
			if got, want := hive.ReadValue(b[at:]), valueByAccessors(r, at); got != want || got.Type != v.Type {
				t.Fatalf("value %q of %q at %#x: %+v, regparser reads %+v", v.Name, path, at, got, want)
			}
		}
	}
	return n
}

// TestRecords compares the readings of records from their bytes with those of regparser, for each field that is read.
func TestRecords(t *testing.T) {
	for _, root := range []*hivetest.Key{specialTree(), hivetest.Specimen(), wideTree(600, "lf"), deepTree(hive.MaxDepth)} {
		if n := sameReadings(t, hivetest.Build(root, hivetest.Options{})); n < 15 {
			t.Errorf("only %d records", n)
		}
	}
	for _, b := range hivetest.Damages() {
		sameReadings(t, b)
	}
}

func TestRecordsOfRealHives(t *testing.T) {
	n := 0
	err := filepath.WalkDir(shared.Path(t, "hives"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		// The large hives have all kinds of records; the others, the odd ones.
		if hive.IsHive(b) {
			n += sameReadings(t, b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records", n)
}

// BenchmarkKeyNode shows why records are read from their bytes.
func BenchmarkKeyNode(b *testing.B) {
	data, at := hivetest.BuildLayout(hivetest.Specimen(), hivetest.Options{})
	node := int64(at.Key("Plain").Node)
	var fields hive.NodeFields
	b.Run("bytes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fields = hive.ReadNode(data[node:])
		}
	})
	b.Run("regparser", func(b *testing.B) {
		r := bytes.NewReader(data)
		b.ReportAllocs()
		for b.Loop() {
			fields, _ = nodeByAccessors(r, node)
		}
	})
	if fields.Values != 3 {
		b.Errorf("%+v", fields)
	}
}
