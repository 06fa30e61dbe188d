package report

import (
	"cmp"
	"io"
	"strings"

	"regvet/rules"
	"regvet/rules/lint"
)

// The chapters of a page.
var (
	theFindings       = chapter{"findings", "Findings"}
	theIdentification = chapter{"identification", "Identification"}
	theMachines       = chapter{"machines", "Machines"}
	theSummary        = chapter{"summary", "Summary"}
	theRest           = chapter{"not-examined", "Not examined"}
	theUnasked        = chapter{"not-asked", "Not asked"}
)

// checkPage writes the report of a check as a page that goes into a case file: what was examined and how, a summary with pictures, each finding once, the
// worst first, and what was not examined or not asked.
func checkPage(w io.Writer, r Report, _ Style) error {
	s := checkSheet(r)
	entries := s.entries()
	subjects, more := r.subjects(entries)
	p := casePage{sheet: s, place: make([]whose, len(s.files)), entries: entries, shown: limited(entries)}
	for i, in := range r.Inputs {
		p.place[i].host = in.Host
	}
	for _, one := range subjects {
		for i := one.from; i < one.to; i++ {
			p.place[i].anchor = one.anchor
		}
	}
	title := "Registry report: " + plural(r.machines(), "machine")
	if len(subjects) == 1 && more == 0 {
		title = "Registry report: " + subjects[0].name
	}
	apart := len(subjects)+more > mostUnfolded // what there is many of comes behind what was found
	p.begin(s.command, title, s.totals, p.contents(apart, len(s.notAsked) > 0))
	p.open(theIdentification)
	p.run(r.Run, s.version)
	for _, c := range r.containers() {
		p.container(c)
	}
	if !apart {
		p.subjects(r, subjects, more)
	}
	p.raw("</section>\n")

	p.open(theSummary)
	if s.unlisted != "" {
		p.text("<p>%s.</p>\n", s.unlisted)
	}
	p.severityPicture(r.tally().severityAmounts())
	p.portPictures(r)
	if f := r.digest().fleet; len(f.machines) > 1 && len(f.hits()) > 0 {
		p.heatPicture(r.heat(f, p.anchors()))
	}
	p.index()
	p.raw("</section>\n")

	p.findings()
	if apart {
		p.open(theMachines)
		p.subjects(r, subjects, more)
		p.raw("</section>\n")
	}
	p.remarks(theRest, s.notExamined)
	p.problems()
	p.raw("</section>\n")
	if len(s.notAsked) > 0 {
		p.remarks(theUnasked, s.notAsked)
		p.raw("</section>\n")
	}
	return p.end(w, s.version)
}

// lintPage writes the report of a lint as a page.
func lintPage(w io.Writer, r LintReport, _ Style) error {
	s := lintSheet(r)
	entries := s.entries()
	p := casePage{sheet: s, place: make([]whose, len(s.files)), entries: entries, shown: limited(entries)}
	p.begin(s.command, "Report on "+plural(len(s.files), ".reg file"), s.totals, p.contents(false, false))
	p.open(theIdentification)
	p.run(r.Run, s.version)
	p.files()
	p.raw("</section>\n")
	p.open(theSummary)
	t := r.tally()
	var all []amount
	for severity := lint.Error; severity >= lint.Info; severity-- {
		if n := t.Severity[severity]; n > 0 {
			all = append(all, amount{severity.String(), n})
		}
	}
	p.severityPicture(all)
	p.index()
	p.raw("</section>\n")
	p.findings()
	p.remarks(theRest, s.notExamined)
	p.problems()
	p.raw("</section>\n")
	return p.end(w, s.version)
}

// casePage builds a page about findings.
type casePage struct {
	pageHTML
	sheet
	place   []whose // of each file
	entries []entry
	shown   []entry // those that are listed
	told    map[int]bool
}

// whose is where on the page it stands of which machine a file is, and its host; both "" if that is not known.
type whose struct{ anchor, host string }

// partTitles are the chapters of the parts of a report.
var partTitles = map[part]chapter{
	failures:     theFindings,
	undecided:    {"undecided", "Open: these may be findings"},
	formerOnes:   {"former", "Findings of a former Windows"},
	withoutReply: {"unknown", "Without an answer"},
	notForIt:     {"not-applicable", "Does not apply"},
	passes:       {"passes", "Passes"},
	accepted:     {"accepted", "Accepted findings"},
}

// contents returns the chapters of the page.
func (p *casePage) contents(machines, unasked bool) []chapter {
	all := []chapter{theIdentification, theSummary}
	count := map[part]int{}
	for _, e := range p.entries {
		count[e.part]++
	}
	for part := failures; part <= accepted; part++ {
		c := partTitles[part]
		if n := count[part]; n > 0 {
			c.title += " (" + thousands(n) + ")"
			all = append(all, c)
		}
	}
	if machines {
		all = append(all, theMachines)
	}
	all = append(all, theRest)
	if unasked {
		all = append(all, theUnasked)
	}
	return all
}

// subjects writes what was examined, and how many more there are.
func (p *casePage) subjects(r Report, all []subject, more int) {
	for _, one := range all {
		p.identify(r.Inputs[one.from:one.to], one, len(all) > mostUnfolded)
	}
	if more > 0 {
		p.text("<p>Not identified here: %s with fewer findings or none. -o json=FILE has all.</p>\n", plural(more, "more machine"))
	}
}

// anchors returns the names of what the page identifies, by the first input of each.
func (p *casePage) anchors() map[int]string {
	all := map[int]string{}
	for i, s := range p.place {
		if s.anchor != "" {
			all[i] = s.anchor
		}
	}
	return all
}

// run writes what it takes to repeat the run.
func (p *casePage) run(r Run, version string) {
	l := &listHTML{pageHTML: &p.pageHTML}
	l.row("date", "time", r.date())
	l.row("command", "code", r.Command)
	l.row("regvet", "span", version)
	for i, pack := range r.Packs {
		if i == 0 {
			l.name("packs")
		}
		l.text("<dd>%s, %s", pack.Name, plural(pack.Rules, "rule"))
		l.raw("<br><span class=\"faint\">SHA-256</span> " + hash(pack.SHA256) + "</dd>\n")
	}
	l.close()
}

// portPictures draws the ports of a few machines.
func (p *casePage) portPictures(r Report) {
	if r.machines() > mostUnfolded {
		return
	}
	for _, in := range r.Inputs {
		for _, one := range in.Ports {
			var where []string
			if r.machines() > 1 {
				where = append(where, cmp.Or(in.Host, in.Path))
			}
			if in.Ports[0].ControlSet != in.Ports[len(in.Ports)-1].ControlSet {
				where = append(where, one.ControlSet)
			}
			if one.Assumed {
				where = append(where, "if this is "+vista(one))
			}
			p.portPicture(one, strings.Join(where, ", "))
		}
	}
}

// heat returns what the rules say of machines.
func (r Report) heat(f *fleet, anchors map[int]string) heat {
	var h heat
	row := map[*rules.Rule]int{}
	hits := f.hits()
	for _, i := range hits[:min(len(hits), heatRules)] {
		row[f.rules[i]] = len(h.rules)
		h.rules = append(h.rules, f.rules[i])
	}
	h.moreRules = len(hits) - len(h.rules)
	column := map[string]int{}
	for _, m := range f.worst() {
		switch {
		case m.failed() == 0:
		case len(h.machines) == heatMachines:
			h.moreMachines++
		default:
			column[m.name] = len(h.machines)
			h.machines = append(h.machines, heatMachine{name: cmp.Or(m.host, m.name) + m.mark(), fails: m.failed()})
		}
	}
	h.cells = make([][]tally, len(h.rules))
	for i := range h.cells {
		h.cells[i] = make([]tally, len(h.machines))
	}
	for n, in := range r.Inputs {
		name := in.Path
		if in.Machine != nil {
			name = in.Machine.Name
		}
		j, ok := column[name]
		if !ok || !in.isMachine() {
			continue
		}
		h.machines[j].anchor = cmp.Or(h.machines[j].anchor, anchors[n])
		for _, finding := range in.all() {
			if i, ok := row[finding.Rule]; ok {
				h.cells[i][j].add(finding)
			}
		}
		counted, _ := in.counted()
		for a, n := range counted {
			if i, ok := row[a.Rule]; ok {
				h.cells[i][j].count(a.Reason, n)
			}
		}
	}
	return h
}

// files lists the files of a lint that have findings or problems, with their hashes, and counts the others.
func (p *casePage) files() {
	has := make([]bool, len(p.sheet.files))
	for _, e := range p.entries {
		for _, at := range e.spots {
			has[at.input] = true
		}
	}
	clean, listed := 0, 0
	p.raw("<ul class=\"files\">\n")
	for i, f := range p.sheet.files {
		if !has[i] && len(f.problems) == 0 && len(p.sheet.files) > mostUnfolded {
			clean++
			continue
		}
		if listed++; listed > mostEntries {
			continue
		}
		p.text("<li><code>%s</code><br>%s, %s bytes", f.path, f.about, thousands(int(f.size)))
		p.raw("<br><span class=\"faint\">SHA-256</span> " + hash(f.sha256) + "</li>\n")
	}
	p.raw("</ul>\n")
	if clean > 0 {
		p.text("<p>%s no findings.</p>\n", Count(clean, "more file has", "more files have"))
	}
	if more := listed - mostEntries; more > 0 {
		p.text("<p>And %s with findings, which -o json=FILE lists.</p>\n", plural(more, "more file"))
	}
}

// remarks writes a chapter of remarks. It leaves the chapter open.
func (p *casePage) remarks(c chapter, all []remark) {
	p.pageHTML.open(c)
	l := &listHTML{pageHTML: &p.pageHTML}
	for from := 0; from < len(all); {
		to := from
		var texts []string
		for ; to < len(all) && all[to].label == all[from].label; to++ {
			texts = append(texts, all[to].text)
		}
		l.rows(all[from].label, "span", texts)
		from = to
	}
	l.close()
}

// problems lists what is wrong with each file, folded where that is much.
func (p *casePage) problems() {
	const few = 5
	for _, f := range p.sheet.files {
		if len(f.problems) == 0 {
			continue
		}
		open := ` open=""`
		if len(f.problems) > few {
			open = ""
		}
		p.text("<details"+open+">\n<summary><code>%s</code>: %s</summary>\n<ul>\n", f.path, plural(len(f.problems), "problem"))
		for _, problem := range f.problems[:min(len(f.problems), mostSpots)] {
			problem.Source = ""
			p.text("<li>%s</li>\n", problem.Error())
		}
		if more := len(f.problems) - mostSpots; more > 0 {
			p.text("<li>And %s.</li>\n", plural(more, "more problem"))
		}
		p.raw("</ul>\n</details>\n")
	}
}
