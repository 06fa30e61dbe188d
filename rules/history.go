package rules

import (
	"bytes"
	"slices"
	"time"

	"regvet/hive"
)

// Past is a value that the key of a finding had once, found in the space of the hive that is not in use.
type Past struct {
	Value    hive.Value // with its place
	Modified time.Time  // last write of the key that held it: of the deleted one before its end, of one that is there up to now
	KeyGone  bool       // the key was deleted with it, though there may be one of its name again
}

// AddHistory gives the findings with what their keys had once for their values, in the order of the hive. The hive that the deleted things
// are from is mounted at a path. What has no known path belongs to no finding. No answer changes: what was deleted proves only
// that it was there.
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
