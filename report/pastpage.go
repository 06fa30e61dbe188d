package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"regvet/rules"
)

// PastHTML writes the past of settings as one page: for each a timeline, and each of its states.
func PastHTML(w io.Writer, past Past) error {
	p := &pageHTML{}
	var contents []chapter
	for i, s := range past.Settings {
		contents = append(contents, chapter{"setting-" + strconv.Itoa(i+1), s.title()})
	}
	states := 0
	for _, s := range past.Settings {
		states += len(s.Rows)
	}
	p.begin("history", "History of "+plural(len(past.Settings), "setting"), plural(states, "state"), contents)
	for i, s := range past.Settings {
		p.open(contents[i])
		p.text("<p class=\"faint name\">%s</p>\n", s.Input)
		p.timeline(s, contents[i].anchor)
		p.raw("<ol class=\"states\">\n")
		for j, r := range s.Rows {
			p.state(s, r, contents[i].anchor+"-"+strconv.Itoa(j+1))
		}
		p.raw("</ol>\n</section>\n")
	}
	return p.end(w, past.Version)
}

// state writes what a setting was in a state.
func (p *pageHTML) state(s Setting, r PastRow, anchor string) {
	p.text("<li id=\""+anchor+"\" class=\""+r.look()+"\">\n<p><span class=\"severity\">%s</span> %s", r.statusWords(), r.label())
	if data := r.data(); data != "" {
		p.text(": <code>%s</code>", data)
	}
	p.raw("</p>\n")
	l := &listHTML{pageHTML: p}
	l.row("key last written", "time", r.written())
	l.rows("more", "span", r.details(s))
	l.close()
	p.raw("</li>\n")
}

// look returns the class of how a state is drawn.
func (r PastRow) look() string {
	switch r.Status {
	case string(rules.Fail):
		return "high"
	case string(rules.Pass), WasSet, WasThere:
		return "pass"
	case WasUnknown:
		return "unknown"
	}
	return "missing"
}

// when returns since when a setting was what it is in a state, which is when its key was last written, and when it was seen to be that: when the shadow
// copy was created or the hive was written. What is not known is as the other; both are zero if nothing is known.
func (r PastRow) when() (since, seen time.Time) {
	if r.Modified.IsSet() {
		since = r.Modified.Time()
	}
	switch {
	case !r.Created.IsZero():
		seen = r.Created
	case r.base() != "":
		seen = r.Header.Modified.Time()
	}
	switch {
	case since.IsZero():
		since = seen
	case seen.Before(since): // Windows writes the base block before the last keys
		seen = since
	}
	return since, seen
}

// lifespans returns from when to when each state is known to have been, as shares of the time from the first to the last of them. A state of no known
// time has none, and is not ok.
func lifespans(rows []PastRow) (all []span, ok []bool, from, to time.Time) {
	for _, r := range rows {
		since, seen := r.when()
		if ok = append(ok, !seen.IsZero()); seen.IsZero() {
			continue
		}
		if from.IsZero() || since.Before(from) {
			from = since
		}
		if seen.After(to) {
			to = seen
		}
	}
	share := func(t time.Time) float64 {
		if !to.After(from) {
			return 1
		}
		return t.Sub(from).Seconds() / to.Sub(from).Seconds()
	}
	for i, r := range rows {
		one := span{kind: "state " + r.look()}
		if since, seen := r.when(); ok[i] {
			one.from, one.to = share(since), share(seen)
		}
		all = append(all, one)
	}
	return all, ok, from, to
}

// mostDrawn is how many states a timeline shows at most.
const mostDrawn = 40

// timeline draws from when to when a setting is known to have been what it was.
func (p *pageHTML) timeline(s Setting, anchor string) {
	rows := s.Rows[:min(len(s.Rows), mostDrawn)]
	all, known, from, to := lifespans(rows)
	if len(rows) < 2 || to.IsZero() {
		return
	}
	const lane, radius, end = 26, 11, .05 // the marks keep half of their width off both ends
	x := func(share float64) float64 { return end + share*(1-2*end) }
	drawn := 0
	for _, ok := range known {
		if ok {
			drawn++
		}
	}
	base := drawn * lane
	p.raw("<figure>\n")
	p.draw(fmt.Sprintf("Timeline of %s from %s to %s", plural(drawn, "state"), timestamp(from), timestamp(to)), base+24, 0, func(d drawing) {
		y := 0
		for i, one := range all {
			if !known[i] {
				continue
			}
			at := x(one.to)
			one.from, one.to = x(one.from), at
			one.title = strings.TrimSpace(rows[i].label() + ", " + rows[i].statusWords() + " " + rows[i].data())
			d.raw(fmt.Sprintf("<a href=\"#%s-%d\">\n", anchor, i+1))
			d.bar(one, y+lane/2-3, 6)
			d.raw(fmt.Sprintf("<circle class=\"%s\" cx=\"%s\" cy=\"%d\" r=\"%d\"/>\n", one.kind, percent(at), y+lane/2, radius))
			d.label("on-"+rows[i].look(), "middle", at, y+lane/2+4, strconv.Itoa(i+1))
			d.raw("</a>\n")
			y += lane
		}
		d.bar(span{kind: "outside", from: 0, to: 1}, base, 2)
		d.label("axis", "start", 0, base+18, day(from))
		if day(to) != day(from) {
			d.label("axis", "end", 1, base+18, day(to))
		}
	})
	text := "Each state from when its key was last written to when it was seen, with the number that it has below."
	if n := len(rows) - drawn; n > 0 {
		text += " " + Count(n, "state of no known time is", "states of no known time are") + " not drawn."
	}
	if n := len(s.Rows) - len(rows); n > 0 {
		text += " " + Count(n, "more state is", "more states are") + " not drawn."
	}
	p.text("<figcaption>%s</figcaption>\n</figure>\n", text)
}

// day returns the date of a time.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
