package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"regvet/hive"
	"regvet/rules"
)

// WhatIf is what a patch would do to the answers of the rules.
type WhatIf struct {
	Version string // of regvet
	Run     Run
	Patch   string // as the user named it
	SHA256  string // of the patch, in hex
	Edits   int    // how many it holds
	Input   Input
	All     bool // list what is a finding on neither side, too
	Quiet   bool // list nothing, in text
	Known   int  // how many findings that the patch leaves are in a baseline, and not among the changes
	Choices Choices
	Changes []Change
}

// Change is the answer of a rule before and after a patch. Either may be nil.
type Change struct {
	Before, After *rules.Finding
}

// kind returns what becomes of a finding: fixed, new, left, gone if there is no answer any more, or same if it was and is no finding.
func (c Change) kind() string {
	failed, fails := c.Before != nil && c.Before.Status == rules.Fail, c.After != nil && c.After.Status == rules.Fail
	switch {
	case failed && fails:
		return "left"
	case fails:
		return "new"
	case failed && c.After != nil && c.After.Status == rules.Pass:
		return "fixed"
	case failed:
		return "gone"
	}
	return "same"
}

// Compare pairs the answers of the rules before and after the patch, in the order of those before.
func (w *WhatIf) Compare(before, after []rules.Finding) {
	places := map[string][]int{} // of the answers afterwards
	for i, f := range after {
		places[f.Fingerprint()] = append(places[f.Fingerprint()], i)
	}
	used := map[int]bool{}
	for i := range before {
		c := Change{Before: &before[i]}
		if same := places[before[i].Fingerprint()]; len(same) > 0 {
			c.After = &after[same[0]]
			used[same[0]] = true
			places[before[i].Fingerprint()] = same[1:]
		}
		w.Changes = append(w.Changes, c)
	}
	for i := range after {
		if !used[i] {
			w.Changes = append(w.Changes, Change{After: &after[i]})
		}
	}
}

// Leave takes out the findings that the patch leaves and that known reports.
func (w *WhatIf) Leave(known func(rules.Finding) bool) {
	w.Changes = slices.DeleteFunc(w.Changes, func(c Change) bool {
		gone := c.kind() == "left" && known(*c.After)
		if gone {
			w.Known++
		}
		return gone
	})
}

// lists reports whether a change is to be shown.
func (w WhatIf) lists(c Change) bool {
	hidden := func(f *rules.Finding) bool { return f == nil || w.Choices.hides(*f) }
	return (c.kind() != "same" || w.All) && !(hidden(c.Before) && hidden(c.After))
}

// tally counts what is left out.
func (w WhatIf) tally() (t tally) {
	t.known = w.Known
	for _, c := range w.Changes {
		if f := c.After; f != nil && f.Status == rules.Fail {
			t.add(*f)
		}
	}
	return t
}

// count counts the changes by their kinds.
func (w WhatIf) count() map[string]int {
	n := map[string]int{}
	for _, c := range w.Changes {
		n[c.kind()]++
	}
	return n
}

var changeColor = map[string]color.Attribute{"fixed": color.FgGreen, "new": color.FgRed, "left": color.FgYellow, "gone": color.FgCyan, "same": color.Faint}

// WhatIfText writes for people each finding before and after the patch, side by side, and a line of totals.
func WhatIfText(w io.Writer, what WhatIf, style Style) error {
	p := &page{Style: style}
	for _, c := range what.Changes {
		kind := c.kind()
		if what.Quiet || !what.lists(c) {
			continue
		}
		f := c.Before
		if f == nil {
			f = c.After
		}
		fmt.Fprintf(p, "%s  %s\n", p.paint(strings.ToUpper(kind), color.Bold, changeColor[kind]), p.paint(f.Rule.ID, color.Bold))
		p.row("key", hive.Visible(f.RealKey.String()))
		if !f.AboutKey {
			p.row("value", rules.ValueName(f.Value))
		}
		p.beside("before", "after", color.Faint)
		p.beside(answer(c.Before), answer(c.After))
		p.WriteByte('\n')
	}
	n := what.count()
	fmt.Fprintln(p, p.paint(fmt.Sprintf("%s: %d fixed, %d new, %d left, %d gone; nothing was written", plural(what.Edits, "edit"), n["fixed"], n["new"], n["left"], n["gone"]), color.Bold))
	for _, line := range what.Choices.lines(what.tally()) {
		fmt.Fprintln(p, line)
	}
	return p.send(w)
}

// answer returns the answer of a rule for people.
func answer(f *rules.Finding) string {
	if f == nil {
		return "no answer"
	}
	text := strings.ToUpper(answerWords(f.Status, f.Reason))
	if f.Status == rules.Fail {
		text = strings.ToUpper(f.Severity.String())
	}
	if f.Reason != "" && f.Applies() {
		text += " (" + string(f.Reason) + ")"
	}
	text += ": " + f.Message
	if f.Waived != nil {
		text += " (" + f.Waived.String() + ")"
	}
	return text
}

// beside writes two texts in columns of the same width.
func (p *page) beside(left, right string, attributes ...color.Attribute) {
	width := max((max(p.Width, 60)-6)/2, 20)
	column := page{Style: Style{Width: width + label + 2}}
	a, b := column.wrap(left), column.wrap(right)
	for i := range max(len(a), len(b)) {
		var l, r string
		if i < len(a) {
			l = a[i]
		}
		if i < len(b) {
			r = b[i]
		}
		pad := strings.Repeat(" ", max(width-utf8.RuneCountInString(l), 0)+2)
		p.WriteString("  " + p.paint(l, attributes...))
		if r != "" {
			p.WriteString(pad + p.paint(r, attributes...))
		}
		p.WriteByte('\n')
	}
}

type jsonWhatIf struct {
	SchemaVersion string          `json:"schema_version"`
	Tool          jsonTool        `json:"tool"`
	Run           jsonRun         `json:"run"`
	Patch         jsonPatchFile   `json:"patch"`
	Input         jsonInput       `json:"input"`
	Changes       []jsonAnswer    `json:"changes"`
	Summary       jsonWhatIfCount `json:"summary"`
	Config        *jsonChoices    `json:"config,omitempty"`
}

type jsonPatchFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Edits  int    `json:"edits"`
}

type jsonAnswer struct {
	Change string       `json:"change"`
	Before *jsonFinding `json:"before"`
	After  *jsonFinding `json:"after"`
}

type jsonWhatIfCount struct {
	Fixed int `json:"fixed"`
	New   int `json:"new"`
	Left  int `json:"left"`
	Gone  int `json:"gone"`
	Same  int `json:"same"`
	Known int `json:"baseline,omitempty"` // findings that the patch leaves and a baseline has; in no other number
}

// WhatIfJSON writes the same as one JSON object.
func WhatIfJSON(w io.Writer, what WhatIf) error {
	n := what.count()
	out := jsonWhatIf{schemaVersion, jsonTool{"regvet", what.Version}, runJSON(what.Run), jsonPatchFile{hive.Printable(what.Patch), what.SHA256, what.Edits}, inputJSON(what.Input),
		[]jsonAnswer{}, jsonWhatIfCount{n["fixed"], n["new"], n["left"], n["gone"], n["same"], what.Known}, choicesJSON(what.Choices)}
	finding := func(f *rules.Finding) *jsonFinding {
		if f == nil {
			return nil
		}
		j := findingJSON(what.Input, *f)
		return &j
	}
	for _, c := range what.Changes {
		if what.lists(c) {
			out.Changes = append(out.Changes, jsonAnswer{c.kind(), finding(c.Before), finding(c.After)})
		}
	}
	return writeJSON(w, out)
}
