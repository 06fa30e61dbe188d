package rules

import (
	"bytes"
	"slices"
	"time"

	"regvet/hive"
)

// Past is a deleted value of the key of a finding, found in unused space of the hive.
type Past struct {
	Value    hive.Value // with its offset
	Modified time.Time  // last write of the key that held it: before its deletion, or up to now if it still exists
	KeyGone  bool       // the key was deleted as well, though a new one of that name may exist
}

// AddHistory returns the findings with the deleted values of their keys, in the order of the hive, which is mounted at the given path. Deleted
// things without a known path belong to no finding. No answer changes: what was deleted only proves that it once existed.
func AddHistory(findings []Finding, mount hive.Path, deleted []hive.Deleted) []Finding {
	findings = slices.Clone(findings)
	byValue := map[string][]int{}
	for i, f := range findings {
		findings[i].History = slices.Clip(f.History)
		if f.RealKey.HasPrefix(mount) && !f.AboutKey {
			name := hive.Fold(f.Value)
			byValue[name] = append(byValue[name], i)
		}
	}
	for _, d := range deleted {
		if d.Orphan {
			continue
		}
		for _, v := range d.Key.Values() {
			for _, i := range byValue[hive.Fold(v.Name)] {
				f := &findings[i]
				if !d.Path.Equal(f.RealKey[len(mount):]) {
					continue
				}
				past := Past{Value: v, Modified: d.Key.Modified(), KeyGone: !d.Live}
				past.Value.Data = bytes.Clone(v.Data) // so that a finding does not hold the whole hive in memory
				f.History = append(f.History, past)
			}
		}
	}
	return findings
}
