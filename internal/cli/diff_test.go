package cli

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"testing"

	"regvet/hive"
	"regvet/hive/regfile"
	"regvet/internal/shared"
)

// TestDiffOfRealHives requires, for every two shared hives with the same mount, that the result of [hive.Diff] turns one into the other, both as
// edits and, unless they are many, as .reg text that is read back. [hive.DiffKnown] may call differences unproven only if one of the two hives is damaged.
func TestDiffOfRealHives(t *testing.T) {
	groups := map[string][]*hive.File{}
	_ = filepath.WalkDir(shared.Path(t, "hives"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if f, err := hive.Open(path); err == nil {
			at, _ := f.Mount()
			groups[at.String()] = append(groups[at.String()], f)
		}
		return nil
	})
	if len(groups) == 0 {
		t.Fatal("none of them is a hive")
	}
	damaged := func(f *hive.File) bool {
		for _, k := range f.Root().Walk() {
			if k.KeysKnown() != hive.Whole || k.ValuesKnown() != hive.Whole || len(k.Problems()) > 0 {
				return true
			}
		}
		return false
	}
	at := hive.ParsePath(`HKLM\Pair`)
	pairs, left := 0, 0
	for _, hives := range groups {
		whole := map[*hive.File]bool{}
		for _, f := range hives {
			whole[f] = !damaged(f)
		}
		for i, a := range hives {
			for n := range min(4, len(hives)) { // with itself and the next ones, because all pairs take too long
				b := hives[(i+n)%len(hives)]
				edits := hive.Diff(a.Root(), b.Root())
				if !hive.Equal(hive.Apply(a.Root(), edits...), b.Root()) {
					t.Errorf("%s to %s: the difference does not lead from one to the other", a.Source, b.Source)
				}
				proven, unproven := hive.DiffKnown(a.Root(), b.Root())
				if whole[a] && whole[b] && (len(unproven) > 0 || len(proven) != len(edits)) {
					t.Errorf("%s to %s: both are whole, and %d of %d edits are not proven", a.Source, b.Source, len(unproven), len(edits))
				}
				if len(edits) > 50_000 { // the text of a few such pairs takes longer than all others together
					continue
				}
				var written, imported []hive.Edit
				for _, e := range edits {
					e.Path = at.Join(e.Path...)
					if regfile.Unwritable(e) != "" {
						left++
						continue
					}
					written = append(written, e)
					e.Value = regfile.Imported(e.Value)
					imported = append(imported, e)
				}
				var text bytes.Buffer
				if err := regfile.Write(&text, "a pair", written); err != nil {
					t.Fatalf("%s to %s: %v", a.Source, b.Source, err)
				}
				read, err := regfile.Parse("", text.Bytes())
				if err != nil || len(read.Problems) > 0 {
					t.Fatalf("%s to %s: %v %v", a.Source, b.Source, err, read.Problems)
				}
				reg := hive.NewRegistry()
				reg.Mount(at, a.Root())
				if !hive.Equal(hive.Apply(reg.Root(), read.Edits...), hive.Apply(reg.Root(), imported...)) {
					t.Errorf("%s to %s: the .reg text says something else than the difference", a.Source, b.Source)
				}
				pairs++
			}
		}
	}
	t.Logf("%d pairs; %d edits cannot be written as .reg text", pairs, left)
}
