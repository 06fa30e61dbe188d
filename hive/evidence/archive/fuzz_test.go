package archive_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"testing"

	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// FuzzOpen holds the laws for any bytes: names are sound, a member is read equally twice, whole and in pieces, as long as it says, or is a gap, and
// what is in no list of members is a gap if that list is not whole.
func FuzzOpen(f *testing.F) {
	files := []imagetest.ArchiveFile{
		{Name: "a/SYSTEM", Data: append([]byte("regf"), bytes.Repeat([]byte("hive"), 2000)...)},
		{Name: `a\b`, Data: []byte("text")}, {Name: "a/c/d", Data: nil}, {Name: "a/b", Data: []byte("double")},
	}
	for _, data := range formats(files) {
		f.Add(data)
	}
	f.Add(imagetest.Gzip([]byte("single")))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := archive.Open(fileOf("file.gz", data), archive.Options{TempDir: t.TempDir(), TempSize: 64 << 20})
		if err != nil || a == nil {
			if err != nil && !block.IsGap(err) {
				t.Fatalf("%v, want a gap", err)
			}
			return
		}
		defer a.Close()
		n := 0
		fs.WalkDir(a, ".", func(name string, d fs.DirEntry, err error) error {
			if n++; n > 200 {
				return fs.SkipAll
			}
			if !fs.ValidPath(name) {
				t.Fatalf("the name %q", name)
			}
			if err != nil && !block.IsGap(err) {
				t.Fatalf("%s: %v, want a gap", name, err)
			}
			if d != nil && !d.IsDir() {
				readsEqual(t, a, name)
			}
			return nil
		})
	})
}

func readsEqual(t *testing.T, a *archive.Archive, name string) {
	info, err := a.Stat(name)
	if err != nil {
		t.Fatalf("%s is listed: %v", name, err)
	}
	file, err := a.Open(name)
	if err != nil {
		if !block.IsGap(err) {
			t.Fatalf("%s: %v, want a gap", name, err)
		}
		return
	}
	defer file.Close()
	if info.Size() > 8<<20 {
		return // zeros, whose length costs time only
	}
	head := make([]byte, 64)
	n, headErr := file.(io.ReaderAt).ReadAt(head, 0)
	whole, err := fs.ReadFile(a, name)
	if err != nil {
		if !block.IsGap(err) {
			t.Fatalf("%s: %v, want a gap", name, err)
		}
		return
	}
	if headErr != nil && headErr != io.EOF || !bytes.HasPrefix(whole, head[:n]) || int64(len(whole)) != info.Size() {
		t.Fatalf("%s: %d bytes of %d, %v", name, len(whole), info.Size(), headErr)
	}
	again, err := io.ReadAll(file)
	if err != nil || !bytes.Equal(again, whole) {
		t.Fatalf("%s is read in two ways: %v", name, err)
	}
}

// sevenOf returns a 7z archive with a database that matches its checksum.
func sevenOf(content, db []byte) []byte {
	le := binary.LittleEndian
	place := le.AppendUint64(le.AppendUint64(nil, uint64(len(content))), uint64(len(db)))
	place = le.AppendUint32(place, crc32.ChecksumIEEE(db))
	out := le.AppendUint32([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), crc32.ChecksumIEEE(place))
	return append(append(append(out, place...), content...), db...)
}

// FuzzSevenDatabase holds the laws for any database of 7z, which a checksum would keep from most of what FuzzOpen tries.
func FuzzSevenDatabase(f *testing.F) {
	files := []imagetest.ArchiveFile{{Name: "a/b", Data: []byte("regf")}, {Name: "c", Data: bytes.Repeat([]byte("hive"), 3000)}}
	split := func(data []byte) (content, db []byte) {
		end := 32 + binary.LittleEndian.Uint64(data[12:])
		return data[32:end], data[end:]
	}
	for _, solid := range []bool{true, false} {
		content, db := split(imagetest.SevenZip(files, solid))
		if !bytes.Equal(sevenOf(content, db), imagetest.SevenZip(files, solid)) {
			f.Fatal("the archive is put together in another way than it was")
		}
		f.Add(content, db)
	}
	// The decoder of this one returns neither bytes nor an error.
	f.Add([]byte("\xe0.\xe3\x008]\x009\x19I)\xf7\x85\xc1#\x16\x15\xce\xca`\xea\x82\x1bjs\xa2\"m_\a\xb9\x80\x00\x00\x00\x93@Z\x9f\x19\x1e*\xc1\xfa\x84\xd0e\x95~c\x97\x81\x81\x99b\xf4\x0f\x7fo\x9f\xb7\x1b\x00\x00"),
		[]byte("\x01\x04\x06\x00\x01\t@\x00\a\v\x01\x00\x01!\x03\x01\x10\f\xe0\xe4.\x00\x00\b\r\x02\t\x04\n\x01\xcd\x87! V\xea=\xf9\x00\x00\x05\x02\x11\r\x00a\x00/\x00b\x00\x00\x00c\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content, db []byte) {
		a, err := archive.Open(fileOf("a.7z", sevenOf(content, db)), archive.Options{TempDir: t.TempDir(), TempSize: 64 << 20})
		if err != nil {
			if !block.IsGap(err) {
				t.Fatalf("%v, want a gap", err)
			}
			return
		}
		defer a.Close()
		list, err := a.ReadDir(".")
		if err != nil && !block.IsGap(err) {
			t.Fatal(err)
		}
		for _, d := range list[:min(len(list), 50)] {
			if d.Type().IsRegular() {
				readsEqual(t, a, d.Name())
			}
		}
	})
}
