package report

import (
	"fmt"
	"io"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/strict"
)

// Outcome is the result of a fix of one computer, or of one user of it.
type Outcome struct {
	User     *FixedUser // nil for the computer
	Plan     rules.Plan
	Open     []rules.Finding // unknown, so that there is no fix
	LeftOut  []rules.Unfixed // those whose fix needs a decision, and why its files could not be written, "" if they could
	Proof    *rules.Proof    // or nil if there was nothing to prove
	Files    []string        // the files written, or to be written: those of the fix, then those of the undo; none if nothing was proven
	DryRun   bool            // do not write anything
	Others   int             // failures that were not selected
	Accepted int             // failures that are waived or in a baseline
	Note     string          // about the format of the files, for one who uses them; "" for none
}

// FixedUser is a user whose hive is fixed in files of their own, because Windows has it only while the user is logged on.
type FixedUser struct {
	Name string // of the folder of the profile
	Key  string // of HKEY_USERS: the SID or, if that is not known, the name
}

// Fixes writes for people what was fixed, what was not, and the proof: of a computer, then of each of its users.
func Fixes(w io.Writer, all []Outcome, style Style) error {
	p := &page{Style: style}
	for i, o := range all {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.outcome(o)
	}
	return p.send(w)
}

func (p *page) outcome(o Outcome) {
	if u := o.User; u != nil {
		fmt.Fprintln(p, p.paint(fmt.Sprintf("user %s (HKEY_USERS\\%s)", hive.Visible(u.Name), hive.Visible(u.Key)), color.Bold))
	}
	start := p.Len()
	word := "planned"
	if len(o.Files) > 0 && !o.DryRun {
		word = "fixed"
	}
	for _, f := range o.Plan.Fixed {
		p.fixed(word, f)
	}
	for _, f := range o.Plan.Unfixed {
		fmt.Fprintf(p, "%s  %s\n", p.paint("not fixed", color.Bold, color.FgRed), p.paint(f.Rule.ID, color.Bold))
		p.row("key", hive.Visible(f.RealKey.String()))
		p.row("why not", f.Why)
		if f.Rival != nil && f.Rival != f.Rule {
			p.row("choose", "--select "+f.Rule.ID+", or --select "+f.Rival.ID)
		}
	}
	for _, f := range o.Open {
		reason := ""
		if f.Applies() {
			reason = " (" + string(f.Reason) + ")"
		}
		fmt.Fprintf(p, "%s  %s%s\n", p.paint(answerWords(f.Status, f.Reason), color.Bold), p.paint(f.Rule.ID, color.Bold), reason)
		p.row("message", f.Message)
	}
	p.leftOut(o.LeftOut)
	if p.Len() > start {
		p.WriteByte('\n')
	}
	var files []string
	for _, name := range o.Files {
		files = append(files, hive.Visible(name))
	}
	switch {
	case o.Proof != nil:
		switch {
		case len(files) > 0 && o.DryRun:
			fmt.Fprintf(p, "would write %s\n", strict.List(files, "and"))
		case len(files) > 0:
			fmt.Fprintf(p, "wrote %s\n", strict.List(files, "and"))
		case o.Proof.Holds():
			fmt.Fprintln(p, "nothing was written")
		default:
			fmt.Fprintln(p, "nothing was written, because it is not proven")
		}
		p.proof(*o.Proof)
		if len(files) > 0 {
			p.row("note", o.Note)
		}
	case len(o.Plan.Unfixed)+len(o.Plan.Without)+len(o.LeftOut)+len(o.Open) == 0 && o.Plan.Edits == nil:
		fmt.Fprintln(p, "nothing to fix")
	default:
		fmt.Fprintln(p, "nothing was written")
	}
	if n := len(o.LeftOut); n > 0 {
		fmt.Fprintf(p, "%s an unsafe fix, which was left out; --unsafe-fixes makes all of them\n", Count(n, "finding has", "findings have"))
	}
	if n := len(o.Plan.Without); n > 0 {
		fmt.Fprintf(p, "%s no fix\n", Count(n, "finding has", "findings have"))
	}
	if o.Others > 0 {
		fmt.Fprintf(p, "%s not selected\n", plural(o.Others, "other finding"))
	}
	if o.Accepted > 0 {
		fmt.Fprintf(p, "%s waived or in the baseline, and not fixed\n", Count(o.Accepted, "finding is", "findings are"))
	}
}

// leftOut writes one line for each finding whose unsafe fix was left out, and one for those that are alike: what was found, why the fix is unsafe, what to do instead, and how to make it all the same.
func (p *page) leftOut(all []rules.Unfixed) {
	seen := map[string]int{} // places, by line
	var lines []string
	for _, f := range all {
		found := string(f.Reason)
		if f.Observed != nil {
			found += ": " + datum(*f.Observed)
		}
		line := p.paint("unsafe", color.Bold, color.FgYellow) + "  " + p.paint(f.Rule.ID, color.Bold) + " (" + found + "): " + hive.Visible(f.Fix.Because)
		if f.Alternative != "" {
			line += "; instead: " + hive.Visible(f.Alternative)
		}
		line += "; --select " + f.Rule.ID + " makes it all the same"
		if f.Why != "" {
			line += ", but " + hive.Visible(f.Why)
		}
		if seen[line]++; seen[line] == 1 {
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		if n := seen[line]; n > 1 {
			line += fmt.Sprintf(", at %d places", n)
		}
		fmt.Fprintln(p, line)
	}
}

func (p *page) fixed(word string, f rules.Finding) {
	fmt.Fprintf(p, "%s  %s (%s)\n", p.paint(word, color.Bold, color.FgGreen), p.paint(f.Rule.ID, color.Bold), f.Reason)
	p.row("key", hive.Visible(f.Key.String()))
	if !f.AboutKey {
		observed := "not set"
		if v := f.Observed; v != nil {
			observed = fmt.Sprintf("%s %s", v.Type, hive.Visible(v.Display()))
		}
		p.row("was", observed)
	}
	p.row("fix", f.Fix.String())
	p.row("note", f.Fix.Note)
	p.row("unsafe", f.Fix.Because)
	p.row("instead", f.Alternative)
	for _, note := range f.Notes {
		p.row("note", note)
	}
}

// proof writes what the files, as written, did to the registry in memory.
func (p *page) proof(proof rules.Proof) {
	if proof.Holds() {
		fmt.Fprintln(p, p.paint(fmt.Sprintf("verified: %s fixed, 0 new; undo restores the original", plural(len(proof.Fixed), "finding")), color.Bold))
		return
	}
	fmt.Fprintln(p, p.paint(fmt.Sprintf("NOT verified: %s fixed, %d not, %d new", plural(len(proof.Fixed), "finding"), len(proof.Left), len(proof.New)), color.Bold, color.FgRed))
	for _, f := range proof.Left {
		p.row("not fixed", f.Rule.ID+": "+f.Message)
	}
	for _, f := range proof.New {
		p.row("new", f.Rule.ID+": "+f.Message)
	}
	if !proof.Restored {
		for _, e := range proof.Remains {
			p.row("undo", "does not restore to the byte "+Place(e))
		}
	}
}

// Place returns for people what an edit is about: a value of a key, or the key.
func Place(e hive.Edit) string {
	key := "the key " + hive.Visible(e.Path.String())
	if e.Op == hive.SetValue || e.Op == hive.DeleteValue {
		return rules.ValueName(e.Value.Name) + " of " + key
	}
	return key
}
