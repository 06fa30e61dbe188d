package image_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
)

// evidenceFolder holds the files of images by their plain names.
type evidenceFolder map[string][]byte

// evidenceFile is one of them, named as by a user in another folder.
type evidenceFile struct {
	block.Reader
	name string
}

func (f evidenceFile) Name() string { return f.name }
func (f evidenceFile) Close() error { return nil }

func (d evidenceFolder) beside(name string) (block.File, error) {
	data, ok := d[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return evidenceFile{block.Bytes(data), "case/" + name}, nil
}

func (d evidenceFolder) open(name string) (*image.Image, error) {
	f, err := d.beside(name)
	if err != nil {
		return nil, err
	}
	return image.Open(f, d.beside)
}

// diskContent is what compresses well, badly and not at all, without two sectors that are the same.
func diskContent(size int) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(size)))
	content := make([]byte, 0, size+512)
	for len(content) < size {
		sector := make([]byte, 512)
		binary.LittleEndian.PutUint64(sector, uint64(len(content))+1)
		for i := 8; i < 8+(len(content)/16384%3)*252; i++ {
			sector[i] = byte(rng.Uint32())
		}
		content = append(content, sector...)
	}
	return content[:size]
}

// told returns the problems of an image, one a line.
func told(i *image.Image) string {
	var all strings.Builder
	for _, p := range i.Problems {
		fmt.Fprintln(&all, p.Error())
	}
	return all.String()
}

// TestRaw reads plain images, in one file and in several.
func TestRaw(t *testing.T) {
	content := diskContent(10 * 512)
	cut := func(names string, sizes ...int) evidenceFolder {
		d, rest := evidenceFolder{}, content
		for i, name := range strings.Fields(names) {
			d[name] = rest[:sizes[i]]
			rest = rest[sizes[i]:]
		}
		return d
	}
	for name, c := range map[string]struct {
		files evidenceFolder
		open  string
		whole int // bytes that can be read from the start, of 5120
		want  string
	}{
		"one file":                {cut("disk.dd", 5120), "disk.dd", 5120, ""},
		"another file beside":     {evidenceFolder{"disk.raw": content, "disk.001": nil, "disk.002": nil}, "disk.raw", 5120, ""},
		"FTK Imager":              {cut("disk.001 disk.002 disk.003", 2048, 2048, 1024), "disk.001", 5120, ""},
		"from 000":                {cut("disk.raw.000 disk.raw.001 disk.raw.002", 2048, 2048, 1024), "disk.raw.000", 5120, ""},
		"split -d":                {cut("disk.dd.00 disk.dd.01", 2560, 2560), "disk.dd.00", 5120, ""},
		"split":                   {cut("disk.aa disk.ab disk.ac", 2048, 2048, 1024), "disk.aa", 5120, ""},
		"a year":                  {cut("disk.2024", 5120), "disk.2024", 5120, ""},
		"an extension":            {evidenceFolder{"disk.ab": content, "disk.ac": nil}, "disk.ab", 5120, ""},
		"missing in the middle":   {cut("disk.001 disk.003 disk.004", 2048, 2048, 1024), "disk.001", 2048, "case/disk.002: a segment of the image is missing, although disk.003 is there"},
		"first is short":          {cut("disk.001 disk.002", 2047, 3073), "disk.001", 2047, "case/disk.002: the segment has 3073 bytes and the first has 2047"},
		"one in the middle short": {cut("disk.001 disk.002 disk.003", 2048, 2047, 1025), "disk.001", 4095, "case/disk.002: the segment has 2047 bytes and the first has 2048"},
		"second named":            {cut("disk.001 disk.002", 2560, 2560), "disk.002", -1, "name case/disk.001"},
		"second of 000 named":     {cut("disk.000 disk.001", 2560, 2560), "disk.001", -1, "name case/disk.000"},
		"second of aa named":      {cut("disk.aa disk.ab", 2560, 2560), "disk.ab", -1, "name case/disk.aa"},
		"first is not there":      {cut("disk.002 disk.003", 2560, 2560), "disk.003", -1, "of which the first is not beside it"},
	} {
		f, err := c.files.beside(c.open)
		if err != nil {
			t.Fatal(err)
		}
		i, err := image.Raw(f, c.files.beside)
		if c.whole < 0 {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || i.Size() < int64(c.whole) || i.Kind != "a raw image" {
			t.Errorf("%s: %v, %v", name, i, err)
			continue
		}
		if told := told(i); (c.want == "") != (i.Problems == nil) || !strings.Contains(told, c.want) {
			t.Errorf("%s: problems %s", name, told)
		}
		for at := range 5120 {
			p := make([]byte, 700)
			n, err := i.ReadAt(p, int64(at))
			if want := content[min(at, c.whole):min(c.whole, at+700)]; !bytes.Equal(p[:n], want) {
				t.Fatalf("%s: %d bytes at %d are not those of the disk", name, n, at)
			}
			if n < 700 && (c.whole < 5120 && !block.IsGap(err) || c.whole == 5120 && err != io.EOF) {
				t.Fatalf("%s: %d bytes at %d: %v", name, n, at, err)
			}
		}
	}
	// The bytes of each part are told where they lie.
	f, _ := cut("disk.001 disk.002", 3000, 2120).beside("disk.001")
	i, err := image.Raw(f, cut("disk.001 disk.002", 3000, 2120).beside)
	if err != nil {
		t.Fatal(err)
	}
	if file, at := i.Reader.(block.Locator).Locate(3005); path.Base(file) != "disk.002" || at != 5 {
		t.Errorf("byte 3005 lies in %s at %d", file, at)
	}
}
