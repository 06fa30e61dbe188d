package image_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
)

// realFile is a file of the disk.
type realFile struct {
	*os.File
	size int64
}

func (f realFile) Size() int64 { return f.size }

func openReal(name string) (block.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return realFile{f, info.Size()}, nil
}

// TestRealEWF reads the images that .ci/evidence-ewf had real programs make, in the folder REGVET_IMAGES. Beside each is a file .ewf with lines:
//
//	image NAME            the first segment
//	content FILE          what the disk holds
//	whole                 there is no gap and no problem, and the stored hashes match
//	bad FIRST LAST        sectors of which ewfverify says that they do not match their checksum
func TestRealEWF(t *testing.T) {
	dir := os.Getenv("REGVET_IMAGES")
	if dir == "" {
		t.Skip("REGVET_IMAGES names no folder of images; see .ci/evidence-ewf")
	}
	lists, err := filepath.Glob(filepath.Join(dir, "*.ewf"))
	if err != nil || len(lists) == 0 {
		t.Fatalf("there is no list in %s (%v)", dir, err)
	}
	contents := map[string][]byte{}
	var whole, damaged, refused, bad, mended, lost int
	for _, list := range lists {
		r := readRealEWF(t, dir, list, contents)
		i, err := r.open(dir)
		if r.whole {
			r.checkWhole(t, i, err)
			whole++
			i.Close()
			continue
		}
		damaged++
		if err != nil || i == nil {
			refused++
			continue
		}
		got := gaps(t, i, r.content, 512)
		lost += len(got)
		for _, sector := range r.bad {
			bad++
			if _, ok := slices.BinarySearch(got, sector); ok {
				continue
			}
			if i.Problems == nil {
				t.Errorf("%s: ewfverify says that sector %d is damaged, and regvet that all is whole", r.image, sector)
			}
			mended++
		}
		i.Close()
	}
	if whole > 0 {
		fmt.Printf("%d images are the same\n", whole)
	}
	if damaged > 0 {
		fmt.Printf("%d damaged images, of which %d are refused; of %d sectors that ewfverify calls damaged, %d are gaps, and the others were read right; %d gaps in all\n",
			damaged, refused, bad, bad-mended, lost)
	}
}

type realEWF struct {
	image   string
	content []byte
	whole   bool
	bad     []int
}

func readRealEWF(t *testing.T, dir, list string, contents map[string][]byte) realEWF {
	t.Helper()
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var r realEWF
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		kind, value, _ := strings.Cut(lines.Text(), " ")
		switch kind {
		case "image":
			r.image = value
		case "content":
			if contents[value] == nil {
				if contents[value], err = os.ReadFile(filepath.Join(dir, value)); err != nil {
					t.Fatal(err)
				}
			}
			r.content = contents[value]
		case "whole":
			r.whole = true
		case "bad":
			var first, last int
			if _, err := fmt.Sscan(value, &first, &last); err != nil {
				t.Fatal(err)
			}
			for s := first; s <= last; s++ {
				r.bad = append(r.bad, s)
			}
		default:
			t.Fatalf("%s: what is %q?", list, kind)
		}
	}
	return r
}

func (r realEWF) open(dir string) (*image.Image, error) {
	first := filepath.Join(dir, r.image)
	f, err := openReal(first)
	if err != nil {
		return nil, err
	}
	return image.Open(f, func(name string) (block.File, error) {
		if name != filepath.Base(name) {
			return nil, fs.ErrNotExist
		}
		return openReal(filepath.Join(filepath.Dir(first), name))
	})
}

func (r realEWF) checkWhole(t *testing.T, i *image.Image, err error) {
	t.Helper()
	if err != nil || i == nil {
		t.Fatalf("%s: %v", r.image, err)
	}
	content := bytes.NewBuffer(make([]byte, 0, len(r.content)))
	verified, err := i.Verify(content)
	if err != nil || i.Problems != nil || !bytes.Equal(content.Bytes(), r.content) {
		t.Errorf("%s: the content of %d bytes is not the one of the disk, of %d: %v; problems: %v", r.image, content.Len(), len(r.content), err, told(i))
	}
	if len(verified) == 0 {
		t.Errorf("%s: no hash is stored", r.image)
	}
	for _, v := range verified {
		if !v.Matches() {
			t.Errorf("%s: %s is stored as %s and computed as %s", r.image, v.Name, v.Sum, v.Computed)
		}
	}
	if facts := fmt.Sprint(i.Facts); !strings.Contains(facts, "{case number 2026-17}") || !strings.Contains(facts, "{examiner J. Doe}") {
		t.Errorf("%s: facts %s", r.image, facts)
	}
}
