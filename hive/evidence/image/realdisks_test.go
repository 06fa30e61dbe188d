package image_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"regvet/hive/evidence/image"
)

// realDisks returns the names of the images that another program made in the folder $REGVET_IMAGES, and the files there. Each has a file beside
// it with the sha256 of its content, as that program reads it.
func realDisks(t *testing.T) (dir string, names []string, files filesBeside) {
	dir = os.Getenv("REGVET_IMAGES")
	if dir == "" {
		t.Skip("REGVET_IMAGES is not set to a folder with images")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files = filesBeside{}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
		if name, ok := strings.CutSuffix(e.Name(), ".sha256"); ok {
			names = append(names, name)
		}
	}
	return dir, names, files
}

func TestRealDisks(t *testing.T) {
	_, names, files := realDisks(t)
	var total int64
	for _, name := range names {
		i, err := files.open(name)
		if err != nil || i == nil || len(i.Problems) > 0 {
			t.Errorf("%s: %v, %v", name, err, i)
			continue
		}
		sha := sha256.New()
		n, err := io.Copy(sha, io.NewSectionReader(i, 0, i.Size()))
		if sum := fmt.Sprintf("%x", sha.Sum(nil)); err != nil || sum != strings.TrimSpace(string(files[name+".sha256"])) {
			t.Errorf("%s (%s): sha256 %s, %v", name, i.Kind, sum, err)
		}
		total += n
	}
	t.Logf("TestRealDisks: %d images hold what qemu-img reads, %d MB", len(names), total>>20)
}

// spans returns where the structures of an image are, from and to: its header, its tables, and what is compressed.
func spans(name string, data []byte) [][2]int {
	switch {
	case strings.HasPrefix(name, "stream"):
		return [][2]int{{0, 80}, {512, 1024}, {0x2800, 64 << 10}, {64 << 10, len(data)}}
	case strings.HasSuffix(name, ".vmdk"):
		return [][2]int{{0, 80}, {512, 1024}, {0x2800, 64 << 10}}
	}
	l1 := int(binary.BigEndian.Uint64(data[40:]))
	l2 := int(binary.BigEndian.Uint64(data[l1:]) &^ (1 << 63))
	all := [][2]int{{0, 112}, {l1, l1 + 8}, {l2, l2 + 100*8}}
	if strings.HasPrefix(name, "c,") {
		all = append(all, [2]int{l2 + 64<<10, len(data)})
	}
	return all
}

// TestDamagedDisks changes images and reads them with ours and with qemu-img. Whatever ours returns is what the intact image holds, unless the
// damage makes another valid image, which then is read alike; and what qemu-img refuses, ours does not call whole.
func TestDamagedDisks(t *testing.T) {
	dir, _, files := realDisks(t)
	program, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Skip(err)
	}
	tmp := t.TempDir()
	rng := rand.New(rand.NewPCG(100, 1))
	var counts [3]int // told; of no consequence; a valid image of another content
	for _, name := range []string{"monolithicSparse.vmdk", "streamOptimized.vmdk", "compat=1.1.qcow2", "c,compat=1.1,compression_type=zstd.qcow2"} {
		content := peerReads(program, filepath.Join(dir, name), tmp, 1<<30)
		if content == nil {
			t.Fatalf("%s cannot be read", name)
		}
		for range 100 {
			data := bytes.Clone(files[name])
			at := damage(rng, data, spans(name, data))
			what := fmt.Sprintf("%s, damaged at %#x", name, at)
			i, err := files.with(name, data).open(name)
			if err != nil || i == nil {
				counts[0]++
				continue
			}
			got, gap := readWhole(i, len(content))
			whole := !gap && len(i.Problems) == 0
			if !whole && sameWhereRead(got, content) {
				counts[0]++
				continue
			}
			changed := filepath.Join(tmp, name)
			if err := os.WriteFile(changed, data, 0o600); err != nil {
				t.Fatal(err)
			}
			peer := peerReads(program, changed, tmp, len(content))
			switch {
			case peer == nil && whole:
				t.Errorf("%s: qemu-img refuses it, ours calls it whole", what)
			case sameWhereRead(got, content):
				counts[1]++
			case sameWhereRead(got, peer):
				counts[2]++
			default:
				t.Errorf("%s: ours reads what neither the disk holds nor qemu-img reads", what)
			}
		}
	}
	t.Logf("TestDamagedDisks: of 400 damaged images %d are told, %d are read as before, %d are valid images of other content for qemu-img too",
		counts[0], counts[1], counts[2])
}

// damage changes a few bytes in one of the spans.
func damage(rng *rand.Rand, data []byte, spans [][2]int) (at int) {
	span := spans[rng.IntN(len(spans))]
	at = span[0] + rng.IntN(span[1]-span[0])
	size := min(1+rng.IntN(8), span[1]-at)
	switch rng.IntN(3) {
	case 0:
		data[at] ^= 1 << rng.IntN(8)
	case 1:
		clear(data[at : at+size])
	case 2:
		for i := range size {
			data[at+i] = byte(rng.Uint32())
		}
	}
	return at
}

// peerReads returns what qemu-img reads of an image, but no more than size bytes, as a damaged one can claim any number; nil if it refuses it.
func peerReads(program, name, tmp string, size int) []byte {
	out := filepath.Join(tmp, "peer")
	os.Remove(out)
	format := strings.TrimPrefix(filepath.Ext(name), ".")
	if exec.Command(program, "convert", "-t", "unsafe", "-f", format, "-O", "raw", name, out).Run() != nil {
		return nil
	}
	f, err := os.Open(out)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _ := io.ReadAll(io.LimitReader(f, int64(size)))
	return data
}

// readWhole returns what can be read of an image, nil for a part that is a gap, up to size bytes, and whether there is a gap.
func readWhole(i *image.Image, size int) (parts [][]byte, gap bool) {
	const step = 4096
	gap = i.Size() < int64(size)
	for at := int64(0); at < min(i.Size(), int64(size)); at += step {
		p := make([]byte, min(step, int64(size)-at))
		n, err := i.ReadAt(p, at)
		if err != nil && err != io.EOF {
			gap = true
		}
		parts = append(parts, p[:n])
	}
	return parts, gap
}

// sameWhereRead compares parts with a content.
func sameWhereRead(parts [][]byte, content []byte) bool {
	for i, p := range parts {
		if at := i * 4096; at+len(p) > len(content) || !bytes.Equal(p, content[at:at+len(p)]) {
			return false
		}
	}
	return true
}
