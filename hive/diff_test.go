package hive_test

import (
	"fmt"
	"testing"

	"regvet/hive"
	"regvet/internal/hivetest"
)

// TestDiffKnown compares the proven edits with the whole difference: they are a part of it, in its order, and all of it if both trees are known
// whole. Each edit that is not proven names a key that is not known whole.
func TestDiffKnown(t *testing.T) {
	unknown, whole := 0, 0
	for seed := range uint64(3000) {
		c := seeded(seed)
		from, to := c.tree(3), c.tree(3)
		all := hive.Diff(from, to)
		proven, unproven := hive.DiffKnown(from, to)
		rest := all
		for _, e := range proven {
			for len(rest) > 0 && fmt.Sprint(rest[0]) != fmt.Sprint(e) {
				rest = rest[1:]
			}
			if len(rest) == 0 {
				t.Fatalf("seed %d: %+v is proven, and no difference", seed, e)
			}
			rest = rest[1:]
		}
		for _, u := range unproven {
			if u.Known == hive.Whole || u.In == nil || u.In.KeysKnown() == hive.Whole && u.In.ValuesKnown() == hive.Whole {
				t.Fatalf("seed %d: %+v is not proven, though the key is known", seed, u)
			}
		}
		if known(from) && known(to) {
			whole++
			if len(unproven) > 0 || len(proven) != len(all) {
				t.Fatalf("seed %d: both are known, and of %d differences %d are proven", seed, len(all), len(proven))
			}
		}
		unknown += len(unproven)
	}
	if unknown < 100 || whole < 100 {
		t.Errorf("the law was tried on too little: %d not proven, %d pairs known whole", unknown, whole)
	}
}

// TestDiffFarBelow checks that comparing trees takes no memory for the paths of equal keys.
func TestDiffFarBelow(t *testing.T) {
	tree := func(last uint32) *hive.Key {
		root := deepTree(hive.MaxDepth - 1)
		deepest := root
		for len(deepest.Keys) > 0 {
			deepest = deepest.Keys[0]
		}
		for i := range 5000 {
			deepest.Keys = append(deepest.Keys, &hivetest.Key{Name: fmt.Sprintf("%05d", i), Values: []hive.Value{hive.DWordValue("v", uint32(i))}})
		}
		deepest.Keys[4999].Values[0] = hive.DWordValue("v", last)
		return hiveOf(t, root).Root()
	}
	from, to := tree(1), tree(2)
	for _, root := range []*hive.Key{from, to} {
		for _, k := range root.Walk() {
			k.Values()
		}
	}
	before := allocated()
	edits := hive.Diff(from, to)
	if len(edits) != 1 || len(edits[0].Path) != hive.MaxDepth || edits[0].Path[hive.MaxDepth-1] != "04999" {
		t.Errorf("%v", edits)
	}
	if made := allocated() - before; made > 10<<20 {
		t.Errorf("%d bytes to compare 5,000 keys", made)
	}
}

// known reports whether no key of a tree is implied or damaged.
func known(root *hive.Key) bool {
	for _, k := range root.Walk() {
		if k.KeysKnown() != hive.Whole || k.ValuesKnown() != hive.Whole {
			return false
		}
	}
	return true
}
