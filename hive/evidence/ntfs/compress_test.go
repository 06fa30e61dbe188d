package ntfs

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// TestXpressOfMicrosoft holds the example of the specification: [MS-XCA] 3.2, the letters of the alphabet.
func TestXpressOfMicrosoft(t *testing.T) {
	raw := make([]byte, 256)
	copy(raw['a'/2:], []byte{0x50, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x45, 0x44, 0x04})
	raw[0x80] = 0x04
	raw = append(raw, 0xD8, 0x52, 0x3E, 0xD7, 0x94, 0x11, 0x5B, 0xE9, 0x19, 0x5F, 0xF9, 0xD6, 0x7C, 0xDF, 0x8D, 0x04, 0x00, 0x00, 0x00, 0x00)
	got, err := xpress(raw, 26)
	if err != nil || string(got) != "abcdefghijklmnopqrstuvwxyz" {
		t.Errorf("the letters are %q: %v", got, err)
	}
}

// TestLZNT1OfMicrosoft holds the example of the specification: [MS-XCA] 3.3.
func TestLZNT1OfMicrosoft(t *testing.T) {
	want := "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\x00"
	raw := []byte{
		0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xA2, 0x47, 0x01, 0xA0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50,
		0x79, 0x00, 0xC0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xB4, 0x02, 0x4A, 0x44, 0xEF, 0x03, 0x58, 0x02, 0x8C, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00,
		0xBE, 0x00, 0x9E, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
	}
	got, err := lznt1(raw, len(want))
	if err != nil || string(got) != want {
		t.Errorf("it is %q: %v", got, err)
	}
	for n := range raw {
		if got, err := lznt1(raw[:n], len(want)); err == nil {
			t.Errorf("%d of %d bytes are unpacked to %d", n, len(raw), len(got))
		}
	}
}

// FuzzUnpack holds that unpacking returns as many bytes as were asked for, or an error.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte{0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47}, uint16(20))
	f.Add(append(bytes.Repeat([]byte{0x99}, 256), 1, 2, 3, 4, 5, 6, 7, 8), uint16(4))
	f.Fuzz(func(t *testing.T, raw []byte, size uint16) {
		for _, unpack := range []func([]byte, int) ([]byte, error){lznt1, xpress} {
			got, err := unpack(raw, int(size))
			again, failed := unpack(raw, int(size))
			if err == nil && len(got) != int(size) || (err == nil) != (failed == nil) || !bytes.Equal(got, again) {
				t.Fatalf("%d bytes, want %d: %v", len(got), size, err)
			}
		}
	})
}

// TestXpressOfWimlib holds that what wimlib compressed is unpacked: in a WIM image, files are chunks after a table, as in WofCompressedData.
// Source: Microsoft, "Windows Imaging File Format (WIM)".
func TestXpressOfWimlib(t *testing.T) {
	wimcapture, err := exec.LookPath("wimcapture")
	if err != nil {
		t.Skip("wimcapture of wimtools is not installed")
	}
	from, name := t.TempDir(), filepath.Join(t.TempDir(), "test.wim")
	for i := range 20 {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		var b bytes.Buffer
		for b.Len() < 1000+i*i*1000 {
			fmt.Fprintf(&b, "%d %s ", rng.IntN(1+i*100), bytes.Repeat([]byte{byte(i)}, rng.IntN(1+i*i)))
		}
		if err := os.WriteFile(filepath.Join(from, strconv.Itoa(i)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, chunk := range []int{4 << 10, 8 << 10, 16 << 10} {
		os.Remove(name)
		if out, err := exec.Command(wimcapture, from, name, "--compress=xpress", fmt.Sprintf("--chunk-size=%d", chunk)).CombinedOutput(); err != nil {
			t.Fatalf("wimcapture: %v: %s", err, out)
		}
		wim, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		unpacked := 0
		table := le.Uint64(wim[56:])
		for entry := range slices.Chunk(wim[table:table+le.Uint64(wim[48:])&(1<<56-1)], 50) {
			const compressed = 4
			if entry[7]&compressed == 0 {
				continue
			}
			at, length, size := int(le.Uint64(entry[8:])), int(le.Uint64(entry)&(1<<56-1)), int(le.Uint64(entry[16:]))
			content := unpackAll(t, wim[at:at+length], size, chunk)
			if sum := sha1.Sum(content); !bytes.Equal(sum[:], entry[30:50]) {
				t.Errorf("chunks of %d: %d bytes do not have the SHA-1 of the image", chunk, size)
			}
			unpacked++
		}
		if unpacked < 15 {
			t.Errorf("chunks of %d: only %d files are compressed", chunk, unpacked)
		}
	}
}

// unpackAll returns the content of chunks after their table.
func unpackAll(t *testing.T, raw []byte, size, chunk int) (content []byte) {
	last := (size - 1) / chunk
	table := 4 * last
	begin := func(i int) int {
		switch i {
		case 0:
			return table
		case last + 1:
			return len(raw)
		}
		return table + int(le.Uint32(raw[4*i-4:]))
	}
	for i := range last + 1 {
		want, part := min(chunk, size-i*chunk), raw[begin(i):begin(i+1)]
		if len(part) < want {
			var err error
			if part, err = xpress(part, want); err != nil {
				t.Fatalf("chunk %d of %d: %v", i, last+1, err)
			}
		}
		content = append(content, part...)
	}
	return content
}
