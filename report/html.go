package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"io"
	"strings"

	"regvet/hive"
	"regvet/rules"
	"regvet/rules/lint"
)

//go:embed page.css
var pageStyle string

// webPage writes the report as one page of HTML that needs no script and nothing from a network. It is made for a screen, light or dark,
// and for paper. The findings are grouped by input; what their rules say stands once, at the end.
//
// html/template would make the program larger by two thirds, because with it the linker keeps every method. All text here stands between
// tags or in quotes, where one way of escaping is enough.
func webPage(w io.Writer, s sheet) error {
	p := &pageHTML{}
	p.begin(s.command, s.totals)
	if len(s.refused) > 0 {
		p.raw("<h2>Not read</h2>\n<ul>\n")
		for _, r := range s.refused {
			p.text("<li><code>%s</code>: %s</li>\n", r.Source, r.Msg)
		}
		p.raw("</ul>\n")
	}
	for _, t := range s.tables {
		p.table(t)
	}
	told := make([]bool, len(s.topics))
	for _, f := range s.files {
		results := s.listed(f)
		if len(results) == 0 && len(f.problems) == 0 && s.command == "lint" {
			continue // a run of the linter has many clean files
		}
		p.text("<section>\n<h2>%s</h2>\n<p>%s<br><span class=\"faint\">%s bytes, SHA-256</span> <code>%s</code></p>\n", f.path, f.about, fmt.Sprint(f.size), f.sha256)
		for _, line := range f.logs {
			p.text("<p class=\"faint\">%s</p>\n", line)
		}
		if len(f.problems) > 0 {
			p.raw("<ul>\n")
			for _, problem := range f.problems {
				problem.Source = ""
				p.text("<li>%s</li>\n", problem.Error())
			}
			p.raw("</ul>\n")
		}
		for _, r := range results {
			told[r.topic] = true
			p.result(r, s.topics[r.topic])
		}
		switch {
		case f.unasked != "":
			p.text("<p>Not asked: %s.</p>\n", f.unasked)
		case len(results) == 0 && !f.copy:
			p.raw("<p>No findings.</p>\n")
		}
		p.raw("</section>\n")
	}
	first := true
	for i, t := range s.topics {
		if !told[i] {
			continue
		}
		if first {
			p.raw("<h2>What was looked for</h2>\n")
		}
		first = false
		p.topic(t)
	}
	if s.more != "" {
		p.text("<p>%s</p>\n", s.more)
	}
	return p.end(w, s.version)
}

// pageHTML builds a page.
type pageHTML struct{ bytes.Buffer }

// begin writes the start of a page.
func (p *pageHTML) begin(command, totals string) {
	p.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	p.raw(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` + "\n")
	p.raw(`<meta name="viewport" content="width=device-width, initial-scale=1">` + "\n")
	p.text("<title>%s: %s</title>\n", "regvet "+command, totals)
	p.raw("<style>\n" + pageStyle + "</style>\n</head>\n<body>\n")
	p.text("<h1>%s</h1>\n<p><strong>%s</strong></p>\n", "regvet "+command, totals)
}

// end writes the end of a page, and the page.
func (p *pageHTML) end(w io.Writer, version string) error {
	p.text("<p class=\"faint\">Written by regvet %s.</p>\n</body>\n</html>\n", version)
	_, err := w.Write(p.Bytes())
	return err
}

// raw writes HTML as it is.
func (p *pageHTML) raw(s string) { p.WriteString(s) }

// text writes HTML with texts in it. The texts are escaped, and their control characters made visible.
func (p *pageHTML) text(format string, texts ...string) {
	args := make([]any, len(texts))
	for i, s := range texts {
		args[i] = html.EscapeString(hive.Visible(s))
	}
	fmt.Fprintf(p, format, args...)
}

// table writes a table of the summary.
func (p *pageHTML) table(t table) {
	cell := func(i int, tag, class, text string) {
		if t.number[i] {
			class = strings.TrimSpace(class + " number")
		}
		if class != "" {
			class = ` class="` + class + `"`
		}
		p.text("<"+tag+class+">%s</"+tag+">", text)
	}
	p.raw("<table>\n<tr>")
	for i, name := range t.head {
		cell(i, "th", "faint", name)
	}
	p.raw("</tr>\n")
	for _, row := range t.rows {
		p.raw("<tr>")
		for i, c := range row {
			cell(i, "td", levels[c.worst], c.text)
		}
		p.raw("</tr>\n")
	}
	p.raw("</table>\n")
	if t.rest != "" {
		p.text("<p>%s</p>\n", t.rest)
	}
}

func (p *pageHTML) result(r result, t topic) {
	class, severity, why := r.level, r.severity, ""
	switch {
	case r.suppressed != nil:
		class = "suppressed"
		severity, why = "accepted", r.accepted()
	case r.status != rules.Fail:
		class, severity = string(r.status), answerWords(r.status, rules.Reason(r.reason))
	}
	p.text("<article class=\"%s\">\n<h3><span class=\"severity\">%s</span> <a href=\"#rule-%s\">%s</a> %s</h3>\n<p>%s</p>\n<dl>\n", class, severity, r.id, r.id, t.title, r.message)
	row := func(name, tag, text string) {
		if text != "" {
			p.text("<dt>%s</dt><dd><"+tag+">%s</"+tag+"></dd>\n", name, text)
		}
	}
	row("accepted", "span", why)
	row("reason", "span", r.reason)
	row("key", "code", r.realKey)
	if r.key != r.realKey {
		row("asked for as", "code", r.key)
	}
	if r.about == lint.AValue {
		row("value", "code", rules.ValueName(r.value))
	}
	place := r.at.String()
	if r.at.Line > 0 {
		place = "line " + place
	}
	row("place", "span", place)
	row("source", "code", r.line)
	row("key written", "span", r.modified)
	switch {
	case r.kind != "":
		row("observed", "code", r.kind+", "+r.observed)
	case r.expected != "" && r.status != rules.Unknown && r.about != lint.AFile:
		row("observed", "span", "not set")
	}
	row("expected", "code", r.expected)
	for _, note := range r.notes {
		row("note", "span", note)
	}
	row("fix", "span", r.fix)
	row("unsafe", "span", r.because)
	row("instead", "span", r.instead)
	p.raw("</dl>\n</article>\n")
}

// topic writes what a rule looks for, and why.
func (p *pageHTML) topic(t topic) {
	p.text("<section id=\"rule-%s\">\n<h3>%s %s</h3>\n", t.id, t.id, t.title)
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
			p.text("<li>%s</li>\n", reference)
		}
		p.raw("</ul>\n")
	}
	p.raw("</section>\n")
}
