package cli

import (
	"slices"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
)

// remnant identifies a deleted value or key: one that lies at the same place in two states is one.
type remnant struct {
	place, setting string
	at             int64
	value, data    string
}

// addDeleted adds what of the settings was deleted and is still in the hives of a state.
func (p *pastOf) addDeleted(m collection.Moment) {
	for _, in := range m.Joined {
		if in.Hive == nil || !p.holdsTrack(m, in) {
			continue
		}
		for _, d := range in.Hive.Deleted() {
			if !d.Orphan {
				p.addRemnants(in, d)
			}
		}
	}
}

func (p *pastOf) holdsTrack(m collection.Moment, in *collection.Opened) bool {
	return slices.ContainsFunc(p.ordered, func(t *track) bool { return p.isAbout(m, t) && m.Holder(t.real) == in && m.Covers(t.real) })
}

// addRemnants adds a deleted key and its values to the settings that they were.
func (p *pastOf) addRemnants(in *collection.Opened, d hive.Deleted) {
	real := in.Mount.Join(d.Path...)
	for _, t := range p.remains(real, d) {
		r := report.PastRow{Place: in.Path, Key: real, Value: t.Value, Modified: d.Key.Filetime(), Status: report.WasDeleted, At: d.At}
		if !d.Live {
			r.Message = "its key was deleted as well"
		}
		if t.AboutKey {
			if r.Message = ""; !d.Live {
				p.addRemnant(t, r)
			}
			continue
		}
		for _, v := range d.Key.Values() {
			if hive.EqualFold(v.Name, t.Value) {
				r.At, r.Observed = v.At, &v
				p.addRemnant(t, r)
			}
		}
	}
}

func (p *pastOf) addRemnant(t *track, r report.PastRow) {
	id := remnant{place: r.Place, at: r.At.Offset, value: hive.Fold(r.Value), setting: t.setting}
	if r.Observed != nil {
		id.data = string(r.Observed.Data)
	}
	if !p.told[id] {
		p.told[id] = true
		t.deleted = append(t.deleted, kept(r))
	}
}

// remains returns the tracks that a deleted key can be of. Where a key was named, those are its values in any control set and of any user, also
// where there is no such set or value any more.
func (p *pastOf) remains(real hive.Path, d hive.Deleted) (all []*track) {
	if p.key == nil {
		for _, t := range p.ordered {
			if t.real.Equal(real) {
				all = append(all, t)
			}
		}
		return all
	}
	if !p.named(real) {
		return nil
	}
	if p.value != nil {
		return []*track{p.meet(report.Setting{Key: p.key, Value: *p.value}, real, nil)}
	}
	all = []*track{p.meet(report.Setting{Key: p.key, AboutKey: true}, real, nil)}
	for _, v := range d.Key.Values() {
		if t := p.meet(report.Setting{Key: p.key, Value: v.Name}, real, all[0]); !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// named reports whether the key that was named may have been at a place.
func (p *pastOf) named(real hive.Path) bool {
	ways := []hive.Path{p.key}
	if p.input.controlSet.value == "" && (p.key.HasPrefix(currentSet) || !p.key.HasPrefix(systemPath)) {
		ways = hive.Ways(p.key)
	}
	return slices.ContainsFunc(ways, func(way hive.Path) bool {
		return slices.EqualFunc(way, real, func(name, met string) bool { return name == hive.AnyName || hive.EqualFold(name, met) })
	})
}
