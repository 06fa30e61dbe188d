package rules

import (
	"fmt"
	"slices"
	"strings"

	"regvet/hive"
)

// Plan is the remedy for some findings: what to change on the running system, and how to take it back.
type Plan struct {
	Fixed   []Finding   // what the edits remedy
	Unfixed []Unfixed   // the failures whose fix is not made, with reasons
	Without []Finding   // the failures of rules that have no fix
	Edits   []hive.Edit // paths of the running system
	Undo    []hive.Edit // likewise; from the result of Edits back to what the registry holds now
}

// Unfixed is a failure without a remedy, and why there is none.
type Unfixed struct {
	Finding
	Why   string
	Rival *Rule // whose fix wants something else in the same place; nil if that is not the reason
}

// NewPlan plans the edits for the fixes of all failures. If two fixes want different things in the same place, neither is made: a person must
// decide. A control set that is only guessed is not changed: its undo would be a guess as well.
func NewPlan(reg *hive.Registry, findings []Finding) Plan { return newPlan(reg, findings, nil) }

// Unwritable returns why the files of a plan cannot hold some edits, or "". The edits are those of one finding, and what takes them back.
type Unwritable func(fix, undo []hive.Edit) string

// NewPlanAmong is [NewPlan] for findings of some of the rules, or all of them. A fix is left out where one of the rules, which did not
// fail before, would fail in the place that the fix changes: what one of the two wants, the other forbids. It is also left out where it or
// its undo cannot be written; the fixes of the other findings can.
func NewPlanAmong(reg *hive.Registry, w hive.Windows, all []*Rule, findings []Finding, unwritable Unwritable) Plan {
	refused := map[string]string{} // why not, by the fingerprint of the finding
	before := failing(Evaluate(reg, w, all))
	for {
		p := newPlan(reg, findings, refused)
		known := len(refused)
		if p.refuse(refused, unwritable); len(refused) > known {
			continue
		}
		for _, f := range Evaluate(reg.Apply(p.Edits...), w, all) {
			if f.Status != Fail || before[f.Fingerprint()] {
				continue
			}
			for _, fixed := range p.Fixed {
				if slices.ContainsFunc(fixed.Edits(), f.isAt) {
					why := fmt.Sprintf("rule %s would fail then: %s", f.Rule.ID, f.Message)
					if f.Rule.Pack != fixed.Rule.Pack {
						why += fmt.Sprintf("; to have it all the same, give --select %s without --pack", fixed.Rule.ID)
					}
					refused[fixed.Fingerprint()] = why
				}
			}
		}
		if len(refused) == known {
			return p
		}
	}
}

// refuse adds the findings of a plan whose fix or undo cannot be written.
func (p Plan) refuse(refused map[string]string, unwritable Unwritable) {
	var bad []hive.Edit // of the undo
	for _, e := range p.Undo {
		if unwritable(nil, []hive.Edit{e}) != "" {
			bad = append(bad, e)
		}
	}
	undo, badUndo := undoing(p.Undo), undoing(bad)
	for _, f := range p.Fixed {
		fix := f.Edits()
		if unwritable(fix, nil) == "" && len(badUndo(fix)) == 0 {
			continue
		}
		if why := unwritable(fix, undo(fix)); why != "" {
			refused[f.Fingerprint()] = why
		}
	}
}

// undoing returns what finds the edits of an undo that take back something of a fix.
func undoing(undo []hive.Edit) func(fix []hive.Edit) []hive.Edit {
	of := func(e hive.Edit) string { return hive.Fold(e.Path.String()) + "\x00" + hive.Fold(e.Value.Name) }
	values := map[string][]hive.Edit{}
	var keys []hive.Edit
	for _, u := range undo {
		if u.Op == hive.CreateKey || u.Op == hive.DeleteKey {
			keys = append(keys, u)
		} else {
			values[of(u)] = append(values[of(u)], u)
		}
	}
	return func(fix []hive.Edit) (all []hive.Edit) {
		for _, e := range fix {
			if e.Op == hive.DeleteKey {
				for _, u := range undo {
					if u.Path.HasPrefix(e.Path) {
						all = append(all, u)
					}
				}
				continue
			}
			for _, u := range values[of(e)] {
				if e.Path.Equal(u.Path) { // and not only written alike
					all = append(all, u)
				}
			}
			for _, u := range keys {
				if e.Path.HasPrefix(u.Path) {
					all = append(all, u)
				}
			}
		}
		return all
	}
}

// isAt reports whether an edit changes what the finding is about.
func (f Finding) isAt(e hive.Edit) bool {
	if e.Op == hive.DeleteKey {
		return f.Key.HasPrefix(e.Path)
	}
	return f.Key.Equal(e.Path) && (f.AboutKey || hive.EqualFold(f.Value, e.Value.Name))
}

// failing returns the fingerprints of the failures.
func failing(findings []Finding) map[string]bool {
	m := map[string]bool{}
	for _, f := range findings {
		if f.Status == Fail {
			m[f.Fingerprint()] = true
		}
	}
	return m
}

func newPlan(reg *hive.Registry, findings []Finding, refused map[string]string) Plan {
	var p Plan
	taken := claims{places: map[string][]claim{}}
	for i, f := range findings {
		if _, no := refused[f.Fingerprint()]; f.Status == Fail && f.unfixable() == "" && !no {
			taken.add(i, f)
		}
	}
	made := claims{places: map[string][]claim{}}
	for i, f := range findings {
		if f.Status != Fail {
			continue
		}
		if f.withoutFix() {
			p.Without = append(p.Without, f)
			continue
		}
		if why := f.unfixable(); why != "" {
			p.Unfixed = append(p.Unfixed, Unfixed{f, why, nil})
			continue
		}
		if why, no := refused[f.Fingerprint()]; no {
			p.Unfixed = append(p.Unfixed, Unfixed{f, why, nil})
			continue
		}
		if why, rival := taken.conflict(i, f); rival != nil {
			p.Unfixed = append(p.Unfixed, Unfixed{f, why, rival})
			continue
		}
		p.Fixed = append(p.Fixed, f)
		for _, edit := range f.Edits() {
			if !made.has(edit) {
				p.Edits = append(p.Edits, edit)
			}
		}
		made.add(i, f)
	}
	for _, e := range hive.Undo(reg.Root(), reg.Real(p.Edits...)...) {
		e.Path = p.live(e.Path)
		p.Undo = append(p.Undo, e)
	}
	return p
}

// withoutFix reports whether the rule of a failure has no fix for it.
func (f Finding) withoutFix() bool { return f.Fix == nil && !f.openFix && f.Rule.base.fix == nil }

// unfixable returns why the fix for a failure cannot be made, or "" if it can.
func (f Finding) unfixable() string {
	switch {
	case f.byPolicy && f.Rule.base.fix != nil:
		return "a policy sets it, which goes before the local setting; it is changed where the policy is made"
	case f.openFix:
		return "the fix depends on what the input does not tell"
	case f.Fix == nil:
		return "nothing tells where the fix would be made"
	case f.guessed:
		return "the input does not tell the current control set; choose one with --control-set"
	}
	return ""
}

// claims are the edits that findings ask for, by the keys that they change.
type claims struct {
	places map[string][]claim // by folded path
	sets   []claim            // all that set a value
	keys   []claim            // all that delete a key
}

// claim is an edit, and the finding that asks for it.
type claim struct {
	finding int
	rule    *Rule
	edit    hive.Edit
}

func foldedPath(p hive.Path) string { return hive.Fold(p.String()) }

func (c *claims) add(finding int, f Finding) {
	for _, e := range f.Edits() {
		one := claim{finding, f.Rule, e}
		c.places[foldedPath(e.Path)] = append(c.places[foldedPath(e.Path)], one)
		switch e.Op {
		case hive.SetValue:
			c.sets = append(c.sets, one)
		case hive.DeleteKey:
			c.keys = append(c.keys, one)
		}
	}
}

// has reports whether an edit is among the claims, or is not needed because the key of its value is deleted. In .reg text, deleting a value
// would create the key again.
func (c *claims) has(e hive.Edit) bool {
	gone := func(other claim) bool { return e.Op == hive.DeleteValue && e.Path.HasPrefix(other.edit.Path) }
	same := func(other claim) bool { return e.Equal(other.edit) }
	return slices.ContainsFunc(c.places[foldedPath(e.Path)], same) || slices.ContainsFunc(c.keys, gone)
}

// conflict returns the rule of another finding whose fix contradicts this one in the same place, and what both fixes do. The rule is nil if
// there is no such fix.
func (c *claims) conflict(finding int, f Finding) (why string, rival *Rule) {
	for _, e := range f.Edits() {
		var others []claim
		switch e.Op {
		case hive.DeleteKey:
			others = c.sets
		case hive.SetValue:
			others = append(slices.Clone(c.places[foldedPath(e.Path)]), c.keys...)
		default:
			others = c.places[foldedPath(e.Path)]
		}
		for _, other := range others {
			if other.finding != finding && contradict(e, other.edit) {
				return fmt.Sprintf("rule %s would %s, and this one would %s", other.rule.ID, does(other.edit), does(e)), other.rule
			}
		}
	}
	return "", nil
}

// contradict reports whether two edits cannot both be done.
func contradict(a, b hive.Edit) bool {
	switch {
	case a.Op == hive.DeleteKey && b.Op == hive.DeleteKey:
		return false
	case a.Op == hive.DeleteKey:
		return b.Op == hive.SetValue && b.Path.HasPrefix(a.Path)
	case b.Op == hive.DeleteKey:
		return contradict(b, a)
	}
	return a.Path.Equal(b.Path) && hive.EqualFold(a.Value.Name, b.Value.Name) && !a.Equal(b)
}

// does returns what an edit does, for people.
func does(e hive.Edit) string {
	name := ValueName(e.Value.Name)
	switch e.Op {
	case hive.DeleteKey:
		return "delete the key " + hive.Visible(e.Path.String())
	case hive.DeleteValue:
		return "delete " + name
	}
	return strings.TrimRight("set "+name+" to "+e.Value.Type.String()+" "+hive.Visible(e.Value.Display()), " ")
}

// live returns the path of the running system for a path of the input, known from the fixes, which hold both.
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

// Proof is the result of making the edits in memory and undoing them.
type Proof struct {
	Fixed    []Finding // planned and gone
	Left     []Finding // planned, but still failing
	New      []Finding // failures that did not exist before
	Restored bool      // whether the undo restores the original registry
	Remains  []hive.Edit
}

// Holds reports whether every planned finding is gone, no new one has appeared, and the undo restores the original.
func (p Proof) Holds() bool { return len(p.Left) == 0 && len(p.New) == 0 && p.Restored }

// Prove applies the edits of a fix to the registry and runs the rules again, then applies the undo and compares with the
// original. It does not change the registry itself. The edits should be those read back from the written files. Remains are the edits that
// would still be needed to restore the original.
func Prove(reg *hive.Registry, w hive.Windows, rules []*Rule, plan Plan, fix, undo []hive.Edit) Proof {
	var proof Proof
	fixed := reg.Apply(fix...)
	after := Evaluate(fixed, w, rules)
	still, before := failing(after), failing(Evaluate(reg, w, rules))
	for _, f := range plan.Fixed {
		if still[f.Fingerprint()] {
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
