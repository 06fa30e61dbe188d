package image_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"regvet/internal/imagetest"
)

var qcow2s = []imagetest.QCOW2{
	{},
	{Version: 2},
	{Zeroed: true},
	{Version: 2, ClusterBits: 9},
	{ClusterBits: 21},
	{Compress: "zlib"},
	{Version: 2, Compress: "zlib", ClusterBits: 12},
	{Compress: "zstd"},
	{Compress: "zlib", ClusterBits: 21},
	{Compress: "zstd", ClusterBits: 9},
	{Extended: true},
	{Extended: true, Zeroed: true, ClusterBits: 14},
	{Extended: true, Compress: "zstd"},
}

func TestQCOW2(t *testing.T) {
	content := contentWithHoles(vmdkSize, 21)
	for _, q := range qcow2s {
		what := fmt.Sprintf("%+v", q)
		i, err := filesBeside{"disk": q.Write(content)}.open("disk")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		wholeAs(t, what, i, content)
		if i.Kind != "a qcow2 image" || len(i.Problems) > 0 || len(i.Files) != 1 || i.Files[0].Name != "disk" {
			t.Errorf("%s: %q, problems %v, files %v", what, i.Kind, i.Problems, i.Files)
		}
	}
}

// TestQCOW2Backing holds that what is only in the image below is a gap, and that all else is read.
func TestQCOW2Backing(t *testing.T) {
	under := contentWithHoles(vmdkSize, 22)
	content := bytes.Clone(under)
	copy(content[1<<20:], contentWithHoles(300_000, 23))
	clear(content[2<<20 : 2<<20+200<<10])
	for _, q := range []imagetest.QCOW2{{Zeroed: true}, {Zeroed: true, Version: 3, Compress: "zlib"}} {
		q.Backing, q.Under = "/somewhere/base.qcow2", under
		opened := filesBeside{"disk": q.Write(content), "base.qcow2": imagetest.QCOW2{}.Write(under)}
		i, err := opened.open("disk")
		if err != nil {
			t.Fatal(err)
		}
		gaps := rightOrError(t, "with a backing file", i, content, 4096)
		if gaps == 0 || gaps == len(content)/4096 || len(i.Files) != 1 {
			t.Errorf("%d gaps, files %v", gaps, i.Files)
		}
		want := `builds on "/somewhere/base.qcow2", which is not opened, so that what is only there is missing: convert the image with qemu-img`
		if !strings.Contains(messages(i), want) {
			t.Errorf("problems are %s", messages(i))
		}
		_, err = i.ReadAt(make([]byte, 10), 0)
		requireProblem(t, err)
		if !strings.Contains(err.Error(), `is in "/somewhere/base.qcow2"`) {
			t.Error(err)
		}
	}
}

// TestQCOW2Told holds what is said of headers.
func TestQCOW2Told(t *testing.T) {
	content := contentWithHoles(vmdkSize, 24)
	plain := imagetest.QCOW2{}.Write(content)
	set := func(at int, value ...byte) []byte {
		data := bytes.Clone(plain)
		copy(data[at:], value)
		return data
	}
	for _, c := range []struct {
		data  []byte
		want  string
		opens bool
		gaps  bool
	}{
		{imagetest.QCOW2{Encryption: 1}.Write(content), "is encrypted (AES)", false, false},
		{imagetest.QCOW2{Encryption: 2}.Write(content), "is encrypted (LUKS)", false, false},
		{imagetest.QCOW2{Features: 1}.Write(content), "was not closed cleanly", true, false},
		{imagetest.QCOW2{Features: 2}.Write(content), "is marked as corrupt", true, false},
		{imagetest.QCOW2{Features: 4}.Write(content), "keeps its content in another file", false, false},
		{imagetest.QCOW2{Features: 1<<40 | 1<<7}.Write(content), "features that are not known here: bit 7, bit 40", false, false},
		{set(7, 1), "is a qcow image of version 1", false, false},
		{set(7, 4), "has version 4 of the qcow2 format", false, false},
		{set(23, 8), "claims clusters of 2^8 bytes", false, false},
		{set(23, 22), "claims clusters of 2^22 bytes", false, false},
		{set(24, 0xff), "claims a disk of", false, false},
		{set(24, 0, 0, 0, 1), "entries in its L1 table, its size needs", true, true},
		{set(36, 0, 0, 0, 0), "has 0 entries in its L1 table, its size needs 1", true, true},
		{set(40, 1), "has its L1 table at 0x100000000010000", false, false},
		{set(47, 1), "has its L1 table at 0x10001", false, false},
		{set(104, 1), "is compressed by the unknown method 1, or its header is damaged", false, false},
		{set(104, 2), "is compressed by the unknown method 2", false, false},
		{plain[:90], "is cut off in its header", false, false},
		{plain[:70], "ends before 0x48", false, false},
	} {
		i, err := filesBeside{"disk": c.data}.open("disk")
		switch {
		case !c.opens && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v, want %s", err, c.want)
		case !c.opens:
			requireProblem(t, err)
		case err != nil || !strings.Contains(messages(i), c.want):
			t.Errorf("%v, %v, want %s", err, i, c.want)
		case i.Size() == int64(len(content)):
			if gaps := rightOrError(t, c.want, i, content, 4096); (gaps > 0) != c.gaps {
				t.Errorf("%s: %d gaps", c.want, gaps)
			}
		}
	}
}

// TestQCOW2Features holds that features are called by the names that the header gives them.
func TestQCOW2Features(t *testing.T) {
	data := imagetest.QCOW2{Features: 1 << 9}.Write(contentWithHoles(4096, 25))
	extension := binary.BigEndian.AppendUint32(nil, 0x12345678) // of another kind
	extension = append(extension, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0)
	extension = binary.BigEndian.AppendUint32(extension, 0x6803f857)
	extension = append(extension, 0, 0, 0, 48, 0, 9)
	copy(data[112:], append(extension, "time travel"...))
	_, err := filesBeside{"disk": data}.open("disk")
	if err == nil || !strings.Contains(err.Error(), `bit 9 ("time travel")`) {
		t.Error(err)
	}
}

// TestQCOW2Tables holds that an entry of a table that cannot be right is a gap, and only for what it leads to.
func TestQCOW2Tables(t *testing.T) {
	content := contentWithHoles(vmdkSize, 26)
	for _, q := range []imagetest.QCOW2{{ClusterBits: 12}, {ClusterBits: 12, Version: 2}, {ClusterBits: 14, Extended: true}, {ClusterBits: 12, Compress: "zlib"}} {
		data := q.Write(content)
		l1 := binary.BigEndian.Uint64(data[40:])
		l2 := binary.BigEndian.Uint64(data[l1:]) &^ (1 << 63)
		refcounts := binary.BigEndian.Uint64(data[48:])
		for what, bad := range map[string]uint64{
			"reserved high bits": 1<<57 | 1<<63 | 1<<q.ClusterBits*20, "reserved low bits": 1<<63 | 1<<q.ClusterBits*20 | 4,
			"not of a cluster": 1<<63 | 1<<q.ClusterBits*20 + 512, "the header": 1 << 63, "the L1 table": 1<<63 | l1,
			"the reference counts": 1<<63 | refcounts, "beyond the end": 1<<63 | 1<<40,
			"another cluster": binary.BigEndian.Uint64(data[l2+8*uint64(1+int(q.Version)/9):]),
		} {
			for name, at := range map[string]uint64{"L1": l1, "L2": l2} {
				damaged := bytes.Clone(data)
				binary.BigEndian.PutUint64(damaged[at:], bad)
				i, err := filesBeside{"disk": damaged}.open("disk")
				if err != nil {
					t.Fatal(err)
				}
				message := fmt.Sprintf("%+v: an entry of the %s table leads to %s", q, name, what)
				if q.Extended && name == "L2" && binary.BigEndian.Uint64(damaged[at+8:])&1 == 0 {
					t.Fatal("the first cluster is not stored")
				}
				gaps := rightOrError(t, message, i, content, 4096)
				if gaps == 0 || gaps == len(content)/4096 || name == "L2" && gaps > 8 { // two clusters, as two entries lead to the same one
					t.Errorf("%s: %d gaps", message, gaps)
				}
			}
		}
	}
}

// TestQCOW2Compressed holds that a damaged stream is a gap if it does not end where it must.
func TestQCOW2Compressed(t *testing.T) {
	content := contentWithHoles(vmdkSize, 27)
	for _, method := range []string{"zlib", "zstd"} {
		data := imagetest.QCOW2{Compress: method}.Write(content)
		l1 := binary.BigEndian.Uint64(data[40:])
		l2 := binary.BigEndian.Uint64(data[l1:]) &^ (1 << 63)
		entry := binary.BigEndian.Uint64(data[l2:])
		at := entry & (1<<54 - 1)
		for what, damage := range map[string]func(data []byte){
			"zeroed":                 func(data []byte) { clear(data[at : at+600]) },
			"with fewer sectors":     func(data []byte) { binary.BigEndian.PutUint64(data[l2:], 1<<62|at) },
			"in the header":          func(data []byte) { binary.BigEndian.PutUint64(data[l2:], 1<<62|512) },
			"beyond the end":         func(data []byte) { binary.BigEndian.PutUint64(data[l2:], entry|1<<40) },
			"marked as not shared":   func(data []byte) { binary.BigEndian.PutUint64(data[l2:], entry|1<<63) },
			"that begins elsewhere":  func(data []byte) { binary.BigEndian.PutUint64(data[l2:], entry+1) },
			"filled with other data": func(data []byte) { copy(data[at:], bytes.Repeat([]byte{0xaa}, 600)) },
		} {
			damaged := bytes.Clone(data)
			damage(damaged)
			i, err := filesBeside{"disk": damaged}.open("disk")
			if err != nil {
				t.Fatal(err)
			}
			if gaps := rightOrError(t, method+" "+what, i, content, 64<<10); gaps != 1 {
				t.Errorf("a %s cluster %s: %d gaps", method, what, gaps)
			}
		}
	}
}

func FuzzQCOW2(f *testing.F) {
	content := contentWithHoles(48<<10, 28)
	for _, q := range qcow2s {
		q.ClusterBits = 9 // the images are small then
		if q.Extended {
			q.ClusterBits = 14
		}
		f.Add(q.Write(content))
	}
	f.Add(imagetest.QCOW2{Backing: "base", ClusterBits: 9}.Write(content))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := filesBeside{"disk": data}.open("disk")
		lawOfReads(t, i, err)
	})
}
