package report

import (
	"fmt"
	"io"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
)

// Outcome is the result of a fix.
type Outcome struct {
	Plan      rules.Plan
	Open      []rules.Finding // unknown, so that there is no fix
	LeftOut   []rules.Unfixed // those whose fix needs a decision, and why its files could not be written, "" if they could
	Proof     *rules.Proof    // or nil if there was nothing to prove
	Fix, Undo string          // the files written, or to be written; "" for none
	Note      string          // about the format of the files, for one who uses them; "" for none
	DryRun    bool            // do not write anything
	Others    int             // failures that were not selected
}

// Fixes writes for people what was fixed, what was not, and the proof.
func Fixes(w io.Writer, o Outcome, style Style) error {
	p := &page{Style: style}
	word := "planned"
	if o.Fix != "" && !o.DryRun {
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
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	switch {
	case o.Proof != nil:
		switch {
		case o.Fix != "" && o.DryRun:
			fmt.Fprintf(p, "would write %s and %s\n", hive.Visible(o.Fix), hive.Visible(o.Undo))
		case o.Fix != "":
			fmt.Fprintf(p, "wrote %s and %s\n", hive.Visible(o.Fix), hive.Visible(o.Undo))
		case o.Proof.Holds():
			fmt.Fprintln(p, "nothing was written")
		default:
			fmt.Fprintln(p, "nothing was written, because it is not proven")
		}
		p.proof(*o.Proof)
		if o.Fix != "" {
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
	return p.send(w)
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
