package rules

import (
	"bytes"
	"fmt"
	"slices"

	"regvet/hive"
)

// Plan is the remedy for some findings: what to change on the running system, and how to take it back.
type Plan struct {
	Fixed   []Finding   // what the edits remedy
	Unfixed []Unfixed   // the other failures
	Edits   []hive.Edit // paths of the running system
	Undo    []hive.Edit // likewise; from the result of Edits back to what the registry holds now
}

// Unfixed is a failure without a remedy, and why there is none.
type Unfixed struct {
	Finding
	Why string
}

// NewPlan makes edits of the fixes of all failures. Where two want different things in the same place, the first wins and the
// other is unfixed, with all that it would change. A control set that is only guessed is not written to: the undo would be a guess
// as well.
func NewPlan(reg *hive.Registry, findings []Finding) Plan {
	var p Plan
	taken := claims{}
	for _, f := range findings {
		if f.Status != Fail {
			continue
		}
		why, first := "", Finding{}
		switch {
		case f.Fix == nil && f.Rule.base.fix != nil:
			why = "nothing tells where the fix would be made"
		case f.Fix == nil:
			why = "the rule has no fix"
		case f.guessed:
			why = "the input does not tell the current control set; choose one with --control-set"
		default:
			if why, first = taken.conflict(f); why != "" {
				why = fmt.Sprintf("rule %s %s", first.Rule.ID, why)
			}
		}
		if why != "" {
			p.Unfixed = append(p.Unfixed, Unfixed{f, why})
			continue
		}
		p.Fixed = append(p.Fixed, f)
		for _, edit := range f.Edits() {
			if !taken.has(edit) {
				p.Edits = append(p.Edits, edit)
			}
			taken.add(f, edit)
		}
	}
	for _, e := range hive.Undo(reg.Root(), reg.Real(p.Edits...)...) {
		e.Path = p.live(e.Path)
		p.Undo = append(p.Undo, e)
	}
	return p
}

// claims are the edits of a plan by the keys that they change.
type claims struct {
	places map[string][]claim // by folded path
	all    []claim
	keys   []claim // those that delete a key
}

type claim struct {
	by   Finding
	edit hive.Edit
}

func place(p hive.Path) string { return hive.Fold(p.String()) }

func (c *claims) add(f Finding, e hive.Edit) {
	if c.places == nil {
		c.places = map[string][]claim{}
	}
	c.places[place(e.Path)] = append(c.places[place(e.Path)], claim{f, e})
	c.all = append(c.all, claim{f, e})
	if e.Op == hive.DeleteKey {
		c.keys = append(c.keys, claim{f, e})
	}
}

// has tells whether the same edit is in the plan.
func (c *claims) has(e hive.Edit) bool {
	return slices.ContainsFunc(c.places[place(e.Path)], func(other claim) bool { return sameEdit(e, other.edit) })
}

func sameEdit(a, b hive.Edit) bool {
	return a.Op == b.Op && a.Path.Equal(b.Path) && hive.EqualFold(a.Value.Name, b.Value.Name) && a.Value.Type == b.Value.Type && bytes.Equal(a.Value.Data, b.Value.Data)
}

// conflict says what an earlier fix does in the place of one of these edits that does not go with them; "" where none does.
func (c *claims) conflict(f Finding) (why string, first Finding) {
	for _, e := range f.Edits() {
		for _, other := range c.places[place(e.Path)] {
			o := other.edit
			if e.Op == hive.DeleteKey || o.Op == hive.DeleteKey || !hive.EqualFold(e.Value.Name, o.Value.Name) || sameEdit(e, o) {
				continue
			}
			if o.Op == hive.DeleteValue {
				return "deletes the same value", other.by
			}
			return "sets the same value to " + o.Value.Display(), other.by
		}
		for _, other := range c.keys {
			if e.Op != hive.DeleteKey && e.Path.HasPrefix(other.edit.Path) {
				return "deletes the key", other.by
			}
		}
		for _, other := range c.all {
			if e.Op == hive.DeleteKey && other.edit.Op == hive.SetValue && other.edit.Path.HasPrefix(e.Path) {
				return "sets a value of the key", other.by
			}
		}
	}
	return "", Finding{}
}

// live gives the path of the running system for a path of the input, as the fixes have them side by side.
func (p Plan) live(path hive.Path) hive.Path {
	for _, f := range p.Fixed {
		for _, s := range f.Fix.Steps {
			real, live := s.real, s.Edit.Path
			for len(real) > 0 && len(live) > 0 && hive.EqualFold(real[len(real)-1], live[len(live)-1]) {
				real, live = real[:len(real)-1], live[:len(live)-1]
			}
			if len(real) > 0 && path.HasPrefix(real) {
				return live.Join(path[len(real):]...)
			}
		}
	}
	return path
}

// Proof is what became of the findings when the edits were made in memory, and undone.
type Proof struct {
	Fixed    []Finding // planned and gone
	Left     []Finding // planned, but there still
	New      []Finding // not there before
	Restored bool      // the undo leads back to the registry as it was
	Remains  []hive.Edit
}

// Holds tells that every planned finding is gone, no new one appeared, and the undo restores the original.
func (p Proof) Holds() bool { return len(p.Left) == 0 && len(p.New) == 0 && p.Restored }

// Prove applies the edits of a fix to the registry and runs the rules again, then applies the undo and compares with the
// original. Nothing of the registry is changed. The edits should be those that were read back from the files as written. Remains
// are the edits that would still be needed to restore the original.
func Prove(reg *hive.Registry, w hive.Windows, rules []*Rule, plan Plan, fix, undo []hive.Edit) Proof {
	var proof Proof
	fixed := reg.Apply(fix...)
	failed := func(findings []Finding) map[string]bool {
		m := map[string]bool{}
		for _, f := range findings {
			if f.Status == Fail {
				m[f.Fingerprint()] = true
			}
		}
		return m
	}
	after := Evaluate(fixed, w, rules)
	failing, before := failed(after), failed(Evaluate(reg, w, rules))
	for _, f := range plan.Fixed {
		if failing[f.Fingerprint()] {
			proof.Left = append(proof.Left, f)
		} else {
			proof.Fixed = append(proof.Fixed, f)
		}
	}
	for _, f := range after {
		if f.Status == Fail && !before[f.Fingerprint()] {
			proof.New = append(proof.New, f)
		}
	}
	proof.Remains = hive.Diff(fixed.Apply(undo...).Root(), reg.Root())
	proof.Restored = len(proof.Remains) == 0
	return proof
}
