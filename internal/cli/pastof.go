package cli

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"regvet/hive"
	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

// pastOf gathers the past of what is asked for, in inputs that are read together. Of the states it keeps only what differs from the one before.
type pastOf struct {
	*historyOptions
	session *session
	now     collection.Joined
	failing map[string]bool // with --findings: the settings that fail now

	answered map[*track]rules.Finding            // now
	indexed  map[*hive.Key]map[string]hive.Value // the values of keys of the state that is added, by their folded names

	tracks  map[string]*track
	ordered []*track // as they were met
	order   int      // of the state that is added
	told    map[remnant]bool
}

// track is a setting at one place of the input: CurrentControlSet has a place in each control set.
type track struct {
	report.Setting
	setting string    // identifies what was asked for; several tracks can be of one setting
	real    hive.Path // where the key is
	rows    []pastRow
	deleted []report.PastRow
}

type pastRow struct {
	order int
	report.PastRow
}

var (
	systemPath = hive.ParsePath(`HKLM\SYSTEM`)
	currentSet = systemPath.Join("CurrentControlSet")
)

// registry returns the registry of a state with the control set that the flag chooses, and the same with all sets, if it chooses none.
func (p *pastOf) registry(j collection.Joined) (current, all *hive.Registry) {
	if set := p.input.controlSet.value; set != "" {
		chosen := j[0].Registry.WithControlSet(set)
		return chosen, chosen
	}
	return j[0].Registry, j[0].Registry.WithControlSet(hive.AllControlSets)
}

// seedKey finds out which places the key has now. It reports whether there are any; if not, it writes why.
func (p *pastOf) seedKey() bool {
	in := p.now[0]
	if !p.key.HasRoot() && len(p.now) == 1 && in.Format == "regf" {
		if in.Mount == nil {
			p.session.fail(statusUsage, "%s: neither keys nor name show which hive this is; give where Windows mounts it with --mount", in.Name())
			return false
		}
		below := *p.historyOptions
		below.key = in.Mount.Join(p.key...)
		p.historyOptions = &below
	}
	p.meetKey(p.now)
	return true
}

// meetKey notes the places of the key, and of its values, in a state.
func (p *pastOf) meetKey(j collection.Joined) {
	current, all := p.registry(j)
	for _, m := range append(all.Find(p.key), current.Find(p.key)...) {
		if m.Key == nil && m.Known == hive.NotCovered {
			continue // without the hive, nobody knows in which control sets it was
		}
		if p.value != nil {
			p.meet(report.Setting{Key: p.key, Value: *p.value}, m.Real, nil)
			continue
		}
		of := p.meet(report.Setting{Key: p.key, AboutKey: true}, m.Real, nil)
		if m.Key == nil {
			continue
		}
		for _, v := range m.Key.Values() {
			p.meet(report.Setting{Key: p.key, Value: v.Name}, m.Real, of)
		}
	}
}

// seedRules asks the rules about the inputs as they are.
func (p *pastOf) seedRules() {
	describe(p.session, p.now[0], p.input.windows.value)
	if p.findings {
		p.failing = map[string]bool{}
		failed := map[*rules.Rule]bool{}
		current, _ := p.registry(p.now)
		for _, f := range rules.Unpassed(current, p.now[0].Windows, p.active) {
			if f.Status == rules.Fail {
				failed[f.Rule] = true
				p.failing[identity(p.settingOf(current, f))] = true
			}
		}
		only := *p.historyOptions
		only.active = slices.DeleteFunc(slices.Clone(p.active), func(r *rules.Rule) bool { return !failed[r] })
		p.historyOptions = &only
	}
	p.answered = p.answers(p.now)
}

// answers returns the answers of the rules in a state, and notes their places.
func (p *pastOf) answers(j collection.Joined) map[*track]rules.Finding {
	_, all := p.registry(j)
	found := map[*track]rules.Finding{}
	for _, f := range rules.Evaluate(all, j[0].Windows, p.active) {
		s := p.settingOf(all, f)
		if f.Reason != rules.NotCovered && (p.failing == nil || p.failing[identity(s)]) {
			found[p.meet(s, f.RealKey, nil)] = f
		}
	}
	return found
}

// settingOf returns the setting that a finding is about, which is the same for each control set.
func (p *pastOf) settingOf(reg *hive.Registry, f rules.Finding) report.Setting {
	key := f.RealKey
	if inSet(reg, key) != "" {
		key = currentSet.Join(key[3:]...)
	}
	return report.Setting{Rule: f.Rule, Key: key, Value: f.Value, AboutKey: f.AboutKey}
}

// inSet returns the name of the control set that a key is in, or "".
func inSet(reg *hive.Registry, real hive.Path) string {
	if !real.HasPrefix(systemPath) || len(real) < 3 {
		return ""
	}
	for _, s := range reg.WithControlSet(hive.AllControlSets).ControlSets() {
		if hive.EqualFold(s.Name, real[2]) {
			return s.Name
		}
	}
	return ""
}

// identity identifies a setting.
func identity(s report.Setting) string {
	id := fmt.Sprintf("%v\x00%s\x00%s", s.AboutKey, hive.Fold(s.Key.String()), hive.Fold(s.Value))
	if s.Rule != nil {
		id = s.Rule.Pack + "\x00" + s.Rule.ID + "\x00" + id
	}
	return id
}

// meet returns the track of a setting at a place. A value that is met late was absent in each state before, of which the track of its key tells.
func (p *pastOf) meet(s report.Setting, real hive.Path, key *track) *track {
	setting := identity(s)
	id := setting + "\x00\x00" + hive.Fold(real.String())
	t := p.tracks[id]
	if t == nil {
		s.Input = p.now[0].Path
		if m := p.now[0].Machine; m != nil {
			s.Input = m.Name
		}
		t = &track{Setting: s, setting: setting, real: real}
		if key != nil {
			t.rows = slices.Clone(key.rows)
			for i := range t.rows {
				r := &t.rows[i]
				if r.Value = s.Value; r.Status == report.WasThere {
					r.Status = report.WasMissing
				}
			}
		}
		p.tracks[id] = t
		p.ordered = append(p.ordered, t)
	}
	return t
}

// holds reports whether an input holds any of what is asked for.
func (p *pastOf) holds(in *collection.Opened) bool {
	return slices.ContainsFunc(p.ordered, func(t *track) bool { return p.now.Holder(t.real) == in && p.now.Covers(t.real) })
}

// add adds a state.
func (p *pastOf) add(m collection.Moment) {
	p.order++
	if m.State == collection.RegBack || m.State == collection.Shadow {
		p.session.refuseAll(m.Refused)
	}
	if m.Joined == nil {
		for _, t := range p.ordered {
			if p.isAbout(m, t) {
				t.put(p.order, p.unread(m, t))
			}
		}
		p.session.raise(statusInput)
		return
	}
	var found map[*track]rules.Finding
	switch {
	case p.key != nil:
		p.meetKey(m.Joined)
	case m.State == "":
		found = p.answered
	default:
		m.Joined[0].Describe(p.input.windows.value)
		found = p.answers(m.Joined)
	}
	p.indexed = map[*hive.Key]map[string]hive.Value{}
	for _, t := range p.ordered {
		if !p.isAbout(m, t) {
			continue
		}
		row := p.look(m, t)
		if f, ok := found[t]; ok {
			answered(&row, f)
		}
		if row.Reason == string(rules.Damaged) {
			p.session.raise(statusInput)
		}
		t.put(p.order, row)
	}
	if m.State != collection.Logged {
		p.addDeleted(m)
	}
}

// isAbout reports whether a state is one of what holds a track. Between the entries of the logs of a hive, the others are as they are.
func (p *pastOf) isAbout(m collection.Moment, t *track) bool {
	return m.State != collection.Stored && m.State != collection.Logged || p.now.Holder(t.real).Path == m.Place
}

// put adds what a track is in a state, unless that is what it was in the state before.
func (t *track) put(order int, r report.PastRow) {
	if n := len(t.rows); n > 0 && t.rows[n-1].Equal(r) {
		last := &t.rows[n-1]
		last.Same++
		if last.Notes == nil {
			last.Notes = r.Notes
		}
		r.Observed = nil
		last.Until = &r
		return
	}
	t.rows = append(t.rows, pastRow{order, kept(r)})
}

// kept returns the row with data of its own, so that it does not hold the whole hive in memory.
func kept(r report.PastRow) report.PastRow {
	if r.Observed != nil {
		v := *r.Observed
		v.Data = bytes.Clone(v.Data)
		r.Observed = &v
	}
	return r
}

// row returns what is known of a state beside the setting itself, and the input that holds the setting, or nil.
func (p *pastOf) row(m collection.Moment, t *track) (report.PastRow, *collection.Opened) {
	r := report.PastRow{State: m.State, Log: m.Log, Entry: m.Entry, Place: m.Place, Key: t.real, Value: t.Value}
	if m.Joined == nil {
		return r, nil
	}
	in := m.Holder(t.real)
	if !m.Covers(t.real) {
		r.Place = cmp.Or(r.Place, in.Path)
		return r, nil
	}
	r.Place, r.Header, r.Created = in.Path, in.Header, in.Created()
	if m.State == "" {
		r.Log, r.Entry = in.LastEntry()
	}
	if m.State != collection.Stored && m.State != collection.Logged {
		r.Notes = in.Caveats()
	}
	current, all := p.registry(m.Joined)
	if set := inSet(all, t.real); set != "" && t.Key.HasPrefix(currentSet) {
		r.Current = isCurrent(current.ControlSets(), set)
	}
	return r, in
}

// isCurrent reports whether a set is the current one, or returns nil if that is a guess.
func isCurrent(sets []hive.ControlSet, name string) *bool {
	i := slices.IndexFunc(sets, func(s hive.ControlSet) bool { return hive.EqualFold(s.Name, name) })
	if len(sets) > 0 && sets[0].Guessed {
		return nil
	}
	return new(i >= 0)
}

// unread returns the row of a state of which nothing could be read.
func (p *pastOf) unread(m collection.Moment, t *track) report.PastRow {
	r, _ := p.row(m, t)
	r.Status, r.Reason = report.WasUnknown, string(rules.Damaged)
	if len(m.Refused) > 0 {
		r.Place, r.Message = m.Refused[0].Source, m.Refused[0].Msg
	}
	return r
}

// look returns what a setting is in a state.
func (p *pastOf) look(m collection.Moment, t *track) report.PastRow {
	r, in := p.row(m, t)
	if in == nil {
		return p.notHeld(m, t, r)
	}
	current, _ := p.registry(m.Joined)
	at := current.Find(t.real)[0]
	if at.Key == nil {
		r.Status = report.WasKeyMissing
		unknown(&r, at.Known, at.Problem)
		return r
	}
	r.Key, r.Modified, r.At = at.Real, at.Key.Filetime(), at.Key.At()
	if t.AboutKey {
		r.Status = report.WasThere
		return r
	}
	v, ok := p.valueOf(at.Key, t.Value)
	switch {
	case !ok:
		r.Status = report.WasMissing
		unknown(&r, at.Key.ValuesKnown(), at.Key.FirstLoss())
	case v.Short:
		r.At, r.Observed = v.At, &v
		unknown(&r, hive.Damaged, at.Key.FirstLoss())
	default:
		r.Status, r.At, r.Observed = report.WasSet, v.At, &v
	}
	return r
}

// valueOf returns [hive.Key.Value]. A key can be asked for each of a hundred thousand values.
func (p *pastOf) valueOf(k *hive.Key, name string) (hive.Value, bool) {
	byName := p.indexed[k]
	if byName == nil {
		byName = map[string]hive.Value{}
		for _, v := range slices.Backward(k.Values()) {
			byName[hive.Fold(v.Name)] = v // of two with one name, Windows finds the first
		}
		p.indexed[k] = byName
	}
	v, ok := byName[hive.Fold(name)]
	return v, ok
}

// unknown makes an absence unknown that proves nothing.
func unknown(r *report.PastRow, known hive.Known, problem *hive.Problem) {
	switch known {
	case hive.Whole:
		return
	case hive.Damaged:
		r.Reason = string(rules.Damaged)
	case hive.Partial:
		r.Reason, r.Message = string(rules.Partial), "this layer of a hive does not hold it; the layers below may"
	case hive.NotCovered:
		r.Reason, r.Message = string(rules.NotCovered), "the input does not cover it"
	}
	r.Status = report.WasUnknown
	if known == hive.Damaged && problem != nil {
		r.Message = problem.Msg
	}
}

// notHeld returns the row of a state without a hive that would hold the setting: there is none, or it could not be read.
func (p *pastOf) notHeld(m collection.Moment, t *track, r report.PastRow) report.PastRow {
	r.Status, r.Reason, r.Message = report.WasUnknown, string(rules.NotCovered), "not there in "+collection.DisplayName(r.Place)
	name := hive.KnownName(p.now.Holder(t.real).Path)
	for _, problem := range m.Refused {
		if name != "" && hive.KnownName(problem.Source) == name {
			r.Place, r.Reason, r.Message = problem.Source, string(rules.Damaged), problem.Msg
		}
	}
	return r
}

// answered makes a row the answer of a rule.
func answered(r *report.PastRow, f rules.Finding) {
	if r.Reason == string(rules.NotCovered) || r.Reason == string(rules.Damaged) {
		return // which says more of why
	}
	r.Status, r.Reason, r.Observed, r.Message = string(f.Status), string(f.Reason), f.Observed, ""
	if f.Status != rules.Pass {
		r.Message = f.Message
	}
	if f.At != (hive.Location{}) {
		r.At = f.At
	}
}

// settings returns the settings, in the order in which they were met, with the rows of their tracks: the oldest state first, in it the current control
// set last, and what was deleted behind all states. What no state covers is left out.
func (p *pastOf) settings() (all []report.Setting) {
	index := map[string]int{}
	rows := map[string][]pastRow{}
	deleted := map[string][]report.PastRow{}
	covered := map[string]bool{}
	for _, t := range p.ordered {
		if _, ok := index[t.setting]; !ok {
			index[t.setting] = len(all)
			all = append(all, t.Setting)
		}
		rows[t.setting] = append(rows[t.setting], t.rows...)
		deleted[t.setting] = append(deleted[t.setting], t.deleted...)
		covered[t.setting] = covered[t.setting] || len(t.deleted) > 0 ||
			slices.ContainsFunc(t.rows, func(r pastRow) bool { return r.Reason != string(rules.NotCovered) })
	}
	for setting, i := range index {
		slices.SortStableFunc(rows[setting], func(a, b pastRow) int {
			return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(rank(a.Current), rank(b.Current)))
		})
		for _, r := range rows[setting] {
			all[i].Rows = append(all[i].Rows, r.PastRow)
		}
		all[i].Rows = append(all[i].Rows, deleted[setting]...)
	}
	return slices.DeleteFunc(all, func(s report.Setting) bool { return !covered[identity(s)] })
}

// rank orders the rows of one state: the other control sets, then the current one.
func rank(current *bool) int {
	if current != nil && *current {
		return 1
	}
	return 0
}
