package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/internal/safetext"
	"regvet/rules"
)

// entries writes the findings of a report, each once.
func (p *page) entries(r Report, all []entry) {
	told := map[string]bool{} // the rules whose reasons stand above
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].part == all[from].part && all[to].severity == all[from].severity && all[to].rule == all[from].rule {
			to++
		}
		shown := to - from
		if !r.All && shown > manyAlike {
			shown = fewAlike
		}
		for _, e := range all[from : from+shown] {
			p.entry(r, e, told)
			p.WriteByte('\n')
		}
		if more := to - from - shown; more > 0 {
			fmt.Fprintf(p, "%s of %s; --all lists them\n\n", plural(more, "more finding"), all[from].rule)
		}
		from = to
	}
}

// tag returns the word that an entry begins with.
func (p *page) tag(e entry, f rules.Finding) string {
	severity := strings.ToUpper(f.Severity.String())
	switch {
	case e.part == accepted:
		return p.paint("WAIVED "+severity, color.Bold, color.FgWhite)
	case f.Status == rules.Pass:
		return p.paint("PASS", color.Bold, color.FgGreen)
	case f.Status == rules.Unknown:
		return p.paint(strings.ToUpper(answerWords(f.Status, f.Reason)), color.Bold, color.FgWhite)
	}
	return p.paint(severity, color.Bold, severityColor[f.Severity])
}

// entry writes one finding: what is the same wherever it was found, and then the places with what is not.
func (p *page) entry(r Report, e entry, told map[string]bool) {
	first := r.Inputs[e.spots[0].input]
	f := first.finding(e.spots[0].finding)
	p.title(e, f, r.extent(e))
	p.row("accepted", e.accepted)
	p.row("from", strings.Join(sourceTexts(f.Rule), "\n"))

	same, places := r.details(e)
	for _, d := range same[:whereDetails] {
		p.row(d.label, d.text)
	}
	p.row("expected", f.Expected)
	p.row("message", f.Message)
	p.places(r, places)
	worst := f.Severity >= rules.High && f.Status == rules.Fail && e.part == failures && !told[f.Rule.ID]
	if worst {
		p.row("why", f.Rule.Rationale)
	}
	for _, d := range same[whereDetails:] {
		for line := range strings.SplitSeq(d.text, "\n") {
			p.row(d.label, line)
		}
	}
	if f.Fixable() {
		p.row("fix", f.Fix.String())
		p.row("", f.Fix.Note)
		p.row("unsafe", f.Fix.Because)
	}
	p.row("instead", f.Alternative)
	switch {
	case worst:
		p.row("see", strings.Join(f.Rule.References, "\n"))
	case f.Status == rules.Fail && !told[f.Rule.ID]:
		p.row("more", showing(f.Rule))
	}
	told[f.Rule.ID] = true
}

// showing returns the command that shows all that a rule says.
func showing(r *rules.Rule) string {
	command := "regvet rules show "
	if file := hive.Visible(r.File()); strings.ContainsAny(file, " &;'()") {
		command += `--rules "` + file + `" `
	} else if file != "" {
		command += "--rules " + file + " "
	}
	return command + r.ID
}

// title writes what an entry is about, and in a line of its own what does not fit in the first.
func (p *page) title(e entry, f rules.Finding, extent string) {
	reason := ""
	if f.Applies() {
		reason = string(f.Reason)
	}
	if e.part == formerOnes {
		extent = strings.TrimPrefix(extent+", of a former Windows", ", ")
	}
	rest := ""
	if reason != "" {
		rest = " (" + reason + ")"
	}
	if extent != "" {
		rest += ", " + extent
	}
	fits := p.Width == 0 || len(f.Severity.String())+len("  ")+utf8.RuneCountInString(f.Rule.ID+rest) <= p.Width
	if !fits {
		rest = ""
	}
	fmt.Fprintf(p, "%s  %s%s\n", p.tag(e, f), p.paint(f.Rule.ID, color.Bold), rest)
	p.row("", f.Rule.Title)
	if !fits {
		p.row("found", strings.Trim(reason+", "+extent, ", "))
	}
}

// extent returns for people in how many places a finding is, or "" for one.
func (r Report) extent(e entry) string {
	if len(e.spots) == 1 {
		return ""
	}
	places := plural(len(e.spots), "place")
	if r.machines() < 2 {
		return "in " + places
	}
	machines := map[any]bool{}
	for _, at := range e.spots {
		if m := r.Inputs[at.input].Machine; m != nil {
			machines[m] = true
		} else {
			machines[at.input] = true
		}
	}
	text := "on " + plural(len(machines), "machine")
	if len(machines) < len(e.spots) {
		text += ", in " + places
	}
	return text
}

// detail is a line about one place of a finding, which may have several lines.
type detail struct{ label, text string }

// whereDetails is how many details tell where the place is and what is there. They stand before what was expected.
const whereDetails = 5

// detailsOf returns the details of a place, always as many; those that there are none of have no text.
func (r Report) detailsOf(at spot) []detail {
	in := r.Inputs[at.input]
	f := in.finding(at.finding)
	key := hive.Visible(f.RealKey.String())
	if !f.Key.Equal(f.RealKey) {
		key += "\nasked for as " + hive.Visible(f.Key.String())
	}
	value, observed := "", ""
	if !f.AboutKey {
		value = rules.ValueName(f.Value)
	}
	switch v := f.Observed; {
	case v != nil:
		observed = fmt.Sprintf("%s, %s", v.Type, hive.Visible(v.Display()))
	case f.Status != rules.Unknown && !f.AboutKey:
		observed = "not set"
	}
	label, input := r.holder(in, f)
	return []detail{{label, input}, {"key", key}, {"value", value}, {"place", place(f)}, {"observed", observed}, {"note", strings.Join(f.Notes, "\n")}, {"history", history(f)}}
}

// holder returns which input holds the place of a finding, with a label, unless the report is of one input.
func (r Report) holder(in Input, f rules.Finding) (label, path string) {
	switch holder := in.holds(f); {
	case in.Machine != nil && holder == in.Path:
		return "hive", hive.Visible(in.Path)
	case len(r.units()) == 1:
		return "", ""
	case in.Machine != nil:
		return "machine", hive.Visible(holder)
	}
	return "input", hive.Visible(in.Path)
}

// details returns the details of the places of an entry: those that are the same for all, and for each place the others.
func (r Report) details(e entry) (same []detail, places [][]detail) {
	if len(e.spots) == 1 {
		return r.detailsOf(e.spots[0]), nil
	}
	for _, at := range e.spots {
		all := r.detailsOf(at)
		if host := r.Inputs[at.input].Host; host != "" && all[0].text != "" {
			all[0].text += " (" + hive.Visible(host) + ")"
		}
		places = append(places, all)
	}
	same = slices.Clone(places[0])
	for i := range same {
		if slices.ContainsFunc(places, func(all []detail) bool { return all[i] != same[i] }) {
			same[i].text = ""
			continue
		}
		for n := range places {
			places[n][i].text = ""
		}
	}
	return same, places
}

// narrow is a width below which lines are not indented further than their labels need.
const narrow = 60

// places writes the places of a finding, with what is not the same in each: all, or the first of many.
func (p *page) places(r Report, all [][]detail) {
	shown := all
	if !r.All && len(all) > manyAlike {
		shown = all[:fewAlike]
	}
	name, deeper := "places", 2 // blanks before the further lines of a place
	if p.Width < narrow {
		deeper = 0
	}
	for _, place := range shown {
		var texts []string
		for _, d := range place {
			if d.text != "" {
				texts = append(texts, strings.ReplaceAll(d.text, "\n", "; "))
			}
		}
		if len(texts) == 0 {
			continue
		}
		indent := ""
		for _, line := range p.wrapTo(p.Width-label-2-deeper, safetext.Line(strings.Join(texts, "; "))) {
			fmt.Fprintf(p, "  %s%s%s\n", p.paint(fmt.Sprintf("%-*s", label, name), color.Faint), indent, line)
			name, indent = "", strings.Repeat(" ", deeper)
		}
	}
	if more := len(all) - len(shown); more > 0 {
		p.row("", thousands(more)+" more: --all, or --format csv, lists them")
	}
}
