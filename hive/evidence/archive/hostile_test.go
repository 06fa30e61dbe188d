package archive_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io/fs"
	"strings"
	"testing"

	"regvet/hive/evidence/archive"
	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// TestBombs holds that what unpacks to far more than it is packed is refused, and that a hive of zeros is not.
func TestBombs(t *testing.T) {
	zeros := append([]byte("regf"), make([]byte, 20<<20)...)
	sound := imagetest.Zip([]imagetest.ArchiveFile{{Name: "SYSTEM", Data: zeros}})
	if got, err := fs.ReadFile(open(t, "a.zip", sound), "SYSTEM"); err != nil || len(got) != len(zeros) {
		t.Errorf("a hive of zeros: %v", err)
	}
	bomb := bytes.Clone(sound)
	size := bytes.LastIndex(bomb, []byte("PK\x01\x02")) + 24
	binary.LittleEndian.PutUint32(bomb[size:], 0xFFFF0000)
	refused(t, "a member of 4 GB", bomb, "SYSTEM", "1 GB and 250 times")

	many := imagetest.Zip([]imagetest.ArchiveFile{{Name: "a"}, {Name: "b"}, {Name: "c"}})
	for i := range many { // the headers before the members have no sizes, since those come behind
		if bytes.HasPrefix(many[i:], []byte("PK\x01\x02")) {
			binary.LittleEndian.PutUint32(many[i+24:], 500<<20)
		}
	}
	refused(t, "the third member of 500 MB", many, "c", "the archive says that its members unpack to more than 1 GB")

	var out bytes.Buffer
	w := tar.NewWriter(&out)
	w.WriteHeader(&tar.Header{Name: "SYSTEM", Size: 1 << 50})
	w.Flush()
	refused(t, "a member of a petabyte", imagetest.Gzip(out.Bytes()), "SYSTEM", "1 GB and 250 times")
}

// TestOverlap holds that a member whose content is that of another one is refused.
func TestOverlap(t *testing.T) {
	data := imagetest.Zip([]imagetest.ArchiveFile{{Name: "a", Data: []byte("first")}, {Name: "b", Data: []byte("second")}})
	first := bytes.Index(data, []byte("PK\x01\x02"))
	second := bytes.LastIndex(data, []byte("PK\x01\x02"))
	copy(data[second+42:second+46], data[first+42:first+46])
	refused(t, "two members in one place", data, "b", "")
}

func refused(t *testing.T, what string, data []byte, name, why string) {
	t.Helper()
	a, err := archive.Open(fileOf("file", data), archive.Options{TempDir: t.TempDir()})
	if err == nil {
		defer a.Close()
		_, err = fs.ReadFile(a, name)
	}
	if !block.IsGap(err) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v, want a gap", what, err)
	}
}

// TestBehindEndMark holds that a tar archive with something behind its end mark is not whole: its blocks may have been zeroed.
func TestBehindEndMark(t *testing.T) {
	data := imagetest.Tar(members())
	for _, damaged := range [][]byte{append(bytes.Clone(data), imagetest.Tar(one("b"))...), data[:len(data)-1024]} {
		for _, packed := range [][]byte{damaged, imagetest.Gzip(damaged)} {
			a := open(t, "file", packed)
			if _, err := a.Stat("b"); !block.IsGap(err) {
				t.Errorf("%v, want a gap", err)
			}
			if got, err := fs.ReadFile(a, members()[0].Name); err != nil || !bytes.Equal(got, members()[0].Data) {
				t.Error(err)
			}
		}
	}
}
