package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"unicode"

	"regvet/hive"
)

//go:embed page.css
var pageStyle string

// pageHTML builds a page of HTML that needs no script and nothing from a network. It is made for a screen, light or dark, of any width, and for
// paper.
//
// html/template would make the program larger by two thirds, because with it the linker keeps every method. All text here stands between
// tags or in quotes, where one way of escaping is enough.
type pageHTML struct{ bytes.Buffer }

// chapter is a part of a page, which its contents link to.
type chapter struct{ anchor, title string }

// begin writes the start of a page: its title, what it says in one sentence, and its contents.
func (p *pageHTML) begin(command, title, totals string, contents []chapter) {
	p.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	p.raw(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` + "\n")
	p.raw(`<meta name="viewport" content="width=device-width, initial-scale=1">` + "\n")
	p.plain("<title>%s: %s</title>\n", "regvet "+command, totals)
	p.raw("<style>\n" + pageStyle + "</style>\n</head>\n<body>\n<header>\n")
	p.text("<p class=\"faint\">%s</p>\n<h1>%s</h1>\n<p class=\"totals\">%s</p>\n</header>\n", "regvet "+command, title, totals)
	if len(contents) > 1 {
		p.raw("<nav aria-label=\"Contents\">\n<ul>\n")
		for _, c := range contents {
			p.text("<li><a href=\"#"+c.anchor+"\">%s</a></li>\n", c.title)
		}
		p.raw("</ul>\n</nav>\n")
	}
	p.raw("<main>\n")
}

// end writes the end of a page, and the page.
func (p *pageHTML) end(w io.Writer, version string) error {
	p.text("</main>\n<footer class=\"faint\">Written by regvet %s.</footer>\n</body>\n</html>\n", version)
	_, err := w.Write(p.Bytes())
	return err
}

// open writes the start of a chapter.
func (p *pageHTML) open(c chapter) {
	p.text("<section id=\""+c.anchor+"\">\n<h2>%s</h2>\n", c.title)
}

// raw writes HTML as it is.
func (p *pageHTML) raw(s string) { p.WriteString(s) }

// text writes HTML with texts in it. The texts are escaped, their control characters made visible, and long paths in them may be broken behind a
// backslash or slash.
func (p *pageHTML) text(format string, texts ...string) { p.put(format, texts, breakable) }

// plain is text for attributes and pictures, where there are no lines to break.
func (p *pageHTML) plain(format string, texts ...string) { p.put(format, texts, escapedHTML) }

func (p *pageHTML) put(format string, texts []string, escape func(string) string) {
	args := make([]any, len(texts))
	for i, s := range texts {
		args[i] = escape(s)
	}
	fmt.Fprintf(p, format, args...)
}

// escapedHTML returns HTML that shows text as it is, with the marks on a character that are more than any script has as escapes: they would pile up
// over the lines around.
func escapedHTML(s string) string {
	s = hive.Visible(s)
	const most = 4
	var b strings.Builder
	marks := 0
	for _, r := range s {
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > most {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return html.EscapeString(b.String())
}

// breakable is escapedHTML with places where a line may break, behind the characters that separate the parts of paths and names, and with others
// where it may not: in a GUID, and behind a hyphen before a digit, as in 2005-11-11T00:00:00Z.
func breakable(s string) string {
	s = breaks.Replace(escapedHTML(s))
	if !strings.Contains(s, "-") {
		return s
	}
	return hyphenated.ReplaceAllStringFunc(s, func(word string) string {
		if len(word) > longestWhole {
			return strings.ReplaceAll(word, "-", "-<wbr>")
		}
		return `<span class="keep">` + word + "</span>"
	})
}

var (
	breaks = strings.NewReplacer(`\`, `\<wbr>`, "/", "/<wbr>", "&amp;", "&amp;<wbr>", "&#34;", "&#34;", "&#39;", "&#39;", "#", "#<wbr>", "}", "}<wbr>", "|", "|<wbr>", "@", "@<wbr>", "=", "=<wbr>")

	hyphenated = regexp.MustCompile(`[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[\pL\pN_]+(?:[-:.][\pL\pN_]+)*-\pN[\pL\pN_]*(?:[-:.][\pL\pN_]+)*`)
)

// longestWhole is how many characters fit into a line of a phone.
const longestWhole = 36

// hash returns HTML for a hash, whose digits may be broken into groups of sixteen; the whole is there, too, for who looks for it in the file.
func hash(sum string) string {
	var b strings.Builder
	b.WriteString(`<data value="` + escapedHTML(sum) + `"><code>`)
	for len(sum) > 16 {
		b.WriteString(escapedHTML(sum[:16]) + "<wbr>")
		sum = sum[16:]
	}
	return b.String() + escapedHTML(sum) + "</code></data>"
}

// anchorOf returns what an anchor can be called for a name: the name itself, with all else than letters, digits, - and . in hex.
func anchorOf(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// listHTML is a list of names with what they stand for.
type listHTML struct {
	*pageHTML
	any bool
}

// row writes a name with one text for it; nothing where the text is "". tag is the element that the text is.
func (l *listHTML) row(name, tag, text string) {
	if text != "" {
		l.name(name)
		l.text("<dd><"+tag+">%s</"+tag+"></dd>\n", text)
	}
}

// name writes a name; what it stands for must follow.
func (l *listHTML) name(name string) {
	if !l.any {
		l.raw("<dl>\n")
		l.any = true
	}
	l.text("<dt>%s</dt>", name)
}

// rows writes a name with several texts for it; nothing where there are none.
func (l *listHTML) rows(name, tag string, texts []string) {
	for i, text := range texts {
		if i == 0 {
			l.row(name, tag, text)
		} else {
			l.text("<dd><"+tag+">%s</"+tag+"></dd>\n", text)
		}
	}
}

// close writes the end of the list, if anything was in it.
func (l *listHTML) close() {
	if l.any {
		l.raw("</dl>\n")
	}
}
