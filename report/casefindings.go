package report

import (
	"slices"
	"strings"

	"regvet/rules"
	"regvet/rules/lint"
)

// mostEntries is how many entries a page lists at most, and mostSpots how many places of each.
const (
	mostEntries = 1000
	mostSpots   = 100
)

func limited(all []entry) []entry { return all[:min(len(all), mostEntries)] }

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
	return p.result(e.spots[0])
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
	r := p.result(at)
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
