package image_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/image"
	"regvet/internal/imagetest"
)

// vdiskFormats are the names that qemu has for the formats.
var vdiskFormats = map[string]string{".vhd": "vpc", ".vhdx": "vhdx", ".vdi": "vdi"}

// vdiskPeers returns the folder in which the images of other programs are, each beside a .raw file with the content of its disk.
func vdiskPeers(t *testing.T) string {
	dir := os.Getenv("REGVET_DISKS")
	if dir == "" {
		t.Skip("REGVET_DISKS is not set: .ci/evidence-vhd makes the images of other programs")
	}
	return dir
}

// TestWriteVirtualDisks writes the images of the other tests for other programs to read.
func TestWriteVirtualDisks(t *testing.T) {
	dir := vdiskPeers(t)
	base := vdiskContent(21, 2<<20)
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed, again := vdiskChanged(base, 22), vdiskChanged(base, 23)
	write("content", base)
	vhd := imagetest.VHD{Content: base, ID: 1, Block: 2 << 20}
	child := imagetest.VHD{Content: changed, ID: 2, Parent: &vhd, Name: "own-base.vhd", Block: 2 << 20}
	grandchild := imagetest.VHD{Content: again, ID: 3, Parent: &child, Name: "own-child.vhd", Block: 2 << 20}
	vhdx := imagetest.VHDX{Content: base, ID: 1}
	xchild := imagetest.VHDX{Content: changed, ID: 2, Parent: &vhdx, Name: "own-base.vhdx"}
	for name, disk := range map[string]struct{ file, content []byte }{
		"own-base.vhd":       {vhd.Bytes(), base},
		"own-child.vhd":      {child.Bytes(), changed},
		"own-grandchild.vhd": {grandchild.Bytes(), again},
		"own-fixed.vhd":      {imagetest.VHD{Content: base, Fixed: true}.Bytes(), base},
		"own-base.vhdx":      {vhdx.Bytes(), base},
		"own-child.vhdx":     {xchild.Bytes(), changed},
		"own-4096.vhdx":      {imagetest.VHDX{Content: base, Sector: 4096}.Bytes(), base},
		"own-unclosed.vhdx":  {imagetest.VHDX{Content: base, Log: imagetest.Unclosed}.Bytes(), base},
		"own-torn.vhdx":      {imagetest.VHDX{Content: base, Log: imagetest.Torn}.Bytes(), base},
		"own-dynamic.vdi":    {imagetest.VDI{Content: base, Block: 1 << 20}.Bytes(), base},
		"own-trimmed-1.vdi":  {imagetest.VDI{Content: base, Block: 1 << 20, Trimmed: true}.Bytes(), base},
		"own-static.vdi":     {imagetest.VDI{Content: base, Block: 1 << 20, Static: true}.Bytes(), base},
	} {
		write(name, disk.file)
		write(name+".raw", disk.content)
	}
}

// vdiskOpenFile opens a file of a folder.
func vdiskOpenFile(t *testing.T, path string) (*image.Image, error) {
	files := vdiskFolder{}
	open := func(name string) (block.File, error) {
		if filepath.Base(name) != name {
			return nil, fs.ErrInvalid
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return nil, err
		}
		files[name] = data
		return files.open(name, new(int))
	}
	f, err := open(filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	return image.Open(f, open)
}

// TestVirtualDisksOfOthers reads each image with the content that other programs say it has, from all of whose bytes it is read alike.
func TestVirtualDisksOfOthers(t *testing.T) {
	images, err := filepath.Glob(filepath.Join(vdiskPeers(t), "*.raw"))
	if err != nil || len(images) == 0 {
		t.Fatalf("no images: %v", err)
	}
	for _, raw := range images {
		path := strings.TrimSuffix(raw, ".raw")
		want, err := os.ReadFile(raw)
		if err != nil {
			t.Fatal(err)
		}
		i, err := vdiskOpenFile(t, path)
		if err != nil || i == nil {
			t.Errorf("%s is not opened: %v", filepath.Base(path), err)
			continue
		}
		got, err := io.ReadAll(io.NewSectionReader(i, 0, i.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, or others: %v", filepath.Base(path), len(got), len(want), err)
		}
		for _, p := range i.Problems {
			if p.Loss && !strings.Contains(path, "torn") {
				t.Errorf("%s: %v", filepath.Base(path), &p)
			}
		}
	}
	fmt.Printf("%d images read alike\n", len(images))
}

// vdiskPeer returns what qemu-img reads of an image, which may be changed, up to a size.
func vdiskPeer(t *testing.T, path string, size int) ([]byte, error) {
	format := vdiskFormats[filepath.Ext(path)]
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if strings.Contains(path, "unclosed") || strings.Contains(path, "torn") { // it replays a log only if it may write
		exec.CommandContext(ctx, "qemu-img", "check", "-q", "-r", "all", "-f", format, path).Run()
	}
	out := filepath.Join(filepath.Dir(path), "peer")
	defer os.Remove(out)
	if err := exec.CommandContext(ctx, "qemu-img", "dd", "-f", format, "-O", "raw", "bs=65536", fmt.Sprintf("count=%d", size/65536), "if="+path, "of="+out).Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// TestDamagedLikeOthers damages images of each format 200 times, and reads them beside qemu-img. Of damage that nothing in the file shows, of a
// table without a checksum, both read the same; of all else each byte is right, or an error.
func TestDamagedLikeOthers(t *testing.T) {
	dir := vdiskPeers(t)
	tmp := t.TempDir()
	for ext := range vdiskFormats {
		images, err := filepath.Glob(filepath.Join(dir, "*"+ext))
		if err != nil || len(images) == 0 {
			t.Fatalf("no images of %s: %v", ext, err)
		}
		rng := rand.New(rand.NewPCG(31, uint64(len(ext))))
		refused, gaps, whole, hidden, peerRefused, peerWrong := 0, 0, 0, 0, 0, 0
		read := map[string][]byte{}
		for round, n := 0, 0; n < 200; round++ {
			path := images[round%len(images)]
			if read[path] == nil {
				for _, path := range []string{path, path + ".raw"} {
					data, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					read[path] = data
				}
			}
			data, content := bytes.Clone(read[path]), read[path+".raw"]
			if strings.Contains(path, "child") || strings.Contains(path, "4096") || len(data) > 8<<20 { // qemu reads no parents, and only sectors of 512
				continue
			}
			n++
			name := fmt.Sprintf("%d-%s", n, filepath.Base(path))
			kind := ext
			if ext == ".vhd" && strings.Contains(path, "fixed") {
				kind = "fixed"
			}
			damage := vdiskDamage(rng, kind, data)
			data = data[:damage.size]
			damaged := filepath.Join(tmp, name)
			if err := os.WriteFile(damaged, data, 0o600); err != nil {
				t.Fatal(err)
			}
			peer, peerErr := vdiskPeer(t, damaged, len(content))
			if err := os.Remove(damaged); err != nil {
				t.Fatal(err)
			}
			if peerErr != nil {
				peerRefused++
			} else if m := min(len(peer), len(content)); !bytes.Equal(peer[:m], content[:m]) {
				peerWrong++
			}
			i, err := vdiskOpen(vdiskFolder{"disk": data}, "disk")
			if err != nil || i == nil {
				refused++
				if err != nil && !block.IsGap(err) {
					t.Errorf("%s, %s: %v", name, damage.what, err)
				}
				continue
			}
			hasGap, isHidden := false, false
			p := make([]byte, 4096)
			for at := int64(0); at < min(i.Size(), int64(len(content))); at += 4096 {
				n, err := i.ReadAt(p, at)
				hasGap = hasGap || err != nil && err != io.EOF
				n = min(n, len(content)-int(at))
				if bytes.Equal(p[:n], content[at:][:n]) {
					continue
				}
				if isHidden = true; peerErr != nil || int(at)+n > len(peer) || !bytes.Equal(p[:n], peer[at:][:n]) {
					t.Errorf("%s, %s: %d bytes at %#x are those of no one (qemu-img: %v)", name, damage.what, n, at, peerErr)
					break
				}
			}
			switch {
			case isHidden:
				hidden++
				t.Logf("%s, %s: nothing shows the damage", name, damage.what)
			case hasGap:
				gaps++
			default:
				whole++
			}
		}
		fmt.Printf("%s, damaged 200 times: %d refused, %d with gaps, %d whole and right, %d not shown by the file and read as qemu-img does; qemu-img refuses %d and gives other bytes for %d\n",
			ext, refused, gaps, whole, hidden, peerRefused, peerWrong)
	}
}

type vdiskDamaged struct {
	what string
	size int
}

// vdiskDamage damages an image where it is not the content of a block: a bit, a run of zeros, or all from somewhere on.
func vdiskDamage(rng *rand.Rand, kind string, data []byte) vdiskDamaged {
	type area struct{ at, size int }
	areas := map[string][]area{
		"fixed": {{len(data) - 512, 512}},
		".vhd":  {{0, 512}, {512, 1024}, {1536, 512}, {1536, 16}, {len(data) - 512, 512}},
		".vhdx": {{64 << 10, 80}, {128 << 10, 80}, {192 << 10, 80}, {256 << 10, 80}, {1 << 20, 80}, {2<<20 - 12<<10, 12 << 10}, {2 << 20, 192}, {2<<20 + 64<<10, 64}, {3 << 20, 192}, {3<<20 + 64<<10, 64}},
		".vdi":  {{0x40, 16}, {0x150, 0x40}, {512, 16}},
	}[kind]
	a := areas[rng.IntN(len(areas))]
	at := min(a.at+rng.IntN(a.size), len(data)-1)
	switch rng.IntN(8) {
	case 0:
		size := rng.IntN(len(data))
		return vdiskDamaged{fmt.Sprintf("cut off at %#x", size), size}
	case 1, 2:
		n := min(4<<rng.IntN(10), len(data)-at, a.at+a.size-at)
		clear(data[at:][:n])
		return vdiskDamaged{fmt.Sprintf("%d zeros at %#x", n, at), len(data)}
	}
	bit := byte(1) << rng.IntN(8)
	data[at] ^= bit
	return vdiskDamaged{fmt.Sprintf("the bit %#x at %#x", bit, at), len(data)}
}
