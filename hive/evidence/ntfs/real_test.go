package ntfs_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/ntfs"
	"regvet/internal/evidencetest"
	"regvet/internal/imagetest"
)

// realImages returns the images that other programs made, see .ci/evidence-ntfs: files NAME.img in the folder REGVET_IMAGES, each with the list
// NAME.sha256 that sha256sum wrote of all files in it.
func realImages(t *testing.T) []string {
	folder := os.Getenv("REGVET_IMAGES")
	if folder == "" {
		t.Skip("REGVET_IMAGES names no folder of images")
	}
	images, err := filepath.Glob(filepath.Join(folder, "*.img"))
	if err != nil || len(images) == 0 {
		t.Fatalf("there are no images in %s: %v", folder, err)
	}
	return images
}

// file is an image that a test opened.
type file struct {
	*os.File
	size int64
}

func (f file) Size() int64 { return f.size }

func openImage(t testing.TB, name string) block.Reader {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return block.Cached(file{f, info.Size()})
}

// walk returns the hash of each file of a volume, or the error of reading it; a folder counts if it cannot be listed.
func walk(fsys fs.FS) (sums map[string]string, failed map[string]error) {
	sums, failed = map[string]string{}, map[string]error{}
	fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			failed[path] = err
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := fs.ReadFile(fsys, path)
		if err != nil {
			failed[path] = err
			return nil
		}
		sums[path] = fmt.Sprintf("%x", sha256.Sum256(content))
		return nil
	})
	return sums, failed
}

// TestRealImages holds that all files of a real volume are listed and read, and nothing else.
func TestRealImages(t *testing.T) {
	for _, name := range realImages(t) {
		v, err := ntfs.Open(openImage(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range v.Problems() {
			t.Errorf("%s: %v", name, &p)
		}
		want := evidencetest.Sums(t, strings.TrimSuffix(name, ".img")+".sha256")
		got, failed := walk(v)
		for path, err := range failed {
			t.Errorf("%s: %s: %v", name, path, err)
		}
		for path, sum := range want {
			if got[path] != sum {
				t.Errorf("%s: %s has the hash %q, want %q", name, path, got[path], sum)
			}
			if _, err := v.Stat(strings.ToUpper(path)); err != nil {
				t.Errorf("%s: in upper case: %v", name, err)
			}
			if _, err := v.Stat(path + "x"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %sx: %v, want that it is not there", name, path, err)
			}
		}
		for path := range got {
			if want[path] == "" {
				t.Errorf("%s: %s is not in it", name, path)
			}
		}
		t.Logf("%s: %d files", filepath.Base(name), len(got))
	}
}

// TestDamagedRealImages damages the real volumes where they hold no content: sectors are zeroed or overwritten, or the end is cut off. Each file
// must be read as it was, or fail, and none may be absent. If content is otherwise and no error says so, then icat must read the same: the damage
// made another valid volume. REGVET_VARIANTS is how many volumes are made of each image.
func TestDamagedRealImages(t *testing.T) {
	variants, err := strconv.Atoi(os.Getenv("REGVET_VARIANTS"))
	if err != nil || variants == 0 {
		t.Skip("REGVET_VARIANTS is not how many damaged volumes to make of each image")
	}
	for _, name := range realImages(t) {
		image, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := damaged{T: t, name: filepath.Base(name), image: image, want: evidencetest.Sums(t, strings.TrimSuffix(name, ".img")+".sha256")}
		d.choose()
		for i := range variants {
			d.variant(i)
		}
		t.Logf("%s: %d volumes, %d files read as they were, %d gaps, %d otherwise and by icat too", d.name, variants, d.whole, d.gaps, d.otherwise)
	}
}

// damaged is a real volume that is damaged.
type damaged struct {
	*testing.T
	name                   string
	image                  []byte
	want                   map[string]string // the hash of each file
	records, others        []int             // the sectors of MFT records and indexes, and those of other metadata
	whole, gaps, otherwise int
}

// choose finds the sectors that are not content and not empty.
func (d *damaged) choose() {
	v := open(d.T, d.image)
	files := fstest.MapFS{}
	for path := range d.want {
		content, err := fs.ReadFile(v, path)
		if err != nil {
			d.Fatal(err)
		}
		files[path] = &fstest.MapFile{Data: content}
	}
	content := contentSectors(d.image, files)
	record := 0 // sectors that are left of one
	for i := range len(d.image) / 512 {
		sector := d.image[i*512 : i*512+512]
		switch string(sector[:4]) {
		case "FILE":
			record = int(binary.LittleEndian.Uint32(sector[0x1C:])) / 512
		case "INDX":
			record = 8
		}
		switch {
		case record > 0:
			d.records = append(d.records, i)
			record--
		case !content[i] && len(bytes.Trim(sector, "\x00")) > 0 && len(bytes.Trim(sector, "\xff")) > 0:
			d.others = append(d.others, i)
		}
	}
}

func (d *damaged) variant(i int) {
	rng := rand.New(rand.NewPCG(uint64(i), 99))
	image, what := d.image, fmt.Sprintf("%s, variant %d", d.name, i)
	if i%10 == 9 {
		image = image[:rng.IntN(len(image))]
	}
	for range 1 + rng.IntN(4) {
		list := d.records
		if rng.IntN(3) == 0 {
			list = d.others
		}
		at := list[rng.IntN(len(list))] * 512
		if at+512 > len(image) {
			continue
		}
		sector := image[at : at+512]
		before := slices.Clone(sector)
		defer copy(sector, before)
		switch rng.IntN(3) {
		case 0:
			clear(sector)
		case 1:
			copy(sector, random(uint64(i), 512))
		default: // only a part of it
			copy(sector[rng.IntN(512):], random(uint64(i), 1+rng.IntN(64)))
		}
	}
	v, err := ntfs.Open(block.Bytes(image))
	if err != nil {
		if !block.IsGap(err) {
			d.Errorf("%s: %v", what, err)
		}
		return
	}
	for path, sum := range d.want {
		content, err := fs.ReadFile(v, path)
		switch got := fmt.Sprintf("%x", sha256.Sum256(content)); {
		case block.IsGap(err):
			d.gaps++
		case err != nil:
			d.Errorf("%s: %s: %v", what, path, err)
		case got == sum:
			d.whole++
		default:
			d.otherwise++
			if peer, err := icat(d.T, image, path); err != nil || peer != got {
				d.Errorf("%s: %s is read as %d other bytes, and by icat not: %v", what, path, len(content), err)
			}
		}
	}
	listed, failed := walk(v)
	for path := range d.want {
		if listed[path] == "" && failed[path] == nil && !slices.ContainsFunc(parents(path), func(folder string) bool { return failed[folder] != nil }) {
			d.Errorf("%s: %s is not listed, and no error says why", what, path)
		}
	}
}

// icat returns the hash of a file as sleuthkit reads it.
func icat(t *testing.T, image []byte, path string) (string, error) {
	name := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(name, image, 0o600); err != nil {
		return "", err
	}
	inode, err := inodes(name)
	if err != nil {
		return "", err
	}
	content, err := exec.Command("icat", "-f", "ntfs", name, inode[path]).Output()
	return fmt.Sprintf("%x", sha256.Sum256(content)), err
}

// inodes lists the files of an image as sleuthkit numbers them.
func inodes(image string) (map[string]string, error) {
	out, err := exec.Command("fls", "-f", "ntfs", "-r", "-p", "-F", "-u", image).Output()
	list := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if head, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":\t"); ok {
			list[path] = head[strings.LastIndexByte(head, ' ')+1:]
		}
	}
	return list, err
}

// TestOtherReaders holds that sleuthkit and ntfs-3g read the volumes of package imagetest as they were written, so that these are volumes of NTFS.
func TestOtherReaders(t *testing.T) {
	for _, tool := range []string{"fls", "icat", "ntfscat"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	files := tree()
	for name, o := range layouts() {
		image := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(image, imagetest.NTFS(files, o), 0o600); err != nil {
			t.Fatal(err)
		}
		inode, err := inodes(image)
		if err != nil && o.Cluster <= 64<<10 { // sleuthkit knows no larger ones
			t.Errorf("%s: fls: %v", name, err)
		}
		for path, file := range files {
			if strings.Contains(path, "many") && !strings.Contains(path, "49 of") || o.Files[path].XPRESS {
				continue
			}
			readers := []*exec.Cmd{exec.Command("ntfscat", "-f", image, path)}
			if o.Cluster <= 64<<10 {
				readers = append(readers, exec.Command("icat", "-f", "ntfs", image, inode[path]))
			}
			for _, reader := range readers {
				if content, err := reader.Output(); err != nil || !bytes.Equal(content, file.Data) {
					t.Errorf("%s: %s reads %s as %d bytes, want %d: %v", name, reader.Args[0], path, len(content), len(file.Data), err)
				}
			}
		}
	}
}
