package volume_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"regvet/hive/evidence/block"
	"regvet/hive/evidence/volume"
	"regvet/internal/imagetest"
)

// TestProtectors tests that what unlocks a BitLocker volume is named, by any of the three blocks of metadata, and that damage to all is told.
func TestProtectors(t *testing.T) {
	disk := imagetest.BitLocker(0x0100, 0x0800, 0x0800, 0x0500)
	want := []string{"a TPM", "a recovery password", "protection 0x0500"}
	if kind, err := volume.KindOf(block.Bytes(disk)); kind != volume.BitLocker {
		t.Errorf("the volume is %q: %v", kind, err)
	}
	for lost := range 4 {
		if got, err := volume.Protectors(block.Bytes(disk)); (lost < 3) != slices.Equal(got, want) || (err != nil) != (lost == 3) || err != nil && !block.IsGap(err) {
			t.Errorf("with %d lost: %q, %v", lost, got, err)
		}
		clear(disk[(lost+1)<<16:][:100])
	}
	clear, err := volume.Protectors(block.Bytes(imagetest.BitLocker(0)))
	if err != nil || len(clear) != 1 || !strings.Contains(clear[0], "clear key") {
		t.Errorf("the clear key: %q, %v", clear, err)
	}
}

// FuzzProtectors holds that metadata of any content ends, and gives no more than its size allows.
func FuzzProtectors(f *testing.F) {
	disk := imagetest.BitLocker(0x0100, 0x2000)
	f.Add(disk[1<<16:][:300], byte(0x58))
	f.Add(bytes.Repeat([]byte{0xff}, 200), byte(0x52))
	f.Fuzz(func(t *testing.T, metadata []byte, version byte) {
		disk := bytes.Clone(disk[:1<<18])
		disk[1] = version
		for i := range 3 {
			copy(disk[(i+1)<<16:], metadata)
		}
		if got, err := volume.Protectors(block.Bytes(disk)); len(got) > len(disk)/8 || err != nil && got != nil {
			t.Errorf("%d protectors, %v", len(got), err)
		}
	})
}
