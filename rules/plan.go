package rules

import (
	"bytes"
	"fmt"

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

// NewPlan makes edits of the fixes of all failures. Where two want different data in the same value, the first wins and the
// other is unfixed. A control set that is only guessed is not written to: the undo would be a guess as well.
func NewPlan(reg *hive.Registry, findings []Finding) Plan {
	var p Plan
	by := map[string]Finding{} // path and name of the value → the finding that sets it
	for _, f := range findings {
		if f.Status != Fail {
			continue
		}
		if f.Fix == nil {
			p.Unfixed = append(p.Unfixed, Unfixed{f, "the rule has no fix"})
			continue
		}
		edit := f.Edit()
		place := hive.Fold(edit.Path.String()) + "\x00" + hive.Fold(edit.Value.Name)
		switch first, taken := by[place]; {
		case f.guessed:
			p.Unfixed = append(p.Unfixed, Unfixed{f, "the input does not tell the current control set; choose one with --control-set"})
		case !taken:
			by[place] = f
			p.Fixed = append(p.Fixed, f)
			p.Edits = append(p.Edits, edit)
		case first.Fix.Set.Type == edit.Value.Type && bytes.Equal(first.Fix.Set.Data, edit.Value.Data):
			p.Fixed = append(p.Fixed, f)
		default:
			p.Unfixed = append(p.Unfixed, Unfixed{f, fmt.Sprintf("rule %s sets the same value to %s", first.Rule.ID, first.Fix.Set.Display())})
		}
	}
	for _, e := range hive.Undo(reg.Root(), reg.Real(p.Edits...)...) {
		e.Path = p.live(e.Path)
		p.Undo = append(p.Undo, e)
	}
	return p
}

// live gives the path of the running system for a path of the input, as the findings have them side by side.
func (p Plan) live(path hive.Path) hive.Path {
	for _, f := range p.Fixed {
		real, live := f.RealKey, f.Key
		for len(real) > 0 && len(live) > 0 && hive.EqualFold(real[len(real)-1], live[len(live)-1]) {
			real, live = real[:len(real)-1], live[:len(live)-1]
		}
		if len(real) > 0 && path.HasPrefix(real) {
			return live.Join(path[len(real):]...)
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
