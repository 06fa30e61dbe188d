package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regvet/rules"
	"regvet/rules/ports"
)

// span is a part of the width of a picture. Both ends are shares of it, from 0 to 1.
type span struct {
	kind     string // the class that says how it looks
	from, to float64
	title    string
}

// drawing is a picture in SVG that is as wide as there is room. Places from left to right are shares of the width, so that text keeps its size; those
// from top to bottom are pixels.
type drawing struct{ *pageHTML }

// draw writes a picture. most is how many pixels it is wide at most, 0 for as wide as the page; title says to those who cannot see it what it shows.
func (p *pageHTML) draw(title string, height, most int, paint func(drawing)) {
	style := ""
	if most > 0 {
		style = fmt.Sprintf(` style="max-width:%dpx"`, most)
	}
	p.plain(fmt.Sprintf("<svg role=\"img\" width=\"100%%%%\" height=\"%d\"%s>\n<title>%%s</title>\n", height, style), title)
	paint(drawing{p})
	p.raw("</svg>\n")
}

// percent returns a share as SVG has it.
func percent(share float64) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(100*share, 'f', 3, 64), "0"), ".") + "%"
}

// bar draws a span.
func (d drawing) bar(s span, y, height int) {
	d.raw(fmt.Sprintf(`<rect class="%s" x="%s" y="%d" width="%s" height="%d">`, s.kind, percent(s.from), y, percent(s.to-s.from), height))
	if s.title != "" {
		d.plain("<title>%s</title>", s.title)
	}
	d.raw("</rect>\n")
}

// label draws text. It begins at x, or ends there or has its middle there, for the anchors start, end and middle.
func (d drawing) label(kind, anchor string, x float64, y int, text string) {
	d.plain(fmt.Sprintf(`<text class="%s" text-anchor="%s" x="%s" y="%d">%%s</text>`+"\n", kind, anchor, strings.ReplaceAll(percent(x), "%", "%%"), y), text)
}

// line draws a line from top to bottom.
func (d drawing) line(kind string, x float64, from, to int) {
	d.raw(fmt.Sprintf(`<line class="%s" x1="%[2]s" x2="%[2]s" y1="%d" y2="%d"/>`+"\n", kind, percent(x), from, to))
}

// amount is how many there are of a kind.
type amount struct {
	kind string
	n    int
}

// amountWords returns amounts for people: 1 high, 2 medium.
func amountWords(all []amount) string {
	var parts []string
	for _, a := range all {
		if a.n > 0 {
			parts = append(parts, thousands(a.n)+" "+a.kind)
		}
	}
	return strings.Join(parts, ", ")
}

// shares returns a span for each amount, one behind the other, each as long as its share of all.
func shares(all []amount) (spans []span) {
	sum, before := 0, 0
	for _, a := range all {
		sum += a.n
	}
	for _, a := range all {
		spans = append(spans, span{a.kind, float64(before) / float64(sum), float64(before+a.n) / float64(sum), thousands(a.n) + " " + a.kind})
		before += a.n
	}
	return spans
}

// severityPicture draws how many findings of each severity there are.
func (p *pageHTML) severityPicture(all []amount) {
	if len(all) == 0 {
		return
	}
	p.raw("<figure>\n")
	p.draw("Findings by severity: "+amountWords(all), 24, 0, func(d drawing) {
		for _, s := range shares(all) {
			d.bar(s, 0, 24)
		}
	})
	p.raw("<figcaption>Findings by severity: ")
	for _, a := range all {
		p.text("<span class=\"keep legend\"><span class=\"key "+a.kind+"\"></span>%s</span> ", thousands(a.n)+" "+a.kind)
	}
	p.raw("</figcaption>\n</figure>\n")
}

// portShare returns where a port begins on a ruler of all ports.
func portShare(port int) float64 { return float64(port) / (ports.Max + 1) }

// portSpans returns what is drawn on the ruler of all ports: the range from which ports are handed out, what of all ports is excluded, and those that
// settings give to services.
func portSpans(one ports.Answer) (all []span) {
	at := func(kind string, r ports.Range, title string) {
		text := strconv.Itoa(r.From)
		if r.To > r.From {
			text += " to " + strconv.Itoa(r.To)
		}
		all = append(all, span{kind, portShare(r.From), portShare(r.To + 1), text + ": " + title})
	}
	if one.Range != nil {
		at("range", *one.Range, "handed out")
	}
	for _, x := range one.Excluded {
		at("excluded", x.Range, "excluded by "+x.Source)
	}
	for _, u := range one.Used {
		at("used", ports.Range{From: u.Port, To: u.Port}, u.String())
	}
	return all
}

// portPicture draws the ports that Windows hands out on a ruler of all that there are.
func (p *pageHTML) portPicture(one ports.Answer, where string) {
	text := strings.TrimPrefix(where+": "+portsLine(one), ": ")
	p.raw("<figure>\n")
	p.draw("The ports from 0 to 65,535. "+text, 52, 0, func(d drawing) {
		d.bar(span{kind: "outside", from: 0, to: 1}, 4, 24)
		for _, s := range portSpans(one) {
			d.bar(s, 4, 24)
		}
		for _, tick := range []struct {
			port   int
			anchor string
		}{{0, "start"}, {16384, "middle"}, {32768, "middle"}, {49152, "middle"}, {ports.Max, "end"}} {
			x := portShare(tick.port)
			if tick.port == ports.Max {
				x = 1
			}
			d.line("tick", x, 28, 34)
			d.label("axis", tick.anchor, x, 48, thousands(tick.port))
		}
	})
	p.text("<figcaption>%s", text)
	for _, key := range []struct {
		kind, text string
		is         bool
	}{{"range", "handed out", one.Range != nil}, {"excluded", excluded(one.Excluded), len(one.Excluded) > 0}, {"used", usedWords(one.Used), len(one.Used) > 0}} {
		if key.is {
			p.text("<br><span class=\"key "+key.kind+"\"></span>%s", key.text)
		}
	}
	p.raw("</figcaption>\n</figure>\n")
}

// usedWords returns for people which settings give ports to services.
func usedWords(all []ports.Use) string {
	if len(all) == 0 {
		return ""
	}
	var parts []string
	for _, u := range all {
		parts = append(parts, u.String())
	}
	return "in use: " + strings.Join(parts, ", ")
}

// letters stand in a heat map for what a rule says of a machine.
var letters = map[string]string{"critical": "C", "high": "H", "medium": "M", "low": "L", "info": "I", "unknown": "?", "pass": "", "not applicable": "", "": ""}

// The most rules and machines of a heat map.
const (
	heatRules    = 20
	heatMachines = 24
)

// heat is what the rules say of machines, the worst of both first.
type heat struct {
	rules        []*rules.Rule
	machines     []heatMachine
	cells        [][]tally // for each rule, of each machine
	moreRules    int       // with findings that are not shown
	moreMachines int
}

type heatMachine struct {
	name   string
	anchor string // of what identifies it, "" for none
	fails  int
}

// heatPicture draws what the rules say of each machine as a map of rules by machines.
func (p *pageHTML) heatPicture(h heat) {
	const head, label, cell = 18, 20, 20
	columns := float64(len(h.machines))
	p.raw("<figure>\n")
	title := fmt.Sprintf("%s by %s, the worst of both first", plural(len(h.rules), "rule"), plural(len(h.machines), "machine"))
	p.draw(title, head+len(h.rules)*(label+cell), max(64*len(h.machines), 240), func(d drawing) {
		for i := range h.machines {
			d.label("column", "middle", (float64(i)+.5)/columns, head-5, strconv.Itoa(i+1))
		}
		for i, rule := range h.rules {
			y := head + i*(label+cell)
			d.raw("<a href=\"#rule-" + anchorOf(rule.ID) + "\">\n")
			d.label("rule", "start", 0, y+label-6, clipped(rule.ID, 40))
			d.raw("</a>\n")
			for j, m := range h.machines {
				one := h.cells[i][j]
				worst := one.worstWord()
				d.bar(span{"cell " + strings.ReplaceAll(worst, " ", "-"), float64(j) / columns, float64(j+1) / columns, m.name + ": " + one.cell().text}, y+label, cell)
				if letters[worst] != "" {
					d.label("on-"+worst, "middle", (float64(j)+.5)/columns, y+label+cell-5, letters[worst])
				}
			}
		}
	})
	p.raw("<figcaption>")
	for _, key := range []string{"critical", "high", "medium", "low", "info", "unknown", "pass"} {
		p.text("<span class=\"keep legend\"><span class=\"key "+key+"\"></span>%s</span> ", strings.TrimSpace(letters[key]+" "+key))
	}
	if h.moreRules+h.moreMachines > 0 {
		p.text("<br>Not drawn, because others are worse: %s.", amountWords([]amount{{"rules", h.moreRules}, {"machines with findings", h.moreMachines}}))
	}
	p.raw("</figcaption>\n<ol class=\"machines\">\n")
	for _, m := range h.machines {
		if m.anchor == "" {
			p.text("<li><span class=\"name\">%s</span>, %s</li>\n", m.name, plural(m.fails, "finding"))
		} else {
			p.text("<li><a href=\"#"+m.anchor+"\" class=\"name\">%s</a>, %s</li>\n", m.name, plural(m.fails, "finding"))
		}
	}
	p.raw("</ol>\n</figure>\n")
}

// worstWord returns the worst severity with which a rule fails, or what it says else.
func (t tally) worstWord() string {
	for s := rules.Critical; s >= rules.Info; s-- {
		if t.fails[s] > 0 {
			return s.String()
		}
	}
	return t.cell().text
}

// clipped returns the start of a text of more than a number of characters.
func clipped(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// severityAmounts returns how many findings of each severity there are, the worst first, without those that do not occur.
func (t tally) severityAmounts() (all []amount) {
	for s := rules.Critical; s >= rules.Info; s-- {
		if t.fails[s] > 0 {
			all = append(all, amount{s.String(), t.fails[s]})
		}
	}
	return slices.Clip(all)
}
