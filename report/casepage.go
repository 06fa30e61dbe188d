package report

import (
	"cmp"
	"io"
	"slices"
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
	for _, c := range r.Containers {
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
	if f := newFleet(r); len(f.machines) > 1 && len(f.hits()) > 0 {
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

// mostEntries is how many entries a page lists at most, and mostSpots how many places of each.
const (
	mostEntries = 1000
	mostSpots   = 100
)

func limited(all []entry) []entry { return all[:min(len(all), mostEntries)] }

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
		for _, finding := range in.Findings {
			if i, ok := row[finding.Rule]; ok {
				h.cells[i][j].add(finding)
			}
		}
		for rule, passes := range in.Passed {
			if i, ok := row[rule]; ok {
				h.cells[i][j].pass += passes
			}
		}
	}
	return h
}

// index lists the rules that have findings, with links.
func (p *casePage) index() {
	type line struct {
		e      entry
		places int
	}
	var lines []line
	for _, e := range p.shown {
		if last := len(lines) - 1; last >= 0 && lines[last].e.rule == e.rule && lines[last].e.part == e.part {
			lines[last].places += len(e.spots)
			continue
		}
		if e.part == failures || e.part == undecided || e.part == formerOnes {
			lines = append(lines, line{e, len(e.spots)})
		}
	}
	if len(lines) < 2 {
		return
	}
	p.raw("<ol class=\"index\">\n")
	for _, l := range lines {
		r := p.first(l.e)
		p.text("<li><span class=\"severity "+r.class()+"\">%s</span> <a href=\"#rule-"+anchorOf(r.id)+"\"><span class=\"id\">%s</span></a> %s", r.word(), r.id, p.topics[r.topic].title)
		if l.places > 1 {
			p.text(", %s", plural(l.places, "place"))
		}
		p.raw("</li>\n")
	}
	p.raw("</ol>\n")
}

// first returns the result in the first place of an entry.
func (p *casePage) first(e entry) result {
	return p.sheet.files[e.spots[0].input].results[e.spots[0].finding]
}

// word returns the severity, or in its place what else the answer is.
func (r result) word() string {
	switch {
	case r.waived != nil:
		return "waived"
	case r.suppressed != nil:
		return "suppressed"
	case r.status != rules.Fail:
		return answerWords(r.status, rules.Reason(r.reason))
	}
	return r.severity
}

// class returns the word as the class of an element.
func (r result) class() string { return strings.ReplaceAll(r.word(), " ", "-") }

// findings writes the entries, part by part.
func (p *casePage) findings() {
	p.told = map[int]bool{}
	before := part(0)
	for i, e := range p.shown {
		if e.part != before {
			if before != 0 {
				p.raw("</section>\n")
			}
			p.pageHTML.open(partTitles[e.part])
			before = e.part
		}
		p.entry(i, e)
	}
	if before != 0 {
		if more := len(p.entries) - len(p.shown); more > 0 {
			p.text("<p>And %s, which -o json=FILE lists.</p>\n", Count(more, "more entry", "more entries"))
		}
		p.raw("</section>\n")
	}
	if before == 0 {
		p.pageHTML.open(theFindings)
		none := "No findings."
		if !p.asked() {
			none = "No rule is about what was given, so nothing was asked."
		}
		p.text("<p>%s</p>\n</section>\n", none)
	}
}

// field is a line of an entry.
type field struct{ name, tag, text string }

// fields returns what is known of a place.
func (p *casePage) fields(at spot) (all []field) {
	f := p.sheet.files[at.input]
	r := f.results[at.finding]
	add := func(name, tag, text string) { all = append(all, field{name, tag, text}) }
	path := ""
	if len(p.sheet.files) > 1 {
		path = r.path
		if host := p.place[at.input].host; host != "" {
			path += ", host " + host
		}
	}
	add("in", "code", path)
	add("key", "code", r.realKey)
	asked := ""
	if r.key != r.realKey {
		asked = r.key
	}
	add("asked for as", "code", asked)
	value := ""
	if r.about == lint.AValue {
		value = rules.ValueName(r.value)
	}
	add("value", "code", value)
	place := r.at.String()
	if r.at.Line > 0 {
		place = "line " + place
	}
	add("place", "span", place)
	add("source", "code", r.line)
	add("key written", "time", r.modified)
	switch {
	case r.kind != "":
		add("observed", "code", r.kind+", "+r.observed)
	case r.expected != "" && r.status != rules.Unknown:
		add("observed", "span", "not set")
	default:
		add("observed", "span", "")
	}
	add("expected", "span", r.expected)
	add("note", "span", strings.Join(r.notes, "; "))
	add("history", "span", strings.Join(r.history, "; "))
	return all
}

// entry writes a finding with all of its places. What is the same in all of them stands once.
func (p *casePage) entry(n int, e entry) {
	r := p.first(e)
	t := p.topics[r.topic]
	anchor := ""
	if !p.told[r.topic] {
		anchor = " id=\"rule-" + anchorOf(r.id) + "\""
	}
	open := ` open=""`
	if e.part > formerOnes {
		open = ""
	}
	p.text("<article class=\""+r.class()+"\""+anchor+">\n<details"+open+">\n<summary><h3><span class=\"severity\">%s</span> <span class=\"id\">%s</span> %s</h3>", r.word(), r.id, t.title)
	if len(e.spots) > 1 {
		p.text(" <span class=\"faint\">%s</span>", plural(len(e.spots), "place"))
	}
	p.text("</summary>\n<p>%s</p>\n", r.message)
	shown := e.spots[:min(len(e.spots), mostSpots)]
	var places [][]field
	for _, at := range shown {
		places = append(places, p.fields(at))
	}
	same := places[0]
	differs := make([]bool, len(same))
	for _, fields := range places[1:] {
		for i, f := range fields {
			differs[i] = differs[i] || f != same[i]
		}
	}
	l := &listHTML{pageHTML: &p.pageHTML}
	l.row("accepted", "span", r.accepted())
	l.row("reason", "span", r.reason)
	for i, f := range same {
		if !differs[i] {
			l.row(f.name, f.tag, f.text)
		}
	}
	l.row("fix", "span", r.fix)
	l.row("restart", "span", r.restart)
	l.row("note on the fix", "span", r.fixNote)
	l.row("unsafe", "span", r.because)
	l.row("instead", "span", r.instead)
	l.close()
	if slices.Contains(differs, true) {
		p.places(places, differs, len(e.spots))
	}
	p.why(r, t)
	p.raw("</details>\n</article>\n")
}

// places writes where a finding is, with what is not the same everywhere.
func (p *casePage) places(all [][]field, differs []bool, count int) {
	const few = 5
	end := ""
	if count > few {
		p.text("<details>\n<summary>%s</summary>\n", plural(count, "place"))
		end = "</details>\n"
	}
	alone := -1 // the only field that is not the same, which needs no name
	for i, is := range differs {
		if is && alone == -1 {
			alone = i
		} else if is {
			alone = -2
		}
	}
	p.raw("<ol class=\"places\">\n")
	for _, fields := range all {
		p.raw("<li>")
		if alone >= 0 && fields[alone].text != "" {
			p.text("<"+fields[alone].tag+">%s</"+fields[alone].tag+"></li>\n", fields[alone].text)
			continue
		}
		l := &listHTML{pageHTML: &p.pageHTML}
		for i, f := range fields {
			if differs[i] {
				l.row(f.name, f.tag, f.text)
			}
		}
		l.close()
		p.raw("</li>\n")
	}
	p.raw("</ol>\n")
	if more := count - len(all); more > 0 {
		p.text("<p>And %s, which -o csv=FILE lists.</p>\n", plural(more, "more place"))
	}
	p.raw(end)
}

// why writes once for each rule why it asks, and where that is written; folded, unless the finding is a grave one.
func (p *casePage) why(r result, t topic) {
	if p.told[r.topic] {
		p.text("<p class=\"faint\">Why: see <a href=\"#rule-"+anchorOf(r.id)+"\">%s</a> above.</p>\n", r.id)
		return
	}
	p.told[r.topic] = true
	if t.why == "" && t.bad == "" && len(t.references) == 0 {
		return
	}
	open := ""
	if r.level == "error" && r.suppressed == nil {
		open = ` open=""`
	}
	p.raw("<details" + open + ">\n<summary>Why</summary>\n")
	for line := range strings.SplitSeq(t.why, "\n") {
		if line != "" {
			p.text("<p>%s</p>\n", line)
		}
	}
	for _, example := range []struct{ name, text string }{{"Found in", t.bad}, {"Put right", t.good}} {
		if example.text == "" {
			continue
		}
		p.text("<p class=\"faint\">%s</p>\n<pre>", example.name)
		for line := range strings.Lines(example.text) {
			p.text("%s\n", strings.TrimSuffix(line, "\n"))
		}
		p.raw("</pre>\n")
	}
	if len(t.references) > 0 {
		p.raw("<ul class=\"faint\">\n")
		for _, reference := range t.references {
			p.reference(reference)
		}
		p.raw("</ul>\n")
	}
	p.raw("</details>\n")
}

// reference writes where something is written: a link, if it is the address of a page.
func (p *casePage) reference(text string) {
	if strings.HasPrefix(text, "https://") && !strings.ContainsAny(text, " \t\r\n") {
		p.raw("<li><a rel=\"noreferrer\" href=\"" + escapedHTML(text) + "\">" + breakable(text) + "</a></li>\n")
		return
	}
	p.text("<li>%s</li>\n", text)
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
