package hivetest

import (
	"bytes"
	"testing"
)

// TestMarvin32 requires the values that Microsoft's own tests of its .NET code expect.
func TestMarvin32(t *testing.T) {
	const seed = 0x004FB61A001BDBCC
	tests := []struct {
		seed uint64
		data string
		want uint64
	}{
		{seed, "", 0x30ED35C100CD3C7D},
		{seed, "\xAF", 0x48E73FC77D75DDC1},
		{seed, "\xE7\x0F", 0xB5F6E1FC485DBFF8},
		{seed, "\x37\xF4\x95", 0xF0B07C789B8CF7E8},
		{seed, "\x86\x42\xDC\x59", 0x7008F2E87E9CF556},
		{seed, "\x15\x3F\xB7\x98\x26", 0xE6C08C6DA2AFA997},
		{seed, "\x09\x32\xE6\x24\x6C\x47", 0x6F04BF1A5EA24060},
		{seed, "\xAB\x42\x7E\xA8\xD1\x0F\xC7", 0xE11847E4F0678C41},
		{0xD53CD9CECD0893B7, "abc", 0x22C74339492769BF},
		{0x0DDDDEEEEFFFF000, "abcdefghijklmnopqrstuvwxyz", 0xA128EB7E7260ACA2},
	}
	for _, test := range tests {
		data := []byte(test.data)
		if got := Marvin32(test.seed, data); got != test.want {
			t.Errorf("%q with seed %#x: %#x, want %#x", test.data, test.seed, got, test.want)
		}
	}
}

// TestPages requires that the pages of a change turn the earlier state into the later one.
func TestPages(t *testing.T) {
	small := Build(&Key{Keys: []*Key{{Name: "a"}}}, Options{})
	large := Build(Specimen(), Options{})
	for _, pair := range [][2][]byte{{small, small}, {small, large}, {large, small}, {large, Build(Specimen(), Options{Modified: 1})}} {
		before, after := pair[0], pair[1]
		b := append(bytes.Clone(before), make([]byte, max(0, len(after)-len(before)))...)
		end := 0
		for _, p := range Pages(before, after) {
			if p.At < end || p.At%LogSector != 0 || len(p.Data)%LogSector != 0 || len(p.Data) == 0 {
				t.Fatalf("a page of %d bytes at %#x, after one that ends at %#x", len(p.Data), p.At, end)
			}
			end = p.At + len(p.Data)
			copy(b[page+p.At:], p.Data)
		}
		if !bytes.Equal(b[page:len(after)], after[page:]) {
			t.Errorf("from %d to %d bytes: the pages do not lead there", len(before), len(after))
		}
	}
}

func TestLogIsACopy(t *testing.T) {
	before, after := Build(&Key{}, Options{}), Build(Specimen(), Options{})
	wasBefore, wasAfter := bytes.Clone(before), bytes.Clone(after)
	Log(before, 1, Entries(1, 3, before, after)...)
	OldLog(before, after)
	HalfWritten(before, after, 2, 1)
	Destroyed(before)
	if !bytes.Equal(before, wasBefore) || !bytes.Equal(after, wasAfter) {
		t.Error("a hive was changed")
	}
}
