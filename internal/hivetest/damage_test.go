package hivetest

import (
	"bytes"
	"testing"
)

func TestDamages(t *testing.T) {
	sound := Build(Specimen(), Options{ListMax: 4})
	seen := map[string]bool{}
	for name, b := range Damages() {
		if seen[name] {
			t.Errorf("%s: twice", name)
		}
		seen[name] = true
		if bytes.Equal(b, sound) {
			t.Errorf("%s: changes nothing", name)
		}
		if (le.Uint32(b[BaseChecksum:]) == Checksum(b)) != (name != "bad checksum") && len(b) >= page {
			t.Errorf("%s: wrong checksum", name)
		}
		changed := 0
		for i := range b {
			if i >= page && b[i] != sound[i] {
				changed++
			}
		}
		if changed > 8 {
			t.Errorf("%s: changes %d bytes", name, changed)
		}
	}
}

func TestDamageIsACopy(t *testing.T) {
	b, at := BuildLayout(Specimen(), Options{})
	sound := bytes.Clone(b)
	k := at.Key("Plain")
	for name, damaged := range map[string][]byte{
		"Set16":    Set16(b, k.Node+NodeFlags, 0),
		"Set32":    Set32(b, BaseSequence2, 9),
		"Refer":    Refer(b, k.Node+NodeParent, k.Node),
		"Sign":     Sign(b, k.Node, "xx"),
		"Free":     Free(b, k.Node),
		"CellSize": CellSize(b, k.Node, -8),
		"Truncate": Truncate(b, 5000),
	} {
		if !bytes.Equal(b, sound) {
			t.Fatalf("%s: changed the hive that it was given", name)
		}
		if bytes.Equal(damaged, sound) {
			t.Errorf("%s: changed nothing", name)
		}
	}
	equal(t, "size of a free cell", int32(le.Uint32(Free(b, k.Node)[k.Node-cellHeader:])), 88)
}
