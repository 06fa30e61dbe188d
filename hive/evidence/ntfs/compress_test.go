package ntfs

import (
	"bytes"
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
