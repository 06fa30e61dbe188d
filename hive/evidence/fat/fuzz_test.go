package fat

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/internal/imagetest"
)

// overlay is a small volume, of whose first bytes and clusters a fuzzer changes some.
type overlay struct {
	block.Reader
	changes []byte // each is 3 bytes of a place and one that stands there instead
}

func (o overlay) ReadAt(p []byte, at int64) (int, error) {
	n, err := o.Reader.ReadAt(p, at)
	for c := o.changes; len(c) >= 4; c = c[4:] {
		if i := int64(c[0])<<16 | int64(c[1])<<8 | int64(c[2]); i >= at && i < at+int64(n) {
			p[i-at] = c[3]
		}
	}
	return n, err
}

// FuzzOpen changes any bytes of small volumes. What is read is read the same again, what cannot be read is a gap, and what an entry says is
// what is read.
func FuzzOpen(f *testing.F) {
	small := fstest.MapFS{
		"BCD":                     {Data: bytes.Repeat([]byte("hive"), 500)},
		"EFI/Boot/A long name.fi": {Data: []byte("short")},
		"EFI/Empty":               {},
	}
	var disks []block.Reader
	for _, o := range []imagetest.FATOptions{{Fragmented: true, Label: "ONE"}, {OneTable: true}} {
		for _, bits := range []int{12, 16, 32} {
			disks = append(disks, block.Bytes(imagetest.FAT(bits, small, o)))
		}
		disks = append(disks, block.Bytes(imagetest.ExFAT(small, o)))
	}
	for i := range disks {
		f.Add(byte(i), []byte{}, []byte{})
		f.Add(byte(i), []byte{0, 0, 13, 2, 0, 8, 3, 9}, []byte("\x00"))
	}
	f.Fuzz(func(t *testing.T, which byte, changes, head []byte) {
		var r block.Reader = overlay{disks[int(which)%len(disks)], changes[:min(len(changes), 4000)]}
		if len(head) > 600 { // a volume of the fuzzer's own
			r = block.Bytes(head)
		}
		v, err := Open(r)
		if err != nil {
			if !block.IsGap(err) {
				t.Errorf("%v is no gap", err)
			}
			return
		}
		n := 0
		_ = fs.WalkDir(v, ".", func(name string, e fs.DirEntry, err error) error {
			if n++; n > 100 || strings.Count(name, "/") > 5 { // a folder can be in itself
				return fs.SkipAll
			}
			if err != nil {
				if !block.IsGap(err) {
					t.Errorf("%s: %v is no gap", name, err)
				}
				return nil
			}
			if e.IsDir() {
				return nil
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > 1<<20 {
				return nil
			}
			one, err := fs.ReadFile(v, name)
			switch two, again := fs.ReadFile(v, name); {
			case (err == nil) != (again == nil) || !bytes.Equal(one, two):
				t.Errorf("%q is read twice with different results: %v, %v", name, err, again)
			case err == nil && int64(len(one)) != info.Size():
				t.Errorf("%q has %d bytes, and its entry says %d", name, len(one), info.Size())
			case err != nil && !block.IsGap(err):
				t.Errorf("%q: %v is no gap", name, err)
			case errors.Is(err, fs.ErrNotExist):
				t.Errorf("%q is listed and not there", name)
			}
			return nil
		})
	})
}
