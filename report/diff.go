package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/fatih/color"

	"regvet/hive"
	"regvet/internal/safetext"
)

// Side is a text file before or after a change.
type Side struct {
	Text     string // in UTF-8
	Encoding string // of the file
}

// Diff writes the unified diff from one state of a file to another, under names that "git apply" takes. A line before it says what a diff
// of text cannot show: that the encoding or the line ends change. The lines of the diff end with LF where the line ends change, where a
// line ends with CR alone, where a file is in UTF-16, which git does not compare, and on a terminal.
//
// Characters that steer what shows them are escaped, both in names and in lines. The line before the diff then says that it cannot be
// applied.
func Diff(w io.Writer, name string, from, to Side, style Style) error {
	style.Terminal = style.Terminal || style.Color // with colours it is for the eyes as well
	p := &page{Style: style}
	name = filepath.ToSlash(filepath.Clean(name))
	var words []string
	if from.Encoding != to.Encoding {
		words = append(words, fmt.Sprintf("the encoding changes from %s to %s", from.Encoding, to.Encoding))
	}
	ends, after := lineEnds(from.Text), lineEnds(to.Text)
	if ends != after && ends != "" && after != "" {
		words = append(words, fmt.Sprintf("the line ends change from %s to %s", ends, after))
	}
	const wide = "UTF-16LE"
	if ends != after || crAlone(from.Text) || crAlone(to.Text) || from.Encoding == wide || to.Encoding == wide || p.Terminal {
		from.Text, to.Text = anyEnd.Replace(from.Text), anyEnd.Replace(to.Text)
	}
	diff := &page{Style: style}
	if from.Text != to.Text && diff.hunks(strings.TrimPrefix(name, "/"), from.Text, to.Text) {
		words = append(words, "the diff cannot be applied, because what would steer a terminal or a log is escaped in it")
	}
	if len(words) > 0 {
		fmt.Fprintf(p, "%s: %s\n", p.paint(hive.Visible(name), color.Bold), strings.Join(words, ", "))
	}
	p.Write(diff.Bytes())
	return p.send(w)
}

// hunks writes the diff itself and reports whether something in it was escaped that "git apply" would need. On a terminal, more is escaped,
// because nobody applies a diff from there.
func (p *page) hunks(name, from, to string) (escaped bool) {
	label := hive.Visible(name)
	escaped = label != hive.Printable(name)
	if strings.ContainsAny(label, " \t") {
		label += "\t" // as git marks the end of a name with blanks
	}
	unified := udiff.Unified("a/"+label, "b/"+label, hive.Printable(from), hive.Printable(to))
	colors := map[byte]color.Attribute{'-': color.FgRed, '+': color.FgGreen, '@': color.FgCyan}
	heads := 2 // lines with the names
	for line := range strings.Lines(unified) {
		text, end := strings.TrimSuffix(line, "\n"), "\n"
		if p.Terminal {
			text = visible(text)
		} else {
			if line, ok := strings.CutSuffix(text, "\r"); ok {
				text, end = line, "\r\n"
			}
			safe := string(harmless([]byte(safetext.Line(text))))
			escaped = escaped || safe != text
			text = safe
		}
		attribute, ok := colors[line[0]]
		if heads > 0 {
			attribute, ok = color.Bold, true
			heads--
		}
		if ok {
			text = p.paint(text, attribute)
		}
		p.WriteString(text + end)
	}
	return escaped
}

// Plain writes the text of a file to a terminal: its lines end with LF, and nothing in them moves the cursor but tabs.
func Plain(w io.Writer, text string) error {
	var p page
	for line := range strings.Lines(anyEnd.Replace(text)) {
		p.WriteString(visible(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return p.send(w)
}

// visible is [hive.Visible] for a line of a file, in which tabs stay.
func visible(line string) string {
	parts := strings.Split(line, "\t")
	for i, part := range parts {
		parts[i] = hive.Visible(part)
	}
	return strings.Join(parts, "\t")
}

// anyEnd turns all line ends into LF.
var anyEnd = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// crAlone reports whether a line of a text ends with CR and no LF.
func crAlone(text string) bool { return strings.Count(text, "\r") > strings.Count(text, "\r\n") }

// lineEnds returns the names of the line ends in a text, or "" if it has none.
func lineEnds(text string) string {
	var names []string
	crlf := strings.Count(text, "\r\n")
	if crlf > 0 {
		names = append(names, "CRLF")
	}
	if strings.Count(text, "\n") > crlf {
		names = append(names, "LF")
	}
	if crAlone(text) {
		names = append(names, "CR")
	}
	return strings.Join(names, " and ")
}
